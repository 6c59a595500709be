"""What was destroyed, withdrawn or revoked does not come back with a backup, nor after a crash between two files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.installations import SAMPLE, installation, key_folder, take
from tests.logs import opened
from tests.processes import Archive

from kanta_gateway import forgotten
from kanta_gateway.access.statements import Statement
from kanta_gateway.database import calling_system, data_key, document, record
from kanta_gateway.errors import GatewayError, KeyUnavailableError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.gateway import Gateway
from kanta_gateway.keyfiles import assertion_of, development_system, thumbprint_of
from kanta_gateway.model import Event
from kanta_gateway.pipeline.retain import destroy_spent_keys
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.web import service_of

APPROVAL = Statement(
    "approval",
    {"processor": "1.2.3.10.1", "controller": "1.2.3.10.2", "contract": "S-1", "sub_processor": "1.2.3.10.3",
     "name": "Toinen"}, "2026-01-01",
)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data folder of an installation whose documents are archived, with a calling system and an approval."""
    folder = tmp_path_factory.mktemp("oblivion")
    archive = Archive(folder)
    gateway = installation(folder / "data", archive_url=archive.url)
    take(gateway, [SAMPLE])
    caller = gateway.actor(None, None, None)
    try:
        assert gateway.dispatch.deliver(caller, until_empty=True)["left"] == 0
    finally:
        archive.stop()
    gateway.development.assertion(None, None, None, "auditor", "")
    gateway.registration.register_party("1.2.3.10.1", "Paja", "1.2.3.10.2", "Alue", "S-1", "lapha", caller)
    gateway.party_book.state([APPROVAL], caller)
    gateway.close()
    return folder / "data"


class World:
    """A copy of that installation, its backups, and what has been destroyed and revoked since."""

    def __init__(self, base: Path, folder: Path) -> None:
        self.data = folder / "data"
        shutil.copytree(base, self.data)
        self.gateway = installation(self.data)
        self.backups: list[Path] = []
        self.destroyed: dict[str, tuple[int, bytes]] = {}
        self.is_revoked = self.is_ended = False

    def close(self) -> None:
        """Stop."""
        self.gateway.close()

    def backup(self, name: str = "gateway.db", folder: str = "") -> Path:
        """Copy the database as it stands, as an operator does; or another file."""
        self.gateway.parts.database.scrub()
        self.gateway.parts.keys._database.scrub()
        place = self.data.parent / f"backup-{len(self.backups)}-{name}"
        shutil.copy(self.data / folder / name, place)
        if not folder:
            self.backups.append(place)
        return place

    def restore(self, place: Path, name: str = "gateway.db", folder: str = "") -> None:
        """Stop, put an older file in the place of the present one, start."""
        self.gateway.close()
        for ending in ("", "-wal", "-shm"):
            (self.data / folder / f"{name}{ending}").unlink(missing_ok=True)
        shutil.copy(place, self.data / folder / name)
        self.gateway = installation(self.data)

    def destroy(self, most: int = 2) -> None:
        """The grace period of some documents ends."""
        with self.gateway.parts.database.transaction() as tx:
            rows = list(tx.execute(
                select(document.c.oid, document.c.key_id, document.c.payload)
                .where(document.c.payload.is_not(None)).order_by(document.c.sequence).limit(most)
            ))  # fmt: skip
            late = (datetime.now(UTC) + timedelta(days=900)).isoformat()
            mine = document.c.oid.in_([row.oid for row in rows])
            tx.execute(update(document).where(~mine, document.c.payload.is_not(None)).values(settled_at=late))
            tx.execute(update(document).where(mine).values(settled_at="2026-01-01T00:00:00.000000Z"))
        destroy_spent_keys(self.gateway.parts, self.gateway.actor(None, None, None), 30)
        self.destroyed |= {row.oid: (row.key_id, bytes(row.payload)) for row in rows}

    def revoke(self) -> None:
        """The calling system is refused."""
        _, certificate = development_system(key_folder(self.gateway))
        self.gateway.registration.revoke_system(
            thumbprint_of(certificate.decode()), self.gateway.actor(None, None, None)
        )
        self.is_revoked = True

    def end(self) -> None:
        """The approval ends."""
        self.gateway.party_book.end(APPROVAL.key, date(2026, 3, 31), self.gateway.actor(None, None, None))
        self.is_ended = True

    def carry(self) -> None:
        """What the worker does every second."""
        self.gateway.retention.oblivion.carry()

    def assert_forgotten(self) -> None:
        """Nothing of it is back."""
        parts = self.gateway.parts
        assert parts.keys.ids().isdisjoint({key for key, _ in self.destroyed.values()})
        for oid, (key, payload) in self.destroyed.items():
            with pytest.raises(KeyUnavailableError):
                self.gateway.office.document(oid, self.gateway.actor(None, None, None))
            with pytest.raises(KeyUnavailableError):
                open_sealed(parts.vault.key(key), payload, b"document")
        with parts.database.reading() as tx:
            left = tx.execute(select(document.c.oid).where(document.c.payload.is_not(None))).scalars().all()
            revoked = tx.execute(select(calling_system.c.revoked_at)).scalars().all()
        assert self.destroyed.keys().isdisjoint(left)
        assert all(revoked) or not self.is_revoked
        told = self.gateway.party_book.on(self.gateway.actor(None, None, None), date(2026, 6, 1), None, "approval")
        assert told["register"] == [] or not self.is_ended


