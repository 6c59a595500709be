"""Break-glass: opened by a statutory sub-item for one client and a time, marked in the log, reviewed by another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.crossing import BREAKING, CLINIC, ORGANISER, OTHER, PRIVATE, PROVIDER, REASON, Crossing, kinds
from typer.testing import CliRunner

from kanta_gateway import forgotten
from kanta_gateway.cli import access, app, daily, parties
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.model import instant
from kanta_gateway.tables import access_grant

PROHIBITED: dict[str, Any] = {"type": "prohibition"}
NOTE = "Käynti todettu perustelluksi ensihoidon kirjauksesta."
REVIEWER: dict[str, Any] = {"role": "access-reviewer", "purpose": "supervision", "person": "V-9"}


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossing]:
    """One installation for all facts below; each has a client of its own."""
    made = Crossing(tmp_path_factory.mktemp("crossing"))
    yield made
    made.gateway.close()


@contextmanager
def at(crossing: Crossing, moment: datetime) -> Iterator[None]:
    """The same installation with its clock at a moment."""
    parts = crossing.gateway.parts
    clock = parts.clock
    object.__setattr__(parts, "clock", lambda: moment)
    try:
        yield
    finally:
        object.__setattr__(parts, "clock", clock)


def opened(crossing: Crossing, oid: str, **changes: Any) -> dict[str, Any]:
    """A grant for the client of a document."""
    answer = crossing.call("POST", "/v1/access/grants", {**BREAKING, "document": oid, **changes})
    assert 201 == answer.status_code, answer.text
    told: dict[str, Any] = answer.json()
    return told


def by(grant: dict[str, Any]) -> dict[str, str]:
    """A disclosure by a grant."""
    return {"under": "grant", "grant": grant["grant"]}


def test_a_grant_opens_one_client_and_is_marked(crossing: Crossing) -> None:
    """D6 opens one client's documents in spite of a prohibition, every entry carries BTG, and others stay closed.

    The reason in words is sealed: neither the log nor the table tells it.
    """
    _, oid = crossing.client(PROHIBITED, serves="")
    _, other = crossing.client(serves="")
    grant = opened(crossing, oid)
    listed = crossing.call("GET", f"/v1/access/grants/{grant['grant']}/documents").json()["documents"]
    seen, strange = crossing.disclose(oid, by(grant)), crossing.disclose(other, by(grant))
    entries = [
        one for event in ("access:break", "document:disclose") for one in crossing.entries(event)
        if grant["grant"] in {one["subject"], one["details"].get("grant")}
    ]  # fmt: skip
    with crossing.gateway.parts.database.reading() as tx:
        row = tx.exec_driver_sql("SELECT * FROM access_grant WHERE id = ?", (grant["grant"],)).one()

    assert [oid] == [one["oid"] for one in listed]
    assert [200, 404] == [seen.status_code, strange.status_code]
    assert ("D6", "evident-need") == (grant["row"], grant["item"])
    assert ["BTG"] * 3 == [one["details"]["flag"] for one in entries]
    assert {"703/2023 §56.1; 703/2023 §56.2"} == {one["basis"] for one in entries}
    assert not any("kadulta" in str(value) for one in (*entries, row) for value in (one, str(one)))


def test_a_restored_table_is_seen(crossing: Crossing) -> None:
    """Log and table match grant by grant; one that was ended and stands open again, as in a backup, is found."""
    _, oid = crossing.client(serves="")
    grant = opened(crossing, oid)["grant"]
    crossing.call("POST", f"/v1/access/grants/{grant}:end")

    def found() -> set[str]:
        told = crossing.gateway.trail.verify(reconcile=True)["unmatched"]
        return {one["place"] for one in told if grant in str(one) or "access_grant" in str(one)}

    before = found()
    with crossing.gateway.parts.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE access_grant SET ended_at = NULL WHERE id = ?", (grant,))
    after = found()
    with crossing.gateway.parts.database.transaction() as tx:
        tx.exec_driver_sql("UPDATE access_grant SET ended_at = given_at WHERE id = ?", (grant,))

    assert set() == before
    assert 1 == len(after)


@pytest.mark.parametrize("column", ["provider", "controller"])
def test_a_grant_is_of_one_register(crossing: Crossing, column: str) -> None:
    """A grant into another register opens nothing here, though person and client are the same."""
    _, oid = crossing.client(serves="")
    grant = opened(crossing, oid)
    told = [crossing.disclose(oid, by(grant)).status_code]
    mine = access_grant.c.id == grant["grant"]
    with crossing.gateway.parts.database.transaction() as tx:
        before = tx.execute(select(access_grant.c[column]).where(mine)).scalar_one()
        tx.execute(update(access_grant).where(mine).values({column: CLINIC}))
    told.append(crossing.disclose(oid, by(grant)).status_code)
    with crossing.gateway.parts.database.transaction() as tx:
        tx.execute(update(access_grant).where(mine).values({column: before}))

    assert [200, 404] == told


def test_a_grant_that_a_backup_opened_again_ends_at_the_start(crossing: Crossing) -> None:
    """What the journal says of an ended grant is done again in a database that has lost it, once, with an entry."""
    _, oid = crossing.client(serves="")
    grant, parts = opened(crossing, oid), crossing.gateway.parts
    deed = Forgotten(forgotten.GRANT, grant["grant"], instant(parts.now()))
    before = crossing.disclose(oid, by(grant)).status_code
    with parts.database.alone() as tx:
        events = [crossing.gateway.retention.oblivion._again(tx, deed) for _ in range(2)]
        parts.log.append(tx, events[0])
    after = crossing.disclose(oid, by(grant)).status_code

    assert (200, 404) == (before, after)
    assert [[("access:end", grant["grant"])], []] == [[(one.event, one.subject) for one in told] for told in events]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"item": "emergency"}, "item"),
        ({"reason": "Tarvitsen tiedot."}, "reason"),
        ({"reason": "hätä hätä hätä hätä hätä hätä hätä hätä"}, "reason"),
        ({"warned": False}, "warned"),
        ({"hours": 9}, "hours"),
        ({"reasonCode": "hurry"}, "reasonCode"),
        ({"client": "A-1", "provider": PROVIDER}, "client"),
    ],
)
def test_what_does_not_open(crossing: Crossing, changes: dict[str, Any], field: str) -> None:
    """There is no general emergency: sub-item, reason of enough words, warning and time are asked before anything."""
    before = len(crossing.entries("access:break"))
    answer = crossing.call("POST", "/v1/access/grants", {**BREAKING, "document": "1.2.3", **changes})

    assert 422 == answer.status_code
    assert [f"/{field}"] == [one["pointer"] for one in answer.json()["findings"]]
    assert before == len(crossing.entries("access:break"))


@pytest.mark.parametrize(
    ("who", "changes", "row"),
    [
        ({}, {}, "D6"),
        ({}, {"necessity": "useful"}, None),
        ({}, {"item": "incapacity-social", "hasRepresentative": False, "reasonCode": "kanta-disturbance"}, "D4"),
        ({}, {"item": "incapacity-social", "hasRepresentative": True, "reasonCode": "kanta-disturbance"}, None),
        ({}, {"item": "incapacity-social", "hasRepresentative": False}, None),
        ({}, {"item": "statutory-duty", "reasonCode": "kanta-disturbance"}, "D5"),
        ({}, {"item": "statutory-duty"}, None),
        ({"organisation": PRIVATE, "role": "receiving-worker", "purpose": "service-delivery"}, {}, None),
        ({"organisation": PRIVATE, "role": "receiving-official", "purpose": "service-arranging"}, {}, None),
        ({"organisation": CLINIC, "role": "health-worker", "purpose": "service-delivery"}, {}, None),
        ({"organisation": CLINIC, "role": "health-worker", "purpose": "service-delivery"},
         {"item": "incapacity-health", "hasRepresentative": False}, "D9"),
        ({"organisation": ORGANISER}, {}, None),
        ({"organisation": PROVIDER}, {}, None),
        ({"purpose": "service-delivery"}, {}, None),
    ],
)  # fmt: skip
def test_rows_of_break_glass(crossing: Crossing, who: dict[str, str], changes: dict[str, Any], row: str | None) -> None:
    """Each sub-item opens its own row, for whom the row is meant and with what it asks for; all else is denied."""
    _, oid = crossing.client(serves="")
    answer = crossing.call("POST", "/v1/access/grants", {**BREAKING, "document": oid, **changes}, **who)

    assert (201 if row else 403, row) == (answer.status_code, answer.json().get("row"))


def test_a_prohibition_blocks_what_rests_on_incapacity(crossing: Crossing) -> None:
    """D4 is no way round a prohibition, D5 is: a statutory duty goes before it (703/2023 §55.2)."""
    _, oid = crossing.client(PROHIBITED, serves="")
    told = [
        crossing.call("POST", "/v1/access/grants", {
            **BREAKING, "document": oid, "item": item, "hasRepresentative": False, "reasonCode": "not-in-archive",
        })
        for item in ("incapacity-social", "statutory-duty")
    ]  # fmt: skip

    assert [403, 201] == [one.status_code for one in told]
    assert ("D4", "prohibition") not in kinds(told[0])  # who does not serve the client is not told of its will
    assert "D4:prohibition" in crossing.entries("request:deny")[-1]["details"]["failed"]


def test_it_ends_by_itself(crossing: Crossing) -> None:
    """A grant holds until its last moment and no longer, for its person only, and may be ended earlier."""
    _, oid = crossing.client(serves="")
    grant = opened(crossing, oid, hours=2)
    until = datetime.fromisoformat(grant["until"])
    others = crossing.disclose(oid, by(grant), person="V-2").status_code
    path = f"/v1/access/grants/{grant['grant']}"
    listed = crossing.call("GET", f"{path}/documents", person="V-2").status_code
    stranger = crossing.call("POST", f"{path}:end", organisation=CLINIC).status_code
    told = []
    for moment in (until - timedelta(microseconds=1), until):
        with at(crossing, moment):
            told.append(crossing.disclose(oid, by(grant)).status_code)
    again = opened(crossing, oid)
    longest = datetime.fromisoformat(again["until"]) - crossing.gateway.parts.now()
    ended = crossing.call("POST", f"/v1/access/grants/{again['grant']}:end").status_code
    after = crossing.disclose(oid, by(again)).status_code
    twice = crossing.call("POST", f"/v1/access/grants/{again['grant']}:end").status_code

    assert timedelta(hours=2) >= until - crossing.gateway.parts.now()
    assert timedelta(hours=7) < longest <= timedelta(hours=8)
    assert [200, 404] == told
    assert [404, 404, 404] == [others, listed, stranger]
    assert [200, 404, 409] == [ended, after, twice]


def test_a_withdrawn_role_ends_it_too(crossing: Crossing) -> None:
    """Each disclosure is decided anew: a person whose role has ended gets nothing by a grant that holds. [CTL-14]"""
    _, oid = crossing.client(serves="")
    ward = "1.2.246.10.94007013.10.0"
    crossing.state({"kind": "organisation", "oid": ward, "name": "Osasto", "role": "controller", "sector": "health"})
    person = {"kind": "person", "person_id": "V-77", "organisation": ward, "role": "health-worker", "name": "N"}
    day = crossing.gateway.parts.now().date()
    who = {"organisation": ward, "role": "health-worker", "purpose": "service-delivery", "person": "V-77"}
    answer = crossing.call("POST", "/v1/access/grants", {
        **BREAKING, "document": oid, "item": "incapacity-health", "hasRepresentative": False,
    }, **who)  # fmt: skip
    first = crossing.disclose(oid, by(answer.json()), **who).status_code
    crossing.state(
        {**person, "from": (day - timedelta(days=9)).isoformat(), "to": (day - timedelta(days=2)).isoformat()}
    )
    after = crossing.disclose(oid, by(answer.json()), **who).status_code

    assert [201, 200, 403] == [answer.status_code, first, after]


def test_the_review(crossing: Crossing) -> None:
    """A grant waits in the queue of both controllers, is overdue after its day, and is reviewed once by another."""
    _, oid = crossing.client(serves="")
    grant = opened(crossing, oid)
    crossing.disclose(oid, by(grant))
    path = f"/v1/access/grants/{grant['grant']}:review"
    found = {"outcome": "founded", "note": NOTE}
    early = crossing.call("POST", path, found, **REVIEWER).status_code
    crossing.call("POST", f"/v1/access/grants/{grant['grant']}:end")
    own = crossing.call("POST", path, found, **{**REVIEWER, "person": "V-1"}).status_code
    elsewhere = crossing.call(
        "POST", path, found, organisation=ORGANISER, **{**REVIEWER, "person": "V-1"}
    ).status_code  # the same person, told with another organisation
    strangers = crossing.call("POST", path, found, organisation=CLINIC, **REVIEWER).status_code
    unmeant = crossing.call("POST", path, found, **{**REVIEWER, "role": "receiving-official"}).status_code
    due = datetime.fromisoformat(grant["review_by"]).astimezone() + timedelta(hours=12)
    states = []
    for moment in (due, due + timedelta(days=1)):
        with at(crossing, moment):
            rows = crossing.call("GET", "/v1/access/grants", organisation=ORGANISER, **REVIEWER).json()["grants"]
            (mine,) = [one for one in rows if one["grant"] == grant["grant"]]
            states.append((mine["state"], crossing.gateway.overview.status()["break_glass"]["overdue"] > 0))
            last = mine
    done = crossing.call("POST", path, found, **REVIEWER)
    twice = crossing.call("POST", path, found, **REVIEWER).status_code
    entry = crossing.entries("access:review")[-1]

    assert [409, 403, 403, 404, 403] == [early, own, elsewhere, strangers, unmeant]
    assert [("to-review", False), ("overdue", True)] == states
    assert ("V-1", "Henkilö V-1", BREAKING["reason"], 1) == (
        last["person_id"], last["name"], last["reason"], last["documents"]
    )  # fmt: skip
    assert not any("client" in name for name in last)
    assert ("reviewed", "founded", "Henkilö V-9") == tuple(
        done.json()[name] for name in ("state", "outcome", "reviewer")
    )
    assert 409 == twice
    assert ("founded", 0) == (entry["details"]["outcome"], entry["details"]["days_late"])


def test_abuse_becomes_a_case(crossing: Crossing) -> None:
    """What a review finds unfounded is a case with an owner and a due day, told until it is closed. [LOG-10]"""
    _, oid = crossing.client(serves="")
    grant = opened(crossing, oid)
    crossing.call("POST", f"/v1/access/grants/{grant['grant']}:end")
    path = f"/v1/access/grants/{grant['grant']}"
    ownerless = crossing.call("POST", f"{path}:review", {"outcome": "unfounded", "note": NOTE}, **REVIEWER)
    cases = crossing.gateway.overview.status()["break_glass"]["cases"]
    found = crossing.call(
        "POST", f"{path}:review", {"outcome": "unfounded", "note": NOTE, "owner": "Tietosuojavastaava"}, **REVIEWER
    ).json()
    late = datetime.fromisoformat(found["case_due_on"]).astimezone() + timedelta(days=1, hours=12)
    with at(crossing, late):
        overdue = crossing.gateway.overview.status()["break_glass"]["cases_overdue"]
    told = crossing.gateway.overview.status()["break_glass"]["cases"]
    own = crossing.call("POST", f"{path}:close", {"note": NOTE}, **{**REVIEWER, "person": "V-1"}).status_code
    closed = crossing.call("POST", f"{path}:close", {"note": NOTE}, **REVIEWER).json()
    again = crossing.call("POST", f"{path}:close", {"note": NOTE}, **REVIEWER).status_code

    assert ["/owner"] == [one["pointer"] for one in ownerless.json()["findings"]]
    assert ("case", "Tietosuojavastaava") == (found["state"], found["case_owner"])
    assert (cases + 1, 1) == (told, overdue)
    assert (403, "reviewed", 409) == (own, closed["state"], again)


def test_counts_of_a_month(crossing: Crossing) -> None:
    """Counts by sub-item, organisation and outcome are told for a month, and looking is an entry."""
    before = crossing.call("GET", "/v1/access/counts", month="2026-11", **REVIEWER).json()
    _, oid = crossing.client(serves="")
    month = crossing.gateway.parts.now().strftime("%Y-%m")
    first = crossing.call("GET", "/v1/access/counts", month=month, **REVIEWER).json()
    opened(crossing, oid, item="child-interest")
    then = crossing.call("GET", "/v1/access/counts", month=month, **REVIEWER).json()
    empty = crossing.call("GET", "/v1/access/counts", month="2020-01", **REVIEWER).json()

    assert before["month"] == "2026-11"
    assert first["grants"] + 1 == then["grants"]
    assert first["by_item"].get("child-interest", 0) + 1 == then["by_item"]["child-interest"]
    assert {OTHER} == then["by_organisation"].keys()
    assert 0 == empty["grants"]
    assert {"counts"} <= {one["subject"] for one in crossing.entries("access:read")}


def test_the_warning(crossing: Crossing) -> None:
    """Whoever breaks the glass is shown what is logged, and the sub-items with their provisions, in its language."""
    told = crossing.call("GET", "/v1/access/warning").json()

    assert "BTG" in told["warning"]
    assert {"incapacity-social", "statutory-duty", "evident-need", "child-interest", "interests-incapacity",
            "incapacity-health"} == told["items"].keys()  # fmt: skip
    assert all("703/2023" in one for one in told["items"].values())


def test_guessing_tells_nothing(crossing: Crossing) -> None:
    """A document that there is not opens nothing, and a denial does not depend on whether there is one."""
    _, oid = crossing.client(serves="")
    lacking = {**BREAKING, "necessity": "useful"}
    denied = [crossing.call("POST", "/v1/access/grants", {**lacking, "document": one}) for one in (oid, "1.2.3")]
    missing = crossing.call("POST", "/v1/access/grants", {**BREAKING, "document": "1.2.3"}).status_code
    unknown = crossing.call(
        "POST", "/v1/access/grants", {**BREAKING, "provider": PROVIDER, "client": "nobody"}
    ).status_code

    assert [403, 403] == [one.status_code for one in denied]
    assert denied[0].content == denied[1].content
    assert [404, 404] == [missing, unknown]


def test_the_commands(crossing: Crossing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The whole way on the command line: warning, break, documents, end, queue, review, close, counts, explain.

    Whom `--as` names is not enough: one account of the machine neither reviews what it opened nor closes its case.
    """
    for module in (access, parties, daily):
        monkeypatch.setattr(module, "open_gateway", lambda **_: crossing.gateway)

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, words)
        assert code == done.exit_code, done.output
        return done.output

    cast, oid = crossing.client(serves="")
    acting = ("--organisation", OTHER, "--role", "receiving-official", "--as", "V-1", "--name", "Virve",
              "--purpose", "service-arranging")  # fmt: skip
    other = ("--as", "V-9", "--name", "Ville", "--purpose", "supervision")
    grant = json.loads(run("access", "break", "--item", "child-interest", "--reason", REASON, "--warned",
                           "--provider", PROVIDER, "--client", cast.name("A"), *acting, "--json"))  # fmt: skip
    name = grant["grant"]
    listed = json.loads(run("access", "documents", name, *acting, "--json"))["documents"]
    run("access", "disclose", oid, "--grant", name, "--to", str(tmp_path / "one.xml"), *acting)
    run("access", "end", name, *other)
    waiting = run("access", "queue", "--state", "to-review", *other)
    review = ("access", "review", name, "--note", NOTE)
    run(*review, "--outcome", "founded", "--as", "V-1", "--name", "V", "--purpose", "supervision", code=1)
    run(*review, "--outcome", "founded", *other, code=1)
    denied_alone = crossing.entries("request:deny")[-1]
    monkeypatch.setattr("kanta_gateway.gateway.account", lambda: "login 2")  # Ville's
    namesake = ("--as", "V-8", "--name", "virve ", "--purpose", "supervision")
    run(*review, "--outcome", "founded", *namesake, code=1)
    run(*review, "--outcome", "unfounded", "--owner", "DPO", *other)
    monkeypatch.undo()
    for module in (access, parties, daily):
        monkeypatch.setattr(module, "open_gateway", lambda **_: crossing.gateway)
    run("access", "close", name, "--note", NOTE, *other, code=1)
    monkeypatch.setattr("kanta_gateway.gateway.account", lambda: "login 2")
    cases = json.loads(run("status", "--counts", "--json"))["break_glass"]["cases"]
    run("access", "close", name, "--note", NOTE, *other)
    counts = json.loads(run("access", "counts", "--month", grant["until"][:7], *other, "--json"))
    asked = ("policy", "explain", "document:disclose", "--role", "receiving-official", "--organisation", OTHER,
             "--purpose", "service-arranging", "--of", PROVIDER, "--client", cast.name("A"))  # fmt: skip
    stated = (f"--state={one}" for one in ("grant=open", "ground=child-interest", "necessity=indispensable",
                                           "reason=told"))  # fmt: skip
    denied, allowed = run(*asked, code=3), run(*asked, *stated)

    assert ("access:review", f"grant {name}: two-persons, the same account of the machine") == (
        denied_alone["details"]["asked"], denied_alone["details"]["reasons"][0]
    )  # fmt: skip
    assert "BTG" in run("access", "warning")
    assert [oid] == [one["oid"] for one in listed]
    assert b"ClinicalDocument" in (tmp_path / "one.xml").read_bytes()
    assert f"{name} to-review" in waiting
    assert "Virve" in waiting
    assert 1 <= cases
    assert 1 <= counts["by_outcome"]["unfounded"]
    assert "(grant): ei ole" in denied
    assert "sallittu: D6" in allowed
    assert cast.name("A") in run("access", "wills", "--client", cast.name("A"), "--json")
    assert "audit: " in run("access", "purposes", "--role", "auditor")
