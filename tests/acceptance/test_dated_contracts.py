"""Contracts, approvals and rights that begin and end: what is delivered and read on both sides of their days."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from tests import chains
from tests.chains import Cast
from tests.faults_world import World
from tests.installations import SAMPLE, at, installation, outcomes, take
from tests.processes import InProcess

from kanta_gateway.access.statements import read
from kanta_gateway.access.terms import Span
from kanta_gateway.errors import NotFoundError, NotPermittedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.pipeline.deadlines import Asked
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.office import Office, content_of
from kanta_gateway.pipeline.partybook import ending, moment
from kanta_gateway.spool import store

PROVIDER, ORGANISER, SUB = "1.2.246.10.94005128.10.0", "1.2.246.10.94006007.10.0", "1.2.246.10.94005557.10.0"
UNIT, NUMBER = "1.2.246.10.94005128.10.1", "NAYTE/1/2025"
OF_CONTRACT = {"processor": PROVIDER, "controller": ORGANISER, "contract": NUMBER}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A fresh installation."""
    made = installation(tmp_path / "data")
    yield made
    made.close()


def register(gateway: Gateway, first: str = "0001-01-01", last: str | None = None) -> None:
    """The contract of the sample, from a day to a day."""
    span = Span(date.fromisoformat(first), date.fromisoformat(last) if last else None)
    gateway.registration.register_party(PROVIDER, "Paja ry", ORGANISER, "Alue", NUMBER, "lapha", span=span)


def state(gateway: Gateway, *stated: dict[str, Any]) -> None:
    """Some statements."""
    gateway.party_book.state(read(list(stated)), gateway.actor(None, None, None))


def office_on(gateway: Gateway, day: date) -> Office:
    """The same installation's office at noon of a day."""
    noon = datetime.combine(day, time(12), UTC)
    return Office(replace(gateway.parts, clock=lambda: noon), gateway.office._policy)


def diary(found: dict[tuple[str, str, int], Any]) -> dict[str, tuple[str, list[str]]]:
    """Id of a diary entry -> outcome and rules of the register."""
    return {
        key[1]: (outcome, [one for one in rules if one.startswith("CTL-")])
        for key, (outcome, rules) in found.items()
        if key[0] == "diary_entry"
    }


def test_days_after_the_contract_are_refused_and_freed_by_its_renewal(gateway: Gateway) -> None:
    """A day after the contract's end is refused before it is mapped, and stands once its contract is stated.

    [CTL-13]
    """
    register(gateway, last="2025-03-06")
    first = take(gateway, [SAMPLE])
    found = diary(outcomes(first))
    refused = [row for row in first if row["outcome"] == "refused" and row["id"] == "PV-0004"]
    state(gateway, {
        "kind": "contract", "processor": PROVIDER, "controller": ORGANISER, "number": "NAYTE/2", "purchaser": "lapha",
        "from": "2025-03-07",
    }, {"kind": "register-use", **OF_CONTRACT, "contract": "NAYTE/2", "from": "2025-03-07"})  # fmt: skip
    gateway.desk.finish(gateway.actor(None, None, None))
    with gateway.parts.database.reading() as tx:
        ticket = gateway.desk.ticket(refused[0]["ticket"], "en").told
        documents = [one for one in store.listed(tx, limit=1000) if one.oid in {d["oid"] for d in ticket["documents"]}]

    assert ("accepted", []) == found["PV-0003"]
    assert ("refused", ["CTL-13"]) == found["PV-0004"]
    assert not refused[0]["documents"]
    assert "accepted" == ticket["outcome"]
    assert 1 == len(documents)


def test_days_before_the_contract_are_refused(gateway: Gateway) -> None:
    """The contract's first day stands, the day before does not; what is about the time begins within the contract."""
    register(gateway, first="2025-03-06")
    found = diary(outcomes(take(gateway, [SAMPLE])))

    assert {"PV-0002": ("refused", ["CTL-13"]), "PV-0003": ("accepted", [])} == {
        name: found[name] for name in ("PV-0002", "PV-0003")
    }


def test_what_looks_back_is_judged_by_its_service(gateway: Gateway) -> None:
    """A summary made after the contract's end is of the service that it is about, and stands."""
    register(gateway, last="2025-05-30")
    late = [
        (key, outcome, rules) for key, (outcome, rules) in outcomes(take(gateway, [SAMPLE])).items()
        if key[0] in {"final_summary", "final_evaluation", "interim_evaluation"}
    ]  # fmt: skip

    assert any(key[0] == "final_summary" for key, _, _ in late)
    assert [] == [one for one in late if any(rule.startswith("CTL-") for rule in one[2])]


