"""The last thing that every answer of the HTTP face passes: its recipient's list of fields.

* It reads what is about to leave, whatever a route has made of it: no route can go round it.
* JSON is shown by the caller's list (`mappings/policy/views.yaml`); what is no JSON needs the field `content` on it.
* A route that no list names, and a caller that no list has, gets nothing: 403.
* An answer that is told piece by piece (`ShownStream`) is shown by the list before each piece is made.
* Problem documents pass: code, title and findings by field name, never a value.

Source: 703/2023 §9.1; rule ids ACC-02 and LOG-14 of `docs/traceability.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from fastapi import Request
from fastapi.responses import StreamingResponse

from kanta_gateway.errors import NotPermittedError
from kanta_gateway.intake.quiet import problem_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kanta_gateway.access.views import Sight
    from kanta_gateway.intake.service import Service
    from kanta_gateway.model import Caller

_JSON, _LINES, _PROBLEM = b"application/json", b"application/x-ndjson", b"application/problem+json"
_SHOWN = "kanta_gateway.shown"
"""In the scope of a call: its answer is shown piece by piece."""


class ShownStream(StreamingResponse):
    """An answer that is made piece by piece, and shown by its recipient's list while it is made.

    Args:
        request: the call.
        pieces: makes the answer, given what of it is shown.
    """

    def __init__(self, request: Request, pieces: Callable[[Sight], Iterator[bytes]], media_type: str) -> None:
        sight = sight_of(request.scope, request.app.state.service)
        if sight is None:
            raise NotPermittedError(_reason(request.scope))
        super().__init__(pieces(sight), media_type=media_type)
        request.scope[_SHOWN] = True


def sight_of(scope: Scope, service: Service) -> Sight | None:
    """What the caller of a call is shown of its answer; None for nothing."""
    caller: Caller | None = scope.get("state", {}).get("caller")
    place = place_of(scope)
    if caller is None or not service.views.knows(place) or (answer := service.views.answer_at(place)) is None:
        return None
    return service.views.sight(answer.name, caller.role, caller.purpose)


def place_of(scope: Scope) -> str:
    """Method and route of a call, as the lists name them."""
    return f"{scope.get('method', '')} {getattr(scope.get('route'), 'path', '')}"


class Gate:
    """Shows every answer by its recipient's list."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one call on, and what is shown of its answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun: list[Message] = []
        pieces: list[bytes] = []

        async def shown(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                if self._passes(scope, message):
                    await send(message)
            elif self._passes(scope, begun[0]):
                await send(message)
            else:
                pieces.append(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send(scope, receive, send, begun[0], b"".join(pieces))

        await self._app(scope, receive, shown)

    def _passes(self, scope: Scope, start: Message) -> bool:
        """Whether an answer needs no list, or has been shown by it already."""
        if scope.get(_SHOWN) or _kind(start) == _PROBLEM:
            return True
        views, place = self._service.views, place_of(scope)
        return views.knows(place) and views.answer_at(place) is None

    async def _send(self, scope: Scope, receive: Receive, send: Send, start: Message, body: bytes) -> None:
        sight = sight_of(scope, self._service)
        kind = _kind(start)
        if sight is None or (kind not in {_JSON, _LINES} and not sight.has_content):
            refused = problem_response(Request(scope), NotPermittedError(_reason(scope)), self._service)
            await refused(scope, receive, send)
            return
        left = _left(sight, kind, body)
        headers = [one for one in start["headers"] if one[0].lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(left)).encode())]})
        await send({"type": "http.response.body", "body": left})


def _left(sight: Sight, kind: bytes, body: bytes) -> bytes:
    """What is shown of an answer."""
    if kind == _JSON:
        return orjson.dumps(sight.shown(orjson.loads(body)))
    if kind == _LINES:
        return b"".join(orjson.dumps(sight.shown(orjson.loads(line))) + b"\n" for line in body.splitlines())
    return body


def _kind(start: Message) -> bytes:
    headers: Any = start["headers"]
    told = next((bytes(value) for name, value in headers if name.lower() == b"content-type"), b"")
    return told.partition(b";")[0].strip()


def _reason(scope: Scope) -> str:
    return f"nothing of {place_of(scope)} is shown to the role for this purpose (mappings/policy/views.yaml)"
