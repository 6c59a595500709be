"""Our compact structures against the official schemas, where those are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanta_gateway import knowledge
from kanta_gateway.mapping.sosmeta import from_sosmeta
from kanta_gateway.mapping.structures import FieldDef, Structure, Structures, json_schema, key_of
from kanta_gateway.model import ValueKind

pytestmark = pytest.mark.reference

ROOT = Path(__file__).resolve().parents[2]
OWN = Structures.load(knowledge.texts("schemas/structures"))


def folder() -> Path:
    """The folder of the official schemas; the test is skipped without it."""
    place = Path(os.environ.get("REFERENCE_DIR", ROOT.parent / "shared")) / "thl"
    if not place.is_dir():
        pytest.skip("no official schemas: set REFERENCE_DIR to the folder that holds thl/")
    return place


def official(oid: str) -> dict[str, Any]:
    """One official schema."""
    read: dict[str, Any] = json.loads((folder() / f"{oid}.json").read_text("utf-8"))
    return read


def flat(structure: Structure) -> list[tuple[str, Any]]:
    """Every field with all that is compared, in order."""
    return [
        (
            path,
            (
                one.kind,
                one.min,
                one.max,
                dict(one.label),
                one.code_system,
                one.allowed,
                one.identifier_system,
            ),
        )
        for path, one in structure.paths().items()
    ]


def is_assertion(keyword: str, value: Any) -> bool:
    """Whether a part of a schema decides about validity."""
    return keyword not in {"sosmeta", "$schema"} and not (keyword == "title" and isinstance(value, str))


def bare(schema: Any) -> Any:
    """A schema without annotations."""
    if isinstance(schema, dict):
        return {key: bare(value) for key, value in schema.items() if is_assertion(key, value)}
    return schema


def test_every_official_schema_has_our_statement() -> None:
    """There is a compact statement for every official schema at hand."""
    assert {path.stem for path in folder().glob("*.json")} == {str(one.oid) for one in OWN.all()}


@pytest.mark.parametrize("number", sorted(one.number for one in OWN.all()))
def test_key_by_key(number: str) -> None:
    """A compact structure says key by key what the official schema says."""
    ours = OWN.by_number(number)
    theirs = from_sosmeta(official(ours.oid))

    assert flat(theirs) == flat(ours)
    assert (theirs.root.key, dict(theirs.title), theirs.document_type, theirs.number) == (
        ours.root.key, dict(ours.title), ours.document_type, ours.number,
    )  # fmt: skip


def test_every_official_schema_is_read() -> None:
    """Every official schema is read, means the same schema again, and follows the slug rule."""
    for path in sorted(folder().glob("*.json")):
        schema = json.loads(path.read_text("utf-8"))
        structure = from_sosmeta(schema)
        assert bare(schema) == {k: v for k, v in json_schema(structure).items() if k != "$schema"}
        assert structure.official is not None
        assert bare(schema) == {k: v for k, v in structure.official.items() if k != "$schema"}
        assert all(key_of(one.label["fi"]) == one.key for one in structure.paths().values())


def some(right: Any, *wrong: Any, is_right: bool) -> st.SearchStrategy[Any]:
    """The right value, or now and then a wrong one."""
    return st.just(right) if is_right else st.sampled_from([right, *wrong])


def values(one: FieldDef, *, is_right: bool) -> st.SearchStrategy[Any]:
    """Values of a field: all right, or some wrong."""
    system = one.code_system or "2.999"
    internal = system if "/" in system else f"urn:oid:{system}.2008"
    code = one.allowed[0] if one.allowed else "1"
    coding = {"system": internal, "code": code, "display": "x"}
    kinds: dict[ValueKind, tuple[Any, ...]] = {
        ValueKind.BOOLEAN: (True, "true"),
        ValueKind.CODING: (
            coding,
            {**coding, "system": system[:-1]},
            {**coding, "code": "Y99"},
            {"code": code},
        ),
        ValueKind.DATE: ("2026-03-19", "19.3.2026"),
        ValueKind.DATETIME: ("2026-03-19T13:33:30+03:00", "2026-03-19T13:33:30"),
        ValueKind.IDENTIFIER: ({"value": "x"}, {"system": "x"}),
        ValueKind.NUMBER: (1.5, "1"),
        ValueKind.STRING: (one.allowed[0] if one.allowed else "teksti", ""),
    }
    value = group(one, is_right=is_right) if one.kind is None else some(*kinds[one.kind], is_right=is_right)
    return st.lists(value, min_size=one.min if is_right else 0, max_size=2) if one.is_list else value


def group(one: FieldDef, *, is_right: bool) -> st.SearchStrategy[Any]:
    """A group with its required fields and some of the others; a wrong one may lack or add some."""
    fields = {child.key: values(child, is_right=is_right) for child in one.children}
    required = {child.key: fields.pop(child.key) for child in one.children if child.min}
    if is_right:
        return st.fixed_dictionaries(required, optional=fields)
    return st.fixed_dictionaries({}, optional={**required, **fields, "tuntematon": st.just("x")})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_schemas_agree(data: st.DataObject) -> None:
    """Our schema and the official one agree on the validity of any value, and right values are valid."""
    ours = data.draw(st.sampled_from(OWN.all()))
    is_right = data.draw(st.booleans())
    value = {ours.root.key: data.draw(group(ours.root, is_right=is_right))}
    is_valid = jsonschema_rs.Draft7Validator(json_schema(ours)).is_valid(value)

    assert jsonschema_rs.Draft7Validator(official(ours.oid)).is_valid(value) == is_valid
    assert is_valid or not is_right