@pytest.mark.parametrize(("last", "expected"), [("2025-05-31", "accepted"), ("2025-05-30", "refused")])
def test_after_the_window_nothing_is_taken(gateway: Gateway, last: str, expected: str) -> None:
    """On the last day of the delivery window own records are taken, on the day after they are not. [CTL-14]"""
    register(gateway, last=last)
    at(gateway, lambda: datetime(2027, 5, 31, 12, tzinfo=UTC))
    found = diary(outcomes(take(gateway, [SAMPLE])))

    assert (expected, [] if expected == "accepted" else ["CTL-14"]) == found["PV-0001"]


@pytest.mark.parametrize(
    ("approval", "expected"),
    [
        ({"from": "2025-03-04", "to": "2025-03-06"}, ["refused", "accepted", "accepted", "refused"]),
        ({"from": "2025-03-03"}, ["accepted", "accepted", "accepted", "accepted"]),
    ],
)
def test_days_of_a_sub_processor(gateway: Gateway, approval: dict[str, str], expected: list[str]) -> None:
    """What a sub-processor's unit gave stands on the days of its approval only, and the document tells the chain.

    [CTL-10, CTL-11]
    """
    register(gateway)
    state(gateway,
        {"kind": "organisation", "oid": SUB, "name": "Alihankkija ry", "role": "sub-processor"},
        {"kind": "unit", "oid": UNIT, "name": "Paja", "organisation": SUB},
        {"kind": "approval", **OF_CONTRACT, "sub_processor": SUB, "name": "Alihankkija ry", **approval},
    )  # fmt: skip
    rows = take(gateway, [SAMPLE])
    found = diary(outcomes(rows))
    made = next(row for row in rows if row["id"] == "PV-0002")
    with gateway.parts.database.reading() as tx:
        whole = store.get(tx, made["documents"][0]["oid"])
        assert whole is not None
        content = content_of(gateway.parts, whole).decode()

    assert expected == [found[name][0] for name in ("PV-0001", "PV-0002", "PV-0003", "PV-0004")]
    assert {"CTL-11"} == {rule for outcome, rules in found.values() if outcome == "refused" for rule in rules} or (
        "refused" not in expected
    )
    assert 0 < content.index(f'"{SUB}"') < content.index(f'"{PROVIDER}"')


def test_registered_clients_only(gateway: Gateway) -> None:
    """Where the controller registers its clients, a day of a client without an open relationship is refused.

    [ACC-03, CTL-13]
    """
    register(gateway)
    state(gateway,
        {"kind": "contract", "processor": PROVIDER, "controller": ORGANISER, "number": NUMBER, "purchaser": "lapha",
         "relationships": "registered"},
        {"kind": "relationship", "provider": PROVIDER, "client": "A-1", "from": "2025-03-04"},
    )  # fmt: skip
    found = diary(outcomes(take(gateway, [SAMPLE])))

    assert ("refused", ["CTL-13"]) == found["PV-0001"]
    assert ("accepted", []) == found["PV-0002"]


def test_registered_under_one_of_a_persons_numbers(tmp_path: Path) -> None:
    """A relationship registered under one client number carries the days of the person's other numbers, while merged.

    It lets the provider read them too.
    """
    world, cast = World(tmp_path), Cast(1)
    chains.register(world)
    contract = {"processor": PROVIDER, "controller": chains.ORGANISER, "number": f"NAYTE/lapha/{PROVIDER[-6:]}"}
    state(world.gateway,
        {"kind": "contract", **contract, "purchaser": "lapha", "relationships": "registered"},
        {"kind": "relationship", "provider": PROVIDER, "client": cast.name("A")},
    )  # fmt: skip
    chains.deliver(world, [
        chains.STAFF, cast.client("A"), cast.decision("A"), cast.client("B", identity_code=cast.code("A")),
        cast.decision("B"), cast.entry("B", day=3),
    ])  # fmt: skip
    caller = Caller("system", Oid(PROVIDER), "T-1", "N", "provider-system", "delivery")
    thing = Thing(PROVIDER, purchaser="lapha", client_ref=cast.ref(world, "B"))

    def seen() -> tuple[str, list[str], bool]:
        with world.gateway.parts.database.reading() as tx:
            row = tx.exec_driver_sql("SELECT outcome, findings FROM record WHERE record_id = 'D-1-3'").one()
        rules = [one["rule"] for one in json.loads(row[1])]
        told = world.gateway.checkup.explain_policy(caller, Event.DOCUMENT_READ, thing, None)
        return row[0], [one for one in rules if one.startswith("CTL-")], bool(told["allowed"])

    before = seen()
    world.gateway.people.merge(world.caller, cast.name("B"), cast.name("A"), "same-identity-code")
    merged = seen()
    world.gateway.people.unmerge(world.caller, cast.name("B"), "mistake")
    after = seen()
    world.gateway.close()

    assert ("refused", ["CTL-13"], False) == before == after
    assert "refused" != merged[0]
    assert ([], True) == merged[1:]


