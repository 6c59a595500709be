"""Rules of the Helsinki contract: each in a case in which it fires, and one beside it in which it does not."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import holidays
import pytest
from tests.unit.contracts import builders as b

from kanta_gateway.contracts.attendance import not_accepted
from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.figures import figures
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.contracts.situation import Situation
from kanta_gateway.model import Record

HELSINKI = Contract.load(
    (b.ROOT / "mappings" / "contracts" / "helsinki.yaml").read_text(encoding="utf-8"), "helsinki.yaml", b.TYPES
)
FREE = frozenset(holidays.country_holidays("FI", years=range(2024, 2028)))
AS_OF = date(2025, 12, 31)
NAME = {"surname": "Esimerkki", "given_names": "Eeva"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"non_disclosure": False},
    "decision": {
        "service": "Työtoiminta 27 e §", "product_number": 1, "starts_on": "2025-09-01", "ends_on": "2026-08-31",
        "hours_per_day": 6, "days_per_week": 3, "leave_balance": 2,
    },
    "attendance_month": {
        "month": "2025-09", "starts_on": "2025-09-01", "ends_on": "2025-09-30", "recorder": "Eeva",
        "recorder_name": NAME,
    },
    "coaching_agreement": {
        "service": "Työvalmennus 27 d §", "product_number": 1, "max_hours": 35, "starts_on": "2025-09-01",
        "ends_on": "2026-03-01",
    },
    "meeting": {
        "date": "2025-09-03", "start_time": "09:00", "hours": 3, "product_number": 1, "form": "individual",
        "state": "held", "recorder": "Riku", "recorder_name": NAME,
    },
    "missed_meeting": {
        "date": "2025-10-30", "start_time": "09:00", "hours": 2, "product_number": 1, "state": "cancelled",
        "cause": "client", "cancelled_at": "2025-10-29T11:59", "recorder": "Riku", "recorder_name": NAME,
    },
    "interim_evaluation": {"date": "2025-10-15", "recorder_name": NAME},
    "final_summary": {
        "made_on": "2025-11-19", "author": "Riku", "recorder_name": NAME, "content": "x", "progress": "x",
        "end_reason": "x", "background": "x",
    },
    "diary_entry": {"date": "2025-09-03", "hours": 6, "recorder": "Riku", "recorder_name": NAME},
}  # fmt: skip
_rows = count(1)


def entry(kind: str, name: str = "", **content: Any) -> Entry:
    """One record; None takes a default away."""
    whole = {key: value for key, value in {**DEFAULTS.get(kind, {}), **content}.items() if value is not None}
    row = next(_rows)
    kept = facts(HELSINKI, Record(kind, name or f"{kind}-{row}", 1, None, whole))
    return Entry(b.TYPES[kind], name or f"{kind}-{row}", 1, False, kept, row, row)  # noqa: FBT003


def month(marks: dict[str, Any], **content: Any) -> Entry:
    """A month with these marks: day -> mark."""
    days = [{"date": on, "mark": str(mark)} for on, mark in marks.items()]
    first = min(marks, default="2025-09-01")[:7]
    return entry("attendance_month", days=days, month=first, starts_on=f"{first}-01", ends_on=f"{first}-28", **content)


def case(*entries: Entry, grant: Entry | None = None) -> Case:
    """A client with a decision, or another grant, and these records."""
    given = (entry("client", "K"), grant or entry("decision", "P"), *entries)
    return Case(entries=given, delivery_has_staff=False)


def judged(whole: Case, as_of: date = AS_OF) -> Judgement:
    """The judgement of a case."""
    return judge(HELSINKI, whole, as_of, FREE)


def told(whole: Case, one: Entry, as_of: date = AS_OF) -> list[tuple[str, str]]:
    """Rule and kind of what was found on one record."""
    return sorted((found.rule, found.kind) for found in judged(whole, as_of).findings[one.row])


COACHING = "coaching_agreement"


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({"2025-09-03": 6, "2025-09-04": "4", "2025-09-05": "S", "2025-09-08": "L", "2025-09-09": "P"}, []),
        ({"2025-08-29": 6}, [("HEL-01", "month-day-outside-decision")]),
        ({"2025-08-29": "L"}, [("HEL-01", "month-day-outside-decision")]),
        ({"2025-08-30": 5}, [("HEL-01", "month-day-outside-decision")]),
        ({"2025-09-06": 6}, [("HEL-02", "month-day-on-weekend")]),
        ({"2025-12-24": 6}, [("HEL-02", "month-day-on-holiday")]),
        ({"2025-09-03": 5}, [("HEL-02", "month-day-of-other-hours")]),
        ({"2025-09-03": "L/6"}, [("HEL-02", "month-day-unreadable")]),
        ({"2025-09-03": "x"}, []),
    ],
)
def test_each_marked_day_is_judged(marks: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Outside the decision goes before everything else; hours, workday and letters decide the rest."""
    one = month(marks)

    assert expected == told(case(one), one)


