"""Contract text into an immutable contract, with every mistake told at once.

* An unknown key is a mistake as much as a missing one: what is written in a contract file has an effect.
* A number stays what is written: hours may be fractions, kept as decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from kanta_gateway.contracts.case import DAY, REFERENCES
from kanta_gateway.contracts.kinds import KINDS, Kind
from kanta_gateway.contracts.rules import Contract, Limits, NotJudged, Product, Rule, Titles, WordList
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_T = TypeVar("_T")
_LANGUAGES = ("fi", "sv", "en")
_SEVERITIES = {severity.word: severity for severity in Severity}
_RULE_KEYS = {
    "id",
    "kind",
    "severity",
    "clause",
    "text",
    "texts",
    "records",
    "products",
    "valid_from",
    "valid_to",
}
_TYPES = REFERENCES | DAY.keys()


class _Mistakes:
    """Collects what is wrong, each with its place."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, where: str, what: str) -> None:
        self.told.append(f"{where}: {what}")

    def keys(self, where: str, value: Mapping[str, Any], needed: Iterable[str], allowed: Iterable[str] = ()) -> None:
        """Tell every missing and every unknown key."""
        needed = set(needed)
        for key in sorted(needed - value.keys()):
            self.say(where, f"{key} is missing")
        for key in sorted(value.keys() - needed - set(allowed)):
            self.say(where, f"{key} is not known; remove it or correct its name")


def read(text: str, name: str) -> Contract:
    """Read a contract file.

    Args:
        text: its YAML text.
        name: the file's name, for messages.

    Raises:
        MisconfiguredError: the file is wrong; every mistake is told.
    """
    mistakes = _Mistakes()
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MisconfiguredError(f"contract {name}: not readable as YAML. Correct the file.") from error
    if not isinstance(data, dict):
        raise MisconfiguredError(f"contract {name}: expected keys and values. Correct the file.")
    mistakes.keys(name, data, ("contract", "source", "products", "rules"), ("words", "titles", "not_judged"))
    products = tuple(_each(mistakes, data, "products", _product))
    families = _families(products)
    words = tuple(_each(mistakes, data, "words", _words))
    rules = tuple(_each(mistakes, data, "rules", lambda m, w, v: _rule(m, w, v, families)))
    _check_words(mistakes, rules, {one.name for one in words})
    _check_products(mistakes, products)
    titles = data.get("titles", {})
    mistakes.keys("titles", titles, (), ("registered", "unregistered", "unsuitable"))
    not_judged = tuple(_each(mistakes, data, "not_judged", _not_judged))
    if mistakes.told:
        raise MisconfiguredError(f"contract {name}: " + "; ".join(mistakes.told))
    return Contract(
        name=str(data["contract"]),
        source=str(data["source"]),
        products=products,
        rules=rules,
        words=words,
        titles=Titles(**{kind: _lower(stems) for kind, stems in titles.items()}),
        not_judged=not_judged,
    )


def _each(
    mistakes: _Mistakes, data: Mapping[str, Any], key: str, one: Callable[[_Mistakes, str, Any], _T | None]
) -> Iterator[_T]:
    """Read every item of a list, telling which one is wrong."""
    items = data.get(key, [])
    if not isinstance(items, list):
        mistakes.say(key, "expected a list")
        return
    for number, item in enumerate(items, 1):
        label = item.get("id") or item.get("code") or item.get("name") or "" if isinstance(item, dict) else ""
        where = f"{key} {number} {label}".strip()
        if not isinstance(item, dict):
            mistakes.say(where, "expected keys and values")
        elif (value := one(mistakes, where, item)) is not None:
            yield value


def _product(mistakes: _Mistakes, where: str, item: Mapping[str, Any]) -> Product | None:
    before = len(mistakes.told)
    needed = ("code", "class", "number", "name", "services", "service_task", "service", "limits")
    mistakes.keys(where, item, needed, ("remote",))
    limits = item.get("limits")
    if not isinstance(limits, dict):
        mistakes.say(where, "limits: expected keys and values")
        return None
    mistakes.keys(f"{where} limits", limits, (), ("age", "months", "days_per_week", "hours_per_day"))
    for name, pair in limits.items():
        _check_pair(mistakes, f"{where} limits {name}", pair, may_be_open=name == "months")
    if len(mistakes.told) > before:
        return None
    hours = limits.get("hours_per_day")
    return Product(
        code=item["code"],
        family=item["class"],
        number=item["number"],
        name=item["name"],
        services=frozenset(_lower(item["services"])),
        service_task=item["service_task"],
        service=item["service"],
        is_remote=bool(item.get("remote", False)),
        limits=Limits(
            age=_pair(limits.get("age")),
            months=_pair(limits.get("months")) or (None, None),
            days_per_week=_pair(limits.get("days_per_week")),
            hours_per_day=(Decimal(str(hours[0])), Decimal(str(hours[1]))) if hours else None,
        ),
    )


