"""What clients ask for by right, over HTTP and by command: answered, refused in writing, decided by the controller."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.calling import Line, System
from tests.chains import ORGANISER, STAFF, Cast, deliver, register
from tests.faults_world import World
from tests.small_export import CHECK_CHARACTERS, PROVIDER
from typer.testing import CliRunner

from kanta_gateway.cli import app as commands
from kanta_gateway.contracts.calendar import add_months
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.messages import LANGUAGES
from kanta_gateway.model import Caller, Oid
from kanta_gateway.pipeline.pleas import RequestForm, Verdict
from kanta_gateway.pipeline.retain import destroy_spent_keys

CAST = Cast(1)
OTHER = "1.2.246.10.94006015.10.0"
"""Another controller."""
OFFICIAL, REFERENCE = "Virve Viranhaltija", "OHJE/7/2026"
OUTSIDER = "Kalle Korhonen"
UNIT, PLACE = "1.2.246.10.94005128.10.17", "Salapaikka 3"
"""Tell where the client goes."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One client with two archived entries and one that waits."""
    one = World(tmp_path)
    register(one)
    deliver(one, [STAFF, CAST.client("A"), CAST.decision("A"), CAST.entry("A")])
    deliver(one, [CAST.entry("A", day=3, notes=f"Kertoi: {OUTSIDER} soitti.")])
    one.deliver()
    deliver(one, [CAST.entry("A", day=4)])
    yield one
    one.gateway.close()


def official(world: World, **other: Any) -> Caller:
    """The controller's own official over the API."""
    told: dict[str, Any] = {
        "system": "register", "organisation": Oid(ORGANISER), "role": "registrar", "purpose": "client-request",
        "contract": "NAYTE/1", "person_id": "V-1", "person_name": OFFICIAL, "is_development": False,
    }  # fmt: skip
    return replace(world.caller, **told | other)


def processor(world: World) -> Caller:
    """The gateway's own operator."""
    return replace(world.caller, purpose="client-request", person_name="Olli Operaattori")


def form(kind: str, **other: Any) -> RequestForm:
    """A request by the client."""
    told: dict[str, Any] = {
        "client": CAST.name("A"), "asker": "client", "asker_name": "Aino Esimerkki",
        "identified_by": "identity-document", "is_written": True,
    }  # fmt: skip
    return RequestForm(kind, **told | other)


def asked(world: World, kind: str, **other: Any) -> str:
    """Id of a registered request."""
    return str(world.gateway.rights.register(processor(world), form(kind, **other))["id"])


def decided(world: World, request: str, outcome: str, **other: Any) -> None:
    """The controller's official decides."""
    world.gateway.rights.decide(official(world), request, Verdict(outcome, **other))


def entries(world: World, event: str) -> list[dict[str, Any]]:
    """Entries of one kind about the client."""
    told = world.gateway.office.entries(world.caller, CAST.name("A"), -1, 100_000)["entries"]
    return [one for one in told if one["event"] == event]


def page(world: World, reply: Any) -> str:
    """The readable form, without its marks."""
    return re.sub(r"<[^>]+>", " ", reply.html(world.gateway.parts))


def test_a_written_request_is_registered_with_its_clock(world: World) -> None:
    """CLR-01: who asked, for whom, when, what for and which period is kept, due two months after receipt. [CLR-01]"""
    rights, day = world.gateway.rights, datetime.now(UTC).date() - timedelta(days=5)
    told = rights.register(
        processor(world), form("log-report", received_on=day, purpose="Haluan tietää.", since=date(2026, 1, 1))
    )
    shown = rights.show(official(world), told["id"], "fi")
    (entry,) = entries(world, "right:register")

    assert add_months(day.isoformat(), 2) == told["due_on"] == shown["due_on"]
    assert ("Aino Esimerkki", "Haluan tietää.", "2026-01-01", CAST.name("A")) == tuple(
        shown["matter"][name] for name in ("asker_name", "purpose", "since", "client")
    )
    assert (day.isoformat(), "identity-document", "client") == tuple(
        entry["details"][name] for name in ("received_on", "identified_by", "asker")
    )
    assert (ORGANISER, "D1") == (entry["controller"], entry["details"]["row"])


