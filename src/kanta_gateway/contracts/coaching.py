"""Coaching by the hour: realised hours against the agreement's maximum, and what of each event can be billed.

* Events count in order of day and time; the agreement that began last before the day is the event's own.
* An event that is held or refused counts in nothing.
* Realised hours after the agreement's last day have lapsed: they count against the maximum and cannot be billed.
* A meeting that the client cancelled by noon of the preceding workday, noon itself included, cannot be billed; one
  that was cancelled later, and a no-show, can. What the provider itself cancelled cannot, whenever that was.
* What can be billed never exceeds the maximum: it is used up in order.

Source: document 000 §3.1, §3.2 and §3.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import day, is_workday, local_minute
from kanta_gateway.contracts.figurekinds import Derived
from kanta_gateway.contracts.periods import number

if TYPE_CHECKING:
    from kanta_gateway.contracts.figures import Ground
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import FigureRule, Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

HELD, MISSED = "meeting", "missed_meeting"
CANCELLED, NO_SHOW = "cancelled", "no_show"
OWN_CAUSE = "organisation"
"""Cause of a missed meeting that lies with the provider."""
Found = tuple["Finding", ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One meeting, held or missed, with what it adds up to."""

    subject: Subject
    hours: Decimal
    realised: Decimal
    """Realised hours up to and with this one."""
    billable: Decimal
    """Hours of it that can be billed."""
    is_lapsed: bool
    """Held after the agreement's last day."""

    @property
    def is_held(self) -> bool:
        """Whether it took place."""
        return self.subject.entry.type == HELD


def agreements(situation: Situation) -> list[Period]:
    """The client's agreements that set a maximum of hours, oldest first."""
    return [one for one in reversed(situation.periods) if one.entry.facts.get("max_hours") is not None]


def maximum(period: Period) -> Decimal:
    """Most hours of one agreement: its own, and never above the product's."""
    own = number(period.entry.facts.get("max_hours")) or Decimal(0)
    limit = period.product.limits.hours if period.product else None
    return own if limit is None else min(own, limit)


def events(
    period: Period, situation: Situation, counts: Callable[[Subject], bool] = lambda one: one.stands
) -> list[Event]:  # fmt: skip
    """The events of one agreement, in order of day and time.

    Args:
        period: the agreement.
        situation: of the client.
        counts: which events count; those that are neither held nor refused, once `blocking` has been judged.
    """
    own = [one for one in situation.under(period, HELD, MISSED) if one.hours is not None and counts(one)]
    most, realised, billed = maximum(period), Decimal(0), Decimal(0)
    found: list[Event] = []
    for one in sorted(own, key=lambda subject: (subject.day, *subject.order)):
        hours = one.hours or Decimal(0)
        is_held, is_lapsed = one.entry.type == HELD, one.day > period.end
        realised += hours if is_held else 0
        can_be = hours if (is_held and not is_lapsed) or (not is_held and is_charged(one, situation)) else 0
        billable = max(Decimal(0), min(Decimal(can_be), most - billed))
        billed += billable
        found.append(Event(one, hours, realised, billable, is_held and is_lapsed))
    return found


def event_of(subject: Subject, situation: Situation) -> Event | None:
    """The event that a record is, or None where it is none of an agreement."""
    if subject.period is None or subject.period.entry.facts.get("max_hours") is None:
        return None
    return next((one for one in events(subject.period, situation) if one.subject is subject), None)


def deadline(subject: Subject, situation: Situation) -> str:
    """The last moment at which a meeting can be cancelled without being billed: noon of the preceding workday."""
    before = day(subject.day) - timedelta(days=1)
    while not is_workday(before.isoformat(), situation.holidays):
        before -= timedelta(days=1)
    return f"{before.isoformat()}T12:00"


def told_in_time(subject: Subject, situation: Situation) -> bool:
    """Whether a cancelled meeting was cancelled in time; without the moment of telling it was not."""
    if subject.facts.get("state") != CANCELLED:
        return False
    told = local_minute(str(subject.facts.get("cancelled_at") or ""))
    return bool(told) and told <= deadline(subject, situation)


def is_charged(subject: Subject, situation: Situation) -> bool:
    """Whether a meeting that did not take place can be billed: the client stayed away, or told so too late."""
    return subject.facts.get("cause") != OWN_CAUSE and not told_in_time(subject, situation)


# rules about one event


def hours_within_maximum(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Realised hours up to this event stay within the maximum, lapsed ones included."""
    event = event_of(subject, situation)
    if event is None or not event.is_held or subject.period is None:
        return ()
    most = maximum(subject.period)
    if event.realised <= most:
        return ()
    return (rule.finding("text", "/hours", hours=_shown(event.realised), limit=_shown(most)),)


def cancelled_when(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Whether the client cancelled a meeting in time: told either way."""
    facts = subject.facts
    if facts.get("state") != CANCELLED or facts.get("cause") == OWN_CAUSE or event_of(subject, situation) is None:
        return ()
    text = "in_time" if told_in_time(subject, situation) else "late"
    return (rule.finding(text, "/cancelled_at", limit=deadline(subject, situation).replace("T", " ")),)


def billed_rightly(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """An event that is marked as billed has something to bill."""
    event = event_of(subject, situation)
    if event is None or subject.facts.get("billed") is not True or event.billable > 0:
        return ()
    return (rule.finding("text", "/billed"),)


def came(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """The client came, or cancelled."""
    return (rule.finding("text"),) if subject.facts.get("state") == NO_SHOW else ()


EVENT_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "billed-rightly": billed_rightly,
    "came": came,
    "cancelled-when": cancelled_when,
    "hours-within-maximum": hours_within_maximum,
}


# rules about one agreement; their findings stand on it


def follows(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:
    """A new agreement follows another one only from one product to the other."""
    before = [one for one in agreements(situation) if one.start < period.start]
    if not before or period.product is None:
        return
    earlier = before[-1].product
    is_right = (
        period.product.code == rule.params["comes"] and earlier is not None and earlier.code == rule.params["after"]
    )
    if not is_right:
        yield rule.finding("text", "/starts_on", start=period.start)


AGREEMENT_CHECKS: Mapping[str, Callable[[Rule, Period, Situation], Iterator[Finding]]] = {
    "follows": follows,
}


def _shown(hours: Decimal) -> str:
    return f"{hours.normalize():f}"


# figures


def coaching_of(rule: FigureRule, ground: Ground) -> Derived:
    """One value of what the events of the client's agreements add up to."""
    agreed = agreements(ground.situation)
    found = [
        one for period in agreed
        for one in events(period, ground.situation, lambda subject: ground.stands(subject.entry))
    ]  # fmt: skip
    held = [one for one in found if one.is_held]
    most = sum((maximum(one) for one in agreed), Decimal(0))
    used = sum((one.hours for one in held), Decimal(0))

    def of_form(form: str) -> Decimal:
        return sum((one.hours for one in held if one.subject.facts.get("form") == form), Decimal(0))

    values = {
        "billable": sum((one.billable for one in found), Decimal(0)),
        "excess": max(Decimal(0), used - most),
        "group": of_form("group"),
        "individual": of_form("individual"),
        "maximum": most,
        "realised": used,
    }
    return Derived(values[rule.params["value"]], tuple(one.subject.entry.id for one in found))
