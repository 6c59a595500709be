"""The questions of auditors on an installation with a history: one answer, four forms, each asking an entry."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.operationoutcome import OperationOutcome
from tests.architecture.sources import ROOT
from tests.audited import (
    CLIENT,
    LEAVES,
    NAMES,
    NUMBER,
    ORGANISER,
    PROVIDER,
    PURPOSES,
    SAME_NAME,
    STAYS,
    Audited,
    auditor,
    worker,
)
from tests.installations import SAMPLE, installation, key_folder, take
from typer.testing import CliRunner

from kanta_gateway import keyfiles
from kanta_gateway.access.statements import read
from kanta_gateway.audit import report
from kanta_gateway.audit.log import AuditEvent as AuditEntry
from kanta_gateway.cli import app
from kanta_gateway.errors import ConflictError, NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.model import Event, Oid
from kanta_gateway.pipeline.known import entries
from kanta_gateway.pipeline.sphere import Sphere
from kanta_gateway.web import application

ARCHIVE = "national archive for social welfare"
SUB, STRANGER = "1.2.246.10.94005557.10.0", "1.2.246.10.94009999.10.0"
GIVEN = {"client-access": {"client": CLIENT}, "disclosures": {"recipient": ARCHIVE}}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """One installation for every fact here; what a test adds is asked for by itself."""
    made = Audited(tmp_path_factory.mktemp("audited"))
    made.incident_id = made.incident()
    made.review()
    yield made
    made.close()


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """One whose clock goes on."""
    made = Audited(tmp_path_factory.mktemp("moved"))
    yield made
    made.close()


def log(audited: Audited) -> list[dict[str, Any]]:
    """Every entry of the log."""
    with audited.gateway.parts.database.reading() as tx:
        return list(entries(audited.gateway.parts, tx, report.Filter()))


def told(audited: Audited, question: str, **given: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of an answer, and its last line."""
    lines = [orjson.loads(line) for line in audited.ask(question, "jsonl", None, **given).splitlines()]
    return lines[1:-1], lines[-1]


