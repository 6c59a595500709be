"""Which records no contract carries: each is judged by the day on which its service was given, not by today.

* What tells of a day is judged by that day; what tells of a time (an evaluation) by its first and last day.
* A plan, summary or correction is judged by the service that it is about: its decision's nearest day.
* A record that nothing carries is refused before it is mapped; it stays sealed and is judged again when parties change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.terms import ALWAYS, Agreement, Given, Lack, lacks
from kanta_gateway.contracts.periods import COVERING
from kanta_gateway.model import Finding, Organisation, Severity

if TYPE_CHECKING:
    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.contracts.situation import Situation, Subject
    from kanta_gateway.pipeline.casefile import CaseFile

RULES: Mapping[Lack, tuple[str, str]] = {
    Lack.CONTRACT: ("CTL-13", "703/2023 §14"),
    Lack.PRODUCER: ("CTL-11", "612/2021 §15.2(4), §17.1"),
    Lack.REGISTER_USE: ("CTL-13", "612/2021 §58.4"),
    Lack.RELATIONSHIP: ("CTL-13", "703/2023 §57"),
    Lack.SERVICE: ("CTL-13", "GDPR 28(3)"),
    Lack.WINDOW: ("CTL-14", "703/2023 §9"),
}
"""Rule and source of what may lack."""


def unmandated(
    case: CaseFile, purchaser: str, contract: Contract, situation: Situation
) -> dict[int, tuple[Finding, ...]]:
    """What is lacking, by row of each standing record that no contract carries.

    Args:
        case: the client's file.
        purchaser: name of the contract file.
        contract: what it says.
        situation: the client's case with its periods.
    """
    agreements = [one for one in case.terms.agreements if one.purchaser == purchaser]
    if not case.terms.owners and all(_is_plain(one) for one in agreements):
        return {}
    found: dict[int, tuple[Finding, ...]] = {}
    for entry in situation.resolution.live:
        if entry.kind.is_reference or not entry.day:
            continue
        given = _given(situation.subject(entry), case, situation, agreements)
        if told := tuple(_findings(lacks(agreements, given, contract.delivery_months), given)):
            found[entry.row] = told
    return found


def _is_plain(one: Agreement) -> bool:
    """Whether a contract holds without any limit."""
    return (one.span, one.register_use, one.services, one.relationships) == (ALWAYS, (ALWAYS,), frozenset(), None)


def _findings(lacking: tuple[Lack, ...], given: Given) -> Iterator[Finding]:
    days = {"first": given.first.isoformat(), "last": given.last.isoformat()}
    for one in lacking:
        rule, clause = RULES[one]
        yield Finding(rule, Severity.REFUSE, one.value, "", days, clause)


def _given(subject: Subject, case: CaseFile, situation: Situation, agreements: list[Agreement]) -> Given:
    """The service that a record is about."""
    entry, period = subject.entry, subject.period
    first, last = _days(subject)
    unit = _unit(entry, subject, situation)
    owner = case.terms.owners.get(unit)
    own = {one.oid for agreement in agreements for one in (agreement.provider, agreement.organiser)}
    return Given(
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        clients=frozenset(case.stamp.clients),
        received=entry.received_on or date.fromisoformat(situation.as_of),
        service=period.product.service if period is not None and period.product is not None else "",
        producer=owner if owner is not None and owner.oid not in own else None,
        unit=unit,
    )


def _days(subject: Subject) -> tuple[str, str]:
    """First and last day of the service that a record is about (ISO 8601)."""
    entry, period = subject.entry, subject.period
    if entry.kind.way == COVERING:
        return entry.day, entry.last_day
    own: Mapping[str, Any] = entry.facts.get("period") or {}
    first = own.get("start") or entry.day
    last = own.get("end") or entry.facts.get("ends_on") or first
    if period is None:
        return first, max(first, last)
    return _within(first, period.start, period.end), _within(max(first, last), period.start, period.end)


def _within(day: str, start: str, end: str) -> str:
    """The nearest day of a period."""
    return min(max(day, start), end)


def _unit(entry: Entry, subject: Subject, situation: Situation) -> str:
    """OID of the unit that gave the service, as its document would name it; empty if none is known."""
    author, period = situation.staff.get(str(situation.author(subject))), subject.period
    named = (
        entry.facts.get("unit"),
        entry.facts.get("producer"),
        period.entry.facts.get("unit") if period is not None else None,
        author.facts.get("organisation") if author is not None else None,
    )
    units = situation.units
    told = (one for name in named if name for one in units if name in {one.get("id"), one["oid"]})
    assumed = situation.unit(period) if period is not None else next(iter(units), None)
    found = next(told, assumed)
    return "" if found is None else str(found["oid"])


def producers(case: CaseFile, unit: str, provider: Organisation) -> tuple[Organisation, ...]:
    """Who gave a service, from the unit's own organisation to the one that has the contract (703/2023 §37.3)."""
    owner = case.terms.owners.get(unit)
    return (provider,) if owner is None or owner.oid == provider.oid else (owner, provider)
