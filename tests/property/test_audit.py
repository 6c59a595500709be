"""No row of the log can be changed, removed or moved without verification naming its table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, String, delete, insert, select, update
from tests.logs import KEY, day_keys, erase, make_log

from kanta_gateway.audit import report
from kanta_gateway.audit.canonical import canonical
from kanta_gateway.audit.checkpoint import CheckpointSigner
from kanta_gateway.audit.entry import keyed_by
from kanta_gateway.audit.heads import Heads
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.audit.merkle import leaf_hash
from kanta_gateway.audit.verify import Verification, verify
from kanta_gateway.database import Database
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Table

    from kanta_gateway.privacy.daykeys import DayKeys

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TABLES = {table.name: table for table in metadata.sorted_tables if table.name.startswith("audit_")}
SIGNER = CheckpointSigner.new("example.test/audit")
SEALS = day_keys()
CHECKPOINT = -1
ERASE = -2


def caller(number: int) -> Caller:
    """One of three users."""
    return Caller("system", Oid("1.2.3"), f"V-{number}", f"Testi Henkilö {number}", "instructor", "service")


def event(number: int) -> AuditEvent:
    """An event of that number."""
    return AuditEvent(
        event=Event.RECORD_SUBMIT if number % 2 else Event.DOCUMENT_SPOOL, caller=caller(number % 3),
        at=AT + timedelta(seconds=number), client_ref="c" * 64 if number % 3 else None, subject=f"t-{number}",
        provider="1.2.3", controller="1.2.4", purpose="service", basis="703/2023 §14", details={"n": number},
    )  # fmt: skip


def written(steps: Sequence[int], seals: DayKeys | None = None) -> Database:
    """A log in memory: a positive step is an append of so many events."""
    database = Database("sqlite://")
    metadata.create_all(database.engine, tables=list(TABLES.values()))
    log = make_log(seals or SEALS)
    number = 0
    for step in steps:
        with database.transaction() as tx:
            if step == CHECKPOINT:
                log.checkpoint(tx, SIGNER, AT + timedelta(seconds=number))
            elif step == ERASE:
                erase(tx, log, log.names.reference("1.2.3", "V-1"), caller(2), AT)
            else:
                log.append(tx, [event(number + one) for one in range(step)])
        number += max(step, 1)
    return database


def checked(connection: Connection, note: str | None = None) -> Verification:
    """A verification."""
    return verify(connection, vkey=str(SIGNER.key), seals=SEALS, checkpoint=note, heads=Heads(KEY))


def other(value: Any, column: Any) -> list[Any]:
    """Values that a column may be changed to."""
    if value is None and not isinstance(column.type, String):
        return [b"x" * 40 if isinstance(column.type, LargeBinary) else 7]
    if value is None:
        return ["c" * 64]
    if isinstance(value, int):
        return [value + 1, value + 3, 0, -1, 10**9]
    if isinstance(column.type, LargeBinary):
        return [bytes([value[0] ^ 1]) + value[1:], value[:-1], b""]
    changed = [value[:-1] + ("0" if value[-1] != "0" else "1"), value + " ", ""]
    return [*changed, None] if column.nullable else changed


def changes(connection: Connection, table: Table) -> Iterator[tuple[str, Any]]:
    """Every single change of one table, as a description and a statement or several."""
    key = list(table.primary_key)
    rows = connection.execute(select(table).order_by(*key)).mappings().all()
    keys = {tuple(row[column.name] for column in key) for row in rows}
    for row in rows:
        here = [column == row[column.name] for column in key]
        place = [row[column.name] for column in key]
        yield f"remove {place}", [delete(table).where(*here)]
        for column in table.columns:
            for value in other(row[column.name], column):
                after = {**row, column.name: value}
                if column.primary_key and tuple(after[one.name] for one in key) in keys:
                    continue
                yield (
                    f"{place} {column.name} := {value!r:.20}",
                    [update(table).where(*here).values({column: value})],
                )
    rest = [column for column in table.columns if not column.primary_key]
    for one, two in combinations(rows, 2):
        if any(one[column.name] != two[column.name] for column in rest):
            yield (
                f"swap {one[key[-1].name]} {two[key[-1].name]}",
                [
                    update(table)
                    .where(*(column == target[column.name] for column in key))
                    .values({column: source[column.name] for column in rest})
                    for target, source in ((one, two), (two, one))
                ],
            )


@pytest.mark.parametrize("name", sorted(TABLES))
@pytest.mark.parametrize("steps", [(1,), (3, CHECKPOINT, 1), (CHECKPOINT, 5, 2, CHECKPOINT, ERASE, 2), (8,)])
def test_every_single_change_is_found_and_its_table_named(name: str, steps: tuple[int, ...]) -> None:
    """Changing any column, removing any row or swapping two rows' contents is found in the right table."""
    database = written(steps)
    with database.engine.connect() as connection:
        assert checked(connection).problems == ()
        all_changes = list(changes(connection, TABLES[name]))
        for what, statements in all_changes:
            with connection.begin_nested() as savepoint:
                for statement in statements:
                    connection.execute(statement)
                tables = {problem.table for problem in checked(connection).problems}
                savepoint.rollback()

            assert name in tables, f"{name}: {what} gave {tables}"
        connection.rollback()
    database.close()


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.sampled_from([1, 1, 2, 3, 5, 8, CHECKPOINT, ERASE]), min_size=1, max_size=9),
    choice=st.data(),
)
def test_any_log_is_sound_until_it_is_changed(steps: list[int], choice: st.DataObject) -> None:
    """A log of any shape verifies; any one change of any table makes it fail and is named."""
    database = written(steps)
    with database.engine.connect() as connection:
        assert checked(connection).problems == ()
        possible = [(name, *one) for name, table in TABLES.items() for one in changes(connection, table)]
        if possible:
            name, what, statements = choice.draw(st.sampled_from(possible))
            for statement in statements:
                connection.execute(statement)
            tables = {problem.table for problem in checked(connection).problems}

            assert name in tables, f"{name}: {what} gave {tables}"
        connection.rollback()
    database.close()