def test_what_is_missing_is_told_all_at_once(world: World) -> None:
    """A report of the log is asked in writing; a suspicion names its entries; nothing of a text is repeated."""
    wrong = form("explanation", is_written=False, identified_by="hearsay", asker="guardian", asker_name=" ",
                 received_on=date(2999, 1, 1))  # fmt: skip
    with pytest.raises(ParameterError) as found:
        world.gateway.rights.register(processor(world), wrong)
    with pytest.raises(ParameterError) as unwritten:
        world.gateway.rights.register(processor(world), form("log-report", is_written=False))

    assert {"/identified_by", "/asker_name", "/received_on", "/power", "/purpose", "/entries"} == {
        one.pointer for one in found.value.findings
    }
    assert ["/is_written"] == [one.pointer for one in unwritten.value.findings]
    assert entries(world, "right:register") == []


def test_a_report_of_the_log(world: World) -> None:
    """CLR-01, CLR-09: who used, to whom disclosed, when, why, on which basis, in three languages. [CLR-01, CLR-09]"""
    rights, request = world.gateway.rights, asked(world, "log-report")
    decided(world, request, "granted")
    replies = {language: rights.answer(processor(world), request, language) for language in LANGUAGES}
    rows = replies["fi"].told["rows"]
    sent = [one for one in rows if one["event"] == "document:send"]

    assert [
        "703/2023 §14", "Development Person (välityspalvelun ylläpito)", "Paja", "Päivän kirjaus",
        "Kirjaus toimitettiin",
    ] == [
        next(one for one in rows if one["event"] == "record:submit" and one["data"] == "Päivän kirjaus")[name]
        for name in ("basis", "who", "organisation", "data", "act")
    ]  # fmt: skip
    assert [("luovutus", "valtakunnallinen arkisto", "Arkistointi")] * 2 == [
        (one["log"], one["recipient"], one["purpose"]) for one in sent
    ]
    for language, word, note in (
        ("fi", "Kirjaus toimitettiin", "vain omien oikeuksiesi"),
        ("sv", "Anteckningen levererades", "dina egna rättigheter"),
        ("en", "A record was delivered", "your own rights"),
    ):  # fmt: skip
        html = replies[language].html(world.gateway.parts)
        assert f'<html lang="{language}">' in html
        assert '<th scope="col">' in html
        assert all(text in page(world, replies[language]) for text in (word, note, "Tilaaja lapha", "Paja"))
    assert {len(one.told["rows"]) for one in replies.values()} == {len(rows)}, "given again it covers the same time"
    assert [False, True, True] == [one["details"]["again"] for one in entries(world, "right:answer")]
    assert entries(world, "right:answer")[0]["recipient"] == "client"


def test_a_refusal_is_a_written_decision(world: World) -> None:
    """CLR-02, CLR-05: refused on a ground of the law, in writing, with the way to appeal; no data. [CLR-02, CLR-05]"""
    request = asked(world, "log-report")
    with pytest.raises(ParameterError):
        decided(world, request, "refused", ground="statutory-record")
    decided(world, request, "refused", ground="health-danger", text="Lääkärin arvio 3.11.")
    reply = world.gateway.rights.answer(processor(world), request, "fi")
    told = page(world, reply)

    assert "rows" not in reply.told
    assert ("703/2023 §11.2", "refused") == (
        reply.told["decision"]["ground"]["basis"],
        reply.told["decision"]["outcome"],
    )
    assert all(
        one in told
        for one in ("Kirjallinen päätös", "vakavaa vaaraa", "Lääkärin arvio", "tietosuojavaltuutetun", OFFICIAL)
    )
    for language in LANGUAGES:
        assert "1050/2018 §21" in page(world, world.gateway.rights.answer(processor(world), request, language))


