"""Requests of clients in the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kanta_gateway import forgotten
from kanta_gateway.database import Database
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import instant
from kanta_gateway.rights import store as requests
from kanta_gateway.rights.store import NewRequest, RequestState, StoredRequest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROVIDER = "1.2"


def found(database: Database, name: str) -> StoredRequest:
    """A request that is there."""
    with database.reading() as tx:
        one = requests.get(tx, name)
    assert one is not None
    return one


def asked(name: str, **other: Any) -> NewRequest:
    """A request of a client."""
    told: dict[str, Any] = {
        "kind": "access", "provider": PROVIDER, "organiser": "1.9", "purchaser": "lapha", "client_ref": "c1",
        "asker": "client", "received_on": "2026-01-01", "due_on": "2026-02-01", "repeats": "", "since": "",
        "until": "", "key_id": int(name[1:]), "sealed": b"sealed",
    }  # fmt: skip
    return NewRequest(id=name, **told | other)


def test_a_request_goes_its_way(database: Database) -> None:
    """A request is decided and then answered, never back; once destroyed it keeps its dates and nothing else."""
    with database.transaction() as tx:
        requests.add(tx, asked("r1"), NOW)
        requests.add(tx, asked("r2", organiser="1.8", client_ref="c2"), NOW)
    first = found(database, "r1")
    with database.transaction() as tx:
        requests.change(tx, first, RequestState.DECIDED, b"more", outcome="granted", decided_at=instant(NOW))
    with database.transaction() as tx:
        answered_at = {"answered_at": instant(NOW)}
        requests.change(tx, found(database, "r1"), RequestState.ANSWERED, b"more", **answered_at)
    with database.transaction() as tx:
        with pytest.raises(ConflictError):
            requests.change(tx, found(database, "r1"), RequestState.DECIDED, b"")
        gone = requests.destroy(tx, NOW + timedelta(days=1), NOW)
        listed = [one.id for one in requests.listed(tx, organiser="1.8")]
        own = [one.id for one in requests.of_client(tx, PROVIDER, "lapha", ["c1"])]
        nothing, deeds = requests.get(tx, "r3"), forgotten.waiting(tx)
    last = found(database, "r1")

    assert (RequestState.REGISTERED, b"sealed", 1) == (first.state, first.sealed, first.key_id)
    assert (RequestState.ANSWERED, "granted", None) == (last.state, last.outcome, last.sealed)
    assert [("content", "r1", 1)] == [(one.kind, one.subject, one.key_id) for one in deeds]
    assert (["r1"], ["r2"], ["r1"], None) == ([one.id for one in gone], listed, own, nothing)
