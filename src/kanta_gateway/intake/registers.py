"""Routes of the register of parties and users, and of whom an entry of the log is about."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from kanta_gateway.access.statements import KINDS
from kanta_gateway.intake.api import BIGGEST, Day, IdentifiedCaller, Service_, answer
from kanta_gateway.intake.bodies import FIRST_DAY, LAST_DAY, wrong
from kanta_gateway.pipeline.partybook import moment

router = APIRouter()


@router.get("/v1/parties", summary="The register of parties and users as it was on a day")
def get_parties(
    caller: IdentifiedCaller, service: Service_,
    on: Annotated[Day | None, Query(description="The day; today by default.")] = None,
    known_at: Annotated[str | None, Query(description="As it was known at this day's end or moment.")] = None,
    kind: Annotated[str, Query(description="Only this kind of statement.")] = "",
) -> Response:  # fmt: skip
    """Organisations, contracts, approvals, units, persons with their roles, client relationships (703/2023 §9.3)."""
    if kind and kind not in KINDS:
        raise wrong(("kind", ", ".join(KINDS)))
    told = service.party_book.on(caller, on, _moment(known_at), kind)
    return answer(told)


@router.get("/v1/audit/entries/{index}/client", summary="Which client an entry of the log is about")
def get_entry_client(
    caller: IdentifiedCaller, service: Service_, index: Annotated[int, Path(ge=0, le=BIGGEST)]
) -> Response:
    """The provider's own client number; an act of its own, with an entry and the caller's purpose."""
    return answer(service.resolver.client_of(caller, index))


def _moment(told: str | None) -> datetime | None:
    with suppress(ValueError):
        found = moment(told) if told else None
        if found is None or FIRST_DAY <= found.date() <= LAST_DAY:
            return found
    raise wrong(("known_at", "2026-01-31 or 2026-01-31T12:00:00+02:00"))
