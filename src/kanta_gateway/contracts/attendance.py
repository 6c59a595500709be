"""Attendance that is kept as a month's sheet: every marked day is judged by itself.

* A day outside every decision is rejected, whatever is marked on it; leave and absences too.
* Inside, a mark of hours is a presence if the product has such hours and the day is a workday; anything else that is
  not one of the sheet's letters is left for a person to solve, and counts in nothing.
* Letters (leave, sickness, other and unannounced absence) count by their kind, and never in presence or pay.
* A month's document tells the days that are not accepted as such; the judgement says which.

Source: document 000 §2.4, and the marks of its sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import SATURDAY, day, is_workday
from kanta_gateway.contracts.figurekinds import Derived
from kanta_gateway.contracts.periods import number

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.figures import Ground
    from kanta_gateway.contracts.mistakes import Mistakes
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import FigureRule, Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

MONTH = "attendance_month"
PRESENT, REJECTED, UNSOLVED = "present", "rejected", "unsolved"
LETTERS = ("leave", "sick", "other", "unannounced")
"""What a letter can mean."""
Found = tuple["Finding", ...]


@dataclass(frozen=True, slots=True)
class Attendance:
    """What the marks of a sheet mean, and what a presence is worth."""

    allowance: Mapping[Decimal, Decimal]
    """Hours of a day -> euros that it is worth; other hours are none of a working day."""
    letters: Mapping[str, str]
    """Letter in capitals -> one of `LETTERS`."""
    accrued_days: int = 0
    """Leave days that a month accrues."""
    accrued_from: int = 0
    """Attended days that a month needs for it."""
    accrued_most: int = 0
    """Leave days that a year can accrue."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One marked day."""

    day: str
    mark: str
    kind: str
    """`present`, `rejected`, `unsolved`, or one of `LETTERS`."""
    hours: Decimal | None = None
    why: str = ""
    """Of what is unsolved: `weekend`, `holiday`, `hours`, `unreadable`."""


@dataclass(slots=True)
class Attended:
    """What a month, or all of a client's months, hold."""

    days: list[Marked] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Marked]:
        """Days of some kinds."""
        return [one for one in self.days if one.kind in kinds]

    def allowance(self, attendance: Attendance) -> Decimal:
        """What the presences are worth, in euros."""
        return sum((attendance.allowance[one.hours] for one in self.of(PRESENT) if one.hours is not None), Decimal(0))


def read_attendance(mistakes: Mistakes, stated: Mapping[str, Any] | None) -> Attendance | None:
    """The `attendance` of a contract file, or None if it has none or it does not hold.

    Args:
        mistakes: collects what is wrong.
        stated: what the file says.
    """
    if stated is None:
        return None
    before = len(mistakes.told)
    mistakes.keys("attendance", stated, ("allowance", "letters"), ("leave",))
    leave = stated.get("leave", {})
    if leave:
        mistakes.keys("attendance leave", leave, ("days", "from_days", "most_a_year"))
    for unknown in sorted(set(stated.get("letters", {}).values()) - set(LETTERS)):
        mistakes.say("attendance letters", f"{unknown} is none of {', '.join(LETTERS)}")
    if len(mistakes.told) > before:
        return None
    return Attendance(
        allowance={Decimal(str(hours)): Decimal(str(euros)) for hours, euros in stated["allowance"].items()},
        letters={str(letter).upper(): kind for letter, kind in stated["letters"].items()},
        accrued_days=leave.get("days", 0), accrued_from=leave.get("from_days", 0),
        accrued_most=leave.get("most_a_year", 0),
    )  # fmt: skip


def attended(situation: Situation, months: Sequence[Entry]) -> Attended:
    """The marked days of some months, each judged, in order; empty where the contract knows no marks.

    Args:
        situation: knows the contract, the decisions and the holidays.
        months: standing month records.
    """
    known = situation.contract.attendance
    found = Attended()
    if known is not None:
        for month in sorted(months, key=lambda one: (one.day, one.id)):
            found.days += (_judged(known, situation, one) for one in month.facts.get("days") or ())
    return found


def of_months(situation: Situation, judged: Callable[[Entry], bool] = lambda _: True) -> Attended:
    """The marked days of all of a client's standing months.

    Args:
        situation: of the client.
        judged: which months count.
    """
    return attended(situation, [one for one in situation.by_type.get(MONTH, ()) if judged(one)])


def not_accepted(situation: Situation, month: Entry) -> list[str]:
    """The marked days of a month that are neither presence nor a known absence inside a decision.

    Args:
        situation: of the client.
        month: the record.
    """
    return [one.day for one in attended(situation, [month]).of(REJECTED, UNSOLVED)]


