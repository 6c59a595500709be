"""Properties of composing: total, repeatable, and the same as a second writer says."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.documents import PRODUCTS, mapper, schema, source
from tests.vector.naive import EVENTS, write

from kanta_gateway.mapping.tree import explain, leaves, to_json

TYPES = sorted(mapper().record_types())
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.just("2025-09-01"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "surname", "subgoals", "oid", "date"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SAID = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip)
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "clock": st.times().map(lambda one: f"{one:%H:%M}"),
    "integer": st.integers(0, 480),
    "moment": st.just("2025-09-23T08:05"),
    "number": st.integers(0, 96).map(lambda one: one / 4),
    "string": SAID,
}
DAYS = st.dates(min_value=date(2000, 1, 1)).map(str)


def contents(record_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Valid content of one record type, any optional field left out."""
    stated = schema(record_type)["properties"]
    names = {name for name in stated if name not in {"id", "version", "type", "client", "cancelled"}}
    fields = {name: _value(stated[name]) for name in names}
    return st.fixed_dictionaries({"date": DAYS}, optional={n: f for n, f in fields.items() if n != "date"})


def _value(stated: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "enum" in stated:
        return st.sampled_from(stated["enum"])
    if stated.get("format") == "date":
        return DAYS
    return PLAIN.get(str(stated.get("format")), PLAIN.get(str(stated.get("type")), st.none()))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), record_type=st.sampled_from(TYPES), language=st.sampled_from(["fi", "sv", "xx"]))
def test_composing_is_total_and_repeatable(data: st.DataObject, record_type: str, language: str) -> None:
    """Whatever the input holds, a tree comes out; twice the same, and its JSON can be written."""
    fields = [*schema(record_type)["properties"], "goals"]
    content = data.draw(st.dictionaries(st.sampled_from(fields), ANYTHING, max_size=8))
    others: dict[str, Any] = data.draw(
        st.dictionaries(st.sampled_from(["client", "author", "staff", "unit", "decision"]), ANYTHING, max_size=3)
    )
    everything = {**source(content, record_type), "language": language, **others}
    for variant in mapper().variants(record_type, everything["product"]):
        tree = mapper().compose(variant, everything)
        written = to_json(tree)

        assert mapper().compose(variant, everything) == tree
        assert json.dumps(written, allow_nan=False)
        assert len(explain(tree)) == len(list(leaves(tree)))


@pytest.mark.parametrize("record_type", sorted(EVENTS))
@settings(max_examples=100, deadline=None)
@given(data=st.data(), product=st.sampled_from(sorted(PRODUCTS)))
def test_second_writer_agrees(record_type: str, data: st.DataObject, product: str) -> None:
    """A writer that shares nothing with the engine makes the same JSON."""
    everything = source(data.draw(contents(record_type)), record_type, product)
    (variant,) = mapper().variants(record_type, everything["product"])

    assert orjson.loads(orjson.dumps(to_json(mapper().compose(variant, everything)))) == write(everything)
