"""Who sees what: the same things asked for by every role, over every route, and each answer held against its list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.architecture.sources import calls as calls_of
from tests.architecture.sources import functions, modules
from tests.callers import Http, Who
from tests.installations import installation, sample, take, written
from tests.small_export import export
from typer.main import get_command
from typer.testing import CliRunner

from kanta_gateway.access.statements import read
from kanta_gateway.cli import app
from kanta_gateway.errors import NotPermittedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Event
from kanta_gateway.web import application

ROOT = Path(__file__).parents[2]
VIEWS = yaml.safe_load((ROOT / "mappings/policy/views.yaml").read_text("utf-8"))
ROLES = yaml.safe_load((ROOT / "mappings/policy/roles.yaml").read_text("utf-8"))["roles"]
PROVIDER, ORGANISER = "1.2.246.10.94005128.10.0", "1.2.246.10.94006007.10.0"
OTHER_PROVIDER, OTHER_ORGANISER = "1.2.246.10.94005557.10.0", "1.2.246.10.94007005.10.0"
SUB, OTHER_SUB = "1.2.246.10.94009008.10.0", "1.2.246.10.94009107.10.0"
UNIT = "1.2.246.10.94005128.10.1"
NUMBER, CLIENT = "NAYTE/1/2025", "A-1"
CALLS_NOTHING = {"client", "payer"}
OF_PROVIDERS = {"provider-system", "private-provider"}
PURPOSES = {"auditor": "audit"}


@dataclass
class Scene:
    """One installation with a controller, its provider and clients, and another controller beside it."""

    gateway: Gateway
    http: Http
    rows: list[dict[str, Any]]

    def ticket(self, record_type: str) -> str:
        """The ticket of the first record of a type."""
        return str(next(one["ticket"] for one in self.rows if one["type"] == record_type))

    def document(self, record_type: str = "diary_entry") -> str:
        """OID of the first document of a type of record."""
        return str(next(one["documents"][0]["oid"] for one in self.rows if one["type"] == record_type))

    def get(self, path: str, role: str, purpose: str = "", organisation: str = "", relation: str = "") -> Any:
        """Read something as a role; the answer."""
        return self.http.call("GET", path, who(role, purpose, organisation, relation))

    def entries(self) -> list[dict[str, Any]]:
        """The whole log."""
        with self.gateway.parts.database.reading():
            lines = self.gateway.trail.export("jsonl", self.gateway.actor(None, None, None))
            return [json.loads(one) for one in lines]


def who(role: str, purpose: str = "", organisation: str = "", relation: str = "") -> Who:
    """A caller of a role, with the first purpose that the policy grants it."""
    rules = ROLES.get(role, {"rules": []})["rules"]
    first = next((PURPOSES.get(role, "delivery") if one == "*" else one for rule in rules for one in rule["purposes"]),
                 "delivery")  # fmt: skip
    home = PROVIDER if role in OF_PROVIDERS else ORGANISER
    return Who(role, organisation or home, purpose or first, NUMBER, relation)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """What all facts below are about."""
    folder = tmp_path_factory.mktemp("views")
    gateway = installation(folder / "data")
    rows = take(gateway, written(folder / "files", sample()))
    gateway.registration.register_party(OTHER_PROVIDER, "Toinen ry", OTHER_ORGANISER, "Toinen alue", "MUU/1", "lapha")
    gateway.party_book.state(read([
        {"kind": "approval", "processor": PROVIDER, "controller": ORGANISER, "contract": NUMBER, "sub_processor": SUB,
         "name": "Ali ry"},
        {"kind": "person", "person_id": "P-9", "organisation": SUB, "role": "coach", "name": "Salla Salainen"},
        {"kind": "approval", "processor": OTHER_PROVIDER, "controller": OTHER_ORGANISER, "contract": "MUU/1",
         "sub_processor": OTHER_SUB, "name": "Toinen ali ry"},
        {"kind": "person", "person_id": "P-8", "organisation": OTHER_SUB, "role": "coach", "name": "Toini Toinen"},
        {"kind": "relationship", "provider": PROVIDER, "client": CLIENT, "unit": UNIT},
        {"kind": "relationship", "provider": PROVIDER, "client": "A-404", "unit": UNIT},
    ]), gateway.actor(None, None, None))  # fmt: skip
    yield Scene(gateway, Http(gateway), rows)
    gateway.close()


# every answer against its list


def paths(value: Any, before: str = "") -> Iterator[str]:
    """Every path of an answer at which a value stands."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from paths(one, f"{before}/{name}" if before else name)
    elif isinstance(value, list):
        for one in value:
            yield from paths(one, before)
    elif value is not None:
        yield before


