"""What is due when, and what is lacking, of a provider's clients, reviews and conduct: from facts, nothing is opened.

* A client appears by the provider's own client number, as in figures; a record by its id.
* Clocks come overdue first, then by due date, over all clients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from kanta_gateway.contracts import agenda
from kanta_gateway.contracts.calendar import HELSINKI
from kanta_gateway.contracts.completeness import Gaps, gaps
from kanta_gateway.contracts.deadlines import Clock, ClockState, Mark
from kanta_gateway.contracts.figures import plain as rounded
from kanta_gateway.pipeline.filing import files
from kanta_gateway.pipeline.judging import judged
from kanta_gateway.pipeline.parts import Parts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.contracts.check import Judgement
    from kanta_gateway.contracts.expected import Expectation
    from kanta_gateway.messages import Messages


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader wants to know."""

    as_of: date
    language: str
    client: str | None = None
    """The provider's client number; None for all."""
    contract: str | None = None
    """Name of a contract file; None for all."""
    states: Collection[ClockState] = frozenset(ClockState)


class Due(NamedTuple):
    """A clock with whose it is."""

    provider: str
    contract: str
    client: str
    clock: Clock


@dataclass(slots=True)
class Agenda:
    """The clocks of one provider's clients, with how many there are of each state."""

    due: list[Due] = field(default_factory=list)
    counts: Counter[ClockState] = field(default_factory=Counter)


@dataclass(slots=True)
class Lacks:
    """What one provider's clients lack."""

    gaps: list[tuple[str, str, str, Gaps]] = field(default_factory=list)
    """Provider, contract, client, and what one period lacks."""
    due: list[Due] = field(default_factory=list)
    """Clocks that ran out and await a record."""
    periods: int = 0
    """How many were looked at."""
    unknown: int = 0
    """Of how many nothing tells how often the client comes."""


def today(parts: Parts) -> date:
    """The day in Finland."""
    return parts.now().astimezone(HELSINKI).date()


def _judged(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], closed: Collection[str], asked: Asked
) -> Iterator[tuple[str, str, Judgement]]:
    """Contract, client number and judgement of each client, once for each contract; the number of a review is empty."""
    for case in files(parts, tx, provider, clients, closed):
        names: dict[str, str] = {}
        for subject in case.subjects:
            is_client = parts.types[subject.type].about == "client"
            names[subject.purchaser] = subject.id if is_client else names.get(subject.purchaser, "")
        if not case.is_of_client:  # the provider's own conduct has deadlines and no subject that figures are told of
            names |= {one.purchaser: "" for one in case.rows if one.purchaser not in names}
        for purchaser, name in sorted(names.items()):
            if asked.contract in {None, purchaser}:
                _, judgement, _ = judged(parts, case, purchaser, asked.as_of)
                yield purchaser, name, judgement


def due(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], closed: Collection[str], asked: Asked
) -> Agenda:
    """Every clock of some clients that is in a wanted state.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone.
        asked: which clocks, and on which day they are read.
    """
    found, day = Agenda(), asked.as_of.isoformat()
    for purchaser, name, judgement in _judged(parts, tx, provider, clients, closed, asked):
        for clock in agenda.clocks(judgement):
            state = clock.state(day)
            found.counts[state] += 1
            if state in asked.states:
                found.due.append(Due(provider, purchaser, name, clock))
    return found


def lacking(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], closed: Collection[str], asked: Asked
) -> Lacks:
    """Days, weeks, months and records that some clients should have and lack.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        closed: purchasers whose registers are left alone.
        asked: on which day it is asked.
    """
    found, day = Lacks(), asked.as_of.isoformat()
    for purchaser, name, judgement in _judged(parts, tx, provider, clients, closed, asked):
        if (situation := judgement.situation) is None:
            continue
        asked_of = gaps(situation)
        known = {one.period.entry.row for one in asked_of if one.days_per_week or one.period.start >= day}
        found.periods += len(situation.periods)
        found.unknown += sum(one.entry.row not in known and one.start < day for one in situation.periods)
        found.gaps += [(provider, purchaser, name, one) for one in asked_of if not one.is_complete]
        awaited = (one for one in agenda.clocks(judgement) if one.awaits and one.state(day) is ClockState.BREACHED)
        found.due += [Due(provider, purchaser, name, one) for one in awaited]
    return found


