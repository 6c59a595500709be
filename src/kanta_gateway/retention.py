"""How long what is kept: the terms of `mappings/retention.yaml`, and when each ends.

* A term ends on the same day so many years or months later; a day that the month lacks is its last one.
* What ends at a moment is gone from that moment on.

Source: 703/2023 annex and §23, §24; GDPR 5(1)(e).
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.stated import Lined, Mistakes, read

OWN = ("content", "import-file", "log-row", "reference", "request", "returned", "supervision")
"""Terms that the gateway itself carries out."""
_UNITS = ("years", "months", "days")


@dataclass(frozen=True, slots=True)
class Term:
    """How long one kind of thing is kept."""

    id: str
    since: str
    """What it is counted from."""
    source: str
    names: Mapping[str, str]
    years: int = 0
    months: int = 0
    days: int = 0
    remind: tuple[int, ...] = ()
    """After how many days its owner is reminded of it."""

    def ends(self, day: date) -> date:
        """First day on which what began on a day is gone."""
        months = day.year * 12 + day.month - 1 + self.years * 12 + self.months
        year, month = divmod(months, 12)
        moved = date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
        return moved + timedelta(days=self.days)

    def begun(self, day: date) -> date:
        """Last day that is over on this day: what began then or before is gone."""
        found = day
        while self.ends(found) > day:
            found -= timedelta(days=max(1, (self.ends(found) - day).days - 3))
        while self.ends(found + timedelta(days=1)) <= day:
            found += timedelta(days=1)
        return found


@dataclass(frozen=True, slots=True)
class Terms:
    """Every term."""

    documents: Mapping[str, Term]
    """By class of client documents: the controller's business, told by the gateway."""
    own: Mapping[str, Term]

    @classmethod
    def load(cls, text: str) -> Terms:
        """Read the file.

        Raises:
            MisconfiguredError: with every mistake.
        """
        mistakes = Mistakes("retention.yaml")
        stated = read(text, mistakes)
        found: dict[str, dict[str, Term]] = {"documents": {}, "gateway": {}}
        for part, terms in found.items():
            told = stated.get(part) if isinstance(stated, Lined) else None
            for one in told if isinstance(told, list) else ():
                if isinstance(one, Lined) and (term := _term(one, mistakes)) is not None:
                    terms[term.id] = term
        lacking = [name for name in OWN if name not in found["gateway"]]
        if lacking:
            mistakes.say(1, f"gateway: there is no term {', '.join(lacking)}")
        if mistakes.told:
            raise MisconfiguredError(mistakes=mistakes.told)
        return cls(found["documents"], found["gateway"])


def _term(one: Lined, mistakes: Mistakes) -> Term | None:
    name, keep, names = str(one.get("id", "")), one.get("keep"), one.get("names")
    remind = one.get("remind", [])
    numbers = list(keep.values()) if isinstance(keep, dict) and keep and keep.keys() <= set(_UNITS) else [None]
    if not name or any(type(number) is not int or number < 0 for number in numbers):
        mistakes.say(one.at("keep"), f"{name}: keep should be a whole number of years, months or days")
        return None
    if not isinstance(names, dict) or set(names) != {"fi", "sv", "en"} or not one.get("source") or not one.get("from"):
        mistakes.say(one.at("names"), f"{name}: expected from, source, and names in fi, sv and en")
        return None
    if not isinstance(remind, list) or any(type(day) is not int for day in remind):
        mistakes.say(one.at("remind"), f"{name}: remind should be a list of days")
        return None
    kept: dict[str, int] = dict(keep or {})
    units = {unit: kept.get(unit, 0) for unit in _UNITS}
    return Term(name, str(one["from"]), str(one["source"]), dict(names), remind=tuple(sorted(remind)), **units)
