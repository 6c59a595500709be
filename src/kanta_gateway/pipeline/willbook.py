"""Reads clients' statements of will from their records: every state that was delivered, with when it was known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.wills import GUARDIAN, TYPES, Will
from kanta_gateway.model import Outcome
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.spool import moves, persons, records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.records import StoredRecord

REASON, GROUNDS = "reason", "refusal_grounds"
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
    return [*found, *(replace(_will(parts, one, is_near=True), is_gone=True) for one in moved)]


def _will(parts: Parts, one: StoredRecord, *, is_near: bool) -> Will:
    facts: Mapping[str, Any] = parts.keyring.open_facts(one.facts)["facts"]
    if "service_tasks" in facts:
        tasks = parts.disclosures.service_tasks
        facts = {**facts, "service_tasks": [tasks[word] for word in facts["service_tasks"]]}
    lacks = tuple(_lacking(parts, one, facts)) if facts.get("against") == GUARDIAN else ()
    if GROUNDS in lacks:
        facts = {**facts, "is_refused": False}  # refused without grounds is not refused
    return Will(
        kind=one.type, name=f"{one.purchaser}\0{one.type}\0{one.id}", order=(one.version, one.row), ticket=one.ticket,
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
