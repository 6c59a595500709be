"""What was destroyed, withdrawn or revoked does not come back with a backup, nor after a crash between two files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.installations import SAMPLE, installation, key_folder, take
from tests.logs import opened
from tests.processes import Archive

from kanta_gateway import forgotten
from kanta_gateway.access.statements import Statement
from kanta_gateway.errors import GatewayError, KeyUnavailableError, UntrustedError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.gateway import Gateway
from kanta_gateway.keyfiles import assertion_of, development_system, thumbprint_of
from kanta_gateway.model import Event
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.tables import calling_system, data_key, document, record
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
        destroy_spent(self.gateway.parts, self.gateway.actor(None, None, None), 30)
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


@pytest.mark.parametrize("has_copy", [True, False])
def test_an_older_key_store_brings_no_key_back(world: World, *, has_copy: bool) -> None:
    """Yesterday's key store beside today's database: what copy or database call destroyed is destroyed there again."""
    place = world.backup("keys.db", "keys")
    world.destroy()
    world.gateway.retention.oblivion.carry()
    number = world.gateway.parts.keys.last()
    if not has_copy:
        (world.data / "keys/journal.jsonl").unlink()
    world.restore(place, "keys.db", "keys")
    world.assert_forgotten()

    assert (world.gateway.parts.keys.last() == number) is has_copy


def test_no_wrapped_key_in_the_database(world: World) -> None:
    """The database holds no key, wrapped or not, and after a destruction no page of it holds the content."""
    parts, before = world.gateway.parts, at_rest(world)
    world.destroy()
    keys = world.data / "keys/keys.db"
    wrapped = parts.keys.wrapped_many(parts.keys.ids()).values()
    gone = parts.keys.wrapped_many([key for key, _ in world.destroyed.values()]).values()
    world.gateway.retention.oblivion.carry()
    content = at_rest(world)
    of_keys = keys.read_bytes() + keys.with_name("keys.db-wal").read_bytes()

    assert wrapped
    assert [one for one in wrapped if one in content] == []
    assert [one for one in gone if one in of_keys] == []
    assert all(stands(payload, before) for _, payload in world.destroyed.values())
    assert [oid for oid, (_, payload) in world.destroyed.items() if stands(payload, content)] == []
    with parts.database.reading() as tx:
        ended = set(tx.execute(select(data_key.c.id).where(data_key.c.destroyed_at.is_not(None))).scalars())
    assert {key for key, _ in world.destroyed.values()} <= ended


def stands(payload: bytes, content: bytes) -> bool:
    """Whether any of sealed content is in a file: what is longer than a page stands in pieces, cut anywhere."""
    return any(payload[place : place + 48] in content for place in range(100, len(payload) - 48, 500))


def at_rest(world: World) -> bytes:
    """The database's files as they are on the disk."""
    return (world.data / "gateway.db").read_bytes() + (world.data / "gateway.db-wal").read_bytes()


def test_a_reader_keeps_nothing_for_long(world: World) -> None:
    """What a long reader kept in the write-ahead log is cut by the next step, though nothing more was destroyed."""
    with world.gateway.parts.database.reading() as tx:
        tx.execute(select(document.c.oid)).all()
        world.destroy(1)
        world.carry()
        ((_, payload),) = world.destroyed.values()
        kept = stands(payload, at_rest(world))
    world.carry()

    assert kept
    assert not stands(payload, at_rest(world))


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


def both(world: World) -> tuple[Path, Path]:
    """Copies of database and key store of one moment."""
    return world.backup(), world.backup("keys.db", "keys")


def restore_both(world: World, places: tuple[Path, Path]) -> None:
    """Put both back, as an operator does who restores a whole machine."""
    world.gateway.close()
    for place, name, folder in ((places[0], "gateway.db", ""), (places[1], "keys.db", "keys")):
        for ending in ("", "-wal", "-shm"):
            (world.data / folder / f"{name}{ending}").unlink(missing_ok=True)
        shutil.copy(place, world.data / folder / name)
    world.gateway = installation(world.data)


def test_both_of_the_same_yesterday_bring_nothing_back(world: World) -> None:
    """Database and key store restored together agree with each other; the journal's copy does again what they lost."""
    places = both(world)
    world.destroy()
    world.revoke()
    world.end()
    world.carry()
    restore_both(world, places)
    world.assert_forgotten()
    told = [one for one in opened(world.gateway) if one["details"].get("again")]
    restore_both(world, both(world))

    assert {one["subject"] for one in told if one["event"] == Event.DOCUMENT_DESTROY_KEY} >= world.destroyed.keys()
    assert told == [one for one in opened(world.gateway) if one["details"].get("again")]
    assert world.gateway.trail.verify(reconcile=True)["unmatched"] == []


def test_a_copy_that_was_away_catches_up(world: World) -> None:
    """What the copy lacks, after it could not be written or a crash cut its line off, is added at the next start."""
    copy = world.data / "keys/journal.jsonl"
    world.destroy(1)
    world.carry()
    whole = copy.read_bytes()
    copy.chmod(0o600)
    copy.write_bytes(whole[:-20])
    world.restore(world.backup())

    assert copy.read_bytes() == whole
    assert world.gateway.parts.keys.last() == whole.count(b"\n")


@pytest.mark.parametrize("spoil", [
    lambda lines: [*lines[:-1], lines[-1].replace(b'"kind":"content"', b'"kind":"system"')],
    lambda lines: [*lines[:-2], lines[-1]],
    lambda lines: [lines[1], lines[0], *lines[2:]],
    lambda lines: [*lines, b'{"number":99}\n'],
])  # fmt: skip
def test_a_copy_that_was_changed_destroys_nothing(world: World, spoil: Callable[[list[bytes]], list[bytes]]) -> None:
    """A line that was changed, taken out, moved or put in is found, and the start refused before anything is done."""
    copy, places = world.data / "keys/journal.jsonl", both(world)
    world.destroy(2)
    world.carry()
    before = world.gateway.parts.keys.last()
    copy.write_bytes(b"".join(spoil(copy.read_bytes().splitlines(keepends=True))))
    with pytest.raises(UntrustedError, match=r"copy of the journal|different things"):
        restore_both(world, places)
    world.gateway.close = lambda: None  # type: ignore[method-assign]  # it is closed

    assert before > 2


def test_the_copy_tells_no_content(world: World) -> None:
    """Ids, moments and provisions stand in the copy, nothing of any record, and only its owner may read it."""
    world.destroy()
    world.carry()
    copy = world.data / "keys/journal.jsonl"
    told = {name for line in copy.read_bytes().splitlines() for name in orjson.loads(line)}

    assert told == {"number", "kind", "subject", "at", "key_id", "details", "origin", "after", "code"}
    assert copy.stat().st_mode & 0o777 == 0o600
