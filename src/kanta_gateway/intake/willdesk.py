"""Where a controller's own official writes a client's statement of will down, and its withdrawal.

* The controller is where a prohibition or a permit is made: it binds at once for all of the controller's producers.
* It becomes a record of the client at each producer that serves the person, so it is versioned, kept, told and handed
  over as every other one, and stays when one of the producers leaves.
* All copies and their entries are one transaction; a producer's record under the same id is another statement.
* A minor's prohibition tells its reason, and a refusal of it its grounds (703/2023 §40).

Source: 703/2023 §§40, 51, 58, 59.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.parties import agreements
from kanta_gateway.access.wills import CONTROLLER, GUARDIAN, PERMIT, PROHIBITION, TYPES
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError, RecordInvalidError
from kanta_gateway.model import Caller, Decision, Event, Oid, Record
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.pipeline.parts import Parts, Scope, Within
from kanta_gateway.pipeline.pleas import refuse
from kanta_gateway.pipeline.receive import Delivery, Receiver
from kanta_gateway.pipeline.settle import Settler
from kanta_gateway.pipeline.whose import Clients
from kanta_gateway.spool import identities, records
from kanta_gateway.spool.identities import Place

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.intake.records import RecordSchemas
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.whose import Whose
    from kanta_gateway.spool.records import StoredRecord

_OURS = frozenset({
    "type", "id", "version", "cancelled", "client", "given_on", "given_at", "set_on", "set_at", "withdrawn_on",
    "withdrawn_at", "is_valid", "status", "recorder", "recorder_name",
})  # fmt: skip
"""Fields that the gateway fills in: who writes it down, and when, is what the log tells."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A statement as a record of one producer's client."""

    place: Place
    record: Record