def listed(answer: str, role: str, purpose: str) -> list[re.Pattern[str]] | None:
    """The list of an answer for a role and purpose, as patterns: read from the file by itself."""
    for row in VIEWS["answers"][answer]["see"]:
        if role in row["roles"] and {"*", purpose} & set(row.get("purposes", ["*"])):
            return [
                re.compile("/".join(".*" if part == "**" else "[^/]*" if part == "*" else re.escape(part)
                                    for part in path.split("/")), re.DOTALL)
                for path in row["fields"]
            ]  # fmt: skip
    return None


def outside(answer: str, by: Who, told: Any) -> list[str]:
    """Fields of an answer that are not on the caller's list."""
    known = listed(answer, by.role, by.purpose)
    if known is None:
        return ["the whole answer"]
    return sorted({path for path in paths(told) if not any(one.fullmatch(path) for one in known)})


def calls(scene: Scene) -> list[tuple[str, str, dict[str, Any]]]:
    """One call or several of every route: method, path with its values, the rest."""
    record = {"type": "staff", "id": "H-77", "surname": "Kurkela", "given_names": "Anneli", "title": "ohjaaja"}
    delivery = json.dumps(export(1, 1)).encode()
    taken = scene.http.call(
        "POST", "/v1/imports?source=lapha-json&purchaser=lapha", who("provider-system"), content=delivery
    ).json()["id"]
    notices = scene.get("/v1/notices", "provider-system").json()["notices"]
    notice = next(one["id"] for one in notices if one["type"] == "absence-to-payer")
    values = {
        "ticket": scene.ticket("diary_entry"), "oid": scene.document(), "delivery_id": taken, "notice_id": notice,
        "index": "7", "client": CLIENT, "number": "1", "grant": "none", "question": "1", "case": "1",
        "request_id": "none", "paper": "none", "statement": "none",
    }  # fmt: skip
    bodies: dict[str, Any] = {
        "POST /v1/records": record, "POST /v1/records:batch": record,
        "POST /v1/tickets/{ticket}:allow": {"reason": "palvelu tarvitsee sen"},
    }  # fmt: skip
    queries = {
        "POST /v1/imports": "?source=lapha-json&purchaser=lapha",
        "GET /v1/figures/evidence": f"?client={CLIENT}", "GET /v1/audit/proofs/consistency": "?first=1",
        "POST /v1/persons/merge": "?client=A-1&into=A-2&reason=controller-decision",
        "POST /v1/persons/unmerge": "?client=A-1&reason=mistake",
    }  # fmt: skip
    made: list[tuple[str, str, dict[str, Any]]] = []
    for place in sorted(routes(scene.gateway)):
        method, path = place.split(" ")
        content = json.dumps(bodies[place]).encode() if place in bodies else delivery if "imports" in path else b""
        made.append((method, path.format(**values) + queries.get(place, ""), {"content": content} if content else {}))
    return [
        *made, ("GET", "/v1/figures?explain=true", {}), ("GET", "/v1/figures?national=true", {}),
        ("GET", f"/v1/documents/{scene.document('implementation_plan')}", {}),
        ("GET", f"/v1/tickets/{scene.ticket('client')}", {}), ("GET", f"/v1/notices/{notice}?look=true", {}),
        ("GET", f"/v1/notices/{notice}?look=true&form=page", {}), ("GET", f"/v1/audit/entries?client={CLIENT}", {}),
    ]  # fmt: skip


