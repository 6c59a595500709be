"""Diary against absences against invoice, day by day: what agrees, and every difference.

* A *line* of the invoice is a record behind the figure that the contract names; whatever else was attended is none.
* *Invoiced* is what the provider itself has put on its invoice, as the field says that the contract names.
* Differences are told, never mended: the purchaser accepts a line or rejects it.
* The result is a function of the judged records; what is dated after the as-of date has no day yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import later
from kanta_gateway.contracts.figures import Ground, derive
from kanta_gateway.contracts.periods import number
from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from kanta_gateway.contracts.case import Case
    from kanta_gateway.contracts.check import Judgement
    from kanta_gateway.contracts.rules import Contract, Reconciliation
    from kanta_gateway.contracts.situation import Subject

_Difference = tuple[str, str, "Mapping[str, str]"]
TEXTS = (
    "invoice-absent", "invoice-closed", "invoice-not-a-line", "invoice-not-reported", "invoice-price-differs",
    "invoice-reported-early", "invoice-to-check", "invoice-twice",
)  # fmt: skip
"""Keys of the message catalogue."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the invoice: a realised day and what it costs."""

    subject: Subject
    amount: Decimal | None
    """None where the contract has no price for it."""
    is_to_check: bool
    clause: str


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that was told of one day."""

    day: str
    attended: tuple[Subject, ...]
    absent: tuple[Subject, ...]
    line: Line | None
    invoiced: tuple[str, ...]
    """What the attended records say of the invoice: the day they were reported, or that they were billed."""
    differences: tuple[Finding, ...]


def reconcile(contract: Contract, case: Case, judgement: Judgement, as_of: date) -> list[Day]:
    """Every day of one client on which somebody told something, in order; none where the contract compares nothing.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        judgement: what came of it.
        as_of: the last day that counts.
    """
    agreed = contract.reconciliation
    if agreed is None:
        return []
    ground = Ground(contract, case, judgement, as_of)
    lines = {one.subject.entry.row: one for one in _lines(agreed, ground)}
    days: dict[str, tuple[list[Subject], list[Subject]]] = {}
    for subject in ground.situation.standing(*agreed.attended):
        days.setdefault(subject.day, ([], []))[0].append(subject)
    for subject in ground.situation.standing(*agreed.absent):
        for day in _days_of(subject, ground):
            days.setdefault(day, ([], []))[1].append(subject)
    return [
        _day(ground, agreed, day, sorted(attended, key=_order), sorted(absent, key=_order), lines)
        for day, (attended, absent) in sorted(days.items())
        if day <= ground.situation.as_of
    ]


def lines(contract: Contract, case: Case, judgement: Judgement, as_of: date) -> list[Line]:
    """The lines of one client's invoice, in order of time.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        judgement: what came of it.
        as_of: the last day that counts.
    """
    agreed = contract.reconciliation
    return [] if agreed is None else list(_lines(agreed, Ground(contract, case, judgement, as_of)))


def _days_of(subject: Subject, ground: Ground) -> Iterator[str]:
    """The days of an absence, as far as decisions reach and the as-of date lets us see."""
    periods, as_of = ground.situation.periods, ground.situation.as_of
    last = min(subject.entry.last_day, as_of, max((one.end for one in periods), default=as_of))
    day = max(subject.day, min((one.start for one in periods), default=subject.day))
    yield subject.day
    while day <= last:
        if day != subject.day:
            yield day
        day = later(day, 1)


def _order(subject: Subject) -> tuple[str, str, str, str]:
    return (subject.day, *subject.order)


def _lines(agreed: Reconciliation, ground: Ground) -> Iterator[Line]:
    derive(ground)
    paid, to_check = (frozenset(ground.made[name].records) for name in (agreed.lines, agreed.to_check))
    clause = next(one.clause for one in ground.contract.figures if one.name == agreed.lines)
    seen: set[str] = set()
    attended = sorted(ground.situation.standing(*agreed.attended), key=_order)
    # whichever of a day's records it is: the day stands on the invoice once
    open_days = {one.day for one in attended if one.entry.id in to_check}
    for one in attended:
        if one.entry.id in paid and one.day not in seen:
            seen.add(one.day)
            product = one.period.product if one.period else None
            yield Line(one, product.price(one.day) if product else None, one.day in open_days, clause)


def _day(
    ground: Ground, agreed: Reconciliation, day: str, attended: Sequence[Subject], absent: Sequence[Subject],
    lines: Mapping[int, Line],
) -> Day:  # fmt: skip
    line = next((lines[one.entry.row] for one in attended if one.entry.row in lines), None)
    invoiced = tuple(str(one.facts[agreed.invoiced]) for one in attended if one.facts.get(agreed.invoiced))
    found = tuple(
        Finding(agreed.rule, Severity.INFO, kind, f"/{pointer}" if pointer else "", params, agreed.clause)
        for kind, pointer, params in _differences(ground, agreed, day, attended, absent, line)
    )
    return Day(day, tuple(attended), tuple(absent), line, invoiced, found)


def _differences(
    ground: Ground, agreed: Reconciliation, day: str, attended: Sequence[Subject], absent: Sequence[Subject],
    line: Line | None,
) -> Iterator[_Difference]:  # fmt: skip
    """Kind, field and parameters of each difference of one day."""
    told = {"date": day}
    for one in attended:
        yield from ((kind, "", told) for kind in _of_absences(one, absent, ground))
        yield from _of_invoice(one, agreed, ground, is_line=line is not None and one is line.subject)
    if sum(bool(one.facts.get(agreed.invoiced)) for one in attended) > 1:
        yield "invoice-twice", agreed.invoiced, told
    if line is not None:
        yield from _of_line(line, ground)


def _of_absences(one: Subject, absent: Sequence[Subject], ground: Ground) -> Iterator[str]:
    """An attended day is neither an absence, unless both tell the same fact, nor a day on which nothing was open."""
    situation, contract = ground.situation, ground.contract
    same_fact = {words.name for words in contract.words if words.marks}
    is_closed = [not contract.not_absent.isdisjoint(situation.marks(away)) for away in absent]
    if not all(is_closed) and same_fact.isdisjoint(situation.marks(one)):
        yield "invoice-absent"
    if any(is_closed):
        yield "invoice-closed"


def _of_invoice(one: Subject, agreed: Reconciliation, ground: Ground, *, is_line: bool) -> Iterator[_Difference]:
    """What the provider put on its invoice is a line, and a line is put on it, after the day."""
    told, reported = {"date": one.day}, one.facts.get(agreed.invoiced)
    if reported and not is_line:
        yield "invoice-not-a-line", agreed.invoiced, {**told, "rules": _rules(one, ground)}
    if not reported and is_line:
        yield "invoice-not-reported", agreed.invoiced, told
    if isinstance(reported, str) and reported < one.day:
        yield "invoice-reported-early", agreed.invoiced, {**told, "reported": reported}


def _of_line(line: Line, ground: Ground) -> Iterator[_Difference]:
    """A line needs nobody's acceptance, and costs what the decision says."""
    told = {"date": line.subject.day}
    if line.is_to_check:
        yield "invoice-to-check", "", {**told, "rules": _rules(line.subject, ground)}
    stated = number(line.subject.period.entry.facts.get("unit_price")) if line.subject.period else None
    if stated is not None and line.amount is not None and stated != line.amount:
        yield "invoice-price-differs", "", {**told, "price": str(stated), "limit": str(line.amount)}


def _rules(one: Subject, ground: Ground) -> str:
    return ", ".join(sorted({found.rule for found in ground.judgement.findings.get(one.entry.row, ())})) or "-"
