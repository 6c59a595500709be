"""Requests in the database: who asks and why is sealed with a key of its own; what a clock needs is plain.

* The caller's transaction is used throughout; a state changes only as `MOVES` allows.
* Once the key is destroyed the row tells that there was a request, until when it was due and how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from kanta_gateway import forgotten
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import instant
from kanta_gateway.tables import client_request, data_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row


class RequestState(StrEnum):
    """How far a request is."""

    ANSWERED = "answered"
    DECIDED = "decided"
    EXPLAINED = "explained"
    """Those whose use it was have told its grounds."""
    FORWARDED = "forwarded"
    """The controller has it."""
    HANDED = "handed"
    """It was handed over with the controller's whole register; whoever took that in answers it."""
    REGISTERED = "registered"


MOVES: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.REGISTERED: frozenset({RequestState.FORWARDED, RequestState.EXPLAINED, RequestState.DECIDED}),
    RequestState.FORWARDED: frozenset({RequestState.DECIDED}),
    RequestState.EXPLAINED: frozenset({RequestState.EXPLAINED, RequestState.DECIDED}),
    RequestState.DECIDED: frozenset({RequestState.ANSWERED}),
    RequestState.ANSWERED: frozenset(),
    RequestState.HANDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request on its way into the database."""

    id: str
    kind: str
    provider: str
    organiser: str
    purchaser: str
    client_ref: str
    asker: str
    received_on: str
    due_on: str
    repeats: str
    """Id of an earlier answered request for the same; empty for a first one."""
    since: str
    """First moment that it asks about; empty: from the beginning."""
    until: str
    """Moment behind the last one; empty: until it is answered."""
    key_id: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One request as it lies in the database."""

    sequence: int
    id: str
    kind: str
    provider: str
    organiser: str
    purchaser: str
    client_ref: str
    asker: str
    state: RequestState
    received_on: str
    due_on: str
    repeats: str
    since: str
    until: str
    outcome: str
    ground: str
    registered_at: str
    decided_at: str | None
    answered_at: str | None
    key_id: int
    sealed: bytes | None
    """None once destroyed."""


_NAMES = tuple(one.name for one in fields(StoredRequest))
_NEW = tuple(one.name for one in fields(NewRequest))
_ALL = select(*(client_request.c[name] for name in _NAMES)).order_by(client_request.c.sequence)


def add(tx: Connection, new: NewRequest, now: datetime) -> None:
    """Store a request with the id of its key."""
    tx.execute(data_key.insert(), {"id": new.key_id, "made_at": instant(now)})
    told = {name: getattr(new, name) for name in _NEW}
    tx.execute(client_request.insert(), told | {
        "state": RequestState.REGISTERED.value, "outcome": "", "ground": "", "registered_at": instant(now),
    })  # fmt: skip


def owner(tx: Connection, request_id: str) -> Row[Any, Any, Any, Any] | None:
    """Whose a request is: provider, organiser, purchaser and client; nothing of it is opened."""
    c = client_request.c
    return tx.execute(select(c.provider, c.organiser, c.purchaser, c.client_ref).where(c.id == request_id)).first()


def get(tx: Connection, request_id: str) -> StoredRequest | None:
    """One request, if there is any."""
    row = tx.execute(_ALL.where(client_request.c.id == request_id)).first()
    return None if row is None else _from_row(row)


def listed(
    tx: Connection, *, provider: str | None = None, organiser: str | None = None, after: int = 0,
    limit: int | None = None,
) -> list[StoredRequest]:  # fmt: skip
    """Requests in the order in which they were registered.

    Args:
        tx: a reading transaction.
        provider: whose clients'; None for all.
        organiser: in whose register; None for all.
        after: sequence of the last one seen.
        limit: how many; None for all.
    """
    c = client_request.c
    query = _ALL.where(c.sequence > after)
    query = query if provider is None else query.where(c.provider == provider)
    query = query if organiser is None else query.where(c.organiser == organiser)
    return [_from_row(row) for row in tx.execute(query if limit is None else query.limit(limit))]


def of_client(tx: Connection, provider: str, purchaser: str, clients: Sequence[str]) -> list[StoredRequest]:
    """The requests of one person in one register."""
    c = client_request.c
    query = _ALL.where(c.provider == provider, c.purchaser == purchaser, c.client_ref.in_(list(clients)))
    return [_from_row(row) for row in tx.execute(query)]


def change(tx: Connection, old: StoredRequest, state: RequestState, sealed: bytes, **told: Any) -> None:
    """Bring a request further.

    Args:
        tx: the caller's transaction.
        old: as it was.
        state: as it is now.
        sealed: who asks and what has been said, anew.
        told: other columns.

    Raises:
        ConflictError: it cannot come there from where it is.
    """
    if state is not old.state and state not in MOVES[old.state]:
        raise ConflictError(f"the request is {old.state.value}; it cannot become {state.value} now")
    tx.execute(
        update(client_request)
        .where(client_request.c.sequence == old.sequence)
        .values(state=state.value, sealed=sealed, **told)
    )


def destroy(tx: Connection, before: datetime, now: datetime) -> list[StoredRequest]:
    """Destroy what was said in requests that were answered before a moment; gives them."""
    c = client_request.c
    found = [
        _from_row(row) for row in tx.execute(_ALL.where(c.answered_at < instant(before), c.sealed.is_not(None)))
    ]  # fmt: skip
    forgotten.destroy(tx, client_request.name, [(one.id, one.key_id) for one in found], instant(now))
    return found


def hand_over(tx: Connection, organiser: str) -> None:
    """Answer nothing of a controller from here any more."""
    c = client_request.c
    mine = (c.organiser == organiser, c.answered_at.is_(None))
    tx.execute(update(client_request).where(*mine).values(state=RequestState.HANDED.value))


def _from_row(row: Any) -> StoredRequest:
    values = dict(zip(_NAMES, row, strict=True))
    return StoredRequest(**values | {"state": RequestState(values["state"])})
