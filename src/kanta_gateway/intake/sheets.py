"""The sheets of a workbook as records: tables with a header, sheets of one month, and sheets of labels and values.

* A sheet is known by its column names or labels; one that is none of the source's is told and not read.
* A sheet of a month is named after it. Weekdays written under its days must fit, else nothing of it is read:
  a month under the wrong name would put every day of the client on another date.
* What stands beneath the rows (who wrote the sheet) holds for each of them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.tables import (
    MARK,
    MAX_TITLE_ROWS,
    SHARE,
    Header,
    folded,
    header_findings,
    header_of,
    is_usable,
    names_of,
    nearest,
    records_of,
)
from kanta_gateway.intake.values import Unreadable, month
from kanta_gateway.intake.workbook import Sheet, SheetRow, open_book
from kanta_gateway.model import Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.sources import Source
    from kanta_gateway.intake.tables import Table


def read_workbook(source: Source, stream: BinaryIO, file_name: str) -> Iterator[Record | Problem]:
    """Everything that a workbook holds.

    Args:
        source: how the provider's format is read.
        stream: the file's bytes.
        file_name: for messages.

    Raises:
        UnreadableError: it is no workbook that can be read.
    """
    book = open_book(stream)
    is_known = False
    try:
        if book.has_macros:
            yield _said("SRC-MACRO", "macros-ignored", "", {"file": file_name})
        for sheet in book.sheets():
            if sheet.is_hidden:
                yield _said("SRC-SHEET", "sheet-hidden", f"/{sheet.name}", {"sheet": sheet.name})
            for item in _sheet(source, sheet, file_name):
                is_known = is_known or not (isinstance(item, Problem) and item.finding.kind == "sheet-unknown")
                yield item
    finally:
        book.close()
    if not is_known:
        yield Problem(unreadable("SRC-TABLE", "", {"file": file_name, "tables": names_of(source.tables)}))


def _said(rule: str, kind: str, place: str, params: Mapping[str, str]) -> Problem:
    return Problem(Finding(rule, Severity.INFO, kind, place, params))


def _sheet(source: Source, sheet: Sheet, file_name: str) -> Iterator[Record | Problem]:
    above: list[SheetRow] = []
    for row in sheet.rows:
        header = header_of(source.tables, row.cells)
        if header is not None:
            yield _said("SRC-FORM", "sheet-read", f"/{sheet.name}/{row.number}",
                        {"file": file_name, "sheet": sheet.name, "table": header.table.name})  # fmt: skip
            for finding in header_findings(header, f"/{sheet.name}/{row.number}"):
                yield Problem(finding)
            if is_usable(header):
                if header.table.layout == "month":
                    yield from _month(source, sheet, header, row)
                else:
                    yield from _rows(source, sheet, header)
            return
        above.append(row)
        if len(above) > MAX_TITLE_ROWS:
            break
    yield from _pairs(source, sheet, above)


def _rows(source: Source, sheet: Sheet, header: Header) -> Iterator[Record | Problem]:
    for row in sheet.rows:
        if not header.table.is_total(row.cells):
            values = {**header.values(row.cells), "@sheet": sheet.name}
            place = f"/{sheet.name}/{row.number}"
            yield from records_of(source, header.table, values, place, row.number, row.comments)


def _pairs(source: Source, sheet: Sheet, above: Sequence[SheetRow]) -> Iterator[Record | Problem]:
    """A sheet of labels and values, or one that is none of the source's."""
    tables = [one for one in source.tables if one.layout == "pairs"]
    firsts = {_first(row.cells) for row in above}
    scores = [(one.score([_at(row.cells, column) for row in above]), -column, one.name)
              for one in tables for column in firsts]  # fmt: skip
    score, place, name = max(scores, default=(0, 0, ""))
    column = -place
    table = next((one for one in tables if one.name == name), None)
    if table is None or score * SHARE < len(table.columns):
        yield _said("SRC-SHEET", "sheet-unknown", f"/{sheet.name}", {"sheet": sheet.name})
        return
    known = {folded(label): label for label in table.columns}
    values: dict[str, Any] = {"@sheet": sheet.name}
    written: list[tuple[str, int]] = []
    comments = 0
    for row in (*above, *sheet.rows):
        told = _at(row.cells, column)
        label = known.get(folded(told), str(told or "").strip())
        value = next((one for one in row.cells[column + 1 :] if one is not None), None)
        comments += row.comments
        if not folded(label).startswith(MARK):
            written.append((label, row.number))
            if value is not None:
                values[label] = Unreadable("SRC-TWICE") if label in values and label in table.columns else value
    renamed = list(_renamed(sheet, table, written))
    yield from renamed or records_of(source, table, values, f"/{sheet.name}", 1, comments)


def _renamed(sheet: Sheet, table: Table, written: Sequence[tuple[str, int]]) -> Iterator[Problem]:
    """Labels that are lacking while a strange one is nearly theirs: what stands beside it would silently go missing."""
    names = [label for label, _ in written]
    lacking = [column for column in table.columns if column not in names]
    for label, position in nearest(table, names, frozenset(), lacking).items():
        number = written[position - 1][1]
        params = {"label": label, "sheet": sheet.name, "line": str(number)}
        yield Problem(unreadable("SRC-LABEL-RENAMED", f"/{sheet.name}/{number}", params))


def _first(cells: Sequence[Any]) -> int:
    """Position of the first cell that holds something."""
    return next((at for at, cell in enumerate(cells) if cell is not None), 0)


def _at(cells: Sequence[Any], position: int) -> Any:
    return cells[position] if position < len(cells) else None


