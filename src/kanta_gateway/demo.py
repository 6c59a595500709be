"""`kanta-gateway demo`: the main job end to end in a temporary folder, on sample data of the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kanta_gateway import knowledge
from kanta_gateway.errors import UnavailableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.settings import Settings

SAMPLE = "mappings/sources/samples/lapha-json.json"
START_SECONDS = 30.0
SHOWN = 4
"""Findings shown of the import."""


def run(*, keep: bool) -> None:
    """Import the sample, deliver it to a simulated archive, check what came out, and say where it is.

    Args:
        keep: leave the folder for a look.
    """
    from kanta_gateway.app import build  # noqa: PLC0415 — the demo is one of the shells that build

    place = Path(tempfile.mkdtemp(prefix="kanta-gateway-demo-"))
    archive = _archive(place)
    try:
        settings = Settings.from_environment({}, data=place / "data", archive_url=_url(place, archive), lang="en")
        gateway = build(settings)
        _tell(place, gateway)
        gateway.close()
    finally:
        archive.terminate()
        archive.wait(10)
        if not keep:
            shutil.rmtree(place)


def _archive(place: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kanta_gateway", "simulate-archive", "--ready-file", str(place / "archive.url"),
               "--store", str(place / "archive")]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KANTA_")}
    return subprocess.Popen(command, env=environment)  # noqa: S603 — our own command


def _url(place: Path, archive: subprocess.Popen[bytes]) -> str:
    """The simulator's address, once it listens.

    Raises:
        UnavailableError: it did not start.
    """
    ready = place / "archive.url"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and archive.poll() is None:
        if ready.is_file() and (url := ready.read_text("ascii").strip()):
            return url
        time.sleep(0.05)
    raise UnavailableError("the simulated archive did not start")


def _tell(place: Path, gateway: Gateway) -> None:
    """Do the job and say what happened, step by step."""
    caller = gateway.actor(None, None, None)
    say = _printer()
    say("kanta-gateway demo: Kanta-style, not certified. All persons are fictional.\n")
    say("1  A provider's export comes in (source lapha-json, purchaser lapha)")
    told = gateway.deliveries.import_files([knowledge.root() / SAMPLE], "lapha-json", "lapha", caller)
    rows = list(told.rows())
    say(f"   {told.totals.records} records: " + ", ".join(f"{n} {k}" for k, n in sorted(told.totals.outcomes.items())))
    grave = [(row, one) for row in rows for one in row["findings"] if one["severity"] != "info"]
    for row, one in grave[:SHOWN]:
        say(f"   {row['id']} {row['outcome']}: {one['rule']} {one['message']}")
    masked = sum(one["count"] for row in rows for one in row["masked"])
    say(f"   {masked} personal values masked in free text; their wording stays with the provider")
    say("2  Each document is signed, verified by another implementation, and sent to the archive")
    delivered = gateway.dispatch.deliver(caller, until_empty=True)
    say("   documents: " + ", ".join(f"{n} {k}" for k, n in sorted(delivered["documents"].items())))
    exported = gateway.documents.export(place / "documents", caller, all_versions=False)
    say("3  Everything can be proved")
    checked = gateway.documents.verify(sorted((place / "documents").glob("*.xml")))
    verdict = "all hold" if checked["holds"] else "FAULTS FOUND"
    say(f"   {len(checked['documents'])} documents checked again from their bytes: {verdict}")
    log = gateway.trail.verify()
    say(f"   audit log of {log['size']} entries: {'holds' if log['holds'] else 'DOES NOT HOLD'}")
    (place / "checkpoint.txt").write_text(gateway.office.checkpoint(None), "utf-8")
    first = min((place / "documents").glob("*.xml"))
    say("\nWhere to look:")
    say(f"   archived documents   {exported['folder']}  ({exported['written']} files)")
    say(f"   the archive's store  {place / 'archive'}")
    say(f"   a signed checkpoint  {place / 'checkpoint.txt'}")
    say(f"   why each value is there:  kanta-gateway documents explain {first.stem} --data {place / 'data'}")
    if not (checked["holds"] and log["holds"]) or delivered["left"]:
        sys.exit(1)


def _printer() -> Any:
    return lambda line: print(line, flush=True)  # noqa: T201 — the demo talks to a person
