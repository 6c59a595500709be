"""Rules and figures of days that a client attended under services of one type, whichever decision granted them.

* An attended day is an entry that counts (neither held nor refused, and no word makes it none), or a presence of a
  month's sheet; a day counts once, however many records tell of it.
* The twelve months of a day end on it: from 30 November back to 1 December of the year before.
* Only days that this gateway knows of one provider's client are counted; days elsewhere are not known.
* A plan's days are as many of a week's attended ones, the first ones, as the decision grants.

Source: act 189/2001 §13 and §14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from kanta_gateway.contracts.attendance import MONTH, PRESENT, attended, decisions_of
from kanta_gateway.contracts.calendar import add_months, later, week
from kanta_gateway.contracts.figurekinds import Derived
from kanta_gateway.contracts.situation import ATTENDED

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.figures import Ground
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import FigureRule, Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]
Counts = Callable[["Subject"], bool]


@dataclass(frozen=True, slots=True)
class Day:
    """One attended day, as one record tells it."""

    day: str
    hours: Decimal | None
    period: Period | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class Days:
    """Attended days in order of time, with what rules ask of them."""

    told: Sequence[Day]
    by_entry: Mapping[int, Sequence[Day]]
    by_day: Mapping[str, Sequence[Day]]
    by_week: Mapping[str, Sequence[str]]
    """Monday -> days, each once."""

    @classmethod
    def of(cls, told: Sequence[Day]) -> Days:
        """Index days that are in order."""
        by_entry: dict[int, list[Day]] = {}
        by_day: dict[str, list[Day]] = {}
        by_week: dict[str, list[str]] = {}
        for one in told:
            by_entry.setdefault(one.entry.row, []).append(one)
            by_day.setdefault(one.day, []).append(one)
        for day in by_day:
            by_week.setdefault(week(day), []).append(day)
        return cls(told, by_entry, by_day, by_week)


def windows(days: Sequence[str], months: int) -> dict[str, int]:
    """For each day how many of the days lie in the months that end on it.

    Args:
        days: each once, in order of time.
        months: how many.
    """
    found: dict[str, int] = {}
    first = 0
    for place, day in enumerate(days):
        start = begins(day, months)
        while days[first] < start:
            first += 1
        found[day] = place - first + 1
    return found


def begins(day: str, months: int) -> str:
    """First day of the months that end on a day."""
    return later(add_months(day, -months), 1)


def days_of(situation: Situation, products: frozenset[str], counts: Counts) -> Days:
    """The attended days under some products.

    Args:
        situation: of the client.
        products: codes.
        counts: whether an entry, or a month's sheet, counts.
    """
    own = (one for one in situation.days if one.product in products and counts(one))
    told = [(one.day, one.order, Day(one.day, one.hours, one.period, one.entry)) for one in own]
    for month in situation.standing(MONTH) if situation.contract.attendance is not None else ():
        if counts(month):
            decisions = decisions_of(situation, month.entry)
            for marked in attended(situation, [month.entry]).of(PRESENT):
                period = next((one for one in decisions if one.covers(marked.day)), None)
                if period is not None and period.product is not None and period.product.code in products:
                    told.append((marked.day, month.order, Day(marked.day, marked.hours, period, month.entry)))
    return Days.of([day for _, _, day in sorted(told, key=lambda one: one[:2])])


def _counts(subject: Subject) -> bool:
    return subject.counts if subject.entry.type == ATTENDED else subject.stands


def _days(rule: Rule, situation: Situation) -> Days:
    """The days that a rule is about, gathered once for a judgement."""
    key = ("attended", rule.products)
    if (have := situation.kept.get(key)) is None:
        have = situation.kept[key] = days_of(situation, rule.products, _counts)
    found: Days = have
    return found


def _own(rule: Rule, subject: Subject, situation: Situation) -> Sequence[Day]:
    return _days(rule, situation).by_entry.get(subject.entry.row, ()) if _counts(subject) else ()


def _pointer(subject: Subject, field: str) -> str:
    return "/days" if subject.entry.type == MONTH else f"/{field}"


# rules about one record


def week_days(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The days of a calendar week are no more than the limit, under all decisions together; told on each above it."""
    found, limit = [], rule.params["limit"]
    for one in _own(rule, subject, situation):
        place = _days(rule, situation).by_week[week(one.day)].index(one.day) + 1
        if place > limit:
            found.append(rule.finding("text", _pointer(subject, "date"), date=one.day, days=place, limit=limit))
    return tuple(found)


