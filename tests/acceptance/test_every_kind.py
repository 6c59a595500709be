"""Canonical records of every kind, handed in one by one as the API takes them, become documents that hold all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.documents import full, left_out, mapper, schema
from tests.documents_read import displayed
from tests.installations import installation, sample, take, written
from tests.small_export import PROVIDER, identity_code

from kanta_gateway.gateway import Gateway
from kanta_gateway.intake.service import Service
from kanta_gateway.model import Caller, Oid
from kanta_gateway.pipeline.office import content_of
from kanta_gateway.spool import store
from kanta_gateway.web import service_of

UNIT = "1.2.246.10.94005128.10.7"
SERVICES = {
    "KT": ("Kuntouttava työtoiminta", "Työtoimintatehtävien ja työelämän perustaitojen ohjaus"),
    "SK": ("Sosiaalinen kuntoutus", "Lähipalveluna toteutettava ryhmämuotoinen sosiaalinen kuntoutus"),
    "VT": ("Vammaisten henkilöiden työtoiminta",
           "Vammaisten henkilöiden työtoiminta palveluntuottajan toimintayksikössä"),
}  # fmt: skip
OF_INTERRUPTION = {"interrupted_on", "interruption_reason"}
WORDS = {
    "form": {"group": "ryhmä", "individual": "yksilö"},
    "mode": {"on_site": "Läsnä", "remote": "Etänä"},
    "reason_category": {"incapacity": "Työkyvyttömyys"},
    "resolution": {"granted": "Myönteinen"},
    "service_tasks": {"child-welfare": "Lastensuojelu"},
    "state": {"cancelled": "peruttu", "no_show": "ei saapunut", "open": "Avoin"},
}
"""How a document says a value that its record says by a word of its own."""
CALLER = Caller("own system", Oid(PROVIDER), "T-1", "Erkki Esimerkki", "provider-system", "delivery", "NAYTE/1/2025")


def referred(kind: str) -> bool:
    """Whether a record type is a reference: a document only for an authority that asks for it."""
    return bool(schema(kind).get("x-reference"))


KINDS = sorted(kind for kind in mapper().record_types() if not referred(kind))
AUTHORITYS = sorted(kind for kind in mapper().record_types() if referred(kind))


class World:
    """One installation that knows a provider, a unit, two workers and a client of each service."""

    def __init__(self, folder: Path, *makes: str) -> None:
        self.gateway: Gateway = installation(folder / "data")
        contracts = self.gateway.parts.contracts
        asking = {**contracts, "lapha": replace(contracts["lapha"], makes=frozenset(makes))}
        object.__setattr__(self.gateway.parts, "contracts", asking)
        self.gateway.registration.register_party(
            PROVIDER, "Paja ry", "1.2.246.10.94006007.10.0", "Alue", "NAYTE/1/2025", "lapha"
        )
        self._service: Service = service_of(self.gateway)
        self.post({"type": "unit", "id": "Y", "oid": UNIT, "name": "Havukosken työpaja", "registered": False})
        self.post(
            {"type": "staff", "id": "H1", "surname": "Kurkela", "given_names": "Anneli", "title": "sosionomi (AMK)"}
        )
        self.post({"type": "staff", "id": "H2", "surname": "Hallavainio", "given_names": "Mikko", "title": "sosionomi"})
        for number, (name, (service, product)) in enumerate(SERVICES.items(), 1):
            self.post({
                "type": "client", "id": name, "surname": "Rautiola", "given_names": "Sampo", "non_disclosure": False,
                "identity_code": identity_code(number), "responsible_worker": "H1", "substitute_worker": "H2",
            })  # fmt: skip
            self.post({
                "type": "decision", "id": f"P-{name}", "client": name, "made_on": "2025-08-20", "service": service,
                "product_number": 1, "product_name": product, "starts_on": "2025-09-01", "ends_on": "2025-11-28",
                "days_per_week": 3, "hours_per_day": 5, "remote_max_percent": 15, "unit": UNIT,
            })  # fmt: skip

    def post(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Deliver one record."""
        return self._service.submit(json.dumps(record).encode(), CALLER, "fi", is_dry=False)[0]

    def shown(self, told: Mapping[str, Any]) -> str:
        """What the record's documents show."""
        with self.gateway.parts.database.reading() as tx:
            stored = [store.get(tx, one["oid"]) for one in told["documents"]]
            return "\n".join(displayed(content_of(self.gateway.parts, one)) for one in stored if one is not None)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for all facts below."""
    one = World(tmp_path_factory.mktemp("kinds"))
    yield one
    one.gateway.close()


def record(kind: str, client: str) -> dict[str, Any]:
    """A record of a kind with every field that it may have."""
    content = {key: value for key, value in full(kind).items() if key not in OF_INTERRUPTION}
    days = dict.fromkeys(("date", "made_on", "signed_on"), "2025-10-08" if kind == "absence" else "2025-10-07")
    return {**content, **{key: day for key, day in days.items() if key in content},
            **({"end_time": "14:45"} if "end_time" in content else {}),
            "type": kind, "id": f"{kind}-{client}", "client": client}  # fmt: skip


def values(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a record as a document shows it, with its field."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from values(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from values(one, field)
    elif isinstance(value, bool):
        yield field, "Kyllä" if value else "Ei"
    else:
        text = WORDS.get(field, {}).get(str(value), str(value)).replace("H2", "Hallavainio")
        if (day := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:T.*)?", text)) is not None:
            text = f"{int(day[3])}.{int(day[2])}.{day[1]}"
        yield field, text.replace(":", ".") if re.fullmatch(r"\d\d:\d\d", text) else text.replace("4.5", "4,5")


@pytest.mark.parametrize("client", SERVICES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_shown(world: World, kind: str, client: str) -> None:
    """A record of any kind becomes a document in which every value of the record stands. [REC-15]"""
    given = record(kind, client)
    told = world.post(given)
    assert told["outcome"] in {"accepted", "flagged"}
    assert missing(kind, given, world.shown(told)) == []


def test_what_came_from_elsewhere_can_be_verified(world: World) -> None:
    """Of data from elsewhere the document tells what, from whom, when, who asked, the provision and why. [REC-11]"""
    given = {**record("data_request", next(iter(SERVICES))), "id": "from-elsewhere"}
    shown = world.shown(world.post(given))
    told = {name: given[name] for name in ("obtained", "data_source", "obtained_on", "recorder", "grounds", "purpose")}

    assert [field for field, text in values(told) if text not in shown] == []


def missing(kind: str, given: Mapping[str, Any], shown: str) -> list[str]:
    """Fields of a record that its documents do not show, though docs/left-out.md does not list them."""
    unshown = {key for name, key in left_out() if name in {"all", kind}} | {"client", "kind", "cause", "recorder_name"}
    return [
        field
        for key, one in given.items()
        for field, text in values(one, key)
        if key not in unshown and text not in shown
    ]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An installation whose purchaser asks for the documents of its own records."""
    one = World(tmp_path_factory.mktemp("authority"), *AUTHORITYS)
    yield one
    one.gateway.close()


