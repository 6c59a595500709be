"""Statements of will as facts of a decision: luovutuslupa, kielto and suostumus, as they are known at a moment; pure.

* Of each statement the newest state that was known at the moment counts: a withdrawal holds from then on.
* A day without a time means its beginning, so what was withdrawn today is withdrawn.
* What is not judged yet, held or refused gives nothing; a prohibition among it prohibits all the same.
* A permit covers all social data, or what it itemises; prohibitions narrow it: register, service task, document.
* A prohibition that names nothing prohibits everything. One against a guardian is about a guardian only.
* A consent gives to the parties that it names, and to nobody else.

Source: 703/2023 §§6, 51, 53, 55, 58, 59; contract rule PAI-02.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

HELSINKI = ZoneInfo("Europe/Helsinki")
PERMIT, PROHIBITION, CONSENT = "disclosure_permit", "prohibition", "consent"
"""Record types."""
TYPES = (PERMIT, PROHIBITION, CONSENT)
SOCIAL, HEALTH = "social", "health"
DISCLOSURE, GUARDIAN = "disclosure", "guardian"
CONTROLLER = "controller"
"""Where a statement was made that the register's own official wrote down; also the source of its records."""
EXCHANGING = ("exchange", "disclosure")
"""Kinds of consent that let data go to the parties that are named."""
Word = tuple[str, str]
"""A fact's value, and which statement says so (its ticket); empty for none."""


@dataclass(frozen=True, slots=True)
class Will:
    """One state of one statement of will."""

    kind: str
    """Record type."""
    name: str
    """States of one statement have the same, also where it stands in several providers' records."""
    order: tuple[int, int]
    """Version and row: the highest is the newest."""
    ticket: str
    known_at: datetime
    facts: Mapping[str, Any]
    is_standing: bool = True
    """Judged and neither held nor refused."""
    is_gone: bool = False
    """Cancelled, or said of somebody else since."""
    is_near: bool = True
    """Stated in the register that is asked about: at any provider of its controller, or to the controller itself."""
    stated_at: str = ""
    """OID of the provider that recorded it, or `CONTROLLER`."""
    lacks: tuple[str, ...] = ()
    """What a minor's prohibition does not tell, although it must (703/2023 §40)."""

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a moment, as this state says."""
        if self.is_gone or self.facts.get("is_valid") is False:
            return False
        begins, ends = self._begins(), self._ends()
        is_withdrawn = self.facts.get("status") == "withdrawn" and ends is None
        return begins is not None and begins <= at and (ends is None or at < ends) and not is_withdrawn

    def _begins(self) -> datetime | None:
        told = [_moment(self.facts.get(name)) for name in ("given_at", "set_at")]
        days = [_day(self.facts.get(name)) for name in ("given_on", "set_on")]
        found = next((one for one in (*told, *days) if one is not None), None)
        start = _day(self.facts.get("starts_on")) if self.kind == CONSENT else None
        return max(found, start) if found is not None and start is not None else found

    def _ends(self) -> datetime | None:
        """The first moment at which it is not in force any more."""
        last = _day(self.facts.get("ends_on"), time.max) if self.kind == CONSENT else None
        ends = (_moment(self.facts.get("withdrawn_at")), _day(self.facts.get("withdrawn_on")), last)
        return min((one for one in ends if one is not None), default=None)


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for, and by whom."""

    controller: str
    """OID of the organisation whose register it is in."""
    recipient: str
    """OID of the recipient; a name where data goes to somebody outside."""
    task: str = ""
    """Service task of the data (LP, TI …); empty: not known, so a prohibition of any task covers it."""
    documents: frozenset[str] = frozenset()
    """Every OID by which the document may be called; empty: all of the client's."""
    day: str = ""
    """Day of the document (ISO 8601)."""


