"""A made-up record of any type, and made-up people around it: to try out a mapping without anybody's data.

* Each text says which field it stands in, so that one finds it again in the document.
* Identity codes have individual numbers that are given to nobody (900-999).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

IDENTITY_CODE = "120685-971U"
_STAFF_FIELDS = frozenset({"author", "contributors", "recorder", "responsible_worker", "supervisor"})
"""Fields that name a person of the staff list."""
_WORKER = "H1"
STAFF: Mapping[str, Mapping[str, str]] = {
    _WORKER: {"surname": "Mallikas", "given_names": "Mauri", "title": "ohjaaja"}
}  # fmt: skip
CLIENT: Mapping[str, Any] = {
    "surname": "Esimerkki", "given_names": "Eeva Elina", "identity_code": IDENTITY_CODE, "non_disclosure": False,
    "responsible_worker": _WORKER,
}  # fmt: skip
DECISION: Mapping[str, Any] = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
PARTIES: Mapping[str, Mapping[str, str]] = {
    "unit": {"oid": "2.999.10.1", "name": "Esimerkkiyksikkö"},
    "provider": {"oid": "2.999.10.0", "name": "Esimerkkituottaja"},
    "organiser": {"oid": "2.999.20.0", "name": "Esimerkkijärjestäjä"},
}
"""Under the arc for examples (ITU-T X.660)."""
_BY_FORMAT: Mapping[str, Any] = {
    "clock": "09:30", "date": "2026-03-19", "moment": "2026-03-19T13:33:30+02:00", "identity-code": IDENTITY_CODE,
}  # fmt: skip


def content(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Every field that a record type has, filled.

    Args:
        schema: of the record type.
    """
    frame = {"type", "id", "version", "cancelled", "client"}
    return {name: _value(one, name) for name, one in schema.get("properties", {}).items() if name not in frame}


def _value(schema: Mapping[str, Any], name: str) -> Any:
    if "properties" in schema:
        return {key: _value(one, key) for key, one in schema["properties"].items()}
    if "items" in schema:
        return [_value(schema["items"], name)]
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [""])[0])
    make = _MAKERS.get(str(schema.get("type")))
    return _text(schema, name) if make is None else make(schema, name)


def _text(schema: Mapping[str, Any], name: str) -> str:
    if name in _STAFF_FIELDS:
        return _WORKER
    if name == "identity_code":
        return IDENTITY_CODE
    if schema.get("format") in _BY_FORMAT:
        return str(_BY_FORMAT[schema["format"]])
    pattern = str(schema.get("pattern", ""))
    if "[0-9a-f]{64}" in pattern:
        return "0" * 64
    if pattern.startswith("^[0-2]("):
        return PARTIES["unit"]["oid"]
    return "2026-03" if name == "month" else f"Näyte: {name}"


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "boolean": lambda _, __: True,
    "integer": lambda schema, _: max(int(schema.get("minimum", 0)), min(25, int(schema.get("maximum", 25)))),
    "number": lambda schema, _: min(4.5, float(schema.get("maximum", 4.5))),
}
