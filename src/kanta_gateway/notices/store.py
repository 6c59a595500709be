"""Notices in the database: what waits is brought up to date, what was told is never changed.

* A fact waits in one notice of a type at most; the caller's transaction is used throughout.
* Content is sealed with a key of its own, as documents are; the items beside it are record ids and keyed marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, func, select, update

from kanta_gateway import forgotten
from kanta_gateway.errors import ConflictError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import instant
from kanta_gateway.notices.states import TOLD, NoticeState, is_allowed
from kanta_gateway.tables import data_key, notice, notice_call

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice on its way into the database."""

    id: str
    provider: str
    organiser: str
    purchaser: str
    client_ref: str
    is_client: bool
    type: str
    corrects: str
    recipients: Sequence[str]
    items: Sequence[Mapping[str, Any]]
    payload: bytes
    key_id: int
    send_on: str
    ready_on: str
    due_on: str


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """One notice as it lies in the database."""

    sequence: int
    id: str
    provider: str
    organiser: str
    purchaser: str
    client_ref: str
    is_client: bool
    type: str
    state: NoticeState
    corrects: str
    recipients: tuple[str, ...]
    recipient: str
    items: tuple[Mapping[str, Any], ...]
    payload: bytes | None
    key_id: int
    send_on: str
    ready_on: str
    due_on: str
    made_at: str
    disclosed_at: str | None
    settled_at: str | None

    @property
    def told_client(self) -> str | None:
        """The client for the log; None for what is about no client."""
        return self.client_ref if self.is_client else None


_NAMES = tuple(one.name for one in fields(StoredNotice))
_STORED = select(*(notice.c[name] for name in _NAMES)).order_by(notice.c.sequence)
_OF_SUBJECT = _STORED.where(notice.c.client_ref == bindparam("client"), notice.c.provider == bindparam("owner"))
_TOLD_COLUMNS: list[Any] = [notice.c[name] for name in ("type", "items", "disclosed_at")]
_TOLD_OF = select(*_TOLD_COLUMNS).where(
    notice.c.client_ref == bindparam("client"), notice.c.provider == bindparam("owner"),
    notice.c.disclosed_at.is_not(None),
).order_by(notice.c.sequence)  # fmt: skip


def of_subject(tx: Connection, provider: str, client_ref: str) -> list[StoredNotice]:
    """Every notice about one client, or about the provider's own conduct, oldest first."""
    return [_from_row(row) for row in tx.execute(_OF_SUBJECT, {"client": client_ref, "owner": provider})]


def disclosed(tx: Connection, provider: str, client_ref: str) -> list[tuple[str, Sequence[Mapping[str, Any]], str]]:
    """Type, items and moment of every notice about one client that was handed over."""
    rows = tx.execute(_TOLD_OF, {"client": client_ref, "owner": provider})
    return [(str(kind), orjson.loads(items), str(at)) for kind, items, at in rows]


def add(tx: Connection, new: NewNotice, now: datetime) -> None:
    """Store a notice that waits."""
    tx.execute(data_key.insert(), {"id": new.key_id, "made_at": instant(now)})
    values = {one.name: getattr(new, one.name) for one in fields(NewNotice)}
    tx.execute(notice.insert(), {
        **values, "is_client": int(new.is_client), "recipients": _text(new.recipients), "items": _text(new.items),
        "state": NoticeState.WAITING.value, "recipient": "", "made_at": instant(now),
    })  # fmt: skip


def renew(tx: Connection, old: StoredNotice, new: NewNotice, now: datetime) -> bool:
    """Bring a waiting notice up to date, under a key of its own; False if it does not wait any more."""
    tx.execute(data_key.insert(), {"id": new.key_id, "made_at": instant(now)})
    done = tx.execute(
        update(notice)
        .where(notice.c.sequence == old.sequence, notice.c.state == NoticeState.WAITING.value)
        .values(
            recipients=_text(new.recipients), items=_text(new.items), payload=new.payload,
            key_id=new.key_id, send_on=new.send_on, ready_on=new.ready_on, due_on=new.due_on,
        )
    )  # fmt: skip
    if not done.rowcount:
        return False
    forgotten.note(tx, [Forgotten(forgotten.CONTENT, old.id, instant(now), old.key_id)])  # the new one has its own key
    return True


def withdraw(tx: Connection, one: StoredNotice, now: datetime) -> None:
    """Take back a notice that waits and has nothing to tell any more, content and calls included."""
    _change(tx, one, NoticeState.WITHDRAWN, {"settled_at": instant(now)})
    destroy(tx, [one], now)
    tx.execute(
        update(notice_call)
        .where(notice_call.c.notice == one.sequence, notice_call.c.state == "queued")
        .values(state="dropped", settled_at=instant(now))
    )


