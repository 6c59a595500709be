"""Notices from record to recipient: made, handed over once, corrected, logged, and told to nobody else."""

from __future__ import annotations

import hmac
import json
import socketserver
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from tests.acceptance.test_every_kind import CALLER, World
from tests.calling import Fresh
from tests.installations import installation
from tests.logs import opened
from tests.processes import InProcess
from tests.small_export import PROVIDER, identity_code

from kanta_gateway.access.statements import read
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError, NotPermittedError
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.notices.channels import Caller as Ways
from kanta_gateway.notices.channels import Channels
from kanta_gateway.outward import Outward
from kanta_gateway.pipeline.announce import Announcer
from kanta_gateway.pipeline.deadlines import Asked
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.web import application, service_of

ORGANISER = "1.2.246.10.94006007.10.0"
DAY = datetime(2025, 10, 10, 9, tzinfo=UTC)
OFFICIAL = replace(CALLER, organisation=Oid(ORGANISER), role="purchaser-official", purpose="supervision")
NARRATIVE = "Kuumetta ja yskää, lääkäri epäilee influenssaa"
HOOK = "https://county.example/notices"
CALLED = "https://11.0.0.1/notices"
"""The same, by the address that the host has in these tests."""
SECRET = b"a secret of at least thirty-two bytes"
NAMES = ("Rautiola", "Sampo", "120685", "2025-10-08", "absence", "poissaolo")


class Office(World):
    """One client in rehabilitative work, and a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.gateway = installation(folder / "data")
        self.gateway.registration.register_party(PROVIDER, "Paja ry", ORGANISER, "Alue", "NAYTE/1/2025", "lapha")
        self._service = service_of(self.gateway)
        self.at(DAY)
        self.post({"type": "staff", "id": "H1", "surname": "Kurkela", "given_names": "Anneli", "title": "sosionomi"})
        self.client(version=1)
        self.post({
            "type": "decision", "id": "P-KT", "client": "KT", "made_on": "2025-08-20", "starts_on": "2025-09-01",
            "service": "Kuntouttava työtoiminta", "product_number": 1, "ends_on": "2025-11-28", "days_per_week": 3,
            "hours_per_day": 5, "remote_max_percent": 15, "unit": "1.2.246.10.94005128.10.7",
        })  # fmt: skip

    def at(self, moment: datetime) -> None:
        """It is now this moment."""
        object.__setattr__(self.gateway.parts, "clock", lambda: moment)

    def absence(self, **other: Any) -> dict[str, Any]:
        """Deliver an absence of a client in rehabilitative work."""
        return self.post({
            "type": "absence", "id": "PO-1", "client": "KT", "date": "2025-10-08", "reason": "sairaus",
            "description": NARRATIVE, "permitted": True, "recorder": "H1", **other,
        })  # fmt: skip

    def incident(self, **other: Any) -> dict[str, Any]:
        """Deliver an incident."""
        return self.post({
            "type": "incident", "id": "V-1", "occurred_on": "2025-10-08", "kind": "near_miss",
            "description": "Kuorma kaatui hyllystä.", **other,
        })  # fmt: skip

    def client(self, **other: Any) -> dict[str, Any]:
        """Deliver the client in rehabilitative work again, with something more."""
        return self.post({
            "type": "client", "id": "KT", "version": 2, "surname": "Rautiola", "given_names": "Sampo",
            "non_disclosure": False, "identity_code": identity_code(1), "responsible_worker": "H1",
            "substitute_worker": "H2", **other,
        })  # fmt: skip

    def listed(self, name: str = "absence-to-payer", caller: Caller = CALLER) -> list[dict[str, Any]]:
        """Notices of one type, without content."""
        found = self.gateway.notice_board.list(caller, None, "", 100, "fi")["notices"]
        return [one for one in found if one["type"] == name]

    def hand_over(self, id_: str, caller: Caller = CALLER, recipient: str = "kela", **more: Any) -> dict[str, Any]:
        """One notice to its recipient; what it tells."""
        told, _ = self.gateway.notice_board.get(id_, caller, recipient=recipient, **more)
        self.gateway.desk.finish(CALLER)
        return told

    def entries(self, event: Event) -> list[dict[str, Any]]:
        """Entries of one event."""
        return opened(self.gateway, event)

    def announcer(self, answer: Callable[[httpx.Request], httpx.Response], **channel: Any) -> Announcer:
        """Calls the purchaser's webhook, which answers as told."""
        recipient = {"kind": "purchaser", "webhook": {"url": HOOK, "secret_file": "secret"}, **channel}
        channels = Channels.load(json.dumps({"recipients": [recipient]}), lambda _: SECRET, is_production=True)
        ways = Ways(transport=httpx.MockTransport(answer), outward=Outward(look=lambda *_: ["11.0.0.1"]))
        return Announcer(self.gateway.parts, channels, ways, replace(CALLER, role="operator"), 60.0)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """One installation; whatever a test does there, log and tables tell the same afterwards."""
    one = Office(tmp_path)
    yield one
    unmatched = one.gateway.trail.verify(reconcile=True)["unmatched"]
    one.gateway.close()
    assert unmatched == []


