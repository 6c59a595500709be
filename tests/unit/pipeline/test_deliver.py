"""The last stretch: what each answer of the archive makes of a document, and what the log says about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import update
from tests.cda_sample import signed
from tests.logs import MemoryKeys

from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.database import Database
from kanta_gateway.errors import RefusedError, UntrustedError
from kanta_gateway.model import Caller, Event, Oid, Sha256Hex
from kanta_gateway.pipeline.deliver import Deliverer
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.privacy.envelope import Vault, seal
from kanta_gateway.privacy.master import FileMasterKey
from kanta_gateway.spool import store
from kanta_gateway.spool.states import State
from kanta_gateway.spool.store import CONTENT_DESTROYED
from kanta_gateway.tables import document, metadata, record
from kanta_gateway.transfer.frame import load_profile
from kanta_gateway.transfer.receipts import Answer, FinalNo, Receipt, RetryLater

PROFILE = load_profile((Path(__file__).parents[3] / "schemas" / "frame.yaml").read_text("utf-8"))
OID = Oid("1.2.246.10.88888888.95.2026.1.1")
DOCUMENT = signed()
DIGEST = Sha256Hex(sha256(DOCUMENT).hexdigest())
CALLER = Caller("local", Oid("1"), "p", "P", "operator", "archiving")
LEASE_SECONDS = 60.0
RECEIPT = Receipt(OID, DIGEST, "1", was_there=False)
NO = FinalNo("archive-refused", ("SIGNATURE",))
LOST = RetryLater("archive-silent", must_ask=True)
BUSY = RetryLater("archive-failed", must_ask=False, params={"status": "503"})
AWAY = RetryLater("archive-unreachable", must_ask=False)


class Said:
    """An archive that answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer | Exception | None] = []
        self.calls: list[str] = []
        self.takes = timedelta(0)
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def submit(self, document: bytes, frame: bytes, oid: Oid) -> Answer:
        """The next answer."""
        assert (OID, DOCUMENT) == (oid, document)
        assert OID.encode() in frame
        return cast("Answer", self._next("submit"))

    def ask(self, oid: Oid, digest: Sha256Hex) -> Answer | None:
        """The next answer."""
        assert (OID, DIGEST) == (oid, digest)
        return self._next("ask")

    def invalidate(self, frame: bytes, oid: Oid, digest: Sha256Hex) -> Answer:
        """The next answer."""
        assert (OID, DIGEST) == (oid, digest)
        assert b"UNVERIFIED" in frame
        return cast("Answer", self._next("invalidate"))

    def _next(self, call: str) -> Answer | None:
        self.calls.append(call)
        self.now += self.takes
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Desk:
    """One spooled document, a worker, and what it wrote into the log."""

    def __init__(self, database: Database, *, is_production: bool = False) -> None:
        self.database = database
        self.archive = Said()
        self.events: list[AuditEvent] = []
        vault = Vault(FileMasterKey(b"m" * 32), MemoryKeys())
        parts = SimpleNamespace(
            database=database, vault=vault, now=lambda: self.archive.now, is_production=is_production,
            log=SimpleNamespace(append=lambda _tx, events: self.events.extend(events)),
        )  # fmt: skip
        self.worker = Deliverer(cast("Parts", parts), self.archive, PROFILE, CALLER, LEASE_SECONDS)
        key = vault.new_key()
        new = store.NewDocument(
            oid=OID, set_oid=OID, version_number=1, replaces=None, record_row=1, part="main", structure=Oid("9"),
            client_ref="c", provider=Oid("2"), organiser=Oid("3"), payload=seal(key.key, DOCUMENT, b"document"),
            key_id=key.id, digest=DIGEST, inputs="{}",
        )  # fmt: skip
        with database.transaction() as tx:
            tx.execute(record.insert(), {
                "id": 1, "provider": "p", "purchaser": "u", "source": "s", "type": "t", "record_id": "r",
                "version": 1, "is_keyed": 0, "ticket": "k", "digest": "d", "is_cancelled": 0, "state": "settled",
                "findings": "[]", "removed": "{}", "as_of": "2026-03-01", "received_at": "x",
            })  # fmt: skip
            store.put(tx, [new], self.archive.now)

    def step(self, *answers: Answer | Exception | None) -> State:
        """Let the worker act once for each answer; the document's state afterwards."""
        for one in answers:
            self.archive.answers = [one]
            assert self.worker.step(10) == 1
            self.archive.now += timedelta(hours=2)
        return self.document().state

    def invalidate(self) -> None:
        """Queue the invalidation."""
        with self.database.transaction() as tx:
            assert store.invalidate(tx, OID, self.archive.now)

    def document(self) -> store.StoredDocument:
        """The document as it lies in the spool."""
        with self.database.reading() as tx:
            found = store.get(tx, OID)
        assert found is not None
        return found

    def told(self) -> list[Event]:
        """What the log says."""
        return [one.event for one in self.events]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    opened = Database(f"sqlite:///{tmp_path / 'spool.sqlite'}")
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