def test_older_log_data_needs_a_special_reason(world: World) -> None:
    """CLR-03: the window is two years; further back only for a reason that is recorded. [CLR-03]"""
    rights, old = world.gateway.rights, date(2019, 1, 1)
    world.ahead = timedelta(days=3 * 365)
    usual, early, reasoned = (
        asked(world, "log-report", **more)
        for more in ({}, {"since": old}, {"since": old, "special_reason": "Kantelu."})
    )
    with pytest.raises(ConflictError, match=r"special reason"):
        decided(world, early, "granted")
    decided(world, early, "partly", ground="no-special-reason")
    for request in (usual, reasoned):
        decided(world, request, "granted")
    given = {one: rights.answer(processor(world), one, "fi") for one in (usual, early, reasoned)}

    assert [False, False, True] == [
        any(row["event"] == "record:submit" for row in one.told["rows"]) for one in given.values()
    ]
    assert "erityistä syytä" in page(world, given[early])


def test_only_a_repeat_may_cost(world: World) -> None:
    """CLR-04: the first report is free of charge, a repeat at most the direct cost, which its page tells. [CLR-04]"""
    first, again = asked(world, "log-report"), ""
    with pytest.raises(ConflictError, match="free of charge"):
        decided(world, first, "granted", fee="5.00")
    decided(world, first, "granted")
    free = world.gateway.rights.answer(processor(world), first, "fi")
    again = asked(world, "log-report")
    decided(world, again, "granted", fee="5.00")
    paid = world.gateway.rights.answer(processor(world), again, "fi")

    assert "maksuton" in page(world, free)
    assert "Maksu on 5.00 euroa" in page(world, paid)
    assert first == world.gateway.rights.show(official(world), again, "fi")["repeats"]


def test_a_suspicion_is_explained_before_it_is_judged(world: World) -> None:
    """CLR-06: whose use it was tells the grounds, the controller its reasoned view; the client gets both. [CLR-06]"""
    rights = world.gateway.rights
    (place,) = [one["idx"] for one in entries(world, "record:submit")][1:2]
    request = asked(world, "explanation", purpose="Miksi tietoni avattiin?", entries=(place,))
    with pytest.raises(ParameterError):
        asked(world, "explanation", purpose="Miksi?", entries=(place, 100_000))
    with pytest.raises(ConflictError, match="not explained"):
        decided(world, request, "lawful", text="Käyttö perustui tehtävään.")
    provider = official(world, organisation=Oid(PROVIDER), role="provider-system", person_name="Eeva Esimerkki")
    rights.explain(provider, request, "Kirjasin päätöksen tiedot.")
    with pytest.raises(ParameterError):
        decided(world, request, "unlawful")
    decided(world, request, "lawful", text="Käyttö perustui tehtävään.")
    reply = rights.answer(processor(world), request, "fi")

    assert [place] == [one["entry"] for one in reply.told["suspected"]]
    assert ("Kirjasin päätöksen tiedot.", "Eeva Esimerkki") == tuple(
        reply.told["explanation"][name] for name in ("text", "by")
    )
    assert all(
        one in page(world, reply) for one in ("Miksi tietoni avattiin?", "Käyttö perustui tehtävään.", "lainmukaista")
    )


def test_the_own_view_names_nobody(world: World) -> None:
    """CLR-07, CLR-08: the client's own view has times, purposes and organisations, no professional. [CLR-07, CLR-08]"""
    portal = official(world, role="citizen-portal", relation=CAST.name("A"), person_name="Aino Esimerkki")
    reply = world.gateway.own_view.view(portal, CAST.name("A"), "sv")
    with pytest.raises(NotFoundError):
        world.gateway.own_view.view(replace(portal, relation="B-1"), CAST.name("A"), "sv")
    told = json.dumps(reply.told, ensure_ascii=False) + page(world, reply)

    assert {"record:submit", "document:send"} <= {one["event"] for one in reply.told["rows"]}
    assert [name for name in ("Development Person", "Operaattori", "Esimerkki") if name in told] == []
    assert all("who" not in one for one in reply.told["rows"])


