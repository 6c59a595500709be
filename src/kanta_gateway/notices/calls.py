"""The queue of calls to recipients: durable, each notice once by each way, tried until the recipient took it.

* A call is leased with a token and an end; a worker that dies leaves an expired lease, and the call is made again.
* A repeat is harmless: every call carries the notice's id.
* Nothing is given up by the clock; a withdrawn notice drops its calls.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import exists, func, or_, select, update

from kanta_gateway.model import instant
from kanta_gateway.notices.states import NoticeState
from kanta_gateway.tables import notice, notice_call

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

QUEUED, DONE = "queued", "done"
PARAMETERS = 500
"""Values in one `IN`: SQLite allows a limited number of parameters."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a worker may make until its lease ends."""

    id: int
    notice: int
    way: str
    body: str
    attempts: int
    token: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Notices that a channel reaches."""

    way: str
    purchaser: str
    types: Collection[str]
    kind: str
    """Of the only recipient that they may have."""
    organiser: str
    """Empty for every one."""


def missing(tx: Connection, wanted: Reached, today: str, limit: int) -> list[int]:
    """Notices that a channel reaches, that are to be sent by now and have no call by its way yet.

    A correction waits until the recipient has what it corrects.
    """
    way = wanted.way
    organiser = [notice.c.organiser == wanted.organiser] if wanted.organiser else []
    first = notice.alias("first")
    is_early = exists().where(first.c.id == notice.c.corrects, first.c.state == NoticeState.SENDING.value)
    only = orjson.dumps([wanted.kind]).decode()
    there = exists().where(notice_call.c.notice == notice.c.sequence, notice_call.c.way == way)
    query = (
        select(notice.c.sequence)
        .where(
            notice.c.state == NoticeState.WAITING.value, notice.c.purchaser == wanted.purchaser,
            notice.c.type.in_(sorted(wanted.types)), notice.c.recipients == only, *organiser,
            notice.c.send_on <= today, notice.c.ready_on <= today, ~there, ~is_early,
        )
        .order_by(notice.c.sequence)
        .limit(limit)
    )  # fmt: skip
    return [int(one) for one in tx.execute(query).scalars()]


def queue(tx: Connection, sequence: int, way: str, body: str, now: datetime) -> None:
    """Have a recipient called about a notice."""
    tx.execute(notice_call.insert(), {
        "notice": sequence, "way": way, "body": body, "state": QUEUED, "attempts": 0, "next_attempt_at": instant(now),
    })  # fmt: skip


def lease(tx: Connection, now: datetime, limit: int, lease_seconds: float) -> list[Call]:
    """Take calls that are due; nobody else makes them until the lease ends."""
    moment, until = instant(now), instant(now + timedelta(seconds=lease_seconds))
    columns: list[Any] = [
        notice_call.c[name] for name in ("id", "notice", "way", "body", "attempts")
    ]  # fmt: skip
    due = (
        select(*columns)
        .where(
            notice_call.c.state == QUEUED, notice_call.c.next_attempt_at <= moment,
            or_(notice_call.c.lease_until.is_(None), notice_call.c.lease_until < moment),
        )
        .order_by(notice_call.c.next_attempt_at, notice_call.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    found = [
        Call(id_, sequence, way, body, attempts + 1, str(uuid.uuid4()))
        for id_, sequence, way, body, attempts in tx.execute(due).all()
    ]
    for one in found:
        taken = {"attempts": one.attempts, "lease_token": one.token, "lease_until": until}
        tx.execute(update(notice_call).where(notice_call.c.id == one.id).values(taken))
    return found


def settle(
    tx: Connection, one: Call, now: datetime, *, problem: Mapping[str, str] | None = None,
    next_attempt: datetime | None = None,
) -> bool:  # fmt: skip
    """End a lease with what came of the call; False if the lease was lost meanwhile."""
    values: dict[str, Any] = {"lease_token": None, "lease_until": None}
    if problem is None:
        values |= {"state": DONE, "problem": None, "settled_at": instant(now)}
    else:
        values |= {"problem": orjson.dumps(dict(problem)).decode(), "next_attempt_at": instant(next_attempt or now)}
    mine = (notice_call.c.id == one.id, notice_call.c.lease_token == one.token)
    return bool(tx.execute(update(notice_call).where(*mine).values(values)).rowcount)


def counts(tx: Connection) -> dict[str, int]:
    """How many calls stand in each state."""
    query = select(notice_call.c.state, func.count()).group_by(notice_call.c.state).order_by(notice_call.c.state)
    return {str(state): int(count) for state, count in tx.execute(query)}


def problems(tx: Connection, sequences: Sequence[int]) -> dict[int, Mapping[str, str]]:
    """Notice -> what went wrong with its last call."""
    found: dict[int, Mapping[str, str]] = {}
    for start in range(0, len(sequences), PARAMETERS):
        query = select(notice_call.c.notice, notice_call.c.problem).where(
            notice_call.c.notice.in_(sequences[start : start + PARAMETERS]), notice_call.c.problem.is_not(None)
        )
        found |= {int(sequence): orjson.loads(problem) for sequence, problem in tx.execute(query)}
    return found