def _check_pair(mistakes: _Mistakes, where: str, pair: object, *, may_be_open: bool) -> None:
    """Tell what is wrong with a lowest and a highest value."""
    if not isinstance(pair, list) or len(pair) != 2:
        mistakes.say(where, "expected a lowest and a highest value")
        return
    if not all(isinstance(end, int | float) or (may_be_open and end is None) for end in pair):
        mistakes.say(where, "expected numbers")
        return
    low, high = pair
    if low is not None and high is not None and low > high:
        mistakes.say(where, "the lowest value is above the highest")


def _pair(value: Any) -> Any:
    return tuple(value) if value else None


def _lower(stems: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(stem).casefold() for stem in stems)


def _families(products: Iterable[Product]) -> dict[str, frozenset[str]]:
    """Class or code -> codes of its products."""
    found: dict[str, set[str]] = {}
    for product in products:
        found.setdefault(product.family, set()).add(product.code)
        found.setdefault(product.code, set()).add(product.code)
    return {name: frozenset(codes) for name, codes in found.items()}


def _check_products(mistakes: _Mistakes, products: Iterable[Product]) -> None:
    seen: set[object] = set()
    for product in products:
        for mark in (product.code, *((service, product.number) for service in product.services)):
            if mark in seen:
                mistakes.say(f"product {product.code}", "another product has the same code, or service and number")
            seen.add(mark)


def _rule(
    mistakes: _Mistakes, where: str, item: Mapping[str, Any], families: Mapping[str, frozenset[str]]
) -> Rule | None:
    before = len(mistakes.told)
    kind = KINDS.get(str(item.get("kind")))
    if kind is None:
        mistakes.say(where, f"kind: expected one of {', '.join(sorted(KINDS))}")
        return None
    needed = {
        "id",
        "kind",
        "severity",
        "clause",
        *kind.params,
        "text" if kind.texts == ("text",) else "texts",
    }
    mistakes.keys(where, item, needed, _RULE_KEYS)
    _check_values(mistakes, where, item, kind)
    texts = {"text": item.get("text")} if kind.texts == ("text",) else item.get("texts", {})
    mistakes.keys(f"{where} texts", texts, kind.texts)
    for unknown in sorted(set(item.get("records", ())) - _TYPES):
        mistakes.say(where, f"records: {unknown} is no record type")
    for unknown in sorted(set(item.get("products", ())) - families.keys()):
        mistakes.say(where, f"products: {unknown} is neither a product nor a class")
    if len(mistakes.told) > before:
        return None
    return Rule(
        id=item["id"],
        kind=item["kind"],
        severity=_SEVERITIES[item["severity"]],
        clause=str(item["clause"]),
        texts={name: str(text) for name, text in texts.items()},
        records=frozenset(item.get("records", ())),
        products=frozenset(code for name in item.get("products", ()) for code in families[name]),
        params={name: item[name] for name in kind.params},
        valid_from=str(item.get("valid_from", "")),
        valid_to=str(item.get("valid_to", "")),
    )


def _check_values(mistakes: _Mistakes, where: str, item: Mapping[str, Any], kind: Kind) -> None:
    """Tell which severity or parameter of a rule is of the wrong sort."""
    if item.get("severity") not in _SEVERITIES:
        mistakes.say(where, f"severity: expected one of {', '.join(_SEVERITIES)}")
    for name, expected in kind.params.items():
        if name in item and not isinstance(item[name], expected):
            mistakes.say(where, f"{name}: expected {expected.__name__}")


def _words(mistakes: _Mistakes, where: str, item: Mapping[str, Any]) -> WordList | None:
    before = len(mistakes.told)
    mistakes.keys(where, item, ("name", "stems", "fields"))
    if len(mistakes.told) > before:
        return None
    fields = {record_type: tuple(names) for record_type, names in item["fields"].items()}
    return WordList(item["name"], _lower(item["stems"]), fields)


def _check_words(mistakes: _Mistakes, rules: Iterable[Rule], known: set[str]) -> None:
    for rule in rules:
        if "word" in rule.params and rule.params["word"] not in known:
            mistakes.say(f"rule {rule.id}", f"word: there is no word list {rule.params['word']}")


def _not_judged(mistakes: _Mistakes, where: str, item: Mapping[str, Any]) -> NotJudged | None:
    before = len(mistakes.told)
    mistakes.keys(where, item, ("rule", "reason"))
    if isinstance(item.get("reason"), dict):
        mistakes.keys(f"{where} reason", item["reason"], _LANGUAGES)
    else:
        mistakes.say(where, "reason: expected a text for each language")
    return NotJudged(item["rule"], dict(item["reason"])) if len(mistakes.told) == before else None
