"""Attendance that is kept as a month's sheet: every marked day is judged by itself.

* A day outside every decision of the sheet's service is rejected, whatever is marked on it; leave and absences too.
* Inside, a mark of hours is a presence if the product has such hours and the day is a workday; anything else that is
  not one of the sheet's letters is left for a person to solve, and counts in nothing.
* Letters (leave, sickness, other and unannounced absence) count by their kind, and never in presence or pay.
* A month's document tells the days that are not accepted as such; the judgement says which.

Source: document 000 §2.4, and the marks of its sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import SATURDAY, day, is_workday
from kanta_gateway.contracts.periods import named

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.mistakes import Mistakes
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.situation import Situation

MONTH = "attendance_month"
PRESENT, REJECTED, UNSOLVED = "present", "rejected", "unsolved"
LETTERS = ("leave", "sick", "other", "unannounced")
"""What a letter can mean."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """What the marks of a sheet mean, and what a presence is worth."""

    allowance: Mapping[Decimal, Decimal]
    """Hours of a day -> euros that it is worth; other hours are none of a working day."""
    letters: Mapping[str, str]
    """Letter in capitals -> one of `LETTERS`."""
    products: frozenset[str] = frozenset()
    """Codes of the products whose days stand on such sheets; empty for all."""
    accrued_days: int = 0
    """Leave days that a month accrues."""
    accrued_from: int = 0
    """Attended days that a month needs for it."""
    accrued_most: int = 0
    """Leave days that a year can accrue."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One marked day."""

    day: str
    mark: str
    kind: str
    """`present`, `rejected`, `unsolved`, or one of `LETTERS`."""
    hours: Decimal | None = None
    why: str = ""
    """Of what is unsolved: `weekend`, `holiday`, `hours`, `unreadable`."""


@dataclass(slots=True)
class Attended:
    """What a month, or all of a client's months, hold."""

    days: list[Marked] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Marked]:
        """Days of some kinds."""
        return [one for one in self.days if one.kind in kinds]

    def allowance(self, attendance: Attendance) -> Decimal:
        """What the presences are worth, in euros."""
        return sum((attendance.allowance[one.hours] for one in self.of(PRESENT) if one.hours is not None), Decimal(0))


def read_attendance(
    mistakes: Mistakes, stated: Mapping[str, Any] | None, families: Mapping[str, frozenset[str]]
) -> Attendance | None:
    """The `attendance` of a contract file, or None if it has none or it does not hold.

    Args:
        mistakes: collects what is wrong.
        stated: what the file says.
        families: class or code of a product -> codes.
    """
    if stated is None:
        return None
    before = len(mistakes.told)
    mistakes.keys("attendance", stated, ("allowance", "letters"), ("leave", "products"))
    leave = stated.get("leave", {})
    if leave:
        mistakes.keys("attendance leave", leave, ("days", "from_days", "most_a_year"))
    for unknown in sorted(set(stated.get("letters", {}).values()) - set(LETTERS)):
        mistakes.say("attendance letters", f"{unknown} is none of {', '.join(LETTERS)}")
    for unknown in sorted(set(stated.get("products", ())) - families.keys()):
        mistakes.say("attendance products", f"{unknown} is neither a product nor a class")
    if len(mistakes.told) > before:
        return None
    return Attendance(
        allowance={Decimal(str(hours)): Decimal(str(euros)) for hours, euros in stated["allowance"].items()},
        letters={str(letter).upper(): kind for letter, kind in stated["letters"].items()},
        products=frozenset(code for name in stated.get("products", ()) for code in families[name]),
        accrued_days=leave.get("days", 0), accrued_from=leave.get("from_days", 0),
        accrued_most=leave.get("most_a_year", 0),
    )  # fmt: skip


def attended(situation: Situation, months: Sequence[Entry]) -> Attended:
    """The marked days of some months, each judged, in order; empty where the contract knows no marks.

    Args:
        situation: knows the contract, the decisions and the holidays.
        months: standing month records.
    """
    known = situation.contract.attendance
    found = Attended()
    if known is not None:
        for month in sorted(months, key=lambda one: (one.day, one.id)):
            decisions = decisions_of(situation, month)
            found.days += (_judged(known, situation, decisions, one) for one in month.facts.get("days") or ())
    return found


def months_that_count(situation: Situation) -> list[Entry]:
    """A client's months that are neither held nor refused. Needs `blocking` to have been judged."""
    return [one.entry for one in situation.standing(MONTH) if one.stands]


def decisions_of(situation: Situation, month: Entry) -> Sequence[Period]:
    """The decisions under which the days of a month's sheet can lie.

    Args:
        situation: of the client.
        month: the record.
    """
    known = situation.contract.attendance
    codes = known.products if known is not None else frozenset()
    own = [one for one in situation.periods if not codes or (one.product is not None and one.product.code in codes)]
    return named(month, own)


def not_accepted(situation: Situation, month: Entry) -> list[str]:
    """The marked days of a month that are neither presence nor a known absence inside a decision.

    Args:
        situation: of the client.
        month: the record.
    """
    return [one.day for one in attended(situation, [month]).of(REJECTED, UNSOLVED)]


def _judged(
    known: Attendance, situation: Situation, decisions: Sequence[Period], told: Mapping[str, Any]
) -> Marked:  # fmt: skip
    on, mark = str(told.get("date") or ""), str(told.get("mark") or "").strip()
    if not on or not any(one.covers(on) for one in decisions):
        return Marked(on, mark, REJECTED)
    if not is_workday(on, situation.holidays):
        return Marked(on, mark, UNSOLVED, why="weekend" if day(on).weekday() >= SATURDAY else "holiday")
    if (letter := known.letters.get(mark.upper())) is not None:
        return Marked(on, mark, letter)
    if (hours := _hours(mark)) is None:
        return Marked(on, mark, UNSOLVED, why="unreadable")
    if hours not in known.allowance:
        return Marked(on, mark, UNSOLVED, hours, "hours")
    return Marked(on, mark, PRESENT, hours)


def _hours(mark: str) -> Decimal | None:
    """A mark that is a number, or None; Python's "nan" and "infinity" are none of a sheet."""
    try:
        hours = Decimal(mark.replace(",", "."))
    except InvalidOperation:
        return None
    return hours if hours.is_finite() else None
