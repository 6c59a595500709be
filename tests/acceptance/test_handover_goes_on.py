"""What was open when a controller's register was handed over goes on where it was taken in, and ends where it was."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.acceptance.test_break_glass import NOTE, REVIEWER, by, opened
from tests.acceptance.test_changes import REASON, Desk
from tests.acceptance.test_handover import Recipient, recipient
from tests.acceptance.test_tables_again import CLIENTS, DAYS, diary
from tests.chains import ORGANISER, Cast, deliver, register
from tests.crossing import BREAKING, Crossing
from tests.faults_world import MemoryArchive, World
from tests.installations import installation
from tests.logs import opened as entries
from tests.small_export import PROVIDER

from kanta_gateway import forgotten, knowledge
from kanta_gateway.errors import ConflictError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Oid
from kanta_gateway.pipeline.arriving import unpack
from kanta_gateway.pipeline.pleas import RequestForm, Verdict
from kanta_gateway.pipeline.reporting import Reporter
from kanta_gateway.tables import disclosure, record

OTHER = "1.2.246.10.94006015.10.0"
ASKER = "Aino Esimerkki"


@dataclass
class Moved:
    """A provider's installation, the controller's own, and what was open when the register moved."""

    source: Crossing
    target: World
    log_register: MemoryArchive
    cast: Cast
    grants: dict[str, str]
    request: str
    held: str
    package: dict[str, Any]
    receipt: str
    members: dict[str, list[dict[str, Any]]]
    before: Before


@dataclass
class Before:
    """What the provider's installation told before the move."""

    queue: dict[str, dict[str, Any]]
    requests: list[dict[str, Any]]
    given_back: list[dict[str, Any]]
    waiting: dict[str, str]


def at(gateway: Gateway, moment: datetime) -> Gateway:
    """The same installation with its clock at a moment."""
    object.__setattr__(gateway.parts, "clock", lambda: moment)
    return gateway


def open_things(source: Crossing, oid: str, cast: Cast) -> tuple[dict[str, str], str]:
    """Break-glass that holds, waits for its review, and became a case; a request of the client."""
    grants = {name: opened(source, oid)["grant"] for name in ("holds", "waits", "case")}
    source.disclose(oid, by({"grant": grants["holds"]}))
    for name in ("waits", "case"):
        assert 200 == source.call("POST", f"/v1/access/grants/{grants[name]}:end").status_code
    told = {"outcome": "unfounded", "note": NOTE, "owner": "Tietosuojavastaava"}
    assert 200 == source.call("POST", f"/v1/access/grants/{grants['case']}:review", told, **REVIEWER).status_code
    caller = replace(source.world.caller, purpose="client-request")
    request = source.gateway.rights.register(caller, RequestForm(
        "log-report", cast.name("A"), "client", ASKER, "identity-document", is_written=True, purpose="Haluan tietää.",
    ))["id"]  # fmt: skip
    return grants, request


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """A register with much that is open, handed over and taken in."""
    folder = tmp_path_factory.mktemp("moved")
    source, log_register, own = Crossing(folder / "source"), MemoryArchive(), recipient()
    source.gateway.dispatch.__dict__["_archive"] = source.world.archive = log_register
    log_register.keeps_reports = False
    register(source.world, organiser=OTHER, purchaser="heinola")
    cast, oid = source.client(serves="")
    assert 0 == source.world.deliver()
    held = deliver(source.world, [{**cast.entry("A", day=20), "recorder": "T-unknown"}])[0]["ticket"]
    now = datetime.now(UTC)
    at(source.gateway, now + timedelta(days=8)).retention.step(source.world.caller)
    at(source.gateway, now)
    grants, request = open_things(source, oid, cast)
    target_file = folder / "package"
    with pytest.raises(ConflictError, match="never tried"):
        source.gateway.leaving.export(source.world.caller, ORGANISER, own.certificate, target_file)
    Reporter(source.gateway.parts, log_register, source.world.caller, 60).drain()
    with source.gateway.parts.database.reading() as tx:
        waiting = {row.id: row.digest for row in tx.execute(select(disclosure.c.id, disclosure.c.digest))}
    before = Before(
        queue(source.gateway, source.world.caller), source.gateway.rights.list(source.world.caller, "fi")["requests"],
        source.gateway.retention.keeping.listed(source.world.caller), waiting,
    )  # fmt: skip
    made = source.gateway.leaving.export(source.world.caller, ORGANISER, own.certificate, target_file)
    target = World(folder / "target")
    target.gateway.dispatch.__dict__["_archive"] = log_register
    told, receipt, members = taken(source, target, own, target_file, folder / "open")
    assert told["manifest"] == made["manifest"]
    yield Moved(source, target, log_register, cast, grants, request, held, made, receipt, members, before)
    source.gateway.close()
    target.gateway.close()


