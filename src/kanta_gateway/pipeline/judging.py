"""A client's file as the contract sees it, and its judgement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.model import Finding
from kanta_gateway.pipeline.casefile import CaseFile
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.wording import stored_finding
from kanta_gateway.spool.records import StoredRecord

YEARS_BACK = 3
"""Holidays are looked up from this many years before the first delivery."""


def judged(
    parts: Parts, case: CaseFile, purchaser: str, as_of: date | None = None, *,
    only: Collection[int] | None = None, held: Mapping[int, tuple[Finding, ...]] | None = None,
) -> tuple[Case, Judgement, date]:  # fmt: skip
    """Judge one client's file.

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
    held = held or {}
    day = as_of or max((date.fromisoformat(one.as_of) for one in case.rows), default=parts.now().date())
    shared = [_entry(one, case.shared.facts[one.row], ()) for one in case.shared.rows]
    own = [
        _entry(one, case.facts[one.row], (*map(stored_finding, case.reading[one.row]), *held.get(one.row, ())))
        for one in case.rows
    ]
    whole = Case(
        entries=own,
        shared=shared,
        is_contract_known=all(case.facts[one.row].get("contract_known", True) for one in case.rows),
        delivery_has_staff=any(one.type == "staff" for one in case.shared.rows),
    )
    first = min((int(one.received_at[:4]) for one in case.rows), default=day.year)
    holidays = parts.holidays(min(first, day.year) - YEARS_BACK, parts.now().year + 1)
    return whole, judge(parts.contracts[purchaser], whole, day, holidays, only=only), day


def _entry(one: StoredRecord, facts: Mapping[str, Any], reading: tuple[Finding, ...]) -> Entry:
    return Entry(
        type=one.type, id=one.id, version=one.version, is_cancelled=one.is_cancelled, facts=facts, row=one.row,
        received=one.row, reading=reading, received_on=date.fromisoformat(one.received_at[:10]),
    )  # fmt: skip
