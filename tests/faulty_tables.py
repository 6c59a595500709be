"""A seeded generator of faulty CSV deliveries: each knows which finding it must bring, and on which line and column.

* Each starts from the sample that the package carries; the place of the fault is drawn from the seed.
* `SECRET` stands in every faulty value: it may occur in no finding and no message.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kanta_gateway import knowledge

SECRET = "Salavaara"  # noqa: S105 — a marked value, no password
FOLDER = "mappings/sources/samples/heinola-csv"
TABLES = ("asiakkaat", "paivakirja", "poissaolot", "arvioinnit")
DELIMITER = ";"


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty table and what must be found in it."""

    name: str
    table: str
    data: bytes
    rule: str
    pointer: str
    """Of the finding."""
    lost: int
    """Rows of the table that are not read."""


@dataclass(slots=True)
class Sheet:
    """One table of the sample as lines of cells."""

    name: str
    header: list[str]
    rows: list[list[str]]
    above: int
    """Lines above the header."""

    def line(self, row: int) -> int:
        """Number of a row's first line in the file."""
        return self.above + 2 + sum(1 + "".join(cells).count("\n") for cells in self.rows[:row])

    def at(self, row: int, column: str) -> str:
        """Pointer of a cell."""
        return f"/{self.name}/{self.line(row)}/{column}"

    def data(self, encoding: str = "cp1252") -> bytes:
        """The table as a file."""
        lines = [["Tulostettu"]] * self.above + [self.header, *self.rows]
        return "\n".join(DELIMITER.join(map(quoted, cells)) for cells in lines).encode(encoding)


def paths() -> list[Path]:
    """The files of the sample."""
    return [knowledge.root() / FOLDER / f"{name}.csv" for name in TABLES]


def sheet(name: str) -> Sheet:
    """One table of the sample, without what stands above and beneath its rows."""
    import csv

    text = (knowledge.root() / FOLDER / f"{name}.csv").read_text("cp1252")
    lines = [one for one in csv.reader(text.splitlines(keepends=True), delimiter=DELIMITER) if any(one)]
    start = next(number for number, cells in enumerate(lines) if len([one for one in cells if one]) > 5)
    header = [one for one in lines[start] if one]
    rows = [[cell.replace("\r", "") for cell in one[: len(header)]] for one in lines[start + 1 :]]
    return Sheet(name, header, [one for one in rows if not one[0].startswith("Yht")], 1)


