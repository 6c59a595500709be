"""Is the delivery complete? Days, weeks and months that should have a record and have none.

* A day is expected from the decision, or the agreement under it: its days of the week where they are written,
  else its number of days a week; on workdays, before the as-of date, until the service ended.
* A week lacks no more than is certain: of a week that the period or a holiday cuts, the days that are left out are
  taken to be the client's own. Which days are lacking is told only where the days of the week are known.
* Any record tells of its day, also one that waits; a day swapped for another within a week is not lacking.
* A month that is kept as one sheet is lacking as a month, and then its days are not told again.
* Records that must come by a day (evaluations, summaries, reports) are told by their clocks, which say so themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import add_months, day, is_workday, later, month_end, week
from kanta_gateway.contracts.expected import ON_WEEKDAYS, Expectation

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.situation import Situation

_WORKWEEK = (0, 1, 2, 3, 4)
AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class Week:
    """One week that lacks days."""

    start: str
    end: str
    """First and last day of it that were expected to have come by the as-of date."""
    expected: int
    """Days that should have a record, at least."""
    told: int
    """Days that have one."""
    days: tuple[str, ...] = ()
    """The days without one, where the days of the week are known; more than `lacking` where one was swapped."""

    @property
    def lacking(self) -> int:
        """Days that should have a record and have none."""
        return self.expected - self.told


@dataclass(frozen=True, slots=True)
class Gaps:
    """What one period of a client lacks."""

    period: Period
    expectation: Expectation
    days_per_week: int
    """What was expected of a whole week; 0 where nothing tells."""
    weeks: Sequence[Week] = ()
    months: Sequence[str] = ()
    """Months (YYYY-MM) without their record."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is lacking."""
        return not self.weeks and not self.months


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often, and where it is known on which days, a client comes."""

    days: Collection[int] = _WORKWEEK
    """Days of the week on which the client may come, Monday is 0."""
    count: int = 0
    """Days a week; 0 where nothing tells."""

    @property
    def is_certain(self) -> bool:
        """Whether the client comes on each of the days."""
        return self.count == len(self.days)


@dataclass(frozen=True, slots=True)
class _Told:
    """Days of a period that records tell of."""

    attended: frozenset[str] = field(default_factory=frozenset)
    absent: frozenset[str] = field(default_factory=frozenset)


def gaps(situation: Situation) -> list[Gaps]:
    """What each period of a client was expected to have, and lacks.

    Args:
        situation: of the client; its as-of date is the day on which it is asked.
    """
    return [
        _gaps(period, part, situation)
        for period in reversed(situation.periods)
        for part in situation.contract.expected.parts
        if period.product is not None and (not part.products or period.product.code in part.products)
    ]


def _gaps(period: Period, part: Expectation, situation: Situation) -> Gaps:
    end = min([period.end, later(situation.as_of, -1), *_endings(period, situation)])
    sheets = {entry.day[:7] for entry in _entries(period, part.months, situation)}
    told = _told(period, part, situation)
    weeks: list[Week] = []
    most = 0
    for monday in _mondays(period.start, end):
        first, last = max(monday, period.start), min(later(monday, 6), end)
        schedule = _schedule(period, last, situation)
        most = max(most, schedule.count)
        days = [one for one in days_between(first, last) if not part.months or one[:7] in sheets]
        found = _week((first, last), [one for one in days if day(one) not in situation.holidays], schedule, told)
        if found is not None and found.lacking > 0:
            weeks.append(found)
    months = [one for one in _months(period.start, end) if one not in sheets] if part.months else []
    ended = tuple(one for one in months if situation.as_of > month_end(f"{one}-01"))
    return Gaps(period, part, most, tuple(weeks), ended)


def _endings(period: Period, situation: Situation) -> Iterator[str]:
    """Days on which the service ended before its period did."""
    yield from (one.day for one in situation.under(period, "service_end") if one.day)
    if ended := period.entry.facts.get("ended_on"):
        yield str(ended)


def _week(span: tuple[str, str], days: Sequence[str], schedule: Schedule, told: _Told) -> Week | None:
    """What one week holds and lacks; None where it lacks nothing for certain.

    Args:
        span: its first and last day within the period.
        days: those of them on which a record is expected at all.
        schedule: how the client was to come.
        told: what records tell.
    """
    possible = [one for one in days if day(one).weekday() in schedule.days]
    least = schedule.count - (len(schedule.days) - len(possible))
    if not schedule.count or least <= 0:
        return None
    within = list(days_between(*span))
    if not schedule.is_certain:
        have = sum(one in told.attended or (one in told.absent and one in days) for one in within)
        return Week(*span, least, min(least, have))
    without = [one for one in possible if one not in told.attended and one not in told.absent]
    swapped = sum(one in told.attended for one in within if one not in possible)
    have = min(least, len(possible) - len(without) + swapped)
    return Week(*span, least, have, tuple(without))


def _schedule(period: Period, until: str, situation: Situation) -> Schedule:
    """How the client was to come: by the newest agreement that had begun, and by the decision where it is silent."""
    begun = [one.entry for one in situation.under(period, AGREEMENT) if (one.facts.get("starts_on") or "") <= until]
    newest = sorted(begun, key=lambda one: (one.day, one.id), reverse=True)
    for entry in (*newest, period.entry):
        days: Sequence[int] = entry.facts.get(ON_WEEKDAYS) or ()
        count = int(entry.facts.get("days_per_week") or len(days))
        if count:
            known = tuple(days) if count <= len(days) else _WORKWEEK
            return Schedule(known, min(count, len(known)))
    return Schedule()


def _told(period: Period, part: Expectation, situation: Situation) -> _Told:
    attended: set[str] = set()
    for entry in _entries(period, (*part.attended, *part.months), situation):
        marked = entry.facts.get("days")
        if entry.type in part.months and isinstance(marked, list):
            attended.update(str(one["date"]) for one in marked if str(one.get("mark") or "").strip())
        else:
            attended.update(days_between(entry.day, entry.last_day))
    absent = {
        one
        for entry in _entries(period, part.absent, situation)
        for one in days_between(max(entry.day, period.start), min(entry.last_day, period.end))
        if entry.day == entry.last_day or is_workday(one, situation.holidays)
    }
    return _Told(frozenset(attended), frozenset(absent))


def _entries(period: Period, kinds: Collection[str], situation: Situation) -> Iterator[Entry]:
    """Records of some types that may tell of days of a period: its own, and those that are nobody's or reach over."""
    for kind in kinds:
        for entry in situation.by_type.get(kind, ()):
            own = situation.subject(entry).period
            if entry.day and (own is None or own is period or entry.last_day > own.end or entry.day < own.start):
                yield entry


def _months(start: str, end: str) -> Iterator[str]:
    first = f"{start[:7]}-01"
    while first <= end:
        yield first[:7]
        first = add_months(first, 1)


def _mondays(start: str, end: str) -> Iterator[str]:
    monday = week(start)
    while monday <= end:
        yield monday
        monday = later(monday, 7)


def days_between(start: str, end: str) -> Iterator[str]:
    """Every day from one to another, both included."""
    while start <= end:
        yield start
        start = later(start, 1)
