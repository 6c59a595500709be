"""The HTTP face: records and files in, tickets, documents, figures and the audit log out.

* The caller is identified first; without a valid assertion the answer is 401 and the body is not read.
* 2xx means: committed to disk with its audit entry. What is stored as held or refused answers 202 with its
  findings; 4xx means that nothing was stored.
* Errors are problem documents (RFC 9457) with stable codes, in the caller's language.
* Nothing of a request is repeated in an answer about its mistakes, or written to the server's own output.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import (
    GatewayError,
    MethodError,
    NotFoundError,
    ParameterError,
    TooLargeError,
)
from kanta_gateway.intake.bodies import FIRST_DAY, LAST_DAY, wrong
from kanta_gateway.intake.gate import Gate, ShownStream
from kanta_gateway.intake.quiet import Quiet, problem_response
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.wire import parameter_findings, unknown_parameter
from kanta_gateway.messages import language_of
from kanta_gateway.model import Caller
from kanta_gateway.notices.states import NoticeState
from kanta_gateway.pipeline.deadlines import Asked
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kanta_gateway.intake.service import Service

JSON = "application/json"
BYTES = "application/octet-stream"
NDJSON = "application/x-ndjson"

XHTML = "text/html; charset=utf-8"

HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""What no identifier, code or reason in an address needs, and a reader of the log would not see."""

router = APIRouter()


class Form(StrEnum):
    """How a notice is given."""

    JSON = "json"
    PAGE = "page"


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
        raise _service(request).nobody()
    caller = _service(request).identify(token)
    request.state.caller = caller  # for the gate, by which every answer leaves
    _refuse_parameters(request)
    return caller


def _refuse_parameters(request: Request) -> None:
    """A misspelt parameter is never taken as one that is absent: `dry-run=true` would store.

    Raises:
        ParameterError: the query has parameters that the call does not know, or a value has control characters, which
            PostgreSQL takes in no text; neither is repeated.
    """
    described = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}
    if request.query_params.keys() - known:
        raise ParameterError(findings=(unknown_parameter(known),))
    told = [*request.path_params.items(), *request.query_params.multi_items()]
    if faults := {name for name, value in told if HIDDEN.search(str(value)) is not None}:
        raise wrong(*((name, "without control characters") for name in sorted(faults)))


IdentifiedCaller = Annotated[Caller, Depends(_caller)]


async def _body(request: Request, caller: IdentifiedCaller) -> bytes:  # noqa: ARG001 — identified before the body is read
    """The body, read only after the caller is known and only up to the limit.

    Raises:
        TooLargeError: it is larger than allowed; what was announced as too large is not read at all.
    """
    limit = _service(request).max_body_bytes(request.url.path)
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    parts: list[bytes] = []
    if size <= limit:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                break
            parts.append(chunk)
    if size > limit:
        raise TooLargeError(findings=(unreadable("SRC-SIZE", "", {"limit": str(limit)}),))
    return b"".join(parts)


Body = Annotated[bytes, Depends(_body)]
Service_ = Annotated[Any, Depends(_service)]
Language = Annotated[str, Depends(_language)]
DryRun = Annotated[bool, Query(description="Judge everything and store nothing.")]
Owner = Annotated[str, Query(max_length=128, description="Where several have the client number.")]
BIGGEST = 2**31 - 1
"""Highest number that every database takes as an index."""
Place = Annotated[int, Query(ge=1, le=BIGGEST)]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


def answer(value: Any, status: int = 200) -> Response:
    """A value as JSON."""
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
    return answer(row, status)


@router.post("/v1/records:batch", summary="Deliver canonical records, one a line (NDJSON)")
def post_batch(
    caller: IdentifiedCaller, body: Body, service: Service_, language: Language, *, dry_run: DryRun = False
) -> Response:
    """Take each line by itself; the answer has one result a line, in order."""
    lines = service.submit_batch(body, caller, language, is_dry=dry_run)
    return Response(b"".join(orjson.dumps(line) + b"\n" for line in lines), media_type=NDJSON)


