"""Routes for what clients ask for by right: requests and answers, receipts, the client's own view of the log.

* Bodies are JSON objects of known fields; what does not fit is told by its field, and nothing of it is repeated.
* An answer is JSON, or with `form=page` a page for the client; both are the same content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Response

from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.intake.api import (
    BIGGEST,
    XHTML,
    Body,
    Day,
    Form,
    IdentifiedCaller,
    Language,
    Owner,
    Service_,
    answer,
)
from kanta_gateway.intake.bodies import DAY, FLAG, TEXT, WHOLE, Kind, many, read
from kanta_gateway.pipeline.pleas import RequestForm, Verdict
from kanta_gateway.pipeline.replies import Reply

router = APIRouter()
T = TypeVar("T")


class Tongue(StrEnum):
    """Languages of a receipt."""

    FI = "fi"
    SV = "sv"
    EN = "en"
    EASY = "selko"


@dataclass(frozen=True, slots=True)
class Words:
    """What a small body tells."""

    text: str = ""
    reason: str = ""
    instruction: str = ""


Shown = Annotated[Form, Query(description="JSON, or a page for the client.")]


_KINDS: Mapping[str, Kind] = {
    "received_on": DAY, "since": DAY, "until": DAY, "is_written": FLAG, "entries": many(WHOLE), "left_out": many(TEXT),
}  # fmt: skip
"""What fields hold that are no text."""


def _read(body: bytes, shape: Callable[..., T], needed: tuple[str, ...]) -> T:
    """A body as one of the domain's own shapes.

    Raises:
        ParameterError: it is no such object; all that does not fit.
    """
    kinds = {one.name: _KINDS.get(one.name, TEXT) for one in fields(shape)}  # type: ignore[arg-type]
    return shape(**read(body, kinds, needed))


def _given(reply: Reply, service: Any, form: Form) -> Response:
    if form is Form.PAGE:
        return Response(service.own_view.page(reply), media_type=XHTML)
    return answer(reply.told)


@router.post("/v1/requests", summary="Register what a client asks for by right")
def post_request(caller: IdentifiedCaller, body: Body, service: Service_) -> Response:
    """Who asks, for which client, when it was received, what for; 201 with its id and the day until which it is due."""
    form = _read(body, RequestForm, ("kind", "client", "asker", "asker_name", "identified_by"))
    return answer(service.rights.register(caller, form), 201)


@router.get("/v1/requests", summary="Requests with their clocks, overdue first")
def get_requests(
    caller: IdentifiedCaller, service: Service_, language: Language,
    as_of: Annotated[Day | None, Query(description="The day that clocks are read at; today by default.")] = None,
    kind: Annotated[list[str] | None, Query(description="May be repeated; every kind by default.")] = None,
    clock: Annotated[list[ClockState] | None, Query(description="May be repeated; every state by default.")] = None,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:  # fmt: skip
    """Kind, state, due day; nothing of who asks. `after` is how many have been seen."""
    return answer(service.rights.list(
        caller, language, as_of=as_of, kinds=kind or (), clocks=clock or (), after=after, limit=limit
    ))  # fmt: skip


@router.get("/v1/requests/{request_id}", summary="One request with who asks and what for")
def get_request(caller: IdentifiedCaller, request_id: str, service: Service_, language: Language) -> Response:
    """What was asked and said; reading it is an entry of the log."""
    return answer(service.rights.show(caller, request_id, language))


@router.post("/v1/requests/{request_id}:forward", summary="Pass a request to the controller")
def post_forward(
    caller: IdentifiedCaller, request_id: str, service: Service_, language: Language, form: Shown = Form.JSON
) -> Response:
    """Rectification, restriction, erasure: the notice that the controller gets."""
    return _given(service.rights.forward(caller, request_id, language), service, form)


@router.post("/v1/requests/{request_id}:explain", summary="Tell the grounds of a suspected use")
def post_explain(caller: IdentifiedCaller, request_id: str, body: Body, service: Service_) -> Response:
    """The body: `{"text": ""}` (703/2023 §11.5)."""
    return answer(service.rights.explain(caller, request_id, _read(body, Words, ("text",)).text))


@router.post("/v1/requests/{request_id}:extend", summary="Take more time, with a reason")
def post_extend(
    caller: IdentifiedCaller, request_id: str, body: Body, service: Service_, language: Language,
    form: Shown = Form.JSON,
) -> Response:  # fmt: skip
    """The body: `{"reason": "", "instruction": ""}`; the notice for the client (GDPR 12(3))."""
    told = _read(body, Words, ("reason",))
    return _given(service.rights.extend(caller, request_id, told.reason, language, told.instruction), service, form)


@router.post("/v1/requests/{request_id}:prepare", summary="What would be given")
def post_prepare(
    caller: IdentifiedCaller, request_id: str, service: Service_, language: Language, form: Shown = Form.JSON
) -> Response:
    """The answer as it would be, for the controller before it decides."""
    return _given(service.rights.prepare(caller, request_id, language), service, form)


@router.post("/v1/requests/{request_id}:decide", summary="What the controller decided")
def post_decide(caller: IdentifiedCaller, request_id: str, body: Body, service: Service_) -> Response:
    """Outcome, ground and reasons; by the controller's official, or with its documented instruction."""
    return answer(service.rights.decide(caller, request_id, _read(body, Verdict, ("outcome",))))


@router.post("/v1/requests/{request_id}:answer", summary="Give the answer")
def post_answer(
    caller: IdentifiedCaller, request_id: str, service: Service_, language: Language, form: Shown = Form.JSON
) -> Response:
    """What was asked for, or the written decision; its clock stops."""
    return _given(service.rights.answer(caller, request_id, language), service, form)


@router.get("/v1/clients/{client}/log-view", summary="What a client sees of the log without asking")
def get_log_view(
    caller: IdentifiedCaller, client: str, service: Service_, language: Language, form: Shown = Form.JSON,
    provider: Owner = "", purchaser: Owner = "",
) -> Response:  # fmt: skip
    """Times, purposes, organisations and provisions of the last two years; no names of staff (703/2023 §74)."""
    return _given(service.own_view.view(caller, client, language, provider, purchaser), service, form)


@router.get("/v1/clients/{client}/receipt", summary="What was recorded about a client, and how to object")
def get_receipt(
    caller: IdentifiedCaller, client: str, service: Service_, form: Shown = Form.JSON,
    language: Annotated[Tongue, Query(description="selko is easy Finnish.")] = Tongue.FI,
    since: Annotated[Day | None, Query()] = None, until: Annotated[Day | None, Query()] = None,
    document: Annotated[str, Query(max_length=128, description="OID, for one document alone.")] = "",
    provider: Owner = "", purchaser: Owner = "",
) -> Response:  # fmt: skip
    """Titles, days, labels and authors of documents; no content."""
    reply = service.own_view.receipt(
        caller, client, language.value, first=since, last=until, document=document, provider=provider,
        purchaser=purchaser,
    )  # fmt: skip
    return _given(reply, service, form)
