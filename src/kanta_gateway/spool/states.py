"""States of a document in the spool, the allowed changes between them, and when to try again.

* What may have reached the archive is *unknown*, never *failed*: the archive is asked before a repeat.
* A final state is never left, but an archived document can be invalidated.
* Nothing is given up by the clock: waiting times grow to hours and stay there.

The states are drawn in docs/states.md. Source of the retry classes: OpenHIM (retry by outcome class, not only
connection errors); of the long patience: eFormidling (100 hours).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Where a document stands on its way to the archive."""

    ARCHIVED = "archived"
    INVALIDATED = "invalidated"
    INVALIDATING = "invalidating"
    QUEUED = "queued"
    REJECTED = "rejected"
    SENDING = "sending"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"


class Wait(StrEnum):
    """Why a document has to wait: each class has its own times."""

    ASK = "ask"
    """It may have been received: ask soon."""
    BUSY = "busy"
    """The archive answered that it cannot take it now."""
    NEXT = "next"
    """The archive does not have it after all: send it now."""
    UNREACHABLE = "unreachable"
    """Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Waiting times of one class: `first_seconds`, doubled on each attempt, at most `longest_seconds`."""

    first_seconds: float
    longest_seconds: float


PACES = {
    Wait.ASK: Pace(0.25, 3600.0),
    Wait.BUSY: Pace(1.0, 3600.0),
    Wait.NEXT: Pace(0.0, 0.0),
    Wait.UNREACHABLE: Pace(0.5, 900.0),
}
"""An archive that is away a day is tried four times an hour, so the queue drains soon after it is back."""

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SENDING, State.WITHDRAWN}),
    State.SENDING: frozenset({State.ARCHIVED, State.REJECTED, State.QUEUED, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.ARCHIVED, State.REJECTED, State.QUEUED, State.UNKNOWN}),
    State.ARCHIVED: frozenset({State.INVALIDATING}),
    State.INVALIDATING: frozenset({State.INVALIDATED, State.INVALIDATING, State.ARCHIVED}),
    State.INVALIDATED: frozenset(),
    State.REJECTED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
WORK = (State.UNKNOWN, State.INVALIDATING, State.QUEUED)
"""What a worker takes, in this order: what is unsure is cleared first."""
OPEN = frozenset({State.QUEUED, State.SENDING, State.UNKNOWN, State.INVALIDATING})
"""Not settled: later versions of the set wait for it."""
DELIVERED = frozenset({State.ARCHIVED, State.INVALIDATED, State.INVALIDATING})
"""The archive has it."""


def is_allowed(before: State, after: State) -> bool:
    """Whether a document may go from one state to the other."""
    return after in TRANSITIONS[before]


def next_attempt(now: datetime, wait: Wait, attempts: int, jitter: float) -> datetime:
    """When to try again.

    Args:
        now: the present moment.
        wait: why it waits.
        attempts: how often it has been tried, the last time included.
        jitter: 0 to 1; spreads waiting documents over the second half of the waiting time.
    """
    pace = PACES[wait]
    doubled = pace.first_seconds * 2.0 ** min(max(attempts - 1, 0), 30)
    return now + timedelta(seconds=min(doubled, pace.longest_seconds) * (0.5 + jitter / 2))
