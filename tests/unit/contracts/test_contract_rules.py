"""Each rule of the Lapland contract: one case in which it fires, and one beside it in which it does not."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kanta_gateway.contracts.figures import figures

_spec = importlib.util.spec_from_file_location("contract_builders", Path(__file__).with_name("builders.py"))
assert _spec is not None
assert _spec.loader is not None
b: Any = sys.modules.setdefault("contract_builders", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(b)

DAY = "diary_entry"

RECORD_RULES: list[tuple[str, str, str, str, dict[str, Any], dict[str, Any], str]] = [
    # rule, severity, kind, record type, content that breaks it, content that does not, product
    ("LAP-08", "refuse", "outside-decision", DAY, {"date": "2025-08-29"}, {"date": "2025-09-01"}, "VT1"),
    ("LAP-08", "refuse", "outside-decision", "missed_meeting", {"date": "2025-08-29"}, {"date": "2025-09-01"}, "VT1"),
    ("LAP-08", "refuse", "date-in-future", DAY, {"date": "2025-11-03"}, {"date": "2025-10-31"}, "VT1"),
    ("LAP-04", "hold", "weekend", DAY, {"date": "2025-09-06"}, {"date": "2025-09-05"}, "VT1"),
    ("LAP-03", "hold", "weekend", DAY, {"date": "2025-09-07"}, {"date": "2025-09-08"}, "KT2"),
    ("LAP-05", "hold", "weekend", DAY, {"date": "2025-09-06", "hours": 3}, {"hours": 3}, "SK1"),
    ("LAP-11", "hold", "hours-missing", DAY, {"hours": None}, {"hours": 5}, "VT1"),
    ("LAP-11", "hold", "hours-missing", DAY, {"hours": 0}, {"hours": 4}, "VT1"),
    ("LAP-11", "hold", "end-before-start", DAY, {"end_time": "08:30"}, {"end_time": "14:00"}, "VT1"),
    ("LAP-03", "flag", "hours-below-limit", DAY, {"hours": 3.75}, {"hours": 4}, "KT1"),
    ("LAP-03", "flag", "hours-above-limit", DAY, {"hours": 5}, {"hours": 4}, "KT3"),
    ("LAP-04", "flag", "hours-above-limit", DAY, {"hours": 6.25}, {"hours": 5}, "VT2"),
    ("LAP-05", "flag", "hours-below-limit", DAY, {"hours": 1.5}, {"hours": 2}, "SK2"),
    ("LAP-24", "flag", "hours-above-decision", DAY, {"hours": 5.5}, {"hours": 5}, "VT1"),
    ("LAP-11", "flag", "content-empty", DAY, {"performance": " "}, {"performance": "x"}, "VT1"),
    ("LAP-29", "flag", "guidance-not-in-product", DAY,
     {"guidance_minutes": 15}, {"guidance_minutes": 0}, "KT1"),
    ("LAP-10", "flag", "content-empty", "implementation_plan",
     {"goals": [{"name": "x", "subgoals": [{"name": "x", "means": ""}]}]}, {}, "VT1"),
    ("LAP-10", "flag", "content-empty", "implementation_plan", {"client_view": None}, {}, "VT1"),
    ("LAP-10", "flag", "plan-delivered-late", "implementation_plan",
     {"delivered_on": "2025-09-16"}, {"delivered_on": "2025-09-15"}, "VT1"),
    ("LAP-10", "flag", "plan-not-delivered", "implementation_plan", {"delivered_on": None}, {}, "VT1"),
    ("LAP-12", "flag", "payer-not-told", "absence", {"payer_told_on": None}, {}, "KT1"),
    ("LAP-12", "flag", "payer-told-late", "absence",
     {"payer_told_on": "2025-09-18"}, {"payer_told_on": "2025-09-17"}, "KT1"),
    ("LAP-13", "flag", "evaluation-off-middle", "interim_evaluation",
     {"date": "2025-10-10", "delivered_on": "2025-10-11"}, {"date": "2025-10-15"}, "VT1"),
    ("LAP-14", "flag", "content-empty", "interim_evaluation", {"goals": ""}, {"goals": "x"}, "VT1"),
    ("LAP-16", "flag", "content-empty", "agreement", {"workplace_supervisor": None}, {}, "VT2"),
    ("LAP-16", "flag", "workplace-with-dismissals", "agreement", {"workplace_free_of_dismissals": False},
     {"workplace_free_of_dismissals": True}, "VT2"),
    ("LAP-07", "flag", "group-below-limit", DAY, {"group_size": 2, "hours": 4}, {"group_size": 3, "hours": 4}, "KT3"),
    ("LAP-07", "flag", "group-above-limit", DAY, {"group_size": 11}, {"group_size": 10}, "VT1"),
    ("LAP-28", "flag", "group-not-planned", DAY, {"form": "group"}, {"form": "individual"}, "VT1"),
    ("LAP-28", "flag", "group-not-planned", DAY, {"group_size": 4}, {"group_size": 1}, "KT2"),
    ("LAP-30", "flag", "remote-tool-unsuitable", DAY, {"mode": "remote", "remote_tool": "general"},
     {"mode": "remote", "remote_tool": "social_and_health"}, "VT1"),
    ("LAP-30", "flag", "remote-without-authentication", DAY, {"mode": "remote", "strong_authentication": False},
     {"mode": "remote", "strong_authentication": True}, "VT1"),
    ("LAP-36", "flag", "interpretation-not-agreed", DAY, {"interpretation_euros": 80},
     {"interpretation_euros": 80, "interpretation_agreed_by": ["client", "provider", "purchaser"]}, "VT1"),
    ("LAP-36", "flag", "party-has-not-agreed", DAY,
     {"interpretation_euros": 80, "interpretation_agreed_by": ["client", "provider"]}, {}, "VT1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "of", "bad", "good", "product"),
    [((rule, severity, kind), *rest) for rule, severity, kind, *rest in RECORD_RULES],
)
def test_rule_of_one_record(
    finding: tuple[str, str, str], of: str, bad: dict[str, Any], good: dict[str, Any], product: str
) -> None:
    """A record that breaks one rule is told of it with the rule's severity; one inside the limit is not."""
    wrong, right = b.entry(of, **bad), b.entry(of, **good)

    assert finding in b.told(b.case(wrong, product=product), wrong)
    assert finding[2] not in {found[2] for found in b.told(b.case(right, product=product), right)}


