"""The database: migrations, the record store and the whole way, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, insert, select, text
from tests.logs import KEY, day_keys
from tests.processes import Archive
from tests.small_export import export

from kanta_gateway import migrations
from kanta_gateway.access import parties
from kanta_gateway.app import build
from kanta_gateway.audit import report
from kanta_gateway.audit.canonical import canonical
from kanta_gateway.audit.checkpoint import CheckpointSigner
from kanta_gateway.audit.heads import Heads
from kanta_gateway.audit.merkle import Frontier, leaf_hash
from kanta_gateway.audit.verify import verify
from kanta_gateway.database import Database, Plain
from kanta_gateway.errors import DatabaseUnavailableError, MisconfiguredError
from kanta_gateway.migrate import newest, upgrade
from kanta_gateway.model import Oid, Organisation, Outcome, instant
from kanta_gateway.pipeline.filing import stamp_of
from kanta_gateway.settings import Settings
from kanta_gateway.spool import moves, persons, records
from kanta_gateway.spool.records import NewRecord, StoredRecord, Verdict
from kanta_gateway.tables import content_use, metadata, party_statement

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROVIDER = "1.2"
T = TypeVar("T")
COMMON = {"provider": PROVIDER, "purchaser": "lapha", "source": "lapha-json", "as_of": "2026-03-01"}


def new(name: str, *, version: int = 1, client: str | None = "c1", ticket: str = "") -> NewRecord:
    """A record as intake has sealed it."""
    return NewRecord(
        type="diary_entry", id=name, version=version, is_keyed=False, client_ref=client,
        ticket=ticket or f"{name}-{version}",
        digest="d", is_cancelled=False, findings=[{"rule": "GEN-01"}], removed={"dropped": {"x": 1}}, facts=b"facts",
        payload=b"payload", key_id=key_of(ticket or f"{name}-{version}"), content=b"", plain=b"",
    )  # fmt: skip


def key_of(ticket: str) -> int:
    """Id of the key of a record."""
    return int.from_bytes(ticket.encode()[:7], "big")


def add(database: Database, *new_records: NewRecord) -> list[int]:
    """Add records, committed; their rows."""
    with database.transaction() as tx:
        return records.add(tx, COMMON, new_records, NOW)


def read(database: Database, question: Callable[..., T], *arguments: object) -> T:
    """Ask the record store."""
    with database.reading() as tx:
        return question(tx, *arguments)


def ids(found: list[StoredRecord]) -> list[tuple[str, int]]:
    """Ids and versions, in the order given."""
    return [(one.id, one.version) for one in found]


def test_migrating_from_zero_gives_the_present_tables(database: Database) -> None:
    """Migrations from zero give exactly the tables that the code knows."""
    with database.reading() as tx:
        differences = compare_metadata(MigrationContext.configure(tx), metadata)

    assert differences == []


def test_the_last_file_is_the_newest_revision() -> None:
    """What tells the newest revision without Alembic, the names of the files, agrees with Alembic."""
    scripts = ScriptDirectory(migrations.__path__[0])

    assert [scripts.get_current_head()] == scripts.get_heads() == [newest()]


def test_migrating_again_changes_nothing(database: Database) -> None:
    """A second migration finds nothing to do and keeps what is stored."""
    add(database, new("A"))
    upgrade(database)

    assert ids(read(database, records.of_client, PROVIDER, "c1")) == [("A", 1)]


def test_only_the_log_has_audit_tables(database: Database) -> None:
    """Tables of the log begin with `audit_`, and there are five."""
    named = {name for name in metadata.tables if name.startswith("audit_")}

    assert named == {"audit_entry", "audit_node", "audit_head", "audit_checkpoint", "audit_name"}


def test_a_request_that_fails_says_what_the_operator_can_do(tmp_path: Path) -> None:
    """What SQLite could not do is told with its reason and the next step, and with no value of the request."""
    database = Database(f"sqlite:///{tmp_path / 'bare.db'}")

    with (
        pytest.raises(DatabaseUnavailableError, match=r"no such table: person_link.*disk") as caught,
        database.reading() as tx,
    ):
        tx.execute(text("SELECT * FROM person_link WHERE id = :id"), {"id": "Meikäläinen"})

    assert "Meikäläinen" not in str(caught.value)


def test_a_record_comes_back_as_it_was_put(database: Database) -> None:
    """A stored record has its content, its key and its findings; it waits until it is settled."""
    (row,) = add(database, new("A"))
    (stored,) = read(database, records.by_rows, [row])

    assert (b"facts", b"payload", key_of("A-1")) == (stored.facts, stored.payload, stored.key_id)
    assert {"dropped": {"x": 1}} == stored.removed
    assert (records.RECEIVED, None, False) == (stored.state, stored.outcome, stored.is_cancelled)


def test_rows_are_given_in_the_order_asked(database: Database) -> None:
    """Many records added at once get their rows in their own order, each with its own key."""
    rows = add(database, *(new(f"R{number:03}") for number in range(120)))
    stored = read(database, records.by_rows, rows)

    assert [one.row for one in stored] == rows == sorted(rows)
    assert [one.key_id for one in stored] == [key_of(one.ticket) for one in stored]


def test_many_identities_are_found(database: Database) -> None:
    """More identities than one statement may hold are found all the same, oldest first."""
    add(database, *(new(f"R{number:03}") for number in range(350)), new("R000", ticket="again"))
    found = read(
        database, records.states, PROVIDER, "lapha", [("diary_entry", f"R{number:03}") for number in range(400)]
    )

    assert len(found) == 350
    assert [one.ticket for one in found["diary_entry", "R000"]] == ["R000-1", "again"]


def test_clients_are_apart(database: Database) -> None:
    """Each client's records are found by themselves, and what all share beside them."""
    add(database, new("A"), new("B", client="c2"), new("S", client=None), new("A", version=2))

    assert ids(read(database, records.of_client, PROVIDER, "c1")) == [("A", 1), ("A", 2)]
    assert ids(read(database, records.shared, PROVIDER)) == [("S", 1)]
    assert read(database, records.of_client, "another provider", "c1") == []


