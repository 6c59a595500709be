"""Data between registers: permits, prohibitions and consents decide as they are known at the moment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.crossing import BESIDE, CLINIC, ORGANISER, OTHER, PROVIDER, Crossing, kinds

from kanta_gateway.database import Database
from kanta_gateway.model import Event, Oid
from kanta_gateway.pipeline.accesses import About

if TYPE_CHECKING:
    from sqlalchemy import Connection

PERMIT: dict[str, Any] = {"type": "disclosure_permit", "is_valid": True}
BY_PERMIT = {"under": "permit", **BESIDE}


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossing]:
    """One installation for all facts below; each has a client of its own."""
    made = Crossing(tmp_path_factory.mktemp("crossing"))
    yield made
    made.gateway.close()


def test_too_many_documents_are_noticed(crossing: Crossing) -> None:
    """Who is given as much as its role may in a time gets no more for now, and the attempt is an entry. [LOG-11]"""
    _, oid = crossing.client(PERMIT)
    limits = replace(crossing.gateway.parts.limits, reads={"receiving-official": 1})
    first = crossing.disclose(oid, BY_PERMIT, person="V-50").status_code
    parts = crossing.gateway.parts
    plain = parts.limits
    object.__setattr__(parts, "limits", limits)
    try:
        after = crossing.disclose(oid, BY_PERMIT, person="V-50").status_code
    finally:
        object.__setattr__(parts, "limits", plain)

    assert (200, 429) == (first, after)
    assert ["too many reads"] == crossing.entries("request:deny")[-1]["details"]["reasons"]


def test_a_permit_discloses_and_is_written_down(crossing: Crossing) -> None:
    """With a permit and an open relationship a document is disclosed beside Kanta, with why, and the entry names both.

    The disclosure log tells what, whose, discloser, recipient, time, purpose, provision and permit. [LOG-03, ACC-05]
    """
    cast, oid = crossing.client(PERMIT)
    answer = crossing.disclose(oid, BY_PERMIT)
    (entry,) = [one for one in crossing.entries("document:disclose") if one["subject"] == oid]
    (permit,) = crossing.gateway.accesses.wills(cast.name("A"), crossing.world.caller)["registers"][0]["wills"]

    assert 200 == answer.status_code
    assert b"ClinicalDocument" in answer.content
    assert ("disclosure", PROVIDER, ORGANISER, OTHER, "service-arranging") == (
        entry["log"], entry["provider"], entry["controller"], entry["recipient"], entry["purpose"]
    )  # fmt: skip
    assert "703/2023 §55.1; 703/2023 §55.3; 703/2023 §57" == entry["basis"]
    assert {"row": "D3", "permission": permit["ticket"], "route": "kanta-not-in-use", "via_kanta": "no"} == {
        name: entry["details"][name] for name in ("row", "permission", "route", "via_kanta")
    }


def test_between_controllers_is_off_by_default(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without the installation's own word D3 to D5 are off: data goes through Kanta first (703/2023 §55.3)."""
    made = Crossing(tmp_path_factory.mktemp("off"), "[]")
    _, oid = made.client(PERMIT)
    answer = made.disclose(oid, BY_PERMIT)
    opened = made.call("POST", "/v1/access/grants", {
        "item": "statutory-duty", "reason": "Palvelutarpeen arviointi vaatii tiedon tänään.", "warned": True,
        "necessity": "indispensable", "document": oid, "reasonCode": "kanta-disturbance",
    })  # fmt: skip
    made.gateway.close()

    assert [403, 403] == [answer.status_code, opened.status_code]
    assert "policy-off" in {one["kind"] for one in answer.json()["findings"]}
    assert "policy-off" in {one["kind"] for one in opened.json()["findings"]}


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"viaKanta": True}, ("D3", "via_kanta")),
        ({"viaKanta": None}, ("D3", "via_kanta")),
        ({"reasonCode": None}, ("D3", "reason")),
    ],
)
def test_a_way_beside_kanta_needs_its_reason(
    crossing: Crossing, changes: dict[str, Any], failed: tuple[str, str]
) -> None:
    """What does not say that Kanta is not possible, and why, by a code of the list, is refused and says what lacks."""
    _, oid = crossing.client(PERMIT)
    body = {name: value for name, value in {**BY_PERMIT, **changes}.items() if value is not None}
    answer = crossing.disclose(oid, body)

    assert 403 == answer.status_code
    assert failed in kinds(answer)


