"""What must stay forgotten: written with its deed, then carried to the journal that lies beside the keys.

* The deed and its note are one transaction; the key goes after it, so that what was rolled back is still readable.
* A deed whose key still stands is finished at the next start; a deed that a restored database has lost is done again.
* The mark says up to where the journal's deeds are in this database.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, delete, func, insert, select, update

from kanta_gateway.database import data_key, forgotten, forgotten_mark

if TYPE_CHECKING:
    from sqlalchemy import Connection

CONTENT, SYSTEM, STATEMENT, NAMES, OLDER = "content", "system", "statement", "names", "older-keys"
WILL, GRANT = "will", "grant"
"""Kinds: the key of some content, a calling system's right, the end of a statement about a party, names of the log,
and that an older key store was found; a client's statement of will, and the early end of a grant by break-glass."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Something that must not come back."""

    kind: str
    subject: str
    """What it was: a document, ticket, notice, system or statement. Never a person."""
    at: str
    key_id: int | None = None
    """Key that is destroyed with it."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What doing it again needs."""
    origin: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Tells the same deed from another one like it."""


_ADD, _WAITING = insert(forgotten), select(*forgotten.c).order_by(forgotten.c.id)
_ENDED = (
    update(data_key)
    .where(data_key.c.id == bindparam("key"), data_key.c.destroyed_at.is_(None))
    .values(destroyed_at=bindparam("moment"))
)


def note(tx: Connection, deeds: Iterable[Forgotten]) -> None:
    """Write down what is being forgotten, in the transaction that forgets it."""
    new = list(deeds)
    if not new:
        return
    tx.execute(_ADD, [
        {"kind": one.kind, "subject": one.subject, "at": one.at, "key_id": one.key_id, "origin": one.origin,
         "details": orjson.dumps(dict(one.details)).decode()}
        for one in new
    ])  # fmt: skip
    keys = [{"key": one.key_id, "moment": one.at} for one in new if one.key_id is not None]
    if keys:
        tx.execute(_ENDED, keys)


def waiting(tx: Connection) -> list[Forgotten]:
    """What the journal does not have yet."""
    return [
        Forgotten(row.kind, row.subject, row.at, row.key_id, orjson.loads(row.details), row.origin)
        for row in tx.execute(_WAITING)
    ]


def carried(tx: Connection, origins: Sequence[str], before: int, number: int) -> None:
    """The journal has these.

    Args:
        tx: the caller's transaction.
        origins: which.
        before: number of the journal's last entry before them; where the mark is behind that, it stays: what lies
            between is not known to be in this database.
        number: of the last one now.
    """
    tx.execute(delete(forgotten).where(forgotten.c.origin.in_(origins)))
    if before <= mark(tx):
        move_mark(tx, number)


def mark(tx: Connection) -> int:
    """Number of the newest entry of the journal whose deed is in this database; 0 at first."""
    return int(tx.execute(select(func.max(forgotten_mark.c.number))).scalar() or 0)


def move_mark(tx: Connection, number: int) -> None:
    """The deeds of the journal up to this number are in this database."""
    if not tx.execute(update(forgotten_mark).values(number=number).where(forgotten_mark.c.number < number)).rowcount:
        have = tx.execute(select(forgotten_mark.c.number)).first()
        if have is None:
            tx.execute(insert(forgotten_mark), {"id": 1, "number": number})
