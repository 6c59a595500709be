"""A client's file as the contract sees it, and its judgement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from kanta_gateway.contracts.case import Case
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.model import Finding
from kanta_gateway.pipeline.casefile import CaseFile
from kanta_gateway.pipeline.mandate import unmandated
from kanta_gateway.pipeline.parts import Parts

YEARS_BACK = 3
"""Holidays are looked up from this many years before the first delivery."""


def judged(
    parts: Parts, case: CaseFile, purchaser: str, as_of: date | None = None, *,
    only: Collection[int] | None = None, held: Mapping[int, tuple[Finding, ...]] | None = None,
) -> tuple[Case, Judgement, date]:  # fmt: skip
    """Judge one client's file; what no contract of its day carries is refused, and counts in nothing.

    Args:
        parts: the built gateway.
        case: the file.
        purchaser: name of the contract file.
        as_of: the day as of which deadlines are judged; the newest delivery's own day by default.
        only: rows to judge again, with what they affect; None judges all.
        held: findings of composing that make records wait, by row.

    Returns:
        The case, its judgement, and the day as of which it was judged.
    """
    day = as_of or max((date.fromisoformat(one.as_of) for one in case.rows), default=parts.now().date())
    own = [*case.entries, *case.elsewhere]
    if held:
        own = [replace(one, reading=(*one.reading, *held.get(one.row, ()))) for one in own]
    whole = Case(
        entries=own,
        shared=case.shared.entries,
        is_contract_known=all(one.facts.get("contract_known", True) for one in case.entries),
        client_id=case.client_id,
        delivery_has_staff=any(one.type == "staff" for one in case.shared.rows),
    )
    first = min((int(one.received_at[:4]) for one in case.rows), default=day.year)
    holidays = parts.holidays(min(first, day.year) - YEARS_BACK, parts.now().year + 1)
    contract = parts.contracts[purchaser]
    judgement = judge(contract, whole, day, holidays, only=only, before=case.situation)
    if judgement.situation is not None and (lacking := unmandated(case, purchaser, contract, judgement.situation)):
        told = [replace(one, reading=(*one.reading, *lacking.get(one.row, ()))) for one in own]
        whole = replace(whole, entries=told)
        judgement = judge(contract, whole, day, holidays, only=only, before=judgement.situation)
    case.situation = judgement.situation
    return whole, judgement, day