def test_a_copy_of_all_that_is_held(world: World) -> None:
    """CLR-08: a copy under GDPR 15 holds everything about the client, but no staff and no other person. [CLR-08]"""
    request = asked(world, "access")
    decided(world, request, "granted")
    reply = world.gateway.rights.answer(processor(world), request, "fi")
    held = reply.told["held"]
    told = json.dumps(reply.told, ensure_ascii=False) + page(world, reply)

    assert ["client", "decision", "diary_entry", "diary_entry", "diary_entry"] == [
        one["type"] for one in held["records"]
    ]
    assert ["both", "both", "gateway"] == [one["kept"] for one in held["documents"]]
    assert held["records"][3]["content"]["notes"] == "Kertoi: [nimi poistettu] soitti."
    assert CAST.code("A") in told
    assert [name for name in ("Eeva", "Korhonen", "T-1", "Development Person", "Operaattori") if name in told] == []
    assert {
        "purposes",
        "basis",
        "recipients",
        "retention",
        "source",
        "categories",
        "automated",
        "rights",
    } == reply.told["about"].keys()
    assert ["valtakunnallinen arkisto"] == reply.told["recipients"]
    assert ["access"] == [one["kind"] for one in held["requests"]]
    assert held["log"]
    assert "Tehtävät" in page(world, reply), "fields have words"


def test_destroyed_content_is_said_to_be_in_the_archive(world: World) -> None:
    """After the grace period the copy tells that the content is in the controller's archive, under which OID."""
    world.ahead = timedelta(days=60)
    destroy_spent_keys(world.gateway.parts, world.caller, 30)
    request = asked(world, "access")
    decided(world, request, "granted")
    reply = world.gateway.rights.answer(processor(world), request, "fi")
    held = reply.told["held"]
    gone = [one for one in held["records"] if one["content"] is None]

    assert ["archive", "archive"] == [one["kept"] for one in gone]
    assert [5, 5] == [one["facts"]["hours"] for one in gone]
    assert ["archive", "archive", "gateway"] == [one["kept"] for one in held["documents"]]
    assert all(one["archived_at"] for one in held["documents"][:2])
    assert "Se on rekisterinpitäjän arkistossa" in page(world, reply)
    assert [name for name in ("Eeva", "T-1") if name in json.dumps(held)] == []


def test_the_controller_may_leave_out_a_part(world: World) -> None:
    """What the controller has decided not to give is neither in the report nor in the copy, and the ground is told."""
    rights = world.gateway.rights
    place = entries(world, "record:submit")[0]["idx"]
    report, copy = asked(world, "log-report"), asked(world, "access")
    with pytest.raises(ParameterError):
        decided(world, report, "partly", ground="rights-of-others")
    decided(world, report, "partly", ground="rights-of-others", left_out=(str(place),))
    first = rights.prepare(processor(world), copy, "fi").told["held"]["records"][2]
    decided(world, copy, "partly", ground="data-health-danger", left_out=(first["ticket"],))
    rows = rights.answer(processor(world), report, "fi")
    held = rights.answer(processor(world), copy, "en")

    assert place not in [one["entry"] for one in rows.told["rows"]]
    assert "jonkun oikeuksille" in page(world, rows)
    assert first["ticket"] not in [one["ticket"] for one in held.told["held"]["records"]]
    assert "endanger your health" in page(world, held)


def test_more_time_with_a_reason(world: World) -> None:
    """A copy is due in one month, with a reason that the client is told two months later; once, and in time only."""
    rights = world.gateway.rights
    request, late = (asked(world, "access", received_on=date(2026, 1, 31)), asked(world, "access"))
    report = asked(world, "log-report")
    known = {one["id"]: one for one in rights.list(official(world), "fi", as_of=date(2026, 2, 28))["requests"]}
    notice = rights.extend(official(world), late, "Pyyntö on laaja.", "fi")
    for other in (request, late, report):
        with pytest.raises(ConflictError):
            rights.extend(official(world), other, "Pyyntö on laaja.", "fi")
    due = rights.show(official(world), late, "fi")["due_on"]

    assert ("2026-02-28", "open") == (known[request]["due_on"], known[request]["clock"])
    assert add_months(datetime.now(UTC).date().isoformat(), 3) == due
    assert all(one in page(world, notice) for one in ("viivästyy", "Pyyntö on laaja.", "GDPR 12(3)"))
    assert [due] == [one["details"]["due_on"] for one in entries(world, "right:extend")]


