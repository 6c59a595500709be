"""Benchmarks: one JSON line per figure, with this machine's raw signature and fsync rates beside it.

usage: bench.py [--clients N] [--only NAME ...]    N limits the year for a quick look; the default is the whole year.

* Everything stays on loopback, is bounded, and stops by itself in less than ten minutes.
* Machines differ and drift, so what limits is measured in the same run and stands in every line.
* What is measured, and how: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]  # runs as a script, from any folder

from tests.benchmarks.scanning import scanning  # noqa: E402 — after the path is set
from tests.benchmarks.wrapping import wrapping  # noqa: E402
from tests.processes import Archive, Cli  # noqa: E402

if TYPE_CHECKING:
    from kanta_gateway.audit.log import Log
    from kanta_gateway.database import Database
    from kanta_gateway.gateway import Gateway
    from kanta_gateway.model import Caller, Record
    from kanta_gateway.pipeline.receive import Delivery

REFERENCE = Path(os.environ.get("REFERENCE_DIR", ROOT.parent / "shared"))
GENERATOR = REFERENCE / "inputs" / "volume" / "generate.py"
SOURCE = ("--source", "lapha-lines", "--purchaser", "lapha")
DEADLINE = time.monotonic() + 560
"""Whatever runs then is stopped, and told as unfinished."""


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of one call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_turns(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Median time of one call of each, taken in turns: a machine that drifts drifts for all of them."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


@dataclass(frozen=True)
class Machine:
    """The raw rates that limit everything else."""

    folder: Path
    key: rsa.RSAPrivateKey

    def signature(self, repeats: int = 100) -> float:
        """Seconds of one bare RSA-3072 signature."""
        return seconds(lambda: self.key.sign(b"x" * 64, padding.PKCS1v15(), hashes.SHA256()), repeats)

    def fsync(self) -> float:
        """Seconds of one 4 KB write with fsync."""
        with _forced(self.folder) as force:
            return seconds(force, 200)

    def tell(self, figure: str, value: float, unit: str, **more: Any) -> None:
        """Print one figure with the raw rates of this moment."""
        raw = {
            "raw_rsa3072_per_second": round(1 / self.signature()), "raw_fsync_per_second": round(1 / self.fsync())
        }  # fmt: skip
        sys.stdout.write(json.dumps({"figure": figure, "value": round(value, 4), "unit": unit, **more, **raw}) + "\n")
        sys.stdout.flush()


def year(folder: Path, clients: int, days: int | None = None) -> Path:
    """A year's export as JSON Lines; attended days in proportion to the default's if not given."""
    out = folder / f"year-{clients}.jsonl"
    total = round(14317 * clients / 100) if days is None else days
    command = [sys.executable, str(GENERATOR), "--clients", str(clients), "--days", str(total), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def end_to_end(machine: Machine, folder: Path, clients: int) -> None:
    """The year imported to archived: import and worker at the same time, simulator on the same cores."""
    export = year(folder, clients)
    archive = Archive(folder)
    cli = Cli(folder / "data", KANTA_ARCHIVE_URL=archive.url)
    cli("keys", "make")
    worker = cli.start("serve", "--no-api")
    time.sleep(4)  # a worker is running when a delivery comes; its start is no part of the figure
    start = time.perf_counter()
    try:
        done = cli("import", export, *SOURCE, "--json", timeout=DEADLINE - time.monotonic())
        imported = time.perf_counter() - start
        status = _all_settled(folder / "data" / "gateway.db")
        whole = time.perf_counter() - start
    finally:
        worker.terminate()
        worker.wait(30)
        archive.stop()
    documents = status.get("archived", 0)
    records = json.loads(done.stdout)["totals"]["records"]
    machine.tell(
        "year, imported to archived", documents / whole, "documents/s", target=150, documents=documents,
        seconds=round(whole, 1), states=status,
    )  # fmt: skip
    machine.tell("year, import while delivering", records / imported, "records/s", records=records)


def _all_settled(database: Path) -> dict[str, int]:
    """Documents by state, once none is open; looked at from outside, without a process of the gateway's own."""
    import sqlite3

    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    while True:
        status = dict(connection.execute("SELECT state, count(*) FROM document GROUP BY state"))
        if not status.keys() & {"queued", "sending", "unknown"} or time.monotonic() > DEADLINE:
            connection.close()
            return status
        time.sleep(0.1)


