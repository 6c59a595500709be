"""Rules about what is bought by the day: voucher and price, who else pays, what makes a day none, size of the group.

* What a rule tells of is never taken off an invoice here; a figure names the rules whose days it leaves out.
* The price is the product's on that day; what a record says about its own price is only compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kanta_gateway.contracts.agreed import has

if TYPE_CHECKING:
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]
NOTHING: Found = ()
_VOUCHER = "voucher_number"


def voucher_granted(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The record's voucher is one that was granted for its day; outside every period, one that was granted at all.

    Where no decision tells a voucher there is nothing to compare with.
    """
    periods = [one for one in situation.periods if one.covers(subject.day)] or situation.periods
    granted = {one.entry.facts[_VOUCHER] for one in periods if one.entry.facts.get(_VOUCHER)}
    if not granted or subject.facts.get(_VOUCHER) in granted:
        return NOTHING
    return (rule.finding("other" if subject.facts.get(_VOUCHER) else "missing", f"/{_VOUCHER}"),)


def price_valid(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The product has a price on the day."""
    product = subject.period.product if subject.period else None
    if product is None or not product.prices or product.price(subject.day) is not None:
        return NOTHING
    limit = max(one.valid_to for one in product.prices)
    return (rule.finding("text", "/date", date=subject.day, limit=limit),)


def value_allowed(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """A field that tells something tells one of the allowed values, such as who pays, on records like `where`."""
    name = rule.params["field"]
    value = subject.facts.get(name)
    is_told = value is not None and value != "" and has(subject.facts, rule.params.get("where", {}))
    return (rule.finding("text", f"/{name}"),) if is_told and value not in rule.params["values"] else NOTHING


def presence_marked(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The client is not marked as away on a day that is told as attended."""
    return (rule.finding("text", "/present"),) if subject.facts.get("present") is False else NOTHING


def marked(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """A word of the contract marks the record."""
    return (rule.finding("text", date=subject.day),) if rule.params["word"] in situation.marks(subject) else NOTHING


def after_ending(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The day is not after the service ended within its period."""
    if subject.period is None:
        return NOTHING
    ends = [one.day for one in situation.under(subject.period, "service_end") if one.day < subject.day]
    return (rule.finding("text", "/date", date=subject.day, limit=min(ends)),) if ends else NOTHING


def group_size(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """A recorded group is of the product's size."""
    product = subject.period.product if subject.period else None
    limits, size = product.limits.group if product else None, subject.facts.get("group_size")
    if limits is None or size is None:
        return NOTHING
    if size < limits[0]:
        return (rule.finding("below", "/group_size", clients=size, limit=limits[0]),)
    return (rule.finding("above", "/group_size", clients=size, limit=limits[1]),) if size > limits[1] else NOTHING


def group_led(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """Recorded leaders of a group are enough, and one of them is in charge."""
    leaders, wanted = set(subject.facts.get("group_leaders") or ()), rule.params["leaders"]
    if not leaders:
        return NOTHING
    found: list[Finding] = []
    if len(leaders) < wanted:
        found.append(rule.finding("leaders", "/group_leaders", leaders=len(leaders), limit=wanted))
    if subject.facts.get("group_leader_in_charge") not in leaders:
        found.append(rule.finding("charge", "/group_leader_in_charge"))
    return tuple(found)


def group_planned(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """A day in a group needs a decision, or an implementation plan of its period, that says so."""
    facts, period = subject.facts, subject.period
    if period is None or not (facts.get("form") == "group" or (facts.get("group_size") or 0) > 1):
        return NOTHING
    plans = (one.facts.get("group_planned") for one in situation.under(period, "implementation_plan"))
    if period.entry.facts.get("group_agreed") or any(plans):
        return NOTHING
    return (rule.finding("text", "/form" if facts.get("form") else "/group_size"),)


def within_period(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The record's own days lie within the decision that it falls under."""
    period, start, end = subject.period, subject.facts.get("starts_on"), subject.facts.get("ends_on")
    if period is None or not start or not end or (period.start <= start and end <= period.end):
        return NOTHING
    pointer = "/ends_on" if end > period.end else "/starts_on"
    return (rule.finding("text", pointer, start=period.start, end=period.end),)


VOUCHER_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "after-ending": after_ending,
    "group-led": group_led,
    "group-planned": group_planned,
    "group-size": group_size,
    "marked": marked,
    "presence-marked": presence_marked,
    "price-valid": price_valid,
    "value-allowed": value_allowed,
    "voucher-granted": voucher_granted,
    "within-period": within_period,
}
