"""Which records a contract expects of every day or month of a service, and how the days of a week are written.

* Read from `completeness:` of a contract file once; every mistake is told.
* Days of a week are read only when all that is written beside them is known (`skip`, times, numbers): nothing is
  guessed of "every other week".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.mistakes import each

if TYPE_CHECKING:
    from kanta_gateway.contracts.mistakes import Mistakes
    from kanta_gateway.contracts.rulereader import Known
    from kanta_gateway.model import Record

ON_WEEKDAYS = "on_weekdays"
"""Fact of a record: the days of the week that its text names, Monday is 0."""
WEEK = 7
_DASHES = "\u2013\u2014-"
_WORD = re.compile(r"[^\W\d_]+|\d[\d.:]*|\S")
_NUMBER = re.compile(r"\d[\d.:]*\Z")
_BETWEEN = frozenset(",;/&+.()")
_TO = frozenset(_DASHES)


@dataclass(frozen=True, slots=True)
class Weekdays:
    """How the days of a week are written, and where."""

    words: Mapping[str, int] = field(default_factory=dict)
    """Word in small letters -> day of the week, Monday is 0."""
    skip: frozenset[str] = frozenset()
    """Words that may stand between them, such as *klo* before a time."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Record type -> field whose text names the days."""

    def of(self, record: Record) -> tuple[int, ...]:
        """The days that a record names, in the field where its type does."""
        name = self.fields.get(record.type)
        return self.read(str(record.content.get(name) or "")) if name else ()

    def read(self, text: str) -> tuple[int, ...]:
        """The days that a text names, in order; none where anything of it is not understood.

        Args:
            text: for instance "ma, ti, to klo 9-14" or "ma-pe".
        """
        found: set[int] = set()
        tokens = [one for one in _WORD.findall(text.casefold()) if one not in self.skip and one not in _BETWEEN]
        last, is_range = None, False
        for token in tokens:
            if token in _TO:
                is_range = True
            elif _NUMBER.match(token):
                last, is_range = None, False
            elif (place := self.words.get(token)) is None or (is_range and (last is None or place <= last)):
                return ()
            else:
                found |= set(range(last, place + 1)) if is_range and last is not None else {place}
                last, is_range = place, False
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Expectation:
    """Records that tell of the days of a service."""

    rule: str
    clause: str
    attended: tuple[str, ...]
    """Types of which a record tells of a day on which something took place."""
    absent: tuple[str, ...] = ()
    """Types of which a record tells of days on which the client was away, or the service closed."""
    months: tuple[str, ...] = ()
    """Types of which one record tells of a whole month; a month without one is lacking as such."""
    products: frozenset[str] = frozenset()
    """Codes of the products; empty for all."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a contract expects."""

    weekdays: Weekdays
    parts: Sequence[Expectation]


NOTHING = Expected(Weekdays(), ())


def read_expected(mistakes: Mistakes, stated: Any, known: Known) -> Expected:
    """Read `completeness:` of a contract file.

    Args:
        mistakes: collects what is wrong.
        stated: its value; None where there is none.
        known: record types and products.
    """
    if stated is None:
        return NOTHING
    if not isinstance(stated, dict):
        mistakes.say("completeness", "expected keys and values")
        return NOTHING
    mistakes.keys("completeness", stated, ("parts",), ("weekdays",))
    parts = tuple(each(mistakes, stated, "parts", lambda m, w, v: _part(m, f"completeness {w}", v, known)))
    return Expected(_weekdays(mistakes, stated.get("weekdays"), known), parts)


def _part(mistakes: Mistakes, where: str, item: Mapping[str, Any], known: Known) -> Expectation | None:
    before = len(mistakes.told)
    mistakes.keys(where, item, ("rule", "clause", "attended"), ("absent", "months", "products"))
    for name in ("attended", "absent", "months"):
        known.check(mistakes, f"{where} {name}", {"records": item.get(name, ())})
    known.check(mistakes, where, {"products": item.get("products", ())})
    if len(mistakes.told) > before:
        return None
    attended, absent, months = (tuple(item.get(name, ())) for name in ("attended", "absent", "months"))
    return Expectation(str(item["rule"]), str(item["clause"]), attended, absent, months, known.products(item))


def _weekdays(mistakes: Mistakes, stated: Any, known: Known) -> Weekdays:
    where = "completeness weekdays"
    if stated is None:
        return Weekdays()
    if not isinstance(stated, dict):
        mistakes.say(where, "expected keys and values")
        return Weekdays()
    mistakes.keys(where, stated, ("words", "fields"), ("skip",))
    words, fields = stated.get("words", ()), stated.get("fields", {})
    if not isinstance(words, list) or len(words) != WEEK:
        mistakes.say(where, "words: expected seven words, Monday first; quote those that YAML reads as truth values")
        return Weekdays()
    known.check(mistakes, where, {"records": fields})
    return Weekdays(
        {str(word).casefold(): place for place, word in enumerate(words)},
        frozenset(str(one).casefold() for one in stated.get("skip", ())),
        dict(fields),
    )
