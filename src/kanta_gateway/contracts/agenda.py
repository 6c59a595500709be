"""Every deadline of a case: the clocks of its records, its decisions and its client, by one contract.

* A clock is asked where the rule's finding would be: of the same records, products and days.
* A rule that yields to others (`unless`) has no clock where it yields, nor where theirs is the same.
* A rule of the law has none where the contract's own rule that covers it has one as strict.
* Rules of one id that the same record stops, or that await the same record, are one clock: the one that has told a
  finding, else the one that runs out first.
* Rules that tell deadlines only (`tells: clock`) are here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kanta_gateway.contracts.awaited import CLIENT_CLOCKS, DECISION_CLOCKS
from kanta_gateway.contracts.check import is_asked, is_dayless
from kanta_gateway.contracts.clocks import RECORD_CLOCKS
from kanta_gateway.contracts.deadlines import Clock, ClockState
from kanta_gateway.contracts.kinds import Scope

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.check import Judgement
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.contracts.situation import Situation

_RANKS = {state: rank for rank, state in enumerate((
    ClockState.BREACHED, ClockState.OPEN, ClockState.DONE_LATE, ClockState.DONE, ClockState.NOT_STARTED,
))}  # fmt: skip
_NEVER = "9999"


def clocks(judgement: Judgement) -> list[Clock]:
    """The clocks of a judged case, overdue first, then by due date.

    Args:
        judgement: of every row of the case.
    """
    situation = judgement.situation
    if situation is None:
        return []
    found: list[Clock] = []
    for entry in situation.resolution.live:
        found += _once(_of_record(entry, situation, judgement), situation.contract)
        if entry.type == "client":
            found += _of_client(situation)
        elif entry.kind.grants:
            found += _of_decision(entry, situation)
    return sorted(_merged(found, situation.as_of), key=lambda one: order(one, situation.as_of))


def order(clock: Clock, as_of: str) -> tuple[int, str, str, str, str]:
    """Place of a clock on a day: overdue first, then open, late, done; each by its due date.

    Args:
        clock: the clock.
        as_of: the day.
    """
    return (_RANKS[clock.state(as_of)], clock.due or _NEVER, clock.rule.id, clock.record.type, clock.record.id)


def _of_record(entry: Entry, situation: Situation, judgement: Judgement) -> Iterator[Clock]:
    if is_dayless(entry):
        return
    subject = situation.subject(entry)
    told = {(one.rule, one.kind, one.pointer) for one in judgement.findings.get(entry.row, ())}
    for rule in situation.contract.asked_of(entry.type, subject.product):
        kind = RECORD_CLOCKS.get(rule.kind)
        if kind is None or (rule.is_special and not is_asked(rule, subject, situation)):
            continue
        for clock in kind(rule, subject, situation):
            finding = clock.finding(situation.as_of) if rule.unless and not rule.is_clock else None
            if finding is None or (finding.rule, finding.kind, finding.pointer) in told:
                yield clock


def _of_client(situation: Situation) -> Iterator[Clock]:
    for rule in situation.contract.of(Scope.CLIENT):
        if (kind := CLIENT_CLOCKS.get(rule.kind)) is not None:
            yield from kind(rule, situation.in_time_of(rule))


def _of_decision(entry: Entry, situation: Situation) -> Iterator[Clock]:
    for period in situation.periods:
        if period.entry is entry and period.product is not None:
            for rule in situation.contract.of(Scope.DECISION, product=period.product.code):
                if rule.covers(period.start) and (kind := DECISION_CLOCKS.get(rule.kind)) is not None:
                    yield from kind(rule, period, situation)


def _once(found: Iterable[Clock], contract: Contract) -> list[Clock]:
    """The clocks of one record without those whose rule yields to another with the same clock.

    What the contract covers of the law is told by its own clock, if that runs out no later.
    """
    every, covered = list(found), contract.law.covered
    places = {(one.rule.id, one.pointer, one.due) for one in every}

    def is_covered(one: Clock) -> bool:
        own = {rule for rule, _ in covered.get(one.rule.id, ())}
        return any(each.rule.id in own and each.pointer == one.pointer and each.due <= one.due for each in every)

    return [
        one
        for one in every
        if not is_covered(one) and not any((rule, one.pointer, one.due) in places for rule in one.rule.unless)
    ]


def _merged(found: Iterable[Clock], as_of: str) -> list[Clock]:
    """The clocks without those that tell again what another one of their rule id tells; every finding keeps its own."""
    every = list(found)
    told = {_same(one) for one in every if _is_finding(one, as_of)}
    best: dict[tuple[object, ...], Clock] = {}
    for one in every:
        key = _same(one)
        if key and (key not in best or (not one.late, one.due) < (not best[key].late, best[key].due)):
            best[key] = one
    return [
        one for one in every
        if _is_finding(one, as_of) or not (key := _same(one)) or (key not in told and best[key] is one)
    ]  # fmt: skip


def _is_finding(clock: Clock, as_of: str) -> bool:
    return not clock.rule.is_clock and clock.state(as_of).is_told


def _same(clock: Clock) -> tuple[object, ...]:
    """What clocks that tell the same have in common: what stopped them, or what they await since when."""
    done, start = clock.done, clock.start
    if done is not None:
        return (clock.rule.id, done.entry.row, done.field, done.day)
    if clock.awaits and start is not None and not clock.month:
        return (clock.rule.id, clock.record.row, clock.awaits, start.entry.row, start.day)
    return ()