def test_clocks(world: World) -> None:
    """The list tells what is overdue first, and what was answered late; a look is an entry without a client."""
    rights = world.gateway.rights
    late, open_ = asked(world, "log-report", received_on=date(2026, 1, 10)), asked(world, "log-report")
    overview = world.gateway.overview.status()["requests"]
    known = rights.list(official(world), "sv", as_of=datetime.now(UTC).date())
    decided(world, late, "granted")
    rights.answer(official(world), late, "sv")
    after = rights.list(official(world), "sv", clocks=[ClockState.DONE_LATE])

    assert {"open": 1, "breached": 1} == overview
    assert [(late, "breached"), (open_, "open")] == [(one["id"], one["clock"]) for one in known["requests"]]
    assert {"breached": 1, "open": 1} == known["clocks"]
    assert [late] == [one["id"] for one in after["requests"]]
    assert "Esimerkki" not in json.dumps(known)


def test_rectification_goes_to_the_controller(world: World) -> None:
    """The processor passes a rectification on and records it; the controller decides, and the client is told."""
    rights = world.gateway.rights
    request = asked(world, "rectification", wanted="Päivän 2.9. tunnit ovat väärin.")
    with pytest.raises(ConflictError, match="has not got"):
        decided(world, request, "granted")
    notice = rights.forward(processor(world), request, "fi")
    with pytest.raises(ConflictError):
        rights.forward(processor(world), request, "fi")
    decided(world, request, "refused", ground="data-is-correct")
    reply = rights.answer(processor(world), request, "sv")

    assert [ORGANISER] == [one["recipient"] for one in entries(world, "right:forward")]
    assert all(one in page(world, notice) for one in ("Päivän 2.9. tunnit ovat väärin.", "viimeistään"))
    assert "inte felaktig" in page(world, reply)


def test_a_request_alone_erases_no_statutory_record(world: World) -> None:
    """GDPR 17(3)(b): an erasure can only be refused, with that ground; the records stay."""
    rights = world.gateway.rights
    request = asked(world, "erasure", wanted="Poistakaa kaikki.")
    rights.forward(processor(world), request, "fi")
    with pytest.raises(ParameterError):
        decided(world, request, "granted")
    before = world.outcomes()
    decided(world, request, "refused", ground="statutory-record")
    reply = rights.answer(processor(world), request, "en")

    assert "GDPR 17(3)(b)" in page(world, reply)
    assert before == world.outcomes()


def minor() -> str:
    """Identity code of a fictional child."""
    digits = "010115902"
    return f"010115A902{CHECK_CHARACTERS[int(digits) % 31]}"


def test_who_may_ask_for_a_client(world: World) -> None:
    """D13: a custodian asks for a minor who does not prohibit it, a guardian with a power; nobody unidentified."""
    rights = world.gateway.rights
    child = Cast(9)
    deliver(world, [child.client("A", identity_code=minor())])
    with pytest.raises(ConflictError, match="of age"):
        asked(world, "access", asker="custodian")
    with pytest.raises(ParameterError):
        asked(world, "access", asker="custodian", client=child.name("A"))
    requests = {
        told: asked(world, "access", asker="custodian", client=child.name("A"), minor_prohibits=told)
        for told in ("yes", "no")
    }
    guardian = asked(world, "access", asker="guardian", power="DVV 12/2026: henkilöä koskevat asiat")
    stranger = asked(world, "access", identified_by="none")
    with pytest.raises(ConflictError, match="minor prohibits"):
        decided(world, requests["yes"], "granted")
    with pytest.raises(ConflictError, match="not been identified"):
        decided(world, stranger, "granted")
    for request in (requests["no"], guardian):
        decided(world, request, "granted")
    decided(world, requests["yes"], "refused", ground="minor-prohibits")
    decided(world, stranger, "refused", ground="not-identified")
    answer = rights.answer(processor(world), guardian, "fi")
    told = rights.answer(processor(world), stranger, "fi")

    assert "edunvalvoja" in page(world, answer)
    assert entries(world, "right:answer")[0]["basis"].startswith("GDPR 15; 703/2023 §49; 703/2023 §50; 703/2023 §51")
    assert "held" not in told.told
    assert rights.show(official(world), requests["no"], "fi")["matter"]["is_minor"]