def test_a_code_that_is_none(crossing: Crossing) -> None:
    """A reason code, a field or a way that is not in the list is refused with the list, before anything is decided."""
    wrong = [
        crossing.disclose("1.2.3", {**BY_PERMIT, "reasonCode": "because"}),
        crossing.disclose("1.2.3", {**BY_PERMIT, "colour": "red"}),
        crossing.disclose("1.2.3", {"under": "whim"}),
        crossing.disclose("1.2.3", {"under": "permit", "ground": "incapacity"}),
        crossing.disclose("1.2.3", {"under": "handing-out", "to": {"kind": "court-or-police"}}),
    ]

    assert [422] * 5 == [one.status_code for one in wrong]
    assert "kanta-disturbance" in wrong[0].text
    assert not any("because" in one.text or "colour" in one.text for one in wrong)


def test_who_may_not_know_is_told_nothing(crossing: Crossing) -> None:
    """Without a relationship a document that is refused looks like one that there is not.

    The log tells both. [LOG-13]
    """
    _, oid = crossing.client(PERMIT, serves="")
    before = len(crossing.entries("request:deny"))
    forbidden, missing = crossing.disclose(oid, BY_PERMIT), crossing.disclose(f"{oid}9", BY_PERMIT)

    assert [404, 404] == [forbidden.status_code, missing.status_code]
    assert forbidden.content == missing.content
    assert forbidden.headers == missing.headers
    assert before + 2 == len(crossing.entries("request:deny"))


def test_no_permit_no_document(crossing: Crossing) -> None:
    """Without a permit nothing is disclosed, and who serves the client is told which condition failed."""
    _, oid = crossing.client()
    answer = crossing.disclose(oid, BY_PERMIT)

    assert 403 == answer.status_code
    assert {("D3", "permission")} == {one for one in kinds(answer) if one[0] == "D3"}


def test_a_purpose_of_the_list(crossing: Crossing) -> None:
    """An unknown purpose is refused with the purposes that fit; the list is told to each role. [LOG-02]"""
    _, oid = crossing.client(PERMIT)
    answer = crossing.disclose(oid, BY_PERMIT, purpose="curiosity")
    told = crossing.call("GET", "/v1/purposes").json()["purposes"]

    assert 403 == answer.status_code
    assert ["PURPOSE"] == [one["rule"] for one in answer.json()["findings"] if one["severity"] == "refuse"]
    assert "need-assessment, service-arranging" in answer.text
    assert {"need-assessment", "service-arranging"} == {one["purpose"] for one in told}


@pytest.mark.parametrize("form", ["moment", "day", "cancelled", "not valid"])
def test_a_withdrawal_holds_at_once(crossing: Crossing, form: str) -> None:
    """Before its withdrawal a permit discloses, from its moment on it does not, in whichever form it is withdrawn."""
    cast, oid = crossing.client(PERMIT)
    before = crossing.disclose(oid, BY_PERMIT).status_code
    now = crossing.gateway.parts.now()
    forms: dict[str, dict[str, Any]] = {
        "moment": {"withdrawn_at": now.isoformat()}, "day": {"withdrawn_on": now.date().isoformat()},
        "cancelled": {"cancelled": True}, "not valid": {"is_valid": False},
    }  # fmt: skip
    crossing.tell(cast, **{**PERMIT, "version": 2, **forms[form]})
    after = crossing.disclose(oid, BY_PERMIT)

    assert (200, 403) == (before, after.status_code)
    assert ("D3", "permission") in kinds(after)


