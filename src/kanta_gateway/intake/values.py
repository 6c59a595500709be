"""One value of a provider's format as a canonical value, or why it cannot be read.

* A value readable only after its form was normalised says so (GEN-05); trimming text is no change of form.
* A value that cannot be read is absent, with a rule that tells why, never with the value.
* Empty text and null are absent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kanta_gateway.privacy.identity import identity_code

MAX_TEXT = 100_000
"""Characters in one text: far above any entry, and a document stays readable."""
MAX_NAME = 200
"""Characters in an id or a name."""

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters, lone surrogates, non-characters: what XML 1.0 §2.2 forbids or discourages."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE = re.compile(r"\d{1,4}")
_FINNISH_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:\s{1,2}(?:klo\s)?0?0[.:]00(?:[.:]00)?)?", re.ASCII)
_AMBIGUOUS_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:\d{2}|\d{4})", re.ASCII)
"""Whether day or month stands first, or which century it is, only the writer knows."""
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00(?::00(?:\.0{1,6})?)?", re.ASCII)
_FINNISH_MOMENT = re.compile(
    r"(\d{1,2})\.(\d{1,2})\.(\d{4}),?\s{1,2}(?:klo\s{0,2}|kl\.?\s{0,2})?(\d{1,2})[.:]([0-5]\d)(?:[.:][0-5]\d)?",
    re.ASCII | re.IGNORECASE,
)
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_LOOSE_TIME = re.compile(r"(?:klo\s*)?([01]?\d|2[0-3])(?:[.:]([0-5]\d)(?:[.:][0-5]\d)?)?", re.ASCII | re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_NUMBER = re.compile(r"([+-]?\d{1,9})(?:([.,])(\d{1,6}))?\s*([a-zA-Z%äöå/]*)", re.ASCII)
_AMBIGUOUS_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}\D*", re.ASCII)
"""`1.500` is one and a half to some and one and a half thousand to others."""
_MAX_NUMBER: int = 1_000_000_000
_MAX_DIGITS, _MAX_DECIMALS = 9, 6

UNITS: Mapping[str, frozenset[str]] = {
    "h": frozenset({"h", "t", "tunti", "tuntia"}),
    "min": frozenset({"min", "minuutti", "minuuttia"}),
    "percent": frozenset({"%", "pros", "prosenttia"}),
    "day": frozenset({"pv", "päivä", "päivää", "pv/vko"}),
}
"""Unit of a field -> words that may stand after its number."""

_MONTH = re.compile(r"(\d{4})-(\d{1,2})|(\d{1,2})[-/.](\d{4})", re.ASCII)
_TICKS = frozenset({"x", "✓", "✔"})
_YES, _NO = frozenset({"true", "kyllä", "k", "ja"}), frozenset({"false", "ei", "e", "nej"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one value."""

    value: Any = None
    """The canonical value; None when there is none or when it cannot be read."""
    normalised: str = ""
    """How its form had to be changed: `case`, `decimal-comma`, `form`, `spaces`, `unit`."""
    rule: str = ""
    """Why it cannot be read, a key of `rules.UNREADABLE`."""
    params: Mapping[str, str] = field(default_factory=dict)


ABSENT = Reading()
Reader = Callable[[Any, Mapping[str, Any]], Reading]
"""Reads one value that is neither null nor empty, with the options of its field."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in for a value that the JSON reader could not build."""

    rule: str
    """`SRC-DEPTH` or `SRC-TWICE`."""


def failed(rule: str, **params: str) -> Reading:
    """A value that cannot be read."""
    return Reading(rule=rule, params=params)


def text_fault(value: str, limit: int = MAX_TEXT) -> Reading | None:
    """Why a text cannot be taken as it is, or None."""
    if len(value) > limit:
        return failed("SRC-LENGTH", limit=str(limit))
    if FORBIDDEN.search(value) is not None:
        return failed("SRC-CHARACTER")
    return None


def text(value: Any, options: Mapping[str, Any]) -> Reading:
    """Free text: trimmed, line ends as LF."""
    if not isinstance(value, str):
        return failed("SRC-TYPE", expected="text")
    if (fault := text_fault(value, options.get("limit", MAX_TEXT))) is not None:
        return fault
    return Reading(value.strip().replace("\r\n", "\n").replace("\r", "\n") or None)


