"""A deadline's clock and its finding are one thing, whatever the records and the day."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.contracts import builders as b
from tests.unit.contracts import helsinki as h
from tests.unit.contracts import lawful as law
from tests.unit.contracts import vouchers as v

from kanta_gateway.contracts import agenda
from kanta_gateway.contracts.awaited import CLIENT_CLOCKS, DECISION_CLOCKS
from kanta_gateway.contracts.case import Case
from kanta_gateway.contracts.check import Judgement, judge
from kanta_gateway.contracts.clocks import RECORD_CLOCKS
from kanta_gateway.contracts.completeness import gaps
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.contracts.rules import Contract

DEADLINES = {*RECORD_CLOCKS, *CLIENT_CLOCKS, *DECISION_CLOCKS}


def days(first: date, count: int) -> st.SearchStrategy[str]:
    """A day of some after a first one."""
    return st.integers(0, count).map(lambda place: (first + timedelta(days=place)).isoformat())


def maybe(one: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """A day, or none."""
    return st.one_of(st.none(), one)


def agree(contract: Contract, whole: Case, judgement: Judgement, as_of: date) -> None:
    """Findings of deadline rules and told clocks are the same, as often as they occur."""
    rules = [one for one in contract.rules if one.kind in DEADLINES and not one.is_clock]
    texts = {(one.id, text) for one in rules for text in one.texts.values()}
    found = Counter(
        (row, one.rule, one.kind, one.pointer)
        for row, told in judgement.findings.items()
        for one in told
        if (one.rule, one.kind) in texts
    )
    clocks = [one for one in agenda.clocks(judgement) if not one.rule.is_clock]
    told = [(clock, clock.finding(as_of.isoformat())) for clock in clocks]

    assert all((one is not None) == clock.state(as_of.isoformat()).is_told for clock, one in told)
    assert found == Counter(
        (clock.record.row, one.rule, one.kind, one.pointer) for clock, one in told if one is not None
    )
    assert {one.row for one in whole.entries} >= {clock.record.row for clock in clocks}


LAPLAND = days(date(2025, 8, 25), 200)


@st.composite
def lapland(draw: st.DrawFn) -> Case:
    """Some days, absences, evaluations, negotiations and summaries under one or two decisions."""
    own = [b.decision(draw(st.sampled_from(["VT2", "KT1", "KT2"])), ends_on="2025-11-30")]
    if draw(st.booleans()):
        own.append(b.decision("KT2", starts_on="2025-12-01", ends_on="2026-02-28"))
    notes = st.sampled_from(["", "Ohjauskäynti"])
    own += [b.entry("diary_entry", date=on, notes=draw(notes)) for on in draw(st.lists(LAPLAND, max_size=8))]
    own += [
        b.entry("absence", date=on, payer_told_on=draw(maybe(LAPLAND))) for on in draw(st.lists(LAPLAND, max_size=3))
    ]
    for kind in draw(st.lists(st.sampled_from(["interim_evaluation", "final_evaluation"]), max_size=4)):
        own.append(b.entry(kind, date=draw(LAPLAND), delivered_on=draw(maybe(LAPLAND)), period=None))
    own += [b.entry("negotiation", date=on) for on in draw(st.lists(LAPLAND, max_size=2))]
    own += [b.entry("final_summary", made_on=on) for on in draw(st.lists(LAPLAND, max_size=2))]
    plan = b.entry("implementation_plan", delivered_on=draw(maybe(LAPLAND)), made_on=draw(LAPLAND))
    return b.case(*own, *([plan] if draw(st.booleans()) else []))


HEINOLA = days(date(2022, 7, 25), 200)


@st.composite
def vouchers(draw: st.DrawFn) -> Case:
    """Days with and without words, absences, evaluations, starts, endings and summaries under one or two vouchers."""
    own = [v.entry("decision", "D1", ends_on="2022-10-31", continues=draw(st.booleans()))]
    if draw(st.booleans()):
        own.append(v.entry("decision", "D2", starts_on="2022-11-01", ends_on="2023-01-31"))
    for on in draw(st.lists(HEINOLA, max_size=6)):
        told = draw(maybe(HEINOLA))
        tasks = draw(st.sampled_from(["x", "tutustuminen"]))
        own.append(
            v.entry("diary_entry", date=on, reported_on=told, tasks=tasks, own_worker_told_on=draw(maybe(HEINOLA)))
        )
    for on in draw(st.lists(HEINOLA, max_size=3)):
        why = draw(st.sampled_from(["sairaus", "paja kiinni"]))
        own.append(v.entry("absence", date=on, ends_on=on, reason=why, purchaser_told_on=draw(maybe(HEINOLA))))
    for kind in draw(
        st.lists(st.sampled_from(["interim_evaluation", "final_evaluation", "final_summary"]), max_size=4)
    ):
        field = "made_on" if kind == "final_summary" else "date"
        period = draw(st.sampled_from([None, {"start": "2022-08-01", "end": "2022-10-31"}]))
        content: dict[str, Any] = {"period": period} if field == "date" else {}
        content |= {"delivered_on": draw(maybe(HEINOLA)), "author": "H1", "recorder_name": v.NAME}
        content[field] = draw(HEINOLA)
        own.append(v.entry(kind, **content))
    if draw(st.booleans()):
        names = ("agreed_on", "visit_agreed_on", "plan_made_on", "purchaser_told_on", "queued_on", "queue_told_on")
        told_days: dict[str, Any] = {name: draw(maybe(HEINOLA)) for name in names}
        told_days["delay_reason"] = draw(st.sampled_from([None, "x"]))
        own.append(v.entry("service_start", date=draw(HEINOLA), **told_days))
    if draw(st.booleans()):
        own.append(v.entry("service_end", date=draw(HEINOLA), purchaser_told_on=draw(maybe(HEINOLA))))
    return v.case(*own)


HELSINKI = days(date(2025, 8, 25), 400)
MEETING: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"date": HELSINKI, "hours": st.sampled_from([2, 7, 12])}
)
ENDING: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "date": HELSINKI,
        "about": st.sampled_from(["start", "ending"]),
        "client_came": st.sampled_from([None, True, False]),
    }
)


@st.composite
def coaching(draw: st.DrawFn) -> Case:
    """Meetings, reports, evaluations, negotiations and plans under an agreement and a decision."""
    own = [h.entry("decision", "P", ends_on=draw(st.sampled_from(["2026-08-31", "2025-12-31"])))]
    own += [h.entry("meeting", f"T{place}", **one) for place, one in enumerate(draw(st.lists(MEETING, max_size=6)))]
    own += [h.entry("missed_meeting", date=on) for on in draw(st.lists(HELSINKI, max_size=2))]
    for on in draw(st.lists(HELSINKI, max_size=3)):
        own.append(h.entry("report_sent", month=on[:7], sent_on=draw(maybe(HELSINKI))))
    for on in draw(st.lists(HELSINKI, max_size=2)):
        own.append(h.entry("monthly_report", date=on, delivered_on=draw(maybe(HELSINKI)), author="Riku"))
    own += [h.entry("interim_evaluation", date=on) for on in draw(st.lists(HELSINKI, max_size=2))]
    own += [h.entry("final_summary", made_on=on) for on in draw(st.lists(HELSINKI, max_size=1))]
    own += [h.entry("negotiation", recorder="Riku", **one) for one in draw(st.lists(ENDING, max_size=3))]
    own += [h.entry("service_end", date=on, ending="interrupted") for on in draw(st.lists(HELSINKI, max_size=1))]
    planned = draw(st.lists(HELSINKI, max_size=3))
    own.append(h.entry("implementation_plan", made_on=draw(HELSINKI), author="Riku", evaluation_dates=planned))
    whole = h.coached(*own, ended_on=draw(maybe(HELSINKI)))
    met = [h.entry("cooperation_meeting", date=on) for on in draw(st.lists(HELSINKI, max_size=2))]
    return Case(entries=whole.entries, shared=tuple(met), delivery_has_staff=False)


@settings(max_examples=150, deadline=None)
@given(lapland(), st.dates(date(2025, 8, 25), date(2026, 5, 1)))
def test_clocks_and_findings_agree_in_lapland(whole: Case, as_of: date) -> None:
    """A finding of a deadline rule is there exactly while its clock is breached or was stopped late."""
    agree(b.LAPHA, whole, b.judged(whole, as_of), as_of)


@settings(max_examples=150, deadline=None)
@given(vouchers(), st.dates(date(2022, 7, 25), date(2023, 5, 1)))
def test_clocks_and_findings_agree_in_heinola(whole: Case, as_of: date) -> None:
    """The same for vouchers, with workdays, words that take a record out, and endings."""
    agree(v.HEINOLA, whole, v.judged(whole, as_of), as_of)


@settings(max_examples=150, deadline=None)
@given(coaching(), st.dates(date(2025, 8, 25), date(2026, 12, 1)))
def test_clocks_and_findings_agree_in_helsinki(whole: Case, as_of: date) -> None:
    """The same for coaching by the hour, months, negotiations and plans that want evaluations."""
    agree(h.HELSINKI, whole, h.judged(whole, as_of), as_of)


@settings(max_examples=100, deadline=None)
@given(lapland(), st.dates(date(2025, 8, 25), date(2026, 5, 1)), st.integers(0, 60))
def test_an_open_clock_runs_down_by_the_day(whole: Case, as_of: date, more: int) -> None:
    """What is open has days left and is breached on the day after its last one; what was done stays done."""
    later = as_of + timedelta(days=more)
    for clock in agenda.clocks(b.judged(whole, as_of)):
        before, after = clock.state(as_of.isoformat()), clock.state(later.isoformat())
        left = clock.days_left(as_of.isoformat())
        if before is ClockState.OPEN:
            assert left is not None
            assert after is (ClockState.OPEN if more <= left else ClockState.BREACHED)
        else:
            assert after is before


def test_every_kind_of_deadline_was_tried() -> None:
    """Every kind of deadline but the reviews' own stands in the contracts that are tried here."""
    contracts = (b.LAPHA, v.HEINOLA, h.HELSINKI, law.contract())
    tried = {one.kind for contract in contracts for one in contract.rules}

    assert DEADLINES - tried == {"review-due"}


