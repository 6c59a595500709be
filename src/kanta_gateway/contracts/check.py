"""Judges one client's case: findings and outcome for each record.

1. Which version of each record stands (`versions.py`).
2. What holds or refuses each record, of those that sums are made of before any rule adds up: only what is left counts
   in limits, shares and figures.
3. The other rules of each record, then those of the client and of each decision.
4. The outcome: the worst finding; a replacement goes before flagged; a reference stays a reference.

The result is a function of the set of entries. With `only`, the same is judged for the named rows
and for what they affect (same day, same week, the client), and nothing else is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import add_months, week
from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.kinds import KINDS, Scope
from kanta_gateway.contracts.periods import COVERING
from kanta_gateway.contracts.records import CHECKS, Check, Found
from kanta_gateway.contracts.rules import Contract, Rule
from kanta_gateway.contracts.situation import ATTENDED, Situation, Subject, waits
from kanta_gateway.contracts.wholes import CLIENT_CHECKS, DECISION_CHECKS
from kanta_gateway.model import Finding, Outcome, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date


_Checks = tuple[tuple[Check, Rule, bool], ...]
_OUTCOMES = {
    Severity.INFO: Outcome.ACCEPTED,
    Severity.FLAG: Outcome.FLAGGED,
    Severity.HOLD: Outcome.HELD,
    Severity.REFUSE: Outcome.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a case, by row of its entries."""

    findings: dict[int, tuple[Finding, ...]] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    decisions: dict[int, int] = field(default_factory=dict)
    """Row of a standing record -> row of the decision that it falls under, where there is one."""
    situation: Situation | None = field(default=None, compare=False, repr=False)
    """What it was judged from: makes the next judgement of the same client quicker."""


def judge(
    contract: Contract,
    case: Case,
    as_of: date,
    holidays: Collection[date],
    only: Collection[int] | None = None,
    before: Situation | None = None,
) -> Judgement:
    """Judge a client's case.

    Args:
        contract: the purchaser's contract.
        case: everything that is known about the client.
        as_of: the day that every clock is read at.
        holidays: public holidays of the years in question.
        only: rows to judge again with whatever they affect; None for every row.
        before: of the same client's last judgement, if it is at hand.
    """
    situation = Situation(contract, case, as_of, holidays, before)
    common = tuple(_common(situation))
    targets = None if only is None else _affected(situation, frozenset(only))
    for subject in situation.days:
        if subject.entry.row not in situation.judged:
            _block(subject, situation, common)
    for subject in situation.standing(*_summed(contract)):
        _block(subject, situation, common)
    judgement = Judgement(situation=situation)
    _superseded(situation, targets, judgement)
    for entry in situation.resolution.live:
        if targets is None or entry.row in targets:
            findings = entry.reading + _found(entry, situation, common)
            judgement.findings[entry.row] = findings
            judgement.outcomes[entry.row] = _outcome(entry, findings, situation)
            period = situation.subject(entry).period
            if period is not None:
                judgement.decisions[entry.row] = period.entry.row
    return judgement


def _common(situation: Situation) -> Iterable[Finding]:
    """What holds every record of the client: something they all need is not known."""
    client = situation.client
    lacking = {
        "client-known": client is None,
        "decision-known": not situation.periods,
        "non-disclosure-known": client is not None and client.facts.get("non_disclosure") is None,
    }
    for rule in situation.contract.of(Scope.CASE):
        if lacking[rule.kind]:
            yield rule.finding("text", "/client" if rule.kind == "client-known" else "")


def _block(subject: Subject, situation: Situation, common: tuple[Finding, ...]) -> None:
    """Find out, once, what holds or refuses a record; one without a day cannot be judged, reading has told so."""
    found = common
    if is_dayless(subject.entry):
        subject.blocking, subject.stands, subject.counts = found, False, False
        return
    for check, rule, is_special in _plan(situation.contract, subject.entry.type, subject.product)[0]:
        if is_special:
            found += _asked(check, rule, subject, situation, found)
        else:
            found += check(rule, subject, situation)
    subject.blocking = found
    reading = subject.entry.reading
    subject.stands = not (found and waits(found)) and not (reading and waits(reading))
    subject.counts = subject.stands and situation.is_realised(subject)


def _asked(check: Check, rule: Rule, subject: Subject, situation: Situation, told: Iterable[Finding]) -> Found:
    """What a rule finds that is in force for a part of time, spares some records, or yields to others."""
    if not is_asked(rule, subject, situation):
        return ()
    found = check(rule, subject, situation)
    if found and rule.unless:
        known = {one.pointer for one in told if one.rule in rule.unless}
        return tuple(one for one in found if one.pointer not in known)
    return found


def is_asked(rule: Rule, subject: Subject, situation: Situation) -> bool:
    """Whether a rule is in force on a record's day and no word takes the record out of it."""
    if not rule.covers(subject.day):
        return False
    return not rule.unless_words or rule.unless_words.isdisjoint(situation.marks(subject))


@lru_cache(maxsize=64)
def _summed(contract: Contract) -> frozenset[str]:
    """Types, beside attended days, of which rules add up more than a day or week."""
    return frozenset(
        name
        for name, kind in contract.types.items()
        if name != ATTENDED and not kind.is_reference
        and any(name in rule.records and _sums(rule) for rule in contract.of(Scope.RECORD, name))
    )  # fmt: skip