def freeze(tx: Connection, one: StoredNotice) -> None:
    """Keep a notice as it is, since it is being sent."""
    _change(tx, one, NoticeState.SENDING, {"recipient": one.recipients[0]})


def deliver(tx: Connection, one: StoredNotice, recipient: str, now: datetime) -> None:
    """Write down that a notice was handed over; the first time counts as when it was told."""
    after = one.state if one.state is NoticeState.ACKNOWLEDGED else NoticeState.DELIVERED
    _change(tx, one, after, {"recipient": recipient, "disclosed_at": one.disclosed_at or instant(now)})


def acknowledge(tx: Connection, one: StoredNotice, now: datetime) -> None:
    """Write down that the recipient has it."""
    _change(tx, one, NoticeState.ACKNOWLEDGED, {"settled_at": instant(now)})


def get(tx: Connection, notice_id: str) -> StoredNotice | None:
    """One notice."""
    row = tx.execute(_STORED.where(notice.c.id == notice_id)).first()
    return None if row is None else _from_row(row)


def owner(tx: Connection, notice_id: str) -> Row[Any, Any, Any] | None:
    """Whose a notice is: provider, organiser and purchaser; nothing of it is opened."""
    query = select(notice.c.provider, notice.c.organiser, notice.c.purchaser)
    return tx.execute(query.where(notice.c.id == notice_id)).first()


def by_sequences(tx: Connection, sequences: Iterable[int]) -> dict[int, StoredNotice]:
    """Notices by their numbers."""
    rows = tx.execute(_STORED.where(notice.c.sequence.in_(sorted(sequences))))
    return {one.sequence: one for one in map(_from_row, rows)}


def listed(
    tx: Connection, *, provider: str | None = None, organiser: str | None = None, state: str | None = None,
    after: int = 0, limit: int = 100,
) -> list[StoredNotice]:  # fmt: skip
    """A page of notices, oldest first; the arguments narrow it down."""
    query = _STORED.where(notice.c.sequence > after).limit(limit)
    for column, value in ((notice.c.provider, provider), (notice.c.organiser, organiser), (notice.c.state, state)):
        query = query if value is None else query.where(column == value)
    return [_from_row(row) for row in tx.execute(query)]


def place(tx: Connection, notice_id: str) -> int:
    """Sequence of a notice that is there."""
    return int(tx.execute(select(notice.c.sequence).where(notice.c.id == notice_id)).scalar_one())


def counts(tx: Connection) -> dict[str, int]:
    """How many notices stand in each state."""
    query = select(notice.c.state, func.count()).group_by(notice.c.state).order_by(notice.c.state)
    return {str(state): int(count) for state, count in tx.execute(query)}


def spent(tx: Connection, limit: str, most: int) -> list[StoredNotice]:
    """Notices handed over before a moment that still have content."""
    told = [one.value for one in sorted(TOLD - {NoticeState.SENDING})]
    query = _STORED.where(notice.c.state.in_(told), notice.c.payload.is_not(None), notice.c.disclosed_at <= limit)
    return [_from_row(row) for row in tx.execute(query.limit(most))]


def destroy(tx: Connection, found: Sequence[StoredNotice], now: datetime) -> None:
    """Destroy content and keys of notices; that they were and what they told of stays."""
    forgotten.destroy(tx, notice.name, [(one.id, one.key_id) for one in found], instant(now))


def _change(tx: Connection, one: StoredNotice, after: NoticeState, values: Mapping[str, Any]) -> None:
    """Change a notice that stands as it was read.

    Raises:
        ConflictError: the states do not allow this change, or somebody changed it meanwhile.
    """
    changed = 0
    if is_allowed(one.state, after):
        mine = (notice.c.sequence == one.sequence, notice.c.state == one.state.value)
        changed = tx.execute(update(notice).where(*mine).values(state=after.value, **values)).rowcount
    if not changed:
        raise ConflictError(f"a notice cannot go from {one.state.value} to {after.value}; see docs/states.md")


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _from_row(row: Sequence[Any]) -> StoredNotice:
    values = dict(zip(_NAMES, row, strict=True))
    values["state"] = NoticeState(values["state"])
    values["is_client"] = bool(values["is_client"])
    for name in ("recipients", "items"):
        values[name] = tuple(orjson.loads(values[name]))
    return StoredNotice(**values)
