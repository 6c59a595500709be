"""One object of a provider's format as a canonical record.

* A field of the dictionary that is not mapped is counted by its name; any other only as `unknown`.
* What is not mapped serves a keyed digest only (`Record.rest`); the delivery's own fields not even that.
* Whatever cannot be read is a finding on the record; the record comes out with what could be read.
* Without an id or a natural key, or the client it belongs to, a record cannot be told apart: a problem instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.intake.kinds import SHAPES, Problem
from kanta_gateway.intake.rules import normalised, unreadable
from kanta_gateway.intake.valuekinds import KINDS
from kanta_gateway.intake.values import Reader, Reading, Unreadable, choice, integer, name
from kanta_gateway.model import MAX_VERSION, Finding, Record, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.kinds import Field, Kind

_ITEMS: Mapping[str, Reader] = {"dates": KINDS["date"], "texts": KINDS["text"], "words": KINDS["name"]}
"""Shape -> how each item of its list is read."""
UNKNOWN = "unknown"
MAX_KEY = 250
"""Characters of a natural key, as the store holds it."""
_MAX_INTEGER = 2**53 - 1
"""Larger ones are written as text: JSON numbers are exact only so far (RFC 8785 §3.2.2.3)."""


@dataclass(slots=True)
class _Gathered:
    """What reading one record has found so far."""

    base: int
    """Length of the record's own pointer, so that `rest` does not depend on where the record stands."""
    forms: frozenset[str] = frozenset()
    """Normalisations that are not worth telling."""
    findings: list[Finding] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    rest: dict[str, Any] = field(default_factory=dict)
    """What is not mapped or cannot be read: only its keyed digest is kept, for sameness (GEN-01)."""

    def tidied(self, pointer: str, name_: str, how: str) -> None:
        """Tell that a value was readable only after its form was changed."""
        if how and how not in self.forms:
            self.findings.append(normalised(pointer, name_, how))

    def unread(self, rule: str, pointer: str, params: Mapping[str, str], given: Any) -> None:
        """Tell that a value cannot be read; a record with it is another one than the same record without it."""
        self.findings.append(unreadable(rule, pointer, params))
        self.rest[pointer[self.base :]] = given


def read_record(
    kind: Kind, value: Mapping[str, Any], pointer: str, client: str | None, envelope: frozenset[str]
) -> Record | Problem:
    """The record that an object is, or why it cannot be told apart from others.

    Args:
        kind: what it should be.
        value: the object.
        pointer: where it stands.
        client: id of the record that it stands in: the client's number, or what `within` says.
        envelope: fields around the record that are none of its own.
    """
    gathered = _Gathered(len(pointer), kind.forms)
    record_id = kind.constant_id or _taken(kind.id, name, {}, value, pointer, gathered) or ""
    if kind.client:
        client = _taken(kind.client, name, {}, value, pointer, gathered)
    why = next((one for one in gathered.findings if one.severity is Severity.REFUSE), None)
    if not record_id and not kind.key:
        return Problem(why or unreadable("SRC-ID", pointer, {"field": kind.id}))
    if client is None and (kind.is_of_client or kind.within):
        return Problem(why or unreadable("SRC-CLIENT", pointer))
    told = _taken(kind.by, choice, {"of": kind.types}, value, pointer, gathered, "SRC-KIND") if kind.by else None
    is_cancelled = _taken(kind.status, choice, {"of": kind.statuses}, value, pointer, gathered)
    handled = kind.own | envelope | kind.inside.keys() | {kind.id, kind.by, kind.version, kind.status, kind.client}
    content: dict[str, Any] = dict(kind.constants)
    if kind.within:
        record_id = f"{client}/{record_id}"
        content[kind.within] = client
    _read_fields(kind.fields, kind.dropped, handled, value, pointer, content, gathered)
    lacking = [one for one in gathered.findings if one.rule == "SRC-MISSING" or one.severity is Severity.REFUSE]
    if kind.is_whole and lacking:
        return Problem(lacking[0])
    if kind.key:
        record_id = _natural(kind, client, content)
    if not record_id:
        return Problem(lacking[0] if lacking else unreadable("SRC-ID", pointer, {"field": ", ".join(kind.key)}))
    return Record(
        type=told or kind.type, id=record_id, version=_version(kind, value, pointer, gathered),
        client=client if kind.is_of_client else None, is_keyed=kind.is_keyed, beside=kind.beside,
        content=content, is_cancelled=bool(is_cancelled),
        is_row=kind.is_row, pointer=pointer, dropped=dict(sorted(gathered.dropped.items())),
        rest=_rest(gathered.rest), findings=tuple(gathered.findings),
    )  # fmt: skip