@router.post("/v1/imports", summary="Deliver a provider's file in its own format")
def post_import(
    request: Request, caller: IdentifiedCaller, body: Body, service: Service_, language: Language,
    source: Annotated[str, Query()], purchaser: Annotated[str, Query()], *, dry_run: DryRun = False,
) -> Response:  # fmt: skip
    """Take the whole file in; the result has one row per delivered record."""
    told = service.take_file(body, source, purchaser, caller, language, is_dry=dry_run)
    return ShownStream(request, told, JSON)


@router.get("/v1/imports/{delivery_id}", summary="What became of a delivery")
def get_import(
    request: Request, caller: IdentifiedCaller, delivery_id: str, service: Service_, language: Language
) -> Response:  # fmt: skip
    """The result as it stands now."""
    return ShownStream(request, service.delivery(delivery_id, caller, language), JSON)


@router.post("/v1/imports/{delivery_id}/findings", summary="A delivered file with a column of findings")
def post_findings(
    caller: IdentifiedCaller, body: Body, delivery_id: str, service: Service_, language: Language
) -> Response:
    """The same file, sent once more, with what was found on each row; nothing of it is kept."""
    return StreamingResponse(service.returned(body, delivery_id, caller, language), media_type=BYTES)


@router.get("/v1/tickets/{ticket}", summary="What became of one record")
def get_ticket(caller: IdentifiedCaller, ticket: str, service: Service_, language: Language) -> Response:
    """The record's outcome, findings and documents."""
    return answer(service.ticket(ticket, caller, language))


@router.post("/v1/tickets/{ticket}:allow", summary="Allow what minimisation asked about a record")
def post_allow(caller: IdentifiedCaller, ticket: str, body: Body, service: Service_, language: Language) -> Response:
    """The answer: `{"reason": "", "answers": [{"field": "", "class": ""}]}`; without answers, all that was asked."""
    told, status = service.allow(ticket, body, caller, language)
    return answer(told, status)


