"""The worker's loop ends when it should, and not before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from kanta_gateway.spool.store import Backlog
from kanta_gateway.spool.worker import Result, Rhythm, run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = Rhythm(batch=5, idle_seconds=0.001, patience_seconds=10)


def steps(*done: int) -> Iterator[int]:
    """What successive batches handle, then nothing."""
    yield from done
    while True:
        yield 0


def test_it_returns_when_nothing_is_left() -> None:
    """With until_empty the loop ends once nothing is open."""
    work = steps(5, 2)

    result = run(
        lambda _: next(work), lambda: Backlog(0, None), lambda: NOW, threading.Event(), until_empty=True, rhythm=QUICK
    )

    assert Result(7, 0) == result


def test_it_waits_for_what_is_due_soon() -> None:
    """A document that is held or waits for a near moment is waited for."""
    work = steps(1, 0, 1)
    left = iter([Backlog(1, NOW + timedelta(seconds=5)), Backlog(0, None)])

    result = run(
        lambda _: next(work), lambda: next(left), lambda: NOW, threading.Event(), until_empty=True, rhythm=QUICK
    )

    assert Result(2, 0) == result


def test_it_does_not_wait_for_days() -> None:
    """A document whose next attempt is further away than the caller's patience is told as left."""
    result = run(
        lambda _: 0, lambda: Backlog(3, NOW + timedelta(days=1)), lambda: NOW, threading.Event(),
        until_empty=True, rhythm=QUICK,
    )  # fmt: skip

    assert Result(0, 3) == result


def test_a_stop_takes_effect_after_the_batch() -> None:
    """A stop during a batch lets the batch finish and starts no other."""
    stop = threading.Event()

    def step(limit: int) -> int:
        stop.set()
        return limit

    result = run(step, lambda: Backlog(1, NOW), lambda: NOW, stop, until_empty=False, rhythm=QUICK)

    assert Result(5, 1) == result
