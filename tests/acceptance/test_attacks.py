"""Attacks on the entrance and on what lies behind it, each done for real: what is seen, and by whom.

The attacker has an overheard call, a stolen or revoked key, another organisation's valid one, or the disk.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import event as listening
from tests.calling import Line, System
from tests.installations import SAMPLE, installation, take

from kanta_gateway.access.limits import Limits
from kanta_gateway.access.statements import Statement
from kanta_gateway.audit import report
from kanta_gateway.errors import GatewayError, NotFoundError, NotPermittedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Decision, Event, Oid
from kanta_gateway.pipeline.guard import Guard
from kanta_gateway.spool import store
from kanta_gateway.web import application, service_of

PROVIDER, ORGANISER = "1.2.246.10.94005128.10.0", "1.2.246.10.94006007.10.0"
OTHER, OTHER_ORGANISER = "1.2.246.10.94005557.10.0", "1.2.246.10.94006015.10.0"
MARKED = "Salaista-Q7XW"
NOBODY = "00000000-0000-4000-8000-000000000000"


class Scene:
    """Two purchasers in one installation, each with a provider; one has delivered."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.settings = folder, settings
        self.gateway = installation(folder, **settings)
        self.rows = take(self.gateway, [SAMPLE])
        with self.gateway.parts.database.reading() as tx:
            first = store.listed(tx, limit=1)[0]
        assert (first.provider, first.organiser) == (PROVIDER, ORGANISER)
        self.oid = first.oid
        self.gateway.registration.register_party(OTHER, "Toinen ry", OTHER_ORGANISER, "Toinen alue", "T/2", "heinola")
        self.own = System(PROVIDER, "provider-system").registered(self.gateway)
        self.other = System(OTHER, "provider-system").registered(self.gateway)
        self.line, self.service = Line(self.gateway), service_of(self.gateway)

    @property
    def ticket(self) -> str:
        """Of the record that the document was made of."""
        return next(
            str(row["ticket"]) for row in self.rows if self.oid in {one["oid"] for one in row["documents"]}
        )  # fmt: skip

    def size(self) -> int:
        """How many entries there are."""
        with self.gateway.parts.database.reading() as tx:
            return len(report.entries(tx, self.gateway.parts.log.seals, report.Filter(limit=100_000)))

    def denied(self, after: int) -> list[dict[str, Any]]:
        """Denials since."""
        with self.gateway.parts.database.reading() as tx:
            found = report.entries(tx, self.gateway.parts.log.seals, report.Filter(limit=100_000))
        return [one for one in found if int(one["idx"]) >= after and one["event"] == Event.REQUEST_DENY.value]

    def refused(self, make: Callable[[], str]) -> str:
        """A call that nobody is let in by: the check that failed is told, and nothing of the assertion."""
        told = self.line(make(), "GET", "/v1/documents")
        assert told.status_code == 401, told.text
        assert MARKED not in told.text
        with pytest.raises(GatewayError) as caught:
            self.service.identify(make())
        return str(caught.value)

    def at(self, moment: datetime) -> None:
        """Set the gateway's clock."""
        object.__setattr__(self.gateway.parts, "clock", lambda: moment)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A fresh installation."""
    one = Scene(tmp_path / "data")
    yield one
    one.gateway.close()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An installation for attacks that leave nothing behind but entries."""
    one = Scene(tmp_path_factory.mktemp("calm") / "data")
    yield one
    one.gateway.close()


# assertions


