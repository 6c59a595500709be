"""Derived numbers of clients, from facts only: no content is opened for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.figures import explain as explain_figures
from kanta_gateway.contracts.figures import figures
from kanta_gateway.pipeline.casefile import CaseFile, SharedFile, load
from kanta_gateway.pipeline.judging import judged
from kanta_gateway.pipeline.parts import Parts

if TYPE_CHECKING:
    from sqlalchemy import Connection


def of_clients(
    parts: Parts, tx: Connection, provider: str, clients: Iterable[str], *,
    as_of: date | None = None, explain: bool = False,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Figures by the provider's own client number.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        provider: OID of the provider.
        clients: keyed references.
        as_of: the day as of which they are counted; the newest delivery's own day by default.
        explain: give `{"value": …, "records": […]}` instead of the number.
    """
    told: dict[str, dict[str, Any]] = {}
    shared: SharedFile | None = None
    for client_ref in clients:
        case = load(parts, tx, provider, client_ref, shared)
        shared = case.shared
        client = case.newest("client")
        if client is not None:
            told[client.id] = _of(parts, case, client.purchaser, as_of, explain=explain)
    return dict(sorted(told.items()))


def _of(parts: Parts, case: CaseFile, purchaser: str, as_of: date | None, *, explain: bool) -> dict[str, Any]:
    contract = parts.contracts[purchaser]
    whole, judgement, day = judged(parts, case, purchaser, as_of)
    numbers = figures(contract, whole, judgement, day)
    if not explain:
        return numbers
    behind = explain_figures(contract, whole, judgement, day)
    return {name: {"value": value, "records": behind.get(name, [])} for name, value in numbers.items()}
