"""Rules about stretches of time: how long a service lasts in all, and what every few months of it must hold.

* Months are calendar months from the first day; a period that is a few days short of them counts as full.
* A stretch is judged once it has ended by the as-of date, and not at all if the service ended before it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import add_months, between, later, union_days
from kanta_gateway.contracts.periods import number

if TYPE_CHECKING:
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation
    from kanta_gateway.model import Finding

Found = Iterator["Finding"]


def stretches(period: Period, months: int, tolerance_days: int) -> Iterator[tuple[str, str]]:
    """First and last days of the full stretches of so many months within a period."""
    count, start = 0, period.start
    while later(period.end, tolerance_days) >= (end := later(add_months(period.start, months * (count + 1)), -1)):
        yield start, min(end, period.end)
        count, start = count + 1, later(end, 1)


def _ended(rule: Rule, period: Period, situation: Situation) -> Iterator[tuple[str, str]]:
    """The stretches of a rule that can be judged."""
    endings = [one.day for one in situation.under(period, "service_end")]
    for start, end in stretches(period, rule.params["months"], rule.params["tolerance_days"]):
        if situation.as_of > end and not any(one < end for one in endings):
            yield start, end


def guidance_hours(rule: Rule, situation: Situation) -> Found:
    """Every stretch of some months with recorded days holds enough hours of guidance."""
    name, limit = rule.params["field"], rule.params["hours"]
    for period in reversed(situation.periods):
        own = [one for one in situation.days if one.stands and one.period is period]
        for start, end in _ended(rule, period, situation):
            within = [number(one.facts.get(name)) or Decimal(0) for one in own if start <= one.day <= end]
            if within and (hours := sum(within, Decimal(0))) < limit:
                yield rule.finding("text", hours=hours, limit=limit, start=start, end=end)


def price_agrees(rule: Rule, situation: Situation) -> Found:
    """The price that a decision tells is the product's."""
    for period in reversed(situation.periods):
        told = number(period.entry.facts.get("unit_price"))
        agreed = period.product.price(period.start) if period.product else None
        if told is not None and agreed is not None and told != agreed:
            yield rule.finding("text", "/unit_price", price=told, limit=agreed)


def _lasted(period: Period, situation: Situation, product: str = "") -> tuple[str, int]:
    """First day, and days up to the end of a period, of the client's periods of a product, or of all."""
    before = [
        one
        for one in situation.periods
        if one.start <= period.start and (not product or (one.product is not None and one.product.code == product))
    ]
    return min(one.start for one in before), union_days((one.start, one.end) for one in before)


def _is_above(start: str, days: int, months: int, tolerance_days: int = 0) -> bool:
    return days > between(start, add_months(start, months)) + tolerance_days


def whole_duration(rule: Rule, period: Period, situation: Situation) -> Found:
    """The client's periods together last no longer than the contract says; longer ones need enough days a week."""
    start, days = _lasted(period, situation)
    params, limit = rule.params, rule.params["days_per_week"]
    if _is_above(start, days, params["most_months"]):
        yield rule.finding("above", "/ends_on", limit=params["most_months"])
    elif _is_above(start, days, params["months"]) and (period.days_per_week or 0) < limit:
        yield rule.finding("few", "/days_per_week", months=params["months"], limit=limit)


def product_duration(rule: Rule, period: Period, situation: Situation) -> Found:
    """The client's periods of one product last no longer than it may, and longer only with grounds."""
    if period.product is None:
        return
    start, days = _lasted(period, situation, period.product.code)
    params, tolerance = rule.params, rule.params["tolerance_days"]
    if _is_above(start, days, params["months_with_grounds"], tolerance):
        yield rule.finding("above", "/ends_on", limit=params["months_with_grounds"])
    elif _is_above(start, days, params["months"], tolerance) and params["grounds"] not in (
        period.entry.facts.get("filled") or ()
    ):
        yield rule.finding("ungrounded", f"/{params['grounds']}", limit=params["months"])


CLIENT_SPANS: Mapping[str, Callable[[Rule, Situation], Found]] = {
    "guidance-hours": guidance_hours,
    "price-agrees": price_agrees,
}
DECISION_SPANS: Mapping[str, Callable[[Rule, Period, Situation], Found]] = {
    "product-duration": product_duration,
    "whole-duration": whole_duration,
}
