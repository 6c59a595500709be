"""Reads clients' statements of will from their records: every state that was delivered, with when it was known.

* The register is the controller's: what any of its producers recorded counts, and what its own official wrote down.
* A statement whose newest state a restored database has lost says nothing any more until it is delivered again;
  a prohibition that was lost prohibits everything until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select

from kanta_gateway import forgotten
from kanta_gateway.access.wills import CONSENT, CONTROLLER, DISCLOSURE, GUARDIAN, PROHIBITION, TYPES, Will
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import Outcome
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.spool import identities, moves, persons, records
from kanta_gateway.tables import lost_will, record

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.records import NewRecord, StoredRecord

REASON, GROUNDS = "reason", "refusal_grounds"
_LAST = 1 << 62
"""A row after all others."""
_LOST = (
    select(lost_will)
    .where(lost_will.c.client_ref == bindparam("client"), lost_will.c.provider == bindparam("provider"))
    .order_by(lost_will.c.version)
)
_Stated = tuple["StoredRecord", Will]
"""A record, and the state of a statement that it holds."""
_NOT_STANDING = frozenset({None, Outcome.HELD, Outcome.REFUSED})


def wills_of(parts: Parts, tx: Connection, provider: str, purchaser: str, client_ref: str) -> list[Will]:
    """Every state of a person's statements of will, wherever in the controller's register they were stated.

    That is in whichever of the provider's registers, and at whichever other provider of the same controller.

    Args:
        parts: the built gateway.
        tx: a transaction.
        provider: OID of the provider.
        purchaser: name of the contract: the register that is asked about.
        client_ref: keyed reference of any of the person's clients.
    """
    own = persons.group(tx, provider, purchaser, client_ref)
    same = identities.places(tx, provider, purchaser, own)
    near = frozenset((purchaser, *(one.purchaser for one in same if one.provider == provider)))
    mine = [one for ref in own for one in records.of_client(tx, provider, ref)]
    found = [*_stated(parts, tx, provider, mine, near), *_elsewhere(parts, tx, provider, purchaser, own)]
    seen = {(provider, ref) for ref in own}
    for one in same:
        clients = [ref for ref in persons.group(tx, one.provider, one.purchaser, one.client_ref)
                   if (one.provider, ref) not in seen]  # fmt: skip
        seen |= {(one.provider, ref) for ref in clients}
        theirs = records.of_file(tx, one.provider, one.purchaser, clients)
        found += _stated(parts, tx, one.provider, theirs, {one.purchaser})
        found += _elsewhere(parts, tx, one.provider, one.purchaser, clients)
    lost = (one for place in sorted(seen) for one in _lost(parts, tx, *place, found))
    return [one for _, one in found] + list(lost)


def _stated(
    parts: Parts, tx: Connection, provider: str, of_client: Iterable[StoredRecord], near: Collection[str]
) -> list[_Stated]:
    """Statements among a client's records; whom consents name is read from the provider's own records."""
    rows = [one for one in of_client if one.type in TYPES]
    names = _names(parts, tx, provider) if any(one.type == CONSENT for one in rows) else {}
    return [(one, _will(parts, one, names, is_near=one.purchaser in near)) for one in rows]


def _elsewhere(parts: Parts, tx: Connection, provider: str, purchaser: str, clients: Sequence[str]) -> list[_Stated]:
    """What was said of these clients once, and is said of somebody else since."""
    rows = (one for one in moves.elsewhere(tx, provider, purchaser, clients) if one.type in TYPES)
    return [(one, replace(_will(parts, one, {}, is_near=True), is_gone=True)) for one in rows]


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


def _lost(parts: Parts, tx: Connection, provider: str, client: str, have: Sequence[_Stated]) -> Iterator[Will]:
    rows = tx.execute(_LOST, {"client": client, "provider": provider}).all()
    if not rows:
        return
    in_order = sorted((one for one in have if one[0].provider == provider), key=lambda one: one[1].order)
    known = {parts.keyring.digest(_name(of.purchaser, of.type, of.id).encode()): one for of, one in in_order}
    for row in rows:
        newest = known.get(row.name)
        if newest is not None and newest.order[0] >= row.version:
            continue  # it has been delivered again
        gone = Will(
            kind=row.kind, name=newest.name if newest is not None else row.name, order=(row.version, _LAST),
            ticket=row.ticket, known_at=datetime.fromisoformat(row.at), facts={}, is_gone=True, stated_at=provider,
        )  # fmt: skip
        if row.kind != PROHIBITION:
            yield gone
            continue
        for against in (DISCLOSURE, GUARDIAN):  # it is not known which: until it comes again it is both
            yield replace(
                gone, name=f"{row.name}/{against}", facts={"set_at": row.at, "against": against}, is_gone=False
            )


def _name(purchaser: str, kind: str, id_: str) -> str:
    """What a statement is called among those of one provider."""
    return f"{purchaser}\0{kind}\0{id_}"


def _will(parts: Parts, one: StoredRecord, names: Mapping[str, str], *, is_near: bool) -> Will:
    facts: Mapping[str, Any] = parts.keyring.open_facts(one.facts)["facts"]
    if "service_tasks" in facts:
        tasks = parts.disclosures.service_tasks
        facts = {**facts, "service_tasks": [tasks[word] for word in facts["service_tasks"]]}
    if "parties" in facts:
        called = [{"id": names[party["id"]]} for party in facts["parties"] if party["id"] in names]
        facts = {**facts, "parties": [*facts["parties"], *called]}
    lacks = tuple(_lacking(parts, one, facts)) if facts.get("against") == GUARDIAN else ()
    if GROUNDS in lacks:
        facts = {**facts, "is_refused": False}  # refused without grounds is not refused
    stated_at = CONTROLLER if one.source == CONTROLLER else one.provider
    # what was stated to the controller has one name in all providers' records, and no provider's can take its place
    whose = CONTROLLER if one.source == CONTROLLER else f"{one.provider}\0{one.purchaser}"
    return Will(
        kind=one.type, name=_name(whose, one.type, one.id), order=(one.version, one.row), ticket=one.ticket,
        known_at=datetime.fromisoformat(one.received_at), facts=facts, is_standing=one.outcome not in _NOT_STANDING,
        is_gone=one.is_cancelled, is_near=is_near, stated_at=stated_at, lacks=lacks,
    )  # fmt: skip


def _names(parts: Parts, tx: Connection, provider: str) -> dict[str, str]:
    """Id of a provider's record about an organisation or a unit -> the OID that it tells."""
    told = ((one.id, parts.keyring.open_facts(one.facts)["facts"].get("oid"))
            for one in records.shared(tx, provider) if one.type in {"provider", "unit"})  # fmt: skip
    return {name: str(oid) for name, oid in told if oid}