def memory(machine: Machine, folder: Path) -> None:
    """Peak memory of an import of about 1 000 and of about 50 000 records, in a process of its own."""
    for clients, days in ((8, 850), (300, 45_500)):
        export = year(folder, clients, days)
        cli = Cli(folder / f"memory-{clients}")
        start, peak = time.perf_counter(), 0
        with (folder / "result.json").open("w+b") as result:
            command = [sys.executable, "-m", "kanta_gateway", "import", str(export), *SOURCE, "--json"]
            process = subprocess.Popen(command, env=cli.environment, stdout=result)
            while process.poll() is None and time.monotonic() < DEADLINE:
                peak = max(peak, _peak(process.pid))
                time.sleep(0.05)
            is_done = process.poll() is not None
            process.kill()
            process.wait()
            result.seek(0)
            records = json.load(result)["totals"]["records"] if is_done else None
        took = time.perf_counter() - start
        machine.tell(
            "import, peak memory", peak / 1024, "MB", target=400, clients=clients, records=records,
            is_finished=is_done, seconds=round(took, 1),
        )  # fmt: skip


def _peak(pid: int) -> int:
    """The most resident memory that a process ever held (kB); 0 once it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("ascii"))
    except OSError:
        return 0
    return int(found[1]) if found else 0


class One:
    """An installation with some clients' year in it, from which every tenth diary entry was held back."""

    def __init__(self, folder: Path, clients: int) -> None:
        from kanta_gateway.app import build
        from kanta_gateway.settings import Settings

        lines = year(folder, clients).read_bytes().splitlines(keepends=True)
        diary = [number for number, line in enumerate(lines) if line.startswith(b'{"tietue": "paivakirja"')]
        held = set(diary[::10])
        self._held = [lines[number] for number in sorted(held)]
        rest = folder / "rest.jsonl"
        rest.write_bytes(b"".join(line for number, line in enumerate(lines) if number not in held))
        self.gateway: Gateway = build(Settings.from_environment({}, data=folder / "one"))
        self.caller: Caller = self.gateway.actor(None, None, None)
        self.gateway.deliveries.import_files([rest], "lapha-lines", "lapha", self.caller)

    def records(self) -> Iterator[bytes]:
        """The held back entries as canonical JSON, as a caller of the API sends them."""
        import io

        from kanta_gateway.intake.readers import read
        from kanta_gateway.model import Record

        source = self.gateway.sources["lapha-lines"]
        for one in read(source, io.BytesIO(b"".join(self._held)), "held"):
            if isinstance(one, Record):
                yield _wire(one)

    def delivery(self) -> Delivery:
        """Whose the records are."""
        from kanta_gateway.access.parties import agreements
        from kanta_gateway.pipeline.receive import Delivery

        parts = self.gateway.parts
        with parts.database.reading() as tx:
            agreement = agreements(tx)[0]
        return Delivery(
            id="", provider=agreement.provider.oid, controller=agreement.organiser.oid, purchaser=agreement.purchaser,
            source="api", as_of=parts.now().date(),
        )  # fmt: skip

    def documents(self) -> Mapping[str, Mapping[str, Any]]:
        """The structured form of one document of each structure."""
        from kanta_gateway.pipeline.office import content_of
        from kanta_gateway.spool import store

        found: dict[str, Mapping[str, Any]] = {}
        parts = self.gateway.parts
        with parts.database.reading() as tx:
            for one in store.listed(tx, limit=2000):
                if one.structure not in found:
                    xml = content_of(parts, replace(one, payload=getattr(store.get(tx, one.oid), "payload", None)))
                    held = re.search(rb"<hl7fi:json[^>]*>([^<]+)<", xml)
                    found[one.structure] = orjson.loads(base64.b64decode(held[1])) if held else {}
        return found


def _wire(one: Record) -> bytes:
    from kanta_gateway.pipeline.wording import canonical

    return canonical({"type": one.type, "id": one.id, "version": one.version, "client": one.client, **one.content})


