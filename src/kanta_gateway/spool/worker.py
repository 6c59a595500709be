"""The worker's loop: work in batches, wait, stop in good order.

* A stop takes effect after the present batch; what was leased is settled.
* With `until_empty` the loop returns when nothing is open, or when the next moment at which anything could be
  done lies further away than the caller waits; what is left is then told.
* The loop knows neither archive nor database: it is given what to call.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import datetime
    from types import FrameType

    from kanta_gateway.spool.store import Backlog


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How the loop takes its time."""

    batch: int = 64
    """Documents leased at once."""
    idle_seconds: float = 1.0
    """Longest sleep: new work is seen after at most so long."""
    patience_seconds: float = 90.0
    """With `until_empty`: wait for a document no longer than this; more than one lease, so that work of a
    worker that died is taken over."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did."""

    handled: int
    left: int
    """Documents that are not settled."""


def run(
    step: Callable[[int], int],
    look: Callable[[], Backlog],
    clock: Callable[[], datetime],
    stop: threading.Event,
    *,
    until_empty: bool,
    rhythm: Rhythm | None = None,
) -> Result:
    """Work until told to stop, or until nothing is left that can be done.

    Args:
        step: leases, acts and settles at most so many documents; tells how many.
        look: what is not settled.
        clock: the present moment.
        stop: set to end the loop after the present batch.
        until_empty: return when nothing is left.
        rhythm: sizes and times.
    """
    pace = rhythm or Rhythm()
    handled = 0
    while not stop.is_set():
        done = step(pace.batch)
        handled += done
        if done:
            continue
        left = look()
        away = (left.next_at - clock()).total_seconds() if left.next_at else pace.idle_seconds
        if until_empty and (left.open == 0 or left.next_at is None or away > pace.patience_seconds):
            return Result(handled, left.open)
        stop.wait(min(max(away, 0.01), pace.idle_seconds))
    return Result(handled, look().open)


def stop_on_signals(stop: threading.Event) -> None:
    """Let SIGTERM and SIGINT end the loop after the present batch."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
