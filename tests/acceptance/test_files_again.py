"""The same file of every source again, with its rows in another order and one row more: nothing but that row is new."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.installations import LINES, SAMPLE, documents, figures, installation
from tests.small_export import PROVIDER
from tests.workbooks import AGREEMENTS, CLIENTS, HOURS, MONTH, MONTHS, Rows, book

from kanta_gateway import knowledge

Files = Mapping[str, bytes]
Again = Callable[[random.Random], Files]
"""The same delivery in another order, with one row or record more at the top."""


def sample(source: str) -> dict[str, bytes]:
    """The carried samples of a source."""
    found = knowledge.of_source(source).items()
    return {Path(name).name: content for name, content in found if name.startswith("samples/")}


def shuffled(rows: Sequence[Any], order: random.Random) -> list[Any]:
    """The same rows in another order."""
    return order.sample(list(rows), len(rows))


def tables(order: random.Random) -> Files:
    """The four tables: rows sorted otherwise and numbered anew, and one day of the diary more at the top."""
    found: dict[str, bytes] = {}
    for name, content in sample("heinola-csv").items():
        lines = _lines(content.decode("cp1252"))
        head = next(place for place, line in enumerate(lines) if "Asiakasnro" in line) + 1
        rows = [line for line in lines[head:] if line[:1].isdigit()]
        rest = [line for line in lines[head:] if not line[:1].isdigit()]
        mixed = shuffled(rows, order)
        if name == "paivakirja.csv":
            cells = rows[0].split(";")
            mixed.insert(0, ";".join([cells[0], "9.8.2022", *cells[2:]]))
        numbered = mixed
        if name != "asiakkaat.csv":  # the column `Rivi` only says where a row stands
            numbered = [f"{place};{line.partition(';')[2]}" for place, line in enumerate(mixed, 1)]
        found[name] = "\r\n".join([*lines[:head], *numbered, *rest]).encode("cp1252")
    return found


def _lines(text: str) -> list[str]:
    """Lines of a table; a quoted line break belongs to its line."""
    found: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if found and found[-1].count('"') % 2:
            found[-1] += "\n" + line
        else:
            found.append(line)
    return [line.replace("\n", "\r\n") for line in found]


def workbook(order: random.Random) -> Files:
    """Sheets with their rows sorted otherwise, and one coaching event more at the top."""
    clients = [CLIENTS[0], *shuffled(CLIENTS[1:], order)]
    months = [*MONTHS[:2], *shuffled(MONTHS[2:-1], order), MONTHS[-1]]
    agreements = [AGREEMENTS[0], *shuffled(AGREEMENTS[1:], order)]
    events = [list(row) for row in HOURS[1:-1]]
    more = [*events[0][:2], "19.9.2025", *events[0][3:]]
    mixed = [[place, *row[1:]] for place, row in enumerate([more, *shuffled(events, order)], 1)]
    events = [HOURS[0], *mixed, HOURS[-1]]
    return {"tunnit.xlsx": _book(clients, months, agreements, events)}


def _book(clients: Rows, months: Rows, agreements: Rows, events: Rows) -> bytes:
    return book({"Asiakkaat": clients, MONTH: months, "Sopimukset": agreements, "Tunnit": events})


def bundle(order: random.Random) -> Files:
    """Entries in another order, and one visit more at the top."""
    told = json.loads(sample("fhir-bundle")["bundle.json"])
    visit = next(one for one in told["entry"] if one["resource"]["resourceType"] == "Encounter")
    more = json.loads(json.dumps(visit).replace(visit["resource"]["id"], "one-more"))
    told["entry"] = [more, *shuffled(told["entry"], order)]
    return {"bundle.json": json.dumps(told).encode()}


def lines(order: random.Random) -> Files:
    """Lines in another order, and one record more at the top."""
    rows = sample("json-lines")["records.jsonl"].decode().splitlines()
    entry = next(json.loads(row) for row in rows if '"diary_entry"' in row)
    more = json.dumps({**entry, "id": "D-more", "date": "2025-09-09"})
    return {"records.jsonl": "\n".join([more, *shuffled(rows, order)]).encode()}


def export(order: random.Random) -> Files:
    """Clients and their records in another order, and one diary entry more at the top."""
    told = json.loads(SAMPLE.read_text("utf-8"))
    told["asiakkaat"] = shuffled(told["asiakkaat"], order)
    for client in told["asiakkaat"]:
        client["valmennuspaivakirja"] = shuffled(client.get("valmennuspaivakirja", []), order)
    client = next(one for one in told["asiakkaat"] if one["valmennuspaivakirja"])
    client["valmennuspaivakirja"].insert(0, {**client["valmennuspaivakirja"][0], "kirjausId": "one-more"})
    return {"export.json": json.dumps(told).encode()}


def lined(order: random.Random) -> Files:
    """The provider's own lines in another order, and one diary entry more at the top."""
    rows = LINES.read_text("utf-8").splitlines()
    entry = next(json.loads(row) for row in rows if '"tietue": "paivakirja"' in row)
    return {
        "export.jsonl": "\n".join([json.dumps({**entry, "kirjausId": "one-more"}), *shuffled(rows, order)]).encode()
    }


SOURCES: list[tuple[str, str, Callable[[], Files], Again]] = [
    ("heinola-csv", "heinola", lambda: sample("heinola-csv"), tables),
    ("helsinki-xlsx", "helsinki", lambda: {"t.xlsx": _book(CLIENTS, MONTHS, AGREEMENTS, HOURS)}, workbook),
    ("fhir-bundle", "paijat-hame", lambda: sample("fhir-bundle"), bundle),
    ("json-lines", "lapha", lambda: sample("json-lines"), lines),
    ("lapha-json", "lapha", lambda: {"export.json": SAMPLE.read_bytes()}, export),
    ("lapha-lines", "lapha", lambda: {"export.jsonl": LINES.read_bytes()}, lined),
]


@pytest.mark.parametrize(("name", "purchaser", "first", "again"), SOURCES, ids=[one[0] for one in SOURCES])
def test_only_the_new_row_is_new(
    tmp_path: Path, name: str, purchaser: str, first: Callable[[], Files], again: Again
) -> None:
    """Every row of the first delivery is a duplicate in the second, its document and its findings as they were."""
    gateway = installation(tmp_path / "data")
    if name == "json-lines":  # which tells neither provider nor purchaser
        gateway.registration.register_party(
            PROVIDER, "Paja", "1.2.246.10.94006007.10.0", "Tilaaja", "NAYTE/1", purchaser
        )

    def taken(files: Files) -> Counter[str]:
        paths = [tmp_path / one for one in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        caller = gateway.actor(None, None, None)
        return Counter(row["outcome"] for row in gateway.deliveries.import_files(paths, name, purchaser, caller).rows())

    rows = taken(first())
    before, numbers = documents(gateway), figures(gateway)
    once_more = taken(first())
    unchanged = (documents(gateway), figures(gateway)) == (before, numbers)
    second = taken(again(random.Random(7)))

    assert rows.total() > 2
    assert once_more.keys() == {"duplicate"}
    assert unchanged
    assert second["duplicate"] == rows.total()
    assert second.total() == rows.total() + 1
    assert before.items() <= documents(gateway).items()
    gateway.close()