@pytest.fixture
def world(base: Path, tmp_path: Path) -> Iterator[World]:
    """One world."""
    one = World(base, tmp_path)
    yield one
    one.close()


def test_yesterdays_backup_brings_nothing_back(world: World) -> None:
    """Destroyed content, a revoked system and an ended approval stay so, and the restored log tells it again."""
    place = world.backup()
    world.destroy()
    world.revoke()
    world.end()
    world.gateway.retention.oblivion.carry()
    world.restore(place)
    world.assert_forgotten()
    again = [one for one in opened(world.gateway) if one["details"].get("again")]
    world.restore(world.backup())
    once = [one for one in opened(world.gateway) if one["details"].get("again")]

    assert {one["subject"] for one in again if one["event"] == Event.DOCUMENT_DESTROY_KEY} >= world.destroyed.keys()
    assert {"revoke-system", None} == {one["details"].get("act") for one in again}
    assert again == once
    assert world.gateway.trail.verify(reconcile=True)["unmatched"] == []


def test_a_revoked_system_is_refused_after_a_restore(world: World) -> None:
    """The assertion of a system that was revoked since the backup is not accepted by the restored gateway."""
    place = world.backup()
    world.revoke()
    world.restore(place)
    key, certificate = development_system(key_folder(world.gateway))
    with world.gateway.parts.database.reading() as tx:
        organisation = tx.execute(select(calling_system.c.organisation)).scalar_one()
    told = assertion_of(
        key, certificate, system="development-system", organisation=organisation, person_id="p", person_name="P",
        role="auditor", purpose="audit", contract="", audience="kanta-gateway", now=datetime.now(UTC),
    )  # fmt: skip
    with pytest.raises(GatewayError):
        service_of(world.gateway).identify(told)


def test_a_crash_before_the_key_is_destroyed(world: World) -> None:
    """The entry is there and the process dies: the next start destroys the key, and the log holds."""
    world.destroy()
    keys = {key for key, _ in world.destroyed.values()}
    before = keys & world.gateway.parts.keys.ids()
    world.restore(world.backup())  # no `carry` has run
    world.assert_forgotten()

    assert before == keys
    assert world.gateway.trail.verify(reconcile=True)["holds"]


def test_a_crash_after_the_key_is_destroyed(world: World) -> None:
    """The journal has it and the process dies before the database knows: the next start changes nothing twice."""
    world.destroy()
    with world.gateway.parts.database.reading() as tx:
        deeds = forgotten.waiting(tx)
    _, number = world.gateway.parts.keys.forget(deeds)
    world.restore(world.backup())
    world.assert_forgotten()

    assert world.gateway.parts.keys.last() == number
    assert [one for one in opened(world.gateway) if one["details"].get("again")] == []
    assert world.gateway.trail.verify(reconcile=True)["holds"]


