"""What must stay forgotten: written with its deed, then carried to the journal that lies beside the keys.

* There is one way to destroy content, `destroy`, and one list of the tables that hold some, `CONTENTS`.
* What no key of its own seals goes the same way: taken, noted, and taken again where a restored database has it.
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
from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from kanta_gateway.tables import (
    access_grant,
    client_request,
    data_key,
    disclosure,
    document,
    forgotten,
    forgotten_mark,
    notice,
    record,
    supervision_case,
    supervision_step,
)

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

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


WHOLE = "whole"
"""Detail of a deed by which what rules need of a record went with its content."""


@dataclass(frozen=True, slots=True)
class Content:
    """A table whose rows have content, each under a key of its own (`key_id`) or under the installation's."""

    table: Table
    subject: Column[str]
    """What entries and the journal call a row."""
    emptied: Mapping[str, Any]
    """Columns that go with the content, and what stands in them afterwards; the first is the content."""
    rest: Mapping[str, Any] = field(default_factory=dict)
    """What rules still need when the content is gone, and what stands there when nobody needs it any more."""
    is_handed: bool = True
    """Whether a row is of one controller's register, so that it goes with a handover."""

    @property
    def is_keyed(self) -> bool:
        """Whether each row has a key of its own."""
        return "key_id" in self.table.c

    @property
    def has_some(self) -> Any:
        """Whether a row has its content."""
        name, gone = next(iter(self.emptied.items()))
        return self.table.c[name].is_not(None) if gone is None else self.table.c[name] != gone

    @property
    def has_any(self) -> Any:
        """Whether a row has its content, or what rules need of it."""
        return or_(self.has_some, *(self.table.c[name].is_not(None) for name in self.rest))


CONTENTS: Mapping[str, Content] = {
    one.table.name: one
    for one in (
        Content(document, document.c.oid, {"payload": None}),
        Content(record, record.c.ticket, {"payload": None, "digest": "", "state": "settled"}, {"facts": None}),
        Content(notice, notice.c.id, {"payload": None}),
        Content(disclosure, disclosure.c.id, {"told": None, "payload": None}),
        Content(client_request, client_request.c.id, {"sealed": None}),
        Content(access_grant, access_grant.c.id, {
            "sealed": b"", "review": None, "case_owner": None, "client_ref": "", "person_ref": "", "facts": "{}",
        }),
        Content(supervision_step, supervision_step.c.case_id, {"sealed": b""}, is_handed=False),
        Content(supervision_case, supervision_case.c.id, {"person_ref": ""}, is_handed=False),
    )
}  # fmt: skip
"""Everything that is destroyed before its row, by its table."""
_PIECE = 500
"""Values in one `IN`: databases allow a limited number."""
_ADD, _WAITING = insert(forgotten), select(*forgotten.c).order_by(forgotten.c.id)
_ENDED = (
    update(data_key)
    .where(data_key.c.id == bindparam("key"), data_key.c.destroyed_at.is_(None))
    .values(destroyed_at=bindparam("moment"))
)


def destroy(
    tx: Connection, name: str, gone: Iterable[tuple[str, int | None]], at: str, *, whole: bool = False
) -> None:  # fmt: skip
    """Take the content of rows and note that it stays gone; what is known of them without content stays.

    Args:
        tx: the transaction that also tells the log.
        name: of the table, one of `CONTENTS`.
        gone: what each row is called, and its key.
        at: the moment.
        whole: what rules need of it goes too.
    """
    found = [(str(subject), key) for subject, key in gone]
    told = {WHOLE: True} if whole and CONTENTS[name].rest else {}
    note(tx, [Forgotten(CONTENT, subject, at, key, told) for subject, key in found])
    empty(tx, name, [subject for subject, _ in found], whole=whole)


def empty(tx: Connection, name: str, subjects: Sequence[str], *, whole: bool) -> None:
    """Take the content of rows whose destruction is noted already."""
    one = CONTENTS[name]
    values = {**one.emptied, **(one.rest if whole else {})}
    for start in range(0, len(subjects), _PIECE):
        tx.execute(update(one.table).where(one.subject.in_(subjects[start : start + _PIECE])).values(values))


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


def waiting(tx: Connection, most: int | None = None) -> list[Forgotten]:
    """What the journal does not have yet, in order.

    Args:
        tx: a reading transaction.
        most: so many at most; None for all.
    """
    return [
        Forgotten(row.kind, row.subject, row.at, row.key_id, orjson.loads(row.details), row.origin)
        for row in tx.execute(_WAITING if most is None else _WAITING.limit(most))
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
