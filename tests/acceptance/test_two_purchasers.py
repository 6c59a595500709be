"""What a person of one purchaser learns of another one, its providers, its clients and how much there is: nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.callers import Http, Who
from tests.chains import Cast
from tests.purchasers import (
    AT_OTHER,
    FILES,
    FIRST,
    OF_BOTH,
    OF_FIRST,
    OF_NOBODY,
    OF_SECOND,
    ONLY_SECONDS,
    SECOND,
    WORKERS,
    Purchasers,
    contract_file,
    number,
    person,
)
from tests.small_export import PROVIDER

from kanta_gateway.errors import ConflictError, NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.model import Caller, Oid

READERS = ("auditor", "log-supervisor")
ARCHIVE = "national archive for social welfare"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Purchasers]:
    """Before anything happened for the second purchaser: each fact below looks, lets it happen and looks again."""
    made = Purchasers(tmp_path_factory.mktemp("two"))
    yield made
    made.close()


@dataclass(frozen=True)
class Seen:
    """What the first purchaser's people are told, before and after."""

    answers: dict[str, list[dict[str, str]]]
    """Role -> question and form -> text."""
    lists: list[dict[tuple[str, str], Any]]
    """Path and role -> status and answer."""


@pytest.fixture(scope="module")
def seen(two: Purchasers) -> Seen:
    """Looks, lets everything happen for the second purchaser, and looks again."""
    http = Http(two.gateway)
    lists = [listed(http)]
    before = {role: answers(two, person(role, FIRST)) for role in READERS}
    two.busy()
    told = {role: [before[role], answers(two, person(role, FIRST))] for role in READERS}
    return Seen(told, [*lists, listed(http)])


LISTS = {
    "/v1/documents": "purchaser-supervisor supervision", "/v1/documents?limit=1": "purchaser-it technical-support",
    "/v1/notices": "purchaser-official service-arranging", "/v1/figures": "purchaser-supervisor supervision",
    "/v1/figures/reconciliation": "purchaser-supervisor supervision",
    "/v1/deadlines?as_of=2025-10-01": "purchaser-supervisor supervision",
    "/v1/completeness?as_of=2025-10-01": "purchaser-supervisor supervision",
    "/v1/figures?client=A-3": "purchaser-official invoicing", "/v1/parties": "log-supervisor log-supervision",
    "/v1/persons": "registrar register-maintenance", "/v1/requests": "registrar client-request",
    "/v1/access/grants": "access-reviewer audit", "/v1/access/counts?month=2026-11": "access-reviewer audit",
    "/v1/changes": "approver administration", "/v1/audit/cases": "log-supervisor log-supervision",
    "/v1/clients/A-3/access-report": "log-supervisor log-supervision",
}  # fmt: skip
"""Path -> who asks, and for what."""


def listed(http: Http) -> dict[tuple[str, str], Any]:
    """Every list as the first purchaser's people see it."""
    found = {}
    for path, who in LISTS.items():
        role, purpose = who.split(" ")
        told = http.call("GET", path, Who(role, FIRST, purpose, number(PROVIDER, FILES[FIRST])))
        found[path, role] = (told.status_code, without_asking(told.json()))
    return found


def without_asking(told: Any) -> Any:
    """An answer without the entries about what is asked here."""
    if isinstance(told, dict) and "rows" in told:
        return {**told, "rows": [one for one in told["rows"] if one["organisation"] != FIRST]}
    return told


def answers(two: Purchasers, caller: Caller) -> dict[str, str]:
    """The answer to every question in every form: question and form -> text."""
    known = two.gateway.parts.supervision.questions.all()
    ref = two.ref(OF_BOTH)
    return {
        f"{one.id} {form}": "".join(two.gateway.auditors.answers.ask(caller, one.id, {
            **({"client": ref} if one.parameters.get("client") else {}),
            **({"recipient": ARCHIVE} if "recipient" in one.parameters else {}),
        }, form, "en"))
        for one in known for form in ("csv", "fhir", "jsonl")
    }  # fmt: skip


def rows(text: str) -> list[dict[str, Any]]:
    """The rows of an answer in JSON Lines, without the asking itself, and without size and root of the one log."""
    told = [json.loads(line) for line in text.splitlines()[1:-1]]
    return [{name: value for name, value in one.items() if name not in {"size", "root"}}
            for one in told if one.get("event") != "audit:read"]  # fmt: skip