@pytest.mark.parametrize("idx", range(11))
def test_an_entry_replaced_with_its_hash_is_found(idx: int) -> None:
    """An entry whose body and hash were replaced together is found; inside the tree it is named by range."""
    database = written((11, 2))
    entry = TABLES["audit_entry"]
    with database.engine.connect() as connection:
        body = report.entries(connection, SEALS, report.Filter(after=idx - 1, limit=1))[0]
        forged = canonical(body | {"purpose": "other"})
        key_id, sealed = SEALS.seal(*keyed_by(body), idx, forged)
        connection.execute(
            update(entry).where(entry.c.idx == idx)
            .values(key_id=key_id, sealed=sealed, leaf_hash=leaf_hash(forged))
        )  # fmt: skip
        problems = checked(connection).problems
        connection.rollback()

    assert [(problem.table, problem.place) for problem in problems if problem.table == "audit_entry"] == [
        ("audit_entry", f"{idx - idx % 2}-{idx - idx % 2 + 1}")
    ]
    database.close()


def test_a_row_that_no_commit_made_is_found() -> None:
    """A row added to any table of the log is found."""
    rows: dict[str, dict[str, Any]] = {
        "audit_entry": {"idx": 6, "leaf_hash": b"x", "event": "e", "at": "a", "key_id": 1, "sealed": b"x"},
        "audit_node": {"level": 1, "idx": 7, "hash": b"x"},
        "audit_head": {"size": 2, "root": b"x", "at": "a", "mac": b"x"},
        "audit_checkpoint": {"size": 2, "note": "n", "at": "a"},
        "audit_name": {"commitment": "c", "ref": "r", "salt": b"s", "sealed": b"x"},
    }
    database = written((3, 3))
    with database.engine.connect() as connection:
        for name, row in rows.items():
            with connection.begin_nested() as savepoint:
                connection.execute(insert(TABLES[name]).values(row))
                tables = {problem.table for problem in checked(connection).problems}
                savepoint.rollback()

            assert name in tables
        connection.rollback()
    database.close()


def test_a_log_cut_back_whole_is_found_with_a_checkpoint_from_outside() -> None:
    """A log restored to an earlier state is sound in itself, and is refused by a checkpoint kept outside."""
    longer, shorter = written((3, CHECKPOINT, 4, CHECKPOINT)), written((3, CHECKPOINT))
    with longer.engine.connect() as connection:
        note = connection.execute(select(TABLES["audit_checkpoint"].c.note).order_by("size")).scalars().all()[-1]
        assert checked(connection, note).problems == ()
        connection.rollback()
    with shorter.engine.connect() as connection:
        assert checked(connection).problems == ()
        problems = checked(connection, note).problems
        connection.rollback()

    assert [(one.table, one.what) for one in problems] == [("audit_entry", "audit-log-shorter")]
    longer.close()
    shorter.close()


def test_a_log_written_anew_is_found_with_a_checkpoint_from_outside() -> None:
    """Another log of the same length does not pass for the one that the checkpoint is of."""
    first, second = written((3, CHECKPOINT)), written((2, 2))
    with first.engine.connect() as connection:
        note = connection.execute(select(TABLES["audit_checkpoint"].c.note)).scalar_one()
        connection.rollback()
    with second.engine.connect() as connection:
        problems = checked(connection, note).problems
        forged = checked(connection, note.replace("3\n", "2\n")).problems
        connection.rollback()

    assert [one.what for one in problems] == ["audit-given-differs"]
    assert [one.what for one in forged] == ["audit-given-untrusted"]
    first.close()
    second.close()


def test_an_erased_name_that_comes_back_is_found() -> None:
    """A name row put back after its lawful erasure is told, with its commitment as the place."""
    database = written((4,))
    name = TABLES["audit_name"]
    log = make_log(SEALS)
    ref = log.names.reference("1.2.3", "V-1")
    with database.engine.connect() as connection:
        row = connection.execute(select(name).where(name.c.ref == ref)).mappings().one()
        gone = erase(connection, log, ref, caller(1), AT)
        assert gone == (row["commitment"],)
        assert checked(connection).problems == ()

        connection.execute(insert(name).values(dict(row)))
        problems = checked(connection).problems
        connection.rollback()

    assert [(one.place, one.what) for one in problems] == [(row["commitment"], "audit-name-returned")]
    database.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(value=JSON)
def test_both_writers_give_the_same_canonical_bytes(value: Any) -> None:
    """The fast writer gives the bytes of the reference writer wherever it is used."""
    assert rfc8785.dumps(value) == canonical(value)