def permission(wills: Iterable[Will], target: Target, at: datetime, sector: str) -> Word:
    """Whether a permit lets the target be disclosed: `valid`, or `itemised` to health care, or none.

    Args:
        wills: every state of the client's statements.
        target: what is asked for.
        at: the moment.
        sector: of the recipient.
    """
    for one in _giving(wills, PERMIT, at):
        items = _items(one, target)
        if one.facts.get("sector", SOCIAL) != sector or False in items.values():
            continue
        if sector == SOCIAL:
            return ("valid", one.ticket)
        if items.keys() >= {"recipients"} and items.keys() & {"service_tasks", "documents"}:  # 457/2024 §25
            return ("itemised", one.ticket)
    return ("none", "")


def prohibition(wills: Iterable[Will], target: Target, at: datetime, against: str = DISCLOSURE) -> Word:
    """Whether a prohibition covers the target: `covers` or none.

    Args:
        wills: every state of the client's statements.
        target: what is asked for.
        at: the moment.
        against: disclosure, or guardian for what a guardian asks for.
    """
    for states in _known(wills, PROHIBITION, at):
        standing = next((one for one in states if one.is_standing), None)
        newer = (one for one in states if standing is None or one.order > standing.order)
        for one in (*newer, *([standing] if standing is not None else ())):
            is_meant = one.facts.get("against", DISCLOSURE) == against and not one.facts.get("is_refused")
            if is_meant and one.holds(at) and _is_covered(one, target):
                return ("covers", one.ticket)
    return ("none", "")


def consent(wills: Iterable[Will], target: Target, at: datetime) -> Word:
    """Whether a consent names the recipient: `valid` or none."""
    for one in _giving(wills, CONSENT, at):
        named = {
            str(party[word]) for party in one.facts.get("parties") or () for word in ("id", "name") if word in party
        }
        if one.facts.get("kind") in EXCHANGING and target.recipient in named:
            return ("valid", one.ticket)
    return ("none", "")


def _known(wills: Iterable[Will], kind: str, at: datetime) -> list[list[Will]]:
    """The states of each statement that were known at a moment, newest first."""
    found: dict[str, list[Will]] = {}
    for one in sorted(wills, key=lambda one: one.order, reverse=True):
        if one.kind == kind and one.known_at <= at:
            found.setdefault(one.name, []).append(one)
    return list(found.values())


def _giving(wills: Iterable[Will], kind: str, at: datetime) -> list[Will]:
    """Statements of the register itself that give something now."""
    newest = (states[0] for states in _known(wills, kind, at))
    return [one for one in newest if one.is_near and one.is_standing and one.holds(at)]


def _items(one: Will, target: Target) -> dict[str, bool]:
    """What a permit itemises, and whether the target is within it."""
    facts = one.facts
    found: dict[str, bool] = {}
    if "recipients" in facts:
        found["recipients"] = target.recipient in facts["recipients"]
    if "service_tasks" in facts:
        found["service_tasks"] = target.task in facts["service_tasks"]
    if "documents" in facts:
        found["documents"] = bool(target.documents & set(facts["documents"]))
    if "starts_on" in facts:
        found["starts_on"] = bool(target.day) and target.day >= facts["starts_on"]
    if "ends_on" in facts:
        found["ends_on"] = bool(target.day) and target.day <= facts["ends_on"]
    return found


def _is_covered(one: Will, target: Target) -> bool:
    registers = {str(known["oid"]) for known in one.facts.get("controllers") or ()}
    tasks, documents = (set(one.facts.get(name) or ()) for name in ("service_tasks", "documents"))
    if not registers and not tasks and not documents:
        return True
    return (
        target.controller in registers
        or (bool(tasks) and (not target.task or target.task in tasks))
        or (bool(documents) and (not target.documents or bool(target.documents & documents)))
    )


def _moment(stated: object) -> datetime | None:
    """A moment; one without a zone is Finland's."""
    if not stated:
        return None
    found = datetime.fromisoformat(str(stated))
    return found if found.tzinfo else found.replace(tzinfo=HELSINKI)


def _day(stated: object, at: time = time.min) -> datetime | None:
    return datetime.combine(date.fromisoformat(str(stated)), at, HELSINKI) if stated else None
