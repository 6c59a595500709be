"""`kanta-gateway demo`: the main job end to end in a temporary folder, on sample data of the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kanta_gateway import knowledge
from kanta_gateway.access import parties
from kanta_gateway.audit import verifier
from kanta_gateway.errors import UnavailableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Event, Oid, Organisation
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.settings import Settings

SAMPLE = "mappings/sources/samples/lapha-json.json"
START_SECONDS = 30.0
SHOWN = 4
"""Findings shown of the import."""
AUDITOR = "for-the-auditor"
"""Folder of what an auditor is given."""


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
    _say("kanta-gateway demo: Kanta-style, not certified. All persons are fictional.\n")
    _take_in(gateway, caller)
    _say("2  Each document is signed, verified by another implementation, and sent to the archive")
    delivered = gateway.dispatch.deliver(caller, until_empty=True)
    _say("   documents: " + ", ".join(f"{n} {k}" for k, n in sorted(delivered["documents"].items())))
    exported = gateway.documents.export(place / "documents", caller, all_versions=False)
    is_proved = _prove(place, gateway, caller)
    _decide(gateway)
    first = min((place / "documents").glob("*.xml"))
    _say("\nWhere to look:")
    _say(f"   archived documents   {exported['folder']}  ({exported['written']} files)")
    _say(f"   the archive's store  {place / 'archive'}")
    _say(f"   a signed checkpoint, the log and its verifier  {place / AUDITOR}")
    _say(f"   why each value is there:  kanta-gateway documents explain {first.stem} --data {place / 'data'}")
    if not is_proved or delivered["left"]:
        sys.exit(1)


def _take_in(gateway: Gateway, caller: Caller) -> None:
    """A provider's export becomes documents; what waits says why."""
    _say("1  A provider's export comes in (source lapha-json, purchaser lapha)")
    told = gateway.deliveries.import_files([knowledge.root() / SAMPLE], "lapha-json", "lapha", caller)
    rows = list(told.rows())
    _say(f"   {told.totals.records} records: " + ", ".join(f"{n} {k}" for k, n in sorted(told.totals.outcomes.items())))
    grave = [(row, one) for row in rows for one in row["findings"] if one["severity"] != "info"]
    for row, one in grave[:SHOWN]:
        _say(f"   {row['id']} {row['outcome']}: {one['rule']} {one['message']}")
    masked = sum(one["count"] for row in rows for one in row["masked"])
    _say(f"   {masked} personal values masked in free text; their wording stays with the provider")


def _prove(place: Path, gateway: Gateway, caller: Caller) -> bool:
    """The documents are checked from their bytes, and the log by what an auditor holds; whether both hold."""
    _say("3  Everything can be proved")
    checked = gateway.documents.verify(sorted((place / "documents").glob("*.xml")))
    verdict = "all hold" if checked["holds"] else "FAULTS FOUND"
    _say(f"   {len(checked['documents'])} documents checked again from their bytes: {verdict}")
    log = gateway.trail.verify(reconcile=True, caller=caller)
    verdict = "holds, and fits what is stored" if log["holds"] else "DOES NOT HOLD"
    _say(f"   audit log of {log['size']} entries: {verdict}")
    folder = place / AUDITOR
    folder.mkdir()
    (folder / "checkpoint.txt").write_text(gateway.office.checkpoint(None), "utf-8")
    (folder / "log.vkey").write_text(gateway.trail.keys(), "utf-8")
    (folder / "log.jsonl").write_text("".join(gateway.trail.export("jsonl", caller)), "utf-8")
    (folder / "verify.py").write_text(Path(verifier.__file__).read_text("utf-8"), "utf-8")
    command = [sys.executable, "-I", "verify.py", "--key", "log.vkey", "--new", "checkpoint.txt", "log.jsonl"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 — our own command
    _say(f"   an auditor's own check, one Python file without the gateway: {ran.stdout.splitlines()[-1]}")
    return bool(checked["holds"] and log["holds"]) and ran.returncode == 0


def _decide(gateway: Gateway) -> None:
    """Who may open a document, and which row of the law says so."""
    _say("4  Each access is decided by a row of the law, and says why")
    with gateway.parts.database.reading() as tx:
        one = parties.agreements(tx)[0]
    for who, organisation, role, purpose in (
        ("the provider's worker", one.provider, "provider-system", "service-delivery"),
        ("the purchaser's IT person", one.organiser, "purchaser-it", "technical-support"),
        ("somebody of another organisation", Organisation(Oid(f"{one.provider.oid}.9"), ""), "provider-system",
         "service-delivery"),
    ):  # fmt: skip
        asking = Caller("demo", organisation.oid, "-", "-", role, purpose, one.number)
        told = gateway.checkup.explain_policy(
            asking, Event.DOCUMENT_READ, Thing(one.provider.oid, one.organiser.oid, one.purchaser), None
        )
        verdict = "allowed" if told["allowed"] else "denied"
        why = " ".join(
            f"{one['message']} ({one['clause']})" if one.get("clause") else one["message"] for one in told["why"]
        )
        _say(f"   {who} opens a document: {verdict}. {why}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 — the demo talks to a person
