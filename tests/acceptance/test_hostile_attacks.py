"""Malformed calls of every route, by callers whose assertions hold: nothing breaks, and nothing of a call comes back.

Routes and their parameters are taken from the description of the API, so a new route is attacked as well.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import event as listening
from tests import hostile
from tests.acceptance.test_attacks import NOBODY, ORGANISER, OTHER, OTHER_ORGANISER, PROVIDER, Scene
from tests.calling import System
from tests.hostile import MARKED, Call, Route

from kanta_gateway.access.limits import Limits
from kanta_gateway.web import application

STRIDE = 41
"""Every so many-th of the calls is made in one run of the suite; all of them take minutes."""
WHO: tuple[tuple[str, str, str], ...] = (
    ("/v1/access/grants/{grant}/documents", "provider-system", "client-request"),
    ("/v1/access/grants/{grant}:end", "receiving-official", "need-assessment"),
    ("/v1/access/warning", "provider-system", "client-request"),
    ("/v1/access", "access-reviewer", "audit"),
    ("/v1/audit", "log-supervisor", "log-supervision"),
    ("/v1/changes", "approver", "administration"),
    ("/v1/clients/{client}/access-report", "log-supervisor", "log-supervision"),
    ("/v1/clients/{client}/log-view", "citizen-portal", "client-request"),
    ("/v1/papers", "registrar", "register-maintenance"),
    ("/v1/parties", "purchaser-supervisor", "supervision"),
    ("/v1/persons", "registrar", "register-maintenance"),
    ("/v1/requests", "registrar", "client-request"),
    ("", "provider-system", "client-request"),
)
"""Beginning of a route -> role and purpose of somebody who gets further than the policy; the first that fits."""
STAFF = {"type": "staff", "id": "H-77", "surname": "Kurkela", "given_names": "Anneli", "title": "sosionomi"}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "POST /v1/access/grants": {
        "item": "child-interest", "reason": "The client is in danger", "warned": True, "necessity": "x",
        "reasonCode": "x", "hasRepresentative": False, "hours": 1, "provider": PROVIDER, "client": "A-1",
        "controller": ORGANISER, "document": "1",
    },
    "POST /v1/access/grants/{grant}:close": {"note": "It was looked into"},
    "POST /v1/access/grants/{grant}:review": {"outcome": "founded", "note": "It was looked into", "owner": "x"},
    "POST /v1/audit/cases/{case}:close": {"outcome": "lawful", "note": "It was looked into"},
    "POST /v1/audit/cases/{case}:work": {"note": "It was looked into", "owner": "x", "due_on": "2026-12-01"},
    "POST /v1/audit/incidents": {
        "trigger": "client-safety", "known_at": "2026-11-01T10:00:00Z", "note": "n", "owner": "x",
    },
    "POST /v1/audit/incidents/{case}:told": {"clock": "x", "told_at": "2026-11-01T10:00:00Z", "note": "n"},
    "POST /v1/audit/reviews": {"from": "2026-01-01", "until": "2026-01-02", "owner": "x"},
    "POST /v1/documents/{oid}:disclose": {
        "under": "handing-out", "viaKanta": False, "reasonCode": "x", "necessity": "x", "ground": "x",
        "to": {"kind": "court", "name": "n"}, "request": "x", "reference": "D/1", "representative": False,
    },
    "POST /v1/records": STAFF,
    "POST /v1/requests": {
        "kind": "log-report", "client": "A-1", "asker": "client", "asker_name": "Aino Esimerkki",
        "identified_by": "identity-document", "received_on": "2026-11-01", "provider": PROVIDER, "purchaser": "lapha",
        "contact": "x", "power": "x", "minor_prohibits": "no", "is_written": True, "purpose": "x", "wanted": "x",
        "since": "2026-01-01", "until": "2026-02-01", "special_reason": "x", "entries": [1],
    },
    "POST /v1/requests/{request_id}:decide": {
        "outcome": "granted", "ground": "x", "text": "x", "fee": "1.00", "left_out": ["1"], "decided_by": "x",
        "instruction": "x",
    },
    "POST /v1/requests/{request_id}:explain": {"text": "x"},
    "POST /v1/requests/{request_id}:extend": {"reason": "x", "instruction": "x"},
    "POST /v1/tickets/{ticket}:allow": {
        "reason": "the service needs it", "answers": [{"field": "x", "class": "person"}],
    },
}  # fmt: skip
"""A body that fits, of each route that reads fields of one."""
FITS = {
    "source": "lapha-json", "purchaser": "lapha", "client": "A-1", "month": "2026-01", "first": "1", "into": "A-2",
    "reason": "controller-decision",
}  # fmt: skip


class Attacked:
    """An installation that is attacked, by somebody of each role."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.scene = Scene(folder, **settings)
        gateway = self.scene.gateway
        object.__setattr__(gateway.parts, "limits", Limits.load("minutes: 60\nreads: {}\nothers: 1000000"))
        self.systems = {
            role: System(PROVIDER if role == "provider-system" else ORGANISER, role, contract="T/1")
            .registered(gateway)
            for _, role, _ in WHO
        }  # fmt: skip
        self.routes = hostile.routes(application(gateway).openapi(), BODIES)
        self.output = io.StringIO()
        self.there = self._things()

    def close(self) -> None:
        """End it."""
        self.scene.gateway.close()

    def _things(self) -> dict[str, str]:
        """Something that there is, by the name of its place in an address."""
        with self.scene.gateway.parts.database.reading() as tx:
            delivery = tx.exec_driver_sql("SELECT id FROM delivery").scalar_one()
        made = {"oid": self.scene.oid, "ticket": self.scene.ticket, "delivery_id": delivery, "client": "A-1",
                "index": "0", "number": "1"}  # fmt: skip
        notices = self._told("GET /v1/notices", made)["notices"]
        case = self._told("POST /v1/audit/incidents", made)
        asked = {**BODIES["POST /v1/requests"]}
        for name in ("entries", "power", "minor_prohibits", "special_reason"):
            del asked[name]
        request = self._told("POST /v1/requests", made, orjson.dumps(asked))
        questions = self._told("GET /v1/audit/questions", made)["questions"]
        papers = self._told("GET /v1/papers", made)["papers"]
        return {**made, "notice_id": notices[0]["id"], "case": case["id"], "request_id": request["id"],
                "question": questions[0]["id"], "paper": papers[0]["paper"]}  # fmt: skip

    def _told(self, route: str, there: Mapping[str, str], body: bytes | None = None) -> Any:
        one = next(one for one in self.routes if one.name == route)
        answer = self.ask(
            one, Call(one.method, one.path, {}, body or (orjson.dumps(one.fields) if one.fields else b""))
        )
        assert answer.status_code // 100 == 2, (route, answer.text, there)
        return answer.json()

    def ask(self, route: Route, call: Call) -> httpx.Response:
        """Make a call with a fresh assertion of somebody who may; what the server says is kept."""
        _, role, purpose = next(one for one in WHO if route.path.startswith(one[0]))
        with redirect_stderr(self.output), redirect_stdout(self.output):
            return self.scene.line(
                self.systems[role].token(purpose=purpose), call.method, call.address,
                params=call.query or None, content=call.body, headers=call.headers,
            )  # fmt: skip


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """One installation for all."""
    one = Attacked(tmp_path_factory.mktemp("hostile") / "data")
    yield one
    one.close()


