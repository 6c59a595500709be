"""Which content goes with its document, and which is still needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from kanta_gateway.database import Database
from kanta_gateway.model import Caller, Oid, Sha256Hex, instant
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.spool import store
from kanta_gateway.tables import data_key, metadata, record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLER = Caller("local", Oid("1"), "p", "P", "operator", "retention")


def spool(folder: Path, **of_record: Any) -> Database:
    """A database with one record."""
    database = Database(f"sqlite:///{folder / 'spool.sqlite'}")
    metadata.create_all(database.engine)
    with database.transaction() as tx:
        tx.execute(data_key.insert(), {"id": 1, "made_at": "x"})
        tx.execute(record.insert(), {
            "id": 1, "provider": "p", "purchaser": "u", "source": "s", "type": "t", "record_id": "r",
            "version": 2, "is_keyed": 0, "ticket": "k", "digest": "d", "is_cancelled": 0, "findings": "[]",
            "removed": "{}", "as_of": "2026-03-01", "received_at": "x", "payload": b"content", "key_id": 1, **of_record,
        })  # fmt: skip
    return database


def spent(database: Database, days: float) -> dict[str, int]:
    """What is destroyed so many days later, with a grace of thirty."""
    log = SimpleNamespace(append=lambda _tx, _events: None)
    later = NOW + timedelta(days=days)
    return destroy_spent(cast("Parts", SimpleNamespace(database=database, now=lambda: later, log=log)), CALLER, 30)


@pytest.mark.parametrize(("days", "goes"), [(29.999, 0), (30, 1)])
@pytest.mark.parametrize("outcome", ["replaced", "cancelled", "cancellation"])
def test_what_was_overtaken_goes_to_the_day(tmp_path: Path, outcome: str, days: float, goes: int) -> None:
    """A record that was replaced or cancelled before a document was made of it goes when the grace is over."""
    database = spool(tmp_path, state="settled", outcome=outcome, settled_at=instant(NOW))

    assert spent(database, days)["records"] == goes
    with database.reading() as tx:
        assert (tx.execute(select(record.c.payload)).scalar_one() is None) == bool(goes)
    database.close()


@pytest.mark.parametrize("outcome", ["held", "refused", "accepted"])
def test_what_may_still_become_a_document_stays(tmp_path: Path, outcome: str) -> None:
    """What is not overtaken stays however long it takes: the archive has no document of it."""
    database = spool(tmp_path, state="settled", outcome=outcome, settled_at=instant(NOW))

    assert spent(database, 400)["records"] == 0
    database.close()


@pytest.mark.parametrize(("state", "is_kept"), [("received", True), ("settled", False)])
def test_what_waits_for_an_earlier_version_keeps_its_content(tmp_path: Path, state: str, is_kept: bool) -> None:  # noqa: FBT001
    """A record whose document was withdrawn, and is made again once the earlier version has its answer, stays whole."""
    database = spool(tmp_path, state=state, outcome="replacement")
    with database.transaction() as tx:
        store.put(tx, [store.NewDocument(
            oid=Oid("1.1"), set_oid=Oid("1.1"), version_number=1, replaces=None, record_row=1, part="main",
            structure=Oid("9.9"), client_ref="c", provider=Oid("1.1"), organiser=Oid("1.2"), payload=b"sealed",
            key_id=2, digest=Sha256Hex("aa"), inputs="{}",
        )], NOW)  # fmt: skip
        store.withdraw(tx, "1.1", NOW)

    assert spent(database, 31)["documents"] == 1
    with database.reading() as tx:
        assert (tx.execute(select(record.c.payload)).scalar_one() == b"content") is is_kept
    database.close()
