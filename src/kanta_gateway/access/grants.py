"""Break-glass as it is stored: a grant for one person, one client and one sub-item, its end, its review, its case.

* A grant holds until a moment and ends by itself; it may end earlier, and never later.
* It is reviewed once; what a review found unfounded is a case until somebody has closed it.
* Who looked and why, and who reviewed and what was said, are sealed; when they are destroyed, nothing is reviewed any
  more, and what is left counts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, select, update

from kanta_gateway.model import instant
from kanta_gateway.tables import access_grant

if TYPE_CHECKING:
    from sqlalchemy import Connection

_C = access_grant.c
_STANDS = _C.sealed != b""
"""Who looked and why is there still, so that it can be reviewed."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant."""

    id: str
    provider: str
    controller: str
    purchaser: str
    client_ref: str
    organisation: str
    person_ref: str
    role: str
    purpose: str
    item: str
    row: str
    facts: Mapping[str, str]
    sealed: bytes
    given_at: str
    until: str
    due_on: str
    ended_at: str | None = None
    uses: int = 0
    reviewed_at: str | None = None
    outcome: str | None = None
    review: bytes | None = None
    case_due_on: str | None = None
    case_owner: bytes | None = None
    case_closed_at: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.ended_at is None and self.given_at <= instant(now) < self.until

    def state(self, today: str) -> str:
        """Where its review is: to-review, overdue, case, case-overdue, reviewed; or its content was destroyed.

        Args:
            today: the day (ISO 8601).
        """
        if not self.sealed:
            return "destroyed"
        if self.reviewed_at is None:
            return "overdue" if self.due_on < today else "to-review"
        if self.case_due_on is None or self.case_closed_at is not None:
            return "reviewed"
        return "case-overdue" if self.case_due_on < today else "case"


_NAMES = tuple(one.name for one in fields(Grant))
_ALL = select(*(access_grant.c[name] for name in _NAMES)).order_by(_C.given_at, _C.id)


def add(tx: Connection, one: Grant) -> None:
    """Store a new grant."""
    values = {name: getattr(one, name) for name in _NAMES}
    tx.execute(access_grant.insert(), {**values, "facts": orjson.dumps(dict(one.facts)).decode()})


def get(tx: Connection, grant_id: str) -> Grant | None:
    """One grant."""
    row = tx.execute(_ALL.where(_C.id == grant_id)).mappings().first()
    return None if row is None else _from_row(row)


def every(tx: Connection, *, since: str = "", until: str = "~") -> list[Grant]:
    """Grants that were given from one moment to before another, oldest first."""
    return [_from_row(one) for one in tx.execute(_ALL.where(_C.given_at >= since, _C.given_at < until)).mappings()]


def used(tx: Connection, grant_id: str) -> None:
    """Count one disclosure by it."""
    tx.execute(update(access_grant).where(_C.id == grant_id).values(uses=_C.uses + 1))


def end(tx: Connection, grant_id: str, now: datetime) -> bool:
    """End it now; whether it held until now."""
    moment = instant(now)
    held = (_C.id == grant_id, _C.ended_at.is_(None), _C.until > moment)
    return bool(tx.execute(update(access_grant).where(*held).values(ended_at=moment)).rowcount)


def reviewed(
    tx: Connection, grant_id: str, outcome: str, review: bytes, now: datetime, case_due_on: str | None,
    case_owner: bytes | None,
) -> bool:  # fmt: skip
    """Write a review down; whether there was none before."""
    waits = (_C.id == grant_id, _C.reviewed_at.is_(None))
    done = tx.execute(update(access_grant).where(*waits).values(
        outcome=outcome, review=review, reviewed_at=instant(now), case_due_on=case_due_on, case_owner=case_owner,
    ))  # fmt: skip
    return bool(done.rowcount)


def closed(tx: Connection, grant_id: str, now: datetime) -> bool:
    """Close the case of a grant; whether one was open."""
    is_open = (_C.id == grant_id, _C.case_due_on.is_not(None), _C.case_closed_at.is_(None))
    return bool(tx.execute(update(access_grant).where(*is_open).values(case_closed_at=instant(now))).rowcount)


def unfinished(tx: Connection, controller: str) -> int:
    """How many grants into one controller's data wait for their review, or have a case that is open."""
    is_open = _C.reviewed_at.is_(None) | (_C.case_due_on.is_not(None) & _C.case_closed_at.is_(None))
    mine = (_C.controller == controller) & _STANDS
    return int(tx.execute(select(func.count()).select_from(access_grant).where(mine, is_open)).scalar_one())


def counts(tx: Connection, today: str, now: datetime) -> dict[str, int]:
    """How many hold now, wait for their review, are overdue, and have a case that is open; no client is told."""
    moment, is_case = instant(now), (_C.case_due_on.is_not(None), _C.case_closed_at.is_(None), _STANDS)
    found = {
        "open": (_C.ended_at.is_(None), _C.until > moment), "to_review": (_C.reviewed_at.is_(None), _STANDS),
        "overdue": (_C.reviewed_at.is_(None), _STANDS, _C.due_on < today), "cases": is_case,
        "cases_overdue": (*is_case, _C.case_due_on < today),
    }  # fmt: skip
    return {
        name: int(tx.execute(select(func.count()).select_from(access_grant).where(*which)).scalar_one())
        for name, which in found.items()
    }


def _from_row(row: Any) -> Grant:
    return Grant(**{**row, "facts": orjson.loads(row["facts"])})
