"""The document tree read three ways: as JSON, as its values, and as where every value comes from.

* A repeatable field is an array even for one value; nodes of one key follow each other.
* JSON that fits its structure makes the same tree again.
* What is empty is not written.

Source: structured form of a document (Coding, Identifier, date, dateTime with zone).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Coding, Identifier, Node, Tree, ValueKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kanta_gateway.mapping.definitions import FieldDef, Structure

_URN = "urn:oid:"


def to_json(tree: Tree) -> dict[str, Any]:
    """The structured form: one root key, plain JSON values."""
    return {tree.root.key: _group(tree.root)}


def from_json(structure: Structure, value: Mapping[str, Any]) -> Tree:
    """The tree that a document's JSON means.

    Args:
        structure: that the JSON fits.
        value: with its one root key.
    """
    root = structure.root
    return Tree(structure.oid, _read_group(root, value[root.key]))


def leaves(tree: Tree) -> Iterator[Node]:
    """Every node that holds a value, in the order of the document."""
    stack = [tree.root]
    while stack:
        node = stack.pop()
        if node.kind is not None:
            yield node
        stack.extend(reversed(node.children))


def explain(tree: Tree) -> list[dict[str, Any]]:
    """For every value its JSON pointer, labels, kind and origins, as JSON values; never the value itself."""
    return list(_explained(tree.root, f"/{tree.root.key}"))


def _group(group: Node) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for node in group.children:
        value = _group(node) if node.kind is None else _WRITERS[type(node.value)](node.value)
        if not node.is_list:
            written[node.key] = value
        elif node.key in written:
            written[node.key].append(value)
        else:
            written[node.key] = [value]
    return written


def _read_group(group: FieldDef, value: Mapping[str, Any]) -> Node:
    children: list[Node] = []
    for child in group.children:
        held = value.get(child.key, [])
        every = held if child.is_list or held == [] else [held]
        children += (_read_group(child, one) if child.kind is None else _read(child, child.kind, one) for one in every)
    return Node(group.key, group.label, children=tuple(children), is_list=group.is_list)


def _read(one: FieldDef, kind: ValueKind, value: Any) -> Node:
    return Node(one.key, one.label, kind, _READERS.get(kind, _same)(value), is_list=one.is_list)


def _explained(group: Node, pointer: str) -> Iterator[dict[str, Any]]:
    seen: dict[str, int] = {}
    for node in group.children:
        place = f"{pointer}/{node.key}"
        if node.is_list:
            index = seen.get(node.key, 0)
            seen[node.key] = index + 1
            place = f"{place}/{index}"
        if node.kind is None:
            yield from _explained(node, place)
        else:
            origins = [
                {"path": one.path, "line": one.line, "rule": one.rule, "source": one.source} for one in node.origins
            ]
            yield {"pointer": place, "label": dict(node.label), "kind": node.kind.value, "origins": origins}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _coding(value: Coding) -> dict[str, str]:
    return {"system": _written(value.system), "code": value.code, "display": value.display}


def _identifier(value: Identifier) -> dict[str, str]:
    return {"system": _written(value.system), "value": value.value} if value.system else {"value": value.value}


def _written(system: str) -> str:
    """An OID as a URI; the name of a system that only one field uses stays as it is."""
    return system if "/" in system else f"urn:oid:{system}"


def _date(value: str) -> date | str:
    # A partial date stays a text: it has no day that a date could hold.
    return date.fromisoformat(value) if len(value) == len("2026-03-19") else value


def _datetime(value: str) -> datetime | str:
    # So does a moment that would be written in another way.
    read = datetime.fromisoformat(value) if "T" in value else None
    return read if read is not None and _moment(read) == value else value


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="seconds")


def _same(value: Any) -> Any:
    return value


_READERS: Mapping[ValueKind, Callable[[Any], Any]] = MappingProxyType({
    ValueKind.CODING: lambda value: Coding(value["system"].removeprefix(_URN), value["code"], value["display"]),
    ValueKind.DATE: _date,
    ValueKind.DATETIME: _datetime,
    ValueKind.IDENTIFIER: lambda value: Identifier(value.get("system", "").removeprefix(_URN), value["value"]),
    ValueKind.NUMBER: lambda value: value if isinstance(value, int) else Decimal(str(value)),
})  # fmt: skip
_WRITERS: Mapping[type, Callable[[Any], Any]] = MappingProxyType({
    bool: _same,
    int: _same,
    str: _same,
    Decimal: _number,
    date: date.isoformat,
    datetime: _moment,
    Coding: _coding,
    Identifier: _identifier,
})  # fmt: skip
