"""Every deadline of a case: the clocks of its records, its decisions and its client, by one contract.

* A clock is asked where the rule's finding would be: of the same records, products and days.
* A rule that yields to others (`unless`) has no clock where it yields, nor where theirs is the same.
* Two rules of one id that the same record stops on the same day are one clock.
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
        found += _once(_of_record(entry, situation, judgement))
        if entry.type == "client":
            found += _of_client(situation)
        elif entry.kind.grants:
            found += _of_decision(entry, situation)
    return sorted(_merged(found), key=lambda one: order(one, situation.as_of))


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
            yield from kind(rule, situation)


def _of_decision(entry: Entry, situation: Situation) -> Iterator[Clock]:
    for period in situation.periods:
        if period.entry is entry and period.product is not None:
            for rule in situation.contract.of(Scope.DECISION, product=period.product.code):
                if rule.covers(period.start) and (kind := DECISION_CLOCKS.get(rule.kind)) is not None:
                    yield from kind(rule, period, situation)


def _once(found: Iterable[Clock]) -> list[Clock]:
    """The clocks of one record without those whose rule yields to another with the same clock."""
    every = list(found)
    places = {(one.rule.id, one.pointer, one.due) for one in every}
    return [one for one in every if not any((rule, one.pointer, one.due) in places for rule in one.rule.unless)]


def _merged(found: Iterable[Clock]) -> Iterator[Clock]:
    """Of the clocks of one rule id that one record stopped on one day, the one that judges when it was done."""
    kept: dict[tuple[object, ...], Clock] = {}
    for place, one in enumerate(found):
        done = one.done
        key = (place,) if done is None else (one.rule.id, one.due, done.entry.row, done.field, done.day)
        if (have := kept.get(key)) is None or (one.late and not have.late):
            kept[key] = one
    return iter(kept.values())
