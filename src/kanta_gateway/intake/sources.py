"""How a provider's format becomes canonical records: compiled once, applied record by record.

* A field of the dictionary that is not mapped is counted by its name; any other only as `unknown`.
* What is not mapped serves a keyed digest only (`Record.rest`); the delivery's own fields not even that.
* Whatever cannot be read is a finding on the record; the record comes out with what could be read.
* Without an id, or the client it belongs to, a record cannot be told apart from others: a problem instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
import yaml

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.rules import normalised, unreadable
from kanta_gateway.intake.values import KINDS, Reader, Reading, Unreadable, choice, integer, name
from kanta_gateway.model import Finding, Record, Severity

FORMATS = ("json", "json-lines", "records")
UNKNOWN = "unknown"
_SHAPES = ("dates", "group", "inline", "list")
_MAX_VERSION = 1_000_000
_MAX_INTEGER = 2**53 - 1
"""Larger ones are written as text: JSON numbers are exact only so far (RFC 8785 §3.2.2.3)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a delivery that cannot become a record."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of the provider's format is read."""

    name: str
    shape: str
    """A kind of value, or `dates`, `group`, `inline`, `list`."""
    target: str
    read: Reader | None
    options: Mapping[str, Any]
    is_needed: bool
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of record is read."""

    type: str
    by: str
    """Field that tells the type; empty when it is always the same."""
    types: Mapping[str, str]
    id: str
    constant_id: str
    version: str
    status: str
    statuses: Mapping[str, bool]
    fields: Mapping[str, Field]
    dropped: frozenset[str]
    own: frozenset[str]
    is_row: bool
    is_whole: bool
    within: str
    """Canonical field that names the record around it; empty where that is the client."""
    is_of_client: bool
    """Whether it belongs to a client: without one it cannot be told whose it is."""
    inside: Mapping[str, str]

    def only_carries(self, value: Mapping[str, Any]) -> bool:
        """Whether an object tells no more than whose the records inside it are: then it is none itself."""
        return bool(self.inside) and value.keys() <= self.inside.keys() | {self.id}


@dataclass(slots=True)
class _Gathered:
    """What reading one record has found so far."""

    base: int
    """Length of the record's own pointer, so that `rest` does not depend on where the record stands."""
    findings: list[Finding] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    rest: dict[str, Any] = field(default_factory=dict)
    """What is not mapped or cannot be read: only its keyed digest is kept, for sameness (GEN-01)."""

    def unread(self, rule: str, pointer: str, params: Mapping[str, str], given: Any) -> None:
        """Tell that a value cannot be read; a record with it is another one than the same record without it."""
        self.findings.append(unreadable(rule, pointer, params))
        self.rest[pointer[self.base :]] = given


