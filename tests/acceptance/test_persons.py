"""Persons at the shells: the controller's system over HTTP, and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.calling import Line, System
from tests.chains import ORGANISER, STAFF, Cast, deliver, register
from tests.faults_world import World
from tests.processes import InProcess
from tests.small_export import PROVIDER

from kanta_gateway.model import Oid

CAST = Cast(1)
OTHER = "1.2.246.10.94006015.10.0"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two client numbers with one identity code."""
    one = World(tmp_path)
    register(one)
    deliver(one, [STAFF, CAST.client("A"), CAST.decision("A"), CAST.entry("A")])
    deliver(one, [CAST.client("B", identity_code=CAST.code("A")), CAST.decision("B"), CAST.entry("B", day=3)])
    yield one
    one.gateway.close()


def caller_of(world: World, organisation: str) -> System:
    """A registrar's system, which its organisation has registered."""
    return System(organisation, "registrar", purpose="register-maintenance", contract="NAYTE/1").registered(
        world.gateway
    )


def test_over_http(world: World) -> None:
    """The controller's registrar lists, merges and un-merges; a provider's system may not even claim the role.

    The registrar of another controller finds nobody, and an organisation that controls no register is refused.
    """
    call, names = Line(world.gateway), {"client": CAST.name("B"), "into": CAST.name("A")}
    own = caller_of(world, ORGANISER)
    matches = call(own.token(), "GET", "/v1/persons").json()["matches"]
    merged = call(own.token(), "POST", "/v1/persons/merge", params={"reason": "same-identity-code", **names})
    again = call(own.token(), "POST", "/v1/persons/merge", params={"reason": "same-identity-code", **names})
    wordless = call(own.token(), "POST", "/v1/persons/merge", params={"reason": "because", **names})
    unmerged = call(own.token(), "POST", "/v1/persons/unmerge", params={"reason": "mistake", "client": CAST.name("B")})
    claimed = call(caller_of(world, PROVIDER).token(), "GET", "/v1/persons")
    register(world, organiser=OTHER, purchaser="heinola")
    others = [
        call(caller_of(world, organisation).token(), "POST", "/v1/persons/merge",
             params={"reason": "same-identity-code", **names})
        for organisation in (OTHER, "1.2.246.10.94006023.10.0")
    ]  # fmt: skip

    assert [CAST.name("A"), CAST.name("B")] == [one["client"] for one in matches[0]["clients"]]
    assert (200, CAST.name("A")) == (merged.status_code, merged.json()["filed_as"])
    assert [409, 422, 200, 403] == [one.status_code for one in (again, wordless, unmerged, claimed)]
    assert [404, 403] == [one.status_code for one in others]


def test_an_act_tells_what_decided(world: World) -> None:
    """The entries of a merge name the row of the decision table and its provisions."""
    caller = replace(world.caller, system="system", organisation=Oid(ORGANISER), role="registrar",
                     purpose="register-maintenance", contract="NAYTE/1")  # fmt: skip
    world.gateway.people.merge(caller, CAST.name("B"), CAST.name("A"), "same-identity-code")
    entries = world.gateway.office.entries(world.caller, CAST.name("B"), -1, 10_000)["entries"]
    merged = [one for one in entries if one["event"] == "person:merge"]

    assert merged
    assert {("D1", "703/2023 §4.3; 703/2023 §9")} == {(one["details"]["row"], one["basis"]) for one in merged}


def test_by_command(world: World) -> None:
    """The commands do the same, print JSON, and fail with an exit code when there is nothing to take back."""
    cli = InProcess(world.folder / "data")

    def told(*words: str) -> Any:
        done = cli("persons", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert CAST.name("A") == told("merge", CAST.name("B"), CAST.name("A"), "--reason", "same-identity-code")["filed_as"]
    assert [CAST.name("B")] == [one["client"] for one in told("list")["merged"]]
    assert CAST.name("B") == told("unmerge", CAST.name("B"), "--reason", "mistake")["filed_as"]
    assert cli("persons", "unmerge", CAST.name("B"), "--reason", "mistake").returncode == 1
