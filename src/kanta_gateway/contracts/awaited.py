"""Deadlines of a whole: records that a client, or one decision, must have by a day; told on the reference record.

* Each function is one kind and gives its clocks; the kind's finding is what they give (`deadlines.py`).
* Whether a record that is there came late is told by a rule about that record, not here.
* What only some sources record (`where_recorded`) is awaited only of a client who has such records at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from kanta_gateway.contracts.agreed import NEGOTIATION, has
from kanta_gateway.contracts.calendar import add_months, between, later, month_end
from kanta_gateway.contracts.coaching import HELD, MISSED, events
from kanta_gateway.contracts.deadlines import ClientClocks, Clock, DecisionClocks, Mark, earliest
from kanta_gateway.contracts.spans import stretches
from kanta_gateway.contracts.versions import newest

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.situation import Situation, Subject

Clocks = Iterator[Clock]
EVALUATION, PLAN, REPORT, SENT, SUMMARY = (
    "interim_evaluation", "implementation_plan", "monthly_report", "report_sent", "final_summary",
)  # fmt: skip


def periods_of(rule: Rule, situation: Situation) -> Iterator[Period]:
    """The client's periods under the products that a rule is about, oldest first."""
    for period in reversed(situation.periods):
        if period.product is not None and (not rule.products or period.product.code in rule.products):
            yield period


def _on(period: Period, situation: Situation) -> tuple[Entry, Mark, Mark]:
    """What a clock of the client about one period stands on, its first day, and its last."""
    entry = situation.client or period.entry
    return entry, Mark(period.entry, "starts_on", period.start), Mark(period.entry, "ends_on", period.end)


def _ended_before(period: Period, day: str, situation: Situation) -> bool:
    """Whether the service ended before a day, so that nothing is due on it."""
    return any(one.day < day for one in situation.under(period, "service_end"))


# the client


def monthly_visit(rule: Rule, situation: Situation) -> Clocks:
    """Each calendar month with attended days has a day whose text has the word (LAP-16)."""
    for period in periods_of(rule, situation):
        record, _, _ = _on(period, situation)
        months: dict[str, list[Subject]] = {}
        for one in situation.attended(period):
            months.setdefault(one.day[:7], []).append(one)
        for month, days in sorted(months.items()):
            visits = (one for one in days if rule.params["word"] in (one.facts.get("words") or ()))
            yield Clock(
                rule, record, earliest(days), month_end(f"{month}-01"), earliest(visits),
                missing="text", params={"month": month}, month=month,
            )  # fmt: skip


