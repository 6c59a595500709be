"""Cases that alerts and incidents open: worked on and closed with an outcome, by whose register they are of.

* Nobody is told of another controller's cases: one that is not there and another's are told alike.
* An incident is a case with clocks: who must be told by when, and when they were.
* Every act and every look is an entry of the log, in the same transaction; notes stand sealed in the case only.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit.cases import CLOSE, INCIDENT, NOTIFY, WORK, NewCase
from kanta_gateway.errors import ConflictError, NotFoundError
from kanta_gateway.model import Caller, Decision, Event, instant
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.logreviews import LogReviews, today, wrong
from kanta_gateway.pipeline.parts import ticket
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.pipeline.sphere import APART, Sphere

if TYPE_CHECKING:
    from sqlalchemy import Connection

NO_CASE = "there is no such case; `kanta-gateway cases list` tells them"
LATE = timedelta(minutes=1)
"""How far ahead of the gateway's clock an incident or a notice may be said to be."""


class Casework(LogReviews):
    """Keeps the cases that reviews and incidents open, for a caller."""

    def listed(self, caller: Caller, *, kind: str = "", is_open: bool | None = None) -> dict[str, Any]:
        """Cases by due date, with their steps."""
        decision = self._office.permit(caller, Event.CASE_READ, provider=None)
        with self._parts.database.transaction() as tx:
            sphere = self._office.guard.sphere_in(tx, caller)
            every = self._cases.listed(tx, kind=kind, is_open=is_open)
            found = [one for one in every if _is_seen(one["controller"], sphere)]
            self._office.note(tx, [
                self._event(caller, Event.CASE_READ, "list", {"count": len(found), "kind": kind}, decision)
            ])  # fmt: skip
        return {"cases": found}

    def shown(self, caller: Caller, case: str) -> dict[str, Any]:
        """One case with its steps.

        Raises:
            NotFoundError: there is none.
        """
        decision = self._permit(caller, Event.CASE_READ, case)
        with self._parts.database.transaction() as tx:
            found = self._get(tx, case)
            self._office.note(tx, [
                self._event(caller, Event.CASE_READ, case, {"kind": found["kind"]}, decision, found["controller"])
            ])  # fmt: skip
        return found

    def work(
        self, caller: Caller, case: str, *, note: str = "", owner: str = "", due_on: date | None = None
    ) -> dict[str, Any]:
        """Note something on an open case, or give it another owner or due date.

        Raises:
            NotFoundError: there is no such case.
            ConflictError: it is closed.
            ParameterError: nothing was told.
        """
        if not (note or owner or due_on):
            raise wrong("note", "a note, an owner or a due date")
        decision = self._permit(caller, Event.CASE_WORK, case)
        now = self._parts.now()
        with self._parts.database.transaction() as tx:
            found = self._get_open(tx, case)
            self._cases.step(tx, case, WORK, now, _step(caller, note, owner))
            details = {"kind": found["kind"], "rule": found["rule"], "step": WORK, "owner": bool(owner)}
            if due_on is not None:
                self._cases.due(tx, case, due_on.isoformat())
                details["due_on"] = due_on.isoformat()
            self._office.note(tx, [
                self._event(caller, Event.CASE_WORK, case, details, decision, found["controller"])
            ])  # fmt: skip
            return self._get(tx, case)

    def close(self, caller: Caller, case: str, outcome: str, note: str) -> dict[str, Any]:
        """End a case with an outcome and the reason for it.

        Raises:
            NotFoundError: there is no such case.
            ConflictError: it is closed already.
            ParameterError: there is no such outcome, or no reason.
        """
        known = self._parts.supervision.oversight.outcomes
        if outcome not in known:
            raise wrong("outcome", ", ".join(known))
        if not note.strip():
            raise wrong("note", "why the case ends so")
        decision = self._permit(caller, Event.CASE_CLOSE, case)
        now = self._parts.now()
        with self._parts.database.transaction() as tx:
            found = self._get_open(tx, case)
            self._cases.step(tx, case, CLOSE, now, _step(caller, note))
            self._cases.close(tx, case, now, outcome)
            details = {"kind": found["kind"], "rule": found["rule"], "outcome": outcome,
                       "late": today(now).isoformat() > found["due_on"]}  # fmt: skip
            self._office.note(tx, [
                self._event(caller, Event.CASE_CLOSE, case, details, decision, found["controller"])
            ])  # fmt: skip
            return self._get(tx, case)

    def open_incident(
        self, caller: Caller, trigger: str, known_at: datetime, *, note: str = "", owner: str = "", controller: str = ""
    ) -> dict[str, Any]:
        """Open a case about an incident; its clocks run from when it was known.

        Args:
            caller: who opens it.
            trigger: what kind of incident it is.
            known_at: when it was known.
            note: a note, kept in the case only.
            owner: who works on it; the file's by default.
            controller: whose register it concerns: that controller sees the case too; one's own by default.

        Raises:
            ParameterError: there is no such trigger or controller, or the incident is in the future.
        """
        one = self._parts.supervision.incidents.triggers.get(trigger)
        if one is None:
            raise wrong("trigger", ", ".join(self._parts.supervision.incidents.triggers))
        now = self._parts.now()
        if known_at > now + LATE:
            raise wrong("known_at", "a moment that is over")
        decision = self._office.permit(caller, Event.CASE_OPEN, provider=None)
        sphere = self._office.guard.sphere(caller)
        controller = controller or sphere.controller or ""
        if controller and not (sphere.oversees(controller=controller) and controller in self._office.controllers_of()):
            raise wrong("controller", "the OID of a controller whose log you supervise")
        hours = max((clock.hours or 0 for clock in one.clocks), default=0)
        due = (known_at + timedelta(hours=hours)).astimezone(HELSINKI).date().isoformat()
        new = NewCase(ticket(), INCIDENT, trigger, known_at, due, controller=controller)
        owner = owner or self._parts.supervision.oversight.owner
        with self._parts.database.transaction() as tx:
            self._cases.add(tx, [new], now, {**_step(caller, note), "owner": owner})
            self._office.note(tx, [self._opening(caller, new, decision, {"known_at": instant(known_at)})])
            return self._get(tx, new.id)

    def told(
        self, caller: Caller, case: str, clock: str, told_at: datetime | None = None, note: str = ""
    ) -> dict[str, Any]:
        """Write down that somebody who must be told of an incident was told.

        Raises:
            NotFoundError: there is no such case.
            ConflictError: it is closed.
            ParameterError: it has no such clock, or the moment is in the future.
        """
        decision = self._permit(caller, Event.CASE_WORK, case)
        now = self._parts.now()
        told_at = told_at or now
        if told_at > now + LATE:
            raise wrong("told_at", "a moment that is over")
        with self._parts.database.transaction() as tx:
            found = self._get_open(tx, case)
            trigger = self._parts.supervision.incidents.triggers.get(found["rule"])
            clocks = [one.id for one in trigger.clocks] if trigger is not None else []
            if clock not in clocks:
                raise wrong("clock", ", ".join(clocks) or "-")
            self._cases.step(tx, case, NOTIFY, now, _step(caller, note), clock=clock, told_at=told_at)
            details = {"kind": found["kind"], "rule": found["rule"], "step": NOTIFY, "clock": clock,
                       "told_at": instant(told_at)}  # fmt: skip
            self._office.note(tx, [
                self._event(caller, Event.CASE_WORK, case, details, decision, found["controller"])
            ])  # fmt: skip
            return self._get(tx, case)

    def _permit(self, caller: Caller, event: Event, case: str) -> Decision:
        """Let the caller go on with a case that it may see; a missing one and another's are told alike.

        Raises:
            NotFoundError: there is none that the caller may see.
        """
        decision = self._office.permit(caller, event, provider=None)
        with self._parts.database.reading() as tx:
            sphere, controller = self._office.guard.sphere_in(tx, caller), self._cases.controller_of(tx, case)
        if controller is None or not _is_seen(controller, sphere):
            self._office.conceal(caller, event, None if controller is None else Thing(None, controller or APART))
            raise NotFoundError(NO_CASE)
        return decision

    def _get(self, tx: Connection, case: str) -> dict[str, Any]:
        found = self._cases.get(tx, case)
        if found is None:
            raise NotFoundError(NO_CASE)
        return found

    def _get_open(self, tx: Connection, case: str) -> dict[str, Any]:
        found = self._get(tx, case)
        if found["state"] != "open":
            raise ConflictError("the case is closed; open another one")
        return found


def _is_seen(controller: str, sphere: Sphere) -> bool:
    """Whether a case is of a register that the reader supervises; one of none alone is for who supervises all."""
    return sphere.oversees(controller=controller or APART)


def _step(caller: Caller, note: str, owner: str = "") -> dict[str, str]:
    return {"by": caller.person_id, "note": note} | ({"owner": owner} if owner else {})