def marks(two: Purchasers) -> list[str]:
    """What tells of the second purchaser."""
    names = two.gateway.parts.log.names
    return [
        SECOND, ONLY_SECONDS, *WORKERS[ONLY_SECONDS], "toisen järjestelmä", number(PROVIDER, "heinola"),
        number(ONLY_SECONDS, "lapha"), two.ref(OF_SECOND), two.ref(AT_OTHER, ONLY_SECONDS), two.tickets[OF_SECOND],
        two.tickets[AT_OTHER], two.tickets[OF_BOTH], names.reference(ONLY_SECONDS, WORKERS[ONLY_SECONDS][0]),
        names.reference(SECOND, "log-supervisor-1"),
    ]  # fmt: skip


@pytest.mark.parametrize("role", READERS)
def test_no_question_tells_of_another_purchaser(two: Purchasers, seen: Seen, role: str) -> None:
    """None of the questions, in any form, names another purchaser, its provider, client, user, contract or ticket."""
    told = seen.answers[role][1]

    assert [] == [(name, mark) for name, text in told.items() for mark in marks(two) if mark in text]
    assert len(told) == 3 * len(two.gateway.parts.supervision.questions.all())


@pytest.mark.parametrize("role", READERS)
def test_no_question_tells_how_much_there_is_of_another_purchaser(seen: Seen, role: str) -> None:
    """Whatever happens for another purchaser, the rows of every answer stay as they were, and so does what is withheld.

    The size of the one log, and which places of it an answer leaves out, are told: proofs need them.
    """
    before, after = seen.answers[role]
    questions = [one.removesuffix(" jsonl") for one in before if one.endswith("jsonl")]
    ends = [[json.loads(told[f"{one} jsonl"].splitlines()[-1]).get("withheld") for one in questions]
            for told in (before, after)]  # fmt: skip

    assert {one: rows(before[f"{one} jsonl"]) for one in questions} == {
        one: rows(after[f"{one} jsonl"]) for one in questions
    }
    assert ends[0] == ends[1]
    assert any(rows(before[f"{one} jsonl"]) for one in ("client-access", "users", "traffic", "incidents", "leavers"))


def test_no_list_tells_how_much_there_is_of_another_purchaser(two: Purchasers, seen: Seen) -> None:
    """Documents, notices, figures, deadlines, parties, requests, grants and cases stay as they were, counts and cursors
    too, whatever happens for another purchaser. [LOG-14]
    """
    before, after = seen.lists

    assert before == after
    assert [] == [path for path, (status, _) in after.items() if status != 200]
    assert [] == [(path, mark) for (path, _), told in after.items() for mark in marks(two) if mark in json.dumps(told)]
    assert after["/v1/documents", "purchaser-supervisor"][1]["documents"]


@pytest.mark.usefixtures("seen")
def test_a_relationship_is_told_to_whose_contract_it_is_under(two: Purchasers) -> None:
    """703/2023 §14: a client's relationship is told to the one controller that it falls under: whom it names, for whom
    alone the provider works, or in whose register alone the client stood when it was stated. Else the operator knows.
    """
    told = {}
    supervisor = replace(two.world.caller, system="desk", role="log-supervisor", purpose="log-supervision")
    for who, by in (("first", replace(supervisor, organisation=Oid(FIRST))), ("operator", two.world.caller),
                    ("second", replace(supervisor, organisation=Oid(SECOND)))):  # fmt: skip
        rows = two.gateway.party_book.on(by, None, None, "relationship")["register"]
        told[who] = {(one["provider"], one["client"], one.get("controller", "")) for one in rows}
    of_first = {(PROVIDER, two.ref(OF_FIRST), ""), (PROVIDER, two.ref(OF_BOTH), "")}
    of_second = {
        (PROVIDER, two.ref(OF_SECOND), ""), (PROVIDER, two.ref(OF_BOTH), SECOND),
        (ONLY_SECONDS, two.ref(AT_OTHER, ONLY_SECONDS), ""), (ONLY_SECONDS, two.ref(OF_FIRST), ""),
    }  # fmt: skip

    assert told == {
        "first": of_first,
        "second": of_second,
        "operator": of_first | of_second | {(PROVIDER, two.ref(OF_NOBODY), "")},
    }


# whose register an entry is of


