"""Tests that nothing of a record is lost on the way into its documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.documents import PRODUCTS, full, left_out, mapper, source, texts

from kanta_gateway import knowledge
from kanta_gateway.mapping.conformance import Conformance
from kanta_gateway.mapping.structures import Structures
from kanta_gateway.mapping.tree import to_json

if TYPE_CHECKING:
    from kanta_gateway.model import Tree

OF_INTERRUPTION = {"interrupted_on", "interruption_reason"}
"""A notice of a start that tells them contradicts itself, and its structure says so."""

STRUCTURES = Structures.load(knowledge.texts("schemas/structures"))


def composed(record_type: str, content: dict[str, object], product: str) -> list[Tree]:
    """Every document of one record."""
    given = source(content, record_type, product)
    return [mapper().compose(one, given) for one in mapper().variants(record_type, given["product"])]


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("record_type", sorted(mapper().record_types()))
def test_every_field_shows_or_is_listed(record_type: str, product: str) -> None:
    """A field without which a record's documents are the same stands in docs/left-out.md. [REC-01]"""
    content = full(record_type)
    whole = composed(record_type, content, product)

    silent = {
        field
        for field in content
        if composed(record_type, {key: content[key] for key in content if key != field}, product) == whole
    }

    assert {field for field in silent if not {("all", field), (record_type, field)} & left_out()} == set()


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("record_type", sorted(mapper().record_types()))
def test_every_text_is_carried_as_it_is(record_type: str, product: str) -> None:
    """Every narrative text of a record stands in its documents, character for character."""
    content = full(record_type)
    listed = {field for record, field in left_out() if record in {"all", record_type}}
    shown = "\n".join(text for tree in composed(record_type, content, product) for text in texts(to_json(tree)))

    narrative = [one for field in content if field not in listed for one in texts(content[field]) if " " in one]

    assert [one for one in narrative if one not in shown] == []


def test_list_of_what_is_left_out_is_alive() -> None:
    """Every row of docs/left-out.md names a record type that makes documents, and a field that it has."""
    fields = {record: {"id", "version", "type", *full(record)} for record in mapper().record_types()}

    dead = {
        (record, field)
        for record, field in left_out()
        if not any(field in fields[one] for one in (fields if record == "all" else [record]))
    }

    assert dead == set()


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("record_type", sorted(mapper().record_types()))
def test_document_of_a_full_record_fits_its_structure(record_type: str, product: str) -> None:
    """A record with every field makes documents that their structures accept. [REC-04]"""
    content = {key: value for key, value in full(record_type).items() if key not in OF_INTERRUPTION}
    found = [
        finding
        for tree in composed(record_type, content, product)
        for finding in Conformance(STRUCTURES.get(tree.structure)).check(to_json(tree))
    ]

    assert found == []
