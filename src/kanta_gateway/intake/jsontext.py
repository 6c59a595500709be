"""JSON text as a value, with exact numbers, bounded size and depth, and every mistake as a finding.

* Nesting deeper than `MAX_DEPTH` is refused before it is parsed; nothing here recurses over the input.
* A key that stands twice in one object has no value: nobody knows which one is meant.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.stream import MAX_DIGITS
from kanta_gateway.intake.values import Unreadable
from kanta_gateway.model import Finding

MAX_DEPTH = 100
"""Levels of nesting; real exports have fewer than ten."""
MAX_RECORD_BYTES = 10 * 1024 * 1024
"""One canonical record, or one line."""
_BEYOND = 10**MAX_DIGITS
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def loads(data: bytes) -> Any:
    """The JSON value that the bytes are, numbers as int or Decimal.

    Raises:
        UnreadableError: not UTF-8, not JSON, too large, too deep, or with a key that stands twice.
    """
    value, finding = parsed(data)
    if finding is None and value.twice:
        finding = unreadable("SRC-TWICE", "")
    if finding is not None:
        raise refusal(finding, "the body")
    return value.value


@dataclass(slots=True)
class Parsed:
    """A JSON value, and how many keys stood twice in it."""

    value: Any = None
    twice: int = 0


def refusal(finding: Finding, what: str) -> UnreadableError:
    """The error that one finding on a whole file or body is."""
    told = ", ".join(f"{key} {value}" for key, value in finding.params.items())
    return UnreadableError(f"{what} cannot be read ({finding.rule}{': ' if told else ''}{told})", findings=(finding,))


def parsed(data: bytes) -> tuple[Parsed, Finding | None]:
    """A JSON value, or why the bytes are none."""
    found = Parsed()
    if len(data) > MAX_RECORD_BYTES:
        return found, unreadable("SRC-SIZE", "", {"limit": str(MAX_RECORD_BYTES)})
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        return found, unreadable("SRC-DEPTH", "", {"limit": str(MAX_DEPTH)})

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(given)
        if len(made) < len(given):
            seen: set[str] = set()
            for key, _ in given:
                if key in seen:
                    made[key] = Unreadable("SRC-TWICE")
                    found.twice += 1
                seen.add(key)
        return made

    try:
        content = data.decode("utf-8-sig")
        found.value = json.loads(
            content, object_pairs_hook=pairs, parse_float=Decimal, parse_int=_integer,
            parse_constant=_no_constant,
        )  # fmt: skip
    except UnicodeDecodeError as error:
        return found, unreadable("SRC-UTF8", "", {"offset": str(error.start)})
    except json.JSONDecodeError as error:
        return found, unreadable("SRC-JSON", "", {"offset": str(len(content[: error.pos].encode("utf-8", "replace")))})
    except (ValueError, ArithmeticError, RecursionError):
        return found, unreadable("SRC-JSON", "", {"offset": "0"})
    return found, None


def _integer(text: str) -> int:
    """The whole number, or one beyond every limit instead of one that would take long to convert."""
    return int(text) if len(text) <= MAX_DIGITS else _BEYOND


def _no_constant(_: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON (RFC 8259 §6)")


def _depth(data: bytes) -> int:
    """How deep objects and lists stand in each other, brackets inside texts left out."""
    deepest = level = 0
    for bracket in _BRACKETS.finditer(data):
        first = data[bracket.start()]
        if first in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif first in b"]}":
            level -= 1
    return deepest
