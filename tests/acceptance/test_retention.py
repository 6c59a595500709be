"""Content goes after the grace period; evidence stays, and the client's later records still stand."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from tests.installations import at, documents, installation, sample, take, written
from tests.processes import Archive

from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.spool import store
from kanta_gateway.tables import document


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[tuple[Gateway, Caller, dict[str, Any]]]:
    """The sample without its last diary entries, delivered to a simulated archive."""
    archive = Archive(tmp_path)
    gateway = installation(tmp_path / "data", archive_url=archive.url)
    early = copy.deepcopy(sample())
    for client in early["asiakkaat"]:
        client["valmennuspaivakirja"] = client["valmennuspaivakirja"][:-1]
    take(gateway, written(tmp_path / "early", early))
    caller = gateway.actor(None, None, None)
    try:
        assert gateway.dispatch.deliver(caller, until_empty=True)["left"] == 0
    finally:
        archive.stop()
    yield gateway, caller, early
    gateway.close()


def later(gateway: Gateway, days: int) -> Gateway:
    """The same installation so many days later."""
    return at(gateway, lambda: datetime.now(UTC) + timedelta(days=days))


def test_content_stays_within_the_grace(archived: tuple[Gateway, Caller, dict[str, Any]]) -> None:
    """A day before the grace period ends nothing is destroyed."""
    gateway, caller, _ = archived

    assert destroy_spent(later(gateway, 29).parts, caller, 30)["documents"] == 0
    assert documents(gateway)


def test_content_goes_and_evidence_stays(archived: tuple[Gateway, Caller, dict[str, Any]], tmp_path: Path) -> None:
    """When the grace period is over no document opens; receipts stay, the log holds, figures are what they were."""
    gateway, caller, early = archived
    before = gateway.office.figures(caller, None, None, explain=False)
    with gateway.parts.database.reading() as tx:
        oids = [one.oid for one in store.archived(tx)]
    destroyed = destroy_spent(later(gateway, 30).parts, caller, 30)["documents"]

    assert destroyed == len(oids)
    with pytest.raises(KeyUnavailableError):
        gateway.office.document(oids[0], caller)
    with gateway.parts.database.reading() as tx:
        assert all(one.receipt for one in store.archived(tx))
    assert gateway.trail.verify(reconcile=True)["holds"]
    assert gateway.office.figures(caller, None, None, explain=False) == before
    assert gateway.documents.export(tmp_path / "out", caller, all_versions=True)["destroyed"] == destroyed
    again = take(gateway, written(tmp_path / "again", early))
    assert {row["outcome"] for row in again if row["documents"]} == set()


def test_a_destroyed_key_that_comes_back_is_seen(
    archived: tuple[Gateway, Caller, dict[str, Any]],
) -> None:
    """A backup brings one destroyed key and one content back: `audit verify --reconcile` names both entries."""
    gateway, caller, _ = archived
    with gateway.parts.database.reading() as tx:
        before = [store.get(tx, one.oid) for one in store.archived(tx)[:2]]
        wrapped = gateway.parts.keys.wrapped_many([one.key_id for one in before if one])
    destroy_spent(later(gateway, 31).parts, caller, 30)
    sound = gateway.trail.verify(reconcile=True)
    one, two = before
    assert one is not None
    assert two is not None
    gateway.retention.oblivion.carry()
    gateway.parts.keys.take_over([(one.key_id, wrapped[one.key_id])])
    with gateway.parts.database.transaction() as tx:
        tx.execute(update(document).where(document.c.oid == two.oid).values(payload=two.payload))
    told = gateway.trail.verify(reconcile=True)["unmatched"]

    assert sound["holds"]
    assert len(told) == 2
    assert all(any(oid in line["what"] for line in told) for oid in (one.oid, two.oid))


def test_later_records_still_stand(archived: tuple[Gateway, Caller, dict[str, Any]], tmp_path: Path) -> None:
    """What comes after the destruction becomes documents, though plan and agreement cannot be opened any more."""
    gateway, caller, _ = archived
    destroy_spent(later(gateway, 31).parts, caller, 30)
    rows = take(gateway, written(tmp_path / "late", sample()))
    made = [row for row in rows if row["outcome"] == "replacement"]

    assert made
    assert all(row["documents"] for row in made)