def broken(attacked: Attacked, stride: int, start: int = 0) -> list[str]:
    """What went wrong with every so many-th call of every route."""
    found: list[str] = []
    handler = logging.StreamHandler(attacked.output)
    logging.getLogger().addHandler(handler)
    number = start
    try:
        for route in attacked.routes:
            for call in hostile.calls(route, attacked.there, FITS):
                number += 1
                if number % stride == 0:
                    found += _wrong(attacked, route, call)
    finally:
        logging.getLogger().removeHandler(handler)
    return found


def _wrong(attacked: Attacked, route: Route, call: Call) -> list[str]:
    attacked.output.seek(0)
    attacked.output.truncate()
    try:
        answer = attacked.ask(route, call)
    except (httpx.InvalidURL, UnicodeEncodeError):  # no client can send it
        return []
    said = attacked.output.getvalue()
    where = f"{route.name} {call.address[:80]} {str(call.query)[:80]} {call.body[:120]!r} {str(call.headers)[:80]}"
    own = answer.status_code // 100 == 2 and route.path in {"/v1/records", "/v1/audit/incidents"}  # what was made
    return [
        f"{what}: {where}"
        for what, is_so in (
            (f"{answer.status_code} {said}", answer.status_code >= 500),
            (f"said {said}", bool(said)),
            ("told back", not own and MARKED.lower() in f"{answer.text}{answer.headers}".lower()),
        )
        if is_so
    ]


