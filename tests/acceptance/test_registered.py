"""Registering a contract or a calling system, and revoking one, is an act of somebody: each has its entry."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from tests.installations import installation
from tests.logs import opened

from kanta_gateway.access import register
from kanta_gateway.access.statements import Statement, read
from kanta_gateway.access.terms import Span
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.signing.keys import make_development_keys

PROVIDER, ORGANISER = "1.2.246.10.94005128.10.0", "1.2.246.10.94006007.10.0"
SPAN = Span(date(2026, 1, 1), date(2026, 6, 30))


def test_each_act_has_its_entry(tmp_path: Path) -> None:
    """One entry for each contract, one for the system, one for its end, with whoever did it; a repeat has none.

    A contract that holds from a day to a day tells its days; log and tables match.
    """
    gateway = installation(tmp_path)
    caller = gateway.actor("4711", "Erkki Esimerkki", "onboarding")
    made = make_development_keys("test system", "", "calling system", datetime.now(UTC), algorithm="p-256")
    certificate = made.certificate.decode()
    gateway.registration.register_party(PROVIDER, "Paja", ORGANISER, "Alue", "NAYTE/1", "lapha", caller)
    thumbprint = gateway.registration.register_system(certificate, PROVIDER, "records", caller)["thumbprint"]
    gateway.registration.register_system(certificate, PROVIDER, "records", caller)
    gateway.registration.revoke_system(thumbprint, caller)
    gateway.registration.revoke_system(thumbprint, caller)
    gateway.registration.register_party(PROVIDER, "Paja", ORGANISER, "Alue", "NAYTE/2", "lapha", caller, SPAN)
    bodies = opened(gateway)
    with gateway.parts.database.reading() as tx:
        names = {gateway.parts.log.names.read(tx, one["actor"]["name"])["name"] for one in bodies}

    assert {"Erkki Esimerkki"} == names
    assert [
        ("NAYTE/1", {"act": "register-contract", "provider": PROVIDER, "organiser": ORGANISER, "purchaser": "lapha"}),
        (thumbprint, {"act": "register-system", "organisation": PROVIDER}),
        (thumbprint, {"act": "revoke-system"}),
        ("NAYTE/2", {"act": "register-contract", "provider": PROVIDER, "organiser": ORGANISER, "purchaser": "lapha",
                     "from": "2026-01-01", "to": "2026-06-30"}),
    ] == [(one["subject"], one["details"]) for one in bodies]  # fmt: skip
    assert {"party:register"} == {one["event"] for one in bodies}
    assert gateway.trail.verify(reconcile=True)["holds"]
    gateway.close()


def test_a_decision_reads_the_same_however_many_clients_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read for one decision is about its caller, contract and client; an ended relationship counts at once."""
    gateway = installation(tmp_path)
    parts, operator = gateway.parts, gateway.actor(None, None, None)
    contract = {"kind": "contract", "processor": PROVIDER, "controller": ORGANISER, "number": "1", "purchaser": "lapha"}
    use = {"kind": "register-use", "processor": PROVIDER, "controller": ORGANISER, "contract": "1"}
    served = {"kind": "relationship", "provider": PROVIDER}
    gateway.party_book.state(read([{**contract, "relationships": "registered"}, use]), operator)
    caller = Caller("records", Oid(PROVIDER), "T-1", "Erkki Esimerkki", "provider-system", "service-delivery")
    thing = Thing(PROVIDER, ORGANISER, "lapha", str(parts.keyring.client(PROVIDER, "K-0")), record_type="diary_entry")
    queries, rows, told = list[str](), list[object](), list[tuple[bool, int, int]]()
    event.listen(parts.database.engine, "before_cursor_execute", lambda *asked: queries.append(asked[2]))
    plain = register._statement

    def counted(row: Any, open_: Any) -> Statement:
        rows.append(row)
        return plain(row, open_)

    monkeypatch.setattr(register, "_statement", counted)
    for first, last in ((0, 1), (1, 60)):
        gateway.party_book.state(read([{**served, "client": f"K-{one}"} for one in range(first, last)]), operator)
        gateway.office.guard.decide(caller, Event.DOCUMENT_READ, thing)
        queries.clear()
        rows.clear()
        allowed = gateway.office.guard.decide(caller, Event.DOCUMENT_READ, thing).allowed
        told.append((allowed, len(queries), len(rows)))
    gateway.party_book.state(read([{**served, "client": "K-0", "to": "2020-01-01"}]), operator)
    ended = gateway.office.guard.decide(caller, Event.DOCUMENT_READ, thing)
    gateway.close()

    assert told[0] == told[1]
    assert 0 < told[0][1] < 8
    assert (True, 3) == (told[0][0], told[0][2])  # the contract, the use of the register, the client's relationship
    assert not ended.allowed
