"""Figures of one client, derived from the records that stand, as its contract declares them.

* Only records that are neither held nor refused count (the judgement says which), unless the figure says otherwise.
* Shares have one decimal, half up; arithmetic is decimal, and results have at most two decimals.
* With several decisions hours, days and planned hours are added up; the product is that of the newest.
* What cannot be derived is None, and so is whatever is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts import attending, pricing, reviews
from kanta_gateway.contracts.benefits import absence_days
from kanta_gateway.contracts.calendar import between
from kanta_gateway.contracts.coaching import coaching_of
from kanta_gateway.contracts.figurekinds import FIGURE_KINDS, Derived
from kanta_gateway.contracts.months import attendance_of
from kanta_gateway.contracts.periods import number
from kanta_gateway.contracts.situation import Situation, Subject
from kanta_gateway.contracts.wholes import share
from kanta_gateway.model import Outcome

if TYPE_CHECKING:
    from datetime import date

    from kanta_gateway.contracts.case import Case, Entry
    from kanta_gateway.contracts.check import Judgement
    from kanta_gateway.contracts.periods import Period
    from kanta_gateway.contracts.rules import Contract, FigureRule

Figure = int | float | str | list[str] | None

_WAITING = frozenset({Outcome.HELD, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Told:
    """A figure as it is told, with what it rests on."""

    value: Figure
    records: tuple[str, ...]
    clause: str
    exact: Decimal | None = None
    """The number before it was rounded; None for what is none."""


class Ground:
    """What the figures of one client are derived from."""

    def __init__(self, contract: Contract, case: Case, judgement: Judgement, as_of: date, subject: str = "") -> None:
        self.contract = contract
        self.subject = subject
        self.judgement = judgement
        holidays = judgement.situation.holidays if judgement.situation is not None else frozenset()
        self.situation = Situation(contract, case, as_of, holidays)
        self.periods: Sequence[Period] = [
            one for one in self.situation.periods if one.start <= self.situation.as_of
        ]  # fmt: skip
        """Decisions that have begun, the newest first."""
        self.made: dict[str, Derived] = {}
        """Figures that have been derived, by name."""

    def chosen(self, params: Mapping[str, Any]) -> list[Subject]:
        """The records that a figure counts, in order of time."""
        found = (
            one
            for one in self.situation.standing(*params["records"])
            if one.day <= self.situation.as_of and self._counts(one, params)
        )
        return sorted(found, key=lambda one: (one.day, *one.order))

    def _counts(self, one: Subject, params: Mapping[str, Any]) -> bool:
        is_waiting = self.judgement.outcomes.get(one.entry.row) in _WAITING
        if not params.get("any_outcome") and is_waiting != params.get("waiting", False):
            return False
        if any(one.facts.get(name) != value for name, value in params.get("where", {}).items()):
            return False
        if not self.situation.marks(one).isdisjoint(params.get("without_words", ())):
            return False
        rules = {finding.rule for finding in self.judgement.findings.get(one.entry.row, ())}
        wanted = params.get("with")
        return (wanted is None or not rules.isdisjoint(wanted)) and rules.isdisjoint(params.get("without", ()))

    def stands(self, entry: Entry) -> bool:
        """Whether a record is neither held nor refused, and not later than the figures' own day."""
        return entry.day <= self.situation.as_of and self.judgement.outcomes.get(entry.row) not in _WAITING

    def amount(self, name: str) -> Decimal | None:
        """The value of a figure that was derived before, if it is a number."""
        value = self.made[name].value
        return Decimal(value) if isinstance(value, int | Decimal) else None


def figures(contract: Contract, case: Case, judgement: Judgement, as_of: date) -> dict[str, Figure]:
    """The figures of one client.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        judgement: what came of it.
        as_of: the last day that counts.
    """
    return {name: one.value for name, one in explain(contract, case, judgement, as_of).items()}


def explain(contract: Contract, case: Case, judgement: Judgement, as_of: date, subject: str = "") -> dict[str, Told]:
    """The figures of one client, or of one review, with the records behind each, in order of time.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        judgement: what came of it.
        as_of: the last day that counts.
        subject: id of the client or review.
    """
    return derive(Ground(contract, case, judgement, as_of, subject))


def derive(ground: Ground, declared: Sequence[FigureRule] | None = None) -> dict[str, Told]:
    """The figures of one ground, in their order; `ground.made` keeps what each was derived from.

    Args:
        ground: what they are derived from.
        declared: which figures; None for those of the contract.
    """
    products = {one.product.code for one in ground.periods if one.product is not None}
    told: dict[str, Told] = {}
    for rule in ground.contract.figures if declared is None else declared:
        if not rule.products or rule.products & products:
            derived = ground.made[rule.name] = DERIVE[rule.kind](rule, ground)
            if derived.records or not rule.params.get("where_recorded"):
                told[rule.name] = Told(plain(derived.value), derived.records, rule.clause, ground.amount(rule.name))
        else:
            ground.made.setdefault(rule.name, Derived(None))
    return told


def totals(contract: Contract, clients: Mapping[str, Mapping[str, Told]]) -> dict[str, dict[str, Told]]:
    """The sums over all clients that the contract declares; a client without a figure adds nothing to it.

    Args:
        contract: the purchaser's contract.
        clients: client -> its figures.
    """
    return {
        group: {
            name: _summed([figures[name] for figures in clients.values() if name in figures], tuple(clients))
            for name in names
        }
        for group, names in contract.totals.items()
    }


def _summed(parts: Sequence[Told], clients: tuple[str, ...]) -> Told:
    total_ = sum((one.exact or Decimal(0) for one in parts), Decimal(0))
    return Told(plain(total_), clients, next((one.clause for one in parts), ""), total_)


