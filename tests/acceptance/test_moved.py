"""A record that was written for the wrong client: taken back there, made new at the right one, told on both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select
from tests.chains import STAFF, Cast, deliver, end, readable, register
from tests.faults_world import World
from tests.logs import opened

from kanta_gateway.model import Event
from kanta_gateway.pipeline import deliver as sending
from kanta_gateway.tables import audit_entry, document

NUMBERS = count(1)
STREET = {"street_address": "Kuvitelmankatu 8 B 3", "postal_code": "00980", "town": "Järvilakeus"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for every story: each has clients of its own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sending, "CONNECTIONS", 1)
    patch.setattr("kanta_gateway.operating.dispatch.stop_on_signals", lambda _stop: None)
    one = World(tmp_path_factory.mktemp("moved"))
    register(one)
    deliver(one, [STAFF])
    yield one
    one.gateway.close()
    patch.undo()


def begin(world: World, **other: Any) -> Cast:
    """Two clients with decisions."""
    cast = Cast(next(NUMBERS))
    deliver(world, [cast.client("A", **other), cast.client("B"), cast.decision("A"), cast.decision("B")])
    return cast


def states(world: World, cast: Cast, name: str) -> list[str]:
    """States of a client's documents, in the order in which they were made."""
    mine = select(document.c.state).where(document.c.client_ref == cast.ref(world, name)).order_by(document.c.sequence)
    with world.gateway.parts.database.reading() as tx:
        return list(tx.execute(mine).scalars())


def told(world: World, cast: Cast, name: str) -> list[str]:
    """Words of the log about a client, those of reading left out."""
    mine = select(audit_entry.c.event).where(audit_entry.c.client_ref == cast.ref(world, name))
    with world.gateway.parts.database.reading() as tx:
        found = tx.execute(mine.order_by(audit_entry.c.idx)).scalars()
        return [one for one in found if not one.endswith(":read")]


def test_what_was_archived_is_invalidated_and_made_new(world: World) -> None:
    """The document of the wrong client is invalidated, the right one gets a document in a set of its own."""
    cast = begin(world)
    deliver(world, [cast.entry("A")])
    world.deliver()
    rows = deliver(world, [cast.entry("B", 2)])
    world.deliver()

    assert ["replacement"] == [row["outcome"] for row in rows]
    assert (["invalidated"], ["archived"]) == (states(world, cast, "A"), states(world, cast, "B"))
    assert [cast.code("B")] == [whose for whose, _ in end(world, cast)["archive"]]
    assert {"record:move", "document:invalidate"} <= set(told(world, cast, "A"))
    assert {"record:move", "document:spool", "document:archive"} <= set(told(world, cast, "B"))


def test_what_was_not_sent_is_never_sent_for_the_wrong_client(world: World) -> None:
    """A document that waits for the wrong client is withdrawn, and nothing of it reaches the archive."""
    cast = begin(world)
    deliver(world, [cast.entry("A")])
    deliver(world, [cast.entry("B", 2)])
    world.deliver()

    assert (["withdrawn"], ["archived"]) == (states(world, cast, "A"), states(world, cast, "B"))
    assert "document:send" not in told(world, cast, "A")


def test_a_decision_moves_too(world: World) -> None:
    """A decision that was another's takes its period with it: the entries of its former client wait."""
    cast = begin(world)
    other = Cast(next(NUMBERS))
    deliver(world, [other.client("A")])
    deliver(world, [cast.entry("A")])
    moved = {**cast.decision("A"), "client": other.name("A"), "version": 2}
    deliver(world, [moved])
    waiting = [one[4] for one in end(world, cast)["outcomes"] if one[:2] == ("A", "diary_entry")]
    world.deliver()

    assert (["held"], ["withdrawn"]) == (waiting, states(world, cast, "A"))


@pytest.mark.parametrize("is_first", [True, False])
def test_turvakielto_of_the_wrong_client_goes_with_the_record(world: World, is_first: bool) -> None:  # noqa: FBT001
    """A text that was written about a client under turvakielto tells no address of theirs, also at another client."""
    cast = begin(world, non_disclosure=True, contact=STREET)
    entries = [cast.entry("A", tasks="Käytiin kotona."), cast.entry("B", 2, tasks="Käytiin Kuvitelmankadulla.")]
    for one in entries if is_first else reversed(entries):
        deliver(world, [one])
    world.deliver()

    found = readable(world, {cast.code("A"), cast.code("B")})

    assert [cast.code("B")] == [whose for whose, _ in found]
    assert "Kuvitelmankadu" not in found[0][1]


def test_the_same_version_for_another_client_is_refused(world: World) -> None:
    """A record with versions of its own that comes in the same version for another client contradicts itself."""
    cast = begin(world)
    deliver(world, [cast.entry("A")])
    rows = deliver(world, [cast.entry("B")])

    assert [("refused", ["GEN-01"])] == [
        (row["outcome"], [one["rule"] for one in row["findings"] if one["severity"] == "refuse"]) for row in rows
    ]
    assert (["queued"], []) == (states(world, cast, "A"), states(world, cast, "B"))


def test_the_log_stands(world: World) -> None:
    """After all this the log holds, and no entry of a move tells more than ticket, type and delivery."""
    bodies = opened(world.gateway, Event.RECORD_MOVE)

    assert world.gateway.trail.verify()["holds"]
    assert all(one["details"].keys() == {"type", "delivery"} for one in bodies)
