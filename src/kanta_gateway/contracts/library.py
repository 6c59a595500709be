"""Every contract file with the law that it inherits, put together once.

* A rule of the law holds for the contract's products of its types of service, while both are in force.
* What the contract's own rule tells (`covers`) is not told again; what the contract gives to somebody else
  (`elsewhere`) is not judged, if the law lets it be.
* A contract that inherits what there is not, or covers or gives away what the law does not have, is a mistake.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from kanta_gateway.contracts import lawreader, reader
from kanta_gateway.contracts.law import Inherited, Law, ServiceType
from kanta_gateway.contracts.mistakes import Mistakes
from kanta_gateway.errors import MisconfiguredError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kanta_gateway.contracts.rules import Contract, FigureRule, Rule
    from kanta_gateway.recordtypes import RecordTypes

S = TypeVar("S")
T = TypeVar("T")
_Stretches = dict[str, dict[tuple[str, str], set[str]]]
"""Type of service -> first and last day -> codes of the products that it holds for."""


def load(texts: Mapping[str, str], types: RecordTypes) -> dict[str, Contract]:
    """Every purchaser's contract by the name of its file, with what it inherits.

    Args:
        texts: name of each file -> its YAML text; files of law among them.
        types: every record type.

    Raises:
        MisconfiguredError: a file is wrong, or two do not fit; every mistake of every file is told.
    """
    told: list[str] = []
    files = _kept(texts, reader.stated, told)
    laws = _kept({name: one for name, one in files.items() if lawreader.KEY in one.data},
                 lambda one, name: lawreader.of(one, name, types), told)  # fmt: skip
    own = _kept({name: one for name, one in files.items() if lawreader.KEY not in one.data},
                lambda one, name: reader.of(one, name, types), told)  # fmt: skip
    whole = _kept(own, lambda one, name: inherit(one, laws, files[name]), told)
    if told:
        raise MisconfiguredError(mistakes=told)
    return whole


def _kept(given: Mapping[str, S], read: Callable[[S, str], T], told: list[str]) -> dict[str, T]:
    """What could be read, by name; what is wrong with the others is told."""
    made: dict[str, T] = {}
    for name, one in given.items():
        try:
            made[name] = read(one, name)
        except MisconfiguredError as error:
            told += error.mistakes
    return made


def inherit(contract: Contract, laws: Mapping[str, Law], file: Mistakes | None = None) -> Contract:
    """A contract with the rules, figures and reference data of the law that it inherits.

    Args:
        contract: as its file says.
        laws: every file of law by its name.
        file: where it stands, for the lines of what is told.

    Raises:
        MisconfiguredError: it does not fit the law; every mistake is told.
    """
    if mistakes := list(_mistakes(contract, laws)):
        lines = Mistakes(contract.name, file.data if file is not None else None)
        for one in mistakes:
            where, _, what = one.partition(": ")
            lines.say(where, what)
        raise MisconfiguredError(mistakes=lines.told)
    mine = tuple(laws[name] for name in contract.inherits)
    away = {one.rule for one in contract.elsewhere}
    rules: list[Rule] = []
    figures: list[FigureRule] = []
    for law in mine:
        stretches = _stretches(contract, law)
        for rule in law.rules:
            if rule.id not in away:
                rules += _copies(contract, rule, stretches)
        for figure in law.figures:
            found = {code for name in figure.products for codes in stretches.get(name, {}).values() for code in codes}
            if found:
                figures.append(replace(figure, products=frozenset(found)))
    law_ids = {one.id for one in rules} | {name for one in figures for name in one.rules}
    inherited = Inherited(mine, _covered(contract), tuple(figures), contract.elsewhere, frozenset(law_ids))
    return replace(contract, rules=(*contract.rules, *rules), law=inherited)


def _mistakes(contract: Contract, laws: Mapping[str, Law]) -> Iterator[str]:
    yield from (f"inherits: there is no file of law {name}" for name in contract.inherits if name not in laws)
    mine = [laws[name] for name in contract.inherits if name in laws]
    known = {rule.id for law in mine for rule in law.rules}
    types = {name for law in mine for name in law.services}
    for product in contract.products:
        if product.service_type and product.service_type not in types:
            yield f"product {product.code}: the law has no type of service {product.service_type}"
    for rule in contract.rules:
        yield from (f"rule {rule.id}: covers {name}, which the law does not judge" for name in rule.same_as - known)
    givable = {rule.id for law in mine for rule in law.rules if rule.may_be_elsewhere}
    for one in contract.elsewhere:
        if one.rule not in givable:
            yield f"elsewhere: {one.rule} is no duty that a contract can give to somebody else"


def _stretches(contract: Contract, law: Law) -> _Stretches:
    found: _Stretches = {}
    for product in contract.products:
        for name, start, end in law.stretches(product.service_type):
            found.setdefault(name, {}).setdefault((start, end), set()).add(product.code)
    return found


def _copies(contract: Contract, rule: Rule, stretches: _Stretches) -> Iterator[Rule]:
    """A rule of the law for each stretch of time in which it holds for products of the contract."""
    words = {one.name for one in contract.words if one.means in rule.unless_means}
    rule = replace(rule, unless_words=rule.unless_words | words)
    if not rule.products:
        yield rule
    for name in sorted(rule.products):
        for (start, end), codes in sorted(stretches.get(name, {}).items()):
            first, last = max(start, rule.valid_from), min((one for one in (end, rule.valid_to) if one), default="")
            if not last or first <= last:
                yield replace(rule, products=frozenset(codes), valid_from=first, valid_to=last)


def _covered(contract: Contract) -> dict[str, frozenset[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for rule in contract.rules:
        for name in rule.same_as:
            found.setdefault(name, set()).update((rule.id, text) for text in rule.texts.values())
    return {name: frozenset(texts) for name, texts in found.items()}


def laws_of(contracts: Iterable[Contract]) -> dict[str, Law]:
    """Every file of law that some contracts inherit, by its name: for `inherit` of one more.

    Args:
        contracts: as `load` gives them.
    """
    return {law.name: law for one in contracts for law in one.law.laws}


def report(contracts: Iterable[Contract]) -> dict[str, dict[str, object]]:
    """Which rules of the law each contract covers by its own, inherits, gives to others, or cannot judge.

    Args:
        contracts: as `load` gives them.
    """
    return {one.name: _standing(one) for one in contracts if one.inherits}


def _standing(contract: Contract) -> dict[str, object]:
    law, own = contract.law, contract.rules
    covered = {name: sorted({rule.id for rule in own if name in rule.same_as}) for name in sorted(law.covered)}
    away = {one.rule for one in law.elsewhere}
    judged = {rule.id for one in law.laws for rule in one.rules} | {
        name for one in law.laws for figure in one.figures for name in figure.rules
    }
    told: dict[str, object] = {
        "covered": covered,
        "inherited": sorted(law.applied - covered.keys()),
        "elsewhere": sorted(away),
        "concerns_no_product": sorted(judged - law.applied - away),
    }
    if law.applied:
        told["not_judged"] = sorted({one.rule for each in law.laws for one in each.not_judged})
        told["not_software"] = sorted({one.rule for each in law.laws for one in each.not_software})
    types = (one for each in law.laws for one in each.services.values())
    told["services"] = [found for one in types if (found := _service(contract, one))["products"]]
    told["without_service_type"] = sorted(one.code for one in contract.products if not one.service_type)
    return told


def _service(contract: Contract, one: ServiceType) -> dict[str, object]:
    """A type of service as the law has it, and the contract's products of it."""
    named = {"name": one.name, "act": one.act, "organiser": one.organiser, "valid_from": one.valid_from,
             "valid_to": one.valid_to, "successor": one.successor}  # fmt: skip
    told: dict[str, object] = {key: value for key, value in named.items() if value}
    return {**told, "products": sorted(each.code for each in contract.products if each.service_type == one.name)}
