"""The words of a source file (`docs/reference-sources.md`), and which field of a record each value goes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kanta_gateway.intake.kinds import SHAPES
from kanta_gateway.intake.records import FRAME
from kanta_gateway.intake.tables import LAYOUTS
from kanta_gateway.intake.valuekinds import KINDS
from kanta_gateway.intake.values import UNITS
from kanta_gateway.shapes import ANY, FLAG, NOTHING, TEXT, WHOLE, Either, Keys, ListOf, Named, OneOf, Shape
from kanta_gateway.stated import Lined, Mistakes, listed, nearest

FORMATS = ("csv", "fhir", "json", "json-lines", "records", "xlsx")
FORMS = ("case", "decimal-comma", "form", "spaces", "unit")
TAKES = ("good-rows", "all-or-nothing")
BESIDE: Mapping[str, Shape] = {
    "needed": FLAG, "sameness": FLAG, "prefix": FLAG, "limit": WHOLE, "unit": OneOf(tuple(UNITS)), "of": Named(ANY),
    "order": OneOf(("given-first", "surname-first")), "titles": Named(TEXT), "to": ListOf(TEXT),
}  # fmt: skip
"""Words that stand beside the kind of a field."""

_FIELD_WORDS: dict[str, Shape] = {**dict.fromkeys((*KINDS, *SHAPES), TEXT), **BESIDE}
_FIELD = Keys({}, _FIELD_WORDS)
_FIELDS = Named(Either((_FIELD, ListOf(_FIELD))))
_FIELD_WORDS["fields"] = _FIELDS
_TOLD_BY = Keys({"field": TEXT, "of": Named(TEXT)})
_WORDS = Named(ListOf(ANY))
_STATUS = Keys({"field": TEXT, "of": Named(Either((FLAG, NOTHING)))})
_RECORD = Keys(
    {"type": Either((TEXT, _TOLD_BY))},
    {
        "id": TEXT, "constant_id": TEXT, "key": ListOf(TEXT), "client": TEXT, "version": TEXT,
        "status": _STATUS, "constants": Named(ANY), "fields": _FIELDS,
        "is_row": FLAG, "is_whole": FLAG, "within": TEXT, "own": ListOf(TEXT), "dropped": ListOf(TEXT),
        "resource": TEXT, "when": _WORDS, "unless": _WORDS, "replaces": TEXT, "client_types": ListOf(TEXT),
        "some_of": ListOf(TEXT),
    },
)  # fmt: skip
_TABLE = Keys({"records": ListOf(TEXT), "label": TEXT}, {
    "totals": ListOf(TEXT), "dropped": ListOf(TEXT), "layout": OneOf(LAYOUTS), "named_by": OneOf(("sheet", "table")),
    "beneath": ListOf(TEXT), "weekdays": ListOf(TEXT),
})  # fmt: skip
SOURCE = Keys({}, {
    "format": OneOf(FORMATS), "like": TEXT, "contract": TEXT, "forms": ListOf(OneOf(FORMS)), "as_of": ListOf(TEXT),
    "purchasers": ListOf(TEXT), "take": OneOf(TAKES), "tables": Named(_TABLE), "records": Named(_RECORD),
    "header": Named(TEXT), "top": Named(TEXT), "inside": Named(Named(TEXT)), "kind": TEXT, "client": TEXT,
    "dropped": ListOf(TEXT), "followed": ListOf(TEXT), "unmodelled": ListOf(TEXT),
})  # fmt: skip
"""A whole source file."""


def check_targets(key: str, stated: Lined, types: Mapping[str, Mapping[str, Any]], mistakes: Mistakes) -> None:
    """Tell which value of a record goes to a field that its types do not have.

    Args:
        key: of the record in the source file.
        stated: what the file says of it.
        types: record type that it becomes -> its schema.
        mistakes: gets what is wrong.
    """
    for line, target in (*_targets(stated.get("fields", {})), *_named(stated)):
        known = list(types.values())
        for depth, part in enumerate(target.split(".")):
            words = {word: one for schema in known for word, one in schema.get("properties", {}).items()}
            if known and part not in words and (depth or part not in FRAME):
                told = nearest(part, words) or f"; it has {listed(sorted(words.keys() - FRAME))}"
                mistakes.say(line, f"records {key}: {target} is no field of {' or '.join(types)}{told}")
                break
            known = [one for one in [_inside(words.get(part, {}))] if one.get("properties")]


def _inside(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that a field holds, or of which it holds a list."""
    items: Mapping[str, Any] = schema.get("items", schema)
    return items


def _targets(fields: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Line and canonical field of every value that is read from a field of the record itself."""
    for told in fields.values():
        for one in told if isinstance(told, list) else [told]:
            shape = next((word for word in one if word in KINDS or word in SHAPES), "")
            if shape == "inline":
                yield from _targets(one.get("fields", {}))
            elif shape not in {"", "person", "sections"}:  # these name their own fields
                yield one.at(shape), one[shape]


def _named(stated: Lined) -> Iterator[tuple[int, str]]:
    """Line and name of the canonical fields that the record's own words name."""
    for word in ("key", "some_of"):
        yield from ((stated.at(word), one) for one in stated.get(word, ()))
    for one in stated.get("constants", ()):
        yield stated["constants"].at(one), one