def taken(
    source: Crossing, target: World, own: Recipient, file: Path, folder: Path
) -> tuple[dict[str, Any], str, dict[str, list[dict[str, Any]]]]:
    """Take the package in, and read it as somebody without a gateway does."""
    keys = (source.world.folder / "data/keys/checkpoint.vkey").read_text()
    told, receipt = target.gateway.arriving.take(target.caller, file, own.certificate, own.key, keys)
    unpack(file, folder, own.certificate, own.key, keys)
    members = {
        one.name: [json.loads(line) for path in sorted(one.glob("*.jsonl")) for line in path.read_text().splitlines()]
        for one in folder.iterdir() if one.is_dir() and one.name != "signed"
    }  # fmt: skip
    return told, receipt, members


def reviewer(world: World) -> Caller:
    """Who reviews break-glass for the controller."""
    return replace(
        world.caller, organisation=Oid(ORGANISER), role="access-reviewer", purpose="supervision", person_id="V-9",
        person_name="Veera Valvoja",
    )  # fmt: skip


def queue(gateway: Gateway, caller: Caller) -> dict[str, dict[str, Any]]:
    """The queue of reviews, by grant."""
    return {one["grant"]: one for one in gateway.accesses.reviews.queue(caller)["grants"]}


def sound(gateway: Gateway) -> list[Any]:
    """What log and tables do not tell alike."""
    told = gateway.trail.verify(reconcile=True)
    return [*told["problems"], *told["unmatched"]]


def test_log_and_tables_match_at_both_ends(moved: Moved) -> None:
    """Whatever came has its entry at the new installation, and nothing is untold at the old one."""
    assert [] == sound(moved.target.gateway)
    assert [] == sound(moved.source.gateway)


def test_a_waiting_disclosure_notice_is_sent_from_the_new_installation(moved: Moved) -> None:
    """LOG-07: what waited for the log register is sent on with the bytes it was tried with, so a repeat is the same.

    [LOG-07]
    """
    moved.log_register.keeps_reports = True
    later = at(moved.target.gateway, datetime.now(UTC) + timedelta(days=1))
    Reporter(later.parts, moved.log_register, moved.target.caller, 60).drain()
    got = dict(moved.log_register.reports)
    again = at(moved.source.gateway, datetime.now(UTC) + timedelta(days=1))
    Reporter(again.parts, moved.log_register, moved.source.world.caller, 60).drain()
    at(moved.source.gateway, datetime.now(UTC))
    at(moved.target.gateway, datetime.now(UTC))

    assert moved.before.waiting
    assert moved.before.waiting == got
    assert got == moved.log_register.reports
    assert {"kept": len(got)} == moved.target.gateway.overview.status()["disclosures"]


def test_reviews_fall_due_and_nobody_looks_by_a_grant_from_elsewhere(moved: Moved) -> None:
    """A review keeps its day and its reason, a case its owner; a grant that held ends with the move."""
    found, before = queue(moved.target.gateway, reviewer(moved.target)), moved.before.queue
    waits, case, holds = (found[moved.grants[name]] for name in ("waits", "case", "holds"))
    moved.target.gateway.accesses.reviews.review(waits["grant"], "founded", NOTE, reviewer(moved.target))
    with pytest.raises(ConflictError, match="reviewed already"):
        moved.target.gateway.accesses.reviews.review(waits["grant"], "founded", NOTE, reviewer(moved.target))

    assert BREAKING["reason"] == waits["reason"]
    assert [before[waits["grant"]][name] for name in ("review_by", "person_id", "state")] == [
        waits["review_by"], waits["person_id"], "to-review",
    ]  # fmt: skip
    assert ("case", "Tietosuojavastaava", NOTE) == (case["state"], case["case_owner"], case["note"])
    assert before[holds["grant"]]["ended_at"] is None
    assert holds["ended_at"] is not None


