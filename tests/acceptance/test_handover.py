"""Leaving: one controller's everything goes to it in a sealed package and lives on in another gateway."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from tests.chains import AS_OF, ORGANISER, STAFF, Cast, deliver, register
from tests.faults_world import World
from tests.installations import installation
from tests.small_export import PROVIDER

from kanta_gateway.access import parties
from kanta_gateway.errors import ConflictError, GatewayError, KeyUnavailableError, NotFoundError, UntrustedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.handover import package
from kanta_gateway.handover.sealed import CHUNK, TAG, Opener, Sealer, for_certificate
from kanta_gateway.model import Event, Oid
from kanta_gateway.signing.keys import make_development_keys
from kanta_gateway.spool import store

OTHER = "1.2.246.10.94007002.10.0"
MINE, THEIRS = Cast(1), Cast(2)


@dataclass(frozen=True)
class Recipient:
    """Key and certificate of a controller."""

    certificate: bytes
    key: bytes


def recipient(algorithm: str = "p-256") -> Recipient:
    """A fresh one."""
    made = make_development_keys("Hyvinvointialue", ORGANISER, "x", datetime.now(UTC), algorithm=algorithm)
    return Recipient(made.certificate, made.key)


@dataclass
class Left:
    """A provider's installation with two controllers, and one of them's package."""

    world: World
    controller: Recipient
    package: Path
    told: dict[str, Any]
    keys: str


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    """Two controllers' records delivered and archived; one controller's handed over."""
    folder = tmp_path_factory.mktemp("provider")
    world = World(folder)
    register(world)
    register(world, organiser=OTHER, purchaser="heinola")
    told = [STAFF, MINE.client("A"), MINE.decision("A"), MINE.entry("A"), MINE.entry("A", day=3)]
    deliver(world, told)
    deliver(world, [STAFF, MINE.client("B", non_disclosure=True), MINE.decision("B"), MINE.entry("B", day=4)])
    others = [STAFF, THEIRS.client("A"), {**THEIRS.decision("A"), "level": "perustaso"}, THEIRS.entry("A")]
    deliver(world, others, purchaser="heinola", as_of=date(2022, 1, 15))
    world.gateway.office.checkpoint(None)
    assert 0 == world.deliver()
    one, target = recipient(), folder / "out" / "controller.package"
    target.parent.mkdir()
    made = world.gateway.leaving.export(world.caller, ORGANISER, one.certificate, target)
    keys = (folder / "data/keys/checkpoint.vkey").read_text()
    yield Left(world, one, target, made, keys)
    world.gateway.close()


def fresh(folder: Path, left: Left) -> World:
    """Another installation, which talks to the same archive."""
    world = World(folder)
    world.archive = left.world.archive
    world.gateway.dispatch.__dict__["_archive"] = world.archive
    return world


def take(world: World, left: Left, file: Path | None = None) -> tuple[dict[str, Any], str]:
    """Take the package in."""
    one = left.controller
    return world.gateway.arriving.take(world.caller, file or left.package, one.certificate, one.key, left.keys)


def members(left: Left) -> dict[str, bytes]:
    """What stands in the package."""
    with left.package.open("rb") as file:
        opener = Opener(file, left.controller.key, x509.load_pem_x509_certificate(left.controller.certificate))
        reader = package.Reader(io.BufferedReader(opener), lambda _text, _note: True)
        return dict(reader.members())


def archived(world: World, organiser: str = ORGANISER) -> list[store.StoredDocument]:
    """A controller's documents that the archive has."""
    with world.gateway.parts.database.reading() as tx:
        return [one for one in store.archived(tx) if one.organiser == organiser]


