"""Clocks of deadlines: what starts them, when they run out, who stops them, and how they are read on a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.contracts import builders as b
from tests.unit.contracts import helsinki as h
from tests.unit.contracts import test_quality_reviews as q
from tests.unit.contracts import vouchers as v

from kanta_gateway.contracts import agenda
from kanta_gateway.contracts.case import Case
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.deadlines import Clock


def of(judgement: Judgement, rule: str, kind: str = "", record: str = "") -> list[Clock]:
    """The clocks of one rule, by due date."""
    found = [one for one in agenda.clocks(judgement) if one.rule.id == rule and kind in {"", one.rule.kind}]
    return sorted((one for one in found if record in {"", one.record.type}), key=lambda one: (one.due, one.month))


def read(clock: Clock, as_of: date) -> tuple[str, str, int | None]:
    """Due date, state and days left on a day."""
    return clock.due, str(clock.state(as_of.isoformat())), clock.days_left(as_of.isoformat())


@pytest.mark.parametrize(
    ("told", "as_of", "expected"),
    [
        (None, date(2022, 8, 4), ("2022-08-05", "open", 1)),
        (None, date(2022, 8, 5), ("2022-08-05", "open", 0)),
        (None, date(2022, 8, 6), ("2022-08-05", "breached", -1)),
        ("2022-08-05", date(2022, 8, 6), ("2022-08-05", "done", None)),
        ("2022-08-08", date(2022, 8, 9), ("2022-08-05", "done-late", None)),
    ],
)
def test_a_clock_on_a_day(told: str | None, as_of: date, expected: tuple[str, str, int | None]) -> None:
    """The last day is in time; a clock that ran out is breached, or done late once it was stopped."""
    absent = v.entry("absence", purchaser_told_on=told)

    assert [read(one, as_of) for one in of(v.judged(v.case(absent), as_of), "HEI-07")] == [expected]


def test_what_started_and_stopped_it() -> None:
    """A clock names the records and fields that started and stopped it."""
    absent = v.entry("absence", "A", date="2022-08-12", ends_on="2022-08-12", purchaser_told_on="2022-08-15")
    (clock,) = of(v.judged(v.case(absent)), "HEI-07")
    assert clock.start is not None
    assert clock.done is not None

    assert (clock.start.entry.id, clock.start.field, clock.start.day) == ("A", "date", "2022-08-12")
    assert (clock.done.entry.id, clock.done.field, clock.done.day) == ("A", "purchaser_told_on", "2022-08-15")


def test_workdays_skip_weekends_and_holidays() -> None:
    """A clock of workdays that starts on a Friday, or before a holiday, runs out on the next workday."""
    friday = v.entry("absence", date="2022-08-12", ends_on="2022-08-12")
    eve = v.entry("absence", date="2022-08-15", ends_on="2022-08-15")

    assert [one.due for one in of(v.judged(v.case(friday, eve)), "HEI-07")] == ["2022-08-15", "2022-08-17"]


def test_what_no_rule_asks_for_has_no_clock() -> None:
    """A closed day starts no notice, a day that was none no report, a start with a reason no delay."""
    closed = v.entry("absence", reason="paja kiinni", purchaser_told_on=None)
    visit = v.entry("diary_entry", tasks="tutustuminen", reported_on=None)
    start = v.entry("service_start", date="2022-09-30", plan_made_on="2022-08-01", delay_reason="x")
    judgement = v.judged(v.case(closed, visit, start))

    assert of(judgement, "HEI-07") == []
    assert of(judgement, "HEI-11") == []
    assert of(judgement, "HEI-05", "begun-within") == []


def test_a_clock_whose_start_is_not_known() -> None:
    """A start that tells no agreement and no queue has clocks that have not started."""
    start = v.entry("service_start", "S", date="2022-08-01", plan_made_on="2022-07-25")
    found = of(v.judged(v.case(start)), "HEI-05")

    assert [(one.rule.kind, *read(one, v.AS_OF)) for one in found] == [
        ("done-within", "", "not-started", None), ("done-within", "", "not-started", None),
        ("begun-within", "2022-08-08", "done", None),
    ]  # fmt: skip


def test_a_summary_is_one_clock() -> None:
    """That a summary is awaited and that it came late are one clock of LAP-15, which the summary stops."""
    late = b.entry("final_summary", "Y", made_on="2026-01-20")
    (awaited,), (made,) = of(b.judged(b.case(), b.AFTER), "LAP-15"), of(b.judged(b.case(late), b.AFTER), "LAP-15")

    assert read(awaited, b.AFTER) == ("2026-01-14", "breached", -46)
    assert awaited.awaits == ("final_summary",)
    assert read(made, b.AFTER) == ("2026-01-14", "done-late", None)


def test_an_evaluation_that_is_only_awaited_is_done_whenever_it_came() -> None:
    """The rule that awaits an evaluation does not say whether it came late; another one does."""
    late = b.entry("interim_evaluation", date="2026-01-20", delivered_on="2026-01-21", period=None)
    found = [one for one in of(b.judged(b.case(late), b.AFTER), "LAP-13") if one.awaits == ("interim_evaluation",)]

    assert [read(one, b.AFTER) for one in found] == [("2025-11-19", "done", None)]


def test_an_interim_evaluation_is_due_at_mid_period() -> None:
    """LAP-13: the evaluation is due by 65 % of the period; once that is over, the finding has the clock."""
    whole = b.case(ends_on="2025-12-09")  # a hundred days
    before, after = date(2025, 11, 5), date(2025, 11, 6)
    found = {on: of(b.judged(whole, on), "LAP-13", "evaluation-made") for on in (before, after, b.AFTER)}
    interim = {
        on: [read(one, on)[:2] for one in told if one.awaits == ("interim_evaluation",)] for on, told in found.items()
    }

    assert interim == {
        before: [("2025-11-05", "open")], after: [("2025-11-05", "breached")], b.AFTER: [("2025-12-09", "breached")]
    }  # fmt: skip


def test_a_plan_delivered_in_time_by_another_record() -> None:
    """An earlier plan that was delivered in time stops the clock of a later one."""
    first = b.entry("implementation_plan", "S1", made_on="2025-09-02", delivered_on="2025-09-03")
    second = b.entry("implementation_plan", "S2", made_on="2025-10-20", delivered_on=None)
    found = of(b.judged(b.case(first, second), b.AFTER), "LAP-10", "delivered-within")

    assert [one.done.entry.id for one in found if one.done] == ["S1"]
    assert {one.due for one in found} == {"2025-09-15"}


def test_a_clock_by_hours() -> None:
    """HEL-09: without an evaluation the clock runs by realised hours and is out as soon as they are exceeded."""
    meetings = [h.entry("meeting", date=f"2025-09-{day:02d}", hours=7) for day in (3, 4, 5)]
    (running,) = of(h.judged(h.coached(*meetings)), "HEL-09", "evaluated-by-hours")
    over = h.coached(*meetings, h.entry("meeting", date="2025-09-09", hours=1))
    (out,) = of(h.judged(over, date(2025, 9, 9)), "HEL-09", "evaluated-by-hours")

    assert (read(running, h.AS_OF), running.hours_left) == (("", "open", None), Decimal(0))
    assert (read(out, date(2025, 9, 9)), out.hours_left) == (("2025-09-09", "breached", 0), Decimal(0))


def test_months_of_coaching() -> None:
    """HEL-12: each month with an event has its clock; the month's report stops it."""
    events = [h.entry("meeting", date=on) for on in ("2025-09-03", "2025-10-08")]
    sent = h.entry("report_sent", "R", month="2025-09", sent_on="2025-10-02")
    found = of(h.judged(h.coached(*events, sent)), "HEL-12", "months-reported")

    assert [(one.month, *read(one, h.AS_OF)) for one in found] == [
        ("2025-09", "2025-09-30", "done", None),
        ("2025-10", "2025-10-31", "breached", -61),
    ]