@dataclass(frozen=True, slots=True)
class Source:
    """One provider format, compiled."""

    name: str
    format: str
    header: Mapping[str, str]
    header_inside: Mapping[str, str]
    kind_field: str
    client_field: str
    top: Mapping[str, str]
    dropped: frozenset[str]
    """Parts of a document that hold no records."""
    kinds: Mapping[str, Kind]
    contract: str
    """The contract that its deliveries are judged by when none is named; empty where one must be named."""
    schemas: RecordSchemas

    @classmethod
    def load(cls, text: str, name: str, schemas: RecordSchemas, others: Mapping[str, str] | None = None) -> Source:
        """Compile a source file.

        Args:
            text: YAML of the file.
            name: of the source, for messages.
            schemas: of the canonical records.
            others: all source files by name, for `like`.

        Raises:
            MisconfiguredError: the file does not hold; all mistakes at once.
        """
        stated = _stated(text, name, others or {})
        mistakes: list[str] = []
        inside = stated.get("inside", {})
        kinds = {
            key: _kind(key, one, inside.get(key, {}), schemas, mistakes)
            for key, one in stated.get("records", {}).items()
        }
        places = [
            *stated.get("top", {}).values(),
            *(kind for part in inside.values() for kind in part.values()),
        ]
        mistakes += [f"{place} is no record of this source" for place in places if place not in kinds]
        if stated.get("format") not in FORMATS:
            mistakes.append(f"format is none of {', '.join(FORMATS)}")
        if mistakes:
            raise MisconfiguredError(f"source {name}: " + "; ".join(mistakes))
        return cls(
            name=name, format=stated["format"], header=stated.get("header", {}),
            header_inside=inside.get("header", {}), kind_field=stated.get("kind", ""),
            client_field=stated.get("client", ""), top=stated.get("top", {}),
            dropped=frozenset(stated.get("dropped", ())), kinds=kinds, contract=stated.get("contract", ""),
            schemas=schemas,
        )  # fmt: skip

    def read_object(
        self, kind: Kind, value: Any, pointer: str, client: str | None, envelope: frozenset[str] = frozenset()
    ) -> Iterator[Record | Problem]:
        """The record that an object is, then those that stand inside it.

        Args:
            kind: what it should be.
            value: the JSON value.
            pointer: where it stands.
            client: id of the record that it stands in: the client's number, or what `within` says.
            envelope: fields around the record that are none of its own.
        """
        if not isinstance(value, Mapping):
            rule = value.rule if isinstance(value, Unreadable) else "SRC-TYPE"
            yield Problem(unreadable(rule, pointer, {"expected": "object"}))
            return
        made = _record(kind, value, pointer, client, envelope)
        if not (isinstance(made, Record) and kind.only_carries(value)):
            yield made
        owner = made.id if isinstance(made, Record) else None
        for key, inner in kind.inside.items():
            if value.get(key) is not None:
                yield from self.read_part(self.kinds[inner], value[key], f"{pointer}/{key}", owner)

    def read_part(self, kind: Kind, value: Any, pointer: str, client: str | None) -> Iterator[Record | Problem]:
        """One record, or each of a list of them; an object without fields holds none."""
        if isinstance(value, list):
            for position, one in enumerate(value):
                yield from self.read_object(kind, one, f"{pointer}/{position}", client)
        elif value not in ({}, ""):
            yield from self.read_object(kind, value, pointer, client)


def load_sources(texts: Mapping[str, str], schemas: RecordSchemas) -> dict[str, Source]:
    """Compile every source file: name -> source.

    Raises:
        MisconfiguredError: one of them does not hold.
    """
    return {name: Source.load(text, name, schemas, texts) for name, text in texts.items()}


def _stated(text: str, name: str, others: Mapping[str, str]) -> dict[str, Any]:
    try:
        stated: dict[str, Any] = yaml.safe_load(text)
        like = stated.get("like", "")
        if like and like not in others:
            raise MisconfiguredError(f"source {name}: there is no source {like} to be like")
        base = yaml.safe_load(others[like]) if like else {}
    except (yaml.YAMLError, AttributeError) as error:
        raise MisconfiguredError(f"source {name}: not a YAML mapping") from error
    return {**base, **stated, "inside": stated.get("inside", base.get("inside", {}))}


def _kind(
    key: str, stated: Mapping[str, Any], inside: Mapping[str, str], schemas: RecordSchemas, mistakes: list[str]
) -> Kind:
    told = stated.get("type", "")
    by, types = ("", {}) if isinstance(told, str) else (told["field"], told["of"])
    status = stated.get("status", {})
    if not ("id" in stated or "constant_id" in stated):
        mistakes.append(f"{key} has neither id nor constant_id")
    types_ = [told] if isinstance(told, str) else list(types.values())
    mistakes += [f"{key}: {one} is no record type" for one in types_ if one not in schemas.schemas]
    described = [schemas.schemas.get(one, {}) for one in types_]
    return Kind(
        type=types_[0], by=by, types=types,
        id=stated.get("id", ""), constant_id=stated.get("constant_id", ""), version=stated.get("version", ""),
        status=status.get("field", ""), statuses=status.get("of", {}),
        fields=_fields(key, stated.get("fields", {}), mistakes), dropped=frozenset(stated.get("dropped", ())),
        own=frozenset(stated.get("own", ())), is_row=stated.get("is_row", True),
        is_whole=stated.get("is_whole", False), within=stated.get("within", ""), inside=inside,
        is_of_client=any(one.get("x-about") == "client" and not one.get("x-subject") for one in described),
    )  # fmt: skip


