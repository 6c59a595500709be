"""The log on every database: one tree, in the caller's transaction, also from two processes."""

from __future__ import annotations

import multiprocessing
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import func, select, update
from tests import logs
from tests.logs import day_keys

from kanta_gateway.audit import merkle, proofs, report
from kanta_gateway.audit.checkpoint import CheckpointSigner
from kanta_gateway.audit.log import AuditEvent, Log
from kanta_gateway.audit.verify import verify
from kanta_gateway.database import Database
from kanta_gateway.errors import NotFoundError, UntrustedError
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.privacy.daykeys import DayKeys
from kanta_gateway.tables import audit_entry, audit_head, audit_name, audit_node, metadata

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SIGNER = CheckpointSigner.new("example.test/audit")
TABLES = [table for table in metadata.sorted_tables if table.name.startswith("audit_")]


def caller(name: str = "Testi Ohjaaja") -> Caller:
    """A user of the provider."""
    return Caller("system", Oid("1.2.3"), "V-1", name, "instructor", "service")


def event(number: int, name: str = "Testi Ohjaaja", kind: Event = Event.RECORD_SUBMIT) -> AuditEvent:
    """An event like those of the pipeline."""
    return AuditEvent(
        event=kind, caller=caller(name), at=AT + timedelta(seconds=number), client_ref=f"{number % 2:064}",
        subject=f"t-{number}", provider="1.2.3", controller="1.2.4", purpose="service", basis="703/2023 §14",
        details={"n": number}, recipient="=archive",
    )  # fmt: skip


SEALS = day_keys()


def make_log() -> Log:
    """A log as a new process has it."""
    return logs.make_log(SEALS)


@pytest.fixture
def url(database_url: str, database: Database) -> str:
    """Where the database is, for another process; its tables are made."""
    return database_url


def sizes(database: Database) -> list[int]:
    """Sizes of all stored heads."""
    with database.reading() as connection:
        return list(connection.execute(select(audit_head.c.size).order_by(audit_head.c.size)).scalars())


def problems(database: Database, note: str | None = None) -> tuple[object, ...]:
    """What a verification tells."""
    with database.reading() as connection:
        return verify(connection, vkey=str(SIGNER.key), seals=SEALS, checkpoint=note).problems


def test_appends_give_consecutive_indexes_and_one_head_each(database: Database) -> None:
    """Every append gets the next indexes and stores one tree head; an empty one stores nothing."""
    log = make_log()
    with database.transaction() as tx:
        ranges = [log.append(tx, [event(1), event(2)]), log.append(tx, []), log.append(tx, [event(3)])]

    assert ranges == [range(2), range(0), range(2, 3)]
    assert sizes(database) == [2, 3]
    assert problems(database) == ()


def test_a_destroyed_key_closes_its_register_and_day_only(database: Database) -> None:
    """Without the key of one register and day exactly its entries do not open; no other key opens them either."""
    seals = day_keys()
    told = [event(0), replace(event(1), at=AT + timedelta(days=1)), replace(event(2), controller="1.2.5"), event(3)]
    with database.transaction() as tx:
        logs.make_log(seals).append(tx, told)
        rows = tx.execute(select(audit_entry.c.idx, audit_entry.c.key_id, audit_entry.c.sealed)).all()
    key = {idx: key_id for idx, key_id, _ in rows}
    seals.forget()
    seals._store.destroy_days([key[0]])  # type: ignore[attr-defined]  # the store of the test
    with database.reading() as connection:
        found = verify(connection, vkey=str(SIGNER.key), seals=seals).problems
    wrong = [
        (idx, other) for idx, _, sealed in rows for other in {key[1], key[2]} - {key[idx]}
        if _opens(seals, other, idx, bytes(sealed))
    ]  # fmt: skip

    assert key[0] == key[3]
    assert len(set(key.values())) == 3
    assert {("audit-entry-keyless", "0"), ("audit-entry-keyless", "3")} == {(one.what, one.place) for one in found}
    assert wrong == []


def _opens(seals: DayKeys, key: int, idx: int, sealed: bytes) -> bool:
    try:
        seals.open(key, idx, sealed)
    except UntrustedError:
        return False
    return True


