"""Benchmarks: one JSON line per figure, with this machine's raw signature and fsync rates beside it.

usage: bench.py [--documents N]    N limits the year for a quick look; the default is the whole year.

Everything stays on loopback, is bounded, and stops by itself. Figures are ratios to a raw limit that is
measured in the same run, since machines differ and drift.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.processes import Archive, Cli

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("REFERENCE_DIR", ROOT.parent / "shared"))
GENERATOR = REFERENCE / "inputs" / "volume" / "generate.py"


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of one call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def raw_signature() -> float:
    """Seconds of one bare RSA-3072 signature."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return seconds(lambda: key.sign(b"x" * 64, padding.PKCS1v15(), hashes.SHA256()), 200)


def raw_fsync(folder: Path) -> float:
    """Seconds of one 4 KB write with fsync."""
    with (folder / "fsync").open("wb") as file:

        def write() -> None:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())

        return seconds(write, 200)


class Told:
    """Prints figures with the machine's raw rates."""

    def __init__(self, folder: Path) -> None:
        self.signature = raw_signature()
        self.raw = {
            "raw_rsa3072_per_second": round(1 / self.signature), "raw_fsync_per_second": round(1 / raw_fsync(folder))
        }  # fmt: skip

    def __call__(self, figure: str, value: float, unit: str, **more: Any) -> None:
        """One figure."""
        line = {"figure": figure, "value": round(value, 4), "unit": unit, **more, **self.raw}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def year(folder: Path, clients: int, days: int | None = None) -> Path:
    """The year's export as JSON Lines."""
    out = folder / f"year-{clients}.jsonl"
    extra = ["--days", str(days)] if days is not None else []
    subprocess.run(
        [sys.executable, str(GENERATOR), "--clients", str(clients), *extra, "--out", str(out)],
        check=True, capture_output=True,
    )  # fmt: skip
    return out


def end_to_end(told: Told, folder: Path, clients: int) -> None:
    """The year imported to archived, import and delivery at the same time, simulator on the same cores."""
    export = year(folder, clients)
    archive = Archive(folder)
    cli = Cli(folder / "data", KANTA_ARCHIVE_URL=archive.url)
    cli("keys", "make")
    start = time.perf_counter()
    worker = cli.start("serve", "--no-api")
    try:
        told_import = cli("import", export, "--source", "lapha-lines", "--purchaser", "lapha", "--json", timeout=900)
        imported = time.perf_counter() - start
        deadline = time.monotonic() + 900
        while time.monotonic() < deadline:
            status = json.loads(cli("status", "--json").stdout)["documents"]
            if not any(status.get(state) for state in ("queued", "sending", "unknown")):
                break
            time.sleep(0.5)
        whole = time.perf_counter() - start
    finally:
        worker.terminate()
        worker.wait(30)
        archive.stop()
    documents = status.get("archived", 0)
    told("year imported to archived", documents / whole, "documents/s", documents=documents, seconds=round(whole, 1))
    records = json.loads(told_import.stdout)["totals"]["records"]
    told("import alone", records / imported, "records/s", records=records)


def memory(told: Told, folder: Path) -> None:
    """Peak memory of an import of about 1 000 and of about 50 000 records."""
    for clients, days in ((10, 900), (320, 47_000)):
        export = year(folder, clients, days)
        cli = Cli(folder / f"memory-{clients}")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        command = [sys.executable, "-c", PEAK, str(export), str(cli.data)]
        done = subprocess.run(command, env=cli.environment, capture_output=True, text=True, check=False, timeout=1800)
        peak, records = (int(part) for part in done.stdout.split()[-2:])
        told("peak memory of import", peak / 1024, "MB", records=records, children_before=before)


PEAK = """
import io, json, resource, sys, contextlib
from kanta_gateway import cli
sys.argv = ["kanta-gateway", "import", sys.argv[1], "--data", sys.argv[2], "--source", "lapha-lines",
            "--purchaser", "lapha", "--json"]
out = io.StringIO()
with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
    cli.run()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, json.loads(out.getvalue())["totals"]["records"])
"""


def one_record(told: Told, folder: Path) -> None:
    """One canonical record through all steps to the durable spool, in one thread."""
    from kanta_gateway.app import build  # noqa: PLC0415
    from kanta_gateway.settings import Settings  # noqa: PLC0415

    gateway = build(Settings.from_environment({}, data=folder / "one"))
    caller = gateway.actor(None, None, None)
    gateway.import_files([year(folder, 2, 200)], "lapha-lines", "lapha", caller)
    times = []
    for record in diary(300):
        start = time.perf_counter()
        gateway.submit(record, caller)
        times.append(time.perf_counter() - start)
    median = statistics.median(times)
    gateway.close()
    told(
        "one record to durable spool", median * 1000, "ms", over_raw_signature_ms=round((median - told.signature) * 1000, 3),
        target_over_raw_signature_ms=2.5,
    )  # fmt: skip


def diary(count: int) -> Iterator[dict[str, Any]]:
    """New diary entries of one client, on weekdays that the year's generator left free."""
    for number in range(count):
        yield {
            "type": "diary_entry", "id": f"BENCH-{number}", "client": "V-000001", "hours": 4, "mode": "on_site",
            "date": f"2025-{number % 12 + 1:02d}-{number % 27 + 1:02d}", "start_time": "09:00", "end_time": "13:00",
            "tasks": "Lajiteltiin tekstiilejä kierrätykseen ja niputettiin lomakkeita varastoon.",
            "performance": "Teki työn loppuun ilman muistuttelua ja auttoi uutta kävijää alkuun.",
            "skills": "Työskentelyaika on pidentynyt.", "recorder": "V01", "guidance_minutes": 15,
        }  # fmt: skip


def validation(told: Told) -> None:
    """Structure validation and conditional rules of one diary document."""
    from kanta_gateway import knowledge  # noqa: PLC0415
    from kanta_gateway.mapping.conformance import Conformance  # noqa: PLC0415
    from kanta_gateway.mapping.structures import Structures  # noqa: PLC0415

    structures = Structures.load(knowledge.texts("schemas/structures"))
    value = json.loads((ROOT / "tests" / "vector" / "diary" / "expected.json").read_text("utf-8"))
    conformance = Conformance(next(one for one in structures.all() if one.number == 19007))
    told("validation of a document", seconds(lambda: conformance.check(value), 2000) * 1000, "ms", target=0.1)


def main() -> None:
    """Run every benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--no-memory", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kanta-bench-") as name:
        folder = Path(name)
        told = Told(folder)
        validation(told)
        if not GENERATOR.is_file():
            sys.exit("did not run: the year's generator is not there (REFERENCE_DIR, default ../shared)")
        one_record(told, folder)
        end_to_end(told, folder, options.clients)
        if not options.no_memory:
            memory(told, folder)


if __name__ == "__main__":
    main()
