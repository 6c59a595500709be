"""Reads clients' statements of will from their records: every state that was delivered, with when it was known.

* A statement whose newest state a restored database has lost says nothing any more until it is delivered again;
  a prohibition that was lost prohibits everything until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from kanta_gateway import forgotten
from kanta_gateway.access.wills import DISCLOSURE, GUARDIAN, PROHIBITION, TYPES, Will
from kanta_gateway.database import lost_will, record
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Outcome
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.spool import moves, persons, records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.records import NewRecord, StoredRecord

REASON, GROUNDS = "reason", "refusal_grounds"
_LAST = 1 << 62
"""A row after all others."""
_NOT_STANDING = frozenset({None, Outcome.HELD, Outcome.REFUSED})


def wills_of(parts: Parts, tx: Connection, provider: str, purchaser: str, client_ref: str) -> list[Will]:
    """Every state of a person's statements of will, in whichever of the provider's registers they were stated.

    Args:
        parts: the built gateway.
        tx: a transaction.
        provider: OID of the provider.
        purchaser: name of the contract: the register that is asked about.
        client_ref: keyed reference of any of the person's clients.
    """
    clients = persons.group(tx, provider, purchaser, client_ref)
    own = (one for ref in clients for one in records.of_client(tx, provider, ref))
    found = [_will(parts, one, is_near=one.purchaser == purchaser) for one in own if one.type in TYPES]
    moved = (one for one in moves.elsewhere(tx, provider, purchaser, clients) if one.type in TYPES)
    lost = (one for ref in clients for one in _lost(parts, tx, provider, ref, found))
    return [*found, *(replace(_will(parts, one, is_near=True), is_gone=True) for one in moved), *lost]


def noted(parts: Parts, fresh: Iterable[NewRecord], provider: str, purchaser: str, now: str) -> Iterator[Forgotten]:
    """What the journal must know of new states of statements of will, so that no restore brings an older one back.

    Args:
        parts: the built gateway.
        fresh: new records.
        provider: OID of the provider.
        purchaser: name of the contract: whose register it is.
        now: the moment, as stored.
    """
    for one in fresh:
        if one.type in TYPES and one.client_ref is not None:
            yield Forgotten(forgotten.WILL, one.ticket, now, details={
                "provider": provider, "client": one.client_ref, "kind": one.type, "version": one.version,
                "name": parts.keyring.digest(_name(purchaser, one.type, one.id).encode()),
            })  # fmt: skip


def lose(tx: Connection, deed: Forgotten) -> bool:
    """Keep that a restored database has lost a state of a statement of will; whether it has."""
    told = deed.details
    if tx.execute(select(record.c.id).where(record.c.ticket == deed.subject)).first() is not None:
        return False
    tx.execute(insert(lost_will), {
        "ticket": deed.subject, "provider": told["provider"], "client_ref": told["client"], "kind": told["kind"],
        "name": told["name"], "version": told["version"], "at": deed.at,
    })  # fmt: skip
    return True


def _lost(parts: Parts, tx: Connection, provider: str, client: str, have: Sequence[Will]) -> Iterator[Will]:
    rows = tx.execute(
        select(lost_will).where(lost_will.c.client_ref == client, lost_will.c.provider == provider)
        .order_by(lost_will.c.version)
    ).all()  # fmt: skip
    in_order = sorted(have, key=lambda one: one.order) if rows else ()
    known = {parts.keyring.digest(one.name.encode()): one for one in in_order}
    for row in rows:
        newest = known.get(row.name)
        if newest is not None and newest.order[0] >= row.version:
            continue  # it has been delivered again
        gone = Will(
            kind=row.kind, name=newest.name if newest is not None else row.name, order=(row.version, _LAST),
            ticket=row.ticket, known_at=datetime.fromisoformat(row.at), facts={}, is_gone=True,
        )  # fmt: skip
        if row.kind != PROHIBITION:
            yield gone
            continue
        for against in (DISCLOSURE, GUARDIAN):  # it is not known which: until it comes again it is both
            yield replace(
                gone, name=f"{row.name}/{against}", facts={"set_at": row.at, "against": against}, is_gone=False
            )


def _name(purchaser: str, kind: str, id_: str) -> str:
    """What a statement is called: states of one have the same name."""
    return f"{purchaser}\0{kind}\0{id_}"


def _will(parts: Parts, one: StoredRecord, *, is_near: bool) -> Will:
    facts: Mapping[str, Any] = parts.keyring.open_facts(one.facts)["facts"]
    if "service_tasks" in facts:
        tasks = parts.disclosures.service_tasks
        facts = {**facts, "service_tasks": [tasks[word] for word in facts["service_tasks"]]}
    lacks = tuple(_lacking(parts, one, facts)) if facts.get("against") == GUARDIAN else ()
    if GROUNDS in lacks:
        facts = {**facts, "is_refused": False}  # refused without grounds is not refused
    return Will(
        kind=one.type, name=_name(one.purchaser, one.type, one.id), order=(one.version, one.row), ticket=one.ticket,
        known_at=datetime.fromisoformat(one.received_at), facts=facts, is_standing=one.outcome not in _NOT_STANDING,
        is_gone=one.is_cancelled, is_near=is_near, lacks=lacks,
    )  # fmt: skip


def _lacking(parts: Parts, one: StoredRecord, facts: Mapping[str, Any]) -> Iterator[str]:
    """What a minor's prohibition must tell and does not; nothing is known of it once the content is gone (§40)."""
    if one.payload is None or one.key_id is None:
        return
    content = opened(parts, one)
    for name in (REASON, GROUNDS) if facts.get("is_refused") else (REASON,):
        if not str(content.get(name) or "").strip():
            yield name


def names_of(parts: Parts, tx: Connection, provider: str, recipient: str) -> Iterator[str]:
    """Everything by which a provider's consents may call an organisation: its OID, and ids of records that tell it."""
    yield recipient
    for one in records.shared(tx, provider):
        if one.type in {"provider", "unit"} and parts.keyring.open_facts(one.facts)["facts"].get("oid") == recipient:
            yield one.id


def told(wills: Sequence[Will], at: datetime) -> list[dict[str, Any]]:
    """Every statement as it was known at a moment, for a person: newest state, in force or not, and what it names."""
    newest: dict[tuple[str, str], Will] = {}
    for one in sorted(wills, key=lambda one: one.order):
        if one.known_at <= at:
            newest[one.kind, one.name] = one
    return [
        {
            "type": one.kind, "ticket": one.ticket, "known_at": one.known_at.isoformat(), "in_force": one.holds(at),
            "stands": one.is_standing, "states": sum(one.name == other.name for other in wills),
            **{name: one.facts[name] for name in _TOLD if name in one.facts},
            **({"lacks": list(one.lacks)} if one.lacks else {}),
        }
        for one in newest.values()
    ]  # fmt: skip


_TOLD = (
    "given_on", "given_at", "set_on", "set_at", "withdrawn_on", "withdrawn_at", "starts_on", "ends_on", "sector",
    "kind", "against", "is_refused", "recipients", "controllers", "service_tasks", "documents", "parties",
)  # fmt: skip