def one_record(machine: Machine, one: One, count: int = 300) -> None:
    """One canonical record, read and taken through every step to the durable spool, on one core."""
    delivery, schemas, everywhere = one.delivery(), one.gateway.schemas, os.sched_getaffinity(0)
    whole: list[float] = []
    over: list[float] = []
    outcomes: set[str] = set()
    os.sched_setaffinity(0, {max(everywhere)})
    try:
        for number, body in enumerate(islice(one.records(), count + 20)):
            start = time.perf_counter()
            record, findings = schemas.read(body)
            assert record is not None, findings
            told = one.gateway.desk.submit(record, delivery, one.caller, "fi")
            took = time.perf_counter() - start
            if number >= 20:  # the first ones fill caches
                raw = machine.signature(3)  # at the same moment, since the machine drifts
                whole.append(took)
                over.append(took - raw)
                outcomes.add(str(told.outcome))
                assert told.told["documents"]
    finally:
        os.sched_setaffinity(0, everywhere)
    machine.tell(
        "one record to durable spool, over its raw signature", statistics.median(over) * 1000, "ms", target=2.5,
        whole_ms=round(statistics.median(whole) * 1000, 3), records=len(whole), outcomes=sorted(outcomes),
    )  # fmt: skip


def validation(machine: Machine, one: One) -> None:
    """Structure check of one document of every structure: the slowest of those without and with conditional rules."""
    from kanta_gateway.model import Oid

    parts = one.gateway.parts
    times: dict[bool, list[tuple[float, str]]] = {True: [], False: []}
    for oid, value in one.documents().items():
        structure = parts.structures.get(Oid(oid))
        took = seconds(partial(parts.conformances(structure.oid).check, value), 1000)
        times[bool(structure.conditions)].append((took, structure.number))
    for has_conditions, target, name in ((False, 0.1, "structure"), (True, 0.3, "structure and conditional rules")):
        slowest, number = max(times[has_conditions], default=(0.0, ""))
        machine.tell(
            f"validation against {name}, slowest median", slowest * 1000, "ms", target=target, structure=number,
            structures=len(times[has_conditions]),
        )  # fmt: skip


EXPORTS = {
    "lapha-json": ("lapha", "*.json"),
    "heinola-csv": ("heinola", "*.csv"),
    "helsinki-xlsx": ("helsinki", "*.xlsx"),
    "fhir-bundle": ("paijat-hame", "bundle.json"),
    "quality-review": ("laatukriteerit", "review.json"),
}
"""Source -> the reference export that is read again and again."""


def reading(machine: Machine, folder: Path, least: float = 2.0) -> None:
    """Records a second that each source reads from its files: parsed, validated, made canonical; nothing stored."""
    from kanta_gateway.app import build
    from kanta_gateway.model import Record
    from kanta_gateway.settings import Settings

    gateway = build(Settings.from_environment({}, data=folder / "reading"))
    lines = year(folder, 20)
    files: dict[str, list[bytes]] = {
        name: [one.read_bytes() for one in sorted((REFERENCE / "inputs" / where).glob(pattern))
               if one.name != "expected.json"]
        for name, (where, pattern) in EXPORTS.items()
    }  # fmt: skip
    files["lapha-lines"] = [lines.read_bytes()]
    canonical = [_wire(one) for one in _items(gateway, "lapha-lines", files["lapha-lines"]) if isinstance(one, Record)]
    files["json-lines"] = [b"\n".join(canonical)]
    for name, contents in files.items():
        start, records = time.perf_counter(), 0
        while time.perf_counter() - start < least:
            records += sum(isinstance(one, Record) for one in _items(gateway, name, contents))
        took = time.perf_counter() - start
        size = sum(map(len, contents))
        machine.tell("reading a source", records / took, "records/s", source=name, bytes=size)
    gateway.close()


def deciding(machine: Machine, folder: Path) -> None:
    """One policy decision with the whole set: table, Cedar and the look-up of texts; allowed and denied in turn."""
    from kanta_gateway.access.decider import Question
    from kanta_gateway.access.table import Facts
    from kanta_gateway.app import build
    from kanta_gateway.settings import Settings

    gateway = build(Settings.from_environment({}, data=folder / "deciding"))
    mandate = Facts(flow="mandate", mandate="valid", relationship="open", purpose="told")
    asked = Question("record:read", "provider-system", "delivery", mandate, "TOT", "TI", granted=True, own_service=True)
    for name, one in (
        ("allowed", asked), ("forbidden", replace(asked, own_service=False)),
        ("no row", replace(asked, facts=replace(mandate, mandate="ended"))),
    ):  # fmt: skip
        took = seconds(partial(gateway.parts.decider.decide, one), 2000)
        machine.tell("policy decision", took * 1e6, "microseconds, median", decision=name, target=150)
    _with_facts(machine, gateway)
    gateway.close()