# made and handed over


def test_notice_on_behalf_of_the_county(office: Office) -> None:
    """The payer's notice is given on the county's behalf, on its request, with a category and no diagnosis."""
    office.absence()
    (waiting,) = office.listed()
    told = office.hand_over(waiting["id"])

    assert (told["on_behalf_of"], told["basis"], told["form"]) == ("Alue", "48/2026 §45.1(1)", "TT3")
    assert told["groups"] == {"absences": [{"first_day": "2025-10-08", "reason": "incapacity"}]}
    assert NARRATIVE not in json.dumps(told)
    assert told["standing_request"]


def test_disclosure_has_its_entry(office: Office) -> None:
    """Handing over is an entry of the disclosure log: recipient, basis, on whose behalf, purpose, which client.

    [LOG-03]
    """
    office.absence()
    office.hand_over(office.listed()[0]["id"], recipient="fund")
    (entry,) = office.entries(Event.NOTICE_DISCLOSE)

    assert (entry["log"], entry["recipient"], entry["basis"], entry["controller"]) == (
        "disclosure", "fund", "1290/2002 13:1", ORGANISER,
    )  # fmt: skip
    assert entry["details"]["on_behalf_of"] == ORGANISER
    assert entry["details"]["standing_request"]
    assert entry["client"] == office.gateway.parts.keyring.client(PROVIDER, "KT")


def test_client_is_told_of_it(office: Office) -> None:
    """A client's own report names the notice's recipient and basis (703/2023 §11). [CLR-01]"""
    office.absence()
    office.hand_over(office.listed()[0]["id"])
    office.at(datetime.now(UTC) + timedelta(minutes=1))
    rows = office.gateway.office.access_report(office.gateway.actor(None, None, None), "KT")["rows"]

    assert [(one["recipient"], one["basis"]) for one in rows if one["event"] == "notice:disclose"] == [
        ("kela", "48/2026 §45.1(1)")
    ]


def test_looking_is_not_handing_over(office: Office) -> None:
    """The provider can look at a notice: it waits on, and no disclosure is written down."""
    office.absence()
    (waiting,) = office.listed()
    office.hand_over(waiting["id"], recipient="", is_look=True)

    assert office.listed()[0]["state"] == "waiting"
    assert office.entries(Event.NOTICE_DISCLOSE) == []


def test_recipient_is_not_guessed(office: Office) -> None:
    """Without a known payer the notice goes to nobody until somebody names one; a known one needs no naming."""
    office.absence()
    (waiting,) = office.listed()
    with pytest.raises(ConflictError, match="name the recipient"):
        office.hand_over(waiting["id"], recipient="")
    with pytest.raises(ConflictError, match="name the recipient"):
        office.hand_over(waiting["id"], recipient="shop-steward")
    office.client(benefit_payer="fund")

    assert office.hand_over(waiting["id"], recipient="")["recipient"] == "fund"


def test_waiting_notice_follows_its_records(office: Office) -> None:
    """What comes new joins the notice that waits; what is cancelled leaves it, and an empty one is withdrawn."""
    office.absence()
    office.absence(id="PO-2", date="2025-10-09")

    assert [one["facts"] for one in office.listed()] == [2]

    office.absence(version=2, cancelled=True)

    assert [(one["facts"], one["state"]) for one in office.listed()] == [(1, "waiting")]

    office.absence(id="PO-2", date="2025-10-09", version=2, cancelled=True)

    assert [one["state"] for one in office.listed()] == ["withdrawn"]