def evaluation_made(rule: Rule, situation: Situation) -> Clocks:
    """A period has its evaluation (LAP-13), where the decision says what it must and nothing ended it early.

    By the end of the period, or as much of it as `by_percent` says.
    """
    wanted: Mapping[str, object] = rule.params.get("where", {})
    kind = rule.params["evaluation"]
    for period in periods_of(rule, situation):
        if not has(period.entry.facts, wanted):
            continue
        if rule.params.get("as_planned") and _ended_before(period, period.end, situation):
            continue
        record, start, _ = _on(period, situation)
        percent = rule.params.get("by_percent")
        limit = period.end if percent is None else later(period.start, percent * period.days // 100)
        yield Clock(
            rule, record, start, limit, earliest(situation.under(period, kind)),
            missing="text", params={"start": period.start, "end": period.end}, awaits=(kind,),
        )  # fmt: skip


def evaluations_made(rule: Rule, situation: Situation) -> Clocks:
    """Every stretch of some months has its evaluation; whether it came late is another rule.

    With `joined` a stretch goes on over periods that follow each other without a day between.
    """
    kinds = tuple(rule.params["evaluations"])
    if rule.params.get("where_recorded") and not any(situation.by_type.get(kind) for kind in kinds):
        return
    for parts in _runs(rule, situation):
        period = replace(parts[0], end=max(one.end for one in parts))
        record, since, _ = _on(period, situation)
        under = (one for part in parts for one in situation.under(part, *kinds))
        made = sorted(under, key=lambda one: (not one.day, one.day, one.entry.id))
        for place, (start, end) in enumerate(stretches(period, rule.params["months"], rule.params["tolerance_days"])):
            if any(_ended_before(part, end, situation) for part in parts):
                continue
            done = Mark.made(made[place].entry) if place < len(made) else None
            yield Clock(
                rule, record, Mark(since.entry, since.field, start), end, done,
                missing="text", params={"start": start, "end": end}, awaits=kinds,
            )  # fmt: skip


def _runs(rule: Rule, situation: Situation) -> list[list[Period]]:
    """The periods of a rule, oldest first: each by itself, or those together that follow each other (`joined`)."""
    runs: list[list[Period]] = []
    for period in reversed(situation.periods):
        if rule.products and (period.product is None or period.product.code not in rule.products):
            continue
        if rule.params.get("joined") and runs and period.start <= later(max(one.end for one in runs[-1]), 1):
            runs[-1].append(period)
        else:
            runs.append([period])
    return runs


def summary_made(rule: Rule, situation: Situation) -> Clocks:
    """A period that ended long enough ago has its summary (LAP-15)."""
    for period in periods_of(rule, situation):
        record, _, end = _on(period, situation)
        limit, done = later(period.end, rule.params["days"]), earliest(situation.under(period, SUMMARY))
        yield Clock(rule, record, end, limit, done, missing="text", awaits=(SUMMARY,))


# one decision


def plan_made(rule: Rule, period: Period, situation: Situation) -> Clocks:
    """The provider's implementation plan, or another record, is there soon after the period began (LAP-08).

    With `where` one of which these facts hold. With `where_recorded` only for a client of whom one is there for another
    period: else nobody may record them.
    """
    kind = rule.params.get("record", PLAN)
    wanted: Mapping[str, object] = rule.params.get("where", {})
    known = [one for one in situation.standing(kind) if has(one.facts, wanted)]
    if rule.params.get("where_recorded") and not known:
        return
    _, start, _ = _on(period, situation)
    limit, done = later(period.start, rule.params["days"]), earliest(one for one in known if one.period is period)
    yield Clock(rule, period.entry, start, limit, done, missing="text", awaits=(kind,))


def plan_renewed(rule: Rule, period: Period, situation: Situation) -> Clocks:
    """The provider's plan is made anew soon after the day that the decision tells in a field (LAP-10)."""
    kind, start = rule.params.get("record", PLAN), Mark.of(period.entry, rule.params["since"])
    if start is None:
        return
    done = earliest(one for one in situation.under(period, kind) if one.day >= start.day)
    yield Clock(rule, period.entry, start, later(start.day, rule.params["days"]), done, missing="text", awaits=(kind,))


def closing_held(rule: Rule, period: Period, situation: Situation) -> Clocks:
    """A negotiation late in the period and before its end closes it (LAP-27).

    Only for a client of whom some negotiation is recorded: else nobody may record them.
    """
    if not situation.by_type.get(NEGOTIATION):
        return
    opens = rule.params["from_percent"] * period.days
    held = [one for one in situation.under(period, NEGOTIATION) if one.day and one.day <= period.end]
    done = earliest(one for one in held if 100 * between(period.start, one.day) >= opens)
    _, _, end = _on(period, situation)
    yield Clock(rule, period.entry, end, period.end, done, missing="text", awaits=(NEGOTIATION,))


def cooperation_held(rule: Rule, period: Period, situation: Situation) -> Clocks:
    """Provider and purchaser meet often enough while the period runs, where their meetings are recorded at all.

    The clock begins anew with each meeting; one that names a service is about that service only. What would run out
    after the period has no clock.
    """
    service = str(period.entry.facts.get("service") or "").casefold()
    known = newest(situation.case.shared, "cooperation_meeting").values()
    met = [one for one in known if one.day and str(one.facts.get("service") or "").casefold() in {"", service}]
    if not met:
        return
    until, months = min(situation.as_of, period.end), rule.params["months"]
    last = max((one for one in met if one.day <= until), key=lambda one: one.day, default=None)
    _, start, _ = _on(period, situation)
    since = start if last is None or last.day < period.start else Mark.made(last)
    limit = add_months(since.day, months)
    if limit < period.end:
        yield Clock(
            rule, period.entry, since, limit, missing="text", params={"months": months}, awaits=("cooperation_meeting",)
        )  # fmt: skip


def evaluated_by_hours(rule: Rule, period: Period, situation: Situation) -> Clocks:
    """The interim evaluation was made before more than so many hours had been realised.

    The clock runs by hours: it is out on the day on which they were exceeded, that day itself still in time.
    """
    if period.entry.facts.get("max_hours") is None:
        return
    done, limit = earliest(situation.under(period, EVALUATION)), rule.params["hours"]
    used, due = Decimal(0), ""
    for event in events(period, situation):
        if event.is_held and (done is None or event.subject.day < done.day):
            used += event.hours
            due = due or (event.subject.day if used > limit else "")
    is_over = bool(period.entry.facts.get("ended_on")) or bool(situation.under(period, SUMMARY))
    if is_over and done is None and not due:
        return  # it ended before the hours were used: nothing is awaited any more
    _, start, _ = _on(period, situation)
    yield Clock(
        rule, period.entry, start, due, done, late="text", missing="text",
        params={"hours": f"{used.normalize():f}", "limit": limit}, awaits=(EVALUATION,),
        hours_left=None if done else max(Decimal(0), limit - used), is_out=bool(due) and done is None,
    )  # fmt: skip


def months_reported(rule: Rule, period: Period, situation: Situation) -> Clocks:
    """Every calendar month with an event, cancelled ones too, has a report that was sent, once it has ended."""
    sent: dict[str, Mark] = {}
    for one in situation.by_type.get(SENT, ()):
        if (mark := Mark.of(one, "sent_on")) is not None:
            sent.setdefault(str(one.facts.get("month")), mark)
    for one in situation.by_type.get(REPORT, ()):
        if (mark := Mark.of(one, "delivered_on")) is not None:
            sent.setdefault(one.day[:7], mark)
    own: dict[str, list[Subject]] = {}
    for event in situation.under(period, HELD, MISSED):
        own.setdefault(event.day[:7], []).append(event)
    for month, first in sorted(own.items()):
        yield Clock(
            rule, period.entry, earliest(first), month_end(f"{month}-01"), sent.get(month),
            missing="text", params={"month": month}, awaits=(REPORT, SENT), month=month,
        )  # fmt: skip


def ended_with_report(rule: Rule, period: Period, situation: Situation) -> Clocks:
    """An agreement that has ended has its final report."""
    ended = Mark.of(period.entry, "ended_on")
    if ended is not None:
        done = earliest(situation.under(period, SUMMARY))
        yield Clock(
            rule, period.entry, ended, ended.day, done, missing="text", params={"date": ended.day}, awaits=(SUMMARY,)
        )  # fmt: skip


CLIENT_CLOCKS: Mapping[str, ClientClocks] = {
    "evaluation-made": evaluation_made,
    "evaluations-made": evaluations_made,
    "monthly-visit": monthly_visit,
    "summary-made": summary_made,
}
DECISION_CLOCKS: Mapping[str, DecisionClocks] = {
    "closing-held": closing_held,
    "cooperation-held": cooperation_held,
    "ended-with-report": ended_with_report,
    "evaluated-by-hours": evaluated_by_hours,
    "months-reported": months_reported,
    "plan-made": plan_made,
    "plan-renewed": plan_renewed,
}
