"""The rows of a delimited file as records: its header found, each row read by the columns of its table.

* A row with more cells than the header, or one that ends before a column that is needed, is not read at all:
  a delimiter or line break stood in a text without quotes, and its values may stand under other headings.
* A row that begins with a column's name may be a header again, which opens its table anew: lists that were put one
  beneath the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from kanta_gateway.intake.delimited import Row, dialect, parts_of
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.lines import MAX_ROW_CHARACTERS, Dialect, Left
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.tables import (
    MAX_TITLE_ROWS,
    Header,
    folded,
    header_findings,
    header_of,
    is_usable,
    names_of,
    records_of,
)
from kanta_gateway.model import Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.sources import Source


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a file and what it holds."""

    part: Row | Left | None
    """None behind the end of the file."""
    header: Header | None
    """The header that it stands under, or is."""
    items: Sequence[Record | Problem] = ()
    is_header: bool = False


def read_delimited(source: Source, stream: BinaryIO, file_name: str) -> Iterator[Record | Problem]:
    """Everything that a delimited file holds.

    Args:
        source: how the provider's format is read.
        stream: the file's bytes.
        file_name: for messages.
    """
    for step in walk(source, stream, file_name, written_as(source, stream)):
        yield from step.items


def written_as(source: Source, stream: BinaryIO) -> Dialect:
    """How a file of a source is written."""
    return dialect(stream, lambda cells: max(one.score(cells) for one in source.tables))


def walk(source: Source, stream: BinaryIO, file_name: str, written: Dialect) -> Iterator[Step]:
    """A delimited file part by part, blank rows and titles too.

    Args:
        source: how the provider's format is read.
        stream: the file's bytes.
        file_name: for messages.
        written: how the file is written.
    """
    header: Header | None = None
    titles = 0
    headings = frozenset(folded(column) for table in source.tables for column in table.columns)
    for part in parts_of(stream, written):
        if isinstance(part, Left):
            yield Step(part, header, tuple(_left(part, header.table.name if header else file_name)))
            continue
        found: Header | None = None
        first = folded(next(filter(str.strip, part.cells), ""))
        if first and (first in headings if header else titles <= MAX_TITLE_ROWS):
            found = header_of(source.tables, part.cells)
            titles += found is None
        if found is not None:
            header = found
            yield Step(part, header, tuple(_opened(header, part.number, written, file_name)), is_header=True)
        elif header is None or part.is_blank or not is_usable(header) or header.table.is_total(part.cells):
            yield Step(part, header)
        else:
            yield Step(part, header, tuple(_read(source, header, part)))
    if header is None:
        params = {"file": file_name, "tables": names_of(source.tables)}
        yield Step(None, None, (Problem(unreadable("SRC-TABLE", "", params)),))


def _left(part: Left, place: str) -> Iterator[Problem]:
    """Why a line was left out, once it ends."""
    if part.is_last:
        params = {"line": str(part.number), "limit": str(MAX_ROW_CHARACTERS)}
        yield Problem(unreadable(part.rule, f"/{place}/{part.number}", params))


def _opened(header: Header, number: int, written: Dialect, file_name: str) -> Iterator[Problem]:
    """How a table was found and read, and what is wrong with its header."""
    place = f"/{header.table.name}/{number}"
    params = {"file": file_name, "table": header.table.name, "encoding": written.encoding,
              "delimiter": written.delimiter.replace("\t", "tab"), "line": str(number)}  # fmt: skip
    yield Problem(Finding("SRC-FORM", Severity.INFO, "table-found", place, params))
    for finding in header_findings(header, place):
        yield Problem(finding)


def _read(source: Source, header: Header, row: Row) -> Iterator[Record | Problem]:
    """The records of one row, if its cells stand under their own headings."""
    place = f"/{header.table.name}/{row.number}"
    if not header.last < len(row.cells) <= len(header.names):
        params = {"line": str(row.number), "expected": str(len(header.names)), "found": str(len(row.cells))}
        yield Problem(unreadable("SRC-CELLS", place, params))
    else:
        yield from records_of(source, header.table, header.values(row.cells), place, row.number)