@dataclass(frozen=True, slots=True)
class _Days:
    """The days of a month's sheet."""

    month: str
    first: date
    positions: Mapping[int, int]
    """Position of the column -> day of the month."""

    @property
    def last(self) -> date:
        """The last day of the month."""
        return self.first.replace(day=monthrange(self.first.year, self.first.month)[1])

    @property
    def are_whole(self) -> bool:
        """Whether each day of the month has its one column."""
        return sorted(self.positions.values()) == list(range(1, self.last.day + 1))

    def marks(self, cells: Sequence[Any]) -> list[dict[str, Any]]:
        """What is written under each day, in the order of the days: that of the columns means nothing."""
        return [
            {"day": self.first.replace(day=number).isoformat(), "mark": _mark(cells[at])}
            for number, at in sorted((number, at) for at, number in self.positions.items())
            if at < len(cells) and cells[at] is not None
        ]

    def headed(self, item: Record | Problem, place: str, marks: Sequence[Mapping[str, Any]]) -> Record | Problem:
        """The item with what was found on a mark told at the heading of its day."""
        inside = f"{place}/@days/"
        if not isinstance(item, Record) or not any(one.pointer.startswith(inside) for one in item.findings):
            return item
        found: list[Finding] = []
        for one in item.findings:
            position = one.pointer.removeprefix(inside).partition("/")[0]
            if one.pointer.startswith(inside) and position.isdecimal():
                day = str(date.fromisoformat(marks[int(position)]["day"]).day)
                found.append(replace(one, pointer=f"{place}/{day}", params={**one.params, "field": day}))
            else:
                found.append(one)
        return replace(item, findings=tuple(found))


def _mark(cell: Any) -> Any:
    """A mark as it is written; a number with its decimal comma."""
    return str(cell).replace(".", ",") if isinstance(cell, Decimal) else cell


def _month(source: Source, sheet: Sheet, header: Header, top: SheetRow) -> Iterator[Record | Problem]:
    place, table = f"/{sheet.name}/{top.number}", header.table
    told = month(sheet.name, {}).value
    if told is None:
        yield Problem(unreadable("SRC-MONTH", place, {"field": sheet.name}))
        return
    days = _days(told, top)
    if not days.are_whole:
        params = {"sheet": sheet.name, "month": told, "expected": str(days.last.day), "found": str(len(days.positions))}
        yield Problem(unreadable("SRC-DAYS", place, params))
        return
    rows: list[SheetRow] = []
    shared: dict[str, Any] = {
        "@sheet": sheet.name, "@month": days.month, "@first": days.first.isoformat(), "@last": days.last.isoformat(),
    }  # fmt: skip
    beneath = {folded(label): label for label in table.beneath}
    for row in sheet.rows:
        at = _first(row.cells)
        if (label := beneath.get(folded(row.cells[at]))) is not None:
            shared[label] = next((one for one in row.cells[at + 1 :] if one is not None), None)
        elif _is_of_weekdays(table, days, row):
            if (wrong := _wrong_weekday(table, days, row)) is not None:
                params = {"sheet": sheet.name, "month": days.month, "day": str(wrong[0]), "expected": wrong[1]}
                yield Problem(unreadable("SRC-WEEKDAY", f"/{sheet.name}/{row.number}", params))
                return
        elif not table.is_total(row.cells) and _tells(header, days, row):
            rows.append(row)
    for row in rows:
        marks, at_row = days.marks(row.cells), f"/{sheet.name}/{row.number}"
        values = {**_beside(header, days, row), **shared, "@days": marks}
        for item in records_of(source, table, values, at_row, row.number, row.comments):
            yield days.headed(item, at_row, marks)


def _beside(header: Header, days: _Days, row: SheetRow) -> dict[str, Any]:
    """Column name -> cell, of the columns that are no days."""
    return header.values([None if at in days.positions else cell for at, cell in enumerate(row.cells)])


def _tells(header: Header, days: _Days, row: SheetRow) -> bool:
    """Whether a row holds anything that is read: a legend or a remark beneath the rows does not."""
    read = {column for kind in header.table.kinds for column in kind.columns}
    return bool(days.marks(row.cells)) or any(column in read for column in _beside(header, days, row))


def _days(told: str, top: SheetRow) -> _Days:
    """The month that the sheet is named after, and the days in its header."""
    first = date.fromisoformat(f"{told}-01")
    positions = {
        at: int(cell) for at, cell in enumerate(top.cells)
        if isinstance(cell, int | str) and not isinstance(cell, bool) and str(cell).strip().rstrip(".").isdecimal()
        and 0 < int(str(cell).strip().rstrip(".")) <= 31
    }  # fmt: skip
    return _Days(told, first, positions)


def _is_of_weekdays(table: Table, days: _Days, row: SheetRow) -> bool:
    """Whether most of what stands under the days are words of weekdays."""
    under = [row.cells[at] for at in days.positions if at < len(row.cells) and row.cells[at] is not None]
    return bool(under) and sum(folded(cell) in table.weekdays for cell in under) * 2 > len(under)


def _wrong_weekday(table: Table, days: _Days, row: SheetRow) -> tuple[int, str] | None:
    """The first day under which another weekday is written than it has, with the right one."""
    if not table.weekdays:
        return None
    for at, number in days.positions.items():
        told = folded(row.cells[at]) if at < len(row.cells) else ""
        if told in table.weekdays:
            right = table.weekdays[days.first.replace(day=number).weekday()]
            if told != right:
                return number, right
    return None
