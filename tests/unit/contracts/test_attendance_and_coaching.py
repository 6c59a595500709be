"""The Helsinki contract on months and hours: each rule in a case in which it fires, and beside it where it does not."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.unit.contracts.helsinki import (
    AS_OF,
    COACHING,
    FREE,
    HELSINKI,
    NAME,
    case,
    coached,
    entry,
    judged,
    month,
    told,
)

from kanta_gateway.contracts.attendance import not_accepted
from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.figures import figures
from kanta_gateway.contracts.situation import Situation


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
        ({"2025-09-03": "sNaN"}, [("HEL-02", "month-day-unreadable")]),
        ({"2025-09-03": "6,0"}, []),
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


def test_two_decisions_in_one_month() -> None:
    """Each day needs one of the decisions; the day between them has none, and the nearest is named."""
    first = entry("decision", "P", starts_on="2025-03-01", ends_on="2025-09-10")
    second = entry("decision", "P2", starts_on="2025-09-15", ends_on="2026-03-14")
    one = month({"2025-09-10": 6, "2025-09-11": 6, "2025-09-12": "L", "2025-09-15": 6})
    whole = case(second, one, grant=first)
    found = [finding.params for finding in judged(whole).findings[one.row] if finding.rule == "HEL-01"]

    assert [
        {"date": "2025-09-11", "start": "2025-03-01", "end": "2025-09-10"},
        {"date": "2025-09-12", "start": "2025-03-01", "end": "2025-09-10"},
    ] == found
    assert figures(HELSINKI, whole, judged(whole), AS_OF)["presence_days"] == 2


def test_a_coaching_agreement_grants_no_day_of_work_activity() -> None:
    """Of a client with both services a day of the sheet needs the decision; an agreement on coaching is none."""
    one = month({"2025-09-03": 6, "2025-10-01": 6})
    grant = entry("decision", "P", starts_on="2025-03-01", ends_on="2025-09-30")
    whole = case(entry(COACHING, "S"), one, grant=grant)

    assert [("HEL-01", "month-day-outside-decision")] == told(whole, one)


def test_hours_of_coaching_fall_under_the_agreement_and_not_under_the_decision() -> None:
    """A record that names its service counts there, although a decision on another began later."""
    service = "Työvalmennus 27 d §"
    held = entry("meeting", hours=22, service=service)
    evaluation = entry("interim_evaluation", service=service, date="2025-09-10")
    whole = case(entry(COACHING, "S", starts_on="2025-08-01"), held, evaluation)
    numbers = figures(HELSINKI, whole, judged(whole), AS_OF)

    assert (22, 35) == (numbers["realised_hours"], numbers["maximum_hours"])
    assert ("HEL-09", "evaluation-after-hours") in told(whole, whole.entries[2])
    assert [] == told(whole, evaluation)


def test_a_month_that_waits_counts_in_nothing() -> None:
    """The days of a held month are no presence and accrue no leave, and its absences do not repeat."""
    marks = {**dict.fromkeys(WORKDAYS[:14], 6), WORKDAYS[14]: "X", WORKDAYS[15]: "X"}
    one = month(marks, recorder_name=None)
    whole = case(one)
    numbers = figures(HELSINKI, whole, judged(whole), AS_OF)

    assert ("GEN-04", "recorder-unknown") in told(whole, one)
    assert (0, 0, 0) == tuple(numbers[name] for name in ("presence_days", "leave_days_accrued", "unannounced_absences"))
    assert [] == told(whole, whole.entries[0])


@pytest.mark.parametrize(("balance", "expected"), [(1, True), (2, False), (None, False)])
def test_a_later_balance_counts_from_its_own_decision(balance: int | None, expected: bool) -> None:  # noqa: FBT001
    """Leave before a decision began is in the balance that it tells; without a balance there is nothing to judge."""
    first = entry("decision", "P", starts_on="2025-03-01", ends_on="2025-09-30", leave_balance=5)
    second = entry("decision", "P2", starts_on="2025-10-01", ends_on="2026-03-01", leave_balance=balance)
    before = month({"2025-09-03": "L", "2025-09-04": "L", "2025-09-05": "L"})
    after = month({"2025-10-01": "L", "2025-10-02": "L"})
    whole = case(second, before, after, grant=first)

    assert expected == (("HEL-04", "leave-above-balance") in told(whole, whole.entries[0]))


def test_a_leap_day_is_a_day_as_any() -> None:
    """29 February 2024 is a Thursday: a presence inside a decision that ends on it, outside one that ended before."""
    marks = month({"2024-02-29": 6})
    inside = entry("decision", "P", starts_on="2024-01-30", ends_on="2024-02-29")
    before = entry("decision", "P", starts_on="2024-01-29", ends_on="2024-02-28")

    assert [] == told(case(marks, grant=inside), marks)
    assert [("HEL-01", "month-day-outside-decision")] == told(case(marks, grant=before), marks)


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


def test_an_event_that_waits_counts_in_nothing() -> None:
    """A held meeting uses up no maximum: the next one is within it, and neither hours nor billing count the first."""
    waits = entry("meeting", date="2025-09-03", hours=30, recorder_name=None)
    after = entry("meeting", date="2025-09-04", hours=20)
    whole = coached(waits, after)
    numbers = figures(HELSINKI, whole, judged(whole), AS_OF)

    assert [("GEN-04", "recorder-unknown")] == told(whole, waits)
    assert [] == told(whole, after)
    assert (20, 20, 0) == tuple(numbers[name] for name in ("realised_hours", "billable_hours", "excess_hours"))


@pytest.mark.parametrize(
    ("cancelled_at", "expected"),
    [
        ("2025-10-29T10:00:00Z", "cancelled-in-time"),
        ("2025-10-29T12:00:00+02:00", "cancelled-in-time"),
        ("2025-10-29T10:01:00Z", "cancelled-late"),
        ("2025-10-29T12:30:00+03:00", "cancelled-in-time"),
    ],
)
def test_noon_is_noon_in_helsinki(cancelled_at: str, expected: str) -> None:
    """A moment with an offset is read as Helsinki's clocks show it, in winter time two hours ahead of UTC."""
    one = entry("missed_meeting", cancelled_at=cancelled_at)

    assert [("HEL-14", expected)] == told(coached(one), one)


def test_what_the_provider_cancelled_is_never_billed() -> None:
    """A meeting that the provider itself cancelled has no deadline and nothing to bill."""
    one = entry("missed_meeting", cause="organisation", cancelled_at="2025-10-30T08:00", billed=True)
    whole = coached(one)

    assert [("HEL-14", "billed-without-ground")] == told(whole, one)
    assert figures(HELSINKI, whole, judged(whole), AS_OF)["billable_hours"] == 0


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
