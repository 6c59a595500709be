"""Tables of a provider's format: which file or sheet is which, where its header stands, and what a row holds.

* A table is known by its column names, not by its place: titles and blank rows above, totals below, other orders
  of columns and empty columns are normal.
* A column is found by its name; spaces and case do not matter. A lacking one is told with the nearest that is there,
  and then nothing of the table is read: its texts would silently go missing.
* A row becomes one record or several, told as one; its label points at it as the user sees it.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.values import FORBIDDEN, MAX_NAME, Unreadable
from kanta_gateway.model import Finding, Record, Severity
from kanta_gateway.stated import nearest as nearest_word

if TYPE_CHECKING:
    from kanta_gateway.intake.kinds import Kind, Problem
    from kanta_gateway.intake.sources import Source
    from kanta_gateway.stated import Lined, Mistakes

LAYOUTS = ("month", "pairs", "rows")
MAX_TITLE_ROWS = 50
"""Rows above a table's header: behind them none is looked for."""
MARK = "kanta-gateway:"
"""How the heading of the column begins in which the gateway gives findings back: none of the provider's own."""
_CLOSE = 0.7
"""How alike a strange heading must be to a lacking one to be taken for its misspelling (0 to 1)."""
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
    own: frozenset[int]
    """Positions of columns in which findings were given back: they are no part of the row."""
    last: int
    """Position of the last column that every row must reach."""

    def values(self, cells: Sequence[Any]) -> dict[str, Any]:
        """Column name -> cell, without what is empty."""
        values: dict[str, Any] = {}
        for position, cell in enumerate(cells):
            if cell is None or cell == "" or position in self.own:
                continue
            name = self.names[position] if position < len(self.names) else ""
            values[name] = Unreadable("SRC-TWICE") if name in self.twice else cell
        return values


def folded(cell: Any) -> str:
    """A cell as column names are compared."""
    if cell is None:
        return ""
    return unicodedata.normalize("NFC", " ".join(str(cell).replace("\ufeff", "").split())).casefold()


def _plain(name: str) -> str:
    """A heading without its diaereses, for finding misspelt ones."""
    return "".join(one for one in unicodedata.normalize("NFKD", folded(name)) if not unicodedata.combining(one))


def compile_table(name: str, stated: Lined, kinds: Mapping[str, Kind], mistakes: Mistakes) -> Table | None:
    """One table of a source file.

    Args:
        name: of the table.
        stated: what the file says of it.
        kinds: the source's records.
        mistakes: collects what is wrong.
    """
    names = stated["records"]
    unknown = [one for one in names if one not in kinds]
    for one in unknown:
        wrong = f"tables {name} records: {one} is no record of this source{nearest_word(one, kinds)}"
        mistakes.say(stated.at("records"), wrong)
    if not names:
        mistakes.say(stated.at("records"), f"tables {name} records: expected at least one record of this source")
    if unknown or not names:
        return None
    own = [kinds[one] for one in names]
    told = [stated["label"], *(column for kind in own for column in kind.columns), *stated.get("dropped", ())]
    columns = dict.fromkeys(one for one in told if one not in {*SHEET_FIELDS, *stated.get("beneath", ())})
    every = frozenset(columns)
    parts = [
        replace(kind, own=kind.own | every - frozenset(kind.columns), dropped=frozenset())
        if position
        else replace(kind, own=kind.own | every - frozenset(kind.columns) - frozenset(stated.get("dropped", ())),
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
    own = frozenset(at for at, name in enumerate(names) if folded(name).startswith(MARK))
    lacking = tuple(column for column in best.columns if column not in names)
    places = [at for at, name in enumerate(names) if name in best.needed]
    return Header(
        table=best, names=names, twice=frozenset(name for name in best.columns if names.count(name) > 1),
        lacking=lacking, nearest=nearest(best, names, own, lacking), own=own,
        last=max(places, default=0),
    )  # fmt: skip


def nearest(table: Table, names: Sequence[str], own: frozenset[int], lacking: Sequence[str]) -> dict[str, int]:
    """Lacking column -> number of the strange column that is most like it.

    Args:
        table: whose columns they are.
        names: of the columns, or the labels of a sheet, as found.
        own: positions that are none of the provider's own.
        lacking: columns of the table that are not among them.
    """
    strange = {
        _plain(name): at + 1 for at, name in enumerate(names) if name and name not in table.columns and at not in own
    }
    close = {column: difflib.get_close_matches(_plain(column), strange, n=1, cutoff=_CLOSE) for column in lacking}
    return {column: strange[found[0]] for column, found in close.items() if found}


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
    """Whether the table's rows can be told apart and read whole.

    Without a needed column they cannot; under a misspelt heading a whole column of texts would silently go missing.
    """
    return not header.nearest and not header.table.needed & set(header.lacking)


def names_of(tables: Sequence[Table]) -> str:
    """Every table with its first columns, for a file that is none of them."""
    return "; ".join(f"{one.name}: {', '.join(one.columns[:4])} …" for one in tables)


def _label(told: Any, number: int) -> str:
    """What a row is called: the value of its label column where that can be written, else its number."""
    text = str(told).strip()[:MAX_NAME] if isinstance(told, str | int) else ""
    return text if text and FORBIDDEN.search(text) is None else str(number)


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
    label = f"{before}:{_label(told, number)}"
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