class WillDesk:
    """Writes statements of will down for a controller's officials, under the policy."""

    def __init__(self, parts: Parts, office: Office, schemas: RecordSchemas) -> None:
        self._parts = parts
        self._office = office
        self._schemas = schemas
        self._clients = Clients(parts, office)

    def state(
        self, caller: Caller, client: str, kind: str, told: Mapping[str, Any], *, provider: str = "",
        purchaser: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Write down what a client permits, prohibits or consents to; it holds from now on.

        Args:
            caller: the controller's official.
            client: a provider's client number.
            kind: `disclosure_permit`, `prohibition` or `consent`.
            told: fields of a record of that type, beside those that the gateway fills in.
            provider: OID; may be empty where only one has the number.
            purchaser: name of the contract; likewise.

        Raises:
            NotPermittedError: the caller may state nothing.
            NotFoundError: there is no such client in the caller's register.
            ParameterError: a field is none of the type's, or one that is needed lacks.
            RecordInvalidError: a value does not fit the type.
        """
        refuse(list(self._lacking(kind, told)))
        whose, decision = self._whose(caller, client, provider, purchaser)
        now = self._parts.now().isoformat()
        today = self._clients.today().isoformat()
        given: dict[str, Any] = {"set_on": today, "set_at": now} if kind == PROHIBITION else {"given_on": today}
        if kind == PERMIT:
            given |= {"given_at": now, "is_valid": True}
        statement = str(uuid.uuid4())
        with self._parts.database.alone() as tx:
            numbers = dict(self._numbers(tx, whose))
            copies = [
                _Copy(place, self._record({**told, **given, "type": kind, "id": statement, "client": number}))
                for place, number in sorted(numbers.items())
            ]
            done = self._write(tx, caller, whose, decision, copies)
        self._settle(caller, copies)
        return done

    def withdraw(
        self, caller: Caller, client: str, statement: str, *, provider: str = "", purchaser: str = ""
    ) -> dict[str, Any]:
        """Take a statement back that was made to the controller; from now on it does not hold.

        Args:
            caller: the controller's official.
            client: a provider's client number.
            statement: its id.
            provider: OID; may be empty where only one has the number.
            purchaser: name of the contract; likewise.

        Raises:
            NotFoundError: there is no such client in the caller's register, or no such statement of the client.
            ConflictError: it was withdrawn before.
        """
        whose, decision = self._whose(caller, client, provider, purchaser)
        now = self._parts.now().isoformat()
        with self._parts.database.alone() as tx:
            known = list(self._copies(tx, whose, statement))
            if not any(place.client_ref in whose.person.refs for place, _, _ in known):
                raise NotFoundError
            if any("withdrawn_at" in content for _, _, content in known):
                raise ConflictError("the statement was withdrawn before")
            copies = [
                _Copy(place, self._record({**content, "version": version + 1, "withdrawn_at": now}))
                for place, version, content in known
            ]
            done = self._write(tx, caller, whose, decision, copies)
        self._settle(caller, copies)
        return done

    def _lacking(self, kind: str, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What of a statement does not fit: field, and what is expected."""
        if kind not in TYPES:
            yield "type", ", ".join(TYPES)
            return
        known = self._schemas.schemas[kind]["properties"].keys() - _OURS
        yield from ([("body", f"only {', '.join(sorted(known))}")] if told.keys() - known else [])
        if told.get("against") == GUARDIAN:
            needed = ("reason", "refusal_grounds") if told.get("is_refused") else ("reason",)
            yield from ((name, "a text (703/2023 §40)") for name in needed if not str(told.get(name) or "").strip())

    def _whose(self, caller: Caller, client: str, provider: str, purchaser: str) -> tuple[Whose, Decision]:
        whose = self._clients.find(caller, Event.WILL_STATE, client, provider, purchaser)
        return whose, self._clients.permit(caller, Event.WILL_STATE, whose)

    def _record(self, told: Mapping[str, Any]) -> Record:
        record, faults = self._schemas.read(dict(told))
        if record is None:
            raise RecordInvalidError(findings=faults)
        return record

    def _numbers(self, tx: Connection, whose: Whose) -> Iterator[tuple[Place, str]]:
        """Every client number of the person at the controller's producers: its place, and the number itself."""
        person = whose.person
        own = [Place(person.provider, person.purchaser, ref) for ref in person.refs]
        for place in {*own, *identities.places(tx, person.provider, person.purchaser, person.refs)}:
            rows = records.of_file(tx, place.provider, place.purchaser, [place.client_ref])
            number = next((one.id for one in rows if self._parts.types[one.type].is_subject), None)
            if number is not None:
                yield place, number

    def _copies(self, tx: Connection, whose: Whose, statement: str) -> Iterator[tuple[Place, int, Mapping[str, Any]]]:
        """Every copy of a statement in the register: its place, newest version of its id there, and its content."""
        for register in sorted({
            (one.provider.oid, one.purchaser) for one in agreements(tx) if one.organiser.oid == whose.person.controller
        }):  # fmt: skip
            stored = records.states(tx, *register, [(kind, statement) for kind in TYPES])
            for states in stored.values():
                mine = [one for one in states if one.source == CONTROLLER and one.client_ref is not None]
                if mine:
                    place = Place(*register, str(mine[-1].client_ref))
                    yield place, states[-1].told_version, self._content(mine[-1])

    def _content(self, one: StoredRecord) -> dict[str, Any]:
        """What a stored statement says; of one whose content is gone what rules needed of it."""
        fields = self._schemas.schemas[one.type]["properties"].keys()
        try:
            told: Mapping[str, Any] = opened(self._parts, one)
        except KeyUnavailableError:
            told = self._parts.keyring.open_facts(one.facts)["facts"]
        number = {"client": told["_client"]} if "_client" in told else {}
        return {**{name: told[name] for name in told if name in fields}, **number, "type": one.type, "id": one.id}

    def _write(
        self, tx: Connection, caller: Caller, whose: Whose, decision: Decision, copies: list[_Copy]
    ) -> dict[str, Any]:
        """Store every copy with its entries."""
        controller = whose.agreement.organiser.oid
        tickets = [self._take(tx, caller, controller, one) for one in copies]
        record = copies[0].record
        self._office.note(tx, [
            self._office.event(
                caller, Event.WILL_STATE, subject=ticket, provider=one.place.provider, controller=controller,
                client_ref=one.place.client_ref, decision=decision,
                details={"type": record.type, "statement": record.id, "version": record.version,
                         "step": "withdraw" if "withdrawn_at" in record.content else "state"},
            )
            for one, ticket in zip(copies, tickets, strict=True)
        ])  # fmt: skip
        return {
            "statement": record.id, "type": record.type, "version": record.version,
            "records": [{"provider": one.place.provider, "purchaser": one.place.purchaser, "client": one.record.client}
                        for one in copies],
        }  # fmt: skip

    def _take(self, tx: Connection, caller: Caller, controller: Oid, one: _Copy) -> str:
        """Store one copy; its ticket."""
        taken = Receiver(self._parts, Within(tx)).take([one.record], Delivery(
            id="", provider=Oid(one.place.provider), controller=controller, purchaser=one.place.purchaser,
            source=CONTROLLER, as_of=self._clients.today(),
        ), caller)  # fmt: skip
        assert taken.first is not None  # noqa: S101 — one record was given
        return records.by_rows(tx, [taken.first[0]])[0].ticket

    def _settle(self, caller: Caller, copies: list[_Copy]) -> None:
        """Judge the copies: a permit or a withdrawal counts once it stands."""
        settler = Settler(self._parts, Scope(self._parts.database), caller)
        for one in copies:
            settler.settle(*one.place)
