"""Small cases of the Heinola contract with defaults: one client, one basic voucher of three months, all in order."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from tests.unit.contracts.builders import ROOT, TYPES

from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.figures import figures
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.model import Record

TEXT = (ROOT / "mappings" / "contracts" / "heinola.yaml").read_text(encoding="utf-8")
HEINOLA = Contract.load(TEXT, "heinola.yaml", TYPES)
AS_OF = date(2022, 9, 30)
"""Within the period, so that nothing of its end is judged unless a test says so."""
AFTER = date(2023, 3, 1)
"""When every deadline of the period has run out."""
HOLIDAYS = frozenset({date(2022, 8, 16), date(2022, 12, 6)})
START, END = "2022-08-01", "2022-10-31"
VOUCHER = "PS-2022-90001"
NAME = {"surname": "Esimerkki", "given_names": "Eeva"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"non_disclosure": False},
    "decision": {
        "service": "Kuntouttava työtoiminta", "product_number": 1, "level": "perustaso", "unit_price": 40,
        "voucher_number": VOUCHER, "starts_on": START, "ends_on": END, "days_per_week": 3, "hours_per_day": 6,
        "continues": True,
    },
    "diary_entry": {
        "date": "2022-08-02", "voucher_number": VOUCHER, "present": True, "hours": 5, "tasks": "x",
        "performance": "x", "recorder": "H1", "recorder_name": NAME, "reported_on": "2022-09-04",
    },
    "absence": {
        "date": "2022-08-04", "ends_on": "2022-08-04", "permitted": True, "reason": "x",
        "purchaser_told_on": "2022-08-05", "recorder": "H1", "recorder_name": NAME,
    },
    "implementation_plan": {"made_on": START, "author": "H1", "recorder_name": NAME, "goals": [{"name": "x"}]},
    "agreement": {
        "signed_on": START, "starts_on": START, "ends_on": END, "place": "Paja", "supervisor": "H1",
        "responsible_worker": "H1", "recorder_name": NAME, "goals": "x", "days_per_week": 3, "hours_per_day": 6,
        "own_worker_contact": "x", "absence_notice": "x", "supervisor_contact": "x", "responsible_worker_contact": "x",
    },
    "interim_evaluation": {
        "date": "2022-10-10", "delivered_on": "2022-10-17", "author": "H1", "recorder_name": NAME,
        "period": {"start": START, "end": END},
    },
    "final_evaluation": {
        "date": "2022-10-10", "delivered_on": "2022-10-17", "author": "H1", "recorder_name": NAME,
        "period": {"start": START, "end": END}, "strengths": "x", "goals": "x", "to_develop": "x", "next_steps": "x",
    },
    "final_summary": {
        "made_on": "2022-11-01", "author": "H1", "recorder_name": NAME, "delivered_on": "2022-11-15",
    },
    "service_start": {"date": START, "recorder": "H1", "recorder_name": NAME},
    "service_end": {
        "date": "2022-08-26", "recorder": "H1", "recorder_name": NAME, "reason": "x", "ending": "interrupted",
        "ground": "x", "purchaser_told_on": "2022-08-29",
    },
}  # fmt: skip
_rows = count(1)


def entry(kind: str, name: str = "", version: int = 1, *, is_cancelled: bool = False, **content: Any) -> Entry:
    """One record of a type; content given here goes before the default, None takes a field away."""
    whole = {key: value for key, value in {**DEFAULTS.get(kind, {}), **content}.items() if value is not None}
    row = next(_rows)
    kept = facts(HEINOLA, Record(kind, name or f"{kind}-{row}", version, None, whole))
    return Entry(TYPES[kind], name or f"{kind}-{row}", version, is_cancelled, kept, row, row)


def case(*entries: Entry, **content: Any) -> Case:
    """A case with a client and a decision, unless they are among the entries.

    Args:
        entries: the records.
        content: of the decision.
    """
    given = {one.type for one in entries}
    base = [entry("client", "K")] if "client" not in given else []
    if "decision" not in given:
        base.append(entry("decision", "D", **content))
    return Case(entries=(*base, *entries), delivery_has_staff=False)


def judged(whole: Case, as_of: date = AS_OF) -> Judgement:
    """The judgement of a case by the Heinola contract."""
    return judge(HEINOLA, whole, as_of, HOLIDAYS)


def told(whole: Case, one: Entry, as_of: date = AS_OF) -> list[tuple[str, str, str]]:
    """Rule, severity and kind of what was found on one entry."""
    return sorted((f.rule, f.severity.word, f.kind) for f in judged(whole, as_of).findings[one.row])


def on(whole: Case, record_type: str, as_of: date = AS_OF) -> list[tuple[str, str, str]]:
    """Rule, severity and kind of what was found on the first entry of a type."""
    return told(whole, next(one for one in whole.entries if one.type == record_type), as_of)


def numbers(whole: Case, as_of: date = AFTER) -> dict[str, Any]:
    """The figures of a case."""
    return figures(HEINOLA, whole, judged(whole, as_of), as_of)
