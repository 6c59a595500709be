"""Deadlines of one record: when something must be done, told, made or delivered, and whether it was.

* Each function is one kind and gives its clocks; the kind's finding is what they give (`deadlines.py`).
* A clock runs out on a day; late is told whenever it was done after it, missing once the as-of date has passed it.
* Workdays are Monday to Friday and no public holiday.
* What only some sources record (`where_recorded`) is judged where it is recorded, and never told as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kanta_gateway.contracts.agreed import ENDING, INTERRUPTED, has
from kanta_gateway.contracts.calendar import add_months, between, later
from kanta_gateway.contracts.coaching import HELD, event_of
from kanta_gateway.contracts.deadlines import Clock, Mark, RecordClocks, earliest, limit_of
from kanta_gateway.contracts.grounds import GROUND_CLOCKS
from kanta_gateway.contracts.reviews import review_due

if TYPE_CHECKING:
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject

Clocks = Iterator[Clock]


def told_within(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """Somebody was told of the record's day in time; judged once the time has run out, of records like `where`."""
    name, entry = rule.params["field"], subject.entry
    done = Mark.of(entry, name)
    if not has(subject.facts, rule.params.get("where", {})) or (not done and rule.params.get("where_recorded")):
        return
    limit = limit_of(rule, subject.day, situation)
    yield Clock(rule, entry, Mark.made(entry), limit, done, f"/{name}", late="late", missing="missing")


def told_yearly(rule: Rule, subject: Subject, situation: Situation) -> Clocks:  # noqa: ARG001 — one shape
    """What happened in a year was told by a day of the next one, of records like `where`."""
    name, entry = rule.params["field"], subject.entry
    if not has(subject.facts, rule.params.get("where", {})):
        return
    limit = f"{int(subject.day[:4]) + 1}-{rule.params['until']}"
    yield Clock(rule, entry, Mark.made(entry), limit, Mark.of(entry, name), f"/{name}", late="late", missing="missing")


