"""Papers and handovers at the shells: the commands, and papers over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
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
from tests.small_export import PROVIDER
from typer.testing import CliRunner

from kanta_gateway import cli
from kanta_gateway.access.identity import assertion
from kanta_gateway.signing.keys import make_development_keys
from kanta_gateway.web import application

CAST = Cast(1)
OTHER = "1.2.246.10.94006015.10.0"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One client's records, archived; the installation is closed again."""
    one = World(tmp_path / "one")
    register(one)
    deliver(one, [STAFF, CAST.client("A"), CAST.decision("A"), CAST.entry("A")])
    assert 0 == one.deliver()
    return one


def command(data: Path, *arguments: str, code: int = 0) -> Any:
    """Run a command in this process; what it prints, as JSON where it is."""
    result = CliRunner().invoke(cli.app, ["--data", str(data), *arguments])

    assert (code, None) == (result.exit_code, None if code else result.exception), result.output
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def test_papers_by_command(world: World, tmp_path: Path) -> None:
    """`papers list`, `write` and `check` offer, write and check what the configuration says; a change makes exit 3."""
    world.gateway.close()
    data, out = tmp_path / "one/data", tmp_path / "papers"
    listed = command(data, "papers", "list", "--json")["papers"]
    told = command(
        data, "papers", "write", str(out), "--paper", "annex", "--language", "fi", "--language", "sv", "--json"
    )
    paper = str(next(out.glob("*.sv.docx")))
    fresh = command(data, "papers", "check", paper, "--json")
    parties = ("--provider", PROVIDER, "--provider-name", "Uusi nimi", "--organiser", ORGANISER)
    contract = ("--organiser-name", "Tilaaja", "--contract", "NAYTE/2", "--purchaser", "lapha")
    command(data, "parties", "register", *parties, *contract)
    stale = command(data, "papers", "check", paper, "--json", code=3)
    command(data, "papers", "write", str(out), "--paper", "none", code=3)

    assert {"annex", "dpia", "processing-controller", "processing-processor", "security"} == {
        one["paper"] for one in listed
    }
    assert 4 == told["written"] == len([*out.iterdir()])
    assert (True, []) == (fresh["up_to_date"], fresh["changed"])
    assert (False, True) == (stale["up_to_date"], stale["file_is_as_made"])


def test_handover_by_command(world: World, tmp_path: Path) -> None:
    """The commands of `handover` carry one controller from one installation to another, and destroy the copy."""
    world.gateway.close()
    made = make_development_keys("Hyvinvointialue", ORGANISER, "x", datetime.now(UTC), algorithm="p-256")
    certificate, key, package, receipt = (tmp_path / name for name in ("c.pem", "k.pem", "package", "receipt"))
    certificate.write_bytes(made.certificate)
    key.write_bytes(made.key)
    one, two = tmp_path / "one/data", tmp_path / "two/data"
    log = ("--from-log", str(one / "keys/checkpoint.vkey"))
    own = ("--certificate", str(certificate))
    told = command(one, "handover", "export", str(package), "--controller", ORGANISER, *own, "--json")
    secret = (*own, "--key", str(key), *log)
    taken = command(two, "handover", "import", str(package), *secret, "--receipt", str(receipt), "--json")
    opened = command(two, "handover", "open", str(package), str(tmp_path / "open"), *secret, "--json")
    listed = command(two, "handover", "list", "--json")["packages"]
    command(two, "handover", "log", told["package"], str(tmp_path / "log"))
    early = CliRunner().invoke(
        cli.app, ["--data", str(one), "handover", "destroy", told["package"], "--instruction", "x"]
    )
    command(one, "handover", "confirm", str(receipt), "--recipient-log", str(two / "keys/checkpoint.vkey"))
    gone = command(one, "handover", "destroy", told["package"], "--instruction", "HVA 1/2026", "--json")

    assert told["manifest"] == taken["manifest"] == opened["manifest"]
    assert [told["package"]] == [each["package"] for each in listed]
    assert (tmp_path / "log/verify.py").is_file()
    assert "not confirmed" in str(early.exception)
    assert gone["destroyed"]["documents"] == told["counts"]["signed"] > 0


Bearer = Callable[[], str]
"""Gives a fresh assertion: each is good for one call."""


def nobody() -> str:
    """No assertion."""
    return ""


def call(app: FastAPI, bearer: Bearer, method: str, path: str, content: bytes = b"", **params: str) -> httpx.Response:
    """One call without a network."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as one:
            told = bearer()
            headers = {"authorization": f"Bearer {told}"} if told else {}
            return await one.request(method, path, params=params, headers=headers, content=content)

    return asyncio.run(ask())


def token(world: World, organisation: str, role: str) -> Bearer:
    """Assertions of a system of this organisation."""
    made = make_development_keys("test system", "", "calling system", datetime.now(UTC), algorithm="p-256")
    key = load_pem_private_key(made.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    world.gateway.registration.register_system(made.certificate.decode(), organisation, "test system")
    certificate = load_pem_x509_certificate(made.certificate)
    return lambda: assertion(
        key, certificate, system="test system", organisation=organisation, person_id="V-1",
        person_name="Virve Viranhaltija", role=role, purpose="supervision", audience="kanta-gateway",
        now=datetime.now(UTC), contract="NAYTE/1",
    )  # fmt: skip


def test_papers_over_http(world: World) -> None:
    """A registrar and an auditor get papers in both forms; others' are not there, other roles are denied."""
    app = application(world.gateway)
    registrar, auditor = token(world, ORGANISER, "registrar"), token(world, OTHER, "auditor")
    listed = call(app, registrar, "GET", "/v1/papers").json()["papers"]
    page = call(app, registrar, "GET", "/v1/papers/dpia", of=ORGANISER, language="sv")
    word = call(app, auditor, "GET", "/v1/papers/security", form="docx")
    checked = call(app, registrar, "POST", "/v1/papers/checks", page.content).json()
    codes = {
        "nobody": call(app, nobody, "GET", "/v1/papers").status_code,
        "another": call(app, token(world, OTHER, "registrar"), "GET", "/v1/papers/dpia", of=ORGANISER).status_code,
        "no right": call(app, token(world, PROVIDER, "provider-system"), "GET", "/v1/papers").status_code,
        "no such": call(app, auditor, "GET", "/v1/papers/none").status_code,
        "no language": call(app, auditor, "GET", "/v1/papers/security", language="de").status_code,
        "misspelt": call(app, auditor, "GET", "/v1/papers/security", lang="fi").status_code,
        "no paper": call(app, auditor, "POST", "/v1/papers/checks", b"x").status_code,
    }
    world.gateway.close()

    assert {"annex", "dpia", "processing-controller", "processing-processor"} == {one["paper"] for one in listed}
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["content-type"])
    assert 'lang="sv"' in page.text
    assert (200, b"PK") == (word.status_code, word.content[:2])
    assert {"paper": "dpia", "of": ORGANISER, "up_to_date": True, "changed": [], "file_is_as_made": True} == checked
    assert {"nobody": 401, "another": 404, "no right": 403, "no such": 404, "no language": 422, "misspelt": 422,
            "no paper": 422} == codes  # fmt: skip
