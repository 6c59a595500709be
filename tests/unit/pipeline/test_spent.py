"""Which content goes with its document, and which is still needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select

from kanta_gateway.database import Database, data_key, metadata, record
from kanta_gateway.model import Caller, Oid, Sha256Hex
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.spool import store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLER = Caller("local", Oid("1"), "p", "P", "operator", "retention")


@pytest.mark.parametrize(("state", "is_kept"), [("received", True), ("settled", False)])
def test_what_waits_for_an_earlier_version_keeps_its_content(tmp_path: Path, state: str, is_kept: bool) -> None:  # noqa: FBT001
    """A record whose document was withdrawn, and is made again once the earlier version has its answer, stays whole."""
    database = Database(f"sqlite:///{tmp_path / 'spool.sqlite'}")
    metadata.create_all(database.engine)
    with database.transaction() as tx:
        tx.execute(data_key.insert(), {"id": 1, "made_at": "x"})
        tx.execute(record.insert(), {
            "id": 1, "provider": "p", "purchaser": "u", "source": "s", "type": "t", "record_id": "r",
            "version": 2, "is_keyed": 0, "ticket": "k", "digest": "d", "is_cancelled": 0, "state": state,
            "outcome": "replacement", "findings": "[]", "removed": "{}", "as_of": "2026-03-01", "received_at": "x",
            "payload": b"content", "key_id": 1,
        })  # fmt: skip
        store.put(tx, [store.NewDocument(
            oid=Oid("1.1"), set_oid=Oid("1.1"), version_number=1, replaces=None, record_row=1, part="main",
            structure=Oid("9.9"), client_ref="c", provider=Oid("1.1"), organiser=Oid("1.2"), payload=b"sealed",
            key_id=2, digest=Sha256Hex("aa"), inputs="{}",
        )], NOW)  # fmt: skip
        store.withdraw(tx, "1.1", NOW)
    later = NOW + timedelta(days=31)
    log = SimpleNamespace(append=lambda _tx, _events: None)
    parts = cast("Parts", SimpleNamespace(database=database, now=lambda: later, log=log))

    assert destroy_spent(parts, CALLER, 30)["documents"] == 1
    with database.reading() as tx:
        assert (tx.execute(select(record.c.payload)).scalar_one() == b"content") is is_kept
    database.close()
