"""The Helsinki contract on what parties agree and tell each other: each rule where it fires, and where it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.unit.contracts.helsinki import COACHING, NAME, case, coached, entry, told

from kanta_gateway.contracts.case import Case, Entry

ALL = ["client", "provider", "purchaser"]
PLAN: dict[str, Any] = {"made_on": "2025-09-05", "author": "Riku", "recorder_name": NAME}
EVALUATION: dict[str, Any] = {"date": "2025-11-03", "goals": [{"name": "x"}], "strengths": "x", "to_develop": "x",
              "client_assessment": "x"}  # fmt: skip
CALL: dict[str, Any] = {
    "date": "2025-11-14",
    "about": "ending",
    "called_on": "2025-11-05",
    "recorder_name": NAME,
    "recorder": "Riku",
}
START: dict[str, Any] = {"date": "2025-09-02", "about": "start", "recorder_name": NAME, "recorder": "Riku"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"delivered_to_client_on": "2025-08-20"}, [("HEL-01", "decision-not-given")]),
        ({"delivered_to_provider_on": "2025-08-20"}, [("HEL-01", "decision-not-given")]),
        ({"delivered_to_client_on": "2025-08-20", "delivered_to_provider_on": "2025-08-20"}, []),
    ],
)
def test_both_get_the_decision(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Where a decision tells that one got it, the other is asked for; where it tells neither, nothing is."""
    grant = entry("decision", "P", **content)

    assert expected == told(case(grant=grant), grant)


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("diary_entry", {"conflict": True}, [("HEL-07", "purchaser-not-told-of-conflict")]),
        ("diary_entry", {"conflict": True, "purchaser_told_on": "2025-09-05"},
         [("HEL-07", "purchaser-told-of-conflict-late")]),
        ("diary_entry", {"conflict": True, "purchaser_told_on": "2025-09-04"}, []),
        ("diary_entry", {"conflict": False}, []),
        ("service_end", {"date": "2025-09-05", "ending": "interrupted"}, [("HEL-07", "purchaser-not-told-of-end")]),
        ("service_end", {"date": "2025-09-05", "ending": "interrupted", "purchaser_told_on": "2025-09-09"},
         [("HEL-07", "purchaser-told-of-end-late")]),
        ("service_end", {"date": "2025-09-05", "ending": "interrupted", "purchaser_told_on": "2025-09-08"}, []),
        ("service_end", {"date": "2025-09-05", "ending": "as_planned"}, []),
    ],
)  # fmt: skip
def test_the_purchaser_is_told_at_once(kind: str, content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A conflict and an interruption are told by the next workday; other days and endings need no telling."""
    one = entry(kind, recorder="Riku", recorder_name=NAME, **content)

    assert expected == told(case(one), one)


@pytest.mark.parametrize(
    ("agreed", "expected"),
    [
        (None, []),
        (ALL, []),
        (["client", "provider"], [("HEL-19", "party-has-not-agreed")]),
        (["provider"], [("HEL-19", "party-has-not-agreed")] * 2),
    ],
)
def test_changes_of_the_plan_are_agreed_by_three(agreed: list[str] | None, expected: list[tuple[str, str]]) -> None:
    """Each party that a plan leaves out is told; a plan that names nobody is not judged."""
    one = entry("implementation_plan", agreed_by=agreed, **PLAN)

    assert expected == told(case(one), one)


@pytest.mark.parametrize("kind", ["interim_evaluation", "final_evaluation"])
@pytest.mark.parametrize(("template", "expected"), [(None, []), ("purchaser", []), ("other", ["other-template"])])
def test_template_of_an_evaluation(kind: str, template: str | None, expected: list[str]) -> None:
    """An evaluation on another template than the purchaser's is told."""
    one = entry(kind, template=template, recorder="Riku", recorder_name=NAME, **EVALUATION)

    assert [("HEL-19", text) for text in expected] == told(case(one), one)


@pytest.mark.parametrize(
    ("planned", "made", "expected"),
    [
        (["2025-11-01"], [], [("HEL-05", "planned-evaluation-missing")]),
        (["2025-11-01"], ["2025-11-03"], []),
        (["2025-10-01", "2025-11-01"], ["2025-10-01"], [("HEL-05", "planned-evaluation-missing")]),
        (["2025-12-31"], [], []),
        ([], [], []),
    ],
)
def test_the_plan_can_want_more_evaluations(
    planned: list[str], made: list[str], expected: list[tuple[str, str]]
) -> None:
    """Each planned day that has passed needs an evaluation of its own; the as-of day itself has not."""
    plan = entry("implementation_plan", evaluation_dates=planned, **PLAN)
    done = [entry("interim_evaluation", **{**EVALUATION, "date": on}) for on in made]

    assert expected == told(case(plan, *done), plan)


@pytest.mark.parametrize(
    ("made", "as_of", "expected"),
    [
        (["2025-11-03"], date(2026, 9, 30), False),
        ([], date(2026, 9, 30), False),
        (["2026-09-15"], date(2026, 9, 30), False),
    ],
)
def test_an_evaluation_every_year(made: list[str], as_of: date, expected: bool) -> None:  # noqa: FBT001
    """A year with its evaluation is in order, and so is a source in which nobody records evaluations."""
    whole = case(*(entry("interim_evaluation", **{**EVALUATION, "date": on}) for on in made))

    assert expected == (("HEL-05", "evaluation-missing") in told(whole, whole.entries[0], as_of))


def test_a_year_without_evaluation() -> None:
    """A client of whom an evaluation is recorded needs one for each full year of a decision."""
    first = entry("decision", "P", starts_on="2024-09-01", ends_on="2025-08-31")
    second = entry("decision", "P2", starts_on="2025-09-01", ends_on="2026-08-31")
    whole = case(second, entry("interim_evaluation", **EVALUATION), grant=first)

    assert ("HEL-05", "evaluation-missing") in told(whole, whole.entries[0])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"agreed_by": ALL, "template": "purchaser"}, []),
        ({"agreed_by": ["client", "provider"]}, [("HEL-11", "party-has-not-agreed")]),
        ({"template": "other"}, [("HEL-11", "other-template")]),
        ({"made_on": "2025-09-01", "mapped_on": "2025-09-01", "group_hours": 0, "individual_hours": 35}, []),
        ({"made_on": "2025-09-01", "group_hours": 0, "individual_hours": 35}, [("HEL-11", "agreement-incomplete")]),
        ({"made_on": "2025-09-01", "mapped_on": "2025-09-01"}, [("HEL-11", "agreement-incomplete")] * 2),
        ({"break_starts_on": "2025-10-01", "break_ends_on": "2025-10-31", "break_agreed_on": "2025-10-01"}, []),
        ({"break_starts_on": "2025-10-01", "break_ends_on": "2025-11-01", "break_agreed_on": "2025-09-30"},
         [("HEL-10", "break-too-long")]),
        ({"break_starts_on": "2025-10-01", "break_ends_on": "2025-10-31"}, [("HEL-10", "break-not-agreed")]),
        ({"break_starts_on": "2025-12-01", "break_agreed_on": "2025-12-01"}, []),
        ({"break_starts_on": "2025-10-01", "break_agreed_on": "2025-10-02"},
         [("HEL-10", "break-not-agreed"), ("HEL-10", "break-too-long")]),  # no end is told: it still lasts
        ({"starts_on": "2024-02-29", "ends_on": "2024-08-28", "break_starts_on": "2024-02-29",
          "break_ends_on": "2024-03-28", "break_agreed_on": "2024-02-29"}, []),
        ({"starts_on": "2024-02-29", "ends_on": "2024-08-28", "break_starts_on": "2024-02-29",
          "break_ends_on": "2024-03-29", "break_agreed_on": "2024-02-29"}, [("HEL-10", "break-too-long")]),
    ],
)  # fmt: skip
def test_the_coaching_agreement(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Three parties, the purchaser's template, hours with their split, and a break of a month that was agreed on."""
    grant = entry(COACHING, "S", **content)

    assert expected == told(case(grant=grant), grant)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"hours": None}, [("HEL-12", "hours-missing")]),
        ({"hours": 0}, [("HEL-12", "hours-missing")]),
        ({"description": None}, [("HEL-12", "content-empty")]),
        ({"obstacle_found_on": "2025-09-03"}, [("HEL-22", "obstacle-not-told")]),
        ({"obstacle_found_on": "2025-09-03", "purchaser_told_on": "2025-09-04"}, []),
        ({"separate_charge": 120}, [("HEL-23", "charge-not-negotiated")]),
        ({"separate_charge": 120, "separate_charge_negotiated_on": "2025-09-02"}, []),
    ],
)
def test_a_meeting_is_a_record_of_hours_and_content(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Hours and content; an obstacle that was told on; a separate charge that was negotiated."""
    one = entry("meeting", **content)

    assert expected == told(coached(one), one)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"interrupted_by": "client", "coach_view": "x"}, []),
        ({"interrupted_by": "client"}, [("HEL-13", "coach-view-missing")]),
        ({"interrupted_by": "provider", "coach_view": "x"}, [("HEL-13", "interruption-ungrounded")]),
        ({"interrupted_by": "provider", "coach_view": "x", "interruption_grounds": "x"}, []),
        ({"delivery_way": "email"}, [("HEL-16", "sent-by-open-mail")]),
        ({"delivery_way": "encrypted_mail"}, []),
    ],
)
def test_the_final_report(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """An interruption has its grounds and the coach's view; no report goes by open e-mail."""
    one = entry("final_summary", **content)

    assert expected == told(coached(one), one)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"responsible_worker": "H1", "substitute_worker": "H2"}, []),
        ({"responsible_worker": "H1"}, [("HEL-24", "substitute-missing")]),
    ],
)
def test_the_client(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """A responsible worker has a substitute; a client of whom none is told is not judged."""
    one = entry("client", "K", **content)

    assert expected == told(Case((one, entry("decision", "P")), delivery_has_staff=False), one)


@pytest.mark.parametrize(("language", "expected"), [(None, []), ("fi", []), ("sv", []), ("en", ["HEL-17"])])
@pytest.mark.parametrize("kind", ["diary_entry", "meeting"])
def test_language_of_service(kind: str, language: str | None, expected: list[str]) -> None:
    """The service is given in Finnish or Swedish; another language is told."""
    one = entry(kind, language=language)
    whole = case(one) if kind == "diary_entry" else coached(one)

    assert [(rule, "other-service-language") for rule in expected] == told(whole, one)


@pytest.mark.parametrize(
    ("title", "expected"), [("Sosionomi (AMK)", []), ("Merkonomi", ["degree-unsuitable"]), ("Johtaja", [])]
)
def test_the_responsible_person(title: str, expected: list[str]) -> None:
    """A title with a degree of another field is told; one that tells no degree is not judged."""
    one = entry("client", "K", responsible_worker="H1", substitute_worker="H2")
    shared = [entry("staff", "H1", surname="Esimerkki", given_names="Eeva", title=title)]

    assert [("HEL-24", text) for text in expected] == told(Case((one, entry("decision", "P")), shared), one)


@pytest.mark.parametrize(
    ("qualification", "expected"),
    [
        (None, []),
        ("Työvalmennuksen erikoisammattitutkinto", []),
        ("vastaava koulutus", []),
        ("Ammattitutkinto", [("HEL-24", "coach-not-qualified")]),
    ],
)
def test_the_coach(qualification: str | None, expected: list[tuple[str, str]]) -> None:
    """A recorded qualification that is neither the specialist one nor equal is told on the meeting."""
    one = entry("meeting")
    shared = [entry("staff", "Riku", surname="Esimerkki", given_names="Riku", qualification=qualification)]

    assert expected == told(replace(coached(one), shared=shared), one)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, []),
        ({"agreed_by": ALL}, []),
        ({"agreed_by": ["client", "provider"]}, [("HEL-20", "party-has-not-agreed")]),
        ({"agreed_by": ["client", "provider"], "about": "other"}, []),
    ],
)
def test_the_start_meeting_has_three_parties(content: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """The start is agreed on by client, provider and purchaser; other negotiations need not be."""
    one = entry("negotiation", **{**START, **content})

    assert expected == told(coached(one), one)


@pytest.mark.parametrize(("about", "expected"), [("start", True), ("other", False)])
def test_the_start_meeting_is_asked_for_where_such_are_recorded(about: str, expected: bool) -> None:  # noqa: FBT001
    """An agreement without a start meeting is told where another of the client's has one."""
    second = entry(COACHING, "S2", product_number=2, starts_on="2025-11-01", ends_on="2026-04-01", max_hours=21)
    whole = coached(second, entry("negotiation", **{**START, "about": about}))

    assert expected == (("HEL-20", "start-meeting-missing") in told(whole, second))
    assert ("HEL-20", "start-meeting-missing") not in told(whole, whole.entries[1])


ENDED: dict[str, Any] = {"recorder": "Riku", "recorder_name": NAME, "ending": "interrupted"}


@pytest.mark.parametrize(
    ("content", "ended", "as_of", "expected"),
    [
        ({}, None, date(2025, 12, 31), False),
        ({"client_came": True}, None, date(2025, 12, 31), False),
        ({"client_came": False}, None, date(2025, 12, 31), True),
        ({"client_came": False}, None, date(2025, 11, 28), False),
        ({"client_came": False}, {"date": "2025-11-14"}, date(2025, 12, 31), False),
        ({"client_came": False}, {"date": "2025-11-14", "ending": "as_planned"}, date(2025, 12, 31), True),
    ],
)
def test_who_does_not_come_ends_the_service(
    content: dict[str, Any], ended: dict[str, Any] | None, as_of: date, expected: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """A client who stays away from the negotiation ends the service as interrupted, within two weeks."""
    one = entry("negotiation", **{**CALL, **content})
    ends = [entry("service_end", **{**ENDED, **ended})] if ended else []

    assert expected == (("HEL-21", "service-not-ended") in told(coached(one, *ends), one, as_of))


@pytest.mark.parametrize(
    ("on", "negotiated", "expected"),
    [("2025-11-04", None, False), ("2025-11-10", None, True), ("2025-11-10", "2025-11-07", False)],
)
def test_no_service_from_the_call_on(on: str, negotiated: str | None, expected: bool) -> None:  # noqa: FBT001
    """An agreement can tell that a negotiation was called: no meeting is held until it has been."""
    one = entry("meeting", date=on)
    held = [entry("negotiation", **{**CALL, "called_on": None, "date": negotiated})] if negotiated else []
    whole = coached(one, *held, ending_called_on="2025-11-05")

    assert expected == (("HEL-21", "service-while-ending-negotiated") in told(whole, one))


def _with_meetings(grant: Entry, *meetings: dict[str, Any]) -> Case:
    shared = [entry("cooperation_meeting", **one) for one in meetings]
    return replace(case(grant=grant), shared=shared)


@pytest.mark.parametrize(
    ("meetings", "as_of", "expected"),
    [
        ([], date(2026, 8, 1), False),
        ([{"date": "2025-08-01"}], date(2026, 3, 1), False),
        ([{"date": "2025-08-01"}], date(2026, 3, 2), True),
        ([{"date": "2025-08-01"}, {"date": "2026-02-15"}], date(2026, 8, 1), False),
        ([{"date": "2025-08-01"}, {"date": "2026-02-15", "service": "Muu"}], date(2026, 8, 1), True),
    ],
)
def test_cooperation_meetings_of_work_activity(
    meetings: list[dict[str, Any]], as_of: date, expected: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """Twice a year; a provider that records no such meetings is not judged."""
    grant = entry("decision", "P")

    assert expected == (
        ("HEL-25", "cooperation-meeting-missing") in told(_with_meetings(grant, *meetings), grant, as_of)
    )


@pytest.mark.parametrize(("last", "expected"), [("2024-12-01", True), ("2025-11-01", False)])
def test_cooperation_meetings_of_coaching(last: str, expected: bool) -> None:  # noqa: FBT001
    """At least yearly: an agreement of a year without one is told."""
    grant = entry(COACHING, "S", starts_on="2024-12-01", ends_on="2025-12-31")
    whole = _with_meetings(grant, {"date": last})

    assert expected == (("HEL-25", "cooperation-meeting-missing") in told(whole, grant))
