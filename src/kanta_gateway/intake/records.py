"""Canonical records as the API takes them: each against its schema in `schemas/records/`.

* All mistakes are told at once, each with its JSON pointer; none repeats a value.
* An unknown field is refused by its pointer, if it is written as a field's name is; anything else may be a person's.
* Numbers stay exact (int or Decimal); empty texts, nulls and empty objects are absent.
* The formats `date`, `clock`, `moment` and `identity-code` are checked, not only annotated.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson

from kanta_gateway.errors import MisconfiguredError, UnreadableError
from kanta_gateway.intake.jsontext import MAX_DEPTH, loads
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.values import FORBIDDEN, is_day, is_moment
from kanta_gateway.model import Finding, Record
from kanta_gateway.privacy.identity import identity_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FRAME = frozenset({"type", "id", "version", "cancelled", "client"})
"""Fields around the content of a record."""

_MAX_EXPONENT, _BEYOND = 12, 10**13
"""No field holds a number as large; arithmetic on larger ones could cost without end."""

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "clock": lambda _: True,  # its pattern says it all
    "date": is_day,
    "identity-code": lambda value: identity_code(value) is not None,
    "moment": is_moment,
}
_FORMAT_RULES = {"date": "SRC-DATE", "identity-code": "SRC-IDENTITY-CODE", "moment": "SRC-MOMENT"}
_KEYWORD_RULES = {
    "additionalProperties": "SRC-FIELD",
    "enum": "SRC-CHOICE",
    "exclusiveMaximum": "SRC-LIMIT",
    "maxItems": "SRC-LIMIT",
    "maxLength": "SRC-LENGTH",
    "maximum": "SRC-LIMIT",
    "minimum": "SRC-LIMIT",
    "pattern": "SRC-TYPE",
    "required": "SRC-MISSING",
    "type": "SRC-TYPE",
}


class RecordSchemas:
    """Every canonical record type with its compiled schema."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self.schemas = schemas
        self._validators = {
            name: jsonschema_rs.validator_for(dict(schema), formats=dict(_FORMATS), validate_formats=True)
            for name, schema in schemas.items()
        }

    @classmethod
    def load(cls, files: Mapping[str, str]) -> RecordSchemas:
        """Compile schema files.

        Args:
            files: record type -> JSON text of its schema.

        Raises:
            MisconfiguredError: a file is no JSON Schema.
        """
        try:
            return cls({name: orjson.loads(text) for name, text in files.items()})
        except (orjson.JSONDecodeError, jsonschema_rs.ValidationError) as error:
            raise MisconfiguredError("schemas/records holds a file that is no JSON Schema") from error

    def read(self, value: Any, pointer_base: str = "") -> tuple[Record | None, tuple[Finding, ...]]:
        """The record that a JSON value (or its bytes) is, or everything that is wrong with it.

        Args:
            value: a JSON object, or the bytes of one.
            pointer_base: put before every pointer.
        """
        if isinstance(value, bytes):
            try:
                value = loads(value)
            except UnreadableError as error:
                return None, error.findings
        if not isinstance(value, dict):
            return None, (unreadable("SRC-TYPE", pointer_base, {"expected": "object"}),)
        record_type = value.get("type")
        if not isinstance(record_type, str) or record_type not in self.schemas:
            return None, (unreadable("SRC-KIND", f"{pointer_base}/type", {"field": "type"}),)
        faults = list(_text_faults(value, pointer_base))
        tidy = _tidied(value)
        if not faults:
            faults = list(
                {(one.rule, one.pointer): one for one in self._faults(record_type, tidy, pointer_base)}.values()
            )
        if faults:
            return None, tuple(faults)
        return _record(tidy, pointer_base), ()

    def _faults(self, record_type: str, value: dict[str, Any], base: str) -> Iterator[Finding]:
        for error in self._validators[record_type].iter_errors(_plain(value)):
            pointer = base + "".join(f"/{_escaped(str(part))}" for part in error.instance_path)
            keyword, told = error.kind.name, error.kind.as_dict()
            schema: Any = self.schemas[record_type]
            for part in error.schema_path[:-1]:
                schema = schema[part]
            if keyword == "additionalProperties":
                for name in sorted(told["unexpected"]):
                    told_name = f"/{name}" if _FIELD_NAME.fullmatch(name) else ""
                    yield unreadable("SRC-FIELD", f"{pointer}{told_name}", {"type": record_type})
            elif keyword == "required":
                yield unreadable(
                    "SRC-MISSING", f"{pointer}/{told['property'].strip(chr(34))}", {"field": told["property"]}
                )
            else:
                yield unreadable(_rule(keyword, schema), pointer, _params(keyword, schema, pointer))


