"""The sheets of a workbook as records: tables with a header, sheets of one month, and sheets of labels and values.

* A sheet is known by its column names or labels; one that is none of the source's is told and not read.
* A sheet of a month is named after it. Weekdays written under its days must fit, else nothing of it is read:
  a month under the wrong name would put every day of the client on another date.
* What stands beneath the rows (who wrote the sheet) holds for each of them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, BinaryIO

from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.tables import (
    MARK,
    MAX_TITLE_ROWS,
    Header,
    folded,
    header_findings,
    header_of,
    is_usable,
    names_of,
    records_of,
)
from kanta_gateway.intake.values import month
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
    labels = [row.cells[0] for row in above]
    tables = [one for one in source.tables if one.layout == "pairs"]
    table = max(tables, key=lambda one: one.score(labels), default=None)
    if table is None or table.score(labels) * 2 < len(table.columns):
        yield _said("SRC-SHEET", "sheet-unknown", f"/{sheet.name}", {"sheet": sheet.name})
        return
    known = {folded(column): column for column in table.columns}
    values: dict[str, Any] = {"@sheet": sheet.name}
    comments = 0
    for row in (*above, *sheet.rows):
        label, value = row.cells[0], next((one for one in row.cells[1:] if one is not None), None)
        comments += row.comments
        if value is not None and not folded(label).startswith(MARK):
            values[known.get(folded(label), str(label or "").strip())] = value
    yield from records_of(source, table, values, f"/{sheet.name}", 1, comments)


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

    def marks(self, cells: Sequence[Any]) -> list[dict[str, Any]]:
        """What is written under each day."""
        return [
            {"day": self.first.replace(day=number).isoformat(), "mark": cells[at]}
            for at, number in self.positions.items()
            if at < len(cells) and cells[at] is not None
        ]


def _month(source: Source, sheet: Sheet, header: Header, top: SheetRow) -> Iterator[Record | Problem]:
    place, table = f"/{sheet.name}/{top.number}", header.table
    days = _days(sheet, top)
    if days is None:
        yield Problem(unreadable("SRC-MONTH", place, {"field": sheet.name}))
        return
    rows: list[SheetRow] = []
    shared: dict[str, Any] = {
        "@sheet": sheet.name, "@month": days.month, "@first": days.first.isoformat(), "@last": days.last.isoformat(),
    }  # fmt: skip
    beneath = {folded(label): label for label in table.beneath}
    for row in sheet.rows:
        told = folded(row.cells[0])
        if told in beneath:
            shared[beneath[told]] = next((one for one in row.cells[1:] if one is not None), None)
        elif not told:
            if (wrong := _wrong_weekday(table, days, row)) is not None:
                params = {"sheet": sheet.name, "month": days.month, "day": str(wrong[0]), "expected": wrong[1]}
                yield Problem(unreadable("SRC-WEEKDAY", f"/{sheet.name}/{row.number}", params))
                return
        elif not table.is_total(row.cells):
            rows.append(row)
    for row in rows:
        own = header.values([None if at in days.positions else cell for at, cell in enumerate(row.cells)])
        values = {**own, **shared, "@days": days.marks(row.cells)}
        yield from records_of(source, table, values, f"/{sheet.name}/{row.number}", row.number, row.comments)


def _days(sheet: Sheet, top: SheetRow) -> _Days | None:
    """The month that the sheet is named after, and its days in the header; None if they do not fit each other."""
    told = month(sheet.name, {}).value
    if told is None:
        return None
    first = date.fromisoformat(f"{told}-01")
    positions = {
        at: int(cell) for at, cell in enumerate(top.cells)
        if isinstance(cell, int | str) and not isinstance(cell, bool) and str(cell).strip().rstrip(".").isdecimal()
        and 0 < int(str(cell).strip().rstrip(".")) <= 31
    }  # fmt: skip
    days = _Days(told, first, positions)
    every = set(range(1, days.last.day + 1))
    return days if set(positions.values()) == every and len(positions) == len(every) else None


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
