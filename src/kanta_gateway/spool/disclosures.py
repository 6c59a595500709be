"""The queue of disclosure notices to the national log register: durable, each once, tried until it is there.

* A notice is made in the transaction of the entry that tells of the disclosure, and leaves it only with a receipt.
* Its signed bytes are made once and kept: every attempt sends the same bytes under the same id; a repeat is harmless.
* A worker that dies leaves an expired lease; nothing is given up by the clock.
* A final no waits for somebody: `kanta-gateway disclosures retry` makes its bytes anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, or_, select, update

from kanta_gateway.model import instant
from kanta_gateway.tables import data_key, disclosure

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Notice(StrEnum):
    """Where a disclosure notice stands."""

    KEPT = "kept"
    """The register has it."""
    MOVED = "moved"
    """It was handed over with its controller's register; whoever took that in sends it."""
    QUEUED = "queued"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Stored:
    """One notice as it lies in the database."""

    sequence: int
    id: str
    event: str
    subject: str
    recipient: str
    client_ref: str | None
    provider: str
    controller: str
    state: Notice
    told: bytes | None
    payload: bytes | None
    key_id: int
    digest: str
    attempts: int
    token: str
    """Of the lease."""
    problem: Mapping[str, Any]
    made_at: str


_NAMES = ("sequence", "id", "event", "subject", "recipient", "client_ref", "provider", "controller", "state", "told",
          "payload", "key_id", "digest", "attempts", "lease_token", "problem", "made_at")  # fmt: skip
_STORED = select(*(disclosure.c[name] for name in _NAMES)).order_by(disclosure.c.sequence)
_OPEN = disclosure.c.state == Notice.QUEUED.value


def known(tx: Connection, event: str, subject: str, recipient: str) -> str | None:
    """Id of the newest notice about something that went to somebody."""
    query = (
        select(disclosure.c.id)
        .where(disclosure.c.subject == subject, disclosure.c.event == event, disclosure.c.recipient == recipient)
        .order_by(disclosure.c.sequence.desc())
        .limit(1)
    )
    return tx.execute(query).scalar()


def add(tx: Connection, values: Mapping[str, Any], key_id: int, now: datetime) -> None:
    """Store a notice that waits.

    Args:
        tx: the transaction of the entry.
        values: columns that say what it is.
        key_id: of what `told` was sealed with.
        now: the present moment.
    """
    tx.execute(data_key.insert(), {"id": key_id, "made_at": instant(now)})
    tx.execute(disclosure.insert(), {
        **values, "state": Notice.QUEUED.value, "key_id": key_id, "digest": "", "attempts": 0,
        "next_attempt_at": instant(now), "made_at": instant(now),
    })  # fmt: skip