def _with_facts(machine: Machine, gateway: Gateway, clients: int = 2000, providers: int = 300) -> None:
    """A decision with what the registers say of the caller, the contracts and the client, from asking to the answer."""
    from kanta_gateway.access import register
    from kanta_gateway.access.statements import Statement
    from kanta_gateway.model import Caller, Event, Oid
    from kanta_gateway.pipeline.guard import Thing

    parts, controller = gateway.parts, "1.2.246.10.94000002.10.0"
    own, *others = (f"1.2.246.10.9400{number:04d}.10.0" for number in range(1000, 1000 + providers))
    ref = str(parts.keyring.client(own, "K-77"))
    stated = [Statement("organisation", {"oid": controller, "name": "Alue", "role": "controller"})]
    for one in (own, *others):
        mine = {"processor": one, "controller": controller}
        stated += [
            Statement("organisation", {"oid": one, "name": "Paja", "role": "processor"}),
            Statement("contract", {**mine, "number": "1", "purchaser": "lapha", "relationships": "registered"}),
            Statement("register-use", {**mine, "contract": "1"}),
        ]
    stated += [
        Statement("relationship", {"provider": own, "client": str(parts.keyring.client(own, f"K-{number}"))})
        for number in range(clients)
    ]
    with parts.database.transaction() as tx:
        register.add(tx, stated, parts.now())
    thing = Thing(own, controller, "lapha", ref, record_type="diary_entry")
    producer = Caller("records", Oid(own), "T-1", "Erkki Esimerkki", "provider-system", "service-delivery")
    official = replace(producer, organisation=Oid(controller), role="purchaser-supervisor", purpose="supervision")
    for caller in (producer, replace(official, contract="1")):
        asked = partial(gateway.office.guard.decide, caller, Event.DOCUMENT_READ, thing)
        assert asked().allowed, asked().reasons
        machine.tell(
            "decision with its facts", seconds(asked, 300) * 1e6, "microseconds, median", role=caller.role,
            clients=clients, providers=providers,
        )  # fmt: skip


def guessing(machine: Machine, folder: Path, repeats: int = 300) -> None:
    """How much longer another's document takes to refuse than one that is not there, beside the same asked twice."""
    from tests.installations import SAMPLE, installation, take

    from kanta_gateway.errors import NotFoundError
    from kanta_gateway.model import Caller, Oid
    from kanta_gateway.spool import store

    gateway = installation(folder / "guessing")
    take(gateway, [SAMPLE])
    with gateway.parts.database.reading() as tx:
        there = store.listed(tx, limit=1)[0].oid
    other = "1.2.246.10.94005557.10.0"
    gateway.registration.register_party(other, "Toinen ry", "1.2.246.10.94006015.10.0", "Toinen alue", "T/2", "heinola")
    caller = Caller("records", Oid(other), "T-1", "Erkki Esimerkki", "provider-system", "delivery")
    missing = f"{there}9"

    def refused(oid: str) -> float:
        start = time.perf_counter()
        try:
            gateway.office.document(oid, caller)
        except NotFoundError:
            return time.perf_counter() - start
        raise AssertionError(oid)

    for _ in range(20):  # the first ones fill caches
        refused(there)
        refused(missing)
    times: dict[str, list[float]] = {"there": [], "missing": [], "again": []}
    for number in range(repeats):
        asked = (("there", there), ("missing", missing), ("again", missing))
        for name, oid in (*asked[number % 3 :], *asked[: number % 3]):  # none always follows the same one
            times[name].append(refused(oid))
    medians = {name: statistics.median(one) * 1e6 for name, one in times.items()}
    machine.tell(
        "refusing another's document, over one that is not there", medians["there"] - medians["missing"],
        "microseconds, median", noise=round(medians["again"] - medians["missing"], 1),
        missing=round(medians["missing"], 1), repeats=repeats,
    )  # fmt: skip
    gateway.close()


