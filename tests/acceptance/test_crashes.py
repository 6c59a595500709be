"""A crash after every durable effect, and corrections that meet documents on their way: the end is always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults_world import KilledError, World
from tests.small_export import CANCELLED, Change, entry_id, export

from kanta_gateway.model import Oid
from kanta_gateway.pipeline import deliver
from kanta_gateway.pipeline.publish import Made, Publisher
from kanta_gateway.spool import records, store
from kanta_gateway.transfer.receipts import Answer, RetryLater

DIARY = "1.2.246.537.6.1506.19007."
CHANGES = (Change(entry_id(1, 1)), Change(entry_id(1, 2), status=CANCELLED))
FIRST = export(1, 3)
CHANGED = export(1, 3, *CHANGES)
FEW = export(1, 2, is_whole=False)
FEW_CHANGED = export(1, 2, *CHANGES, is_whole=False)
FEW_AGAIN = export(1, 2, *CHANGES, Change(entry_id(1, 2), version=3), is_whole=False)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects come in one order, and the test's process keeps its signal handlers."""
    monkeypatch.setattr(deliver, "CONNECTIONS", 1)
    monkeypatch.setattr("kanta_gateway.operating.dispatch.stop_on_signals", lambda _stop: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh installation."""
    one = World(tmp_path)
    yield one
    one.gateway.close()


def sent_before(world: World) -> None:
    """Corrections come after everything was archived."""
    for told in (FEW, FEW_CHANGED, FEW_AGAIN):
        world.import_(told)
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


ENTRY = entry_id(1, 1)
FIRST_STATE = export(1, 1, is_whole=False)
CORRECTION = export(1, 1, Change(ENTRY), is_whole=False)
CANCELLATION = export(1, 1, Change(ENTRY, status=CANCELLED), is_whole=False)
REVIVAL = export(1, 1, Change(ENTRY, status=CANCELLED), Change(ENTRY, version=3), is_whole=False)
SEND: dict[str, Any] = {}

ARCHIVED, INVALIDATED = "archived", "invalidated"
STORIES = [
    ("queued, corrected", [FIRST_STATE, CORRECTION, SEND], [(2, 1, ARCHIVED)]),
    ("queued, cancelled", [FIRST_STATE, CANCELLATION, SEND], []),
    ("queued, cancelled, delivered again", [FIRST_STATE, CANCELLATION, REVIVAL, SEND], [(3, 1, ARCHIVED)]),
    ("correction first", [CORRECTION, SEND, FIRST_STATE, SEND], [(2, 1, ARCHIVED)]),
    ("archived, corrected", [FIRST_STATE, SEND, CORRECTION, SEND], [(1, 1, ARCHIVED), (2, 2, ARCHIVED)]),
    ("archived, cancelled", [FIRST_STATE, SEND, CANCELLATION, SEND], [(1, 1, INVALIDATED)]),
    (
        "archived, cancelled, delivered again", [FIRST_STATE, SEND, CANCELLATION, SEND, REVIVAL, SEND],
        [(1, 1, INVALIDATED), (3, 2, ARCHIVED)],
    ),
    (
        "archived, cancelled and delivered again at once", [FIRST_STATE, SEND, REVIVAL, SEND],
        [(1, 1, INVALIDATED), (3, 2, ARCHIVED)],
    ),
    (
        "archived, cancellation waits, delivered again", [FIRST_STATE, SEND, CANCELLATION, REVIVAL, SEND],
        [(1, 1, INVALIDATED), (3, 2, ARCHIVED)],
    ),
]  # fmt: skip


def of_entry(world: World) -> list[tuple[int, int, str]]:
    """(record's version, version in the set, state) of the documents of the entry that is corrected."""
    return [(version, number, state) for name, version, _, number, state in world.documents() if name == ENTRY]


@pytest.mark.parametrize(("told", "story", "wanted"), STORIES, ids=[name for name, _, _ in STORIES])
def test_corrections(world: World, told: str, story: list[dict[str, Any]], wanted: list[tuple[int, int, str]]) -> None:
    """What was not sent is never sent; what was archived is replaced in its set, or invalidated."""
    for step in story:
        if step is SEND:
            assert world.deliver() == 0
        else:
            world.import_(step)

    assert (wanted, []) == (of_entry(world), world.faults())
    kept = [one for one in world.archive.shelf.contents() if one["structure"].startswith(DIARY)]
    assert sorted(number for _, number, _ in wanted) == sorted(one["version"] for one in kept)
    assert len({one["set_oid"] for one in kept}) == bool(wanted)


NOTHING = None
LOST = RetryLater("archive-silent", must_ask=True)
BUSY = RetryLater("archive-failed", must_ask=False)
MOMENTS = [
    ("before", NOTHING, "sending, not there yet"), ("after", NOTHING, "sending, there already"),
    ("before", LOST, "connection lost, not there"), ("after", LOST, "answer lost, there"),
    ("before", BUSY, "the archive is busy"),
]  # fmt: skip
NEWS = [
    (CORRECTION, [(1, 1, ARCHIVED), (2, 2, ARCHIVED)]), (CANCELLATION, [(1, 1, INVALIDATED)]),
    (REVIVAL, [(1, 1, INVALIDATED), (3, 2, ARCHIVED)]),
]  # fmt: skip


@pytest.mark.parametrize(("moment", "answer"), [one[:2] for one in MOMENTS], ids=[one[2] for one in MOMENTS])
@pytest.mark.parametrize(("news", "wanted"), NEWS, ids=["corrected", "cancelled", "delivered again"])
def test_corrections_of_what_is_on_its_way(
    world: World, moment: str, answer: Answer | None, news: dict[str, Any], wanted: list[tuple[int, int, str]]
) -> None:
    """A correction that meets its earlier version on the way waits for it, and goes after it in the same set."""
    world.import_(FIRST_STATE)
    met: list[Oid] = []

    def meet(oid: Oid) -> Answer | None:
        if met or not is_entry(world, oid):
            return None
        met.append(oid)
        world.import_(news)
        return answer

    setattr(world.archive, moment, meet)

    assert world.deliver() == 0
    assert world.deliver() == 0
    assert (wanted, []) == (of_entry(world), world.faults())


def is_entry(world: World, oid: Oid) -> bool:
    """Whether this is a document of the entry that is corrected."""
    with world.gateway.parts.database.reading() as tx:
        found = store.get(tx, oid)
        assert found is not None
        return records.by_rows(tx, [found.record_row])[0].id == ENTRY


def test_a_correction_of_an_unknown_document_waits(world: World) -> None:
    """While nobody can tell whether the archive has the first version, the correction is not sent."""
    world.import_(FIRST_STATE)
    world.archive.after = world.archive.asked = lambda _oid: LOST
    with world.gateway.parts.database.reading() as tx:
        documents = sum(store.counts(tx).values())
    world.gateway.dispatch._deliverer(world.caller).step(100)
    world.import_(CORRECTION)

    assert documents == len(world.documents())
    assert [(1, 1, "unknown")] == of_entry(world)

    world.archive.after = world.archive.asked = lambda _oid: None
    assert world.deliver() == 0
    assert ([(1, 1, ARCHIVED), (2, 2, ARCHIVED)], []) == (of_entry(world), world.faults())


@pytest.mark.parametrize(("news", "wanted"), NEWS, ids=["corrected", "cancelled", "delivered again"])
def test_a_worker_that_is_faster_than_a_correction(
    world: World, monkeypatch: pytest.MonkeyPatch, news: dict[str, Any], wanted: list[tuple[int, int, str]]
) -> None:
    """If the first version is sent between judging a correction and writing it down, it is judged again."""
    world.import_(FIRST_STATE)
    publish = Publisher.publish

    def overtaken(self: Publisher, *arguments: Any) -> list[Made]:
        made = publish(self, *arguments)
        monkeypatch.undo()
        monkeypatch.setattr(deliver, "CONNECTIONS", 1)
        world.gateway.dispatch._deliverer(world.caller).step(100)
        return made

    monkeypatch.setattr(Publisher, "publish", overtaken)
    world.import_(news)
    monkeypatch.setattr("kanta_gateway.operating.dispatch.stop_on_signals", lambda _stop: None)

    assert world.deliver() == 0
    assert (wanted, []) == (of_entry(world), world.faults())


def test_news_that_free_held_records_outlive_a_crash(tmp_path: Path) -> None:
    """Records that wait for a staff member stand once it came, also if the process died before it judged them."""
    without = {**FIRST_STATE, "henkilosto": []}
    calm = World(tmp_path / "calm")
    calm.import_(without)
    assert calm.documents() == []
    before = calm.effects
    calm.import_(FIRST_STATE)
    effects, wanted = calm.effects - before, calm.documents()
    calm.gateway.close()
    assert wanted

    for last in range(1, effects + 1):
        world = World(tmp_path / str(last))
        world.import_(without)
        world.restart(last)
        with pytest.raises(KilledError):
            world.import_(FIRST_STATE)
        world.restart()
        world.import_(FIRST_STATE)

        assert wanted == world.documents(), f"after {last}"
        world.gateway.close()
