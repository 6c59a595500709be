"""Tests of reading a tree: JSON, values, pointers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from kanta_gateway.mapping.tree import explain, leaves, to_json
from kanta_gateway.model import Coding, Identifier, Node, Oid, Scalar, Tree, ValueKind

LABEL = {"fi": "Otsikko", "sv": "Rubrik"}


def leaf(key: str, kind: ValueKind, value: Scalar, *, is_list: bool = False) -> Node:
    """A node with a value."""
    return Node(key, LABEL, kind, value, is_list=is_list)


def tree(*children: Node) -> Tree:
    """A document with these fields."""
    return Tree(Oid("2.999"), Node("root", LABEL, children=children))


def test_each_kind_of_value_has_its_json() -> None:
    """Numbers, moments, codings and identifiers are written as the structured form wants them."""
    moment = datetime(2026, 3, 19, 13, 33, 30, tzinfo=ZoneInfo("Europe/Helsinki"))
    value = to_json(
        tree(
            leaf("a", ValueKind.NUMBER, Decimal("5.0")),
            leaf("b", ValueKind.NUMBER, Decimal("5.5")),
            leaf("c", ValueKind.DATETIME, moment),
            leaf("d", ValueKind.CODING, Coding("2.999", "1", "Yksi")),
            leaf("e", ValueKind.IDENTIFIER, Identifier("2.999.1", "x")),
            leaf("f", ValueKind.BOOLEAN, value=False),
        )
    )

    assert value == {
        "root": {
            "a": 5,
            "b": 5.5,
            "c": "2026-03-19T13:33:30+02:00",
            "d": {"system": "urn:oid:2.999", "code": "1", "display": "Yksi"},
            "e": {"system": "urn:oid:2.999.1", "value": "x"},
            "f": False,
        }
    }


def test_repeatable_field_is_an_array_even_for_one() -> None:
    """One value of a repeatable field is written as an array, several in their order."""
    one = leaf("x", ValueKind.STRING, "a", is_list=True)

    assert to_json(tree(one)) == {"root": {"x": ["a"]}}
    assert to_json(tree(one, leaf("x", ValueKind.STRING, "b", is_list=True))) == {"root": {"x": ["a", "b"]}}


def test_values_come_in_the_order_of_the_document() -> None:
    """Values of groups stand where their group stands."""
    group = Node("g", LABEL, children=(leaf("b", ValueKind.STRING, "2"),))

    assert [one.value for one in leaves(tree(leaf("a", ValueKind.STRING, "1"), group))] == ["1", "2"]


def test_pointer_counts_within_a_repeat() -> None:
    """An explained value of a repeatable field carries its index."""
    rows = explain(tree(*(leaf("x", ValueKind.STRING, one, is_list=True) for one in "ab")))

    assert [one["pointer"] for one in rows] == ["/root/x/0", "/root/x/1"]
