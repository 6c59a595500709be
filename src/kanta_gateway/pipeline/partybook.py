"""The register of parties and users as the gateway's own people keep and read it; each act is an entry of the log.

* A statement is added, never changed; records that were judged by what was known before are judged again.
* The register is told for any day, and as it was known at any moment (ACC-04).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kanta_gateway import forgotten
from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.register import RELATIONSHIP
from kanta_gateway.access.statements import Statement, lacking, newest, of_controller, of_kind
from kanta_gateway.errors import NotFoundError, ParameterError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Outcome, instant
from kanta_gateway.pipeline.controllers import FALLS_UNDER, falling_under, of_party, of_relationship
from kanta_gateway.pipeline.sphere import APART
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.terms import Agreement
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.pipeline.sphere import Sphere

HELSINKI = ZoneInfo("Europe/Helsinki")
JUDGED_AGAIN = (Outcome.ACCEPTED, Outcome.FLAGGED, Outcome.HELD, Outcome.REFUSED, Outcome.REPLACEMENT)
"""Outcomes that another contract, approval or relationship may change."""


class PartyBook:
    """States, ends and tells what is registered about parties."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def state(self, stated: Sequence[Statement], caller: Caller) -> dict[str, Any]:
        """Add statements; gives how many there are of each kind.

        Raises:
            NotPermittedError: the caller may not register parties.
        """
        return self._add([self._referring(one) for one in stated], caller)

    def _add(self, known: Sequence[Statement], caller: Caller) -> dict[str, Any]:
        self._office.permit(caller, Event.PARTY_REGISTER, provider=None)
        with self._parts.database.transaction() as tx:
            others = [one for one in known if one.kind != RELATIONSHIP]
            register.add(tx, others, self._parts.now(), self._seal)
            contracts = agreements(tx)
            served = [self._tied(tx, contracts, one) for one in of_kind(known, RELATIONSHIP)]
            register.add(tx, served, self._parts.now(), self._seal)
            known = [*others, *served]
            self._office.note(tx, [
                self._office.event(
                    caller, Event.PARTY_REGISTER, subject=one.key, provider="", controller=controller,
                    details={"kind": one.kind, "from": one.valid_from, "to": one.valid_to or ""},
                )
                for one in known for controller in self._concerning(contracts, one)
            ])  # fmt: skip
            moment = instant(self._parts.now())
            forgotten.note(tx, [
                Forgotten(forgotten.STATEMENT, one.key, moment, details={"to": one.valid_to})
                for one in known if one.valid_to is not None
            ])  # fmt: skip
            for provider in sorted(self._concerned(tx, known)):
                records.reopen(tx, provider, JUDGED_AGAIN)
        return {"stated": {kind: len(of_kind(known, kind)) for kind in sorted({one.kind for one in known})}}

    def end(self, key: str, last: date, caller: Caller, at: datetime | None = None) -> dict[str, Any]:
        """State that something ends, or ended, on a day, or a person's role at a moment of it.

        Raises:
            NotFoundError: nothing with this key is stated.
            ParameterError: something else than a person's role would end at a moment.
        """
        with self._parts.database.reading() as tx:
            found = next((one for one in newest(register.known(tx, self._open)) if one.key == key), None)
        if found is None:
            raise NotFoundError("nothing with this key is registered; `kanta-gateway parties list` tells the keys")
        if at is not None and found.kind != "person":
            raise ParameterError("only a person's role ends at a moment; name a day")
        body = found.body if at is None else {**found.body, "ends_at": at.isoformat()}
        return self._add([replace(found, body=body, valid_to=last.isoformat())], caller)

    def on(self, caller: Caller, day: date | None, known_at: datetime | None, kind: str) -> dict[str, Any]:
        """The register as it was on a day; a controller's people are told what is its own, and of its producers.

        Args:
            caller: who asks.
            day: the day; today by default.
            known_at: as it was known at this moment; as it is known now by default.
            kind: only this kind of statement; empty for all.
        """
        self._office.permit(caller, Event.PARTY_READ, provider=None)
        day = day or self._parts.now().astimezone(HELSINKI).date()
        with self._parts.database.transaction() as tx:
            found = newest(register.known(tx, self._open, at=known_at))
            found = self._told_to(tx, found, self._office.guard.sphere_in(tx, caller))
            told = [
                self._row(tx, one) for one in found if one.covers(day.isoformat()) and kind in {"", one.kind}
            ]  # fmt: skip
            self._office.note(tx, [self._office.event(
                caller, Event.PARTY_READ, subject="register", provider="",
                details={"day": day.isoformat(), "kind": kind, "count": len(told)},
            )])  # fmt: skip
        return {"day": day.isoformat(), "register": sorted(told, key=lambda one: (one["kind"], one["key"]))}

    @staticmethod
    def _tied(tx: Connection, contracts: Sequence[Agreement], one: Statement) -> Statement:
        """A client's relationship with the controller that it falls under, once and for all, where that is known."""
        before = (own.body.get(FALLS_UNDER) for own in register.relationships(
            tx, one.body["provider"], [one.body["client"]]) if own.names == one.names)  # fmt: skip
        found = next(filter(None, before), None) or falling_under(tx, contracts, one.body)
        return replace(one, body={**one.body, FALLS_UNDER: found}) if found else one

    @staticmethod
    def _told_to(tx: Connection, found: list[Statement], sphere: Sphere) -> list[Statement]:
        """What a caller is told of the register: all of it, what is its controller's own, or nothing of any client."""
        if sphere.controller is None:
            return found if sphere.registers is None else [one for one in found if one.kind != RELATIONSHIP]
        contracts = agreements(tx)
        return of_controller(found, sphere.controller, lambda body: of_relationship(contracts, body))

    @staticmethod
    def _concerning(contracts: Sequence[Agreement], one: Statement) -> Sequence[str]:
        """Controllers whose log tells that something was stated; of a client's relationship one at most."""
        if one.kind != RELATIONSHIP or not contracts:
            return of_party(contracts, one.body)
        return [of_relationship(contracts, one.body) or APART]

    def incomplete(self) -> list[dict[str, Any]]:
        """Contracts that do not tell everything that GDPR 28(3) asks for."""
        with self._parts.database.reading() as tx:
            contracts = newest(register.stated(tx, ("contract",)))
        told = ({"contract": one.body["number"], "lacks": list(lacking(one.body))} for one in contracts)
        return [one for one in told if one["lacks"]]

    def _referring(self, one: Statement) -> Statement:
        """A statement about a client, with the client's keyed reference in the place of its number.

        The number is that of the provider itself, or of the one that is named by `of`.
        """
        if one.kind != RELATIONSHIP:
            return one
        reference = str(self._parts.keyring.client(one.body.get("of") or one.body["provider"], one.body["client"]))
        return replace(one, body={**one.body, "client": reference})

    def _concerned(self, tx: Connection, stated: Sequence[Statement]) -> set[str]:
        """Providers whose records may be judged otherwise now."""
        if any(one.kind == "unit" for one in stated):
            return {one.provider.oid for one in agreements(tx)}
        return {str(one.body[name]) for one in stated for name in ("processor", "provider") if name in one.body}

    def _row(self, tx: Connection, one: Statement) -> dict[str, Any]:
        """A statement as it is told; a client's unit only where the client is known not to be under turvakielto."""
        body = dict(one.body)
        if body.get("unit") and one.kind == RELATIONSHIP and self._may_be_secret(tx, body):
            del body["unit"]
        return {"kind": one.kind, "key": one.key, "from": one.valid_from, "to": one.valid_to, **body}

    def _may_be_secret(self, tx: Connection, body: Mapping[str, Any]) -> bool:
        told = [one for one in records.of_client(tx, body["provider"], body["client"]) if one.type == "client"]
        newest_ = max(told, key=lambda one: (one.version, one.row), default=None)
        return (
            newest_ is None or self._parts.keyring.open_facts(newest_.facts)["facts"].get("non_disclosure") is not False
        )

    def _seal(self, content: bytes) -> bytes:
        return seal(self._parts.keyring.parties, content, b"party")

    def _open(self, sealed: bytes) -> bytes:
        return open_sealed(self._parts.keyring.parties, sealed, b"party")