@settings(max_examples=100, deadline=None)
@given(lapland(), st.dates(date(2025, 8, 25), date(2026, 5, 1)))
def test_clocks_and_findings_agree_beside_the_law(whole: Case, as_of: date) -> None:
    """The same where the law is inherited, and a rule of the contract tells what one of the law would tell too."""
    contract = law.contract("lapha")

    agree(contract, whole, judge(contract, whole, as_of, b.HOLIDAYS), as_of)


@st.composite
def plans(draw: st.DrawFn) -> Case:
    """Plans of the authority, with their reviews, and absences of every reason, under the law alone."""
    own = []
    for kind in draw(st.lists(st.sampled_from(["activation", "multidisciplinary", "client_plan"]), max_size=3)):
        reviewed = draw(st.lists(LAPLAND, max_size=3))
        begun, made = draw(maybe(LAPLAND)), draw(maybe(LAPLAND))
        own.append(
            law.entry("authority_plan", kind=kind, made_on=made, reviewed_on=reviewed, assessment_started_on=begun)
        )
    reasons = st.sampled_from([None, "incapacity", "swapped_day", "service_closed"])
    told = st.fixed_dictionaries({"date": LAPLAND, "payer_told_on": maybe(LAPLAND), "reason_category": reasons})
    own += [law.entry("absence", "", None, **one) for one in draw(st.lists(told, max_size=4))]
    return law.case(*own)