class Called:
    """The web application, called inside this process."""

    def __init__(self, audited: Audited) -> None:
        self._app = application(audited.gateway)

    def __call__(self, method: str, path: str, role: dict[str, str], **rest: Any) -> httpx.Response:
        """One call."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
                return await client.request(method, f"/v1/audit/{path}", headers=role, **rest)

        return asyncio.run(call())


def questions(audited: Audited) -> list[dict[str, Any]]:
    """Every question."""
    found: list[dict[str, Any]] = audited.gateway.auditors.answers.listed("en")["questions"]
    return found


def test_the_fourteen_questions_are_there(audited: Audited) -> None:
    """The questions of auditors are numbered 1 to 14, each with its provision and its text in three languages."""
    numbers = [one["number"] for one in questions(audited)]
    texts = {lang: audited.gateway.auditors.answers.listed(lang)["questions"] for lang in ("fi", "sv", "en")}

    assert [*range(1, 15), None] == numbers
    assert all(one["provision"] for one in questions(audited))
    assert 3 == len({tuple(one["text"] for one in found) for found in texts.values()})


def test_every_question_has_an_answer_in_every_form(audited: Audited) -> None:
    """Each question is answered as JSON, JSON Lines and CSV with the same rows, and as AuditEvents that R4B accepts."""
    for one in questions(audited):
        given = GIVEN.get(one["id"], {})
        lines = audited.ask(one["id"], **given).splitlines()
        whole = json.loads(audited.ask(one["id"], "json", **given))
        table = list(csv.reader(io.StringIO(audited.ask(one["id"], "csv", **given))))
        events = [json.loads(line) for line in audited.ask(one["id"], "fhir", **given).splitlines()]
        for event in events[:-1]:
            AuditEvent(**event)
        OperationOutcome(**events[-1])

        assert one["columns"] == table[1], one["id"]
        assert whole["question"] == one["id"] == json.loads(lines[0])["question"]
        if one["id"] not in {"admin-accesses", "client-access"}:  # which hold the asking itself
            assert len(lines) - 2 == len(whole["answer"]) == len(table) - 3, one["id"]


def test_every_form_shows_the_columns_of_the_askers_list(audited: Audited) -> None:
    """ACC-02, LOG-14: each column of each question stands on a list; from outside none names a person, in any form.

    [ACC-02, LOG-14]
    """
    lists = audited.gateway.parts.views
    names = {
        role: set(lists.sight("audit-answer", role, PURPOSES[role]).within("answer").tree)  # type: ignore[union-attr]
        for role in ("auditor", "log-supervisor")
    }
    unlisted = {name for one in questions(audited) for name in one["columns"]} - names["log-supervisor"]
    ref = str(audited.gateway.parts.keyring.client(PROVIDER, CLIENT))
    told: dict[str, set[str]] = {}
    for one in questions(audited):
        given = {"client": ref} if one["id"] == "client-access" else GIVEN.get(one["id"], {})
        table = list(csv.reader(io.StringIO(audited.ask(one["id"], "csv", auditor(), **given))))[1]
        rows = json.loads(audited.ask(one["id"], "json", auditor(), **given))["answer"]
        told[one["id"]] = {*table, *(name for row in rows for name in row)}

    assert unlisted == set()
    assert names["log-supervisor"] - names["auditor"] == {"person_id", "person_name"}
    assert [] == [one for one, columns in told.items() if columns & {"person_id", "person_name"}]
    assert all(told.values())


def test_asking_is_an_entry(audited: Audited) -> None:
    """Who asked what about which client is in the log before the answer is given, and names no client number.

    CLR-10: by number it is the act of resolving, by keyed reference it is reading. [CLR-10]
    """
    before = len(log(audited))
    answer = audited.gateway.auditors.answers.ask(auditor("log-supervisor"), "1", {"client": CLIENT}, "csv", "en")
    entry = log(audited)[before]
    answer.close()  # type: ignore[attr-defined]

    audited.ask("1", caller=auditor("log-supervisor"), client=str(entry["client"]))

    assert ("audit:resolve", "log-supervision") == (entry["event"], entry["purpose"])
    assert "audit:read" == [one for one in log(audited) if one["subject"] == "question:client-access"][-1]["event"]
    assert "question:client-access" == entry["subject"]
    assert entry["client"] == audited.gateway.parts.keyring.client(PROVIDER, CLIENT)
    assert ["client"] == entry["details"]["parameters"]
    assert CLIENT not in json.dumps(entry)


def test_every_access_to_a_client(audited: Audited) -> None:
    """Question 1 tells who used a client's data, when, why and on which basis, and which entries it leaves out."""
    rows, last = told(audited, "client-access", client=CLIENT)
    reads = [row for row in rows if row["event"] == "record:read"]
    sent = [row for row in rows if row["event"] == "document:send"]
    held = {one["idx"] for one in log(audited) if one.get("client") == rows[0].get("client", one.get("client"))}

    assert {NAMES[STAYS], NAMES[LEAVES], NAMES[SAME_NAME]} == {row["person_name"] for row in reads}
    assert {"delivery"} == {row["purpose"] for row in reads}
    assert all("703/2023 §14" in row["basis"] for row in reads)
    assert sent
    assert {"disclosure"} == {row["log"] for row in sent}
    assert last["left_out"]["count"] == last["entries"]["of"] - len(rows)
    assert {row["idx"] for row in rows} <= held
    assert str(rows[0]["idx"] - 1) in last["left_out"]["indices"].split(",")[0]


def test_accesses_without_an_open_relationship(audited: Audited) -> None:
    """Question 2 tells a user's reads of a client whose decisions had ended, and none of them once one is open."""
    rows, _ = told(audited, "2", person=STAYS)
    nobody, _ = told(audited, "2", person="T-9")

    assert [("ended", NAMES[STAYS])] * 3 == [(row["relationship"], row["person_name"]) for row in rows]
    assert [] == nobody


def test_the_log_is_complete_and_unchanged(audited: Audited) -> None:
    """Question 3 verifies the whole log and matches it with what is stored."""
    audited.gateway.office.checkpoint(None)
    rows, _ = told(audited, "3")

    assert ["checkpoint", "log"] == [row["what"] for row in rows]
    assert rows[1]["holds"] is True
    assert rows[0]["size"] < rows[1]["size"]


