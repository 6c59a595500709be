"""What contracts carry a day, on both sides of every first and last day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway.access.terms import (
    Agreement,
    Approval,
    Given,
    Lack,
    Relationship,
    Span,
    Standing,
    lacks,
    standing,
    window_end,
)
from kanta_gateway.model import Oid, Organisation

FIRST, LAST = date(2025, 1, 1), date(2025, 6, 30)
PROVIDER, ORGANISER, COACH = (Organisation(Oid(oid), oid) for oid in ("1.1", "1.2", "1.3"))
SPAN = Span(FIRST, LAST)
CONTRACT = Agreement(PROVIDER, ORGANISER, "C-1", "lapha", SPAN, register_use=(SPAN,))
DAY = timedelta(days=1)


def served(day: date, last: date | None = None, **changes: object) -> Given:
    """A service of one day, received on its last day."""
    return replace(Given(day, last or day, frozenset({"c1"}), last or day), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("day", "expected"),
    [(FIRST - DAY, (Lack.CONTRACT,)), (FIRST, ()), (LAST, ()), (LAST + DAY, (Lack.CONTRACT,))],
)
def test_first_and_last_day_of_a_contract(day: date, expected: tuple[Lack, ...]) -> None:
    """A contract carries its first and its last day, and neither the day before nor the day after."""
    assert expected == lacks([CONTRACT], served(day))


@pytest.mark.parametrize(("received", "expected"), [(date(2027, 6, 30), ()), (date(2027, 7, 1), (Lack.WINDOW,))])
def test_last_day_of_the_delivery_window(received: date, expected: tuple[Lack, ...]) -> None:
    """Own records of the contract's time are taken for 24 months after its end, and not a day longer."""
    assert expected == lacks([CONTRACT], served(LAST, received=received))


def test_the_contract_file_may_tell_another_window() -> None:
    """A shorter delivery window ends earlier."""
    late = served(LAST, received=date(2025, 9, 1))

    assert (Lack.WINDOW,) == lacks([CONTRACT], late, months=2)
    assert () == lacks([CONTRACT], late, months=3)


@pytest.mark.parametrize(("offset", "is_approved"), [(-1, False), (0, True), (30, True), (31, False)])
def test_days_of_an_approval(offset: int, *, is_approved: bool) -> None:
    """A sub-processor is approved from the first to the last day of its approval."""
    approval = Approval(COACH, Span(date(2025, 3, 1), date(2025, 3, 31)))
    found = lacks([replace(CONTRACT, approvals=(approval,))], served(date(2025, 3, 1) + offset * DAY, producer=COACH))

    assert (() if is_approved else (Lack.PRODUCER,)) == found


def test_days_of_the_right_to_use_the_register() -> None:
    """Without the right to use the register on its day nothing is delivered, though a contract is in force."""
    one = replace(CONTRACT, register_use=(Span(date(2025, 2, 1), date(2025, 2, 28)),))
    days = (date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 28), date(2025, 3, 1))

    assert [(Lack.REGISTER_USE,), (), (), (Lack.REGISTER_USE,)] == [lacks([one], served(day)) for day in days]


def test_days_of_a_relationship() -> None:
    """Where the controller registers its clients, only a relationship of client, unit and service carries."""
    known = Relationship("c1", Span(date(2025, 2, 1), date(2025, 2, 28)), unit="u1", service="work")
    one = replace(CONTRACT, relationships=(known,))
    good = served(date(2025, 2, 1), unit="u1", service="work")

    assert () == lacks([one], good) == lacks([one], replace(good, unit="", service=""))
    for other in (
        served(date(2025, 1, 31)), served(date(2025, 3, 1)), replace(good, clients=frozenset({"c2"})),
        replace(good, unit="u2"), replace(good, service="other"),
    ):  # fmt: skip
        assert (Lack.RELATIONSHIP,) == lacks([one], other)
    assert (Lack.RELATIONSHIP,) == lacks([replace(CONTRACT, relationships=())], good)


def test_services_of_the_contract() -> None:
    """A contract for some services carries no other."""
    one = replace(CONTRACT, services=frozenset({"work"}))

    assert ((), (Lack.SERVICE,)) == (
        lacks([one], served(LAST, service="work")),
        lacks([one], served(LAST, service="x")),
    )


def test_a_time_needs_its_first_and_last_day() -> None:
    """A service of several days is carried when both its ends are; a renewed contract carries on."""
    renewed = replace(CONTRACT, number="C-2", span=Span(LAST + DAY), register_use=(Span(LAST + DAY),))

    assert (
        (Lack.CONTRACT,) == lacks([CONTRACT], served(FIRST - DAY, LAST)) == lacks([CONTRACT], served(FIRST, LAST + DAY))
    )
    assert () == lacks([CONTRACT, renewed], served(FIRST, LAST + DAY))


def test_the_contract_that_lacks_least_decides() -> None:
    """Of two contracts of a day the one that carries the service is enough; without any the contract lacks."""
    closed = replace(CONTRACT, register_use=())

    assert () == lacks([closed, CONTRACT], served(LAST))
    assert (Lack.CONTRACT,) == lacks([], served(LAST))


def test_standing_today() -> None:
    """Reading needs a contract in force today; after it only the delivery window is open, and then nothing."""
    days = (FIRST - DAY, FIRST, LAST, LAST + DAY, date(2027, 6, 30), date(2027, 7, 1))
    expected = [
        Standing.NONE, Standing.IN_FORCE, Standing.IN_FORCE, Standing.IN_WINDOW, Standing.IN_WINDOW, Standing.NONE
    ]  # fmt: skip

    assert expected == [standing([CONTRACT], day) for day in days]
    assert Standing.NONE == standing([], LAST)


def test_an_ended_right_ends_reading() -> None:
    """The right to use the register may end before the contract does; reading ends with it."""
    one = replace(CONTRACT, register_use=(Span(FIRST, date(2025, 3, 31)),))

    assert Standing.IN_FORCE == standing([one], date(2025, 3, 31))
    assert Standing.IN_WINDOW == standing([one], date(2025, 4, 1))


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_a_window_ends_in_the_month_told(end: date, months: int) -> None:
    """A window of so many months ends on the same day of its month, or on that month's last."""
    found = window_end(end, months)

    assert (found.year * 12 + found.month) - (end.year * 12 + end.month) == months
    assert found.day == end.day or (found.day < end.day and (found + DAY).day == 1)
