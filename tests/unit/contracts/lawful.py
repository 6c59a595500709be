"""Small cases under the law alone: a contract that inherits it and demands nothing itself, one decision of four months.

`contract(name)` is a purchaser's own contract with what it inherits.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from itertools import count
from typing import Any

import holidays
import yaml
from tests.unit.contracts.builders import ROOT, TYPES

from kanta_gateway.contracts import library
from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.figures import Ground, Told, derive
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.model import Record

TEXTS = {one.stem: one.read_text(encoding="utf-8") for one in (ROOT / "mappings" / "contracts").glob("*.yaml")}
FREE = frozenset(holidays.country_holidays("FI", years=range(2018, 2028)))
AS_OF = date(2025, 12, 31)
START, END = "2025-09-01", "2025-12-31"
SERVICE = "Kuntouttava työtoiminta"
PLAIN = f"""
contract: plain
source: "a contract of no purchaser"
inherits: [national]
words:
  - {{name: visit, stems: [tutustu], fields: {{diary_entry: [tasks]}}, means: not-realised}}
  - {{name: closed, stems: [kiinni], fields: {{absence: [reason]}}, means: not-absent}}
products:
  - &work
    {{code: T, class: T, number: 1, name: x, services: [{SERVICE}], service_task: x, service: x, limits: {{}},
     service_type: KUNTOUTTAVA_189}}
  - {{<<: *work, code: S, class: S, services: [Sosiaalinen kuntoutus], service_type: SOS_KUNTOUTUS_SHL17}}
  - {{<<: *work, code: N, class: N, services: [Muu], service_type: null}}
attendance:
  allowance: {{3: 1, 4: 1, 6: 2, 9: 3}}
  letters: {{L: leave}}
rules: []
"""
DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"non_disclosure": False},
    "decision": {
        "service": SERVICE, "product_number": 1, "starts_on": START, "ends_on": END, "days_per_week": 3,
        "hours_per_day": 6,
    },
    "diary_entry": {"date": "2025-09-02", "hours": 6},
    "absence": {"date": "2025-09-03", "payer_told_on": "2025-09-05"},
    "authority_plan": {
        "kind": "activation", "made_on": "2025-08-20", "starts_on": START, "ends_on": END, "goals": [{"name": "x"}],
        "description": "x", "place": "x", "hours_per_day": 6, "days_per_week": 3, "support": "x",
        "evaluate_by": "2025-11-30",
    },
}  # fmt: skip
_rows = count(1)


@cache
def contract(name: str = "plain") -> Contract:
    """A contract with the law."""
    return library.load({**TEXTS, "plain": PLAIN}, TYPES)[name]


def changed(name: str, change: Any) -> Contract:
    """A contract with the law, after a change to what one file says.

    Args:
        name: of the file; `national` gives the plain contract under the changed law.
        change: is given what the file says, and changes it.
    """
    texts = {"national": TEXTS["national"], "plain": PLAIN}
    data = yaml.safe_load({**TEXTS, **texts}[name])
    change(data)
    texts[name] = yaml.safe_dump(data, allow_unicode=True)
    return library.load(texts, TYPES)["plain" if name == "national" else name]


def entry(of: str, name: str = "", /, under: Contract | None = None, **content: Any) -> Entry:
    """One record of a type; content given here goes before the default, None takes a field away."""
    whole = {key: value for key, value in {**DEFAULTS.get(of, {}), **content}.items() if value is not None}
    row = next(_rows)
    kept = facts(under or contract(), Record(of, name or f"{of}-{row}", 1, None, whole))
    return Entry(TYPES[of], name or f"{of}-{row}", 1, False, kept, row, row)  # noqa: FBT003


def case(*entries: Entry, **content: Any) -> Case:
    """A case with a client and a decision, unless they are among the entries.

    Args:
        entries: the records.
        content: of the decision.
    """
    given = {one.type for one in entries}
    base = [] if "client" in given else [entry("client", "K")]
    if "decision" not in given:
        base.append(entry("decision", "D", **content))
    return Case(entries=(*base, *entries), delivery_has_staff=False)


def told(whole: Case, one: Entry, as_of: date = AS_OF, under: Contract | None = None) -> list[tuple[str, str, str]]:
    """Rule, severity and kind of what was found on one entry."""
    judgement = judge(under or contract(), whole, as_of, FREE)
    return sorted((f.rule, f.severity.word, f.kind) for f in judgement.findings[one.row])


def on(whole: Case, kind: str, as_of: date = AS_OF, under: Contract | None = None) -> list[tuple[str, str]]:
    """Rule and kind of what was found on the first entry of a type."""
    first = next(one for one in whole.entries if one.type == kind)
    return [(rule, text) for rule, _, text in told(whole, first, as_of, under)]


def numbers(whole: Case, as_of: date = AS_OF, under: Contract | None = None) -> dict[str, Told]:
    """The figures of the law."""
    mine = under or contract()
    judgement = judge(mine, whole, as_of, FREE)
    return derive(Ground(mine, whole, judgement, as_of), mine.law.figures)
