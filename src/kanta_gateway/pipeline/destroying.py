"""Content is destroyed here and nowhere else: taken, noted for the journal and told by the log, in one transaction.

* What holds content is listed once, in `forgotten.CONTENTS`; whose each row is, in `Gone`.
* The controller instructs its processor (GDPR 28(3)(a), (g)); the instruction's own reference stands in every entry.
* A client's own request does not erase a record that the law orders to be kept (GDPR 17(3)(b); 703/2023 §23):
  it is refused with that reason, and the refusal is an entry.
* What the archive has not got yet is not destroyed: it would be lost for everybody.
* Of what was handed over everything goes, whatever its age; tickets, states, receipts and digests of documents stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, select, tuple_

from kanta_gateway import forgotten
from kanta_gateway.access.parties import agreements
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import ConflictError, NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.model import Caller, Event, Finding, Oid, Severity, instant
from kanta_gateway.rights import store as requests
from kanta_gateway.spool import disclosures, prints
from kanta_gateway.spool.states import State
from kanta_gateway.tables import client_request, document, notice, record, supervision_case, supervision_step

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from kanta_gateway.pipeline.oblivion import Oblivion
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.registers import Pair

BATCH = 500
"""Rows that go in one transaction."""
DONE = (State.ARCHIVED.value, State.INVALIDATED.value, State.WITHDRAWN.value)
"""States in which the archive has what it needs of a document."""
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
ACCESS = b"access"
"""Context of what is sealed about break-glass."""
EVENTS: Mapping[str, Event] = {
    client_request.name: Event.RIGHT_DESTROY, supervision_case.name: Event.CASE_DESTROY,
    supervision_step.name: Event.CASE_DESTROY,
}  # fmt: skip
"""What entries call the destruction of a table's content; of all others it is `document:destroy-key`."""
STATUTORY = "erasure-statutory"
"""Kind of the finding that tells a client why the record stays."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A row whose content goes."""

    table: str
    subject: str
    key_id: int | None
    provider: str
    controller: str
    client_ref: str | None = None
    """For the log; None for what is about no client."""
    details: Mapping[str, Any] = field(default_factory=dict)
    is_whole: bool = False
    """Whether what rules need of it goes too."""
    is_told: bool = True
    """False for what goes with something else, whose entry tells of both."""

    @property
    def event(self) -> Event:
        """What the entry calls it."""
        return EVENTS.get(self.table, Event.DOCUMENT_DESTROY_KEY)


def destroy(
    parts: Parts, tx: Connection, caller: Caller, gone: Sequence[Gone], *, purpose: str, basis: str,
    details: Mapping[str, Any],
) -> None:  # fmt: skip
    """Destroy the content of rows and write each down.

    Args:
        parts: the built gateway.
        tx: the transaction.
        caller: who acts.
        gone: the rows.
        purpose: of the entries.
        basis: the provision.
        details: what every entry tells, beside each row's own.
    """
    now = parts.now()
    for name, is_whole in sorted({(one.table, one.is_whole) for one in gone}):
        rows = [(one.subject, one.key_id) for one in gone if (one.table, one.is_whole) == (name, is_whole)]
        forgotten.destroy(tx, name, rows, instant(now), whole=is_whole)
    parts.log.append(tx, [
        AuditEvent(
            event=one.event, caller=caller, at=now, client_ref=one.client_ref, subject=one.subject,
            provider=Oid(one.provider), controller=Oid(one.controller), purpose=purpose, basis=basis,
            details={**details, **one.details},
        )
        for one in gone if one.is_told
    ])  # fmt: skip


def controllers(tx: Connection) -> dict[tuple[str, str], str]:
    """Whose each register is: provider and name of the contract file -> controller."""
    return {(str(one.provider.oid), one.purchaser): str(one.organiser.oid) for one in agreements(tx)}


