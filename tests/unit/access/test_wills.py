"""Statements of will as facts: which state counts at a moment, and what it gives or takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kanta_gateway.access.wills import (
    CONSENT,
    GUARDIAN,
    HEALTH,
    HELSINKI,
    PERMIT,
    PROHIBITION,
    SOCIAL,
    Target,
    Will,
    consent,
    permission,
    prohibition,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=HELSINKI)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = Target("1.1", "2.2", "TI", frozenset({"3.3", "3.4"}), "2026-02-01")


def will(record_type: str = PERMIT, /, version: int = 1, **facts: Any) -> Will:
    """One state of one statement, known since long and in force since then."""
    began = {"set_on" if record_type == PROHIBITION else "given_on": "2026-01-01"}
    return Will(record_type, "a", (version, version), f"a-{version}", LONG_AGO, {**began, **facts})


@pytest.mark.parametrize(
    ("facts", "first", "after"),
    [
        ({"given_on": "2026-03-10"}, datetime(2026, 3, 10, tzinfo=HELSINKI), None),
        ({"given_at": "2026-03-10T12:00:00+02:00"}, NOON, None),
        ({"given_at": "2026-03-10T12:00:00"}, NOON, None),
        ({"withdrawn_at": "2026-03-10T10:00:00Z"}, None, NOON),
        ({"withdrawn_on": "2026-03-10"}, None, datetime(2026, 3, 10, tzinfo=HELSINKI)),
        ({"withdrawn_on": "2026-03-12", "withdrawn_at": "2026-03-10T12:00:00+02:00"}, None, NOON),
    ],
)
def test_first_and_last_moments(facts: dict[str, Any], first: datetime | None, after: datetime | None) -> None:
    """A statement is in force from its first moment on, and from its withdrawal on it is not."""
    one = will(**facts)
    step = timedelta(microseconds=1)
    edges = [(at, is_in) for edge, is_in in ((first, True), (after, False)) if edge is not None
             for at, is_in in ((edge - step, not is_in), (edge, is_in))]  # fmt: skip

    assert [is_in for _, is_in in edges] == [one.holds(at) for at, _ in edges]


@pytest.mark.parametrize(
    "facts", [{"is_valid": False}, {"given_on": None}, {"withdrawn_on": "2026-01-01"}, {"status": "withdrawn"}]
)
def test_what_never_holds(facts: dict[str, Any]) -> None:
    """What is marked as not valid, has no day, or was withdrawn on its own day or on none that is told, never holds."""
    assert not will(**facts).holds(NOON)


def test_a_consent_has_its_own_time() -> None:
    """A consent begins on the first and ends after the last day of its time; a permit's days are those of the data."""
    one = will(CONSENT, kind="exchange", starts_on="2026-03-10", ends_on="2026-03-10")
    days = [date(2026, 3, day) for day in (9, 10, 11)]

    assert [False, True, False] == [one.holds(datetime.combine(day, NOON.timetz())) for day in days]
    assert will(starts_on="2030-01-01").holds(NOON)


def test_what_was_not_known_yet() -> None:
    """At a moment only what had arrived counts: neither a withdrawal nor a permit that came later."""
    first, withdrawn = will(), replace(will(version=2, withdrawn_on="2026-02-01"), known_at=NOON)
    step = timedelta(microseconds=1)

    assert ("valid", "a-1") == permission([withdrawn, first], TARGET, NOON - step, SOCIAL)
    assert ("none", "") == permission([withdrawn, first], TARGET, NOON, SOCIAL)
    assert ("none", "") == permission([replace(first, known_at=NOON)], TARGET, NOON - step, SOCIAL)


def test_what_is_held_gives_nothing_and_prohibits() -> None:
    """A permit that is held or refused gives nothing; a prohibition prohibits, and its lifting waits to be judged."""
    held = replace(will(), is_standing=False)
    newer = [will(), replace(will(version=2), is_standing=False)]
    waits = replace(will(PROHIBITION), is_standing=False)
    lifted = [will(PROHIBITION), replace(will(PROHIBITION, version=2, withdrawn_on="2026-02-01"), is_standing=False)]
    done = [lifted[0], replace(lifted[1], is_standing=True)]

    assert ["none", "none"] == [permission(one, TARGET, NOON, SOCIAL)[0] for one in ([held], newer)]
    assert ["covers", "covers", "none"] == [prohibition(one, TARGET, NOON)[0] for one in ([waits], lifted, done)]


