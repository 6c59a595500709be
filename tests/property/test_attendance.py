"""Months and hours of the Helsinki contract: functions of the set of records, whose figures add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.contracts import helsinki as h

from kanta_gateway.contracts.case import Case, Entry
from kanta_gateway.contracts.check import judge
from kanta_gateway.contracts.figures import figures
from kanta_gateway.model import Outcome

HELSINKI = ZoneInfo("Europe/Helsinki")
MARKS = st.sampled_from(["4", "6", "5", "L", "S", "P", "X", "x", "L/6", "", "6,0", "nan"])
DAYS = st.dates(date(2025, 8, 20), date(2025, 10, 20)).map(date.isoformat)
EVENT: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "date": DAYS,
        "start_time": st.sampled_from(["09:00", "13:00"]),
        "hours": st.sampled_from([None, 0.5, 2, 7, 12.5]),
        "billed": st.booleans(),
        "recorder_name": st.sampled_from([h.NAME, h.NAME, h.NAME, None]),
        "service": st.sampled_from(["Työvalmennus 27 d §", None]),
    }
)
MOMENTS = st.sampled_from([None, "2025-09-08T12:00", "2025-09-08T12:01", "2025-10-01T09:00:00Z"])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Some months and events under one or two decisions and one or two agreements."""
    own: list[Entry] = [h.entry("client", "K"), h.entry("decision", "P", starts_on="2025-08-01", ends_on=draw(DAYS))]
    own.append(h.entry(h.COACHING, "S", ends_on=draw(DAYS.filter(lambda day: day >= "2025-09-01"))))
    if draw(st.booleans()):
        own.append(h.entry("decision", "P2", starts_on=draw(DAYS), leave_balance=None))
    if draw(st.booleans()):
        own.append(h.entry(h.COACHING, "S2", product_number=2, max_hours=21, starts_on="2025-09-20"))
    for number in draw(st.sets(st.integers(8, 10))):
        first = date(2025, number, 1)
        days = draw(st.sets(st.integers(0, 29), max_size=12))
        own.append(h.month({(first + timedelta(days=place)).isoformat(): draw(MARKS) for place in sorted(days)}))
    own += [h.entry("meeting", f"T{place}", **one) for place, one in enumerate(draw(st.lists(EVENT, max_size=6)))]
    for place, one in enumerate(draw(st.lists(EVENT, max_size=4))):
        state = draw(st.sampled_from(["cancelled", "no_show"]))
        own.append(h.entry("missed_meeting", f"M{place}", **{**one, "state": state, "cancelled_at": draw(MOMENTS)}))
    diary = draw(st.lists(DAYS, max_size=4))
    own += [h.entry("diary_entry", f"R{place}", date=on) for place, on in enumerate(diary)]
    return Case(entries=own, delivery_has_staff=False)


def told(whole: Case) -> Any:
    """Everything that judging and counting say, by record."""
    judgement = h.judged(whole)
    names = {one.row: (one.type, one.id) for one in whole.entries}
    return (
        {names[row]: outcome for row, outcome in judgement.outcomes.items()},
        {names[row]: found for row, found in judgement.findings.items()},
        figures(h.HELSINKI, whole, judgement, h.AS_OF),
    )


