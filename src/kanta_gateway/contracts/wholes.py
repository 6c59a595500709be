"""Rules about a whole: the client, or one decision; their findings stand on the reference record as info.

* A share or a missing record is judged when its period, or its month, has ended by the as-of date.
* What the data does not tell (registration, age, title) is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from kanta_gateway.contracts.awaited import CLIENT_CLOCKS, DECISION_CLOCKS, periods_of
from kanta_gateway.contracts.calendar import add_months, age, later
from kanta_gateway.contracts.coaching import AGREEMENT_CHECKS
from kanta_gateway.contracts.deadlines import checks
from kanta_gateway.contracts.grounds import GROUND_ON_DECISION
from kanta_gateway.contracts.joint import JOINT_DECISIONS
from kanta_gateway.contracts.months import days_decided, leave_balance, repeated_unannounced
from kanta_gateway.contracts.periods import Period
from kanta_gateway.contracts.rules import Rule
from kanta_gateway.contracts.situation import Situation
from kanta_gateway.contracts.spans import CLIENT_SPANS, DECISION_SPANS
from kanta_gateway.model import Finding

ClientCheck = Callable[[Rule, Situation], Iterable[Finding]]
DecisionCheck = Callable[[Rule, Period, Situation], Iterable[Finding]]


def share(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """A share in percent with one decimal, half up; nothing of nothing is 0."""
    if not whole:
        return Decimal("0.0")
    return (Decimal(100) * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


def remote_hours(period: Period, situation: Situation) -> Decimal:
    """Remote hours that count under one decision."""
    attended = situation.attended(period)
    return sum((one.hours or Decimal(0) for one in attended if one.facts.get("mode") == "remote"), Decimal(0))


# the client


def remote_share(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """Remote hours of the planned hours of the period stay within the contract's share (LAP-06)."""
    limit = rule.params["percent"]
    for period in periods_of(rule, situation):
        planned = period.planned_hours
        if not planned or (period.product is not None and period.product.is_remote):
            continue
        hours = remote_hours(period, situation)
        if 100 * hours > limit * planned:
            text = "ended" if situation.as_of > period.end else "forecast"
            yield rule.finding(text, percent=share(hours, planned), limit=limit, start=period.start, end=period.end)


def remote_granted(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """The remote share of an ended period is no more than the decision grants (LAP-24)."""
    for period in periods_of(rule, situation):
        planned, limit = period.planned_hours, period.remote_max_percent
        if not planned or limit is None or situation.as_of <= period.end:
            continue
        hours = remote_hours(period, situation)
        if 100 * hours > limit * planned:
            yield rule.finding("text", percent=share(hours, planned), limit=limit, start=period.start, end=period.end)


def qualified(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """The responsible worker has a degree of the field, and its registration number (LAP-25).

    A registration number counts as the degree; a title that names no degree at all is not judged.
    """
    worker = situation.client.facts.get("responsible_worker") if situation.client else None
    known = situation.staff.get(str(worker))
    if known is None or known.facts.get("has_registration_number"):
        return
    if next(periods_of(rule, situation), None) is None:
        return
    title, titles = str(known.facts.get("title") or "").casefold(), situation.contract.titles
    if any(stem in title for stem in titles.registered):
        yield rule.finding("registration", "/responsible_worker")
    elif not any(stem in title for stem in titles.unregistered) and any(stem in title for stem in titles.unsuitable):
        yield rule.finding("degree", "/responsible_worker")


# one decision


def within_age(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """The client's age when the period begins is within the product's limits."""
    birth = situation.client.facts.get("birth_date") if situation.client else None
    limits = period.product.limits.age if period.product else None
    if not birth or limits is None:
        return
    years = age(birth, period.start)
    if years < limits[0]:
        yield rule.finding("below", limit=limits[0])
    elif years > limits[1]:
        yield rule.finding("above", limit=limits[1])


def period_length(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:  # noqa: ARG001 — one shape
    """The period is as long as the product's limits say, in calendar months; a few days less may be let pass."""
    shortest, longest = period.product.limits.months if period.product else (None, None)
    after = later(period.end, 1)
    if shortest is not None and later(after, rule.params.get("tolerance_days", 0)) < add_months(period.start, shortest):
        yield rule.finding("below", "/ends_on", start=period.start, end=period.end, limit=shortest)
    if longest is not None and after > add_months(period.start, longest):
        yield rule.finding("above", "/ends_on", start=period.start, end=period.end, limit=longest)


def exclusive(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """No other product of the rule runs at the same time; told on the decision that began later."""
    for other in periods_of(rule, situation):
        is_later = (other.start, other.entry.id) < (period.start, period.entry.id)
        if is_later and other.end >= period.start and other.product != period.product:
            yield rule.finding("text", "/starts_on", start=period.start, end=min(period.end, other.end))


def registered(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """Provider and unit are in the register of service producers (LAP-02)."""
    if situation.provider.get("registered") is False:
        yield rule.finding("text", field="provider")
    if ((situation.unit(period) or {}).get("registered")) is False:
        yield rule.finding("text", field="unit")


CLIENT_CHECKS: Mapping[str, ClientCheck] = {
    **CLIENT_SPANS,
    **checks(CLIENT_CLOCKS),
    "leave-balance": leave_balance,
    "repeated-unannounced": repeated_unannounced,
    "qualified": qualified,
    "remote-granted": remote_granted,
    "remote-share": remote_share,
}
DECISION_CHECKS: Mapping[str, DecisionCheck] = {
    **checks(DECISION_CLOCKS),
    **AGREEMENT_CHECKS,
    **DECISION_SPANS,
    **GROUND_ON_DECISION,
    **JOINT_DECISIONS,
    "days-decided": days_decided,
    "age": within_age,
    "exclusive": exclusive,
    "period-length": period_length,
    "registered": registered,
}
