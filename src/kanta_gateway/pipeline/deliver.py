"""The last stretch: leased documents go to the archive, and its answers are kept as evidence.

* (1) Lease and write the disclosure down, in one transaction. (2) Act, outside any transaction, on several
  connections. (3) Settle and write the answer down, in one transaction.
* A document that was leased but not begun in time goes back to the queue unsent.
* A worker that dies between any two of these leaves an expired lease: the archive is asked before a repeat.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import GatewayError, RefusedError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.spool import store, worker
from kanta_gateway.spool.states import OPEN, State, Wait, next_attempt
from kanta_gateway.spool.store import Leased
from kanta_gateway.transfer import frame
from kanta_gateway.transfer.receipts import Answer, FinalNo, Receipt, RetryLater

if TYPE_CHECKING:
    from kanta_gateway.transfer.client import ArchiveClient
    from kanta_gateway.transfer.frame import FrameProfile

CONNECTIONS = 4
EVENTS = {State.ARCHIVED: Event.DOCUMENT_ARCHIVE, State.INVALIDATED: Event.DOCUMENT_INVALIDATE}
"""What a receipt makes true; a settled document without one was refused."""
RECIPIENT = "national archive for social welfare"
BASIS = "703/2023 §§14, 21"
"""The provider stores on the organiser's behalf, without delay once a document is ready."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of acting on one leased document."""

    leased: Leased
    state: State
    receipt: Receipt | None = None
    problem: dict[str, Any] | None = None
    wait: Wait | None = None