def day_hours(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The hours of a day lie between the limits; told on the record that exceeds them, or on the day's last."""
    found: list[Finding] = []
    for one in _own(rule, subject, situation):
        told = _days(rule, situation).by_day[one.day]
        up_to = told[: told.index(one) + 1]
        hours = sum((each.hours or Decimal(0) for each in up_to), Decimal(0))
        if one.hours is None:
            continue
        for text, is_wrong, limit in (
            ("above", hours > rule.params["high"], rule.params["high"]),
            ("below", one is told[-1] and hours < rule.params["low"], rule.params["low"]),
        ):
            if is_wrong:
                found.append(rule.finding(text, _pointer(subject, "hours"), date=one.day, hours=hours, limit=limit))
    return tuple(found)


def week_hours(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The hours of a calendar week are no more than the limit; told on each record above it."""
    found, limit, days = [], rule.params["limit"], _days(rule, situation)
    for one in _own(rule, subject, situation):
        told = [each for day in days.by_week[week(one.day)] if day <= one.day for each in days.by_day[day]]
        hours = sum((each.hours or Decimal(0) for each in told[: told.index(one) + 1]), Decimal(0))
        if one.hours is not None and hours > limit:
            found.append(rule.finding("text", _pointer(subject, "hours"), date=one.day, hours=hours, limit=limit))
    return tuple(found)


def rolling_days(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The days of the months that end on a day are no more than the limit; told on each day above it."""
    own, limit, months = _own(rule, subject, situation), rule.params["limit"], rule.params["months"]
    days = _days(rule, situation)
    if not own or len(days.by_day) <= limit:
        return ()
    key = ("windows", rule.products, months)
    if (counted := situation.kept.get(key)) is None:
        counted = situation.kept[key] = windows(tuple(days.by_day), months)
    return tuple(
        rule.finding(
            "text", _pointer(subject, "date"), date=one.day, start=begins(one.day, months), days=counted[one.day],
            limit=limit,
        )
        for one in own if counted[one.day] > limit
    )  # fmt: skip


ATTENDING_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "day-hours": day_hours,
    "rolling-days": rolling_days,
    "week-days": week_days,
    "week-hours": week_hours,
}


# figures


def _told(rule: FigureRule, ground: Ground) -> Days:
    """The days that a figure counts: up to its own day, each once."""

    def counts(subject: Subject) -> bool:
        return ground.stands(subject.entry) and ground.situation.is_realised(subject)

    every = days_of(ground.situation, rule.products, counts).told
    return Days.of([one for one in every if one.day <= ground.situation.as_of])


def _derived(value: Decimal | int | None, told: Sequence[Day]) -> Derived:
    return Derived(value, tuple(dict.fromkeys(one.entry.id for one in told)))


def rolling(rule: FigureRule, ground: Ground) -> Derived:
    """Attended days of the months that end on the figures' day; what is left of them; or the most on any day."""
    days, months, value = _told(rule, ground), rule.params["months"], rule.params["value"]
    until = ground.situation.as_of
    if value == "most":
        counted = windows(tuple(days.by_day), months)
        until = max(counted, key=lambda day: counted[day], default=until)
    within = [one for one in days.told if begins(until, months) <= one.day <= until]
    count = len({one.day for one in within})
    return _derived(rule.params["limit"] - count if value == "left" else count, within)


def _plan_days(days: Days) -> Iterator[Day]:
    """One record of each attended day that the plan has: of a week's days, the first as many as were granted."""
    taken: dict[tuple[str, int], int] = {}
    for one in (told[0] for told in days.by_day.values()):
        period = one.period
        if period is None:
            continue
        key = (week(one.day), period.entry.row)
        taken[key] = taken.get(key, 0) + 1
        if period.days_per_week is None or taken[key] <= period.days_per_week:
            yield one


def _chosen(rule: FigureRule, ground: Ground) -> list[Day]:
    days = _told(rule, ground)
    return list(_plan_days(days)) if rule.params["value"] == "plan" else [told[0] for told in days.by_day.values()]


def service_days(rule: FigureRule, ground: Ground) -> Derived:
    """Attended days, or those of them that are the plan's."""
    found = _chosen(rule, ground)
    return _derived(len(found), found)


def service_amount(rule: FigureRule, ground: Ground) -> Derived:
    """What such days are worth, each by the amount of its own day; nothing where a day has no known amount."""
    found, rows = _chosen(rule, ground), ground.contract.law.amount(rule.params["amount"])
    amounts = [next((row.amount for row in rows if row.covers(one.day)), None) for one in found]
    known = [one for one in amounts if one is not None]
    return _derived(sum(known, Decimal(0)) if len(known) == len(amounts) else None, found)
