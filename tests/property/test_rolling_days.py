"""Days of rolling months: whatever the days are, the count is what counting them one by one gives."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from kanta_gateway.contracts.attending import begins, windows

FIRST = date(2019, 1, 1)
DAYS = st.sets(st.integers(0, 1500), max_size=400).map(
    lambda places: sorted((FIRST + timedelta(days=one)).isoformat() for one in places)
)


def is_within(earlier: date, day: date, months: int) -> bool:
    """Whether a day lies in the months that end on another: less than so many months before it, and not after."""
    year, index = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, index + 1)[1]
    return date(year, index + 1, min(day.day, last)) < earlier <= day


@given(DAYS, st.integers(1, 24))
@example(["2019-02-28", "2020-02-28", "2020-02-29", "2021-02-28"], 12)
def test_windows_are_those_of_a_naive_count(days: list[str], months: int) -> None:
    """For each attended day the count is the number of attended days in the months that end on it."""
    known = [date.fromisoformat(one) for one in days]
    naive = {day.isoformat(): sum(is_within(one, day, months) for one in known) for day in known}

    assert naive == windows(days, months)


@given(st.integers(0, 1500))
def test_twelve_months_hold_a_year(place: int) -> None:
    """The twelve months of a day are the year that ends on it: 365 days, or 366 across a leap day."""
    day = FIRST + timedelta(days=place)
    length = (day - date.fromisoformat(begins(day.isoformat(), 12))).days + 1

    assert length in {365, 366}
