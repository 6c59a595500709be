"""Evidence of supervision ends with the log that it is about, and no backup brings it back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.acceptance.test_break_glass import NOTE, REVIEWER, opened
from tests.crossing import Crossing
from tests.installations import at
from tests.logs import opened as entries

from kanta_gateway import forgotten
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import Event
from kanta_gateway.tables import access_grant, supervision_case, supervision_step

TABLES = (access_grant, supervision_step, supervision_case)
YEARS = 12
SAID = "Epäily tietojen katselusta ilman perustetta."


class Evidence:
    """An installation in which somebody broke the glass, and an incident is a case."""

    def __init__(self, folder: Path) -> None:
        self.crossing = Crossing(folder)
        _, oid = self.crossing.client()
        self.grant = opened(self.crossing, oid)["grant"]
        assert 200 == self.crossing.call("POST", f"/v1/access/grants/{self.grant}:end").status_code
        told = {"outcome": "unfounded", "note": NOTE, "owner": "Tietosuojavastaava"}
        assert 200 == self.crossing.call("POST", f"/v1/access/grants/{self.grant}:review", told, **REVIEWER).status_code
        cases = self.gateway.auditors.cases
        trigger = next(iter(self.gateway.parts.supervision.incidents.triggers))
        self.case = cases.open_incident(self.caller, trigger, datetime.now(UTC), note=SAID)["id"]

    @property
    def gateway(self) -> Any:
        """The gateway."""
        return self.crossing.gateway

    @property
    def caller(self) -> Any:
        """Who acts."""
        return self.crossing.world.caller

    def at(self, day: date) -> Any:
        """The gateway on a day."""
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        return at(self.gateway, lambda: moment)

    def left(self) -> dict[str, int]:
        """Rows that have content, by table."""
        with self.gateway.parts.database.reading() as tx:
            return {
                one.name: len(tx.execute(select(one).where(forgotten.CONTENTS[one.name].has_some)).all())
                for one in TABLES
            }

    def backup(self, folder: Path) -> Path:
        """The database as it is, as an operator copies it."""
        self.gateway.parts.database.scrub()
        return Path(shutil.copy(self.gateway.settings.data / "gateway.db", folder / "yesterday.db"))

    def restore(self, copy: Path) -> None:
        """Start with an older database."""
        self.gateway.close()
        for ending in ("", "-wal", "-shm"):
            (self.gateway.settings.data / f"gateway.db{ending}").unlink(missing_ok=True)
        shutil.copy(copy, self.gateway.settings.data / "gateway.db")
        self.crossing.begin_again()


@pytest.fixture
def evidence(tmp_path: Path) -> Iterator[Evidence]:
    """One of its own."""
    made = Evidence(tmp_path)
    yield made
    made.gateway.close()


def test_reasons_and_notes_go_with_the_log_they_are_about(evidence: Evidence, tmp_path: Path) -> None:
    """LOG-05: on the day before twelve years they are there, on the day they go, each with an entry; counts stay.

    [LOG-05]
    """
    begun = datetime.now(UTC).date()
    end = evidence.gateway.parts.terms.own["supervision"].ends(begun)
    copy = evidence.backup(tmp_path)
    early = evidence.at(end - timedelta(days=1)).retention.aging.ask(evidence.caller, is_clock_right=True)
    before = evidence.left()
    told = evidence.at(end).retention.aging.ask(evidence.caller, is_clock_right=True)
    again = evidence.gateway.retention.aging.ask(evidence.caller, is_clock_right=True)
    (grant,) = evidence.gateway.accesses.reviews.queue(evidence.caller, "destroyed")["grants"]
    case = evidence.gateway.auditors.cases.shown(evidence.caller, evidence.case)
    with pytest.raises(ConflictError, match="nothing to review"):
        evidence.gateway.accesses.reviews.review(evidence.grant, "founded", NOTE, evidence.caller)
    status = evidence.gateway.accesses.break_glass.status()
    gone = {one["subject"]: one["event"] for one in entries(evidence.gateway) if one["details"].get("term")}
    sound = evidence.gateway.trail.verify(reconcile=True)
    evidence.gateway.retention.oblivion.carry()
    evidence.restore(copy)
    restored = {one["subject"]: one["event"] for one in entries(evidence.gateway) if one["details"].get("again")}

    assert (0, 0) == (early["grants"], early["cases"])
    assert {"access_grant": 1, "supervision_step": 1, "supervision_case": 0} == before
    assert (1, 1, 0, 0) == (told["grants"], told["cases"], again["grants"], again["cases"])
    assert ("", "", None, "unfounded") == tuple(grant[name] for name in ("reason", "name", "note", "outcome"))
    assert SAID not in str(case)
    assert {0} == {status[name] for name in ("to_review", "overdue", "cases", "cases_overdue")}
    assert {evidence.grant: Event.DOCUMENT_DESTROY_KEY, evidence.case: Event.CASE_DESTROY} == gone
    assert [] == sound["unmatched"]
    assert gone == restored
    assert {0} == set(evidence.left().values())


def test_the_worker_does_it_and_no_clock_that_runs_ahead(evidence: Evidence) -> None:
    """LOG-05: with entries in each year the step of the day takes it; a clock that may run ahead nothing.

    [LOG-05]
    """
    today = datetime.now(UTC).date()
    ahead = evidence.at(today.replace(year=today.year + YEARS + 1, day=15)).retention.step(evidence.caller)
    kept = evidence.left()
    for year in range(1, YEARS + 1):
        evidence.at(today.replace(year=today.year + year, day=15)).retention.aging.ask(evidence.caller)
    told = evidence.at(today.replace(year=today.year + YEARS, month=12, day=31)).retention.run(evidence.caller)

    assert (0, 0) == (ahead["grants"], ahead["cases"])
    assert {"access_grant": 1, "supervision_step": 1, "supervision_case": 0} == kept
    assert (1, 1) == (told["grants"], told["cases"])