def test_a_clients_request_is_decided_and_answered_where_it_came_to(moved: Moved) -> None:
    """CLR-01: the clock of a request runs on from its receipt, and what was said in it is known. [CLR-01]"""
    rights = moved.target.gateway.rights
    caller = replace(
        reviewer(moved.target), system="register", role="registrar", purpose="client-request", contract="NAYTE/1",
        is_development=False,
    )  # fmt: skip
    (listed,) = rights.list(moved.target.caller, "fi")["requests"]
    shown = rights.show(caller, moved.request, "fi")
    rights.decide(caller, moved.request, Verdict("granted"))
    reply = rights.answer(replace(moved.target.caller, purpose="client-request"), moved.request, "fi")

    assert moved.before.requests == [listed]
    assert ASKER == shown["matter"]["asker_name"]
    assert reply.told


def test_reminders_are_not_written_twice(moved: Moved) -> None:
    """A record that was given back keeps its time and its reminders."""
    (one,) = moved.target.gateway.retention.keeping.listed(moved.target.caller)

    assert [one] == moved.before.given_back
    assert (moved.held, [7]) == (one["ticket"], one["reminded"])


def test_what_stays_behind_is_of_nobody_elses(moved: Moved) -> None:
    """The package holds what every table of a controller's holds, and no case of supervision, which is of staff."""
    assert moved.members.keys() == {
        "deliveries", "delivered", "disclosures", "documents", "grants", "notices", "parties", "records", "requests",
    }  # fmt: skip


def test_destroyed_it_ends_where_it_was(moved: Moved, tmp_path: Path) -> None:
    """GDPR 28(3)(g): no content, fact, reason or contact data of the controller is left at the sender in the end.

    [LAP-22]
    """
    source, world, leaving = moved.source, moved.source.world, moved.source.gateway.leaving
    leaving.confirm(world.caller, moved.receipt, (moved.target.folder / "data/keys/checkpoint.vkey").read_text())
    with pytest.raises(ConflictError, match="not reviewed"):
        leaving.destroy(world.caller, moved.package["package"], "HVA 12/2026")
    source.call("POST", f"/v1/access/grants/{moved.grants['holds']}:end")
    for name in ("holds", "waits"):
        found = {"outcome": "founded", "note": NOTE}
        assert (
            200 == source.call("POST", f"/v1/access/grants/{moved.grants[name]}:review", found, **REVIEWER).status_code
        )
    assert (
        200
        == source.call(
            "POST", f"/v1/access/grants/{moved.grants['case']}:close", {"note": NOTE}, **REVIEWER
        ).status_code
    )
    copy = tmp_path / "yesterday.db"
    source.gateway.parts.database.scrub()
    shutil.copy(source.gateway.settings.data / "gateway.db", copy)
    told = leaving.destroy(world.caller, moved.package["package"], "HVA 12/2026")["destroyed"]
    with source.gateway.parts.database.reading() as tx:
        left = {name: tx.execute(select(one.table.c[one.subject.name]).where(one.has_any)).all()
                for name, one in forgotten.CONTENTS.items()}  # fmt: skip
    reasons = {one["reason"] for one in queue(source.gateway, world.caller).values()}
    clocks = {one["clock"] for one in source.gateway.rights.list(world.caller, "fi")["requests"]}

    assert {"documents", "records", "disclosures", "client_requests", "access_grants"} <= {
        name for name, count in told.items() if count
    }
    assert {name: [] for name in forgotten.CONTENTS} == left
    assert {""} == reasons
    assert {"done"} == clocks
    assert [] == sound(source.gateway)
    assert again_after(source.gateway, copy, tmp_path / "data") == {
        name.removesuffix("s"): count for name, count in told.items() if count and name not in {"fingerprints", "logs"}
    }


