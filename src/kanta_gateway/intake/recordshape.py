"""The words of a record schema: those of JSON Schema that we use, and our annotations (`x-…`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import jsonschema_rs

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.recordtypes import DATA_CLASSES, TEXT_LENGTH, is_unbounded
from kanta_gateway.shapes import ANY, FLAG, TEXT, WHOLE, Either, Keys, ListOf, Named, OneOf, Shape, shaped
from kanta_gateway.stated import Lined, Mistakes, nearest, read

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_FIELD_WORDS: dict[str, Shape] = {
    "type": OneOf(_TYPES), "title": TEXT, "description": TEXT, "const": ANY, "enum": ListOf(ANY), "minLength": WHOLE,
    "maxLength": WHOLE, "minimum": ANY, "maximum": ANY, "exclusiveMinimum": ANY, "exclusiveMaximum": ANY,
    "format": OneOf(("clock", "date", "identity-code", "moment")), "pattern": TEXT, "minItems": WHOLE,
    "maxItems": WHOLE, "uniqueItems": FLAG, "additionalProperties": FLAG, "required": ListOf(TEXT), "x-fact": FLAG,
    "x-fact-length": WHOLE,
    "x-privacy": OneOf(("code", "contact", "names", "places", "names places")),
}  # fmt: skip
_FIELD = Keys({}, _FIELD_WORDS)
_FIELD_WORDS["properties"], _FIELD_WORDS["items"] = Named(_FIELD), _FIELD
_SCHEMA = Keys({"type": OneOf(("object",)), "properties": Named(_FIELD)}, {
    "$schema": TEXT, "$id": TEXT, "title": TEXT, "description": TEXT, "additionalProperties": FLAG,
    "required": ListOf(TEXT), "x-about": TEXT, "x-data-class": OneOf(DATA_CLASSES), "x-day": TEXT, "x-period": TEXT,
    "x-reference": FLAG, "x-subject": FLAG, "x-grants": Either((FLAG, OneOf(("open", "wide")))),
})  # fmt: skip


def check_schemas(files: Mapping[str, str], ways: Collection[str]) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """The schemas that hold, by record type, and every mistake of the others.

    Args:
        files: record type -> JSON text.
        ways: words that `x-period` may have.
    """
    found: dict[str, Mapping[str, Any]] = {}
    told: list[str] = []
    for name, text in files.items():
        mistakes = Mistakes(f"records/{name}.json")
        try:
            stated: Lined = shaped(read(text, mistakes), _SCHEMA, mistakes)
            _check(name, stated, ways, mistakes)
            mistakes.end()
        except MisconfiguredError as error:
            told += error.mistakes
        else:
            found[name] = _plain(stated)
    return found, told


def _check(name: str, stated: Lined, ways: Collection[str], mistakes: Mistakes) -> None:
    fields: Lined = stated["properties"]
    for word, names in (("x-day", [stated.get("x-day")]), ("required", stated.get("required", []))):
        for one in names:
            if one and one not in fields:
                mistakes.say(stated.at(word), f"{word}: there is no field {one}{nearest(one, fields)}")
    for key, one in fields.items():
        most = one.get("x-fact-length", TEXT_LENGTH)
        if "x-fact-length" in one and one.get("type") != "string":
            mistakes.say(one.at("x-fact-length"), f"{key}: x-fact-length: only of a text the beginning is kept")
        if one.get("x-fact") and is_unbounded(one) and most >= TEXT_LENGTH:
            mistakes.say(
                one.at("x-fact"),
                f"{key}: x-fact: a text outlives its record as a fact; give it a maxLength or an x-fact-length below "
                f"{TEXT_LENGTH}, or keep no more than whether it is filled (`asked` of the contract)",
            )
    way = stated.get("x-period")
    if way is not None and way not in ways:
        mistakes.say(stated.at("x-period"), f"x-period: expected one of {', '.join(sorted(ways))}{nearest(way, ways)}")
    if fields.get("type", {}).get("const") != name:
        line = fields.at("type")
        mistakes.say(line, f'properties type: expected {{"const": "{name}"}}, as the file is called')
    try:
        jsonschema_rs.validator_for(_plain(stated))
    except (jsonschema_rs.ValidationError, ValueError):
        mistakes.say(0, "is no JSON Schema; compare it with the package's own")


def _plain(value: Any) -> Any:
    """The value as plain objects, which the validator takes."""
    if isinstance(value, Lined):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