def test_users_and_rights_on_a_day(audited: Audited) -> None:
    """ACC-04: question 4 tells who was a user on a day, in which role and with which rights. [ACC-04]"""
    today = {row["person_id"]: row for row in told(audited, "4")[0] if row["kind"] == "person"}
    before = {row["person_id"] for row in told(audited, "4", on=audited.last_day)[0]}
    earlier, _ = told(audited, "4", on="2024-12-31")

    assert {STAYS, SAME_NAME} == today.keys()
    assert {STAYS, LEAVES, SAME_NAME} == before
    assert [] == earlier
    assert "record:read" in today[STAYS]["actions"]
    assert "TOTEUTUS" == today[STAYS]["task"]


def test_when_leavers_rights_were_removed(audited: Audited) -> None:
    """Question 5 tells the last day, when it was stated, how late that was, and what was done or tried afterwards."""
    (row,), _ = told(audited, "5")

    assert (LEAVES, audited.last_day) == (row["person_id"], row["last_day"])
    assert 24 * 9 - 1 <= row["hours_late"] <= 24 * 10 + 1
    assert (2, 1) == (row["uses_after"], row["denied_after"])
    assert [] == told(audited, "5", until="2025-12-31")[0]


def test_traffic_against_contracts(audited: Audited) -> None:
    """Question 7 tells that what was used and disclosed is covered by the contract, and what its contract saw of it."""
    rows, last = told(audited, "7")
    kinds = {(row["kind"], row["state"]) for row in rows}

    assert {("traffic", "matches"), ("contract", "traffic")} == kinds
    assert {ARCHIVE, ""} == {row["recipient"] for row in rows}
    assert last["entries"]["used"] == sum(row["entries"] for row in rows if row["kind"] == "traffic")


def test_traffic_of_a_sub_processor(tmp_path: Path) -> None:
    """A sub-processor's acts match on the days of its approval only, and a stranger's on none. [CTL-11]"""
    gateway = installation(tmp_path / "data")
    of_contract = {"processor": PROVIDER, "controller": ORGANISER}
    gateway.party_book.state(read([
        {"kind": "contract", **of_contract, "number": NUMBER, "purchaser": "lapha", "from": "2025-01-01"},
        {"kind": "register-use", **of_contract, "contract": NUMBER, "from": "2025-01-01"},
        {"kind": "organisation", "oid": SUB, "name": "Alihankkija ry", "role": "sub-processor"},
        {"kind": "approval", **of_contract, "contract": NUMBER, "sub_processor": SUB, "name": "Alihankkija ry",
         "from": "2025-03-02", "to": "2025-03-03"},
    ]), gateway.actor(None, None, None))  # fmt: skip
    acts = [(SUB, day) for day in (1, 2, 3, 4)] + [(STRANGER, 2), (PROVIDER, 1), (ORGANISER, 4)]
    with gateway.parts.database.transaction() as tx:
        gateway.parts.log.append(tx, [
            AuditEntry(
                event=Event.RECORD_READ, caller=replace(worker(STAYS), organisation=Oid(oid)), subject=f"t-{number}",
                at=datetime(2025, 3, day, 12, tzinfo=UTC), client_ref="c" * 64, provider=PROVIDER,
                controller=ORGANISER, purpose="delivery", basis="703/2023 §9", details={},
            )
            for number, (oid, day) in enumerate(acts)
        ])  # fmt: skip
    lines = "".join(gateway.auditors.answers.ask(gateway.actor(None, None, None), "7", {}, "jsonl", "en"))
    rows = [orjson.loads(line) for line in lines.splitlines()][1:-1]
    gateway.close()
    found = {
        one["organisation"]: (one["state"], one["days_outside"], one["first_outside"], one["last_outside"])
        for one in rows if one["kind"] == "traffic"
    }  # fmt: skip
    (approval,) = [one for one in rows if one["kind"] == "approval"]

    assert found == {
        SUB: ("not-approved", 2, "2025-03-01", "2025-03-04"),
        STRANGER: ("not-approved", 1, "2025-03-02", "2025-03-02"),
        PROVIDER: ("matches", 0, "", ""), ORGANISER: ("matches", 0, "", ""),
    }  # fmt: skip
    assert (SUB, 2) == (approval["organisation"], approval["entries"])