def test_an_append_that_fails_leaves_no_name_behind(database: Database) -> None:
    """A person whose first entry could not be written has a name row with the next one: none is remembered falsely."""
    log = make_log()
    unfit = replace(event(1, "Uusi Ohjaaja"), details={"n": object()})
    with pytest.raises(ValueError, match="canonical"), database.transaction() as tx:
        log.append(tx, [unfit])
    with database.transaction() as tx:
        log.append(tx, [event(2, "Uusi Ohjaaja")])

    assert problems(database) == ()


def test_what_is_rolled_back_leaves_no_trace(database: Database) -> None:
    """After a rollback the log goes on as if the append had not been, names included."""
    log = make_log()
    with database.transaction() as tx:
        log.append(tx, [event(1)])
    for name in ("Testi Ohjaaja", "Uusi Nimi"):
        with pytest.raises(KeyError), database.transaction() as tx:  # noqa: PT012 — the rollback is the point
            log.append(tx, [event(2, name), event(3, name)])
            raise KeyError
    with database.transaction() as tx:
        log.append(tx, [event(4, "Uusi Nimi")])

    assert sizes(database) == [1, 2]
    assert problems(database) == ()


def test_another_process_finds_tree_and_names(database: Database) -> None:
    """A log object that has seen nothing continues the stored tree and uses the stored name row."""
    for number in range(9):
        with database.transaction() as tx:
            make_log().append(tx, [event(number), event(number)])
    with database.reading() as connection:
        names = connection.execute(select(func.count()).select_from(audit_name)).scalar_one()

    assert (sizes(database)[-1], names) == (18, 1)
    assert problems(database) == ()


def test_an_append_on_a_damaged_tree_is_refused(database: Database) -> None:
    """Where stored nodes do not fit the last head, nothing is appended and the error says so."""
    with database.transaction() as tx:
        make_log().append(tx, [event(number) for number in range(4)])
        tx.execute(update(audit_node).where(audit_node.c.level == 2).values(hash=b"x" * 32))
    with pytest.raises(UntrustedError, match="audit verify"), database.transaction() as tx:
        make_log().append(tx, [event(5)])

    assert sizes(database) == [4]


def test_checkpoints_vouch_for_the_log_and_are_entries(database: Database) -> None:
    """A checkpoint, kept outside, verifies against the grown log; its issue is an entry."""
    log = make_log()
    notes = []
    for number in range(3):
        with database.transaction() as tx:
            notes.append(log.checkpoint(tx, SIGNER, AT))
            log.append(tx, [event(number)])

    assert [problems(database, note) for note in notes] == [(), (), ()]
    with database.reading() as connection:
        wanted = report.Filter(events=frozenset({Event.AUDIT_CHECKPOINT}))
        assert [entry["details"]["size"] for entry in report.entries(connection, SEALS, wanted)] == [0, 2, 4]


def test_an_erasure_takes_the_name_and_leaves_the_log_sound(database: Database) -> None:
    """After an erasure the name is gone from report and table, the log verifies, and she may act again."""
    log = make_log()
    with database.transaction() as tx:
        log.append(tx, [event(1)])
    with database.transaction() as tx:
        eraser = Caller("system", Oid("1.2.3"), "V-2", "Toinen", "officer", "retention")
        gone = logs.erase(tx, log, log.names.reference("1.2.3", "V-1"), eraser, AT)
        nobody = logs.erase(tx, log, "unknown", eraser, AT)
    with database.transaction() as tx:
        log.append(tx, [event(3)])
    with database.reading() as connection:
        names = [row["person_name"] for row in report.rows(connection, SEALS, report.Filter(), log.names)]

    assert (len(gone), nobody) == (1, ())
    assert names == ["", "Toinen", "Testi Ohjaaja"]
    assert problems(database) == ()


