"""The periods that the purchaser's decisions grant, and which of them a record falls under.

A record type names its way (`x-period` in its schema):

* `covering`: what happened on a day (diary, absence, meeting held or missed): the decision that covers
  the day, or any of the days when it took several. An open one (a coaching agreement) covers what comes after it
  too, and a wide one (the authority's plan) what comes before it, for rules to tell.
* `starting`: a plan looks ahead: the decision that began last, or begins within a month.
* `overlapping`: an agreement or evaluation: the decision that its own period overlaps most.
* `ending`: a summary looks back: the decision that ended last, or ends within a month.
* `nearest`: anything else: the decision that covers its day, else the last that ended before, else the next.

A record that names its service, or the number of its product, falls under decisions of that service only, if there are
any. Where decisions overlap, the one that began later goes first; one that ends before it begins grants nothing, and
neither does a plan of the authority that names no product of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import between, later

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.products import Product
    from kanta_gateway.contracts.rules import Contract

EARLY_DAYS = 31
"""How long before a period begins its plan may be made, and before it ends its summary."""


@dataclass(frozen=True, slots=True)
class Period:
    """One decision of the purchaser."""

    entry: Entry
    start: str
    end: str
    product: Product | None
    days_per_week: Decimal | None
    hours_per_day: Decimal | None
    remote_max_percent: Decimal | None

    def covers(self, day: str) -> bool:
        """Whether a day lies in the period."""
        return self.start <= day <= self.end

    @property
    def days(self) -> int:
        """Calendar days of the period, first and last included."""
        return between(self.start, self.end) + 1

    @property
    def planned_hours(self) -> Decimal | None:
        """Weeks begun x days a week x hours a day; public holidays are not taken out (LAP-06)."""
        if self.days_per_week is None or self.hours_per_day is None:
            return None
        return -(-self.days // 7) * self.days_per_week * self.hours_per_day


@lru_cache(maxsize=1024)
def exact(value: float | str) -> Decimal:
    """A number of a record as it was written."""
    return Decimal(str(value))


def number(value: Any) -> Decimal | None:
    """A number of a record, or None if it holds none."""
    return None if value is None or isinstance(value, bool) else exact(value)


def periods(contract: Contract, decisions: Sequence[Entry]) -> tuple[Period, ...]:
    """The periods of a client's decisions, the one that began last first.

    Args:
        contract: knows the products.
        decisions: the standing decisions, in any order.
    """
    found = (
        Period(
            entry=entry,
            start=entry.facts["starts_on"],
            end=entry.facts["ends_on"],
            product=contract.product(entry.facts),
            days_per_week=number(entry.facts.get("days_per_week")),
            hours_per_day=number(entry.facts.get("hours_per_day")),
            remote_max_percent=number(entry.facts.get("remote_max_percent")),
        )
        for entry in decisions
        if "" < entry.facts.get("starts_on", "") <= entry.facts.get("ends_on", "")
    )
    granted = (one for one in found if one.product is not None or not one.entry.kind.is_wide)
    return tuple(sorted(granted, key=lambda one: (one.start, one.end, one.entry.id), reverse=True))


def period_of(entry: Entry, known: Sequence[Period]) -> Period | None:
    """The decision that a record falls under, or None.

    Args:
        entry: the record.
        known: periods, the one that began last first.
    """
    if not known:
        return None
    return _WAYS[entry.kind.way](entry, named(entry, known))


def distance(on: str, period: Period) -> tuple[int, str]:
    """How far a day lies from a period, in days; nothing, or less, inside. Of two as near the earlier goes first."""
    return (max(between(on, period.start), between(period.end, on)), period.start)


def named(entry: Entry, known: Sequence[Period]) -> Sequence[Period]:
    """The periods of the service and product that a record names; all of them where it names none, or none has it.

    Args:
        entry: the record.
        known: periods in any order.
    """
    service, number_ = entry.facts.get("service"), entry.facts.get("product_number")
    if service:
        known = [one for one in known if _word(one.entry.facts.get("service")) == _word(service)] or known
    if number_ is not None:
        known = [one for one in known if one.entry.facts.get("product_number") == number_] or known
    return known


def _word(name: object) -> str:
    return " ".join(str(name or "").split()).casefold()


def _covering(entry: Entry, known: Sequence[Period]) -> Period | None:
    day = entry.day
    for one in known:
        if one.start <= day <= one.end:
            return one
    last = entry.last_day
    if last > day and (found := next((one for one in known if one.start <= last and day <= one.end), None)) is not None:
        return found
    begun = next((one for one in known if one.entry.kind.is_open and one.start <= day), None)
    return begun or next((one for one in reversed(known) if day and one.entry.kind.is_wide), None)


def _starting(entry: Entry, known: Sequence[Period]) -> Period | None:
    latest = later(entry.day, EARLY_DAYS)
    return next((one for one in known if one.start <= latest), known[-1])


def _ending(entry: Entry, known: Sequence[Period]) -> Period | None:
    latest = later(entry.day, EARLY_DAYS)
    ended = [one for one in known if one.end <= latest]
    return max(ended, key=lambda one: one.end) if ended else _nearest(entry, known)


def _overlapping(entry: Entry, known: Sequence[Period]) -> Period | None:
    own: Mapping[str, Any] = entry.facts.get("period") or {
        "start": entry.facts.get("starts_on"),
        "end": entry.facts.get("ends_on"),
    }
    start, end = own.get("start"), own.get("end")
    if not start or not end:
        return _nearest(entry, known)

    def overlap(one: Period) -> int:
        return between(max(start, one.start), min(end, one.end))

    best = max(known, key=overlap)
    return best if overlap(best) >= 0 else _nearest(entry, known)


def _nearest(entry: Entry, known: Sequence[Period]) -> Period | None:
    day = entry.day
    if not day:
        return None
    if (covering := _covering(entry, known)) is not None:
        return covering
    before = [one for one in known if one.end < day]
    return max(before, key=lambda one: one.end) if before else min(known, key=lambda one: one.start)


COVERING = "covering"
_WAYS: Mapping[str, Callable[[Entry, Sequence[Period]], Period | None]] = {
    COVERING: _covering,
    "ending": _ending,
    "nearest": _nearest,
    "overlapping": _overlapping,
    "starting": _starting,
}
WAYS = frozenset(_WAYS)
"""Every way that `x-period` of a record schema may name."""
