"""The HTTP face: records and files in, tickets, documents, figures and the audit log out.

* The caller is identified first; without a valid assertion the answer is 401 and the body is not read.
* 2xx means: committed to disk with its audit entry. What is stored as held or refused answers 202 with its
  findings; 4xx means that nothing was stored.
* Errors are problem documents (RFC 9457) with stable codes, in the caller's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from kanta_gateway.errors import GatewayError, NotAuthenticatedError, RefusedError
from kanta_gateway.intake.wire import problem
from kanta_gateway.messages import language_of
from kanta_gateway.model import Caller, Event

if TYPE_CHECKING:
    from kanta_gateway.intake.service import Service

JSON = "application/json"
NDJSON = "application/x-ndjson"

router = APIRouter()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _language(request: Request) -> str:
    return language_of(request.headers.get("accept-language"), _service(request).language)


def _caller(request: Request) -> Caller:
    """Who calls, by the assertion in the `Authorization` header.

    Raises:
        NotAuthenticatedError: there is none, or it does not hold.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticatedError("the call carries no assertion; send `Authorization: Bearer <JWT>`")
    return _service(request).identify(token)


IdentifiedCaller = Annotated[Caller, Depends(_caller)]


async def _body(request: Request, caller: IdentifiedCaller) -> bytes:  # noqa: ARG001 — identified before the body is read
    """The body, read only after the caller is known and only up to the limit.

    Raises:
        RefusedError: it is larger than allowed.
    """
    limit = _service(request).max_body_bytes(request.url.path)
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise RefusedError(f"the body is larger than {limit} bytes; send it in smaller parts")
        parts.append(chunk)
    return b"".join(parts)


Body = Annotated[bytes, Depends(_body)]
Service_ = Annotated[Any, Depends(_service)]
Language = Annotated[str, Depends(_language)]
DryRun = Annotated[bool, Query(description="Judge everything and store nothing.")]


def _answer(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type=JSON)


@router.post("/v1/records", summary="Deliver one canonical record")
def post_record(
    request: Request, caller: IdentifiedCaller, body: Body, service: Service_, language: Language,
    *, dry_run: DryRun = False,
) -> Response:  # fmt: skip
    """Judge, sign and spool one record; 201 with its documents, 202 when it waits, 200 for a repeat."""
    row, status = service.submit(
        body, caller, language, is_dry=dry_run, idempotency_key=request.headers.get("idempotency-key")
    )
    return _answer(row, status)


@router.post("/v1/records:batch", summary="Deliver canonical records, one a line (NDJSON)")
def post_batch(
    caller: IdentifiedCaller, body: Body, service: Service_, language: Language, *, dry_run: DryRun = False
) -> Response:
    """Take each line by itself; the answer has one result a line, in order."""
    lines = service.submit_batch(body, caller, language, is_dry=dry_run)
    return Response(b"".join(orjson.dumps(line) + b"\n" for line in lines), media_type=NDJSON)


@router.post("/v1/imports", summary="Deliver a provider's file in its own format")
def post_import(
    caller: IdentifiedCaller, body: Body, service: Service_, language: Language,
    source: Annotated[str, Query()], purchaser: Annotated[str, Query()], *, dry_run: DryRun = False,
) -> Response:  # fmt: skip
    """Take the whole file in; the result has one row per delivered record."""
    told = service.take_file(body, source, purchaser, caller, language, is_dry=dry_run)
    return StreamingResponse(told, media_type=JSON)


@router.get("/v1/imports/{delivery_id}", summary="What became of a delivery")
def get_import(caller: IdentifiedCaller, delivery_id: str, service: Service_, language: Language) -> Response:
    """The result as it stands now."""
    service.office.permit(caller, Event.RECORD_READ, provider=caller.organisation)
    return StreamingResponse(service.desk.delivery(delivery_id, caller, language).json(), media_type=JSON)


@router.get("/v1/tickets/{ticket}", summary="What became of one record")
def get_ticket(caller: IdentifiedCaller, ticket: str, service: Service_, language: Language) -> Response:
    """The record's outcome, findings and documents."""
    service.office.permit(caller, Event.RECORD_READ, provider=caller.organisation)
    return _answer(service.desk.ticket(ticket, caller, language))


