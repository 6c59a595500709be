"""The cases of supervision on every database: opened once, worked on, closed, and sealed at rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from kanta_gateway.audit.cases import ALERT, CLOSE, INCIDENT, NOTIFY, WORK, Cases, NewCase
from kanta_gateway.database import Database
from kanta_gateway.tables import supervision_step

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def cases() -> Cases:
    """Sealed by turning bytes round."""
    return Cases(lambda told: told[::-1], lambda sealed: sealed[::-1])


def alert(name: str, day: str = "2026-03-09", finding: str = "f") -> NewCase:
    """A case that an alert opens."""
    return NewCase(name, ALERT, "many-clients", NOW, day, "r" * 64, (finding, "r", "2026-03-02"))


def test_the_same_finding_opens_one_case(database: Database) -> None:
    """A finding that has a case opens no other; an incident always does."""
    with database.transaction() as tx:
        first = cases().add(tx, [alert("1"), alert("2", finding="g")], NOW, {"owner": "a"})
        again = cases().add(tx, [alert("3"), alert("4", finding="h")], NOW, {"owner": "a"})
        other = cases().add(tx, [NewCase("5", INCIDENT, "x", NOW, "2026-03-05")], NOW, {"owner": "b"})
        cases().add(tx, [NewCase("6", INCIDENT, "x", NOW, "2026-03-05")], NOW, {"owner": "b"})
        open_ = [one["id"] for one in cases().listed(tx, is_open=True)]

    assert [["1", "2"], ["4"], ["5"]] == [[one.id for one in found] for found in (first, again, other)]
    assert ["5", "6", "1", "2", "4"] == open_


def test_steps_are_added_and_sealed(database: Database) -> None:
    """The newest owner owns the case, a closed one is among the closed, and no note stands open in the database."""
    with database.transaction() as tx:
        cases().add(tx, [alert("1")], NOW, {"owner": "first", "note": ""})
        cases().step(tx, "1", WORK, NOW, {"by": "x", "note": "Secret words.", "owner": "second"})
        cases().step(tx, "1", NOTIFY, NOW, {"by": "x"}, clock="first", told_at=NOW + timedelta(hours=1))
        cases().step(tx, "1", CLOSE, NOW, {"by": "x", "note": "Done."})
        cases().close(tx, "1", NOW, "lawful")
        found = cases().get(tx, "1")
        rows = [bytes(one) for one in tx.execute(select(supervision_step.c.sealed)).scalars()]
        closed = [one["id"] for one in cases().listed(tx, kind=ALERT, is_open=False)]

    assert found is not None
    assert ("second", "closed", "lawful") == (found["owner"], found["state"], found["outcome"])
    assert ["open", "work", "notify", "close"] == [one["step"] for one in found["steps"]]
    assert "2026-03-02T11:00:00.000000Z" == found["steps"][2]["told_at"]
    assert ["1"] == closed
    assert not any(b"Secret" in one for one in rows)
