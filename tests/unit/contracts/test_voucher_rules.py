"""Each rule of the Heinola contract: one case in which it fires, and one beside it in which it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.unit.contracts import vouchers as v

DAY, AWAY = "diary_entry", "absence"

RECORD_RULES: list[tuple[str, str, str, str, dict[str, Any], dict[str, Any]]] = [
    # rule, severity, kind, record type, content that breaks it, content that does not
    ("HEI-13", "refuse", "outside-decision", DAY, {"date": "2022-11-02"}, {"date": "2022-10-31"}),
    ("HEI-13", "refuse", "outside-decision", AWAY,
     {"date": "2022-11-01", "ends_on": "2022-11-02"}, {"date": "2022-10-31", "ends_on": "2022-11-01"}),
    ("HEI-13", "refuse", "date-in-future", DAY, {"date": "2022-10-03"}, {"date": "2022-09-30"}),
    ("HEI-13", "hold", "voucher-of-other", DAY, {"voucher_number": "PS-2022-90002"}, {"voucher_number": v.VOUCHER}),
    ("HEI-13", "hold", "voucher-missing", DAY, {"voucher_number": None}, {}),
    ("HEI-13", "flag", "content-empty", "implementation_plan", {"goals": []}, {"goals": [{"name": "x"}]}),
    ("HEI-13", "flag", "content-empty", "agreement", {"goals": None}, {"goals": "x"}),
    ("HEI-13", "flag", "content-empty", "agreement", {"own_worker_contact": " "}, {}),
    ("HEI-13", "hold", "content-empty", "agreement", {"absence_notice": None}, {}),
    ("HEI-22", "flag", "agreement-beyond-decision", "agreement", {"ends_on": "2022-11-01"}, {"ends_on": v.END}),
    ("HEI-22", "flag", "agreement-beyond-decision", "agreement", {"starts_on": "2022-07-31"}, {}),
    ("HEI-22", "flag", "terminated-without-consent", "service_end",
     {"ending": "terminated"}, {"ending": "terminated", "purchaser_agreed_on": "2022-08-20"}),
    ("HEI-25", "flag", "content-empty", "agreement", {"supervisor_contact": None}, {}),
    ("HEI-26", "flag", "copy-not-told", "agreement", {"copy_to_client_on": "2022-08-02"},
     {"copy_to_client_on": "2022-08-02", "copy_to_purchaser_on": "2022-08-02", "copy_way": "encrypted_mail"}),
    ("HEI-26", "flag", "copy-not-told", "agreement", {"copy_to_purchaser_on": "2022-08-02"}, {}),
    ("HEI-26", "flag", "copy-not-secured", "agreement", {"copy_way": "plain_mail"}, {"copy_way": "by_hand"}),
    ("HEI-02", "flag", "hours-below-limit", DAY, {"hours": 3.5}, {"hours": 4}),
    ("HEI-02", "flag", "hours-above-limit", DAY, {"hours": 9}, {"hours": 6}),
    ("HEI-02", "flag", "group-below-limit", DAY, {"group_size": 7}, {"group_size": 8}),
    ("HEI-02", "flag", "group-above-limit", DAY, {"group_size": 16}, {"group_size": 15}),
    ("HEI-02", "flag", "group-few-leaders", DAY,
     {"group_size": 9, "group_leaders": ["H1"], "group_leader_in_charge": "H1"},
     {"group_size": 9, "group_leaders": ["H1", "H2"], "group_leader_in_charge": "H1"}),
    ("HEI-02", "flag", "group-without-charge", DAY,
     {"group_size": 9, "group_leaders": ["H1", "H2"], "group_leader_in_charge": "H3"},
     {"group_size": 9, "group_leaders": ["H1", "H2"], "group_leader_in_charge": "H2"}),
    ("HEI-12", "flag", "hours-above-decision", DAY, {"hours": 6.5}, {"hours": 6}),
    ("HEI-12", "flag", "weekend-not-in-plan", DAY, {"date": "2022-08-06"}, {"date": "2022-08-05"}),
    ("HEI-12", "flag", "holiday-not-in-plan", DAY, {"date": "2022-08-16"}, {"date": "2022-08-17"}),
    ("HEI-06", "hold", "hours-missing", DAY, {"hours": None}, {"hours": 4}),
    ("HEI-06", "hold", "not-present", DAY, {"present": False}, {"present": None}),
    ("HEI-06", "hold", "end-before-start", DAY, {"start_time": "12:00", "end_time": "09:00"}, {}),
    ("HEI-06", "hold", "end-before-start", AWAY, {"ends_on": "2022-08-03"}, {"ends_on": "2022-08-05"}),
    ("HEI-06", "hold", "end-before-start", "interim_evaluation", {"period": {"start": v.END, "end": v.START}}, {}),
    ("HEI-06", "flag", "permission-missing", AWAY, {"permitted": None}, {"permitted": False}),
    ("HEI-06", "flag", "permission-missing", AWAY, {"permitted": None}, {"permitted": None, "reason": "Paja kiinni"}),
    ("HEI-07", "flag", "purchaser-not-told", AWAY, {"purchaser_told_on": None}, {}),
    ("HEI-07", "flag", "purchaser-not-told", AWAY,
     {"purchaser_told_on": None}, {"purchaser_told_on": None, "reason": "pajaKIINNI"}),
    ("HEI-07", "flag", "purchaser-told-late", AWAY,
     {"purchaser_told_on": "2022-08-08"}, {"purchaser_told_on": "2022-08-05"}),
    ("HEI-07", "flag", "own-worker-told-late", DAY, {"own_worker_told_on": "2022-08-04"},
     {"own_worker_told_on": "2022-08-03"}),
    ("HEI-24", "flag", "purchaser-not-told-of-end", "service_end", {"purchaser_told_on": None}, {}),
    ("HEI-24", "flag", "purchaser-told-of-end-late", "service_end",
     {"purchaser_told_on": "2022-08-30"}, {"purchaser_told_on": "2022-08-29"}),
    ("HEI-24", "flag", "content-empty", "service_end", {"reason": None}, {}),
    ("HEI-17", "flag", "ground-missing", "service_end", {"ground": None}, {"ground": None, "ending": "as_planned"}),
    ("HEI-05", "flag", "visit-agreed-late", "service_start",
     {"agreed_on": "2022-07-15", "visit_agreed_on": "2022-07-23"},
     {"agreed_on": "2022-07-15", "visit_agreed_on": "2022-07-22"}),
    ("HEI-05", "flag", "visit-not-agreed", "service_start", {"agreed_on": "2022-07-15"}, {}),
    ("HEI-05", "flag", "start-delayed", "service_start",
     {"plan_made_on": "2022-07-17", "purchaser_told_on": "2022-07-31"}, {"plan_made_on": "2022-07-18"}),
    ("HEI-05", "flag", "start-delayed-untold", "service_start",
     {"plan_made_on": "2022-07-17"}, {"plan_made_on": "2022-07-17", "delay_reason": "opinnot päättyvät ensin"}),
    ("HEI-05", "flag", "queue-not-told", "service_start", {"queued_on": "2022-07-15"}, {}),
    ("HEI-05", "flag", "queue-told-late", "service_start",
     {"queued_on": "2022-07-15", "queue_told_on": "2022-07-19"},
     {"queued_on": "2022-07-15", "queue_told_on": "2022-07-18"}),
    ("HEI-16", "flag", "other-payer", DAY, {"funding": "project"}, {"funding": "voucher"}),
    ("HEI-20", "flag", "intoxicated", DAY, {"performance": "Oli päihtynyt."}, {"performance": "Oli väsynyt."}),
    ("HEI-20", "flag", "intoxicated", DAY, {"deviation": "Päihtymys"}, {"goals_follow_up": "Päihtymys"}),
    ("HEI-21", "flag", "introductory-visit", DAY, {"tasks": "Tutustumiskäynti"}, {"tasks": "Työ"}),
    ("HEI-21", "flag", "introductory-visit", DAY,
     {"deviation": "tutustuminen"}, {"performance": "Tutustui uusiin ihmisiin."}),
    ("HEI-11", "flag", "reported-late", DAY, {"reported_on": "2022-09-05"}, {"reported_on": "2022-09-04"}),
    ("HEI-11", "flag", "not-reported", DAY, {"reported_on": None}, {}),
    ("GEN-04", "hold", "recorder-unknown", DAY, {"recorder_name": {"surname": "Esimerkki"}}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "of", "bad", "good"),
    [((rule, severity, kind), *rest) for rule, severity, kind, *rest in RECORD_RULES],
)
def test_rule_of_one_record(finding: tuple[str, str, str], of: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """A record that breaks one rule is told of it with the rule's severity; one inside the limit is not."""
    wrong, right = v.entry(of, **bad), v.entry(of, **good)

    assert finding in v.told(v.case(wrong), wrong)
    assert finding[2] not in {found[2] for found in v.told(v.case(right), right)}


