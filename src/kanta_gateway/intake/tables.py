"""Tables of a provider's format: which file or sheet is which, where its header stands, and what a row holds.

* A table is known by its column names, not by its place: titles and blank rows above, totals below, other orders
  of columns and empty columns are normal.
* A column is found by its name; spaces and case do not matter. A lacking one is told with the nearest that is there.
* A row becomes one record or several, told as one; its label points at it as the user sees it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.values import MAX_NAME, Unreadable
from kanta_gateway.model import Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.kinds import Kind, Problem
    from kanta_gateway.intake.sources import Source

LAYOUTS = ("month", "pairs", "rows")
SHEET_FIELDS = ("@sheet", "@month", "@first", "@last", "@days")
"""What a sheet tells of each of its rows: its name, and of a month which it is and its days."""
COMMENT = "comment"
"""Name under which comments on cells are counted."""
SHARE = 2
"""A header holds at least one of so many of its table's columns."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a source."""

    name: str
    kinds: tuple[Kind, ...]
    """What each row holds."""
    label: str
    """Column whose value names a row."""
    columns: tuple[str, ...]
    """Every column of the dictionary."""
    needed: frozenset[str]
    totals: tuple[str, ...]
    """Words with which a row of totals begins: it is none of the table's own."""
    layout: str = "rows"
    """`rows`; `pairs`: one record a sheet, a column of labels beside one of values; `month`: rows whose columns are
    the days of the month that the sheet's name tells."""
    is_named_by_sheet: bool = False
    """Whether the sheet's name, and not the table's, stands before a row's label."""
    beneath: tuple[str, ...] = ()
    """Labels that stand beneath the rows and hold for all of them, such as who wrote the sheet."""
    weekdays: tuple[str, ...] = ()
    """Words of the days of a week from Monday, as they may stand under the days of a month."""

    def score(self, cells: Sequence[Any]) -> int:
        """How many of its columns a row of cells names."""
        names = {folded(cell) for cell in cells}
        return sum(folded(column) in names for column in self.columns)

    def is_total(self, cells: Sequence[Any]) -> bool:
        """Whether a row is one of totals."""
        first = next((folded(cell) for cell in cells if folded(cell)), "")
        return any(first.startswith(word) for word in self.totals)


@dataclass(frozen=True, slots=True)
class Header:
    """A header row as it was found."""

    table: Table
    names: tuple[str, ...]
    """Name of each column as the dictionary has it, as written where it has none."""
    twice: frozenset[str]
    lacking: tuple[str, ...]
    nearest: Mapping[str, int]
    """Lacking column -> number of the column, from 1, that it may have been renamed to."""

    def values(self, cells: Sequence[Any]) -> dict[str, Any]:
        """Column name -> cell, without what is empty."""
        values: dict[str, Any] = {}
        for position, cell in enumerate(cells):
            if cell is None or cell == "":
                continue
            name = self.names[position] if position < len(self.names) else ""
            values[name] = Unreadable("SRC-TWICE") if name in self.twice else cell
        return values


def folded(cell: Any) -> str:
    """A cell as column names are compared."""
    return " ".join(str(cell).split()).casefold() if cell is not None else ""


