"""Entries hold what 703/2023 §10 requires, as objects and as FHIR AuditEvents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent as FhirAuditEvent

from kanta_gateway.audit import fhir
from kanta_gateway.audit.canonical import canonical
from kanta_gateway.audit.entry import AuditEvent, Registers, body, keyed_by
from kanta_gateway.errors import RefusedError
from kanta_gateway.model import Caller, Event, Oid

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CALLER = Caller("system-1", Oid("1.2.3"), "V-1", "Testi Ohjaaja", "instructor", "service", contract="C-1")
ACTOR = {"ref": "r" * 64, "name": "n" * 64}


def event(kind: Event = Event.RECORD_SUBMIT, **changes: Any) -> AuditEvent:
    """A complete event, with changes."""
    fields: dict[str, Any] = {
        "event": kind, "caller": CALLER, "at": AT, "client_ref": "c" * 64, "subject": "ticket-1",
        "provider": "1.2.3", "controller": "1.2.4", "purpose": "service", "basis": "703/2023 §14",
        "details": {"type": "diary_entry"}, "recipient": "archive",
    }  # fmt: skip
    return AuditEvent(**(fields | changes))


def test_a_use_entry_holds_what_the_law_requires() -> None:
    """A use entry says what data, whose register, which user, purpose and time. [LOG-02]"""
    entry = body(event(recipient=""), ACTOR, 7, (5, 9), Registers("1", "Kela"))
    salt = entry.pop("salt")

    assert entry == {
        "v": 3, "idx": 7, "commit": (5, 9), "log": "use", "event": "record:submit",
        "at": "2026-03-02T10:00:00.000000Z",
        "actor": {**ACTOR, "system": "system-1", "organisation": "1.2.3", "role": "instructor",
                  "contract": "C-1",
                  "relation": "", "development": False},
        "subject": "ticket-1", "provider": "1.2.3", "controller": "1.2.4", "purpose": "service",
        "basis": "703/2023 §14", "details": {"type": "diary_entry"}, "client": "c" * 64,
        "register": "1", "log_controllers": ["1.2.4"],
    }  # fmt: skip
    assert len(bytes.fromhex(salt)) == 16
    assert body(event(), ACTOR, 7, (5, 9))["salt"] != salt


def test_a_sending_is_a_disclosure_with_its_recipient() -> None:
    """A send entry stands in the disclosure log with recipient and basis, under two controllers. [LOG-03,
    LOG-08]
    """
    entry = body(event(Event.DOCUMENT_SEND), ACTOR, 0, (0, 1), Registers("1", "Kela"))

    assert (entry["log"], entry["recipient"], entry["basis"]) == ("disclosure", "archive", "703/2023 §14")
    assert entry["log_controllers"] == ["1.2.4", "Kela"]


@pytest.mark.parametrize("nothing", ["", "  "])
@pytest.mark.parametrize("name", ["purpose", "controller", "subject"])
def test_a_use_without_a_required_part_is_refused(name: str, nothing: str) -> None:
    """A use of client data that lacks a part of its entry is refused, and the part is named. [LOG-02]"""
    with pytest.raises(RefusedError, match=name):
        event(Event.RECORD_SUBMIT, **{name: nothing})


@pytest.mark.parametrize("name", ["basis", "recipient", "provider"])
def test_a_disclosure_without_a_required_part_is_refused(name: str) -> None:
    """A disclosure that lacks basis, recipient or discloser is refused. [LOG-03]"""
    with pytest.raises(RefusedError, match=name):
        event(Event.DOCUMENT_SEND, **{name: ""})


@pytest.mark.parametrize("ground", ["basis", "permit", "consent"])
def test_a_disclosure_rests_on_a_provision_a_permit_or_a_consent(ground: str) -> None:
    """LOG-03: one of provision, luovutuslupa and consent is enough and is told; none is refused. [LOG-03]"""
    none = {"basis": "", "permit": "", "consent": ""}
    entry = body(event(Event.NOTICE_DISCLOSE, **{**none, ground: "ground-1"}), ACTOR, 0, (0, 1))

    assert "ground-1" == entry[ground]
    with pytest.raises(RefusedError, match="permit"):
        event(Event.NOTICE_DISCLOSE, **none)


def test_a_nameless_user_is_refused_without_repeating_the_identifier() -> None:
    """A user without a name cannot use client data, and the message holds no value. [LOG-02]"""
    with pytest.raises(RefusedError, match="person_name") as told:
        event(caller=replace(CALLER, person_name=""))

    assert "V-1" not in str(told.value)


def test_a_denied_request_is_told_whatever_it_lacks() -> None:
    """What a denied request lacked does not keep its entry out of the log."""
    denied = event(Event.REQUEST_DENY, purpose="", controller="", client_ref=None, recipient="")

    assert "client" not in body(denied, ACTOR, 0, (0, 1))


def test_canonical_bytes_are_sorted_and_tight() -> None:
    """Canonical JSON sorts keys and has no spaces; what JSON cannot carry is refused."""
    assert canonical({"b": [1, None, True], "a": "ä\n"}) == '{"a":"ä\\n","b":[1,null,true]}'.encode()
    assert canonical({"a": 1e21, "\ue000": 1, "\U00010000": 2}) == '{"a":1e+21,"\U00010000":2,"\ue000":1}'.encode()
    for bad in (object(), 2**60, float("nan"), {1: 2}, "\ud800"):
        with pytest.raises(ValueError, match="canonical"):
            canonical(bad)


def test_which_key_seals_an_entry() -> None:
    """Each register and day has its key; what stays, what names no register and what was denied have others."""
    itself = {"client_ref": None, "provider": "", "controller": "", "purpose": "", "basis": "", "recipient": ""}
    entries = [
        body(one, ACTOR, 0, (0, 1))
        for one in (
            event(), event(at=AT + timedelta(days=1)), event(controller="1.2.5"),
            event(Event.AUDIT_CHECKPOINT, **itself), event(Event.AUDIT_PURGE, **itself),
            event(Event.REQUEST_DENY), event(Event.REQUEST_DENY, controller=""),
        )
    ]  # fmt: skip
    told = [keyed_by(one) for one in (*entries, {**entries[0], "controller": ""})]
    day = "2026-03-02"

    assert [
        ("1.2.4", day), ("1.2.4", "2026-03-03"), ("1.2.5", day), ("log", day), ("log", day), ("denied", day),
        ("denied", day), ("system", day),
    ] == told  # fmt: skip


@pytest.mark.parametrize("kind", list(Event))
def test_every_event_is_a_fhir_audit_event(kind: Event) -> None:
    """Every kind of entry makes a resource that an independent R4 model accepts."""
    entry = body(event(kind), ACTOR, 3, (3, 4))
    resource = FhirAuditEvent(**fhir.audit_event(entry, person_name="Testi Ohjaaja", observer="gateway"))

    assert resource.id == "3"
    assert resource.model_dump()["agent"][0]["who"]["display"] == "Testi Ohjaaja"


def test_an_entry_of_the_gateway_itself_is_a_fhir_audit_event() -> None:
    """A checkpoint entry, that no person made, has the system as its requestor and no empty parts."""
    itself = Caller("example.test/audit", Oid(""), "", "", "", "")
    made = event(Event.AUDIT_CHECKPOINT, caller=itself, client_ref=None, provider="", controller="",
                 purpose="", basis="", recipient="", details={})  # fmt: skip
    resource = fhir.audit_event(body(made, {}, 0, (0, 1)), observer="gateway")
    FhirAuditEvent(**resource)

    assert [one["who"] for one in resource["agent"] if one["requestor"]] == [{"display": "example.test/audit"}]
    assert "entity" not in resource or resource["entity"][0]["what"]
