"""Idempotency keys: a call that is repeated with its key gives the ticket of the first one.

* A key is bound to what was sent with it; with other content it is refused.
* What was sent is known by a digest under the record's own key: once that is destroyed, the key alone answers.
* Keys are stored hashed, since their form is the caller's; one system's keys never meet another's.
* A call that died before its ticket was bound is simply done again: the record's own sameness answers then.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from kanta_gateway.errors import ConflictError
from kanta_gateway.model import Caller, Event, instant
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.receive import Delivery
from kanta_gateway.pipeline.sameness import mark
from kanta_gateway.tables import idempotency, record

if TYPE_CHECKING:
    from sqlalchemy import Connection


def remember(parts: Parts, caller: Caller, key: str, content: bytes) -> str:
    """Bind a key to what is sent with it; gives the ticket of an earlier call, or an empty text.

    Args:
        parts: the built gateway.
        caller: who sends.
        key: the key.
        content: plain digest of what is sent, which is never stored.

    Raises:
        ConflictError: the key came with another content before.
    """
    who = _key(caller, key)
    query = select(idempotency.c.digest, idempotency.c.ticket).where(
        idempotency.c.caller == who["caller"], idempotency.c.key == who["key"]
    )
    with parts.database.alone() as tx:  # two first calls at once: the second one finds the first
        known = tx.execute(query).first()
        if known is None:
            digest = parts.keyring.digest(content)  # until there is a record, whose key then takes its place
            tx.execute(idempotency.insert(), {**who, "digest": digest, "ticket": "", "made_at": instant(parts.now())})
            return ""
        digest = _digest(parts, tx, known.ticket, content) if known.ticket else parts.keyring.digest(content)
    if known.digest and digest and known.digest != digest:
        raise ConflictError("the idempotency key was used with another content before; use a new key")
    return str(known.ticket)


def note(parts: Parts, office: Office, caller: Caller, ticket: str, client_ref: str | None, delivery: Delivery) -> None:
    """Write down that a record was delivered again under its key: the answer tells of the record once more.

    Args:
        parts: the built gateway.
        office: makes the entry.
        caller: who delivers.
        ticket: of the first call.
        client_ref: the record's client.
        delivery: whose it is.
    """
    with parts.database.transaction() as tx:
        office.note(tx, [office.event(
            caller, Event.RECORD_SUBMIT, subject=ticket, provider=delivery.provider, controller=delivery.controller,
            client_ref=client_ref, details={"duplicate": True, "delivery": "", "source": delivery.source},
        )])  # fmt: skip


def bind(parts: Parts, caller: Caller, key: str, ticket: str, content: bytes) -> None:
    """Remember the ticket that a call with a key was given.

    Args:
        parts: the built gateway.
        caller: who sends.
        key: the key.
        ticket: of the record.
        content: plain digest of what was sent.
    """
    who = _key(caller, key)
    with parts.database.transaction() as tx:
        tx.execute(
            update(idempotency)
            .where(idempotency.c.caller == who["caller"], idempotency.c.key == who["key"])
            .values(ticket=ticket, digest=_digest(parts, tx, ticket, content))
        )


def _digest(parts: Parts, tx: Connection, ticket: str, content: bytes) -> str:
    """The digest under the key of the ticket's record; empty once that is destroyed."""
    key_id = tx.execute(select(record.c.key_id).where(record.c.ticket == ticket)).scalar()
    key = parts.vault.keys([key_id]).get(key_id) if key_id is not None else None
    return "" if key is None else mark(key, b"request\0" + content)


def _key(caller: Caller, key: str) -> dict[str, str]:
    who = f"{caller.organisation}\0{caller.system}"
    return {"caller": sha256(who.encode()).hexdigest(), "key": sha256(key.encode()).hexdigest()}