def _version(kind: Kind, value: Mapping[str, Any], pointer: str, gathered: _Gathered) -> int:
    version: int | None = _taken(kind.version, integer, {}, value, pointer, gathered, "SRC-VERSION")
    if version is None or 1 <= version <= MAX_VERSION:
        return version or 1
    gathered.findings.append(unreadable("SRC-VERSION", f"{pointer}/{kind.version}", {"field": kind.version}))
    return 1


def _natural(kind: Kind, client: str | None, content: Mapping[str, Any]) -> str:
    """The natural key of a record, empty where a part of it is lacking."""
    parts = [client or "", *(_part(content, one) or ("" if one in kind.needed else "-") for one in kind.key)]
    return "|".join(parts)[:MAX_KEY] if all(parts) else ""


def _part(content: Mapping[str, Any], path: str) -> str:
    value: Any = content
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)


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
        gathered.tidied(f"{pointer}/{key}", key, reading.normalised)
    return reading.value


def _read(value: Any, reader: Reader, options: Mapping[str, Any]) -> Reading:
    return Reading(rule=value.rule) if isinstance(value, Unreadable) else reader(value, options)


def _read_fields(
    fields: Mapping[str, tuple[Field, ...]], dropped: frozenset[str], handled: frozenset[str], value: Mapping[str, Any],
    pointer: str, content: dict[str, Any], gathered: _Gathered,
) -> None:  # fmt: skip
    """Read the mapped fields of an object in the source's order; count the others."""
    for key, parts in fields.items():
        given = value.get(key)
        for one in parts:
            before = len(gathered.findings)
            if given is not None and given != "":
                _read_field(one, given, f"{pointer}/{key}", content, gathered)
            target = "surname" if one.shape == "person" else one.target
            if one.is_needed and not _part(content, target) and len(gathered.findings) == before:
                gathered.findings.append(unreadable("SRC-MISSING", f"{pointer}/{key}", {"field": key}))
    for key, given in value.items():
        if key in fields or key in handled or given is None or given in ("", [], {}):
            continue
        gathered.dropped[key if key in dropped else UNKNOWN] += 1
        gathered.rest[f"{pointer[gathered.base :]}/{key}"] = given


def _read_field(one: Field, given: Any, pointer: str, content: dict[str, Any], gathered: _Gathered) -> None:
    if one.shape in SHAPES:
        _read_shape(one, given, pointer, content, gathered)
        return
    assert one.read is not None  # noqa: S101 — a shape that is no group has a reader
    reading = _read(given, one.read, one.options)
    if reading.rule:
        gathered.unread(reading.rule, pointer, {"field": one.name, **reading.params}, given)
        content.pop(one.target, None)  # neither a constant nor another field tells what this one should
        return
    gathered.tidied(pointer, one.name, reading.normalised)
    if one.shape in {"person", "sections"}:
        value = dict(reading.value or {})
        if left := value.pop("", 0):
            gathered.dropped[one.name] += left
        for part, text in value.items():
            content.setdefault(part, text)
    elif reading.value is not None:
        _put(content, one.target, reading.value)


def _put(content: dict[str, Any], target: str, value: Any) -> None:
    """Set a canonical field; one with a dot stands in a group."""
    group, dot, inner = target.rpartition(".")
    if dot:
        content.setdefault(group, {})[inner] = value
    else:
        content[target] = value


def _read_shape(one: Field, given: Any, pointer: str, content: dict[str, Any], gathered: _Gathered) -> None:
    """A group, fields lifted out of an object, a list of groups, or a list of days."""
    expected: type[Any] = list if one.shape in {"dates", "list", "texts", "words"} else dict
    if not isinstance(given, expected):
        rule = given.rule if isinstance(given, Unreadable) else "SRC-TYPE"
        named = "list" if expected is list else "object"
        gathered.unread(rule, pointer, {"field": one.name, "expected": named}, given)
        return
    if one.shape == "inline":
        _read_fields(one.fields, frozenset(), frozenset(), given, pointer, content, gathered)
        return
    made: Any = _items(one, given, pointer, gathered) if expected is list else _group(one, given, pointer, gathered)
    if made:
        _put(content, one.target, " ".join(made) if one.shape == "words" else made)


def _items(one: Field, given: list[Any], pointer: str, gathered: _Gathered) -> list[Any]:
    made: list[Any] = []
    for position, item in enumerate(given):
        if item is None or item == "":
            continue
        place = f"{pointer}/{position}"
        if one.shape == "list" and isinstance(item, Mapping):
            value: Any = _group(one, item, place, gathered)
        else:
            reader = _ITEMS.get(one.shape)
            reading = _read(item, reader, {}) if reader is not None else Reading(rule="SRC-TYPE")
            value = reading.value
            if reading.rule:
                gathered.unread(reading.rule, place, {"field": one.name, "expected": "object"}, item)
            else:
                gathered.tidied(place, one.name, reading.normalised)
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
