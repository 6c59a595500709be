"""A grant of break-glass holds from when it was given until its end, and not a moment longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kanta_gateway.access.grants import Grant
from kanta_gateway.model import instant

GIVEN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
UNTIL = GIVEN + timedelta(hours=8)
MOMENT = timedelta(microseconds=1)
GRANT = Grant(
    id="g", provider="1.2", controller="1.3", purchaser="lapha", client_ref="c", organisation="1.4", person_ref="p",
    role="receiving-official", purpose="service-arranging", item="evident-need", row="D6", facts={}, sealed=b"s",
    given_at=instant(GIVEN), until=instant(UNTIL), due_on="2026-03-09",
)  # fmt: skip


@pytest.mark.parametrize(
    ("at", "is_open"), [(GIVEN - MOMENT, False), (GIVEN, True), (UNTIL - MOMENT, True), (UNTIL, False)]
)
def test_when_a_grant_holds(at: datetime, *, is_open: bool) -> None:
    """It holds from the moment of giving to before its end; one that was ended does not hold any more."""
    assert GRANT.is_open(at) is is_open
    assert not replace(GRANT, ended_at=instant(GIVEN)).is_open(at)


@pytest.mark.parametrize(
    ("today", "review", "case"), [("2026-03-09", "to-review", "case"), ("2026-03-10", "overdue", "case-overdue")]
)
def test_where_its_review_is(today: str, review: str, case: str) -> None:
    """A review and a case are overdue on the day after their day; a closed case leaves it reviewed."""
    reviewed = replace(GRANT, reviewed_at=instant(UNTIL), case_due_on="2026-03-09")

    assert (review, case) == (GRANT.state(today), reviewed.state(today))
    assert "reviewed" == replace(reviewed, case_closed_at=instant(UNTIL)).state(today)
    assert "reviewed" == replace(GRANT, reviewed_at=instant(UNTIL)).state(today)