def plain(value: Decimal | int | str | Sequence[str] | None) -> Figure:
    """A figure as JSON has it: a number of at most two decimals, a text or a list."""
    if isinstance(value, int | Decimal):
        rounded = Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)
    return value if value is None or isinstance(value, str) else list(value)


def _ids(subjects: Sequence[Subject]) -> tuple[str, ...]:
    return tuple(one.entry.id for one in subjects)


def _decisions(ground: Ground) -> tuple[str, ...]:
    return tuple(one.entry.id for one in reversed(ground.periods))


def count(rule: FigureRule, ground: Ground) -> Derived:
    """How many records."""
    found = ground.chosen(rule.params)
    return Derived(len(found), _ids(found))


def days(rule: FigureRule, ground: Ground) -> Derived:
    """On how many days."""
    found = ground.chosen(rule.params)
    return Derived(len({one.day for one in found}), _ids(found))


def total(rule: FigureRule, ground: Ground) -> Derived:
    """The sum of one field."""
    name = rule.params["field"]
    found = [one for one in ground.chosen(rule.params) if one.facts.get(name)]
    return Derived(sum((number(one.facts[name]) or Decimal(0) for one in found), Decimal(0)), _ids(found))


def items(rule: FigureRule, ground: Ground) -> Derived:
    """How many items of one list have what `having` says."""
    found = ground.chosen(rule.params)
    listed = (item for one in found for item in one.facts.get(rule.params["field"]) or ())
    wanted = rule.params["having"].items()
    return Derived(sum(all(item.get(key) == value for key, value in wanted) for item in listed), _ids(found))


def share_of(rule: FigureRule, ground: Ground) -> Derived:
    """One figure in percent of another."""
    part, whole = (ground.amount(rule.params[name]) for name in ("of", "to"))
    behind = dict.fromkeys(ground.made[rule.params["to"]].records + ground.made[rule.params["of"]].records)
    return Derived(None if part is None or whole is None else share(part, whole), tuple(behind))


def product_of(rule: FigureRule, ground: Ground) -> Derived:
    """One figure times another, such as days times the price of a day."""
    part, price = (ground.amount(rule.params[name]) for name in ("of", "by"))
    behind = dict.fromkeys(ground.made[rule.params["of"]].records + ground.made[rule.params["by"]].records)
    return Derived(None if part is None or price is None else part * price, tuple(behind))


def planned_hours(rule: FigureRule, ground: Ground) -> Derived:  # noqa: ARG001 — one shape
    """Planned hours of all periods; None when a decision does not tell its extent."""
    hours = [one.planned_hours for one in ground.periods]
    known = [one for one in hours if one is not None]
    is_told = bool(hours) and len(known) == len(hours)
    return Derived(sum(known, Decimal(0)) if is_told else None, _decisions(ground))


def product(rule: FigureRule, ground: Ground) -> Derived:  # noqa: ARG001 — one shape
    """Service and number of the product that the newest decision grants; no service that the contract does not know."""
    if not ground.periods:
        return Derived(None)
    newest = ground.periods[0].entry
    service = str(newest.facts.get("service", ""))
    is_known = any(service.lower() in one.services for one in ground.situation.contract.products)
    name = f"{service if is_known else ''} {newest.facts.get('product_number', '')}".strip()
    return Derived(name, (newest.id,))


def days_after_end(rule: FigureRule, ground: Ground) -> Derived:
    """Days from the end of the period to the last of the records."""
    found = [one for one in ground.chosen(rule.params) if one.period is not None]
    if not found:
        return Derived(None)
    last = found[-1]
    assert last.period is not None  # noqa: S101 — chosen so
    return Derived(between(last.period.end, last.day), (last.entry.id,))


def score(rule: FigureRule, ground: Ground) -> Derived:
    """One value of what the scores of the review add up to."""
    found = reviews.of_review(ground.subject, ground.situation)
    review = next((one for one in ground.situation.by_type.get(reviews.REVIEW, ()) if one.id == ground.subject), None)
    if found is None or review is None:
        return Derived(None)
    stated = number(review.facts.get("stated_total"))
    values: Mapping[str, Callable[[], Decimal | int | str | Sequence[str] | None]] = {
        "criteria": lambda: len(found.recorded),
        "firm": lambda: found.firm,
        "level": lambda: None if stated is None else found.scale.level(stated),
        "levels": lambda: found.levels,
        "lower": lambda: found.lower,
        "scored": lambda: len(found.scores),
        "stated": lambda: stated,
        "unscored-highest": lambda: found.bound(found.scale.highest),
        "unscored-lowest": lambda: found.bound(found.scale.lowest),
        "upper": lambda: found.upper,
    }
    return Derived(values[rule.params["value"]](), (review.id, *(one.id for one in found.recorded)))


def constant(rule: FigureRule, ground: Ground) -> Derived:
    """A word of the contract, such as the name of the service."""
    return Derived(rule.params["value"], _decisions(ground))


DERIVE: Mapping[str, Callable[[FigureRule, Ground], Derived]] = {
    "absence-days": absence_days,
    "calendar-days": pricing.calendar_days,
    "count": count,
    "days": days,
    "days-after-end": days_after_end,
    "granted": pricing.granted,
    "others": pricing.others,
    "planned-hours": planned_hours,
    "price": pricing.price,
    "priced-days": pricing.priced_days,
    "product": product,
    "rolling-days": attending.rolling,
    "score": score,
    "service-amount": attending.service_amount,
    "service-days": attending.service_days,
    "attendance": attendance_of,
    "coaching": coaching_of,
    "constant": constant,
    "items": items,
    "share": share_of,
    "sum": total,
    "times": product_of,
}
assert DERIVE.keys() == FIGURE_KINDS.keys()  # noqa: S101 — one function for each kind
