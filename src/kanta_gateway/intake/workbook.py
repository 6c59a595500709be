"""A workbook's bytes as sheets of rows of cells, read defensively, each cell with its place as the user sees it.

* Limits are looked at before anything is unpacked: packed size, unpacked size, number of parts and of cells.
* No part may declare a document type: entities are never expanded. Macros are never run; that there are some is told.
* A formula is its cached value; one without, or with an error, has none. Merged cells have theirs at the top left.
* Comments are counted by row: the reader that streams cells does not see them, so their own parts are read.

Source: ECMA-376-1 §18 (spreadsheets), ECMA-376-2 (packages).
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, BinaryIO

from lxml import etree
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.jsontext import refusal
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.values import Unreadable

if TYPE_CHECKING:
    from openpyxl import Workbook

MAX_PACKED = 50 * 1024 * 1024
MAX_UNPACKED = 500 * 1024 * 1024
MAX_CELLS = 2_000_000
MAX_PARTS = 10_000
_HEAD = 4096
"""Bytes of a part within which a document type would stand."""
_OLD = b"\xd0\xcf\x11\xe0"
"""A compound file: a workbook of before 2007, or an encrypted one."""
_DOCTYPE = re.compile(rb"<\x00?!\x00?(?:D\x00?O\x00?C\x00?T\x00?Y\x00?P\x00?E|E\x00?N\x00?T\x00?I\x00?T\x00?Y)")
_ROW = re.compile(r"[A-Z]+(\d+)")
_RELATED = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_COMMENT = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}comment"
_ANY = (zipfile.BadZipFile, InvalidFileException, etree.LxmlError, KeyError, ValueError, TypeError, IndexError,
        AttributeError, OSError, EOFError, NotImplementedError, RuntimeError, OverflowError, SyntaxError)  # fmt: skip
"""What the library raises on damaged files has no common class."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a sheet."""

    number: int
    cells: Sequence[Any]
    """Text, int, Decimal, bool, None, or `Unreadable`; dates and times as ISO 8601 text."""
    comments: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook."""

    name: str
    is_hidden: bool
    rows: Iterator[SheetRow]
    """To be read once, before the next sheet."""


@dataclass(slots=True)
class Book:
    """An opened workbook."""

    has_macros: bool
    _values: Workbook
    _formulas: Workbook
    _comments: Mapping[str, Counter[int]] = field(default_factory=dict)
    _cells: int = 0

    def sheets(self) -> Iterator[Sheet]:
        """Every sheet, in its order.

        Raises:
            UnreadableError: a sheet is damaged, or there are too many cells.
        """
        for values in self._values.worksheets:
            formulas = self._formulas[values.title]
            yield Sheet(values.title, values.sheet_state != "visible", self._rows(values, formulas))

    def _rows(self, values: Any, formulas: Any) -> Iterator[SheetRow]:
        comments = self._comments.get(values.title, Counter())
        for sheet in (values, formulas):
            sheet.reset_dimensions()  # what the file says of its size may be wrong
        try:
            pairs = zip_longest(values.iter_rows(), formulas.iter_rows(), fillvalue=())
            for number, (given, stated) in enumerate(pairs, 1):
                self._cells += len(given)
                if self._cells > MAX_CELLS:
                    raise refusal(unreadable("SRC-SIZE", "", {"limit": str(MAX_CELLS)}), "the workbook")
                cells = [_cell(one, other) for one, other in zip_longest(given, stated)]
                if any(one is not None for one in cells):
                    yield SheetRow(number, cells, comments[number])
        except _ANY as error:
            raise _damaged() from error

    def close(self) -> None:
        """Let go of the file."""
        self._values.close()
        self._formulas.close()


def open_book(stream: BinaryIO) -> Book:
    """Open a workbook.

    Args:
        stream: its bytes.

    Raises:
        UnreadableError: it is none, is encrypted or of an old kind, declares entities, or is beyond a limit.
    """
    _check_package(stream)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # extensions and styles that the library leaves out hold no data
            stream.seek(0)
            values = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
            formulas = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
        with zipfile.ZipFile(stream) as package:
            names = set(package.namelist())
            comments = {sheet: _comments(package, part) for sheet, part in _sheet_parts(values).items()}
    except UnreadableError:
        raise
    except _ANY as error:
        raise _damaged() from error
    return Book(any(name.lower().endswith("vbaproject.bin") for name in names), values, formulas, comments)


def _damaged() -> UnreadableError:
    return refusal(unreadable("SRC-WORKBOOK", ""), "the workbook")


def _check_package(stream: BinaryIO) -> None:
    """Look at the package before anything of it is unpacked."""
    stream.seek(0)
    if stream.read(4) == _OLD:
        raise refusal(unreadable("SRC-WORKBOOK-OLD", ""), "the workbook")
    packed = stream.seek(0, 2)
    if packed > MAX_PACKED:
        raise refusal(unreadable("SRC-SIZE", "", {"limit": str(MAX_PACKED)}), "the workbook")
    try:
        with zipfile.ZipFile(stream) as package:
            parts = package.infolist()
            if len(parts) > MAX_PARTS or sum(one.file_size for one in parts) > MAX_UNPACKED:
                raise refusal(unreadable("SRC-SIZE", "", {"limit": str(MAX_UNPACKED)}), "the workbook")
            for one in parts:
                if one.filename.endswith((".xml", ".rels", ".vml")):
                    with package.open(one) as part:
                        if _DOCTYPE.search(part.read(_HEAD)):
                            raise refusal(unreadable("SRC-ENTITY", ""), "the workbook")
    except UnreadableError:
        raise
    except _ANY as error:
        raise _damaged() from error


def _sheet_parts(book: Workbook) -> dict[str, str]:
    """Sheet -> its part of the package."""
    return {str(one.title): str(getattr(one, "_worksheet_path", "")) for one in book.worksheets}


def _comments(package: zipfile.ZipFile, part: str) -> Counter[int]:
    """Row -> number of comments on its cells."""
    found: Counter[int] = Counter()
    folder, _, name = part.rpartition("/")
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in package.namelist():
        return found
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    for relation in etree.fromstring(package.read(relations), parser).iter(_RELATED):
        if str(relation.get("Type", "")).endswith("/comments"):
            target = str(relation.get("Target", ""))
            with package.open(target.lstrip("/") if target.startswith("/") else _joined(folder, target)) as stream:
                for _, comment in etree.iterparse(
                    stream, tag=_COMMENT, resolve_entities=False, no_network=True, load_dtd=False
                ):
                    if (place := _ROW.fullmatch(str(comment.get("ref", "")))) is not None:
                        found[int(place[1])] += 1
                    comment.clear()
    return found


def _joined(folder: str, target: str) -> str:
    """A relative name of the package."""
    parts = folder.split("/")
    for step in target.split("/"):
        if step == "..":
            parts = parts[:-1]
        elif step != ".":
            parts.append(step)
    return "/".join(parts)


def _cell(given: Any, stated: Any) -> Any:
    """The value of one cell; a formula without a cached value and an error have none."""
    value = getattr(given, "value", None)
    if getattr(given, "data_type", "") == "e":
        return Unreadable("SRC-FORMULA")
    if value is None:
        return Unreadable("SRC-FORMULA") if getattr(stated, "data_type", "") == "f" else None
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value as a source reads it: days and times as ISO 8601 text, numbers exact, blank text as nothing."""
    match value:
        case datetime():
            return value.date().isoformat() if value.time() == time(0) else value.isoformat(timespec="minutes")
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case bool() | int():
            return value
        case float():
            exact = Decimal(repr(value))
            return int(exact) if exact == exact.to_integral_value() else exact
        case _:
            return str(value) if str(value).strip() else None
