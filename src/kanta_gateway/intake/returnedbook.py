"""A provider's own workbook given back with what was found: a column beside the rows, a line beneath labelled sheets.

* The workbook is written anew from what the library knows of it: values, formulas, formats and comments stay;
  drawings, charts and the calculated values of formulas do not. A spreadsheet program calculates those again.
* A column or line of an earlier round is used again, not doubled.
* A whole workbook is held in memory; what may be in one is bounded where it is read (`workbook.py`).
"""

from __future__ import annotations

import io
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from openpyxl import load_workbook

from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.returned import Rows, Words, text_of
from kanta_gateway.intake.sheets import read_workbook
from kanta_gateway.intake.tables import MARK
from kanta_gateway.model import Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.sources import Source

MAX_CELL = 32_767
"""Characters of one cell, as spreadsheets hold it."""


@dataclass(slots=True)
class _Remarks:
    """What was found in one sheet."""

    header: int = 0
    """Row of the header; 0 where the sheet has none."""
    table: str = ""
    rows: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Row -> texts; 0 for the sheet as a whole."""


def returned_book(source: Source, stream: BinaryIO, name: str, rows: Rows, words: Words) -> Iterator[bytes]:
    """One workbook with what was found on its rows.

    Args:
        source: its format.
        stream: the file, as it was delivered.
        name: of the file, for messages.
        rows: the delivery's rows from this file on.
        words: what is written.

    Raises:
        ConflictError: it is not the file that was delivered.
        UnreadableError: it is no workbook that can be read.
    """
    found = _found(source, stream, name, rows, words)
    heading = f"{MARK} {words.heading}"
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # extensions that the library leaves out
        book = load_workbook(stream)
    for sheet in book.worksheets:
        remarks = found.get(sheet.title)
        if remarks is not None and remarks.header:
            _beside(sheet, remarks, heading)
        elif remarks is not None:
            _beneath(sheet, remarks, heading)
    made = io.BytesIO()
    book.save(made)
    yield made.getvalue()


def _found(source: Source, stream: BinaryIO, name: str, rows: Rows, words: Words) -> dict[str, _Remarks]:
    """Sheet -> what was found in it."""
    found: dict[str, _Remarks] = defaultdict(_Remarks)
    for item in read_workbook(source, stream, name):
        pointer = item.pointer if isinstance(item, Record) else item.finding.pointer
        sheet, row = _place(pointer)
        remarks = found[sheet]
        if isinstance(item, Problem):
            if item.finding.kind == "sheet-read":
                remarks.header, remarks.table = row, item.finding.params["table"]
            elif item.finding.severity > Severity.INFO:
                remarks.rows[row].append(_text(source, remarks, words.say(item.finding)))
        elif not item.is_part:
            remarks.rows[row] += [_text(source, remarks, one) for one in rows.next(item, words.say)]
    return found


def _text(source: Source, remarks: _Remarks, told: dict[str, Any]) -> str:
    tables = [
        one for one in source.tables if one.name == remarks.table or (not remarks.table and one.layout == "pairs")
    ]
    return text_of(told, [kind for table in tables for kind in table.kinds])


def _place(pointer: str) -> tuple[str, int]:
    """Sheet and row that a pointer names; no sheet can have a slash in its name."""
    sheet, _, behind = pointer.removeprefix("/").partition("/")
    row = behind.partition("/")[0]
    return sheet, int(row) if row.isdecimal() else 0


def _beside(sheet: Any, remarks: _Remarks, heading: str) -> None:
    """A column behind the last one."""
    column = next(
        (cell.column for cell in sheet[remarks.header] if str(cell.value or "").startswith(MARK)),
        sheet.max_column + 1,
    )  # fmt: skip
    for row in range(remarks.header, sheet.max_row + 1):
        if sheet.cell(row, column).value is not None:
            sheet.cell(row, column).value = None
    of_header = [heading, *remarks.rows.get(0, ()), *remarks.rows.get(remarks.header, ())]
    for row, texts in {**remarks.rows, remarks.header: of_header, 0: []}.items():
        if texts:
            sheet.cell(row, column).value = " | ".join(texts)[:MAX_CELL]


def _beneath(sheet: Any, remarks: _Remarks, heading: str) -> None:
    """A line of a label and a value beneath the last one."""
    line = next(
        (number for number in range(1, sheet.max_row + 1) if str(sheet.cell(number, 1).value or "").startswith(MARK)),
        sheet.max_row + 1,
    )  # fmt: skip
    texts = [text for found in remarks.rows.values() for text in found]
    for column, value in ((1, heading), (2, " | ".join(texts)[:MAX_CELL])):
        sheet.cell(line, column).value = value if texts else None