class Destroyer:
    """Destroys on instruction.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        oblivion: destroys the keys.
    """

    def __init__(self, parts: Parts, office: Office, oblivion: Oblivion) -> None:
        self._parts = parts
        self._office = office
        self._oblivion = oblivion

    def instructed(
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
            gone = self._named(tx, controller, documents, tickets)
            destroy(
                self._parts, tx, caller, gone, purpose=caller.purpose,
                basis="; ".join(("GDPR 28(3)(g)", *decision.basis)),
                details={"instruction": reference, "row": decision.row},
            )  # fmt: skip
        self._oblivion.carry()
        counts = [sum(one.table == name for one in gone) for name in (document.name, record.name)]
        return {"documents": counts[0], "records": counts[1], "instruction": reference}

    def _refuse(self, caller: Caller, reference: str) -> None:
        finding = Finding("GDPR-17", Severity.REFUSE, STATUTORY, params={"reference": reference})
        self._office.deny(caller, Event.DOCUMENT_DESTROY_KEY, "", (f"{STATUTORY}: GDPR 17(3)(b), 703/2023 §23",))
        raise NotPermittedError(
            "a client's own request does not erase a record that the law orders to be kept; it is the controller's to "
            "decide (GDPR 17(3)(b))", findings=(finding,),
        )  # fmt: skip

    def _named(
        self, tx: Connection, controller: str, documents: Sequence[str], tickets: Sequence[str]
    ) -> list[Gone]:  # fmt: skip
        """What is to go; all of it must be there, the controller's, and safe with the archive."""
        mine = {pair for pair, owner in controllers(tx).items() if owner == controller}
        asked = select(
            record.c.id, record.c.ticket, record.c.key_id, record.c.client_ref, record.c.provider, record.c.purchaser
        ).where(record.c.ticket.in_(tickets), record.c.payload.is_not(None))
        found = [row for row in tx.execute(asked) if (row.provider, row.purchaser) in mine]
        if len(found) != len(set(tickets)):
            raise NotFoundError("a ticket is not there, has no content any more, or is in another register")
        whole = select(
            document.c.oid, document.c.key_id, document.c.client_ref, document.c.provider, document.c.state,
        ).where(
            document.c.organiser == controller, document.c.payload.is_not(None),
            document.c.oid.in_(documents) | document.c.record_row.in_([row.id for row in found]),
        )  # fmt: skip
        rows = tx.execute(whole).all()
        if not set(documents) <= {row.oid for row in rows}:
            raise NotFoundError("a document is not there, has no content any more, or is in another register")
        if waiting := [row.oid for row in rows if row.state not in _SETTLED]:
            raise ConflictError(
                f"the archive has not got {len(waiting)} of the documents; deliver or withdraw them first"
            )
        return [
            *(Gone(document.name, row.oid, row.key_id, row.provider, controller, row.client_ref) for row in rows),
            *(
                Gone(record.name, row.ticket, row.key_id, row.provider, controller, row.client_ref, is_whole=True)
                for row in found
            ),
        ]

    def handed(
        self, caller: Caller, controller: str, pairs: Collection[Pair], *, basis: str,
        details: Mapping[str, Any],
    ) -> dict[str, int]:  # fmt: skip
        """Destroy the content of everything of one controller; how much of each kind there was.

        Args:
            caller: who acts.
            controller: OID of the controller.
            pairs: its registers.
            basis: the provision.
            details: for the entries: the package and the instruction.
        """
        going = [name for name, one in forgotten.CONTENTS.items() if one.is_handed]
        counts = {f"{name}s": 0 for name in going}
        with self._parts.database.alone() as tx:  # first: nothing of it is sent or answered from here any more
            disclosures.hand_over(tx, controller, self._parts.now())
            requests.hand_over(tx, controller)
        for name in going:
            for rows in self._rows(name, controller, pairs):
                with self._parts.database.transaction() as tx:
                    destroy(self._parts, tx, caller, rows, purpose="handover", basis=basis, details=details)
                counts[f"{name}s"] += len(rows)
        with self._parts.database.alone() as tx:
            counts["fingerprints"] = self._prints(tx, pairs)
        self._oblivion.carry()
        return counts

    def _rows(self, name: str, controller: str, pairs: Collection[Pair]) -> Iterator[Sequence[Gone]]:
        """Rows of a table that are one controller's and have content, or what rules need of it, in batches."""
        one = forgotten.CONTENTS[name]
        column = next((one.table.c[each] for each in ("organiser", "controller") if each in one.table.c), None)
        mine = (
            tuple_(record.c.provider, record.c.purchaser).in_(sorted(pairs)) if column is None else column == controller
        )
        number = next(iter(one.table.primary_key))
        after: int | str = 0 if isinstance(number.type, Integer) else ""
        query = select(one.table).where(mine, one.has_any).order_by(number).limit(BATCH)
        while True:
            with self._parts.database.reading() as tx:
                rows = tx.execute(query.where(number > after)).mappings().all()
            if not rows:
                return
            after = rows[-1][number.name]
            yield [
                Gone(name, row[one.subject.name], row.get("key_id"), row["provider"], controller, self._client(row),
                     {"notice": row["type"]} if name == notice.name else {}, is_whole=True)
                for row in rows
            ]  # fmt: skip

    def _client(self, row: RowMapping) -> str | None:
        """The client that a row is about; None for one that is about none."""
        kind = self._parts.types.get(row.get("type", ""))
        is_of_client = row.get("is_client", True) if kind is None else kind.about == "client"
        return row["client_ref"] if is_of_client else None

    def _prints(self, tx: Connection, pairs: Collection[Pair]) -> int:
        """Forget the contact data of clients whom no other register knows; how many there were."""
        keyring, count = self._parts.keyring, 0
        for provider in sorted({one[0] for one in pairs}):
            refs = prints.only_in(tx, provider, {one[1] for one in pairs if one[0] == provider})
            prints.forget(tx, keyring.protected(provider), refs)
            count += len(refs)
        return count
