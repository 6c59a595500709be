"""A crash after every durable effect, and corrections that meet documents on their way: the end is always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kanta_gateway.pipeline import deliver
from tests.faults_world import KilledError, World
from tests.small_export import CANCELLED, Change, entry_id, export

FIRST = export(1, 4)
CHANGED = export(1, 4, Change(entry_id(1, 1)), Change(entry_id(1, 2), status=CANCELLED))
AGAIN = export(
    1, 4, Change(entry_id(1, 1)), Change(entry_id(1, 2), status=CANCELLED),
    Change(entry_id(1, 2), version=3), Change(entry_id(1, 3), status=CANCELLED),
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects come in one order, and the test's process keeps its signal handlers."""
    monkeypatch.setattr(deliver, "CONNECTIONS", 1)
    monkeypatch.setattr("kanta_gateway.gateway.stop_on_signals", lambda _stop: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh installation."""
    one = World(tmp_path)
    yield one
    one.gateway.close()


def sent_before(world: World) -> None:
    """Corrections come after everything was archived."""
    world.import_(FIRST)
    world.deliver()
    world.import_(CHANGED)
    world.deliver()
    world.import_(AGAIN)
    world.deliver()


def sent_after(world: World) -> None:
    """Corrections come before anything was sent."""
    world.import_(FIRST)
    world.import_(CHANGED)
    world.deliver()


@pytest.mark.parametrize("way", [sent_before, sent_after])
def test_a_crash_after_any_effect_changes_nothing(way: Callable[[World], None], tmp_path: Path) -> None:
    """Killed after its k-th durable effect, for every k, and run again: each document is archived once, none lost."""
    calm = World(tmp_path / "calm")
    way(calm)
    assert calm.faults() == []
    effects, wanted, outcomes = calm.effects, calm.documents(), calm.outcomes()
    calm.gateway.close()
    assert effects > 10

    for last in range(1, effects + 1):
        world = World(tmp_path / str(last), last_effect=last)
        with pytest.raises(KilledError):
            way(world)
        world.restart()
        way(world)

        assert (wanted, outcomes, []) == (world.documents(), world.outcomes(), world.faults()), f"after {last}"
        world.gateway.close()