def test_a_stamp_tells_of_anything_new(database: Database) -> None:
    """Two stamps are equal exactly when nothing was added for the client between them."""
    add(database, new("A"))
    before = read(database, stamp_of, PROVIDER, "lapha", "c1")
    add(database, new("B", client="c2"))
    unchanged = read(database, stamp_of, PROVIDER, "lapha", "c1")
    add(database, new("A", version=2))

    assert before == unchanged
    assert before != read(database, stamp_of, PROVIDER, "lapha", "c1")


def test_settling_changes_outcome_and_state(database: Database) -> None:
    """A settled record has its outcome, and its client waits no longer; what is held can be made to wait again."""
    (row,) = add(database, new("A"))
    waiting = read(database, records.waiting)
    with database.transaction() as tx:
        records.settle(tx, [Verdict(row, Outcome.HELD, [{"rule": "LAP-03"}], {})], NOW)
    settled, (stored,) = read(database, records.waiting), read(database, records.by_rows, [row])
    with database.transaction() as tx:
        records.reopen(tx, PROVIDER)

    assert len(waiting) == 1
    assert settled == []
    assert (Outcome.HELD, records.SETTLED) == (stored.outcome, stored.state)
    assert len(read(database, records.waiting)) == 1


def test_fingerprints_are_a_set(database: Database) -> None:
    """The same fingerprint twice is one, and those of another client are not seen."""
    for prints in ([("town", "aa"), ("telephone", "bb")], [("town", "aa")]):
        with database.transaction() as tx:
            records.add_fingerprints(tx, "c1", prints)

    assert read(database, records.fingerprints, "c1") == {("town", "aa"), ("telephone", "bb")}
    assert read(database, records.fingerprints, "c2") == set()


