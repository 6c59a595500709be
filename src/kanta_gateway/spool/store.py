"""Documents in the database: put, lease, settle, withdraw, list.

* A lease is a token with an end. Only its holder settles; a late answer changes nothing and is told.
* A version is not leased while an earlier version of its set is open.
* A lease that ended while sending leaves the document *unknown*: the archive is asked before a repeat.
* PostgreSQL skips rows that another worker has locked; SQLite has one writer at a time.
* The caller's transaction is used throughout; the states are those of `states`.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, bindparam, exists, func, or_, select, update

from kanta_gateway.errors import ConflictError
from kanta_gateway.model import Oid, Sha256Hex, instant
from kanta_gateway.spool.states import DELIVERED, OPEN, WORK, State, is_allowed
from kanta_gateway.tables import data_key, document, record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

PARAMETERS = 500
"""Values in one `IN`: SQLite allows a limited number of parameters."""


CONTENT_DESTROYED = "content-destroyed"
"""Problem of an archived document whose invalidation cannot be asked for, since its content is gone."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A signed and sealed document on its way into the spool."""

    oid: Oid
    set_oid: Oid
    version_number: int
    replaces: Oid | None
    record_row: int
    part: str
    structure: Oid
    client_ref: str
    provider: Oid
    organiser: Oid
    payload: bytes
    key_id: int
    digest: Sha256Hex
    inputs: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """One document as it lies in the spool."""

    sequence: int
    oid: Oid
    set_oid: Oid
    version_number: int
    replaces: Oid | None
    record_row: int
    part: str
    structure: Oid
    client_ref: str
    provider: Oid
    organiser: Oid
    state: State
    key_id: int
    digest: Sha256Hex
    inputs: str
    attempts: int
    next_attempt_at: str
    problem: Mapping[str, Any] | None
    receipt: Mapping[str, Any] | None
    made_at: str
    settled_at: str | None
    payload: bytes | None = None
    """Only where it is said that it is read; lists leave it where it lies."""

    @property
    def guard(self) -> str:
        """What masking depended on when it was made."""
        return str(orjson.loads(self.inputs).get("guard", ""))

    @property
    def is_beyond_reach(self) -> bool:
        """Whether its invalidation was tried and cannot be asked for, since its content is gone."""
        return (self.problem or {}).get("kind") == CONTENT_DESTROYED

    @property
    def whose(self) -> str:
        """Mark of the identity that it is filed under; empty where none was kept."""
        return str(orjson.loads(self.inputs).get("whose", ""))


@dataclass(frozen=True, slots=True)
class Leased:
    """A document that one worker may work on until the lease ends."""

    document: StoredDocument
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not settled yet, for the worker's decision to wait or to return."""

    open: int
    next_at: datetime | None
    """When the next document becomes due or its lease ends."""


_NAMES = tuple(one.name for one in fields(StoredDocument))
_PLAIN = [document.c[name] for name in _NAMES if name != "payload"]
_FULL = [*_PLAIN, document.c.payload]
_NEW = tuple(one.name for one in fields(NewDocument))
_STATE, _PROBLEM, _RECEIPT = (_NAMES.index(name) for name in ("state", "problem", "receipt"))
_earlier = document.alias("earlier")

_EXPIRE = (
    update(document)
    .where(document.c.state == State.SENDING.value, document.c.lease_until < bindparam("moment"))
    .values(state=State.UNKNOWN.value, lease_token=None, lease_until=None, next_attempt_at=bindparam("moment"))
)
_IS_BLOCKED = exists().where(
    _earlier.c.set_oid == document.c.set_oid,
    _earlier.c.version_number < document.c.version_number,
    _earlier.c.state.in_([state.value for state in sorted(OPEN)]),
)
_DUE = (
    select(document.c.sequence)
    .where(
        document.c.state == bindparam("in_state"),
        document.c.next_attempt_at <= bindparam("moment"),
        or_(document.c.lease_until.is_(None), document.c.lease_until < bindparam("moment")),
        ~_IS_BLOCKED,
    )
    .order_by(document.c.next_attempt_at, document.c.sequence)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=document)
)
_MARK = (
    update(document)
    .where(document.c.sequence == bindparam("row"))
    .values(state=bindparam("to_state"), lease_token=bindparam("token"), lease_until=bindparam("until"),
            attempts=document.c.attempts + 1)
)  # fmt: skip
_SETTLE = (
    update(document)
    .where(document.c.sequence == bindparam("row"), document.c.lease_token == bindparam("token"))
    .values(state=bindparam("to_state"), lease_token=None, lease_until=None, next_attempt_at=bindparam("due"),
            receipt=func.coalesce(bindparam("answer"), document.c.receipt), problem=bindparam("trouble"),
            settled_at=bindparam("done"))
)  # fmt: skip
_CHANGE = (
    update(document)
    .where(document.c.oid == bindparam("which"), document.c.state == bindparam("from_state"))
    .values(state=bindparam("to_state"), next_attempt_at=bindparam("moment"), attempts=0,
            settled_at=bindparam("done"))
)  # fmt: skip