@pytest.mark.parametrize("where", ["decision", "implementation_plan"])
def test_a_group_that_was_agreed_on(where: str) -> None:
    """LAP-28: a day in a group is in order where the decision or a plan of its period says so."""
    day = b.entry(DAY, form="group", group_size=4)
    decided = b.case(day, group_agreed=True)
    planned = b.case(day, b.entry("implementation_plan", group_planned=True))

    assert b.told(decided if where == "decision" else planned, day) == []


def test_interpretation_is_a_figure_where_it_is_recorded() -> None:
    """LAP-36: what all three agreed on is added up; a case without interpretation has no such figure."""
    agreed = ["client", "provider", "purchaser"]
    days = [
        b.entry(DAY, interpretation_euros=80.25, interpretation_agreed_by=agreed),
        b.entry(DAY, date="2025-09-03", interpretation_euros=80, interpretation_agreed_by=agreed),
        b.entry(DAY, date="2025-09-04", interpretation_euros=50, interpretation_agreed_by=["client"]),
    ]
    with_it, without = b.case(*days), b.case(b.entry(DAY))

    assert figures(b.LAPHA, with_it, b.judged(with_it), b.AS_OF)["interpretation_euros"] == 160.25
    assert "interpretation_euros" not in figures(b.LAPHA, without, b.judged(without), b.AS_OF)


