"""Rules and figures of absences, as far as they decide on the client's unemployment benefit.

* The reason is what a record tells by its category; free text is never read for it. Without one nothing is said.
* What a reason means is dated reference data of the law: whether the benefit is paid, for how many working days at a
  time, and after how many days of illness a certificate is needed.
* Absences for the same reason are one run when the next begins no later than the workday after the last.
* A day on which the service was not arranged, or that was swapped, is no absence.

Source: act 1290/2002 chapter 10 §3, act 48/2026 §19, and the guidance of the payers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import between, is_workday, later, workdays_later
from kanta_gateway.contracts.figurekinds import Derived

if TYPE_CHECKING:
    from kanta_gateway.contracts.figures import Ground
    from kanta_gateway.contracts.law import Reason
    from kanta_gateway.contracts.rules import FigureRule, Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]
ABSENCE, CATEGORY, CERTIFICATE = "absence", "reason_category", "certificate"
PAYABLE, UNPAYABLE, UNKNOWN = "payable", "unpayable", "unknown"


@dataclass(slots=True)
class Run:
    """Absences for one reason that follow each other."""

    key: str
    start: str
    end: str
    own: list[Subject] = field(default_factory=list)

    @property
    def certificates(self) -> set[object]:
        """What its records tell of a certificate: yes, no, or both."""
        return {one.facts[CERTIFICATE] for one in self.own if CERTIFICATE in one.facts}


def runs(situation: Situation, absences: Sequence[Subject]) -> list[Run]:
    """Absences by reason and run; those without a category are in none.

    Args:
        situation: knows the holidays.
        absences: that count.
    """
    found: list[Run] = []
    latest: dict[str, Run] = {}
    for one in sorted(absences, key=lambda one: (one.day, one.entry.id)):
        key = str(one.facts.get(CATEGORY) or "")
        if not key:
            continue
        run = latest.get(key)
        if run is None or one.day > workdays_later(run.end, 1, situation.holidays):
            run = latest[key] = Run(key, one.day, one.entry.last_day)
            found.append(run)
        run.end = max(run.end, one.entry.last_day)
        run.own.append(one)
    return found


def _reason(subject: Subject, situation: Situation) -> Reason | None:
    return situation.contract.law.reason(subject.facts.get(CATEGORY), subject.day)


def _run(subject: Subject, situation: Situation) -> Run | None:
    if (have := situation.kept.get("runs")) is None:
        standing = [one for one in situation.standing(ABSENCE) if one.stands and situation.is_absence(one.entry)]
        have = situation.kept["runs"] = {one.entry.row: run for run in runs(situation, standing) for one in run.own}
    by_row: Mapping[int, Run] = have
    return by_row.get(subject.entry.row)


def _workdays(start: str, end: str, situation: Situation) -> Iterator[str]:
    while start <= end:
        if is_workday(start, situation.holidays):
            yield start
        start = later(start, 1)


# rules about one absence


def reason_listed(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """A recorded reason is one that the law knows on the day."""
    is_known = not subject.facts.get(CATEGORY) or _reason(subject, situation) is not None
    return () if is_known else (rule.finding("text", f"/{CATEGORY}", date=subject.day),)


def reason_unpaid(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The benefit is paid for the reason; one outside the list means that it is not."""
    reason = _reason(subject, situation)
    if reason is None or reason.benefit or not reason.is_absence:
        return ()
    return (rule.finding("text", f"/{CATEGORY}", date=subject.day),)


def reason_days(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """An absence lasts no more working days at a time than its reason allows; told on the record that goes beyond."""
    reason, run = _reason(subject, situation), _run(subject, situation)
    if reason is None or run is None or reason.most_workdays is None:
        return ()
    days = sum(1 for _ in _workdays(run.start, subject.entry.last_day, situation))
    if days <= reason.most_workdays:
        return ()
    return (rule.finding("text", "/ends_on", start=run.start, days=days, limit=reason.most_workdays),)


def certificate_due(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """An illness longer than the client's own word is enough for has its certificate, by any record of the run."""
    reason, run = _reason(subject, situation), _run(subject, situation)
    if reason is None or run is None or reason.certificate_after_days is None or True in run.certificates:
        return ()
    days = between(run.start, subject.entry.last_day) + 1
    if days <= reason.certificate_after_days:
        return ()
    return (rule.finding("text", f"/{CERTIFICATE}", start=run.start, days=days, limit=reason.certificate_after_days),)


def told_in_vain(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """Nobody is told as absent for a day on which the client need not have come."""
    name = rule.params["field"]
    if subject.facts.get(CATEGORY) not in rule.params["reasons"] or not subject.facts.get(name):
        return ()
    return (rule.finding("text", f"/{name}", date=subject.day),)


BENEFIT_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "certificate-due": certificate_due,
    "reason-days": reason_days,
    "reason-listed": reason_listed,
    "reason-unpaid": reason_unpaid,
    "told-in-vain": told_in_vain,
}


# figures


def absence_days(rule: FigureRule, ground: Ground) -> Derived:
    """Working days of absence: all, or those for which the benefit is paid, is not, or which nobody can tell."""
    situation, wanted = ground.situation, rule.params.get("benefit")
    own = [
        one for one in situation.standing(ABSENCE)
        if one.product in rule.products and ground.stands(one.entry) and situation.is_absence(one.entry)
    ]  # fmt: skip
    by_row = {one.entry.row: run for run in runs(situation, own) for one in run.own}
    found: dict[str, tuple[str, str]] = {}
    for one in sorted(own, key=lambda one: (one.day, one.entry.id)):
        last = min(one.entry.last_day, situation.as_of)
        for day in _workdays(one.day, last, situation):
            found.setdefault(day, (one.entry.id, _benefit(day, by_row.get(one.entry.row), situation)))
    chosen = [id_ for id_, benefit in found.values() if wanted in {None, benefit}]
    return Derived(len(chosen), tuple(dict.fromkeys(chosen)))


def _benefit(day: str, run: Run | None, situation: Situation) -> str:
    """Whether the benefit is paid for one working day of an absence, as far as the records tell."""
    if run is None:
        return UNKNOWN
    reason = situation.contract.law.reason(run.key, day)
    if reason is None or not reason.benefit:
        return UNPAYABLE
    if reason.most_workdays is not None:
        return PAYABLE if sum(1 for _ in _workdays(run.start, day, situation)) <= reason.most_workdays else UNPAYABLE
    if reason.certificate_after_days is None or between(run.start, day) < reason.certificate_after_days:
        return PAYABLE
    told = run.certificates
    return PAYABLE if True in told else UNPAYABLE if told else UNKNOWN
