"""Facts of a question that is about another register: what is stated, what the register of parties and wills say.

* Whom the recipient's organisation is, and its client relationship, come from the register of parties.
* Permit, prohibition and consent come from the client's statements of will, as they are known at the moment.
* What only a person can know (ground, necessity, why not through Kanta) is stated, and stands in the log.
* What nobody stated has the value that allows least.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from kanta_gateway.access import register
from kanta_gateway.access.statements import newest
from kanta_gateway.access.wills import DISCLOSURE, GUARDIAN, HEALTH, SOCIAL, Target, consent, permission, prohibition
from kanta_gateway.model import Caller
from kanta_gateway.pipeline.partybook import HELSINKI, User, Users
from kanta_gateway.pipeline.willbook import wills_of
from kanta_gateway.spool import persons

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.guard import Thing
    from kanta_gateway.pipeline.parts import Parts

STATED = (
    "ground", "necessity", "representative", "request", "sources", "client_told", "via_kanta", "reason", "grant",
)  # fmt: skip
"""Facts that whoever asks states; all others come from registers."""
REPRESENTATIVE = "representative"
CONSENTED = "consented"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody states who asks for data of another register, or gives data of its own out."""

    facts: Mapping[str, str] = field(default_factory=dict)
    """Of `STATED` only."""
    by_consent: bool = False
    to_kind: str = ""
    """Whom a controller's own official gives data to: a word of `outward`; empty where the caller itself gets it."""
    to_name: str = ""
    documents: frozenset[str] = frozenset()
    """Every OID by which the document may be called; empty: all of the client's."""
    day: str = ""
    forwarding: str = "unknown"
    """Whether the document may go through Kanta's forwarding, as its structure and state tell."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the registers say about a question."""

    facts: Mapping[str, str]
    refs: Mapping[str, str]
    """Fact -> ticket of the statement that says so."""
    is_known: bool
    """Whether the caller may know why it is denied: it has a relationship with the client, or it is its register."""


class Across:
    """Answers for the guard what the registers say."""

    def __init__(self, parts: Parts, users: Users) -> None:
        self._parts = parts
        self._users = users

    def facts(self, tx: Connection, caller: Caller, thing: Thing, task: str, day: date, *, is_own: bool) -> Seen:
        """The facts of one question.

        Args:
            tx: a transaction.
            caller: who asks.
            thing: what it is about.
            task: service task of the data.
            day: the day on which it is asked.
            is_own: whether the caller is the register's own.
        """
        asked = thing.asked or Asked()
        stated = {name: value for name, value in asked.facts.items() if name in STATED}
        flow = self._flow(tx, caller, thing, day, is_own=is_own)
        found, refs = {"flow": flow, "forwarding": asked.forwarding, **stated}, {}
        related = False
        if thing.client_ref and thing.provider and thing.purchaser:
            clients = persons.group(tx, thing.provider, thing.purchaser, thing.client_ref)
            relationship = _relationship(tx, caller.organisation, frozenset(clients), day)
            related = relationship == "open"
            told = self._wills(tx, caller, thing, asked, flow, task, day)
            if flow == HEALTH:
                found["joint_service"] = _joint_service(
                    tx, caller, thing, clients, self._users.find(tx, caller, day), day
                )
            found |= {"relationship": relationship, **{name: word for name, (word, _) in told.items()}}
            refs = {name: ref for name, (_, ref) in told.items() if ref}
        return Seen(found, refs, is_own or related or stated.get("grant") == "open")

    def _flow(self, tx: Connection, caller: Caller, thing: Thing, day: date, *, is_own: bool) -> str:
        """From whom to whom: both organisations as they are registered, or whom the register's own official tells."""
        rules, asked = self._parts.disclosures, thing.asked or Asked()
        if asked.to_kind:
            return asked.to_kind if is_own and asked.to_kind in rules.outward else "none"
        known = [one.body for one in newest(register.stated(tx, ("organisation",))) if one.covers(day.isoformat())]
        by_oid = {str(one["oid"]): one for one in known}
        flow = rules.flow(by_oid.get(caller.organisation), caller.role, by_oid.get(thing.controller or ""))
        if is_own or flow == "none":  # what is the organisation's own is used, and never given to it
            return "none"
        return CONSENTED if asked.by_consent else flow

    def _wills(
        self, tx: Connection, caller: Caller, thing: Thing, asked: Asked, flow: str, task: str, day: date
    ) -> dict[str, tuple[str, str]]:
        provider, purchaser, ref = str(thing.provider), str(thing.purchaser), str(thing.client_ref)
        wills = wills_of(self._parts, tx, provider, purchaser, ref)
        at = self._moment(day)
        recipient = asked.to_name if asked.to_kind else caller.organisation
        target = Target(thing.controller or "", recipient, task, asked.documents, asked.day)
        against = GUARDIAN if flow == REPRESENTATIVE else DISCLOSURE
        return {
            "permission": permission(wills, target, at, HEALTH if flow == HEALTH else SOCIAL),
            "prohibition": prohibition(wills, target, at, against),
            "consent": consent(wills, target, at),
        }

    def _moment(self, day: date) -> datetime:
        """Now for today; of another day its end."""
        now = self._parts.now()
        today = now.astimezone(HELSINKI).date()
        return now if day == today else datetime.combine(day, time.max, HELSINKI)


def _relationship(tx: Connection, organisation: str, clients: frozenset[str], day: date) -> str:
    """The recipient's registered client relationship with a person of the register (703/2023 §57)."""
    mine = newest(register.relationships(tx, organisation, clients))
    if any(one.covers(day.isoformat()) for one in mine):
        return "open"
    return "ended" if mine else "none"


def _joint_service(
    tx: Connection, caller: Caller, thing: Thing, clients: tuple[str, ...], user: User, day: date
) -> str:
    """Whether the client and the caller take part in a joint service of both organisations (703/2023 §53.1).

    Both organisations state the unit; the client is served there, and the person works there.
    """
    on = day.isoformat()
    units = {
        one.body["unit"] for one in newest(register.stated(tx, ("joint-service",)))
        if one.covers(on) and (one.body["controller"], one.body["partner"]) == (thing.controller, caller.organisation)
    }  # fmt: skip
    if not units:
        return "no"
    served = {
        one.body.get("unit") for provider in (thing.provider, caller.organisation)
        for one in newest(register.relationships(tx, provider or "", clients)) if one.covers(on)
    }  # fmt: skip
    if not units & served:
        return "client-elsewhere"
    return "yes" if user.stated.get("unit") in units & served else "no-participant"
