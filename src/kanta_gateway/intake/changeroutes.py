"""Changes of policy, contracts and thresholds over HTTP: another person decides, under an assertion of their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from kanta_gateway.intake.api import BIGGEST, IdentifiedCaller, Service_, answer

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=BIGGEST)]


@router.get("/v1/changes", summary="Proposed and decided changes of policy, contracts and thresholds")
def get_changes(caller: IdentifiedCaller, service: Service_) -> Response:
    """Paths and digests, how each change stands, and which content is approved."""
    return answer(service.changes.listed(caller))


@router.get("/v1/changes/{number}", summary="One change, with its content and its effect")
def get_change(caller: IdentifiedCaller, number: Number, service: Service_) -> Response:
    """Who proposed it and why, its content, and what would differ."""
    return answer(service.changes.show(caller, number))


@router.post("/v1/changes/{number}:approve", summary="Approve a change that another person proposed")
def post_approve(caller: IdentifiedCaller, number: Number, service: Service_) -> Response:
    """Whoever proposed it is refused."""
    return answer(service.changes.approve(caller, number))


@router.post("/v1/changes/{number}:reject", summary="Reject a change")
def post_reject(caller: IdentifiedCaller, number: Number, service: Service_) -> Response:
    """Ends a proposal, or what another person narrowed at once."""
    return answer(service.changes.reject(caller, number))
