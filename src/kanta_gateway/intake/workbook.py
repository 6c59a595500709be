"""A workbook's bytes as sheets of rows of cells, read defensively, each cell with its place as the user sees it.

* Limits are looked at before anything is unpacked: packed size, unpacked size, number of parts and of cells.
* No part may declare a document type: entities are never expanded. Macros are never run; that there are some is told.
* A formula is its cached value; one without, or with an error, has none. Merged cells have theirs at the top left.
* Comments are counted by row: the reader that streams cells does not see them, so their own parts are read.

Source: ECMA-376-1 §18 (spreadsheets), ECMA-376-2 (packages).
"""

from __future__ import annotations

import re
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any, BinaryIO
from xml.parsers import expat

from lxml import etree
from openpyxl import load_workbook
from openpyxl.formula.tokenizer import TokenizerError
from openpyxl.formula.translate import TranslatorError
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import WorkSheetParser

from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.jsontext import refusal
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.values import Unreadable
from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from openpyxl import Workbook

MAX_PACKED = 50 * 1024 * 1024
MAX_UNPACKED = 500 * 1024 * 1024
MAX_CELLS = 2_000_000
"""An empty row counts as one."""
MAX_ROWS = 1_048_576
"""Rows of a sheet, as spreadsheets hold them."""
MAX_PARTS = 10_000
_CHUNK = 65_536
_DIGITS = 15
"""What a spreadsheet computes is exact to so many digits; behind them stand the errors of binary fractions."""
_OLD = b"\xd0\xcf\x11\xe0"
"""A compound file: a workbook of before 2007, or an encrypted one."""
_ROW = re.compile(r"[A-Z]+(\d+)")
_RELATED = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_COMMENT = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}comment"
_ANY = (zipfile.BadZipFile, zlib.error, struct.error, InvalidFileException, TokenizerError, TranslatorError,
        etree.LxmlError, LookupError, ValueError, TypeError, AttributeError, OSError, EOFError, NotImplementedError,
        RuntimeError, ArithmeticError, SyntaxError)  # fmt: skip
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
        try:
            for (number, given), (_, stated) in _quietly(zip(_parsed(values), _parsed(formulas), strict=True)):
                width = given[-1]["column"] if given else 0
                self._cells += width or 1
                if self._cells > MAX_CELLS:
                    raise _too("workbook-too-many", MAX_CELLS)
                if number > MAX_ROWS:
                    raise _damaged()
                cells: list[Any] = [None] * width
                for one, other in zip(given, stated, strict=True):
                    cells[one["column"] - 1] = _cell(one, other)
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


def _too(kind: str, limit: int) -> UnreadableError:
    return refusal(Finding("SRC-SIZE", Severity.REFUSE, kind, "", {"limit": str(limit)}), "the workbook")


def _parsed(sheet: Any) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Number and cells of each row that the sheet's part holds, without what lies empty between them.

    NOTE: the library's own sheet leaves out, without a word, what does not stand in its order.

    Raises:
        ValueError: rows or cells do not stand in their order.
    """
    book = sheet.parent
    with sheet._get_source() as source:  # noqa: SLF001 — the parser has no other way in
        parser = WorkSheetParser(
            source, sheet._shared_strings, data_only=book.data_only, epoch=book.epoch,  # noqa: SLF001
            date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,  # noqa: SLF001
        )  # fmt: skip
        last = 0
        for number, cells in parser.parse():
            if number <= last or any(one["column"] >= other["column"] for one, other in pairwise(cells)):
                raise ValueError("rows or cells do not stand in their order")
            last = number
            yield number, cells


def _quietly(rows: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """The rows, without the library's warnings: they repeat values of cells."""
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row = next(rows, None)
        if row is None:
            return
        yield row


def _check_package(stream: BinaryIO) -> None:
    """Look at the package before anything of it is unpacked."""
    stream.seek(0)
    if stream.read(4) == _OLD:
        raise refusal(unreadable("SRC-WORKBOOK-OLD", ""), "the workbook")
    packed = stream.seek(0, 2)
    if packed > MAX_PACKED:
        raise _too("workbook-too-large", MAX_PACKED)
    try:
        with zipfile.ZipFile(stream) as package:
            parts = package.infolist()
            if len(parts) > MAX_PARTS:
                raise _too("workbook-too-many", MAX_PARTS)
            if sum(one.file_size for one in parts) > MAX_UNPACKED:
                raise _too("workbook-too-large", MAX_UNPACKED)
            for one in parts:  # whatever it is called: the package's own list says which parts are XML
                with package.open(one) as part:
                    if _declares_type(part):
                        raise refusal(unreadable("SRC-ENTITY", ""), "the workbook")
    except UnreadableError:
        raise
    except _ANY as error:
        raise _damaged() from error


def _declares_type(part: IO[bytes]) -> bool:
    """Whether a document type stands before the first element, however far behind comments."""
    seen: list[bool] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: seen.append(True)
    parser.StartElementHandler = lambda *_: seen.append(False)
    try:
        while not seen and (chunk := part.read(_CHUNK)):
            parser.Parse(chunk, False)  # noqa: FBT003 — there may be more
    except (expat.ExpatError, LookupError, ValueError):
        pass  # no XML, or none that this parser knows: what reads it next says so
    return True in seen[:1]


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


def _cell(given: Mapping[str, Any], stated: Mapping[str, Any]) -> Any:
    """The value of one cell; a formula without a cached value and an error have none, one that gave "" is empty."""
    value = given["value"]
    if given["data_type"] == "e":
        return Unreadable("SRC-FORMULA")
    if value is None:
        is_formula = stated["data_type"] == "f" and given["data_type"] != "str"
        return Unreadable("SRC-FORMULA") if is_formula else None
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
            exact = Decimal(f"{value:.{_DIGITS}g}")
            return int(exact) if exact.is_finite() and exact == exact.to_integral_value() else exact
        case _:
            return str(value) if str(value).strip() else None
