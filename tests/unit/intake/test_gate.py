"""The last thing that every answer passes: what no list shows does not leave, whatever a route has made."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from kanta_gateway.access.views import Sight
from kanta_gateway.intake import gate
from kanta_gateway.intake.service import Service
from kanta_gateway.model import Caller, Oid

CALLER = Caller("records", Oid("1.2"), "T-1", "N", "auditor", "audit")
NARROW, WHOLE = Sight("some", {"count": {}}), Sight("some", {"content": {}})


def answered(monkeypatch: pytest.MonkeyPatch, sight: Sight | None, kind: str, *, is_known: bool = True) -> Response:
    """The answer of a route that tells a name, as it leaves."""
    monkeypatch.setattr(gate, "problem_response", lambda *_: PlainTextResponse("refused", 403))
    views = SimpleNamespace(
        knows=lambda _: is_known, answer_at=lambda _: SimpleNamespace(name="some"), sight=lambda *_: sight
    )
    app = FastAPI()

    @app.get("/v1/some")
    def some(request: Request) -> Response:
        request.state.caller = CALLER
        if kind == "json":
            return JSONResponse({"count": 1, "name": "Erkki"})
        if kind == "lines":
            return Response(b'{"count":1,"name":"Erkki"}\n{"name":"Erkki"}\n', media_type="application/x-ndjson")
        return PlainTextResponse("count 1, name Erkki")

    inside: Any = gate.Gate(app, cast("Service", SimpleNamespace(views=views)))

    async def call() -> Any:
        transport = httpx.ASGITransport(app=inside)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            return await client.get("/v1/some")

    return cast("Response", asyncio.run(call()))


@pytest.mark.parametrize("kind", ["json", "lines", "text"])
@pytest.mark.parametrize(("sight", "is_known"), [(None, True), (NARROW, False)])
def test_without_a_list_nothing_leaves(
    monkeypatch: pytest.MonkeyPatch, kind: str, sight: Sight | None, *, is_known: bool
) -> None:
    """A caller that no list has, and a route that none names, get a refusal instead of the answer."""
    told: Any = answered(monkeypatch, sight, kind, is_known=is_known)

    assert (403, "refused") == (told.status_code, told.text)


@pytest.mark.parametrize(("kind", "expected"), [("json", '{"count":1}'), ("lines", '{"count":1}\n{}\n')])
def test_what_the_list_shows_leaves(monkeypatch: pytest.MonkeyPatch, kind: str, expected: str) -> None:
    """Of JSON, whole or in lines, the members of the list leave, and the length is theirs."""
    told: Any = answered(monkeypatch, NARROW, kind)

    assert (200, expected, str(len(expected))) == (told.status_code, told.text, told.headers["content-length"])


@pytest.mark.parametrize(("sight", "status"), [(NARROW, 403), (WHOLE, 200)])
def test_content_needs_its_place_on_the_list(monkeypatch: pytest.MonkeyPatch, sight: Sight, status: int) -> None:
    """What is no JSON leaves whole or not at all."""
    told: Any = answered(monkeypatch, sight, "text")

    assert status == told.status_code
    assert ("Erkki" in told.text) == (status == 200)