def test_a_closed_register_stays_closed(tmp_path: Path) -> None:
    """Of a client in two purchasers' registers the provider is told the figures and clocks of the open one only."""
    world, cast = World(tmp_path), Cast(1)
    chains.register(world)
    gateway, whole = world.gateway, [chains.STAFF, cast.client("A"), cast.decision("A"), cast.entry("A")]
    gateway.registration.register_party(
        PROVIDER, "Paja", "1.2.246.10.94006015.10.0", "Kaupunki", "H-1", "heinola",
        span=Span(last=date(2025, 12, 31)),
    )  # fmt: skip
    for purchaser in ("lapha", "heinola"):
        chains.deliver(world, whole, purchaser=purchaser)
    caller = Caller("system", Oid(PROVIDER), "T-1", "N", "provider-system", "delivery")
    asked = Asked(date(2026, 1, 15), "en")

    def purchasers(day: date) -> set[str]:
        return {str(one["contract"]) for one in office_on(gateway, day).deadlines(caller, asked)["deadlines"]}

    found = [purchasers(date(2025, 12, 31)), purchasers(date(2026, 1, 1))]
    figures = [office_on(gateway, day).figures(caller, None, None)["figures"].keys()
               for day in (date(2025, 12, 31), date(2026, 1, 1))]  # fmt: skip
    world.gateway.close()

    assert [{"lapha", "heinola"}, {"lapha"}] == found
    assert figures[1] < figures[0]


def test_reading_ends_with_the_contract(gateway: Gateway) -> None:
    """On the contract's last day the provider reads its document, on the next day it does not, and that is logged.

    [CTL-14]
    """
    register(gateway, last="2026-03-31")
    oid = next(row["documents"][0]["oid"] for row in take(gateway, [SAMPLE]) if row["documents"])
    caller = Caller("system", Oid(PROVIDER), "T-1", "N", "provider-system", "delivery", NUMBER)

    last, after = office_on(gateway, date(2026, 3, 31)), office_on(gateway, date(2026, 4, 1))
    content = last.document(oid, caller)
    listed = last.documents(caller, None, "", 10)["documents"]
    for asked in (
        lambda: after.document(oid, caller), lambda: after.documents(caller, None, "", 10),
        lambda: after.figures(caller, None, None),
    ):  # fmt: skip
        with pytest.raises(NotPermittedError, match="D0"):
            asked()
    after.permit(caller, Event.RECORD_SUBMIT, provider=PROVIDER)  # delivering goes on
    entries = gateway.office.entries(gateway.actor(None, None, None), None, -1, 100_000)["entries"]

    assert content
    assert listed
    assert 3 == sum(one["event"] == "request:deny" for one in entries)


def test_an_ended_role_is_an_outsider(gateway: Gateway) -> None:
    """Once an organisation keeps its users here, a person acts on the days of its role and on no others.

    [ACC-04, ACC-07]
    """
    register(gateway)
    take(gateway, [SAMPLE])
    state(gateway, {"kind": "person", "person_id": "T-1", "name": "N", "organisation": PROVIDER,
                    "role": "provider-system", "from": "2026-01-01", "to": "2026-03-31"})  # fmt: skip
    caller = Caller("system", Oid(PROVIDER), "T-1", "N", "provider-system", "delivery")

    def told(one: Caller, day: date) -> str:
        try:
            office_on(gateway, day).permit(one, Event.RECORD_SUBMIT, provider=PROVIDER)
        except NotPermittedError as error:
            return "outsider" if "ACC-04" in str(error) else str(error)
        return "permitted"

    last, after = date(2026, 3, 31), date(2026, 4, 1)
    seen = [told(caller, last), told(caller, after), told(replace(caller, person_id="T-2"), last)]

    assert ["permitted", "outsider", "outsider"] == seen


