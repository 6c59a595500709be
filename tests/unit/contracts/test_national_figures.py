"""Figures of the law: days in twelve months, what the state and the payer pay for, absences by their benefit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.unit.contracts import lawful as law

from kanta_gateway.contracts.case import Case, Entry


def values(whole: Case, as_of: date = law.AS_OF) -> dict[str, Any]:
    """Value of each figure."""
    return {name: one.value for name, one in law.numbers(whole, as_of).items()}


def attended(*dates: str, **content: Any) -> list[Entry]:
    """Attended days."""
    return [law.entry("diary_entry", f"d{one}", date=one, **content) for one in dates]


def test_days_of_twelve_months() -> None:
    """KT-04: days now, days left of 178, and the most on any day; with the records of the twelve months alone."""
    early = attended("2024-12-29", "2024-12-30", "2024-12-31", "2025-01-01")
    late = attended("2025-12-30", "2025-12-31")
    whole = law.case(*early, *late, starts_on="2024-12-01")

    told = law.numbers(whole, date(2025, 12, 31))

    assert [3, 175, 4] == [told[name].value for name in
                           ("days_in_12_months", "days_left_in_12_months", "most_days_in_12_months")]  # fmt: skip
    assert ("d2025-01-01", "d2025-12-30", "d2025-12-31") == told["days_in_12_months"].records
    assert told["days_in_12_months"].clause == "189/2001 §14.1"


def test_nothing_attended() -> None:
    """KT-04, KT-17, KT-18: without an attended day every number is 0, and all days are left."""
    told = values(law.case())

    assert (0, 178, 0) == (told["days_in_12_months"], told["days_left_in_12_months"], told["most_days_in_12_months"])
    assert (0, 0) == (told["attended_days"], told["state_compensation_eur"])
    assert (0, 0) == (told["expense_allowance_days"], told["expense_allowance_eur"])


def test_more_than_the_year_allows() -> None:
    """KT-04: after 178 days none is left, and after more the number goes below nothing: so many are too many."""
    start = date(2025, 1, 1)
    every = attended(*((start + timedelta(days=place)).isoformat() for place in range(180)))

    told = [values(law.case(*every[:count], starts_on="2025-01-01"))["days_left_in_12_months"] for count in (178, 180)]

    assert [0, -2] == told


def test_state_pays_for_attended_days() -> None:
    """KT-17: each attended day once, to the cent; a day that a word makes none is not attended."""
    twice = [law.entry("diary_entry", date="2025-09-03", hours=3, start_time=one) for one in ("08:00", "12:00")]
    visit = law.entry("diary_entry", date="2025-09-04", tasks="tutustuminen")
    told = values(law.case(*attended("2025-09-01", "2025-09-02"), *twice, visit))

    assert (3, 30.27) == (told["attended_days"], told["state_compensation_eur"])


def test_day_without_a_known_amount() -> None:
    """KT-17: of days before the amount is known none is told, rather than a sum that leaves them out."""
    told = values(law.case(*attended("2022-12-30", "2023-01-02"), starts_on="2022-10-01"))

    assert (2, None) == (told["attended_days"], told["state_compensation_eur"])
    assert 18 == told["expense_allowance_eur"]


def test_allowance_is_for_days_of_the_plan() -> None:
    """KT-18, AB-03, AB-05: attended days up to those that the plan has in a week; never absences or closed days."""
    every = attended("2025-09-08", "2025-09-09", "2025-09-10", "2025-09-11", "2025-09-15")
    ill = law.entry("absence", date="2025-09-16", reason_category="incapacity")
    closed = law.entry("absence", date="2025-09-17", reason_category="service_closed", payer_told_on=None)
    told = law.numbers(law.case(*every, ill, closed))

    assert (5, 4, 36) == (told["attended_days"].value, told["expense_allowance_days"].value,
                          told["expense_allowance_eur"].value)  # fmt: skip
    assert "d2025-09-11" not in told["expense_allowance_days"].records
    assert "189/2001 §24" == told["attended_days"].clause


def test_decision_that_tells_no_days_limits_none() -> None:
    """KT-18: where the decision does not tell its days a week, every attended day counts."""
    every = attended("2025-09-08", "2025-09-09", "2025-09-10", "2025-09-11")
    whole = law.case(law.entry("decision", "D", days_per_week=None), *every)

    assert 4 == values(whole)["expense_allowance_days"]


def absences(*told: tuple[str, str, dict[str, Any]]) -> Case:
    """A case of absences: first day, last day, content."""
    return law.case(*(law.entry("absence", date=start, ends_on=end, **content) for start, end, content in told))


def split(whole: Case) -> tuple[Any, ...]:
    """Working days of absence: all, payable, not payable, undetermined."""
    told = values(whole)
    return tuple(told[f"absence_workdays{end}"] for end in ("", "_payable", "_not_payable", "_undetermined"))


def test_benefit_follows_from_the_reason() -> None:
    """AB-01, AB-02: what the list has is paid for, what it has not is not, and without a category nobody can tell."""
    whole = absences(
        ("2025-09-02", "2025-09-02", {"reason_category": "employment_reason"}),
        ("2025-09-03", "2025-09-03", {"reason_category": "public_duty"}),
        ("2025-09-04", "2025-09-04", {"reason_category": "other"}),
        ("2025-09-08", "2025-09-09", {}),
    )

    assert (5, 2, 1, 2) == split(whole)


def test_absence_that_is_none_is_not_counted() -> None:
    """AB-05, AB-06: a day on which the service was closed, by category or by word, or that was swapped, is none."""
    whole = absences(
        ("2025-09-02", "2025-09-02", {"reason_category": "service_closed"}),
        ("2025-09-03", "2025-09-03", {"reason_category": "swapped_day"}),
        ("2025-09-04", "2025-09-04", {"reason": "paja kiinni"}),
        ("2025-09-05", "2025-09-05", {"reason_category": "incapacity"}),
    )

    assert (1, 1, 0, 0) == split(whole)


def test_illness_of_a_child() -> None:
    """AB-01: four working days at a time are paid, weekends not among them; the fifth is not."""
    assert (5, 4, 1, 0) == split(absences(("2025-09-04", "2025-09-10", {"reason_category": "child_illness"})))


def test_own_illness() -> None:
    """AB-04: three days are paid on the client's word; from the fourth on a certificate decides, if it is known."""
    week = ("2025-09-08", "2025-09-12")
    ill = {"reason_category": "incapacity"}

    assert (5, 3, 0, 2) == split(absences((*week, ill)))
    assert (5, 5, 0, 0) == split(absences((*week, {**ill, "certificate": True})))
    assert (5, 3, 2, 0) == split(absences((*week, {**ill, "certificate": False})))


def test_figures_end_on_their_day() -> None:
    """Days after the figures' own day count in none of them."""
    whole = law.case(
        *attended("2025-09-02", "2025-09-09"),
        law.entry("absence", date="2025-09-03", ends_on="2025-09-05", reason_category="incapacity"),
    )

    told = values(whole, date(2025, 9, 4))

    assert (1, 1, 2) == (told["attended_days"], told["days_in_12_months"], told["absence_workdays_payable"])


def test_other_services_have_no_figures_of_the_act() -> None:
    """A client of another type of service has none of these figures."""
    assert {} == law.numbers(law.case(*attended("2025-09-02"), service="Sosiaalinen kuntoutus"))