def test_correction_refers_to_the_first(office: Office) -> None:
    """A changed absence makes a correcting notice that names the first; a cancelled one is taken back by another."""
    office.absence()
    first = office.listed()[0]["id"]
    office.hand_over(first)
    office.absence(version=2, reason="lapsen sairaus")
    correction = office.listed()[1]

    assert office.hand_over(correction["id"])["corrects"] == first

    office.absence(version=3, cancelled=True)
    told = office.hand_over(office.listed()[2]["id"])

    assert told["corrects"] == first
    assert told["groups"]["absences"] == [{"first_day": "2025-10-08", "reason": "child_illness", "change": "withdrawn"}]
    assert len(office.listed()) == 3


def test_same_fact_is_not_told_twice(office: Office) -> None:
    """Delivering the same absence again, or another version with the same to tell, makes no notice."""
    office.absence()
    office.hand_over(office.listed()[0]["id"])
    office.absence()
    office.absence(version=2, description="Sama päivä, muu sanamuoto.")

    assert len(office.listed()) == 1


def test_own_notice_counts_as_told(office: Office) -> None:
    """An absence that our own notice told within 14 days breaks no LAP-12, however late it is judged again."""
    ticket = office.absence()["ticket"]
    office.hand_over(office.listed()[0]["id"])
    office.at(datetime(2025, 12, 20, tzinfo=UTC))
    untold = office.absence(id="PO-2", date="2025-10-09")["ticket"]

    def rules(one: str) -> set[str]:
        return {finding["rule"] for finding in office.gateway.desk.ticket(one, "fi").told["findings"]}

    assert ("LAP-12" in rules(ticket), "LAP-12" in rules(untold)) == (False, True)


def test_told_too_late_is_flagged(office: Office) -> None:
    """Handing a notice over after the time has run out leaves LAP-12, as told late."""
    office.at(datetime(2025, 12, 20, tzinfo=UTC))
    ticket = office.absence()["ticket"]
    office.hand_over(office.listed()[0]["id"])
    found = office.gateway.desk.ticket(ticket, "fi").told["findings"]

    assert [one["kind"] for one in found if one["rule"] == "LAP-12"] == ["payer-told-late"]


# who may


def test_others_see_nothing(office: Office) -> None:
    """Another provider's, and another organiser's, notices are not there; who has no contract at all is refused.

    [LOG-13]
    """
    office.absence()
    id_ = office.listed()[0]["id"]
    others = (replace(CALLER, organisation=Oid("1.2.246.10.1.10.0")), replace(OFFICIAL, organisation=Oid("1.9")))
    for stranger in others:
        with pytest.raises(NotPermittedError):
            office.listed(caller=stranger)
    asked = len(office.entries(Event.REQUEST_DENY))
    office.gateway.registration.register_party("1.2.246.10.1.10.0", "Toinen ry", "1.9", "Kaupunki", "X-1", "heinola")
    for other in others:
        assert office.listed(caller=other) == []
        with pytest.raises(NotFoundError):
            office.hand_over(id_, other)

    assert [one["details"]["asked"] for one in office.entries(Event.REQUEST_DENY)][asked:] == ["notice:disclose"] * 2


def test_official_hands_over_what_is_the_countys(office: Office) -> None:
    """The shop steward's notice is the county's own: its official hands it over, the provider may not."""
    (waiting,) = office.listed("start-to-shop-steward")
    with pytest.raises(NotPermittedError):
        office.hand_over(waiting["id"], recipient="shop-steward")
    told = office.hand_over(waiting["id"], OFFICIAL, "shop-steward")

    assert told["given_by"] == "Alue"
    assert set(told["head"]) == {"client"}


@pytest.mark.parametrize("role", ["purchaser-it", "auditor", "nobody"])
def test_roles_without_the_right(office: Office, role: str) -> None:
    """Technical staff and auditors see no notices; the try is an entry of the log."""
    office.absence()
    with pytest.raises((NotPermittedError, NotFoundError)):
        office.hand_over(office.listed()[0]["id"], replace(OFFICIAL, role=role))

    assert office.entries(Event.REQUEST_DENY)


