"""Rules and figures of attendance that is kept as a month's sheet: days, totals counted by hand, leave, absences.

* What a marked day means is `attendance.py`; here it is told, added up and compared.
* What a month adds up to counts only if the month itself is neither held nor refused.
* A balance of leave is what it was on its decision's first day: what came before is in it.

Source: document 000 §2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from kanta_gateway.contracts.attendance import (
    MONTH,
    PRESENT,
    REJECTED,
    UNSOLVED,
    attended,
    decisions_of,
    months_that_count,
)
from kanta_gateway.contracts.calendar import month_end
from kanta_gateway.contracts.figurekinds import Derived
from kanta_gateway.contracts.periods import distance, number

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.figures import Ground
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import FigureRule, Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]


# rules about one month


def month_within_decision(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Each marked day lies in some decision; one that does not is told with the nearest."""
    decisions, told = decisions_of(situation, subject.entry) or situation.periods, []
    for one in attended(situation, [subject.entry]).of(REJECTED):
        near = min(decisions, key=partial(distance, one.day), default=None)
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
    """Leave days taken from a decision's first day on are no more than its balance then, and what was accrued since."""
    months = months_that_count(situation)
    leave = attended(situation, months).of("leave")
    for period in reversed(situation.periods):
        balance = number(period.entry.facts.get("leave_balance"))
        if balance is None:
            continue
        taken = sum(one.day >= period.start for one in leave)
        limit = balance + accrued(situation, [one for one in months if month_end(one.day) >= period.start])
        if taken > limit:
            yield rule.finding("text", taken=taken, limit=f"{limit.normalize():f}")
            return  # one balance that is overdrawn says it; a later one would say the same days again


def accrued(situation: Situation, months: Sequence[Entry]) -> int:
    """Leave days that some months have accrued.

    Args:
        situation: of the client.
        months: records that count.
    """
    known = situation.contract.attendance
    if known is None or not known.accrued_days:
        return 0
    by_year: dict[str, int] = {}
    for month in months:
        if len(attended(situation, [month]).of(PRESENT)) >= known.accrued_from:
            year = month.day[:4]
            by_year[year] = min(known.accrued_most, by_year.get(year, 0) + known.accrued_days)
    return sum(by_year.values())


def repeated_unannounced(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """Unannounced absences inside the decisions do not repeat."""
    days = attended(situation, months_that_count(situation)).of("unannounced")
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
        return Derived(accrued(situation, months), behind)
    if value == "allowance":
        return Derived(found.allowance(known), behind)
    if isinstance(value, int | float):
        hours = Decimal(str(value))
        return Derived(sum(one.hours == hours for one in found.of(PRESENT)), behind)
    return Derived(len(found.of(value)), behind)
