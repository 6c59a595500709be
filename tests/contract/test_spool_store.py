"""The spool's store: one contract, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kanta_gateway.database import Database
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import Oid, Sha256Hex
from kanta_gateway.spool import store
from kanta_gateway.spool.oids import OidSource
from kanta_gateway.spool.states import State
from kanta_gateway.spool.store import NewDocument
from kanta_gateway.tables import data_key, record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(database: Database) -> Database:
    """An empty database of each kind, with one record row."""
    with database.transaction() as tx:
        tx.execute(record.insert(), {
            "id": 1, "provider": "p", "purchaser": "u", "source": "s", "type": "t", "record_id": "r",
            "version": 1, "is_keyed": 0, "ticket": "k", "digest": "d", "is_cancelled": 0, "state": "settled",
            "findings": "[]", "removed": "{}", "as_of": "2026-03-01", "received_at": "x",
        })  # fmt: skip
    return database


def new(oid: str, *, set_oid: str | None = None, version: int = 1) -> NewDocument:
    """A document to put."""
    return NewDocument(
        oid=Oid(oid), set_oid=Oid(set_oid or oid), version_number=version, replaces=None, record_row=1,
        part="main", structure=Oid("9.9"), client_ref="c", provider=Oid("1.1"), organiser=Oid("1.2"),
        payload=b"sealed", key_id=int(oid.replace(".", "")), digest=Sha256Hex("aa"), inputs='{"guard":"g"}',
    )  # fmt: skip


def put(database: Database, *documents: NewDocument) -> None:
    """Put documents, committed."""
    with database.transaction() as tx:
        store.put(tx, documents, NOW)


def lease(database: Database, at: datetime = NOW, limit: int = 10) -> list[store.Leased]:
    """Lease, committed."""
    with database.transaction() as tx:
        return store.lease(tx, at, limit, 60)


def settle(database: Database, leased: store.Leased, state: State, at: datetime = NOW) -> bool:
    """Settle, committed."""
    with database.transaction() as tx:
        return store.settle(tx, leased, state, at, receipt={"a": 1})


def test_leased_work_comes_with_everything_needed(database: Database) -> None:
    """A leased document carries its payload and its key, and stands as being sent."""
    put(database, new("1.1"), new("1.2"))

    first, second = lease(database)

    assert ("1.1", "1.2") == (first.document.oid, second.document.oid)
    assert (b"sealed", 11, State.SENDING, 1) == (
        first.document.payload, first.document.key_id, first.document.state, first.document.attempts,
    )  # fmt: skip
    assert first.document.guard == "g"


def test_nothing_is_leased_twice(database: Database) -> None:
    """What one worker holds, no other gets until the lease has ended."""
    put(database, new("1.1"))
    lease(database)

    assert lease(database, NOW + timedelta(seconds=59)) == []


def test_an_ended_lease_is_unknown_and_a_late_answer_changes_nothing(database: Database) -> None:
    """Work whose worker died comes back as unknown; the dead worker's late settlement is told and ignored."""
    put(database, new("1.1"))
    (lost,) = lease(database)

    (again,) = lease(database, NOW + timedelta(seconds=61))

    assert again.document.state is State.UNKNOWN
    assert not settle(database, lost, State.REJECTED)
    assert settle(database, again, State.ARCHIVED)
    with database.reading() as tx:
        assert store.counts(tx) == {"archived": 1}


def test_versions_of_a_set_go_in_order(database: Database) -> None:
    """A later version is not leased before the earlier one is settled."""
    put(database, new("1.2", set_oid="1.1", version=2), new("1.1"))

    (first,) = lease(database)
    assert first.document.oid == "1.1"
    assert lease(database) == []
    settle(database, first, State.ARCHIVED)

    assert [one.document.oid for one in lease(database)] == ["1.2"]


def test_only_the_unsent_is_withdrawn_and_only_the_archived_invalidated(database: Database) -> None:
    """Withdrawing works before sending only, invalidating after archiving only."""
    put(database, new("1.1"), new("1.2"))
    with database.transaction() as tx:
        assert store.withdraw(tx, "1.1", NOW)
        assert not store.withdraw(tx, "1.1", NOW)
        assert not store.invalidate(tx, "1.2", NOW)
    (one,) = lease(database)
    settle(database, one, State.ARCHIVED)
    with database.transaction() as tx:
        assert not store.withdraw(tx, "1.2", NOW)
        assert store.invalidate(tx, "1.2", NOW)

    (back,) = lease(database)

    assert back.document.state is State.INVALIDATING
    assert back.document.receipt == {"a": 1}


def test_a_change_that_the_states_forbid_is_refused(database: Database) -> None:
    """A document cannot leave sending for withdrawn."""
    put(database, new("1.1"))
    (one,) = lease(database)

    with pytest.raises(ConflictError):
        settle(database, one, State.WITHDRAWN)


def test_waiting_documents_are_not_due(database: Database) -> None:
    """A document that waits is leased at its time and not before, and the backlog says when."""
    put(database, new("1.1"))
    (one,) = lease(database)
    later = NOW + timedelta(hours=1)
    with database.transaction() as tx:
        store.settle(tx, one, State.QUEUED, NOW, problem={"kind": "archive-busy"}, next_attempt=later)

    assert lease(database) == []
    with database.reading() as tx:
        assert (1, later) == (store.backlog(tx).open, store.backlog(tx).next_at)
    assert len(lease(database, later)) == 1


def test_a_rolled_back_put_leaves_nothing(database: Database) -> None:
    """If the transaction fails, neither document nor key is stored."""
    with pytest.raises(RuntimeError), database.transaction() as tx:  # noqa: PT012 — fails late
        store.put(tx, [new("1.1")], NOW)
        raise RuntimeError

    with database.reading() as tx:
        assert store.counts(tx) == {}
        assert tx.execute(data_key.select()).first() is None


def test_oids_never_repeat_across_sources(database: Database) -> None:
    """Two processes with one key, and a restart, never give the same OID."""
    sources = [OidSource(b"k" * 32, block=10) for _ in range(3)]

    given = [oid for turn in range(40) for oid in sources[turn % 3].take(database, Oid("1.2"), 2026, 7)]

    assert len(given) == len(set(given)) == 280
