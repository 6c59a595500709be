"""What the law says beside any contract: each rule in a case in which it fires, and in one beside it in which not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from tests.unit.contracts import lawful as law

from kanta_gateway.contracts.agenda import clocks
from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import judge

DAY, PLAN = "diary_entry", "authority_plan"
MINOR = {"set_on": "2025-09-08", "against": "guardian"}
JOINT = {"kind": "multidisciplinary", "follow_up": "x"}

RECORD_RULES: list[tuple[str, str, str, str, dict[str, Any], dict[str, Any]]] = [
    # rule, severity, kind, record type, content that breaks it, content that does not
    ("KT-03", "flag", "law-hours-below-day", DAY, {"hours": 3.5}, {"hours": 4}),
    ("KT-03", "flag", "law-hours-above-day", DAY, {"hours": 8.5}, {"hours": 8}),
    ("KT-08", "info", "law-plan-incomplete", PLAN, {"place": None}, {}),
    ("KT-08", "info", "law-plan-incomplete", PLAN, {"goals": [{"name": ""}]}, {}),
    ("KT-08", "info", "law-plan-incomplete", PLAN, {"evaluate_by": None}, {"kind": "client_plan", "evaluate_by": None}),
    ("KT-10", "info", "law-plan-not-signed", PLAN,
     {"signed_by": ["client", "county"]}, {"signed_by": ["client", "county", "labour_authority"]}),
    ("KT-10", "info", "law-plan-not-signed", PLAN, {"signed_by": ["client"]}, {**JOINT, "signed_by": ["client"]}),
    ("KT-10", "info", "law-plan-not-reviewed", PLAN, {"reviewed_on": ["2025-09-30"], "ends_on": "2026-03-01"},
     {"reviewed_on": ["2025-10-01"], "ends_on": "2026-03-01"}),
    ("KT-10", "info", "law-plan-not-reviewed", PLAN, {"reviewed_on": ["2025-12-02"]}, {"reviewed_on": ["2025-12-01"]}),
    ("KT-12", "info", "law-plan-made-late", PLAN,
     {**JOINT, "assessment_started_on": "2025-05-19"}, {**JOINT, "assessment_started_on": "2025-05-20"}),
    ("KT-12", "info", "law-plan-not-made", PLAN, {**JOINT, "assessment_started_on": "2025-05-20", "made_on": None},
     {**JOINT, "made_on": None}),
    ("KT-12", "info", "law-plan-without-follow-up", PLAN, {**JOINT, "follow_up": " "}, JOINT),
    ("AB-01", "info", "law-reason-not-listed", "absence", {"date": "2002-12-31", "reason_category": "incapacity"},
     {"date": "2003-01-02", "reason_category": "incapacity"}),
    ("AB-01", "info", "law-absence-too-long", "absence", {"reason_category": "child_illness", "ends_on": "2025-09-09"},
     {"reason_category": "child_illness", "ends_on": "2025-09-08"}),
    ("AB-02", "info", "law-reason-not-paid", "absence",
     {"reason_category": "other"}, {"reason_category": "public_duty"}),
    ("AB-02", "info", "law-reason-not-paid", "absence", {"reason_category": "other"}, {}),
    ("AB-04", "info", "law-certificate-due", "absence", {"reason_category": "incapacity", "ends_on": "2025-09-06"},
     {"reason_category": "incapacity", "ends_on": "2025-09-05"}),
    ("AB-04", "info", "law-certificate-due", "absence",
     {"reason_category": "incapacity", "ends_on": "2025-09-08", "certificate": False},
     {"reason_category": "incapacity", "ends_on": "2025-09-08", "certificate": True}),
    ("AB-05", "info", "law-closed-day-unpermitted", "absence",
     {"reason_category": "service_closed", "permitted": False},
     {"reason_category": "service_closed", "permitted": True}),
    ("AB-05", "info", "law-closed-day-unpermitted", "absence",
     {"reason_category": "service_closed", "permitted": False},
     {"reason_category": "other", "permitted": False}),
    ("AB-06", "info", "law-swapped-day-told", "absence",
     {"reason_category": "swapped_day"}, {"reason_category": "other"}),
    ("AB-07", "flag", "payer-told-late", "absence", {"payer_told_on": "2025-09-18"}, {"payer_told_on": "2025-09-17"}),
    ("AB-07", "flag", "payer-not-told", "absence", {"payer_told_on": None},
     {"payer_told_on": None, "reason_category": "swapped_day"}),
    ("AB-07", "flag", "payer-not-told", "absence", {"payer_told_on": None, "reason": "sairas"},
     {"payer_told_on": None, "reason": "paja kiinni"}),
    ("REC-12", "info", "law-minor-prohibition-lacks", "prohibition", MINOR, {**MINOR, "reason": "x"}),
    ("REC-12", "info", "law-minor-prohibition-lacks", "prohibition", MINOR, {"set_on": "2025-09-08"}),
    ("REC-12", "info", "law-minor-refusal-lacks", "prohibition", {**MINOR, "reason": "x", "is_refused": True},
     {**MINOR, "reason": "x", "is_refused": True, "refusal_grounds": "x"}),
    ("REC-12", "info", "law-minor-refusal-lacks", "prohibition", {**MINOR, "reason": "x", "is_refused": True},
     {**MINOR, "reason": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "of", "bad", "good"), [((rule, weighs, kind), *rest) for rule, weighs, kind, *rest in RECORD_RULES]
)
def test_rule_of_one_record(finding: tuple[str, str, str], of: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """A record that breaks one rule of the law is told of it with the rule's severity; one beside it is not."""
    early = {"starts_on": "2002-12-01"} if "2002-12-31" in bad.values() else {}
    wrong, right = law.entry(of, **bad), law.entry(of, **good)

    assert finding in law.told(law.case(wrong, **early), wrong)
    assert finding[2] not in {found[2] for found in law.told(law.case(right, **early), right)}


