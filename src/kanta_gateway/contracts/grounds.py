"""Rules about what a service rests on: the length of its period, its plan, and what both tell of the client.

* Facts that nobody recorded are not judged, unless a rule asks for the content of a plan.
* Months are calendar months.

Source: act 189/2001 §§3-13, act 381/2023 §§4-5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING

from kanta_gateway.contracts.agreed import has
from kanta_gateway.contracts.calendar import add_months, later
from kanta_gateway.contracts.deadlines import Clock, Mark
from kanta_gateway.contracts.periods import number

if TYPE_CHECKING:
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]
Clocks = Iterator[Clock]
NOTHING: Found = ()


def number_within(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """A recorded number lies between a lowest and a highest value."""
    name, low, high = (rule.params[key] for key in ("field", "low", "high"))
    told = number(subject.facts.get(name))
    if told is None or low <= told <= high:
        return NOTHING
    return (rule.finding("text", f"/{name}", low=low, high=high),)


GROUND_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {"number-within": number_within}


# deadlines of one record


def done_by(rule: Rule, subject: Subject, situation: Situation) -> Clocks:  # noqa: ARG001 — one shape
    """One thing was done so many days before another, where both are recorded."""
    name, entry = rule.params["field"], subject.entry
    done, by = Mark.of(entry, name), subject.facts.get(rule.params["by"])
    if done is not None and by:
        yield Clock(rule, entry, None, later(str(by), -rule.params["days"]), done, f"/{name}", late="text")


def done_within_months(rule: Rule, subject: Subject, situation: Situation) -> Clocks:  # noqa: ARG001 — one shape
    """One thing was done within some months of another, on records like `where`; the other's day starts the clock."""
    name, entry = rule.params["field"], subject.entry
    since = Mark.of(entry, rule.params["since"])
    if since is not None and has(subject.facts, rule.params.get("where", {})):
        limit, done = add_months(since.day, rule.params["months"]), Mark.of(entry, name)
        yield Clock(rule, entry, since, limit, done, f"/{name}", late="late", missing="missing")


def reviewed_every(rule: Rule, subject: Subject, situation: Situation) -> Clocks:  # noqa: ARG001 — one shape
    """No more than some months pass without a review while the record is in force, where reviews are recorded.

    The clock begins anew with each review; what would run out after the record's last day has no clock.
    """
    name, months, entry = rule.params["field"], rule.params["months"], subject.entry
    end = str(subject.facts.get("ends_on") or "")
    reviews = sorted(str(one) for one in subject.facts.get(name) or () if one)
    if not reviews or not subject.day or not has(subject.facts, rule.params.get("where", {})):
        return
    marks = [Mark.made(entry), *(Mark(entry, name, one) for one in reviews if one > subject.day)]
    for start, done in zip_longest(marks, marks[1:]):
        limit = add_months(start.day, months)
        if done is not None or not end or limit < end:
            yield Clock(
                rule, entry, start, limit, done, f"/{name}", late="text", missing="text", params={"months": months}
            )  # fmt: skip


GROUND_CLOCKS: Mapping[str, Callable[[Rule, Subject, Situation], Clocks]] = {
    "done-by": done_by,
    "done-within-months": done_within_months,
    "reviewed-every": reviewed_every,
}


# one decision


def period_months(rule: Rule, period: Period, situation: Situation) -> Iterator[Finding]:  # noqa: ARG001 — one shape
    """A period is as long as the rule says, in calendar months; a few days less count as full."""
    low, high, after = rule.params["low"], rule.params["high"], later(period.end, 1)
    if later(after, rule.params["tolerance_days"]) < add_months(period.start, low):
        yield rule.finding("below", "/ends_on", start=period.start, end=period.end, limit=low)
    if after > add_months(period.start, high):
        yield rule.finding("above", "/ends_on", start=period.start, end=period.end, limit=high)


GROUND_ON_DECISION: Mapping[str, Callable[[Rule, Period, Situation], Iterator[Finding]]] = {
    "period-months": period_months,
}