def _items(gateway: Gateway, name: str, contents: list[bytes]) -> Iterator[object]:
    import io

    from kanta_gateway.intake.readers import read

    for one in contents:
        yield from read(gateway.sources[name], io.BytesIO(one), "file")


def appending(machine: Machine, folder: Path) -> None:
    """Appends to the audit log, one a commit and many a commit, beside what the same disk does without it."""
    from datetime import UTC, datetime

    from kanta_gateway.audit.log import AuditEvent, Log
    from kanta_gateway.database import Database
    from kanta_gateway.keystore import KeyStore
    from kanta_gateway.model import Caller, Event, Oid
    from kanta_gateway.privacy.daykeys import DayKeys
    from kanta_gateway.privacy.envelope import Vault
    from kanta_gateway.privacy.master import FileMasterKey
    from kanta_gateway.tables import metadata

    database = Database(f"sqlite:///{folder / 'audit.db'}")
    metadata.create_all(database.engine)
    seals = DayKeys(Vault(FileMasterKey(b"m" * 32)), KeyStore(f"sqlite:///{folder / 'keys.db'}"))
    log = Log(b"k" * 32, seal=lambda name: name, open_=lambda sealed: sealed, seals=seals)
    one = AuditEvent(
        event=Event.DOCUMENT_SPOOL, caller=Caller("s", Oid("1.2.3"), "V-1", "Testi", "instructor", "service"),
        at=datetime.now(UTC), client_ref="c" * 64, subject="1.2.3.4.5", provider="1.2.3", controller="1.2.4",
        purpose="service", basis="703/2023 §14", details={"set": "1.2.3.4.5", "version": 1},
    )  # fmt: skip

    def append(count: int) -> None:
        with database.transaction() as tx:
            log.append(tx, [one] * count)

    append(1)
    with _forced(folder) as force, _committed(folder) as commit:
        bare, least, single = in_turns([force, commit, partial(append, 1)], 400)
    machine.tell(
        "audit append, one a commit", 1 / single, "entries/s", ratio_to_fsync=round(bare / single, 2), target=0.5,
        fsync_per_second=round(1 / bare), bare_commit_per_second=round(1 / least),
        ratio_to_bare_commit=round(least / single, 2),
    )  # fmt: skip
    many = seconds(partial(append, 400), 20)
    machine.tell(
        "audit append, 400 a commit", 400 / many, "entries/s", target=3000, ratio_to_fsync=round(400 * bare / many, 1)
    )
    _open(machine, database, log)
    _prove(machine, database)
    database.close()


@contextmanager
def _forced(folder: Path) -> Iterator[Callable[[], None]]:
    """A 4 KB write that is forced to the disk."""
    with (folder / "fsync").open("wb") as file:

        def force() -> None:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())

        yield force


@contextmanager
def _committed(folder: Path) -> Iterator[Callable[[], None]]:
    """A commit of one row as long as an entry, in SQLite with the gateway's own settings and nothing around it."""
    from kanta_gateway.database import PRAGMAS

    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, sealed BLOB)")

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO bare (sealed) VALUES (?)", (b"x" * 700,))
        connection.execute("COMMIT")

    yield commit
    connection.close()