def test_the_register_of_any_day(gateway: Gateway) -> None:
    """The register is told for a day, as known now or as known before; ending a role changes no row. [ACC-04]"""
    register(gateway)
    person = {"kind": "person", "person_id": "T-9", "name": "Marked-Name", "organisation": PROVIDER, "role": "coach",
              "from": "2026-01-01"}  # fmt: skip
    actor = gateway.actor(None, None, None)
    state(gateway, person)
    before = gateway.parts.now()
    (row,) = gateway.party_book.on(actor, date(2026, 5, 1), None, "person")["register"]
    gateway.party_book.end(row["key"], date(2026, 4, 30), actor)

    def names(day: date, known: datetime | None = None) -> list[str]:
        return [one["name"] for one in gateway.party_book.on(actor, day, known, "person")["register"]]

    with gateway.parts.database.reading() as tx:
        bodies = tx.exec_driver_sql("SELECT body, sealed FROM party_statement WHERE kind = 'person'").all()

    assert [[], ["Marked-Name"], ["Marked-Name"], []] == [
        names(date(2025, 12, 31)), names(date(2026, 1, 1)), names(date(2026, 4, 30)), names(date(2026, 5, 1))
    ]  # fmt: skip
    assert ["Marked-Name"] == names(date(2026, 5, 1), before)
    assert 2 == len(bodies)
    assert not any("Marked" in body or b"Marked" in sealed for body, sealed in bodies)
    with pytest.raises(NotFoundError):
        gateway.party_book.end("no such key", date(2026, 4, 30), actor)


