"""Small JSON bodies as named fields, each of its kind: every mistake at once, and nothing of the body repeated.

* One object of known fields; a field that nobody knows, stands twice or has another form refuses the whole body.
* Texts have a longest length and hold no control characters: a database or a terminal would stumble over them.
* Days lie within the centuries that a calendar can be counted in, so that a day before or after them is one too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

from kanta_gateway.errors import ParameterError
from kanta_gateway.intake.jsontext import MAX_DEPTH, parsed
from kanta_gateway.model import Finding, Severity

FIRST_DAY, LAST_DAY = date(1800, 1, 1), date(2999, 12, 31)
"""Between these lies whatever a person, a record or a log can have to do with."""
LONGEST = 10_000
"""Characters of a text that somebody writes."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
"""What no text needs; tabs and ends of lines may stand in one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field holds."""

    expected: str
    """As the caller is told."""
    read: Callable[[Any], Any]
    """Its value; ValueError or TypeError for anything else."""


def text(most: int = LONGEST) -> Kind:
    """A text of at most so many characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if len(value) > most or CONTROL.search(value) is not None:
            raise ValueError
        return value

    return Kind(f"a text of at most {most} characters", read)


def a_day(value: Any) -> date:
    """A day as ISO 8601 writes it, within the bounds.

    Raises:
        ValueError: it is another one, or none.
    """
    found = date.fromisoformat(value)
    if not (FIRST_DAY <= found <= LAST_DAY and found.isoformat() == value):
        raise ValueError
    return found


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None or not FIRST_DAY.year < found.year < LAST_DAY.year:
        raise ValueError
    return found.astimezone(UTC)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError
    return value


def many(kind: Kind) -> Kind:
    """A list of values of a kind."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError
        return tuple(map(kind.read, value))

    return Kind(f"a list, each {kind.expected}", read)


def group(kinds: Mapping[str, Kind], needed: tuple[str, ...] = ()) -> Kind:
    """An object of known fields within the body."""

    def read_(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or value.keys() - kinds.keys() or not value.keys() >= set(needed):
            raise TypeError
        return {name: kinds[name].read(one) for name, one in value.items()}

    return Kind(f"an object with {', '.join(kinds)}", read_)


TEXT = text()
DAY = Kind("YYYY-MM-DD", a_day)
MAYBE_DAY = Kind("YYYY-MM-DD or null", lambda value: None if value is None else a_day(value))
MOMENT = Kind("a moment with its time zone, as 2026-01-31T12:00:00+02:00", _moment)
FLAG = Kind("true or false", _flag)
WHOLE = Kind("a whole number", _whole)


def read(body: bytes, kinds: Mapping[str, Kind], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of a body; an empty body is an object without fields.

    Args:
        body: a JSON object.
        kinds: name of a field -> what it holds.
        needed: fields that must be there.

    Raises:
        ParameterError: it is none, or a field is unknown, lacks, stands twice or does not fit; all mistakes.
    """
    told, twice = _object(body or b"{}")
    faults = [("body", f"only {', '.join(sorted(kinds))}")] if told.keys() - kinds.keys() else []
    faults += [("body", "each field once")] if twice else []
    faults += [(name, "required") for name in needed if name not in told]
    made: dict[str, Any] = {}
    for name in sorted(kinds.keys() & told.keys()):
        try:
            made[name] = kinds[name].read(told[name])
        except (TypeError, ValueError):
            faults.append((name, kinds[name].expected))
    if faults:
        raise wrong(*faults)
    return made


_ALLOWANCE = {"reason": TEXT, "answers": many(group({"field": TEXT, "class": TEXT}, ("field", "class")))}


def allowance(body: bytes) -> tuple[list[tuple[str, str]], str]:
    """The author's answer to what was asked about a record: (field, class) of what is allowed, and the reason.

    Raises:
        ParameterError: the body is something else.
    """
    told = read(body, _ALLOWANCE, ("reason",))
    return [(one["field"], one["class"]) for one in told.get("answers", ())], told["reason"]


def wrong(*faults: tuple[str, str]) -> ParameterError:
    """The refusal of fields, each with what was expected of it."""
    return ParameterError(findings=tuple(
        Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{name}", {"field": name, "expected": expected})
        for name, expected in faults
    ))  # fmt: skip


def any_fields(body: bytes) -> dict[str, Any]:
    """The fields of a body whose names somebody else knows, such as a record's; an empty body has none.

    Raises:
        ParameterError: it is no object, or a field stands twice.
    """
    told, twice = _object(body or b"{}")
    if twice:
        raise wrong(("body", "each field once"))
    return told


def _object(body: bytes) -> tuple[dict[str, Any], int]:
    """The object that a body is, and how many of its fields stand twice.

    orjson is strict (no NaN, no lone surrogates), and does not tell of fields that stand twice.
    """
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    again, finding = parsed(body)
    if not isinstance(told, dict) or finding is not None:
        raise wrong(("body", f"a JSON object, nested at most {MAX_DEPTH} deep"))
    return told, again.twice
