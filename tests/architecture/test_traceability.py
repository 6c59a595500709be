"""Every rule of every contract file is tested, and docs/traceability.md says by what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests import law, traceability


@pytest.fixture(scope="module")
def rules() -> list[traceability.Traced]:
    """Every rule, with the tests that were seen to judge it."""
    return traceability.traced()


def test_every_rule_fires_is_quiet_and_is_missed_when_broken(rules: list[traceability.Traced]) -> None:
    """One test makes a rule fire, one does not, and one fails when its effect is taken away."""
    assert len(rules) > 150
    assert traceability.untested(rules) == []


def test_the_page_is_not_stale(rules: list[traceability.Traced]) -> None:
    """The page is what `python -m tests.traceability` writes."""
    assert traceability.PAGE.read_text("utf-8") == traceability.page(rules)


def test_few_rules_are_not_software() -> None:
    """At most fifteen rules of purchasers are only what people do; none of them, or of the law, is judged as well."""
    files = traceability.contracts().values()
    listed = {one["rule"] for file in files for one in file.get("not_software", ())}
    of_law = {one["rule"] for file in files if "law" in file for one in file.get("not_software", ())}
    judged = {one["id"] for file in files for one in file.get("rules", ())}

    assert len(listed - of_law) <= 15
    assert listed.isdisjoint(judged)


def test_every_rule_of_law_has_a_test_or_a_reason() -> None:
    """A rule of law is shown by a test that names it, or it is told why none does; its files are there."""
    assert law.mistakes() == []


@pytest.mark.reference
def test_no_rule_of_law_is_missing(reference: Path) -> None:
    """The file has exactly the rules of the law's facts, in their order."""
    said = (reference / "facts" / "law.md").read_text("utf-8")
    expected = re.findall(rf"^\| ({law.ID.pattern}) \|", said, re.MULTILINE)

    assert expected == [one["id"] for one in law.rules()]
    assert len(expected) > 60