def test_a_yearly_clock_without_a_finding() -> None:
    """HEL-05: a year's evaluation of work activity has its clock although no record is ever flagged for it."""
    judgement = h.judged(h.case(), date(2026, 9, 1))
    found = of(h.judged(h.case(), date(2026, 8, 1)), "HEL-05")

    assert [read(one, date(2026, 8, 1)) for one in found] == [("2026-08-31", "open", 30)]
    assert [read(one, date(2026, 9, 1)) for one in of(judgement, "HEL-05")] == [("2026-08-31", "breached", -1)]
    assert [one for told in judgement.findings.values() for one in told if one.rule == "HEL-05"] == []


def test_a_year_goes_on_over_decisions() -> None:
    """HEL-05: decisions of half a year that follow each other make a year; a day between them begins another."""
    first = {"starts_on": "2025-09-01", "ends_on": "2026-02-28"}
    ends = {"ends_on": "2026-08-31"}
    joined = h.case(h.entry("decision", "P2", starts_on="2026-03-01", **ends), grant=h.entry("decision", "P1", **first))
    apart = h.case(h.entry("decision", "P2", starts_on="2026-03-02", **ends), grant=h.entry("decision", "P1", **first))
    made = h.entry("interim_evaluation", date="2026-04-01")
    done = Case(entries=[*joined.entries, made], delivery_has_staff=False)

    assert [read(one, h.AS_OF) for one in of(h.judged(joined), "HEL-05")] == [("2026-08-31", "open", 243)]
    assert of(h.judged(apart), "HEL-05") == []
    assert [read(one, h.AS_OF)[1] for one in of(h.judged(done), "HEL-05")] == ["done"]