def page(
    found: Iterable[Agenda], asked: Asked, messages: Messages, after: int = 0, limit: int | None = None
) -> dict[str, Any]:
    """A part of the clocks of several providers' clients, with how many there are of each state.

    Args:
        found: the clocks.
        asked: on which day, and in which language.
        messages: the texts.
        after: how many clocks go before the part.
        limit: the most that it has; None for all.
    """
    every = list(found)
    counts = sum((one.counts for one in every), Counter[ClockState]())
    rows = _ordered((row for one in every for row in one.due), asked.as_of)
    part = rows[after : None if limit is None else after + limit]
    return {
        "as_of": asked.as_of.isoformat(), "counts": {str(one): counts[one] for one in ClockState if counts[one]},
        "deadlines": [told(one, asked, messages) for one in part], "next": after + len(part),
    }  # fmt: skip


def summed(found: Iterable[Lacks], asked: Asked, messages: Messages) -> dict[str, Any]:
    """What several providers' clients lack, and of how many periods it could be said.

    Args:
        found: what they lack.
        asked: on which day, and in which language.
        messages: the texts.
    """
    every = list(found)
    due_ = _ordered((row for one in every for row in one.due), asked.as_of)
    lacks = sorted((row for one in every for row in one.gaps), key=lambda row: (row[2], row[3].period.start))
    return {
        "as_of": asked.as_of.isoformat(), "complete": not due_ and not lacks,
        "periods": {"judged": sum(one.periods for one in every), "unknown": sum(one.unknown for one in every)},
        "completeness": [told_gaps(*row) for row in lacks],
        "records": [told(one, asked, messages) for one in due_],
    }  # fmt: skip


def _ordered(found: Iterable[Due], as_of: date) -> list[Due]:
    """Clocks of several clients, overdue first, then by due date."""
    day = as_of.isoformat()
    return sorted(found, key=lambda one: (*agenda.order(one.clock, day)[:2], one.client, agenda.order(one.clock, day)))


def told(one: Due, asked: Asked, messages: Messages) -> dict[str, Any]:
    """A clock as it is told.

    Args:
        one: the clock, with whose it is.
        asked: on which day, and in which language.
        messages: the texts.
    """
    clock, day = one.clock, asked.as_of.isoformat()
    return {
        "rule": clock.rule.id, "clause": clock.rule.clause, "kind": clock.rule.kind,
        "what": what(clock, asked.language, messages), "contract": one.contract, "provider": one.provider,
        "client": one.client or None, "record": _record(clock.record.type, clock.record.id),
        "start": _mark(clock.start), "due": clock.due or None, "month": clock.month or None,
        "days_left": clock.days_left(day),
        "hours_left": None if clock.hours_left is None else rounded(clock.hours_left),
        "done": _mark(clock.done), "awaits": list(clock.awaits), "state": str(clock.state(day)),
    }  # fmt: skip


def what(clock: Clock, language: str, messages: Messages) -> str:
    """What is due, in the words of the contract, else by the record or field that is awaited."""
    if clock.duty:
        return messages.text(clock.duty, language)
    if clock.awaits:
        return messages.text("due-record", language, {"records": ", ".join(clock.awaits)})
    return messages.text("due-field", language, {"field": clock.pointer.lstrip("/") or clock.rule.kind})


def told_gaps(provider: str, contract: str, client: str, one: Gaps) -> dict[str, Any]:
    """What a period lacks, as it is told.

    Args:
        provider: OID of the provider.
        contract: name of the contract file.
        client: the provider's client number.
        one: the gaps.
    """
    period, part = one.period, one.expectation
    weeks = [
        {"start": week.start, "end": week.end, "expected": week.expected, "told": week.told,
         "lacking": week.lacking, "days": list(week.days)}
        for week in one.weeks
    ]  # fmt: skip
    return {
        "client": client or None, "contract": contract, "provider": provider, **_asked_by(part),
        "period": {**_record(period.entry.type, period.entry.id), "start": period.start, "end": period.end},
        "days_per_week": one.days_per_week or None, "lacking_days": sum(week.lacking for week in one.weeks),
        "weeks": weeks, "months": list(one.months),
    }  # fmt: skip


def _asked_by(part: Expectation) -> dict[str, str]:
    return {"rule": part.rule, "clause": part.clause}


def _record(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _mark(mark: Mark | None) -> Mapping[str, Any] | None:
    if mark is None:
        return None
    return {**_record(mark.entry.type, mark.entry.id), "field": mark.field, "day": mark.day or None}
