"""A question as it was asked: its parameters read, and what computing an answer may use."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import agreements
from kanta_gateway.access.policy import Policy
from kanta_gateway.audit import report
from kanta_gateway.audit.answers import Tally
from kanta_gateway.audit.questions import Question
from kanta_gateway.errors import NotFoundError, ParameterError
from kanta_gateway.model import Finding, Severity
from kanta_gateway.pipeline.known import Known, client_refs, entries, persons_of
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.pipeline.sphere import Sphere

if TYPE_CHECKING:
    from sqlalchemy import Connection

REFERENCE = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-9.]{3,128}")
NO_CLIENT = "there is no client of this number"
_DAYS = ("from", "on", "until")
PAGE = 2000
"""Entries read at a time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the log the asker means."""

    clients: tuple[str, ...] = ()
    persons: frozenset[str] = frozenset()
    organisation: str = ""
    recipient: str = ""
    first: date | None = None
    last: date | None = None
    day: date | None = None
    has_person: bool = False

    @property
    def since(self) -> datetime | None:
        """The first moment that is wanted."""
        return datetime.combine(self.first, time.min, HELSINKI) if self.first else None

    @property
    def until(self) -> datetime | None:
        """The first moment that is not wanted any more."""
        return datetime.combine(self.last + timedelta(days=1), time.min, HELSINKI) if self.last else None

    def covers(self, day: str) -> bool:
        """Whether a day lies in the period."""
        return (not self.first or self.first.isoformat() <= day) and (not self.last or day <= self.last.isoformat())

    def takes(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry is of the person, organisation and recipient that are meant."""
        actor = entry["actor"]
        return (
            (not self.has_person or actor.get("ref", "") in self.persons)
            and self.organisation in {"", actor["organisation"], entry["provider"]}
            and self.recipient in {"", entry.get("recipient", "")}
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a computation may use."""

    parts: Parts
    tx: Connection
    question: Question
    wanted: Wanted
    language: str
    known: Known
    tally: Tally
    policy: Policy
    grace_days: int
    verify: Callable[[], Mapping[str, Any]]
    """Verifies the whole log and matches it with what is stored."""
    sphere: Sphere
    """What the asker may read; of the rest it is not told how much there is."""

    def entries(self, events: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
        """Entries of the log that are meant, in order, one by one.

        Args:
            events: only these; those that the question selects by default.
        """
        one = self.wanted
        ways = [
            report.Filter(ref, events or self.question.events, one.since, one.until, limit=PAGE)
            for ref in one.clients or (None,)
        ]  # fmt: skip
        found = [entries(self.parts, self.tx, way) for way in ways]
        every = found[0] if len(found) == 1 else merge(*found, key=lambda entry: int(entry["idx"]))
        return filter(self.sphere.is_open, filter(one.takes, every))


def wanted(
    parts: Parts, tx: Connection, question: Question, given: Mapping[str, str], *, may_identify: bool,
    mine: Collection[tuple[str, str]] | None = None,
) -> Wanted:  # fmt: skip
    """Read the parameters of a question.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        question: which.
        given: as they were told; empty ones count as absent. `provider` tells whose client number `client` is.
        may_identify: whether the asker may name clients and persons; otherwise they are told by keyed reference only.
        mine: providers and contract files of the asker's register; None for all.

    Raises:
        ParameterError: one is not known to the question, lacking, or no day; all at once.
        NotFoundError, ConflictError: there is no such client, or several providers' and none is named.
    """
    told = {name: value for name, value in given.items() if value}
    provider = told.pop("provider", "") if "client" in told else ""
    mistakes = [_unknown(name, question) for name in told.keys() - question.parameters.keys()]
    mistakes += [
        _mistake(name, "a value") for name, needed in question.parameters.items() if needed and name not in told
    ]
    days: dict[str, date] = {}
    for name in told.keys() & {*_DAYS}:
        try:
            days[name] = date.fromisoformat(told[name])
        except ValueError:
            mistakes.append(_mistake(name, "YYYY-MM-DD"))
    for name in ("client", "person"):
        if name in told and not may_identify and not REFERENCE.fullmatch(told[name]):
            mistakes.append(_mistake(name, "a keyed reference, as the log shows it"))
    if mistakes:
        raise ParameterError(findings=tuple(sorted(mistakes, key=lambda one: one.pointer)))
    return Wanted(
        _clients(parts, tx, told.get("client", ""), provider, mine), _persons(parts, tx, told.get("person", "")),
        told.get("organisation", ""), told.get("recipient", ""), days.get("from"), days.get("until"), days.get("on"),
        has_person="person" in told,
    )  # fmt: skip


def is_by_number(given: Mapping[str, str]) -> bool:
    """Whether a question names a client by its number, and not by keyed reference."""
    client = given.get("client", "")
    return bool(client) and not REFERENCE.fullmatch(client)


def noted(one: Wanted, given: Mapping[str, str]) -> dict[str, Any]:
    """The parameters as the log's entry about the question tells them: no value that could be about a person."""
    told: dict[str, Any] = {"parameters": sorted(name for name, value in given.items() if value)}
    told |= {name: value.isoformat() for name, value in
             (("from", one.first), ("until", one.last), ("on", one.day)) if value}  # fmt: skip
    told |= {name: value for name, value in (("organisation", one.organisation), ("recipient", one.recipient))
             if _OID.fullmatch(value)}  # fmt: skip
    return told | ({"persons": sorted(one.persons)[:1]} if len(one.persons) == 1 else {})


def _clients(
    parts: Parts, tx: Connection, client: str, provider: str, mine: Collection[tuple[str, str]] | None
) -> tuple[str, ...]:
    if not client:
        return ()
    if REFERENCE.fullmatch(client):
        return (client,)
    found = client_refs(parts, tx, client, mine, provider)
    if not found:
        raise NotFoundError(NO_CLIENT)
    return found


def _persons(parts: Parts, tx: Connection, person: str) -> frozenset[str]:
    """References of a user's identifier: in every organisation that keeps its users here, and of local commands."""
    if not person or REFERENCE.fullmatch(person):
        return frozenset({person} - {""})
    known = {one.body["organisation"] for one in persons_of(parts, tx)}
    known |= {oid for one in agreements(tx) for oid in (one.provider.oid, one.organiser.oid)} | {""}
    return frozenset(parts.log.names.reference(organisation, person) for organisation in known)


def _mistake(name: str, expected: str) -> Finding:
    told = {"field": name, "expected": expected}
    return Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{name}", told)


def _unknown(name: str, question: Question) -> Finding:
    known = ", ".join(sorted(question.parameters)) or "-"
    return Finding("API-PARAMETER", Severity.REFUSE, "parameter-unknown", f"/{name}", {"expected": known})
