"""Deadlines and lacking records as lines of text: one row for what differs in its record only, at most a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kanta_gateway.messages import Messages
from kanta_gateway.pipeline import board

TEXTS = Path(__file__).parents[3] / "mappings" / "messages" / "deadlines.yaml"
MESSAGES = Messages.load({TEXTS.name: TEXTS.read_text("utf-8")})


def clock(record: str, **other: Any) -> dict[str, Any]:
    """A clock as it is told."""
    return {
        "due": "2022-09-04", "days_left": 3, "state": "open", "client": "101", "rule": "HEI-11", "what": "Report",
        "month": "2022-08", "hours_left": None, "record": {"type": "diary_entry", "id": record}, **other,
    }  # fmt: skip


def shown(*clocks: dict[str, Any]) -> list[str]:
    """The lines of a table, words divided by one space."""
    told = {"as_of": "2022-09-01", "counts": {"open": len(clocks)}, "deadlines": list(clocks)}
    return [" ".join(line.split()) for line in board.deadlines(told, MESSAGES, "en")]


def lacks(**parts: Any) -> list[str]:
    """The lines of what is lacking."""
    told = {"as_of": "2022-09-01", "periods": {"judged": 1, "unknown": 0}, "completeness": [], "records": [], **parts}
    return list(board.completeness(told, MESSAGES, "en"))


def test_clocks_that_differ_in_their_record_are_one_row() -> None:
    """Days of one month that are due together are one row with their number; another client has its own."""
    lines = shown(clock("a"), clock("b"), clock("c"), clock("d", client="102"))

    assert lines == [
        "Deadlines as of 2022-09-01: open 4",
        "Due Days State Client Rule What Record",
        "2022-09-04 3 open 101 HEI-11 Report 2022-08 diary_entry a + 2",
        "2022-09-04 3 open 102 HEI-11 Report 2022-08 diary_entry d",
    ]


def test_a_clock_by_hours_tells_what_is_left() -> None:
    """A clock without a day tells its hours; a review has no client."""
    (line,) = shown(clock("x", due=None, days_left=None, hours_left=2.5, month=None, client=None))[2:]

    assert line == "- open - HEI-11 Report (2.5 h left) diary_entry x"


def test_no_more_than_a_page_is_shown() -> None:
    """What goes beyond a page is counted."""
    lines = shown(*(clock(str(place), client=str(place)) for place in range(board.SHOWN + 3)))

    assert len(lines) == board.SHOWN + 3
    assert lines[-1] == "… and 3 more; --json shows all."


def test_nothing_due_and_nothing_lacking() -> None:
    """Without clocks and gaps it is said that there are none."""
    assert shown()[1:] == ["Nothing is open or overdue."]
    assert lacks() == ["Records lacking as of 2022-09-01", "  No records are lacking."]


@pytest.mark.parametrize(
    ("week", "expected"),
    [
        ({"days": ["2022-08-03", "2022-08-05"]}, "101 2022-08-01 to 2022-08-07: 2 lacking (2022-08-03, 2022-08-05)"),
        ({"days": []}, "101 2022-08-01 to 2022-08-07: 1 days recorded, at least 3 expected"),
    ],
)
def test_a_week_that_lacks_days(week: dict[str, Any], expected: str) -> None:
    """Days are named where they are known, else counted."""
    whole = {"start": "2022-08-01", "end": "2022-08-07", "expected": 3, "told": 1, "lacking": 2, **week}

    assert lacks(completeness=[{"client": "101", "months": [], "weeks": [whole]}])[1:] == [f"  {expected}"]


def test_months_records_and_what_is_not_known() -> None:
    """Months stand in one line, a record with its due date, and periods of which nothing can be said are counted."""
    one = clock("D", due="2022-10-31", what="Summary", rule="LAP-15")
    gap = {"client": "101", "months": ["2022-08", "2022-09"], "weeks": []}
    lines = lacks(completeness=[gap], records=[one], periods={"judged": 2, "unknown": 1})

    assert lines[1:] == [
        "  101: the month's record is lacking: 2022-08, 2022-09",
        "  101 2022-10-31: Summary (LAP-15)",
        "  Of 1 periods it is not known how many days a week the client comes; their days cannot be expected.",
    ]


def test_many_lines_are_counted() -> None:
    """What is lacking beyond a page is counted too."""
    records = [clock(str(place)) for place in range(board.SHOWN + 1)]

    assert lacks(records=records)[-1] == "  … and 1 more; --json shows all."
