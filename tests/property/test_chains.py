"""The archive ends in the same state for every order of arrival, whenever documents were sent on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.chains import ORGANISER, STAFF, Cast, End, Told, deliver, end, register
from tests.faults_world import World

from kanta_gateway.pipeline import deliver as sending
from kanta_gateway.tables import document, record

NUMBERS = count(1)
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for every story: each has clients of its own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sending, "CONNECTIONS", 1)
    patch.setattr("kanta_gateway.operating.dispatch.stop_on_signals", lambda _stop: None)
    one = World(tmp_path_factory.mktemp("chains"))
    register(one)
    deliver(one, [STAFF])
    yield one
    one.gateway.close()
    patch.undo()


def told(world: World, cast: Cast, deliveries: Sequence[Told], sends: Sequence[bool], names: str = "AB") -> End:
    """Deliver in this order, sending what waits where it is said, and at the end; how it ended."""
    for one, is_sent in zip(deliveries, sends, strict=True):
        deliver(world, one)
        if is_sent:
            world.deliver()
    world.deliver()
    return end(world, cast, names)


def plainly(seen: End, cast: Cast) -> Any:
    """How a story ended, told without its own number."""
    texts = orjson.dumps(seen).decode()
    for name in "ABCD":
        texts = texts.replace(cast.code(name), f"<{name}>").replace(cast.name(name), f"<{name}>")
    told_: dict[str, Any] = orjson.loads(texts.replace(f"D-{cast.number}-", "D-"))
    return told_ | {name: sorted(told_[name], key=str) for name in ("archive", "outcomes")}


@st.composite
def stories(draw: st.DrawFn, clients: str = "A") -> Any:
    """Versions of one entry (text, client, cancelled or not) and the order, repeats and sending of two tellings."""
    versions = draw(st.lists(st.tuples(st.sampled_from(clients), st.sampled_from([False, False, True])),
                             min_size=1, max_size=4))  # fmt: skip
    places = list(range(len(versions) + 2))
    again = draw(st.lists(st.sampled_from(places), max_size=2))
    order = draw(st.permutations([*places, *again]))
    sends = draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    return versions, order, sends


def deliveries(cast: Cast, versions: Sequence[tuple[str, bool]]) -> list[Told]:
    """Each version as a delivery of its own; clients with decisions, and another day of each, besides."""
    return [
        [cast.client("A"), cast.client("B"), cast.decision("A"), cast.decision("B")],
        [cast.entry("A", day=3, tasks="Muuta."), cast.entry("B", day=4, tasks="Muuta.")],
        *([cast.entry(name, number, is_cancelled=gone)] for number, (name, gone) in enumerate(versions, 1)),
    ]


def valid(versions: Sequence[tuple[str, bool]]) -> list[tuple[str, str]]:
    """What must stand of the entry: its highest version, under that version's client, unless it cancels."""
    name, is_cancelled = versions[-1]
    return [] if is_cancelled else [(name, f"Kankaiden leikkaus kassisarjaan, {len(versions)}. kirjaus.")]


def entries(seen: End, cast: Cast) -> list[tuple[str, str]]:
    """Client and text of each valid document that is not one of the two other days."""
    names = {cast.code(name): name for name in "ABCD"}
    texts = [
        (names[whose], re.search(r"Kankaiden leikkaus kassisarjaan, \d\. kirjaus\.", one))
        for whose, one in seen["archive"]
    ]
    return [(name, text[0]) for name, text in texts if text]


def check(world: World, story: Any) -> None:
    """The story told in order and sent at the end, and told in another order, end in the same."""
    versions, order, sends = story
    first, other = Cast(next(NUMBERS)), Cast(next(NUMBERS))
    straight = deliveries(first, versions)
    expected = told(world, first, straight, [False] * len(straight))
    shuffled = deliveries(other, versions)

    seen = told(world, other, [shuffled[place] for place in order], sends)

    assert plainly(expected, first) == plainly(seen, other)
    assert valid(versions) == entries(expected, first)
    assert seen["open"] == []


@QUICK
@given(story=stories())
def test_versions_in_any_order(world: World, story: Any) -> None:
    """Corrections, cancellations, revivals and repeats in any order, sent at any moment, end in the same state."""
    check(world, story)


@QUICK
@given(story=stories("AB"))
def test_versions_of_two_clients(world: World, story: Any) -> None:
    """A record that goes from one client to another, and back, ends under the client of its last version only."""
    check(world, story)


@QUICK
@given(order=st.permutations(range(5)), sends=st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_changed_identity_code(world: World, order: list[int], sends: list[bool]) -> None:
    """A temporary code and the person's own one: at the end every document is filed under the newest one only."""
    ends = []
    for places, moments in ((list(range(5)), [False] * 5), (order, sends)):
        cast = Cast(next(NUMBERS))
        given_ = [
            [cast.client("A", 1, identity_code=cast.code("C"))], [cast.decision("A")],
            [cast.entry("A"), cast.entry("A", day=3)], [cast.entry("A", 2)], [cast.client("A", 2)],
        ]  # fmt: skip
        seen = told(world, cast, [given_[place] for place in places], moments, "A")
        assert {cast.code("A")} == {whose for whose, _ in seen["archive"]}
        ends.append(plainly(seen, cast))

    assert ends[0] == ends[1]


@QUICK
@given(order=st.permutations(range(4)), sends=st.lists(st.booleans(), min_size=4, max_size=4))
def test_deliveries_of_several_days(world: World, order: list[int], sends: list[bool]) -> None:
    """The newest delivery's day counts for deadlines, whichever came last and whether it brought any news."""
    ends = []
    for places, moments in ((list(range(4)), [False] * 4), (order, sends)):
        cast = Cast(next(NUMBERS))
        whole = [cast.client("A"), cast.decision("A"), cast.entry("A")]
        given_ = [(whole, date(2025, 9, 10)), (whole, date(2026, 3, 2)), ([cast.entry("A", 2)], date(2025, 9, 20)),
                  ([cast.client("B")], date(2026, 5, 2))]  # fmt: skip
        for place, is_sent in zip(places, moments, strict=True):
            deliver(world, given_[place][0], as_of=given_[place][1])
            if is_sent:
                world.deliver()
        world.deliver()
        ends.append(plainly(end(world, cast), cast))

    assert ends[0] == ends[1]


def test_the_registers_of_two_purchasers_do_not_meet(world: World) -> None:
    """The same client number under two contracts is judged and filed in each by itself, in either order."""
    register(world, organiser="1.2.246.10.94006015.10.0", purchaser="heinola")
    organisers = []
    for purchasers in (("lapha", "heinola"), ("heinola", "lapha")):
        cast = Cast(next(NUMBERS))
        day = {"lapha": 2, "heinola": 3}
        for purchaser in purchasers:
            known = [cast.client("A"), cast.decision("A", id=f"P-{purchaser}-{cast.number}", unit_price=40)]
            deliver(world, [STAFF, *known, cast.entry("A", day=day[purchaser])], purchaser=purchaser)
        query = (
            select(record.c.purchaser, document.c.organiser)
            .join(record, record.c.id == document.c.record_row)
            .where(document.c.client_ref == cast.ref(world, "A"), document.c.state != "withdrawn")
        )
        with world.gateway.parts.database.reading() as tx:
            organisers.append(sorted(map(tuple, tx.execute(query))))

    assert organisers[0] == organisers[1]
    assert [("heinola", "1.2.246.10.94006015.10.0"), ("lapha", ORGANISER)] == organisers[0]
