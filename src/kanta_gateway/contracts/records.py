"""Rules about one record: each function is one kind, and gives what it found or nothing.

* A function sees the rule, the record with its decision, and the case; it never looks at narrative text.
* A rule whose data is not recorded finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from kanta_gateway.contracts import reviews
from kanta_gateway.contracts.agreed import AGREED_CHECKS, has
from kanta_gateway.contracts.attending import ATTENDING_CHECKS
from kanta_gateway.contracts.benefits import BENEFIT_CHECKS
from kanta_gateway.contracts.calendar import SATURDAY, between, day, is_workday, week
from kanta_gateway.contracts.clocks import RECORD_CLOCKS
from kanta_gateway.contracts.coaching import EVENT_CHECKS
from kanta_gateway.contracts.deadlines import checks
from kanta_gateway.contracts.grounds import GROUND_CHECKS
from kanta_gateway.contracts.joint import JOINT_CHECKS
from kanta_gateway.contracts.months import MONTH_CHECKS
from kanta_gateway.contracts.periods import distance
from kanta_gateway.contracts.rules import Rule
from kanta_gateway.contracts.situation import Situation, Subject
from kanta_gateway.contracts.vouchers import VOUCHER_CHECKS
from kanta_gateway.model import Finding, Severity

Found = tuple[Finding, ...]
Check = Callable[[Rule, Subject, Situation], Found]
NOTHING: Found = ()
ASKED = "asked"
"""Kind of the finding that tells of words which wait for their author's answer."""


