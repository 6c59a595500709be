"""Rules about a whole: the client, or one decision; their findings stand on the reference record as info.

* A share or a missing record is judged when its period, or its month, has ended by the as-of date.
* What the data does not tell (registration, age, title) is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from kanta_gateway.contracts.agreed import AGREED_ON_DECISION, has
from kanta_gateway.contracts.calendar import add_months, age, between, later, month_end
from kanta_gateway.contracts.coaching import AGREEMENT_CHECKS
from kanta_gateway.contracts.joint import JOINT_DECISIONS
from kanta_gateway.contracts.months import days_decided, leave_balance, repeated_unannounced
from kanta_gateway.contracts.periods import Period
from kanta_gateway.contracts.rules import Rule
from kanta_gateway.contracts.situation import Situation
from kanta_gateway.contracts.spans import CLIENT_SPANS, DECISION_SPANS
from kanta_gateway.model import Finding

ClientCheck = Callable[[Rule, Situation], Iterator[Finding]]
DecisionCheck = Callable[[Rule, Period, Situation], Iterator[Finding]]


def share(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """A share in percent with one decimal, half up; nothing of nothing is 0."""
    if not whole:
        return Decimal("0.0")
    return (Decimal(100) * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


def remote_hours(period: Period, situation: Situation) -> Decimal:
    """Remote hours that count under one decision."""
    attended = situation.attended(period)
    return sum((one.hours or Decimal(0) for one in attended if one.facts.get("mode") == "remote"), Decimal(0))


def _periods(rule: Rule, situation: Situation) -> Iterator[Period]:
    """The client's periods under the products that a rule is about, oldest first."""
    for period in reversed(situation.periods):
        if period.product is not None and (not rule.products or period.product.code in rule.products):
            yield period


# the client


def remote_share(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """Remote hours of the planned hours of the period stay within the contract's share (LAP-06)."""
    limit = rule.params["percent"]
    for period in _periods(rule, situation):
        planned = period.planned_hours
        if not planned or (period.product is not None and period.product.is_remote):
            continue
        hours = remote_hours(period, situation)
        if 100 * hours > limit * planned:
            text = "ended" if situation.as_of > period.end else "forecast"
            yield rule.finding(text, percent=share(hours, planned), limit=limit, start=period.start, end=period.end)


def remote_granted(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """The remote share of an ended period is no more than the decision grants (LAP-24)."""
    for period in _periods(rule, situation):
        planned, limit = period.planned_hours, period.remote_max_percent
        if not planned or limit is None or situation.as_of <= period.end:
            continue
        hours = remote_hours(period, situation)
        if 100 * hours > limit * planned:
            yield rule.finding("text", percent=share(hours, planned), limit=limit, start=period.start, end=period.end)


def monthly_visit(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """Each ended calendar month with attended days has a day whose text has the word (LAP-16)."""
    for period in _periods(rule, situation):
        months: dict[str, bool] = {}
        for one in situation.attended(period):
            is_visit = rule.params["word"] in (one.facts.get("words") or ())
            months[one.day[:7]] = months.get(one.day[:7], False) or is_visit
        for month, is_visited in sorted(months.items()):
            if not is_visited and situation.as_of > month_end(f"{month}-01"):
                yield rule.finding("text", month=month)


def evaluation_made(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """An ended period has its evaluation (LAP-13), where the decision says what it must and nothing ended it early."""
    wanted: Mapping[str, object] = rule.params.get("where", {})
    for period in _periods(rule, situation):
        if not has(period.entry.facts, wanted):
            continue
        if rule.params.get("as_planned") and any(
            one.day < period.end for one in situation.under(period, "service_end")
        ):
            continue
        if situation.as_of > period.end and not situation.under(period, rule.params["evaluation"]):
            yield rule.finding("text", start=period.start, end=period.end)


def summary_made(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """A period that ended long enough ago has its summary (LAP-15)."""
    for period in _periods(rule, situation):
        limit = later(period.end, rule.params["days"])
        if situation.as_of > limit and not situation.under(period, "final_summary"):
            yield rule.finding("text", limit=limit)


def qualified(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """The responsible worker has a degree of the field, and its registration number (LAP-25).

    A registration number counts as the degree; a title that names no degree at all is not judged.
    """
    worker = situation.client.facts.get("responsible_worker") if situation.client else None
    known = situation.staff.get(str(worker))
    if known is None or known.facts.get("has_registration_number"):
        return
    if next(_periods(rule, situation), None) is None:
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
    for other in _periods(rule, situation):
        is_later = (other.start, other.entry.id) < (period.start, period.entry.id)
        if is_later and other.end >= period.start and other.product != period.product:
            yield rule.finding("text", "/starts_on", start=period.start, end=min(period.end, other.end))


def plan_made(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """The provider's implementation plan, or another record, is there soon after the period began (LAP-08).

    With `where` one of which these facts hold. With `where_recorded` only for a client of whom one is there for another
    period: else nobody may record them.
    """
    limit = later(period.start, rule.params["days"])
    kind = rule.params.get("record", "implementation_plan")
    wanted: Mapping[str, object] = rule.params.get("where", {})
    known = [one for one in situation.standing(kind) if has(one.facts, wanted)]
    if rule.params.get("where_recorded") and not known:
        return
    if situation.as_of > limit and not any(one.period is period for one in known):
        yield rule.finding("text", limit=limit)


def closing_held(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """A negotiation late in the period and before its end closes it (LAP-27).

    Only for a client of whom some negotiation is recorded: else nobody may record them.
    """
    if situation.as_of <= period.end or not situation.by_type.get("negotiation"):
        return
    opens = rule.params["from_percent"] * period.days
    held = (one.day for one in situation.under(period, "negotiation"))
    if not any(100 * between(period.start, day) >= opens and day <= period.end for day in held if day):
        yield rule.finding("text", limit=period.end)


def registered(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """Provider and unit are in the register of service producers (LAP-02)."""
    if situation.provider.get("registered") is False:
        yield rule.finding("text", field="provider")
    if ((situation.unit(period) or {}).get("registered")) is False:
        yield rule.finding("text", field="unit")


CLIENT_CHECKS: Mapping[str, ClientCheck] = {
    **CLIENT_SPANS,
    "leave-balance": leave_balance,
    "repeated-unannounced": repeated_unannounced,
    "evaluation-made": evaluation_made,
    "monthly-visit": monthly_visit,
    "qualified": qualified,
    "remote-granted": remote_granted,
    "remote-share": remote_share,
    "summary-made": summary_made,
}
DECISION_CHECKS: Mapping[str, DecisionCheck] = {
    **AGREED_ON_DECISION,
    **AGREEMENT_CHECKS,
    **DECISION_SPANS,
    **JOINT_DECISIONS,
    "days-decided": days_decided,
    "age": within_age,
    "exclusive": exclusive,
    "period-length": period_length,
    "closing-held": closing_held,
    "plan-made": plan_made,
    "registered": registered,
}
