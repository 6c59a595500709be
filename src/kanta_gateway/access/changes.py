"""Proposed changes of an installation's own content, and which content follows from those that are in force.

* A change names paths, with the digest before and after; it comes into force only over the content it was made for.
* What is in force follows from the changes, oldest first; nothing else says what is approved.
* Each row carries a code under a key outside the database: who can only write tables approves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import insert, select, update

from kanta_gateway.errors import UntrustedError
from kanta_gateway.model import instant
from kanta_gateway.tables import change, content_use

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

Code = Callable[[bytes], bytes]


class State(StrEnum):
    """Where a change stands."""

    APPROVED = "approved"
    NARROWED = "narrowed"
    """One person narrowed at once; in force, and another person reviews it."""
    PROPOSED = "proposed"
    REJECTED = "rejected"


IN_FORCE = frozenset({State.APPROVED, State.NARROWED})
OPEN = frozenset({State.PROPOSED, State.NARROWED})


@dataclass(frozen=True, slots=True)
class Change:
    """One change as it lies in the database."""

    number: int
    state: State
    proposer: str
    decider: str
    digest: str
    told: str
    sealed: bytes
    proposed_at: str
    decided_at: str | None
    """When it came into force, or was rejected."""
    review_by: str | None

    @property
    def paths(self) -> Mapping[str, tuple[str | None, str | None]]:
        """Path -> digest before and after; None where there is no such piece."""
        stated: dict[str, dict[str, str | None]] = orjson.loads(self.told)["pieces"]
        return {path: (one["before"], one["after"]) for path, one in stated.items()}

    def coded(self) -> bytes:
        """The bytes of what decides whether it is in force."""
        values = (self.number, self.state.value, self.proposer, self.decider, self.digest, self.told, self.proposed_at,
                  self.decided_at, self.review_by)  # fmt: skip
        return orjson.dumps(values)


_NAMES = ("number", "state", "proposer", "decider", "digest", "told", "sealed", "proposed_at", "decided_at",
          "review_by")  # fmt: skip
_ALL = select(*(change.c[name] for name in _NAMES), change.c.code).order_by(change.c.number)


def every(tx: Connection, code: Code) -> list[Change]:
    """Every change, in the order of proposing.

    Raises:
        UntrustedError: a row was not written by this installation.
    """
    found: list[Change] = []
    for row in tx.execute(_ALL):
        values = dict(zip((*_NAMES, "code"), row, strict=True))
        kept = bytes(values.pop("code"))
        one = Change(**{**values, "state": State(values["state"])})
        if code(one.coded()) != kept:
            raise UntrustedError(
                f"change {one.number} of policy, contract or threshold was not written by this installation; find out "
                "who changed the database, and restore it from a backup"
            )
        found.append(one)
    return found


def in_force(changes: Sequence[Change]) -> dict[str, Change]:
    """Path -> the change that its content comes from."""
    found: dict[str, Change] = {}
    for one in sorted((one for one in changes if one.state in IN_FORCE), key=_place):
        found |= dict.fromkeys(one.paths, one)
    return found


def approved(changes: Sequence[Change]) -> dict[str, str]:
    """Path -> digest of the content that may be used."""
    told = {path: one.paths[path][1] for path, one in in_force(changes).items()}
    return {path: after for path, after in told.items() if after is not None}


def is_stale(one: Change, changes: Sequence[Change]) -> bool:
    """Whether it was made for content that is not in force any more."""
    now = approved(changes)
    return any(now.get(path) != before for path, (before, _) in one.paths.items())


def is_covered(one: Change, changes: Sequence[Change]) -> bool:
    """Whether a later change builds on it, so that it cannot be taken back."""
    now = in_force(changes)
    return any(now[path].number != one.number for path in one.paths)


def add(tx: Connection, one: Change, code: Code) -> Change:
    """Store a change under the next number."""
    number = len(tx.execute(select(change.c.number)).all()) + 1
    made = replace(one, number=number)
    tx.execute(insert(change), {**_values(made), "code": code(made.coded())})
    return made


def settle(tx: Connection, one: Change, code: Code) -> None:
    """Store what was decided about a change."""
    tx.execute(update(change).where(change.c.number == one.number).values(**_values(one), code=code(one.coded())))


def last_use(tx: Connection) -> str | None:
    """Digest of the content that the gateway worked with last."""
    query = select(content_use.c.digest).order_by(content_use.c.number.desc()).limit(1)
    return tx.execute(query).scalar()


def use(tx: Connection, digest: str, now: datetime) -> None:
    """Write down which content is used from now on."""
    tx.execute(insert(content_use), {"digest": digest, "at": instant(now)})


def _place(one: Change) -> tuple[str, int]:
    return one.decided_at or "", one.number


def _values(one: Change) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _NAMES} | {"state": one.state.value}