@pytest.mark.parametrize(
    ("content", "due"),
    [
        ({"stated_total": 99}, ["2025-05-19"]),
        ({"stated_total": 100}, ["2025-11-19"]),
        ({"stated_total": 100, "employed_share_measured_on": "2025-10-01"}, ["2025-11-19", "2026-01-01"]),
    ],
)
def test_reviews_come_by_the_half_year(content: dict[str, Any], due: list[str]) -> None:
    """LAA-04: a review is followed by the next in six months, from 100 points on in a year, measured every quarter."""
    whole = q.review(q.ALL_FOUR, date="2024-11-19", **content)
    found = of(judge(q.QUALITY, whole, q.AS_OF, frozenset()), "LAA-04")

    assert [one.due for one in found] == due


def test_the_next_review_stops_the_clock() -> None:
    """LAA-04: of two reviews of a provider only the later one waits for the next; another provider's is its own."""
    first = q.entry("quality_review", "R1", date="2024-11-19", provider_name="Paja", stated_total=90)
    second = q.entry("quality_review", "R2", date="2025-06-01", provider_name="Paja", stated_total=90)
    other = q.entry("quality_review", "R3", date="2025-06-02", provider_name="Muu", stated_total=90)
    found = of(judge(q.QUALITY, Case(entries=[first, second, other]), q.AS_OF, frozenset()), "LAA-04")

    assert [(one.record.id, *read(one, q.AS_OF)) for one in found] == [
        ("R1", "2025-05-19", "done", None), ("R2", "2025-12-01", "open", 0), ("R3", "2025-12-02", "open", 1),
    ]  # fmt: skip


def test_overdue_comes_first() -> None:
    """Clocks come overdue first, then open ones, each by its due date, then what is done."""
    own = [
        v.entry("absence", date="2022-09-01", ends_on="2022-09-01", purchaser_told_on=None),
        v.entry("absence", date="2022-08-22", ends_on="2022-08-22", purchaser_told_on=None),
        v.entry("absence", date="2022-09-29", ends_on="2022-09-29", purchaser_told_on=None),
        v.entry("absence", date="2022-08-18", ends_on="2022-08-18", purchaser_told_on="2022-08-19"),
    ]
    as_of = date(2022, 9, 30)
    found = [one for one in agenda.clocks(v.judged(v.case(*own), as_of)) if one.rule.id == "HEI-07"]

    assert [read(one, as_of)[:2] for one in found] == [
        ("2022-08-23", "breached"), ("2022-09-02", "breached"), ("2022-09-30", "open"), ("2022-08-19", "done"),
    ]  # fmt: skip


def test_before_anything_was_judged_there_are_no_clocks() -> None:
    """A judgement without a situation has no clocks."""
    assert agenda.clocks(Judgement()) == []
