"""Quality review of an organisation: what its scores add up to, and what follows from measured numbers.

* A score is a whole number of the scale, or a range of them; anything else counts as unscored.
* Nothing is invented: unscored criteria and ranges make the total an interval, and the interval is what is told.
* A score that follows from a measured number is compared with what the source's classes give; where the source
  leaves a gap between two classes, or puts a value in both, the better class is taken.

Source: document 004, whole, and the criteria's own classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import add_months
from kanta_gateway.contracts.deadlines import Clock, Mark
from kanta_gateway.contracts.periods import number

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.rules import Rule
    from kanta_gateway.contracts.scales import Scale, ScoreClass
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.model import Finding

CRITERION = "quality_criterion"
REVIEW = "quality_review"


@dataclass(frozen=True, slots=True)
class Score:
    """One criterion as it was scored."""

    number: int
    low: int
    high: int
    is_firm: bool
    """Written as a bare number."""
    entry: Entry

    @property
    def is_range(self) -> bool:
        """Whether more than one score is possible."""
        return self.low < self.high


@dataclass(frozen=True, slots=True)
class Scored:
    """What the scores of one review add up to."""

    scale: Scale
    scores: Sequence[Score]
    recorded: Sequence[Entry]
    """Every criterion that was delivered."""

    @property
    def unscored(self) -> list[int]:
        """Numbers of the criteria without a score, those that were not delivered included."""
        have = {one.number for one in self.scores}
        return [one for one in range(1, self.scale.criteria + 1) if one not in have]

    @property
    def ranges(self) -> list[int]:
        """Numbers of the criteria whose score is a range."""
        return [one.number for one in self.scores if one.is_range]

    @property
    def firm(self) -> int:
        """Sum of the scores written as a bare number."""
        return sum(one.low for one in self.scores if one.is_firm)

    @property
    def lower(self) -> int:
        """Smallest sum, unscored criteria as nothing."""
        return sum(one.low for one in self.scores)

    @property
    def upper(self) -> int:
        """Largest sum, unscored criteria as nothing."""
        return sum(one.high for one in self.scores)

    def bound(self, score: int) -> int:
        """The bound with every unscored criterion given the scale's lowest, or highest, score."""
        base = self.lower if score == self.scale.lowest else self.upper
        return base + score * len(self.unscored)

    @property
    def levels(self) -> list[str]:
        """Levels that the total can have, in alphabetical order."""
        low, high = self.bound(self.scale.lowest), self.bound(self.scale.highest)
        return sorted({self.scale.level(total) for total in range(low, high + 1)})


def scored(scale: Scale, criteria: Iterable[Entry]) -> Scored:
    """What the criteria of one review add up to.

    Args:
        scale: of the contract.
        criteria: the standing criteria, in any order; of two with one number the one with the smaller id counts.
    """
    recorded = sorted(criteria, key=lambda one: (number(one.facts.get("number")) or 0, one.id))
    scores: dict[int, Score] = {}
    for entry in recorded:
        score = _score(scale, entry)
        if score is not None:
            scores.setdefault(score.number, score)
    return Scored(scale, tuple(scores[key] for key in sorted(scores)), recorded)


def _score(scale: Scale, entry: Entry) -> Score | None:
    told: Mapping[str, Any] = entry.facts.get("score") or {}
    low, high = number(told.get("low")), number(told.get("high"))
    place = int(entry.facts.get("number") or 0)
    if low is None or high is None or not 1 <= place <= scale.criteria:
        return None
    is_whole = low == low.to_integral_value() and high == high.to_integral_value()
    if not is_whole or not scale.lowest <= low <= high <= scale.highest:
        return None
    return Score(place, int(low), int(high), bool(told.get("firm")), entry)


def outside(scale: Scale, criteria: Iterable[Entry]) -> Iterator[int]:
    """Numbers of the criteria whose score is written but is none of the scale."""
    for entry in criteria:
        if entry.facts.get("score") and _score(scale, entry) is None:
            yield int(entry.facts.get("number") or 0)


@dataclass(frozen=True, slots=True)
class Implied:
    """The score that follows from a measured number."""

    score: int
    is_between: bool
    """The source's classes leave the number out, or put it in two of them: the better one was taken."""


def implied(scale: Scale, entry: Entry) -> Implied | None:
    """The score that follows from what was measured; None where nothing was, or the criterion has no classes.

    Args:
        scale: of the contract.
        entry: the criterion.
    """
    measure = scale.measured.get(int(entry.facts.get("number") or 0))
    measured = number(entry.facts.get("measured"))
    if measure is None or measured is None:
        return None
    holding = [one for one in measure.classes if one.holds(measured)]
    near = holding or _neighbours(measure.classes, measured)
    best = max(one.score for one in near)
    score = min([best, *(limit for cap in measure.caps if (limit := cap.limit(entry.facts)) is not None)])
    if measure.few is not None and measure.few.is_met(measured, entry.facts):
        return Implied(measure.few.score, is_between=False)
    return Implied(score, is_between=len({one.score for one in near}) > 1 and score == best)


def _neighbours(classes: Sequence[ScoreClass], measured: Decimal) -> list[ScoreClass]:
    """The classes just below and just above a number that no class holds."""
    under = [one for one in classes if one.top is not None and one.top <= measured]
    over = [one for one in classes if one.low is not None and one.low > measured]
    found = [max(under, key=lambda one: one.top or 0)] if under else []
    return [*found, min(over, key=lambda one: one.low or 0)] if over else found


