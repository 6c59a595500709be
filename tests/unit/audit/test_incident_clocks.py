"""Clocks of incidents on both sides of their limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml
from tests.architecture.sources import ROOT

from kanta_gateway.audit.incidents import Incidents, timeline
from kanta_gateway.errors import MisconfiguredError

KNOWN = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SHIPPED = (ROOT / "mappings/audit/incidents.yaml").read_text("utf-8")


def states(trigger: str, now: datetime, **told: datetime) -> dict[str, tuple[str, str]]:
    """Clock -> state and due time."""
    given = {name.replace("_", "-"): at for name, at in told.items()}
    rows = timeline(Incidents.load(SHIPPED).triggers[trigger], KNOWN, given, now)
    return {row["clock"]: (row["state"], str(row["due_at"])[:16]) for row in rows}


def test_a_breach_has_72_hours() -> None:
    """A personal data breach is told to the supervisory authority within 72 hours of awareness (GDPR 33)."""
    hour = timedelta(hours=1)

    assert "open" == states("personal-data-breach", KNOWN + 72 * hour)["supervisory-authority"][0]
    assert "overdue" == states("personal-data-breach", KNOWN + 73 * hour)["supervisory-authority"][0]
    assert "done" == states("personal-data-breach", KNOWN, supervisory_authority=KNOWN + 72 * hour)[
        "supervisory-authority"
    ][0]  # fmt: skip
    assert "done-late" == states("personal-data-breach", KNOWN, supervisory_authority=KNOWN + 73 * hour)[
        "supervisory-authority"
    ][0]  # fmt: skip


def test_the_final_report_is_due_a_month_after_the_follow_up() -> None:
    """24 hours, 72 hours, and a month after the follow-up, or after its limit while that was not given (124/2025)."""
    now = KNOWN + timedelta(hours=100)

    assert {
        "first": ("overdue", "2026-02-01 12:00"), "follow-up": ("overdue", "2026-02-03 12:00"),
        "final": ("open", "2026-03-03 12:00"),
    } == states("nis2-significant", now)  # fmt: skip
    assert ("open", "2026-02-28 12:00") == states("nis2-significant", now, follow_up=KNOWN)["final"]


def test_at_once_has_no_limit() -> None:
    """Where the law says without delay nothing is late; it is open until it is done."""
    later = KNOWN + timedelta(days=400)

    assert ("open", "") == states("infosec-disruption", later)["supervisor"]
    assert ("done", "") == states("infosec-disruption", later, supervisor=later)["supervisor"]


def test_mistakes_of_the_file() -> None:
    """A clock after one that is not there, and a record kind of no trigger, are told."""
    stated = yaml.safe_load(SHIPPED)
    stated["triggers"]["nis2-significant"]["clocks"]["final"]["after"] = "follow-ups"
    stated["records"]["accident"]["told"] = "nobody"
    with pytest.raises(MisconfiguredError) as wrong:
        Incidents.load(yaml.safe_dump(stated, sort_keys=False))

    assert 2 == len(wrong.value.mistakes)
    assert any("did you mean follow-up?" in one for one in wrong.value.mistakes)
