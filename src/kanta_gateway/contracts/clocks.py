"""Rules about when something must be done, told or delivered, and about what must be told together.

* A clock runs out on a day; late is told whenever it was done after it, missing once the as-of date has passed it.
* Workdays are Monday to Friday and no public holiday.
* What only some sources record (`where_recorded`) is judged where it is recorded, and never told as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kanta_gateway.contracts.agreed import has
from kanta_gateway.contracts.calendar import add_months, later, workdays_later

if TYPE_CHECKING:
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

Found = tuple["Finding", ...]
NOTHING: Found = ()


def in_time(rule: Rule, done: str | None, limit: str, as_of: str, pointer: str) -> Found:
    """What a clock tells: done late, or not done although the time has run out.

    Args:
        rule: has the texts *late* and *missing*.
        done: the day on which it was done.
        limit: the last day in time.
        as_of: the day that the clock is read at.
        pointer: the field that tells when it was done.
    """
    if done:
        return (rule.finding("late", pointer, date=done, limit=limit),) if done > limit else NOTHING
    return (rule.finding("missing", pointer, limit=limit),) if as_of > limit else NOTHING


def _limit(rule: Rule, start: str, situation: Situation) -> str:
    """The last day in time."""
    days = rule.params["days"]
    return workdays_later(start, days, situation.holidays) if rule.params.get("workdays") else later(start, days)


def told_within(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """Somebody was told of the record's day in time; judged once the time has run out, of records like `where`."""
    name = rule.params["field"]
    done = subject.facts.get(name)
    if not has(subject.facts, rule.params.get("where", {})):
        return NOTHING
    if not done and rule.params.get("where_recorded"):
        return NOTHING
    return in_time(rule, done, _limit(rule, subject.day, situation), situation.as_of, f"/{name}")


def done_within(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """One thing was done in time after another; without the other's day there is nothing to judge."""
    since = subject.facts.get(rule.params["since"])
    if not since:
        return NOTHING
    name = rule.params["field"]
    return in_time(rule, subject.facts.get(name), _limit(rule, since, situation), situation.as_of, f"/{name}")


def begun_within(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """It began in time after what it rests on, or there is a reason; else it is delayed, and somebody was told so."""
    since, params = subject.facts.get(rule.params["since"]), rule.params
    if not since or params["excused_by"] in (subject.facts.get("filled") or ()):
        return NOTHING
    limit = _limit(rule, since, situation)
    if subject.day <= limit:
        return NOTHING
    text = "late" if subject.facts.get(params["told"]) else "untold"
    return (rule.finding(text, f"/{subject.entry.kind.day}", date=subject.day, limit=limit),)


def reported_by(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The day was reported by a certain day of the next month; a day that was none need not be."""
    name = rule.params["field"]
    limit = later(add_months(f"{subject.day[:7]}-01", 1), rule.params["day_of_month"] - 1)
    found = in_time(rule, subject.facts.get(name), limit, situation.as_of, f"/{name}")
    return found if subject.facts.get(name) or situation.is_realised(subject) else NOTHING


def delivered_before_end(rule: Rule, subject: Subject, situation: Situation) -> Found:
    """The report reached the purchaser some days before the period that it is about ends."""
    end = (subject.facts.get("period") or {}).get("end") or (subject.period.end if subject.period else None)
    if end is None:
        return NOTHING
    if rule.params.get("as_planned") and ended_early(subject, situation, end):
        return NOTHING
    limit = later(end, -rule.params["days"])
    return in_time(rule, subject.facts.get("delivered_on"), limit, situation.as_of, "/delivered_on")


def ended_early(subject: Subject, situation: Situation, end: str) -> bool:
    """Whether the client's service ended before a day, so that nothing is due at it."""
    return any(one.day < end and one.period is subject.period for one in situation.standing("service_end"))


def goes_with(rule: Rule, subject: Subject, situation: Situation) -> Found:  # noqa: ARG001 — one shape
    """Where one field tells something (one of the values, if they are named), the others do too."""
    field, filled = rule.params["field"], subject.facts.get("filled") or ()
    values = rule.params.get("values")
    if field not in filled or (values is not None and subject.facts.get(field) not in values):
        return NOTHING
    return tuple(rule.finding("text", f"/{name}", field=name) for name in rule.params["needs"] if name not in filled)


CLOCK_CHECKS: Mapping[str, Callable[[Rule, Subject, Situation], Found]] = {
    "begun-within": begun_within,
    "delivered-before-end": delivered_before_end,
    "done-within": done_within,
    "goes-with": goes_with,
    "reported-by": reported_by,
    "told-within": told_within,
}