@cache
def routes(gateway: Gateway) -> set[str]:
    """Method and path of every route, by the description of the API and the one that it leaves out."""
    described = application(gateway).openapi()["paths"]
    return {"GET /health", *(f"{method.upper()} {path}" for path, one in described.items() for method in one)}


def place_of(gateway: Gateway, method: str, path: str) -> str:
    """The route of a call."""
    bare = path.partition("?")[0]
    fitting = [
        one for one in routes(gateway)
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(one)), f"{method} {bare}")
    ]  # fmt: skip
    return min(fitting, key=lambda one: one.count("{"))


def test_no_answer_holds_a_field_outside_its_list(scene: Scene) -> None:
    """ACC-02: whatever a role gets of any route, each of its fields is on the role's list for the purpose; or 4xx.

    Every route is asked by every role, for every purpose of its policy and one that it has not. [ACC-02]
    """
    seen: set[tuple[str, str]] = set()
    found: list[str] = []
    asked = calls(scene)
    for role, stated in ROLES.items():
        if role == "operator":  # local commands only: over HTTP its register is that of its organisation
            continue
        purposes = {
            who(role).purpose if one == "*" else one for rule in stated["rules"] for one in rule["purposes"]
        } | {"curiosity"}
        for purpose in sorted(purposes):
            by = who(role, purpose, relation=CLIENT if role == "own-worker" else "")
            for method, path, rest in asked:
                told = scene.http.call(method, path, by, **rest)
                place = place_of(scene.gateway, method, path)
                answer = next((name for name, one in VIEWS["answers"].items() if place in one["of"]), None)
                if told.status_code >= 400:
                    assert told.headers["content-type"] == "application/problem+json", (place, role, told.text)
                elif answer is not None:
                    seen.add((role, answer))
                    kind = told.headers["content-type"].partition(";")[0]
                    if kind == "application/json":
                        values: Any = told.json()
                    elif kind == "application/x-ndjson":
                        values = [json.loads(line) for line in told.text.splitlines()]
                    else:
                        values = {"content": told.text}
                    found += [f"{role} for {purpose}: {place} tells {one}" for one in outside(answer, by, values)]

    assert [] == found
    assert {("provider-system", "ticket"), ("own-worker", "document"), ("purchaser-official", "figures"),
            ("purchaser-it", "documents"), ("purchaser-supervisor", "document"), ("log-supervisor", "entry-client"),
            ("auditor", "entries"), ("registrar", "persons"), ("provider-system", "notice")} <= seen  # fmt: skip
    assert not {one for one in seen if one[0] in CALLS_NOTHING}


def test_every_route_and_command_has_its_list(scene: Scene) -> None:
    """Every route and command is an answer of views.yaml, or stands apart there with the reason; none stands twice."""

    def commands(group: Any, before: str = "") -> Iterator[str]:
        for name, one in group.commands.items():
            yield from commands(one, f"{before}{name} ") if hasattr(one, "commands") else [f"{before}{name}"]

    told = [*VIEWS["apart"], *(place for one in VIEWS["answers"].values() for place in one["of"])]

    assert sorted({*routes(scene.gateway), *commands(get_command(app)), "problem"}) == sorted(told)


def test_what_a_role_may_do_it_is_shown(scene: Scene) -> None:
    """No role is granted an event of which it is shown nothing, and none is shown what no event grants it."""
    granted = {
        (role, event) for role, one in ROLES.items() for rule in one["rules"] for event in rule["actions"]
    }  # fmt: skip
    shown = {
        (role, one["event"]) for one in VIEWS["answers"].values() for row in one["see"] for role in row["roles"]
    }  # fmt: skip
    answered = {one["event"] for one in VIEWS["answers"].values()}
    given = CALLS_NOTHING | {"own-worker", "shop-steward"}  # who are given a notice without calling
    shown.remove(("operator", "document:disclose"))  # by a local command, as the person whose grant it is

    assert {one for one in shown - granted if one[0] not in given} == set()
    assert {one for one in granted if one[1] in answered} - shown == set()
    assert answered <= {str(one) for one in Event}


