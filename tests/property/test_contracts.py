"""Judging is a function of the set of records: order and part-wise judging change nothing."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.figures import figures

_place = Path(__file__).parents[1] / "unit" / "contracts" / "builders.py"
_spec = importlib.util.spec_from_file_location("contract_builders", _place)
assert _spec is not None
assert _spec.loader is not None
b: Any = sys.modules.setdefault("contract_builders", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(b)

DAYS = st.integers(1, 28).map(lambda day: f"2025-09-{day:02d}")
DIARY = st.fixed_dictionaries(
    {
        "date": DAYS,
        "hours": st.sampled_from([None, 0, 2, 4, 5, 7.5]),
        "mode": st.sampled_from(["on_site", "remote"]),
        "notes": st.sampled_from(["", "Ohjauskäynti"]),
        "recorder": st.sampled_from(["H1", "H9"]),
    }
)
NAMES = st.sampled_from([f"R{number}" for number in range(8)])


@st.composite
def cases(draw: st.DrawFn) -> Any:
    """Some versions of some diary entries and absences under one or two decisions."""
    entries = [b.decision("VT2", ends_on="2025-09-19"), b.decision("VT1", starts_on="2025-09-22")]
    entries = entries[: draw(st.integers(0, 2))]
    versions = st.tuples(NAMES, st.integers(1, 3))
    for name, version in draw(st.lists(versions, unique=True, max_size=14)):
        is_cancelled = draw(st.integers(0, 5)) == 0
        entries.append(b.entry("diary_entry", name, version, is_cancelled=is_cancelled, **draw(DIARY)))
    entries.extend(b.entry("absence", date=day) for day in draw(st.lists(DAYS, max_size=3)))
    whole = b.case(*entries)
    if draw(st.integers(0, 9)) == 0:
        return replace(whole, entries=tuple(one for one in whole.entries if one.type != "client"))
    return whole


@settings(max_examples=150, deadline=None)
@given(cases(), st.randoms(use_true_random=False), st.sampled_from([b.AS_OF, b.AFTER]))
def test_order_changes_nothing(whole: Any, random: Any, as_of: Any) -> None:
    """Shuffled records, with other arrivals and other rows, bring the same judgement and figures."""
    entries = list(whole.entries)
    random.shuffle(entries)
    arrivals = list(range(len(entries)))
    random.shuffle(arrivals)
    moved = [replace(one, received=place, row=10_000 + one.row) for one, place in zip(entries, arrivals, strict=True)]
    shuffled = replace(whole, entries=tuple(moved), shared=whole.shared[::-1])

    before, after = b.judged(whole, as_of), b.judged(shuffled, as_of)

    assert before.outcomes == {row - 10_000: outcome for row, outcome in after.outcomes.items()}
    assert before.findings == {row - 10_000: found for row, found in after.findings.items()}
    assert figures(b.LAPHA, whole, before, as_of) == figures(b.LAPHA, shuffled, after, as_of)


@settings(max_examples=150, deadline=None)
@given(cases(), st.data(), st.sampled_from([b.AS_OF, b.AFTER]))
def test_judging_a_part_equals_judging_all(whole: Any, data: Any, as_of: Any) -> None:
    """A new record judged alone, with what it affects, leaves every row as a judgement of everything does."""
    later = [one for one in whole.entries if one.type in {"diary_entry", "absence"}]
    if not later:
        return
    new = data.draw(st.sampled_from(later))
    known = replace(whole, entries=tuple(one for one in whole.entries if one is not new))
    before = b.judged(known, as_of)

    part = judge(b.LAPHA, whole, as_of, b.HOLIDAYS, only=[new.row])
    again = judge(b.LAPHA, whole, as_of, b.HOLIDAYS, only=[new.row], before=before.situation)

    assert again == part, "what was judged before is taken over as it was"
    full = b.judged(whole, as_of)
    assert full.outcomes == {**before.outcomes, **part.outcomes}
    assert full.findings == {**before.findings, **part.findings}
    assert part.decisions.items() <= full.decisions.items()