def test_what_is_gone_or_elsewhere() -> None:
    """A cancelled statement, or another person's, says nothing; one of another register prohibits and gives nothing."""
    far = [replace(will(kind), is_near=False) for kind in (PERMIT, PROHIBITION)]

    assert "none" == permission([will(), replace(will(version=2), is_gone=True)], TARGET, NOON, SOCIAL)[0]
    assert "none" == prohibition([replace(will(PROHIBITION), is_gone=True)], TARGET, NOON)[0]
    assert ("none", "covers") == (permission(far, TARGET, NOON, SOCIAL)[0], prohibition(far, TARGET, NOON)[0])


@pytest.mark.parametrize(
    ("facts", "covers"),
    [
        ({}, True), ({"service_tasks": []}, True),
        ({"controllers": [{"oid": "1.1", "name": "x"}]}, True), ({"controllers": [{"oid": "9.9", "name": "x"}]}, False),
        ({"service_tasks": ["TI"]}, True), ({"service_tasks": ["LS"]}, False),
        ({"documents": ["3.4"]}, True), ({"documents": ["9.9"]}, False),
        ({"documents": ["9.9"], "service_tasks": ["TI"]}, True),
        ({"against": GUARDIAN}, False), ({"is_refused": True}, False),
    ],
)  # fmt: skip
def test_what_a_prohibition_covers(facts: dict[str, Any], *, covers: bool) -> None:
    """Register, service task or document; what names nothing covers everything of the client (703/2023 §59.1)."""
    assert ("covers" if covers else "none") == prohibition([will(PROHIBITION, **facts)], TARGET, NOON)[0]


def test_what_is_not_known_is_covered() -> None:
    """Where service task or document of the data is not known, a prohibition of any of them covers it."""
    unknown = replace(TARGET, task="", documents=frozenset())
    stated: list[dict[str, Any]] = [{"service_tasks": ["LS"]}, {"documents": ["9.9"]}]

    assert ["covers", "covers"] == [prohibition([will(PROHIBITION, **one)], unknown, NOON)[0] for one in stated]


@pytest.mark.parametrize(
    ("facts", "social", "health"),
    [
        ({}, "valid", "none"),
        ({"sector": "health"}, "none", "none"),
        ({"sector": "health", "recipients": ["2.2"], "documents": ["3.3"]}, "none", "itemised"),
        ({"sector": "health", "recipients": ["2.2"], "starts_on": "2026-01-01"}, "none", "none"),
        ({"recipients": ["2.2"]}, "valid", "none"), ({"recipients": ["9.9"]}, "none", "none"),
        ({"starts_on": "2026-02-02"}, "none", "none"), ({"ends_on": "2026-01-31"}, "none", "none"),
        ({"starts_on": "2026-02-01", "ends_on": "2026-02-01"}, "valid", "none"),
    ],
)  # fmt: skip
def test_what_a_permit_gives(facts: dict[str, Any], social: str, health: str) -> None:
    """One for social care covers all but what it itemises; one for health care itemises recipient and what (§53)."""
    assert (social, health) == tuple(permission([will(**facts)], TARGET, NOON, one)[0] for one in (SOCIAL, HEALTH))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"kind": "exchange", "parties": [{"id": "2.2"}]}, "valid"),
        ({"kind": "disclosure", "parties": [{"id": "x", "name": "2.2"}]}, "valid"),
        ({"kind": "exchange", "parties": [{"id": "9.9"}]}, "none"),
        ({"kind": "exchange"}, "none"), ({"kind": "other", "parties": [{"id": "2.2"}]}, "none"),
        ({"parties": [{"id": "2.2"}]}, "none"),
    ],
)  # fmt: skip
def test_what_a_consent_gives(facts: dict[str, Any], expected: str) -> None:
    """PAI-02: a consent to exchange or disclose gives to the parties that it names, and to nobody else."""
    assert expected == consent([will(CONSENT, **facts)], TARGET, NOON)[0]