def _rule(keyword: str, schema: Mapping[str, Any]) -> str:
    """The rule that a failed keyword stands for: a date by its pattern fails as a date."""
    if keyword in {"format", "pattern"} or (keyword == "type" and "format" in schema):
        stated = schema.get("format", "")
        return {**_FORMAT_RULES, "clock": "SRC-TIME"}.get(stated, "SRC-TYPE") if keyword != "type" else "SRC-TYPE"
    return _KEYWORD_RULES.get(keyword, "SRC-TYPE")


def _params(keyword: str, schema: Mapping[str, Any], pointer: str) -> dict[str, str]:
    """What the schema says: never what the record said."""
    params = {"field": pointer.rpartition("/")[2], "expected": str(schema.get("type", ""))}
    if keyword == "enum":
        params["allowed"] = ", ".join(schema["enum"])
    if keyword == "maxLength":
        params["limit"] = str(schema["maxLength"])
    if keyword in {"maximum", "minimum"}:
        params["limit"] = f"{schema.get('minimum', '')} … {schema.get('maximum', '')}"
    if keyword == "maxItems":
        params["limit"] = str(schema["maxItems"])
    return params


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _text_faults(value: Any, base: str) -> Iterator[Finding]:
    """Texts with characters that no document can hold, and nesting without end; never recursive."""
    waiting: list[tuple[Any, str, int]] = [(value, base, 0)]
    while waiting:
        one, pointer, level = waiting.pop()
        if level > MAX_DEPTH:
            yield unreadable("SRC-DEPTH", base, {"limit": str(MAX_DEPTH)})
            return
        if isinstance(one, str) and FORBIDDEN.search(one):
            yield unreadable("SRC-CHARACTER", pointer, {"field": pointer.rpartition("/")[2]})
        elif isinstance(one, dict):
            if any(FORBIDDEN.search(str(key)) for key in one):
                yield unreadable("SRC-CHARACTER", pointer, {"field": pointer.rpartition("/")[2]})
                continue
            waiting += [(inner, f"{pointer}/{_escaped(str(key))}", level + 1) for key, inner in one.items()]
        elif isinstance(one, list):
            waiting += [(inner, f"{pointer}/{position}", level + 1) for position, inner in enumerate(one)]


def _tidied(value: Any) -> Any:
    """The value with its texts trimmed and without what is empty; at most `MAX_DEPTH` levels."""
    if isinstance(value, dict):
        pairs = ((key, _tidied(one)) for key, one in value.items())
        return {key: one for key, one in pairs if not _is_empty(one)}
    if isinstance(value, list):
        return [one for one in map(_tidied, value) if not _is_empty(one)]
    if isinstance(value, str):
        return value.strip().replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, float | Decimal):
        return _exact(Decimal(str(value)))
    return value


def _exact(value: Decimal) -> int | Decimal:
    """A whole number as int; one beyond every limit of the schemas as a number beyond them."""
    if not value.is_finite() or value.adjusted() > _MAX_EXPONENT:
        return _BEYOND
    if value.adjusted() < -_MAX_EXPONENT:
        return 0
    return int(value) if value == value.to_integral_value() else value


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, dict | list) and not value)


def _plain(value: Any) -> Any:
    """The value as the validator takes it: numbers as int or float."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, int) and abs(value) > _BEYOND:
        return _BEYOND
    return float(value) if isinstance(value, Decimal) else value


def _record(value: Mapping[str, Any], pointer: str) -> Record:
    return Record(
        type=value["type"],
        id=value["id"],
        version=value.get("version", 1),
        client=value.get("client"),
        content={key: one for key, one in value.items() if key not in FRAME},
        is_cancelled=value.get("cancelled", False),
        pointer=pointer,
    )
