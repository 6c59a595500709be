"""The HTTP face for auditors: one call for each question, and the cases of supervision.

* Every call passes the policy and leaves its entry; an answer is given line by line.
* `format` is `json`, `jsonl`, `csv` or `fhir`; the last line tells which entries the answer leaves out.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kanta_gateway.audit.cases import ALERT, INCIDENT, REQUEST
from kanta_gateway.audit.forms import FORMS, pieces
from kanta_gateway.errors import ParameterError
from kanta_gateway.intake.api import JSON, Body, IdentifiedCaller, Language
from kanta_gateway.intake.gate import ShownStream
from kanta_gateway.intake.wire import parameter_findings

if TYPE_CHECKING:
    from kanta_gateway.pipeline.auditors import Auditors

router = APIRouter()
Word = Annotated[str, Query(max_length=200)]


class AnswerForm(StrEnum):
    """How an answer is given."""

    CSV = "csv"
    FHIR = "fhir"
    JSON = "json"
    JSONL = "jsonl"


class CaseKind(StrEnum):
    """What opened a case."""

    ALERT = ALERT
    INCIDENT = INCIDENT
    REQUEST = REQUEST


class CaseState(StrEnum):
    """Whether a case is still worked on."""

    OPEN = "open"
    CLOSED = "closed"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Review(_Wire):
    """A period of the log to look through."""

    first: date | None = Field(None, alias="from")
    until: date | None = None
    owner: str = Field("", max_length=200)


class Step(_Wire):
    """What was done about a case."""

    note: str = Field("", max_length=10_000)
    owner: str = Field("", max_length=200)
    due_on: date | None = None


class End(_Wire):
    """How a case ends, and why."""

    outcome: str = Field(max_length=32)
    note: str = Field(max_length=10_000)


class Incident(_Wire):
    """An incident, from when it was known."""

    trigger: str = Field(max_length=64)
    known_at: AwareDatetime
    note: str = Field("", max_length=10_000)
    owner: str = Field("", max_length=200)
    controller: str = Field("", max_length=128)


class Told(_Wire):
    """Somebody who must be told was told."""

    clock: str = Field(max_length=32)
    told_at: AwareDatetime | None = None
    note: str = Field("", max_length=10_000)


T = TypeVar("T", bound=_Wire)


def _auditors(request: Request) -> Auditors:
    found: Auditors = request.app.state.auditors
    return found


def _answer(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type=JSON)


def _read(kind: type[T], body: bytes) -> T:
    """The body as what it must be.

    Raises:
        ParameterError: it is not; every mistake, and nothing of the body.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        told = [{**one, "loc": one["loc"] or ("body",)} for one in error.errors()]
        raise ParameterError(findings=parameter_findings(told)) from error


@router.get("/v1/audit/questions", summary="What auditors can ask")
def get_questions(caller: IdentifiedCaller, request: Request, language: Language) -> Response:  # noqa: ARG001 — every route is guarded
    """Every question with its parameters, columns and provisions."""
    return _answer(_auditors(request).answers.listed(language))


@router.get("/v1/audit/questions/{question}", summary="The answer to one question")
def get_answer(
    caller: IdentifiedCaller, request: Request, question: str, language: Language, client: Word = "",
    person: Word = "", organisation: Word = "", recipient: Word = "",
    first: Annotated[date | None, Query(alias="from")] = None, until: Annotated[date | None, Query()] = None,
    on: Annotated[date | None, Query()] = None, form: Annotated[AnswerForm, Query(alias="format")] = AnswerForm.JSON,
) -> Response:  # fmt: skip
    """By its id or number; asking is itself an entry of the log."""
    days = {"from": first, "until": until, "on": on}
    given = {"client": client, "person": person, "organisation": organisation, "recipient": recipient}
    given |= {name: day.isoformat() for name, day in days.items() if day is not None}
    lines = _auditors(request).answers.ask(caller, question, given, form, language)
    return ShownStream(request, lambda _: map(str.encode, pieces(lines)), FORMS[form])


@router.post("/v1/audit/reviews", summary="Look for unusual access and open cases")
def post_review(caller: IdentifiedCaller, request: Request, body: Body) -> Response:
    """`{"from": "", "until": "", "owner": ""}`; by default what was not reviewed until yesterday."""
    asked = _read(Review, body)
    return _answer(_auditors(request).cases.review(caller, asked.first, asked.until, asked.owner), 201)


@router.get("/v1/audit/cases", summary="Cases of supervision by due date")
def get_cases(
    caller: IdentifiedCaller, request: Request, kind: Annotated[CaseKind | None, Query()] = None,
    state: Annotated[CaseState | None, Query()] = None,
) -> Response:  # fmt: skip
    """Alerts and incidents, with owner, due date and steps."""
    is_open = None if state is None else state is CaseState.OPEN
    return _answer(_auditors(request).cases.listed(caller, kind=kind or "", is_open=is_open))


@router.get("/v1/audit/cases/{case}", summary="One case")
def get_case(caller: IdentifiedCaller, request: Request, case: str) -> Response:
    """The case with its steps."""
    return _answer(_auditors(request).cases.shown(caller, case))


@router.post("/v1/audit/cases/{case}:work", summary="Note something on a case")
def post_work(caller: IdentifiedCaller, request: Request, case: str, body: Body) -> Response:
    """`{"note": "", "owner": "", "due_on": ""}`, at least one of them."""
    step = _read(Step, body)
    return _answer(
        _auditors(request).cases.work(caller, case, note=step.note, owner=step.owner, due_on=step.due_on)
    )  # fmt: skip


@router.post("/v1/audit/cases/{case}:close", summary="End a case")
def post_close(caller: IdentifiedCaller, request: Request, case: str, body: Body) -> Response:
    """`{"outcome": "", "note": ""}`."""
    end = _read(End, body)
    return _answer(_auditors(request).cases.close(caller, case, end.outcome, end.note))


@router.post("/v1/audit/incidents", summary="Open a case about an incident")
def post_incident(caller: IdentifiedCaller, request: Request, body: Body) -> Response:
    """`{"trigger": "", "known_at": "", "note": "", "owner": "", "controller": ""}`; its clocks run from `known_at`."""
    one = _read(Incident, body)
    told = _auditors(request).cases.open_incident(
        caller, one.trigger, one.known_at, note=one.note, owner=one.owner, controller=one.controller
    )
    return _answer(told, 201)


@router.post("/v1/audit/incidents/{case}:told", summary="Somebody was told of an incident")
def post_told(caller: IdentifiedCaller, request: Request, case: str, body: Body) -> Response:
    """`{"clock": "", "told_at": "", "note": ""}`; now by default."""
    one = _read(Told, body)
    return _answer(_auditors(request).cases.told(caller, case, one.clock, one.told_at, one.note))
