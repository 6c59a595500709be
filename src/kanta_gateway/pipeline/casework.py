"""Reviews of the log, and the cases that alerts and incidents open: worked on and closed with an outcome.

* A review looks for unusual access in a period and opens a case for each finding, with an owner and a due date; the
  same finding opens one case only. The provider acts on its own initiative (703/2023 §§11.5, 78.1).
* Each controller supervises the use of its own register: a review by its people looks at that register only, and nobody
  is told of another's cases. The operator reviews all registers; each gets its own entry of the review.
* An incident is a case with clocks: who must be told by when, and when they were.
* Every act and every look is an entry of the log, in the same transaction; notes stand sealed in the case only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit import report
from kanta_gateway.audit.cases import ALERT, CLOSE, INCIDENT, NOTIFY, WORK, NewCase
from kanta_gateway.errors import ConflictError, NotFoundError, ParameterError
from kanta_gateway.model import Caller, Decision, Event, Finding, Severity, instant
from kanta_gateway.pipeline.asked import PAGE
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.known import Known, entries
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.overseeing import cases_of, detector_of
from kanta_gateway.pipeline.parts import Parts, ticket
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.pipeline.sphere import APART, UNREGISTERED, Sphere

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.audit.log import AuditEvent
    from kanta_gateway.audit.unusual import Found

SCOPE, WHOLE, OWN = "scope", "all", "own"
"""Detail of a review's entry: whether all registers were reviewed together, or one by its controller."""
NO_CASE = "there is no such case; `kanta-gateway cases list` tells them"
LATE = timedelta(minutes=1)
"""How far ahead of the gateway's clock an incident or a notice may be said to be."""


