"""Reviews of the log, and the cases that alerts and incidents open: worked on and closed with an outcome.

* A review looks for unusual access in a period and opens a case for each finding, with an owner and a due date; the
  same finding opens one case only. The provider acts on its own initiative (703/2023 §§11.5, 78.1).
* An incident is a case with clocks: who must be told by when, and when they were.
* Every act and every look is an entry of the log, in the same transaction; notes stand sealed in the case only.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit import report
from kanta_gateway.audit.cases import ALERT, CLOSE, INCIDENT, NOTIFY, WORK, NewCase
from kanta_gateway.errors import ConflictError, NotFoundError, ParameterError
from kanta_gateway.model import Caller, Decision, Event, Finding, Severity, instant
from kanta_gateway.pipeline.asked import PAGE
from kanta_gateway.pipeline.known import Known, entries
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.overseeing import cases_of, detector_of
from kanta_gateway.pipeline.parts import Parts, ticket
from kanta_gateway.pipeline.partybook import HELSINKI

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.audit.log import AuditEvent
    from kanta_gateway.audit.unusual import Found

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
        now = self._parts.now()
        is_default = first is None and last is None
        last = last or _today(now) - timedelta(days=1)
        first = first or self._following()
        if is_default and first is not None and first > last:
            return {"review": "", "period": "", "entries": 0, "findings": {}, "opened": 0, "cases": []}
        if first is not None and first > last:
            raise _wrong("until", f"not before {first.isoformat()}")
        found, seen = self._found(first, last)
        new = [_case_of(one, _today(now)) for one in found]
        step = {"owner": owner or self._parts.supervision.oversight.owner, "by": caller.person_id}
        review = f"review:{ticket()}"
        with self._parts.database.transaction() as tx:
            opened = self._cases.add(tx, new, now, step)
            details = {
                "period": f"{first.isoformat() if first else ''}/{last.isoformat()}",
                "until": min(last, _today(now) - timedelta(days=1)).isoformat(),  # today is not over
                "entries": seen, "findings": dict(Counter(one.rule.id for one in found)), "opened": len(opened),
            }  # fmt: skip
            self._office.note(tx, [
                self._event(caller, Event.AUDIT_REVIEW, review, details, decision),
                *(self._opening(caller, one, decision, {"review": review}) for one in opened),
            ])  # fmt: skip
        return {"review": review, **details, "cases": [one.id for one in opened]}

    def _found(self, first: date | None, last: date) -> tuple[list[Found], int]:
        """Every finding of a period, and how many entries were looked at."""
        with self._parts.database.reading() as tx:
            detector = detector_of(self._parts, Known(self._parts, tx))
            wanted = report.Filter(events=detector.events, since=_start(first), until=_start(last + timedelta(days=1)),
                                   limit=PAGE)  # fmt: skip
            return detector.run(entries(self._parts, tx, wanted)), detector.seen

    def review_if_due(self, caller: Caller) -> bool:
        """Review what was not reviewed until yesterday; whether there was anything to review."""
        yesterday = _today(self._parts.now()) - timedelta(days=1)
        if self._reviewed == yesterday:
            return False
        following = self._following()
        self._reviewed = yesterday
        if following is not None and following > yesterday:
            return False
        self.review(caller)
        return True

    def listed(self, caller: Caller, *, kind: str = "", is_open: bool | None = None) -> dict[str, Any]:
        """Cases by due date, with their steps."""
        decision = self._office.permit(caller, Event.CASE_READ, provider=None)
        with self._parts.database.transaction() as tx:
            found = list(self._cases.listed(tx, kind=kind, is_open=is_open))
            self._office.note(tx, [
                self._event(caller, Event.CASE_READ, "list", {"count": len(found), "kind": kind}, decision)
            ])  # fmt: skip
        return {"cases": found}

    def shown(self, caller: Caller, case: str) -> dict[str, Any]:
        """One case with its steps.

        Raises:
            NotFoundError: there is none.
        """
        decision = self._office.permit(caller, Event.CASE_READ, provider=None)
        with self._parts.database.transaction() as tx:
            found = self._get(tx, case)
            self._office.note(tx, [self._event(caller, Event.CASE_READ, case, {"kind": found["kind"]}, decision)])
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
        decision = self._office.permit(caller, Event.CASE_WORK, provider=None)
        now = self._parts.now()
        with self._parts.database.transaction() as tx:
            found = self._get_open(tx, case)
            self._cases.step(tx, case, WORK, now, _step(caller, note, owner))
            details = {"kind": found["kind"], "rule": found["rule"], "step": WORK, "owner": bool(owner)}
            if due_on is not None:
                self._cases.due(tx, case, due_on.isoformat())
                details["due_on"] = due_on.isoformat()
            self._office.note(tx, [self._event(caller, Event.CASE_WORK, case, details, decision)])
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
        decision = self._office.permit(caller, Event.CASE_CLOSE, provider=None)
        now = self._parts.now()
        with self._parts.database.transaction() as tx:
            found = self._get_open(tx, case)
            self._cases.step(tx, case, CLOSE, now, _step(caller, note))
            self._cases.close(tx, case, now, outcome)
            details = {"kind": found["kind"], "rule": found["rule"], "outcome": outcome,
                       "late": _today(now).isoformat() > found["due_on"]}  # fmt: skip
            self._office.note(tx, [self._event(caller, Event.CASE_CLOSE, case, details, decision)])
            return self._get(tx, case)

    def open_incident(
        self, caller: Caller, trigger: str, known_at: datetime, *, note: str = "", owner: str = ""
    ) -> dict[str, Any]:
        """Open a case about an incident; its clocks run from when it was known.

        Raises:
            ParameterError: there is no such trigger, or the incident is in the future.
        """
        one = self._parts.supervision.incidents.triggers.get(trigger)
        if one is None:
            raise _wrong("trigger", ", ".join(self._parts.supervision.incidents.triggers))
        now = self._parts.now()
        if known_at > now + LATE:
            raise _wrong("known_at", "a moment that is over")
        decision = self._office.permit(caller, Event.CASE_OPEN, provider=None)
        hours = max((clock.hours or 0 for clock in one.clocks), default=0)
        due = (known_at + timedelta(hours=hours)).astimezone(HELSINKI).date().isoformat()
        new = NewCase(ticket(), INCIDENT, trigger, known_at, due)
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
        decision = self._office.permit(caller, Event.CASE_WORK, provider=None)
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
            self._office.note(tx, [self._event(caller, Event.CASE_WORK, case, details, decision)])
            return self._get(tx, case)

    def _opening(self, caller: Caller, one: NewCase, decision: Decision, more: dict[str, str]) -> AuditEvent:
        details = {"kind": one.kind, "rule": one.rule, "due_on": one.due_on, **more}
        return self._event(caller, Event.CASE_OPEN, one.id, details, decision)

    def _event(
        self, caller: Caller, event: Event, subject: str, details: dict[str, Any], decision: Decision
    ) -> AuditEvent:
        return self._office.event(caller, event, subject=subject, provider="", details=details, decision=decision)

    def _get(self, tx: Connection, case: str) -> dict[str, Any]:
        found = self._cases.get(tx, case)
        if found is None:
            raise NotFoundError("there is no such case; `kanta-gateway cases list` tells them")
        return found

    def _get_open(self, tx: Connection, case: str) -> dict[str, Any]:
        found = self._get(tx, case)
        if found["state"] != "open":
            raise ConflictError("the case is closed; open another one")
        return found

    def _following(self) -> date | None:
        """The day after the last one up to which everything was reviewed; None where nothing was."""
        covered: date | None = None
        with self._parts.database.reading() as tx:
            wanted = report.Filter(events=frozenset({str(Event.AUDIT_REVIEW)}))
            for one in entries(self._parts, tx, wanted):
                first = one["details"]["period"].partition("/")[0]
                until = date.fromisoformat(one["details"]["until"])
                after = covered + timedelta(days=1) if covered else None
                if not first or (after is not None and date.fromisoformat(first) <= after):
                    covered = max(covered or until, until)
        return covered + timedelta(days=1) if covered else None


def _case_of(one: Found, today: date) -> NewCase:
    due = (today + timedelta(days=one.rule.due_days)).isoformat()
    return NewCase(
        ticket(), ALERT, one.rule.id, datetime.fromisoformat(one.first), due, one.person, one.key
    )  # fmt: skip


def _step(caller: Caller, note: str, owner: str = "") -> dict[str, str]:
    return {"by": caller.person_id, "note": note} | ({"owner": owner} if owner else {})


def _today(now: datetime) -> date:
    return now.astimezone(HELSINKI).date()


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, HELSINKI) if day else None


def _wrong(name: str, expected: str) -> ParameterError:
    told = {"field": name, "expected": expected}
    return ParameterError(findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{name}", told),))
