"""Attacks on the log, each done for real: what is seen, and by whom.

The administrator has the database and no keys; the operator has both; an auditor has what was handed over.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.installations import SAMPLE, at, installation, take

from kanta_gateway import knowledge
from kanta_gateway.access.statements import Statement
from kanta_gateway.access.terms import Span
from kanta_gateway.audit import checkpoint as notes
from kanta_gateway.audit.canonical import canonical
from kanta_gateway.audit.entry import keyed_by
from kanta_gateway.audit.merkle import Frontier, leaf_hash
from kanta_gateway.errors import NotFoundError, NotPermittedError, UntrustedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Oid
from kanta_gateway.safe import CHECKPOINT_KEY, CHECKPOINT_VERIFIER, LAST_CHECKPOINT


class Scene:
    """One installation with some history, and an auditor's folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.auditor = folder / "data", folder / "auditor"
        self.auditor.mkdir()
        (self.auditor / "verify.py").write_text(knowledge.verifier(), "utf-8")
        self.gateway = installation(self.data)
        take(self.gateway, [SAMPLE])

    @property
    def database(self) -> Path:
        """The file that an administrator has."""
        return self.data / "gateway.db"

    def caller(self) -> Caller:
        """Somebody at the installation."""
        return self.gateway.actor(None, None, None)

    def more(self) -> None:
        """Something happens."""
        self.gateway.office.figures(self.caller(), None, None, explain=False)

    def again(self) -> None:
        """Stop, and start as a new process would."""
        self.gateway.close()
        self.gateway = installation(self.data)

    def kinds(self, *, reconcile: bool = False) -> set[tuple[str, str]]:
        """What the operator's own `audit verify` finds: table and place."""
        told = self.gateway.trail.verify(reconcile=reconcile)
        found = {(one["table"], one["place"]) for one in (*told["problems"], *told.get("unmatched", ()))}
        assert told["holds"] is not found
        assert told["holds"] == (not found)
        return found

    def hand_over(self, name: str, change: Callable[[list[bytes]], list[bytes]] = list) -> None:
        """Give the auditor a checkpoint and an export, which a dishonest operator may change on the way."""
        note = self.gateway.office.checkpoint(None)
        (self.auditor / f"{name}.txt").write_text(note, "utf-8")
        self.carry(name, change)
        shutil.copy(self.data / "keys" / CHECKPOINT_VERIFIER, self.auditor / "log.vkey")

    def carry(self, name: str, change: Callable[[list[bytes]], list[bytes]] = list) -> None:
        """Give the auditor an export of the log as it stands."""
        lines = [line.encode() for line in self.gateway.trail.export("jsonl", self.caller())]
        (self.auditor / f"{name}.jsonl").write_bytes(b"".join(change(lines)))

    def verify(self, *arguments: str) -> tuple[int, str]:
        """The auditor's stand-alone verifier, in a process of its own that sees nothing of the gateway."""
        done = subprocess.run(
            [sys.executable, "-I", "verify.py", "--key", "log.vkey", *arguments],
            cwd=self.auditor, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.stderr == ""
        return done.returncode, done.stdout


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A fresh installation."""
    one = Scene(tmp_path)
    yield one
    one.gateway.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An installation of which the auditor has a checkpoint and a whole export."""
    one = Scene(tmp_path_factory.mktemp("whole"))
    one.hand_over("whole")
    yield one
    one.gateway.close()


def administrator(scene: Scene, *statements: tuple[str, tuple[Any, ...]]) -> None:
    """Change the database past the gateway."""
    with closing(sqlite3.connect(scene.database)) as connection, connection:
        for statement, values in statements:
            assert connection.execute(statement, values).rowcount > 0, statement


def write_anew(scene: Scene, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Change entries and compute the whole tree again, as somebody does who knows how the log is made.

    This administrator is given the keys of the days as well: without them nothing can be changed but to rubbish.

    Heads keep their codes: to make new ones takes a key that is not in the database.
    """
    seals = scene.gateway.parts.log.seals
    with closing(sqlite3.connect(scene.database)) as connection, connection:
        rows = connection.execute("SELECT key_id, idx, sealed FROM audit_entry ORDER BY idx").fetchall()
        kept = [after for row in rows if (after := change(json.loads(seals.open(*row)))) is not None]
        sizes = [size for (size,) in connection.execute("SELECT size FROM audit_head ORDER BY size")]
        connection.execute("DELETE FROM audit_node")
        frontier = Frontier()
        for value in kept:
            data = canonical(value)
            connection.execute(
                "UPDATE audit_entry SET key_id = ?, sealed = ?, leaf_hash = ?, at = ?, client_ref = ?, event = ?, "
                "name = ? WHERE idx = ?",
                (
                    *seals.seal(*keyed_by(value), value["idx"], data),
                    leaf_hash(data),
                    value["at"],
                    value.get("client"),
                    value["event"],
                    value["actor"].get("name"),
                    value["idx"],
                ),
            )
            for node in frontier.push(leaf_hash(data)):
                connection.execute("INSERT INTO audit_node (level, idx, hash) VALUES (?, ?, ?)", node)
            if frontier.size in sizes:
                connection.execute(
                    "UPDATE audit_head SET root = ?, at = ? WHERE size = ?",
                    (frontier.root(), value["at"], frontier.size),
                )
        for table, column in (("audit_entry", "idx"), ("audit_head", "size - 1"), ("audit_checkpoint", "size")):
            connection.execute(f"DELETE FROM {table} WHERE {column} >= ?", (len(kept),))  # noqa: S608 — names of our own


def size_of(scene: Scene) -> int:
    """Number of entries."""
    return int(scene.gateway.trail.verify()["size"])


# the administrator


def test_an_edited_row_is_seen_by_the_operator(scene: Scene) -> None:
    """A row edited in place: `audit verify` names it."""
    moved = "UPDATE audit_entry SET sealed = (SELECT sealed FROM audit_entry WHERE idx = 2) WHERE idx = 3"
    longer = "UPDATE audit_entry SET sealed = CAST(sealed || x'00' AS BLOB) WHERE idx = 4"
    administrator(scene, (moved, ()), (longer, ()))

    assert scene.kinds() == {("audit_entry", "3"), ("audit_entry", "4")}


def test_a_history_written_anew_is_seen_without_any_checkpoint(scene: Scene) -> None:
    """Entries changed and the tree computed anew, no checkpoint ever signed: the codes of the heads do not fit.

    Seen by the operator's `audit verify`; and the next process that would append refuses.
    """
    write_anew(scene, lambda one: one | {"purpose": "other"} if one["idx"] == 5 else one)
    found = scene.kinds()
    scene.again()

    assert found
    assert {table for table, _ in found} == {"audit_head"}
    with pytest.raises(UntrustedError, match="not written by this installation"):
        scene.more()
    with pytest.raises(UntrustedError, match="not written by this installation"):
        scene.gateway.office.checkpoint(None)


def test_an_entry_that_nobody_made_is_seen(scene: Scene) -> None:
    """An entry forged at the end, with its nodes and head: the administrator has no code for the head."""
    size = size_of(scene)
    with closing(sqlite3.connect(scene.database)) as connection, connection:
        seals = scene.gateway.parts.log.seals
        body = json.loads(seals.open(*connection.execute("SELECT key_id, idx, sealed FROM audit_entry").fetchone()))
        forged = canonical(body | {"idx": size, "commit": [size, size + 1]})
        connection.execute(
            "INSERT INTO audit_entry SELECT ?, leaf_hash, event, client_ref, name, at, ?, ? FROM audit_entry "
            "WHERE idx = 0", (size, *seals.seal(*keyed_by(body), size, forged)),
        )  # fmt: skip
        connection.execute(
            "INSERT INTO audit_head SELECT ?, root, at, mac FROM audit_head WHERE size = ?", (size + 1, size)
        )
    write_anew(scene, lambda one: one)

    assert scene.kinds() == {("audit_head", str(size + 1))}


def test_the_newest_entries_deleted_are_seen_by_a_checkpoint(scene: Scene) -> None:
    """The tail deleted cleanly, to a head that was once there: the last checkpoint beside the keys tells.

    Seen by the operator's `audit verify`, by every holder of the checkpoint, and by reconciliation, since
    what was deleted from the log still stands in the tables. The gateway's own key does not sign the rest.
    """
    scene.hand_over("after")
    signed = notes.parse((scene.auditor / "after.txt").read_text("utf-8")).size
    with closing(sqlite3.connect(scene.database)) as connection:
        keep = connection.execute("SELECT size FROM audit_head ORDER BY size LIMIT 1 OFFSET 1").fetchone()[0]
    write_anew(scene, lambda one: one if one["idx"] < keep else None)
    scene.again()
    found = scene.kinds(reconcile=True)

    assert ("audit_entry", f"{keep}-{signed - 1}") in found
    assert "document" in {table for table, _ in found}
    with pytest.raises(UntrustedError, match="does not continue the last checkpoint"):
        scene.gateway.office.checkpoint(None)
    scene.carry("cut")
    code, told = scene.verify("--new", "after.txt", "cut.jsonl")
    assert code == 1
    assert f"entries are missing: {keep + 1}-{signed - 1}" in told  # the export wrote an entry of its own


def test_yesterdays_file_is_seen_by_a_checkpoint(scene: Scene) -> None:
    """The whole database restored to yesterday: sound in itself, and yet the operator and the auditor see it."""
    scene.hand_over("yesterday")
    scene.gateway.close()
    shutil.copy(scene.database, scene.data / "yesterday.db")
    scene.again()
    scene.more()
    scene.hand_over("today")
    scene.gateway.close()
    for name in ("gateway.db-wal", "gateway.db-shm"):
        (scene.data / name).unlink(missing_ok=True)
    shutil.move(scene.data / "yesterday.db", scene.database)
    scene.again()
    scene.carry("restored")
    (scene.data / "keys" / LAST_CHECKPOINT).rename(scene.auditor / "last.txt")
    alone = scene.kinds(reconcile=True)
    (scene.auditor / "last.txt").rename(scene.data / "keys" / LAST_CHECKPOINT)

    assert alone == set()
    assert len(scene.kinds()) == 1
    assert scene.verify("--new", "today.txt", "restored.jsonl")[0] == 1
    with pytest.raises(UntrustedError, match="does not continue the last checkpoint"):
        scene.gateway.office.checkpoint(None)


def test_state_changed_past_the_log_is_seen_by_reconciliation(scene: Scene) -> None:
    """A document called archived, one removed, a record let stand: the log is whole and does not tell of it.

    [LOG-12]
    """
    assert scene.kinds(reconcile=True) == set()
    with closing(sqlite3.connect(scene.database)) as connection:
        oids = [oid for (oid,) in connection.execute("SELECT oid FROM document ORDER BY sequence LIMIT 3")]
        held = connection.execute("SELECT ticket FROM record WHERE outcome != 'held' LIMIT 1").fetchone()[0]
    administrator(
        scene, ("UPDATE document SET state = 'archived', receipt = '{\"oid\":\"x\"}' WHERE oid = ?", (oids[0],)),
        ("DELETE FROM document WHERE oid = ?", (oids[1],)),
        ("UPDATE document SET digest = 'd' WHERE oid = ?", (oids[2],)),
        ("UPDATE record SET outcome = 'held' WHERE ticket = ?", (held,)),
    )  # fmt: skip
    found = scene.kinds(reconcile=True)

    assert scene.kinds() == set()
    assert {("document", oids[0]), ("document", oids[2]), ("record", held)} <= found
    assert len([place for table, place in found if table == "audit_entry"]) == 3  # map, sign, spool of what is gone


def test_content_swapped_past_the_log_is_seen_by_reconciliation(scene: Scene) -> None:
    """Content put in another's place, key and all, and a document said to replace another: their hashes tell.

    Records and notices by the newest hash in the log, documents by their own digest, once opened. [LOG-12]
    """
    with closing(sqlite3.connect(scene.database)) as connection:
        (ticket, spare), (oid, other) = (
            [one for (one,) in connection.execute(query)]
            for query in ("SELECT ticket FROM record LIMIT 2", "SELECT oid FROM document ORDER BY sequence LIMIT 2")
        )
    swap = "UPDATE {0} SET (payload, key_id) = (SELECT payload, key_id FROM {0} WHERE {1} = ?) WHERE {1} = ?"
    administrator(
        scene, (swap.format("record", "ticket"), (spare, ticket)), (swap.format("document", "oid"), (oid, other)),
        ("UPDATE document SET replaces = ? WHERE oid = ?", (other, oid)),
    )  # fmt: skip

    assert scene.kinds() == set()
    assert {("record", ticket), ("document", other), ("document", oid)} == scene.kinds(reconcile=True)


def test_a_right_that_was_revoked_and_came_back_is_seen(scene: Scene) -> None:
    """Rights are changed by entries; one that came back out of a backup contradicts the log."""
    scene.gateway.development.assertion(None, None, None, "auditor", "")
    with closing(sqlite3.connect(scene.database)) as connection:
        thumbprint = connection.execute("SELECT thumbprint FROM calling_system").fetchone()[0]
    scene.gateway.registration.revoke_system(thumbprint, scene.caller())
    before = scene.kinds(reconcile=True)
    administrator(scene, ("UPDATE calling_system SET revoked_at = NULL", ()))
    after = scene.kinds(reconcile=True)
    administrator(scene, ("UPDATE calling_system SET thumbprint = 'mine'", ()))

    assert before == set()
    assert [table for table, _ in after] == ["audit_entry"]
    assert ("calling_system", "mine") in scene.kinds(reconcile=True)


def test_a_statement_about_parties_past_the_log_is_seen(scene: Scene) -> None:
    """A contract that ends later, an approval nobody gave, and one that went: the log does not tell of them."""
    parties = {"processor": "1.2.3.10.1", "controller": "1.2.3.10.2", "contract": "S-1"}
    scene.gateway.registration.register_party(
        "1.2.3.10.1", "Paja", "1.2.3.10.2", "Alue", "S-1", "lapha", scene.caller(),
        Span(date(2026, 1, 1), date(2026, 6, 30)),
    )  # fmt: skip
    approval = Statement("approval", {**parties, "sub_processor": "1.2.3.10.3", "name": "Toinen"}, "2026-01-01")
    unit = Statement("unit", {"oid": "1.2.3.10.1.1", "name": "Paja", "organisation": "1.2.3.10.1"})
    scene.gateway.party_book.state([approval, unit], scene.caller())
    scene.gateway.party_book.end(approval.key, date(2026, 3, 31), scene.caller())
    before = scene.kinds(reconcile=True)
    with closing(sqlite3.connect(scene.database)) as connection:
        ended = "SELECT thing FROM party_statement WHERE kind = 'contract' AND valid_to = '2026-06-30'"
        contract = connection.execute(ended).fetchone()[0]
    administrator(
        scene, ("UPDATE party_statement SET valid_to = '2036-06-30' WHERE thing = ?", (contract,)),
        (("INSERT INTO party_statement (kind, thing, owner, valid_from, valid_to, body, sealed, recorded_at) "
         "SELECT kind, 'mine', owner, valid_from, NULL, body, sealed, recorded_at FROM party_statement "
         "WHERE kind = 'approval' LIMIT 1"), ()),
        ("DELETE FROM party_statement WHERE thing = ?", (unit.key,)),
    )  # fmt: skip
    after = scene.kinds(reconcile=True)

    assert before == set()
    assert {("party_statement", contract), ("party_statement", "mine")} == {
        one for one in after if one[0] == "party_statement"
    }
    assert ["audit_entry"] == [table for table, _ in after if table != "party_statement"]
    assert scene.kinds() == set()


# the operator


def test_two_histories_are_seen_when_auditors_compare(scene: Scene) -> None:
    """An operator with all keys shows two auditors two histories: each holds alone, and both together do not."""
    scene.hand_over("common")
    scene.gateway.close()
    shutil.copytree(scene.data, scene.data.parent / "fork")
    scene.again()
    scene.more()
    scene.hand_over("first")
    other = Scene.__new__(Scene)
    other.data, other.auditor = scene.data.parent / "fork", scene.auditor
    other.gateway = installation(other.data)
    other.gateway.overview.status()
    for _ in range(2):
        other.more()
    other.hand_over("second")
    other.gateway.close()

    assert scene.verify("--old", "common.txt", "--new", "first.txt", "first.jsonl")[0] == 0
    assert scene.verify("--old", "common.txt", "--new", "second.txt", "second.jsonl")[0] == 0
    code, told = scene.verify("--old", "first.txt", "--new", "second.txt", "second.jsonl")
    assert code == 1
    assert "does not begin with that of the older checkpoint" in told


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: lines[:7] + lines[9:], "2 of {size} entries are missing: 7-8"),
        (lambda lines: lines[1:-30], "entries are missing: 0, "),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "out of order"),
        (lambda lines: [lines[0], *lines], "stands twice"),
        (lambda lines: [lines[0].replace(b"development", b"production"), *lines[1:]], "changed or swapped"),
        (lambda lines: [lines[0].replace(b"\n", b"\r\n"), *lines[1:]], "changed or swapped"),
        (lambda lines: [b'{"idx":0,"leaf":"' + b"A" * 43 + b'="}\n', *lines[1:]], "changed or swapped"),
        (lambda lines: [b'{"idx":0,"leaf":"AAAA"}\n', *lines[1:]], "its leaf hash is none"),
        (lambda lines: [b"[]\n", *lines[1:]], "cannot be believed"),
        (lambda lines: [b'{"idx":"\\u001b[2J\\nHOLDS\\n","leaf":"' + b"A" * 43 + b'="}\n', *lines], "out of order"),
        (lambda lines: [lines[0].replace(b'"at":"2', b'"at":"\\u001b2'), *lines[1:]], "changed or swapped"),
    ],
)
def test_an_export_that_was_tampered_with(
    whole: Scene, change: Callable[[list[bytes]], list[bytes]], expected: str
) -> None:
    """What an export leaves out, doubles, moves or changes is told to whoever verifies it."""
    lines = (whole.auditor / "whole.jsonl").read_bytes().splitlines(keepends=True)
    (whole.auditor / "changed.jsonl").write_bytes(b"".join(change(lines)))
    size = notes.parse((whole.auditor / "whole.txt").read_text("utf-8")).size
    code, told = whole.verify("--new", "whole.txt", "changed.jsonl")

    assert code == 1
    assert expected.format(size=size) in told
    assert "HOLDS" not in told.splitlines()
    assert "\x1b" not in told


def test_an_export_for_one_client_is_complete_and_closed(scene: Scene) -> None:
    """Entries of other clients are leaf hashes: the auditor learns that nothing is missing, and nothing else."""
    scene.hand_over("whole")
    clients = {one["client"] for line in (scene.auditor / "whole.jsonl").read_bytes().splitlines()
               if "client" in (one := json.loads(line))}  # fmt: skip
    number = json.loads(SAMPLE.read_text("utf-8"))["asiakkaat"][0]["asiakasnumero"]
    lines = list(scene.gateway.trail.export("jsonl", scene.caller(), number))
    (scene.auditor / "one.jsonl").write_text("".join(lines), "utf-8")
    code, told = scene.verify("--new", "whole.txt", "one.jsonl")
    opened = [one for line in lines if "client" in (one := json.loads(line))]

    assert code == 0, told
    assert len(clients) > 1
    assert len({one["client"] for one in opened}) == 1
    assert sum(other in line for line in lines for other in clients) == len(opened)
    with pytest.raises(NotFoundError):
        list(scene.gateway.trail.export("jsonl", scene.caller(), "nobody"))


def test_an_export_is_told_as_an_export(scene: Scene) -> None:
    """The log says that all of it was taken away, by whom and in which form; not that one entry was looked at."""
    list(scene.gateway.trail.export("csv", scene.caller()))
    last = json.loads(list(scene.gateway.trail.export("jsonl", scene.caller()))[-2])

    assert (last["event"], last["subject"]) == ("audit:read", "export")
    assert last["details"] == {"format": "csv", "count": last["idx"], "row": "A0"}


def test_verifying_the_log_is_an_entry_where_the_log_takes_one(scene: Scene) -> None:
    """Who verifies opens every row: that is told, after what was verified; a forged log is told of all the same.

    [LOG-01]
    """
    size = size_of(scene)
    sound = scene.gateway.trail.verify(reconcile=True, caller=scene.caller())
    last = json.loads(list(scene.gateway.trail.export("jsonl", scene.caller()))[-2])
    write_anew(scene, lambda one: one | {"purpose": "other"} if one["idx"] == 5 else one)
    scene.again()
    forged = scene.gateway.trail.verify(caller=scene.caller())

    assert (sound["holds"], sound["size"], sound["noted"]) == (True, size, True)
    assert (last["event"], last["subject"], last["idx"]) == ("audit:read", "verify", size)
    assert {"size": size, "holds": True, "reconciled": True, "row": "A0"} == last["details"]
    assert (forged["holds"], forged["size"], forged["noted"]) == (False, size + 2, False)


@pytest.mark.parametrize("seconds", [-3600, -86400 * 30])
def test_a_back_dated_event_is_seen(scene: Scene, seconds: int) -> None:
    """An event dated back, or a clock that jumped: the log holds, and the place and the size of the jump are told."""
    scene.hand_over("before")
    clock = scene.gateway.parts.clock
    place = size_of(scene)
    at(scene.gateway, lambda: datetime.now(UTC) + timedelta(seconds=seconds))
    scene.more()
    at(scene.gateway, clock)
    told = scene.gateway.trail.verify()
    scene.hand_over("after")
    code, seen = scene.verify("--old", "before.txt", "--new", "after.txt", "after.jsonl")

    assert told["holds"]
    assert [one["place"] for one in told["remarks"]] == [str(place)]
    assert str(-seconds)[:3] in told["remarks"][0]["what"] or str(-seconds - 1)[:3] in told["remarks"][0]["what"]
    assert (code, seen.count("remark: ")) == (0, 1)
    assert f"entry {place} is dated " in seen


def test_what_is_written_into_the_log_stays_one_entry(scene: Scene) -> None:
    """Line ends, quotes, a forged entry, formulas and terminal commands in a name or purpose change no other entry."""
    evil = 'x\n{"idx":0,"leaf":"A"}\r\u2028\u2029\u0085\v\f\x1b[2J",\\ \u202e\x00=1+1'
    caller = Caller("local", Oid(""), evil, "=cmd()" + evil, "operator", evil)
    with pytest.raises(NotPermittedError):  # no purpose of the list; the denial tells what was said
        scene.gateway.office.figures(caller, None, None, explain=False)
    scene.gateway.office.figures(replace(caller, purpose="supervision"), None, None, explain=False)
    scene.hand_over("evil")
    lines = (scene.auditor / "evil.jsonl").read_bytes().split(b"\n")
    code, told = scene.verify("--new", "evil.txt", "evil.jsonl")
    table = "".join(scene.gateway.trail.export("csv", scene.caller()))

    assert code == 0, told
    assert [json.loads(line)["idx"] for line in lines[:-1]] == list(range(len(lines) - 1))
    assert any(json.loads(line)["purpose"] == evil for line in lines[:-1])
    assert ",=cmd" not in table
    assert scene.kinds() == set()


# the key of the checkpoints


def thief(scene: Scene) -> notes.CheckpointSigner:
    """Somebody with a copy of the checkpoint key."""
    name = scene.gateway.parts.checkpoints.key.name
    return notes.CheckpointSigner.from_pem(name, (scene.data / "keys" / CHECKPOINT_KEY).read_bytes())


def test_a_stolen_key_is_replaced_and_signs_no_larger_log(scene: Scene) -> None:
    """After the rotation old checkpoints still hold and the thief's do not; an old one exposes what came before."""
    scene.hand_over("before")
    stolen = thief(scene)
    told = scene.gateway.administration.rotate_checkpoint_key(scene.caller())
    scene.more()
    scene.hand_over("after")
    size = notes.parse((scene.auditor / "after.txt").read_text("utf-8")).size
    for name, place in (("late", size), ("early", 5)):
        (scene.auditor / f"{name}.txt").write_text(notes.make(stolen.key.name, place, b"r" * 32, stolen), "utf-8")
    late = scene.verify("--new", "late.txt", "after.jsonl")
    early = scene.verify("--old", "early.txt", "--new", "after.txt", "after.jsonl")

    assert scene.verify("--old", "before.txt", "--new", "after.txt", "after.jsonl")[0] == 0
    assert scene.kinds(reconcile=True) == set()
    assert late[0] == 1
    assert "may sign this size" in late[1]
    assert early[0] == 1  # signed while the key was good, and yet not of this log
    given = scene.gateway.trail.verify(scene.auditor / "late.txt", None)
    assert [one["table"] for one in given["problems"]] == ["checkpoint"]
    rotated = [one for line in (scene.auditor / "after.jsonl").read_bytes().splitlines()
               if (one := json.loads(line))["event"] == "audit:rotate"]  # fmt: skip
    assert [one["details"]["key"] for one in rotated] == [told["key"]]


def test_a_rotation_that_did_not_end_can_be_done_again(scene: Scene) -> None:
    """A crash between the two key files: checkpoints of the key in use hold again after another rotation."""
    keys = scene.data / "keys"
    before = (keys / CHECKPOINT_KEY).read_bytes()
    scene.gateway.administration.rotate_checkpoint_key(scene.caller())
    (keys / CHECKPOINT_KEY).write_bytes(before)  # the key file was not reached
    scene.again()
    scene.gateway.administration.rotate_checkpoint_key(scene.caller())
    scene.more()
    lines = (keys / CHECKPOINT_VERIFIER).read_text("utf-8").splitlines()

    assert [("until=" in line) for line in lines] == [False, True]
    scene.hand_over("end")
    assert scene.verify("--new", "end.txt", "end.jsonl")[0] == 0


# a crash, and proofs of what never was


class _CrashError(Exception):
    """The process died here."""


def test_a_crash_leaves_neither_state_nor_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever an append fails, what it was to tell of is not stored; log and tables match at every place. [LOG-01]"""
    gateway = installation(tmp_path / "data")
    append, left = gateway.parts.log.append, 0

    def failing(*arguments: Any) -> range:
        nonlocal left
        done = append(*arguments)
        left -= 1
        if left < 0:
            raise _CrashError
        return done

    monkeypatch.setattr(gateway.parts.log, "append", failing)
    for number in range(60):
        left = number
        try:
            take(gateway, [SAMPLE])
        except _CrashError:
            told = gateway.trail.verify(reconcile=True)
            assert told["holds"], (number, told)
        else:
            break
    else:
        pytest.fail("the sample takes more appends than that")
    left = 10**6
    told = gateway.trail.verify(reconcile=True)
    gateway.close()

    assert number >= 3
    assert told["holds"], told


def test_no_proof_of_a_size_that_never_was(scene: Scene) -> None:
    """A proof that needs no hash is not given for a size that the log has not reached."""
    office, caller = scene.gateway.office, scene.caller()
    size = size_of(scene)

    assert office.consistency(caller, size, size)["proof"] == []
    for ask in (
        (office.consistency, 10**9, 10**9), (office.consistency, 1, 10**9),
        (office.inclusion, 0, 10**9), (office.inclusion, 10**9, None),
    ):  # fmt: skip
        with pytest.raises(NotFoundError):
            ask[0](caller, ask[1], ask[2])


def test_who_may_deliver_is_changed_by_entries(tmp_path: Path) -> None:
    """Registering a contract or a system, and revoking one, are entries; doing it again is none. [LOG-12]"""
    gateway: Gateway = installation(tmp_path / "data")
    for _ in range(2):
        gateway.registration.register_party(
            "1.2.3.10.1", "Paja", "1.2.3.10.2", "Alue", "S-1", "lapha", gateway.actor(None, None, None)
        )
    gateway.development.assertion(None, None, None, "auditor", "")
    told = [json.loads(line) for line in gateway.trail.export("jsonl", gateway.actor(None, None, None))]
    gateway.close()

    assert [one["details"]["act"] for one in told if one["event"] == "party:register"] == [
        "register-contract", "register-system",
    ]  # fmt: skip
