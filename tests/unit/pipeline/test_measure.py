"""Reads are counted by client, for each person at each system, until enough time has gone by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from kanta_gateway.access.limits import Limits
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.database import Database
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.pipeline.guard import LOCAL
from kanta_gateway.pipeline.measure import Measure
from kanta_gateway.pipeline.parts import Keyring, Parts
from kanta_gateway.tables import metadata, reading

NOW = datetime(2026, 3, 2, 10, 0, 30, tzinfo=UTC)
CALLER = Caller("records", Oid("1.2"), "T-1", "Erkki Esimerkki", "provider-system", "delivery")
LIMITS = Limits.load("minutes: 60\nreads: {provider-system: 5}\nothers: 1")


class Desk:
    """A measure with a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.database = Database("sqlite://")
        metadata.create_all(self.database.engine)
        self.measure = Measure(cast("Parts", SimpleNamespace(
            database=self.database, keyring=Keyring(b"m" * 32), limits=LIMITS, now=lambda: self.now,
        )))  # fmt: skip

    def told(self, clients: int, event: Event = Event.FIGURES_READ, **caller: Any) -> None:
        """One answer that told of so many clients."""
        by = replace(CALLER, **caller)
        entries = [
            AuditEvent(event=event, caller=by, at=self.now, client_ref=f"c-{one}", subject="s", provider="1.2",
                       controller="1.3", purpose="delivery", basis="703/2023 §9", details={}, recipient="r")
            for one in range(clients)
        ]  # fmt: skip
        with self.database.transaction() as tx:
            self.measure.add(tx, entries)

    def is_full(self, **caller: Any) -> bool:
        """Whether somebody may read no more."""
        return self.measure.is_full(replace(CALLER, **caller))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A fresh one."""
    made = Desk()
    yield made
    made.database.close()


def test_one_answer_counts_every_client_that_it_tells_of(desk: Desk) -> None:
    """A list of five clients is five reads: who asks once for everything has read as much as who asks five times."""
    desk.told(4)
    before = desk.is_full()
    desk.told(1)

    assert (before, desk.is_full()) == (False, True)


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (Event.DOCUMENT_READ, True), (Event.DOCUMENT_LIST, True), (Event.AUDIT_RESOLVE, True),
        (Event.DOCUMENT_DISCLOSE, True), (Event.RECORD_SUBMIT, False), (Event.DOCUMENT_SEND, False),
    ],
)  # fmt: skip
def test_what_counts(desk: Desk, event: Event, *, counts: bool) -> None:
    """What is told to somebody counts, also to whom it is disclosed; what is delivered does not."""
    desk.told(9, event)

    assert desk.is_full() is counts


@pytest.mark.parametrize("other", [{"person_id": "T-2"}, {"system": "another"}, {"organisation": "1.4"}])
def test_each_person_at_each_system(desk: Desk, other: dict[str, str]) -> None:
    """A colleague, and the same identifier at another system or organisation, go on."""
    desk.told(5)

    assert (True, False) == (desk.is_full(), desk.is_full(**other))


def test_a_local_command_is_not_counted(desk: Desk) -> None:
    """The gateway's own people export whole registers: the count is of calls from outside."""
    desk.told(9, system=LOCAL)

    assert not desk.is_full(system=LOCAL)


def test_the_time_goes_by(desk: Desk) -> None:
    """What was read counts for its hour; then it is forgotten, and the table with it, which tells nobody's name."""
    desk.told(3)
    desk.now = NOW + timedelta(minutes=30)
    desk.told(2)
    full = [desk.is_full()]
    for minutes in (59, 60):
        desk.now = NOW + timedelta(minutes=minutes)
        full.append(desk.is_full())
    desk.told(1)
    with desk.database.reading() as tx:
        rows = tx.execute(select(reading)).all()

    assert full == [True, True, False]
    assert [2, 1] == [row.clients for row in rows]
    assert not any("T-1" in str(row) or "records" in str(row) for row in rows)