_ADD_KEYS = data_key.insert()
_ADD = document.insert()
_OF_CLIENT = select(*_PLAIN).where(document.c.client_ref == bindparam("client")).order_by(document.c.sequence)
_OF_RECORDS = (
    select(*_PLAIN).where(document.c.record_row.in_(bindparam("rows", expanding=True))).order_by(document.c.sequence)
)
_LEASED = select(*_FULL).where(document.c.sequence.in_(bindparam("rows", expanding=True))).order_by(document.c.sequence)


def put(tx: Connection, new: Sequence[NewDocument], now: datetime) -> None:
    """Store signed documents with their keys; they are due at once."""
    if not new:
        return
    moment = instant(now)
    tx.execute(_ADD_KEYS, [{"id": one.key_id, "made_at": moment} for one in new])
    common = {"state": State.QUEUED.value, "attempts": 0, "next_attempt_at": moment, "made_at": moment}
    tx.execute(
        _ADD,
        [{name: getattr(one, name) for name in _NEW} | common for one in new],
    )


def lease(tx: Connection, now: datetime, limit: int, lease_seconds: float) -> list[Leased]:
    """Take documents that are due; nobody else gets them until the lease ends.

    The state tells what to do: `sending` (send it), `unknown` (ask first), `invalidating`.

    Args:
        tx: the caller's transaction; commit it before acting.
        now: the present moment.
        limit: at most so many.
        lease_seconds: how long; longer than one answer of the archive can take, times the batch.
    """
    moment, until = instant(now), now + timedelta(seconds=lease_seconds)
    tx.execute(_EXPIRE, {"moment": moment})
    tokens: dict[int, str] = {}
    for state in WORK:
        asked = {"in_state": state.value, "moment": moment, "most": limit - len(tokens)}
        after = State.SENDING if state is State.QUEUED else state
        marks = [
            {"row": row, "to_state": after.value, "token": str(uuid.uuid4()), "until": instant(until)}
            for row in (tx.execute(_DUE, asked).scalars() if asked["most"] else ())
        ]
        if marks:
            tx.execute(_MARK, marks)
            tokens |= {mark["row"]: mark["token"] for mark in marks}
    if not tokens:
        return []
    rows = tx.execute(_LEASED, {"rows": list(tokens)})
    return [Leased(_from_row(row), tokens[row.sequence], until) for row in rows]


def settle(
    tx: Connection,
    leased: Leased,
    state: State,
    now: datetime,
    *,
    receipt: Mapping[str, Any] | None = None,
    problem: Mapping[str, Any] | None = None,
    next_attempt: datetime | None = None,
) -> bool:
    """End a lease with what came of it; False if the lease was lost meanwhile, then nothing changed.

    Args:
        tx: the caller's transaction.
        leased: what was worked on.
        state: where the document stands now.
        now: the present moment.
        receipt: the archive's answer as evidence; an earlier one stays if None.
        problem: what went wrong, without personal values.
        next_attempt: when to try again; at once if None.

    Raises:
        ConflictError: the states do not allow this change.
    """
    before = leased.document.state
    if not is_allowed(before, state):
        raise ConflictError(f"a document cannot go from {before.value} to {state.value}; see docs/states.md")
    return bool(tx.execute(_SETTLE, {
        "row": leased.document.sequence, "token": leased.token, "to_state": state.value,
        "due": instant(next_attempt or now), "answer": _text(receipt), "trouble": _text(problem),
        "done": None if state in OPEN else instant(now),
    }).rowcount)  # fmt: skip


def withdraw(tx: Connection, oid: str, now: datetime) -> bool:
    """Take back a document that was not sent; False if it is on its way or settled already."""
    return _change(tx, oid, State.QUEUED, State.WITHDRAWN, now)


def invalidate(tx: Connection, oid: str, now: datetime) -> bool:
    """Queue the request that invalidates an archived document; False if it is not archived."""
    return _change(tx, oid, State.ARCHIVED, State.INVALIDATING, now)