@pytest.fixture(scope="module")
def empty(left: Left, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An installation that refuses packages: nothing is ever in it, or the test that found it so says it."""
    world = fresh(tmp_path_factory.mktemp("empty"), left)
    yield world
    world.gateway.close()


def is_empty(world: World) -> bool:
    """Whether nothing of any package was kept."""
    status, handed = world.gateway.overview.status(), [*world.folder.glob("data/handed/*")]
    with world.gateway.parts.database.reading() as tx:
        return (status["records"], status["documents"], handed, parties.agreements(tx)) == ({}, {}, [], [])


def test_only_the_controllers_own_is_in_it(left: Left) -> None:
    """LOG-15: everything of one controller is in the package, and of the other nothing but leaf hashes. [LOG-15]"""
    found = members(left)
    whole = b"\n".join(found.values())
    entries = [json.loads(line) for name, data in found.items() if name.startswith("entries/")
               for line in data.splitlines()]  # fmt: skip
    opened = [one for one in entries if "leaf" not in one]

    assert {one.oid for one in archived(left.world)} == {name[7:-4] for name in found if name.startswith("signed/")}
    assert THEIRS.name("A").encode() not in whole
    assert OTHER.encode() not in whole
    assert THEIRS.code("A").encode() not in whole
    assert {ORGANISER, ""} == {one["controller"] for one in opened}
    assert {"audit:checkpoint"} == {one["event"] for one in opened if one["controller"] == ""}
    assert Event.HANDOVER_EXPORT in {one["event"] for one in opened}
    assert left.told["counts"]["entries"] == len(entries)
    assert 0 < len(opened) < len(entries)
    assert left.package.read_bytes().find(MINE.code("A").encode()) == -1


def test_it_lives_on_in_another_gateway(left: Left, tmp_path: Path) -> None:
    """CTL-16: documents open, corrections and cancellations continue, log and tables match. [CTL-16]"""
    world = fresh(tmp_path, left)
    told, _ = take(world, left)
    before = {one.oid: left.world.gateway.office.document(one.oid, left.world.caller) for one in archived(left.world)}
    opened = {oid: world.gateway.office.document(oid, world.caller) for oid in before}
    sound = world.gateway.trail.verify(reconcile=True)
    again = deliver(world, [STAFF, MINE.client("A"), MINE.decision("A"), MINE.entry("A")])
    corrected = deliver(world, [MINE.entry("A", 2)])
    cancelled = deliver(world, [MINE.entry("A", 2, day=3, is_cancelled=True)])
    assert 0 == world.deliver()
    sets = {one.set_oid: one for one in archived(world) if one.version_number == 2}
    report = world.gateway.office.access_report(world.caller, MINE.name("A"))
    after = world.gateway.trail.verify(reconcile=True)
    world.gateway.close()

    assert before
    assert before == opened
    assert sound["holds"], sound
    assert {"duplicate"} == {row["outcome"] for row in again}
    assert ["replacement"] == [row["outcome"] for row in corrected]
    assert ["cancellation"] == [row["outcome"] for row in cancelled]
    assert {one.set_oid for one in sets.values()} <= {one.set_oid for one in archived(left.world)}
    assert 1 == len(sets)
    assert 1 == len(world.archive.invalidated)
    assert 1 == told["clients_without_contact"]
    assert report
    assert after["holds"], after


def test_reading_is_by_the_new_owners_policy(left: Left, tmp_path: Path) -> None:
    """What the new owner forbids is denied there, and no contract of another controller came with the package."""
    folder = tmp_path / "data/policy"
    folder.mkdir(parents=True)
    (folder / "own.cedar").write_text(
        '@id("NOT-BY-OPERATORS")\nforbid (principal, action, resource) when '
        '{ context.event == "document:read" && context.role == "operator" };\n'
    )
    world = fresh(tmp_path, left)
    take(world, left)
    with pytest.raises(GatewayError, match="NOT-BY-OPERATORS"):
        world.gateway.office.document(archived(world)[0].oid, world.caller)
    with world.gateway.parts.database.reading() as tx:
        known = parties.agreements(tx)
    world.gateway.close()

    assert [ORGANISER] == [one.organiser.oid for one in known]


def test_a_notice_that_was_told_is_not_told_again(tmp_path: Path) -> None:
    """What was told before the handover is told again only where the record has changed since."""
    source, own = World(tmp_path / "provider"), recipient()
    register(source)
    away = {"type": "absence", "id": "P-1", "version": 1, "client": MINE.name("A"), "date": "2025-09-09",
            "permitted": False, "reason": "ei ilmoitusta", "reason_category": "other"}  # fmt: skip
    client = MINE.client("A", benefit_payer="kela")
    deliver(source, [STAFF, client, MINE.decision("A"), away])
    assert 0 == source.deliver()
    caller = source.caller
    waiting = source.gateway.notice_board.list(caller, "waiting", "", 1000, "fi")["notices"]
    source.gateway.dispatch.export_notices(tmp_path / "out", caller, "", [one["id"] for one in waiting])
    one = Left(source, own, tmp_path / "p", {}, (tmp_path / "provider/data/keys/checkpoint.vkey").read_text())
    source.gateway.leaving.export(caller, ORGANISER, own.certificate, one.package)
    world = fresh(tmp_path / "new", one)
    take(world, one)
    states = world.gateway.overview.status()["notices"]
    deliver(world, [MINE.entry("A", day=11)])
    same = world.gateway.overview.status()["notices"]
    deliver(world, [{**away, "version": 2, "reason_category": "incapacity", "permitted": True}])
    after = world.gateway.overview.status()["notices"]
    sound = world.gateway.trail.verify(reconcile=True)
    source.gateway.close()
    world.gateway.close()

    assert waiting
    assert states == same
    assert states.keys() == {"delivered"}
    assert {"delivered", "waiting"} == after.keys()
    assert sound["holds"], sound


def test_the_log_is_kept_apart_and_verifies_alone(left: Left, tmp_path: Path) -> None:
    """LOG-15: the log that came is no part of the new log; the stand-alone verifier proves it whole. [LOG-15]"""
    world = fresh(tmp_path, left)
    told, _ = take(world, left)
    world.gateway.arriving.write_log(world.caller, told["package"], tmp_path / "log")
    listed = world.gateway.arriving.listed(world.caller)["packages"]
    own = [json.loads(line) for line in world.gateway.trail.export("jsonl", world.caller)]
    at_rest = b"".join(one.read_bytes() for one in (tmp_path / "data").rglob("*") if one.is_file())
    world.gateway.close()
    log = tmp_path / "log"
    run = subprocess.run(
        [sys.executable, "-I", log / "verify.py", log / "entries.jsonl", "--key", log / "log.vkey",
         "--new", log / "checkpoint.txt", "--old", log / "earlier.txt"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = [json.loads(line) for line in (log / "names.jsonl").read_text().splitlines()]
    references = [json.loads(line) for line in (log / "references.jsonl").read_text().splitlines()]
    entries = [json.loads(line) for line in (log / "entries.jsonl").read_text().splitlines()]
    clients = {one.get("client") for one in entries} - {None}

    assert 0 == run.returncode, run.stdout
    assert [told["package"]] == [one["package"] for one in listed]
    assert {"handover:import", "party:register"} <= {one["event"] for one in own}
    assert "document:spool" not in {one["event"] for one in own}
    assert {"Development Person"} <= {one["name"] for one in names}
    assert clients <= {one["ref"] for one in references}
    assert MINE.name("A") in {one.get("client") for one in references}
    assert MINE.code("A").encode() not in at_rest


def test_the_original_is_destroyed_on_instruction_only_after_the_receipt(left: Left, tmp_path: Path) -> None:
    """LAP-22: nothing is destroyed without the recipient's receipt; with it one controller's content goes."""
    folder = tmp_path / "provider"
    source = World(folder)
    register(source)
    register(source, organiser=OTHER, purchaser="heinola")
    deliver(source, [STAFF, MINE.client("A"), MINE.decision("A"), MINE.entry("A")])
    deliver(source, [STAFF, THEIRS.client("A"), {**THEIRS.decision("A"), "level": "perustaso"}, THEIRS.entry("A")],
            purchaser="heinola", as_of=date(2022, 1, 15))  # fmt: skip
    with pytest.raises(ConflictError, match="on their way"):
        source.gateway.leaving.export(source.caller, ORGANISER, left.controller.certificate, tmp_path / "early")
    assert 0 == source.deliver()
    one = Left(source, left.controller, tmp_path / "p", {}, (folder / "data/keys/checkpoint.vkey").read_text())
    made = source.gateway.leaving.export(source.caller, ORGANISER, one.controller.certificate, one.package)
    world = fresh(tmp_path / "new", one)
    _, receipt = take(world, one)
    theirs = (tmp_path / "new/data/keys/checkpoint.vkey").read_text()
    leaving, caller = source.gateway.leaving, source.caller
    with pytest.raises(ConflictError, match="not confirmed"):
        leaving.destroy(caller, made["package"], "HVA 12/2026")
    with pytest.raises(UntrustedError, match="not signed"):
        leaving.confirm(caller, receipt, one.keys)
    with pytest.raises(UntrustedError, match="not signed"):
        leaving.confirm(caller, receipt.replace(made["manifest"], "0" * 64), theirs)
    leaving.confirm(caller, receipt, theirs)
    gone = leaving.destroy(caller, made["package"], "HVA 12/2026")["destroyed"]
    oid = archived(source)[0].oid
    with pytest.raises(KeyUnavailableError):
        source.gateway.office.document(oid, caller)
    kept = archived(source, OTHER)
    sound = source.gateway.trail.verify(reconcile=True)
    entries = [json.loads(line) for line in source.gateway.trail.export("jsonl", caller)]
    told = [entry for entry in entries if entry["event"] == Event.HANDOVER_DESTROY]

    assert world.gateway.office.document(oid, world.caller)
    assert gone["documents"] == made["counts"]["signed"]
    assert all(source.gateway.office.document(each.oid, caller) for each in kept)
    assert kept
    assert sound["holds"], sound
    assert ["HVA 12/2026"] == [entry["details"]["instruction"] for entry in told]
    source.gateway.close()
    world.gateway.close()


Spoil = Callable[[bytes, int], bytes]


@pytest.mark.parametrize(("spoil", "what"), [
    (lambda data, start: data[:start] + bytes([data[start] ^ 1]) + data[start + 1 :], "changed.*chunk 0"),
    (lambda data, _start: data[:-1], "incomplete"),
    (lambda data, start: data[: start + CHUNK + TAG], "incomplete.*chunk 0"),
    (lambda data, _start: data[: len(data) // 2], "incomplete"),
    (lambda data, _start: data + b"x", "changed|incomplete"),
    (lambda data, start: data[:start] + data[start + CHUNK + TAG :], "changed"),
    (lambda data, _start: b"x" + data, "no sealed package"),
    (lambda data, _start: data.replace(b'"chunk": 65536', b'"chunk": 65537', 1), "no sealed package"),
])  # fmt: skip
def test_a_changed_or_cut_package_is_refused(left: Left, empty: World, tmp_path: Path, spoil: Spoil, what: str) -> None:
    """A package that was changed anywhere, cut off or put in another order is refused, and nothing of it is kept."""
    data = left.package.read_bytes()
    start = data.index(b"\n", data.index(b"\n") + 1) + 1
    broken = tmp_path / "broken"
    broken.write_bytes(spoil(data, start))
    with pytest.raises(UntrustedError, match=what):
        take(empty, left, broken)

    assert is_empty(empty)


def test_a_package_for_somebody_else_is_refused(left: Left, empty: World) -> None:
    """The wrong certificate, the wrong key and the wrong sender are told apart, and nothing is kept."""
    other, own = recipient("rsa-3072"), left.controller
    arriving, caller = empty.gateway.arriving, empty.caller
    foreign = (empty.folder / "data/keys/checkpoint.vkey").read_text()
    with pytest.raises(UntrustedError, match="for somebody else"):
        arriving.take(caller, left.package, other.certificate, other.key, left.keys)
    with pytest.raises(UntrustedError, match="of another kind"):
        arriving.take(caller, left.package, own.certificate, other.key, left.keys)
    with pytest.raises(UntrustedError, match="does not open"):
        arriving.take(caller, left.package, own.certificate, recipient().key, left.keys)
    with pytest.raises(UntrustedError, match=r"signed by no key|not signed"):
        arriving.take(caller, left.package, own.certificate, own.key, foreign)

    assert is_empty(empty)


def repacked(left: Left, change: Callable[[dict[str, bytes]], None], *, is_signed: bool = True) -> bytes:
    """The package as a sender would have made it that leaves out or changes something: sealed and signed anew."""
    found = members(left)
    about = json.loads(found.pop(package.ABOUT))
    change(found)
    target = io.BytesIO()
    sealer = Sealer(target, *for_certificate(x509.load_pem_x509_certificate(left.controller.certificate)))
    writer = package.Writer(sealer, about)
    for name, data in found.items():
        writer.add(name, data)
    signer = left.world.gateway.parts.checkpoint_signer()
    writer.end(signer.sign if is_signed else lambda text: f"{text}\n")
    sealer.end()
    return target.getvalue()


def _without_a_document(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("documents/"))
    lines = found[name].splitlines()
    oid = json.loads(lines[0])["oid"]
    found[name] = b"\n".join(lines[1:])
    del found[f"signed/{oid}.xml"]


def _without_a_content(found: dict[str, bytes]) -> None:
    del found[next(one for one in found if one.startswith("signed/"))]


def _with_another_content(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("signed/"))
    found[name] = found[name].replace(b"1", b"2", 1)


def _without_a_record(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("records/"))
    found[name] = b"\n".join(line for line in found[name].splitlines() if b"diary_entry" not in line) + b"\n"


def _without_an_entry(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("entries/"))
    lines = found[name].splitlines()
    found[name] = b"\n".join([*lines[:5], *lines[6:]]) + b"\n"


def _with_another_entry(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("entries/"))
    found[name] = found[name].replace(b'"purpose":"', b'"purpose":"x', 1)


def _with_anothers_record(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("records/"))
    found[name] = found[name].replace(b'"purchaser":"lapha"', b'"purchaser":"heinola"', 1)


def _with_anothers_document(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("documents/"))
    found[name] = found[name].replace(b'"organiser":"' + ORGANISER.encode(), b'"organiser":"' + OTHER.encode(), 1)


def _with_anothers_contract(found: dict[str, bytes]) -> None:
    name = next(one for one in found if one.startswith("parties/"))
    found[name] = found[name].replace(b'"controller":"' + ORGANISER.encode(), b'"controller":"' + OTHER.encode())


def _nothing(_found: dict[str, bytes]) -> None:
    pass


@pytest.mark.parametrize(("change", "what", "is_signed"), [
    (_without_a_document, "incomplete: the sender's log tells of document", True),
    (_without_a_content, "incomplete: signed/", True),
    (_with_another_content, "signed/.* is not the document", True),
    (_without_a_record, "incomplete: a row of document refers to a row", True),
    (_without_an_entry, "1 of .* entries are missing: 5", True),
    (_with_another_entry, "an entry is not as the newer checkpoint has it", True),
    (_with_anothers_record, "records/.* is another controller's", True),
    (_with_anothers_document, "documents/.* is another controller's", True),
    (_with_anothers_contract, "parties/.* is another controller's", True),
    (_nothing, "manifest.json is not signed", False),
])  # fmt: skip
def test_a_sender_that_leaves_something_out_is_found(
    left: Left, empty: World, tmp_path: Path, change: Callable[[dict[str, bytes]], None], what: str, *, is_signed: bool
) -> None:
    """LAP-22: what the sender's own log tells of must be there; what was left out or changed is named."""
    (tmp_path / "p").write_bytes(repacked(left, change, is_signed=is_signed))
    with pytest.raises(GatewayError, match=what):
        take(empty, left, tmp_path / "p")

    assert is_empty(empty)


def test_it_is_taken_in_once_and_opened_without_a_gateway(left: Left, tmp_path: Path) -> None:
    """A second taking in is refused; `open` writes the members as files; an unknown controller has no package."""
    from kanta_gateway.pipeline.arriving import unpack

    world = fresh(tmp_path, left)
    take(world, left)
    with pytest.raises(ConflictError, match="here already"):
        take(world, left)
    one = left.controller
    told = unpack(left.package, tmp_path / "open", one.certificate, one.key, left.keys)
    xml = sorted(path.stem for path in (tmp_path / "open/signed").iterdir())
    with pytest.raises(NotFoundError):
        left.world.gateway.leaving.export(left.world.caller, "1.2.3", one.certificate, tmp_path / "none")
    world.gateway.close()

    assert left.told["manifest"] == told["manifest"]
    assert sorted(each.oid for each in archived(left.world)) == xml
    assert not (tmp_path / "none").exists()


@pytest.mark.postgres
def test_the_new_owner_may_leave_as_well_and_on_another_database(left: Left, tmp_path: Path, postgres_url: str) -> None:
    """What was taken into PostgreSQL is handed over once more, and the same documents open in a third installation."""
    second = installation(tmp_path / "second", database_url=postgres_url)
    caller, own = second.actor(None, None, None), left.controller
    second.arriving.take(caller, left.package, own.certificate, own.key, left.keys)
    sound = second.trail.verify(reconcile=True)
    made = second.leaving.export(caller, ORGANISER, own.certificate, tmp_path / "again")
    keys = (tmp_path / "second/keys/checkpoint.vkey").read_text()
    row = deliver_one(second)
    second.close()
    third = fresh(tmp_path / "third", left)
    third.gateway.arriving.take(third.caller, tmp_path / "again", own.certificate, own.key, keys)
    logs = {one["package"] for one in third.gateway.arriving.listed(third.caller)["packages"]}
    third.gateway.arriving.write_log(third.caller, left.told["package"], tmp_path / "log")
    oids = {one.oid: one.digest for one in archived(third)}
    opened = [third.gateway.office.document(oid, third.caller) for oid in oids]
    third.gateway.close()

    assert sound["holds"], sound
    assert {one.oid: one.digest for one in archived(left.world)} == oids
    assert made["counts"]["signed"] == len(opened) == left.told["counts"]["signed"]
    assert "replacement" == row
    assert {left.told["package"], made["package"]} == logs
    assert left.keys == (tmp_path / "log/log.vkey").read_text()


def deliver_one(gateway: Gateway) -> str:
    """Take a correction in; what became of it."""
    caller = gateway.actor(None, None, None)
    path = gateway.settings.data / "one.jsonl"
    path.write_text(json.dumps(MINE.entry("A", 2), ensure_ascii=False) + "\n", "utf-8")
    made = gateway.deliveries.import_files(
        [path], "json-lines", "lapha", replace(caller, organisation=Oid(PROVIDER)), as_of=AS_OF
    )
    return str(next(iter(made.rows()))["outcome"])


def test_a_stream_needs_no_memory(tmp_path: Path) -> None:
    """A package of 40 MB in 400 members is written and read within 3 MB of memory, sealed to an RSA key too."""
    one, size, count = recipient("rsa-3072"), 100_000, 400
    certificate = x509.load_pem_x509_certificate(one.certificate)
    tracemalloc.start()
    with (tmp_path / "p").open("wb") as file:
        sealer = Sealer(file, *for_certificate(certificate))
        writer = package.Writer(sealer, {"format": package.FORMAT})
        for number in range(count):
            writer.add(f"signed/{number}.xml", bytes([number % 251]) * size)
        writer.end(lambda text: text)
        sealer.end()
    with (tmp_path / "p").open("rb") as file:
        reader = package.Reader(io.BufferedReader(Opener(file, one.key, certificate)), lambda _t, _n: True)
        seen = sum(len(data) for name, data in reader.members() if name.startswith("signed/"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size * count == seen
    assert peak < 3_000_000
