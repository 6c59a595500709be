"""The reference export of Lapland, from file to archived documents, in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import Archive, Cli, InProcess

pytestmark = [pytest.mark.reference, pytest.mark.process]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory, reference: Path) -> tuple[Path, dict[str, object], Cli]:
    """The export imported, delivered and written out once, in real processes; and a command line for what follows."""
    folder = tmp_path_factory.mktemp("lapha")
    archive = Archive(folder)
    cli = Cli(folder / "data", KANTA_ARCHIVE_URL=archive.url)
    try:
        export = reference / "inputs" / "lapha" / "export.json"
        told = cli("import", export, "--source", "lapha-json", "--purchaser", "lapha", "--json")
        assert told.returncode == 3, told.stderr
        (folder / "import.json").write_text(told.stdout, "utf-8")
        sent = cli("deliver", "--until-empty", "--json")
        assert sent.returncode == 0, sent.stderr
        written = cli("documents", "export", folder / "documents", "--json")
        assert written.returncode == 0, written.stderr
        (folder / "outputs").mkdir()
        for name, one in (("import", told), ("deliver", sent), ("export", written)):
            (folder / "outputs" / f"{name}.txt").write_text(one.stdout + one.stderr, "utf-8")
    finally:
        archive.stop()
    return folder, json.loads(told.stdout), InProcess(folder / "data")


def tool(reference: Path, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of the independent checking tools."""
    return subprocess.run(
        [sys.executable, str(reference / "tools" / name), *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_outcomes_rules_and_figures(delivered: tuple[Path, dict[str, object], Cli], reference: Path) -> None:
    """Every record has the expected outcome, structures and rules, and every figure is the expected one."""
    folder, _, _ = delivered
    seen = tool(
        reference, "compare_expected.py", folder / "import.json", reference / "inputs" / "lapha" / "expected.json"
    )

    assert seen.returncode == 0, seen.stdout


def test_every_document_holds(delivered: tuple[Path, dict[str, object], Cli], reference: Path) -> None:
    """256 documents fit the official schemas, show what they hold, verify with xmlsec1 and leak nothing."""
    folder, _, _ = delivered
    if subprocess.run(["which", "xmlsec1"], capture_output=True, check=False).returncode:
        pytest.skip("did not run: the command xmlsec1 (Debian package) is not installed")
    lapha = reference / "inputs" / "lapha"
    seen = tool(
        reference, "check_documents.py", folder / "documents", reference / "thl", "--count", "256",
        "--forbid", lapha / "expected.json", "--texts", lapha / "export.json",
        "--bytes-of", folder / "data", "--bytes-of", folder / "outputs",
    )  # fmt: skip

    assert seen.returncode == 0, seen.stdout


def test_our_own_check_agrees(delivered: tuple[Path, dict[str, object], Cli]) -> None:
    """`documents verify` says of every exported document that it holds, and of a changed one that it does not."""
    folder, _, cli = delivered
    files = sorted((folder / "documents").glob("*.xml"))
    assert cli("documents", "verify", *files).returncode == 0
    changed = folder / "changed.xml"
    raw = files[0].read_bytes()
    place = raw.index(b"</", raw.index(b"nonXMLBody")) - 8
    changed.write_bytes(raw[:place] + (b"7" if raw[place : place + 1] != b"7" else b"8") + raw[place + 1 :])
    seen = cli("documents", "verify", changed)

    assert seen.returncode == 1
    assert "SIG-" in seen.stdout


def test_explained(delivered: tuple[Path, dict[str, object], Cli]) -> None:
    """Every value of every kind of document is explained by record field, mapping line and source."""
    _, told, cli = delivered
    one_of_each = {
        document["structure"]: document["oid"]
        for row in told["records"]  # type: ignore[attr-defined]
        for document in row["documents"]
    }
    assert len(one_of_each) > 3
    for oid in one_of_each.values():
        seen = cli("documents", "explain", oid, "--json")
        assert seen.returncode == 0, seen.stderr
        values = json.loads(seen.stdout)["values"]
        assert values
        origins = [origin for row in values for origin in row["origins"]]
        assert all(one["path"] and one["line"] and one["source"] for one in origins)
        assert all(row["origins"] for row in values)


def test_audit_holds(delivered: tuple[Path, dict[str, object], Cli]) -> None:
    """The whole log holds after import, delivery, export and explanations."""
    _, _, cli = delivered

    assert cli("audit", "verify", "--reconcile").returncode == 0


def test_again_changes_nothing(delivered: tuple[Path, dict[str, object], Cli], reference: Path) -> None:
    """The same export once more brings duplicates only, and no new document."""
    _, _, cli = delivered
    export = reference / "inputs" / "lapha" / "export.json"
    again = json.loads(cli("import", export, "--source", "lapha-json", "--purchaser", "lapha", "--json").stdout)
    status = json.loads(cli("status", "--json").stdout)

    assert again["totals"]["by_outcome"] == {"duplicate": again["totals"]["records"]}
    assert sum(status["documents"].values()) == 256