def test_disclosures_to_one_recipient(audited: Audited) -> None:
    """LOG-03: question 8 tells each disclosure to a recipient with data, discloser, purpose and basis. [LOG-03]"""
    rows, last = told(audited, "8", recipient=ARCHIVE)
    none, _ = told(audited, "8", recipient="somebody")

    assert {"document:send"} == {row["event"] for row in rows}
    assert all(
        row[name] for row in rows for name in ("subject", "provider", "controller", "purpose", "basis", "client")
    )
    assert last["entries"]["given"] == len(rows) > 0
    assert [] == none


def test_incident_timeline(audited: Audited) -> None:
    """Question 9 tells the clocks of 24 hours, 72 hours and a month: answered in time, and open."""
    rows, _ = told(audited, "9")

    assert [("first", 20.0, "done"), ("follow-up", "", "open"), ("final", "", "open")] == [
        (row["clock"], row["hours"], row["state"]) for row in rows if row["incident"] == audited.incident_id
    ]


def test_a_restore_test_leaves_evidence(audited: Audited, tmp_path: Path) -> None:
    """Restoring a copy verifies its log, opens contents and leaves an entry; so does a file that is none."""
    backups = audited.gateway.auditors.backups
    before = len(told(audited, "10")[0])
    whole = backups.verify(audited.me)
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"no database")
    empty = tmp_path / "empty.sqlite"
    empty.write_bytes(b"")
    tried = [backups.verify(audited.me, one)["holds"] for one in (damaged, empty)]
    rows, _ = told(audited, "10")

    assert whole["holds"]
    assert whole["opened"] == 20
    assert [False, False] == tried
    assert [True, False, False] == [row["details.holds"] for row in rows[before:]]


def test_admin_accesses(audited: Audited) -> None:
    """Question 11 tells what was done to the register, the log and by operators, and no worker's reading."""
    rows, _ = told(audited, "11")

    assert {"party:register", "case:open", "audit:review"} <= {row["event"] for row in rows}
    assert {"own system"}.isdisjoint(row["system"] for row in rows)


def test_retention_evidence(moved: Audited) -> None:
    """Question 12 tells what is overdue: content after its grace, entries after 12 years."""
    before = {row["what"]: row for row in told(moved, "12")[0]}
    ahead = moved.world.ahead
    moved.later(days=40)
    late = {row["what"]: row for row in told(moved, "12")[0]}
    moved.later(days=366 * 12)
    later = {row["what"]: row for row in told(moved, "12")[0]}
    moved.world.ahead = ahead

    assert 0 == before["content of documents"]["overdue"]
    assert late["content of documents"]["overdue"] > 0
    assert 0 == late["entries of the log"]["overdue"]
    assert later["entries of the log"]["overdue"] > 0


def test_identity_codes_of_test_data(audited: Audited) -> None:
    """Question 13 counts identity codes by series and tells the tickets of others, and no code."""
    rows, _ = told(audited, "13")
    clients = next(row for row in rows if row["type"] == "client")
    text = audited.ask("13")

    assert ("test", 3, 3, 0) == tuple(clients[name] for name in ("environment", "codes", "test_series", "others"))
    assert "120685-905P" not in text


def test_unusual_access_opens_cases_once(audited: Audited) -> None:
    """LOG-10: an alert opens a case with an owner and a due date, once, however often the log is reviewed. [LOG-10]"""
    rows, _ = told(audited, "unusual-access")
    today = audited.gateway.office.today
    cases = audited.gateway.auditors.cases.listed(audited.me, kind="alert")["cases"]
    again = audited.gateway.auditors.cases.review(audited.me, today - timedelta(days=3), today)

    assert {
        ("no-relationship", STAYS), ("no-relationship", LEAVES), ("no-relationship", SAME_NAME),
        ("after-leaving", LEAVES), ("own-family-name", SAME_NAME),
    } <= {(row["rule"], row["person_id"]) for row in rows}  # fmt: skip
    assert {row["rule"] for row in rows} == {one["rule"] for one in cases}
    assert all(one["steps"][0]["owner"] == "data-protection-officer" and one["due_on"] > "2026" for one in cases)
    assert 0 == again["opened"]
    assert again["findings"]


