"""A provider's own file given back with one more column: what was found on each row, so that it is corrected there.

* Every row stays as it was written, in its encoding and with its delimiter; only rows on which something was found
  get one more cell. No value stands there that the file did not have.
* The file is read again beside the result, row by row: nothing of it was kept, and memory stays flat.
* Its column is known when the corrected file is delivered, and is no part of a row (`tables.MARK`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from kanta_gateway.errors import ConflictError
from kanta_gateway.intake.columns import Step, walk, written_as
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.lines import Left
from kanta_gateway.intake.tables import MARK
from kanta_gateway.model import Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.kinds import Kind
    from kanta_gateway.intake.lines import Dialect
    from kanta_gateway.intake.sources import Source

OUR_OWN = frozenset({"CODE", "GEN", "PRI", "SRC"})
"""Families of rules that no contract states: their infos ask nobody to correct anything."""
_NEEDS_QUOTES = re.compile('["\r\n]').search
Told = dict[str, Any]
Say = Callable[[Finding], Told]


@dataclass(frozen=True, slots=True)
class Words:
    """What is written into the files."""

    heading: str
    say: Say
    """A finding in the language of the reader."""


class Rows:
    """The delivered rows of a result, taken one by one as their file is read again.

    Args:
        told: the rows; None where nothing of the delivery was taken.
    """

    def __init__(self, told: Iterable[Told] | None) -> None:
        self._told = None if told is None else iter(told)

    def next(self, record: Record, say: Say) -> list[Told]:
        """The findings on the row that begins with a record; a record that is no row of the result tells its own.

        Raises:
            ConflictError: the row is not the one that was delivered.
        """
        if self._told is None or not record.is_row:
            return [say(one) for one in record.findings if one.severity > Severity.INFO]
        row = next(self._told, None)
        if row is None or row["id"] != (record.label or record.id):
            raise ConflictError("the file is not the one that was delivered; send that one, unchanged")
        is_reference = row["outcome"] == "reference"
        return [one for one in row["findings"] if _is_told(one, is_reference=is_reference)]


def returned_lines(source: Source, stream: BinaryIO, name: str, rows: Rows, words: Words) -> Iterator[bytes]:
    """One delimited file with what was found on its rows, piece by piece.

    Args:
        source: its format.
        stream: the file, as it was delivered.
        name: of the file, for messages.
        rows: the delivery's rows from this file on.
        words: what is written.

    Raises:
        ConflictError: it is not the file that was delivered.
    """
    written = written_as(source, stream)
    encode = codecs.getincrementalencoder(written.encoding)("surrogateescape").encode
    for step in walk(source, stream, name, written):
        texts = list(_texts(step, rows, words))
        if step.is_header:
            texts = [f"{MARK} {words.heading}", *texts]
        if step.part is not None:
            yield encode(_line(step, " | ".join(texts), written))


def _texts(step: Step, rows: Rows, words: Words) -> Iterator[str]:
    """What was found on one part of a file."""
    kinds = step.header.table.kinds if step.header else ()
    for item in step.items:
        if isinstance(item, Problem):
            if item.finding.severity > Severity.INFO:
                yield text_of(words.say(item.finding), kinds)
        elif not item.is_part:
            for told in rows.next(item, words.say):
                yield text_of(told, kinds)


def _is_told(finding: Told, *, is_reference: bool) -> bool:
    """Whether a finding asks for something: on a reference record those of a contract are only told as info."""
    is_info = finding["severity"] == Severity.INFO.word
    return not is_info or (is_reference and finding["rule"].partition("-")[0] not in OUR_OWN)


def text_of(finding: Told, kinds: Sequence[Kind]) -> str:
    """A finding as it stands in a file: rule, column, and what is to be done.

    Args:
        finding: as it is told.
        kinds: what the row holds.
    """
    column = _column(finding["pointer"], kinds)
    return f"{finding['rule']}{f' ({column})' if column else ''}: {finding['message']}"


def _column(pointer: str, kinds: Sequence[Kind]) -> str:
    """The heading of the column that a finding is about; empty where it is about the row."""
    steps = pointer.split("/")[1:]
    if len(steps) > 1 and steps[1].isdecimal():
        return "/".join(steps[2:])
    target = ".".join(steps)
    every = (one for kind in kinds for parts in kind.fields.values() for one in parts)
    return next((one.name for one in every if one.target == target and not one.name.startswith("@")), "")


def _line(step: Step, text: str, written: Dialect) -> str:
    """One part of the file as it was, with what was found behind it."""
    part, header = step.part, step.header
    assert part is not None  # noqa: S101 — there is nothing to write behind the end of a file
    own = header.own if header is not None else frozenset[int]()
    kept = part.text
    body = kept.rstrip("\r\n")
    end = kept[len(body) :]
    cells: Sequence[str] = () if isinstance(part, Left) else part.cells
    if any(at < len(cells) for at in own):  # an earlier round of findings stands there
        cells = [cell for at, cell in enumerate(cells) if at not in own]
        body = _joined(cells, written.delimiter)
    if not text:
        return body + end
    width = len(header.names) - len(own) if header is not None else 0
    fill = written.delimiter * (max(0, width - len(cells)) if cells else 0)
    safe = text.encode(written.encoding, "replace").decode(written.encoding)
    return f"{body}{fill}{written.delimiter}{_quoted(' '.join(safe.split()))}{end}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _joined(cells: Sequence[str], delimiter: str) -> str:
    """Cells as a line (RFC 4180 §2): those in quotes that would not come back without."""
    return delimiter.join(_quoted(cell) if _NEEDS_QUOTES(cell) or delimiter in cell else cell for cell in cells)