def _lacking(parts: Parts, one: StoredRecord, facts: Mapping[str, Any]) -> Iterator[str]:
    """What a minor's prohibition must tell and does not; nothing is known of it once the content is gone (§40)."""
    if one.payload is None or one.key_id is None:
        return
    content = opened(parts, one)
    for name in (REASON, GROUNDS) if facts.get("is_refused") else (REASON,):
        if not str(content.get(name) or "").strip():
            yield name


def told(wills: Sequence[Will], at: datetime) -> list[dict[str, Any]]:
    """Every statement as it was known at a moment, for a person: newest state, in force or not, and what it names."""
    newest: dict[tuple[str, str], Will] = {}
    for one in sorted(wills, key=lambda one: one.order):
        if one.known_at <= at:
            newest[one.kind, one.name] = one
    return [
        {
            "type": one.kind, "ticket": one.ticket, "known_at": one.known_at.isoformat(), "in_force": one.holds(at),
            "stands": one.is_standing, "stated_at": one.stated_at,
            "states": len({other.order[0] for other in wills if one.name == other.name}),
            **{name: one.facts[name] for name in _TOLD if name in one.facts},
            **({"lacks": list(one.lacks)} if one.lacks else {}),
        }
        for one in newest.values()
    ]  # fmt: skip


_TOLD = (
    "given_on", "given_at", "set_on", "set_at", "withdrawn_on", "withdrawn_at", "starts_on", "ends_on", "sector",
    "kind", "against", "is_refused", "recipients", "controllers", "service_tasks", "documents", "parties",
)  # fmt: skip