@router.get("/v1/documents", summary="Documents: that they exist and their states")
def get_documents(
    caller: IdentifiedCaller, service: Service_,
    state: Annotated[str | None, Query()] = None, after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:  # fmt: skip
    """Metadata only, oldest first; `after` is the last sequence number seen."""
    return _answer(service.office.documents(caller, state, after, limit))


@router.get("/v1/documents/{oid}", summary="One signed document")
def get_document(caller: IdentifiedCaller, oid: str, service: Service_) -> Response:
    """The signed bytes, as long as the gateway still has them."""
    return Response(service.office.document(oid, caller), media_type="application/xml")


@router.post("/v1/documents/{oid}:invalidate", summary="Invalidate an archived document")
def post_invalidate(caller: IdentifiedCaller, oid: str, service: Service_) -> Response:
    """Queue the (assumed) request to invalidate; production refuses to send it."""
    return _answer(service.office.invalidate(oid, caller), 202)


@router.get("/v1/figures", summary="Derived numbers by client")
def get_figures(
    caller: IdentifiedCaller, service: Service_, client: Annotated[str | None, Query()] = None,
    as_of: Annotated[str | None, Query(pattern=r"^\d{4}-\d\d-\d\d$")] = None, *,
    explain: Annotated[bool, Query()] = False,
) -> Response:  # fmt: skip
    """Days, hours, shares; `explain` names the records behind each number."""
    day = date.fromisoformat(as_of) if as_of else None
    return _answer(service.office.figures(caller, client, day, explain=explain))


@router.get("/v1/audit/entries", summary="Entries of the audit log")
def get_entries(
    caller: IdentifiedCaller, service: Service_, client: Annotated[str | None, Query()] = None,
    after: Annotated[int, Query(ge=-1)] = -1, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:  # fmt: skip
    """Entries in order; reading them is itself an entry."""
    return _answer(service.office.entries(caller, client, after, limit))


@router.get("/v1/audit/checkpoint", summary="The newest signed checkpoint")
def get_checkpoint(caller: IdentifiedCaller, service: Service_) -> Response:
    """A C2SP signed note; keep it outside the gateway to prove the log later."""
    return Response(service.office.checkpoint(caller), media_type="text/plain; charset=utf-8")


@router.get("/v1/audit/proofs/inclusion/{index}", summary="Proof that an entry is in the log")
def get_inclusion(
    caller: IdentifiedCaller, index: int, service: Service_, size: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    """Inclusion proof (RFC 9162 §2.1.3) for the tree of `size` entries, the newest by default."""
    return _answer(service.office.inclusion(caller, index, size))


@router.get("/v1/audit/proofs/consistency", summary="Proof that the log only grew")
def get_consistency(
    caller: IdentifiedCaller, service: Service_,
    first: Annotated[int, Query(ge=1)], second: Annotated[int | None, Query(ge=1)] = None,
) -> Response:  # fmt: skip
    """Consistency proof (RFC 9162 §2.1.4) between two sizes."""
    return _answer(service.office.consistency(caller, first, second))


@router.get("/v1/clients/{client}/access-report", summary="Who used a client's data (703/2023 §11)")
def get_access_report(caller: IdentifiedCaller, client: str, service: Service_) -> Response:
    """Every use and disclosure of one client's data, with its basis."""
    return _answer(service.office.access_report(caller, client))


@router.get("/health", include_in_schema=False)
def get_health() -> Response:
    """That the process is up; says nothing else."""
    return _answer({"status": "up"})


def build(service: Service) -> FastAPI:
    """The web application over the use cases."""
    app = FastAPI(
        title="kanta-gateway",
        description="Provider records in, signed THL-structured documents archived. Kanta-style, not certified.",
        version=service.version,
    )
    app.state.service = service
    app.include_router(router)

    @app.exception_handler(GatewayError)
    async def _refuse(request: Request, error: GatewayError) -> Response:
        told: Mapping[str, Any] = await run_in_threadpool(
            problem, error, service.messages, _language(request), request.url.path
        )
        headers = {"Retry-After": "30"} if error.status in {429, 503} else {}
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(
            orjson.dumps(told), status_code=error.status, headers=headers, media_type="application/problem+json"
        )

    return app