def of_review(review: str, situation: Situation) -> Scored | None:
    """What the scores of one review add up to; None where the contract knows no scale."""
    scale = situation.contract.scale
    if scale is None:
        return None
    return scored(scale, (one for one in situation.by_type.get(CRITERION, ()) if one.facts.get("review") == review))


# rules about one review; their findings stand on it

Found = tuple["Finding", ...]
ReviewCheck = Callable[["Rule", "Subject", Scored], Found]


def scores_missing(rule: Rule, subject: Subject, found: Scored) -> Found:  # noqa: ARG001 — one shape
    """Every criterion has a score; without, the total cannot be confirmed."""
    return (rule.finding("text", "/criteria", criteria=_listed(found.unscored)),) if found.unscored else ()


def scores_ranged(rule: Rule, subject: Subject, found: Scored) -> Found:  # noqa: ARG001 — one shape
    """No score is a range."""
    return (rule.finding("text", "/criteria", criteria=_listed(found.ranges)),) if found.ranges else ()


def scores_in_scale(rule: Rule, subject: Subject, found: Scored) -> Found:  # noqa: ARG001 — one shape
    """What is written as a score is one of the scale; else it counts as unscored."""
    wrong = list(outside(found.scale, found.recorded))
    low, high = found.scale.lowest, found.scale.highest
    return (rule.finding("text", "/criteria", criteria=_listed(wrong), low=low, high=high),) if wrong else ()


def total_possible(rule: Rule, subject: Subject, found: Scored) -> Found:
    """The stated total lies in the possible interval."""
    stated = number(subject.facts.get("stated_total"))
    top = found.bound(found.scale.highest)
    if stated is None or found.lower <= stated <= top:
        return ()
    return (rule.finding("text", "/stated_total", total=_shown(stated), low=found.lower, high=top),)


def total_certain(rule: Rule, subject: Subject, found: Scored) -> Found:
    """The stated total follows from the scores alone, and is not one of several."""
    stated = number(subject.facts.get("stated_total"))
    is_certain = found.lower == found.upper and not found.unscored
    if stated is None or is_certain or not found.lower <= stated <= found.bound(found.scale.highest):
        return ()
    return (rule.finding("text", "/stated_total", total=_shown(stated), low=found.lower, high=found.upper),)


def level_stated(rule: Rule, subject: Subject, found: Scored) -> Found:
    """The stated level is that of the stated total."""
    stated, total = subject.facts.get("stated_level"), number(subject.facts.get("stated_total"))
    if not stated or total is None:
        return ()
    level = found.scale.level(total)
    if " ".join(str(stated).split()).casefold() == level.casefold():
        return ()
    return (rule.finding("text", "/stated_level", total=_shown(total), level=level),)


def score_implied(rule: Rule, subject: Subject, found: Scored) -> Found:  # noqa: ARG001 — one shape
    """A score that follows from a measured number is what the number gives; a gap of the classes is told."""
    told: list[Finding] = []
    scores = {one.entry.row: one for one in found.scores}
    for entry in found.recorded:
        follows = implied(found.scale, entry)
        score = scores.get(entry.row)
        if follows is None or score is None:
            continue
        if not score.low <= follows.score <= score.high:
            told.append(rule.finding("differs", "/criteria", criterion=score.number, score=follows.score))
        elif follows.is_between:
            told.append(rule.finding("between", "/criteria", criterion=score.number, score=follows.score))
    return tuple(told)


REVIEW_CHECKS: Mapping[str, ReviewCheck] = {
    "level-stated": level_stated,
    "score-implied": score_implied,
    "scores-in-scale": scores_in_scale,
    "scores-missing": scores_missing,
    "scores-ranged": scores_ranged,
    "total-certain": total_certain,
    "total-possible": total_possible,
}


def review_due(rule: Rule, subject: Subject, situation: Situation) -> Iterator[Clock]:
    """The next review follows in time, and the employed share was measured in time, which the next review tells."""
    scale, entry = situation.contract.scale, subject.entry
    if scale is None or not subject.day:  # without its day nothing is due by it
        return
    provider = subject.facts.get("provider_name")
    others = (one for one in situation.by_type.get(REVIEW, ()) if one.facts.get("provider_name") == provider)
    after = min((one for one in others if one.day > subject.day), key=lambda one: (one.day, one.id), default=None)
    found = of_review(entry.id, situation)
    total = number(subject.facts.get("stated_total")) or Decimal(found.lower if found else 0)
    months = rule.params["months_when_good" if total >= rule.params["good"] else "months"]
    yield Clock(
        rule, entry, Mark.made(entry), add_months(subject.day, months), Mark.made(after) if after else None, "/date",
        missing="due", params={"months": months}, awaits=(REVIEW,),
    )  # fmt: skip
    measured = Mark.of(entry, "employed_share_measured_on")
    if measured is not None:
        limit = add_months(measured.day, rule.params["measurement_months"])
        done = (Mark.of(after, measured.field) or Mark.made(after)) if after else None
        yield Clock(rule, entry, measured, limit, done, f"/{measured.field}", missing="measurement")


def check(kind: str) -> Callable[[Rule, Subject, Situation], Found]:
    """The check of one kind, as the other rules about one record are."""
    look = REVIEW_CHECKS[kind]

    def run(rule: Rule, subject: Subject, situation: Situation) -> Found:
        found = of_review(subject.entry.id, situation)
        return () if found is None else look(rule, subject, found)

    return run


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _shown(total: Decimal) -> str:
    return f"{total.normalize():f}"