class Deliverer:
    """Sends what waits.

    Args:
        parts: the built gateway.
        archive: where it goes.
        profile: fixed values of the message frame.
        caller: who acts.
        lease_seconds: how long a batch may be held.
    """

    def __init__(
        self, parts: Parts, archive: ArchiveClient, profile: FrameProfile, caller: Caller, lease_seconds: float
    ) -> None:
        self._parts = parts
        self._archive = archive
        self._profile = profile
        self._caller = caller
        self._lease_seconds = lease_seconds
        self._jitter = random.SystemRandom().random

    def run(self, stop: threading.Event, *, until_empty: bool) -> worker.Result:
        """Work until told to stop, or until nothing is left that can be done now."""
        patience = worker.Rhythm(patience_seconds=self._lease_seconds * 1.5)
        return worker.run(self.step, self._look, self._parts.now, stop, until_empty=until_empty, rhythm=patience)

    def _look(self) -> store.Backlog:
        with self._parts.database.reading() as tx:
            return store.backlog(tx)

    def step(self, limit: int) -> int:
        """Lease, act on and settle one batch; gives the number of documents."""
        with self._parts.database.transaction() as tx:  # (1)
            leased = store.lease(tx, self._parts.now(), limit, self._lease_seconds)
            self._parts.log.append(tx, [self._sending(one) for one in leased if self._is_sent(one)])
        if not leased:
            return 0
        begin_until = self._parts.now() + timedelta(seconds=self._lease_seconds / 2)
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="send") as threads:  # (2)
            done = list(threads.map(lambda one: self._acted(one, begin_until), leased))
        with self._parts.database.transaction() as tx:  # (3)
            events = [event for one in done for event in self._settle(tx, one)]
            self._parts.log.append(tx, events)
        return len(leased)

    def _acted(self, leased: Leased, begin_until: Any) -> _Done:
        """Act on one document; every outcome is a value."""
        before = leased.document.state
        if self._parts.now() > begin_until:
            unbegun = State.QUEUED if before is State.SENDING else before
            return _Done(leased, unbegun, wait=Wait.NEXT)
        if before is State.INVALIDATING and leased.document.payload is None:  # the request needs what the document said
            return _Done(leased, State.ARCHIVED, problem={"kind": store.CONTENT_DESTROYED})
        try:
            answer = self._answer(leased)
        except GatewayError as error:  # nothing was sent: the content cannot be opened, or may not go as it is
            if before is State.INVALIDATING and isinstance(error, RefusedError):  # the assumed request, in production
                return _Done(leased, State.ARCHIVED, problem={"kind": error.code})
            return _Done(leased, State.QUEUED if before is State.SENDING else before,
                         problem={"kind": error.code}, wait=Wait.BUSY)  # fmt: skip
        return _judged(leased, answer)

    def _answer(self, leased: Leased) -> Answer | None:
        one = leased.document
        if one.state is State.UNKNOWN:
            return self._archive.ask(one.oid, one.digest)
        content = open_sealed(self._parts.vault.key(one.key_id), one.payload or b"", b"document")
        framed = frame.build(
            content, self._profile, message_id=str(uuid.uuid4()), sender=one.organiser, created_at=self._parts.now(),
            is_invalidation=one.state is State.INVALIDATING,
        )  # fmt: skip
        if one.state is State.INVALIDATING:
            return self._archive.invalidate(framed, one.oid, one.digest)
        return self._archive.submit(content, framed, one.oid)

    def _settle(self, tx: Any, done: _Done) -> Iterator[AuditEvent]:
        """End one lease; a lease that was lost meanwhile changes nothing."""
        now = self._parts.now()
        attempts = done.leased.document.attempts
        due = next_attempt(now, done.wait, attempts, self._jitter()) if done.wait else None
        receipt = {**done.receipt.evidence(), "at": now.isoformat()} if done.receipt else None
        kept = store.settle(tx, done.leased, done.state, now, receipt=receipt, problem=done.problem, next_attempt=due)
        if kept and done.state not in OPEN:
            event = EVENTS[done.state] if receipt else Event.DOCUMENT_REJECT
            yield self._event(done.leased, event, receipt or done.problem or {})

    def _is_sent(self, leased: Leased) -> bool:
        """Whether something leaves: about an unknown document the archive is only asked."""
        state = leased.document.state
        is_asked = state is State.INVALIDATING and not self._parts.is_production and leased.document.payload is not None
        return state is State.SENDING or is_asked

    def _sending(self, leased: Leased) -> AuditEvent:
        one = leased.document
        details: dict[str, Any] = {"sha256": one.digest, "attempt": one.attempts}
        if one.state is State.INVALIDATING:
            details["request"] = "invalidation"
        return self._event(leased, Event.DOCUMENT_SEND, details)

    def _event(self, leased: Leased, event: Event, details: dict[str, Any]) -> AuditEvent:
        one = leased.document
        return AuditEvent(
            event=event, caller=self._caller, at=self._parts.now(), client_ref=one.client_ref, subject=one.oid,
            provider=one.provider, controller=one.organiser, purpose="archiving", basis=BASIS, details=details,
            recipient=RECIPIENT if event is Event.DOCUMENT_SEND else "",
        )  # fmt: skip


def _judged(leased: Leased, answer: Answer | None) -> _Done:
    """Where a document stands after an answer; None: the archive has nothing with its id."""
    before = leased.document.state
    is_invalidation = before is State.INVALIDATING
    if isinstance(answer, Receipt):
        return _Done(leased, State.INVALIDATED if is_invalidation else State.ARCHIVED, receipt=answer)
    if isinstance(answer, FinalNo):
        problem = {"kind": answer.kind, "codes": list(answer.codes)}
        return _Done(leased, State.ARCHIVED if is_invalidation else State.REJECTED, problem=problem)
    if isinstance(answer, RetryLater):
        problem = {"kind": answer.kind, **answer.params}
        if is_invalidation:
            return _Done(leased, before, problem=problem, wait=Wait.BUSY)
        if answer.must_ask:
            return _Done(leased, State.UNKNOWN, problem=problem, wait=Wait.ASK)
        wait = Wait.UNREACHABLE if answer.kind == "archive-unreachable" else Wait.BUSY
        return _Done(leased, State.QUEUED, problem=problem, wait=wait)
    return _Done(leased, State.QUEUED, wait=Wait.NEXT)
