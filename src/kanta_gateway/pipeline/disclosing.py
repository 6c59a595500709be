"""Gives one document of a register to somebody else: decided, written down and given in one transaction.

* What was stated, the register of parties and the client's statements of will are read in that transaction, so a
  withdrawal that was committed before it counts, also when it came in the middle of the request.
* A recipient who has no registered relationship with the client and no grant is told nothing, as if there were no
  such document; the denial and its reasons are in the log.
* Break-glass is one of the ways: its facts come from the grant, and the entry carries the mark BTG.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from kanta_gateway.access import grants
from kanta_gateway.errors import NotFoundError, NotPermittedError
from kanta_gateway.model import Caller, Decision, Event
from kanta_gateway.pipeline.across import Asked, Seen
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.office import content_of
from kanta_gateway.spool import persons, records, store
from kanta_gateway.spool.states import State
from kanta_gateway.tables import document

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.grants import Grant
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.store import StoredDocument

USE = "use"
"""Grade of a row that is use and no disclosure, such as a joint service."""
BTG = "BTG"
"""HL7 PurposeOfUse of break-glass: the mark in the log."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller states about one disclosure."""

    asked: Asked
    grant: str = ""
    """Id of the grant by which it is asked, empty for none."""
    told: Mapping[str, str] | None = None
    """Words for the log: route, reference, name of the recipient."""


class Disclosing:
    """Discloses documents for a caller."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def document(self, oid: str, wanted: Wanted, caller: Caller) -> bytes:
        """The signed bytes of one document of another register, or of the own one for somebody outside.

        Args:
            oid: of the document.
            wanted: what the caller states.
            caller: who asks.

        Raises:
            NotFoundError: there is none, or none that the caller may know of.
            NotPermittedError: it may know why not.
            TooManyReadsError: it was given as much as its role may be for now.
        """
        self._office.check_reads(caller, Event.DOCUMENT_DISCLOSE, "")
        denied: tuple[Decision, Seen, str] | None = None
        with self._parts.database.alone() as tx:
            found = store.get(tx, oid)
            thing, grant = self._thing(tx, found, wanted, caller)
            decision = self._office.guard.decide(caller, Event.DOCUMENT_DISCLOSE, thing, tx=tx)
            seen = self._office.guard.seen(tx, caller, thing)
            if found is not None and decision.allowed:
                content = content_of(self._parts, found)
                self._write_down(tx, found, thing, wanted, caller, decision, seen, grant)
                return content
            denied = (decision, seen, found.provider if found is not None else "")
        decision, seen, provider = denied
        self._office.deny(caller, Event.DOCUMENT_DISCLOSE, provider, decision.reasons, decision)
        if provider and seen.is_known:
            raise NotPermittedError(
                f"document:disclose is not allowed: {'; '.join(decision.reasons)}", findings=decision.findings
            )
        raise NotFoundError

    def documents(self, wanted: Wanted, caller: Caller) -> dict[str, Any]:
        """Which documents there are of the one client that a grant is about.

        Raises:
            NotFoundError: there is no such grant of the caller's.
            NotPermittedError: the policy does not allow it, or not any more.
        """
        with self._parts.database.alone() as tx:
            grant = grants.get(tx, wanted.grant)
            if grant is None or grant.person_ref != self._person(caller):
                raise NotFoundError
            asked = _by_grant(wanted.asked, grant, is_open=grant.is_open(self._parts.now()))
            thing = Thing(grant.provider, grant.controller, grant.purchaser, grant.client_ref,
                          replace(asked, documents=frozenset({"any"})))  # fmt: skip
            decision = self._office.guard.decide(caller, Event.DOCUMENT_DISCLOSE, thing, tx=tx)
            if decision.allowed:
                refs = persons.group(tx, grant.provider, grant.purchaser, grant.client_ref)
                found = [one for ref in refs for one in store.of_client(tx, ref) if one.organiser == grant.controller]
                self._office.note(tx, [self._office.event(
                    caller, Event.DOCUMENT_DISCLOSE, subject="list", provider=grant.provider,
                    controller=grant.controller, client_ref=grant.client_ref, decision=decision,
                    details={"count": len(found), "grant": grant.id, "flag": BTG}, recipient=caller.organisation,
                )])  # fmt: skip
                return {"documents": [
                    {"oid": one.oid, "structure": one.structure, "made_at": one.made_at, "state": one.state.value}
                    for one in found
                ]}  # fmt: skip
        self._office.deny(caller, Event.DOCUMENT_DISCLOSE, grant.provider, decision.reasons, decision)
        raise NotPermittedError(
            f"document:disclose is not allowed: {'; '.join(decision.reasons)}", findings=decision.findings
        )

    def _person(self, caller: Caller) -> str:
        return self._parts.log.names.reference(caller.organisation, caller.person_id)

    def _thing(
        self, tx: Connection, found: StoredDocument | None, wanted: Wanted, caller: Caller
    ) -> tuple[Thing, Grant | None]:
        """What is asked for; a document that does not exist is asked for in the same way."""
        grant = grants.get(tx, wanted.grant) if wanted.grant else None
        if found is None:
            return Thing(None, asked=wanted.asked), grant
        purchaser = records.by_rows(tx, [found.record_row])[0].purchaser
        asked = wanted.asked
        if grant is not None:
            clients = persons.group(tx, found.provider, purchaser, found.client_ref)
            is_same = (
                grant.person_ref == self._person(caller) and grant.client_ref in clients
                and (grant.provider, grant.controller) == (found.provider, found.organiser)
            )  # fmt: skip
            if is_same:
                asked = _by_grant(asked, grant, is_open=grant.is_open(self._parts.now()))
            else:
                grant = None
        oids = tx.execute(select(document.c.oid).where(document.c.set_oid == found.set_oid)).scalars()
        forwarding = self._parts.disclosures.forwarding(found.structure, is_archived=found.state is State.ARCHIVED)
        documents = frozenset({found.set_oid, *oids})
        asked = replace(asked, documents=documents, day=found.made_at[:10], forwarding=forwarding)
        return Thing(found.provider, found.organiser, purchaser, found.client_ref, asked), grant

    def _write_down(
        self, tx: Connection, found: StoredDocument, thing: Thing, wanted: Wanted, caller: Caller, decision: Decision,
        seen: Seen, grant: Grant | None,
    ) -> None:  # fmt: skip
        asked = thing.asked or Asked()
        details: dict[str, Any] = {
            "structure": found.structure, **{name: value for name, value in asked.facts.items() if name != "grant"},
            **(wanted.told or {}),
        }  # fmt: skip
        row = self._parts.decider.table.by_id[decision.row]
        details |= {name: ref for name, ref in seen.refs.items() if name in row.when}
        if grant is not None and asked.facts.get("grant") == "open":
            details |= {"grant": grant.id, "flag": BTG}
            grants.used(tx, grant.id)
        event = Event.DOCUMENT_READ if row.grade == USE else Event.DOCUMENT_DISCLOSE
        self._office.note(tx, [self._office.event(
            caller, event, subject=found.oid, provider=found.provider, controller=found.organiser,
            client_ref=found.client_ref, details=details, decision=decision,
            recipient=asked.to_name or caller.organisation,
        )])  # fmt: skip


def _by_grant(asked: Asked, grant: Grant, *, is_open: bool) -> Asked:
    """The statement that a grant was opened with, in the place of whatever is stated now."""
    return replace(asked, facts={**grant.facts, "grant": "open" if is_open else "ended"}, by_consent=False, to_kind="")
