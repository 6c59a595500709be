"""Small cases with defaults: one client, one decision of product VT1, everything in order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.model import Record
from kanta_gateway.recordtypes import RecordType

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "mappings" / "contracts" / "lapha.yaml").read_text(encoding="utf-8")
TYPES = {
    path.stem: RecordType.of(path.stem, json.loads(path.read_text(encoding="utf-8")))
    for path in (ROOT / "schemas" / "records").glob("*.json")
}
LAPHA = Contract.load(TEXT, "lapha.yaml", TYPES)
AS_OF = date(2025, 10, 31)
"""Within the period, so that nothing of its end is judged unless a test says so."""
AFTER = date(2026, 3, 1)
"""When every deadline of the period has run out."""
HOLIDAYS = frozenset({date(2025, 12, 6), date(2025, 12, 24)})
START, END = "2025-09-01", "2025-12-31"
SERVICES = {
    "KT": "Kuntouttava työtoiminta",
    "VT": "Vammaisten henkilöiden työtoiminta",
    "SK": "Sosiaalinen kuntoutus",
}
GOALS = [{"name": "tavoite", "subgoals": [{"name": "osatavoite", "means": "keinot"}]}]
DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"non_disclosure": False, "responsible_worker": "H1", "substitute_worker": "H2"},
    "decision": {
        "made_on": "2025-08-20", "starts_on": START, "ends_on": END, "days_per_week": 3, "hours_per_day": 5,
        "remote_max_percent": 10, "authority_plan": "asiakassuunnitelma",
    },
    "implementation_plan": {
        "made_on": "2025-09-04", "delivered_on": "2025-09-05", "author": "H1", "goals": GOALS,
        "division_of_work": "x", "client_view": "x", "evaluation_dates": ["2025-10-30"],
    },
    "agreement": {
        "signed_on": START, "starts_on": START, "ends_on": END, "place": "Paja", "responsible_worker": "H1",
        "workplace_supervisor": "Ohjaaja",
    },
    "diary_entry": {
        "date": "2025-09-02", "start_time": "09:00", "end_time": "14:00", "hours": 5, "mode": "on_site",
        "tasks": "x", "performance": "x", "skills": "x", "recorder": "H1",
    },
    "absence": {"date": "2025-09-03", "permitted": True, "payer_told_on": "2025-09-04"},
    "interim_evaluation": {
        "date": "2025-10-30", "delivered_on": "2025-10-31", "author": "H1", "goals": "x",
        "period": {"start": START, "end": "2025-10-30"},
    },
    "final_evaluation": {
        "date": "2025-12-15", "delivered_on": "2025-12-16", "author": "H1", "goals": "x",
        "period": {"start": START, "end": END},
    },
    "negotiation": {"date": "2025-12-18"},
    "final_summary": {
        "made_on": "2026-01-08", "author": "H1", "end_reason": "x", "content": "x", "progress": "x",
        "skills_client": "x", "skills_provider": "x", "continuation_plan": "x", "support": "x",
    },
    "staff": {"title": "sosionomi (AMK)", "registration_number": "1"},
    "provider": {"registered": True, "units": [{"oid": "1.2", "name": "Paja", "registered": True}]},
}  # fmt: skip
_rows = count(1)


def entry(kind: str, /, name: str = "", version: int = 1, *, is_cancelled: bool = False, **content: Any) -> Entry:
    """One record of a type; content given here goes before the default, None takes a field away."""
    whole = {key: value for key, value in {**DEFAULTS.get(kind, {}), **content}.items() if value is not None}
    birth = whole.pop("birth_date", "1990-01-01")
    extra = {"birth_date": birth} if kind == "client" else {}
    row = next(_rows)
    kept = facts(LAPHA, Record(kind, name or f"{kind}-{row}", version, None, whole), extra)
    return Entry(TYPES[kind], name or f"{kind}-{row}", version, is_cancelled, kept, row, row)


def decision(product: str = "VT1", **content: Any) -> Entry:
    """A decision of one product."""
    number = int(product[2])
    return entry("decision", **{"service": SERVICES[product[:2]], "product_number": number, **content})


def case(*entries: Entry, product: str = "VT1", **content: Any) -> Case:
    """A case with a client, a decision and a plan, unless they are among the entries."""
    given = {one.type for one in entries}
    base = []
    if "client" not in given:
        base.append(entry("client", "K"))
    if "decision" not in given:
        base.append(decision(product, **content))
    if "implementation_plan" not in given:
        base.append(entry("implementation_plan"))
    staff = [entry("staff", "H1"), entry("staff", "H2")]
    return Case(entries=(*base, *entries), shared=(*staff, entry("provider")))


def with_shared(whole: Case, *shared: Entry) -> Case:
    """The case with other staff and provider."""
    return replace(whole, shared=shared)


def judged(whole: Case, as_of: date = AS_OF) -> Judgement:
    """The judgement of a case by the Lapland contract."""
    return judge(LAPHA, whole, as_of, HOLIDAYS)


def told(whole: Case, one: Entry, as_of: date = AS_OF) -> list[tuple[str, str, str]]:
    """Rule, severity and kind of what was found on one entry."""
    return sorted((f.rule, f.severity.word, f.kind) for f in judged(whole, as_of).findings[one.row])


def on(whole: Case, record_type: str, as_of: date = AS_OF) -> list[tuple[str, str]]:
    """Rule and kind of what was found on the first entry of a type."""
    first = next(one for one in whole.entries if one.type == record_type)
    return [(rule, kind) for rule, _, kind in told(whole, first, as_of)]