@settings(max_examples=100, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_changes_nothing(whole: Case, random: Any) -> None:
    """Shuffled records with other rows bring the same judgement and figures."""
    mixed = list(whole.entries)
    random.shuffle(mixed)
    again = [replace(one, row=row, received=row) for row, one in enumerate(mixed, 1)]

    assert told(replace(whole, entries=again)) == told(whole)


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_judging_a_part_equals_judging_all(whole: Case, data: Any) -> None:
    """A new record judged alone, with what it affects, leaves every row as judging everything does."""
    kinds = {"diary_entry", "meeting", "missed_meeting", "attendance_month"}
    later = [one for one in whole.entries if one.type in kinds]
    if not later:
        return
    new = data.draw(st.sampled_from(later))
    before = h.judged(replace(whole, entries=tuple(one for one in whole.entries if one is not new)))
    expected = h.judged(whole)
    part = judge(h.HELSINKI, whole, h.AS_OF, h.FREE, only={new.row}, before=before.situation)

    assert expected.findings == {**before.findings, **part.findings}
    assert expected.outcomes == {**before.outcomes, **part.outcomes}


@settings(max_examples=100, deadline=None)
@given(cases())
def test_figures_add_up(whole: Case) -> None:
    """Every mark counts once, pay is that of the days, and what is billed stays within maximum and hours."""
    outcomes, _, numbers = told(whole)
    marks = sum(
        len(one.facts["days"])
        for one in whole.entries
        if one.type == "attendance_month" and outcomes[one.type, one.id] not in {Outcome.HELD, Outcome.REFUSED}
    )
    kinds = ("presence_days", "sick_days", "leave_days", "other_absences", "unannounced_absences",
             "to_solve_by_hand", "rejected_days")  # fmt: skip

    assert marks == sum(numbers[name] for name in kinds)
    assert numbers["presence_days"] == numbers["days_4h"] + numbers["days_6h"]
    assert numbers["work_allowance_eur"] == 8 * numbers["days_4h"] + 12 * numbers["days_6h"]
    assert 0 <= numbers["billable_hours"] <= numbers["maximum_hours"]
    assert numbers["excess_hours"] == max(0, numbers["realised_hours"] - numbers["maximum_hours"])


@settings(max_examples=100, deadline=None)
@given(cases())
def test_what_waits_changes_nothing_else(whole: Case) -> None:
    """Without the held and refused records every other record is judged alike, and the figures are the same."""
    outcomes, findings, numbers = told(whole)
    waiting = {name for name, outcome in outcomes.items() if outcome in {Outcome.HELD, Outcome.REFUSED}}
    left = [one for one in whole.entries if (one.type, one.id) not in waiting]
    fewer = told(replace(whole, entries=left))

    # a month with a row in the list needs its report, whether the row waits or not
    assert {name: found for name, found in findings.items() if name not in waiting and name[0] != h.COACHING} == {
        name: found for name, found in fewer[1].items() if name[0] != h.COACHING
    }
    assert numbers == fewer[2]


def last_moment(on: str) -> datetime:
    """Noon of the weekday before, counted back day by day."""
    moment = datetime.fromisoformat(f"{on}T12:00") - timedelta(days=1)
    while moment.weekday() > 4 or moment.date() in h.FREE:
        moment -= timedelta(days=1)
    return moment.replace(tzinfo=HELSINKI)


def is_late(told: str | None, on: str) -> bool:
    """Whether the client told too late, or not at all."""
    if told is None:
        return True
    moment = datetime.fromisoformat(told)
    return (moment if moment.tzinfo else moment.replace(tzinfo=HELSINKI)) > last_moment(on)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(EVENT, st.sampled_from(["held", "cancelled", "no_show"]), MOMENTS), max_size=10),
    DAYS.filter(lambda day: day >= "2025-09-01"),
)
def test_hours_agree_with_a_naive_count(drawn: list[tuple[dict[str, Any], str, str | None]], ends_on: str) -> None:
    """Realised, billable and excess hours are those that the words of the contract give, added up in one loop."""
    own, realised, billable = [], Decimal(0), Decimal(0)
    for place, (event, state, told_at) in enumerate(drawn):
        kind = "meeting" if state == "held" else "missed_meeting"
        moment = told_at if state == "cancelled" else None
        own.append(h.entry(kind, f"E{place}", **{**event, "state": state, "cancelled_at": moment}))
        on, hours = event["date"], Decimal(str(event["hours"] or 0))
        if event["recorder_name"] is None or on < "2025-09-01":
            continue
        realised += hours if state == "held" else 0
        is_billed = on <= ends_on if state == "held" else state == "no_show" or is_late(moment, on)
        billable += hours if is_billed else 0
    _, _, numbers = told(h.coached(*own, ends_on=ends_on))

    assert float(realised) == numbers["realised_hours"]
    assert float(min(billable, Decimal(35))) == numbers["billable_hours"]
    assert float(max(Decimal(0), realised - 35)) == numbers["excess_hours"]