def get(tx: Connection, oid: str) -> StoredDocument | None:
    """One document with its payload."""
    row = tx.execute(select(*_FULL).where(document.c.oid == oid)).first()
    return _from_row(row) if row is not None else None


def owner(tx: Connection, oid: str) -> Row[Any, Any, Any, Any, Any] | None:
    """Whose a document is, and what it was made of: provider, organiser, client_ref, purchaser, type; all sealed."""
    query = select(document.c.provider, document.c.organiser, document.c.client_ref, record.c.purchaser, record.c.type)
    return tx.execute(query.join(record, record.c.id == document.c.record_row).where(document.c.oid == oid)).first()


def place(tx: Connection, oid: str) -> int:
    """Sequence of a document that is there."""
    return int(tx.execute(select(document.c.sequence).where(document.c.oid == oid)).scalar_one())


def archived(tx: Connection) -> list[StoredDocument]:
    """Every document that the archive has, with its payload, in the order in which they were made."""
    return _found(tx, select(*_FULL).where(document.c.state.in_([state.value for state in sorted(DELIVERED)])))


def of_client(tx: Connection, client_ref: str) -> list[StoredDocument]:
    """One client's documents."""
    return [_from_row(row) for row in tx.execute(_OF_CLIENT, {"client": client_ref})]


def of_records(tx: Connection, rows: Iterable[int]) -> dict[int, list[StoredDocument]]:
    """Documents by the row of the record that they were made of."""
    wanted = sorted(set(rows))
    found: dict[int, list[StoredDocument]] = {}
    for start in range(0, len(wanted), PARAMETERS):
        for row in tx.execute(_OF_RECORDS, {"rows": wanted[start : start + PARAMETERS]}):
            one = _from_row(row)
            found.setdefault(one.record_row, []).append(one)
    return found


def listed(
    tx: Connection, *, provider: str | None = None, organiser: str | None = None, state: str | None = None,
    after: int = 0, limit: int = 100,
) -> list[StoredDocument]:  # fmt: skip
    """A page of documents, oldest first.

    Args:
        tx: the caller's transaction.
        provider: only this provider's.
        organiser: only those of this controller's register.
        state: only in this state.
        after: sequence of the last one of the page before.
        limit: size of the page.
    """
    query = select(*_PLAIN).where(document.c.sequence > after).limit(limit)
    for column, value in (
        (document.c.provider, provider),
        (document.c.organiser, organiser),
        (document.c.state, state),
    ):
        query = query if value is None else query.where(column == value)
    return _found(tx, query)


def counts(tx: Connection) -> dict[str, int]:
    """How many documents stand in each state."""
    query = select(document.c.state, func.count()).group_by(document.c.state).order_by(document.c.state)
    return {str(state): int(count) for state, count in tx.execute(query)}


def depth(tx: Connection) -> int:
    """How many documents are not settled."""
    return int(tx.execute(select(func.count()).where(_is_open())).scalar_one())


def oldest(tx: Connection) -> str | None:
    """When the oldest document that is not settled was made."""
    return tx.execute(select(func.min(document.c.made_at)).where(_is_open())).scalar()


def backlog(tx: Connection) -> Backlog:
    """What is not settled, and when the next of it can be worked on."""
    ready = func.coalesce(document.c.lease_until, document.c.next_attempt_at)
    blocked = and_(document.c.state == State.QUEUED.value, _IS_BLOCKED)
    first = tx.execute(select(func.min(ready)).where(_is_open(), ~blocked)).scalar()
    return Backlog(depth(tx), datetime.fromisoformat(first) if first else None)


def _change(tx: Connection, oid: str, before: State, after: State, now: datetime) -> bool:
    moment = instant(now)
    return bool(tx.execute(_CHANGE, {
        "which": oid, "from_state": before.value, "to_state": after.value, "moment": moment,
        "done": None if after in OPEN else moment,
    }).rowcount)  # fmt: skip


def _is_open() -> Any:
    return document.c.state.in_([state.value for state in sorted(OPEN)])


def _found(tx: Connection, query: Any) -> list[StoredDocument]:
    return [_from_row(row) for row in tx.execute(query.order_by(document.c.sequence))]


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _from_row(row: Sequence[Any]) -> StoredDocument:
    """A row of `_PLAIN` or `_FULL`; what stands behind them is left alone."""
    values = list(row[: len(_NAMES)])
    values[_STATE] = State(values[_STATE])
    for place in (_PROBLEM, _RECEIPT):
        if values[place] is not None:
            values[place] = orjson.loads(values[place])
    return StoredDocument(*values)
