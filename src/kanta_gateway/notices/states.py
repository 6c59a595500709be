"""States of a notice and the allowed changes between them.

* A notice that waits still follows its records: what comes new joins it, what is no longer so leaves it.
* From the moment it is handed over, or given to the queue with its content, it is frozen: a change makes a correction.

The states are drawn in docs/states.md.
"""

from __future__ import annotations

from enum import StrEnum


class NoticeState(StrEnum):
    """Where a notice stands."""

    ACKNOWLEDGED = "acknowledged"
    DELIVERED = "delivered"
    SENDING = "sending"
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"


TRANSITIONS: dict[NoticeState, frozenset[NoticeState]] = {
    NoticeState.WAITING: frozenset({NoticeState.SENDING, NoticeState.DELIVERED, NoticeState.WITHDRAWN}),
    NoticeState.SENDING: frozenset({NoticeState.SENDING, NoticeState.DELIVERED}),
    NoticeState.DELIVERED: frozenset({NoticeState.DELIVERED, NoticeState.ACKNOWLEDGED}),
    NoticeState.ACKNOWLEDGED: frozenset({NoticeState.ACKNOWLEDGED}),
    NoticeState.WITHDRAWN: frozenset(),
}
"""A delivered notice may be fetched again: each time is a disclosure with its own entry."""
TOLD = frozenset({NoticeState.SENDING, NoticeState.DELIVERED, NoticeState.ACKNOWLEDGED})
"""The recipient has it, or may have it: its facts are not told a second time."""


def is_allowed(before: NoticeState, after: NoticeState) -> bool:
    """Whether a notice may go from one state to the other."""
    return after in TRANSITIONS[before]