class Casework:
    """Reviews the log and keeps the cases, for a caller, under the policy."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self._cases = cases_of(parts)
        self._reviewed: date | None = None

    def review(
        self, caller: Caller, first: date | None = None, last: date | None = None, owner: str = ""
    ) -> dict[str, Any]:
        """Look for unusual access and open a case for each new finding; nothing where all was reviewed.

        Args:
            caller: who reviews.
            first: first day; the day after the last review's by default, or the log's first.
            last: last day; yesterday by default.
            owner: who works on the cases; the file's by default.

        Raises:
            NotPermittedError: the caller may not review the log.
            ParameterError: the period ends before it begins.
        """
        decision = self._office.permit(caller, Event.AUDIT_REVIEW, provider=None)
        sphere, now = self._office.guard.sphere(caller), self._parts.now()
        is_default = first is None and last is None
        last = last or _today(now) - timedelta(days=1)
        first = first or self._following(sphere)
        if is_default and first is not None and first > last:
            return {"review": "", "period": "", "entries": 0, "findings": {}, "opened": 0, "cases": []}
        if first is not None and first > last:
            raise _wrong("until", f"not before {first.isoformat()}")
        found, seen = self._found(first, last, sphere)
        new = [_case_of(one, _today(now)) for one in found]
        step = {"owner": owner or self._parts.supervision.oversight.owner, "by": caller.person_id}
        review = f"review:{ticket()}"
        period = {
            "period": f"{first.isoformat() if first else ''}/{last.isoformat()}",
            "until": min(last, _today(now) - timedelta(days=1)).isoformat(),  # today is not over
        }
        with self._parts.database.transaction() as tx:
            opened = self._cases.add(tx, new, now, step)

            def told(of: Collection[str] | None) -> dict[str, Any]:
                """What the review found in some registers, or in all that it looked at."""
                return period | {
                    "entries": sum(count for one, count in seen.items() if of is None or one in of),
                    "findings": dict(Counter(one.rule.id for one in found if of is None or one.controller in of)),
                    "opened": sum(of is None or one.controller in of for one in opened),
                }

            self._office.note(tx, [
                *(self._event(caller, Event.AUDIT_REVIEW, review, {**told(of), SCOPE: scope}, decision, name)
                  for name, of, scope in self._registers(sphere, {*seen, *(one.controller for one in new)})),
                *(self._opening(caller, one, decision, {"review": review}) for one in opened),
            ])  # fmt: skip
        return {"review": review, **told(None), "cases": [one.id for one in opened]}

    def _registers(self, sphere: Sphere, seen: Collection[str]) -> Iterator[tuple[str, Collection[str], str]]:
        """For each register that a review looks at: whose its entry is, which words stand for it, and its scope."""
        if not sphere.is_whole:
            yield str(sphere.controller), {str(sphere.controller)}, OWN
            return
        known = self._office.controllers_of()
        for one in known:
            yield one, {one}, WHOLE
        if apart := set(seen) - set(known):
            yield APART, apart, WHOLE
        elif not known:
            yield UNREGISTERED, (), WHOLE

    def _found(self, first: date | None, last: date, sphere: Sphere) -> tuple[list[Found], Mapping[str, int]]:
        """Every finding of a period, and how many entries were looked at in each register."""
        with self._parts.database.reading() as tx:
            detector = detector_of(self._parts, Known(self._parts, tx))
            wanted = report.Filter(events=detector.events, since=_start(first), until=_start(last + timedelta(days=1)),
                                   limit=PAGE)  # fmt: skip
            every = entries(self._parts, tx, wanted)
            return detector.run(
                one for one in every if sphere.oversees(controller=one["controller"] or APART)
            ), detector.seen

    def review_if_due(self, caller: Caller) -> bool:
        """Review what was not reviewed until yesterday; whether there was anything to review."""
        yesterday = _today(self._parts.now()) - timedelta(days=1)
        if self._reviewed == yesterday:
            return False
        following = self._following(self._office.guard.sphere(caller))
        self._reviewed = yesterday
        if following is not None and following > yesterday:
            return False
        self.review(caller)
        return True

    def listed(self, caller: Caller, *, kind: str = "", is_open: bool | None = None) -> dict[str, Any]:
        """Cases by due date, with their steps."""
        decision = self._office.permit(caller, Event.CASE_READ, provider=None)
        with self._parts.database.transaction() as tx:
            sphere = self._office.guard.sphere_in(tx, caller)
            every = self._cases.listed(tx, kind=kind, is_open=is_open)
            found = [one for one in every if _is_seen(one, sphere)]
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
            raise _wrong("note", "a note, an owner or a due date")
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
            raise _wrong("outcome", ", ".join(known))
        if not note.strip():
            raise _wrong("note", "why the case ends so")
        decision = self._permit(caller, Event.CASE_CLOSE, case)
        now = self._parts.now()
        with self._parts.database.transaction() as tx:
            found = self._get_open(tx, case)
            self._cases.step(tx, case, CLOSE, now, _step(caller, note))
            self._cases.close(tx, case, now, outcome)
            details = {"kind": found["kind"], "rule": found["rule"], "outcome": outcome,
                       "late": _today(now).isoformat() > found["due_on"]}  # fmt: skip
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
            raise _wrong("trigger", ", ".join(self._parts.supervision.incidents.triggers))
        now = self._parts.now()
        if known_at > now + LATE:
            raise _wrong("known_at", "a moment that is over")
        decision = self._office.permit(caller, Event.CASE_OPEN, provider=None)
        sphere = self._office.guard.sphere(caller)
        controller = controller or sphere.controller or ""
        if controller and not (sphere.oversees(controller=controller) and controller in self._office.controllers_of()):
            raise _wrong("controller", "the OID of a controller whose log you supervise")
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
            raise _wrong("told_at", "a moment that is over")
        with self._parts.database.transaction() as tx:
            found = self._get_open(tx, case)
            trigger = self._parts.supervision.incidents.triggers.get(found["rule"])
            clocks = [one.id for one in trigger.clocks] if trigger is not None else []
            if clock not in clocks:
                raise _wrong("clock", ", ".join(clocks) or "-")
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
            sphere, found = self._office.guard.sphere_in(tx, caller), self._cases.get(tx, case)
        if found is None or not _is_seen(found, sphere):
            self._office.conceal(caller, event, None if found is None else Thing(None, found["controller"] or APART))
            raise NotFoundError(NO_CASE)
        return decision

    def _opening(self, caller: Caller, one: NewCase, decision: Decision, more: dict[str, str]) -> AuditEvent:
        details = {"kind": one.kind, "rule": one.rule, "due_on": one.due_on, **more}
        return self._event(caller, Event.CASE_OPEN, one.id, details, decision, one.controller)

    def _event(
        self, caller: Caller, event: Event, subject: str, details: dict[str, Any], decision: Decision,
        controller: str | None = None,
    ) -> AuditEvent:  # fmt: skip
        """An entry about supervision.

        Args:
            caller: who acts.
            event: what is done.
            subject: review or case.
            details: what is told of it.
            decision: by which it is allowed.
            controller: whose register it is about, empty for none alone; None: the caller's.
        """
        known = self._office.controllers_of()
        whose = "" if controller is None else controller if controller in {*known, UNREGISTERED} else (
            APART if len(known) > 1 else ""
        )  # fmt: skip
        return self._office.event(
            caller, event, subject=subject, provider="", controller=whose, details=details, decision=decision
        )

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

    def _following(self, sphere: Sphere) -> date | None:
        """The day after the last one up to which everything was reviewed; None where nothing was."""
        covered: date | None = None
        with self._parts.database.reading() as tx:
            wanted = report.Filter(events=frozenset({str(Event.AUDIT_REVIEW)}))
            for one in entries(self._parts, tx, wanted):
                is_of_all = one["details"].get(SCOPE, WHOLE) == WHOLE
                if not (is_of_all if sphere.is_whole else sphere.oversees(controller=one["controller"])):
                    continue
                first = one["details"]["period"].partition("/")[0]
                until = date.fromisoformat(one["details"]["until"])
                after = covered + timedelta(days=1) if covered else None
                if not first or (after is not None and date.fromisoformat(first) <= after):
                    covered = max(covered or until, until)
        return covered + timedelta(days=1) if covered else None


def _case_of(one: Found, today: date) -> NewCase:
    due = (today + timedelta(days=one.rule.due_days)).isoformat()
    return NewCase(
        ticket(), ALERT, one.rule.id, datetime.fromisoformat(one.first), due, one.person, one.key, one.controller
    )  # fmt: skip


def _is_seen(case: Mapping[str, Any], sphere: Sphere) -> bool:
    """Whether a case is of a register that the reader supervises; one of none alone is for who supervises all."""
    return sphere.oversees(controller=case["controller"] or APART)


def _step(caller: Caller, note: str, owner: str = "") -> dict[str, str]:
    return {"by": caller.person_id, "note": note} | ({"owner": owner} if owner else {})


def _today(now: datetime) -> date:
    return now.astimezone(HELSINKI).date()


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, HELSINKI) if day else None


def _wrong(name: str, expected: str) -> ParameterError:
    told = {"field": name, "expected": expected}
    return ParameterError(findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{name}", told),))