@router.get("/v1/documents", summary="Documents: that they exist and their states")
def get_documents(
    caller: IdentifiedCaller, service: Service_,
    state: Annotated[State | None, Query()] = None, after: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:  # fmt: skip
    """Metadata only, oldest first; `next` is the next `after`."""
    return answer(service.office.documents(caller, state, after, limit))


@router.get("/v1/documents/{oid}", summary="One signed document")
def get_document(caller: IdentifiedCaller, oid: str, service: Service_) -> Response:
    """The signed bytes, as long as the gateway still has them."""
    return Response(service.office.document(oid, caller), media_type="application/xml")


@router.post("/v1/documents/{oid}:invalidate", summary="Invalidate an archived document")
def post_invalidate(caller: IdentifiedCaller, oid: str, service: Service_) -> Response:
    """Queue the (assumed) request to invalidate; production refuses to send it."""
    return answer(service.office.invalidate(oid, caller), 202)


@router.get("/v1/figures", summary="Derived numbers by client")
def get_figures(
    caller: IdentifiedCaller, service: Service_, client: Annotated[str | None, Query()] = None,
    as_of: Annotated[Day | None, Query()] = None, *,
    explain: Annotated[bool, Query()] = False, national: Annotated[bool, Query()] = False,
) -> Response:  # fmt: skip
    """Days, hours, shares; `explain` names the records behind each number, `national` asks for the law's."""
    return answer(service.office.figures(caller, client, as_of, explain=explain, national=national))


@router.get("/v1/figures/reconciliation", summary="Diary against absences against invoice, day by day")
def get_reconciliation(
    caller: IdentifiedCaller, service: Service_, language: Language, client: Annotated[str | None, Query()] = None,
    as_of: Annotated[Day | None, Query()] = None,
) -> Response:  # fmt: skip
    """Every day on which somebody told something, its line of the invoice, and each difference."""
    return answer(service.office.reconciliation(caller, client, as_of, language))


@router.get("/v1/figures/evidence", summary="What each line of one client's invoice rests on")
def get_evidence(
    caller: IdentifiedCaller, service: Service_, client: Annotated[str, Query()],
    as_of: Annotated[Day | None, Query()] = None,
) -> Response:  # fmt: skip
    """Day, record and its version, digest of the signed document, receipt, clause, and places in the log."""
    return answer(service.office.evidence(caller, client, as_of))


@router.get("/v1/deadlines", summary="What is due when, overdue first")
def get_deadlines(
    caller: IdentifiedCaller, service: Service_, language: Language, client: Annotated[str | None, Query()] = None,
    as_of: Annotated[Day | None, Query(description="The day that clocks are read at; today by default.")] = None,
    state: Annotated[list[ClockState] | None, Query(description="May be repeated; every state by default.")] = None,
    contract: Annotated[str | None, Query(description="Name of a contract file.")] = None,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:  # fmt: skip
    """Clocks of the contracts' deadlines; `after` is how many have been seen, `next` the next `after`."""
    asked = Asked(as_of or service.office.today, language, client, contract, frozenset(state or ClockState))
    return answer(service.office.deadlines(caller, asked, after, limit))


@router.get("/v1/completeness", summary="What should have a record and has none")
def get_completeness(
    caller: IdentifiedCaller, service: Service_, language: Language, client: Annotated[str | None, Query()] = None,
    as_of: Annotated[Day | None, Query(description="The day on which it is asked; today by default.")] = None,
    contract: Annotated[str | None, Query(description="Name of a contract file.")] = None,
) -> Response:  # fmt: skip
    """Days, weeks and months without a record, and records that a deadline awaits."""
    asked = Asked(as_of or service.office.today, language, client, contract)
    return answer(service.office.completeness(caller, asked))


@router.get("/v1/notices", summary="Notices: that they wait, or were handed over")
def get_notices(
    caller: IdentifiedCaller, service: Service_, language: Language,
    state: Annotated[NoticeState | None, Query()] = None, after: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:  # fmt: skip
    """No content, oldest first; `next` is the next `after`."""
    return answer(service.notice_board.list(caller, state, after, limit, language))


@router.get("/v1/notices/{notice_id}", summary="Hand one notice over")
def get_notice(
    caller: IdentifiedCaller, notice_id: str, service: Service_, language: Language,
    recipient: Annotated[str, Query(max_length=32)] = "", form: Annotated[Form, Query()] = Form.JSON, *,
    look: Annotated[bool, Query()] = False,
) -> Response:  # fmt: skip
    """The notice as JSON or as a page; a disclosure with its entry, unless its giver only looks at it."""
    told, kind = service.notice_board.get(notice_id, caller, recipient=recipient, is_look=look)
    if form is Form.PAGE:
        return Response(service.notice_board.page(told, kind, language), media_type=XHTML)
    return answer(told)


@router.post("/v1/notices/{notice_id}:acknowledge", summary="The recipient has a notice")
def post_acknowledge(caller: IdentifiedCaller, notice_id: str, service: Service_) -> Response:
    """Write down that a notice that was handed over has arrived."""
    return answer(service.notice_board.acknowledge(notice_id, caller))


@router.get("/v1/audit/entries", summary="Entries of the audit log")
def get_entries(
    caller: IdentifiedCaller, service: Service_, client: Annotated[str | None, Query()] = None,
    after: Annotated[int, Query(ge=-1, le=BIGGEST)] = -1, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    provider: Owner = "",
) -> Response:  # fmt: skip
    """Entries in order; reading them is itself an entry."""
    return answer(service.office.entries(caller, client, after, limit, provider))


@router.get("/v1/audit/checkpoint", summary="The newest signed checkpoint")
def get_checkpoint(caller: IdentifiedCaller, service: Service_) -> Response:
    """A C2SP signed note; keep it outside the gateway to prove the log later."""
    return Response(service.office.checkpoint(caller), media_type="text/plain; charset=utf-8")


@router.get("/v1/audit/proofs/inclusion/{index}", summary="Proof that an entry is in the log")
def get_inclusion(
    caller: IdentifiedCaller, index: Annotated[int, Path(ge=0, le=BIGGEST)], service: Service_,
    size: Place | None = None,
) -> Response:  # fmt: skip
    """Inclusion proof (RFC 9162 §2.1.3) for the tree of `size` entries, the newest by default."""
    return answer(service.office.inclusion(caller, index, size))


@router.get("/v1/audit/proofs/consistency", summary="Proof that the log only grew")
def get_consistency(
    caller: IdentifiedCaller, service: Service_,
    first: Place, second: Place | None = None,
) -> Response:  # fmt: skip
    """Consistency proof (RFC 9162 §2.1.4) between two sizes."""
    return answer(service.office.consistency(caller, first, second))


@router.get("/v1/clients/{client}/access-report", summary="Who used a client's data (703/2023 §11)")
def get_access_report(caller: IdentifiedCaller, client: str, service: Service_, provider: Owner = "") -> Response:
    """Every use and disclosure of one client's data, with its basis."""
    return answer(service.office.access_report(caller, client, provider))


@router.get("/v1/persons", summary="Client numbers that may be one person's, and merged ones")
def get_persons(caller: IdentifiedCaller, service: Service_) -> Response:
    """Matches in the registers that the caller answers for; no identity code is told."""
    return answer(service.people.listed(caller))


@router.post("/v1/persons/merge", summary="Say that a client is the same person as another one")
def post_merge(
    caller: IdentifiedCaller, service: Service_, client: Annotated[str, Query()], into: Annotated[str, Query()],
    reason: Annotated[str, Query()], provider: Annotated[str, Query()] = "", purchaser: Annotated[str, Query()] = "",
) -> Response:  # fmt: skip
    """The client is judged and filed as the other one from now on; its documents are replaced where needed."""
    return answer(service.people.merge(caller, client, into, reason, provider=provider, purchaser=purchaser))


@router.post("/v1/persons/unmerge", summary="Take a merge back")
def post_unmerge(
    caller: IdentifiedCaller, service: Service_, client: Annotated[str, Query()], reason: Annotated[str, Query()],
    provider: Annotated[str, Query()] = "", purchaser: Annotated[str, Query()] = "",
) -> Response:  # fmt: skip
    """The client is a person of its own again, with the documents and figures that it had."""
    return answer(service.people.unmerge(caller, client, reason, provider=provider, purchaser=purchaser))


@router.get("/v1/openapi.json", summary="This description")
def get_description(caller: IdentifiedCaller, request: Request) -> Response:  # noqa: ARG001 — every route is guarded
    """The OpenAPI document; it names no installation and no client."""
    app: FastAPI = request.app
    return answer(app.openapi())


@router.get("/health", include_in_schema=False)
def get_health() -> Response:
    """That the process is up; says nothing else."""
    return answer({"status": "up"})


def build(service: Service, more: Iterable[APIRouter] = ()) -> FastAPI:
    """The web application over the use cases.

    Args:
        service: the use cases.
        more: routes of modules of their own.
    """
    app = FastAPI(
        title="kanta-gateway",
        description="Provider records in, signed THL-structured documents archived. Kanta-style, not certified.",
        version=service.version, openapi_url=None, docs_url=None, redoc_url=None,
    )  # fmt: skip
    app.state.service = service
    for one in (router, *more):
        app.include_router(one)
    app.add_middleware(Gate, service=service)
    app.add_middleware(Quiet, service=service)

    @app.exception_handler(GatewayError)
    def _refuse(request: Request, error: GatewayError) -> Response:
        return problem_response(request, error, service)

    @app.exception_handler(RequestValidationError)
    def _parameter(request: Request, error: RequestValidationError) -> Response:
        return problem_response(request, ParameterError(findings=parameter_findings(error.errors())), service)

    @app.exception_handler(HTTPException)
    def _no_route(request: Request, error: HTTPException) -> Response:
        return problem_response(request, MethodError() if error.status_code == 405 else NotFoundError(), service)

    return app
