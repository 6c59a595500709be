"""Persons at the shells: the controller's system over HTTP, and the commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from fastapi import FastAPI
from tests.chains import ORGANISER, STAFF, Cast, deliver, register
from tests.faults_world import World
from tests.processes import Cli
from tests.small_export import PROVIDER

from kanta_gateway.access.identity import assertion
from kanta_gateway.model import Oid
from kanta_gateway.signing.keys import make_development_keys

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


def token(world: World, organisation: str, role: str) -> str:
    """An assertion of a system of this organisation, which is registered by it."""
    made = make_development_keys("test system", "", "calling system", datetime.now(UTC), algorithm="p-256")
    key = load_pem_private_key(made.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    world.gateway.register_system(made.certificate.decode(), organisation, "test system")
    return assertion(
        key, load_pem_x509_certificate(made.certificate), system="test system", organisation=organisation,
        person_id="V-1", person_name="Virve Viranhaltija", role=role, purpose="register-maintenance",
        audience="kanta-gateway", now=datetime.now(UTC), contract="NAYTE/1",
    )  # fmt: skip


def call(app: FastAPI, bearer: str, method: str, path: str, **params: str) -> httpx.Response:
    """One call without a network."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as one:
            return await one.request(method, path, params=params, headers={"Authorization": f"Bearer {bearer}"})

    return asyncio.run(ask())


def test_over_http(world: World) -> None:
    """The controller's registrar lists, merges and un-merges; a provider's system may not even claim the role.

    The registrar of another controller finds nobody, and an organisation that controls no register is refused.
    """
    app, names = world.gateway.api(), {"client": CAST.name("B"), "into": CAST.name("A")}
    own = token(world, ORGANISER, "registrar")
    matches = call(app, own, "GET", "/v1/persons").json()["matches"]
    merged = call(app, own, "POST", "/v1/persons/merge", reason="same-identity-code", **names)
    again = call(app, own, "POST", "/v1/persons/merge", reason="same-identity-code", **names)
    wordless = call(app, own, "POST", "/v1/persons/merge", reason="because", **names)
    unmerged = call(app, own, "POST", "/v1/persons/unmerge", reason="mistake", client=CAST.name("B"))
    claimed = call(app, token(world, PROVIDER, "registrar"), "GET", "/v1/persons")
    register(world, organiser=OTHER, purchaser="heinola")
    others = [
        call(app, token(world, organisation, "registrar"), "POST", "/v1/persons/merge", reason="same-identity-code",
             **names)
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


@pytest.mark.process
def test_by_command(world: World) -> None:
    """The commands do the same, print JSON, and fail with an exit code when there is nothing to take back."""
    cli = Cli(world.folder / "data")

    def told(*words: str) -> Any:
        done = cli("persons", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert CAST.name("A") == told("merge", CAST.name("B"), CAST.name("A"), "--reason", "same-identity-code")["filed_as"]
    assert [CAST.name("B")] == [one["client"] for one in told("list")["merged"]]
    assert CAST.name("B") == told("unmerge", CAST.name("B"), "--reason", "mistake")["filed_as"]
    assert cli("persons", "unmerge", CAST.name("B"), "--reason", "mistake").returncode == 1
