"""Destruction because somebody asks for it: the controller, by a documented instruction; never a client alone.

* The controller instructs its processor (GDPR 28(3)(a), (g)); the instruction's own reference stands in every entry.
* A client's own request does not erase a record that the law orders to be kept (GDPR 17(3)(b); 703/2023 §23):
  it is refused with that reason, and the refusal is an entry.
* What the archive has not got yet is not destroyed: it would be lost for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from kanta_gateway import forgotten
from kanta_gateway.access.parties import agreements
from kanta_gateway.database import document, record
from kanta_gateway.errors import ConflictError, NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Finding, Severity, instant
from kanta_gateway.pipeline.keeping import destroy_records
from kanta_gateway.pipeline.oblivion import Oblivion
from kanta_gateway.pipeline.retain import DONE
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

CONTROLLER, CLIENT = "controller", "client"
WHO = (CONTROLLER, CLIENT)
"""Who asks."""
_REFERENCE = re.compile(r"[\w][\w./ -]{0,63}")
"""Reference of an instruction, such as a case number: no sentence, which could tell about a person."""
_NEEDED = (
    "a destruction needs who asks for it (controller or client), the reference of the instruction (at most 64 letters, "
    "digits, dots, slashes and hyphens), and documents or tickets"
)
_SETTLED = (*DONE, State.REJECTED.value)
STATUTORY = "erasure-statutory"
"""Kind of the finding that tells a client why the record stays."""


class Erasing:
    """Destroys content on instruction.

    Args:
        parts: the built gateway.
        office: permits and writes down.
    """

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office

    def destroy(
        self, caller: Caller, asked_by: str, controller: str, reference: str, *, documents: Sequence[str] = (),
        tickets: Sequence[str] = (),
    ) -> dict[str, Any]:  # fmt: skip
        """Destroy the content of documents and records of one controller's register.

        Args:
            caller: who carries it out.
            asked_by: one of `WHO`.
            controller: OID of the controller that instructs.
            reference: of its instruction.
            documents: OIDs.
            tickets: of records; their documents go with them.

        Raises:
            NotPermittedError: a client asked, or the caller may not.
            ParameterError: no reference, or nothing was named.
            NotFoundError: the controller's register has no such document or record.
            ConflictError: the archive has not got a document yet.
        """
        if asked_by not in WHO or not _REFERENCE.fullmatch(reference) or not (documents or tickets):
            raise ParameterError(_NEEDED)
        decision = self._office.permit(caller, Event.DOCUMENT_DESTROY_KEY, provider=None)
        if asked_by == CLIENT:
            self._refuse(caller, reference)
        with self._parts.database.alone() as tx:
            rows, records_ = self._found(tx, controller, documents, tickets)
            self._take(tx, rows, records_)
            details = {"instruction": reference, "ground": "GDPR 28(3)(g)"}
            found = [*((row["oid"], row) for row in rows), *((row["ticket"], row) for row in records_)]
            self._office.note(tx, [
                self._office.event(
                    caller, Event.DOCUMENT_DESTROY_KEY, subject=subject, provider=row["provider"],
                    controller=controller, client_ref=row["client_ref"], decision=decision, details=details,
                )
                for subject, row in found
            ])  # fmt: skip
        Oblivion(self._parts).carry()
        return {"documents": len(rows), "records": len(records_), "instruction": reference}

    def _take(self, tx: Connection, rows: Sequence[RowMapping], records_: Sequence[RowMapping]) -> None:
        moment = instant(self._parts.now())
        forgotten.note(tx, [Forgotten(forgotten.CONTENT, row["oid"], moment, row["key_id"]) for row in rows])
        oids = [row["oid"] for row in rows]
        tx.execute(update(document).where(document.c.oid.in_(oids)).values(payload=None))
        destroy_records(tx, records_, moment)

    def _refuse(self, caller: Caller, reference: str) -> None:
        finding = Finding("GDPR-17", Severity.REFUSE, STATUTORY, params={"reference": reference})
        self._office.deny(caller, Event.DOCUMENT_DESTROY_KEY, "", (f"{STATUTORY}: GDPR 17(3)(b), 703/2023 §23",))
        raise NotPermittedError(
            "a client's own request does not erase a record that the law orders to be kept; it is the controller's to "
            "decide (GDPR 17(3)(b))", findings=(finding,),
        )  # fmt: skip

    def _found(
        self, tx: Connection, controller: str, documents: Sequence[str], tickets: Sequence[str]
    ) -> tuple[list[RowMapping], list[RowMapping]]:
        """What is to go; all of it must be there, the controller's, and safe with the archive."""
        mine = {(one.provider.oid, one.purchaser) for one in agreements(tx) if one.organiser.oid == controller}
        asked = select(
            record.c.id, record.c.ticket, record.c.key_id, record.c.client_ref, record.c.provider, record.c.purchaser
        ).where(record.c.ticket.in_(tickets), record.c.payload.is_not(None))
        records_ = [row for row in tx.execute(asked).mappings() if (row["provider"], row["purchaser"]) in mine]
        if len(records_) != len(set(tickets)):
            raise NotFoundError("a ticket is not there, has no content any more, or is in another register")
        whole = select(
            document.c.oid, document.c.key_id, document.c.client_ref, document.c.provider, document.c.state,
        ).where(
            document.c.organiser == controller, document.c.payload.is_not(None),
            document.c.oid.in_(documents) | document.c.record_row.in_([row["id"] for row in records_]),
        )  # fmt: skip
        rows = list(tx.execute(whole).mappings())
        if not set(documents) <= {row["oid"] for row in rows}:
            raise NotFoundError("a document is not there, has no content any more, or is in another register")
        if waiting := [row["oid"] for row in rows if row["state"] not in _SETTLED]:
            raise ConflictError(
                f"the archive has not got {len(waiting)} of the documents; deliver or withdraw them first"
            )
        return rows, records_