def test_a_key_that_went_without_its_entry(world: World) -> None:
    """Journal and key are gone and the database was never told: the next start takes the content and tells it."""
    with world.gateway.parts.database.reading() as tx:
        oid, key = tx.execute(select(document.c.oid, document.c.key_id).limit(1)).one()
        row = tx.execute(select(record.c.key_id, record.c.ticket).limit(1)).one()
    world.gateway.parts.keys.forget([
        Forgotten(forgotten.CONTENT, oid, "2026-03-01T00:00:00.000000Z", key),
        Forgotten(forgotten.CONTENT, row.ticket, "2026-03-01T00:00:00.000000Z", row.key_id),
    ])  # fmt: skip
    world.restore(world.backup())
    told = [one["subject"] for one in opened(world.gateway, Event.DOCUMENT_DESTROY_KEY)]

    assert told == [oid, row.ticket]
    with pytest.raises(KeyUnavailableError):
        world.gateway.office.document(oid, world.gateway.actor(None, None, None))
    with world.gateway.parts.database.reading() as tx:
        assert tx.execute(select(record.c.digest).where(record.c.ticket == row.ticket)).scalar_one() == ""
    assert world.gateway.trail.verify()["holds"]


def test_an_older_key_store_brings_no_key_back(world: World) -> None:
    """Yesterday's key store beside today's database: what the database calls destroyed is destroyed there again."""
    place = world.backup("keys.db", "keys")
    world.destroy()
    world.gateway.retention.oblivion.carry()
    number = world.gateway.parts.keys.last()
    world.restore(place, "keys.db", "keys")
    world.assert_forgotten()

    assert world.gateway.parts.keys.last() > number


def test_no_wrapped_key_in_the_database(world: World) -> None:
    """The database holds no key, wrapped or not, and after a destruction no page of it holds the content."""
    world.destroy()
    parts = world.gateway.parts
    wrapped = parts.keys.wrapped_many(parts.keys.ids()).values()
    world.gateway.retention.oblivion.carry()
    content = (world.data / "gateway.db").read_bytes() + (world.data / "gateway.db-wal").read_bytes()

    assert wrapped
    assert [one for one in wrapped if one in content] == []
    assert [oid for oid, (_, payload) in world.destroyed.items() if payload in content] == []
    with parts.database.reading() as tx:
        ended = set(tx.execute(select(data_key.c.id).where(data_key.c.destroyed_at.is_not(None))).scalars())
    assert {key for key, _ in world.destroyed.values()} <= ended


ACTS = st.sampled_from(["backup", "destroy", "destroy", "revoke", "end", "restart", "carry", "crash"])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=2, max_size=7), which=st.integers(0, 6))
def test_any_history_and_any_backup(
    base: Path, tmp_path_factory: pytest.TempPathFactory, acts: list[str], which: int
) -> None:
    """After any history and the restoring of any older database nothing destroyed is readable, nothing revoked is back.

    [LOG-05]
    """
    one = World(base, tmp_path_factory.mktemp("any"))
    first = one.backup()
    does: dict[str, Any] = {
        "backup": one.backup, "destroy": one.destroy, "revoke": one.revoke, "end": one.end,
        "restart": lambda: one.restore(one.backup()), "carry": one.carry,
        "crash": lambda: one.gateway.parts.keys.forget(_waiting(one.gateway)),
    }  # fmt: skip
    for act in acts:
        with suppress(IndexError):
            does[act]()
    one.gateway.retention.oblivion.carry()
    one.restore(one.backups[which] if which < len(one.backups) else first)
    one.assert_forgotten()

    assert one.gateway.retention.oblivion.start() == 0
    one.close()


def _waiting(gateway: Gateway) -> list[Forgotten]:
    with gateway.parts.database.reading() as tx:
        return forgotten.waiting(tx)