def test_every_command_that_acts_asks_its_list() -> None:
    """Every command for which a person acts prints through `say`, or asks `shown`, `sight` or `check_content` first."""
    asks = {"say", "shown", "sight", "check_content"}
    apart = {"_acting", "_opened", "explain_policy"}  # no command; a decision, which holds no client's data
    found = [
        f"{name}:{one.name}"
        for name, tree in modules(ROOT / "src/kanta_gateway/cli").items()
        for one in functions(tree)
        if one.name not in apart and "actor" in (called := {told for told, _ in calls_of(one)}) and not called & asks
    ]

    assert found == []


def test_commands_pass_the_same_lists(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local command shows an official the figures, and nothing of an answer that has no list for it.

    An auditor is shown the register of parties without the names that a supervisor of logs is shown.
    """
    actor = tmp_path / "actor.json"

    def acts(role: str, purpose: str) -> None:
        actor.write_text(json.dumps({
            "person_id": "V-1", "name": "Veera Virkailija", "purpose": purpose, "role": role,
            "organisation": ORGANISER,
        }), "utf-8")  # fmt: skip

    def parties() -> set[str]:
        told = CliRunner().invoke(app, ["parties", "list", "--json"])
        assert told.exception is None, told.exception
        return {name for row in json.loads(told.stdout)["register"] for name in row}

    acts("purchaser-official", "supervision")
    monkeypatch.setenv("KANTA_DATA", str(scene.gateway.settings.data))
    monkeypatch.setenv("KANTA_ACTOR_FILE", str(actor))
    seen = CliRunner().invoke(app, ["figures", "--json"])
    refused = CliRunner().invoke(app, ["status", "--json"])
    policy = CliRunner().invoke(app, ["documents", "explain", scene.document()])

    acts("log-supervisor", "log-supervision")
    by_name = parties()
    acts("auditor", "audit")
    by_oid = parties()

    assert seen.exception is None, seen.exception
    assert "name" in by_name - by_oid
    assert {"kind", "organisation"} <= by_oid < by_name
    assert CLIENT in json.loads(seen.stdout)["figures"]
    assert isinstance(refused.exception, NotPermittedError)
    assert "views.yaml" in str(refused.exception)
    assert isinstance(policy.exception, NotPermittedError)
    assert refused.stdout + policy.stdout == ""


# the same document, by role


def test_the_same_document_by_role(scene: Scene) -> None:
    """CTL-15: author, own worker and supervisor read it; official and IT see that it is; others not even that.

    [CTL-15, ACC-03]
    """
    oid, ticket = scene.document(), scene.ticket("diary_entry")
    seen = {
        name: (scene.get(f"/v1/documents/{oid}", role, *rest).status_code,
               scene.get(f"/v1/tickets/{ticket}", role, *rest).status_code)
        for name, role, *rest in (
            ("author", "provider-system"), ("own worker", "own-worker", "", "", CLIENT),
            ("own worker of another client", "own-worker", "", "", "A-2"), ("own worker of nobody", "own-worker"),
            ("official", "purchaser-official", "service-arranging"), ("IT", "purchaser-it", "technical-support"),
            ("supervisor", "purchaser-supervisor"), ("supervisor of another county", "purchaser-supervisor", "",
                                                      OTHER_ORGANISER),
            ("log supervisor", "log-supervisor"), ("auditor", "auditor"), ("another producer", "provider-system", "",
                                                                          OTHER_PROVIDER),
        )
    }  # fmt: skip

    assert seen == {
        "author": (200, 200), "own worker": (200, 200), "own worker of another client": (404, 404),
        "own worker of nobody": (403, 403), "official": (403, 200), "IT": (403, 200), "supervisor": (200, 200),
        "supervisor of another county": (404, 404), "log supervisor": (403, 403), "auditor": (403, 403),
        "another producer": (404, 404),
    }  # fmt: skip


def test_it_sees_states_and_findings_by_field_name(scene: Scene) -> None:
    """The IT person sees type, state and findings of a ticket by rule and field; no id, no message, no client."""
    ticket = next(one for one in scene.rows if one["findings"] and one["type"] != "client")
    told = scene.get(f"/v1/tickets/{ticket['ticket']}", "purchaser-it", "technical-support").json()

    assert told.keys() == {"type", "version", "outcome", "ticket", "documents", "findings"}
    assert {name for one in told["findings"] for name in one} == {"rule", "severity", "kind", "pointer"}
    assert ticket["id"] not in json.dumps(told)


def test_a_private_provider_sees_no_decision(scene: Scene) -> None:
    """STM 457/2024 §16: a private provider's role reads realisation, never a decision; a producer's role (§15) does."""
    decision, diary = scene.ticket("decision"), scene.ticket("diary_entry")
    told = scene.get(f"/v1/tickets/{decision}", "private-provider")

    assert told.status_code == 403
    assert "457-16-2" in {one["rule"] for one in told.json()["findings"]}
    assert scene.get(f"/v1/tickets/{decision}", "provider-system").status_code == 200
    assert scene.get(f"/v1/tickets/{diary}", "private-provider").status_code == 200


def test_an_officials_own_service_tasks(tmp_path: Path) -> None:
    """STM 457/2024 §13: data of disability services is an official's own only where the register of users says so."""
    told = sample()
    told["asiakkaat"] = told["asiakkaat"][:2]
    for one in told["asiakkaat"]:
        one["valmennuspaivakirja"] = one["valmennuspaivakirja"][:2]
    told["asiakkaat"][1]["paatos"] |= {
        "palvelu": "Vammaisten henkilöiden työtoiminta",
        "palvelutuote": {"numero": 1, "nimi": "Vammaisten henkilöiden työtoiminta palveluntuottajan toimintayksikössä"},
    }
    gateway = installation(tmp_path / "data")
    rows = take(gateway, written(tmp_path / "files", told))
    official = {"kind": "person", "person_id": "T-1", "organisation": ORGANISER, "role": "purchaser-official"}
    http, by = Http(gateway), who("purchaser-official", "service-arranging")
    tickets = {one: next(row["ticket"] for row in rows if row["id"] == f"P-{one}") for one in ("A-1", "A-2")}

    def seen() -> tuple[Any, ...]:
        figures = http.call("GET", "/v1/figures", by).json()["figures"]
        documents = http.call("GET", "/v1/documents", by).json()["documents"]
        return (
            {one for one in figures if one.startswith("A-")}, len(documents),
            {one["type"] for one in http.call("GET", "/v1/notices", by).json()["notices"]},
            {one: http.call("GET", f"/v1/tickets/{ticket}", by).status_code for one, ticket in tickets.items()},
        )  # fmt: skip

    def state(tasks: list[str]) -> None:
        person = {**official, "name": "Veera Virkailija", "service_tasks": tasks, "from": "2020-01-01"}
        gateway.party_book.state(read([person]), gateway.actor(None, None, None))

    nobody_kept = seen()
    state(["working-age"])
    working_age = seen()
    state(["working-age", "disability"])
    both = seen()
    gateway.close()

    assert nobody_kept == both
    assert (both[0], both[3]) == ({"A-1", "A-2"}, {"A-1": 200, "A-2": 200})
    assert (working_age[0], working_age[3]) == ({"A-1"}, {"A-1": 200, "A-2": 403})
    assert 0 < working_age[1] < both[1]


def test_under_turvakielto_no_view_tells_the_unit(tmp_path: Path) -> None:
    """Of a client under turvakielto no answer to any role, and no notice, tells name or OID of the service unit.

    Only the document itself does (REC-08), to those who may read it. [REC-09]
    """
    told = sample()
    told["asiakkaat"] = [one for one in told["asiakkaat"] if one["turvakielto"]]
    gateway = installation(tmp_path / "data")
    rows = take(gateway, written(tmp_path / "files", told))
    gateway.party_book.state(read([
        {"kind": "relationship", "provider": PROVIDER, "client": told["asiakkaat"][0]["asiakasnumero"], "unit": UNIT},
    ]), gateway.actor(None, None, None))  # fmt: skip
    scene = Scene(gateway, Http(gateway), rows)
    client = told["asiakkaat"][0]["asiakasnumero"]
    units = [value for one in told["palveluntuottaja"]["yksikot"] for value in (one["oid"], one["nimi"])]
    notices = scene.get("/v1/notices", "provider-system").json()["notices"]
    paths = [
        *(f"/v1/tickets/{one['ticket']}" for one in rows[:8]), "/v1/documents", "/v1/figures?explain=true",
        "/v1/figures?national=true", "/v1/figures/reconciliation", f"/v1/figures/evidence?client={client}",
        "/v1/deadlines", "/v1/completeness", "/v1/notices", "/v1/audit/entries?limit=1000",
        f"/v1/clients/{client}/access-report", "/v1/persons", "/v1/parties?kind=relationship",
        *(f"/v1/notices/{one['id']}?look=true&form={form}" for one in notices for form in ("json", "page")),
    ]  # fmt: skip
    answers = [
        scene.get(path, role, relation=client if role == "own-worker" else "")
        for role in ("provider-system", "own-worker", "purchaser-official", "purchaser-supervisor", "log-supervisor",
                     "auditor", "registrar")
        for path in paths
    ]  # fmt: skip
    document = scene.get(f"/v1/documents/{scene.document()}", "provider-system").text
    gateway.close()

    assert len([one for one in answers if one.status_code == 200]) > 30
    assert [(one.url.path, unit) for one in answers for unit in units if unit in one.text] == []
    assert any(unit in document for unit in units)


# totals and counts


def test_totals_only_and_of_enough_clients(scene: Scene, tmp_path: Path) -> None:
    """IT is told totals, no client, and none of fewer than five; no day, client or explanation may be asked for."""
    few = scene.get("/v1/figures", "purchaser-it", "invoicing").json()
    narrowed = [
        scene.get(f"/v1/figures?{one}", "purchaser-it", "invoicing").status_code
        for one in (f"client={CLIENT}", "as_of=2025-03-05", "explain=true", "national=true")
    ]
    per_client = [
        scene.get(f"/v1/{one}", "purchaser-it", "invoicing").status_code
        for one in ("deadlines", "completeness", "figures/reconciliation", f"figures/evidence?client={CLIENT}")
    ]
    gateway = installation(tmp_path / "data")
    take(gateway, written(tmp_path / "files", export(5, 1, is_whole=False)))
    many = Http(gateway).call("GET", "/v1/figures", who("purchaser-it", "invoicing")).json()
    gateway.close()

    assert few == {"figures": {PROVIDER: {}}}
    assert narrowed == [403] * 4
    assert per_client == [403] * 4
    assert re.search(r"C-\d|K-\d", json.dumps(many)) is None
    assert many["figures"].keys() == {PROVIDER}


def test_lists_of_another_register_are_empty(scene: Scene) -> None:
    """Another controller's people see no document, figure, deadline or notice of this one, and no count of them."""
    by = {"organisation": OTHER_ORGANISER}
    documents = scene.get("/v1/documents", "purchaser-it", "technical-support", **by).json()
    figures = scene.get("/v1/figures", "purchaser-official", "service-arranging", **by).json()
    deadlines = scene.get("/v1/deadlines", "purchaser-official", "service-arranging", **by).json()
    lacking = scene.get("/v1/completeness", "purchaser-official", "service-arranging", **by).json()

    assert documents["documents"] == []
    assert figures == {"figures": {}}
    assert (deadlines["counts"], deadlines["deadlines"]) == ({}, [])
    assert lacking["periods"] == {"judged": 0, "unknown": 0}


# the log


def test_an_entry_reveals_no_client(scene: Scene) -> None:
    """LOG-14: entries stand under pseudonyms; neither client number nor relationship is in any, and the auditor can
    neither search by client nor resolve one. [LOG-14]
    """
    scene.get("/v1/documents", "own-worker", "", "", CLIENT)
    told = scene.get("/v1/audit/entries?limit=1000", "auditor").text
    refused = [
        scene.get(path, "auditor").status_code
        for path in (f"/v1/audit/entries?client={CLIENT}", f"/v1/clients/{CLIENT}/access-report",
                     "/v1/audit/entries/7/client")
    ]  # fmt: skip

    assert f'"{CLIENT}"' not in told
    assert "Esimerkki" not in told
    assert refused == [403] * 3


def test_whom_an_entry_is_about_is_an_act_of_its_own(scene: Scene) -> None:
    """CLR-10: the log supervisor is told whom an entry is about, with a purpose; the act is an entry. [CLR-10]"""
    ref = scene.gateway.parts.keyring.client(PROVIDER, CLIENT)
    place = next(one["idx"] for one in scene.entries() if one.get("client") == ref)
    told = scene.get(f"/v1/audit/entries/{place}/client", "log-supervisor")
    nobody = scene.get("/v1/audit/entries/0/client", "log-supervisor").json()
    acts = [one for one in scene.entries() if one["event"] == "audit:resolve"]

    assert told.json() == {"index": place, "clients": [{"provider": PROVIDER, "client": CLIENT}]}
    assert nobody["clients"] == []
    assert (acts[-2]["subject"], acts[-2]["purpose"], acts[-2]["log"]) == (f"entry {place}", "log-supervision", "use")
    assert acts[-2]["client"] == scene.entries()[place]["client"]
    assert scene.get(f"/v1/audit/entries/{place}/client", "log-supervisor", "curiosity").status_code == 403


def test_entries_of_another_register_are_closed(scene: Scene) -> None:
    """Another controller's log supervisor gets an entry of this register as place and leaf hash only. [LOG-01]"""
    told = scene.get("/v1/audit/entries?limit=1000", "log-supervisor", "", OTHER_ORGANISER).json()["entries"]
    whole = scene.entries()
    closed = [one for one in told if one.keys() == {"idx", "leaf"}]

    assert {whole[one["idx"]]["controller"] for one in closed} - {"apart"} == {ORGANISER}
    # what the operator does with all registers together is of each of them
    assert {one["controller"] for one in told if one not in closed} <= {"", "every", "unregistered", OTHER_ORGANISER}
    assert scene.get(f"/v1/clients/{CLIENT}/access-report", "log-supervisor", "", OTHER_ORGANISER).status_code == 404


# the register of parties


def test_register_of_parties_over_http(scene: Scene) -> None:
    """ACC-04: supervisors read the users of their own producers as they were on a day; an auditor, by key only.

    [ACC-04, ACC-06]
    """
    own = scene.get("/v1/parties?kind=person", "purchaser-supervisor").json()["register"]
    other = scene.get("/v1/parties?kind=person", "log-supervisor", "", OTHER_ORGANISER).json()["register"]
    auditor = scene.get("/v1/parties?kind=person", "auditor").json()["register"]
    before = scene.get("/v1/parties?kind=person&known_at=2020-01-01", "purchaser-supervisor").json()["register"]

    assert ["Salla Salainen"] == [one["name"] for one in own]
    assert ["Toini Toinen"] == [one["name"] for one in other]
    assert [{"kind", "key", "from", "to", "organisation", "role"}] == [set(one) for one in auditor]
    assert before == []
    for query in ("kind=nothing", "known_at=soon", "on=2026-13-01"):
        told = scene.get(f"/v1/parties?{query}", "purchaser-supervisor")
        assert (told.status_code, [one["rule"] for one in told.json()["findings"]]) == (422, ["API-PARAMETER"])


def test_a_unit_is_told_only_of_who_is_known_to_be_no_secret(scene: Scene) -> None:
    """The register tells a client's unit only where the client is known not to be under turvakielto."""
    told = scene.get("/v1/parties?kind=relationship", "purchaser-supervisor").json()["register"]
    by_number = {scene.gateway.parts.keyring.client(PROVIDER, one): one for one in (CLIENT, "A-404")}

    assert {CLIENT: UNIT, "A-404": None} == {by_number[one["client"]]: one.get("unit") for one in told}
