"""Rules and figures of a contract file: each against the kind that it names.

* A rule needs exactly the texts and parameters of its kind, and severity and clause.
* A figure made of others names figures that stand before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.figurekinds import FIGURE_KINDS
from kanta_gateway.contracts.kinds import KINDS, Kind
from kanta_gateway.contracts.rules import FigureRule, Rule
from kanta_gateway.model import Severity
from kanta_gateway.stated import listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanta_gateway.contracts.mistakes import Mistakes
    from kanta_gateway.recordtypes import RecordTypes

_SEVERITIES = {severity.word: severity for severity in Severity}
_RULE_KEYS = {
    "id", "kind", "severity", "clause", "text", "texts", "records", "valid_from", "valid_to", "tells", "duty", "unless",
    "unless_words",
}  # fmt: skip
_CALLED = {str: "text", int: "a number", dict: "keys and values", list: "a list", bool: "true or false"}
_OWN = {"products": {"covers"}, "services": {"may_be_elsewhere", "unless_means"}}
"""What rules of a contract file, and rules of a file of law, may say beside, by the word that narrows them."""
_TELLS = ("finding", "clock")


@dataclass(frozen=True, slots=True)
class Known:
    """Names that a rule or figure may use."""

    types: RecordTypes
    families: Mapping[str, frozenset[str]]
    """Class or code of a product -> codes; in a file of law, each type of service."""
    narrowed_by: str = "products"
    """Word that narrows a rule or figure: `services` in a file of law."""

    def check(self, mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> None:
        """Tell which record type or product is not known."""
        for unknown in sorted(set(map(str, item.get("records", ()))) - self.types.keys()):
            mistakes.say(where, f"records: {unknown} is no record type{nearest(unknown, self.types)}")
        what = "neither a product nor a class" if self.narrowed_by == "products" else "no type of service"
        for unknown in sorted(set(map(str, item.get(self.narrowed_by, ()))) - self.families.keys()):
            told = f"{self.narrowed_by}: {unknown} is {what}{nearest(unknown, self.families)}"
            mistakes.say(where, told)

    def products(self, item: Mapping[str, Any]) -> frozenset[str]:
        """Codes of the products, or types of service, that an item names."""
        return frozenset(code for name in item.get(self.narrowed_by, ()) for code in self.families[name])


def rule(mistakes: Mistakes, where: str, item: Mapping[str, Any], known: Known) -> Rule | None:
    """One rule of the file, or None if it does not hold."""
    before = len(mistakes.told)
    kind = KINDS.get(str(item.get("kind")))
    if kind is None:
        mistakes.say(where, unknown_kind(item, KINDS, "rule"))
        return None
    needed = {"id", "kind", "severity", "clause", *kind.params, "text" if kind.texts == ("text",) else "texts"}
    own = {known.narrowed_by} | _OWN[known.narrowed_by]
    mistakes.keys(where, item, needed, _RULE_KEYS | own | kind.optional.keys())
    _check_values(mistakes, where, item, kind)
    texts = {"text": item.get("text")} if kind.texts == ("text",) else item.get("texts", {})
    mistakes.keys(f"{where} texts", texts, kind.texts)
    known.check(mistakes, where, item)
    if len(mistakes.told) > before:
        return None
    return Rule(
        id=item["id"],
        kind=item["kind"],
        severity=_SEVERITIES[item["severity"]],
        clause=str(item["clause"]),
        texts={name: str(text) for name, text in texts.items()},
        records=frozenset(item.get("records", ())),
        products=known.products(item),
        params={name: item[name] for name in (*kind.params, *kind.optional) if name in item},
        valid_from=str(item.get("valid_from", "")),
        valid_to=str(item.get("valid_to", "")),
        unless=frozenset(item.get("unless", ())),
        unless_words=frozenset(item.get("unless_words", ())),
        is_clock=item.get("tells") == "clock",
        duty=_duty(item),
        same_as=frozenset(item.get("covers", ())),
        unless_means=frozenset(item.get("unless_means", ())),
        may_be_elsewhere=bool(item.get("may_be_elsewhere", False)),
    )


def unknown_kind(item: Mapping[str, Any], kinds: Iterable[str], of: str) -> str:
    """What is told of a kind that there is not."""
    kind = item.get("kind")
    if kind is None:
        return "kind is missing"
    known = nearest(kind, kinds) or f"; expected one of {listed(sorted(kinds))}"
    return f"kind: there is no kind of {of} {kind}{known}"


def _duty(item: Mapping[str, Any]) -> dict[str, str]:
    """What is due by a rule: one text for all of its clocks, or one for each name of its texts."""
    stated = item.get("duty", {})
    return {"": stated} if isinstance(stated, str) else {str(name): str(text) for name, text in stated.items()}


def placed(rules: Iterable[Rule], file: object) -> tuple[Rule, ...]:
    """Rules that know where they stand, so that two of one id are told apart."""
    return tuple(replace(one, file=str(file), place=place) for place, one in enumerate(rules))


def _check_values(mistakes: Mistakes, where: str, item: Mapping[str, Any], kind: Kind) -> None:
    """Tell which severity or parameter of a rule is of the wrong sort."""
    if item.get("severity") not in _SEVERITIES:
        told = nearest(item.get("severity"), _SEVERITIES)
        mistakes.say(where, f"severity: expected one of {', '.join(_SEVERITIES)}{told}")
    if item.get("tells", "finding") not in _TELLS:
        mistakes.say(where, f"tells: expected one of {', '.join(_TELLS)}")
    if not isinstance(duty := item.get("duty", ""), str | dict) or (
        isinstance(duty, dict) and duty.keys() - set(kind.texts)
    ):
        mistakes.say(where, f"duty: expected the key of a text, or one for each of {', '.join(kind.texts)}")
    for name in ("unless", "unless_words", "covers", "unless_means"):
        if not isinstance(item.get(name, []), list):
            mistakes.say(where, f"{name}: expected a list")
    for name, expected in {**kind.params, **kind.optional}.items():
        if name in item and not isinstance(item[name], expected):
            mistakes.say(where, f"{name}: expected {_CALLED.get(expected, expected.__name__)}")


def figure(mistakes: Mistakes, where: str, item: Mapping[str, Any], known: Known) -> FigureRule | None:
    """One figure of the file, or None if it does not hold."""
    before = len(mistakes.told)
    kind = FIGURE_KINDS.get(str(item.get("kind")))
    if kind is None:
        mistakes.say(where, unknown_kind(item, FIGURE_KINDS, "figure"))
        return None
    mistakes.keys(where, item, {"name", "kind", *kind.needed}, {known.narrowed_by, "clause", "rules", *kind.optional})
    known.check(mistakes, where, item)
    record_type = item.get("records")
    if isinstance(record_type, str):
        mistakes.say(where, "records: expected a list")
    for name, expected in {**kind.needed, **kind.optional}.items():
        if name in item and not isinstance(item[name], expected):
            mistakes.say(where, f"{name}: expected {_CALLED.get(expected, expected.__name__)}")
    if len(mistakes.told) > before:
        return None
    return FigureRule(
        name=item["name"],
        kind=item["kind"],
        products=known.products(item),
        clause=str(item.get("clause", "")),
        params={name: item[name] for name in (*kind.needed, *kind.optional) if name in item},
        rules=tuple(item.get("rules", ())),
    )


def check_figures(mistakes: Mistakes, figures: Iterable[FigureRule], totals: Mapping[str, Iterable[str]]) -> None:
    """A figure made of others names figures that stand before it; a total names figures."""
    seen: set[str] = set()
    for one in figures:
        for part in FIGURE_KINDS[one.kind].parts(one.params):
            if part not in seen:
                mistakes.say(f"figure {one.name}", f"{part} is no figure that stands before it")
        seen.add(one.name)
    for group, names in totals.items():
        for unknown in sorted(set(names) - seen):
            mistakes.say(f"totals {group}", f"{unknown} is no figure")


def check_words(mistakes: Mistakes, rules: Iterable[Rule], known: set[str]) -> None:
    """Tell which rule names a word list that there is not."""
    for rule in rules:
        named = {rule.params["word"]} if "word" in rule.params else set()
        for unknown in sorted((named | rule.unless_words) - known):
            mistakes.say(f"rule {rule.id}", f"there is no word list {unknown}{nearest(unknown, known)}")
