"""One record through one mapping, as far as a document would go before it is signed: nothing is stored.

* The record is masked as intake would mask it, the document as composing would.
* A field of the record is used when a value of the document, a condition or the choice of an author comes from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kanta_gateway.mapping.tree import to_json
from kanta_gateway.model import Masked, Node, Oid, Record
from kanta_gateway.pipeline.compose import AUTHOR_FIELDS
from kanta_gateway.pipeline.minimising import Instruction, KnownToCase
from kanta_gateway.privacy.minimise import minimise, sift

if TYPE_CHECKING:
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.mapping.engine import Mapper, Variant
    from kanta_gateway.mapping.statements import DocumentMapping, FieldRule, Rule
    from kanta_gateway.pipeline.parts import Parts

_OF_RECORD = re.compile(r"\brecord((?:\.[a-z_]+(?:\[\])?)+)")
"""A path into the record, wherever it stands in an origin."""
_NAMED = frozenset({*AUTHOR_FIELDS, "recorder_name"})


def tried(
    parts: Parts,
    mapper: Mapper,
    variant: Variant,
    mapping: DocumentMapping,
    record: Record,
    around: Mapping[str, Any],
    contract: Contract,
) -> dict[str, Any]:
    """What one variant of a mapping makes of a record.

    Args:
        parts: the built gateway.
        mapper: that knows the mapping.
        variant: the document.
        mapping: the file that it stands in.
        record: the canonical record.
        around: the rest of the mapping's input.
        contract: whose instruction says what of a text is masked.
    """
    kind = parts.types[record.type]
    guard = parts.fingerprints.guard((), bool(around["client"].get("non_disclosure")))
    instruction = Instruction(parts.scanner, contract)
    clean = sift(parts.scanner, record.content, instruction.reading(kind, KnownToCase(guard, guard)))
    source = {
        **around, "record": {**clean.content, "id": record.id, "version": record.version, "type": record.type},
        "judged": {}, "language": parts.language, "day": str(clean.content.get(kind.day) or ""),
    }  # fmt: skip
    composed = mapper.compose(variant, source)
    tree, removed = minimise(parts.scanner, composed, guard)
    values = list(_values(tree.root, ""))
    found = parts.conformances(Oid(variant.structure)).check(to_json(tree))
    used = {*_used(values), *_asked(mapping)}
    if any("author." in origin for _, _, origins in values for origin in origins):
        used |= _NAMED
    leaves = list(dict.fromkeys(_leaves(clean.content, "")))
    return {
        "made_up": around["made_up"],
        "variant": variant.name, "structure": variant.structure, "record": record.id, "type": record.type,
        "document": [{"place": place, "value": value, "from": origins} for place, value, origins in values],
        "used": sorted(one for one in leaves if _is_used(one, used)),
        "left_over": sorted(one for one in leaves if not _is_used(one, used)),
        "masked": [_masked(one, "record") for one in clean.masked] + [_masked(one, "document") for one in removed],
        "unverified_codes": sorted({f"{one.params['list']} {one.params['code']}" for one in composed.findings
                                    if one.kind == "code-unverified"}),
        "asked": [_masked(one, "record") for one in clean.asked],
        "findings": [*(one for one in composed.findings if one.kind != "code-unverified"), *found],
    }  # fmt: skip


def _values(group: Node, place: str) -> Iterator[tuple[str, str, list[str]]]:
    """Place, value and origins of everything in a document."""
    seen: dict[str, int] = {}
    for node in group.children:
        seen[node.key] = seen.get(node.key, 0) + 1
        here = f"{place}{node.key}" + (f" {seen[node.key]}" if node.is_list else "")
        if node.kind is None:
            yield from _values(node, f"{here} / ")
        else:
            shown = getattr(node.value, "display", getattr(node.value, "value", node.value))
            yield here, str(shown), [f"{one.path} ({one.line})" for one in node.origins]


def _used(values: Iterable[tuple[str, str, list[str]]]) -> Iterator[str]:
    """Paths into the record from which the values come."""
    for _, _, origins in values:
        for origin in origins:
            yield from (path[1:] for path in _OF_RECORD.findall(origin))


def _asked(mapping: DocumentMapping) -> Iterator[str]:
    """Paths into the record that conditions of a mapping read."""
    fields: list[FieldRule] = [one for variant in mapping.variants for one in variant.fields]
    while fields:
        rules: list[Rule] = list(fields.pop().rules)
        while rules:
            rule = rules.pop()
            for one in rule.tests:
                yield from (path[1:] for path in _OF_RECORD.findall(one.path))
            rules.extend(rule.lines)
            fields.extend(rule.fields)


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one, f"{path}[]")
    else:
        yield path


def _is_used(leaf: str, used: Iterable[str]) -> bool:
    """Whether a field, or the whole in which it stands, is used."""
    return any(leaf == one or leaf.startswith((f"{one}.", f"{one}[]")) for one in used)


def _masked(one: Masked, of: str) -> dict[str, Any]:
    return {"in": of, "field": one.field, "class": one.cls, "count": one.count}