def unsigned(headers: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """An assertion written by hand: without a signature, or with a keyed hash as one."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in (headers, claims)]
    mac = hmac.digest(secret, ".".join(parts).encode(), "sha256") if secret is not None else b""
    return ".".join([*parts, base64.urlsafe_b64encode(mac).decode().rstrip("=")])


def claims_of(system: System, **changes: Any) -> dict[str, Any]:
    """What a good assertion of a system says, changed."""
    good = jwt.decode(system.token(person_name=MARKED), options={"verify_signature": False})
    return {**good, **changes}


def signed(system: System, **changes: Any) -> str:
    """An assertion that the system itself has signed."""
    headers = {"x5t#S256": system.thumbprint}
    return jwt.encode(claims_of(system, **changes), system.key, "ES256", headers=headers)


FORGED: dict[str, tuple[Callable[[Scene], str], str]] = {
    "of a system that nobody registered": (lambda _: System(PROVIDER, "provider-system").token(), "not registered"),
    "signed by another key": (
        lambda scene: jwt.encode(
            claims_of(scene.own), scene.other.key, "ES256", headers={"x5t#S256": scene.own.thumbprint}
        ), "signature"),
    "alg none": (
        lambda scene: unsigned({"x5t#S256": scene.own.thumbprint, "alg": "none"}, claims_of(scene.own), None),
        "algorithm"),
    "public key as a shared secret": (
        lambda scene: unsigned(
            {"x5t#S256": scene.own.thumbprint, "alg": "HS256"}, claims_of(scene.own), scene.own.pem.encode()
        ), "algorithm"),
    "with a key of its own": (
        lambda scene: jwt.encode(
            claims_of(scene.own), scene.other.key, "ES256", headers={
                "x5t#S256": scene.own.thumbprint, "jwk": {"kty": "EC"}, "x5c": [scene.other.pem], "kid": "x",
            },
        ), "signature"),
    "changed on its way": (
        lambda scene: ".".join([(one := scene.own.token().split("."))[0], one[1][:-6] + "AAAAAA", one[2]]),
        "signature"),
    "for another audience": (lambda scene: signed(scene.own, aud="another-gateway"), "audience"),
    "expired": (lambda scene: scene.own.token(datetime.now(UTC) - timedelta(seconds=301)), "expired"),
    "for a year": (lambda scene: signed(scene.own, exp=int(datetime.now(UTC).timestamp()) + 31_536_000), "longer"),
    "not valid yet": (lambda scene: scene.own.token(datetime.now(UTC) + timedelta(seconds=60)), "not valid yet"),
    "for an organisation that is not its own": (lambda scene: signed(scene.other, org=PROVIDER), "organisation"),
    "with a name of a megabyte": (lambda scene: signed(scene.own, name=MARKED * 80_000), "too long"),
    "with a name of 257 characters": (lambda scene: signed(scene.own, name="x" * 257), "name is too long"),
    "with a hundred claims more": (
        lambda scene: signed(scene.own, **{f"c{number}": "x" * 100 for number in range(100)}), "too long"),
    "with lines of a log": (
        lambda scene: signed(scene.own, name='x"}\n{"event":"document:read"'), "control characters"),
    "with colours for a terminal": (lambda scene: signed(scene.own, purpose="\x1b[2J"), "control characters"),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(FORGED))
def test_a_forged_assertion_is_refused(calm: Scene, kind: str) -> None:
    """The caller hears 401 and which check failed, nothing of the assertion is repeated, and nothing is done.

    All that the log gets is that calls did not hold, by reason. [ACC-01, LOG-13]
    """
    make, why = FORGED[kind]
    after = calm.size()

    assert why in calm.refused(lambda: make(calm))
    assert {one["subject"] for one in calm.denied(after)} <= {"authenticate"}
    assert len(calm.denied(after)) == calm.size() - after


def test_an_overheard_assertion_is_used_once(scene: Scene) -> None:
    """Who replays a call hears 401 in every process, also under another spelling of the signature; the log tells once.

    [ACC-01]
    """
    token = scene.own.token()
    head, body, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = raw[:32], int.from_bytes(raw[32:])
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2): (r, n-s) holds too
    twin = base64.urlsafe_b64encode(r + (order - s).to_bytes(32)).decode().rstrip("=")
    second = installation(scene.folder)  # another process of the API has its own memory and the same database
    try:
        first = scene.line(token, "GET", "/v1/documents")
        again = [
            line(one, "GET", "/v1/documents")
            for line in (scene.line, Line(second))
            for one in (token, f"{head}.{body}.{twin}")
        ]  # fmt: skip
    finally:
        second.close()
    denied = scene.denied(0)

    assert [200, 401, 401, 401, 401] == [first.status_code, *(one.status_code for one in again)]
    assert all("used before" in one.json()["detail"] or "authenticated" in one.text for one in again)
    assert [(one["actor"]["organisation"], one["details"]["reasons"]) for one in denied] == [
        (PROVIDER, ["assertion: it was used before; sign a new one for each call"])
    ]


def test_a_replay_under_a_clock_that_was_set_back(scene: Scene) -> None:
    """An assertion that was used stays used when the gateway's clock is set back, and while others come and go."""
    token, now = scene.own.token(), datetime.now(UTC)
    service = service_of(scene.gateway)
    service.identify(token)
    scene.at(now + timedelta(minutes=10))
    service.identify(scene.own.token(now + timedelta(minutes=10)))
    scene.at(now)

    assert "used before" in scene.refused(lambda: token)


def test_a_revoked_system_that_is_still_valid(scene: Scene) -> None:
    """A system whose certificate is valid and revoked hears 401 at its next call, and the log tells who called.

    [ACC-01]
    """
    assert scene.line(scene.own.token(), "GET", "/v1/documents").status_code == 200
    scene.gateway.registration.revoke_system(scene.own.thumbprint)
    after = scene.size()
    told = scene.line(scene.own.token(), "GET", "/v1/documents")

    assert told.status_code == 401
    assert [one["actor"]["system"] for one in scene.denied(after)] == [f"system of {PROVIDER}"]


class Issuer:
    """Somebody who issues certificates of calling systems, and revokes them."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer")])
        self.certificate = self.issue(self.key.public_key(), 1)

    def issue(self, key: ec.EllipticCurvePublicKey, number: int) -> x509.Certificate:
        """A certificate."""
        subject = self.name if number == 1 else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "records")])
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key)
        now = datetime.now(UTC)
        made = made.serial_number(number).not_valid_before(now - timedelta(days=9))
        return made.not_valid_after(now + timedelta(days=9)).sign(self.key, SHA256())

    def revoking(self, *numbers: int, until: timedelta = timedelta(days=1)) -> bytes:
        """The list with these numbers, and the issuer's certificate."""
        now = datetime.now(UTC)
        made = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(now - timedelta(hours=2))
        made = made.next_update(now + until)
        for one in numbers:
            gone = x509.RevokedCertificateBuilder().serial_number(one).revocation_date(now - timedelta(hours=1))
            made = made.add_revoked_certificate(gone.build())
        signed_ = made.sign(self.key, SHA256()).public_bytes(Encoding.PEM)
        return signed_ + self.certificate.public_bytes(Encoding.PEM)


def test_a_certificate_on_its_issuers_list(tmp_path: Path) -> None:
    """A system that its issuer has revoked is refused as soon as the list is renewed, without a new start.

    [ACC-01]
    """
    issuer, file = Issuer(), tmp_path / "lists.pem"
    file.write_bytes(issuer.revoking(7))
    scene = Scene(tmp_path / "data", caller_crl_file=str(file))
    scene.own.certificate = issuer.issue(scene.own.key.public_key(), 8)
    scene.own.pem = scene.own.certificate.public_bytes(Encoding.PEM).decode()
    scene.own.registered(scene.gateway)
    before = scene.line(scene.own.token(), "GET", "/v1/documents")
    file.write_bytes(issuer.revoking(7, 8))
    revoked, after = scene.refused(scene.own.token), scene.size()
    file.write_bytes(issuer.revoking(until=timedelta(hours=-1)))
    old = scene.refused(scene.own.token)
    file.write_bytes(b"x")
    unreadable = scene.refused(scene.own.token)
    denied = scene.denied(0)
    scene.gateway.close()

    assert (200, after) == (before.status_code, scene_size_of(denied, after))
    assert "its issuer has revoked" in revoked
    assert "out of date" in old
    assert "out of date" in unreadable  # what was read last still counts
    assert {one["actor"]["organisation"] for one in denied} == {PROVIDER}


def scene_size_of(denied: list[dict[str, Any]], after: int) -> int:
    """The size that was seen, if the revoked system's call is an entry below it."""
    return after if any(int(one["idx"]) < after for one in denied) else -1


# persons and relationships


def person(**changes: Any) -> Statement:
    """The person that uses the provider's system, as its organisation registers it."""
    body = {"person_id": "T-1", "organisation": PROVIDER, "role": "provider-system", "name": "Erkki Esimerkki"}
    return Statement("person", {**body, **changes}, "2020-01-01")


def test_a_person_whose_role_ended_an_hour_ago(scene: Scene) -> None:
    """A person whose role ended an hour ago hears 403 and why; the log tells who, and a colleague goes on.

    [ACC-04, ACC-07]
    """
    now = datetime.now(UTC)
    operator = scene.gateway.actor(None, None, None)
    scene.gateway.party_book.state([person(), person(person_id="T-2")], operator)
    before = scene.line(scene.own.token(), "GET", f"/v1/documents/{scene.oid}")
    today = now.astimezone().date()
    scene.gateway.party_book.end(person().key, today, operator, now - timedelta(hours=1))
    after = scene.size()
    told = [scene.line(scene.own.token(), "GET", f"/v1/documents/{one}") for one in (scene.oid, "1.2.3")]
    colleague = scene.line(scene.own.token(person_id="T-2"), "GET", f"/v1/documents/{scene.oid}")

    assert [200, 403, 403, 200] == [one.status_code for one in (before, *told, colleague)]
    assert {"ACC-04"} <= {one["rule"] for one in told[0].json()["findings"]}
    assert told[0].content == told[1].content  # who is out learns nothing of what there is
    assert 2 == len(scene.denied(after))


def test_a_role_ends_at_a_moment_and_nothing_else_does(scene: Scene) -> None:
    """Until the moment a person acts, from then on not; a contract ends with a day."""
    now, operator = datetime.now(UTC), scene.gateway.actor(None, None, None)
    scene.gateway.party_book.state([person()], operator)
    scene.gateway.party_book.end(person().key, now.date(), operator, now + timedelta(minutes=5))
    service, caller = service_of(scene.gateway), who(scene.own)
    service.office.document(scene.oid, caller)
    scene.at(now + timedelta(minutes=6))
    with pytest.raises(NotPermittedError):
        service.office.document(scene.oid, caller)
    contract = scene.gateway.party_book.on(operator, None, None, "contract")["register"][0]
    with pytest.raises(GatewayError, match="only a person's role"):
        scene.gateway.party_book.end(contract["key"], now.date(), operator, now)


def who(system: System, **changes: Any) -> Caller:
    """The caller that a system's assertion makes."""
    told = Caller(
        f"system of {system.organisation}", Oid(system.organisation), "T-1", "Erkki Esimerkki", system.role,
        system.claims["purpose"],
    )  # fmt: skip
    return replace(told, **changes)


class Meanwhile(Guard):
    """Lets something happen right after the first decision, as if another process had done it."""

    happens: Callable[[], object] | None = None

    def decide(self, *given: Any, **more: Any) -> Decision:
        """As the guard does; then something happens."""
        told = super().decide(*given, **more)
        if self.happens is not None and more.get("tx") is None:
            act, self.happens = self.happens, None
            act()
        return told


def test_a_right_that_ends_mid_request(scene: Scene) -> None:
    """A contract that ends between the question and the read denies the read: nothing is given, the log tells.

    [ACC-03, CTL-14]
    """
    gateway, operator = scene.gateway, scene.gateway.actor(None, None, None)
    key = gateway.party_book.on(operator, None, None, "contract")["register"]
    mine = next(one["key"] for one in key if one["processor"] == PROVIDER)
    guard = Meanwhile(gateway.parts, gateway.office._policy)
    gateway.office.guard = guard
    yesterday = (datetime.now(UTC) - timedelta(days=2)).date()
    service, caller, after = service_of(gateway), who(scene.own), scene.size()
    for ask in (
        partial(service.office.document, scene.oid, caller), partial(service.ticket, scene.ticket, caller, "en")
    ):  # fmt: skip
        guard.happens = partial(gateway.party_book.end, mine, yesterday, operator)
        with pytest.raises(NotPermittedError):
            ask()
        gateway.party_book.end(mine, datetime(2099, 1, 1, tzinfo=UTC).date(), operator)
    with gateway.parts.database.reading() as tx:
        read = [
            one
            for one in report.entries(tx, gateway.parts.log.seals, report.Filter(limit=100_000))
            if int(one["idx"]) >= after
        ]

    assert ["document:read", "record:read"] == [one["subject"] for one in scene.denied(after)]
    assert {"document:read", "record:read"}.isdisjoint({one["event"] for one in read})


# another's things


def addresses(scene: Scene) -> dict[str, tuple[str, str, str]]:
    """Method, address of a thing that there is, and of one that there is not."""
    notice = scene.gateway.notice_board.list(scene.gateway.actor(None, None, None), None, 0, 1, "en")["notices"][0][
        "id"
    ]
    with scene.gateway.parts.database.reading() as tx:
        delivery = tx.exec_driver_sql("SELECT id FROM delivery").scalar_one()
    return {
        "document": ("GET", f"/v1/documents/{scene.oid}", f"/v1/documents/{scene.oid}1"),
        "invalidation": ("POST", f"/v1/documents/{scene.oid}:invalidate", "/v1/documents/1.2.3:invalidate"),
        "ticket": ("GET", f"/v1/tickets/{scene.ticket}", f"/v1/tickets/{NOBODY}"),
        "allowing": ("POST", f"/v1/tickets/{scene.ticket}:allow", f"/v1/tickets/{NOBODY}:allow"),
        "delivery": ("GET", f"/v1/imports/{delivery}", f"/v1/imports/{NOBODY}"),
        "findings": ("POST", f"/v1/imports/{delivery}/findings", f"/v1/imports/{NOBODY}/findings"),
        "notice": ("GET", f"/v1/notices/{notice}", f"/v1/notices/{NOBODY}"),
        "acknowledging": ("POST", f"/v1/notices/{notice}:acknowledge", f"/v1/notices/{NOBODY}:acknowledge"),
    }  # fmt: skip


BODY = orjson.dumps({"reason": "the service needs it", "answers": []})


@pytest.mark.parametrize("role", ["provider-system", "purchaser-official", "purchaser-it", "auditor", "nobody"])
def test_missing_and_anothers_are_told_alike(calm: Scene, role: str) -> None:
    """Another provider's or purchaser's people, IT included, get the same answer for a thing and for none at all.

    Status, body and headers are the same, each try has its entry, and the entry repeats nothing of the address.
    [LOG-13, ACC-07]
    """
    organisation = OTHER if role == "provider-system" else OTHER_ORGANISER
    system = System(organisation, role, purpose="supervision").registered(calm.gateway)
    for method, there, missing in addresses(calm).values():
        after = calm.size()
        first, second = (calm.line(system.token(), method, one, content=BODY) for one in (there, missing))
        denied = calm.denied(after)

        assert first.status_code in {403, 404}, there
        assert first.status_code == second.status_code, there
        assert (first.content, dict(first.headers)) == (second.content, dict(second.headers)), there
        assert 2 == len(denied), there
        assert NOBODY not in str(denied)


KEYED = frozenset({"encrypt", "decrypt", "hmac_new", "hmac_digest", "hmac_update", "sign", "verify", "derive"})
"""What the libraries call their operations with keys."""


VALUE = re.compile(r"X?'(?:[^']|'')*'|\b\d+\b")
"""What the database is given in a statement."""


class Recorder:
    """Records every statement that reaches the database and every operation with a key of what runs in this thread."""

    def __init__(self, gateway: Gateway) -> None:
        self.seen: list[str] = []
        listening.listen(gateway.parts.database.engine, "checkout", self._lent)

    def _lent(self, connection: Any, *_rest: Any) -> None:
        connection.set_trace_callback(self._statement)

    def _statement(self, statement: str) -> None:
        self.seen.append(VALUE.sub("?", statement))

    def _called(self, _frame: Any, kind: str, what: Any) -> None:
        name = getattr(what, "__name__", "")
        if kind == "c_call" and (name in KEYED or name.startswith("hmac")):
            self.seen.append(f"key: {name}")

    def of(self, work: Callable[[], object]) -> list[str]:
        """What some work that is refused did."""
        self.seen.clear()
        sys.setprofile(self._called)
        try:
            with pytest.raises(NotFoundError):
                work()
        finally:
            sys.setprofile(None)
        return list(self.seen)


def tries(
    gateway: Gateway, scene: dict[str, tuple[str, str, str]], caller: Caller
) -> dict[str, list[Callable[[], object]]]:
    """Each thing that is another's, and one that is not there, asked for by the use case itself."""
    service = service_of(gateway)

    def name(address: str) -> str:
        return address.split("/")[3].partition(":")[0]

    ask: dict[str, Callable[[str], object]] = {
        "document": lambda one: service.office.document(one, caller),
        "invalidation": lambda one: service.office.invalidate(one, caller),
        "ticket": lambda one: service.ticket(one, caller, "en"),
        "allowing": lambda one: service.allow(one, BODY, caller, "en"),
        "delivery": lambda one: service.delivery(one, caller, "en"),
        "notice": lambda one: service.notice_board.get(one, caller),
        "acknowledging": lambda one: service.notice_board.acknowledge(one, caller),
    }  # fmt: skip
    return {kind: [partial(one, name(scene[kind][place])) for place in (1, 2)] for kind, one in ask.items()}


@pytest.mark.parametrize("role", ["provider-system", "purchaser-official"])
def test_missing_and_anothers_take_the_same_work(calm: Scene, tmp_path: Path, role: str) -> None:
    """Asking for another's thing and for none takes the same statements and the same operations with keys, in order.

    Two copies of one installation are asked, so that the log has the same length in both.
    """
    known = addresses(calm)
    system = calm.other if role == "provider-system" else System(OTHER_ORGANISER, role, purpose="supervision")
    caller = who(system)
    done: list[dict[str, list[str]]] = []
    for place in (0, 1):
        folder = tmp_path / str(place)
        shutil.copytree(calm.folder, folder)
        gateway = installation(folder)
        recorder = Recorder(gateway)
        asked = {kind: both[place] for kind, both in tries(gateway, known, caller).items()}
        if role == "purchaser-official":
            asked = {kind: one for kind, one in asked.items() if kind in {"notice", "acknowledging"}}  # all that it may
        done.append({kind: recorder.of(one) for kind, one in asked.items()})
        gateway.close()

    assert done[0] == done[1]
    assert all(any("INSERT INTO audit_entry" in one for one in seen) for seen in done[0].values())
    assert all(any(one.startswith("key: ") for one in seen) for seen in done[0].values())


OF_A = ("figures", "deadlines", "completeness", "figures?national=true")
"""What tells something of the sample's clients to the purchaser's own people."""


def test_figures_of_another_purchaser(scene: Scene) -> None:
    """Purchaser B's people see no figure, clock or document of purchaser A's clients, nor how many there are."""
    role = "purchaser-supervisor"
    system = System(OTHER_ORGANISER, role, purpose="supervision", contract="T/2").registered(scene.gateway)
    mine = System(ORGANISER, role, purpose="supervision", contract="T/1").registered(scene.gateway)
    client = next(
        iter(scene.gateway.office.figures(scene.gateway.actor(None, None, None), None, None, explain=False)["figures"])
    )
    for path in ("figures", "deadlines", "completeness", "figures?national=true", "figures/reconciliation"):
        told = scene.line(system.token(), "GET", f"/v1/{path}")
        one, none = (
            scene.line(system.token(), "GET", f"/v1/{path}{'&' if '?' in path else '?'}client={name}")
            for name in (client, "nobody")
        )  # fmt: skip

        assert (200, one.content) == (told.status_code, none.content), path
        assert client not in told.text, path
        assert (client in scene.line(mine.token(), "GET", f"/v1/{path}").text) == (path in OF_A), path
    assert {} == scene.line(system.token(), "GET", "/v1/figures").json()["figures"]


def test_a_report_about_another_purchasers_client(scene: Scene) -> None:
    """Purchaser B's supervisor of the log is told of no use of A's client, as of one that there is not. [CLR-10]"""
    auditor, mine = (
        System(one, "log-supervisor", purpose="log-supervision").registered(scene.gateway)
        for one in (OTHER_ORGANISER, ORGANISER)
    )
    one, none, own = (
        scene.line(who_.token(), "GET", f"/v1/clients/{name}/access-report")
        for who_, name in ((auditor, "A-1"), (auditor, "nobody"), (mine, "A-1"))
    )
    entries = scene.line(auditor.token(), "GET", "/v1/audit/entries?client=A-1").json()["entries"]

    assert [404, 404, 200] == [told.status_code for told in (one, none, own)]
    assert one.content == none.content
    assert own.json()["rows"]
    assert entries == []


def test_counts_and_names_tell_nothing(calm: Scene) -> None:
    """No call takes a name to search by or gives counts of everybody; a caller's list counts its own things only."""
    app = application(calm.gateway)
    parameters = {
        one["name"]
        for path in app.openapi()["paths"].values()
        for method in path.values()
        for one in method.get("parameters", ())
    }  # fmt: skip
    told = calm.line(calm.other.token(), "GET", "/v1/documents")

    assert {one for one in parameters if "name" in one or one in {"q", "query", "search", "birth", "code"}} == set()
    assert {one for one in app.openapi()["paths"] if "status" in one or "metric" in one} == set()
    assert told.json() == {"documents": [], "next": 0}


def test_an_idempotency_key_of_another_tenant(calm: Scene) -> None:
    """Another tenant's key, and even the same body, leads to no ticket of the one who used it first."""
    body = {"type": "provider", "id": OTHER, "name": "Toinen ry", "oid": OTHER, "registered": True, "units": []}
    headers = {"Idempotency-Key": "one-key"}
    system = System(PROVIDER, "provider-system").registered(calm.gateway)
    first = calm.line(
        system.token(), "POST", "/v1/records", json={**body, "id": PROVIDER, "oid": PROVIDER}, headers=headers
    )
    other = calm.line(calm.other.token(), "POST", "/v1/records", json=body, headers=headers)
    again = calm.line(calm.other.token(), "POST", "/v1/records", json=body, headers=headers)

    assert first.status_code in {200, 201, 202}, first.text
    assert other.status_code in {200, 201, 202}, other.text
    assert first.json()["ticket"] != other.json()["ticket"] == again.json()["ticket"]


def test_a_producer_reads_in_the_organisers_register(calm: Scene) -> None:
    """What a producer's system reads is use in the organiser's register: its log, its basis, its controller's name.

    [LOG-08, CTL-03, CTL-08, CTL-09]
    """
    after = calm.size()
    calm.line(calm.own.token(), "GET", f"/v1/documents/{calm.oid}")
    with calm.gateway.parts.database.reading() as tx:
        read = [
            one
            for one in report.entries(tx, calm.gateway.parts.log.seals, report.Filter(limit=100_000))
            if int(one["idx"]) >= after
        ]

    assert [(one["log"], one["controller"], one["provider"], one["basis"]) for one in read] == [
        ("use", ORGANISER, PROVIDER, "612/2021 §58.4; 703/2023 §14")
    ]


# much at once


def test_mass_reading_ends(scene: Scene) -> None:
    """Who reads more clients' data than the role's limit hears 429, in every process; the log tells; others go on.

    [LOG-11]
    """
    limits = Limits.load("minutes: 60\nreads: {provider-system: 5}\nothers: 1")
    object.__setattr__(scene.gateway.parts, "limits", limits)
    after = scene.size()
    told = [scene.line(scene.own.token(), "GET", f"/v1/documents/{scene.oid}").status_code for _ in range(7)]
    second = installation(scene.folder)
    object.__setattr__(second.parts, "limits", limits)
    elsewhere = Line(second)(scene.own.token(), "GET", "/v1/figures")
    second.close()
    colleague = scene.line(scene.own.token(person_id="T-2"), "GET", f"/v1/documents/{scene.oid}")
    now = datetime.now(UTC)
    scene.at(now + timedelta(minutes=62))
    later = scene.line(scene.own.token(now + timedelta(minutes=62)), "GET", f"/v1/documents/{scene.oid}")

    assert [200] * 5 + [429] * 2 == told
    assert (429, "too-many-reads") == (elsewhere.status_code, elsewhere.json()["code"])
    assert [200, 200] == [colleague.status_code, later.status_code]
    assert [["too many reads"]] * 3 == [one["details"]["reasons"] for one in scene.denied(after)]


# the disk


def test_the_disk_without_the_keys(tmp_path: Path) -> None:
    """Who has every file but the key folder opens no document, record, name or client, and signs no history."""
    keys = tmp_path / "keys"
    scene = Scene(tmp_path / "data", keys=str(keys))
    tickets = [row["ticket"] for row in scene.rows if row["documents"]]
    scene.gateway.close()
    stolen = installation(tmp_path / "data", keys=str(tmp_path / "others"))  # development makes new ones
    office, caller = stolen.office, stolen.actor(None, None, None)
    with pytest.raises(GatewayError):
        office.document(scene.oid, caller)
    with pytest.raises(GatewayError):
        stolen.documents.explain(scene.oid, caller)
    with pytest.raises(GatewayError):
        stolen.office.figures(caller, None, None, explain=True)
    told = stolen.trail.verify()
    stolen.close()
    with pytest.raises(GatewayError):
        installation(tmp_path / "data", keys=str(tmp_path / "none"), environment="production")

    assert tickets
    assert not told["holds"]


def test_what_the_caller_hears_is_the_same_in_every_language(calm: Scene) -> None:
    """A refusal of an assertion has a text in each language, and none repeats the assertion."""
    headers = [{"Accept-Language": one} for one in ("fi", "sv", "en")]
    told: list[httpx.Response] = [
        calm.line(signed(calm.own, aud=MARKED), "GET", "/v1/documents", headers=one) for one in headers
    ]

    assert {401} == {one.status_code for one in told}
    assert 3 == len({one.json()["title"] for one in told})
    assert MARKED not in "".join(one.text for one in told)
