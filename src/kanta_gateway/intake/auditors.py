"""The HTTP face for auditors: one call for each question, and the cases of supervision.

* Every call passes the policy and leaves its entry; an answer is given line by line.
* `format` is `json`, `jsonl`, `csv` or `fhir`; the last line tells which entries the answer leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response

from kanta_gateway.audit.cases import ALERT, INCIDENT, REQUEST
from kanta_gateway.audit.forms import FORMS, pieces
from kanta_gateway.intake.api import Body, Day, IdentifiedCaller, Language, Owner, answer
from kanta_gateway.intake.bodies import MAYBE_DAY, MOMENT, TEXT, Kind, read, text
from kanta_gateway.intake.gate import ShownStream

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


_OWNER, _NOTE = text(200), TEXT
_REVIEW: Mapping[str, Kind] = {"from": MAYBE_DAY, "until": MAYBE_DAY, "owner": _OWNER}
_STEP: Mapping[str, Kind] = {"note": _NOTE, "owner": _OWNER, "due_on": MAYBE_DAY}
_END: Mapping[str, Kind] = {"outcome": text(32), "note": _NOTE}
_INCIDENT: Mapping[str, Kind] = {"trigger": text(64), "known_at": MOMENT, "note": _NOTE, "owner": _OWNER}
_TOLD: Mapping[str, Kind] = {"clock": text(32), "told_at": MOMENT, "note": _NOTE}


def _auditors(request: Request) -> Auditors:
    found: Auditors = request.app.state.auditors
    return found


@router.get("/v1/audit/questions", summary="What auditors can ask")
def get_questions(caller: IdentifiedCaller, request: Request, language: Language) -> Response:  # noqa: ARG001 — every route is guarded
    """Every question with its parameters, columns and provisions."""
    return answer(_auditors(request).answers.listed(language))


@router.get("/v1/audit/questions/{question}", summary="The answer to one question")
def get_answer(
    caller: IdentifiedCaller, request: Request, question: str, language: Language, client: Word = "",
    person: Word = "", organisation: Word = "", recipient: Word = "",
    first: Annotated[Day | None, Query(alias="from")] = None, until: Annotated[Day | None, Query()] = None,
    on: Annotated[Day | None, Query()] = None, form: Annotated[AnswerForm, Query(alias="format")] = AnswerForm.JSON,
    provider: Owner = "",
) -> Response:  # fmt: skip
    """By its id or number; asking is itself an entry of the log."""
    days = {"from": first, "until": until, "on": on}
    given = {"client": client, "provider": provider, "person": person, "organisation": organisation,
             "recipient": recipient}  # fmt: skip
    given |= {name: day.isoformat() for name, day in days.items() if day is not None}
    lines = _auditors(request).answers.ask(caller, question, given, form, language)
    return ShownStream(request, lambda _: map(str.encode, pieces(lines)), FORMS[form])


@router.post("/v1/audit/reviews", summary="Look for unusual access and open cases")
def post_review(caller: IdentifiedCaller, request: Request, body: Body) -> Response:
    """`{"from": "", "until": "", "owner": ""}`; by default what was not reviewed until yesterday."""
    asked = read(body, _REVIEW)
    cases = _auditors(request).cases
    return answer(cases.review(caller, asked.get("from"), asked.get("until"), asked.get("owner", "")), 201)


@router.get("/v1/audit/cases", summary="Cases of supervision by due date")
def get_cases(
    caller: IdentifiedCaller, request: Request, kind: Annotated[CaseKind | None, Query()] = None,
    state: Annotated[CaseState | None, Query()] = None,
) -> Response:  # fmt: skip
    """Alerts and incidents, with owner, due date and steps."""
    is_open = None if state is None else state is CaseState.OPEN
    return answer(_auditors(request).cases.listed(caller, kind=kind or "", is_open=is_open))


@router.get("/v1/audit/cases/{case}", summary="One case")
def get_case(caller: IdentifiedCaller, request: Request, case: str) -> Response:
    """The case with its steps."""
    return answer(_auditors(request).cases.shown(caller, case))


@router.post("/v1/audit/cases/{case}:work", summary="Note something on a case")
def post_work(caller: IdentifiedCaller, request: Request, case: str, body: Body) -> Response:
    """`{"note": "", "owner": "", "due_on": ""}`, at least one of them."""
    return answer(_auditors(request).cases.work(caller, case, **read(body, _STEP)))


@router.post("/v1/audit/cases/{case}:close", summary="End a case")
def post_close(caller: IdentifiedCaller, request: Request, case: str, body: Body) -> Response:
    """`{"outcome": "", "note": ""}`."""
    end = read(body, _END, ("outcome", "note"))
    return answer(_auditors(request).cases.close(caller, case, end["outcome"], end["note"]))


@router.post("/v1/audit/incidents", summary="Open a case about an incident")
def post_incident(caller: IdentifiedCaller, request: Request, body: Body) -> Response:
    """`{"trigger": "", "known_at": "", "note": "", "owner": ""}`; its clocks run from `known_at`."""
    one = read(body, _INCIDENT, ("trigger", "known_at"))
    return answer(_auditors(request).cases.open_incident(caller, one.pop("trigger"), one.pop("known_at"), **one), 201)


@router.post("/v1/audit/incidents/{case}:told", summary="Somebody was told of an incident")
def post_told(caller: IdentifiedCaller, request: Request, case: str, body: Body) -> Response:
    """`{"clock": "", "told_at": "", "note": ""}`; now by default."""
    one = read(body, _TOLD, ("clock",))
    told = _auditors(request).cases.told(caller, case, one["clock"], one.get("told_at"), one.get("note", ""))
    return answer(told)
