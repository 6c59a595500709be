"""Whose data a caller may act on: a client by its number, within the registers that the caller answers for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from kanta_gateway.access.parties import agreements
from kanta_gateway.contracts.calendar import HELSINKI, age
from kanta_gateway.errors import KeyUnavailableError, NotFoundError
from kanta_gateway.model import Caller, Decision, Event
from kanta_gateway.pipeline.clientlog import Person
from kanta_gateway.pipeline.filing import load
from kanta_gateway.pipeline.known import check_one
from kanta_gateway.pipeline.sphere import is_operator
from kanta_gateway.privacy.identity import identity_code
from kanta_gateway.spool import persons, records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.parties import Agreement
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

ADULT_YEARS = 18


@dataclass(frozen=True, slots=True)
class Whose:
    """A person in one register, and the contract under which the gateway holds the data."""

    person: Person
    agreement: Agreement

    @property
    def client_ref(self) -> str:
        """The client number that was meant."""
        return self.person.refs[0]


class Clients:
    """Finds clients for callers."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def today(self) -> date:
        """The day in Finland."""
        return self._parts.now().astimezone(HELSINKI).date()

    def scope(self, caller: Caller) -> tuple[str | None, str | None]:
        """Provider and controller whose things the caller sees; None for every one."""
        if self._office.is_own_only(caller):
            return caller.organisation, None
        return None, None if is_operator(caller) else caller.organisation

    def find(self, caller: Caller, event: Event, client: str, provider: str = "", purchaser: str = "") -> Whose:
        """One client that the caller may see; one that is not there and another's are told alike.

        Args:
            caller: who acts.
            event: what it wants to do.
            client: the provider's client number.
            provider: OID; may be empty where only one has the number.
            purchaser: name of the contract; likewise.

        Raises:
            NotPermittedError: the caller may do this with nobody.
            NotFoundError: there is none that the caller may see.
            ConflictError: there are several.
        """
        own, controller = self.scope(caller)
        self._office.permit(caller, event, provider=own)
        found: dict[tuple[str, str], Whose] = {}
        with self._parts.database.reading() as tx:
            for one in agreements(tx, own):
                ref = str(self._parts.keyring.client(one.provider.oid, client))
                is_seen = own in {None, one.provider.oid} and controller in {None, one.organiser.oid}
                is_meant = provider in {"", one.provider.oid} and purchaser in {"", one.purchaser}
                if is_seen and is_meant and one.purchaser in records.purchasers(tx, one.provider.oid, ref):
                    found[one.provider.oid, one.purchaser] = Whose(self.person(tx, one, ref), one)
        check_one([f"{oid} {name}" for oid, name in found])
        if not found:
            self._office.conceal(caller, event, None)
            raise NotFoundError
        return next(iter(found.values()))

    @staticmethod
    def person(tx: Connection, agreement: Agreement, ref: str) -> Person:
        """Everything that is one person's, whichever of its client numbers is meant."""
        refs = persons.group(tx, agreement.provider.oid, agreement.purchaser, ref)
        return Person(agreement.provider.oid, agreement.purchaser, agreement.organiser.oid, refs)

    def permit(self, caller: Caller, event: Event, whose: Whose) -> Decision:
        """Let the caller go on with a person's data; outside any transaction, since a denial is written down.

        Raises:
            NotPermittedError: the policy does not allow it.
        """
        person = whose.person
        return self._office.permit(
            caller, event, provider=person.provider, controller=person.controller, purchaser=person.purchaser,
            client_ref=whose.client_ref,
        )  # fmt: skip

    def is_minor(self, person: Person, day: date) -> bool | None:
        """Whether the person was a minor on a day, as the identity code tells; None where it is not known here."""
        with self._parts.database.reading() as tx:
            case = load(self._parts, tx, person.provider, person.purchaser, person.refs[0], None)
        try:
            content = case.content(case.client) if case.client else {}
        except KeyUnavailableError:
            return None
        code = identity_code(str(content.get("identity_code", "")))
        return None if code is None else age(code.birth_date.isoformat(), day.isoformat()) < ADULT_YEARS
