"""A voucher's judgement, figures and reconciliation are functions of the set of records."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.contracts import vouchers as v

from kanta_gateway.contracts.case import Case
from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.figures import figures
from kanta_gateway.contracts.reconcile import lines, reconcile

DAYS = st.dates(date(2022, 7, 28), date(2022, 8, 24)).map(date.isoformat)
DIARY: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "date": DAYS,
        "hours": st.sampled_from([None, 0, 3, 5, 7, 9]),
        "tasks": st.sampled_from(["x", "tutustuminen"]),
        "deviation": st.sampled_from([None, "päihtynyt"]),
        "voucher_number": st.sampled_from([v.VOUCHER, "PS-2022-90009"]),
        "reported_on": st.sampled_from([None, "2022-08-31", "2022-09-05"]),
    }
)
ABSENCE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "date": DAYS,
        "ends_on": DAYS,
        "reason": st.sampled_from(["sairaus", "paja kiinni", "päihtyneenä"]),
        "purchaser_told_on": st.sampled_from([None, "2022-08-15"]),
    }
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Some entries and absences, in some versions, under one or two decisions."""
    own = [v.entry("decision", "D1", ends_on="2022-08-14"), v.entry("decision", "D2", starts_on="2022-08-15")]
    names = st.tuples(st.sampled_from([f"R{number}" for number in range(10)]), st.integers(1, 2))
    for name, version in draw(st.lists(names, unique=True, max_size=12)):
        own.append(v.entry("diary_entry", name, version, **draw(DIARY)))
    own.extend(v.entry("absence", f"A{place}", **one) for place, one in enumerate(draw(st.lists(ABSENCE, max_size=3))))
    if draw(st.booleans()):
        own.append(v.entry("service_end", "E", date=draw(DAYS)))
    return v.case(*own)


def told(whole: Case) -> Any:
    """Everything that judging, counting and comparing say, by record."""
    judgement = v.judged(whole)
    by_row = {one.row: (one.type, one.id, one.version) for one in whole.entries}
    return (
        {by_row[row]: outcome for row, outcome in judgement.outcomes.items()},
        {by_row[row]: found for row, found in judgement.findings.items()},
        figures(v.HEINOLA, whole, judgement, v.AS_OF),
        [
            (one.day, one.invoiced, one.differences, one.line and one.line.subject.entry.id)
            for one in reconcile(v.HEINOLA, whole, judgement, v.AS_OF)
        ],
    )


@settings(max_examples=120, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_changes_nothing(whole: Case, random: Any) -> None:
    """Shuffled records with other rows bring the same judgement, figures and differences."""
    entries = list(whole.entries)
    random.shuffle(entries)
    moved = [replace(one, received=place, row=10_000 + place) for place, one in enumerate(entries)]

    assert told(whole) == told(replace(whole, entries=tuple(moved)))


@settings(max_examples=120, deadline=None)
@given(cases(), st.data())
def test_judging_a_part_equals_judging_all(whole: Case, data: Any) -> None:
    """A new entry or absence judged alone, with what it affects, leaves every row as judging everything does."""
    later = [one for one in whole.entries if one.type in {"diary_entry", "absence"}]
    if not later:
        return
    new = data.draw(st.sampled_from(later))
    known = replace(whole, entries=tuple(one for one in whole.entries if one is not new))
    before, expected = v.judged(known), v.judged(whole)
    part = judge(v.HEINOLA, whole, v.AS_OF, v.HOLIDAYS, only={new.row}, before=before.situation)

    assert expected.findings == {**before.findings, **part.findings}
    assert expected.outcomes == {**before.outcomes, **part.outcomes}


@settings(max_examples=120, deadline=None)
@given(cases())
def test_invoice_adds_up(whole: Case) -> None:
    """The lines add up to the invoice and to what is to check of it, and there is one a day."""
    judgement = v.judged(whole)
    numbers = figures(v.HEINOLA, whole, judgement, v.AS_OF)
    found = lines(v.HEINOLA, whole, judgement, v.AS_OF)

    assert sum(one.amount or 0 for one in found) == numbers["invoice_eur"]
    assert len({one.subject.day for one in found}) == len(found) == numbers["realised_days"]
    assert sum(one.amount or 0 for one in found if one.is_to_check) == numbers["to_check_eur"]