def test_acknowledged(office: Office) -> None:
    """A recipient can confirm what was handed over, and nothing else."""
    office.absence()
    id_ = office.listed()[0]["id"]
    with pytest.raises(ConflictError):
        office.gateway.notice_board.acknowledge(id_, CALLER)
    office.hand_over(id_)
    office.gateway.notice_board.acknowledge(id_, CALLER)

    assert office.listed()[0]["state"] == "acknowledged"


def test_yearly_notice_waits_for_its_year(office: Office) -> None:
    """The yearly notice of incidents is not handed over before the year is over."""
    office.incident()
    (yearly,) = office.listed("conduct-yearly")
    with pytest.raises(ConflictError, match="2026-01-01"):
        office.hand_over(yearly["id"], recipient="")
    office.at(datetime(2026, 1, 2, tzinfo=UTC))

    assert office.hand_over(yearly["id"], recipient="")["head"]["count"] == 1


def test_deadline_of_an_incident(office: Office) -> None:
    """What is due about an incident is among the deadlines, under no client, and a figure of none."""
    office.incident()
    asked = Asked(date(2025, 10, 10), "en", states=frozenset({ClockState.BREACHED, ClockState.OPEN}))
    found = office.gateway.office.deadlines(replace(CALLER, role="operator", system="local"), asked)["deadlines"]
    told = {(one["rule"], one["client"], one["due"]) for one in found if one["rule"] == "LAP-17"}

    assert told == {("LAP-17", None, "2025-10-09"), ("LAP-17", None, "2026-03-31")}

    office.hand_over(office.listed("incident-to-purchaser")[0]["id"], OFFICIAL, "")
    found = office.gateway.office.deadlines(replace(CALLER, role="operator", system="local"), asked)["deadlines"]

    assert {one["due"] for one in found if one["rule"] == "LAP-17"} == {"2026-03-31"}


def test_incident_names_clients_by_the_gateways_id(office: Office) -> None:
    """A notice of an incident holds the gateway's ids of clients, and its entry names no client."""
    ref = str(office.gateway.parts.keyring.client(PROVIDER, "KT"))
    office.incident(clients=[ref])
    told = office.hand_over(office.listed("incident-to-purchaser")[0]["id"], OFFICIAL, "")

    assert told["groups"] == {"incidents": [{"date": "2025-10-08", "kind": "near_miss", "clients": [ref]}]}
    assert "client" not in office.entries(Event.NOTICE_DISCLOSE)[0]


def test_production_needs_a_verified_request(office: Office) -> None:
    """Production hands nothing to an outsider on a standing request that nobody has verified."""
    office.absence()
    object.__setattr__(office.gateway.parts, "is_production", True)
    with pytest.raises(ConflictError, match="standing request"):
        office.hand_over(office.listed()[0]["id"])

    assert office.entries(Event.NOTICE_DISCLOSE) == []


# at rest


def test_content_is_sealed_and_goes(office: Office, tmp_path: Path) -> None:
    """A notice lies sealed in the database; its content goes after the grace period and a correction still comes."""
    office.absence()
    id_ = office.listed()[0]["id"]
    office.hand_over(id_)
    with sqlite3.connect(tmp_path / "data" / "gateway.db") as database:
        rows = database.execute("SELECT * FROM notice").fetchall()

    assert not any(word in repr(rows) for word in ("Rautiola", "incapacity", NARRATIVE))

    office.at(DAY + timedelta(days=31))

    assert destroy_spent(office.gateway.parts, replace(CALLER, role="operator"), 30)["notices"] == 1

    with pytest.raises(KeyUnavailableError):
        office.hand_over(id_)
    office.absence(version=2, reason="lapsen sairaus")

    assert office.listed()[1]["corrects"] == id_


# webhook and mail


@dataclass
class Seen:
    """What a recipient's system was called with."""

    requests: list[httpx.Request]
    statuses: list[int]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer with the next status, the last one for ever."""
        self.requests.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return httpx.Response(status, headers={"Location": "https://elsewhere.example/"})


def test_webhook_carries_the_notice_where_the_contract_says_so(office: Office) -> None:
    """The purchaser's webhook gets the notice with a signature that its secret verifies, and it counts as told."""
    office.incident()
    seen = Seen([], [200])
    office.announcer(seen).step()
    (request,) = seen.requests
    moment, _, digest = request.headers["Kanta-Signature"].removeprefix("t=").partition(",v1=")
    expected = hmac.new(SECRET, moment.encode() + b"." + request.content, sha256).hexdigest()

    assert (digest, str(request.url), request.headers["host"]) == (expected, CALLED, "county.example")
    assert orjson.loads(request.content)["groups"]["incidents"]
    assert office.listed("incident-to-purchaser")[0]["state"] == "delivered"
    assert [one["details"]["way"] for one in office.entries(Event.NOTICE_DISCLOSE)] == ["webhook"]


