"""Two judgements of the same records laid side by side, and a contract as it is in force on one day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kanta_gateway import knowledge
from kanta_gateway.contracts.preview import Seen, changes, figure_changes, in_force, last_turn
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.loading import record_types
from kanta_gateway.model import Finding, Severity

TYPES = record_types()
HEINOLA = Contract.load(knowledge.texts("mappings/contracts")["heinola"], "heinola", TYPES)


def found(rule: str, severity: Severity = Severity.FLAG, pointer: str = "/hours", kind: str = "text") -> Finding:
    """A finding."""
    return Finding(rule, severity, kind, pointer)


def seen(name: str, before: tuple[Finding, ...], after: tuple[Finding, ...], *outcomes: str, day: str = "") -> Seen:
    """A record judged twice."""
    first, second = outcomes or ("accepted", "accepted")
    return Seen(name, day, before, after, first, second)


def test_what_comes_and_goes_is_told_by_month() -> None:
    """A finding only of the changed file comes, one only of the present one goes, each under the record's month."""
    told = changes([
        seen("a", (), (found("R-1"),), "accepted", "flagged", day="2026-01-05"),
        seen("b", (found("R-1"),), (), "flagged", "accepted", day="2026-02-05"),
        seen("c", (found("R-1"),), (found("R-1"),), day="2026-02-06"),
    ])  # fmt: skip

    assert told["rules"] == {"R-1": {
        "comes": [{"record": "a", "text": "text"}], "goes": [{"record": "b", "text": "text"}], "weighs": [],
        "months": {"2026-01": {"comes": 1}, "2026-02": {"goes": 1}},
    }}  # fmt: skip
    assert told["outcomes"] == [
        {"from": "accepted", "to": "flagged", "records": ["a"]},
        {"from": "flagged", "to": "accepted", "records": ["b"]},
    ]


def test_another_weight_is_told() -> None:
    """The same finding that weighs otherwise neither comes nor goes."""
    told = changes([seen("a", (found("R-1"),), (found("R-1", Severity.HOLD),), "flagged", "held")])["rules"]["R-1"]

    assert ([], []) == (told["comes"], told["goes"])
    assert [{"record": "a", "text": "text: flag -> hold"}] == told["weighs"]
    assert {"undated": {"weighs": 1}} == told["months"]


def test_the_same_twice_is_counted() -> None:
    """Two findings at one place, of which one is left, are one that goes."""
    told = changes([seen("a", (found("R-1"), found("R-1")), (found("R-1"),))])["rules"]["R-1"]

    assert 1 == len(told["goes"])


def test_nothing_changes() -> None:
    """The same contract says the same."""
    assert {"rules": {}, "outcomes": []} == changes([seen("a", (found("R-1"),), (found("R-1"),))])


def test_figures_that_differ() -> None:
    """A figure is told where it is another, or is there on one side only."""
    before, after = {"c": {"days": 3, "hours": 5}}, {"c": {"days": 2, "hours": 5, "euros": 1}, "d": {"days": 1}}

    assert {
        "c": {"days": {"now": 3, "then": 2}, "euros": {"now": None, "then": 1}}, "d": {"days": {"now": None, "then": 1}}
    } == figure_changes(before, after)  # fmt: skip


@pytest.mark.parametrize(("day", "expected"), [("2026-12-31", ["old"]), ("2027-01-01", ["new"]), ("", ["old"])])
def test_in_force_on_a_day(day: str, expected: list[str]) -> None:
    """Of dated rules those of the day hold for records of every day, and the others for none."""
    rule = HEINOLA.rules[0]
    dated = replace(HEINOLA, rules=(
        replace(rule, clause="old", valid_to="2026-12-31"), replace(rule, clause="new", valid_from="2027-01-01"),
    ))  # fmt: skip
    taken = in_force(dated, day)

    assert expected == [one.clause for one in taken.rules]
    assert not any(one.valid_from or one.valid_to for one in taken.rules)
    assert "2027-01-01" == last_turn(dated)


def test_prices_are_those_of_the_day() -> None:
    """A price that has ended by the day is none any more; on a day of its time it is one without end."""
    assert [] == [price for product in in_force(HEINOLA, "2023-01-01").products for price in product.prices]
    assert {""} == {price.valid_to for product in in_force(HEINOLA, "2022-06-01").products for price in product.prices}