@pytest.mark.process
def test_the_whole_way(database_url: str, tmp_path: Path, archive: Archive) -> None:
    """A small export is imported, delivered, exported and proved, and a repeat brings nothing new."""
    (tmp_path / "export.json").write_text(json.dumps(export(2, 3), ensure_ascii=False), "utf-8")
    settings = Settings(data=tmp_path / "data", database_url=database_url, archive_url=archive.url)
    gateway = build(settings)
    try:
        caller = gateway.actor(None, None, None)
        first, again = (
            list(gateway.deliveries.import_files([tmp_path / "export.json"], "lapha-json", "lapha", caller).rows())
            for _ in range(2)
        )
        delivered = gateway.dispatch.deliver(caller, until_empty=True)
        written = gateway.documents.export(tmp_path / "documents", caller, all_versions=False)
        verified = gateway.documents.verify(sorted((tmp_path / "documents").glob("*.xml")))
        log = gateway.trail.verify(reconcile=True)
    finally:
        gateway.close()

    made = sum(len(row["documents"]) for row in first)
    assert made > 0
    assert {"archived": made} == delivered["documents"]
    assert made == written["written"]
    assert verified["holds"]
    assert log["holds"]
    assert {"duplicate"} == {row["outcome"] for row in again}


def test_records_of_several_clients_are_found_from_each(database: Database) -> None:
    """What was delivered of a client's record for another is found from both sides, once, and judged again."""
    add(database, new("A"), new("A", version=2, client="c2"), new("B"))
    with database.alone() as tx:
        for _ in range(2):
            moves.note(tx, PROVIDER, "lapha", {("diary_entry", "A"): {"c1", "c2"}})
    first, second = (read(database, moves.elsewhere, PROVIDER, "lapha", [name]) for name in ("c1", "c2"))

    assert ([("A", 2)], [("A", 1)]) == (ids(first), ids(second))
    assert read(database, moves.newest, PROVIDER, "lapha", ["c1"]) == first[0].row
    assert read(database, moves.elsewhere, PROVIDER, "lapha", ["c1", "c2"]) == []
    assert read(database, moves.elsewhere, PROVIDER, "heinola", ["c1"]) == []


def test_a_person_is_found_by_each_of_its_clients(database: Database) -> None:
    """Linked clients are one person from whichever side, within their register, until the link is undone."""
    with database.alone() as tx:
        persons.add(tx, PROVIDER, "lapha", "c2", "c1", "temporary-code", NOW)
        persons.add(tx, PROVIDER, "lapha", "c3", "c1", "temporary-code", NOW)
    for name in ("c1", "c2", "c3"):
        assert read(database, persons.group, PROVIDER, "lapha", name) == ("c1", "c2", "c3")
    assert read(database, persons.group, PROVIDER, "heinola", "c1") == ("c1",)
    with database.alone() as tx:
        persons.undo(tx, persons.links(tx, PROVIDER, "lapha", "c2")[0], NOW)

    assert read(database, persons.group, PROVIDER, "lapha", "c1") == ("c1", "c3")
    assert read(database, persons.group, PROVIDER, "lapha", "c2") == ("c2",)


@pytest.fixture
def older(database_url: str) -> Iterator[Callable[[str], Database]]:
    """A database of each kind with the tables of an older version."""
    opened = Database(database_url)

    def migrated(revision: str) -> Database:
        upgrade(opened, revision=revision)
        return opened

    yield migrated
    opened.close()