def again_after(gateway: Gateway, copy: Path, folder: Path) -> dict[str, int]:
    """Start with yesterday's database beside today's keys: how much of each table is destroyed again, with an entry."""
    gateway.parts.keys.scrub()
    shutil.copytree(gateway.settings.data, folder, ignore=shutil.ignore_patterns("gateway.db*"))
    shutil.copy(copy, folder / "gateway.db")
    restored = installation(folder)
    told = {one["subject"] for one in entries(restored) if one["details"].get("again")}
    with restored.parts.database.reading() as tx:
        found = {
            name: [str(row[0]) for row in tx.execute(select(one.subject))]
            for name, one in forgotten.CONTENTS.items() if one.is_handed
        }  # fmt: skip
        left = [name for name, one in forgotten.CONTENTS.items() if one.is_handed
                and tx.execute(select(one.subject).where(one.has_any)).first()]  # fmt: skip
    assert [] == sound(restored) == left
    restored.close()
    return {name: count for name, subjects in found.items() if (count := len(told & {*subjects}))}


def test_who_changed_the_controllers_rules_goes_with_it(tmp_path: Path) -> None:
    """What two persons changed in the controller's contract file is evidence in its package; of others nothing is."""
    desk, own = Desk(tmp_path), recipient()
    for name in ("lapha", "heinola"):
        text = knowledge.text(f"mappings/contracts/{name}.yaml")
        (desk.contracts / f"{name}.yaml").write_text(f"# agreed again in {name}\n{text}", "utf-8")
    desk.approve(desk.propose()["number"])
    desk.close()
    gateway = desk.gateway()
    caller = gateway.actor(None, None, None)
    gateway.registration.register_party(PROVIDER, "Paja", ORGANISER, "Tilaaja", "NAYTE/1", "lapha", caller)
    gateway.leaving.export(caller, ORGANISER, own.certificate, tmp_path / "package")
    gateway.close()
    keys = (desk.data / "keys/checkpoint.vkey").read_text()
    unpack(tmp_path / "package", tmp_path / "open", own.certificate, own.key, keys)
    (told,) = (json.loads(line) for line in (tmp_path / "open/changes.jsonl").read_text().splitlines())

    assert ("approved", REASON, "Anna Yksi") == (told["state"], told["reason"], told["proposed_by"]["name"])
    assert ["knowledge/mappings/contracts/lapha.yaml"] == list(told["files"])
    assert "agreed again in lapha" in told["files"]["knowledge/mappings/contracts/lapha.yaml"]
    assert told["proposer"] != told["decider"]


def test_a_table_that_is_delivered_whole_again_is_known(tmp_path: Path) -> None:
    """GEN-01: rows without ids are compared by what is stored; the changed one is news, and then as always."""
    source, target, own = World(tmp_path / "source"), World(tmp_path / "target"), recipient()
    register(source, purchaser="heinola")
    (tmp_path / "asiakkaat.csv").write_bytes(CLIENTS.encode("cp1252"))

    def imported(world: World, *days: tuple[int, str]) -> dict[str, int]:
        (tmp_path / "paivakirja.csv").write_bytes(diary(*days).encode("cp1252"))
        files = [tmp_path / "asiakkaat.csv", tmp_path / "paivakirja.csv"]
        caller = replace(world.caller, organisation=Oid(PROVIDER))
        rows = world.gateway.deliveries.import_files(files, "heinola-csv", "heinola", caller).rows()
        return dict(Counter(row["outcome"] for row in rows))

    first = imported(source, *DAYS)
    assert 0 == source.deliver()
    target.gateway.dispatch.__dict__["_archive"] = target.archive = source.archive
    source.gateway.leaving.export(source.caller, ORGANISER, own.certificate, tmp_path / "package")
    keys = (source.folder / "data/keys/checkpoint.vkey").read_text()
    target.gateway.arriving.take(target.caller, tmp_path / "package", own.certificate, own.key, keys)
    other = [(day, "Klapien pinoaminen." if day == 8 else text) for day, text in DAYS]
    told = [imported(target, *DAYS), imported(target, *other), imported(target, *other)]
    with target.gateway.parts.database.reading() as tx:
        digests = set(tx.execute(select(record.c.digest).where(record.c.type == "diary_entry")).scalars())
    source.gateway.close()
    target.gateway.close()

    assert {"accepted": 9, "reference": 1} == first
    assert [{"duplicate": 10}, {"replacement": 1, "duplicate": 9}, {"duplicate": 10}] == told
    assert "elsewhere" not in digests