def _sums(rule: Rule) -> bool:
    return KINDS[rule.kind].is_wide or KINDS[rule.kind].months_ahead > 0


def is_dayless(entry: Entry) -> bool:
    """Whether a record tells no day, so that nothing more can be judged of it."""
    return not entry.kind.is_reference and not entry.day


@lru_cache(maxsize=512)
def _plan(contract: Contract, record_type: str, product: str) -> tuple[_Checks, _Checks]:
    """What is asked of a record: first what can hold or refuse it, then the rest."""
    blocking, others = (
        tuple((CHECKS[rule.kind], rule, rule.is_special) for rule in part)
        for part in contract.parted(record_type, product)
    )
    return blocking, others


def _found(entry: Entry, situation: Situation, common: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Everything found on one standing entry."""
    subject = situation.subject(entry)
    is_reference = entry.kind.is_reference
    if entry.type != ATTENDED and entry.type not in _summed(situation.contract):
        _block(subject, situation, () if is_reference else common)
    found = list(subject.blocking)
    others = () if is_dayless(entry) else _plan(situation.contract, entry.type, subject.product)[1]
    for check, rule, is_special in others:
        if is_special:
            found.extend(_asked(check, rule, subject, situation, found))
        else:
            found.extend(check(rule, subject, situation))
    if entry.type == "client":
        found.extend(_on_client(situation))
    elif entry.kind.grants:
        found.extend(_on_decision(entry, situation))
    found = _told_once(found, situation.contract)
    if is_reference:
        found = [replace(one, severity=Severity.INFO) for one in found]
    return tuple(found)


def _told_once(found: list[Finding], contract: Contract) -> list[Finding]:
    """Leave out what the law says of a field if a rule of the contract that covers it has said so, as weightily."""
    covered = contract.law.covered
    if not covered or not any(one.rule in covered for one in found):
        return found
    told = {(one.rule, one.kind, one.pointer): one.severity for one in found}
    return [
        one
        for one in found
        if not any(told.get((*by, one.pointer), -1) >= one.severity for by in covered.get(one.rule, ()))
    ]


def _on_client(situation: Situation) -> Iterable[Finding]:
    for rule in situation.contract.of(Scope.CLIENT):
        if rule.is_clock:
            continue
        yield from CLIENT_CHECKS[rule.kind](rule, situation.in_time_of(rule))


def _on_decision(entry: Entry, situation: Situation) -> Iterable[Finding]:
    for period in situation.periods:
        if period.entry is entry and period.product is not None:
            for rule in situation.contract.of(Scope.DECISION, product=period.product.code):
                if rule.covers(period.start) and not rule.is_clock:
                    yield from DECISION_CHECKS[rule.kind](rule, period, situation)


def _outcome(entry: Entry, findings: Iterable[Finding], situation: Situation) -> Outcome:
    if entry.kind.is_reference and entry.type not in situation.contract.makes:
        return Outcome.REFERENCE
    worst = max((one.severity for one in findings), default=Severity.INFO)
    if worst < Severity.HOLD and entry.row in situation.resolution.replacements:
        return Outcome.REPLACEMENT
    return _OUTCOMES[worst]


def _superseded(situation: Situation, targets: Collection[int] | None, judgement: Judgement) -> None:
    """Tell what became of the rows that do not stand."""
    resolution = situation.resolution
    if not resolution.outcomes:
        return
    reading = {entry.row: entry.reading for entry in situation.case.entries if entry.row in resolution.outcomes}
    for row, outcome in resolution.outcomes.items():
        if targets is None or row in targets:
            judgement.outcomes[row] = outcome
            judgement.findings[row] = reading[row] + resolution.findings.get(row, ())


def _affected(situation: Situation, only: Collection[int]) -> Collection[int] | None:
    """The rows whose judgement may change with some rows; None for all of them."""
    changed = [entry for entry in situation.case.entries if entry.row in only]
    if len(changed) < len(only) or not all(_touches_its_week(entry, situation.contract) for entry in changed):
        return None
    keys = {entry.key for entry in changed}
    states = [entry for entry in situation.case.entries if entry.key in keys]
    weeks = {(week(entry.day), week(entry.last_day)) for entry in states if entry.day}
    rows = {entry.row for entry in states}
    rows.update(
        one.row
        for one in situation.resolution.live
        if one.kind.way == COVERING and one.day and any(first <= week(one.day) <= last for first, last in weeks)
    )
    rows.update(_ahead(situation, [one.day for one in states if one.type == ATTENDED and one.day]))
    if situation.client is not None:
        rows.add(situation.client.row)
    return rows


def _ahead(situation: Situation, days: list[str]) -> Iterable[int]:
    """Rows of attended days that are judged by what was attended on earlier ones."""
    rules = situation.contract.of(Scope.RECORD, ATTENDED)
    months = max((KINDS[rule.kind].months_ahead for rule in rules), default=0)
    if months and days:
        last = add_months(max(days), months)
        yield from (one.row for one in situation.by_type.get(ATTENDED, ()) if min(days) < one.day <= last)


def _touches_its_week(entry: Entry, contract: Contract) -> bool:
    """Whether a change of the record touches no more than its own day and week, and the client as a whole."""
    return entry.kind.way == COVERING and not any(
        KINDS[rule.kind].is_wide for rule in contract.of(Scope.RECORD, entry.type)
    )