@pytest.mark.usefixtures("seen")
def test_an_entry_is_of_the_register_that_was_used(two: Purchasers) -> None:
    """LOG-01, LOG-08: what a provider of several purchasers reads is an entry of the register in which the client
    stands; of a client of both, of each. [LOG-01, LOG-08]
    """
    by = replace(person("provider-system", PROVIDER), person_id=WORKERS[PROVIDER][0])
    two.gateway.office.figures(by, None, None, explain=False)
    two.gateway.auditors.cases.review(two.world.caller, last=two.gateway.office.today)
    read = [one for one in two.log() if one["event"] in {"record:read", "figures:read"} and one["provider"] == PROVIDER]
    registers = {
        client: {one["controller"] for one in read if one.get("client") == two.ref(client)}
        for client in (OF_FIRST, OF_SECOND, OF_BOTH)
    }

    assert {OF_FIRST: {FIRST}, OF_SECOND: {SECOND}, OF_BOTH: {FIRST, SECOND}} == registers
    assert {FIRST, SECOND} <= {
        one["controller"] for one in two.log() if one["event"] == "audit:review" and one["details"]["scope"] == "all"
    }


@pytest.mark.usefixtures("seen")
def test_a_denial_is_of_the_contract_that_the_assertion_names(two: Purchasers) -> None:
    """LOG-13: what a provider's person may not do is in the register of the contract under which it asks. [LOG-13]"""
    for purchaser in (FIRST, SECOND):
        by = replace(person("provider-system", PROVIDER), contract=number(PROVIDER, FILES[purchaser]))
        with pytest.raises(NotPermittedError):
            two.gateway.auditors.cases.listed(by)

        assert (purchaser, "case:read") == (two.log()[-1]["controller"], two.log()[-1]["details"]["asked"])


# changes of content


@pytest.mark.usefixtures("seen")
def test_changes_are_known_to_whose_contract_files_they_are_of(two: Purchasers) -> None:
    """A controller's person sees and decides changes of what is common and of its own contract files; another's is told
    like one that is not there. Counts are of the own register, and the log of each tells of its own files. [LOG-14]
    """
    changes, operator = two.gateway.changes, two.world.caller
    first, second = person("approver", FIRST), person("approver", SECOND)
    counts = {whose: {"records": each, "since": "2025-01-01", "rules": {"LAP-1": {"comes": each}},
                      "outcomes": [{"from": "accepted", "to": "held", "count": each}]}
              for whose, each in ((FIRST, 3), (SECOND, 5))}  # fmt: skip
    effect = {"contracts": {"lapha": counts, "heinola": {SECOND: counts[SECOND]}}}
    made = {
        "second": two.propose({"contracts": {"heinola": {SECOND: counts[SECOND]}}}, contract_file("heinola")),
        "both": two.propose(effect, contract_file("lapha")), "law": two.propose(effect, contract_file("national")),
        "mixed": two.propose(effect, contract_file("heinola"), "policy/mixed.cedar"),
        "nobody": two.propose({}, contract_file("helsinki")), "common": two.propose({}, "policy/own.cedar"),
        "channels": two.propose({}, "notice-channels"),
    }  # fmt: skip
    known = {name: {one["number"] for one in changes.listed(by)["changes"]} & set(made.values())
             for name, by in (("first", first), ("second", second), ("operator", operator))}  # fmt: skip
    of_all = {made["both"], made["law"], made["common"]}

    assert known == {
        "first": of_all,
        "second": of_all | {made["second"], made["mixed"]},
        "operator": set(made.values()),
    }
    shown = {by.organisation: changes.show(by, made["law"])["preview"]["contracts"] for by in (first, second, operator)}
    assert {"lapha": 3} == {name: one["records"] for name, one in shown[first.organisation].items()}
    assert {"lapha": 5, "heinola": 5} == {name: one["records"] for name, one in shown[second.organisation].items()}
    whole = shown[operator.organisation]["lapha"]
    assert (8, {"LAP-1": {"comes": 8}}, 8) == (whole["records"], whole["rules"], whole["outcomes"][0]["count"])
    for act in (changes.show, changes.approve, changes.reject):
        told = []
        for which in (made["second"], 999):
            with pytest.raises(NotFoundError) as error:
                act(first, which)
            told.append(str(error.value))
        assert 1 == len(set(told))
    assert "approved" == changes.approve(second, made["second"])["state"]
    assert "approved" == changes.approve(first, made["common"])["state"]
    assert contract_file("heinola") in changes.listed(second)["approved"]
    assert contract_file("heinola") not in changes.listed(first)["approved"]
    pieces = [(one["controller"], path) for one in two.log() if one["event"].startswith("change:")
              for path in one["details"].get("pieces", ())]  # fmt: skip
    assert {SECOND} == {whose for whose, path in pieces if path == contract_file("heinola")}
    assert {"apart"} == {whose for whose, path in pieces if path in {contract_file("helsinki"), "notice-channels"}}


