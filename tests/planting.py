"""Plants marked values in every field of every delivery: the fields are those that the files have, no list of ours.

* A file is a set of places, each with the name of its field; the same field in another record has the same name.
* Of each field one place is planted, in a record that has no other planted field where there is such a one, so that
  what goes wrong with one field does not keep the others from being read.
* A mark is a word of its own for each field: whoever finds it knows whence it came.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook

from kanta_gateway import knowledge

CANONICAL = "json-lines"
Put = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Place:
    """One value of a file."""

    field: str
    record: str
    """What it stands in: a row, an object of a list."""
    value: Any
    put: Put


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file of a source."""

    name: str
    places: list[Place]
    data: Callable[[], bytes]


def samples(source: str) -> dict[str, bytes]:
    """The package's sample files of a source; of canonical records also the template: every field of every type."""
    files = knowledge.of_source(source).items()
    found = {path.rpartition("/")[2]: content for path, content in files if path.startswith("samples/")}
    if source == CANONICAL:
        found |= {f"template-{path.rpartition('/')[2]}": content for path, content in files if path not in found
                  and path.startswith("templates/")}  # fmt: skip
    return found


def opened(name: str, content: bytes) -> Delivery:
    """A file with its places."""
    kind = name.rpartition(".")[2]
    return {"json": _json, "jsonl": _lines, "csv": _csv, "xlsx": _xlsx}[kind](name, content)


def _json(name: str, content: bytes) -> Delivery:
    value = json.loads(content)
    return Delivery(name, list(_leaves(value, "", "")), lambda: json.dumps(value, ensure_ascii=False).encode())


def _lines(name: str, content: bytes) -> Delivery:
    values = [json.loads(line) for line in content.splitlines() if line.strip()]
    places = [one for number, value in enumerate(values) for one in _leaves(value, _kind(value), str(number))]
    return Delivery(
        name, places, lambda: b"\n".join(json.dumps(one, ensure_ascii=False).encode() for one in values)
    )  # fmt: skip


def _kind(value: Mapping[str, Any]) -> str:
    """What kind of record an object says that it is."""
    return str(
        next((value[name] for name in ("resourceType", "tietue", "type") if isinstance(value.get(name), str)), "")
    )


def _leaves(value: Any, field: str, record: str) -> Iterator[Place]:
    """Every value below one, in objects and lists of any depth."""
    if isinstance(value, dict):
        field = _kind(value) or field if "resourceType" in value else field
        for key, one in value.items():
            if isinstance(one, dict | list):
                yield from _leaves(one, f"{field}.{key}", record)
            else:
                yield Place(f"{field}.{key}", record, one, _setter(value, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            if isinstance(one, dict | list):
                yield from _leaves(one, field, f"{record}/{field}[{number}]")
            else:
                yield Place(field, record, one, _setter(value, number))


def _setter(holder: Any, key: Any) -> Put:
    def put(value: Any) -> None:
        holder[key] = value

    return put


def _csv(name: str, content: bytes) -> Delivery:
    rows = list(csv.reader(io.StringIO(content.decode("cp1252")), delimiter=";"))
    head = max(range(min(3, len(rows))), key=lambda one: sum(bool(cell) for cell in rows[one]))
    places = [
        Place(f"{name}.{title}", f"{name}:{number}", row[column], _setter(row, column))
        for number, row in enumerate(rows[head + 1 :])
        for column, title in enumerate(rows[head])
        if title and column < len(row)
    ]

    def data() -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=";", lineterminator="\n").writerows(rows)
        return text.getvalue().encode("cp1252")

    return Delivery(name, places, data)


def _heading(sheet: Any, column: int) -> str:
    """What stands above a column."""
    return str(sheet.cell(1, column).value or column)


def _xlsx(name: str, content: bytes) -> Delivery:
    book = load_workbook(io.BytesIO(content))

    def data() -> bytes:
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()

    def put(sheet: str, row: int, column: int) -> Put:
        def write(value: Any) -> None:
            book[sheet].cell(row, column).value = value

        return write

    places = [
        Place(f"{sheet.title}.{_heading(sheet, cell.column)}", f"{sheet.title}:{cell.row}", cell.value,
              put(sheet.title, cell.row, cell.column))
        for sheet in book for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None
    ]  # fmt: skip
    return Delivery(name, places, data)


WORDS = re.compile(r"[^\W\d_]+(?:[ ,.;:()/%-]+[^\W_]+)*[.!?)]?")
"""A text of words: what reads it takes other words as well."""


def plant(files: list[Delivery], turn: int, turns: int, mark: Callable[[str], str]) -> dict[str, str]:
    """Plant every field whose turn it is, once; gives field -> mark.

    Texts are spread over all turns but the last, so that what reads them goes on; whatever else there is (days,
    numbers, codes, names of things) comes in the last one.

    Args:
        files: of one delivery.
        turn: from 0.
        turns: over how many deliveries the fields are spread.
        mark: gives a field's mark.
    """
    by_field: dict[str, list[Place]] = defaultdict(list)
    for place in (one for file in files for one in file.places):
        by_field[place.field].append(place)
    taken: set[str] = set()
    planted: dict[str, str] = {}
    texts = [field for field, places in sorted(by_field.items()) if all(_is_text(one.value) for one in places)]
    mine = set(texts[turn :: turns - 1]) if turn < turns - 1 else by_field.keys() - set(texts)
    for field in sorted(mine):
        places = by_field[field]
        place = next((one for one in reversed(places) if one.record not in taken), places[-1])
        taken.add(place.record)
        planted[field] = mark(field)
        keeps = isinstance(place.value, str) and " " in place.value.strip()
        place.put(f"{place.value} {planted[field]}" if keeps else planted[field])
    return planted


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and WORDS.fullmatch(value.strip()) is not None
