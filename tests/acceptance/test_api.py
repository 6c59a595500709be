"""The HTTP face in real processes: API, worker and simulated archive over loopback."""

from __future__ import annotations

import base64
import itertools
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from tests import bundles
from tests.processes import Archive, Cli, InProcess
from tests.small_export import PROVIDER, export, identity_code

from kanta_gateway.access.identity import assertion
from kanta_gateway.app import build
from kanta_gateway.audit import merkle
from kanta_gateway.settings import Settings
from kanta_gateway.signing.keys import make_development_keys

pytestmark = pytest.mark.process

OTHER = "1.2.246.10.94005557.10.0"
COACH = "1.2.246.10.94007005.10.0"
ORGANISER = "1.2.246.10.94006007.10.0"
CONTRACT = "NAYTE/1/2025"
MARKED = "Salaista-Q7XW"
"""Stands in refused values: it must never be seen again."""
SECONDS = 60.0
_numbers = itertools.count(1)


PURPOSES = {"auditor": "audit", "purchaser-it": "supervision"}
"""What each role that is no provider's tells."""


class System:
    """A registered calling system with its key."""

    def __init__(self, organisation: str, role: str, purpose: str = "delivery") -> None:
        made = make_development_keys("test system", "", "calling system", datetime.now(UTC), algorithm="p-256")
        key = load_pem_private_key(made.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self.certificate = made.certificate.decode()
        self.organisation = organisation
        self.role = role
        self.purpose = purpose

    def token(self, **claims: str) -> str:
        """An assertion for one call."""
        given = {"role": self.role, "contract": CONTRACT, "purpose": self.purpose, **claims}
        return assertion(
            self._key, load_pem_x509_certificate(self.certificate.encode()), system=f"system {self.role}",
            organisation=self.organisation, person_id="T-1", person_name="Erkki Esimerkki",
            purpose=PURPOSES.get(given["role"], given["purpose"]),
            audience="kanta-gateway", now=datetime.now(UTC), role=given["role"], contract=given["contract"],
        )  # fmt: skip


class Served:
    """`kanta-gateway serve` on one data folder."""

    def __init__(self, cli: Cli, output: Path, *options: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kanta_gateway", "serve", "--port", str(self.port), *options],
                env=cli.environment, stdout=file, stderr=file,
            )  # fmt: skip
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output.read_text("utf-8")
        try:
            return httpx.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False

    def children(self) -> dict[str, int]:
        """Process ids of API and worker, told apart by who listens on the port."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found: dict[str, int] = {}
        for number in map(int, path.read_text("ascii").split()):
            command = Path(f"/proc/{number}/cmdline").read_bytes()
            if b"spawn_main" in command:
                found["worker" if found else "api"] = number
        return found

    def stop(self) -> int:
        """Ask it to end; gives its exit code."""
        self.process.terminate()
        return self.process.wait(40)


class World:
    """One installation with its callers, for all facts below."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.archive = Archive(folder)
        self.data = folder / "data"
        self.cli = Cli(self.data, KANTA_ARCHIVE_URL=self.archive.url, **environment)
        self.own, self.other = System(PROVIDER, "provider-system"), System(OTHER, "provider-system")
        self.coach = System(COACH, "provider-system")
        self.auditor = System(ORGANISER, "auditor")
        self.supervisor = System(ORGANISER, "log-supervisor", "log-supervision")
        gateway = build(Settings(data=self.data))
        gateway.registration.register_party(PROVIDER, "Paja ry", ORGANISER, "Hyvinvointialue", CONTRACT, "lapha")
        gateway.registration.register_party(OTHER, "Toinen ry", ORGANISER, "Hyvinvointialue", "NAYTE/2/2025", "lapha")
        gateway.registration.register_party(
            COACH, "Valmennus oy", ORGANISER, "Hyvinvointialue", "NAYTE/3/2022", "paijat-hame"
        )
        for one in (self.own, self.other, self.coach, self.auditor, self.supervisor):
            gateway.registration.register_system(
                one.certificate, one.organisation, f"system {one.role} {one.organisation}"
            )
        gateway.close()
        self.served = Served(self.cli, folder / "serve.txt", *options)
        self.http = httpx.Client(base_url=self.served.url, timeout=SECONDS)

    def close(self) -> None:
        """End everything that this world started."""
        self.http.close()
        self.served.stop()
        self.archive.stop()

    def call(
        self, method: str, path: str, *, by: System | None = None, claims: dict[str, str] | None = None,
        headers: dict[str, str] | None = None, **rest: Any,
    ) -> httpx.Response:  # fmt: skip
        """One call with a fresh assertion."""
        token = (by or self.own).token(**(claims or {}))
        return self.http.request(method, path, headers={"Authorization": f"Bearer {token}", **(headers or {})}, **rest)

    def get(self, path: str, by: System | None = None, **rest: Any) -> httpx.Response:
        """Read something."""
        return self.call("GET", path, by=by, **rest)

    def post(self, record: Any, path: str = "/v1/records", **rest: Any) -> httpx.Response:
        """Deliver one record, or the bytes of something."""
        body = record if isinstance(record, bytes) else json.dumps(record).encode()
        return self.call("POST", path, content=body, **rest)

    def counts(self) -> dict[str, int]:
        """Rows of every table."""
        with sqlite3.connect(f"file:{self.data / 'gateway.db'}?mode=ro", uri=True) as connection:
            names = [
                row[0]
                for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                if row[0] not in {"assertion_used", "reading", "forgotten", "forgotten_mark"}
            ]  # each call leaves its mark in two of them, and the worker takes from one to the other when it comes by
            told = {
                name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 — names of our own tables
                for name in names
            }
        connection.close()
        return told

    def settled(self) -> dict[str, int]:
        """Rows of every table once the worker has nothing more to write."""

        def is_empty() -> bool:
            ended = ("archived", "withdrawn", "rejected", "invalidated")  # every provider's, which no call tells of
            with closing(sqlite3.connect(f"file:{self.data / 'gateway.db'}?mode=ro", uri=True)) as connection:
                query = "SELECT count(*) FROM document WHERE state NOT IN (?, ?, ?, ?)"
                return int(connection.execute(query, ended).fetchone()[0]) == 0

        wait_for(is_empty)
        return self.counts()

    def entries(self, after: int = -1) -> list[dict[str, Any]]:
        """Entries of the log, as an auditor reads them."""
        told = self.get("/v1/audit/entries", self.auditor, params={"after": after, "limit": 1000})
        assert told.status_code == 200, told.text
        found: list[dict[str, Any]] = told.json()["entries"]
        return found

    def last(self) -> int:
        """Index of the newest entry."""
        return int(self.counts()["audit_entry"]) - 1


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One running installation."""
    one = World(tmp_path_factory.mktemp("api"))
    one.post({
        "type": "provider", "id": PROVIDER, "name": "Paja ry", "oid": PROVIDER, "registered": True,
        "units": [{"oid": "1.2.246.10.94005128.10.1", "name": "Paja", "registered": True}],
    })  # fmt: skip
    yield one
    one.close()


class Case:
    """A client of its own for one test, with everything that its records need."""

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.client_id = f"C-{self.number}"

    def staff(self) -> dict[str, Any]:
        """Who records."""
        return {"type": "staff", "id": f"T-{self.number}", "surname": "Korpisaari", "given_names": "Juhani",
                "title": "työvalmentaja, sosionomi (AMK)", "registration_number": "00912220102"}  # fmt: skip

    def client(self) -> dict[str, Any]:
        """The client."""
        return {"type": "client", "id": self.client_id, "surname": "Rautiola", "given_names": "Sampo Ilmari",
                "identity_code": identity_code(self.number), "non_disclosure": False,
                "responsible_worker": f"T-{self.number}"}  # fmt: skip

    def decision(self) -> dict[str, Any]:
        """What the client may get, from March to May 2025."""
        return {"type": "decision", "id": f"P-{self.number}", "client": self.client_id, "made_on": "2025-02-20",
                "service": "Kuntouttava työtoiminta", "product_number": 1,
                "product_name": "Työtoimintatehtävien ja työelämän perustaitojen ohjaus",
                "starts_on": "2025-03-03", "ends_on": "2025-05-30", "days_per_week": 3, "hours_per_day": 5,
                "remote_max_percent": 15, "authority_plan": "aktivointisuunnitelma 18.2.2025"}  # fmt: skip

    def diary(self, day: str = "2025-03-03", **changed: Any) -> dict[str, Any]:
        """One day."""
        return {"type": "diary_entry", "id": f"PV-{self.number}-{day}", "client": self.client_id, "date": day,
                "start_time": "09:00", "end_time": "14:00", "hours": 5, "mode": "on_site",
                "tasks": "Koottiin pihakalusteita tilaustyönä.", "performance": "Piti tauot sovitusti.",
                "recorder": f"T-{self.number}", "recorded_at": f"{day}T15:05:00+02:00", **changed}  # fmt: skip

    def known(self, world: World) -> Case:
        """Everything that records of the client need is delivered."""
        for one in (self.staff(), self.client(), self.decision()):
            told = world.post(one)
            assert told.status_code == 201, told.text
        return self


def archived(world: World, oid: str) -> None:
    """Wait until the worker has archived a document."""

    def is_there() -> bool:
        told = world.get("/v1/documents", params={"state": "archived", "limit": 1000}).json()
        return oid in {one["oid"] for one in told["documents"]}

    wait_for(is_there)


def raw(world: World, request: bytes) -> bytes:
    """Send bytes and read the head of the answer, whatever is still to be sent."""
    with socket.create_connection(("127.0.0.1", world.served.port), timeout=SECONDS) as one:
        one.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = one.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


# who may call


@pytest.mark.parametrize("authorization", ["", "Authorization: Bearer x.y.z\r\n", "Authorization: Basic eDp5\r\n"])
def test_body_is_not_read_without_assertion(world: World, authorization: str) -> None:
    """Without a valid assertion the answer is 401 while the body is still to come, however large it is said to be."""
    head = f"POST /v1/records HTTP/1.1\r\nHost: x\r\n{authorization}Content-Length: 9000000000\r\n\r\n"
    answer = raw(world, head.encode() + b'{"type": ')

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: bearer" in answer.lower()


def test_never_ending_body(world: World) -> None:
    """A body without a length is not read either when nobody is known to call."""
    head = b"POST /v1/records:batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{{{{{\r\n"

    assert raw(world, head).startswith(b"HTTP/1.1 401 ")


def test_malformed_body_without_assertion(world: World) -> None:
    """What stands in the body does not matter when nobody is known to call."""
    told = world.http.post("/v1/records", content=b'{"type": ')

    assert told.status_code == 401
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["code"] == "not-authenticated"


def test_announced_too_large(world: World) -> None:
    """A known caller's body that is said to be too large is refused before it is read."""
    head = (
        f"POST /v1/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.own.token()}\r\n"
        "Content-Length: 9000000000\r\n\r\n"
    )

    assert raw(world, head.encode()).startswith(b"HTTP/1.1 413 ")


def test_role_beyond_a_provider(world: World) -> None:
    """A provider's system that claims a role that sees all is refused, and the log tells of it."""
    after = world.last()
    for role in ("auditor", "operator", "purchaser-it", "nobody"):
        assert world.get("/v1/audit/entries", claims={"role": role}).status_code == 403
    denied = [one for one in world.entries(after) if one["event"] == "request:deny"]

    assert len(denied) == 4


# bad input

BAD: list[tuple[str, Callable[[Case], Any], int, str, str]] = [
    ("unknown field", lambda c: c.diary(secret=MARKED), 422, "SRC-FIELD", "/secret"),
    ("wrong type", lambda c: c.diary(hours=MARKED), 422, "SRC-TYPE", "/hours"),
    ("impossible date", lambda c: c.diary(date="2025-02-30"), 422, "SRC-DATE", "/date"),
    ("identity code", lambda c: {**c.client(), "identity_code": f"120685-9051{MARKED}"}, 422, "SRC-IDENTITY-CODE",
     "/identity_code"),
    ("control character", lambda c: c.diary(tasks=f"{MARKED}\x07"), 422, "SRC-CHARACTER", "/tasks"),
    ("XML character", lambda c: c.diary(tasks=f"{MARKED}\ufffe"), 422, "SRC-CHARACTER", "/tasks"),
    ("surrogate", lambda c: c.diary(tasks=f"{MARKED}\ud800"), 422, "SRC-CHARACTER", "/tasks"),
    ("ten megabytes", lambda c: c.diary(tasks=MARKED + "a" * 10_000_000), 422, "SRC-LENGTH", "/tasks"),
    ("more than allowed", lambda c: c.diary(tasks=MARKED + "a" * 11_000_000), 413, "SRC-SIZE", ""),
    ("nesting", lambda _: b'{"type":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 422, "SRC-DEPTH", ""),
    ("invalid UTF-8", lambda _: b'{"type":"diary_entry","id":"' + MARKED.encode() + b'\xff\xfe"}', 400, "SRC-UTF8", ""),
    ("no JSON", lambda _: b'{"type": ' + MARKED.encode(), 400, "SRC-JSON", ""),
    ("no object", lambda _: b"[1]", 422, "SRC-TYPE", ""),
    ("unknown type", lambda c: c.diary(type=MARKED), 422, "SRC-KIND", "/type"),
    ("missing", lambda c: {k: v for k, v in c.diary().items() if k != "date"}, 422, "SRC-MISSING", "/date"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "status", "rule", "pointer"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_bad_record(world: World, make: Callable[[Case], Any], status: int, rule: str, pointer: str) -> None:
    """Bad input is answered with rule, pointer and text in the caller's language; nothing is stored or repeated.

    [CTL-07]
    """
    before = world.settled()
    seen: dict[str, str] = {}
    for language in ("fi", "sv", "en"):
        told = world.post(make(Case()), headers={"Accept-Language": f"{language};q=0.9, de"})
        assert told.status_code == status, told.text[:500]
        assert told.headers["content-type"] == "application/problem+json"
        finding = told.json()["findings"][0]
        assert (finding["rule"], finding["pointer"]) == (rule, pointer)
        assert "{" not in finding["message"]
        assert MARKED not in told.text
        seen[language] = finding["message"]

    assert len(set(seen.values())) == 3
    assert world.counts() == before
    assert MARKED not in world.served.output.read_text("utf-8")
    assert world.http.get("/health").status_code == 200


def test_all_mistakes_at_once(world: World) -> None:
    """Every mistake of a record is told, not only the first."""
    told = world.post(Case().diary(date="2025-02-30", hours=99, one=1, two=2))

    assert {one["pointer"] for one in told.json()["findings"]} == {"/date", "/hours", "/one", "/two"}


def test_bad_parameter(world: World) -> None:
    """A wrong parameter is named, its value is not repeated."""
    told = world.get(f"/v1/documents?limit={MARKED}&state={MARKED}")

    assert told.status_code == 422
    assert {one["pointer"] for one in told.json()["findings"]} == {"/limit", "/state"}
    assert MARKED not in told.text


def test_unknown_parameter_stores_nothing(world: World) -> None:
    """A misspelt parameter is refused instead of left out, and its name is not repeated; the known ones are told."""
    before = world.counts()
    body = json.dumps(Case().client()).encode()
    told = world.call("POST", f"/v1/records?dry-run=true&{MARKED}=1", content=body)

    assert told.status_code == 422
    assert [one["rule"] for one in told.json()["findings"]] == ["API-PARAMETER"]
    assert "dry_run" in told.text
    assert MARKED not in told.text
    assert world.counts() == before


def test_no_such_route(world: World) -> None:
    """An unknown address and a wrong method are problem documents too."""
    for method, path, status in (("GET", f"/v1/{MARKED}", 404), ("PUT", "/v1/records", 405)):
        told = world.call(method, path)
        assert told.status_code == status
        assert told.headers["content-type"] == "application/problem+json"
        assert MARKED not in told.text


def test_markup_is_text(world: World) -> None:
    """Text that looks like markup is taken, and stands as text in the document."""
    case = Case().known(world)
    told = world.post(case.diary(tasks="<script>alert(1)</script> & <b>lihava</b> teksti"))
    assert told.status_code == 201, told.text
    content = world.get(f"/v1/documents/{told.json()['documents'][0]['oid']}").content
    bodies = [base64.b64decode(part.split(b"<")[0]) for part in content.split(b">") if len(part) > 500]

    assert any(b"&lt;script&gt;" in one for one in bodies)
    assert not any(b"<script>" in one for one in bodies if b"<html" in one)


# the way of a record


def test_what_was_given_back_is_listed_for_its_provider(world: World) -> None:
    """A record that waits is in its provider's list with the day on which its content goes, and in no other's."""
    case = Case()
    ticket = world.post(case.diary()).json()["ticket"]
    (mine,) = [one for one in world.get("/v1/retention/waiting").json()["waiting"] if one["ticket"] == ticket]
    others = world.get("/v1/retention/waiting", world.other).json()["waiting"]

    assert (mine["outcome"], mine["days"], mine["reminded"]) == ("held", 0, [])
    assert mine["destroyed_on"] > mine["returned_on"]
    assert ticket not in {one["ticket"] for one in others}


@pytest.mark.parametrize("order", list(itertools.permutations(("client", "decision", "staff"))))
def test_held_until_known(world: World, order: tuple[str, ...]) -> None:
    """A record whose client, decision and staff are not known is held, and stands once all have come, in any order."""
    case = Case()
    held = world.post(case.diary())
    assert held.status_code == 202
    assert held.json()["outcome"] == "held"
    for name in order:
        assert world.get(f"/v1/tickets/{held.json()['ticket']}").json()["documents"] == []
        world.post(getattr(case, name)())
    told = world.get(f"/v1/tickets/{held.json()['ticket']}").json()

    assert told["outcome"] in {"accepted", "flagged"}, told
    assert len(told["documents"]) == 1
    archived(world, told["documents"][0]["oid"])


def test_outside_decision(world: World) -> None:
    """A record outside its decision is stored as refused: 202 with LAP-08. [CTL-07]"""
    case = Case().known(world)
    told = world.post(case.diary("2025-07-01"))

    assert told.status_code == 202
    assert told.json()["outcome"] == "refused"
    assert "LAP-08" in {one["rule"] for one in told.json()["findings"]}


def test_unknown_contract(world: World) -> None:
    """A record under a contract that nobody registered is refused with LAP-18."""
    case = Case().known(world)
    told = world.post(case.diary(), claims={"contract": "EI-OLE/9"})

    assert told.status_code == 202
    assert told.json()["outcome"] == "refused"
    assert "LAP-18" in {one["rule"] for one in told.json()["findings"]}


def test_same_record_again(world: World) -> None:
    """The same record again is 200, a duplicate with the same ticket, and makes nothing."""
    case = Case().known(world)
    first = world.post(case.diary())
    again = world.post(case.diary())

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["outcome"] == "duplicate"
    assert again.json()["ticket"] == first.json()["ticket"]


def test_same_record_at_once(world: World) -> None:
    """The same record from several connections at once is one record with one ticket and one document."""
    case = Case().known(world)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: world.post(case.diary()), range(4)))

    assert sorted(one.status_code for one in told) == [200, 200, 200, 201]
    assert len({one.json()["ticket"] for one in told}) == 1


def test_idempotency_key(world: World) -> None:
    """A key once more gives the same ticket; with other content it is 409 and nothing is stored."""
    case = Case().known(world)
    key = {"Idempotency-Key": f"key-{case.number}"}
    first = world.post(case.diary(), headers=key)
    again = world.post(case.diary(), headers=key)
    before = world.counts()
    other = world.post(case.diary("2025-03-04"), headers=key)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json()["ticket"] == first.json()["ticket"]
    assert other.json()["code"] == "conflict"
    assert {k: v for k, v in world.counts().items() if k == "record"} == {"record": before["record"]}


def test_key_of_a_bad_record(world: World) -> None:
    """A key that came with a record that did not fit is free for the corrected one."""
    case = Case().known(world)
    key = {"Idempotency-Key": f"bad-{case.number}"}

    assert world.post(case.diary(hours="five"), headers=key).status_code == 422
    assert world.post(case.diary(), headers=key).status_code == 201


def test_key_of_a_changed_reference(world: World) -> None:
    """A repeat of an old call changes nothing, even where the same content sent anew would be news."""
    case = Case().known(world)
    key = {"Idempotency-Key": f"old-{case.number}"}
    staff = case.staff()
    world.post({**staff, "title": "ohjaaja"}, headers=key)
    world.post({**staff, "title": "valmentaja"})
    before = world.counts()["record"]
    again = world.post({**staff, "title": "ohjaaja"}, headers=key)

    assert again.status_code == 200
    assert world.counts()["record"] == before


def test_higher_version(world: World) -> None:
    """A higher version of an archived record becomes a replacement in the same set."""
    case = Case().known(world)
    first = world.post(case.diary()).json()["documents"][0]["oid"]
    archived(world, first)
    told = world.post(case.diary(version=2, tasks="Korjattu: koottiin kolme penkkiä."))
    assert told.status_code == 201, told.text
    second = told.json()["documents"][0]["oid"]
    known = {one["oid"]: one for one in world.get("/v1/documents", params={"limit": 1000}).json()["documents"]}

    assert told.json()["outcome"] == "replacement"
    assert known[second]["set"] == known[first]["set"]
    assert (known[first]["version"], known[second]["version"]) == (1, 2)


def test_dry_run_stores_nothing(world: World) -> None:
    """A dry run tells the outcome on every route and leaves every table as it was, but for its entry in the log."""
    case = Case().known(world)
    file = json.dumps(export(1, 2)).encode()
    before = world.settled()
    one = world.post(case.diary(), "/v1/records?dry_run=true")
    many = world.post(json.dumps(case.diary()).encode(), "/v1/records:batch?dry_run=true")
    whole = world.post(file, "/v1/imports?dry_run=true&source=lapha-json&purchaser=lapha")

    assert (one.status_code, many.status_code, whole.status_code) == (201, 200, 200)
    assert one.json()["outcome"] in {"accepted", "flagged"}
    assert json.loads(many.text)["outcome"] in {"accepted", "flagged"}
    assert whole.json()["totals"]["records"] > 0
    after, log = world.counts(), {"audit_entry", "audit_head", "audit_node"}
    assert {name: after[name] for name in after.keys() - log} == {name: before[name] for name in before.keys() - log}
    assert {one["subject"] for one in world.entries(before["audit_entry"] - 1)} == {"dry-run"}


def test_batch(world: World) -> None:
    """A batch has one result a line, in order; bad lines between good ones stop nothing."""
    case = Case()
    lines = [
        json.dumps(case.staff()).encode(), b'{"type": ', json.dumps(case.client()).encode(),
        json.dumps(case.diary(secret=MARKED)).encode(), b"", json.dumps(case.decision()).encode(),
        b'{"type":"staff","id":"\xff"}', json.dumps(case.diary()).encode(),
    ]  # fmt: skip
    told = world.post(b"\n".join(lines) + b"\n", "/v1/records:batch")
    rows = [json.loads(line) for line in told.text.splitlines()]

    assert told.status_code == 200
    assert [(row["line"], row["status"]) for row in rows] == [
        (1, 201), (2, 400), (3, 201), (4, 422), (6, 201), (7, 400), (8, 201)
    ]  # fmt: skip
    assert rows[3]["findings"][0]["pointer"] == "/secret"
    assert MARKED not in told.text
    assert len(rows[-1]["documents"]) == 1


def test_batch_of_someone_else(world: World) -> None:
    """A batch by a caller that may not deliver is refused as a whole, with one denial in the log."""
    after = world.last()
    told = world.post(b"{}\n{}\n{}\n", "/v1/records:batch", by=world.auditor)

    assert told.status_code == 403
    assert [one["event"] for one in world.entries(after)].count("request:deny") == 1


def test_import_of_a_file(world: World) -> None:
    """A provider's file is taken as a whole, and its result can be read again."""
    told = world.post(json.dumps(export(2, 3)).encode(), "/v1/imports?source=lapha-json&purchaser=lapha")
    assert told.status_code == 200, told.text
    again = world.get(f"/v1/imports/{told.json()['id']}")

    assert told.json()["totals"]["records"] == len(told.json()["records"]) > 6
    assert [one["ticket"] for one in again.json()["records"]] == [one["ticket"] for one in told.json()["records"]]
    assert again.json()["figures"]


def test_import_of_a_transaction(world: World) -> None:
    """A server's transaction Bundle is taken as a file is: each entry has its result, and a repeat is a repeat."""
    entries = [
        {"fullUrl": f"urn:uuid:{number}", "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for number, one in enumerate([*bundles.BASE, bundles.encounter("e1", "2022-10-05")])
    ]
    entries.append({"request": {"method": "DELETE", "url": "Encounter/e2"}})
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    path, form = "/v1/imports?source=fhir-bundle&purchaser=paijat-hame", {"Content-Type": "application/fhir+json"}
    told, again = (world.post(body, path, by=world.coach, headers=form) for _ in range(2))
    wrong = world.post(body.replace(b'"transaction"', b'"searchset"'), path, by=world.coach, headers=form)

    assert (told.status_code, again.status_code, wrong.status_code) == (200, 200, 400), told.text
    assert {one["id"]: one["outcome"] for one in told.json()["records"]}["Encounter/e1"] == "accepted"
    assert [(one["rule"], one["pointer"]) for one in told.json()["findings"]] == [
        ("SRC-REQUEST", f"Bundle.entry[{len(entries) - 1}].request.method")
    ]
    assert set(again.json()["totals"]["by_outcome"]) == {"duplicate"}
    assert [one["rule"] for one in wrong.json()["findings"]] == ["SRC-BUNDLE"]


def test_import_for_another_provider(world: World) -> None:
    """A file that names another provider is 403, dry or not, and nothing of it is stored."""
    before, after = world.counts(), world.last()
    body = json.dumps(export(1, 1)).encode()
    for dry in ("false", "true"):
        path = f"/v1/imports?source=lapha-json&purchaser=lapha&dry_run={dry}"
        assert world.post(body, path, by=world.other).status_code == 403
    now = world.counts()

    assert [one["event"] for one in world.entries(after)][:2] == ["request:deny", "request:deny"]
    assert {k: v for k, v in now.items() if "audit" not in k} == {k: v for k, v in before.items() if "audit" not in k}


def test_import_that_cannot_be_read(world: World) -> None:
    """A file that is no JSON, or a source that nobody knows, stores nothing and is told without its content."""
    before = world.settled()
    cut = world.post(b'{"vienti": {"jarjestelma": "' + MARKED.encode(), "/v1/imports?source=lapha-json&purchaser=lapha")
    unknown = world.post(b"{}", f"/v1/imports?source={MARKED}&purchaser=lapha")

    assert (cut.status_code, unknown.status_code) == (400, 404)
    assert MARKED not in cut.text + unknown.text
    assert world.counts() == before


# reading


def test_own_things_only(world: World) -> None:
    """Another organisation sees nothing of a provider's records, and each try is in the log. [LOG-13]"""
    case = Case().known(world)
    told = world.post(case.diary()).json()
    taken = world.post(json.dumps(export(1, 1)).encode(), "/v1/imports?source=lapha-json&purchaser=lapha").json()
    oid, after = told["documents"][0]["oid"], world.last()
    tries = [
        ("GET", f"/v1/tickets/{told['ticket']}"), ("GET", f"/v1/imports/{taken['id']}"),
        ("GET", f"/v1/documents/{oid}"), ("POST", f"/v1/documents/{oid}:invalidate"),
    ]  # fmt: skip
    for method, path in tries:
        assert world.call(method, path, by=world.other).status_code == 404
    denied = [one for one in world.entries(after) if one["event"] == "request:deny"]

    assert len(denied) == len(tries)
    assert {one["actor"]["organisation"] for one in denied} == {OTHER}
    assert world.get("/v1/documents", world.other).json()["documents"] == []
    assert world.get("/v1/figures", world.other).json()["figures"] == {}
    assert world.get("/v1/deadlines", world.other).json()["deadlines"] == []
    assert world.get("/v1/completeness", world.other).json()["periods"] == {"judged": 0, "unknown": 0}


def test_no_audit_for_a_provider(world: World) -> None:
    """A provider's system may not read the log, its proofs or a client's report. [CLR-10]"""
    for path in (
        "/v1/audit/entries", "/v1/audit/checkpoint", "/v1/audit/proofs/inclusion/0",
        "/v1/audit/proofs/consistency?first=1", "/v1/clients/C-1/access-report",
    ):  # fmt: skip
        assert world.get(path).status_code == 403


def test_every_read_is_an_entry(world: World) -> None:
    """Whatever is read is in the log with who read it: 703/2023 §10. [LOG-01]"""
    case = Case().known(world)
    told = world.post(case.diary()).json()
    taken = world.post(json.dumps(export(1, 1)).encode(), "/v1/imports?source=lapha-json&purchaser=lapha").json()
    reads = [
        (f"/v1/tickets/{told['ticket']}", None, "record:read"), (f"/v1/imports/{taken['id']}", None, "record:read"),
        ("/v1/documents", None, "document:list"),
        (f"/v1/documents/{told['documents'][0]['oid']}", None, "document:read"),
        (f"/v1/figures?client={case.client_id}", None, "figures:read"),
        (f"/v1/deadlines?client={case.client_id}", None, "figures:read"),
        (f"/v1/completeness?client={case.client_id}", None, "figures:read"),
        (f"/v1/clients/{case.client_id}/access-report", world.supervisor, "audit:resolve"),
        ("/v1/audit/entries?limit=1", world.auditor, "audit:read"),
        ("/v1/audit/checkpoint", world.auditor, "audit:read"),
        ("/v1/audit/proofs/inclusion/0", world.auditor, "audit:read"),
        ("/v1/audit/proofs/consistency?first=1", world.auditor, "audit:read"),
    ]  # fmt: skip
    for path, by, event in reads:
        after = world.last()
        assert world.get(path, by).status_code == 200, path
        found = [one for one in world.entries(after) if one["event"] == event]
        assert found, path
        assert all(one["actor"]["organisation"] for one in found)
        assert all(one["controller"] and one["purpose"] in {"delivery", "audit", "log-supervision"} for one in found)


def test_figures_and_report(world: World) -> None:
    """Figures of one client are told, and who used the client's data, on which basis. [CLR-01, CLR-09]"""
    case = Case().known(world)
    world.post(case.diary())
    figures = world.get(f"/v1/figures?client={case.client_id}&explain=true").json()["figures"]
    law = world.get(f"/v1/figures?client={case.client_id}&national=true").json()
    report = world.get(f"/v1/clients/{case.client_id}/access-report", world.supervisor).json()

    assert set(figures) == {case.client_id}
    assert set(law) == {"national"}
    assert {one["event"] for one in report["rows"]} >= {"record:submit", "document:sign", "figures:read"}
    assert all(one["basis"] and one["person_name"] for one in report["rows"])


def test_deadlines_by_state_and_page(world: World) -> None:
    """Clocks are read on a day, by state and contract, page by page, in the language of the caller."""
    case = Case().known(world)
    base = f"/v1/deadlines?client={case.client_id}&as_of=2025-12-31&contract=lapha"
    whole = world.get(base).json()
    some = world.get(f"{base}&state=breached&state=open").json()
    first = world.get(f"{base}&limit=1").json()
    second = world.get(f"{base}&limit=1&after={first['next']}").json()

    assert whole["as_of"] == "2025-12-31"
    assert {one["client"] for one in whole["deadlines"]} == {case.client_id}
    assert [one for one in whole["deadlines"] if one["state"] in {"breached", "open"}] == some["deadlines"] != []
    assert (first["counts"], first["next"], second["next"]) == (whole["counts"], 1, 2)
    assert first["deadlines"] + second["deadlines"] == whole["deadlines"][:2]


@pytest.mark.parametrize("path", ["deadlines?state=late", "deadlines?as_of=2025-13-01", "deadlines?limit=0",
                                  "deadlines?after=-1", "completeness?as_of=soon"])  # fmt: skip
def test_a_deadline_is_asked_for_rightly(world: World, path: str) -> None:
    """A parameter that is none is a problem document with its finding; a contract that there is not is 404."""
    wrong = world.get(f"/v1/{path}")
    name = path.partition("?")[0]

    assert (wrong.status_code, wrong.json()["code"]) == (422, "parameter-invalid")
    assert [one["rule"] for one in wrong.json()["findings"]] == ["API-PARAMETER"]
    assert world.get(f"/v1/{name}?contract={MARKED}").status_code == 404
    assert MARKED not in world.get(f"/v1/{name}?contract={MARKED}").text


def test_proofs_hold(world: World) -> None:
    """An entry is proved to be in the tree of a checkpoint, and that tree to be the beginning of a later one."""
    old_size, old_root = checkpoint(world)
    Case().known(world)
    size, root = checkpoint(world)
    entry = world.entries(old_size - 2)[0]
    leaf = merkle.leaf_hash(world.cli("audit", "export").stdout.splitlines()[entry["idx"]].encode())
    included = world.get(f"/v1/audit/proofs/inclusion/{entry['idx']}?size={size}", world.auditor).json()
    grown = world.get(f"/v1/audit/proofs/consistency?first={old_size}&second={size}", world.auditor).json()

    assert merkle.is_included(leaf, entry["idx"], size, unpacked(included), root)
    assert merkle.is_consistent(old_size, size, old_root, root, unpacked(grown))
    assert not merkle.is_included(leaf, entry["idx"] + 1, size, unpacked(included), root)


def test_proofs_beyond_the_log(world: World) -> None:
    """A proof of what the log never had is 404, and one with impossible numbers is 422."""
    for path, status in (
        ("inclusion/2000000000", 404), ("consistency?first=2000000000", 404), ("inclusion/-1", 422),
        (f"inclusion/{10**30}", 422), ("consistency?first=0", 422),
    ):  # fmt: skip
        assert world.get(f"/v1/audit/proofs/{path}", world.auditor).status_code == status


def checkpoint(world: World) -> tuple[int, bytes]:
    """Size and root of a fresh checkpoint."""
    note = world.get("/v1/audit/checkpoint", world.auditor)
    assert note.status_code == 200
    _, size, root = note.text.split("\n")[:3]
    return int(size), base64.b64decode(root)


def unpacked(told: dict[str, Any]) -> list[bytes]:
    """The hashes of a proof."""
    return [base64.b64decode(one) for one in told["proof"]]


def test_description(world: World) -> None:
    """The OpenAPI document builds and names every route."""
    told = world.get("/v1/openapi.json")

    assert told.status_code == 200
    assert {"/v1/records", "/v1/records:batch", "/v1/imports", "/v1/tickets/{ticket}"} <= told.json()["paths"].keys()


def test_log_holds(world: World) -> None:
    """`audit verify` accepts the log of a serving installation."""
    world.post(Case().staff())

    assert world.cli("audit", "verify").returncode == 0


# the processes


def test_queue_full(tmp_path: Path) -> None:
    """With too many documents waiting intake answers 429 with Retry-After, and takes again once they are gone."""
    one = World(tmp_path, "--no-worker", KANTA_MAX_QUEUE_DEPTH="1")
    try:
        case = Case().known(one)
        assert one.post(case.diary()).status_code == 201
        before = one.counts()
        full = one.post(case.diary("2025-03-04"))
        assert full.status_code == 429
        assert int(full.headers["retry-after"]) > 0
        assert one.counts() == before
        one.served.stop()
        one.served = Served(one.cli, tmp_path / "both.txt")
        one.http.base_url = httpx.URL(one.served.url)
        wait_for(lambda: one.post(case.diary("2025-03-04")).status_code == 201)
    finally:
        one.close()


@pytest.fixture
def bare(tmp_path: Path, archive: Archive) -> Iterator[Served]:
    """`serve` on a fresh data folder."""
    one = Served(Cli(tmp_path / "data", KANTA_ARCHIVE_URL=archive.url), tmp_path / "serve.txt")
    yield one
    if one.process.poll() is None:
        one.stop()


def test_both_end_on_sigterm(bare: Served) -> None:
    """API and worker are two processes; SIGTERM ends both with exit code 0, and all they told is where to ask."""
    children = bare.children()
    assert len(children) == 2

    assert bare.stop() == 0
    assert not any(Path(f"/proc/{number}").exists() for number in children.values())
    told = bare.output.read_text("utf-8").splitlines()
    assert [f"API on {bare.url} "] == [line.partition("(")[0] for line in told]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_one_dies(bare: Served, name: str) -> None:
    """If one of the two dies the other is stopped too, and the exit code tells."""
    children = bare.children()
    os.kill(children[name], signal.SIGKILL)

    assert bare.process.wait(40) == 1
    assert not any(Path(f"/proc/{number}").exists() for number in children.values())


def test_parent_killed(bare: Served) -> None:
    """If the process that started them is killed, API and worker end by themselves."""
    children = bare.children()
    bare.process.kill()
    bare.process.wait(10)

    wait_for(lambda: not any(_is_running(number) for number in children.values()))


def _is_running(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text("ascii")
    except FileNotFoundError:
        return False


def test_language_of_the_command_line(tmp_path: Path) -> None:
    """A failed command tells its findings in the language asked for."""
    cut = tmp_path / "cut.json"
    cut.write_text('{"vienti": ', "utf-8")
    cli = InProcess(tmp_path / "data", KANTA_SIGNING_ALGORITHM="p-256")
    told = {
        language: cli("import", cut, "--source", "lapha-json", "--purchaser", "lapha", "--lang", language)
        for language in ("fi", "sv", "en")
    }

    assert {one.returncode for one in told.values()} == {1}
    assert "ei voi lukea JSON-muotoisena" in told["fi"].stderr
    assert "kan inte läsas som JSON" in told["sv"].stderr
    assert "cannot be read as JSON" in told["en"].stderr
