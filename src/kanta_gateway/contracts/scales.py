"""The scale of a quality review: its criteria, levels, and the classes of scores that follow from numbers.

Read from `scale:` of a contract file once; every mistake is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanta_gateway.contracts.mistakes import Mistakes


@dataclass(frozen=True, slots=True)
class ScoreClass:
    """One class of measured numbers with its score."""

    score: int
    low: Decimal | None = None
    """Smallest number of the class; None without a lower end."""
    top: Decimal | None = None
    """Largest number of the class, or the first one above it (`is_open`); None without an upper end."""
    is_open: bool = False

    def holds(self, measured: Decimal) -> bool:
        """Whether a number is in the class."""
        if self.low is not None and measured < self.low:
            return False
        return self.top is None or measured < self.top or (measured == self.top and not self.is_open)


@dataclass(frozen=True, slots=True)
class Cap:
    """A highest score that another fact of the criterion allows."""

    fact: str
    of: Mapping[str, int] = field(default_factory=dict)
    """Word -> highest score."""
    low: Decimal | None = None
    """From this number on the score is at most `score`."""
    below: Decimal | None = None
    """Below this number the score is at most `score`."""
    score: int = 0

    def limit(self, facts: Mapping[str, Any]) -> int | None:
        """The highest score, if the fact is recorded and limits it."""
        value = facts.get(self.fact)
        if value is None:
            return None
        if self.of:
            return self.of.get(str(value))
        amount = Decimal(str(value))
        is_met = (self.low is not None and amount >= self.low) or (self.below is not None and amount < self.below)
        return self.score if is_met else None


@dataclass(frozen=True, slots=True)
class Few:
    """A score for those who have so few of something that the classes would be unfair."""

    fact: str
    below: Decimal
    times: Decimal
    """The measured number must be at least so many times the few."""
    score: int

    def is_met(self, measured: Decimal, facts: Mapping[str, Any]) -> bool:
        """Whether the few are that few, and the number is high enough."""
        value = facts.get(self.fact)
        if value is None:
            return False
        few = Decimal(str(value))
        return few < self.below and measured >= self.times * few


@dataclass(frozen=True, slots=True)
class Measure:
    """How the score of one criterion follows from a number."""

    classes: tuple[ScoreClass, ...]
    caps: tuple[Cap, ...] = ()
    few: Few | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """What a review's scores are and mean."""

    criteria: int
    """How many there are, numbered from 1."""
    lowest: int
    highest: int
    levels: tuple[tuple[int, str], ...]
    """Smallest total -> name of the level, highest first."""
    measured: Mapping[int, Measure] = field(default_factory=dict)

    def level(self, total: Decimal | int) -> str:
        """Name of the level of a total."""
        return next((name for start, name in self.levels if total >= start), self.levels[-1][1])


def read_scale(mistakes: Mistakes, stated: Mapping[str, Any]) -> Scale | None:
    """The scale of a contract file, or None if it has none or it does not hold.

    Args:
        mistakes: collects what is wrong.
        stated: the file's `scale`.
    """
    if not stated:
        return None
    before = len(mistakes.told)
    mistakes.keys("scale", stated, ("criteria", "lowest", "highest", "levels"), ("measured",))
    for number, one in stated.get("measured", {}).items():
        where = f"scale measured {number}"
        mistakes.keys(where, one, ("classes",), ("caps", "few"))
        for part in one.get("classes", ()):
            mistakes.keys(f"{where} class", part, ("score",), ("from", "to", "below"))
        for part in one.get("caps", ()):
            mistakes.keys(f"{where} cap", part, ("field",), ("of", "from", "below", "score"))
        if "few" in one:
            mistakes.keys(f"{where} few", one["few"], ("field", "below", "times", "score"))
    if len(mistakes.told) > before:
        return None
    return Scale(
        criteria=stated["criteria"], lowest=stated["lowest"], highest=stated["highest"],
        levels=tuple(sorted(((one["from"], one["name"]) for one in stated["levels"]), reverse=True)),
        measured={int(number): _measure(one) for number, one in stated.get("measured", {}).items()},
    )  # fmt: skip


def _measure(stated: Mapping[str, Any]) -> Measure:
    few: Mapping[str, Any] | None = stated.get("few")
    return Measure(
        classes=tuple(map(_class, stated["classes"])),
        caps=tuple(
            Cap(one["field"], one.get("of", {}), _exact(one.get("from")), _exact(one.get("below")), one.get("score", 0))
            for one in stated.get("caps", ())
        ),
        few=Few(few["field"], Decimal(few["below"]), Decimal(few["times"]), few["score"]) if few else None,
    )


def _class(stated: Mapping[str, Any]) -> ScoreClass:
    is_open = "below" in stated
    top = stated["below"] if is_open else stated.get("to")
    return ScoreClass(stated["score"], _exact(stated.get("from")), _exact(top), is_open)


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
