"""Routes of the register of parties and users, and of whom an entry of the log is about."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import orjson
from fastapi import APIRouter, Path, Query, Response

from kanta_gateway.access.statements import KINDS
from kanta_gateway.errors import ParameterError
from kanta_gateway.intake.api import BIGGEST, JSON, IdentifiedCaller, Service_
from kanta_gateway.model import Finding, Severity
from kanta_gateway.pipeline.partybook import moment

if TYPE_CHECKING:
    from datetime import datetime

router = APIRouter()


@router.get("/v1/parties", summary="The register of parties and users as it was on a day")
def get_parties(
    caller: IdentifiedCaller, service: Service_,
    on: Annotated[date | None, Query(description="The day; today by default.")] = None,
    known_at: Annotated[str | None, Query(description="As it was known at this day's end or moment.")] = None,
    kind: Annotated[str, Query(description="Only this kind of statement.")] = "",
) -> Response:  # fmt: skip
    """Organisations, contracts, approvals, units, persons with their roles, client relationships (703/2023 §9.3)."""
    if kind and kind not in KINDS:
        raise _wrong("/kind", ", ".join(KINDS))
    told = service.party_book.on(caller, on, _moment(known_at), kind)
    return Response(orjson.dumps(told), media_type=JSON)


@router.get("/v1/audit/entries/{index}/client", summary="Which client an entry of the log is about")
def get_entry_client(
    caller: IdentifiedCaller, service: Service_, index: Annotated[int, Path(ge=0, le=BIGGEST)]
) -> Response:
    """The provider's own client number; an act of its own, with an entry and the caller's purpose."""
    return Response(orjson.dumps(service.resolver.client_of(caller, index)), media_type=JSON)


def _moment(told: str | None) -> datetime | None:
    try:
        return moment(told) if told else None
    except ValueError:
        raise _wrong("/known_at", "2026-01-31 or 2026-01-31T12:00:00+02:00") from None


def _wrong(pointer: str, expected: str) -> ParameterError:
    told = {"field": pointer[1:], "expected": expected}
    return ParameterError(findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", pointer, told),))
