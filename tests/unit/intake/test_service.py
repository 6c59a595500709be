"""The web application without anything behind it: who may call, and what is told of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import httpx
import pytest
from fastapi.routing import APIRoute

from kanta_gateway import knowledge
from kanta_gateway.errors import NotAuthenticatedError
from kanta_gateway.intake.api import build, router
from kanta_gateway.intake.service import _status
from kanta_gateway.messages import Messages
from kanta_gateway.model import Caller, Oid, Outcome

MARKED = "Salaista-Q7XW"
ROUTES = [one for one in router.routes if isinstance(one, APIRoute)]
GUARDED = [(method, one.path) for one in ROUTES if one.path != "/health" for method in sorted(one.methods or ())]


class Stub:
    """A service that knows one token and fails at everything else."""

    version = "0"
    language = "fi"
    messages = Messages.load(knowledge.texts("mappings/messages"))

    def identify(self, token: str) -> Caller:
        """Know the caller `known` only."""
        if token != "known":  # noqa: S105 — no secret
            raise NotAuthenticatedError
        return Caller("s", Oid("1.2"), "p", "P", "provider-system", "delivery")

    def nobody(self) -> NotAuthenticatedError:
        """Refuse a call without an assertion."""
        return NotAuthenticatedError()

    def max_body_bytes(self, _path: str) -> int:
        """A small limit."""
        return 100

    def submit(self, *_: Any, **__: Any) -> NoReturn:
        """Fail with a value in the message, as a library might."""
        raise ValueError(MARKED)


class Client:
    """Calls the application without a network."""

    def __init__(self) -> None:
        self._app = build(Stub())  # type: ignore[arg-type]

    def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """One call."""

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://x") as one:
                return await one.request(method, path, **rest)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def client() -> Client:
    """The application over the stub."""
    return Client()


async def pieces() -> AsyncIterator[bytes]:
    """A body of 120 bytes whose length nobody told."""
    yield b"x" * 60
    yield b"x" * 60


def test_there_are_routes() -> None:
    """Records, files, tickets, documents, figures and the log all have their routes."""
    assert len(GUARDED) >= 15


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_every_route_is_guarded(client: Client, method: str, path: str) -> None:
    """Every route but /health answers 401 without an assertion, whatever else is wrong with the call."""
    told = client.request(method, path, content=b"{" if method == "POST" else None)

    assert told.status_code == 401
    assert told.headers["www-authenticate"] == "Bearer"


def test_nothing_beside_the_routes(client: Client) -> None:
    """The framework's own pages are not there: no description without an assertion."""
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.request("GET", path).status_code == 404


def test_unexpected_failure(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    """What nobody expected is a problem document; its message is neither answered nor written out."""
    told = client.request("POST", "/v1/records", content=b"{}", headers={"Authorization": "Bearer known"})
    written = "".join(capfd.readouterr())

    assert told.status_code == 500
    assert told.json()["code"] == "gateway"
    assert "ValueError" in written
    assert MARKED not in told.text + written


def test_body_above_the_limit(client: Client) -> None:
    """A body above the limit is refused, announced or not."""
    headers = {"Authorization": "Bearer known"}
    announced = client.request("POST", "/v1/records", content=b"x" * 101, headers=headers)
    streamed = client.request("POST", "/v1/records", content=pieces(), headers=headers)

    assert (announced.status_code, streamed.status_code) == (413, 413)
    assert announced.json()["findings"][0]["rule"] == "SRC-SIZE"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.ACCEPTED, 201), (Outcome.FLAGGED, 201), (Outcome.REPLACEMENT, 201), (Outcome.REFERENCE, 201),
        (Outcome.HELD, 202), (Outcome.REFUSED, 202), (None, 202), (Outcome.DUPLICATE, 200),
    ],
)  # fmt: skip
def test_status_of_an_outcome(outcome: Outcome | None, status: int) -> None:
    """What stands is 201, what waits or is refused 202, a repeat 200."""
    assert _status(outcome) == status