def _judged(known: Attendance, situation: Situation, told: Mapping[str, Any]) -> Marked:
    on, mark = str(told.get("date") or ""), str(told.get("mark") or "").strip()
    if decision_of(situation, on) is None:
        return Marked(on, mark, REJECTED)
    if not is_workday(on, situation.holidays):
        return Marked(on, mark, UNSOLVED, why="weekend" if day(on).weekday() >= SATURDAY else "holiday")
    if (letter := known.letters.get(mark.upper())) is not None:
        return Marked(on, mark, letter)
    try:
        hours = Decimal(mark.replace(",", "."))
    except InvalidOperation:
        return Marked(on, mark, UNSOLVED, why="unreadable")
    if hours not in known.allowance:
        return Marked(on, mark, UNSOLVED, hours, "hours")
    return Marked(on, mark, PRESENT, hours)


def decision_of(situation: Situation, on: str) -> Period | None:
    """The decision that covers a day, or None.

    Args:
        situation: of the client.
        on: the day.
    """
    return next((one for one in situation.periods if on and one.start <= on <= one.end), None)


# rules about one month


def month_within_decision(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Each marked day lies in some decision; one that does not is told with the nearest."""
    told: list[Finding] = []
    for one in attended(situation, [subject.entry]).of(REJECTED):
        near = min(situation.periods, key=lambda period: max(period.start, one.day) > min(period.end, one.day),
                   default=None)  # fmt: skip
        start, end = (near.start, near.end) if near is not None else ("", "")
        told.append(rule.finding("text", "/days", date=one.day, start=start, end=end))
    return tuple(told)


def month_days(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Each marked day inside a decision is a workday with the product's hours, or one of the sheet's letters."""
    return tuple(
        rule.finding(one.why, "/days", date=one.day) for one in attended(situation, [subject.entry]).of(UNSOLVED)
    )


def month_totals(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Totals that were counted by hand are those of the accepted days; an empty one is no difference."""
    known = situation.contract.attendance
    if known is None:
        return ()
    found = attended(situation, [subject.entry])
    days, euros = Decimal(len(found.of(PRESENT))), found.allowance(known)
    stated_days, stated_euros = (number(subject.facts.get(name)) for name in ("stated_days", "stated_allowance"))
    if stated_days in {None, days} and stated_euros in {None, euros}:
        return ()
    pointer = "/stated_days" if stated_days not in {None, days} else "/stated_allowance"
    return (rule.finding("text", pointer, days=days, euros=euros),)


def times_within(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The day begins and ends within the hours in which the service is given, where both are recorded."""
    start, end = subject.facts.get("start_time"), subject.facts.get("end_time")
    low, high = rule.params["from"], rule.params["to"]
    if not start or not end or (low <= start and end <= high):
        return ()
    return (rule.finding("text", "/start_time", start=low, end=high),)


MONTH_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "month-days": month_days,
    "month-totals": month_totals,
    "month-within-decision": month_within_decision,
    "times-within": times_within,
}


# rules about the client, and about one decision


def leave_balance(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """Leave days taken inside the decisions are no more than the balance at the start and what was accrued."""
    taken = len(of_months(situation).of("leave"))
    balances = [number(one.entry.facts.get("leave_balance")) for one in situation.periods]
    known = [one for one in balances if one is not None]
    limit = accrued(situation) + sum(known, Decimal(0))
    if known and taken > limit:
        yield rule.finding("text", taken=taken, limit=f"{limit.normalize():f}")


def accrued(situation: Situation) -> int:
    """Leave days that the client's months have accrued."""
    known = situation.contract.attendance
    if known is None or not known.accrued_days:
        return 0
    by_year: dict[str, int] = {}
    for month in situation.by_type.get(MONTH, ()):
        if len(attended(situation, [month]).of(PRESENT)) >= known.accrued_from:
            year = month.day[:4]
            by_year[year] = min(known.accrued_most, by_year.get(year, 0) + known.accrued_days)
    return sum(by_year.values())


def repeated_unannounced(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """Unannounced absences inside the decisions do not repeat."""
    days = of_months(situation).of("unannounced")
    if len(days) >= rule.params["times"]:
        yield rule.finding("text", times=len(days), date=days[-1].day)


def days_decided(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:  # noqa: ARG001 — one shape
    """The decision grants as many days a week as the product's limits say."""
    limits = period.product.limits.days_per_week if period.product else None
    if limits is not None and period.days_per_week is not None and not limits[0] <= period.days_per_week <= limits[1]:
        yield rule.finding("text", "/days_per_week", low=limits[0], high=limits[1])


# figures


def attendance_of(rule: FigureRule, ground: Ground) -> Derived:
    """One value of what the client's standing months hold."""
    situation, known = ground.situation, ground.contract.attendance
    months = [one for one in situation.by_type.get(MONTH, ()) if ground.stands(one)]
    if known is None:
        return Derived(None)
    found, value = attended(situation, months), rule.params["value"]
    behind = tuple(one.id for one in months)
    if value == "accrued":
        return Derived(accrued(situation), behind)
    if value == "allowance":
        return Derived(found.allowance(known), behind)
    if isinstance(value, int | float):
        hours = Decimal(str(value))
        return Derived(sum(one.hours == hours for one in found.of(PRESENT)), behind)
    return Derived(len(found.of(value)), behind)
