"""Figures of one client, derived from the records that stand: days, hours, shares, minutes.

* Only attended days that are neither held nor refused count (the judgement says which).
* Remote share of the period is remote hours of planned hours: the figure that decides LAP-06.
* Shares have one decimal, half up; arithmetic is decimal, and results have at most two decimals.
* With several decisions hours, days and planned hours are added up; the product is that of the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.calendar import between
from kanta_gateway.contracts.situation import ATTENDED, Situation, Subject
from kanta_gateway.contracts.wholes import share
from kanta_gateway.model import Outcome

if TYPE_CHECKING:
    from datetime import date

    from kanta_gateway.contracts.case import Case
    from kanta_gateway.contracts.check import Judgement
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import Contract

Figure = int | float | str | None

_WAITING = frozenset({Outcome.HELD, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class _Ground:
    """What figures are derived from."""

    periods: Sequence[Period]
    """Decisions that have begun, the newest first."""
    attended: Sequence[Subject]
    absences: Sequence[Subject]
    summaries: Sequence[Subject]

    @property
    def remote(self) -> list[Subject]:
        """Attended days held remotely."""
        return [one for one in self.attended if one.facts.get("mode") == "remote"]

    @property
    def unpermitted(self) -> list[Subject]:
        """Absences that were not permitted."""
        return [one for one in self.absences if one.facts.get("permitted") is False]

    @property
    def planned(self) -> Decimal | None:
        """Planned hours of all periods; None when a decision does not tell its extent."""
        hours = [one.planned_hours for one in self.periods]
        known = [one for one in hours if one is not None]
        return sum(known, Decimal(0)) if hours and len(known) == len(hours) else None


def figures(contract: Contract, case: Case, judgement: Judgement, as_of: date) -> dict[str, Figure]:
    """The figures of one client.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        judgement: what came of it; a record whose outcome is held or refused counts in nothing.
        as_of: the last day that counts.
    """
    ground = _ground(contract, case, judgement, as_of)
    return {name: derive(ground) for name, (derive, _) in _FIGURES.items()}


def explain(contract: Contract, case: Case, judgement: Judgement, as_of: date) -> dict[str, tuple[str, ...]]:
    """The ids of the records behind each figure, in order of time.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        judgement: what came of it.
        as_of: the last day that counts.
    """
    ground = _ground(contract, case, judgement, as_of)
    return {name: tuple(behind(ground)) for name, (_, behind) in _FIGURES.items()}


def _ground(contract: Contract, case: Case, judgement: Judgement, as_of: date) -> _Ground:
    situation = Situation(contract, case, as_of, frozenset())

    def standing(record_type: str) -> list[Subject]:
        found = (
            one
            for one in situation.standing(record_type)
            if one.day <= situation.as_of and judgement.outcomes.get(one.entry.row) not in _WAITING
        )
        return sorted(found, key=lambda one: (one.day, *one.order))

    return _Ground(
        periods=[one for one in situation.periods if one.start <= situation.as_of],
        attended=standing(ATTENDED),
        absences=standing("absence"),
        summaries=standing("final_summary"),
    )


def _number(value: Decimal | int) -> int | float:
    """A JSON number of at most two decimals."""
    rounded = Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _hours(subjects: Iterable[Subject]) -> Decimal:
    return sum((one.hours or Decimal(0) for one in subjects), Decimal(0))


def _days(subjects: Iterable[Subject]) -> int:
    return len({one.day for one in subjects})


def _minutes(ground: _Ground) -> int | float:
    return _number(sum((Decimal(str(one.facts.get("guidance_minutes") or 0)) for one in ground.attended), Decimal(0)))


def _product(ground: _Ground) -> Figure:
    if not ground.periods:
        return None
    facts: Mapping[str, Any] = ground.periods[0].entry.facts
    return f"{facts.get('service', '')} {facts.get('product_number', '')}".strip()


def _percent_of_period(ground: _Ground) -> Figure:
    planned = ground.planned
    return None if planned is None else _number(share(_hours(ground.remote), planned))


def _planned(ground: _Ground) -> Figure:
    planned = ground.planned
    return None if planned is None else _number(planned)


def _summary_days(ground: _Ground) -> Figure:
    periods = [(one.period, one.day) for one in ground.summaries if one.period is not None]
    return between(periods[-1][0].end, periods[-1][1]) if periods else None


def _ids(subjects: Iterable[Subject]) -> list[str]:
    return [one.entry.id for one in subjects]


def _decisions(ground: _Ground) -> list[str]:
    return [one.entry.id for one in reversed(ground.periods)]


_Derive = Callable[[_Ground], Figure]
_Behind = Callable[[_Ground], Iterable[str]]

_FIGURES: Mapping[str, tuple[_Derive, _Behind]] = {
    "product": (_product, lambda g: _decisions(g)[-1:]),
    "accepted_days": (lambda g: _days(g.attended), lambda g: _ids(g.attended)),
    "hours": (lambda g: _number(_hours(g.attended)), lambda g: _ids(g.attended)),
    "remote_hours": (lambda g: _number(_hours(g.remote)), lambda g: _ids(g.remote)),
    "remote_days": (lambda g: _days(g.remote), lambda g: _ids(g.remote)),
    "remote_percent_of_hours": (
        lambda g: _number(share(_hours(g.remote), _hours(g.attended))),
        lambda g: _ids(g.attended),
    ),
    "remote_percent_of_days": (
        lambda g: _number(share(_days(g.remote), _days(g.attended))),
        lambda g: _ids(g.attended),
    ),
    "remote_percent_of_period": (_percent_of_period, lambda g: [*_decisions(g), *_ids(g.remote)]),
    "planned_hours": (_planned, _decisions),
    "individual_guidance_minutes": (
        _minutes,
        lambda g: _ids(one for one in g.attended if one.facts.get("guidance_minutes")),
    ),
    "absences": (lambda g: len(g.absences), lambda g: _ids(g.absences)),
    "unpermitted_absences": (lambda g: len(g.unpermitted), lambda g: _ids(g.unpermitted)),
    "summary_days_after_end": (_summary_days, lambda g: _ids(g.summaries[-1:])),
}
"""Name of the figure -> how it is derived, and the records behind it."""