def _open(machine: Machine, database: Database, log: Log) -> None:
    """Rows of the stored log opened with their day's key, on one core; alone, and within a whole verification."""
    from sqlalchemy import text

    from kanta_gateway.audit.checkpoint import CheckpointSigner
    from kanta_gateway.audit.verify import verify

    key = str(CheckpointSigner.new("bench").key)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with database.reading() as tx:
        rows = tx.execute(text("SELECT key_id, idx, sealed FROM audit_entry")).all()
        alone = seconds(lambda: [log.seals.open(*row) for row in rows], 5)
        machine.tell("rows of the log unsealed", len(rows) / alone, "rows/s", target=30_000)
        whole = seconds(lambda: verify(tx, vkey=key, seals=log.seals, heads=log.heads), 3)
        machine.tell("audit verify of the stored log", len(rows) / whole, "rows/s")
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _prove(machine: Machine, database: Database, size: int = 10_000_000) -> None:
    """Inclusion proofs from a stored tree of ten million entries; random nodes cost the same to read."""
    from sqlalchemy import text

    from kanta_gateway.audit import proofs

    with database.transaction() as tx:
        for table in ("audit_entry", "audit_node", "audit_head"):
            tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608 — names of our own tables
        for level in range(1, size.bit_length()):
            tx.execute(text(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
                "INSERT INTO audit_node SELECT :level, i, randomblob(32) FROM n"
            ), {"level": level, "count": size >> level})  # fmt: skip
        places = [size * step // 100 for step in range(100)]
        tx.execute(
            text("INSERT INTO audit_entry VALUES (:idx, randomblob(32), 'e', NULL, NULL, 'a', 1, randomblob(9))"),
            [{"idx": one ^ 1} for one in places],
        )
        tx.execute(text("INSERT INTO audit_head VALUES (:size, randomblob(32), 'a', randomblob(32))"), {"size": size})
    with database.reading() as tx:
        times = [seconds(partial(proofs.inclusion, tx, one, size), 1) for one in places]
    machine.tell("inclusion proof at 10 million entries, median", statistics.median(times) * 1000, "ms", target=3,
                 slowest=round(max(times) * 1000, 2))  # fmt: skip


def verifying(machine: Machine, least: float = 2.0) -> None:
    """The stand-alone verifier on one core: leaf hashes into the tree, and rows opened against their commitments."""
    from kanta_gateway.audit import verifier
    from kanta_gateway.audit.canonical import canonical

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    hashes_ = [os.urandom(32) for _ in range(4096)]
    tree, start = verifier.Tree(), time.perf_counter()
    while time.perf_counter() - start < least:
        for one in hashes_:
            tree.push(one)
    machine.tell(
        "verifier, leaf hashes into the tree", tree.size / (time.perf_counter() - start), "leaves/s", target=150_000
    )
    entry = {
        "v": 2, "salt": "0" * 32, "commit": [0, 1], "log": "use", "event": "document:spool", "client": "c" * 64,
        "actor": {"ref": "r" * 64, "name": "n" * 64, "system": "s", "organisation": "1.2.3", "role": "instructor",
                  "contract": "", "relation": "", "development": False},
        "subject": "1.2.3.4.5", "provider": "1.2.3", "controller": "1.2.4", "purpose": "service",
        "basis": "703/2023 §14", "details": {"set": "1.2.3.4.5", "version": 1}, "at": "2026-03-02T10:00:00.000000Z",
    }  # fmt: skip
    lines = [canonical({**entry, "idx": place}) for place in range(50_000)]
    new = verifier.Checkpoint("bench", len(lines), b"", ())

    def opened() -> None:
        seen = verifier.Verification(new, None, ())
        for line in lines:
            seen.take(line)
        seen.finish(is_part=False)

    machine.tell("verifier, rows opened", len(lines) / seconds(opened, 5), "rows/s", target=30_000)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def main() -> None:
    """Run every benchmark."""
    names = ("one", "deciding", "guessing", "reading", "scan", "audit", "keys", "year", "memory")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--only", choices=names, action="append", help="may be given more than once; default: all")
    options = parser.parse_args()
    wanted = options.only or names
    if not set(wanted) <= {"audit", "deciding", "guessing", "keys"} and not GENERATOR.is_file():
        sys.exit("did not run: the year's generator is not there (REFERENCE_DIR, default ../shared)")
    with tempfile.TemporaryDirectory(prefix="kanta-bench-") as name:
        folder = Path(name)
        machine = Machine(folder, rsa.generate_private_key(public_exponent=65537, key_size=3072))
        quick: dict[str, Callable[[Machine, Path], None]] = {
            "deciding": deciding, "guessing": guessing, "keys": wrapping,
        }  # fmt: skip
        for part in (quick[one] for one in quick if one in wanted):
            part(machine, folder)
        if "one" in wanted:
            one = One(folder, 20)
            one_record(machine, one)
            validation(machine, one)
            one.gateway.close()
        if "reading" in wanted:
            reading(machine, folder)
        if "scan" in wanted:
            scanning(machine, year(folder, 20))
        if "audit" in wanted:
            appending(machine, folder)
            verifying(machine)
        if "year" in wanted:
            end_to_end(machine, folder, options.clients)
        if "memory" in wanted:
            memory(machine, folder)


if __name__ == "__main__":
    main()