def test_no_malformed_call_breaks_anything(attacked: Attacked) -> None:
    """Whatever stands in address, query, headers or body, the answer is a refusal in order: no fault of the server, no
    trace in its output, and nothing of the call in the answer.
    """
    assert broken(attacked, STRIDE) == []
    assert {one.name for one in attacked.routes if one.method == "POST" and "{" not in one.path} <= {
        *BODIES, "POST /v1/imports", "POST /v1/records:batch", "POST /v1/papers/checks", "POST /v1/persons/merge",
        "POST /v1/persons/unmerge",
    }  # fmt: skip


@pytest.mark.postgres
def test_no_malformed_call_breaks_the_other_database(tmp_path: Path, postgres_url: str) -> None:
    """PostgreSQL is as strict as it is (no NUL in a text, no number beyond its column): the same calls are refused."""
    one = Attacked(tmp_path / "data", database_url=postgres_url)
    found = broken(one, 10 * STRIDE, start=3)
    one.close()

    assert found == []


PUBLIC = frozenset({
    "GET /v1/audit/proofs/inclusion/{index}",  # how many entries there are stands in every checkpoint
    "GET /v1/audit/questions/{question}", "GET /v1/papers/{paper}",  # what can be asked for is the same for everybody
})  # fmt: skip
"""Routes whose identifiers tell nobody anything."""
MISSING = {"index": "999999", "number": "999999", "client": "nobody-1"}
"""What there is not, where an unguessable identifier is not the form."""


def test_guessing_on_every_route_that_takes_an_identifier(attacked: Attacked) -> None:
    """People of another purchaser get the same status, body and headers for another's thing and for none at all, by the
    role that the route is for; the statements are the same too, but for nodes of the log's tree. [ACC-07, LOG-13]
    """
    gateway, told = attacked.scene.gateway, []
    systems = {
        role: System(OTHER if role == "provider-system" else OTHER_ORGANISER, role, contract="T/2").registered(gateway)
        for role in attacked.systems
    }
    seen: list[str] = []
    listening.listen(gateway.parts.database.engine, "before_cursor_execute", lambda *one: seen.append(one[2]))
    for route in attacked.routes:
        named = [*route.places, *(one for one in route.needed if one == "client")]
        if not named or route.name in PUBLIC:
            continue
        _, role, purpose = next(one for one in WHO if route.path.startswith(one[0]))
        both = []
        none, there = ({one: known.get(one, other) for one in named} for known, other in (
            (MISSING, NOBODY), (attacked.there, "1")
        ))  # fmt: skip
        for values in (none, none, there):
            seen.clear()
            query = {one: values.get(one, FITS.get(one, "x")) for one in route.needed}
            answer = attacked.scene.line(
                systems[role].token(purpose=purpose), route.method, hostile.address(route.path, values),
                params=query or None, content=orjson.dumps(route.fields) if route.fields else b"",
            )  # fmt: skip
            work = [one for one in seen if "INSERT INTO audit_node" not in one]
            both.append((answer.status_code, answer.content, dict(answer.headers), work))
        told += [route.name] if both[1] != both[2] or both[2][0] // 100 == 2 else []  # the first call prepares

    assert told == []