def test_the_controller_decides(world: World) -> None:
    """The provider's system cannot decide, the operator only with the controller's official and instruction."""
    rights, request = world.gateway.rights, asked(world, "log-report")
    provider = official(world, organisation=Oid(PROVIDER), role="provider-system")
    with pytest.raises(NotPermittedError):
        rights.decide(provider, request, Verdict("granted"))
    with pytest.raises(NotPermittedError):
        rights.answer(provider, request, "fi")
    with pytest.raises(ParameterError) as found:
        rights.decide(processor(world), request, Verdict("granted"))
    with pytest.raises(ConflictError, match="has not decided"):
        rights.answer(processor(world), request, "fi")
    rights.decide(processor(world), request, Verdict("granted", decided_by=OFFICIAL, instruction=REFERENCE))
    register(world, organiser=OTHER, purchaser="heinola")
    with pytest.raises(NotFoundError):
        rights.answer(official(world, organisation=Oid(OTHER)), request, "fi")
    reply = rights.answer(processor(world), request, "fi")

    assert {"/instruction", "/decided_by"} == {one.pointer for one in found.value.findings}
    assert (OFFICIAL, "Olli Operaattori") == tuple(
        reply.told["decision"][name] for name in ("decided_by", "recorded_by")
    )
    assert [REFERENCE] == [one["details"]["instruction"] for one in entries(world, "right:decide")]
    assert ("Tilaaja lapha", "Paja") == (reply.told["controller"]["name"], reply.told["prepared_by"]["name"])


def test_a_receipt_tells_what_was_recorded_and_not_the_content(world: World) -> None:
    """A receipt has title, day, author, labels and how to object, of a time or of one document, and no value."""
    view, first, last = world.gateway.own_view, date(2025, 9, 2), date(2025, 9, 3)
    replies = {
        one: view.receipt(processor(world), CAST.name("A"), one, first=first, last=last)
        for one in (*LANGUAGES, "selko")
    }
    one = replies["fi"].told["documents"][0]
    single = view.receipt(processor(world), CAST.name("A"), "fi", document=one["oid"])
    with pytest.raises(NotFoundError):
        view.receipt(processor(world), CAST.name("A"), "fi", document="1.2.3")
    pages = {name: page(world, reply) for name, reply in replies.items()}

    assert ("Merkintä asiakkaan arjesta", "2025-09-02", "Eeva Esimerkki") == (one["name"], one["day"], one["author"])
    assert "Kuvaus" in one["items"]
    assert [2, 2, 2, 2] == [len(reply.told["documents"]) for reply in replies.values()]
    assert [one["oid"]] == [known["oid"] for known in single.told["documents"]]
    assert [name for name, told in pages.items() if "Kankaiden" in told or CAST.code("A") in told] == []
    assert "Anteckning om en klients vardag" in pages["sv"]
    assert "Merkintä päivästäsi" in pages["selko"]
    assert all("tietosuoja" in told and "Tilaaja lapha" in told for told in pages.values())
    assert '<html lang="fi">' in replies["selko"].html(world.gateway.parts)


def test_easy_finnish_is_easy(world: World) -> None:
    """A sentence of the easy receipt has at most ten words, no word more than five syllables long, no statute."""
    first, last = date(2025, 9, 1), date(2025, 9, 30)
    html = world.gateway.own_view.receipt(processor(world), CAST.name("A"), "selko", first=first, last=last).html(
        world.gateway.parts
    )
    lines = re.findall(r"<(?:p|li|h1|h2)>(.*?)</", html)
    sentences = [one for line in lines for one in re.split(r"(?<=[a-zäö])[.?] ", line)]
    words = [word for one in sentences for word in re.findall(r"[a-zäö]+", one.casefold())]

    assert len(sentences) > 15
    assert [one for one in sentences if len(one.split()) > 10] == []
    assert [one for one in words if len(re.findall(r"[aeiouyäö]+", one)) > 5] == []
    assert [
        one for one in ("703", "§", "GDPR", "rekisterinpitäjä", "luovut", "käsittely") if one in html.split("<main>")[1]
    ] == []


