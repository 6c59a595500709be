"""What one THL structure is: its fields in order, its conditions, and the JSON Schema that it means.

* A key is the slug of the field's Finnish name.
* The schema accepts exactly what the official schema accepts.
* Requirements that the official definition states only in prose are conditions (judged in `conformance.py`).

Source: Sosmeta document definitions of THL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Oid, ValueKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATE_PATTERN = r"^-?[0-9]{4}(-(0[1-9]|1[0-2])(-(0[0-9]|[1-2][0-9]|3[0-1]))?)?$"
DATETIME_PATTERN = (
    r"^-?[0-9]{4}(-(0[1-9]|1[0-2])(-(0[0-9]|[1-2][0-9]|3[0-1])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?$"
)
"""Both as in every Sosmeta schema: partial dates are allowed, a time needs its zone."""

_DIGITS = ("nolla", "yksi", "kaksi", "kolme", "nelja", "viisi", "kuusi", "seitseman", "kahdeksan", "yhdeksan")
_LETTERS = str.maketrans(
    {"ä": "a", "ö": "o", "å": "a", "é": "e", " ": "_", "-": "_"}
    | {str(digit): word for digit, word in enumerate(_DIGITS)}
)
_OID = re.compile(r"[0-2](\.\d+)+")


def key_of(name: str) -> str:
    """The JSON key of a field: the slug of its Finnish name.

    Space and hyphen become `_`, a digit its Finnish word; whatever else is no ASCII letter is dropped.
    """
    slug = name.strip().lower().translate(_LETTERS)
    return "".join(letter for letter in slug if letter == "_" or (letter.isascii() and letter.isalpha()))


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field of a structure, or a group of fields."""

    key: str
    label: Mapping[str, str]
    """Label by language (`fi`, `sv`)."""
    kind: ValueKind | None
    """None for a group."""
    min: int = 0
    """0 or 1."""
    max: int | None = 1
    """None for any number."""
    code_system: str | None = None
    """OID of a coding's code system without version, or the name of a system that only this field uses."""
    allowed: tuple[str, ...] = ()
    """Allowed codes, or allowed texts of a fixed phrase; empty for all."""
    identifier_system: str | None = None
    """OID that an identifier's value is unique under, when the definition names one."""
    children: tuple[FieldDef, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether JSON writes an array even for one."""
        return self.max is None


@dataclass(frozen=True, slots=True)
class When:
    """What another field must hold: one of some values, one of some codes, or anything at all."""

    field: str
    """Keys below the condition's group; with a leading `/` below the root."""
    equals: tuple[str | bool, ...] = ()
    """Booleans, texts, or displays of a coding; any of them."""
    code: tuple[str, ...] = ()
    """Codes of a coding; any of them."""
    is_wanted: bool = True
    """False for `unless`: the condition holds where the field does not hold that."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A requirement that the definition states in prose only."""

    rule: str
    """`one-of`: at least one of the fields; `required-when`: all of them; `only-when`: none without it."""
    # A field may be a path of keys: it is there if it is there in any of a repeated group.
    group: tuple[str, ...]
    """Keys below the root to the group that the fields stand in; empty for the root."""
    fields: tuple[str, ...]
    when: When | None = None


@dataclass(frozen=True)
class Structure:
    """One dated THL structure."""

    oid: Oid
    number: str
    """Arc that names the structure, such as `19007`; also its code as specific document type."""
    title: Mapping[str, str]
    document_type: str
    """Sosmeta's word for the general document type, such as `Asiakaskertomusmerkintä`."""
    root: FieldDef
    conditions: tuple[Condition, ...] = ()
    service_process: str | None = None
    """Key in the code list of service processes; None where the process is not known."""
    official: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """The published schema without its annotations, for a structure that was read from one: documents are judged by
    it, so that a keyword which the gateway does not know still counts."""
    _index: Mapping[str, FieldDef] = field(init=False, repr=False, compare=False)
    _labels: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the fields once: mapping and signing look them up for every value."""
        index = dict(_paths(self.root, ""))
        labels = {text for one in (self.root, *index.values()) for text in one.label.values()}
        object.__setattr__(self, "_index", MappingProxyType(index))
        object.__setattr__(self, "_labels", frozenset(labels | set(self.title.values())))

    @property
    def valid_from(self) -> str:
        """The day from which this version is used: the date in its OID (ISO 8601)."""
        year, month, day = self.oid.split(".")[-3:]
        return f"{year:0>4}-{month:0>2}-{day:0>2}"

    def field(self, path: str) -> FieldDef:
        """The field at a path of keys below the root, such as `laatija/sukunimi`.

        Raises:
            KeyError: the structure has no such field.
        """
        return self._index[path]

    def paths(self) -> Mapping[str, FieldDef]:
        """Every field by its path below the root, in the order of the document."""
        return self._index

    def labels(self) -> frozenset[str]:
        """Every label and title, in Finnish and Swedish."""
        return self._labels


def _paths(group: FieldDef, prefix: str) -> Iterator[tuple[str, FieldDef]]:
    for child in group.children:
        yield prefix + child.key, child
        yield from _paths(child, f"{prefix}{child.key}/")


def json_schema(structure: Structure) -> dict[str, Any]:
    """The draft-07 schema that the structure's fields mean: accepts what the official schema accepts."""
    root = structure.root
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **_closed({root.key: _group(root)}, [root.key]),
    }


def _closed(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": dict(properties),
    }


def _group(group: FieldDef) -> dict[str, Any]:
    required = [child.key for child in group.children if child.min]
    return _closed({child.key: _schema(child) for child in group.children}, required)


def _schema(one: FieldDef) -> dict[str, Any]:
    value = _group(one) if one.kind is None else _VALUES[one.kind](one)
    return {"type": "array", "minItems": one.min, "items": value} if one.is_list else value


def _string(one: FieldDef) -> dict[str, Any]:
    if one.allowed:
        return {"type": "string", "enum": list(one.allowed)}
    return {"type": "string", "minLength": 1} if one.min else {"type": "string"}


def _coding(one: FieldDef) -> dict[str, Any]:
    code = {"type": "string", "enum": list(one.allowed)} if one.allowed else {"type": "string"}
    parts = {"system": _system(one.code_system), "code": code, "display": {"type": "string"}}
    return _closed(parts, list(parts))


def _system(system: str | None) -> dict[str, Any]:
    if system is None:
        return {"type": "string"}
    if _OID.fullmatch(system):
        return {"type": "string", "pattern": rf"^urn:oid:{re.escape(system)}(\.\d+)*$"}
    return {"type": "string", "enum": [system]}


def _identifier(_: FieldDef) -> dict[str, Any]:
    return _closed({"system": {"type": "string"}, "value": {"type": "string"}}, ["value"])


_VALUES = {
    ValueKind.BOOLEAN: lambda _: {"type": "boolean"},
    ValueKind.CODING: _coding,
    ValueKind.DATE: lambda _: {"type": "string", "pattern": DATE_PATTERN},
    ValueKind.DATETIME: lambda _: {"type": "string", "pattern": DATETIME_PATTERN},
    ValueKind.IDENTIFIER: _identifier,
    ValueKind.NUMBER: lambda _: {"type": "number"},
    ValueKind.STRING: _string,
}
