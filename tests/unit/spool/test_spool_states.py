"""States of a document and waiting times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kanta_gateway.spool.states import OPEN, PACES, TRANSITIONS, State, Wait, next_attempt

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_every_state_has_its_transitions() -> None:
    """Every state says where it may go, and a settled document that was never archived goes nowhere."""
    assert set(State) == set(TRANSITIONS)
    assert all(not TRANSITIONS[one] for one in set(State) - OPEN - {State.ARCHIVED})


@pytest.mark.parametrize("wait", Wait)
def test_waiting_times_grow_to_their_longest_and_stay(wait: Wait) -> None:
    """Waiting grows with the attempts up to the longest time of its class, for as many attempts as come."""
    times = [(next_attempt(NOW, wait, attempts, 1.0) - NOW).total_seconds() for attempts in (1, 5, 60, 10_000)]

    assert sorted(times) == times
    assert times[-1] == PACES[wait].longest_seconds
