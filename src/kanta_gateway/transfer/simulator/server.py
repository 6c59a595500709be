"""The simulated archive's process: routes, faults, and the socket."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from kanta_gateway.transfer.reports import FHIR_JSON
from kanta_gateway.transfer.simulator import register
from kanta_gateway.transfer.simulator.answers import GARBAGE, Verdict, acknowledgement
from kanta_gateway.transfer.simulator.checks import Checker
from kanta_gateway.transfer.simulator.faults import LATE_SECONDS, SLOW_SECONDS, Fault, Faults
from kanta_gateway.transfer.simulator.shelf import Shelf
from kanta_gateway.transfer.wire import FRAME_ID, unpack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from kanta_gateway.transfer.frame import FrameProfile

XML = "text/xml; charset=UTF-8"
MAX_MESSAGE_BYTES = 32 * 1024 * 1024


class _Cut(Response):
    """Promises more than it sends, so that the server closes the connection: a lost answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 — ASGI
        """Send the head only."""
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class Archive:
    """Routes of the simulated archive.

    Args:
        checker: what is checked.
        shelf: what is kept.
        faults: what goes wrong.
    """

    def __init__(self, checker: Checker, shelf: Shelf, faults: Faults) -> None:
        self._checker = checker
        self._shelf = shelf
        self._faults = faults
        self._numbers = count(1)

    def app(self) -> Starlette:
        """The web application."""
        return Starlette(routes=[
            Route("/archive", self.submit, methods=["POST"]),
            Route("/archive/{oid}", self.ask, methods=["GET"]),
            Route("/archive/{oid}/invalidate", self.invalidate, methods=["POST"]),
            Route("/fhir", self.report, methods=["POST"]),
            Route("/contents", self.contents, methods=["GET"]),
            Route("/health", self.health, methods=["GET"]),
        ])  # fmt: skip

    async def submit(self, request: Request) -> Response:
        """Check and keep one message; faults strike here."""
        struck = self._faults.strike()
        if (early := await self._struck(struck)) is not None:
            return early
        body = await request.body()
        parts = unpack(request.headers.get("content-type", ""), body)
        if parts is None or len(parts) != 2 or FRAME_ID not in parts or len(body) > MAX_MESSAGE_BYTES:
            return Response(status_code=400)
        frame = parts.pop(FRAME_ID)
        content_id, document = parts.popitem()
        verdict = self._judged(frame, document, content_id)
        if Fault.DOUBLE in struck:
            verdict = self._judged(frame, document, content_id)
        if (late := await self._kept(struck)) is not None:
            return late
        if Fault.OTHER in struck:
            verdict = Verdict("AA", f"{verdict.oid}.1", verdict.digest)
        return self._answer(verdict)

    async def report(self, request: Request) -> Response:
        """Check and keep one disclosure notice; the same faults strike here."""
        struck = self._faults.strike()
        if (early := await self._struck(struck)) is not None:
            return early
        body = await request.body()
        if len(body) > MAX_MESSAGE_BYTES:
            return Response(status_code=413)
        status, told = register.take(self._shelf, body)
        if Fault.DOUBLE in struck:
            status, told = register.take(self._shelf, body)
        if (late := await self._kept(struck)) is not None:
            return late
        if Fault.OTHER in struck and "identifier" in told:
            told["identifier"]["value"] += "0"
        headers = {"X-Request-Id": request.headers.get("x-request-id", "")}
        return Response(orjson.dumps(told), status_code=status, media_type=FHIR_JSON, headers=headers)

    @staticmethod
    async def _struck(struck: Collection[Fault]) -> Response | None:
        """What goes wrong before a message is read."""
        if Fault.DOWN in struck:
            return Response(status_code=503)
        if Fault.ERROR in struck:
            return Response(status_code=500)
        if Fault.SLOW in struck:
            await asyncio.sleep(SLOW_SECONDS)
        return None

    @staticmethod
    async def _kept(struck: Collection[Fault]) -> Response | None:
        """What goes wrong once a message is kept."""
        if Fault.LATE in struck:
            await asyncio.sleep(LATE_SECONDS)
        if Fault.LOSSY in struck:
            return _Cut()
        return Response(GARBAGE, media_type="text/html") if Fault.WRONG in struck else None

    async def ask(self, request: Request) -> Response:
        """Whether something is kept under an OID."""
        known = self._shelf.find(request.path_params["oid"])
        if known is None:
            return Response(status_code=404)
        return self._answer(Verdict("AA", known["oid"], known["digest"], ("ALREADY",)))

    async def invalidate(self, request: Request) -> Response:
        """Mark a document invalid (an assumed request); its frame must be about that document."""
        oid = request.path_params["oid"]
        known = self._shelf.find(oid)
        if known is not None and not self._checker.is_about(await request.body(), oid):
            return self._answer(Verdict("AR", oid, known["digest"], ("FRAME-oid",)))
        if known is None or not self._shelf.invalidate(oid):
            return Response(status_code=404)
        return self._answer(Verdict("AA", oid, known["digest"]))

    async def contents(self, _request: Request) -> Response:
        """Everything kept, without content."""
        notices = [{name: one[name] for name in ("id", "digest", "received")} for one in self._shelf.notices()]
        told = {"documents": self._shelf.contents(), "disclosures": notices}
        return Response(orjson.dumps(told), media_type="application/json")

    async def health(self, _request: Request) -> Response:
        """That the process answers."""
        return Response(b"{}", media_type="application/json")

    def _judged(self, frame: bytes, document: bytes, content_id: str) -> Verdict:
        checked = self._checker.check(frame, document)
        problems = checked.problems if content_id == checked.oid else (*checked.problems, "CONTENT-ID")
        if problems:
            return Verdict("AR", checked.oid or content_id, checked.digest, problems)
        type_code, codes = self._shelf.keep(checked, frame, document)
        return Verdict(type_code, checked.oid, checked.digest, codes)

    def _answer(self, verdict: Verdict) -> Response:
        moment = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
        return Response(acknowledgement(verdict, next(self._numbers), moment), media_type=XML)


def run(
    port: int, ready_file: Path | None, store_dir: Path | None, faults: Iterable[str], seed: int, *,
    profile: FrameProfile, schemas: Mapping[str, Mapping[str, Any]],
) -> None:  # fmt: skip
    """Serve until the process is told to stop; loopback only.

    Args:
        port: 0 takes a free one.
        ready_file: gets the base URL once it listens.
        store_dir: keeps what it got; in memory if None.
        faults: `NAME` or `NAME=RATE`.
        seed: of the faults.
        profile: the form of frames.
        schemas: JSON Schema by structure OID.

    Raises:
        MisconfiguredError: there is no such fault.
    """
    shelf = Shelf(store_dir)
    app = Archive(Checker(profile, schemas), shelf, Faults.parse(faults, seed)).app()
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    # Accepted sockets inherit it; without it every answer waits 40 ms for a delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if ready_file is not None:
        draft = ready_file.with_name(ready_file.name + ".draft")
        draft.write_text(f"http://127.0.0.1:{listener.getsockname()[1]}", "ascii")
        draft.replace(ready_file)
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_keep_alive=60)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        shelf.close()
