"""Official Sosmeta JSON Schemas (draft-07) read into the same `Structure` as our compact files.

* Key, order, type, cardinality, code system, allowed values and both labels are read; prose is not,
  so a structure read here has no conditional requirements.
* The schema itself goes along without its annotations, and judges: what is read here is for writing and showing.
* A shape that cannot be read is a mistake, never guessed.

Source: Sosmeta document definitions of THL, `<definition>/schema`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.mapping.definitions import DATE_PATTERN, DATETIME_PATTERN, FieldDef, Structure
from kanta_gateway.model import Oid, ValueKind

Schema = Mapping[str, Any]

_PATTERNS = {DATE_PATTERN: ValueKind.DATE, DATETIME_PATTERN: ValueKind.DATETIME}
_PLAIN = {"boolean": ValueKind.BOOLEAN, "integer": ValueKind.NUMBER, "number": ValueKind.NUMBER}
_SYSTEM = re.compile(r"\^urn:oid:(?P<oid>[\d\\.]+)\(\\\.\\d\+\)\*\$")
_DATED = re.compile(r".+\.(?P<family>\d+)\.(?P<number>\d+)\.\d{4}\.\d{1,2}\.\d{1,2}")
_LONE_DIGITS = 4
"""An arc of so many digits names a structure alone; a shorter one is told with its family, as `1505.1`."""
_URN = "urn:oid:"


def from_sosmeta(schema: Schema) -> Structure:
    """Read one official schema.

    Raises:
        MisconfiguredError: it is no Sosmeta schema of a document.
    """
    about = schema.get("sosmeta")
    properties = schema.get("properties")
    if not isinstance(about, Mapping) or not isinstance(properties, Mapping) or len(properties) != 1:
        raise MisconfiguredError(
            "the schema is no Sosmeta document: expected `sosmeta` and one root; use the published file"
        )
    dated = _DATED.fullmatch(str(about.get("oid", "")))
    if dated is None:
        raise MisconfiguredError("the schema's `sosmeta` has no dated OID; use the file as THL publishes it")
    try:
        root = _field(*next(iter(properties.items())), is_required=True)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise MisconfiguredError(
            f"schema {about['oid']}: a part is missing or has another shape; use the file as THL publishes it"
        ) from error
    return Structure(
        oid=Oid(about["oid"]),
        number=number_of(dated["family"], dated["number"]),
        title=root.label,
        document_type=str(about.get("documentType", "")).strip(),
        root=root,
        official=bare(schema),
    )


def bare(schema: Any) -> Any:
    """A schema without its annotations: what decides about validity."""
    if isinstance(schema, Mapping):
        return {key: value if key == "enum" else bare(value) for key, value in schema.items()
                if key != "sosmeta" and not (key == "title" and isinstance(value, str))}  # fmt: skip
    return [bare(one) for one in schema] if isinstance(schema, list) else schema


def number_of(family: str, number: str) -> str:
    """The short name of a structure: its own arc, with its family's where that alone would say too little."""
    return number if len(number) >= _LONE_DIGITS else f"{family}.{number}"


def _field(key: str, stated: Schema, *, is_required: bool) -> FieldDef:
    is_list = stated["type"] == "array"
    one = stated["items"] if is_list else stated
    kind = _kind(key, one)
    # A list that must be there may not be empty either, whatever `minItems` says: an empty one tells nothing.
    least = int(is_required)
    return FieldDef(
        key=key,
        label=_label(one["sosmeta"]),
        kind=kind,
        min=least,
        max=None if is_list else 1,
        code_system=_system(key, one) if kind is ValueKind.CODING else None,
        allowed=_allowed(one, kind),
        identifier_system=_identifier(one["sosmeta"]) if kind is ValueKind.IDENTIFIER else None,
        children=_children(one) if kind is None else (),
    )


def _children(group: Schema) -> tuple[FieldDef, ...]:
    required = frozenset(group.get("required", ()))
    return tuple(_field(key, one, is_required=key in required) for key, one in group["properties"].items())


def _kind(key: str, one: Schema) -> ValueKind | None:
    if one["type"] == "object":
        return _object_kind(one["properties"])
    kind = _PLAIN.get(one["type"])
    if kind is None and one["type"] == "string":
        kind = _PATTERNS.get(one.get("pattern", ""), ValueKind.STRING)
    if kind is None:
        raise MisconfiguredError(f"field {key}: its type is none that Sosmeta uses; use the published file")
    return kind


def _object_kind(properties: Schema) -> ValueKind | None:
    # The parts of a coding and of an identifier are no fields of their own: they carry no `sosmeta`.
    if any("sosmeta" in part or "sosmeta" in part.get("items", {}) for part in properties.values()):
        return None
    kinds = {
        frozenset({"system", "code", "display"}): ValueKind.CODING,
        frozenset({"system", "value"}): ValueKind.IDENTIFIER,
    }
    return kinds.get(frozenset(properties))


def _label(about: Schema) -> Mapping[str, str]:
    label: dict[str, str] = {}
    for name in about["name"]:
        # The first name of a language stands: one definition has its Swedish name marked `fi` as well.
        label.setdefault(name["lang"], name["value"].strip())
    label.setdefault("sv", label["fi"])
    return label


def _system(key: str, one: Schema) -> str | None:
    system = one["properties"]["system"]
    if "pattern" in system:
        found = _SYSTEM.fullmatch(system["pattern"])
        if found is None:
            raise MisconfiguredError(f"field {key}: its code system is no OID pattern; use the published file")
        return found["oid"].replace("\\", "")
    names = system.get("enum", [system.get("const")])
    return None if names[0] is None else str(names[0])


def _allowed(one: Schema, kind: ValueKind | None) -> tuple[str, ...]:
    holder = one["properties"]["code"] if kind is ValueKind.CODING else one
    return tuple(holder.get("enum", ()))


def _identifier(about: Schema) -> str | None:
    systems = [one["value"].strip() for one in about.get("systemUri", ())]
    return systems[0].removeprefix(_URN) if systems else None