SEND, ARCHIVE, REJECT = Event.DOCUMENT_SEND, Event.DOCUMENT_ARCHIVE, Event.DOCUMENT_REJECT
ANSWERS: list[tuple[str, list[Answer | Exception | None], State, list[Event], list[str]]] = [
    ("a receipt", [RECEIPT], State.ARCHIVED, [SEND, ARCHIVE], ["submit"]),
    ("a final no", [NO], State.REJECTED, [SEND, REJECT], ["submit"]),
    ("busy", [BUSY], State.QUEUED, [SEND], ["submit"]),
    ("away", [AWAY], State.QUEUED, [SEND], ["submit"]),
    ("a lost answer", [LOST], State.UNKNOWN, [SEND], ["submit"]),
    ("lost, asked, there", [LOST, RECEIPT], State.ARCHIVED, [SEND, ARCHIVE], ["submit", "ask"]),
    ("lost, asked, silence", [LOST, LOST], State.UNKNOWN, [SEND], ["submit", "ask"]),
    ("lost, asked, refused", [LOST, NO], State.REJECTED, [SEND, REJECT], ["submit", "ask"]),
    ("lost, asked, not there", [LOST, None], State.QUEUED, [SEND], ["submit", "ask"]),
    (
        "lost, not there, sent again", [LOST, None, RECEIPT], State.ARCHIVED, [SEND, SEND, ARCHIVE],
        ["submit", "ask", "submit"],
    ),
    ("cannot be sent as it is", [UntrustedError()], State.QUEUED, [SEND], ["submit"]),
    ("refused on our side", [RefusedError()], State.QUEUED, [SEND], ["submit"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "state", "events", "calls"), [one[1:] for one in ANSWERS], ids=[a[0] for a in ANSWERS]
)
def test_answers(
    database: Database, answers: list[Answer | Exception | None], state: State, events: list[Event], calls: list[str]
) -> None:
    """Only a receipt archives, only a final no rejects, and what is unsure is asked about before a repeat."""
    desk = Desk(database)

    assert (state, events, calls) == (desk.step(*answers), desk.told(), desk.archive.calls)


def test_the_receipt_is_kept_as_evidence(database: Database) -> None:
    """The archive's answer lies beside the document, with its time and digest, and stands in the log. [LOG-12]"""
    desk = Desk(database)
    desk.step(RECEIPT)

    kept = desk.document().receipt

    assert kept is not None
    assert (OID, DIGEST, "1") == (kept["oid"], kept["sha256"], kept["message"])
    assert kept["at"]
    assert kept == desk.events[-1].details


def test_an_invalidation_is_sent_and_acknowledged(database: Database) -> None:
    """The request is a disclosure of its own; its receipt makes the document invalidated."""
    desk = Desk(database)
    desk.step(RECEIPT)
    desk.invalidate()

    assert desk.step(LOST, RECEIPT) is State.INVALIDATED
    assert [SEND, ARCHIVE, SEND, SEND, Event.DOCUMENT_INVALIDATE] == desk.told()
    assert desk.events[2].details["request"] == "invalidation"


@pytest.mark.parametrize("answer", [NO, RefusedError()], ids=["the archive refuses", "production refuses"])
def test_a_refused_invalidation_leaves_the_document_archived(database: Database, answer: Answer | Exception) -> None:
    """The document stays archived with its receipt, and the log says that the request was refused, not archived."""
    desk = Desk(database, is_production=isinstance(answer, RefusedError))
    desk.step(RECEIPT)
    desk.invalidate()

    assert desk.step(answer) is State.ARCHIVED
    assert desk.told().count(ARCHIVE) == 1
    assert desk.told()[-1] is REJECT
    assert desk.document().problem
    assert desk.document().receipt


def test_a_document_whose_content_is_destroyed_cannot_be_invalidated_and_does_not_wait(database: Database) -> None:
    """The request needs what the document said: without it the document stays archived, and the log tells of a no."""
    desk = Desk(database)
    desk.step(RECEIPT)
    with database.transaction() as tx:
        tx.execute(update(document).values(payload=None))
    desk.invalidate()

    assert desk.step(RECEIPT) is State.ARCHIVED
    assert [SEND, ARCHIVE, REJECT] == desk.told()
    assert desk.document().problem == {"kind": CONTENT_DESTROYED}


def test_production_tells_of_no_disclosure_that_it_refuses(database: Database) -> None:
    """In production the request for an invalidation does not leave, so the log holds no sending of it."""
    desk = Desk(database, is_production=True)
    desk.step(RECEIPT)
    desk.invalidate()
    desk.step(RefusedError())

    assert desk.told().count(SEND) == 1


def test_what_was_not_begun_in_time_goes_back_unsent(database: Database) -> None:
    """A worker that stalls after the lease sends nothing that could outlast it."""
    desk = Desk(database)
    begun = desk.archive.now
    times = iter([begun, begun, begun, begun + timedelta(seconds=LEASE_SECONDS * 0.6)])
    desk.worker._parts = cast("Parts", SimpleNamespace(
        **(vars(desk.worker._parts) | {"now": lambda: next(times, begun + timedelta(seconds=LEASE_SECONDS))})
    ))  # fmt: skip

    assert desk.worker.step(10) == 1
    assert ([], State.QUEUED) == (desk.archive.calls, desk.document().state)


def test_an_answer_after_the_lease_changes_nothing(database: Database) -> None:
    """An answer that comes when somebody else has taken the document over is not written down, nor told."""
    desk = Desk(database)
    desk.archive.takes = timedelta(seconds=LEASE_SECONDS + 1)
    submit = desk.archive.submit

    def slowly(document: bytes, frame: bytes, oid: Oid) -> Answer:
        answer = submit(document, frame, oid)
        with database.transaction() as tx:
            assert len(store.lease(tx, desk.archive.now, 10, LEASE_SECONDS)) == 1
        return answer

    setattr(desk.archive, "submit", slowly)  # noqa: B010 — a method of one instance
    desk.archive.answers = [RECEIPT]
    desk.worker.step(10)

    assert (State.UNKNOWN, [SEND]) == (desk.document().state, desk.told())