def moment(text: str) -> datetime:
    """A moment as a person writes it: a day means its end, and a time without a zone is Finland's.

    Raises:
        ValueError: it is no moment.
    """
    if len(text) == len("2026-01-01"):
        return datetime.combine(date.fromisoformat(text), time.max, HELSINKI)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=HELSINKI)


def ending(text: str) -> tuple[date, datetime | None]:
    """When something ends, as a person writes it: its last day in Finland, and the moment where one is told.

    Raises:
        ValueError: it is neither.
    """
    if len(text) == len("2026-01-01"):
        return date.fromisoformat(text), None
    at = moment(text)
    return at.astimezone(HELSINKI).date(), at


@dataclass(frozen=True, slots=True)
class User:
    """What the register of users says of a caller."""

    is_kept: bool
    """Whether the caller's organisation keeps its users here."""
    is_missing: bool
    """Whether it knows the caller in no such role on the day."""
    stated: Mapping[str, Any]
    """Unit, supervisor, service tasks and duties, where they are stated."""


class Users:
    """Which persons of which organisation may act in which role today, as far as their register is kept here.

    What is stated of persons is opened once for each state of the register, which is asked at every decision.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._state: tuple[int, dict[str, dict[tuple[str, str], list[Statement]]]] = (-1, {})

    @property
    def version(self) -> int:
        """Of the register of parties, as it was read last."""
        return self._state[0]

    def find(self, tx: Connection, caller: Caller, day: date) -> User:
        """What the register of the caller's organisation says of the caller in its role on a day."""
        every = self._of(tx, caller.organisation)
        mine = every.get((caller.person_id, caller.role), ())
        moment = min(self._parts.now(), datetime.combine(day, time.max, HELSINKI))
        found = next((one.body for one in mine if one.covers(day.isoformat()) and not one.has_ended(moment)), None)
        return User(bool(every), found is None, found or {})

    def _of(self, tx: Connection, organisation: str) -> Mapping[tuple[str, str], Sequence[Statement]]:
        """Identifier and role -> what is stated of them, of one organisation's persons."""
        version, known = self._state
        if (now := register.version(tx)) != version:
            # a dictionary of its own: one that another thread fills for an older state never becomes this one's
            version, known = self._state = (now, {})
        if organisation not in known:
            found: dict[tuple[str, str], list[Statement]] = {}
            for one in newest(register.persons(tx, organisation, self._open)):
                found.setdefault((one.body["person_id"], one.body["role"]), []).append(one)
            known[organisation] = found
        return known[organisation]

    def _open(self, sealed: bytes) -> bytes:
        return open_sealed(self._parts.keyring.parties, sealed, b"party")
