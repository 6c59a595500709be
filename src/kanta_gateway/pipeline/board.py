"""Deadlines and lacking records as lines of text for a person, in Finnish, Swedish or English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from kanta_gateway.messages import Messages

STATES = {
    "breached": "clock-breached", "done": "clock-done", "done-late": "clock-done-late",
    "not-started": "clock-not-started", "open": "clock-open",
}  # fmt: skip
"""State of a clock -> its word."""
HEADINGS = (
    "status-due", "status-left", "status-state", "status-client", "status-rule", "status-duty", "status-record",
)  # fmt: skip
SHOWN = 50
"""Rows of a table that a person is shown; JSON has them all."""


def deadlines(told: Mapping[str, Any], messages: Messages, language: str) -> Iterator[str]:
    """The clocks as a table, after how many there are of each state; those of one due date and duty are one row.

    Args:
        told: what `Office.deadlines` gave.
        messages: the texts.
        language: `fi`, `sv` or `en`.
    """
    say = _Say(messages, language)
    counts = ", ".join(f"{say(STATES[state])} {count}" for state, count in told["counts"].items())
    yield say("status-deadlines", as_of=told["as_of"]) + (f": {counts}" if counts else "")
    rows = told["deadlines"]
    if not rows:
        yield "  " + say("status-nothing-due")
        return
    groups = [list(group) for _, group in groupby(rows, key=lambda one: _row(one, say)[:-1])]
    yield from _table([[say(one) for one in HEADINGS], *(_grouped(group, say) for group in groups[:SHOWN])])
    if len(groups) > SHOWN:
        yield "  " + say("status-more", count=sum(map(len, groups[SHOWN:])))


def completeness(told: Mapping[str, Any], messages: Messages, language: str) -> Iterator[str]:
    """What is lacking, a line for each week, month and record.

    Args:
        told: what `Office.completeness` gave.
        messages: the texts.
        language: `fi`, `sv` or `en`.
    """
    say = _Say(messages, language)
    yield say("status-lacking", as_of=told["as_of"])
    lines = list(_lacking(told, say))
    for line in lines[:SHOWN]:
        yield "  " + line
    if not lines:
        yield "  " + say("status-complete")
    if len(lines) > SHOWN:
        yield "  " + say("status-more", count=len(lines) - SHOWN)
    if told["periods"]["unknown"]:
        yield "  " + say("status-unknown", count=told["periods"]["unknown"])


def _lacking(told: Mapping[str, Any], say: _Say) -> Iterator[str]:
    for one in told["completeness"]:
        if one["months"]:
            yield say("status-month-lacking", client=one["client"], months=", ".join(one["months"]))
        for week in one["weeks"]:
            key = "status-days-lacking" if week["days"] else "status-week-lacking"
            yield say(key, client=one["client"], **{**week, "days": ", ".join(week["days"])})
    for one in told["records"]:
        client = one["client"] or one["record"]["id"]
        yield say("status-record-lacking", client=client, due=one["due"], duty=one["what"], rule=one["rule"])


class _Say:
    """Texts of one language."""

    def __init__(self, messages: Messages, language: str) -> None:
        self._messages = messages
        self._language = language

    def __call__(self, key: str, /, **params: object) -> str:
        return self._messages.text(key, self._language, {name: str(value) for name, value in params.items()})


def _row(one: Mapping[str, Any], say: _Say) -> list[str]:
    left, hours = one["days_left"], one["hours_left"]
    what = one["what"] if one["month"] is None else f"{one['what']} {one['month']}"
    if hours is not None:
        what = f"{what} ({say('status-hours', hours=hours)})"
    return [
        one["due"] or "-", "" if left is None else str(left), say(STATES[one["state"]]), one["client"] or "-",
        one["rule"], what, f"{one['record']['type']} {one['record']['id']}",
    ]  # fmt: skip


def _grouped(group: Sequence[Mapping[str, Any]], say: _Say) -> list[str]:
    """Clocks that differ in their record only, such as the days of a month that are to be reported, as one row."""
    first = _row(group[0], say)
    return first if len(group) == 1 else [*first[:-1], f"{first[-1]} + {len(group) - 1}"]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
