"""Contract text into an immutable contract, with every mistake told at once.

* An unknown key is a mistake as much as a missing one: what is written in a contract file has an effect.
* A number stays what is written: hours may be fractions, kept as decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kanta_gateway import stated as lined
from kanta_gateway.contracts.attendance import read_attendance
from kanta_gateway.contracts.contractshape import CONTRACT
from kanta_gateway.contracts.expected import read_expected
from kanta_gateway.contracts.minimisation import read_minimisation
from kanta_gateway.contracts.mistakes import Mistakes, each
from kanta_gateway.contracts.products import Limits, Price, Product
from kanta_gateway.contracts.rulereader import Known, check_figures, check_words, figure, placed, rule
from kanta_gateway.contracts.rules import (
    Contract,
    Parties,
    Reconciliation,
)
from kanta_gateway.contracts.scales import read_scale
from kanta_gateway.contracts.terms import read_terms
from kanta_gateway.contracts.unjudged import elsewhere, not_judged, not_software
from kanta_gateway.contracts.words import Titles, WordList
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.shapes import shaped
from kanta_gateway.stated import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kanta_gateway.recordtypes import RecordTypes

_TAKES = ("good-rows", "all-or-nothing")
_MEANINGS = ("", "not-realised", "not-absent")
_NEEDED = ("contract", "source", "products", "rules")
_OPTIONAL = (
    "figures", "totals", "reconciliation", "scale", "words", "titles", "not_judged", "not_software",
    "development_parties", "author_from", "attendance", "completeness", "delivered", "makes", "minimisation", "take",
    "inherits", "elsewhere", "notices", "delivery_window_months",
)  # fmt: skip


def read(text: str, name: str, types: RecordTypes) -> Contract:
    """Read a contract file: `of` what stands in it."""
    return of(stated(text, name), name, types)


def of(file: Mistakes, name: str, types: RecordTypes) -> Contract:
    """The contract that a file states.

    Args:
        file: what stands in it.
        name: the file's name, for messages.
        types: every record type.

    Raises:
        MisconfiguredError: the file is wrong; every mistake is told.
    """
    mistakes, data = file, file.data
    mistakes.keys(name, data, _NEEDED, _OPTIONAL)
    parts = _parts(mistakes, data, types)
    if mistakes.told:
        raise MisconfiguredError(mistakes=mistakes.told)
    titles = {kind: _lower(stems) for kind, stems in data.get("titles", {}).items()}
    return Contract(
        name=str(data["contract"]), source=str(data["source"]), types=types, titles=Titles(**titles), **parts
    )  # fmt: skip


def _parts(mistakes: Mistakes, data: Mapping[str, Any], types: RecordTypes) -> dict[str, Any]:
    """The parts of the contract as they were read, some lacking where there are mistakes."""
    products = tuple(each(mistakes, data, "products", _product))
    _check_products(mistakes, products)
    _check_types(mistakes, data)
    known = Known(types, _families(products))
    words = tuple(each(mistakes, data, "words", _words))
    rules = placed(each(mistakes, data, "rules", lambda m, w, v: rule(m, w, v, known)), data.get("contract"))
    check_words(mistakes, rules, {one.name for one in words})
    figures = tuple(each(mistakes, data, "figures", lambda m, w, v: figure(m, w, v, known)))
    totals = {group: tuple(names) for group, names in data.get("totals", {}).items()}
    check_figures(mistakes, figures, totals)
    names = {one.name for one in figures}
    mistakes.keys("titles", data.get("titles", {}), (), ("registered", "unregistered", "unsuitable"))
    return {
        "products": products,
        "rules": rules,
        "words": words,
        "figures": figures,
        "totals": totals,
        "delivered": str(data.get("delivered", "")),
        "reconciliation": _reconciliation(mistakes, data.get("reconciliation"), known, names),
        "scale": read_scale(mistakes, data.get("scale", {})),
        "not_judged": tuple(each(mistakes, data, "not_judged", not_judged)),
        "attendance": read_attendance(mistakes, data.get("attendance"), known.families),
        "author_from": _author_from(mistakes, data.get("author_from", {}), types),
        "take": _take(mistakes, data.get("take", {})),
        "development_parties": _parties(mistakes, data.get("development_parties")),
        "not_software": tuple(each(mistakes, data, "not_software", not_software)),
        "expected": read_expected(mistakes, data.get("completeness"), known),
        "minimisation": read_minimisation(mistakes, data.get("minimisation"), types),
        "inherits": tuple(str(one) for one in data.get("inherits", ())),
        "elsewhere": tuple(each(mistakes, data, "elsewhere", elsewhere)),
        "delivery_months": _months(mistakes, data.get("delivery_window_months", 24)),
        "makes": _makes(mistakes, data.get("makes", []), types),
        "notices": tuple(each(mistakes, data, "notices", lambda m, w, v: read_terms(m, w, v, known.families))),
    }


def _months(mistakes: Mistakes, stated: object) -> int:
    if isinstance(stated, int) and not isinstance(stated, bool) and stated >= 0:
        return stated
    mistakes.say("delivery_window_months", "expected a number of months")
    return 0


def _makes(mistakes: Mistakes, stated: Any, types: RecordTypes) -> frozenset[str]:
    """Reference types about a client that the authority asks for as documents."""
    names = [str(one) for one in stated] if isinstance(stated, list) else []
    if not isinstance(stated, list):
        mistakes.say("makes", "expected a list of record types; write [decision]")
    for name in names:
        if name not in types or not types[name].is_reference or types[name].about != "client":
            mistakes.say("makes", f"{name} is no reference record about a client, which alone needs to be asked for")
    return frozenset(names)


def _author_from(mistakes: Mistakes, stated: Mapping[str, Any], types: RecordTypes) -> dict[str, tuple[str, ...]]:
    for unknown in sorted({*stated, *(one for names in stated.values() for one in names)} - types.keys()):
        mistakes.say("author_from", f"{unknown} is no record type{nearest(unknown, types)}")
    return {name: tuple(names) for name, names in stated.items()}


def _take(mistakes: Mistakes, stated: Mapping[str, str]) -> dict[str, str]:
    for source, how in stated.items():
        if how not in _TAKES:
            mistakes.say(f"take {source}", f"expected {' or '.join(_TAKES)}{nearest(how, _TAKES)}")
    return dict(stated)


def _parties(mistakes: Mistakes, stated: Mapping[str, Any] | None) -> Parties | None:
    if stated is None:
        return None
    before = len(mistakes.told)
    mistakes.keys("development_parties", stated, ("provider", "organiser", "contract"))
    mistakes.keys("development_parties provider", stated.get("provider", {}), ("oid", "name"),
                  ("business_id", "registered", "units"))  # fmt: skip
    mistakes.keys("development_parties organiser", stated.get("organiser", {}), ("oid", "name"))
    if len(mistakes.told) > before:
        return None
    return Parties(stated["provider"], stated["organiser"], str(stated["contract"]))


def stated(text: str, name: str) -> Mistakes:
    """What stands in a file, with the mistakes that it has so far.

    Args:
        text: its YAML text.
        name: the file's name, for messages.

    Raises:
        MisconfiguredError: it is not YAML, or no keys and values.
    """
    lines = lined.Mistakes(f"contracts/{name}.yaml")
    made = Mistakes(name, shaped(lined.read(text, lines), CONTRACT, lines))
    made.told.extend(lines.told)
    return made


def _product(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> Product | None:
    before = len(mistakes.told)
    needed = ("code", "class", "name", "services", "service_task", "service", "limits")
    mistakes.keys(where, item, needed, ("number", "remote", "prices", "service_type"))
    limits = item.get("limits")
    if not isinstance(limits, dict):
        mistakes.say(where, "limits: expected keys and values")
        return None
    mistakes.keys(f"{where} limits", limits, (), ("age", "months", "days_per_week", "hours_per_day", "group", "hours"))
    for name, pair in limits.items():
        _check_pair(mistakes, f"{where} limits {name}", pair, may_be_open=name == "months")
    prices = tuple(each(mistakes, item, "prices", lambda m, w, v: read_price(m, f"{where} {w}", v)))
    if len(mistakes.told) > before:
        return None
    hours = limits.get("hours_per_day")
    return Product(
        code=item["code"],
        family=item["class"],
        number=item.get("number"),
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
            group=_pair(limits.get("group")),
            hours=Decimal(str(limits["hours"][1])) if "hours" in limits else None,
        ),
        prices=prices,
        service_type=str(item.get("service_type") or ""),
    )


def read_price(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> Price | None:
    """One dated amount, or None if it does not hold."""
    before = len(mistakes.told)
    mistakes.keys(where, item, ("amount",), ("valid_from", "valid_to"))
    amount = item.get("amount")
    if not isinstance(amount, int | float) or isinstance(amount, bool):
        mistakes.say(where, "amount: expected a number of euros")
    if len(mistakes.told) > before:
        return None
    return Price(Decimal(str(amount)), str(item.get("valid_from", "")), str(item.get("valid_to", "")))


def _check_pair(mistakes: Mistakes, where: str, pair: object, *, may_be_open: bool) -> None:
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


def _check_products(mistakes: Mistakes, products: Iterable[Product]) -> None:
    seen: set[object] = set()
    for product in products:
        for mark in (product.code, *((service, product.number) for service in product.services)):
            if mark in seen:
                mistakes.say(f"product {product.code}", "another product has the same code, or service and number")
            seen.add(mark)


def _check_types(mistakes: Mistakes, data: Mapping[str, Any]) -> None:
    """Where the law is inherited every product says which type of service it is, or that it is none (`null`)."""
    products = data.get("products")
    for item in products if data.get("inherits") and isinstance(products, list) else ():
        if isinstance(item, dict) and "service_type" not in item:
            mistakes.say(
                f"product {item.get('code', '')}", "service_type is missing; null where the law has no such type"
            )


def _reconciliation(mistakes: Mistakes, item: Any, known: Known, figures: Collection[str]) -> Reconciliation | None:
    if item is None:
        return None
    where, before = "reconciliation", len(mistakes.told)
    if not isinstance(item, dict):
        mistakes.say(where, "expected keys and values")
        return None
    mistakes.keys(where, item, ("attended", "absent", "invoiced", "lines", "to_check", "rule", "clause"))
    for name in ("attended", "absent"):
        known.check(mistakes, f"{where} {name}", {"records": item.get(name, ())})
    for name in ("lines", "to_check"):
        if item.get(name) not in figures:
            mistakes.say(where, f"{name}: {item.get(name)} is no figure")
    for record_type in item.get("attended", ()):
        if record_type in known.types and item.get("invoiced") not in known.types[record_type].facts:
            mistakes.say(where, f"invoiced: {item.get('invoiced')} is no fact of {record_type}")
    if len(mistakes.told) > before:
        return None
    names = ("invoiced", "lines", "to_check", "rule", "clause")
    return Reconciliation(tuple(item["attended"]), tuple(item["absent"]), *(str(item[name]) for name in names))


def _words(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> WordList | None:
    before = len(mistakes.told)
    mistakes.keys(where, item, ("name", "stems", "fields"), ("marks", "means"))
    if item.get("means", "") not in _MEANINGS:
        mistakes.say(where, f"means: expected one of {', '.join(_MEANINGS[1:])}")
    if len(mistakes.told) > before:
        return None
    fields = {record_type: tuple(names) for record_type, names in item["fields"].items()}
    return WordList(
        item["name"], _lower(item["stems"]), fields, frozenset(item.get("marks", ())), item.get("means", "")
    )  # fmt: skip
