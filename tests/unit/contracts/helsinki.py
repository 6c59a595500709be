"""Cases of work activity and coaching for tests: records with defaults, judged by the Helsinki contract."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

import holidays
from tests.unit.contracts import builders as b

from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.model import Record

HELSINKI = Contract.load(
    (b.ROOT / "mappings" / "contracts" / "helsinki.yaml").read_text(encoding="utf-8"), "helsinki.yaml", b.TYPES
)
COACHING = "coaching_agreement"
FREE = frozenset(holidays.country_holidays("FI", years=range(2024, 2028)))
AS_OF = date(2025, 12, 31)
NAME = {"surname": "Esimerkki", "given_names": "Eeva"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"non_disclosure": False},
    "decision": {
        "service": "Työtoiminta 27 e §", "product_number": 1, "starts_on": "2025-09-01", "ends_on": "2026-08-31",
        "hours_per_day": 6, "days_per_week": 3, "leave_balance": 2,
    },
    "attendance_month": {
        "month": "2025-09", "starts_on": "2025-09-01", "ends_on": "2025-09-30", "recorder": "Eeva",
        "recorder_name": NAME,
    },
    "coaching_agreement": {
        "service": "Työvalmennus 27 d §", "product_number": 1, "max_hours": 35, "starts_on": "2025-09-01",
        "ends_on": "2026-03-01",
    },
    "meeting": {
        "date": "2025-09-03", "start_time": "09:00", "hours": 3, "product_number": 1, "form": "individual",
        "state": "held", "recorder": "Riku", "recorder_name": NAME, "description": "x",
    },
    "missed_meeting": {
        "date": "2025-10-30", "start_time": "09:00", "hours": 2, "product_number": 1, "state": "cancelled",
        "cause": "client", "cancelled_at": "2025-10-29T11:59", "recorder": "Riku", "recorder_name": NAME,
    },
    "interim_evaluation": {"date": "2025-10-15", "recorder_name": NAME},
    "final_summary": {
        "made_on": "2025-11-19", "author": "Riku", "recorder_name": NAME, "content": "x", "progress": "x",
        "end_reason": "x", "background": "x",
    },
    "diary_entry": {"date": "2025-09-03", "hours": 6, "recorder": "Riku", "recorder_name": NAME},
}  # fmt: skip
_rows = count(1)


def entry(kind: str, name: str = "", **content: Any) -> Entry:
    """One record; None takes a default away."""
    whole = {key: value for key, value in {**DEFAULTS.get(kind, {}), **content}.items() if value is not None}
    row = next(_rows)
    kept = facts(HELSINKI, Record(kind, name or f"{kind}-{row}", 1, None, whole))
    return Entry(b.TYPES[kind], name or f"{kind}-{row}", 1, False, kept, row, row)  # noqa: FBT003


def month(marks: dict[str, Any], **content: Any) -> Entry:
    """A month with these marks: day -> mark."""
    days = [{"date": on, "mark": str(mark)} for on, mark in marks.items()]
    first = min(marks, default="2025-09-01")[:7]
    return entry("attendance_month", days=days, month=first, starts_on=f"{first}-01", ends_on=f"{first}-28", **content)


def case(*entries: Entry, grant: Entry | None = None) -> Case:
    """A client with a decision, or another grant, and these records."""
    given = (entry("client", "K"), grant or entry("decision", "P"), *entries)
    return Case(entries=given, delivery_has_staff=False)


def judged(whole: Case, as_of: date = AS_OF) -> Judgement:
    """The judgement of a case."""
    return judge(HELSINKI, whole, as_of, FREE)


def told(whole: Case, one: Entry, as_of: date = AS_OF) -> list[tuple[str, str]]:
    """Rule and kind of what was found on one record."""
    return sorted((found.rule, found.kind) for found in judged(whole, as_of).findings[one.row])


def coached(*entries: Entry, **content: Any) -> Case:
    """A client with a coaching agreement."""
    return case(*entries, grant=entry(COACHING, "S", **content))