AFTER_RULES: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("LAP-13", "evaluation-after-end", "final_evaluation", {"date": "2026-01-02"}, {"date": "2025-12-31"}),
    ("LAP-13", "evaluation-delivered-late", "final_evaluation",
     {"delivered_on": "2025-12-19"}, {"delivered_on": "2025-12-18"}),
    ("LAP-13", "evaluation-not-delivered", "interim_evaluation", {"delivered_on": None}, {}),
    ("LAP-15", "summary-late", "final_summary", {"made_on": "2026-01-15"}, {"made_on": "2026-01-14"}),
    ("LAP-15", "content-empty", "final_summary", {"skills_client": None}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kind", "of", "bad", "good"), AFTER_RULES)
def test_rule_of_the_end_of_a_period(rule: str, kind: str, of: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """A record about the end of a period is flagged by its rule when late or empty, and accepted when not."""
    closing = b.entry("negotiation")
    wrong, right = b.entry(of, **bad), b.entry(of, **good)

    assert [(rule, "flag", kind)] == b.told(b.case(wrong, closing), wrong, b.AFTER)
    assert b.told(b.case(right, closing), right, b.AFTER) == []


DECISION_RULES: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("LAP-08", "authority-plan-missing", "VT1", {"authority_plan": None}, {}),
    ("LAP-03", "period-too-long", "KT1", {"ends_on": "2025-12-01"}, {"ends_on": "2025-11-30"}),
    ("LAP-04", "period-too-long", "VT1", {"ends_on": "2026-03-01"}, {"ends_on": "2026-02-28"}),
    ("LAP-04", "period-too-short", "VT2", {"ends_on": "2025-11-29"}, {"ends_on": "2025-11-30"}),
    ("LAP-05", "period-too-long", "SK1", {"ends_on": "2025-12-01"}, {"ends_on": "2025-11-30"}),
    ("LAP-01", "product-unknown", "VT1", {"product_number": 9}, {}),
]


@pytest.mark.parametrize(("rule", "kind", "product", "bad", "good"), DECISION_RULES)
def test_rule_of_a_decision(rule: str, kind: str, product: str, bad: dict[str, Any], good: dict[str, Any]) -> None:
    """A decision outside the contract is told on it as info; an unknown product holds its records."""
    entry = b.entry(DAY)
    wrong = b.case(entry, product=product, **bad)
    where = DAY if kind == "product-unknown" else "decision"

    assert (rule, kind) in b.on(wrong, where)
    assert kind not in {found[1] for found in b.on(b.case(entry, product=product, **good), where)}


@pytest.mark.parametrize(
    ("rule", "kind", "product", "birth", "fine"),
    [
        ("LAP-03", "age-below-limit", "KT1", "2007-09-02", "2007-09-01"),
        ("LAP-04", "age-above-limit", "VT1", "1960-09-01", "1960-09-02"),
        ("LAP-05", "age-below-limit", "SK1", "2009-09-02", "2009-09-01"),
    ],
)
def test_age_is_judged_on_the_first_day(rule: str, kind: str, product: str, birth: str, fine: str) -> None:
    """A client outside the product's ages on the first day of the period is told on the decision."""
    outside = b.case(b.entry("client", birth_date=birth), product=product, ends_on="2025-11-30")
    inside = b.case(b.entry("client", birth_date=fine), product=product, ends_on="2025-11-30")

    assert b.on(outside, "decision") == [(rule, kind)]
    assert b.on(inside, "decision") == []


def test_soteri_is_required_but_for_kt1() -> None:
    """LAP-02: a unit that is not registered is told on the decision, unless the product is KT1."""
    units = [{"oid": "1.2", "name": "Paja", "registered": False}]
    shared = (b.entry("staff", "H1"), b.entry("staff", "H2"), b.entry("provider", units=units))

    assert b.on(b.with_shared(b.case(), *shared), "decision") == [("LAP-02", "not-in-register")]
    assert b.on(b.with_shared(b.case(product="KT1", ends_on="2025-11-30"), *shared), "decision") == []


def test_vt1_and_vt2_never_run_at_once() -> None:
    """LAP-04: the decision that began later is told when VT1 and VT2 overlap, and not when they follow."""
    first = b.decision("VT1", ends_on="2025-11-30")
    both = b.decision("VT2", starts_on="2025-11-03", ends_on="2026-02-28")
    after = b.decision("VT2", starts_on="2025-12-01", ends_on="2026-02-28")

    assert b.told(b.case(first, both), both) == [("LAP-04", "info", "products-overlap")]
    assert b.told(b.case(first, both), first) == []
    assert b.told(b.case(first, after), after) == []


@pytest.mark.parametrize(
    ("renewed", "made", "expected"),
    [
        ("2025-10-01", "2025-09-04", [("LAP-10", "plan-not-renewed")]),
        ("2025-10-01", "2025-10-01", []),
        ("2025-10-17", "2025-09-04", []),
        ("2025-10-16", "2025-09-04", [("LAP-10", "plan-not-renewed")]),
        (None, "2025-09-04", []),
    ],
)
def test_the_plan_is_renewed_after_the_authoritys(
    renewed: str | None, made: str, expected: list[tuple[str, str]]
) -> None:
    """LAP-10: within fourteen days of the authority's renewed plan there is a plan that was made since."""
    plan = b.entry("implementation_plan", made_on=made, delivered_on=made)

    assert expected == b.on(b.case(plan, authority_plan_renewed_on=renewed), "decision")


def test_plan_is_missed_after_two_weeks() -> None:
    """LAP-08: a period without an implementation plan is told once fourteen days have passed."""
    whole = b.case()
    bare = replace(whole, entries=tuple(e for e in whole.entries if e.type != "implementation_plan"))

    assert b.on(bare, "decision", date(2025, 9, 16)) == [("LAP-08", "plan-missing")]
    assert b.on(bare, "decision", date(2025, 9, 15)) == []
    assert b.on(whole, "decision", date(2025, 9, 16)) == []


def test_day_above_the_limit_is_told_on_the_entry_that_exceeds_it() -> None:
    """LAP-05 and LAP-24: of three days where two are allowed only the third in date order is flagged."""
    days = [b.entry(DAY, date=f"2025-09-{day:02d}", hours=3) for day in (5, 2, 3)]
    whole = b.case(*days, product="SK2", days_per_week=2, ends_on="2025-11-30")
    flagged = [("LAP-05", "flag", "days-above-limit"), ("LAP-24", "flag", "days-above-decision")]

    assert [flagged, [], []] == [b.told(whole, one) for one in days]


def test_agreement_of_each_period_where_agreements_are_recorded() -> None:
    """LAP-26: a period without agreement is told only for a client who has one of another period."""
    first = b.decision(ends_on="2025-11-30")
    second = b.decision(starts_on="2025-12-02", ends_on="2026-02-28")
    of_first = b.entry("agreement", starts_on="2025-09-01", ends_on="2025-11-30")
    of_second = b.entry("agreement", starts_on="2025-12-02", ends_on="2026-02-28")
    told = ("LAP-26", "info", "agreement-missing")

    assert told not in b.told(b.case(first, second), second, date(2026, 3, 1))
    assert told in b.told(b.case(first, second, of_first), second, date(2026, 3, 1))
    assert told not in b.told(b.case(first, second, of_first), second, date(2025, 12, 16))
    assert told not in b.told(b.case(first, second, of_first, of_second), second, date(2026, 3, 1))


@pytest.mark.parametrize(
    ("on", "is_told"), [("2025-10-16", True), ("2025-10-17", False), ("2025-11-30", False), ("2025-12-01", True)]
)
def test_closing_discussion_stands_in_the_second_half(on: str, is_told: bool) -> None:  # noqa: FBT001
    """LAP-27: of 91 days the 47th is the first after the middle, and the last day is in time."""
    talk = b.entry("negotiation", date=on)
    whole = b.case(talk, starts_on="2025-09-01", ends_on="2025-11-30")

    assert (("LAP-27", "closing-missing") in b.on(whole, "decision", date(2025, 12, 1))) is is_told
    assert ("LAP-27", "closing-missing") not in b.on(whole, "decision", date(2025, 11, 30))
    assert ("LAP-27", "closing-missing") not in b.on(b.case(), "decision", date(2025, 12, 1))


def test_a_fifth_day_of_rehabilitative_work_is_told() -> None:
    """LAP-03: of five days of one week where four are allowed the fifth is flagged."""
    days = [b.entry(DAY, date=f"2025-09-{day:02d}") for day in (1, 2, 3, 4, 5)]
    whole = b.case(*days, product="KT2", days_per_week=5, ends_on="2025-11-30")

    assert [[], [], [], [], [("LAP-03", "flag", "days-above-limit")]] == [b.told(whole, one) for one in days]


def test_held_day_counts_in_no_week() -> None:
    """A held entry does not make another exceed the days of its week."""
    days = [b.entry(DAY, date=f"2025-09-{day:02d}") for day in (2, 3, 4)]
    held = b.entry(DAY, date="2025-09-01", hours=None)

    assert [b.told(b.case(held, *days), one) for one in days] == [[], [], []]


def test_hours_of_one_day_are_added_up() -> None:
    """LAP-04: two entries of one day are judged together, and the later one is flagged."""
    morning = b.entry(DAY, start_time="08:00", end_time="11:00", hours=3)
    noon = b.entry(DAY, start_time="11:00", end_time="15:00", hours=4)
    whole = b.case(noon, morning, hours_per_day=7)

    assert b.told(whole, morning) == []
    assert b.told(whole, noon) == [("LAP-04", "flag", "hours-above-limit")]


def test_public_holiday_is_held() -> None:
    """LAP-04: a public holiday is held as such, Christmas Eve too."""
    eve = b.entry(DAY, date="2025-12-24")

    assert b.told(b.case(eve), eve, b.AFTER) == [("LAP-04", "hold", "public-holiday")]


def test_absence_stands_and_the_entry_of_its_day_is_held() -> None:
    """LAP-11: of an entry and an absence on one day the entry waits and the absence is accepted."""
    entry, absence = b.entry(DAY), b.entry("absence", date="2025-09-02")
    whole = b.case(entry, absence)

    assert b.told(whole, entry) == [("LAP-11", "hold", "absent-same-day")]
    assert b.judged(whole).outcomes[absence.row] == "accepted"


def test_decision_that_ends_before_it_begins_grants_nothing() -> None:
    """LAP-08: such a decision is told on itself, and its records wait for a right one; nothing else is judged by it."""
    day = b.entry(DAY)
    turned = b.case(day, starts_on="2025-12-31", ends_on="2025-09-01")

    assert b.on(turned, "decision", b.AFTER) == [("LAP-08", "end-before-start-of-decision")]
    assert b.told(turned, day) == [("LAP-08", "hold", "decision-unknown")]
    assert b.on(turned, "client", b.AFTER) == []
    assert b.on(b.case(day, starts_on="2025-09-02", ends_on="2025-09-02"), "decision") == [
        ("LAP-04", "period-too-short")
    ]


def test_remote_day_needs_a_share_in_the_decision() -> None:
    """LAP-06: a remote day is flagged where the decision grants no share; a remote product is exempt."""
    day = b.entry(DAY, mode="remote", hours=4)
    found = [("LAP-06", "flag", "remote-not-planned")]

    assert found == b.told(b.case(day, remote_max_percent=0), day)
    assert b.told(b.case(day, remote_max_percent=10), day) == []
    assert b.told(b.case(day, product="SK2", remote_max_percent=0), day) == []


def test_remote_share_is_told_on_the_client_when_the_period_has_ended() -> None:
    """LAP-06 and LAP-24: the share of an ended period is told on the client; before that only a forecast."""
    content = {
        "starts_on": "2025-09-01",
        "ends_on": "2025-09-14",
        "days_per_week": 2,
        "remote_max_percent": 30,
    }
    days = [b.entry(DAY, date=f"2025-09-{day:02d}", mode="remote") for day in (1, 2)]
    whole = b.case(*days, b.entry("implementation_plan"), **content)
    remote = {"remote-share-above-limit", "remote-share-above-decision", "remote-share-forecast"}

    def found(as_of: date, these: Any = whole) -> list[str]:
        return [kind for _, kind in b.on(these, "client", as_of) if kind in remote]

    assert found(date(2025, 9, 15)) == ["remote-share-above-limit", "remote-share-above-decision"]
    assert found(date(2025, 9, 14)) == ["remote-share-forecast"]
    assert found(date(2025, 9, 15), b.case(days[0], **content)) == []


def test_both_workers_are_named() -> None:
    """LAP-09: a client without a substitute for the responsible worker is told of it."""
    assert b.on(b.case(b.entry("client", substitute_worker=None)), "client") == [("LAP-09", "worker-not-named")]
    assert b.on(b.case(), "client") == []


@pytest.mark.parametrize(
    ("title", "number", "product", "found"),
    [
        ("sosionomi (AMK)", None, "VT1", [("LAP-25", "registration-number-missing")]),
        ("sosionomi (AMK)", "1", "VT1", []),
        ("yhteisöpedagogi", None, "VT1", []),
        ("työpajaohjaaja, puuseppä", None, "VT1", [("LAP-25", "degree-unsuitable")]),
        ("ohjaaja", None, "VT1", []),
        ("työpajaohjaaja, puuseppä", None, "KT1", []),
    ],
)
def test_degree_of_the_responsible_worker(
    title: str, number: str | None, product: str, found: list[tuple[str, str]]
) -> None:
    """LAP-25: a registration number counts as the degree; a title without one must name a suitable degree."""
    worker = b.entry("staff", "H1", title=title, registration_number=number)
    whole = b.with_shared(b.case(product=product), worker, b.entry("staff", "H2"))

    assert found == b.on(whole, "client")


def test_missing_evaluations_and_summary_are_told_on_the_client() -> None:
    """LAP-13 and LAP-15: what an ended period lacks is told on the client, and nothing when it is there."""
    missing = ["final-evaluation-missing", "interim-evaluation-missing", "summary-missing"]
    whole = b.case(b.entry("interim_evaluation"), b.entry("final_evaluation"), b.entry("final_summary"))

    assert missing == sorted(kind for _, kind in b.on(b.case(), "client", b.AFTER))
    assert b.on(whole, "client", b.AFTER) == []
    assert b.on(b.case(), "client", date(2025, 12, 31)) == []


def test_workplace_is_visited_each_month() -> None:
    """LAP-16: an ended month with attended days and no guidance visit is told on the client of VT2 only."""
    plain = b.entry(DAY)
    visit = b.entry(DAY, date="2025-09-04", notes="Ohjaus- ja tukikäynti työpaikalla.")
    october = date(2025, 10, 1)

    assert b.on(b.case(plain, product="VT2"), "client", october) == [("LAP-16", "visit-missing")]
    assert b.on(b.case(plain, product="VT2"), "client", date(2025, 9, 30)) == []
    assert b.on(b.case(plain, visit, product="VT2"), "client", october) == []
    assert b.on(b.case(plain, product="VT1"), "client", october) == []


def test_what_every_record_needs() -> None:
    """Without client, decision or turvakielto state a record waits; without a contract it is refused."""
    day = b.entry(DAY)
    whole = b.case(day)

    def without(kind: str) -> Any:
        return replace(whole, entries=tuple(one for one in whole.entries if one.type != kind))

    unknown = b.case(day, b.entry("client", non_disclosure=None))
    assert b.told(without("client"), day) == [("LAP-08", "hold", "client-unknown")]
    assert b.told(without("decision"), day) == [("LAP-08", "hold", "decision-unknown")]
    assert b.told(unknown, day) == [("SRC-NON-DISCLOSURE", "hold", "non-disclosure-unknown")]
    assert b.told(replace(whole, is_contract_known=False), day) == [("LAP-18", "refuse", "contract-unknown")]
    assert b.told(whole, day) == []


def test_recorder_outside_the_staff_list() -> None:
    """GEN-04: flagged when the record carries the name, held when not, and accepted when there is no list."""
    named = b.entry(DAY, recorder="H9", recorder_name={"surname": "Esimerkki", "given_names": "Eeva"})
    unnamed = b.entry(DAY, recorder="H9")
    no_list = replace(b.case(named, unnamed), delivery_has_staff=False)

    assert b.told(b.case(named), named) == [("GEN-04", "flag", "recorder-not-in-staff")]
    assert b.told(b.case(unnamed), unnamed) == [("GEN-04", "hold", "recorder-unknown")]
    assert b.told(no_list, named) == []
    assert b.told(no_list, unnamed) == [("GEN-04", "hold", "recorder-unknown")]


def test_day_after_the_as_of_date_is_no_future_for_a_later_import() -> None:
    """The future begins after the day of import, not after the as-of date."""
    day = replace(b.entry(DAY, date="2025-11-03"), received_on=date(2025, 11, 3))

    assert b.told(b.case(day), day) == []