# cases of supervision


@pytest.mark.usefixtures("seen")
def test_cases_are_seen_by_whose_register_they_are_of(two: Purchasers) -> None:
    """LOG-10: each purchaser's log supervisor sees the cases of its own register, the operator sees all; another's case
    is told like one that is not there, and the attempt is an entry of the register that it was about. [LOG-10]
    """
    cases, operator = two.gateway.auditors.cases, two.world.caller
    first, second = (person("log-supervisor", one) for one in (FIRST, SECOND))
    own = {who: {one["id"] for one in cases.listed(by)["cases"]} for who, by in (
        ("first", first), ("second", second), ("operator", operator))}  # fmt: skip
    another = next(iter(own["second"]))
    told = []
    for name in (another, "nothing"):
        for act in (cases.shown, lambda by, one: cases.work(by, one, note="x"),
                    lambda by, one: cases.close(by, one, "lawful", "x"),
                    lambda by, one: cases.told(by, one, "organiser")):  # fmt: skip
            with pytest.raises(NotFoundError) as error:
                act(first, name)
            told.append(str(error.value))

    assert own["second"]
    assert own["first"].isdisjoint(own["second"])
    assert own["operator"] >= own["first"] | own["second"]
    assert 1 == len(set(told))
    assert [SECOND] * 4 + [FIRST] * 4 == [one["controller"] for one in two.log()[-8:]]
    assert {"request:deny"} == {one["event"] for one in two.log()[-8:]}


@pytest.mark.usefixtures("seen")
def test_an_incident_is_told_to_the_controller_that_it_concerns(two: Purchasers) -> None:
    """GDPR 33(2): the operator says whose register an incident concerns; that controller sees it, another one not, and
    nobody opens one in the register of another.
    """
    cases, now = two.gateway.auditors.cases, two.gateway.parts.now()
    first, second = (person("log-supervisor", one) for one in (FIRST, SECOND))
    of_first = cases.open_incident(two.world.caller, "personal-data-breach", now, controller=FIRST)["id"]
    of_none = cases.open_incident(two.world.caller, "personal-data-breach", now)["id"]
    with pytest.raises(ParameterError):
        cases.open_incident(second, "personal-data-breach", now, controller=FIRST)

    assert of_first == cases.shown(first, of_first)["id"]
    assert of_none == cases.shown(two.world.caller, of_none)["id"]
    for by, case in ((second, of_first), (first, of_none), (second, of_none)):
        with pytest.raises(NotFoundError):
            cases.shown(by, case)


# one number of two persons


@pytest.mark.usefixtures("seen")
def test_a_number_that_two_providers_use_is_never_mixed(two: Purchasers) -> None:
    """Two providers of one register may give two persons the same number: without the provider it is refused, with the
    providers that the caller may know; whoever knows of one of them only is told of that one. [LOG-14]
    """
    same, office, http = Cast(7), two.gateway.office, Http(two.gateway)
    two.take(same, ONLY_SECONDS, "lapha")
    two.take(same, PROVIDER, FILES[FIRST])
    one = office.access_report(person("log-supervisor", SECOND), same.name("A"))["rows"]
    two.take(same, PROVIDER, FILES[SECOND])
    own, first = person("log-supervisor", SECOND), person("log-supervisor", FIRST)
    path = f"/v1/clients/{same.name('A')}"
    asks: dict[str, Any] = {
        "report": lambda oid: office.access_report(own, same.name("A"), oid)["rows"],
        "entries": lambda oid: office.entries(own, same.name("A"), -1, 1000, oid)["entries"],
        "export": lambda oid: list(two.gateway.trail.export("csv", own, same.name("A"), oid)),
        "wills": lambda oid: two.gateway.accesses.wills(same.name("A"), two.world.caller, oid)["registers"],
        "ask": lambda oid: list(two.gateway.auditors.answers.ask(
            own, "client-access", {"client": same.name("A"), "provider": oid}, "csv", "en")),
        "view": lambda oid: two.gateway.own_view.view(two.world.caller, same.name("A"), "en", oid, "lapha").told,
    }  # fmt: skip
    for name, ask in asks.items():
        with pytest.raises(ConflictError, match=f"{PROVIDER}.*{ONLY_SECONDS}"):
            ask("")
        assert ask(ONLY_SECONDS), name
    supervisor = Who("log-supervisor", SECOND, "log-supervision")
    told = http.call("GET", f"{path}/access-report", supervisor)
    named = http.call("GET", f"{path}/access-report?provider={ONLY_SECONDS}", supervisor)
    with pytest.raises(NotFoundError):
        office.access_report(first, same.name("A"), ONLY_SECONDS)

    assert (409, 200) == (told.status_code, named.status_code)
    assert PROVIDER in told.text
    whose = {oid: {each["client"] for each in asks["entries"](oid) if "client" in each}
             for oid in (ONLY_SECONDS, PROVIDER)}  # fmt: skip
    assert {oid: {two.ref(same, oid)} for oid in (ONLY_SECONDS, PROVIDER)} == whose
    assert one
    assert {FIRST} == {each["controller"] for each in office.access_report(first, same.name("A"))["rows"]}