def test_days_that_are_not_accepted_are_named_for_the_document() -> None:
    """The document tells which of the month's days are recorded and not accepted."""
    one = month({"2025-09-03": 6, "2025-09-04": 5, "2025-09-06": 4, "2025-09-05": "S"})
    situation = Situation(HELSINKI, case(one), AS_OF, FREE)

    assert ["2025-09-04", "2025-09-06"] == not_accepted(situation, one)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"stated_days": 2, "stated_allowance": 20}, []),
        ({"stated_days": 3}, [("HEL-03", "month-totals-differ")]),
        ({"stated_allowance": 24}, [("HEL-03", "month-totals-differ")]),
    ],
)
def test_totals_counted_by_hand(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A total that differs from the accepted days is told; an empty one is no difference."""
    one = month({"2025-09-03": 6, "2025-09-04": 4, "2025-09-05": "S"}, **content)

    assert expected == told(case(one), one)


WORKDAYS = [f"2025-10-{day:02d}" for day in range(1, 32) if date(2025, 10, day).weekday() < 5]


@pytest.mark.parametrize(
    ("attended", "leave", "expected"), [(13, 3, True), (14, 3, False), (14, 4, False), (14, 5, True)]
)
def test_leave_balance(attended: int, leave: int, expected: bool) -> None:  # noqa: FBT001
    """Fourteen attended days accrue two leave days; what is taken above balance and accrual is told on the client."""
    marks = dict.fromkeys(WORKDAYS[:attended], 6) | dict.fromkeys(WORKDAYS[attended : attended + leave], "L")
    whole = case(month(marks))

    assert expected == (("HEL-04", "leave-above-balance") in told(whole, whole.entries[0]))


def test_leave_accrues_at_most_so_much_in_a_year() -> None:
    """However many months have fourteen days, a year accrues no more than its limit."""
    grant = entry("decision", "P", starts_on="2025-01-01", ends_on="2025-12-31", leave_balance=0)
    months = [
        month({f"2025-{number:02d}-{day:02d}": 6 for day in range(1, 28)
               if date(2025, number, day).weekday() < 5 and date(2025, number, day) not in FREE})
        for number in range(1, 13)
    ]  # fmt: skip
    whole = case(*months, grant=grant)

    assert figures(HELSINKI, whole, judged(whole), AS_OF)["leave_days_accrued"] == 24


@pytest.mark.parametrize(("marks", "expected"), [(["X"], False), (["X", "X"], True)])
def test_unannounced_absences_repeat(marks: list[str], expected: bool) -> None:  # noqa: FBT001
    """Two unannounced absences inside the decision are told; one, or one outside it, is not."""
    inside = {f"2025-09-{day:02d}": mark for day, mark in zip((3, 4), marks, strict=False)}
    whole = case(month({"2025-08-29": "X", **inside}) if len(marks) == 1 else month(inside))

    assert expected == (("HEL-07", "unannounced-repeated") in told(whole, whole.entries[0]))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"days_per_week": 1}, [("HEL-02", "days-decided-outside-limits")]),
        ({"days_per_week": 5}, []),
        ({"ends_on": "2026-09-01"}, [("HEL-01", "period-too-long")]),
        ({"ends_on": "2025-09-29"}, [("HEL-01", "period-too-short")]),
    ],
)
def test_the_decision(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A placement decision is for 1 to 12 months and 2 to 5 days a week."""
    grant = entry("decision", "P", **content)

    assert expected == told(case(grant=grant), grant)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"hours": 5}, [("HEL-02", "hours-of-no-working-day")]),
        ({"start_time": "07:30", "end_time": "13:30"}, [("HEL-02", "times-outside-service")]),
        ({"start_time": "08:00", "end_time": "17:00"}, []),
        ({"date": "2025-09-06"}, [("HEL-02", "weekend")]),
        ({"date": "2025-08-29"}, [("HEL-01", "outside-decision")]),
    ],
)
def test_a_day_kept_as_an_entry(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Where days are kept one by one the same rules hold: hours, times, weekdays, decision."""
    one = entry("diary_entry", **content)

    assert expected == told(case(one), one)


# coaching


def coached(*entries: Entry, **content: Any) -> Case:
    """A client with a coaching agreement."""
    return case(*entries, grant=entry(COACHING, "S", **content))


def test_hours_above_the_maximum() -> None:
    """Each meeting at which the sum stands above the maximum is told, and only what is left can be billed."""
    held = [entry("meeting", date=f"2025-09-{day:02d}", hours=12) for day in (3, 4, 5, 8)]
    whole = coached(*held)

    assert [[], [], [("HEL-09", "hours-above-maximum")], [("HEL-09", "hours-above-maximum")]] == [
        told(whole, one) for one in held
    ]
    numbers = figures(HELSINKI, whole, judged(whole), AS_OF)
    assert (48, 35, 13, 35) == tuple(numbers[name] for name in (
        "realised_hours", "billable_hours", "excess_hours", "maximum_hours"
    ))  # fmt: skip


def test_the_agreement_cannot_grant_more_than_the_product() -> None:
    """An agreement of 50 hours has a maximum of 35; one of 20 has 20."""
    for stated, expected in ((50, 35), (20, 20)):
        whole = coached(max_hours=stated)
        assert figures(HELSINKI, whole, judged(whole), AS_OF)["maximum_hours"] == expected


@pytest.mark.parametrize(
    ("cancelled_at", "expected", "billable"),
    [
        ("2025-10-29T12:00", "cancelled-in-time", 0),
        ("2025-10-29T12:01", "cancelled-late", 2),
        ("2025-10-28", "cancelled-in-time", 0),
        (None, "cancelled-late", 2),
    ],
)
def test_cancelled_by_noon_of_the_weekday_before(cancelled_at: str | None, expected: str, billable: int) -> None:
    """Noon itself is in time; told later, or without a moment, the meeting can be billed."""
    one = entry("missed_meeting", cancelled_at=cancelled_at)
    whole = coached(one)

    assert [("HEL-14", expected)] == told(whole, one)
    assert figures(HELSINKI, whole, judged(whole), AS_OF)["billable_hours"] == billable


@pytest.mark.parametrize(
    ("on", "cancelled_at", "expected"),
    [
        ("2025-11-17", "2025-11-14T12:00", "cancelled-in-time"),  # Monday: the Friday before
        ("2025-11-17", "2025-11-15T09:00", "cancelled-late"),
        ("2025-12-08", "2025-12-05T11:59", "cancelled-in-time"),  # Independence Day is a Saturday
        ("2025-12-29", "2025-12-23T12:00", "cancelled-in-time"),  # Christmas: back to the 23rd
        ("2025-12-29", "2025-12-24T08:00", "cancelled-late"),
    ],
)
def test_weekends_and_holidays_do_not_count(on: str, cancelled_at: str, expected: str) -> None:
    """The preceding weekday is a Monday to Friday that is no public holiday."""
    one = entry("missed_meeting", date=on, cancelled_at=cancelled_at)

    assert [("HEL-14", expected)] == told(coached(one), one)


def test_billed_although_nothing_can_be() -> None:
    """A mark of billing is told where nothing can be billed, whatever the reason; elsewhere it is not."""
    in_time = entry("missed_meeting", billed=True)
    late = entry("missed_meeting", cancelled_at="2025-10-29T13:00", billed=True)
    lapsed = entry("meeting", date="2026-03-02", billed=True)
    after = date(2026, 4, 1)

    assert ("HEL-14", "billed-without-ground") in told(coached(in_time), in_time)
    assert ("HEL-14", "billed-without-ground") not in told(coached(late), late)
    assert [("HEL-10", "hours-lapsed"), ("HEL-14", "billed-without-ground")] == told(coached(lapsed), lapsed, after)


def test_no_show() -> None:
    """A client who did not come is told, and the meeting can be billed."""
    one = entry("missed_meeting", state="no_show", cancelled_at=None)
    whole = coached(one)

    assert [("HEL-15", "client-did-not-come")] == told(whole, one)
    assert figures(HELSINKI, whole, judged(whole), AS_OF)["billable_hours"] == 2


@pytest.mark.parametrize(
    ("hours", "evaluated", "expected"),
    [
        (21, "2025-10-15", False),
        (22, "2025-10-15", True),
        (21, None, False),
        (22, None, True),
        (22, "2025-09-03", False),
    ],
)
def test_evaluation_by_hours(hours: int, evaluated: str | None, expected: bool) -> None:  # noqa: FBT001
    """More than 21 realised hours before the evaluation, or without one, are told on the agreement."""
    made = [entry("interim_evaluation", date=evaluated)] if evaluated else []
    whole = coached(entry("meeting", hours=hours), *made)

    assert expected == (("HEL-09", "evaluation-after-hours") in told(whole, whole.entries[1]))


def test_keeping_a_job_needs_no_interim_evaluation() -> None:
    """The rule of 21 hours before an evaluation is that of coaching towards a job only."""
    whole = coached(entry("meeting", hours=22, product_number=2), product_number=2, max_hours=21)

    assert ("HEL-09", "evaluation-after-hours") not in told(whole, whole.entries[1])


@pytest.mark.parametrize(
    ("sent", "as_of", "expected"),
    [("2025-10-03", AS_OF, False), (None, AS_OF, True), (None, date(2025, 9, 30), False)],
)
def test_monthly_reports(sent: str | None, as_of: date, expected: bool) -> None:  # noqa: FBT001
    """An ended month with an event needs a report that was sent; a month that runs needs none yet."""
    report = entry("report_sent", month="2025-09", sent_on=sent)
    whole = coached(entry("meeting"), report)

    assert expected == (("HEL-12", "month-not-reported") in told(whole, whole.entries[1], as_of))


def test_final_report() -> None:
    """An agreement that has ended needs its final report, with its content."""
    ended = coached(ended_on="2025-11-19")
    done = coached(entry("final_summary"), ended_on="2025-11-19")
    empty = entry("final_summary", background=" ")

    assert ("HEL-13", "final-report-missing") in told(ended, ended.entries[1])
    assert ("HEL-13", "final-report-missing") not in told(done, done.entries[1])
    assert [("HEL-13", "content-empty")] == told(coached(empty), empty)


@pytest.mark.parametrize(("ends_on", "expected"), [("2026-04-30", False), ("2026-05-02", True)])
def test_eight_months_at_most(ends_on: str, expected: bool) -> None:  # noqa: FBT001
    """Six months and an extension of two: a longer agreement is told."""
    whole = coached(ends_on=ends_on)

    assert expected == (("HEL-10", "period-too-long") in told(whole, whole.entries[1]))


@pytest.mark.parametrize(("first", "second", "expected"), [(1, 2, False), (1, 1, True), (2, 2, True), (2, 1, True)])
def test_a_new_agreement(first: int, second: int, expected: bool) -> None:  # noqa: FBT001
    """A new agreement comes only from finding a job to keeping it."""
    later = entry(COACHING, "S2", product_number=second, starts_on="2025-12-01", ends_on="2026-05-01", max_hours=21)
    whole = coached(later, product_number=first)

    assert expected == (("HEL-23", "agreement-follows-wrongly") in told(whole, later))


def test_no_service_while_the_ending_is_negotiated() -> None:
    """Between the call to a negotiation about ending and the negotiation no meeting is held."""
    call = entry("negotiation", date="2025-11-14", about="ending", called_on="2025-11-05", recorder_name=NAME)
    between, before = entry("meeting", date="2025-11-10"), entry("meeting", date="2025-11-04")
    whole = coached(call, between, before)

    assert [("HEL-21", "service-while-ending-negotiated")] == told(whole, between)
    assert [] == told(whole, before)


def test_the_coaching_plan_is_asked_for_where_plans_are_recorded() -> None:
    """An agreement without a plan is told where the client has plans; a source without any is not asked."""
    without = coached(entry("meeting"))
    second = entry(COACHING, "S2", product_number=2, starts_on="2025-11-01", ends_on="2026-04-01", max_hours=21)
    plan = entry("implementation_plan", made_on="2025-09-05", author="Riku", recorder_name=NAME)
    one_of_two = coached(second, plan)

    assert ("HEL-20", "coaching-plan-missing") not in told(without, without.entries[1])
    assert ("HEL-20", "coaching-plan-missing") not in told(one_of_two, one_of_two.entries[1])
    assert ("HEL-20", "coaching-plan-missing") in told(one_of_two, second)


def test_author_of_the_evaluation() -> None:
    """An evaluation without an author takes the coach of its day, else the latest before it; none: it waits."""
    evaluation = entry("interim_evaluation", recorder_name=None)

    assert [] == told(coached(evaluation, entry("meeting")), evaluation)
    assert [("GEN-04", "recorder-unknown")] == told(
        coached(evaluation, entry("meeting", date="2025-10-16")), evaluation
    )


def test_order_does_not_matter() -> None:
    """Shuffled, the same records have the same findings and figures."""
    records = [
        *(entry("meeting", date=f"2025-09-{day:02d}", hours=6) for day in (3, 4, 5, 8, 9, 10, 11)),
        entry("missed_meeting", state="no_show", cancelled_at=None), entry("interim_evaluation"),
        month({"2025-09-03": 6, "2025-09-06": 4}),
    ]  # fmt: skip
    whole = case(entry(COACHING, "S"), *records)
    mixed = list(whole.entries)
    random.Random(1).shuffle(mixed)
    shuffled = Case(entries=mixed, delivery_has_staff=False)

    before, after = judged(whole), judged(shuffled)
    assert before.findings == after.findings
    assert figures(HELSINKI, whole, before, AS_OF) == figures(HELSINKI, shuffled, after, AS_OF)


@pytest.mark.parametrize(
    ("given", "content", "expected"),
    [
        ([entry("decision", "P")], {}, "client-unknown"),
        ([entry("client", "K")], {}, "decision-unknown"),
        ([entry("client", "K", non_disclosure=None), entry("decision", "P")], {}, "non-disclosure-untold"),
        ([entry("client", "K"), entry("decision", "P", service="Muu")], {}, "product-unknown"),
        ([entry("client", "K"), entry("decision", "P")], {"date": "2026-01-02"}, "date-in-future"),
        ([entry("client", "K"), entry("decision", "P")], {"contract_known": False}, "contract-unknown"),
        ([entry("client", "K"), entry("decision", "P")], {}, None),
    ],
)
def test_what_every_record_needs(given: list[Entry], content: dict[str, Any], expected: str | None) -> None:
    """Client, decision, product, turvakielto, contract and a day that has been: each is told when it lacks."""
    one = entry("diary_entry", **{key: value for key, value in content.items() if key != "contract_known"})
    one = replace(one, facts={**one.facts, **content})
    findings = judge(HELSINKI, Case((*given, one), delivery_has_staff=False), AS_OF, FREE).findings[one.row]

    assert {found.kind for found in findings} == ({expected} if expected else set())


@pytest.mark.parametrize("kind", ["interim_evaluation", "final_evaluation"])
def test_an_evaluation_needs_its_four_parts(kind: str) -> None:
    """HEL-06: a part that holds nothing is told by its field; a whole one is not."""
    whole: dict[str, Any] = {"goals": [{"name": "x"}], "strengths": "x", "to_develop": "x", "client_assessment": "x"}
    full = entry(kind, date="2025-10-15", recorder="Riku", recorder_name=NAME, **whole)
    lacking = entry(kind, date="2025-10-16", recorder="Riku", recorder_name=NAME, **{**whole, "strengths": "  "})

    assert told(case(full, lacking), full) == []
    assert told(case(full, lacking), lacking) == [("HEL-06", "content-empty")]