def name(value: Any, _: Mapping[str, Any]) -> Reading:
    """An id or a name: short text; a whole number is taken as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Reading(str(value), "form")
    return text(value, {"limit": MAX_NAME})


def day(value: Any, _: Mapping[str, Any]) -> Reading:
    """A calendar day; `d.m.yyyy` is read too, and a day with midnight as systems write it."""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return failed("SRC-DATE")
    if _DATE.fullmatch(value):
        return Reading(value) if _is_day(value) else failed("SRC-DATE")
    stripped = value.strip()
    normalised = "spaces"
    if (finnish := _FINNISH_DATE.fullmatch(stripped)) is not None:
        stripped = f"{finnish[3]}-{int(finnish[2]):02d}-{int(finnish[1]):02d}"
        normalised = "form"
    elif (midnight := _MIDNIGHT.fullmatch(stripped)) is not None:
        stripped, normalised = midnight[1], "form"
    if _DATE.fullmatch(stripped) and _is_day(stripped):
        return Reading(stripped, normalised)
    if finnish is None and _AMBIGUOUS_DATE.fullmatch(stripped) is not None:
        return failed("SRC-DATE-AMBIGUOUS")
    return ABSENT if not stripped else failed("SRC-DATE")


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).year >= 1900
    except ValueError:
        return False


def clock(value: Any, _: Mapping[str, Any]) -> Reading:
    """A time of day; `9.00`, `klo 9` and a cell that holds the whole hour are read too."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return failed("SRC-TIME")
    if _TIME.fullmatch(value):
        return Reading(value)
    stripped = value.strip()
    if _TIME.fullmatch(stripped):
        return Reading(stripped, "spaces")
    if (loose := _LOOSE_TIME.fullmatch(stripped)) is not None:
        return Reading(f"{int(loose[1]):02d}:{loose[2] or '00'}", "form")
    return ABSENT if not stripped else failed("SRC-TIME")


def moment(value: Any, _: Mapping[str, Any]) -> Reading:
    """A day with its time, with an offset or in Helsinki time; `d.m.yyyy klo h.mm` is read too."""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return failed("SRC-MOMENT")
    if is_moment(value):
        return Reading(value)
    stripped = value.strip()
    if is_moment(stripped):
        return Reading(stripped, "spaces")
    if is_moment(joined := stripped.replace(" ", "T", 1)):
        return Reading(joined, "form")
    if (finnish := _FINNISH_MOMENT.fullmatch(stripped)) is not None:
        on, month, year, hour, minute = finnish.groups()
        joined = f"{year}-{int(month):02d}-{int(on):02d}T{int(hour):02d}:{minute}"
        if is_moment(joined):
            return Reading(joined, "form")
    return ABSENT if not stripped else failed("SRC-MOMENT")


def is_moment(value: str) -> bool:
    """Whether the text is a day with its time (ISO 8601) that exists."""
    if _MOMENT.fullmatch(value) is None:
        return False
    try:
        return datetime.fromisoformat(value).year >= 1900
    except ValueError:
        return False


def is_day(value: str) -> bool:
    """Whether the text is a calendar day that exists."""
    return _DATE.fullmatch(value) is not None and _is_day(value)