LATER_RULES: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("HEI-09", "evaluation-delivered-near-end", "interim_evaluation",
     {"delivered_on": "2022-10-18"}, {"delivered_on": "2022-10-17"}),
    ("HEI-09", "evaluation-not-delivered", "interim_evaluation", {"delivered_on": None}, {}),
    ("HEI-09", "evaluation-delivered-near-end", "final_evaluation",
     {"delivered_on": "2022-10-24"}, {"delivered_on": "2022-10-03"}),
    ("HEI-10", "content-empty", "final_evaluation", {"next_steps": None}, {}),
    ("HEI-23", "summary-not-delivered", "final_summary", {"delivered_on": None}, {}),
    ("HEI-23", "summary-delivered-late", "final_summary",
     {"delivered_on": "2022-11-16"}, {"delivered_on": "2022-11-15"}),
    ("HEI-23", "day-report-not-sent", "final_summary", {"day_report_requested_on": "2022-11-10"},
     {"day_report_requested_on": "2022-11-10", "day_report_sent_on": "2022-11-11"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kind", "of", "bad", "good"), LATER_RULES)
def test_rule_of_the_end_of_a_period(rule: str, kind: str, of: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """What belongs to the end of a period is flagged by its rule when late or empty, and accepted when not."""
    wrong, right = v.entry(of, **bad), v.entry(of, **good)

    assert v.told(v.case(wrong), wrong, v.AFTER) == [(rule, "flag", kind)]
    assert v.told(v.case(right), right, v.AFTER) == []


def test_everything_in_order_tells_nothing() -> None:
    """A case inside every limit has no finding at all, on no record."""
    whole = v.case(
        v.entry(DAY, guidance_hours=6), v.entry(AWAY), v.entry("implementation_plan"), v.entry("agreement"),
        v.entry("interim_evaluation"),
    )  # fmt: skip

    assert [one for found in v.judged(whole, v.AFTER).findings.values() for one in found] == []


DECISION_RULES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("HEI-01", "period-too-short", {"ends_on": "2022-10-27"}, {"ends_on": "2022-10-28"}),
    ("HEI-01", "period-too-long", {"ends_on": "2023-08-01"}, {"ends_on": "2023-07-31"}),
    ("HEI-28", "level-without-grounds", {"product_number": 2, "ends_on": "2022-11-04"},
     {"product_number": 2, "ends_on": "2022-11-03"}),
    ("HEI-28", "level-without-grounds", {"product_number": 2, "ends_on": "2023-01-31"},
     {"product_number": 2, "ends_on": "2023-01-31", "extension_grounds": "Arvio kesken."}),
    ("HEI-28", "level-too-long",
     {"product_number": 2, "ends_on": "2023-02-28", "extension_grounds": "Arvio kesken."},
     {"product_number": 1, "ends_on": "2023-02-28"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kind", "bad", "good"), DECISION_RULES)
def test_rule_of_a_decision(rule: str, kind: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """A decision outside the contract is told on it as info, and one inside is not."""
    assert v.on(v.case(**bad), "decision") == [(rule, "info", kind)]
    assert v.on(v.case(**good), "decision") == []


def test_thirteen_weeks_are_three_months() -> None:
    """HEI-01: a period of 13 weeks is no shorter than three months, whatever months it lies in."""
    for start, end in (("2022-08-08", "2022-11-06"), ("2022-07-04", "2022-10-02"), ("2021-12-01", "2022-03-01")):
        assert v.on(v.case(starts_on=start, ends_on=end), "decision") == []


def test_whole_service_of_more_than_a_year() -> None:
    """HEI-01: beyond a year only with three days a week, and beyond two years in no case."""
    first = v.entry("decision", "A", starts_on="2021-08-01", ends_on="2022-07-31")
    few = v.entry("decision", "B", days_per_week=2)
    enough = v.entry("decision", "B")
    third = v.entry("decision", "C", starts_on="2022-11-01", ends_on="2023-08-01")

    assert v.told(v.case(first, few), few) == [("HEI-01", "info", "long-service-few-days")]
    assert v.told(v.case(first, enough), enough) == []
    assert v.told(v.case(first, few), first) == []
    assert v.told(v.case(first, enough, third), third) == [("HEI-01", "info", "service-too-long")]


def test_what_every_record_needs() -> None:
    """HEI-13, LAP-18: without client or decision a record waits; of an unknown contract it is refused."""
    day = v.entry(DAY)
    whole = v.case(day)

    def without(kind: str) -> Any:
        return replace(whole, entries=tuple(one for one in whole.entries if one.type != kind))

    assert v.told(without("client"), day) == [("HEI-13", "hold", "client-unknown")]
    assert v.told(without("decision"), day) == [("HEI-13", "hold", "decision-unknown")]
    assert v.told(replace(whole, is_contract_known=False), day) == [("LAP-18", "refuse", "contract-unknown")]
    unknown = v.case(day, v.entry("client", "K", non_disclosure=None))
    assert v.told(unknown, day) == [("SRC-NON-DISCLOSURE", "hold", "non-disclosure-unknown")]
    assert v.told(v.case(day, product_number=3), day) == [("HEI-03", "hold", "product-unknown")]
    assert v.told(whole, day) == []


def test_voucher_is_that_of_the_day() -> None:
    """HEI-13: of two vouchers the one of the period that covers the day is right, and the other is not."""
    first = v.entry("decision", "A")
    second = v.entry("decision", "B", starts_on="2022-11-01", ends_on="2023-01-31", voucher_number="PS-2022-90003")
    old, new = v.entry(DAY, date="2022-11-01"), v.entry(DAY, date="2022-11-01", voucher_number="PS-2022-90003")

    assert ("HEI-13", "hold", "voucher-of-other") in v.told(v.case(first, second, old), old, v.AFTER)
    assert "voucher-of-other" not in {kind for _, _, kind in v.told(v.case(first, second, new), new, v.AFTER)}


def test_agreement_and_plan_of_each_period() -> None:
    """HEI-13: a period lacks its agreement and plan only where the provider sends such records at all."""
    first = v.entry("decision", "A", starts_on="2022-05-01", ends_on="2022-07-31")
    second = v.entry("decision", "B")
    old_plan = v.entry("implementation_plan", made_on="2022-05-02")
    old_agreement = v.entry("agreement", starts_on="2022-05-01", ends_on="2022-07-31", signed_on="2022-05-01")
    no_agreement, no_plan = ("HEI-13", "info", "agreement-missing"), ("HEI-13", "info", "plan-missing")

    assert v.told(v.case(first, second), second) == []
    assert v.told(v.case(first, second, old_agreement), second) == [no_agreement]
    assert v.told(v.case(first, second, old_plan), second) == [no_plan]
    assert v.told(v.case(first, second, old_plan, old_agreement), second) == [no_agreement, no_plan]
    assert v.told(v.case(second, old_plan, first, old_agreement), first) == []
    assert [no_agreement] == v.told(v.case(first, second, old_agreement, v.entry("implementation_plan")), second)


def test_days_of_the_week_are_told_once() -> None:
    """HEI-12 tells the day above the plan, HEI-02 the day above the contract, and never both of one day."""
    days = [v.entry(DAY, date=f"2022-08-{day:02d}") for day in (5, 1, 2, 3, 4)]
    whole = v.case(*days)

    above = [("HEI-12", "flag", "days-above-decision")]
    assert [[("HEI-02", "flag", "days-above-limit")], [], [], [], above] == [v.told(whole, one) for one in days]


def test_only_realised_days_count_in_the_week() -> None:
    """An introductory visit, an intoxicated client and a held entry make no other day exceed the week."""
    others = [
        v.entry(DAY, date="2022-08-01", tasks="Tutustumiskäynti"),
        v.entry(DAY, date="2022-08-02", deviation="päihtynyt"), v.entry(DAY, date="2022-08-03", hours=None),
    ]  # fmt: skip
    last = v.entry(DAY, date="2022-08-04")

    assert v.told(v.case(*others, last, days_per_week=1), last) == []


def test_hours_of_a_day_that_is_none_are_not_judged() -> None:
    """HEI-20, HEI-21: what is no realised day has no hours to judge, missing ones included."""
    marked: tuple[dict[str, Any], ...] = ({"performance": "päihtynyt"}, {"tasks": "tutustuminen"})
    for content in marked:
        for hours in (None, 0, 1, 12):
            one = v.entry(DAY, hours=hours, **content)

            assert [kind for _, _, kind in v.told(v.case(one), one)] in (["intoxicated"], ["introductory-visit"])


def test_absence_of_the_same_day() -> None:
    """HEI-12: an entry within an absence waits and the absence stands; a closed service is no absence."""
    day = v.entry(DAY, date="2022-08-04")
    away = v.entry(AWAY, date="2022-08-03", ends_on="2022-08-05", purchaser_told_on="2022-08-03")
    closed = v.entry(AWAY, date="2022-08-03", ends_on="2022-08-05", reason="paja kiinni")

    assert v.told(v.case(day, away), day) == [("HEI-12", "hold", "absent-same-day")]
    assert v.told(v.case(day, away), away) == []
    assert v.told(v.case(day, closed), day) == []


def test_intoxicated_by_the_reason_of_an_absence() -> None:
    """HEI-20: the stem in an absence's reason marks the entry of that day only; the absence itself is accepted."""
    day, other = v.entry(DAY, date="2022-08-04"), v.entry(DAY, date="2022-08-05")
    away = v.entry(AWAY, reason="päihtyneenä paikalla")
    whole = v.case(day, other, away)

    assert v.told(whole, day) == [("HEI-20", "flag", "intoxicated")]
    assert v.told(whole, other) == []
    assert v.told(whole, away) == []


def test_introductory_visit_outside_the_decision() -> None:
    """HEI-21: outside every decision the visit stays refused, and HEI-21 stands beside."""
    day = v.entry(DAY, date="2022-07-27", tasks="Tutustumiskäynti", reported_on="2022-08-04")

    assert v.told(v.case(day), day) == [
        ("HEI-13", "refuse", "outside-decision"), ("HEI-21", "flag", "introductory-visit"),
    ]  # fmt: skip


def test_held_and_refused_rows_are_reported_in_time_too() -> None:
    """HEI-11 is judged on held and refused rows; a visit that is no realised day need not be reported at all."""
    held = v.entry(DAY, hours=None, reported_on="2022-09-05")
    refused = v.entry(DAY, date="2022-11-01", reported_on=None)
    visit = v.entry(DAY, tasks="Tutustumiskäynti", reported_on=None)

    assert ("HEI-11", "flag", "reported-late") in v.told(v.case(held), held)
    assert ("HEI-11", "flag", "not-reported") in v.told(v.case(refused), refused, v.AFTER)
    assert v.told(v.case(visit), visit, v.AFTER) == [("HEI-21", "flag", "introductory-visit")]


def test_next_weekday_leaves_out_weekends_and_holidays() -> None:
    """HEI-07: of an absence on Friday the purchaser is told by Monday; a public holiday is no weekday."""
    friday = v.entry(AWAY, date="2022-08-05", ends_on="2022-08-05", purchaser_told_on="2022-08-08")
    before_holiday = v.entry(AWAY, date="2022-08-15", ends_on="2022-08-15", purchaser_told_on="2022-08-17")
    untold = v.entry(AWAY, date="2022-08-05", ends_on="2022-08-05", purchaser_told_on=None)

    assert v.told(v.case(friday), friday) == []
    assert v.told(v.case(before_holiday), before_holiday) == []
    assert v.told(v.case(untold), untold, date(2022, 8, 8)) == []
    assert v.told(v.case(untold), untold, date(2022, 8, 9)) == [("HEI-07", "flag", "purchaser-not-told")]


def test_price_of_the_level() -> None:
    """HEI-03: a price that differs from the level's is told on the client, an equal one or none is not."""
    assert v.on(v.case(unit_price=48), "client") == [("HEI-03", "info", "price-differs")]
    assert v.on(v.case(unit_price=48, product_number=2), "client") == []
    assert v.on(v.case(unit_price=None), "client") == []


def test_prices_hold_to_the_end_of_the_year() -> None:
    """HEI-19: a day after 2022 is archived and flagged, the last day of 2022 is not."""
    late, last = v.entry(DAY, date="2023-01-02", reported_on="2023-02-01"), v.entry(DAY, date="2022-12-30")
    period = {"starts_on": "2022-10-17", "ends_on": "2023-01-31"}

    assert v.told(v.case(late, **period), late, v.AFTER) == [("HEI-19", "flag", "price-missing")]
    assert v.told(v.case(last, **period), last, v.AFTER) == []


def test_guidance_of_every_three_months() -> None:
    """HEI-04: each ended stretch of three months needs six hours; a period of 13 weeks is such a stretch."""
    below = v.case(v.entry(DAY, guidance_hours=5.75), v.entry("interim_evaluation"))
    enough = v.case(v.entry(DAY, guidance_hours=6), v.entry("interim_evaluation"))
    found = [("HEI-04", "info", "guidance-below-limit")]

    assert found == v.on(below, "client", date(2022, 11, 1))
    assert v.on(below, "client", date(2022, 10, 31)) == []
    assert v.on(enough, "client", v.AFTER) == []
    half_year = [v.entry(DAY, guidance_hours=6), v.entry(DAY, date="2022-12-01", reported_on="2022-12-02")]
    assert found == v.on(
        v.case(*half_year, *(v.entry("interim_evaluation") for _ in range(2)), ends_on="2023-01-31"), "client", v.AFTER
    )


def test_interruption_ends_what_is_due() -> None:
    """A service that ended early owes neither guidance nor evaluation for the rest of its period."""
    ended = v.case(v.entry(DAY), v.entry("service_end"), continues=False)

    assert v.on(ended, "client", v.AFTER) == []


def test_evaluation_of_every_three_months() -> None:
    """HEI-08: an ended stretch of three months without any evaluation is told on the client."""
    found = [("HEI-08", "info", "evaluation-missing")]

    assert found == v.on(v.case(), "client", v.AFTER)
    assert v.on(v.case(v.entry("interim_evaluation")), "client", v.AFTER) == []
    assert v.on(v.case(v.entry("final_evaluation")), "client", v.AFTER) == []
    assert found == v.on(v.case(v.entry("interim_evaluation"), ends_on="2023-01-31"), "client", v.AFTER)


def test_final_evaluation_when_the_service_does_not_continue() -> None:
    """HEI-09: a service that ends as planned has its final evaluation, one that continues an interim one."""
    interim = v.entry("interim_evaluation")

    assert v.on(v.case(interim, continues=False), "client", v.AFTER) == [("HEI-09", "info", "final-evaluation-missing")]
    assert v.on(v.case(interim, continues=True), "client", v.AFTER) == []
    assert v.on(v.case(v.entry("final_evaluation"), continues=False), "client", v.AFTER) == []


def test_final_evaluation_of_an_interrupted_service_is_not_late() -> None:
    """HEI-09: the final evaluation is due before the end only when the service ends as planned."""
    late = v.entry("final_evaluation", delivered_on="2022-10-30")

    assert v.told(v.case(late, v.entry("service_end")), late, v.AFTER) == []
    assert v.told(v.case(late), late, v.AFTER) == [("HEI-09", "flag", "evaluation-delivered-near-end")]


def test_close_person_with_the_clients_leave() -> None:
    """HEI-31: a close person is shown the voucher's data only when the client has authorised them."""
    shown: dict[str, Any] = {"close_person_informed_on": "2022-08-10"}
    bare = v.entry("client", "K", **shown)
    allowed = v.entry("client", "K", close_person_authorised_on="2022-08-01", **shown)

    assert v.on(v.case(bare), "client") == [("HEI-31", "info", "close-person-not-authorised")]
    assert v.on(v.case(allowed), "client") == []


def test_recorder_outside_the_staff_list() -> None:
    """GEN-04: with a staff list a recorder who is not in it is flagged, since the record carries the name."""
    day = v.entry(DAY)

    assert v.told(replace(v.case(day), delivery_has_staff=True), day) == [("GEN-04", "flag", "recorder-not-in-staff")]
    assert v.told(v.case(day), day) == []


def test_every_rule_of_the_rule_book_is_enforced_or_explained() -> None:
    """HEI-01 to HEI-31: each is a rule of the file, or about what people do and says what is done instead."""
    enforced = {one.id for one in v.HEINOLA.rules}
    instead = {one.rule for one in v.HEINOLA.not_software}

    assert {f"HEI-{number:02d}" for number in range(1, 32)} == {one for one in enforced | instead if one[:3] == "HEI"}
    assert enforced & instead == set()
    assert all(set(one.instead) == {"fi", "sv", "en"} for one in v.HEINOLA.not_software)
    assert {one.rule for one in v.HEINOLA.not_judged} <= enforced


def test_days_after_an_interruption() -> None:
    """HEI-27: a day after the service ended is flagged and not paid, the day of the interruption is."""
    day, last = v.entry(DAY, date="2022-08-29"), v.entry(DAY, date="2022-08-26")
    whole = v.case(day, last, v.entry("service_end"))

    assert v.told(whole, day) == [("HEI-27", "flag", "after-ending")]
    assert v.told(whole, last) == []
    assert (v.numbers(whole)["realised_days"], v.numbers(whole)["rows_not_invoiced"]) == (1, 1)
