"""What was destroyed, withdrawn or revoked stays so, whichever backup of the database is restored.

* `carry` finishes what the database says: keys are destroyed, and the journal beside the keys tells of it.
* `replay` does again what the journal says and a restored database has lost, each with an entry of the log.
* An older key store cannot bring keys back either: what the database calls destroyed is destroyed there again.
* Both are done whenever a process starts, and cost two small reads when there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from kanta_gateway import forgotten
from kanta_gateway.access import grants, register
from kanta_gateway.access.parties import agreements
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.forgotten import Content, Forgotten
from kanta_gateway.model import Caller, Event, Oid, instant
from kanta_gateway.pipeline import willbook
from kanta_gateway.pipeline.destroying import EVENTS, controllers
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import JUDGED_AGAIN
from kanta_gateway.pipeline.reconciling import REVOKED
from kanta_gateway.spool import records
from kanta_gateway.tables import calling_system, data_key

if TYPE_CHECKING:
    from sqlalchemy import Connection

ITSELF = Caller("local", Oid(""), "kanta-gateway", "kanta-gateway", "operator", "retention")
"""Acts when a restored database is brought up to the journal."""
BATCH = 500
"""Deeds of one transaction."""
PURPOSE, BASIS = "retention", "GDPR 5(1)(e), 32(1)(b)"


class Oblivion:
    """Keeps database, key store and journal together.

    Args:
        parts: the built gateway.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._owners: Mapping[tuple[str, str], str] = {}
        """Whose each register is, as the database that is brought up to date says."""
        self._has_old_pages = parts.database.is_sqlite
        """Whether the write-ahead logs may hold what was deleted: a crash or a long reader can leave it there."""

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
        count = 0
        while True:
            with parts.database.reading() as tx:
                deeds, mark = forgotten.waiting(tx, BATCH), forgotten.mark(tx)
            if not deeds:
                break
            before, number = parts.keys.forget(deeds, mark)
            with parts.database.alone() as tx:
                forgotten.carried(tx, [one.origin for one in deeds], before, number)
            count += len(deeds)
        if count or self._has_old_pages:
            self._has_old_pages = not (parts.keys.scrub() & parts.database.scrub())
        return count

    def _replay(self, mark: int) -> int:
        parts = self._parts
        count, last = 0, mark
        while entries := parts.keys.entries(last, BATCH):
            last = entries[-1].number
            with parts.database.alone() as tx:
                self._owners = controllers(tx)
                events = [event for one in entries for event in self._again(tx, one.deed)]
                parts.log.append(tx, events)
                forgotten.move_mark(tx, last)
            count += len(events)
        parts.database.scrub()
        return count

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
        return [event for one in forgotten.CONTENTS.values() for event in self._lost(tx, one, deed)]

    def _lost(self, tx: Connection, one: Content, deed: Forgotten) -> Iterator[AuditEvent]:
        """Take the content of a row that a restored table has again; nothing where it has not."""
        is_whole = forgotten.WHOLE in deed.details
        # the name of a row has an index; a deed that an older key store brought names its key only
        which = [one.subject == deed.subject] if deed.subject else []
        if one.is_keyed:
            which.append(one.table.c.key_id == deed.key_id)
        elif deed.key_id is not None or not deed.subject:
            return
        has = one.has_any if is_whole else one.has_some
        found = tx.execute(select(one.table).where(*which, has)).mappings().all()
        for subject, row in {row[one.subject.name]: row for row in found}.items():
            forgotten.empty(tx, one.table.name, [subject], whole=is_whole)
            provider = row.get("provider", "")
            register = (provider, row.get("purchaser", ""))
            controller = row.get("organiser") or row.get("controller") or self._owners.get(register, provider)
            client = row.get("client_ref") if row.get("is_client", True) else None
            yield self._event(
                EVENTS.get(one.table.name, Event.DOCUMENT_DESTROY_KEY), deed, client, provider, controller
            )

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
        for start in range(0, len(back), BATCH):
            deeds = [Forgotten(forgotten.CONTENT, "", gone[id_], id_) for id_ in back[start : start + BATCH]]
            parts.keys.forget(deeds, mark)
        _, number = parts.keys.forget([Forgotten(forgotten.OLDER, "key store", instant(parts.now()))], mark)
        with parts.database.alone() as tx:
            forgotten.move_mark(tx, number)
        parts.keys.scrub()


def _again(deed: Forgotten) -> dict[str, Any]:
    """What the entry of a deed that was done again tells of the first time."""
    return {"again": True, "first_at": deed.at}