def _fields(place: str, stated: Mapping[str, Mapping[str, Any]], mistakes: list[str]) -> dict[str, Field]:
    made: dict[str, Field] = {}
    for key, one in stated.items():
        shapes = [word for word in one if word in KINDS or word in _SHAPES]
        if len(shapes) != 1:
            mistakes.append(f"{place}.{key} names {len(shapes)} kinds of value, not one")
            continue
        shape = shapes[0]
        made[key] = Field(
            name=key, shape=shape, target=one[shape], read=KINDS.get(shape), options=one,
            is_needed=bool(one.get("needed")),
            fields=_fields(f"{place}.{key}", one.get("fields", {}), mistakes),
        )  # fmt: skip
    return made


def _record(
    kind: Kind, value: Mapping[str, Any], pointer: str, client: str | None, envelope: frozenset[str]
) -> Record | Problem:
    gathered = _Gathered(len(pointer))
    record_id = kind.constant_id or _taken(kind.id, name, {}, value, pointer, gathered)
    if not record_id:
        return Problem(unreadable("SRC-ID", pointer, {"field": kind.id}))
    if client is None and (kind.is_of_client or kind.within):
        return Problem(unreadable("SRC-CLIENT", pointer))
    record_type = kind.type
    if kind.by:
        record_type = _taken(kind.by, choice, {"of": kind.types}, value, pointer, gathered, "SRC-KIND") or kind.type
    version = _taken(kind.version, integer, {}, value, pointer, gathered, "SRC-VERSION")
    version = 1 if version is None else version
    if not 1 <= version <= _MAX_VERSION:
        gathered.findings.append(unreadable("SRC-VERSION", f"{pointer}/{kind.version}", {"field": kind.version}))
        version = 1
    is_cancelled = _taken(kind.status, choice, {"of": kind.statuses}, value, pointer, gathered)
    handled = kind.own | envelope | kind.inside.keys() | {kind.id, kind.by, kind.version, kind.status}
    content: dict[str, Any] = {}
    if kind.within:
        record_id = f"{client}/{record_id}"
        content[kind.within] = client
    _read_fields(kind.fields, kind.dropped, handled, value, pointer, content, gathered)
    lacking = [one for one in gathered.findings if one.rule == "SRC-MISSING" or one.severity is Severity.REFUSE]
    if kind.is_whole and lacking:
        return Problem(lacking[0])
    return Record(
        type=record_type, id=record_id, version=version, client=client if kind.is_of_client else None,
        content=content, is_cancelled=bool(is_cancelled), is_row=kind.is_row, pointer=pointer,
        dropped=dict(sorted(gathered.dropped.items())), rest=_rest(gathered.rest),
        findings=tuple(gathered.findings),
    )  # fmt: skip


def _taken(
    key: str, reader: Reader, options: Mapping[str, Any], value: Mapping[str, Any], pointer: str,
    gathered: _Gathered, rule: str = "",
) -> Any:  # fmt: skip
    """The value of a field that is no content: id, type, version, status."""
    given = value.get(key) if key else None
    if given is None or given == "":
        if rule == "SRC-KIND":
            gathered.findings.append(unreadable(rule, f"{pointer}/{key}", {"field": key}))
        return None
    reading = _read(given, reader, options)
    if reading.rule:
        params = {"field": key, **reading.params}
        gathered.unread(rule or reading.rule, f"{pointer}/{key}", params, given)
    elif reading.normalised and not isinstance(given, int):  # a whole number is as good an id as its digits
        gathered.findings.append(normalised(f"{pointer}/{key}", key, reading.normalised))
    return reading.value


def _read(value: Any, reader: Reader, options: Mapping[str, Any]) -> Reading:
    return Reading(rule=value.rule) if isinstance(value, Unreadable) else reader(value, options)


