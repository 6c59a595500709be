"""What was destroyed, withdrawn or revoked stays so, whichever backup of the database is restored.

* `carry` finishes what the database says: keys are destroyed, and the journal beside the keys tells of it.
* `replay` does again what the journal says and a restored database has lost, each with an entry of the log.
* An older key store cannot bring keys back either: what the database calls destroyed is destroyed there again.
* Both are done whenever a process starts, and cost two small reads when there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from kanta_gateway import forgotten
from kanta_gateway.access import grants, register
from kanta_gateway.access.parties import agreements
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.database import calling_system, client_request, data_key, disclosure, document, notice, record
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Oid, instant
from kanta_gateway.pipeline import willbook
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import JUDGED_AGAIN
from kanta_gateway.pipeline.reconciling import REVOKED
from kanta_gateway.spool import records

if TYPE_CHECKING:
    from sqlalchemy import Connection

ITSELF = Caller("local", Oid(""), "kanta-gateway", "kanta-gateway", "operator", "retention")
"""Acts when a restored database is brought up to the journal."""
PURPOSE, BASIS = "retention", "GDPR 5(1)(e), 32(1)(b)"


class Oblivion:
    """Keeps database, key store and journal together.

    Args:
        parts: the built gateway.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def start(self) -> int:
        """At the start of a process: finish what was begun, do again what was lost; how many deeds were done again."""
        parts = self._parts
        with parts.database.reading() as tx:
            mark = forgotten.mark(tx)
        last = parts.keys.last()
        if last < mark:
            self._older_keys(mark)
        done = self._replay(mark) if last > mark else 0
        self.carry()
        return done

    def carry(self) -> int:
        """Destroy the keys whose content is gone and tell the journal; how many deeds there were."""
        parts = self._parts
        with parts.database.reading() as tx:
            deeds, mark = forgotten.waiting(tx), forgotten.mark(tx)
        if not deeds:
            return 0
        before, number = parts.keys.forget(deeds, mark)
        with parts.database.alone() as tx:
            forgotten.carried(tx, [one.origin for one in deeds], before, number)
        parts.database.scrub()
        return len(deeds)

    def _replay(self, mark: int) -> int:
        parts = self._parts
        deeds, last = parts.keys.since(mark)
        with parts.database.alone() as tx:
            events = [event for one in deeds for event in self._again(tx, one)]
            parts.log.append(tx, events)
            forgotten.move_mark(tx, last)
        parts.database.scrub()
        return len(events)

    def _again(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        """Do one deed of the journal in a database that may have lost it; the entries, none where it has not."""
        again: dict[str, Callable[[Connection, Forgotten], list[AuditEvent]]] = {
            forgotten.CONTENT: self._content, forgotten.SYSTEM: self._system,
            forgotten.STATEMENT: self._statement, forgotten.NAMES: self._names, forgotten.OLDER: lambda *_: [],
            forgotten.WILL: self._will, forgotten.GRANT: self._grant,
        }  # fmt: skip
        return again[deed.kind](tx, deed)

    def _content(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        ended = update(data_key).where(data_key.c.id == deed.key_id, data_key.c.destroyed_at.is_(None))
        tx.execute(ended.values(destroyed_at=deed.at))
        found = [
            self._event(Event.DOCUMENT_DESTROY_KEY, deed, row.client_ref, row.provider, row.organiser)
            for table in (document, notice)
            for row in tx.execute(
                select(table).where(table.c.key_id == deed.key_id, table.c.payload.is_not(None))
            )
        ]  # fmt: skip
        told = disclosure.c.key_id == deed.key_id, disclosure.c.told.is_not(None)
        found += [
            self._event(Event.DOCUMENT_DESTROY_KEY, deed, row.client_ref, row.provider, row.controller)
            for row in tx.execute(select(disclosure).where(*told))
        ]
        tx.execute(update(disclosure).where(*told).values(told=None, payload=None))
        for table in (document, notice):
            tx.execute(update(table).where(table.c.key_id == deed.key_id).values(payload=None))
        found += self._disclosure(tx, deed)
        lost = record.c.key_id == deed.key_id, record.c.payload.is_not(None)
        found += [
            self._event(Event.DOCUMENT_DESTROY_KEY, deed, row.client_ref, row.provider, row.organiser or row.provider)
            for row in tx.execute(
                select(record.c.client_ref, record.c.provider, document.c.organiser)
                .outerjoin(document, document.c.record_row == record.c.id).where(*lost).limit(1)
            )
        ]  # fmt: skip
        tx.execute(update(record).where(*lost).values(payload=None, digest=""))
        return [*found, *self._request(tx, deed)]

    def _request(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        lost = client_request.c.key_id == deed.key_id, client_request.c.sealed.is_not(None)
        found = [
            self._event(Event.RIGHT_DESTROY, deed, row.client_ref, row.provider, row.organiser)
            for row in tx.execute(select(client_request).where(*lost))
        ]
        tx.execute(update(client_request).where(*lost).values(sealed=None))
        return found

    def _disclosure(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        lost = disclosure.c.key_id == deed.key_id, disclosure.c.told.is_not(None)
        rows = tx.execute(select(disclosure).where(*lost)).all()
        tx.execute(update(disclosure).where(*lost).values(told=None, payload=None))
        return [self._event(Event.DOCUMENT_DESTROY_KEY, deed, row.client_ref, row.provider, row.controller)
                for row in rows]  # fmt: skip

    def _system(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        known = tx.execute(
            update(calling_system)
            .where(calling_system.c.thumbprint == deed.subject, calling_system.c.revoked_at.is_(None))
            .values(revoked_at=deed.at)
        )
        return [self._party(deed, {"act": REVOKED})] if known.rowcount else []

    def _statement(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        last = deed.details["to"]
        told = register.end(tx, deed.subject, last, self._parts.now())
        for provider in {one.provider.oid for one in agreements(tx)} if told is not None else ():
            records.reopen(tx, provider, JUDGED_AGAIN)
        return [] if told is None else [self._party(deed, {"kind": told.kind, "from": told.valid_from, "to": last})]

    def _will(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        """A statement of will that was lost: what stood before it does not stand again until it is delivered anew."""
        if not willbook.lose(tx, deed):
            return []
        told = deed.details
        controller = next((one.organiser.oid for one in agreements(tx, told["provider"])), told["provider"])
        return [self._event(Event.RECORD_REMIND, deed, told["client"], told["provider"], controller)]

    def _grant(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        one = grants.get(tx, deed.subject)
        if one is None or not grants.end(tx, deed.subject, self._parts.now()):
            return []
        return [self._event(Event.ACCESS_END, deed, one.client_ref, one.provider, one.controller)]

    def _names(self, tx: Connection, deed: Forgotten) -> list[AuditEvent]:
        gone = self._parts.log.names.delete(tx, deed.details["names"])
        return [] if not gone else [AuditEvent(
            event=Event.AUDIT_ERASE, caller=ITSELF, at=self._parts.now(), client_ref=None, subject="audit_name",
            provider="", controller="", purpose=PURPOSE, basis=BASIS, details={"names": list(gone), **_again(deed)},
        )]  # fmt: skip

    def _event(
        self, event: Event, deed: Forgotten, client_ref: str | None, provider: str, controller: str
    ) -> AuditEvent:
        return AuditEvent(
            event=event, caller=ITSELF, at=self._parts.now(), client_ref=client_ref, subject=deed.subject,
            provider=Oid(provider), controller=Oid(controller), purpose=PURPOSE, basis=BASIS, details=_again(deed),
        )  # fmt: skip

    def _party(self, deed: Forgotten, details: dict[str, Any]) -> AuditEvent:
        return AuditEvent(
            event=Event.PARTY_REGISTER, caller=ITSELF, at=self._parts.now(), client_ref=None, subject=deed.subject,
            provider="", controller="", purpose=PURPOSE, basis="703/2023 §9.3; GDPR 28(3)",
            details={**details, **_again(deed)},
        )  # fmt: skip

    def _older_keys(self, mark: int) -> None:
        """The key store is older than the database: destroy again what the database calls destroyed."""
        parts = self._parts
        with parts.database.reading() as tx:
            ended = select(data_key.c.id, data_key.c.destroyed_at).where(data_key.c.destroyed_at.is_not(None))
            gone = {int(id_): str(at) for id_, at in tx.execute(ended)}
        back = sorted(parts.keys.ids() & gone.keys())
        deeds = [Forgotten(forgotten.CONTENT, "", gone[id_], id_) for id_ in back]
        _, number = parts.keys.forget([*deeds, Forgotten(forgotten.OLDER, "key store", instant(parts.now()))], mark)
        with parts.database.alone() as tx:
            forgotten.move_mark(tx, number)


def _again(deed: Forgotten) -> dict[str, Any]:
    """What the entry of a deed that was done again tells of the first time."""
    return {"again": True, "first_at": deed.at}