def lease(tx: Connection, now: datetime, limit: int, lease_seconds: float) -> list[Stored]:
    """Take notices that are due; nobody else sends them until the lease ends."""
    moment, until = instant(now), instant(now + timedelta(seconds=lease_seconds))
    due = (
        select(disclosure.c.sequence)
        .where(
            _OPEN, disclosure.c.next_attempt_at <= moment,
            or_(disclosure.c.lease_until.is_(None), disclosure.c.lease_until < moment),
        )
        .order_by(disclosure.c.next_attempt_at, disclosure.c.sequence)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    found = [int(one) for one in tx.execute(due).scalars()]
    for sequence in found:
        taken = {"attempts": disclosure.c.attempts + 1, "lease_token": str(uuid.uuid4()), "lease_until": until}
        tx.execute(update(disclosure).where(disclosure.c.sequence == sequence).values(taken))
    return _read(tx, _STORED.where(disclosure.c.sequence.in_(found))) if found else []


def freeze(tx: Connection, one: Stored, sealed: bytes, digest: str) -> bool:
    """Keep the signed bytes of a leased notice; False if the lease was lost meanwhile."""
    values = {"payload": sealed, "digest": digest}
    return bool(tx.execute(update(disclosure).where(*_mine(one)).values(values)).rowcount)


def settle(
    tx: Connection, one: Stored, state: Notice, now: datetime, *, receipt: Mapping[str, Any] | None = None,
    problem: Mapping[str, Any] | None = None, next_attempt: datetime | None = None,
) -> bool:  # fmt: skip
    """End a lease with what came of it; False if the lease was lost meanwhile."""
    values: dict[str, Any] = {
        "state": state.value, "lease_token": None, "lease_until": None, "problem": _text(problem),
        "receipt": _text(receipt), "settled_at": None if state is Notice.QUEUED else instant(now),
        "next_attempt_at": instant(next_attempt or now),
    }  # fmt: skip
    return bool(tx.execute(update(disclosure).where(*_mine(one)).values(values)).rowcount)


def retry(tx: Connection, id_: str, now: datetime) -> bool:
    """Have a refused notice made and sent again; False if there is none of this id, or it has no content."""
    mine = (disclosure.c.id == id_, disclosure.c.state == Notice.REFUSED.value, disclosure.c.told.is_not(None))
    values = {
        "state": Notice.QUEUED.value, "payload": None, "digest": "", "settled_at": None, "attempts": 0,
        "next_attempt_at": instant(now),
    }  # fmt: skip
    return bool(tx.execute(update(disclosure).where(*mine).values(values)).rowcount)


def hand_over(tx: Connection, controller: str, now: datetime) -> None:
    """Send nothing of a controller from here any more."""
    mine = (disclosure.c.controller == controller, disclosure.c.state.in_([Notice.QUEUED.value, Notice.REFUSED.value]))
    values = {"state": Notice.MOVED.value, "lease_token": None, "lease_until": None, "settled_at": instant(now)}
    tx.execute(update(disclosure).where(*mine).values(values))


def get(tx: Connection, id_: str) -> Stored | None:
    """One notice."""
    return next(iter(_read(tx, _STORED.where(disclosure.c.id == id_))), None)


def listed(tx: Connection, state: str | None, after: int, limit: int) -> list[Stored]:
    """A page of notices, oldest first."""
    query = _STORED.where(disclosure.c.sequence > after).limit(limit)
    return _read(tx, query if state is None else query.where(disclosure.c.state == state))


def counts(tx: Connection) -> dict[str, int]:
    """How many notices stand in each state."""
    query = select(disclosure.c.state, func.count()).group_by(disclosure.c.state).order_by(disclosure.c.state)
    return {str(state): int(count) for state, count in tx.execute(query)}


def next_at(tx: Connection) -> str | None:
    """When the next notice may be sent, or its lease ends; None when none waits."""
    due = func.coalesce(disclosure.c.lease_until, disclosure.c.next_attempt_at)
    return tx.execute(select(func.min(due)).where(_OPEN)).scalar()


def spent(tx: Connection, limit: str, most: int) -> list[Stored]:
    """Notices that the register has had since a moment and that still have content."""
    query = _STORED.where(
        disclosure.c.state == Notice.KEPT.value, disclosure.c.told.is_not(None), disclosure.c.settled_at <= limit
    )
    return _read(tx, query.limit(most))


def digest_of(content: bytes) -> str:
    """What evidence names the bytes by."""
    return sha256(content).hexdigest()


def _mine(one: Stored) -> tuple[Any, ...]:
    return (disclosure.c.sequence == one.sequence, disclosure.c.lease_token == one.token)


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(dict(value)).decode()


def _read(tx: Connection, query: Any) -> list[Stored]:
    return [_from_row(row) for row in tx.execute(query)]


def _from_row(row: Sequence[Any]) -> Stored:
    values = dict(zip(_NAMES, row, strict=True))
    values["state"] = Notice(values["state"])
    values["token"] = values.pop("lease_token") or ""
    values["problem"] = orjson.loads(values["problem"] or "{}")
    return Stored(**values)