def test_turvakielto_in_every_answer(world: World) -> None:
    """Nothing that tells where a client under turvakielto lives or goes is in a report, copy, view or receipt."""
    rights, view = world.gateway.rights, world.gateway.own_view
    cast = Cast(3)
    contact = {"street_address": "Haavikonraito 17", "postal_code": "99970", "town": "Lehtikangasjoki"}
    deliver(world, [
        cast.client("A", non_disclosure=True, contact=contact),
        {"type": "unit", "id": UNIT, "name": "Salainen yksikkö"}, cast.decision("A", unit=UNIT),
        cast.entry("A", notes="Kävimme osoitteessa Haavikonraito 17."),
    ])  # fmt: skip
    texts: list[str] = []
    for kind in ("log-report", "access"):
        request = asked(world, kind, client=cast.name("A"))
        decided(world, request, "granted")
        reply = rights.answer(processor(world), request, "fi")
        texts += [json.dumps(reply.told), reply.html(world.gateway.parts)]
    for reply in (
        view.view(processor(world), cast.name("A"), "fi"),
        view.receipt(processor(world), cast.name("A"), "fi", first=date(2025, 1, 1)),
    ):  # fmt: skip
        texts += [json.dumps(reply.told), reply.html(world.gateway.parts)]

    assert any("Turvakiellon vuoksi" in one for one in texts)
    assert [
        word for word in ("Haavikon", "99970", "Lehtikangas", UNIT, "Salainen") if any(word in one for one in texts)
    ] == []


def test_what_was_said_is_destroyed_after_three_years(world: World) -> None:
    """Three years after the answer who asked and why is gone; the dates stay, and log and tables still match."""
    rights, request = world.gateway.rights, asked(world, "log-report", purpose="Haluan tietää.")
    open_ = asked(world, "access")
    decided(world, request, "granted")
    rights.answer(processor(world), request, "fi")
    world.ahead = timedelta(days=3 * 365 - 3)
    early = rights.destroy_old(processor(world))
    world.ahead = timedelta(days=3 * 365 + 3)
    gone = rights.destroy_old(processor(world))
    world.gateway.retention.oblivion.carry()
    with pytest.raises(KeyUnavailableError):
        rights.show(official(world), request, "fi")
    matched = world.gateway.trail.verify(reconcile=True)

    assert (0, 1) == (early, gone)
    assert {request, open_} == {one["id"] for one in rights.list(official(world), "fi")["requests"]}
    assert ([], []) == (matched["problems"], matched["unmatched"])


def test_nothing_that_was_said_stands_in_the_log_or_plainly_in_the_database(world: World) -> None:
    """Who asks and what was said is sealed: neither the log nor the database's bytes hold it."""
    request = asked(
        world, "rectification", wanted="Merkkilause yksi", purpose="Merkkilause kaksi", contact="Merkkikatu 1"
    )
    world.gateway.rights.forward(processor(world), request, "fi")
    decided(world, request, "refused", ground="data-is-correct", text="Merkkilause kolme")
    log = json.dumps(world.gateway.office.entries(world.caller, None, -1, 100_000))
    stored = b"".join(one.read_bytes() for one in (world.folder / "data").rglob("*") if one.is_file())

    assert b"client_request" in stored
    assert "Merkki" not in log
    assert b"Merkki" not in stored


def system(world: World, organisation: str, role: str, relation: str = "") -> System:
    """A system that its organisation has registered."""
    claims = {"purpose": "client-request", "contract": "NAYTE/1", "person_name": OFFICIAL, "relation": relation}
    return System(organisation, role, **claims).registered(world.gateway)