DECISION_RULES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("KT-01", "law-period-too-short", {"ends_on": "2025-11-26"}, {"ends_on": "2025-11-27"}),
    ("KT-01", "law-period-too-long", {"ends_on": "2027-09-01"}, {"ends_on": "2027-08-31"}),
    ("KT-02", "law-days-decided", {"days_per_week": 5}, {"days_per_week": 4}),
    ("KT-03", "law-hours-decided", {"hours_per_day": 3}, {"hours_per_day": 4}),
    ("KT-09", "law-plan-of-other-kind", {"plan_kind": "client_plan"}, {"plan_kind": "multidisciplinary"}),
    ("KT-09", "law-plan-not-for-benefit",
     {"starts_on": "2026-01-01", "ends_on": "2026-04-30", "plan_kind": "activation", "benefit": "general_support"},
     {"starts_on": "2026-01-01", "ends_on": "2026-04-30", "plan_kind": "activation", "benefit": "social_assistance"}),
    ("KT-09", "law-plan-not-for-benefit",
     {"starts_on": "2026-01-01", "ends_on": "2026-04-30", "plan_kind": "activation", "benefit": "earnings_related"},
     {"starts_on": "2025-12-31", "ends_on": "2026-04-30", "plan_kind": "activation", "benefit": "earnings_related"}),
    ("KT-13", "law-shop-steward-told-late",
     {"shop_steward_told_on": "2025-09-01"}, {"shop_steward_told_on": "2025-08-31"}),
    ("KT-16", "law-works-beside", {"working_hours_per_week": 8.5}, {"working_hours_per_week": 8}),
    ("KT-16", "law-occupied-beside", {"occupation": "student"}, {"occupation": "none"}),
    ("KT-19", "law-integration-plan", {"integration_plan": "pending"}, {"integration_plan": "none"}),
    ("KT-19", "law-integration-plan", {"integration_plan": "valid"},
     {"integration_plan": "valid", "starts_on": "2024-12-31"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kind", "bad", "good"), DECISION_RULES)
def test_rule_of_a_decision(rule: str, kind: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """A decision that breaks one rule of the law is told of it; one beside it, or of an earlier day, is not."""
    assert (rule, kind) in law.on(law.case(**bad), "decision")
    assert kind not in {found for _, found in law.on(law.case(**good), "decision")}


def days(*dates: str, hours: float = 6, **content: Any) -> list[Entry]:
    """Attended days."""
    return [law.entry(DAY, date=one, hours=hours, **content) for one in dates]


def test_fifth_day_of_a_calendar_week() -> None:
    """KT-02: the fifth day of a week is told on it, whichever decision granted each; the next week begins anew."""
    other = law.entry("decision", "E", starts_on="2025-09-10", ends_on="2025-12-31")
    every = days("2025-09-08", "2025-09-09", "2025-09-10", "2025-09-11", "2025-09-12", "2025-09-15")
    whole = law.case(law.entry("decision", "D", ends_on="2025-09-09"), other, *every)

    assert [[], [], [], [], [("KT-02", "flag", "law-days-above-week")], []] == [law.told(whole, one) for one in every]


def test_day_is_judged_by_all_its_records() -> None:
    """KT-03: three hours and three more are six; a day of two records below four is told on the last of them."""
    long = [law.entry(DAY, hours=3, start_time="08:00"), law.entry(DAY, hours=3, start_time="12:00")]
    short = [law.entry(DAY, hours=2, start_time="08:00"), law.entry(DAY, hours=1, start_time="12:00")]

    assert [[], []] == [law.told(law.case(*long), one) for one in long]
    assert [[], [("KT-03", "flag", "law-hours-below-day")]] == [law.told(law.case(*short), one) for one in short]


def test_forty_hours_a_week() -> None:
    """KT-03: the record that brings a week above forty hours is told, besides being the sixth day of it."""
    six = days(*(f"2025-09-{day:02}" for day in range(8, 14)), hours=8)

    found = [law.told(law.case(*six), one) for one in six]

    assert [("KT-02", "flag", "law-days-above-week"), ("KT-03", "flag", "law-hours-above-week")] == found[5]
    assert [("KT-02", "flag", "law-days-above-week")] == found[4]


def test_visit_that_is_none_is_no_day_of_the_law() -> None:
    """KT-02, KT-03: a day that a word makes none fills no week, and its hours are not judged."""
    visit = law.entry(DAY, date="2025-09-08", hours=1, tasks="tutustuminen")
    four = days("2025-09-09", "2025-09-10", "2025-09-11", "2025-09-12")

    assert [[]] * 5 == [law.told(law.case(visit, *four), one) for one in (visit, *four)]


def many(first: str, count: int) -> tuple[list[Entry], Case]:
    """Attended days one after another, under one decision of two years."""
    start = date.fromisoformat(first)
    every = days(*((start + timedelta(days=place)).isoformat() for place in range(count)))
    decision = law.entry("decision", "D", starts_on=first, ends_on=(start + timedelta(days=729)).isoformat())
    return every, law.case(decision, *every)


def above(whole: Case, every: list[Entry], as_of: date) -> list[str]:
    """Days of which KT-04 tells."""
    judgement = judge(law.contract(), whole, as_of, law.FREE)
    return [one.day for one in every if any(found.rule == "KT-04" for found in judgement.findings[one.row])]


def test_days_of_twelve_months() -> None:
    """KT-04: the 179th day of twelve months is told, and so is each after it until an early day has left them."""
    every, whole = many("2024-01-01", 180)
    late = [*every, *days("2024-12-31", "2025-01-01", "2025-01-02")]
    later = law.case(whole.entries[1], *late)

    assert ["2024-06-27", "2024-06-28"] == above(whole, every, date(2024, 12, 31))
    assert ["2024-06-27", "2024-06-28", "2024-12-31", "2025-01-01", "2025-01-02"] == above(
        later, late, date(2025, 12, 31)
    )


def test_days_of_twelve_months_by_the_law_of_the_day() -> None:
    """KT-04: the limit of 702/2020 judges days of 2021 and later; the days before count in its twelve months."""
    every, whole = many("2020-07-01", 190)

    assert ["2021-01-01", "2021-01-02"] == above(whole, every, date(2021, 12, 31))[:2]


def test_days_above_the_year_name_what_is_not_known() -> None:
    """KT-04: the finding tells the days, the limit and the first of the twelve months."""
    every, whole = many("2024-01-01", 179)
    judgement = judge(law.contract(), whole, date(2024, 12, 31), law.FREE)

    told = next(one for one in judgement.findings[every[-1].row] if one.rule == "KT-04")

    assert {"date": "2024-06-27", "start": "2023-06-28", "days": "179", "limit": "178"} == dict(told.params)
    assert ("/date", "189/2001 §14.1") == (told.pointer, told.clause)


def test_months_of_a_sheet_are_judged_alike() -> None:
    """KT-02, KT-03: presences of a month's sheet are days of the law too, told on the month."""
    marks = [{"date": f"2025-09-{day:02}", "mark": mark} for day, mark in
             ((8, "6"), (9, "6"), (10, "6"), (11, "3"), (12, "9"), (15, "L"))]  # fmt: skip
    month = law.entry("attendance_month", month="2025-09", starts_on="2025-09-01", ends_on="2025-09-30", days=marks)

    assert [
        ("KT-02", "flag", "law-days-above-week"), ("KT-03", "flag", "law-hours-above-day"),
        ("KT-03", "flag", "law-hours-below-day"),
    ] == law.told(law.case(month), month)  # fmt: skip


def test_illnesses_that_follow_each_other_are_one() -> None:
    """AB-04: Friday and the Monday after are one illness; its certificate may stand on any record of it."""
    friday = law.entry("absence", date="2025-09-05", reason_category="incapacity")
    monday = law.entry("absence", date="2025-09-08", reason_category="incapacity")
    shown = law.entry("absence", date="2025-09-08", reason_category="incapacity", certificate=True)
    apart = law.entry("absence", date="2025-09-10", reason_category="incapacity")

    assert [("AB-04", "info", "law-certificate-due")] == law.told(law.case(friday, monday), monday)
    assert law.told(law.case(friday, shown), shown) == []
    assert law.told(law.case(friday, apart), apart) == []


def test_only_services_of_the_act_are_judged() -> None:
    """A product of another type of service, or of none, is not judged by the rules of this one."""
    for service in ("Sosiaalinen kuntoutus", "Muu"):
        short, away = law.entry(DAY, hours=2), law.entry("absence", payer_told_on=None, reason_category="other")
        whole = law.case(short, away, service=service, days_per_week=5, ends_on="2025-09-30")

        assert [[], [], []] == [law.told(whole, one) for one in (whole.entries[1], short, away)]


def test_what_may_come_later_has_a_clock() -> None:
    """KT-10, AB-07: a review that is due and an absence not yet told are among the deadlines."""
    plan = law.entry(PLAN, reviewed_on=["2025-10-01"], ends_on="2026-03-01")
    away = law.entry("absence", payer_told_on=None)
    judgement = judge(law.contract(), law.case(plan, away), date(2025, 9, 10), law.FREE)

    told = {(one.rule.id, one.due, str(one.state("2025-09-10"))) for one in clocks(judgement)}

    assert {("KT-10", "2025-12-01", "done"), ("KT-10", "2026-01-01", "open"), ("AB-07", "2025-09-17", "open")} == told


def test_day_recorded_as_closed_contradicts_its_entry() -> None:
    """An attended day that another record tells as closed waits in Lapland, as it does for an absence."""
    under = law.contract("lapha")
    closed = law.entry("absence", under=under, date="2025-09-02", reason_category="service_closed", payer_told_on=None)
    day = law.entry(DAY, under=under)

    assert ("LAP-11", "hold", "absent-same-day") in law.told(law.case(day, closed), day, under=under)