def test_proofs_from_the_store_verify(database: Database) -> None:
    """Proofs read from the tables verify; what is not there is told as not found."""
    log = make_log()
    with database.transaction() as tx:
        log.append(tx, [event(number) for number in range(13)])
    with database.reading() as connection:
        leaves = list(connection.execute(select(audit_entry.c.leaf_hash).order_by(audit_entry.c.idx)).scalars())
        frontier = merkle.Frontier()
        roots = [frontier.root()]
        for leaf in leaves:
            frontier.push(leaf)
            roots.append(frontier.root())

        assert merkle.is_included(leaves[5], 5, 13, proofs.inclusion(connection, 5, 13), roots[13])
        assert merkle.is_consistent(6, 13, roots[6], roots[13], proofs.consistency(connection, 6, 13))
        for ask in (proofs.inclusion, proofs.consistency):
            for pair in ((14, 13), (1, 64)):
                with pytest.raises(NotFoundError, match="checkpoint"):
                    ask(connection, *pair)


def test_a_client_is_told_who_used_and_to_whom_disclosed(database: Database) -> None:
    """A client's report has the use and disclosure of the last two years with names and bases. [CLR-01]"""
    log = make_log()
    with database.transaction() as tx:
        log.append(tx, [event(1), event(2), event(3, kind=Event.DOCUMENT_SEND), event(5, kind=Event.REQUEST_DENY)])
    with database.reading() as connection:
        told = report.client_report(connection, SEALS, f"{1:064}", AT + timedelta(days=1), names=log.names)
        later = report.client_report(connection, SEALS, f"{1:064}", AT + timedelta(days=800), names=log.names)

    assert [(row["event"], row["person_name"], row["basis"]) for row in told] == [
        ("record:submit", "Testi Ohjaaja", "703/2023 §14"),
        ("document:send", "Testi Ohjaaja", "703/2023 §14"),
    ]
    assert told[1]["recipient"] == "=archive"
    assert later == []


def test_exports_hold_every_entry(database: Database) -> None:
    """JSON Lines give the bytes that the tree hashes; CSV has a row for each and no formula."""
    log = make_log()
    with database.transaction() as tx:
        log.append(tx, [event(number) for number in range(7)])
    with database.reading() as connection:
        wanted = report.Filter(limit=3, since=AT, until=AT + timedelta(days=1))
        lines = list(report.jsonl(connection, SEALS))
        closed = list(report.jsonl(connection, SEALS, {f"{0:064}"}))
        table = list(report.table(connection, SEALS, wanted))
        leaves = list(connection.execute(select(audit_entry.c.leaf_hash).order_by(audit_entry.c.idx)).scalars())

    assert [merkle.leaf_hash(line.rstrip("\n").encode()) for line in lines] == leaves
    assert [line for line in closed if "client" in line] == lines[::2]
    assert [b64decode(orjson.loads(line)["leaf"]) for line in closed[1::2]] == leaves[1::2]
    assert len(table) == 8
    assert all(row.rstrip().endswith(",'=archive") for row in table[1:])
    assert orjson.loads(lines[6])["idx"] == 6


def test_a_report_without_special_reason_begins_two_years_ago() -> None:
    """The window of a client's report opens on the same day two years earlier, also on a leap day. [CLR-03]"""
    assert report.window_start(AT) == AT.replace(year=2024)
    assert report.window_start(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2026, 2, 28, tzinfo=UTC)


def _append_many(url: str, keys: str, count: int) -> None:
    database, log = Database(url), logs.make_log(day_keys(keys))
    for number in range(count):
        with database.transaction() as tx:
            log.append(tx, [event(number), event(number + 1)])
    database.close()


@pytest.mark.process
def test_two_processes_keep_one_tree(database: Database, url: str, tmp_path: Path) -> None:
    """Two processes that append at the same time write one log without gap or fork, under one key a day."""
    keys = f"sqlite:///{tmp_path / 'keys.db'}"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append_many, args=(url, keys, 30)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0, 0]
    with database.reading() as connection:
        seen = verify(connection, vkey=str(SIGNER.key), seals=day_keys(keys))
        used = connection.execute(select(func.count(audit_entry.c.key_id.distinct()))).scalar_one()

    assert sizes(database) == list(range(2, 121, 2))
    assert (seen.problems, used) == ((), 1)
