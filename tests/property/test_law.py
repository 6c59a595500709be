"""Judging by the law is a function of the set of records too, however far back a rule looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.contracts import lawful as law

from kanta_gateway.contracts.case import Case
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.figures import Ground, derive
from kanta_gateway.contracts.rules import Contract

AS_OF = date(2026, 12, 31)
FIRST = date(2025, 1, 1)
DAYS = st.integers(0, 500).map(lambda place: (FIRST + timedelta(days=place)).isoformat())
NEAR = st.integers(240, 268).map(lambda place: (FIRST + timedelta(days=place)).isoformat())
"""So few days that absences follow each other from week to week."""
HOURS = st.sampled_from([None, 1, 4, 6, 9])
REASONS = st.sampled_from([None, "incapacity", "incapacity", "child_illness", "other", "service_closed"])


def _strict(data: dict[str, Any]) -> None:
    """Limits so low that a few records reach them."""
    for rule in data["rules"]:
        if rule["kind"] == "rolling-days":
            rule["limit"] = 4
        if rule["kind"] == "week-days":
            rule["limit"] = 1
        if rule["kind"] == "week-hours":
            rule["limit"] = 10


@cache
def strict() -> Contract:
    """The plain contract under a law of low limits."""
    return law.changed("national", _strict)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Attended days and absences of two years, under two decisions that follow each other."""
    entries = [
        law.entry("decision", "D", starts_on="2025-01-01", ends_on="2025-09-30"),
        law.entry("decision", "E", starts_on="2025-10-01", ends_on="2026-08-31", days_per_week=1),
    ]
    for on, hours in draw(st.lists(st.tuples(DAYS, HOURS), max_size=14)):
        entries.append(law.entry("diary_entry", date=on, hours=hours))
    for on, length, reason in draw(st.lists(st.tuples(NEAR, st.integers(0, 9), REASONS), max_size=6)):
        end = (date.fromisoformat(on) + timedelta(days=length)).isoformat()
        entries.append(law.entry("absence", date=on, ends_on=end, reason_category=reason))
    return law.case(*entries)


def judged(whole: Case, **known: Any) -> Judgement:
    """The judgement of a case."""
    return judge(strict(), whole, AS_OF, law.FREE, **known)


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_judging_a_part_equals_judging_all(whole: Case, data: Any) -> None:
    """A new record judged alone, with what it affects, leaves every row as judging everything does."""
    new = data.draw(st.sampled_from([one for one in whole.entries if one.type != "client"]))
    before = judged(replace(whole, entries=tuple(one for one in whole.entries if one is not new)))

    part, expected = judged(whole, only={new.row}, before=before.situation), judged(whole)

    assert expected.findings == {**before.findings, **part.findings}
    assert expected.outcomes == {**before.outcomes, **part.outcomes}


@settings(max_examples=100, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_changes_nothing(whole: Case, random: Any) -> None:
    """Shuffled records bring the same findings and the same figures of the law."""
    mixed = list(whole.entries)
    random.shuffle(mixed)
    shuffled = replace(whole, entries=tuple(mixed))
    first, second = judged(whole), judged(shuffled)

    told, again = (
        derive(Ground(strict(), one, judgement, AS_OF), strict().law.figures)
        for one, judgement in ((whole, first), (shuffled, second))
    )

    assert first.findings == second.findings
    assert told == again


@settings(max_examples=100, deadline=None)
@given(cases())
def test_absent_days_are_split(whole: Case) -> None:
    """Each working day of absence is payable, not payable or undetermined, and of one kind only."""
    told = derive(Ground(strict(), whole, judged(whole), AS_OF), strict().law.figures)
    every, *parts = (told[f"absence_workdays{end}"].exact for end in ("", "_payable", "_not_payable", "_undetermined"))

    assert every == sum(one for one in parts if one is not None)
    assert told["expense_allowance_days"].exact <= told["attended_days"].exact  # type: ignore[operator]