def _read_fields(
    fields: Mapping[str, Field], dropped: frozenset[str], handled: frozenset[str], value: Mapping[str, Any],
    pointer: str, content: dict[str, Any], gathered: _Gathered,
) -> None:  # fmt: skip
    """Read the mapped fields of an object in the source's order; count the others."""
    for key, one in fields.items():
        given = value.get(key)
        before = len(gathered.findings)
        if given is not None and given != "":
            _read_field(one, given, f"{pointer}/{key}", content, gathered)
        target = "surname" if one.shape == "person" else one.target
        if one.is_needed and target not in content and len(gathered.findings) == before:
            gathered.findings.append(unreadable("SRC-MISSING", f"{pointer}/{key}", {"field": key}))
    for key, given in value.items():
        if key in fields or key in handled or given is None or given in ("", [], {}):
            continue
        gathered.dropped[key if key in dropped else UNKNOWN] += 1
        gathered.rest[f"{pointer[gathered.base :]}/{key}"] = given


def _read_field(one: Field, given: Any, pointer: str, content: dict[str, Any], gathered: _Gathered) -> None:
    if one.shape in _SHAPES:
        _read_shape(one, given, pointer, content, gathered)
        return
    assert one.read is not None  # noqa: S101 — a shape that is no group has a reader
    reading = _read(given, one.read, one.options)
    if reading.rule:
        gathered.unread(reading.rule, pointer, {"field": one.name, **reading.params}, given)
        return
    if reading.normalised:
        gathered.findings.append(normalised(pointer, one.name, reading.normalised))
    if one.shape == "person":
        for part, text in (reading.value or {}).items():
            content.setdefault(part, text)
    elif reading.value is not None:
        content[one.target] = reading.value


def _read_shape(one: Field, given: Any, pointer: str, content: dict[str, Any], gathered: _Gathered) -> None:
    """A group, fields lifted out of an object, a list of groups, or a list of days."""
    expected: type[Any] = list if one.shape in {"dates", "list"} else dict
    if not isinstance(given, expected):
        rule = given.rule if isinstance(given, Unreadable) else "SRC-TYPE"
        named = "list" if expected is list else "object"
        gathered.unread(rule, pointer, {"field": one.name, "expected": named}, given)
        return
    if one.shape == "inline":
        _read_fields(one.fields, frozenset(), frozenset(), given, pointer, content, gathered)
        return
    made = _items(one, given, pointer, gathered) if expected is list else _group(one, given, pointer, gathered)
    if made:
        content[one.target] = made


def _items(one: Field, given: list[Any], pointer: str, gathered: _Gathered) -> list[Any]:
    made: list[Any] = []
    for position, item in enumerate(given):
        if item is None or item == "":
            continue
        place = f"{pointer}/{position}"
        if one.shape == "list" and isinstance(item, Mapping):
            value: Any = _group(one, item, place, gathered)
        else:
            reading = _read(item, KINDS["date"], {}) if one.shape == "dates" else Reading(rule="SRC-TYPE")
            value = reading.value
            if reading.rule:
                gathered.unread(reading.rule, place, {"field": one.name, "expected": "object"}, item)
            elif reading.normalised:
                gathered.findings.append(normalised(place, one.name, reading.normalised))
        if value:
            made.append(value)
    return made


def _group(one: Field, given: Mapping[str, Any], pointer: str, gathered: _Gathered) -> dict[str, Any]:
    made: dict[str, Any] = {}
    _read_fields(one.fields, frozenset(), frozenset(), given, pointer, made, gathered)
    return made


def _rest(rest: Mapping[str, Any]) -> bytes:
    """Canonical bytes of what is not mapped; empty when there is nothing."""
    tidy = _tidied(rest)
    return orjson.dumps(tidy, option=orjson.OPT_SORT_KEYS) if tidy else b""


def _tidied(value: Any) -> Any:
    """The value with its texts trimmed, nothing empty in it, and numbers as text."""
    if isinstance(value, Mapping):
        pairs = ((_clean(key), _tidied(one)) for key, one in value.items())
        return {key: one for key, one in pairs if one not in (None, "", [], {})}
    if isinstance(value, list):
        return [_tidied(one) for one in value]
    if isinstance(value, str):
        return _clean(value.strip())
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return hex(value)
    return value.rule if isinstance(value, Unreadable) else value


def _clean(text: str) -> str:
    """The text as UTF-8 can hold it (a lone surrogate cannot be written)."""
    return text.encode("utf-8", "backslashreplace").decode()
