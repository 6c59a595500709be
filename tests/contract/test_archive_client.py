"""The archive's client against a real simulated archive over loopback: every fault has a stated outcome."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import uvicorn
from tests.cda_sample import SCHEMA, STRUCTURE, digest, signed

from kanta_gateway.errors import MisconfiguredError, RefusedError
from kanta_gateway.model import Oid, Sha256Hex
from kanta_gateway.transfer import client as clients
from kanta_gateway.transfer import frame as frames
from kanta_gateway.transfer.client import HttpArchiveClient
from kanta_gateway.transfer.receipts import Answer, FinalNo, Receipt, RetryLater
from kanta_gateway.transfer.simulator.checks import Checker
from kanta_gateway.transfer.simulator.faults import Faults
from kanta_gateway.transfer.simulator.server import Archive
from kanta_gateway.transfer.simulator.shelf import Shelf

PROFILE = frames.load_profile((Path(__file__).parents[2] / "schemas" / "frame.yaml").read_text("utf-8"))
OID = "1.2.246.10.88888888.95.2026.1.1"
NEXT = "1.2.246.10.88888888.95.2026.1.2"


class Running:
    """A simulated archive in a thread, and a client of it."""

    def __init__(self, folder: Path, *faults: str, timeout_seconds: float = 5.0) -> None:
        self.shelf = Shelf(folder)
        checker = Checker(PROFILE, {STRUCTURE: SCHEMA})
        app = Archive(checker, self.shelf, Faults.parse(faults)).app()
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listener]})
        self.thread.start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.client = HttpArchiveClient(self.url, timeout_seconds=timeout_seconds)

    def submit(self, document: bytes, oid: str = OID) -> Answer:
        """Send one document with its frame."""
        frame = frames.build(document, PROFILE, message_id="1", sender="1.2.3", created_at=datetime.now(UTC))
        return self.client.submit(document, frame, Oid(oid))

    def contents(self) -> list[dict[str, Any]]:
        """What the archive says it keeps."""
        with urllib.request.urlopen(f"{self.url}/contents") as answer:  # noqa: S310 — loopback
            told: list[dict[str, Any]] = json.load(answer)["documents"]
        return told

    def stop(self) -> None:
        """End it."""
        self.client.close()
        self.server.should_exit = True
        self.thread.join(10)
        self.shelf.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Starts archives that end with the test."""
    started: list[Running] = []

    def make(*faults: str, **options: Any) -> Running:
        started.append(Running(tmp_path, *faults, **options))
        return started[-1]

    yield make
    for one in started:
        one.stop()


def test_a_good_document_is_archived_once(start: Any) -> None:
    """A good document gets a receipt; the same bytes again get one too, and one copy is kept."""
    archive, document = start(), signed()

    first, second = archive.submit(document), archive.submit(document)

    assert isinstance(first, Receipt)
    assert not first.was_there
    assert isinstance(second, Receipt)
    assert second.was_there
    assert [2] == [one["received"] for one in archive.contents()]
    assert isinstance(archive.client.ask(Oid(OID), Sha256Hex(digest(document))), Receipt)
    assert archive.client.ask(Oid(NEXT), Sha256Hex("0")) is None


@pytest.mark.parametrize(
    ("fault", "must_ask", "kept"),
    [
        ("down", False, 0),
        ("error-5xx", True, 0),
        ("lossy", True, 1),
        ("wrong", True, 1),
        ("other", True, 1),
        ("late", True, 1),
    ],
)
def test_a_fault_never_makes_a_receipt(start: Any, fault: str, must_ask: bool, kept: int) -> None:  # noqa: FBT001
    """A fault leaves the document waiting, to be asked about whenever the archive may have it."""
    archive = start(fault, timeout_seconds=0.7)

    answer = archive.submit(signed())

    assert isinstance(answer, RetryLater)
    assert must_ask == answer.must_ask
    assert kept == len(archive.contents())