# the log itself


@pytest.mark.usefixtures("seen")
def test_of_a_client_of_both_each_sees_its_own_entries(two: Purchasers) -> None:
    """LOG-14: asked for a client by number, a purchaser is told neither entries of another's register nor that there
    are some, by the page of entries, the access report or an export. [LOG-14]
    """
    office, own = two.gateway.office, person("log-supervisor", FIRST)
    client = OF_BOTH.name("A")
    page = office.entries(own, client, -1, 1000)["entries"]
    exports = {form: "".join(two.gateway.trail.export(form, replace(own, system="local"), client)) for form in (
        "csv", "fhir", "jsonl")}  # fmt: skip
    opened = [one for one in map(json.loads, exports["jsonl"].splitlines()) if "event" in one]

    assert {FIRST} == {one["controller"] for one in page}
    assert {FIRST} == {one["controller"] for one in opened}
    assert {FIRST} == {one["controller"] for one in office.access_report(own, client)["rows"]}
    assert [] == [(form, mark) for form, text in exports.items() for mark in marks(two) if mark in text]
    assert {one["idx"] for one in opened} <= {one["idx"] for one in office.entries(own, client, -1, 1000)["entries"]}


@pytest.mark.usefixtures("seen")
def test_an_export_of_the_whole_log_closes_another_register(two: Purchasers) -> None:
    """LOG-14: an export by one purchaser's person holds another's entries as leaf hashes, or leaves them out.

    Who tried to reach what is its own it is told, whoever it was. [LOG-14]
    """
    own = replace(person("auditor", FIRST), system="local")
    exports = {form: "".join(one for one in two.gateway.trail.export(form, own) if "request:deny" not in one)
               for form in ("csv", "fhir", "jsonl")}  # fmt: skip
    lines = [json.loads(one) for one in two.gateway.trail.export("jsonl", own)]

    assert [] == [(form, mark) for form, text in exports.items() for mark in marks(two) if mark in text]
    assert [one["idx"] for one in lines] == list(range(len(lines)))
    assert {one["controller"] for one in lines if "event" in one} <= {FIRST, "every", "unregistered", ""}
    assert any(one.keys() == {"idx", "leaf"} for one in lines)


@pytest.mark.usefixtures("seen")
def test_missing_and_anothers_are_told_alike(two: Purchasers) -> None:
    """LOG-13: a client, an entry and a case of another's register are answered as those that are not there, in status,
    body and headers, and each attempt leaves one entry. [LOG-13]
    """
    http, supervisor = Http(two.gateway), Who("log-supervisor", FIRST, "log-supervision")
    anothers = next(one["idx"] for one in two.log() if one.get("client") == two.ref(OF_SECOND))
    case = two.gateway.auditors.cases.listed(person("log-supervisor", SECOND))["cases"][0]["id"]
    pairs = (
        (f"/v1/clients/{OF_SECOND.name('A')}/access-report", "/v1/clients/A-404/access-report"),
        (f"/v1/audit/entries/{anothers}/client", "/v1/audit/entries/99999999/client"),
        (f"/v1/audit/cases/{case}", "/v1/audit/cases/00000000-0000-4000-8000-000000000000"),
        (f"/v1/audit/questions/1?client={OF_SECOND.name('A')}", "/v1/audit/questions/1?client=A-404"),
    )
    for both in pairs:
        told, entries = [], []
        for path in both:
            before = len(two.log())
            answer = http.call("GET", path, supervisor)
            told.append((answer.status_code, answer.content, dict(answer.headers)))
            entries.append([(one["event"], one["details"]["reasons"]) for one in two.log()[before:]])

        assert (told[0], entries[0]) == (told[1], entries[1]), both
        assert (404, 1) == (told[0][0], len(entries[0])), both
