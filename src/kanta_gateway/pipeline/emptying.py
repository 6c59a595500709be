"""Everything of one controller is destroyed here, whatever its age: after it was handed over, on instruction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_, update

from kanta_gateway import forgotten
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.database import document, record
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Caller, Event, Oid, instant
from kanta_gateway.notices import store as notices
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.retain import BATCH
from kanta_gateway.spool.registers import Pair

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping


def destroy_handed(
    parts: Parts, caller: Caller, controller: str, pairs: Collection[Pair], *, basis: str, details: Mapping[str, Any]
) -> dict[str, int]:
    """Destroy the content of everything of one controller, whatever its age; how much of each kind there was.

    Tickets, states, receipts and digests of documents stay as evidence.

    Args:
        parts: the built gateway.
        caller: who acts.
        controller: OID of the controller.
        pairs: its registers.
        basis: the provision.
        details: for the entries: the package and the instruction.
    """
    counts = {"documents": 0, "notices": 0, "records": 0}
    while found := _handed_batch(parts, caller, controller, pairs, basis, details):
        for name, count in found.items():
            counts[name] += count
    return counts


def _handed_batch(
    parts: Parts, caller: Caller, controller: str, pairs: Collection[Pair], basis: str, details: Mapping[str, Any]
) -> dict[str, int]:
    """Destroy one batch of each kind; empty when nothing is left."""
    now = parts.now()
    common: dict[str, Any] = {"event": Event.DOCUMENT_DESTROY_KEY, "caller": caller, "at": now, "basis": basis,
                              "controller": controller, "purpose": "handover"}  # fmt: skip
    with parts.database.transaction() as tx:
        spent = _of_controller(tx, controller)
        told = notices.with_content(tx, controller, BATCH)
        kept = _of_registers(tx, pairs)
        gone = [*((one["oid"], one["key_id"]) for one in spent), *((one["ticket"], one["key_id"]) for one in kept)]
        forgotten.note(tx, [Forgotten(forgotten.CONTENT, str(name), instant(now), key) for name, key in gone])
        oids = [str(one["oid"]) for one in spent]
        tx.execute(update(document).where(document.c.oid.in_(oids)).values(payload=None))
        notices.destroy(tx, told, now)
        nothing = parts.keyring.seal_facts({"facts": {}, "reading": []})
        rows = [int(one["id"]) for one in kept]
        tx.execute(update(record).where(record.c.id.in_(rows)).values(payload=None, digest="", facts=nothing))
        parts.log.append(tx, [
            *(AuditEvent(client_ref=one["client_ref"], subject=one["oid"], provider=Oid(one["provider"]),
                         details=details, **common) for one in spent),
            *(AuditEvent(client_ref=None, subject=one["ticket"], provider=Oid(one["provider"]),
                         details=details, **common) for one in kept),
            *(AuditEvent(client_ref=one.told_client, subject=one.id, provider=Oid(one.provider),
                         details={**details, "notice": one.type}, **common) for one in told),
        ])  # fmt: skip
    found = {"documents": len(spent), "notices": len(told), "records": len(kept)}
    return found if any(found.values()) else {}


def _of_controller(tx: Connection, controller: str) -> list[RowMapping]:
    columns = (document.c.oid, document.c.key_id, document.c.client_ref, document.c.provider)
    query = select(*columns).where(document.c.organiser == controller, document.c.payload.is_not(None))
    return list(tx.execute(query.order_by(document.c.sequence).limit(BATCH)).mappings())


def _of_registers(tx: Connection, pairs: Collection[Pair]) -> list[RowMapping]:
    own = tuple_(record.c.provider, record.c.purchaser).in_(sorted(pairs))
    columns = (record.c.id, record.c.ticket, record.c.key_id, record.c.provider)
    query = select(*columns).where(own, record.c.payload.is_not(None))
    return list(tx.execute(query.order_by(record.c.id).limit(BATCH)).mappings())