def own(kind: str, client: str) -> dict[str, Any]:
    """A record of the authority with every field that it may have."""
    service, product = SERVICES[client]
    granted = {"service": service, "product_number": 1, "product_name": product, "made_on": "2025-08-20",
               "starts_on": "2025-09-01", "ends_on": "2025-11-28"} if kind == "decision" else {}  # fmt: skip
    return {**record(kind, client), **granted, "id": f"own-{kind}-{client}"}


@pytest.mark.parametrize("client", SERVICES)
@pytest.mark.parametrize("kind", AUTHORITYS)
def test_documents_that_the_authority_asks_for(authority: World, kind: str, client: str) -> None:
    """A record of the authority becomes a document that holds all of it, and another implementation verifies it.

    [REC-13, REC-14]
    """
    given = own(kind, client)
    told = authority.post(given)
    with authority.gateway.parts.database.reading() as tx:
        (stored,) = [store.get(tx, one["oid"]) for one in told["documents"]]
        assert stored is not None
        xml = content_of(authority.gateway.parts, stored)
    path = Path(authority.gateway.settings.data) / "own.xml"
    path.write_bytes(xml)
    verified = authority.gateway.documents.verify([path])

    assert told["outcome"] == "accepted"
    assert missing(kind, given, authority.shown(told)) == []
    assert verified["holds"], verified


@pytest.mark.parametrize("kind", AUTHORITYS)
def test_authority_that_does_not_ask(world: World, kind: str) -> None:
    """Without `makes` a record of the authority is known and becomes no document. [CTL-12]"""
    told = world.post({**own(kind, "SK"), "id": f"known-{kind}"})

    assert (told["outcome"], told["documents"]) == ("reference", [])


def test_newer_decision_replaces(authority: World) -> None:
    """A newer version of a decision replaces its document, and the older one becomes none."""
    first = authority.post({**own("decision", "KT"), "id": "P-2"})
    second = authority.post({**own("decision", "KT"), "id": "P-2", "version": 2, "grounds": "Uudet perustelut."})

    assert (first["outcome"], second["outcome"]) == ("accepted", "replacement")
    assert "Uudet perustelut." in authority.shown(second)


def test_unit_record_is_the_unit_of_its_decision(world: World) -> None:
    """A unit that came as a record of its own stands in the documents of a decision that names it, and is judged."""
    told = world.post({**record("guidance", "SK"), "id": "G-2"})
    decision = world.gateway.desk.ticket(
        world.post({
            "type": "decision", "id": "P-SK", "client": "SK", "version": 2, "made_on": "2025-08-20",
            "service": SERVICES["SK"][0], "product_number": 1, "product_name": SERVICES["SK"][1],
            "starts_on": "2025-09-01", "ends_on": "2025-11-28", "unit": UNIT,
        })["ticket"], "en",
    ).told  # fmt: skip

    assert "Palveluyksikkö: Havukosken työpaja" in world.shown(told)
    assert "SRC-UNIT" not in {one["rule"] for one in told["findings"]}
    assert "LAP-02" in {one["rule"] for one in decision["findings"]}


def test_half_a_unit_is_none(tmp_path: Path) -> None:
    """A unit without name or OID stops nothing: the provider stands in its place, and a finding says so."""
    export = sample()
    export["palveluntuottaja"]["yksikot"] = [{"oid": UNIT}, {"nimi": "Paja ilman tunnistetta"}]
    gateway = installation(tmp_path / "data")
    rows = take(gateway, written(tmp_path, export))
    gateway.close()

    assert {"accepted", "flagged"} & {row["outcome"] for row in rows}
    assert "SRC-UNIT" in {one["rule"] for row in rows for one in row["findings"]}
