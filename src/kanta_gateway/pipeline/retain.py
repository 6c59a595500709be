"""Content goes when it has done its work: keys of archived documents are destroyed after the grace period.

* The archive has the document; the gateway keeps evidence and no content (GDPR 5(1)(e)).
* The record that the document was made of goes with it; references (client, decision, staff) stay,
  since later records need them; what is held or refused stays until it is corrected.
* Each destruction is an entry of the log, in the same transaction.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import exists, select, update

from kanta_gateway import forgotten
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.database import document, record
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Oid, Outcome, instant
from kanta_gateway.notices import store as notices
from kanta_gateway.pipeline import reporting
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.spool.records import SETTLED
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

BATCH = 500
DONE = (State.ARCHIVED.value, State.INVALIDATED.value, State.WITHDRAWN.value)
SPENT = (Outcome.ACCEPTED, Outcome.FLAGGED, Outcome.REPLACEMENT, Outcome.REPLACED, Outcome.CANCELLED,
         Outcome.CANCELLATION)  # fmt: skip


def destroy_spent_keys(parts: Parts, caller: Caller, grace_days: int) -> int:
    """Destroy the keys of documents that the archive has had for the grace period; gives their number.

    Args:
        parts: the built gateway.
        caller: who acts.
        grace_days: how long content stays readable after the receipt.
    """
    limit = instant(parts.now() - timedelta(days=grace_days))
    with parts.database.transaction() as tx:
        spent = _documents(tx, limit)
        if not spent:
            return 0
        moment = instant(parts.now())
        forgotten.note(tx, [Forgotten(forgotten.CONTENT, str(one["oid"]), moment, one["key_id"]) for one in spent])
        oids = [str(one["oid"]) for one in spent]
        tx.execute(update(document).where(document.c.oid.in_(oids)).values(payload=None))
        _records(tx, sorted({int(one["record_row"]) for one in spent}), moment)
        parts.log.append(tx, [
            AuditEvent(
                event=Event.DOCUMENT_DESTROY_KEY, caller=caller, at=parts.now(), client_ref=one["client_ref"],
                subject=one["oid"], provider=Oid(one["provider"]), controller=Oid(one["organiser"]),
                purpose="retention", basis="GDPR 5(1)(e)", details={"grace_days": grace_days},
            )
            for one in spent
        ])  # fmt: skip
        return len(spent)


def destroy_spent_notices(parts: Parts, caller: Caller, grace_days: int) -> int:
    """Destroy the content of notices that were handed over the grace period ago; gives their number.

    Args:
        parts: the built gateway.
        caller: who acts.
        grace_days: how long content stays readable after the handing over.
    """
    now = parts.now()
    with parts.database.transaction() as tx:
        spent = notices.spent(tx, instant(now - timedelta(days=grace_days)), BATCH)
        if not spent:
            return 0
        notices.destroy(tx, spent, now)
        parts.log.append(tx, [
            AuditEvent(
                event=Event.DOCUMENT_DESTROY_KEY, caller=caller, at=now, client_ref=one.told_client, subject=one.id,
                provider=Oid(one.provider), controller=one.organiser, purpose="retention", basis="GDPR 5(1)(e)",
                details={"grace_days": grace_days, "notice": one.type},
            )
            for one in spent
        ])  # fmt: skip
        return len(spent)


def destroy_spent_disclosures(parts: Parts, caller: Caller, grace_days: int) -> int:
    """Destroy the content of disclosure notices that the register has had for the grace period; gives their number.

    Args:
        parts: the built gateway.
        caller: who acts.
        grace_days: how long content stays readable after the receipt.
    """
    return reporting.destroy_spent(parts, caller, instant(parts.now() - timedelta(days=grace_days)), grace_days, BATCH)


def _documents(tx: Connection, limit: str) -> list[RowMapping]:
    query = (
        select(document.c.oid, document.c.key_id, document.c.record_row, document.c.client_ref,
               document.c.provider, document.c.organiser)
        .where(document.c.state.in_(DONE), document.c.payload.is_not(None), document.c.settled_at <= limit)
        .order_by(document.c.sequence)
        .limit(BATCH)
    )  # fmt: skip
    return list(tx.execute(query).mappings())


def _records(tx: Connection, rows: list[int], now: str) -> None:
    """Records none of whose documents has content any more."""
    live = exists().where(document.c.record_row == record.c.id, document.c.payload.is_not(None))
    query = select(record.c.id, record.c.key_id, record.c.ticket).where(
        record.c.id.in_(rows),
        record.c.outcome.in_(SPENT),
        record.c.payload.is_not(None),
        ~live,
        record.c.state == SETTLED,  # one that waits for an earlier version on its way still needs its content
    )
    found = tx.execute(query).all()
    forgotten.note(tx, [Forgotten(forgotten.CONTENT, ticket, now, key_id) for _, key_id, ticket in found])
    tx.execute(update(record).where(record.c.id.in_([one[0] for one in found])).values(payload=None, digest=""))
