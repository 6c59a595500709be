"""Requests of clients, as claims on the log: registered, decided, answered and destroyed only with an entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from kanta_gateway.audit.reconcile import Claim, Known
from kanta_gateway.model import Event
from kanta_gateway.tables import client_request

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

TABLE = "client_request"

REQUESTS = select(
    client_request.c.id, client_request.c.kind, client_request.c.outcome, client_request.c.registered_at,
    client_request.c.decided_at, client_request.c.answered_at, client_request.c.sealed.is_(None).label("gone"),
    client_request.c.key_id,
).order_by(client_request.c.sequence)  # fmt: skip


def requests(tx: Connection) -> list[RowMapping]:
    """What the table tells of every request."""
    return list(tx.execute(REQUESTS).mappings())


def claims(rows: Iterable[Mapping[str, Any]]) -> Iterator[Claim]:
    """What must have its entry."""
    for row in rows:
        id_, decided, answered = row["id"], row["decided_at"], row["answered_at"]
        yield Claim(TABLE, id_, Event.RIGHT_REGISTER, id_, {"kind": row["kind"]}, row["registered_at"])
        if decided is not None:
            yield Claim(TABLE, id_, Event.RIGHT_DECIDE, id_, {"outcome": row["outcome"]}, decided)
        if answered is not None:
            yield Claim(TABLE, id_, Event.RIGHT_ANSWER, id_, {"outcome": row["outcome"]}, answered)
        if row["gone"] or row["keyless"]:
            yield Claim(TABLE, id_, Event.RIGHT_DESTROY, id_, since=answered or "")


def known(rows: Iterable[Mapping[str, Any]]) -> Known:
    """What entries may tell of."""
    every = list(rows)
    return {
        Event.RIGHT_REGISTER.value: {row["id"]: True for row in every},
        Event.RIGHT_DECIDE.value: {row["id"]: row["decided_at"] is not None for row in every},
        Event.RIGHT_ANSWER.value: {row["id"]: row["answered_at"] is not None for row in every},
        Event.RIGHT_DESTROY.value: {row["id"]: bool(row["gone"] and row["keyless"]) for row in every},
    }
