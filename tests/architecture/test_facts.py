"""What outlives a record as a fact is never a text of any length (GDPR 5(1)(c))."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.contracts.builders import DEFAULTS, LAPHA, ROOT

from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.periods import WAYS
from kanta_gateway.intake.recordshape import check_schemas
from kanta_gateway.model import Record
from kanta_gateway.recordtypes import TEXT_LENGTH, is_unbounded

SCHEMAS = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "schemas" / "records").glob("*.json"))}


def test_no_fact_is_a_text_of_any_length() -> None:
    """Every field that is kept as a fact is bounded, deep inside too, or its beginning only is kept."""
    kept = [
        (name, key, one) for name, text in SCHEMAS.items()
        for key, one in json.loads(text)["properties"].items() if one.get("x-fact")
    ]  # fmt: skip
    found = [
        (name, key) for name, key, one in kept if is_unbounded(one) and one.get("x-fact-length", TEXT_LENGTH) >= 1000
    ]

    assert len(kept) > 100
    assert [] == found
    assert ["agreement"] == [name for name, _, one in kept if "x-fact-length" in one]


@pytest.mark.parametrize(("field", "is_told"), [
    ({"type": "string"}, True),
    ({"type": "string", "maxLength": 100_000}, True),
    ({"type": "string", "pattern": "^[a-z]+$"}, True),
    ({"type": "string", "pattern": "[0-9]"}, True),
    ({"type": "array", "items": {"type": "object", "properties": {"note": {"type": "string"}}}}, True),
    ({"type": "string", "maxLength": 5000, "x-fact-length": 1000}, True),
    ({"type": "string", "maxLength": 5000, "x-fact-length": 200}, False),
    ({"type": "string", "maxLength": 200}, False),
    ({"type": "string", "pattern": "^[0-9]{4}$"}, False),
    ({"enum": ["a"]}, False),
])  # fmt: skip
def test_a_schema_that_keeps_one_is_refused(field: dict[str, Any], is_told: bool) -> None:  # noqa: FBT001 — a case
    """A record type of one's own with such a fact is a mistake of its file, told with what to do."""
    fields = {"type": {"const": "visit"}, "said": {**field, "x-fact": True}}
    _, told = check_schemas({"visit": json.dumps({"type": "object", "properties": fields})}, WAYS)

    assert is_told == any("said: x-fact: a text outlives its record" in one for one in told)
    assert is_told == bool(told)


def test_only_a_text_has_a_beginning() -> None:
    """The beginning of a list is no fact: it would be another one than was delivered."""
    fields = {"type": {"const": "visit"}, "days": {"type": "array", "x-fact": True, "x-fact-length": 2}}
    _, told = check_schemas({"visit": json.dumps({"type": "object", "properties": fields})}, WAYS)

    assert ["only of a text the beginning is kept"] == [one.rpartition(": ")[2] for one in told]


def test_of_an_agreements_place_the_beginning_is_kept() -> None:
    """A unit's name, which a rule looks for at the beginning, is kept; what is told after it is not."""
    place = "Näytepaja " + "x" * 500
    kept = facts(LAPHA, Record("agreement", "a", 1, None, {**DEFAULTS["agreement"], "place": place}))
    absent = facts(LAPHA, Record("agreement", "a", 1, None, {}))

    assert place[:200] == kept["place"]
    assert "place" not in absent
