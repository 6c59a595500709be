"""Two client numbers of one person: merged they are one file, un-merged they are as if they had never been merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.chains import ORGANISER, STAFF, Cast, deliver, end, register
from tests.faults_world import World
from tests.logs import opened
from tests.small_export import PROVIDER

from kanta_gateway.errors import ConflictError, NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.pipeline import deliver as sending
from kanta_gateway.pipeline.people import People

NUMBERS = count(1)
OTHER = "1.2.246.10.94005136.10.0"
"""Another provider, of another controller."""
MAY = st.booleans()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for every story: each has clients of its own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sending, "CONNECTIONS", 1)
    patch.setattr("kanta_gateway.operating.dispatch.stop_on_signals", lambda _stop: None)
    one = World(tmp_path_factory.mktemp("persons"))
    register(one)
    register(one, OTHER, "1.2.246.10.94006023.10.0")
    deliver(one, [STAFF])
    yield one
    one.gateway.close()
    patch.undo()


def begin(world: World, **other: Any) -> Cast:
    """A client with a decision, and another number with three days of the same person."""
    cast = Cast(next(NUMBERS))
    deliver(world, [cast.client("A"), cast.decision("A"), cast.entry("A")])
    deliver(world, [cast.client("B", **other), cast.decision("B"), *(cast.entry("B", day=day) for day in (3, 4, 9))])
    return cast


def merge(world: World, cast: Cast, caller: Caller | None = None, reason: str = "temporary-code") -> dict[str, Any]:
    """Merge the second number into the first."""
    return world.gateway.people.merge(caller or world.caller, cast.name("B"), cast.name("A"), reason, provider=PROVIDER)


def unmerge(world: World, cast: Cast) -> dict[str, Any]:
    """Take that back."""
    return world.gateway.people.unmerge(world.caller, cast.name("B"), "mistake", provider=PROVIDER)


def without_numbers(world: World, cast: Cast) -> Any:
    """How a story ended, told without its own number."""
    texts = orjson.dumps(end(world, cast)).decode()
    for name in "ABCD":
        texts = texts.replace(cast.code(name), f"<{name}>").replace(cast.name(name), f"<{name}>")
    told: dict[str, Any] = orjson.loads(texts.replace(f"D-{cast.number}-", "D-"))
    return told | {name: sorted(told[name], key=str) for name in ("archive", "outcomes")}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sends=st.tuples(MAY, MAY, MAY), story=st.tuples(MAY, MAY, MAY))
def test_unmerging_takes_exactly_the_merge_back(
    world: World, sends: tuple[bool, bool, bool], story: tuple[bool, bool, bool]
) -> None:
    """Merged and un-merged at any moments, also by a process that dies behind each act, ends as never merged."""
    is_corrected, dies, is_secret = story
    contact = {"non_disclosure": True, "contact": {"street_address": "Kuvitelmankatu 8 B 3"}} if is_secret else {}
    plain = begin(world, **contact)
    if is_corrected:
        deliver(world, [plain.entry("B", 2, day=3)])
    world.deliver()

    cast = begin(world, **contact)
    with pytest.MonkeyPatch.context() as patch:
        if dies:
            patch.setattr(People, "_settle", lambda *_: None)
        for is_sent, act in zip(sends, (merge, unmerge, None), strict=True):
            if is_sent:
                world.deliver()
            if act is not None:
                act(world, cast)
            if act is merge and is_corrected:
                deliver(world, [cast.entry("B", 2, day=3)])
    world.deliver()

    assert without_numbers(world, plain) == without_numbers(world, cast)


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_merged_person_is_one_file(world: World, is_sent: bool) -> None:  # noqa: FBT001
    """Documents of both numbers stand under the one identity, and one set of figures counts the days of both."""
    cast = begin(world)
    if is_sent:
        world.deliver()
    apart = end(world, cast)["figures"]
    merge(world, cast)
    world.deliver()
    seen = end(world, cast)

    assert [cast.code("A")] * 4 == [whose for whose, _ in seen["archive"]]
    assert [1, 3] == [apart[name]["accepted_days"] for name in "AB"]
    assert 4 == seen["figures"]["A"]["accepted_days"]
    assert seen["figures"]["B"] is None
    assert seen["open"] == []


def test_rules_see_the_records_of_both_numbers(world: World) -> None:
    """Five days of one week, three under one number and two under the other, are above the four that are allowed."""
    cast = begin(world)
    deliver(world, [cast.entry("A", day=1), cast.entry("A", day=5)])

    def above() -> list[str]:
        return [one[2] for one in end(world, cast)["outcomes"] if one[1] == "diary_entry" and "LAP-03" in one[5]]

    apart = above()
    merge(world, cast)

    assert apart == []
    assert above() == [f"D-{cast.number}-5"]


def test_each_act_is_told_on_both_clients(world: World) -> None:
    """Who merged and un-merged, when and why stands in the log of both clients, and the log holds."""
    cast = begin(world)
    merge(world, cast)
    unmerge(world, cast)
    found: dict[str, list[tuple[str, str]]] = {}
    for told in opened(world.gateway, Event.PERSON_MERGE, Event.PERSON_UNMERGE):
        found.setdefault(told["client"], []).append((told["event"], told["details"]["reason"]))
    acts = [("person:merge", "temporary-code"), ("person:unmerge", "mistake")]

    assert [acts, acts] == [found[cast.ref(world, name)] for name in "AB"]
    assert world.gateway.trail.verify()["holds"]


def test_matches_are_told_and_not_acted_on(world: World) -> None:
    """Two numbers with one identity code are a match in their own register, and nothing has changed by it."""
    cast = Cast(next(NUMBERS))
    deliver(world, [cast.client("A"), cast.client("B", identity_code=cast.code("A"))])
    deliver(world, [STAFF, cast.client("A")], OTHER)
    told = world.gateway.people.listed(world.caller)
    same = [one for one in told["matches"] if one["why"] == "same-identity-code"]
    mine = [one for one in same if cast.name("A") in {client["client"] for client in one["clients"]}]

    assert [("same-identity-code", [cast.name("A"), cast.name("B")], {PROVIDER})] == [
        (one["why"], [client["client"] for client in one["clients"]], {client["provider"] for client in one["clients"]})
        for one in mine
    ]
    assert cast.code("A") not in str(told)
    assert all(one["client"] != cast.name("B") for one in told["merged"])

    merge(world, cast, reason="same-identity-code")

    assert cast.name("B") in {one["client"] for one in world.gateway.people.listed(world.caller)["merged"]}


def test_what_cannot_be_merged(world: World) -> None:
    """Nobody is merged twice, with itself, with another controller's client, or without a known reason."""
    cast = begin(world)
    deliver(world, [STAFF, cast.client("C")], OTHER)
    people, caller = world.gateway.people, world.caller
    with pytest.raises(ParameterError):
        merge(world, cast, reason="they look alike")
    with pytest.raises(ConflictError):
        people.merge(caller, cast.name("A"), cast.name("A"), "temporary-code", provider=PROVIDER)
    with pytest.raises(NotFoundError):
        people.merge(caller, cast.name("A"), cast.name("C"), "temporary-code")
    with pytest.raises(ConflictError):
        unmerge(world, cast)
    merge(world, cast)
    with pytest.raises(ConflictError):
        merge(world, cast)
    with pytest.raises(ConflictError):
        people.merge(caller, cast.name("A"), cast.name("B"), "temporary-code", provider=PROVIDER)


def test_only_the_controllers_official_may(world: World) -> None:
    """A provider's system may not merge; the controller's registrar may, for a stated purpose, in its own register."""
    cast = begin(world)
    registrar = replace(
        world.caller, system="register", role="registrar", purpose="register-maintenance", contract="NAYTE/1",
        organisation=Oid(ORGANISER),
    )  # fmt: skip
    refused = [
        replace(registrar, role="provider-system", organisation=Oid(PROVIDER)),
        replace(registrar, organisation=Oid(PROVIDER)),
        replace(registrar, purpose="curiosity"),
    ]
    for caller in refused:
        with pytest.raises(NotPermittedError):
            merge(world, cast, caller)
    with pytest.raises(NotFoundError):
        merge(world, cast, replace(registrar, organisation=Oid("1.2.246.10.94006023.10.0")))

    assert cast.name("A") == merge(world, cast, registrar)["filed_as"]