def test_contracts_of_before_are_stated(older: Callable[[str], Database]) -> None:
    """The migration states each contract with both its parties without a last day; each statement keeps its key."""
    rows = [(1, "provider", "1.1", "Paja"), (2, "organiser", "1.2", "Alue")]
    database = older("0003")
    with database.transaction() as tx:
        for number, role, oid, name in rows:
            tx.execute(
                text(
                    "INSERT INTO party VALUES (:id, :role, :oid, :name, 'C-1', 'lapha', '2025-01-01T00:00:00.000000Z')"
                ),
                {"id": number, "role": role, "oid": oid, "name": name},
            )
    upgrade(database)
    with database.transaction() as tx:
        (found,) = parties.agreements(tx, "1.1")
        keys = set(tx.execute(select(party_statement.c.thing)).scalars())
        again = parties.register(tx, found, NOW)

    assert found == parties.Agreement(
        Organisation(Oid("1.1"), "Paja"), Organisation(Oid("1.2"), "Alue"), "C-1", "lapha"
    )
    assert keys == {one.key for one in parties.statements(found)}
    assert not again


def test_what_moved_before_the_migration_is_found(older: Callable[[str], Database]) -> None:
    """An older installation's records of several clients are noted by the migration and judged again."""
    database = older("0002")
    table = Table("record", MetaData(), autoload_with=database.engine)
    common = {
        **COMMON, "type": "diary_entry", "is_keyed": 0, "digest": "d", "is_cancelled": 0, "state": "received",
        "findings": "[]", "removed": "{}", "received_at": instant(NOW),
    }  # fmt: skip
    delivered = (("A", 1, "c1"), ("A", 2, "c2"), ("B", 1, "c1"))
    with database.transaction() as tx:
        tx.execute(insert(table), [
            {**common, "record_id": id_, "version": version, "client_ref": client, "ticket": f"{id_}-{version}"}
            for id_, version, client in delivered
        ])  # fmt: skip
    upgrade(database)

    assert ids(read(database, moves.elsewhere, PROVIDER, "lapha", ["c1"])) == [("A", 2)]


def test_an_open_log_is_sealed_by_the_migration(older: Callable[[str], Database]) -> None:
    """Entries of an older version are sealed under the keys of their days; the log verifies and tells the same."""
    database, entries = older("0004"), []
    frontier, signer, seals = Frontier(), CheckpointSigner.new("example.test/audit"), day_keys()
    with database.transaction() as tx:
        for idx, controller in enumerate(("1.2.4", "1.2.4", "")):
            entry = {
                "v": 2, "salt": "0" * 32, "idx": idx, "commit": [0, 3], "log": "use", "event": "record:submit",
                "at": instant(NOW), "actor": {}, "controller": controller, "details": {},
            }  # fmt: skip
            data = canonical(entry)
            entries.append(entry)
            tx.execute(
                text("INSERT INTO audit_entry VALUES (:idx, :leaf, 'record:submit', NULL, :at, :body)"),
                {"idx": idx, "leaf": leaf_hash(data), "at": instant(NOW), "body": data.decode()},
            )
            for level, place, hash_ in frontier.push(leaf_hash(data)):
                tx.execute(text("INSERT INTO audit_node VALUES (:level, :idx, :hash)"),
                           {"level": level, "idx": place, "hash": hash_})  # fmt: skip
        head = (frontier.size, frontier.root())
        mac = Heads(KEY).code(*head, instant(NOW))
        tx.execute(text("INSERT INTO audit_head VALUES (3, :root, :at, :mac)"),
                   {"root": head[1], "at": instant(NOW), "mac": mac})  # fmt: skip
    with pytest.raises(MisconfiguredError, match="key folder"):
        upgrade(database)
    upgrade(database, seals.seal)
    with database.reading() as tx:
        told = report.entries(tx, seals, report.Filter())
        seen = verify(tx, vkey=str(signer.key), seals=seals, heads=Heads(KEY))

    assert told == entries
    assert seen.problems == ()


def test_a_fault_of_the_driver_itself_is_the_gateways_own(tmp_path: Path) -> None:
    """What goes to the driver as it is fails like everything else: as a database that is not there."""
    database = Database(f"sqlite:///{tmp_path / 'read-only.db'}")
    metadata.create_all(database.engine)
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")

    with pytest.raises(DatabaseUnavailableError, match="readonly database"), database.transaction() as tx:
        Plain(insert(content_use)).each(tx, [{"number": 1, "digest": "d", "at": "2026"}])
