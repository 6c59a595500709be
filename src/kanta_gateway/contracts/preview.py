"""What a changed contract file would have said: two judgements of the same records laid side by side.

* Dated rules are taken as they are in force on one day, for records of every day: otherwise a rule that begins next
  year would say nothing about last year's records.
* A finding is the same when rule, text and place are; another weight of it is told as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanta_gateway.contracts.products import Product
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.model import Finding

UNDATED = "undated"
"""Month of what has no day."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One record, as the present contract and the changed one judge it."""

    name: str
    """What it is called by those who delivered it."""
    day: str
    before: tuple[Finding, ...]
    after: tuple[Finding, ...]
    outcome_before: str
    outcome_after: str


@dataclass(slots=True)
class Change:
    """What one rule would have said otherwise."""

    comes: list[tuple[str, str]] = field(default_factory=list)
    """Record and text of each finding that would come."""
    goes: list[tuple[str, str]] = field(default_factory=list)
    weighs: list[tuple[str, str]] = field(default_factory=list)
    """Record, and the two severities of a finding that would stay."""
    months: dict[str, Counter[str]] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As it is given out."""
        words = ("comes", "goes", "weighs")
        return {
            **{word: [{"record": name, "text": text} for name, text in sorted(getattr(self, word))] for word in words},
            "months": {month: {word: counts[word] for word in words if counts[word]}
                       for month, counts in sorted(self.months.items())},
        }  # fmt: skip


def last_turn(contract: Contract) -> str:
    """The last day on which something of a contract begins (ISO 8601); empty where nothing of it is dated."""
    prices = (one.valid_from for product in contract.products for one in product.prices)
    return max((*(rule.valid_from for rule in contract.rules), *prices), default="")


def in_force(contract: Contract, day: str) -> Contract:
    """The contract as it is in force on one day, for records of every day.

    Args:
        contract: with dated rules and prices.
        day: ISO 8601.
    """
    rules = tuple(replace(one, valid_from="", valid_to="") for one in contract.rules if one.covers(day))
    return replace(contract, rules=rules, products=tuple(_in_force(one, day) for one in contract.products))


def _in_force(product: Product, day: str) -> Product:
    prices = tuple(replace(one, valid_from="", valid_to="") for one in product.prices if one.covers(day))
    return replace(product, prices=prices)


def changes(seen: Iterable[Seen]) -> dict[str, Any]:
    """Everything that the two judgements say differently about records, by rule and by outcome."""
    rules: dict[str, Change] = {}
    outcomes: dict[tuple[str, str], list[str]] = {}
    for one in seen:
        _compare(one, rules)
        if one.outcome_before != one.outcome_after:
            outcomes.setdefault((one.outcome_before, one.outcome_after), []).append(one.name)
    return {
        "rules": {rule: change.told() for rule, change in sorted(rules.items())},
        "outcomes": [{"from": before, "to": after, "records": sorted(names)}
                     for (before, after), names in sorted(outcomes.items())],
    }  # fmt: skip


def _compare(one: Seen, rules: dict[str, Change]) -> None:
    before, after = Counter(map(_same, one.before)), Counter(map(_same, one.after))
    weights = {_same(finding): finding.severity.word for finding in one.before}
    for word, found in (("comes", after - before), ("goes", before - after)):
        for (rule, text, _), count in found.items():
            _add(rules, rule, word, one, text, count)
    for finding in one.after:
        was = weights.get(_same(finding))
        if was is not None and was != finding.severity.word:
            _add(rules, finding.rule, "weighs", one, f"{finding.kind}: {was} -> {finding.severity.word}", 1)


def _add(rules: dict[str, Change], rule: str, word: str, one: Seen, text: str, count: int) -> None:
    change = rules.setdefault(rule, Change())
    getattr(change, word).extend([(one.name, text)] * count)
    change.months.setdefault(one.day[:7] or UNDATED, Counter())[word] += count


def _same(finding: Finding) -> tuple[str, str, str]:
    return (finding.rule, finding.kind, finding.pointer)


def figure_changes(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures that differ: client -> figure -> both values.

    Args:
        before: client -> figure -> value, by the present contract.
        after: the same by the changed one.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for client in sorted({*before, *after}):
        old, new = before.get(client, {}), after.get(client, {})
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) != new.get(name):
                found.setdefault(client, {})[name] = {"now": old.get(name), "then": new.get(name)}
    return found