def test_failing_webhook_is_called_again(office: Office) -> None:
    """A webhook that fails is called again later with the very same notice, and the notice is frozen meanwhile."""
    office.incident()
    seen = Seen([], [500, 200])
    announcer = office.announcer(seen)
    announcer.step()
    office.incident(version=2, kind="accident")

    assert announcer.step() == 0
    assert office.listed("incident-to-purchaser")[0]["state"] == "sending"

    office.at(DAY + timedelta(seconds=5))
    announcer.step()
    first, second = (orjson.loads(one.content) for one in seen.requests[:2])

    assert first["groups"] == second["groups"]
    assert [one["state"] for one in office.listed("incident-to-purchaser")] == ["delivered", "waiting"]


def test_redirects_are_not_followed(office: Office) -> None:
    """Only the configured address is called; a redirect is a failure like any other answer but success."""
    office.incident()
    statuses = [301, 302, 307, 308, 404, 410, 429, 500]
    seen = Seen([], list(statuses))
    announcer = office.announcer(seen)
    for hour, _ in enumerate(statuses):
        office.at(DAY + timedelta(hours=hour))
        announcer.step()

    assert [str(one.url) for one in seen.requests] == [CALLED] * len(statuses)
    assert office.listed("incident-to-purchaser")[0]["state"] == "sending"


def test_announcement_holds_an_id_only(office: Office) -> None:
    """Where the contract allows no content the webhook gets an id; the notice waits and nothing is disclosed."""
    office.client(benefit_payer="kela")
    office.absence()
    office.at(DAY + timedelta(days=7))
    seen = Seen([], [200])
    announcer = office.announcer(seen, kind="kela")
    announcer.step()
    announcer.step()
    (waiting,) = office.listed()

    assert [orjson.loads(one.content) for one in seen.requests] == [{"id": waiting["id"], "waits": True}]
    assert waiting["state"] == "waiting"
    assert office.entries(Event.NOTICE_DISCLOSE) == []


def test_unknown_payer_is_not_called(office: Office) -> None:
    """Nobody is called about a notice whose recipient is not known."""
    office.absence()
    office.at(DAY + timedelta(days=7))
    seen = Seen([], [200])
    office.announcer(seen, kind="kela").step()

    assert seen.requests == []


def test_collected_before_it_is_sent(office: Office) -> None:
    """Absences are collected for a week before anybody is called; what was fetched meanwhile is not announced."""
    office.client(benefit_payer="kela")
    office.absence()
    seen = Seen([], [200])
    announcer = office.announcer(seen, kind="kela")

    assert announcer.step() == 0

    office.hand_over(office.listed()[0]["id"])
    office.at(DAY + timedelta(days=7))
    announcer.step()

    assert seen.requests == []


def test_nobody_is_called_without_a_channel(office: Office) -> None:
    """Without a channel nothing is queued, and nothing is held up."""
    office.incident()
    announcer = Announcer(
        office.gateway.parts, Channels(), Ways(), replace(CALLER, role="operator"), 60.0
    )  # fmt: skip

    assert announcer.step() == 0


class MailBox(socketserver.StreamRequestHandler):
    """A mail server that takes one mail and keeps it."""

    mails: list[str]

    def handle(self) -> None:
        """The little of RFC 5321 that a client needs."""
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (one := self.rfile.readline()) not in {b".\r\n", b""}:
                    lines.append(one.decode())
                self.mails.append("".join(lines))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


