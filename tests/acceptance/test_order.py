"""An import is a function of the set of records: order, splitting and repetition change nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.installations import LINES, SAMPLE, documents, figures, installation, outcomes, sample, take, written

Expected = tuple[dict[Any, Any], dict[Any, Any], Any]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """What the sample brings when it is taken as it is."""
    gateway = installation(tmp_path_factory.mktemp("as-it-is"))
    rows = take(gateway, [SAMPLE])
    result = (documents(gateway), outcomes(rows), figures(gateway))
    gateway.close()
    return result


def shuffled(value: Any, order: random.Random) -> Any:
    """The same export with every list of records and every object's keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    if isinstance(value, list):
        items = [shuffled(one, order) for one in value]
        if all(isinstance(one, dict) and any(key.endswith(("Id", "numero")) for key in one) for one in items):
            order.shuffle(items)
        return items
    return value


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_in_the_file(tmp_path: Path, expected: Expected, seed: int) -> None:
    """A shuffled export brings the same documents, outcomes and figures."""
    gateway = installation(tmp_path / "data")
    rows = take(gateway, written(tmp_path, shuffled(sample(), random.Random(seed))))

    assert outcomes(rows) == expected[1]
    assert documents(gateway) == expected[0]
    assert figures(gateway) == expected[2]


PARTS = ("valmennuspaivakirja", "poissaolot", "arvioinnit", "toteuttamissuunnitelma", "sopimus", "paatos")


def parts_of(export: dict[str, Any]) -> list[dict[str, Any]]:
    """The export in pieces: staff, and of every client each kind of record by itself; each with the header."""
    header = {key: export[key] for key in ("vienti", "palveluntuottaja", "tilaaja")}
    pieces = [{**header, "henkilosto": export["henkilosto"]}]
    for client in export["asiakkaat"]:
        number = client["asiakasnumero"]
        pieces += [
            {**header, "asiakkaat": [{"asiakasnumero": number, name: client[name]}]} for name in PARTS if name in client
        ]
        rest = {key: value for key, value in client.items() if key not in PARTS}
        pieces.append({**header, "asiakkaat": [rest]})
    return pieces


def test_one_client_after_the_other(tmp_path: Path, expected: Expected) -> None:
    """An export split by client, delivered one after the other and last first, ends in the same state."""
    export = sample()
    header = {key: value for key, value in export.items() if key != "asiakkaat"}
    files = written(tmp_path, *({**header, "asiakkaat": [client]} for client in reversed(export["asiakkaat"])))
    gateway = installation(tmp_path / "data")
    for file in files:
        take(gateway, [file])
    again = take(gateway, [SAMPLE])

    assert {row["outcome"] for row in again} == {"duplicate"}
    assert documents(gateway) == expected[0]
    assert figures(gateway) == expected[2]


@pytest.mark.parametrize("seed", [5, 6])
def test_every_kind_by_itself(tmp_path: Path, expected: Expected, seed: int) -> None:
    """Staff, clients, decisions, plans and entries as deliveries of their own, in any order, end in the same state."""
    pieces = parts_of(sample())
    random.Random(seed).shuffle(pieces)
    gateway = installation(tmp_path / "data")
    for file in written(tmp_path, *pieces):
        take(gateway, [file])

    assert documents(gateway) == expected[0]
    assert figures(gateway) == expected[2]


def test_files_in_one_command(tmp_path: Path, expected: Expected) -> None:
    """Several files in one command are one delivery, whatever their order."""
    export = sample()
    header = {key: value for key, value in export.items() if key != "asiakkaat"}
    files = written(tmp_path, *({**header, "asiakkaat": [client]} for client in export["asiakkaat"]))
    gateway = installation(tmp_path / "data")
    rows = take(gateway, list(reversed(files)))

    assert outcomes(rows) == expected[1]
    assert documents(gateway) == expected[0]


def test_lines_bring_the_same(tmp_path: Path, expected: Expected) -> None:
    """The same records as JSON Lines bring the same documents and figures, also with the lines shuffled and split."""
    lines = LINES.read_text("utf-8").splitlines()
    random.Random(4).shuffle(lines)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text("\n".join(lines[: len(lines) // 2]), "utf-8")
    second.write_text("\n".join(lines[len(lines) // 2 :]), "utf-8")
    gateway = installation(tmp_path / "data")
    take(gateway, [first, second], "lapha-lines")

    assert documents(gateway) == expected[0]
    assert figures(gateway) == expected[2]


def test_twice_is_once(tmp_path: Path, expected: Expected) -> None:
    """The same export twice: every record of the second is a duplicate with the ticket of the first."""
    gateway = installation(tmp_path / "data")
    first = {(row["type"], row["id"], row["version"]): row["ticket"] for row in take(gateway, [SAMPLE])}
    second = take(gateway, [SAMPLE])

    assert {row["outcome"] for row in second} == {"duplicate"}
    assert {(row["type"], row["id"], row["version"]): row["ticket"] for row in second} == first
    assert documents(gateway) == expected[0]


def test_what_is_missing_is_waited_for(tmp_path: Path, expected: Expected) -> None:
    """Records that come before client, decision or staff are held, and stand once these come."""
    export = sample()
    header = {key: value for key, value in export.items() if key not in {"asiakkaat", "henkilosto"}}
    bare = [
        {key: value for key, value in client.items() if key in {"asiakasnumero", "valmennuspaivakirja", "poissaolot"}}
        for client in export["asiakkaat"]
    ]
    gateway = installation(tmp_path / "data")
    early = take(gateway, written(tmp_path / "early", {**header, "asiakkaat": bare}))
    waiting = {row["outcome"] for row in early if row["type"] in {"diary_entry", "absence"}}
    take(gateway, [SAMPLE])

    assert "accepted" not in waiting
    assert "held" in waiting
    assert documents(gateway) == expected[0]
    assert figures(gateway) == expected[2]


def test_dry_run_stores_nothing(tmp_path: Path) -> None:
    """A dry run tells the same outcomes and leaves nothing stored."""
    gateway = installation(tmp_path / "data")
    caller, empty = gateway.actor(None, None, None), gateway.overview.status()
    with gateway.deliveries.dry_import([SAMPLE], "lapha-json", "lapha", caller) as result:
        dry = outcomes(list(result.rows()))
    before = gateway.overview.status()

    assert before == empty
    assert before["records"] == before["documents"] == before["notices"] == {}
    assert outcomes(take(gateway, [SAMPLE])) == dry


def test_unreadable_end_stores_nothing(tmp_path: Path) -> None:
    """A file that breaks off in the middle is refused whole."""
    from kanta_gateway.errors import UnreadableError

    text = json.dumps(sample(), ensure_ascii=False)
    (tmp_path / "cut.json").write_text(text[: len(text) * 2 // 3], "utf-8")
    gateway = installation(tmp_path / "data")
    with pytest.raises(UnreadableError):
        take(gateway, [tmp_path / "cut.json"])

    assert gateway.overview.status()["records"] == {}
