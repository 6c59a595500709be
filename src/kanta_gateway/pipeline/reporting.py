"""Disclosure notices go to the national log register, and its answers are kept as evidence.

* (1) Lease. (2) What has no bytes yet is made and signed, outside any transaction. (3) The bytes are kept and the
  sending is written down, in one transaction. (4) Send. (5) Settle and write the answer down, in one transaction.
* A worker that dies between any two of these leaves an expired lease, and the same bytes are sent again.
* The client's identity code is looked up when the bytes are made; it stands in no table.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.audit.canonical import canonical
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import ConflictError, GatewayError, KeyUnavailableError
from kanta_gateway.model import Caller, Event, Oid, Sha256Hex
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.pipeline.outlet import CONTEXT
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.spool import disclosures, records, worker
from kanta_gateway.spool.disclosures import Notice, Stored
from kanta_gateway.spool.states import Wait, next_attempt
from kanta_gateway.spool.store import Backlog
from kanta_gateway.transfer import reports
from kanta_gateway.transfer.receipts import Answer, FinalNo, Receipt

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.transfer.client import LogRegister

CONNECTIONS = 4
BASIS = "703/2023 §70.1"
"""Disclosure logs are stored in the national log register."""
PURPOSE = "disclosure-log"


@dataclass(frozen=True, slots=True)
class _Ready:
    """A leased notice and its bytes, or why it has none."""

    stored: Stored
    content: bytes = b""
    problem: str = ""


class Reporter:
    """Sends what waits.

    Args:
        parts: the built gateway.
        register: where it goes.
        caller: who acts.
        lease_seconds: how long a batch may be held.
    """

    def __init__(self, parts: Parts, register: LogRegister, caller: Caller, lease_seconds: float) -> None:
        self._parts = parts
        self._register = register
        self._caller = caller
        self._lease_seconds = lease_seconds
        self._jitter = random.SystemRandom().random

    def run(self, stop: threading.Event, *, until_empty: bool) -> worker.Result:
        """Work until told to stop, or until nothing is left that can be done now."""
        patience = worker.Rhythm(patience_seconds=self._lease_seconds * 1.5)
        return worker.run(self.step, self._look, self._parts.now, stop, until_empty=until_empty, rhythm=patience)

    def drain(self) -> None:
        """Send what may be sent now; what has to wait is left."""
        while self.step(worker.Rhythm().batch):
            pass

    def _look(self) -> Backlog:
        with self._parts.database.reading() as tx:
            left, due = disclosures.counts(tx).get(Notice.QUEUED.value, 0), disclosures.next_at(tx)
        return Backlog(left, datetime.fromisoformat(due) if due else None)

    def step(self, limit: int) -> int:
        """Lease, make, send and settle one batch; gives the number of notices."""
        parts = self._parts
        with parts.database.transaction() as tx:  # (1)
            leased = disclosures.lease(tx, parts.now(), limit, self._lease_seconds)
        if not leased:
            return 0
        ready = [self._ready(one) for one in leased]  # (2)
        with parts.database.transaction() as tx:  # (3)
            going = [one for one in ready if not one.problem and self._keep(tx, one)]
            parts.log.append(tx, [self._event(one, Event.DISCLOSURE_SEND, _sent(one)) for one in going])
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="report") as threads:  # (4)
            answers = list(threads.map(self._send, going))
        with parts.database.transaction() as tx:  # (5)
            events = [event for one, answer in zip(going, answers, strict=True)
                      for event in self._settle(tx, one, answer)]  # fmt: skip
            for one in ready:
                if one.problem:
                    self._wait(tx, one, {"kind": one.problem})
            parts.log.append(tx, events)
        return len(leased)

    def _ready(self, one: Stored) -> _Ready:
        """The bytes of a notice: as they were sent before, else made now."""
        try:
            key = self._parts.vault.key(one.key_id)
            if one.payload is not None:
                return _Ready(one, open_sealed(key, one.payload, CONTEXT))
            return _Ready(one, self._made(one, orjson.loads(open_sealed(key, one.told or b"", CONTEXT))))
        except GatewayError as error:  # nothing was sent: the content cannot be opened, or nobody can sign it now
            return _Ready(one, problem=error.code)

    def _made(self, one: Stored, told: dict[str, str]) -> bytes:
        parts, signer = self._parts, self._parts.sealer.signer
        with parts.database.reading() as tx:
            code = _identity_code(parts, tx, one)
        fact = reports.Disclosure(
            id=one.id, subject=one.subject, controller=one.controller, provider=one.provider, recipient=one.recipient,
            client_ref=one.client_ref or "", identity_code=code, **told,
        )  # fmt: skip
        return reports.signed(
            reports.bundle(fact, parts.reports, is_test=not parts.is_production), parts.reports, at=parts.now(),
            who=one.provider, algorithm=signer.algorithm, certificate=signer.certificate_der, sign=signer.sign,
            canonical=canonical,
        )  # fmt: skip

    def _keep(self, tx: Connection, one: _Ready) -> bool:
        """Keep the bytes before they are sent; False when another worker has the notice by now."""
        stored = one.stored
        key = self._parts.vault.key(stored.key_id)
        sealed = stored.payload or seal(key, one.content, CONTEXT)
        return disclosures.freeze(tx, stored, sealed, disclosures.digest_of(one.content))

    def _send(self, one: _Ready) -> Answer:
        return self._register.report(one.content, Oid(one.stored.id), Sha256Hex(disclosures.digest_of(one.content)))

    def _settle(self, tx: Connection, one: _Ready, answer: Answer) -> Iterator[AuditEvent]:
        now = self._parts.now()
        if isinstance(answer, Receipt):
            told = {"sha256": answer.digest, "place": answer.message_id, "repeat": answer.was_there,
                    "at": now.isoformat()}  # fmt: skip
            if disclosures.settle(tx, one.stored, Notice.KEPT, now, receipt=told):
                yield self._event(one, Event.DISCLOSURE_ARCHIVE, told)
        elif isinstance(answer, FinalNo):
            problem = {"kind": answer.kind, "codes": list(answer.codes)}
            if disclosures.settle(tx, one.stored, Notice.REFUSED, now, problem=problem):
                yield self._event(one, Event.DISCLOSURE_REJECT, problem)
        else:
            self._wait(tx, one, {"kind": answer.kind, **answer.params})

    def _wait(self, tx: Connection, one: _Ready, problem: dict[str, Any]) -> None:
        now, is_away = self._parts.now(), problem["kind"] == "archive-unreachable"
        wait = Wait.UNREACHABLE if is_away else Wait.BUSY
        due = next_attempt(now, wait, one.stored.attempts, self._jitter())
        disclosures.settle(tx, one.stored, Notice.QUEUED, now, problem=problem, next_attempt=due)

    def _event(self, one: _Ready, event: Event, details: dict[str, Any]) -> AuditEvent:
        stored = one.stored
        return AuditEvent(
            event=event, caller=self._caller, at=self._parts.now(), client_ref=stored.client_ref, subject=stored.id,
            provider=Oid(stored.provider), controller=Oid(stored.controller), purpose=PURPOSE, basis=BASIS,
            details=details,
        )  # fmt: skip


class Disclosures:
    """Tells of the notices, and has a refused one sent again, for a caller."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def listed(self, caller: Caller, state: str | None, after: int, limit: int) -> dict[str, Any]:
        """Notices, oldest first: that they are, and how they stand; nothing about a client."""
        decision = self._office.permit(caller, Event.DISCLOSURE_READ, provider=None)
        with self._parts.database.transaction() as tx:
            found = disclosures.listed(tx, state, after, limit)
            self._office.note(tx, [self._office.event(
                caller, Event.DISCLOSURE_READ, subject="list", provider="", details={"count": len(found)},
                decision=decision,
            )])  # fmt: skip
        return {"disclosures": [_row(one) for one in found], "next": found[-1].sequence if found else after}

    def retry(self, caller: Caller, id_: str) -> dict[str, Any]:
        """Have a notice that the register refused made and sent again.

        Raises:
            ConflictError: there is no refused notice of this id that still has its content.
        """
        decision = self._office.permit(caller, Event.DISCLOSURE_RETRY, provider=None)
        with self._parts.database.transaction() as tx:
            if not disclosures.retry(tx, id_, self._parts.now()):
                raise ConflictError("only a notice that was refused is sent again; `disclosures list` tells which are")
            self._office.note(tx, [self._office.event(
                caller, Event.DISCLOSURE_RETRY, subject=id_, provider="", decision=decision
            )])  # fmt: skip
        return {"id": id_, "state": Notice.QUEUED.value}


def _identity_code(parts: Parts, tx: Connection, one: Stored) -> str:
    """The client's identity code, from its newest record; empty where its content has been destroyed."""
    if one.client_ref is None:
        return ""
    subjects = {name for name, kind in parts.types.items() if kind.is_subject}
    rows = [row for row in records.of_client(tx, one.provider, one.client_ref) if row.type in subjects]
    for row in sorted(rows, key=lambda row: (row.version, row.row), reverse=True):
        try:
            return str(opened(parts, row).get("identity_code", ""))
        except KeyUnavailableError:
            continue
    return ""


def _sent(one: _Ready) -> dict[str, Any]:
    return {"sha256": disclosures.digest_of(one.content), "attempt": one.stored.attempts}


def _row(one: Stored) -> dict[str, Any]:
    return {
        "sequence": one.sequence, "id": one.id, "event": one.event, "state": one.state.value,
        "controller": one.controller, "made_at": one.made_at, "attempts": one.attempts, "problem": dict(one.problem),
        "sha256": one.digest,
    }  # fmt: skip
