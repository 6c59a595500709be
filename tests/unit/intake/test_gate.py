"""The gate: every answer leaves by its recipient's list, whatever a route has made of it."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from kanta_gateway.access.views import Views
from kanta_gateway.intake.gate import Gate, ShownStream
from kanta_gateway.messages import Messages
from kanta_gateway.model import Caller, Oid

VIEWS = Views.load("""
answers:
  thing:
    of: [GET /thing, GET /lines, GET /page, GET /stream, GET /shown, GET /nobody]
    event: record:read
    see: [{roles: [r], fields: [a, rows/b]}, {roles: [whole], fields: [content, a]}]
apart: {GET /health: says nothing}
""")
MARKED = "Q7XW"
TOLD = {"a": 1, "secret": MARKED, "rows": [{"b": 1, "secret": MARKED}]}


def application() -> FastAPI:
    """Routes that tell more than they should, each in its own way."""
    app = FastAPI()
    app.state.service = SimpleNamespace(views=VIEWS, messages=Messages.load({}), language="en")
    answers: dict[str, Any] = {
        "/thing": lambda: JSONResponse(TOLD, 202, {"X-Kept": "yes"}),
        "/lines": lambda: Response(f"{json.dumps(TOLD)}\n{json.dumps(TOLD)}\n", media_type="application/x-ndjson"),
        "/page": lambda: Response(f"<p>{MARKED}</p>", media_type="text/html"),
        "/stream": lambda: StreamingResponse(iter([b'{"a":1,"sec', f'ret":"{MARKED}"}}'.encode()]),
                                             media_type="application/json"),
        "/unlisted": lambda: JSONResponse(TOLD), "/health": lambda: JSONResponse({"status": "up"}),
        "/problem": lambda: JSONResponse({"code": "x"}, 404, media_type="application/problem+json"),
    }  # fmt: skip

    def add(path: str) -> None:
        @app.get(path)
        def get(request: Request, role: str = "r") -> Response:
            if role != "nobody":
                request.state.caller = Caller("s", Oid("1.1"), "p", "n", role, "purpose")
            if path == "/shown":
                pieces = lambda sight: iter([json.dumps(sight.shown(TOLD)).encode()])  # noqa: E731
                return ShownStream(request, pieces, "application/json")
            made: Response = answers[path]()
            return made

    for path in (*answers, "/shown"):
        add(path)
    app.add_middleware(Gate, service=app.state.service)
    return app


def get(path: str) -> httpx.Response:
    """One call."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gate") as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/thing", "/stream", "/shown"])
def test_json_is_shown_by_the_list(path: str) -> None:
    """JSON is shown by the list, at once or in pieces; status and headers stay, and the length is right."""
    told = get(path)

    assert MARKED not in told.text
    assert told.json()["a"] == 1
    if path == "/thing":
        assert (told.status_code, told.headers["x-kept"], told.json()["rows"]) == (202, "yes", [{"b": 1}])
        assert int(told.headers["content-length"]) == len(told.content)


def test_lines_are_shown_one_by_one() -> None:
    """Each line of NDJSON is shown by the list."""
    assert [{"a": 1, "rows": [{"b": 1}]}] * 2 == [json.loads(one) for one in get("/lines").text.splitlines()]


@pytest.mark.parametrize(
    "path",
    ["/page", "/page?role=nobody", "/thing?role=nobody", "/thing?role=other", "/unlisted", "/unlisted?role=whole"],
)
def test_without_a_list_nothing(path: str) -> None:
    """A page without `content` on the list, a caller without a list, nobody, a route that no list names: 403."""
    told = get(path)

    assert (told.status_code, told.headers["content-type"]) == (403, "application/problem+json")
    assert MARKED not in told.text


def test_what_passes() -> None:
    """What stands apart, problem documents, and content that is on the list pass as they are."""
    assert get("/health?role=nobody").json() == {"status": "up"}
    assert (get("/problem").status_code, get("/problem").json()) == (404, {"code": "x"})
    assert MARKED in get("/page?role=whole").text