def test_both_sides_of_the_moment(crossing: Crossing) -> None:
    """A withdrawal that is told ahead holds from its moment, not a microsecond earlier; a new permit begins anew."""
    cast, oid = crossing.client(PERMIT)
    moment = crossing.gateway.parts.now() + timedelta(seconds=100)
    crossing.tell(cast, **PERMIT, version=2, withdrawn_at=moment.isoformat())
    crossing.tell(cast, **PERMIT | {"id": "again", "given_at": (moment + timedelta(seconds=60)).isoformat()})
    told = []
    for at in (moment - timedelta(microseconds=1), moment, moment + timedelta(seconds=59, microseconds=999_999),
               moment + timedelta(seconds=60)):  # fmt: skip
        with crossing_at(crossing, at):
            told.append(crossing.disclose(oid, BY_PERMIT).status_code)

    assert [200, 403, 403, 200] == told


@contextmanager
def crossing_at(crossing: Crossing, at: Any) -> Iterator[None]:
    """The same installation with its clock at a moment."""
    parts = crossing.gateway.parts
    clock = parts.clock
    object.__setattr__(parts, "clock", lambda: at)
    try:
        yield
    finally:
        object.__setattr__(parts, "clock", clock)


def test_withdrawn_in_the_middle_of_a_request(crossing: Crossing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A withdrawal that is committed while a request is on its way counts: nothing is disclosed, the denial is told."""
    cast, oid = crossing.client(PERMIT)
    plain, done = Database.alone, list[bool]()

    @contextmanager
    def alone(self: Database) -> Iterator[Connection]:
        if not done:  # the caller is identified and the body is read; the transaction of the disclosure begins
            done.append(True)
            crossing.tell(cast, **PERMIT, version=2, withdrawn_at=crossing.gateway.parts.now().isoformat())
        with plain(self) as tx:
            yield tx

    assert 200 == crossing.disclose(oid, BY_PERMIT).status_code
    given = len(crossing.entries("document:disclose"))
    monkeypatch.setattr(Database, "alone", alone)
    answer = crossing.disclose(oid, BY_PERMIT)

    assert done
    assert 403 == answer.status_code
    assert ("D3", "permission") in kinds(answer)
    assert given == len(crossing.entries("document:disclose"))


@pytest.mark.parametrize(
    ("target", "covers"),
    [
        ({}, True),
        ({"controllers": [{"oid": ORGANISER, "name": "Alue"}]}, True),
        ({"controllers": [{"oid": OTHER, "name": "Toinen alue"}]}, False),
        ({"service_tasks": ["working-age"]}, True),
        ({"service_tasks": ["child-welfare", "disability"]}, False),
        ({"documents": ["1.2.3"]}, False),
        ({"documents": "own"}, True),
        ({"against": "guardian", "reason": "Ei halua."}, False),
    ],
)
def test_what_a_prohibition_covers(crossing: Crossing, target: dict[str, Any], *, covers: bool) -> None:
    """A prohibition covers its register, service task or document, and everything where it names nothing (§59.1).

    Once it is lifted the permit holds again.
    """
    cast, oid = crossing.client(PERMIT)
    stated = {**target, **({"documents": [oid]} if target.get("documents") == "own" else {})}
    crossing.tell(cast, type="prohibition", **stated)
    prohibited = crossing.disclose(oid, BY_PERMIT)
    lifted = crossing.gateway.parts.now().isoformat()
    crossing.tell(cast, type="prohibition", version=2, **stated, withdrawn_at=lifted)
    after = crossing.disclose(oid, BY_PERMIT).status_code

    assert (403 if covers else 200, 200) == (prohibited.status_code, after)
    assert not covers or ("D3", "prohibition") in kinds(prohibited)


def test_a_prohibition_never_touches_the_register_itself(crossing: Crossing) -> None:
    """The producer reads its own client's document under a prohibition of everything.

    D2 asks for none (703/2023 §59). [CTL-09]
    """
    _, oid = crossing.client({"type": "prohibition"})
    answer = crossing.call(
        "GET", f"/v1/documents/{oid}", organisation=PROVIDER, role="provider-system", purpose="delivery"
    )

    assert 200 == answer.status_code


def test_health_care_needs_an_itemised_permit(crossing: Crossing) -> None:
    """A permit for health care itemises recipient and what; one for social care is none there, nor the other way."""
    ways: list[dict[str, Any]] = [
        {}, {"sector": "health"}, {"sector": "health", "recipients": [CLINIC]},
        {"sector": "health", "recipients": [CLINIC], "service_tasks": ["disability"]},
        {"sector": "health", "recipients": [OTHER], "service_tasks": ["working-age"]},
        {"sector": "health", "recipients": [CLINIC], "service_tasks": ["working-age"], "ends_on": "2025-01-01"},
        {"sector": "health", "recipients": [CLINIC], "service_tasks": ["working-age"]},
    ]  # fmt: skip
    cast, oid = crossing.client(PERMIT)
    told = []
    for version, one in enumerate(ways, 2):
        crossing.tell(cast, **PERMIT, **one, version=version)
        told.append(crossing.disclose(
            oid, {"under": "permit"}, organisation=CLINIC, role="health-worker", purpose="service-delivery"
        ).status_code)  # fmt: skip
    social = crossing.disclose(oid, BY_PERMIT).status_code

    assert [404] * 6 + [200] == told
    assert 403 == social


def test_a_consent_gives_to_those_whom_it_names(crossing: Crossing) -> None:
    """PAI-02: exchange by consent reaches the named party only, and ends with its withdrawal at once (703/2023 §6)."""
    consent = {"type": "consent", "kind": "exchange"}
    cast, oid = crossing.client(consent)
    unnamed = crossing.disclose(oid, {"under": "consent"})
    crossing.tell(cast, **consent, version=2, parties=[{"id": OTHER, "name": "Toinen alue"}])
    named = crossing.disclose(oid, {"under": "consent"})
    (entry,) = [one for one in crossing.entries("document:disclose") if one["subject"] == oid]
    crossing.tell(cast, **consent, version=3, parties=[{"id": OTHER}],
                  withdrawn_at=crossing.gateway.parts.now().isoformat())  # fmt: skip
    withdrawn = crossing.disclose(oid, {"under": "consent"})

    assert [403, 200, 403] == [unnamed.status_code, named.status_code, withdrawn.status_code]
    assert ("D14", "consent") in kinds(withdrawn)
    assert ("703/2023 §6", "D14") == (entry["basis"], entry["details"]["row"])
    assert entry["details"]["consent"]


def test_a_minors_prohibition_against_the_guardian(crossing: Crossing) -> None:
    """A guardian gets nothing under a minor's prohibition; refused with its grounds it does not stand. [REC-12]"""
    minor = {"type": "prohibition", "against": "guardian", "reason": "Huoltaja käyttää tietoja riidassa."}
    cast, oid = crossing.client()
    out = {"under": "handing-out", "to": {"kind": "representative"}, "reference": "HVA/77/2026", "representative": True}
    who = {"organisation": ORGANISER, "role": "disclosing-official", "purpose": "client-request"}
    free = crossing.disclose(oid, out, **who)
    told = []
    refusals: list[dict[str, Any]] = [
        {}, {"is_refused": True}, {"is_refused": True, "refusal_grounds": "Selvästi vastoin lapsen etua."},
    ]  # fmt: skip
    for version, one in enumerate(refusals, 1):
        crossing.tell(cast, **minor, **one, version=version)
        told.append(crossing.disclose(oid, out, **who).status_code)
    entries = [one for one in crossing.entries("document:disclose") if one["subject"] == oid]
    refused = crossing.disclose(oid, out, organisation=OTHER)
    crossing.tell(cast, type="prohibition", against="guardian", version=9, is_refused=True)
    (register,) = crossing.gateway.accesses.wills(cast.name("A"), crossing.world.caller)["registers"]

    assert 200 == free.status_code
    assert [403, 403, 200] == told
    assert {("D13", "representative HVA/77/2026")} == {(one["details"]["row"], one["recipient"]) for one in entries}
    assert 403 == refused.status_code
    assert [["reason", "refusal_grounds"]] == [one["lacks"] for one in register["wills"]]


def test_out_of_the_register_by_its_own_official(crossing: Crossing) -> None:
    """The controller's official gives a document to a court on a ground of the law, to nobody without one. [LOG-03]"""
    _, oid = crossing.client()
    who = {"organisation": ORGANISER, "role": "disclosing-official", "purpose": "handing-out"}
    body = {"under": "handing-out", "to": {"kind": "court-or-police", "name": "Käräjäoikeus"}, "reference": "R 26/1"}
    without = crossing.disclose(oid, body, **who)
    given = crossing.disclose(oid, {**body, "ground": "pending-matter"}, **who)
    coded = crossing.disclose(oid, {**body, "reference": "010181-900C"}, **who)
    (entry,) = [one for one in crossing.entries("document:disclose") if one["subject"] == oid]

    assert [403, 200, 422] == [without.status_code, given.status_code, coded.status_code]
    assert ("Käräjäoikeus", "R 26/1", "pending-matter") == (
        entry["recipient"], entry["details"]["reference"], entry["details"]["ground"]
    )  # fmt: skip


def test_what_was_said_of_somebody_else_permits_nothing(crossing: Crossing) -> None:
    """A permit that turns out to be another client's permits nothing of the first one's any more."""
    cast, oid = crossing.client(PERMIT)
    before = crossing.disclose(oid, BY_PERMIT).status_code
    chain = replace(cast)
    crossing.tell(chain, **PERMIT, version=2, client=cast.name("B"))
    after = crossing.disclose(oid, BY_PERMIT).status_code

    assert (200, 403) == (before, after)


def test_the_answer_is_explained_beforehand(crossing: Crossing) -> None:
    """`policy explain` tells why a disclosure may or may not be, with the client's statements as facts of the day."""
    cast, _ = crossing.client(PERMIT)
    about = About(PROVIDER, cast.name("A"), {"via_kanta": "no", "reason": "told"})
    who = replace(crossing.world.caller, system="asked", organisation=Oid(OTHER), role="receiving-official",
                  purpose="service-arranging")  # fmt: skip

    def told() -> dict[str, Any]:
        thing = crossing.gateway.accesses.thing(about, crossing.world.caller)
        return crossing.gateway.checkup.explain_policy(who, Event.DOCUMENT_DISCLOSE, thing, None)

    allowed = told()
    crossing.tell(cast, type="prohibition")
    denied = told()
    looks = [one for one in crossing.entries("record:read") if one["subject"] == "wills"]

    assert (True, "D3") == (allowed["allowed"], allowed["row"])
    assert (False, "D0") == (denied["allowed"], denied["row"])
    assert any("prohibition" in one["message"] and "covers" in one["message"] for one in denied["why"])
    assert 2 <= len(looks)


def test_a_restored_database_brings_no_will_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A permit that was withdrawn and a prohibition that was set since the backup still count after it is restored.

    What was lost stands again once the provider has delivered it again.
    """
    made = Crossing(tmp_path_factory.mktemp("restored"))
    withdrawn, prohibited = made.client(PERMIT), made.client(PERMIT)
    before = [made.disclose(oid, BY_PERMIT).status_code for _, oid in (withdrawn, prohibited)]
    made.gateway.parts.database.scrub()
    data = made.gateway.settings.data
    shutil.copy(data / "gateway.db", data.parent / "yesterday.db")
    moment = made.gateway.parts.now()
    made.tell(withdrawn[0], **PERMIT, version=2, withdrawn_at=moment.isoformat())
    made.tell(prohibited[0], type="prohibition")
    made.gateway.retention.oblivion.carry()
    made.gateway.close()
    for name in ("gateway.db-wal", "gateway.db-shm"):
        (data / name).unlink(missing_ok=True)
    shutil.copy(data.parent / "yesterday.db", data / "gateway.db")
    made.begin_again()
    after = [made.disclose(oid, BY_PERMIT).status_code for _, oid in (withdrawn, prohibited)]
    made.tell(withdrawn[0], **PERMIT, version=3)
    made.tell(prohibited[0], type="prohibition", version=2, withdrawn_at=moment.isoformat())
    again = [made.disclose(oid, BY_PERMIT).status_code for _, oid in (withdrawn, prohibited)]
    holds = made.gateway.trail.verify(reconcile=True)
    made.gateway.close()

    assert [200, 200] == before
    assert [403, 403] == after
    assert [200, 200] == again
    assert [] == holds["problems"] == holds["unmatched"]
