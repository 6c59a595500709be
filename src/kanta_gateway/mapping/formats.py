"""The closed list of formats that a mapping may name, and how a plain value is read for each kind of field.

* Every function is total: a value that does not fit gives None, never an error.
* Text is carried character for character; text without any letter, digit or sign is no text.
* Times are Europe/Helsinki with their offset; numbers in text have a decimal comma.

Source: values as the structured form wants them (dates, moments with zone, no empty strings).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from kanta_gateway.model import Scalar, ValueKind

HELSINKI = ZoneInfo("Europe/Helsinki")
NUMBER_LIMIT = 10**15
"""JSON numbers beyond it lose digits in common readers (RFC 8259 §6)."""

_YES_NO: Mapping[str, tuple[str, str]] = MappingProxyType({"fi": ("Ei", "Kyllä"), "sv": ("Nej", "Ja")})
_CLOCK: Mapping[str, str] = MappingProxyType({"fi": "klo", "sv": "kl."})
_CENTURIES: Mapping[str, int] = MappingProxyType(
    {"+": 1800, **dict.fromkeys("-UVWXY", 1900), **dict.fromkeys("ABCDEF", 2000)}
)
"""Century marks of an identity code (government decree 690/2022)."""


def text(value: Any, language: str = "fi") -> str | None:
    """A value as it stands in a text; None where there is nothing to say."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return _YES_NO.get(language, _YES_NO["fi"])[value]
    if isinstance(value, list | tuple):
        return ", ".join(part for one in value if (part := text(one, language))) or None
    return decimal(value)


def decimal(value: Any, _: str = "fi") -> str | None:
    """A number with decimal comma and without needless zeros."""
    amount = number(value)
    if amount is None:
        return None
    written = f"{amount:f}" if isinstance(amount, Decimal) else str(amount)
    return (written.rstrip("0").rstrip(".") if "." in written else written).replace(".", ",")


def number(value: Any, _: str = "fi") -> int | Decimal | None:
    """A number that JSON can carry exactly enough."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    exact: int | Decimal = Decimal(str(value)) if isinstance(value, float) else value
    if isinstance(exact, Decimal) and not exact.is_finite():
        return None
    return exact if -NUMBER_LIMIT < exact < NUMBER_LIMIT else None


def boolean(value: Any, _: str = "fi") -> bool | None:
    """A truth value, nothing that only looks like one."""
    return value if isinstance(value, bool) else None


def day(value: Any, _: str = "fi") -> date | None:
    """The day of an ISO 8601 date or moment."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    moment = _moment(value)
    return moment.date() if moment else None


def moment(value: Any, _: str = "fi") -> datetime | None:
    """A moment with its offset; one without is Helsinki time."""
    read = _moment(value)
    if read is None or read.tzinfo is not None:
        return read
    return read.replace(tzinfo=HELSINKI)


def helsinki_time(on: Any, at: Any, _: str = "fi") -> datetime | None:
    """The moment of a day and a time of day, both as the wall shows them in Finland."""
    if not isinstance(on, str) or not isinstance(at, str) or len(on) != len("2025-09-01"):
        return None
    return moment(f"{on}T{at}")


def finnish_date(value: Any, _: str = "fi") -> str | None:
    """A date as d.m.yyyy."""
    read = day(value)
    return f"{read.day}.{read.month}.{read.year:04d}" if read else None


def finnish_moment(value: Any, language: str = "fi") -> str | None:
    """A moment as d.m.yyyy klo h.mm, in Helsinki time; without a time of day only the date."""
    read = moment(value)
    if read is None or not isinstance(value, str):
        return None
    if "T" not in value:
        return finnish_date(value)
    # NOTE: a moment at the very edge of the calendar cannot be moved to another zone; it is shown as it is.
    local = read.astimezone(HELSINKI) if 1 < read.year < date.max.year else read
    clock = _CLOCK.get(language, _CLOCK["fi"])
    return f"{finnish_date(local)} {clock} {local.hour}.{local.minute:02d}"


def date_list(value: Any, _: str = "fi") -> str | None:
    """Dates as d.m.yyyy, one after another; what is no date stays as it was written."""
    if not isinstance(value, list | tuple):
        return finnish_date(value)
    return ", ".join(part for one in value if (part := finnish_date(one) or text(one))) or None


def dated(on: Any, value: Any, language: str = "fi") -> str | None:
    """A value with its day before it: d.m.yyyy: value."""
    said, when = text(value, language), finnish_date(on)
    return f"{when}: {said}" if said and when else said


def person_name(value: Any, language: str = "fi") -> str | None:
    """Given names and surname of a person."""
    if not isinstance(value, Mapping):
        return text(value, language)
    parts = (text(value.get(name), language) for name in ("given_names", "surname"))
    return " ".join(part for part in parts if part) or None


def identity_birth_date(value: Any, _: str = "fi") -> date | None:
    """The day of birth that an identity code tells."""
    if not isinstance(value, str) or value[6:7] not in _CENTURIES or not value[:6].isdecimal():
        return None
    try:
        return date(_CENTURIES[value[6:7]] + int(value[4:6]), int(value[2:4]), int(value[:2]))
    except ValueError:
        return None


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Format:
    """One named format."""

    make: Callable[..., Scalar | None]
    """Called with its values and the language."""
    kind: ValueKind
    """What it gives."""
    values: int = 1
    """How many paths it is made of."""


FORMATS: Mapping[str, Format] = MappingProxyType({
    "date-list": Format(date_list, ValueKind.STRING),
    "dated": Format(dated, ValueKind.STRING, values=2),
    "decimal": Format(decimal, ValueKind.STRING),
    "finnish-date": Format(finnish_date, ValueKind.STRING),
    "finnish-moment": Format(finnish_moment, ValueKind.STRING),
    "helsinki-time": Format(helsinki_time, ValueKind.DATETIME, values=2),
    "identity-birth-date": Format(identity_birth_date, ValueKind.DATE),
    "person-name": Format(person_name, ValueKind.STRING),
})  # fmt: skip

READERS: Mapping[ValueKind, Callable[[Any, str], Scalar | None]] = MappingProxyType({
    ValueKind.BOOLEAN: boolean,
    ValueKind.DATE: day,
    ValueKind.DATETIME: moment,
    ValueKind.NUMBER: number,
    ValueKind.STRING: text,
})  # fmt: skip
"""How a plain value is read for a field of each kind; a coding or an identifier needs more than a value."""
