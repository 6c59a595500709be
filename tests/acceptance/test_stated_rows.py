"""Rows D8, D11 and D16: each is reached by data alone, and denies as soon as one of its facts is another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from tests import chains
from tests.chains import STAFF, Cast
from tests.crossing import CLINIC, ORGANISER, OTHER, PROVIDER, Crossing, kinds

from kanta_gateway.tables import document

UNIT = "1.2.246.10.94006007.10.7"
BUYERS = {"benefits": "1.2.246.10.94006031.10.0", "bank": "1.2.246.10.94006058.10.0"}
"""Controllers whose own line is no social care, and who buy services: sector -> OID."""
NURSE = {"organisation": CLINIC, "role": "health-worker", "purpose": "service-delivery", "person": "H-1"}
JOINT = {"under": "joint-service", "necessity": "indispensable"}
ASKED = {"under": "request", "request": "told", "necessity": "indispensable", "reference": "HVA/12/2026"}
OF_A_BANK = {**ASKED, "request": "written", "otherSources": False, "clientTold": True}
FORWARDED = {
    "under": "handing-out", "to": {"kind": "outside-care", "name": "Vakuutusyhtiö"}, "reference": "HVA/9/2026",
    "request": "client", "viaKanta": True,
}  # fmt: skip
OFFICIAL = {"organisation": ORGANISER, "role": "disclosing-official", "purpose": "handing-out"}


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossing]:
    """One installation for all facts below; each has a client of its own."""
    made = Crossing(tmp_path_factory.mktemp("rows"), "[]")
    yield made
    made.gateway.close()


def test_a_joint_service_is_use_by_those_who_take_part(crossing: Crossing) -> None:
    """D8: both organisations state the unit, the client is served there, the person works there; else nothing is given.

    It is use, not a disclosure: the entry is in the log of use with the row (703/2023 §53.1). [ACC-03]
    """
    cast, oid = crossing.client(serves="")
    unit = {"kind": "joint-service", "unit": UNIT, "controller": ORGANISER, "partner": CLINIC}
    served = {"kind": "relationship", "provider": CLINIC, "of": PROVIDER, "client": cast.name("A"), "unit": UNIT}
    works = {"kind": "person", "person_id": "H-1", "name": "Hoitaja", "organisation": CLINIC, "role": "health-worker"}
    told = []
    for stated in (
        {},
        {**unit, "to": "2020-01-01"},
        unit,
        served,
        works,
        {**works, "unit": "1.2.3"},
        {**works, "unit": UNIT},
    ):
        crossing.state(*([stated] if stated else ()))
        told.append(crossing.disclose(oid, JOINT, **NURSE))
    without = crossing.disclose(oid, {"under": "joint-service"}, **NURSE)
    other = crossing.disclose(oid, JOINT, **{**NURSE, "person": "H-2"})
    crossing.state({**served, "to": "2020-01-01"})
    ended = crossing.disclose(oid, JOINT, **NURSE)
    (entry,) = [one for one in crossing.entries("document:read") if one["subject"] == oid]

    assert [404, 404, 404, 403, 403, 403, 200] == [one.status_code for one in told]
    assert [403, 403, 404] == [without.status_code, other.status_code, ended.status_code]
    assert ("D8", "joint_service") in kinds(told[-2])
    assert ("use", "703/2023 §53.1", "D8", ORGANISER) == (
        entry["log"],
        entry["basis"],
        entry["details"]["row"],
        entry["controller"],
    )


@pytest.mark.parametrize(
    ("sector", "body", "row", "lacking"),
    [
        ("benefits", ASKED, "D11", {"request": None, "necessity": None}),
        ("bank", OF_A_BANK, "D11B", {"request": "told", "necessity": None, "otherSources": True, "clientTold": False}),
    ],
)
def test_an_authority_asks_others_by_law(
    crossing: Crossing, sector: str, body: dict[str, Any], row: str, lacking: dict[str, Any]
) -> None:
    """D11: what is not social care gives an authority of social care what it asks for; a bank on stricter terms (§64).

    Without any one of the terms nothing is given, and to a private provider nothing at all.
    """
    buyer = BUYERS[sector]
    provider = f"{buyer[:-1]}1"
    chains.register(crossing.world, provider, buyer)
    crossing.state({"kind": "organisation", "oid": buyer, "name": sector, "role": "controller", "sector": sector})
    cast = Cast(800 + len(sector))
    rows = chains.deliver(crossing.world, [STAFF, cast.client("A"), cast.decision("A"), cast.entry("A")], provider)
    oid = next(one["documents"][0]["oid"] for one in rows if one["documents"])
    crossing.state({"kind": "relationship", "provider": OTHER, "of": provider, "client": cast.name("A")})
    given = crossing.disclose(oid, body, purpose="need-assessment")
    changed = [{name: value for name, value in {**body, one: other}.items() if value is not None}
               for one, other in lacking.items()]  # fmt: skip
    denied = [crossing.disclose(oid, one, purpose="need-assessment").status_code for one in changed]
    nobody = crossing.disclose(oid, body, organisation=PROVIDER, role="receiving-worker", purpose="service-delivery")
    (entry,) = [one for one in crossing.entries("document:disclose") if one["subject"] == oid]

    assert 200 == given.status_code
    assert [403] * len(lacking) == denied
    assert 404 == nobody.status_code
    assert ("disclosure", "703/2023 §64", row, "HVA/12/2026") == (
        entry["log"],
        entry["basis"],
        entry["details"]["row"],
        entry["details"]["reference"],
    )


def test_social_care_does_not_ask_social_care_by_that_row(crossing: Crossing) -> None:
    """D11 is no way around D3 to D5: between registers of social care a request alone gives nothing."""
    _, oid = crossing.client()

    assert 403 == crossing.disclose(oid, OF_A_BANK, purpose="need-assessment").status_code


def test_kantas_forwarding_passes_on_what_thl_allows(crossing: Crossing) -> None:
    """D16: an archived document of a type that the installation's list allows, on one of the three bases, via Kanta."""
    _, oid = crossing.client()
    parts = crossing.gateway.parts
    with parts.database.reading() as tx:
        structure = tx.execute(select(document.c.structure).where(document.c.oid == oid)).scalar_one()
    unlisted = crossing.disclose(oid, FORWARDED, **OFFICIAL)
    plain = parts.disclosures
    object.__setattr__(parts, "disclosures", replace(plain, forwarded=frozenset({structure})))
    try:
        waiting = crossing.disclose(oid, FORWARDED, **OFFICIAL)
        with parts.database.transaction() as tx:
            tx.execute(update(document).where(document.c.oid == oid).values(state="archived"))
        others: tuple[dict[str, Any], ...] = (
            {"viaKanta": False}, {"request": "written"}, {"to": {"kind": "outside-care"}},
        )  # fmt: skip
        beside = [crossing.disclose(oid, {**FORWARDED, **one}, **OFFICIAL).status_code for one in others]
        given = [crossing.disclose(oid, {**FORWARDED, "request": one}, **OFFICIAL).status_code
                 for one in ("client", "statutory-request", "statutory-duty")]  # fmt: skip
    finally:
        object.__setattr__(parts, "disclosures", plain)
    entries = [one for one in crossing.entries("document:disclose") if one["subject"] == oid]

    assert [403, 403] == [unlisted.status_code, waiting.status_code]
    assert ("D16", "forwarding") in kinds(unlisted)
    assert [403, 403, 422] == beside
    assert [200] * 3 == given
    assert {"703/2023 §76; 703/2023 §69.1"} == {one["basis"] for one in entries}