def quoted(cell: str) -> str:
    """A cell as a spreadsheet writes it."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(f'{DELIMITER}"\n') else cell


def faults(seed: int) -> Iterator[Fault]:
    """Every kind of fault once, each in its own copy of the sample."""
    draw = random.Random(seed)
    for name, table, column, value, rule, lost in _CELLS:
        one = sheet(table)
        row = draw.randrange(len(one.rows))
        one.rows[row][one.header.index(column)] = value
        yield Fault(name, table, one.data(), rule, one.at(row, column), lost)
    for build in (_renamed, _missing, _twice, _optional, _delimiter, _break, _quote, _long, _byte, _other):
        yield build(draw)


_CELLS: tuple[tuple[str, str, str, str, str, int], ...] = (
    ("impossible-day", "paivakirja", "Pvm", "31.2.2022", "SRC-DATE", 1),
    ("day-in-words", "paivakirja", "Pvm", f"maanantai {SECRET}", "SRC-DATE", 1),
    ("day-or-month-first", "poissaolot", "Alkaa", "9/5/2022", "SRC-DATE-AMBIGUOUS", 1),
    ("century-missing", "arvioinnit", "Jakso alkaa", "1.8.22", "SRC-DATE-AMBIGUOUS", 1),
    ("other-day-ambiguous", "paivakirja", "PSOP raportoitu", "02-09-2022", "SRC-DATE-AMBIGUOUS", 0),
    ("hours-in-words", "paivakirja", "Tunnit", f"viisi {SECRET}", "SRC-NUMBER", 0),
    ("hours-of-thousands", "paivakirja", "Tunnit", "4.500", "SRC-NUMBER-AMBIGUOUS", 0),
    ("error-of-a-formula", "paivakirja", "Tunnit", f"#ARVO! {SECRET}", "SRC-NUMBER", 0),
    ("unknown-level", "asiakkaat", "Taso", SECRET, "SRC-CHOICE", 0),
    ("unknown-kind", "arvioinnit", "Laji", SECRET, "SRC-KIND", 0),
    ("unknown-permission", "poissaolot", "Luvallinen/luvaton", SECRET, "SRC-CHOICE", 0),
    ("wrong-identity-code", "asiakkaat", "Henkilötunnus", "120685-9710", "SRC-IDENTITY-CODE", 0),
    ("wrong-box", "paivakirja", "Läsnä", SECRET, "SRC-BOOLEAN", 0),
    ("impossible-moment", "poissaolot", "Asiakas ilmoitti", "5.9.2022 klo 25.10", "SRC-MOMENT", 0),
    ("null-character", "paivakirja", "Kuvaus", f"{SECRET}\0", "SRC-CHARACTER", 0),
    ("day-missing", "paivakirja", "Pvm", "", "SRC-MISSING", 1),
    ("recorder-missing", "paivakirja", "Kirjaaja", "", "SRC-MISSING", 0),
    ("name-missing", "asiakkaat", "Sukunimi", "", "SRC-MISSING", 0),
)
"""Name, table, column, its faulty value, rule, and whether the row has no key then."""


def _headed(draw: random.Random, name: str, rule: str, change: Callable[[Sheet, str], int]) -> Fault:
    one = sheet(draw.choice(TABLES[1:]))
    column = {"paivakirja": "Kuvaus", "poissaolot": "Syy", "arvioinnit": "Kehitettävää"}[one.name]
    lost = change(one, column)
    return Fault(name, one.name, one.data(), rule, f"/{one.name}/2", lost)


def _renamed(draw: random.Random) -> Fault:
    """A heading with one letter too many."""

    def change(one: Sheet, column: str) -> int:
        one.header[one.header.index(column)] = f"{column}t"
        return len(one.rows)

    return _headed(draw, "renamed-column", "SRC-COLUMN-RENAMED", change)


def _missing(draw: random.Random) -> Fault:
    """A table without its client numbers."""

    def change(one: Sheet, _: str) -> int:
        at = one.header.index("Asiakasnro")
        for cells in (one.header, *one.rows):
            del cells[at]
        return len(one.rows)

    return _headed(draw, "missing-column", "SRC-COLUMN", change)


def _optional(draw: random.Random) -> Fault:
    """A table without one of its texts."""

    def change(one: Sheet, column: str) -> int:
        at = one.header.index(column)
        for cells in (one.header, *one.rows):
            del cells[at]
        return 0

    return _headed(draw, "optional-column", "SRC-COLUMN-OPTIONAL", change)


def _twice(draw: random.Random) -> Fault:
    """A column that stands twice."""

    def change(one: Sheet, column: str) -> int:
        one.header.append(column)
        return 0

    return _headed(draw, "column-twice", "SRC-COLUMN-TWICE", change)


def _raw(draw: random.Random, name: str, rule: str, text: str, lost: int = 1) -> Fault:
    """A cell written as it is, without the quotes that it would need."""
    one = sheet("paivakirja")
    row = draw.randrange(len(one.rows) - 1)
    one.rows[row][one.header.index("Kuvaus")] = "MARK"
    pointer = f"/paivakirja/{one.line(row)}"
    return Fault(name, one.name, one.data().replace(b"MARK", text.encode("cp1252")), rule, pointer, lost)


def _delimiter(draw: random.Random) -> Fault:
    """A delimiter in a text without quotes moves every cell behind it."""
    return _raw(draw, "delimiter-in-text", "SRC-CELLS", f"Aamulla {SECRET}; illalla ei")


def _break(draw: random.Random) -> Fault:
    """A line break in a text without quotes makes two rows of one."""
    return _raw(draw, "break-in-text", "SRC-CELLS", f"Aamulla {SECRET}\nillalla ei")


def _quote(draw: random.Random) -> Fault:
    """A quote that opens and never closes."""
    return _raw(draw, "lone-quote", "SRC-QUOTE", f'"Aamulla {SECRET}')


def _long(draw: random.Random) -> Fault:
    """A line that is too long for any row."""
    return _raw(draw, "endless-line", "SRC-SIZE", SECRET * 200_000)


def _byte(draw: random.Random) -> Fault:
    """A byte that the encoding does not know."""
    made = _raw(draw, "strange-byte", "SRC-CHARACTER", f"{SECRET}#", lost=0)
    return Fault(made.name, made.table, made.data.replace(b"#", b"\x81"), made.rule, f"{made.pointer}/Kuvaus", 0)


def _other(_: random.Random) -> Fault:
    """A list of something else altogether."""
    data = f"Nimi;Puhelin\n{SECRET};049 600 0000\n".encode()
    return Fault("other-list", "poissaolot", data, "SRC-TABLE", "", len(sheet("poissaolot").rows))