@settings(max_examples=100, deadline=None)
@given(plans(), st.dates(date(2025, 8, 25), date(2026, 5, 1)))
def test_clocks_and_findings_agree_under_the_law(whole: Case, as_of: date) -> None:
    """The same for the law's own deadlines."""
    agree(law.contract(), whole, judge(law.contract(), whole, as_of, law.FREE), as_of)


AUGUST = days(date(2022, 8, 1), 27)
SCHEDULES = st.sets(st.integers(0, 4), min_size=1, max_size=4)
WORDS = ("ma", "ti", "ke", "to", "pe")


def _naive(schedule: set[int], came: list[str], away: list[str], as_of: date) -> dict[str, int]:
    """Days that each week lacks, counted day by day."""
    found: dict[str, int] = {}
    on = date(2022, 8, 1)
    while on < min(as_of, date(2022, 11, 1)):
        monday = (on - timedelta(days=on.weekday())).isoformat()
        is_own, text = on.weekday() in schedule and on not in v.HOLIDAYS, on.isoformat()
        if is_own and text not in {*came, *away}:
            found[monday] = found.get(monday, 0) + 1
        elif not is_own and text in came:
            found[monday] = found.get(monday, 0) - 1
        on += timedelta(days=1)
    return {monday: count for monday, count in found.items() if count > 0}


@settings(max_examples=150, deadline=None)
@given(
    SCHEDULES,
    st.lists(AUGUST, max_size=12),
    st.lists(AUGUST, max_size=3),
    st.dates(date(2022, 8, 1), date(2022, 9, 20)),
)
def test_lacking_days_agree_with_a_naive_count(
    schedule: set[int], came: list[str], away: list[str], as_of: date
) -> None:
    """What a week lacks is what a count day by day gives, and by number of days never more."""
    own = [*(v.entry("diary_entry", date=on) for on in came), *(v.entry("absence", date=on, ends_on=on) for on in away)]
    named = v.entry("agreement", days=", ".join(WORDS[one] for one in sorted(schedule)), days_per_week=len(schedule))
    by_name = v.judged(v.case(named, *own), as_of).situation
    by_number = v.judged(v.case(*own, days_per_week=len(schedule)), as_of).situation
    assert by_name is not None
    assert by_number is not None
    counted = {week.start: week.lacking for week in gaps(by_name)[0].weeks}

    assert counted == _naive(schedule, came, away, as_of)
    for week in gaps(by_number)[0].weeks:
        assert week.lacking <= len(schedule)
        assert not week.days