def number(value: Any, options: Mapping[str, Any]) -> Reading:
    """A number; text with a decimal comma or with the field's unit is read too."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _bounded(value if isinstance(value, int) else Decimal(str(value)), "", options)
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return failed("SRC-NUMBER")
    stripped = value.strip()
    if not stripped:
        return ABSENT
    shape = _NUMBER.fullmatch(stripped)
    if shape is None or (shape[4] and shape[4].lower() not in UNITS.get(options.get("unit", ""), ())):
        return failed("SRC-NUMBER")
    if _AMBIGUOUS_NUMBER.fullmatch(stripped) is not None:
        return failed("SRC-NUMBER-AMBIGUOUS")
    normalised = "unit" if shape[4] else "decimal-comma" if shape[2] == "," else "form"
    return _bounded(Decimal(f"{shape[1]}.{shape[3] or '0'}"), normalised, options)


def _bounded(value: Any, normalised: str, options: Mapping[str, Any]) -> Reading:
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if not value.is_finite() or abs(value.adjusted()) > _MAX_DIGITS:
            return failed("SRC-NUMBER")
        if value == value.to_integral_value():
            value = int(value)
        elif options.get("whole") or not isinstance(exponent, int) or -exponent > _MAX_DECIMALS:
            return failed("SRC-NUMBER")
    if abs(value) >= _MAX_NUMBER:
        return failed("SRC-NUMBER")
    return Reading(value, normalised)


def integer(value: Any, options: Mapping[str, Any]) -> Reading:
    """A whole number."""
    return number(value, {**options, "whole": True})


def boolean(value: Any, _: Mapping[str, Any]) -> Reading:
    """Yes or no; the words of Finnish and Swedish forms are read too."""
    if isinstance(value, bool):
        return Reading(value)
    word = value.strip().casefold() if isinstance(value, str) and len(value) <= MAX_NAME else None
    if word in _YES or word in _NO:
        return Reading(word in _YES, "form")
    return ABSENT if word == "" else failed("SRC-BOOLEAN")


def choice(value: Any, options: Mapping[str, Any]) -> Reading:
    """One word of a closed list; case, spaces and diaereses do not matter.

    With `prefix: true` the text only begins with the word.
    """
    words: Mapping[str, Any] = options["of"]
    if options.get("prefix") and isinstance(value, str):
        value = next((word for word in words if folded(value).startswith(folded(word))), value)
    if isinstance(value, str) and value in words:
        return Reading(words[value])
    if isinstance(value, str) and len(value) <= MAX_NAME:
        if not value.strip():
            return ABSENT
        plain = {folded(word): meant for word, meant in words.items()}
        if (key := folded(value)) in plain:
            return Reading(plain[key], "case" if value == value.strip() else "spaces")
    return failed("SRC-CHOICE", allowed=", ".join(map(str, words)))


def folded(word: str) -> str:
    """A word without case, outer spaces and diacritics, for comparing."""
    plain = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(one for one in plain if not unicodedata.combining(one))


def code(value: Any, _: Mapping[str, Any]) -> Reading:
    """An identity code with its right check character."""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return failed("SRC-IDENTITY-CODE")
    if identity_code(value) is not None:
        return Reading(value)
    packed = "".join(value.split()).upper()
    if not packed:
        return ABSENT
    if identity_code(packed) is None:
        return failed("SRC-IDENTITY-CODE")
    return Reading(packed, "case" if packed == value.upper() else "spaces")


def span(value: Any, _: Mapping[str, Any]) -> Reading:
    """A whole number or a range of them in a text (`3`, `3-5`, `3/5`, `vaihtelee 3-5`, `5 (osittain)`).

    Gives `{low, high, firm}`; firm is a bare number. A text without any number tells none and is absent; one with
    more than two is unreadable.
    """
    if isinstance(value, bool) or (isinstance(value, str) and len(value) > MAX_NAME):
        return failed("SRC-NUMBER")
    numbers = [int(one) for one in _WHOLE.findall(str(value))]
    if not numbers:
        return ABSENT
    if len(numbers) > 2:
        return failed("SRC-NUMBER")
    is_firm = _WHOLE.fullmatch(str(value).strip()) is not None
    return Reading({"low": min(numbers), "high": max(numbers), "firm": is_firm})


def month(value: Any, _: Mapping[str, Any]) -> Reading:
    """A month: `9/2025`, `09-2025`, `2025-09`, `9.2025`; gives `2025-09`."""
    if not isinstance(value, str) or len(value) > MAX_NAME:
        return failed("SRC-MONTH")
    if (told := _MONTH.fullmatch(value.strip())) is None:
        return ABSENT if not value.strip() else failed("SRC-MONTH")
    year, number = (told[1], told[2]) if told[1] else (told[4], told[3])
    if not 1 <= int(number) <= 12 or int(year) < 1900:
        return failed("SRC-MONTH")
    normal = f"{year}-{int(number):02d}"
    return Reading(normal, "" if normal == value else "form")


def mark(value: Any, options: Mapping[str, Any]) -> Reading:
    """A tick in a box: `x` or a word for yes; an empty box is absent, which is not no."""
    if isinstance(value, str) and value.strip().casefold() in _TICKS:
        return Reading(True)  # noqa: FBT003 — the box is ticked
    return boolean(value, options)
