"""The section `minimisation` of a contract file, and the rule that tells what it asks about (LAP-19)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from tests.unit.contracts.builders import LAPHA, TEXT, TYPES, case, entry, told

from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import AT_ONCE, CLASSES, Finding, Level, Severity

ASKED = Finding("PRI-02", Severity.HOLD, "asked", "/notes", {"field": "notes", "class": "person", "count": "1"})
MASKED = Finding("PRI-01", Severity.INFO, "masked", "/notes", {"field": "notes", "class": "person", "count": "1"})


def changed(change: Callable[[dict[str, Any]], Any]) -> Contract:
    """The Lapland contract with another section."""
    stated = yaml.safe_load(TEXT)
    change(stated["minimisation"])
    return Contract.load(yaml.safe_dump(stated, allow_unicode=True), "x", TYPES)


def test_what_is_asked_is_more_than_needed() -> None:
    """LAP-19 holds a record of which something is asked, and says nothing of one that was masked or holds nothing."""
    asked, masked = (replace(entry("diary_entry"), reading=(one,)) for one in (ASKED, MASKED))
    plain = entry("diary_entry", date="2025-09-09")
    held = [one for one in told(case(asked), asked) if one[0] == "LAP-19"]
    quiet = [one[0] for each in (masked, plain) for one in told(case(each), each)]

    assert held == [("LAP-19", "hold", "more-than-needed")]
    assert "LAP-19" not in quiet


def test_the_contract_masks_what_it_decides_about() -> None:
    """The Lapland contract says mask for every class that a contract may decide about, and where it says so."""
    assert {cls: Level.MASK for cls in CLASSES if cls not in AT_ONCE} == LAPHA.minimisation.levels
    assert LAPHA.minimisation.clause == "LAP-19, 001 §5.9"


def test_a_field_goes_before_the_contract() -> None:
    """A field's own level holds in that field and nowhere else."""
    own = {"record": "diary_entry", "field": "notes", "levels": {"person": "ask"}}
    levels = changed(lambda one: one.update(fields=[own])).minimisation

    assert levels.of("diary_entry", "notes")["person"] is Level.ASK
    assert levels.of("diary_entry", "tasks")["person"] is Level.MASK
    assert levels.of("absence", "notes")["person"] is Level.MASK


@pytest.mark.parametrize("cls", AT_ONCE)
@pytest.mark.parametrize("level", ["ask", "allow"])
def test_codes_and_numbers_go_at_once(cls: str, level: str) -> None:
    """No contract may ask about, or allow, codes, numbers, and what tells where somebody lives."""
    with pytest.raises(MisconfiguredError, match=f"{cls}: can be masked or dropped only"):
        changed(lambda one: one["levels"].update({cls: level}))


@pytest.mark.parametrize(
    ("change", "told_"),
    [
        (lambda one: one["levels"].update(persons="mask"), "persons is no class"),
        (lambda one: one["levels"].update(person="hide"), "person: expected one of drop, mask, ask, allow"),
        (lambda one: one.pop("clause"), "clause is missing"),
        (lambda one: one.update(levels=["mask"]), "levels: expected a class and its level"),
        (lambda one: one.update(word=1), "word is not known"),
        (lambda one: one.update(fields=["notes"]), "fields 1: expected record, field and levels"),
        (
            lambda one: one.update(fields=[{"record": "diary_entry", "field": "hours", "levels": {}}]),
            "diary_entry.hours is no free text",
        ),
        (
            lambda one: one.update(fields=[{"record": "diary", "field": "notes", "levels": {}}]),
            "diary.notes is no free text",
        ),
    ],
)
def test_mistakes_are_told(change: Callable[[dict[str, Any]], Any], told_: str) -> None:
    """A section that says something else is a mistake of the file, told with its place."""
    with pytest.raises(MisconfiguredError, match=told_):
        changed(change)


def test_a_section_that_is_none() -> None:
    """Without the section the defaults of the gateway hold; a word in its place is a mistake."""
    stated = yaml.safe_load(TEXT)
    stated.pop("minimisation")
    without = Contract.load(yaml.safe_dump(stated, allow_unicode=True), "x", TYPES)
    stated["minimisation"] = "mask"

    assert without.minimisation.of("diary_entry", "notes") == {}
    with pytest.raises(MisconfiguredError, match="minimisation: expected keys and values"):
        Contract.load(yaml.safe_dump(stated, allow_unicode=True), "x", TYPES)