def test_mail_holds_no_client_data(office: Office) -> None:
    """A mail tells that something waits, with its id: no name, no day, not what it is about (HEL-16)."""
    office.incident()
    MailBox.mails = []
    with socketserver.TCPServer(("127.0.0.1", 0), MailBox) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stated = {
            "smtp": {"host": "127.0.0.1", "port": server.server_address[1], "sender": "gateway@county.example",
                     "tls": "none"},
            "recipients": [{"kind": "purchaser", "email": "registry@county.example"}],
        }  # fmt: skip
        channels = Channels.load(json.dumps(stated), lambda _: b"", is_production=False)
        caller = replace(CALLER, role="operator")
        Announcer(office.gateway.parts, channels, Ways(channels.mail), caller, 60.0).step()
        server.shutdown()
    mail = MailBox.mails[0]

    assert office.listed("incident-to-purchaser")[0]["id"] in mail
    assert not any(word in mail for word in (*NAMES, "near_miss", "incident", "Kuorma", "2025-10"))
    assert office.listed("incident-to-purchaser")[0]["state"] == "waiting"
    assert [one["log"] for one in office.entries(Event.NOTICE_ANNOUNCE)] == ["system"]


# the shells


@contextmanager
def served(office: Office) -> Iterator[httpx.Client]:
    """The API on a free port, and a client of it."""
    server = uvicorn.Server(uvicorn.Config(application(office.gateway), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    fresh = Fresh(lambda: office.gateway.development.assertion(None, None, None, "provider-system", ""))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Accept-Language": "sv"}, auth=fresh) as client:
        yield client
    server.should_exit = True
    thread.join(10)


def test_over_http(office: Office) -> None:
    """The API lists notices, hands one over as JSON and as a page, and takes the acknowledgement."""
    office.at(datetime.now(UTC))
    office.absence()
    with served(office) as client:
        listed = client.get("/v1/notices?state=waiting").json()["notices"]
        path = "/v1/notices/" + next(one["id"] for one in listed if one["type"] == "absence-to-payer")

        assert client.get(path).status_code == 409
        assert "Arbetsoförmåga" in client.get(path + "?recipient=kela&form=page").text
        assert client.get(path).json()["recipient"] == "kela"
        assert client.post(path + ":acknowledge").json()["state"] == "acknowledged"
        assert client.get("/v1/notices", auth=None).status_code == 401


def test_on_the_command_line(tmp_path: Path) -> None:
    """`notices list` and `notices export` show what waits and write it as JSON and as a page."""
    cli = InProcess(tmp_path / "data", KANTA_SIGNING_ALGORITHM="p-256", KANTA_LANG="en")
    sample = Path(__file__).parents[1] / "data" / "lapha-small.json"
    cli("import", sample, "--source", "lapha-json", "--purchaser", "lapha")
    listed = json.loads(cli("notices", "list", "--json").stdout)["notices"]
    steward = [one["id"] for one in listed if one["recipients"] == ["shop-steward"]]
    done = cli("notices", "export", tmp_path / "out", "--recipient", "shop-steward", "--json")

    assert steward
    assert json.loads(done.stdout)["written"] == steward
    assert {one.suffix for one in (tmp_path / "out").iterdir()} == {".json", ".html"}
    assert cli("notices", "send").returncode == 0
    assert cli("audit", "verify").returncode == 0


def test_the_payer_is_told_by_its_own_row(office: Office) -> None:
    """D15: the payer gets the notice that the list names while the contract carries it, by the row and its provision.

    What no list names goes to no payer, and after the contract's delivery window nothing does. [AB-10]
    """
    office.absence()
    (one,) = office.listed()
    rules = office.gateway.parts.disclosures
    object.__setattr__(office.gateway.parts, "disclosures", replace(rules, payers={"kela": frozenset()}))
    with pytest.raises(NotPermittedError) as unlisted:
        office.hand_over(one["id"])
    object.__setattr__(office.gateway.parts, "disclosures", rules)
    operator = office.gateway.actor(None, None, None)
    contract = {"kind": "contract", "processor": PROVIDER, "controller": ORGANISER, "number": "NAYTE/1/2025",
                "purchaser": "lapha"}  # fmt: skip
    office.gateway.party_book.state(read([{**contract, "to": "2023-01-01"}]), operator)
    with pytest.raises(NotPermittedError) as ended:
        office.hand_over(one["id"], OFFICIAL)
    office.gateway.party_book.state(read([contract]), operator)
    office.hand_over(one["id"])
    (entry,) = office.entries(Event.NOTICE_DISCLOSE)

    assert ["necessity", "mandate"] == [
        next(told.params["fact"] for told in error.value.findings if told.kind == "policy-condition")
        for error in (unlisted, ended)
    ]
    assert ("D15", "48/2026 §45.1(1)") == (entry["details"]["row"], entry["basis"])