def compile_table(name: str, stated: Mapping[str, Any], kinds: Mapping[str, Kind], mistakes: list[str]) -> Table | None:
    """One table of a source file.

    Args:
        name: of the table.
        stated: what the file says of it.
        kinds: the source's records.
        mistakes: collects what is wrong.
    """
    names = stated.get("records", [])
    unknown = [one for one in names if one not in kinds]
    mistakes += [f"table {name}: {one} is no record of this source" for one in unknown]
    if unknown or not names or "label" not in stated:
        mistakes += [] if names and "label" in stated else [f"table {name} needs records and label"]
        return None
    if stated.get("layout", "rows") not in LAYOUTS:
        mistakes.append(f"table {name}: layout is none of {', '.join(LAYOUTS)}")
    own = [kinds[one] for one in names]
    told = [stated["label"], *(column for kind in own for column in kind.columns), *stated.get("dropped", ())]
    columns = dict.fromkeys(one for one in told if one not in {*SHEET_FIELDS, *stated.get("beneath", ())})
    every = frozenset(columns)
    parts = [
        replace(kind, own=kind.own | every - kind.columns, dropped=frozenset())
        if position
        else replace(kind, own=kind.own | every - kind.columns - frozenset(stated.get("dropped", ())),
                     dropped=frozenset(stated.get("dropped", ())))
        for position, kind in enumerate(own)
    ]  # fmt: skip
    return Table(
        name=name, kinds=tuple(parts), label=stated["label"], columns=tuple(columns),
        needed=frozenset(column for kind in own for column in kind.needed_columns) & columns.keys(),
        totals=tuple(folded(word) for word in stated.get("totals", ())), layout=stated.get("layout", "rows"),
        is_named_by_sheet=stated.get("named_by") == "sheet", beneath=tuple(stated.get("beneath", ())),
        weekdays=tuple(folded(word) for word in stated.get("weekdays", ())),
    )  # fmt: skip


def header_of(tables: Sequence[Table], cells: Sequence[Any]) -> Header | None:
    """The header that a row is, of the table most of whose columns it names; None if it is none.

    Args:
        tables: of the source.
        cells: of the row.
    """
    tables = [one for one in tables if one.layout != "pairs"]
    if not tables:
        return None
    best = max(tables, key=lambda one: one.score(cells) / len(one.columns))
    if best.score(cells) * SHARE < len(best.columns):
        return None
    known = {folded(column): column for column in best.columns}
    names = tuple(known.get(folded(cell), str(cell).strip() if cell is not None else "") for cell in cells)
    twice = frozenset(name for name in names if name and names.count(name) > 1)
    lacking = tuple(column for column in best.columns if column not in names)
    strange = {folded(name): position for position, name in enumerate(names, 1) if name and name not in best.columns}
    nearest: dict[str, int] = {}
    for column in lacking:
        close = difflib.get_close_matches(folded(column), strange, n=1, cutoff=0.6)
        if close:
            nearest[column] = strange[close[0]]
    return Header(best, names, twice, lacking, nearest)


def header_findings(header: Header, place: str) -> Iterator[Finding]:
    """What is wrong with a header.

    Args:
        header: as it was found.
        place: pointer of its row.
    """
    for column in header.lacking:
        params = {"column": column, "table": header.table.name}
        if column in header.nearest:
            yield unreadable("SRC-COLUMN-RENAMED", place, {**params, "position": str(header.nearest[column])})
        elif column in header.table.needed:
            yield unreadable("SRC-COLUMN", place, params)
        else:
            yield Finding("SRC-COLUMN-OPTIONAL", Severity.INFO, "column-absent", place, params)
    for column in sorted(header.twice):
        yield unreadable("SRC-COLUMN-TWICE", place, {"column": column, "table": header.table.name})


def is_usable(header: Header) -> bool:
    """Whether the table's rows can be told apart and read: no needed column is lacking."""
    return not header.table.needed & set(header.lacking)


def records_of(
    source: Source, table: Table, values: Mapping[str, Any], place: str, number: int, comments: int = 0
) -> Iterator[Record | Problem]:
    """The records of one row, told as one.

    Args:
        source: the format.
        table: the row's table.
        values: column -> cell.
        place: pointer of the row.
        number: of the row, as the user sees it.
        comments: on its cells; counted and not kept.
    """
    told = values.get(table.label)
    before = values.get("@sheet", table.name) if table.is_named_by_sheet else table.name
    label = f"{before}:{str(told).strip()[:MAX_NAME] if isinstance(told, str | int) else number}"
    is_part = False
    for kind in table.kinds:
        for made in source.read_object(kind, values, place, None):
            if isinstance(made, Record):
                dropped = {**made.dropped, COMMENT: comments} if comments and not is_part else made.dropped
                yield replace(
                    made, label=label, is_part=is_part, is_row=made.is_row and not is_part, dropped=dropped
                )  # fmt: skip
                is_part = made.is_row
            else:
                yield made
