"""Figures of a service that is bought by the day: what was granted, which days cost what, what stands beside.

* A day costs the price of its own product on that day, and once, however many records tell of it.
* Money is decimal from the contract file to the sum.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import union_days
from kanta_gateway.contracts.figurekinds import Derived

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kanta_gateway.contracts.figures import Ground
    from kanta_gateway.contracts.rules import FigureRule
    from kanta_gateway.contracts.situation import Subject


def ids(subjects: Iterable[Subject]) -> tuple[str, ...]:
    """Ids of records, in their order."""
    return tuple(one.entry.id for one in subjects)


def calendar_days(rule: FigureRule, ground: Ground) -> Derived:
    """On how many calendar days, each record from its first day to its last, weekends included."""
    found = ground.chosen(rule.params)
    return Derived(union_days((one.day, one.entry.last_day) for one in found), ids(found))


def others(rule: FigureRule, ground: Ground) -> Derived:
    """How many records stand beside those behind another figure, whatever holds them or leaves them out.

    What was dated after the day it came is one of them on every day until it is corrected.
    """
    known = set(ground.made[rule.params["than"]].records)
    found = sorted(
        (
            one
            for one in ground.situation.standing(*rule.params["records"])
            if one.entry.id not in known and (one.day <= ground.situation.as_of or _is_ahead(one))
        ),
        key=lambda one: (one.day, *one.order),
    )
    return Derived(len(found), ids(found))


def _is_ahead(one: Subject) -> bool:
    received = one.entry.received_on
    return received is not None and one.day > received.isoformat()


def granted(rule: FigureRule, ground: Ground) -> Derived:
    """What the newest decision says in one field."""
    if not ground.periods:
        return Derived(None)
    newest = ground.periods[0].entry
    return Derived(newest.facts.get(rule.params["field"]), (newest.id,))


def price(rule: FigureRule, ground: Ground) -> Derived:  # noqa: ARG001 — one shape
    """The price of a day of the product that the newest decision grants, as it is when the period begins."""
    if not ground.periods:
        return Derived(None)
    newest = ground.periods[0]
    return Derived(None if newest.product is None else newest.product.price(newest.start), (newest.entry.id,))


def priced_days(rule: FigureRule, ground: Ground) -> Derived:
    """What the days cost, each at the price of its own product and day; a day counts once."""
    days_: dict[str, Decimal] = {}
    found = []
    for one in ground.chosen(rule.params):
        amount = one.period.product.price(one.day) if one.period and one.period.product else None
        if amount is not None:
            days_.setdefault(one.day, amount)
            found.append(one)
    return Derived(sum(days_.values(), Decimal(0)), ids(found))