def test_over_http(world: World) -> None:
    """The provider registers, the controller's official decides and answers, each within its own rights."""
    register(world, organiser=OTHER, purchaser="heinola")
    call = Line(world.gateway)
    provider, own, other = (
        system(world, organisation, role)
        for organisation, role in ((PROVIDER, "provider-system"), (ORGANISER, "registrar"), (OTHER, "registrar"))
    )
    told = {
        "kind": "log-report", "client": CAST.name("A"), "asker": "client", "asker_name": "Aino Esimerkki",
        "identified_by": "strong-authentication", "is_written": True, "received_on": "2026-11-01",
    }  # fmt: skip
    made = call(provider.token(), "POST", "/v1/requests", json=told)
    wrong = call(provider.token(), "POST", "/v1/requests", json={**told, "since": "maaliskuu", "secret": "Merkkilause"})
    path = f"/v1/requests/{made.json()['id']}"
    refused = [
        call(provider.token(), "POST", f"{path}:decide", json={"outcome": "granted"}),
        call(other.token(), "GET", path), call(other.token(), "POST", "/v1/requests", json=told),
        call(own.token(), "POST", f"{path}:answer"),
    ]  # fmt: skip
    prepared = call(own.token(), "POST", f"{path}:prepare")
    decision = call(own.token(), "POST", f"{path}:decide", json={"outcome": "granted"})
    listed = call(own.token(), "GET", "/v1/requests", params={"clock": "open"}).json()
    answer = call(
        own.token(), "POST", f"{path}:answer", params={"form": "page"}, headers={"Accept-Language": "sv"}
    )  # fmt: skip

    assert (201, "2027-01-01") == (made.status_code, made.json()["due_on"])
    assert (422, False) == (wrong.status_code, "Merkkilause" in wrong.text)
    assert {"/since", "/body"} == {one["pointer"] for one in wrong.json()["findings"]}
    assert [403, 404, 404, 409] == [one.status_code for one in refused]
    assert [200, 200] == [prepared.status_code, decision.status_code]
    assert [path.rpartition("/")[2]] == [one["id"] for one in listed["requests"]]
    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert 'lang="sv"' in answer.text


def test_the_portal_over_http(world: World) -> None:
    """A citizen portal shows view and receipt of the client that signed in, and of no other."""
    call, portal = Line(world.gateway), system(world, ORGANISER, "citizen-portal", CAST.name("A"))
    path = f"/v1/clients/{CAST.name('A')}"
    seen = call(portal.token(), "GET", f"{path}/log-view")
    receipt = call(
        portal.token(), "GET", f"{path}/receipt",
        params={"language": "selko", "form": "page", "since": "2025-09-01"},
    )  # fmt: skip
    others = [
        call(portal.token(), "GET", place)
        for place in ("/v1/clients/B-1/log-view", "/v1/requests", f"{path}/access-report")
    ]

    assert [200, 200] == [seen.status_code, receipt.status_code]
    assert "Mitä sinusta on kirjoitettu" in receipt.text
    assert [404, 403, 403] == [one.status_code for one in others]


def test_by_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands do the same: register, list, decide with the controller's instruction, answer as two files."""
    monkeypatch.setenv("KANTA_SIGNING_ALGORITHM", "p-256")
    run = CliRunner()

    def told(*words: str) -> str:
        done = run.invoke(commands, ["--data", str(world.folder / "data"), *words])
        assert done.exit_code == 0, done.output
        return done.output

    made = json.loads(told(
        "requests", "register", CAST.name("A"), "--kind", "log-report", "--asker-name", "Aino Esimerkki",
        "--identified-by", "known", "--written", "--json",
    ))  # fmt: skip
    assert made["id"] in told("requests", "list", "--clock", "open")
    assert "Aino Esimerkki" in told("requests", "show", made["id"])
    assert "<main>" in told("requests", "prepare", made["id"], "--lang", "sv")
    told("requests", "decide", made["id"], "--outcome", "granted", "--decided-by", OFFICIAL, "--instruction", REFERENCE)
    told("requests", "answer", made["id"], "--out", str(world.folder / "reply"))
    assert json.loads((world.folder / "reply.json").read_text("utf-8"))["rows"]
    assert "Lokitiedot" in (world.folder / "reply.html").read_text("utf-8")
    assert "Mitä sinusta on kirjoitettu" in told("receipts", "make", CAST.name("A"), "--lang", "selko")
    assert json.loads(told("receipts", "view", CAST.name("A"), "--json"))["rows"]
