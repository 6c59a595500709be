"""Reviews of the log: unusual access of a period is looked for, and each new finding opens a case.

* The same finding opens one case only; the provider acts on its own initiative (703/2023 §§11.5, 78.1).
* Each controller supervises the use of its own register: a review by its people looks at that register only. The
  operator reviews all registers; each of them gets its own entry of the review, with its own counts.
* What no single register shows is a case of the operator's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit import report
from kanta_gateway.audit.cases import ALERT, NewCase
from kanta_gateway.errors import ParameterError
from kanta_gateway.model import Caller, Decision, Event, Finding, Severity
from kanta_gateway.pipeline.asked import PAGE
from kanta_gateway.pipeline.known import Known, entries
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.overseeing import cases_of, detector_of
from kanta_gateway.pipeline.parts import Parts, ticket
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.pipeline.sphere import APART, UNREGISTERED, Sphere

if TYPE_CHECKING:
    from kanta_gateway.audit.log import AuditEvent
    from kanta_gateway.audit.unusual import Found

SCOPE, WHOLE, OWN = "scope", "all", "own"
"""Detail of a review's entry: whether all registers were reviewed together, or one by its controller."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a review found."""

    found: Sequence[Found]
    entries: Mapping[str, int]
    """Whose register -> how many entries were looked at."""

    def told(self, opened: Sequence[NewCase], of: Collection[str] | None = None) -> dict[str, Any]:
        """Counts, of some registers or of all that were looked at.

        Args:
            opened: the cases that were opened.
            of: controllers; None for all.
        """
        return {
            "entries": sum(count for one, count in self.entries.items() if of is None or one in of),
            "findings": dict(Counter(one.rule.id for one in self.found if of is None or one.controller in of)),
            "opened": sum(of is None or one.controller in of for one in opened),
        }


class LogReviews:
    """Reviews the log for a caller, under the policy."""

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
        last = last or today(now) - timedelta(days=1)
        first = first or self._following(sphere)
        if is_default and first is not None and first > last:
            return {"review": "", "period": "", "entries": 0, "findings": {}, "opened": 0, "cases": []}
        if first is not None and first > last:
            raise wrong("until", f"not before {first.isoformat()}")
        seen = self._look(first, last, sphere)
        new = [_case_of(one, today(now)) for one in seen.found]
        step = {"owner": owner or self._parts.supervision.oversight.owner, "by": caller.person_id}
        review = f"review:{ticket()}"
        until = min(last, today(now) - timedelta(days=1))  # today is not over
        period = {"period": f"{first.isoformat() if first else ''}/{last.isoformat()}", "until": until.isoformat()}
        with self._parts.database.transaction() as tx:
            opened = self._cases.add(tx, new, now, step)
            self._office.note(tx, [
                *(self._event(caller, Event.AUDIT_REVIEW, review,
                              {**period, **seen.told(opened, of), SCOPE: scope}, decision, name)
                  for name, of, scope in self._registers(sphere, {*seen.entries, *(one.controller for one in new)})),
                *(self._opening(caller, one, decision, {"review": review}) for one in opened),
            ])  # fmt: skip
        return {"review": review, **period, **seen.told(opened), "cases": [one.id for one in opened]}

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

    def _look(self, first: date | None, last: date, sphere: Sphere) -> _Seen:
        """What there is in a period of the registers that a review looks at."""
        with self._parts.database.reading() as tx:
            detector = detector_of(self._parts, Known(self._parts, tx))
            wanted = report.Filter(events=detector.events, since=_start(first), until=_start(last + timedelta(days=1)),
                                   limit=PAGE)  # fmt: skip
            every = entries(self._parts, tx, wanted)
            found = detector.run(one for one in every if sphere.oversees(controller=one["controller"] or APART))
            return _Seen(found, detector.seen)

    def review_if_due(self, caller: Caller) -> bool:
        """Review what was not reviewed until yesterday; whether there was anything to review."""
        yesterday = today(self._parts.now()) - timedelta(days=1)
        if self._reviewed == yesterday:
            return False
        following = self._following(self._office.guard.sphere(caller))
        self._reviewed = yesterday
        if following is not None and following > yesterday:
            return False
        self.review(caller)
        return True

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


def today(now: datetime) -> date:
    """The day in Finland."""
    return now.astimezone(HELSINKI).date()


def wrong(name: str, expected: str) -> ParameterError:
    """A parameter that cannot be, and what was expected."""
    told = {"field": name, "expected": expected}
    return ParameterError(findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{name}", told),))


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, HELSINKI) if day else None