def test_a_case_is_worked_on_and_closed(audited: Audited) -> None:
    """LOG-10: a case gets notes and an owner, ends with outcome and reason; question 14 tells of it. [LOG-10]"""
    desk, supervisor = audited.gateway.auditors.cases, auditor("log-supervisor")
    case = desk.listed(supervisor, kind="alert", is_open=True)["cases"][0]["id"]
    desk.work(supervisor, case, note="Kysytty esihenkilöltä.", owner="AUD-1")
    with pytest.raises(ParameterError):
        desk.close(supervisor, case, "lawful", " ")
    closed = desk.close(supervisor, case, "lawful", "Sijaisena.")
    with pytest.raises(ConflictError):
        desk.work(supervisor, case, note="Vielä.")
    rows = {row["subject"]: row for row in told(audited, "14")[0]}
    reviews = [row for row in rows.values() if row["period"]]

    assert ("closed", "lawful", "AUD-1", 3) == (
        closed["state"], closed["outcome"], closed["owner"], len(closed["steps"])
    )  # fmt: skip
    assert ("lawful", 1) == (rows[case]["outcome"], rows[case]["steps"])
    assert reviews[0]["cases_opened"] > 0
    assert "Sijaisena" not in json.dumps(log(audited), ensure_ascii=False)


def test_the_worker_reviews_each_day_once(moved: Audited) -> None:
    """LOG-11: the gateway looks for unusual access by itself, every day once, and goes on where it stopped. [LOG-11]"""
    desk, worker_ = moved.gateway.auditors.cases, moved.gateway.actor("worker", "kanta-gateway worker", "archiving")
    moved.later(days=1)
    first = [desk.review_if_due(worker_), desk.review_if_due(worker_)]
    moved.later(days=2)
    second = desk.review_if_due(worker_)
    periods = [entry["details"]["period"] for entry in log(moved) if entry["event"] == "audit:review"]
    opened = [entry for entry in log(moved) if entry["event"] == "case:open"]
    today = moved.gateway.office.today

    assert [True, False] == first
    assert second
    assert [f"/{today - timedelta(days=3)}", f"{today - timedelta(days=2)}/{today - timedelta(days=1)}"] == periods
    assert opened


def test_an_outside_auditor_sees_references_only(audited: Audited) -> None:
    """LOG-14: from outside, persons and clients are keyed references, in every form and as parameters. [LOG-14]"""
    ref = str(audited.gateway.parts.keyring.client(PROVIDER, CLIENT))
    by_ref = audited.ask("1", caller=auditor(), client=ref)
    whole = "".join(
        audited.ask(one["id"], form, auditor(), **({"client": ref} if "client" in one["parameters"] else {}),
                    **({"recipient": ARCHIVE} if "recipient" in one["parameters"] else {}))
        for one in questions(audited) for form in ("csv", "fhir", "json", "jsonl")
    )  # fmt: skip
    with pytest.raises(ParameterError):
        audited.ask("1", caller=auditor(), client=CLIENT)
    with pytest.raises(ParameterError):
        audited.ask("2", caller=auditor(), person=STAYS)

    assert "record:read" in by_ref
    assert [] == [name for name in (*NAMES.values(), *(f'"{one}"' for one in NAMES), CLIENT) if name in whole]


def test_another_registers_entries_are_withheld(audited: Audited) -> None:
    """LOG-14: whoever supervises another register reads none of this one's entries; it is told that they are withheld,
    and not how many of them are about what was asked. [LOG-14]
    """
    ref = str(audited.gateway.parts.keyring.client(PROVIDER, CLIENT))
    other = replace(auditor("log-supervisor"), organisation=Oid("1.2.246.10.94001112.10.0"))
    text = audited.ask("1", caller=other, client=ref)
    last = orjson.loads(text.splitlines()[-1])
    traffic = orjson.loads(audited.ask("7", caller=other).splitlines()[-1])

    assert 2 == len(text.splitlines())
    assert {"registers": "others"} == last["withheld"] == traffic["withheld"]
    assert last["left_out"]["count"] == last["entries"]["of"]
    assert 0 == traffic["entries"]["used"]


