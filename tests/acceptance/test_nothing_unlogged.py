"""No route and no command gives client data without an entry that is committed first: over all of them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import func, select, update
from tests.acceptance.test_api import CONTRACT, ORGANISER, System
from tests.faults_world import MemoryArchive
from tests.installations import SAMPLE, installation, sample
from tests.small_export import PROVIDER
from typer.testing import CliRunner

from kanta_gateway import knowledge
from kanta_gateway.access.identity import assertion
from kanta_gateway.audit import report
from kanta_gateway.cli import app
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Event
from kanta_gateway.pipeline.deliver import Deliverer
from kanta_gateway.tables import audit_entry, audit_head
from kanta_gateway.web import application

RECORD = {"type": "staff", "id": "H-77", "surname": "Kurkela", "given_names": "Anneli", "title": "sosionomi"}
ROLES = {
    "provider-system": PROVIDER, "purchaser-it": ORGANISER, "registrar": ORGANISER, "auditor": ORGANISER,
    "approver": ORGANISER,
}  # fmt: skip
PURPOSES = {
    "auditor": "audit",
    "approver": "administration",
    "purchaser-it": "supervision",
    "registrar": "register-maintenance",
}
NO_CLIENT_DATA = {
    "GET /v1/openapi.json": "describes the routes", "GET /v1/purposes": "lists what a file states",
    "GET /v1/access/warning": "shows a text of a file", "GET /v1/audit/questions": "lists what a file states",
}  # fmt: skip
"""Routes that give nothing of what is stored, and what they give."""

LOOKS_AT_NOTHING = {
    "access purposes": "lists what a file states", "access warning": "shows a text of a file",
    "audit questions": "lists what a file states", "backup verify": "restores and verifies; an entry of its own",
    "audit verifier": "writes the shipped verifier",
    "audit verify": "tells places that do not hold; an entry of its own where the log takes one",
    "audit checkpoint": "signs a size and a root; an entry of its own",
    "audit witness": "another program, without a data folder",
    "check": "looks at files and settings", "codes import": "takes a list in; an entry of its own",
    "demo": "makes a folder of its own",
    "deliver": "sends; each document is an entry of its own",
    "disclosures retry": "changes a state; an entry of its own",
    "documents verify": "looks at files that it is given", "keys list": "names key files",
    "keys request": "asks for a certificate; an entry of its own",
    "keys install": "puts a certificate in place; an entry of its own",
    "keys make": "makes keys; an entry of its own", "keys rotate-checkpoint": "makes a key; an entry of its own",
    "mapping path": "tells where a file is", "mapping try": "maps a record that it is given",
    "notices send": "calls; each call is an entry of its own",
    "policy explain": "asks the policy about a caller that does not exist", "retention table": "lists what files state",
    "schemas import": "an entry of its own",
    "schemas list": "lists what is shipped", "serve": "starts processes", "simulate-archive": "another program",
    "sources files": "writes what is shipped", "sources list": "lists what is shipped",
    "systems assertion": "signs for the development system", "systems register": "an entry of its own",
    "systems revoke": "an entry of its own", "parties register": "an entry of its own",
}  # fmt: skip
"""Commands that show nothing of a client, and what they do instead."""


@dataclass(frozen=True)
class Ask:
    """One call of a route."""

    role: str
    url: str
    body: bytes = b""


class World:
    """One installation that has taken a delivery in, its callers, and how many entries there are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self.gateway: Gateway = installation(self.folder)
        self.gateway.registration.register_party(PROVIDER, "Paja ry", ORGANISER, "Alue", CONTRACT, "lapha")
        local = self.gateway.actor(None, None, None)
        self.taken = list(self.gateway.deliveries.import_files([SAMPLE], "lapha-json", "lapha", local).rows())
        archived = Deliverer(self.gateway.parts, MemoryArchive(), self.gateway.dispatch._frame, local, 60.0)
        archived.run(threading.Event(), until_empty=True)
        self.systems = {role: System(organisation, role) for role, organisation in ROLES.items()}
        for role, system in self.systems.items():
            self.gateway.registration.register_system(system.certificate, system.organisation, f"system {role}")
        self.api = application(self.gateway)

    def entries(self) -> int:
        """How many entries there are."""
        with self.gateway.parts.database.reading() as tx:
            return int(tx.execute(select(func.count()).select_from(audit_entry)).scalar() or 0)

    def ask(self, method: str, one: Ask) -> Any:
        """Call a route."""
        system, purpose = self.systems[one.role], PURPOSES.get(one.role, "delivery")
        token = assertion(
            system._key, load_pem_x509_certificate(system.certificate.encode()), system=f"system {one.role}",
            organisation=system.organisation, person_id="T-1", person_name="Erkki Esimerkki", purpose=purpose,
            audience="kanta-gateway", now=datetime.now(UTC), role=one.role, contract=CONTRACT,
        )  # fmt: skip
        return self.call(method, one.url, token, one.body)

    def call(self, method: str, url: str, token: str, body: bytes = b"") -> httpx.Response:
        """Call a route with a token."""

        async def called() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.api, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, url, content=body, headers={"Authorization": f"Bearer {token}"})

        return asyncio.run(called())

    def newest(self, event: Event) -> dict[str, Any]:
        """The last entry of an event."""
        with self.gateway.parts.database.reading() as tx:
            return report.entries(
                tx, self.gateway.parts.log.seals, report.Filter(events=frozenset({event}), limit=100_000)
            )[-1]

    def things(self) -> dict[str, Any]:
        """Something of each kind that can be asked for."""
        gateway, local = self.gateway, self.gateway.actor(None, None, None)
        row = next(one for one in self.taken if one["documents"])
        with gateway.parts.database.reading() as tx:
            delivery = report.entries(
                tx, gateway.parts.log.seals, report.Filter(events=frozenset({Event.RECORD_SUBMIT}))
            )[0]["details"]
        notices = gateway.notice_board.list(local, None, "", 10, "fi")["notices"]
        return {
            "ticket": row["ticket"], "oid": row["documents"][0]["oid"], "delivery": delivery["delivery"],
            "client": sample()["asiakkaat"][0]["asiakasnumero"], "notice": notices[0]["id"] if notices else "",
        }  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for all facts below."""
    one = World(tmp_path_factory.mktemp("unlogged"))
    yield one
    one.gateway.close()


def asks(thing: Mapping[str, Any]) -> dict[str, list[Ask]]:
    """For each route a call that gives something; more where a parameter changes what is given."""
    record, export = json.dumps(RECORD).encode(), SAMPLE.read_bytes()
    provider = "provider-system"
    imports = "/v1/imports?source=lapha-json&purchaser=lapha"
    return {
        "POST /v1/records": [Ask(provider, "/v1/records", record), Ask(provider, "/v1/records?dry_run=true", record)],
        "POST /v1/records:batch": [Ask(provider, "/v1/records:batch", record),
                                   Ask(provider, "/v1/records:batch?dry_run=true", record)],
        "POST /v1/imports": [Ask(provider, imports, export), Ask(provider, f"{imports}&dry_run=true", export)],
        "GET /v1/imports/{delivery_id}": [Ask(provider, f"/v1/imports/{thing['delivery']}")],
        "GET /v1/tickets/{ticket}": [Ask(provider, f"/v1/tickets/{thing['ticket']}")],
        "GET /v1/documents": [Ask(provider, "/v1/documents")],
        "GET /v1/documents/{oid}": [Ask(provider, f"/v1/documents/{thing['oid']}")],
        "GET /v1/figures": [Ask(provider, "/v1/figures"), Ask(provider, "/v1/figures?national=true")],
        "GET /v1/figures/reconciliation": [Ask(provider, "/v1/figures/reconciliation")],
        "GET /v1/deadlines": [Ask(provider, "/v1/deadlines")],
        "GET /v1/completeness": [Ask(provider, "/v1/completeness")],
        "GET /v1/notices": [Ask(provider, "/v1/notices")],
        "GET /v1/audit/entries": [Ask("auditor", "/v1/audit/entries")],
        "GET /v1/audit/checkpoint": [Ask("auditor", "/v1/audit/checkpoint")],
        "GET /v1/audit/proofs/inclusion/{index}": [Ask("auditor", "/v1/audit/proofs/inclusion/0")],
        "GET /v1/audit/proofs/consistency": [Ask("auditor", "/v1/audit/proofs/consistency?first=1")],
        "GET /v1/persons": [Ask("registrar", "/v1/persons")],
        "GET /v1/changes": [Ask("approver", "/v1/changes")],
    }  # fmt: skip


def routes(world: World) -> set[str]:
    """Every route of the application."""
    return {f"{method.upper()} {path}" for path, one in world.api.openapi()["paths"].items() for method in one}


def test_every_route_that_gives_something_has_its_entry(world: World) -> None:
    """LOG-01: what these routes give has its entry, also for a dry run, and each entry of a use has every field of
    LOG-02. [LOG-01, LOG-02]
    """
    known = asks(world.things())

    assert known.keys() <= routes(world)
    for route, calls in known.items():
        for one in calls:
            before = world.entries()
            answer = world.ask(route.partition(" ")[0], one)
            assert (route, 2) == (route, answer.status_code // 100), answer.text
            assert world.entries() > before, f"{one.url} gives something without an entry"
    with world.gateway.parts.database.reading() as tx:
        found = [json.loads(body) for _, body in report.every(tx, world.gateway.parts.log.seals, report.Filter())]
    for entry in (one for one in found if one["log"] == "use"):
        told = {name: entry[name] for name in ("register", "controller", "subject", "purpose", "at", "log_controllers")}
        assert all(told.values()), entry
        assert entry["actor"]["ref"]
        assert entry["actor"]["name"]


def test_whoever_has_no_valid_assertion_is_written_down(world: World) -> None:
    """LOG-13: a call without a valid assertion is an entry with the check that failed; a stranger who tries again and
    again does not fill the log: one entry a minute, with the number of the others. [LOG-13]
    """
    before = world.entries()
    for _ in range(20):
        world.call("GET", "/v1/documents", "none")
    told = world.newest(Event.REQUEST_DENY)

    assert 1 == world.entries() - before
    assert ("authenticate", ["the assertion was refused: it is not a signed JWT"]) == (
        told["details"]["asked"], told["details"]["reasons"]
    )  # fmt: skip


def test_a_log_that_cannot_be_written_gives_nothing(tmp_path: Path) -> None:
    """LOG-01: when the log cannot be written, no route gives anything and no command says anything of a client: entry
    first, then data. [LOG-01]
    """
    world = World(tmp_path)
    thing = world.things()
    others = routes(world) - asks(thing).keys() - NO_CLIENT_DATA.keys()
    calls = {**asks(thing), **{route: _guessed(world, route, thing) for route in sorted(others)}}
    names = [str(one["sukunimi"]) for one in sample()["asiakkaat"]]
    with world.gateway.parts.database.transaction() as tx:
        tx.execute(update(audit_head).values(mac=b"\0" * 32, root=b"\1" * 32))
    for route, many in calls.items():
        for one in many:
            answer = world.ask(route.partition(" ")[0], one)
            is_batch = ":batch" in one.url
            assert is_batch or answer.status_code // 100 != 2, f"{one.url} answers {answer.status_code}"
            assert not any(told in answer.text for told in ('documents":[{', *names)), one.url
    said: dict[str, str] = {}
    for words in commands(app):
        if words not in LOOKS_AT_NOTHING:
            told = CliRunner().invoke(app, ["--data", str(world.folder), *_arguments(words, thing, tmp_path)],
                                      env={"KANTA_LANG": "en", "KANTA_SIGNING_ALGORITHM": "p-256"})  # fmt: skip
            if told.stdout.strip() or not told.exit_code:
                said[words] = told.stdout[:80]

    assert {} == said
    world.gateway.close()


def test_what_shows_nothing_is_there(world: World) -> None:
    """What is left out below, with its reason, is a command or a route that there is; anything new is called."""
    assert LOOKS_AT_NOTHING.keys() | ARGUMENTS.keys() <= set(commands(app))
    assert NO_CLIENT_DATA.keys() <= routes(world)


def commands(group: typer.Typer, before: str = "") -> list[str]:
    """Every command, by its words."""
    own = [f"{before}{one.name or one.callback.__name__.strip('_')}" for one in group.registered_commands]  # type: ignore[union-attr]
    inner = [name for one in group.registered_groups for name in commands(one.typer_instance, f"{one.name} ")]  # type: ignore[arg-type]
    return [*own, *inner]


ARGUMENTS: dict[str, tuple[str, ...]] = {
    "access break": ("--item", "x", "--reason", "The client is in danger", "--organisation", "1.2", "--role", "x"),
    "access close": ("g", "--note", "It was looked into"),
    "access counts": ("--month", "2026-01"),
    "access disclose": ("{oid}", "--to", "x", "--grant", "g", "--organisation", "1.2", "--role", "x"),
    "access documents": ("g", "--organisation", "1.2", "--role", "x"),
    "access end": ("g",),
    "access queue": (),
    "access review": ("g", "--outcome", "founded", "--note", "It was looked into"),
    "access wills": ("--client", "{client}"),
    "audit ask": ("accesses",),
    "audit review": (),
    "cases close": ("1", "--outcome", "x", "--note", "It was looked into"),
    "cases list": (),
    "cases show": ("1",),
    "cases work": ("1",),
    "incidents open": ("x", "--known-at", "2026-01-01T10:00:00Z"),
    "incidents told": ("1", "x"),
    "audit export": (),
    "audit proof": ("--entry", "0"),
    "audit report": ("--client", "{client}"),
    "changes approve": ("1",),
    "changes list": (),
    "changes propose": ("--reason", "The purchaser asks for it", "--set", "KANTA_GRACE_DAYS=20"),
    "changes reject": ("1",),
    "changes show": ("1",),
    "changes write": ("{out}",),
    "contracts preview": ("{contract}",),
    "disclosures list": (),
    "documents explain": ("{oid}",),
    "documents export": ("{out}",),
    "figures": (),
    "import": ("{export}", "--source", "lapha-json", "--purchaser", "lapha", "--dry-run"),
    "notices export": ("{out}",),
    "notices list": (),
    "parties end": ("x", "--on", "2026-01-01"),
    "parties list": (),
    "parties load": ("{parties}",),
    "persons list": (),
    "persons merge": ("a", "b", "--reason", "controller-decision"),
    "persons unmerge": ("a", "--reason", "mistake"),
    "records allow": ("{ticket}", "--reason", "It is needed here"),
    "status": (),
}
"""Arguments of commands that need more than a word for each; any other command is called with such words."""


def _arguments(words: str, thing: Mapping[str, Any], folder: Path) -> list[str]:
    parties, contract = folder / "parties.yaml", folder / "lapha.yaml"
    parties.write_text("organisations: []\n")
    contract.write_text(knowledge.text("mappings/contracts/lapha.yaml"))
    values = {**thing, "out": folder / "out", "export": SAMPLE, "parties": parties, "contract": contract}
    if words in ARGUMENTS:
        return [*words.split(), *(one.format(**values) for one in ARGUMENTS[words])]
    command: Any = typer.main.get_command(app)
    for word in words.split():
        command = command.commands[word]
    found = [([one.opts[0]] if one.param_type_name == "option" else []) + [_word(one.name, thing)]
             for one in command.params if one.required]  # fmt: skip
    return [*words.split(), *(word for one in found for word in one)]


def _word(name: str, thing: Mapping[str, Any]) -> str:
    """Something that a parameter of this name may be."""
    made = {"delivery_id": thing["delivery"], "notice_id": thing["notice"] or "x", "question": "accesses",
            "month": "2026-01", "reason": "controller-decision"}  # fmt: skip
    return str({**made, **thing}.get(name, "1"))


def _guessed(world: World, route: str, thing: Mapping[str, Any]) -> list[Ask]:
    """A route called by every role, with what its description asks for."""
    method, _, path = route.partition(" ")
    known = world.api.openapi()["paths"][path][method.lower()].get("parameters", ())
    url = path.format(**{one["name"]: _word(one["name"], thing) for one in known if one["in"] == "path"})
    query = "&".join(f"{one['name']}={_word(one['name'], thing)}" for one in known
                     if one["in"] == "query" and one.get("required"))  # fmt: skip
    return [Ask(role, f"{url}?{query}" if query else url, b"{}" if method == "POST" else b"") for role in ROLES]
