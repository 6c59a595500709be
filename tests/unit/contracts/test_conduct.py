"""Incidents, claims, complaints and surveys by the Lapland contract: told, answered and summed up in time."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kanta_gateway.contracts.case import Case

_spec = importlib.util.spec_from_file_location("contract_builders", Path(__file__).with_name("builders.py"))
assert _spec is not None
assert _spec.loader is not None
b: Any = sys.modules.setdefault("contract_builders", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(b)

LATER = date(2026, 4, 15)
"""When the year's material is overdue."""
INCIDENT = {
    "occurred_on": "2025-09-03", "kind": "near_miss", "purchaser_told_on": "2025-09-04", "yearly_told_on": "2026-03-31",
}  # fmt: skip
FEEDBACK = {
    "received_on": "2025-09-03", "kind": "claim", "answered_on": "2025-09-17", "purchaser_told_on": "2025-09-17",
    "measures_taken_on": "2025-09-10", "yearly_told_on": "2026-03-31",
}  # fmt: skip
COMPLAINT = {
    "received_on": "2025-09-03", "kind": "objection", "purchaser_told_on": "2025-09-04",
    "statement_given_on": "2025-09-12", "answered_on": "2025-09-20",
}  # fmt: skip
SURVEY = {"held_on": "2025-11-03", "occasion": "yearly", "summary_made_on": "2026-03-31"}
WHOLE = {"incident": INCIDENT, "feedback": FEEDBACK, "complaint": COMPLAINT, "customer_survey": SURVEY}

RULES: list[tuple[str, str, str, dict[str, Any]]] = [
    # rule, kind of finding, record type, content that breaks it
    ("LAP-17", "incident-told-late", "incident", {"purchaser_told_on": "2025-09-05"}),
    ("LAP-17", "incident-not-told", "incident", {"purchaser_told_on": None}),
    ("LAP-17", "yearly-told-late", "incident", {"yearly_told_on": "2026-04-01"}),
    ("LAP-17", "yearly-not-told", "incident", {"yearly_told_on": None}),
    ("LAP-31", "deviation-told-late", "incident", {"kind": "security", "purchaser_told_on": "2025-09-08"}),
    ("LAP-31", "deviation-not-told", "incident", {"kind": "data_protection", "purchaser_told_on": None}),
    ("LAP-32", "feedback-answered-late", "feedback", {"answered_on": "2025-09-18"}),
    ("LAP-32", "feedback-not-answered", "feedback", {"kind": "other", "answered_on": None}),
    ("LAP-32", "claim-told-late", "feedback", {"purchaser_told_on": "2025-09-18"}),
    ("LAP-32", "claim-not-told", "feedback", {"kind": "damage", "purchaser_told_on": None}),
    ("LAP-32", "measures-missing", "feedback", {"measures_taken_on": None}),
    ("LAP-32", "yearly-not-told", "feedback", {"yearly_told_on": None}),
    ("LAP-33", "complaint-told-late", "complaint", {"purchaser_told_on": "2025-09-05"}),
    ("LAP-33", "complaint-not-told", "complaint", {"purchaser_told_on": None}),
    ("LAP-33", "statement-missing", "complaint", {"statement_given_on": None}),
    ("LAP-34", "survey-summary-late", "customer_survey", {"summary_made_on": "2026-04-01"}),
    ("LAP-34", "survey-summary-missing", "customer_survey", {"summary_made_on": None}),
]


def found(record_type: str, as_of: date = LATER, **content: Any) -> list[tuple[str, str, str]]:
    """What is found on one record of the provider's own conduct."""
    one = b.entry(record_type, "V-1", **{**WHOLE[record_type], **content})
    told: list[tuple[str, str, str]] = b.told(Case((one,)), one, as_of)
    return told


@pytest.mark.parametrize(("rule", "kind", "record_type", "content"), RULES)
def test_rule(rule: str, kind: str, record_type: str, content: dict[str, Any]) -> None:
    """The record that breaks a rule is told so, as info, and of nothing else."""
    assert found(record_type, **content) == [(rule, "info", kind)]


@pytest.mark.parametrize("record_type", sorted(WHOLE))
def test_in_order(record_type: str) -> None:
    """A record with everything done in time is told of nothing."""
    assert found(record_type) == []


def test_nothing_before_its_time() -> None:
    """Before the time has run out nothing is missing."""
    first = date(2025, 9, 3)

    assert found("incident", first, purchaser_told_on=None, yearly_told_on=None) == []
    assert found("feedback", first, answered_on=None, purchaser_told_on=None, yearly_told_on=None) == []


def test_other_feedback_is_not_told_on() -> None:
    """Feedback that claims nothing is answered, and need not be told to the purchaser."""
    assert found("feedback", kind="other", purchaser_told_on=None, yearly_told_on=None) == []


@pytest.mark.parametrize(
    ("surveyed", "expected"), [(False, [("LAP-34", "client-not-surveyed")]), (True, []), (None, [])]
)
def test_survey_at_the_end(surveyed: bool | None, expected: list[tuple[str, str]]) -> None:  # noqa: FBT001 — a case of the table
    """A summary that says that the client was not surveyed is told so; one that says nothing is not judged."""
    whole = b.case(b.entry("final_summary", surveyed=surveyed), product="KT1")

    assert [one for one in b.on(whole, "final_summary", date(2026, 1, 9)) if one[0] == "LAP-34"] == expected
