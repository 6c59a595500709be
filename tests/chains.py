"""Small stories about one diary entry in many versions, told to a whole installation in any order, and how they end.

What counts as the end, whichever way it was reached:

* what a reader of the archive finds: of each document set the newest version, unless it was invalidated, with the
  person that it is filed under and its content; how many versions were sent on the way does not count;
* outcome and rules of every delivered state of every record;
* every figure of the clients;
* nothing that waits: no document on its way, no record to be judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from lxml import etree
from sqlalchemy import select
from tests.documents_read import structured
from tests.faults_world import World
from tests.small_export import CHECK_CHARACTERS, PROVIDER

from kanta_gateway.model import Oid
from kanta_gateway.spool.states import OPEN
from kanta_gateway.tables import document, record

ORGANISER = "1.2.246.10.94006007.10.0"
AS_OF = date(2026, 1, 15)
"""The day of a delivery that tells none."""
STAFF = {"type": "staff", "id": "T-1", "surname": "Esimerkki", "given_names": "Eeva", "title": "sosionomi (AMK)"}
Told = Sequence[Mapping[str, Any]]
"""One delivery: canonical records."""
End = dict[str, Any]


def code(number: int) -> str:
    """The identity code of one of many fictional persons; individual numbers 900 to 999 belong to nobody."""
    day, individual = divmod(number, 100)
    year, day = divmod(day, 336)
    month, day = divmod(day, 28)
    digits = f"{day + 1:02d}{month + 1:02d}{year:02d}{900 + individual}"
    return f"{digits[:6]}-{digits[6:]}{CHECK_CHARACTERS[int(digits) % 31]}"


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom and what one story is about; every story has its own."""

    number: int

    def client(self, name: str, version: int = 0, **other: Any) -> dict[str, Any]:
        """The record of a client."""
        told: dict[str, Any] = {
            "type": "client", "id": self.name(name), "surname": "Esimerkki", "given_names": f"Aino {name}",
            "identity_code": self.code(name), "non_disclosure": False, "responsible_worker": "T-1",
        }  # fmt: skip
        return told | ({"version": version} if version else {}) | other

    def decision(self, name: str, **other: Any) -> dict[str, Any]:
        """What the purchaser granted a client."""
        return {
            "type": "decision", "id": f"P-{self.name(name)}", "client": self.name(name),
            "service": "Kuntouttava työtoiminta", "product_number": 1, "starts_on": "2025-09-01",
            "ends_on": "2025-11-30", "days_per_week": 3, "hours_per_day": 5,
        } | other  # fmt: skip

    def entry(self, name: str, version: int = 1, *, is_cancelled: bool = False, day: int = 2, **other: Any) -> Any:
        """A version of the diary entry of one day, with a text of its own."""
        told: dict[str, Any] = {
            "type": "diary_entry", "id": f"D-{self.number}-{day}", "version": version, "client": self.name(name),
            "date": f"2025-09-{day:02d}", "start_time": "09:00", "end_time": "14:00", "hours": 5, "mode": "on_site",
            "tasks": f"Kankaiden leikkaus kassisarjaan, {version}. kirjaus.", "performance": "Sujui omatoimisesti.",
            "recorder": "T-1",
        }  # fmt: skip
        return told | ({"cancelled": True} if is_cancelled else {}) | other

    def name(self, name: str) -> str:
        """The provider's own number of a client."""
        return f"{name}-{self.number}"

    def code(self, name: str) -> str:
        """A client's identity code."""
        return code(self.number * 4 + "ABCD".index(name))

    def ref(self, world: World, name: str) -> str:
        """A client's keyed reference."""
        return str(world.gateway.parts.keyring.client(PROVIDER, self.name(name)))


def register(world: World, provider: str = PROVIDER, organiser: str = ORGANISER, purchaser: str = "lapha") -> None:
    """Let a provider deliver under a contract with an organiser."""
    number = f"NAYTE/{purchaser}/{provider[-6:]}"
    world.gateway.registration.register_party(provider, "Paja", organiser, f"Tilaaja {purchaser}", number, purchaser)


def deliver(
    world: World, told: Told, provider: str = PROVIDER, *, purchaser: str = "lapha", as_of: date | None = AS_OF
) -> list[dict[str, Any]]:
    """Take one delivery of a provider in; the rows of its result."""
    caller = replace(world.caller, organisation=Oid(provider))
    path: Path = world.folder / "records.jsonl"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told), "utf-8")
    return list(world.gateway.deliveries.import_files([path], "json-lines", purchaser, caller, as_of=as_of).rows())


def end(world: World, cast: Cast, names: Iterable[str] = "AB") -> End:
    """How a story ended."""
    refs = {name: cast.ref(world, name) for name in names}
    return {
        "archive": readable(world, {cast.code(name) for name in "ABCD"}),
        "outcomes": _outcomes(world, refs), "figures": {name: _figures(world, cast.name(name)) for name in refs},
        "open": _open(world, refs),
    }  # fmt: skip


def readable(world: World, codes: Iterable[str]) -> list[tuple[str, str]]:
    """What a reader of the archive finds under some identity codes: the code and content of each valid document."""
    wanted = set(codes)
    query = "SELECT set_oid, version, state, document FROM kept ORDER BY set_oid, version"
    newest = {row[0]: row[2:] for row in world.archive.shelf._connection.execute(query)}
    found = [(_filed(xml), xml) for state, xml in newest.values() if state == "archived"]
    return sorted((whose, _content(xml)) for whose, xml in found if whose in wanted)


def _filed(xml: bytes) -> str:
    """The identity code that a document is filed under."""
    found = etree.fromstring(xml).find(".//{*}recordTarget/{*}patientRole/{*}id")
    assert found is not None
    return found.get("extension", "")


def _content(xml: bytes) -> str:
    return orjson.dumps(structured(xml), option=orjson.OPT_SORT_KEYS).decode()


def _outcomes(world: World, refs: Mapping[str, str]) -> list[Any]:
    query = select(
        record.c.client_ref, record.c.type, record.c.record_id, record.c.version, record.c.outcome, record.c.findings
    ).where(record.c.client_ref.in_(refs.values()))  # fmt: skip
    with world.gateway.parts.database.reading() as tx:
        rows = tx.execute(query).all()
    names = {ref: name for name, ref in refs.items()}
    told = ((names[row[0]], *row[1:5], sorted({one["rule"] for one in orjson.loads(row[5])})) for row in rows)
    return sorted(told, key=str)


def _figures(world: World, client: str) -> Any:
    return world.gateway.office.figures(world.caller, client, None, explain=False)["figures"].get(client)


def _open(world: World, refs: Mapping[str, str]) -> list[str]:
    with world.gateway.parts.database.reading() as tx:
        waiting = tx.execute(
            select(document.c.state).where(document.c.client_ref.in_(refs.values()), document.c.state.in_(OPEN))
        ).scalars()
        unjudged = tx.execute(
            select(record.c.state).where(record.c.client_ref.in_(refs.values()), record.c.state != "settled")
        ).scalars()
        return [*waiting, *unjudged]