def contract_known(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The delivery's purchaser and contract number are known."""
    if situation.case.is_contract_known and subject.facts.get("contract_known") is not False:
        return NOTHING
    return (rule.finding("text"),)


def not_in_future(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The record is not dated after the day on which it was imported."""
    if subject.day <= situation.as_of:
        return NOTHING
    received = subject.entry.received_on
    limit = situation.as_of if received is None else received.isoformat()
    return (rule.finding("text", "/date", date=subject.day, limit=limit),) if subject.day > limit else NOTHING


def staff_known(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Whoever made the record is in the staff list; else the record names them (GEN-04)."""
    if situation.client is None or situation.author(subject) in situation.staff:
        return NOTHING
    if not situation.is_author_named(subject):
        return (rule.finding("unnamed", "/recorder", Severity.HOLD),)
    return (rule.finding("named", "/recorder"),) if situation.case.delivery_has_staff else NOTHING


def within_decision(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The day lies in the period of some decision of the client."""
    if subject.period is not None or not situation.periods:
        return NOTHING
    near = min(situation.periods, key=lambda one: distance(subject.day, one))
    return (rule.finding("text", "/date", date=subject.day, start=near.start, end=near.end),)


def product_known(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The decision grants a product of this contract."""
    if subject.period is None or subject.product:
        return NOTHING
    return (rule.finding("text"),)


def hours_known(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The hours are there and above nothing."""
    return (rule.finding("text", "/hours"),) if subject.hours is None or subject.hours <= 0 else NOTHING


def times_ordered(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The end is after the start, and the last day not before the first, where both are recorded."""
    start, end = subject.facts.get("start_time"), subject.facts.get("end_time")
    if start and end and start >= end:
        return (rule.finding("text", "/end_time", start=start, end=end),)
    period = subject.facts.get("period") or {}
    for pointer, first, last in (
        ("/ends_on", subject.facts.get("starts_on") or subject.day, subject.facts.get("ends_on")),
        ("/period/end", period.get("start"), period.get("end")),
    ):
        if first and last and last < first:
            return (rule.finding("text", pointer, start=first, end=last),)
    return NOTHING


def days_ordered(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The last day of a period is not before the first."""
    start, end = subject.facts.get("starts_on"), subject.facts.get("ends_on")
    if not start or not end or start <= end:
        return NOTHING
    return (rule.finding("text", "/ends_on"),)


def no_absence(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The client was not told to be away on the same day."""
    return (rule.finding("text", "/date", date=subject.day),) if subject.day in situation.absent else NOTHING


def weekdays(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The day is Monday to Friday and no public holiday."""
    if is_workday(subject.day, situation.holidays):
        return NOTHING
    text = "weekend" if day(subject.day).weekday() >= SATURDAY else "holiday"
    return (rule.finding(text, "/date", date=subject.day),)


def hours_a_day(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The hours of the day stay within the product's limits; told on the record that exceeds them."""
    product = subject.period.product if subject.period else None
    if product is None or product.limits.hours_per_day is None or subject.hours is None:
        return NOTHING
    low, high = product.limits.hours_per_day
    so_far, is_last = _hours_so_far(subject, situation)
    if so_far > high:
        return (rule.finding("above", "/hours", hours=so_far, limit=high),)
    if is_last and so_far < low:
        return (rule.finding("below", "/hours", hours=so_far, limit=low),)
    return NOTHING


def hours_granted(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The hours of the day are no more than the decision grants."""
    granted = subject.period.hours_per_day if subject.period else None
    if granted is None or subject.hours is None:
        return NOTHING
    so_far, _ = _hours_so_far(subject, situation)
    return (rule.finding("text", "/hours", hours=so_far, limit=granted),) if so_far > granted else NOTHING


def _hours_so_far(subject: Subject, situation: Situation) -> tuple[Decimal, bool]:
    """Hours of the day up to this record, and whether no record of the day follows."""
    if not subject.counts or subject.hours is None:
        return subject.hours or Decimal(0), True
    total = Decimal(0)
    same_day = situation.by_day[subject.day]
    for one in same_day:
        total += one.hours or 0
        if one is subject:
            break
    return total, same_day[-1] is subject


def days_a_week(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The days of the week stay within the product's limit; told on each day above it."""
    product = subject.period.product if subject.period else None
    limits = product.limits.days_per_week if product else None
    return NOTHING if limits is None else _days_above(rule, subject, situation, limits[1])


def days_granted(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The days of the week are no more than the decision grants."""
    granted = subject.period.days_per_week if subject.period else None
    return NOTHING if granted is None else _days_above(rule, subject, situation, granted)


def _days_above(rule: Rule, subject: Subject, situation: Situation, limit: Decimal | int) -> Found:
    if not subject.counts or subject.period is None:
        return NOTHING
    days = situation.by_week[(week(subject.day), subject.period.entry.row)]
    place = days.index(subject.day) + 1
    return (rule.finding("text", "/date", days=place, limit=limit),) if place > limit else NOTHING


def remote_planned(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """A remote day needs a remote share in the decision; a product that is remote by nature does not."""
    period = subject.period
    if subject.facts.get("mode") != "remote" or period is None or period.product is None:
        return NOTHING
    if period.product.is_remote or (period.remote_max_percent or 0) > 0:
        return NOTHING
    return (rule.finding("text", "/mode"),)


def forbidden_minutes(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The product holds no such minutes."""
    minutes = subject.facts.get(rule.params["field"]) or 0
    return (rule.finding("text", f"/{rule.params['field']}", minutes=minutes),) if minutes > 0 else NOTHING


def content(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The fields that the contract demands tell something, on records like `where`."""
    empty = subject.facts.get("empty")
    if not empty or not has(subject.facts, rule.params.get("where", {})):
        return NOTHING
    return tuple(
        rule.finding("text", "/" + name.replace(".", "/"), field=name)
        for name in rule.params["fields"]
        if name in empty
    )


def position(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The day lies in the demanded part of the period: (date - start) / days of the period."""
    if subject.period is None:
        return NOTHING
    hundredths = 100 * between(subject.period.start, subject.day)
    low, high = rule.params["from_percent"], rule.params["to_percent"]
    if low * subject.period.days <= hundredths <= high * subject.period.days:
        return NOTHING
    percent = hundredths // subject.period.days
    return (rule.finding("text", "/date", percent=percent, low=low, high=high),)


def goes_with(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """Where one field tells something (one of the values, if they are named), the others do too."""
    field, filled = rule.params["field"], subject.facts.get("filled") or ()
    values = rule.params.get("values")
    if field not in filled or (values is not None and subject.facts.get(field) not in values):
        return NOTHING
    return tuple(rule.finding("text", f"/{name}", field=name) for name in rule.params["needs"] if name not in filled)


def needed_only(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — the reading tells
    """The text holds nothing that waits for its author: what was masked at once needs no answer."""
    return tuple(
        rule.finding("text", one.pointer, field=one.params["field"], cls=one.params["class"])
        for one in subject.entry.reading
        if one.kind == ASKED
    )


CHECKS: Mapping[str, Check] = {
    **AGREED_CHECKS,
    **ATTENDING_CHECKS,
    **BENEFIT_CHECKS,
    **checks(RECORD_CLOCKS),
    **EVENT_CHECKS,
    **GROUND_CHECKS,
    **JOINT_CHECKS,
    **MONTH_CHECKS,
    **VOUCHER_CHECKS,
    **{kind: reviews.check(kind) for kind in reviews.REVIEW_CHECKS},
    "content": content,
    "contract-known": contract_known,
    "days-a-week": days_a_week,
    "days-granted": days_granted,
    "days-ordered": days_ordered,
    "forbidden-minutes": forbidden_minutes,
    "goes-with": goes_with,
    "hours-a-day": hours_a_day,
    "hours-granted": hours_granted,
    "hours-known": hours_known,
    "needed-only": needed_only,
    "no-absence": no_absence,
    "not-in-future": not_in_future,
    "position": position,
    "product-known": product_known,
    "remote-planned": remote_planned,
    "staff-known": staff_known,
    "times-ordered": times_ordered,
    "weekdays": weekdays,
    "within-decision": within_decision,
}