def done_within(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """One thing was done in time after another; without the other's day the clock has not started."""
    name, entry = rule.params["field"], subject.entry
    since, done = Mark.of(entry, rule.params["since"]), Mark.of(entry, name)
    if since is None:
        if done is None:
            yield Clock(rule, entry, pointer=f"/{name}")
        return
    limit = limit_of(rule, since.day, situation)
    yield Clock(rule, entry, since, limit, done, f"/{name}", late="late", missing="missing")


def begun_within(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """It began in time after what it rests on, or there is a reason; else it is delayed, and somebody was told so."""
    params, entry = rule.params, subject.entry
    since = Mark.of(entry, params["since"])
    if since is None or params["excused_by"] in (subject.facts.get("filled") or ()):
        return
    text = "late" if subject.facts.get(params["told"]) else "untold"
    limit = limit_of(rule, since.day, situation)
    yield Clock(rule, entry, since, limit, Mark.made(entry), f"/{entry.kind.day}", late=text)


def reported_by(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """The day was reported by a certain day of the next month; a day that was none need not be."""
    name, entry = rule.params["field"], subject.entry
    done, month = Mark.of(entry, name), subject.day[:7]
    if done is None and not situation.is_realised(subject):
        return
    limit = later(add_months(f"{month}-01", 1), rule.params["day_of_month"] - 1)
    made = Mark.made(entry)
    yield Clock(rule, entry, made, limit, done, f"/{name}", late="late", missing="missing", month=month)


def delivered_before_end(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """The report reached the purchaser some days before the period that it is about ends."""
    entry, own = subject.entry, (subject.facts.get("period") or {}).get("end")
    end = Mark(entry, "period.end", own) if own else _end_of(subject.period)
    if end is None or (rule.params.get("as_planned") and ended_early(subject, situation, end.day)):
        return
    limit, done = later(end.day, -rule.params["days"]), Mark.of(entry, "delivered_on")
    yield Clock(rule, entry, end, limit, done, "/delivered_on", late="late", missing="missing")


def ended_early(subject: Subject, situation: Situation, end: str) -> bool:
    """Whether the client's service ended before a day, so that nothing is due at it."""
    return any(one.day < end and one.period is subject.period for one in situation.standing("service_end"))


def delivered_within(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """The plan reached the purchaser soon after the period began: this one, an earlier one or its version."""
    if subject.period is None:
        return
    entry, limit = subject.entry, later(subject.period.start, rule.params["days"])
    done = Mark.of(entry, "delivered_on")
    if done is None or done.day > limit:
        others = [one.entry for one in situation.under(subject.period, entry.type)]
        earlier = situation.resolution.chains.get(entry.key, ())
        marks = (Mark.of(one, "delivered_on") for one in (*others, *earlier))
        in_time = [mark for mark in marks if mark is not None and mark.day <= limit]
        done = min(in_time, key=lambda mark: mark.day, default=done)
    since = _start_of(subject.period)
    yield Clock(rule, entry, since, limit, done, "/delivered_on", late="late", missing="missing")


def delivered_before_closing(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """The report reached the purchaser by the closing discussion; without one, by the end of the period."""
    if subject.period is None:
        return
    start, days = subject.period.start, subject.period.days
    opens = rule.params["closing_from_percent"] * days
    closing = [
        Mark.made(one.entry)
        for one in situation.under(subject.period, "negotiation")
        if 100 * between(start, one.day) >= opens
    ]
    since = max(closing, key=lambda mark: mark.day, default=_end_of(subject.period))
    limit, done = since.day if since else "", Mark.of(subject.entry, "delivered_on")
    yield Clock(rule, subject.entry, since, limit, done, "/delivered_on", late="late", missing="missing")


def before_end(rule: Rule, subject: Subject, situation: Situation) -> Clocks:  # noqa: ARG001 — one shape
    """The day is not after the period."""
    period = subject.period
    if period is not None:
        made = Mark.made(subject.entry)
        params = {"end": period.end}
        yield Clock(
            rule, subject.entry, _start_of(period), period.end, made, "/date", late="text", params=params
        )  # fmt: skip


def made_within(rule: Rule, subject: Subject, situation: Situation) -> Clocks:  # noqa: ARG001 — one shape
    """The record was made soon after the period ended."""
    period = subject.period
    if period is not None:
        days = rule.params["days"]
        params = {"days": between(period.end, subject.day), "limit": days}
        made, limit = Mark.made(subject.entry), later(period.end, days)
        yield Clock(rule, subject.entry, _end_of(period), limit, made, "/made_on", late="text", params=params)


def not_lapsed(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """The event took place by the agreement's last day; what is undone then lapses."""
    period, event = subject.period, event_of(subject, situation)
    if period is None or event is None or subject.entry.type != HELD:
        return
    made, params = Mark.made(subject.entry), {"end": period.end}
    yield Clock(rule, subject.entry, _start_of(period), period.end, made, "/date", late="text", params=params)


def ends_when_absent(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """A service whose client did not come to the negotiation about its ending ends as interrupted."""
    if subject.facts.get("about") != ENDING or subject.facts.get("client_came") is not False:
        return
    ends = (one for one in situation.standing("service_end") if one.period is subject.period)
    done = earliest(one for one in ends if one.day >= subject.day and one.facts.get("ending") == INTERRUPTED)
    made, limit = Mark.made(subject.entry), later(subject.day, rule.params["days"])
    yield Clock(
        rule, subject.entry, made, limit, done, "/client_came", missing="text", awaits=("service_end",)
    )  # fmt: skip


def evaluated_as_planned(rule: Rule, subject: Subject, situation: Situation) -> Clocks:
    """For each day on which a plan wants an evaluation, one was made since the last such day."""
    planned = sorted(str(one) for one in subject.facts.get("evaluation_dates") or () if one)
    kinds = tuple(rule.params["evaluations"])
    made = sorted(
        (Mark.made(one.entry) for one in situation.standing(*kinds) if one.day and one.period is subject.period),
        key=lambda mark: (mark.day, mark.entry.id),
    )
    for place, limit in enumerate(planned):
        done = made[place] if place < len(made) else None
        since = Mark(subject.entry, "evaluation_dates", limit)
        yield Clock(
            rule, subject.entry, since, limit, done, "/evaluation_dates", missing="text", awaits=kinds
        )  # fmt: skip


def _start_of(period: Period) -> Mark:
    return Mark(period.entry, "starts_on", period.start)


def _end_of(period: Period | None) -> Mark | None:
    return None if period is None else Mark(period.entry, "ends_on", period.end)


RECORD_CLOCKS: Mapping[str, RecordClocks] = {
    **GROUND_CLOCKS,
    "before-end": before_end,
    "begun-within": begun_within,
    "delivered-before-closing": delivered_before_closing,
    "delivered-before-end": delivered_before_end,
    "delivered-within": delivered_within,
    "done-within": done_within,
    "ends-when-absent": ends_when_absent,
    "evaluated-as-planned": evaluated_as_planned,
    "made-within": made_within,
    "not-lapsed": not_lapsed,
    "reported-by": reported_by,
    "review-due": review_due,
    "told-within": told_within,
    "told-yearly": told_yearly,
}
