"""Who may do what is decided here, and written in the log: every use case permits, acts and tells through this.

* What is denied is written down in a transaction of its own, since nothing else is done.
* What is done is decided, done and written down in one transaction: what ends meanwhile ends this too.
* An act without its entry does not happen (703/2023 §10); the entry names the register that was used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from kanta_gateway.access.policy import Policy
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import NotPermittedError, TooManyReadsError
from kanta_gateway.model import Caller, Decision, Event
from kanta_gateway.pipeline.controllers import Controllers
from kanta_gateway.pipeline.guard import Guard, Thing
from kanta_gateway.pipeline.measure import Measure, is_measured
from kanta_gateway.pipeline.narrowing import Narrowing
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.reach import HIDDEN, Reach

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Permits:
    """Lets callers act, under the policy, and writes down what they do."""

    def __init__(self, parts: Parts, policy: Policy) -> None:
        self._parts = parts
        self._policy = policy
        self._controllers = Controllers(parts, policy)
        self.guard = Guard(parts, policy)
        self.narrowing = Narrowing(parts, self)
        self.reach = Reach(parts, self)
        self.measure = Measure(parts)

    def permit(
        self, caller: Caller, event: Event, *, provider: str | None, controller: str | None = None,
        purchaser: str | None = None, client_ref: str | None = None, record_type: str = "",
    ) -> Decision:  # fmt: skip
        """Let the caller go on, or write the denial down and refuse; gives what decided.

        Args:
            caller: who acts.
            event: what it wants to do.
            provider: whose thing it is; None when it is nobody's in particular.
            controller: whose register it is in, where that is known.
            purchaser: name of the contract file that it falls under, where that is known.
            client_ref: the client whose data it is, where it is one client's.
            record_type: type of the one record that it is, or was made of.

        Raises:
            NotPermittedError: the policy does not allow it.
            TooManyReadsError: the caller has read as much as its role may for now.
        """
        thing = Thing(provider, controller, purchaser, client_ref, record_type=record_type)
        decision = self.guard.decide(caller, event, thing)
        if not decision.allowed:
            self._refuse(caller, event, thing, decision)
        self.check_reads(caller, event, provider or "")
        return decision

    def check_reads(self, caller: Caller, event: Event, provider: str) -> None:
        """Let nobody look at more than its role may in a time; the attempt is written down.

        Raises:
            TooManyReadsError: the caller has read as much as its role may for now.
        """
        if is_measured(event) and self.measure.is_full(caller):
            self.deny(caller, event, provider, ("too many reads",))
            raise TooManyReadsError

    @contextmanager
    def acting(self, caller: Caller, event: Event, thing: Thing) -> Iterator[tuple[Connection, Decision]]:
        """One transaction in which it is decided, done and written down: what ends meanwhile ends this too.

        Raises:
            NotPermittedError: the policy does not allow it; the denial is written down, nothing else is done.
        """
        with self._parts.database.transaction() as tx:
            decision = self.guard.decide(caller, event, thing, tx=tx)
            if decision.allowed:
                yield tx, decision
        if not decision.allowed:
            self._refuse(caller, event, thing, decision)

    def _refuse(self, caller: Caller, event: Event, thing: Thing, decision: Decision) -> NoReturn:
        self.deny(
            caller, event, thing.provider or "", decision.reasons, decision,
            controller=thing.controller or self.controller_of(
                caller, thing.provider or "", purchaser=thing.purchaser or "", client_ref=thing.client_ref
            ),
        )  # fmt: skip
        told = "; ".join(decision.reasons)
        raise NotPermittedError(f"{event.value} is not allowed: {told}", findings=decision.findings)

    def deny(
        self, caller: Caller, event: Event, provider: str, reasons: Iterable[str], decision: Decision | None = None,
        *, controller: str = "",
    ) -> None:  # fmt: skip
        """Write a denial down; in a transaction of its own, since what was asked is not done."""
        with self._parts.database.transaction() as tx:
            self._parts.log.append(tx, [self.event(
                caller, Event.REQUEST_DENY, subject=event.value, provider=provider, controller=controller,
                details={"asked": event.value, "reasons": list(reasons), "failed": [
                    f"{one.params['row']}:{one.params['fact']}" for one in (decision.findings if decision else ())
                    if one.kind == "policy-condition"
                ]}, decision=decision,
            )])  # fmt: skip

    def conceal(self, caller: Caller, event: Event, thing: Thing | None) -> None:
        """Write down an attempt at what is not there or another's: the same work for both."""
        own = self.controller_of(caller)
        owner, register = (thing.provider, thing.controller) if thing is not None else (None, None)
        self.deny(caller, event, owner or caller.organisation, (HIDDEN,), controller=register or own)

    def note(self, tx: Connection, events: Iterable[AuditEvent]) -> None:
        """Append entries in the transaction of what they tell about."""
        told = list(events)
        self.measure.add(tx, told)
        self._parts.log.append(tx, told)

    def event(
        self, caller: Caller, event: Event, *, subject: str, provider: str, controller: str = "",
        client_ref: str | None = None, details: Mapping[str, Any] | None = None, decision: Decision | None = None,
        recipient: str = "",
    ) -> AuditEvent:  # fmt: skip
        """The entry about one look or act of a caller, with the provisions and the row that decided."""
        row = {"row": decision.row} if decision is not None and decision.row else {}
        return AuditEvent(
            event=event, caller=caller, at=self._parts.now(), client_ref=client_ref, subject=subject,
            provider=provider or caller.organisation,
            controller=controller or self.controller_of(caller, provider, client_ref=client_ref),
            purpose=caller.purpose, details={**(details or {}), **row}, recipient=recipient,
            basis="; ".join(decision.basis) if decision is not None and decision.basis else "703/2023 §9",
        )  # fmt: skip

    def controller_of(
        self, caller: Caller, provider: str = "", *, purchaser: str = "", client_ref: str | None = None
    ) -> str:  # fmt: skip
        """Whose register it is that is used (`Controllers.of`)."""
        version = self.guard.register_version
        return self._controllers.of(caller, provider, version=version, purchaser=purchaser, client_ref=client_ref)

    def controllers_of(self, client_ref: str | None = None) -> list[str]:
        """Controllers of every register, or of those in which a client stands."""
        version = self.guard.register_version
        return self._controllers.every(version) if client_ref is None else self._controllers.of_client(
            client_ref, version
        )  # fmt: skip

    def of_clients(
        self, caller: Caller, event: Event, refs: Collection[str], *, subject: str, decision: Decision,
        details: Mapping[str, Any] | None = None,
    ) -> list[AuditEvent]:  # fmt: skip
        """Entries about one act on the data of some clients, or of nobody in particular: one for each register."""
        sphere = self.guard.sphere(caller)
        pairs = [
            (ref, one) for ref in refs or (None,)
            for one in ([] if ref is None else [
                own for own in self.controllers_of(ref) if sphere.oversees(controller=own)
            ]) or [""]
        ]  # fmt: skip
        return [
            self.event(caller, event, subject=subject, provider="", controller=one, client_ref=ref, details=details,
                       decision=decision)
            for ref, one in pairs
        ]  # fmt: skip

    def is_own_only(self, caller: Caller) -> bool:
        """Whether the caller may see its own organisation's things only."""
        return self._policy.is_own_only(caller)

    def scope(self, caller: Caller) -> str | None:
        """The provider whose things alone the caller may see; None for those who may see all."""
        return caller.organisation if self._policy.is_own_only(caller) else None
