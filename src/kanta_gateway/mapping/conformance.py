"""A document's JSON against its THL structure: what the schema says, and what only the prose says.

* STR-01 a required field is missing; STR-02 a required field is empty.
* STR-03 a value has another type; STR-04 another form (date, time, code system); STR-05 is no allowed value.
* STR-06 a field that the structure does not have; STR-07 any other rule of the schema.
* STR-08 none of the fields of which one is required; STR-09 a field required by another field's value;
  STR-10 a field that another field's value does not allow.
* Every finding is *hold*: the document waits for content or for a mended mapping.
* A finding names pointers, fields, types and limits of the structure, never a value.

Source: JSON Schema draft-07; conditional requirements from `schemas/structures/*.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema_rs import Draft7Validator, ValidationError

from kanta_gateway.mapping.definitions import Condition, Structure, When, json_schema
from kanta_gateway.model import Finding, Severity

Groups = Sequence[tuple[str, Mapping[str, Any]]]

_SCHEMA_RULES: Mapping[str, tuple[str, str]] = {
    "required": ("STR-01", "structure-missing"),
    "minItems": ("STR-02", "structure-empty"),
    "minLength": ("STR-02", "structure-empty"),
    "type": ("STR-03", "structure-type"),
    "pattern": ("STR-04", "structure-form"),
    "enum": ("STR-05", "structure-not-allowed"),
    "additionalProperties": ("STR-06", "structure-unknown"),
}
_OTHER = ("STR-07", "structure-other")

_TYPES: Mapping[type, str] = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "number",
    list: "array",
    str: "string",
    type(None): "null",
}


class Conformance:
    """One structure, compiled once."""

    def __init__(self, structure: Structure) -> None:
        schema = structure.official if structure.official is not None else json_schema(structure)
        self._validator = Draft7Validator(dict(schema))
        self._root = structure.root.key
        self._conditions = structure.conditions
        self._number = structure.number

    def check(self, value: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Everything that keeps the JSON from being a document of this structure."""
        found: list[Finding] = []
        # The yes or no is several times quicker than the errors, and almost every document is right.
        if not self._validator.is_valid(value):
            found.extend(self._schema_finding(error) for error in self._validator.iter_errors(value))
        root = value.get(self._root)
        if isinstance(root, Mapping):
            for condition in self._conditions:
                found.extend(self._condition_findings(condition, root))
        return tuple(found)

    def _schema_finding(self, error: ValidationError) -> Finding:
        keyword = str(error.schema_path[-1])
        rule, kind = _SCHEMA_RULES.get(keyword, _OTHER)
        params = _params(keyword, error)
        # The schema reports a missing field at its group; whoever fills it needs the field itself.
        missing = [params["field"]] if "field" in params else []
        pointer = _pointer([*error.instance_path, *missing])
        return Finding(rule, Severity.HOLD, kind, pointer, params | {"structure": self._number})

    def _condition_findings(self, condition: Condition, root: Mapping[str, Any]) -> Iterator[Finding]:
        for pointer, group in groups_at(root, condition.group, f"/{self._root}"):
            if _JUDGES[condition.rule](condition, group, root):
                yield Finding(
                    *_CONDITION_RULES[condition.rule],
                    pointer=pointer,
                    params={
                        "structure": self._number,
                        "fields": ", ".join(condition.fields),
                        "when": condition.when.field if condition.when else "",
                    },
                )


def _params(keyword: str, error: ValidationError) -> dict[str, str]:
    about = error.kind.as_dict()
    if keyword == "type":
        return {"expected": ", ".join(about["types"]), "found": _TYPES.get(type(error.instance), "other")}
    if keyword == "required":
        return {"field": str(about["property"])}
    return {"rule": keyword}


def _pointer(path: Sequence[str | int]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def groups_at(value: Mapping[str, Any], keys: Sequence[str], pointer: str) -> Groups:
    """Every group at the path with its pointer; what is missing or no group is the schema's matter."""
    found: list[tuple[str, Any]] = [(pointer, value)]
    for key in keys:
        found = [one for at, group in found if key in group for one in _members(group[key], f"{at}/{key}")]
    return found


def _members(value: Any, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        yield pointer, value
    elif isinstance(value, list):
        yield from ((f"{pointer}/{at}", one) for at, one in enumerate(value) if isinstance(one, Mapping))


def _held(path: str, group: Mapping[str, Any], root: Mapping[str, Any]) -> list[Any]:
    """Every value at a path below the group, or below the root; a list counts by its entries."""
    *steps, last = path.strip("/").split("/")
    holders = groups_at(root if path.startswith("/") else group, steps, "")
    found = [holder[last] for _, holder in holders if last in holder]
    return [one for value in found for one in (value if isinstance(value, list) else [value])]


def holds(when: When | None, group: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether a condition's `when` or `unless` asks for anything in this group."""
    return when is None or any(_fits(when, one) for one in _held(when.field, group, root)) is when.is_wanted


def _fits(when: When, value: Any) -> bool:
    if when.code:
        return isinstance(value, Mapping) and value.get("code") in when.code
    # NOTE: identity and not equality of truth values, or a number 1 would count as true.
    said = value.get("display") if isinstance(value, Mapping) else value
    return not when.equals or any(said == one and type(said) is type(one) for one in when.equals)


def is_there(path: str, group: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether anything stands at a path below the group, or with a leading `/` below the root."""
    return bool(_held(path, group, root))


def _lacks_all(condition: Condition, group: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    return not any(is_there(one, group, root) for one in condition.fields)


def _lacks_some(condition: Condition, group: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    return holds(condition.when, group, root) and not all(is_there(one, group, root) for one in condition.fields)


def _has_too_much(condition: Condition, group: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    return not holds(condition.when, group, root) and any(is_there(one, group, root) for one in condition.fields)


_JUDGES: Mapping[str, Callable[[Condition, Mapping[str, Any], Mapping[str, Any]], bool]] = {
    "one-of": _lacks_all,
    "only-when": _has_too_much,
    "required-when": _lacks_some,
}
_CONDITION_RULES: Mapping[str, tuple[str, Severity, str]] = {
    "one-of": ("STR-08", Severity.HOLD, "structure-one-of"),
    "only-when": ("STR-10", Severity.HOLD, "structure-only-when"),
    "required-when": ("STR-09", Severity.HOLD, "structure-required-when"),
}