def test_what_is_not_allowed_is_refused_and_noted(audited: Audited) -> None:
    """LOG-13: a worker asks nothing, an outside auditor opens no case; both denials are entries. [LOG-13]"""
    from tests.audited import worker

    with pytest.raises(NotPermittedError):
        audited.ask("1", caller=worker(STAYS), client=CLIENT)
    with pytest.raises(NotPermittedError):
        audited.gateway.auditors.cases.open_incident(auditor(), "client-safety", datetime.now(UTC))
    with pytest.raises(NotPermittedError):
        audited.gateway.auditors.backups.verify(auditor())
    denied = [one["details"]["asked"] for one in log(audited)[-3:]]

    assert ["audit:read", "case:open", "backup:verify"] == denied


def test_mistaken_questions_are_told_whole(audited: Audited) -> None:
    """A question that is not there is not found; a lacking, unknown or wrong parameter is told, all at once."""
    with pytest.raises(NotFoundError):
        audited.ask("15")
    with pytest.raises(NotFoundError):
        audited.ask("1", client="nobody")
    with pytest.raises(ParameterError) as wrong:
        audited.ask("1", from_="yesterday", recipient="x")

    assert ["/client", "/from", "/recipient"] == [one.pointer for one in wrong.value.findings]


def test_over_http(audited: Audited) -> None:
    """Over HTTP a question is one call, a case is opened, worked on and closed, and each call is guarded."""
    key, certificate = keyfiles.development_system(key_folder(audited.gateway))
    audited.gateway.registration.register_system(certificate.decode(), ORGANISER, "audit desk")

    def token(role: str) -> dict[str, str]:
        told_ = keyfiles.assertion_of(
            key, certificate, system="audit desk", organisation=ORGANISER, person_id="AUD-1",
            person_name="Tarja Tarkastaja", role=role, purpose=PURPOSES[role], contract=NUMBER,
            audience="kanta-gateway", now=audited.gateway.parts.now(),
        )  # fmt: skip
        return {"Authorization": f"Bearer {told_}"}

    call = Called(audited)
    listed = call("GET", "questions", token("auditor"))
    table = call("GET", f"questions/8?recipient={quote(ARCHIVE)}&format=csv", token("auditor"))
    wrong = call("GET", "questions/8?receiver=x", token("auditor"))
    nobody = call("GET", "questions/8?recipient=x", {})
    opened = call("POST", "incidents", token("log-supervisor"), json={
        "trigger": "personal-data-breach", "known_at": audited.gateway.parts.now().isoformat(),
    })  # fmt: skip
    case = opened.json()["id"]
    answered = call("POST", f"incidents/{case}:told", token("log-supervisor"),
                           json={"clock": "supervisory-authority"})  # fmt: skip
    bad = call("POST", f"cases/{case}:close", token("log-supervisor"), json={"outcome": "x"})
    closed = call("POST", f"cases/{case}:close", token("log-supervisor"),
                         json={"outcome": "unclear", "note": "Selvitetty."})  # fmt: skip
    seen = call("GET", "cases?kind=incident&state=closed", token("log-supervisor"))
    denied = call("GET", "cases", token("auditor"))
    review = call("POST", "reviews", token("log-supervisor"), json={"until": "2026-01-01"})

    assert 15 == len(listed.json()["questions"])
    assert (200, "text/csv; charset=utf-8") == (table.status_code, table.headers["content-type"])
    assert ARCHIVE in table.text
    assert [422, 401, 403, 422] == [wrong.status_code, nobody.status_code, denied.status_code, bad.status_code]
    assert [201, 200, 200] == [opened.status_code, answered.status_code, closed.status_code]
    assert "closed" == closed.json()["state"]
    assert [case] == [one["id"] for one in seen.json()["cases"]]
    assert 422 == review.status_code or review.json()["opened"] == 0


