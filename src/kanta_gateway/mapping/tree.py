"""The document tree read three ways: as JSON, as its values, and as where every value comes from.

* A repeatable field is an array even for one value; nodes of one key follow each other.
* What is empty is not written.

Source: structured form of a document (Coding, Identifier, date, dateTime with zone).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Coding, Identifier, Node, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def to_json(tree: Tree) -> dict[str, Any]:
    """The structured form: one root key, plain JSON values."""
    return {tree.root.key: _group(tree.root)}


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
    return {"system": f"urn:oid:{value.system}", "code": value.code, "display": value.display}


def _identifier(value: Identifier) -> dict[str, str]:
    return {"system": f"urn:oid:{value.system}", "value": value.value}


def _same(value: Any) -> Any:
    return value


_WRITERS: Mapping[type, Callable[[Any], Any]] = MappingProxyType({
    bool: _same,
    int: _same,
    str: _same,
    Decimal: _number,
    date: date.isoformat,
    datetime: lambda value: value.isoformat(timespec="seconds"),
    Coding: _coding,
    Identifier: _identifier,
})  # fmt: skip
