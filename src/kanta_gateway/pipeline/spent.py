"""Content goes when it has done its work: keys of what was delivered are destroyed after the grace period.

* The archive has the document, the recipient its notice, the national log register its disclosure notice; the gateway
  keeps evidence and no content (GDPR 5(1)(e)).
* The record that a document was made of goes with the last of its documents, and what was replaced or cancelled before
  a document was made of it by itself; references (client, decision, staff) stay, since later records need them; what
  is held or refused stays until it is corrected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select

from kanta_gateway.model import Caller, Outcome, instant
from kanta_gateway.notices import store as notices
from kanta_gateway.pipeline.destroying import BATCH, DONE, Gone, controllers, destroy
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.spool import disclosures
from kanta_gateway.spool.records import SETTLED
from kanta_gateway.tables import disclosure, document, notice, record

if TYPE_CHECKING:
    from sqlalchemy import Connection

SPENT = (Outcome.ACCEPTED, Outcome.FLAGGED, Outcome.REPLACEMENT, Outcome.REPLACED, Outcome.CANCELLED,
         Outcome.CANCELLATION)  # fmt: skip
"""Outcomes after which nothing more is made of a record."""
OVERTAKEN = (Outcome.REPLACED, Outcome.CANCELLED, Outcome.CANCELLATION)
"""Outcomes after which nobody needs a record of which no document was made."""


def destroy_spent(parts: Parts, caller: Caller, grace_days: int) -> dict[str, int]:
    """Destroy one batch of each kind of what was delivered the grace period ago; how many of each.

    Args:
        parts: the built gateway.
        caller: who acts.
        grace_days: how long content stays readable after its receipt.
    """
    limit = instant(parts.now() - timedelta(days=grace_days))
    kinds: dict[str, Callable[[Connection, str], Iterator[Gone]]] = {
        "documents": _documents, "records": _overtaken, "notices": _notices,
        "disclosures": _disclosures,
    }  # fmt: skip
    counts = {}
    for name, find in kinds.items():
        with parts.database.transaction() as tx:
            gone = list(find(tx, limit))
            if gone:
                destroy(parts, tx, caller, gone, purpose="retention", basis="GDPR 5(1)(e)",
                        details={"grace_days": grace_days})  # fmt: skip
        counts[name] = sum(one.is_told for one in gone)
    return counts


def _documents(tx: Connection, limit: str) -> Iterator[Gone]:
    """Documents that the archive has, and the records none of whose documents is left."""
    query = (
        select(document.c.oid, document.c.key_id, document.c.record_row, document.c.client_ref,
               document.c.provider, document.c.organiser)
        .where(document.c.state.in_(DONE), document.c.payload.is_not(None), document.c.settled_at <= limit)
        .order_by(document.c.sequence)
        .limit(BATCH)
    )  # fmt: skip
    found = tx.execute(query).all()
    for one in found:
        yield Gone(document.name, one.oid, one.key_id, one.provider, one.organiser, one.client_ref)
    owners = {one.record_row: one.organiser for one in found}
    for row in _records(tx, sorted(owners), [one.oid for one in found]):
        yield Gone(record.name, row.ticket, row.key_id, row.provider, owners[row.id], is_told=False)


def _records(tx: Connection, rows: Sequence[int], going: Sequence[str]) -> Sequence[Any]:
    """Records that no document with content is made of but those that are going."""
    live = exists().where(
        document.c.record_row == record.c.id, document.c.payload.is_not(None), document.c.oid.not_in(going)
    )  # fmt: skip
    return tx.execute(
        select(record.c.id, record.c.key_id, record.c.ticket, record.c.provider).where(
            record.c.id.in_(rows),
            record.c.outcome.in_(SPENT),
            record.c.payload.is_not(None),
            ~live,
            record.c.state == SETTLED,  # one that waits for an earlier version on its way still needs its content
        )
    ).all()


def _overtaken(tx: Connection, limit: str) -> Iterator[Gone]:
    """Records that were replaced or cancelled before any document was made of them."""
    c, owners = record.c, controllers(tx)
    query = (
        select(c.ticket, c.key_id, c.provider, c.purchaser, c.client_ref)
        .where(
            c.outcome.in_(OVERTAKEN), c.payload.is_not(None), c.state == SETTLED, c.settled_at <= limit,
            ~exists().where(document.c.record_row == c.id),
        )
        .order_by(c.id)
        .limit(BATCH)
    )  # fmt: skip
    for row in tx.execute(query):
        owner = owners.get((row.provider, row.purchaser), row.provider)
        yield Gone(record.name, row.ticket, row.key_id, row.provider, owner, row.client_ref)


def _notices(tx: Connection, limit: str) -> Iterator[Gone]:
    """Notices that were handed over."""
    for one in notices.spent(tx, limit, BATCH):
        yield Gone(notice.name, one.id, one.key_id, one.provider, one.organiser, one.told_client, {"notice": one.type})


def _disclosures(tx: Connection, limit: str) -> Iterator[Gone]:
    """Disclosure notices that the national log register has."""
    for one in disclosures.spent(tx, limit, BATCH):
        yield Gone(
            disclosure.name, one.id, one.key_id, one.provider, one.controller, one.client_ref, {"disclosure": one.event}
        )
