"""Records handed in one by one come to what one delivery of them all comes to."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from kanta_gateway.access.parties import agreements
from kanta_gateway.app import build
from kanta_gateway.gateway import Gateway
from kanta_gateway.intake.readers import read
from kanta_gateway.model import Record
from kanta_gateway.pipeline.receive import Delivery
from kanta_gateway.settings import Settings
from kanta_gateway.spool import records, store
from kanta_gateway.spool.states import State

LINES = (Path(__file__).resolve().parents[1] / "data" / "lapha-small.jsonl").read_bytes().splitlines(keepends=True)
DAILY = (b'{"tietue": "paivakirja"', b'{"tietue": "poissaolo"')
Told = dict[tuple[str, str, int], tuple[str, list[str], list[str]]]


def imported(folder: Path, lines: Iterable[bytes]) -> Gateway:
    """A gateway that has taken these lines in."""
    export = folder.with_suffix(".jsonl")
    export.write_bytes(b"".join(lines))
    gateway = build(Settings(data=folder))
    gateway.deliveries.import_files([export], "lapha-lines", "lapha", gateway.actor(None, None, None))
    return gateway


def hand_in(gateway: Gateway, given: Iterable[Record], *, is_dry: bool = False) -> None:
    """Submit records one by one."""
    with gateway.parts.database.reading() as tx:
        known = agreements(tx)[0]
        as_of = records.of_client(tx, known.provider.oid, records.subjects(tx, ["client"])[0][2])[0].as_of
    delivery = Delivery(
        id="", provider=known.provider.oid, controller=known.organiser.oid, purchaser="lapha", source="lapha-lines",
        as_of=date.fromisoformat(as_of),
    )  # fmt: skip
    for one in given:
        gateway.desk.submit(one, delivery, gateway.actor(None, None, None), "fi", is_dry=is_dry)


def told(gateway: Gateway) -> Told:
    """Outcome, rules and structures of live documents of every record."""
    found: Told = {}
    with gateway.parts.database.reading() as tx:
        for provider, _, client in records.subjects(tx, ["client"]):
            for one in records.of_client(tx, provider, client):
                made = store.of_records(tx, [one.row]).get(one.row, [])
                found[one.type, one.id, one.version] = (
                    str(one.outcome), sorted(str(value["rule"]) for value in one.findings),
                    sorted(document.structure for document in made if document.state is not State.WITHDRAWN),
                )  # fmt: skip
    return found


def test_one_by_one(tmp_path: Path) -> None:
    """Daily records submitted singly, newest first, each tried dry before, leave what one delivery leaves."""
    whole = imported(tmp_path / "whole", LINES)
    singly = imported(tmp_path / "singly", (line for line in LINES if not line.startswith(DAILY)))
    daily = b"".join(line for line in LINES if line.startswith(DAILY))
    given = [one for one in read(singly.sources["lapha-lines"], io.BytesIO(daily), "daily") if isinstance(one, Record)]
    for one in reversed(given):
        hand_in(singly, [one], is_dry=True)
        hand_in(singly, [one])
    expected, found = told(whole), told(singly)
    whole.close()
    singly.close()

    assert found == expected
