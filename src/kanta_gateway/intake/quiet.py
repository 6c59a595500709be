"""Failures of the HTTP face: answered as problem documents, told without their values.

* The server would write an unexpected exception with its message, and a library's message may hold a value.
* The outermost layer sees to it that neither answer nor output does.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

import orjson
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from kanta_gateway.errors import GatewayError
from kanta_gateway.intake.wire import problem
from kanta_gateway.messages import language_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kanta_gateway.intake.service import Service

RETRY_SECONDS = "30"
"""`Retry-After` of what may be tried again: about one round of the worker."""


class Quiet:
    """Outermost layer: what nobody expected is answered as a problem, and told without its values.

    The server would write the exception with its message, and a message of a library may hold a value.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one call on."""
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 — the last place where it can be kept from the output
            where = [f"{one.filename}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)[-3:]]
            print(f"kanta-gateway api: {type(error).__name__} at {' < '.join(reversed(where))}", file=sys.stderr)  # noqa: T201 — the server's own output
            if has_begun or scope["type"] != "http":
                return
            response = problem_response(Request(scope), GatewayError(), self._service)
            await response(scope, receive, send)


def problem_response(request: Request, error: GatewayError, service: Service) -> Response:
    """The answer to a failed call, in the caller's language."""
    language = language_of(request.headers.get("accept-language"), service.language)
    route = request.scope.get("route")
    told = problem(error, service.messages, language, getattr(route, "path", ""))
    headers = {"Content-Language": language}
    if error.status in {429, 503}:
        headers["Retry-After"] = RETRY_SECONDS
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        orjson.dumps(told), status_code=error.status, headers=headers, media_type="application/problem+json"
    )