def test_a_double_handling_keeps_one_copy(start: Any) -> None:
    """An archive that handles a message twice keeps one copy and answers with its receipt."""
    archive = start("double")

    assert isinstance(archive.submit(signed()), Receipt)
    assert len(archive.contents()) == 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (signed().replace(b"2026-03-19T11:33:30Z", b"2026-03-19T11:33:31Z"), "SIGNATURE"),
        (signed(identity="010190-123P"), "NOT-A-TEST-PERSON"),
        (signed(value={"muu": "x"}), "STRUCTURE"),
        (signed().replace(b"<realmCode", b"<!-- --><x/><realmCode"), "HEADER"),
        (signed(set_oid=NEXT, version=2, replaces=NEXT), "VERSION"),
    ],
)
def test_a_bad_document_is_refused_for_good(start: Any, document: bytes, code: str) -> None:
    """A document with a fault gets a final no that names it, and is not kept."""
    archive = start()

    answer = archive.submit(document)

    assert isinstance(answer, FinalNo)
    assert code in answer.codes
    assert archive.contents() == []


def test_other_bytes_under_one_oid_are_refused(start: Any) -> None:
    """The archive does not overwrite: other bytes under a known OID are refused."""
    archive = start()
    archive.submit(signed())

    answer = archive.submit(signed(text="Toinen teksti."))

    assert FinalNo("archive-refused", ("OTHER-CONTENT",)) == answer


def test_a_replacement_follows_its_predecessor_and_can_be_invalidated(start: Any) -> None:
    """A replacement that names its predecessor is kept as the next version; an invalidation marks it."""
    archive = start()
    archive.submit(signed())
    document = signed(NEXT, set_oid=OID, version=2, replaces=OID)
    assert isinstance(archive.submit(document, NEXT), Receipt)

    wrong = archive.client.invalidate(b"<frame/>", Oid(NEXT), Sha256Hex(digest(document)))
    frame = frames.build(
        document, PROFILE, message_id="2", sender="1.2.3", created_at=datetime.now(UTC), is_invalidation=True
    )
    right = archive.client.invalidate(frame, Oid(NEXT), Sha256Hex(digest(document)))

    assert isinstance(wrong, FinalNo)
    assert isinstance(right, Receipt)

    assert [(OID, 1, "archived"), (NEXT, 2, "invalidated")] == [
        (one["oid"], one["version"], one["state"]) for one in archive.contents()
    ]


def test_nobody_listens() -> None:
    """Without a listener nothing was sent, and an open question stays open."""
    with HttpArchiveClient("http://127.0.0.1:9", timeout_seconds=0.5) as client:
        answer = client.submit(b"d", b"f", Oid(OID))
        asked = client.ask(Oid(OID), Sha256Hex("0"))

    assert isinstance(answer, RetryLater)
    assert not answer.must_ask
    assert isinstance(asked, RetryLater)
    assert asked.must_ask


def test_production_does_not_send_what_is_assumed() -> None:
    """Production refuses the artificial invalidation, and a plain connection."""
    client = HttpArchiveClient("http://127.0.0.1:9")
    client._is_production = True

    with pytest.raises(RefusedError):
        client.invalidate(b"", Oid(OID), Sha256Hex("0"))
    with pytest.raises(MisconfiguredError):
        HttpArchiveClient("http://127.0.0.1:9", is_production=True)


def _foreign() -> list[type[Exception]]:
    found = [httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict]
    for one in found:
        found.extend(one.__subclasses__())
    return sorted(set(found) - {httpx.CookieConflict}, key=lambda one: one.__name__)


@pytest.mark.parametrize("kind", _foreign(), ids=lambda kind: kind.__name__)
def test_no_foreign_exception_leaves_the_client(kind: type[Exception]) -> None:
    """Every exception of the HTTP library becomes an answer; only a missing connection counts as not sent."""
    error = kind.__new__(kind)
    with respx.mock(base_url="http://archive.example") as router, HttpArchiveClient("http://archive.example") as client:
        router.post("/archive").mock(side_effect=error)

        answer = client.submit(b"d", b"f", Oid(OID))

    assert isinstance(answer, RetryLater)
    assert answer.must_ask is not issubclass(kind, clients.NOT_SENT)
