"""Rows of the log go after twelve years, and nothing else goes with them or instead of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.logs import KEY, day_keys, make_log
from tests.property.test_audit import CHECKPOINT, ERASE, SIGNER, TABLES, changes, event, written

from kanta_gateway.audit import proofs, report
from kanta_gateway.audit.heads import Heads
from kanta_gateway.audit.merkle import is_consistent, is_included
from kanta_gateway.audit.purge import limit, purge
from kanta_gateway.audit.verify import Verification, verify
from kanta_gateway.database import Database
from kanta_gateway.model import Event, instant
from kanta_gateway.tables import audit_entry, audit_head, audit_name, metadata

NAME = SIGNER.key.name
AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
THEN = datetime(2038, 3, 2, 10, 0, tzinfo=UTC)
"""Twelve years after the first entry of `written`."""


def purged(database: Database, seals: Any, now: datetime) -> int:
    """A purge at that moment; how many rows went."""
    with database.transaction() as tx:
        return purge(tx, make_log(seals), NAME, now).rows


def checked(database: Database, seals: Any, note: str | None = None) -> Verification:
    """A verification."""
    with database.reading() as connection:
        return verify(connection, vkey=str(SIGNER.key), seals=seals, checkpoint=note, heads=Heads(KEY))


def appended(database: Database, seals: Any, at: datetime, count: int = 1) -> None:
    """Entries of that moment."""
    with database.transaction() as tx:
        make_log(seals).append(tx, [replace(event(number), at=at) for number in range(count)])


def rows(database: Database) -> list[tuple[Any, ...]]:
    """Every column of every row but its place and leaf hash."""
    with database.reading() as tx:
        c = audit_entry.c
        columns = select(c.event, c.client_ref, c.name, c.at, c.key_id, c.sealed)
        return [tuple(one) for one in tx.execute(columns.order_by(c.idx))]


EMPTY = (None,) * 6


@pytest.mark.parametrize(("now", "gone"), [(THEN - timedelta(days=1), 0), (THEN, 3)], ids=["T+12y-1d", "T+12y"])
def test_a_row_goes_when_its_time_is_over(now: datetime, gone: int) -> None:
    """LOG-05: a day before twelve years are over every row is kept; at twelve years it is gone, and not the next.

    [LOG-05]
    """
    seals = day_keys()
    database = Database("sqlite://")
    metadata.create_all(database.engine, tables=list(TABLES.values()))
    appended(database, seals, AT, 3)
    appended(database, seals, AT + timedelta(seconds=1), 2)

    assert gone == purged(database, seals, now)
    assert [EMPTY] * gone == [one for one in rows(database) if one == EMPTY]
    assert checked(database, seals).problems == ()
    database.close()


def test_a_leap_day_has_its_end() -> None:
    """A year that lacks the leap day ends the time on the day before, and nothing is kept for ever."""
    assert limit(datetime(2112, 2, 29, tzinfo=UTC)) == datetime(2100, 2, 28, tzinfo=UTC)
    assert limit(datetime(2036, 2, 29, tzinfo=UTC)) == datetime(2024, 2, 29, tzinfo=UTC)


@settings(max_examples=25, deadline=None)
@given(
    old=st.lists(st.sampled_from([1, 2, 3, 5, CHECKPOINT, ERASE]), min_size=1, max_size=5),
    young=st.lists(st.sampled_from([1, 2, 4, CHECKPOINT]), max_size=3),
)
def test_proofs_and_checkpoints_outlive_the_rows(old: list[int], young: list[int]) -> None:
    """After a purge the log verifies, old checkpoints and proofs hold, and the younger rows are what they were.

    [LOG-05]
    """
    seals = day_keys()
    database = written((1, *old), seals)
    _go_on(database, seals, young, AT + timedelta(days=3650))
    with database.reading() as tx:
        size = proofs.size(tx)
        leaves = list(tx.execute(select(audit_entry.c.leaf_hash).order_by(audit_entry.c.idx)).scalars())
        notes = list(tx.execute(select(TABLES["audit_checkpoint"].c.note)).scalars())
        kept = dict(report.every(tx, seals, report.Filter(since=AT + timedelta(days=1))))
        root = tx.execute(select(audit_head.c.root).where(audit_head.c.size == size)).scalar_one()
    purged(database, seals, THEN + timedelta(days=1))
    with database.reading() as tx:
        lines = list(report.jsonl(tx, seals))
        left = dict(report.every(tx, seals, report.Filter()))
        included = [is_included(leaves[idx], idx, size, proofs.inclusion(tx, idx, size), root) for idx in range(size)]
        now = proofs.size(tx)
        new = tx.execute(select(audit_head.c.root).where(audit_head.c.size == now)).scalar_one()
        grown = is_consistent(size, now, root, new, proofs.consistency(tx, size, now))

    assert checked(database, seals).problems == ()
    assert [checked(database, seals, note).problems for note in notes] == [()] * len(notes)
    assert all(included)
    assert grown
    assert len(lines) == now
    assert kept.items() <= left.items()
    database.close()


def _go_on(database: Database, seals: Any, steps: Sequence[int], at: datetime) -> None:
    for step in steps:
        if step == CHECKPOINT:
            with database.transaction() as tx:
                make_log(seals).checkpoint(tx, SIGNER, at)
        else:
            appended(database, seals, at, step)


def test_names_go_with_their_last_row() -> None:
    """A name that only old rows tell of goes; one that a younger row tells of stays and is still read."""
    seals = day_keys()
    database = written((3,), seals)  # three persons
    appended(database, seals, THEN - timedelta(days=9))  # one of them
    purged(database, seals, THEN + timedelta(days=1))
    with database.reading() as tx:
        names = list(tx.execute(select(audit_name.c.commitment)).scalars())
        told = [row["person_name"] for row in report.rows(tx, seals, report.Filter(), make_log(seals).names)]

    assert len(names) == 1
    assert told == ["Testi Henkilö 0", ""]
    assert checked(database, seals).problems == ()
    database.close()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_change_of_a_purged_log_is_found(name: str) -> None:
    """After a purge a change of any column or the removal of any row is found as before.

    But one: a head in the midst of rows that are gone goes unseen; the next head vouches for all that it did.
    """
    seals = day_keys()
    database = written((3, 2, CHECKPOINT, 2), seals)
    appended(database, seals, THEN - timedelta(days=9), 2)
    purged(database, seals, THEN + timedelta(days=1))
    appended(database, seals, THEN + timedelta(days=2), 2)
    unseen = []
    with database.engine.connect() as connection:
        for what, statements in changes(connection, TABLES[name]):
            with connection.begin_nested() as savepoint:
                for statement in statements:
                    connection.execute(statement)
                seen = verify(connection, vkey=str(SIGNER.key), seals=seals, heads=Heads(KEY))
                savepoint.rollback()
            if name not in {one.table for one in seen.problems}:
                unseen.append(what)
        connection.rollback()

    assert unseen == (["remove [3]"] if name == "audit_head" else [])
    database.close()


def test_an_emptied_row_is_no_purge() -> None:
    """An administrator empties a young row like an old one: no entry tells that its time was over."""
    seals = day_keys()
    database = written((4,), seals)
    with database.transaction() as tx:
        gone = dict.fromkeys(("event", "client_ref", "name", "at", "key_id", "sealed"))
        tx.execute(update(audit_entry).where(audit_entry.c.idx == 2).values(gone))

    assert [(one.place, one.what) for one in checked(database, seals).problems] == [("2", "audit-entry-emptied")]
    database.close()


def test_a_purge_that_hides_a_younger_row_is_found() -> None:
    """An operator with every key lets a purge take a row of yesterday: the head that follows it says how old it was.

    [LOG-05]
    """
    seals = day_keys()
    database = written((3,), seals)
    appended(database, seals, THEN, 2)
    now = THEN + timedelta(days=1)
    with database.transaction() as tx:
        gone = dict.fromkeys(("event", "client_ref", "name", "at", "key_id", "sealed"))
        tx.execute(update(audit_entry).where(audit_entry.c.idx.in_([0, 1, 2, 4])).values(gone))
        details = {"until": instant(limit(now)), "ranges": [[0, 2], [4, 4]], "names": [], "keys": 0}
        make_log(seals).note_own(tx, NAME, Event.AUDIT_PURGE, now, "audit_entry", details)
    found = [(one.place, one.what) for one in checked(database, seals).problems if one.table == "audit_entry"]

    assert found == [("4", "audit-purge-early")]
    database.close()


def test_a_clock_set_forward_for_a_purge_is_found() -> None:
    """The clock runs twelve years ahead, a purge takes everything, the clock is set right: the next entry tells.

    [LOG-05]
    """
    seals = day_keys()
    database = written((3,), seals)
    purged(database, seals, THEN + timedelta(days=1))
    alone = checked(database, seals).problems
    appended(database, seals, AT + timedelta(days=2))
    found = checked(database, seals)

    assert alone == ()
    assert [(one.place, one.what) for one in found.problems] == [("3", "audit-purge-early")]
    assert [one.what for one in found.remarks] == ["audit-time-backwards"]
    database.close()


def test_a_row_that_came_back_is_found_and_goes_again() -> None:
    """A backup brings a row back after its purge: verification names it, and the next purge takes it."""
    seals = day_keys()
    database = written((3,), seals)
    with database.reading() as tx:
        before = dict(tx.execute(select(audit_entry).where(audit_entry.c.idx == 1)).mappings().one())
    now = THEN + timedelta(days=1)
    purged(database, seals, now)
    with database.transaction() as tx:
        tx.execute(update(audit_entry).where(audit_entry.c.idx == 1).values(before))
    found = [(one.place, one.what) for one in checked(database, seals).problems if one.table == "audit_entry"]

    assert found == [("1", "audit-entry-returned")]
    assert purged(database, seals, now) == 1
    assert checked(database, seals).problems == ()
    database.close()