def test_an_export_tells_what_it_leaves_out(audited: Audited) -> None:
    """An export of one client's entries ends with how many entries of the log it leaves out, and which."""
    lines = list(audited.gateway.trail.export("csv", audited.me, CLIENT))
    resources = [orjson.loads(line) for line in audited.gateway.trail.export("fhir", audited.me, CLIENT)]
    whole = orjson.loads(list(audited.gateway.trail.export("csv", audited.me))[-1][2:])
    last = orjson.loads(lines[-1][2:])
    again = orjson.loads(resources[-1]["issue"][0]["diagnostics"])
    given = [row[0] for row in csv.reader(lines[1:-1])]

    assert len(given) == last["entries"]["given"] == last["entries"]["of"] - last["left_out"]["count"]
    assert again["left_out"]["count"] == again["entries"]["of"] - (len(resources) - 1)
    assert given[0] not in last["left_out"]["indices"].split(",")
    assert {"count": 0, "indices": ""} == whole["left_out"]


def test_the_page_is_followed(audited: Audited) -> None:
    """Every command of the page for auditors runs, and answers as the page says."""
    page = (ROOT / "docs/howto-auditors.md").read_text("utf-8")
    blocks = re.findall(r"^```(sh|text)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    audited.review()
    case = audited.gateway.auditors.cases.listed(audited.me, kind="alert", is_open=True)["cases"][0]["id"]
    values = {
        "$CLIENT": CLIENT,
        "$LAST_DAY": audited.last_day,
        "$CASE": case,
        "$TODAY": audited.gateway.office.today.isoformat(),
    }
    compared = 0
    for (kind, text), (after, expected) in itertools.pairwise(blocks):
        if kind == "text":
            continue
        assert "text" == after
        for line in text.splitlines():
            words = [values.get(word, word) for word in shlex.split(line)]
            done = CliRunner().invoke(app, ["--data", str(audited.world.folder / "data"), *words[1:]])
            assert 0 == done.exit_code, (line, done.output)
        pattern = re.escape(expected).replace("…", ".*")
        assert re.fullmatch(pattern, done.output, re.DOTALL), (text, done.output)
        compared += 1

    assert len(questions(audited)) + 6 == compared


def test_a_question_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """A fifteenth question that selects and groups entries needs no Python: a file of the installation answers it."""
    folder = tmp_path / "own" / "mappings" / "audit" / "questions"
    folder.mkdir(parents=True)
    (folder / "ours.yaml").write_text(
        """
drops-by-purpose:
  number: 15
  texts: {fi: "Montako jäi pois?", sv: "Hur många utelämnades?", en: "How many were left out?"}
  provision: [GDPR 5(1)(c)]
  parameters: {organisation: optional}
  select: [{event: ["document:drop"]}]
  group: [provider, purpose]
  collect: {times: {field: idx, pick: count}, newest: {field: at}}
""",
        "utf-8",
    )
    gateway = installation(tmp_path / "data", knowledge=str(tmp_path / "own"))
    take(gateway, [SAMPLE])
    lines = list(gateway.auditors.answers.ask(gateway.actor(None, None, None), "15", {}, "csv", "en"))
    mistakes = gateway.checkup.lacking()["own_files"]
    gateway.close()

    assert "provider,purpose,times,newest,entries,first,last\n" == lines[1]
    assert lines[2].startswith(f"{PROVIDER},development,")
    assert ["mappings/audit/questions/ours.yaml"] == mistakes


def test_reviews_leave_no_gap(tmp_path: Path) -> None:
    """A review of single days does not count as having reviewed what came before, and today is never over."""
    gateway = installation(tmp_path / "data")
    desk, me, today = gateway.auditors.cases, gateway.actor(None, None, None), gateway.office.today
    day = timedelta(days=1)
    desk.review(me, today - 3 * day, today - 2 * day)
    whole_log = Sphere()
    alone = desk._following(whole_log)
    desk.review(me, None, today)
    whole = desk._following(whole_log)
    gateway.close()

    assert alone is None
    assert today == whole
