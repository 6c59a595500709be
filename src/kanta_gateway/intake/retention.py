"""Routes of what is kept for a while only: what a provider was given back and has not corrected yet."""

from __future__ import annotations

from fastapi import APIRouter, Response

from kanta_gateway.intake.api import IdentifiedCaller, Service_, answer

router = APIRouter()


@router.get("/v1/retention/waiting", summary="Records given back that still have their content, with their reminders")
def get_waiting(caller: IdentifiedCaller, service: Service_) -> Response:
    """Each with its ticket, the reminders that fell due, and the day on which its content goes."""
    return answer({"waiting": service.keeping.listed(caller)})