def test_endings_as_people_write_them() -> None:
    """A day is a last day; a moment is one of its day in Finland, and without a zone Finland's."""
    assert ending("2026-11-27") == (date(2026, 11, 27), None)
    assert ending("2026-11-27T14:00") == (date(2026, 11, 27), datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    assert ending("2026-11-27T23:30+00:00")[0] == date(2026, 11, 28)


def test_moments_as_people_write_them() -> None:
    """A day means its end in Finland; a time without a zone is Finland's."""
    assert datetime(2026, 6, 1, 20, 59, 59, 999999, UTC) == moment("2026-06-01")
    assert datetime(2026, 6, 1, 9, 0, tzinfo=UTC) == moment("2026-06-01T12:00")


@pytest.mark.parametrize(("tasks", "is_allowed"), [(["working-age"], False), (["working-age", "disability"], True)])
def test_every_class_of_one_thing_is_needed(gateway: Gateway, tasks: list[str], *, is_allowed: bool) -> None:
    """What may be of two service tasks is read by whom both are allowed; a list by whom one is, and it is narrowed."""
    register(gateway)
    state(gateway, {
        "kind": "person", "person_id": "V-1", "name": "Veera Virkailija", "organisation": ORGANISER,
        "role": "purchaser-official", "service_tasks": tasks, "from": "2020-01-01",
    })  # fmt: skip
    caller = Caller("own", Oid(ORGANISER), "V-1", "Veera Virkailija", "purchaser-official", "service-arranging")
    client = str(gateway.parts.keyring.client(PROVIDER, "A-1"))  # no decision says which task it is
    told = [
        gateway.office.guard.decide(caller, Event.RECORD_READ, Thing(PROVIDER, ORGANISER, "lapha", *one)).allowed
        for one in ((client, None, "diary_entry"), (client,), (None, None, "diary_entry"), ())
    ]

    assert [is_allowed, is_allowed, is_allowed, True] == told


@pytest.mark.parametrize(
    ("day", "allowed", "row"), [("2026-03-31", True, "D2"), ("2026-04-01", False, "D0"), ("2025-12-31", False, "D0")]
)
def test_why_and_why_not(gateway: Gateway, day: str, row: str, *, allowed: bool) -> None:
    """Why somebody may or may not read on a day is told with the row, its provisions and the condition that failed."""
    register(gateway, "2026-01-01", "2026-03-31")
    caller = Caller("asked", Oid(PROVIDER), "T-1", "-", "provider-system", "delivery")
    told = gateway.checkup.explain_policy(caller, Event.DOCUMENT_READ, Thing(PROVIDER), date.fromisoformat(day))

    assert (allowed, row) == (told["allowed"], told["row"])
    assert told["basis"]
    assert allowed or any("mandate" in one["message"] and one["rule"] == "D2" for one in told["why"])


def test_delivering_goes_on_where_reading_ended(gateway: Gateway) -> None:
    """In the delivery window a provider may submit and not read; after it, neither."""
    register(gateway, "2026-01-01", "2026-03-31")
    caller = Caller("asked", Oid(PROVIDER), "T-1", "-", "provider-system", "delivery")

    def may(event: Event, day: date) -> bool:
        return bool(gateway.checkup.explain_policy(caller, event, Thing(PROVIDER), day)["allowed"])

    days = (date(2026, 3, 31), date(2026, 4, 1), date(2028, 3, 31), date(2028, 4, 1))

    assert [True, True, True, False] == [may(Event.RECORD_SUBMIT, day) for day in days]
    assert [True, False, False, False] == [may(Event.RECORD_READ, day) for day in days]


def test_the_window_is_as_long_as_the_contract_says(gateway: Gateway) -> None:
    """Where the contract file tells another delivery window, submitting ends with that one. [CTL-14]"""
    register(gateway, "2026-01-01", "2026-03-31")
    short = replace(gateway.parts.contracts["lapha"], delivery_months=2)
    parts = replace(gateway.parts, contracts={**gateway.parts.contracts, "lapha": short})
    guard = Office(parts, gateway.office._policy).guard
    caller = Caller("asked", Oid(PROVIDER), "T-1", "-", "provider-system", "delivery")
    days = (date(2026, 4, 1), date(2026, 5, 31), date(2026, 6, 1))

    assert [True, True, False] == [
        guard.decide(caller, Event.RECORD_SUBMIT, Thing(PROVIDER), day).allowed for day in days
    ]


@pytest.mark.parametrize(("day", "expected"), [(31, "accepted"), (1, "refused")])
def test_records_are_taken_as_long_as_the_contract_says(gateway: Gateway, day: int, expected: str) -> None:
    """A record of the contract's time is taken until the last day of the contract file's own window. [CTL-14]"""
    register(gateway, last="2025-05-31")
    short = replace(gateway.parts.contracts["lapha"], delivery_months=2)
    object.__setattr__(gateway.parts, "contracts", {**gateway.parts.contracts, "lapha": short})
    at(gateway, lambda: datetime(2025, 7 if day == 31 else 8, day, 12, tzinfo=UTC))
    found = diary(outcomes(take(gateway, [SAMPLE])))

    assert (expected, [] if expected == "accepted" else ["CTL-14"]) == found["PV-0001"]


def test_a_denied_caller_is_told_why(gateway: Gateway) -> None:
    """A denial carries its findings for the caller, and its entry the row, the provisions and what failed. [LOG-13]"""
    register(gateway, last="2026-03-31")
    caller = Caller("system", Oid(PROVIDER), "T-1", "N", "provider-system", "delivery")
    with pytest.raises(NotPermittedError) as caught:
        office_on(gateway, date(2026, 4, 1)).documents(caller, None, "", 10)
    entries = gateway.office.entries(gateway.actor(None, None, None), None, -1, 1000)["entries"]
    (denied,) = [one for one in entries if one["event"] == "request:deny"]

    assert {"D0", "D2"} <= {one.rule for one in caught.value.findings}
    assert ("703/2023 §4", "D0", ["D2:mandate"]) == (
        denied["basis"], denied["details"]["row"], denied["details"]["failed"]
    )  # fmt: skip


def test_another_controllers_people_see_nothing(gateway: Gateway) -> None:
    """Staff of one controller is outside the register of another, whatever contract it names. [CTL-01, CTL-02]"""
    register(gateway)
    gateway.registration.register_party(SUB, "Toinen ry", "1.2.246.10.94007002.10.0", "Kaupunki", "X-1", "heinola")
    own, other = (
        Caller("asked", Oid(oid), "T-1", "-", "purchaser-it", "supervision", NUMBER)
        for oid in (ORGANISER, "1.2.246.10.94007002.10.0")
    )
    told = [gateway.checkup.explain_policy(one, Event.FIGURES_READ, Thing(PROVIDER), None) for one in (own, other)]

    assert [(True, "D1"), (False, "D0")] == [(one["allowed"], one["row"]) for one in told]


def test_the_command_explains(tmp_path: Path) -> None:
    """`policy explain` ends with 0 for what is allowed and 3 for what is not, and tells why in words."""
    cli = InProcess(tmp_path / "data", KANTA_SIGNING_ALGORITHM="p-256")
    cli("parties", "register", "--provider", PROVIDER, "--provider-name", "Paja", "--organiser", ORGANISER,
        "--organiser-name", "Alue", "--contract", NUMBER, "--purchaser", "lapha", "--to", "2026-03-31")  # fmt: skip
    asked = ("policy", "explain", "document:read", "--role", "provider-system", "--organisation", PROVIDER,
             "--purpose", "delivery", "--lang", "en", "--on")  # fmt: skip
    allowed = cli(*asked, "2026-03-31")
    refused = cli(*asked, "2026-04-01")

    assert (0, 3) == (allowed.returncode, refused.returncode)
    assert "allowed by D2" in allowed.stdout
    assert "the contract (mandate): ended; needed: in force" in refused.stdout
