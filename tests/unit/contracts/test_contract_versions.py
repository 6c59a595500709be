"""Versions, cancellations and the contract file itself."""

from __future__ import annotations

import importlib.util
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

from kanta_gateway.contracts.agenda import clocks
from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.figures import explain, figures
from kanta_gateway.contracts.kinds import KINDS, Scope
from kanta_gateway.contracts.records import CHECKS
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.contracts.wholes import CLIENT_CHECKS, DECISION_CHECKS
from kanta_gateway.errors import MisconfiguredError

_spec = importlib.util.spec_from_file_location("contract_builders", Path(__file__).with_name("builders.py"))
assert _spec is not None
assert _spec.loader is not None
b: Any = sys.modules.setdefault("contract_builders", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(b)

DAY = "diary_entry"


def outcomes(*entries: Any) -> list[str]:
    """Outcomes of the entries in the order given."""
    judgement = b.judged(b.case(*entries))
    return [str(judgement.outcomes[one.row]) for one in entries]


def test_higher_version_replaces_in_any_order() -> None:
    """The lower version is replaced, whichever came first (GEN-03)."""
    first, second = b.entry(DAY, "A"), b.entry(DAY, "A", 2)

    assert outcomes(first, second) == ["replaced", "replacement"]
    assert outcomes(second, first) == ["replacement", "replaced"]


def test_replacement_goes_before_flagged() -> None:
    """A replacement that breaks a limit is still a replacement; one that must wait is held."""
    assert outcomes(b.entry(DAY, "A"), b.entry(DAY, "A", 2, hours=7)) == ["replaced", "replacement"]
    assert outcomes(b.entry(DAY, "A"), b.entry(DAY, "A", 2, hours=None)) == ["replaced", "held"]


def test_cancellation_is_told_on_both() -> None:
    """GEN-02: the cancelling version and the one it cancels carry it; an older one is replaced."""
    versions = [b.entry(DAY, "A"), b.entry(DAY, "A", 2), b.entry(DAY, "A", 3, is_cancelled=True)]
    whole = b.case(*versions)
    found = [("GEN-02", "info", "record-cancelled")]

    assert outcomes(*versions) == ["replaced", "cancelled", "cancellation"]
    assert [[], found, found] == [b.told(whole, one) for one in versions]


def test_lone_cancelled_first_version_is_the_cancelled_one() -> None:
    """A first version that arrives cancelled is cancelled; a later one alone is a cancellation."""
    assert outcomes(b.entry(DAY, is_cancelled=True)) == ["cancelled"]
    assert outcomes(b.entry(DAY, "A", 2, is_cancelled=True)) == ["cancellation"]


def test_same_version_with_other_content_is_refused() -> None:
    """GEN-01: of two contents with one version the first to arrive stands and the other is refused."""
    first, second = b.entry(DAY, "A"), b.entry(DAY, "A", hours=4)

    assert {("accepted", "refused")} == {tuple(sorted(outcomes(*order))) for order in permutations([first, second])}
    assert b.told(b.case(first, second), second) == [("GEN-01", "refuse", "same-version-other-content")]


def test_newest_reference_stands_and_all_stay_reference() -> None:
    """Of two states of a client the newest decides, and both stay reference."""
    old, new = b.entry("client", "K", non_disclosure=None), b.entry("client", "K")
    day = b.entry(DAY)

    assert outcomes(new, old, day) == ["reference", "reference", "accepted"]


def test_every_kind_has_its_check() -> None:
    """The closed set of rule kinds and the functions that judge them are the same set."""
    by_scope = {scope: {name for name, kind in KINDS.items() if kind.scope is scope} for scope in Scope}

    assert by_scope[Scope.RECORD] == set(CHECKS)
    assert by_scope[Scope.CLIENT] == set(CLIENT_CHECKS)
    assert by_scope[Scope.DECISION] == set(DECISION_CHECKS)


def test_every_text_of_the_contract_is_in_three_languages() -> None:
    """Whatever judging can tell has its text in Finnish, Swedish and English."""
    files = sorted((b.ROOT / "mappings" / "messages").glob("*.yaml"))
    texts = {kind: told for path in files for kind, told in yaml.safe_load(path.read_text("utf-8")).items()}

    needed = b.LAPHA.kinds | {"record-cancelled", "same-version-other-content"}

    assert needed <= {kind for kind, told in texts.items() if {"fi", "sv", "en"} == set(told)}


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    """A wrong contract file names every mistake in one error."""
    data = yaml.safe_load(b.TEXT)
    data["rules"][0]["kind"] = "no-such-kind"
    data["rules"][1]["severity"] = "grave"
    data["products"][0]["limits"]["age"] = [64, 18]
    data["extra"] = 1

    with pytest.raises(MisconfiguredError) as caught:
        Contract.load(yaml.safe_dump(data), "wrong.yaml", b.TYPES)

    assert all(part in str(caught.value) for part in ("kind", "severity", "lowest", "extra"))


def test_rule_outside_its_time_is_silent() -> None:
    """A rule is judged from `valid_from` to `valid_to` of the record's day, and not outside."""
    data = yaml.safe_load(b.TEXT)
    for rule in data["rules"]:
        if rule["kind"] == "hours-granted":
            rule["valid_from"] = "2025-09-03"
    contract = Contract.load(yaml.safe_dump(data), "dated.yaml", b.TYPES)
    rule = next(one for one in contract.rules if one.kind == "hours-granted")

    assert (rule.covers("2025-09-02"), rule.covers("2025-09-03")) == (False, True)


def test_product_is_known_by_service_and_number() -> None:
    """The decision's service and product number name the product; spaces and capitals do not matter."""
    product = b.LAPHA.mapping_product({"service": " kuntouttava  TYÖTOIMINTA", "product_number": 2})

    assert (product["code"], product["service_task"], product["service"]) == (
        "KT2", "working-age", "rehabilitative-work",
    )  # fmt: skip
    assert b.LAPHA.mapping_product({"service": "Muu", "product_number": 1}) == {}


def test_held_and_refused_count_in_no_figure() -> None:
    """Figures hold accepted and flagged days only, and say which records are behind them."""
    good, flagged = b.entry(DAY, "A"), b.entry(DAY, "B", date="2025-09-03", hours=7)
    held, refused = b.entry(DAY, "C", hours=None, date="2025-09-04"), b.entry(DAY, "D", date="2025-08-01")
    whole = b.case(good, flagged, held, refused)
    judgement = b.judged(whole)

    numbers = figures(b.LAPHA, whole, judgement, b.AS_OF)

    assert (numbers["accepted_days"], numbers["hours"], numbers["planned_hours"]) == (2, 12, 270)
    assert explain(b.LAPHA, whole, judgement, b.AS_OF)["hours"].records == ("A", "B")


def test_facts_hold_no_narrative() -> None:
    """Of free text only emptiness and found words are kept."""
    kept = b.entry(DAY, tasks="salaisuus", notes="Ohjauskäynti, salaisuus", skills="").facts

    assert "salaisuus" not in str(kept)
    assert (kept["empty"], kept["words"]) == (["skills"], ["guidance-visit"])


@pytest.mark.parametrize(("since", "is_asked"), [("2025-09-01", True), ("2025-09-02", False)])
def test_rule_about_the_client_is_asked_of_periods_that_begin_in_its_time(since: str, is_asked: bool) -> None:  # noqa: FBT001
    """Findings and clocks of a period that began before the rule came into force are not there."""
    data = yaml.safe_load(b.TEXT)
    dated = [one for one in data["rules"] if KINDS[one["kind"]].scope is Scope.CLIENT]
    for rule in dated:
        rule["valid_from"] = since
    contract = Contract.load(yaml.safe_dump(data), "dated.yaml", b.TYPES)
    whole = b.case(b.entry(DAY, mode="remote", hours=5), product="VT2", hours_per_day=1, remote_max_percent=0)
    judgement = judge(contract, whole, b.AFTER, b.HOLIDAYS)
    client = next(one for one in whole.entries if one.type == "client")

    rules = {one.rule for one in judgement.findings[client.row]}
    deadlines = {one.rule.id for one in clocks(judgement)}

    asked = {"LAP-13", "LAP-15", "LAP-16"}
    assert (rules & asked, deadlines & asked) == ((asked, asked) if is_asked else (set(), set()))
