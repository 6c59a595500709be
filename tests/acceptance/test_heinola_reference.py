"""The reference export of the Heinola voucher, from four CSV files to archived documents and the invoice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.processes import Archive, Cli, InProcess

pytestmark = [pytest.mark.reference, pytest.mark.process]
FILES = ("asiakkaat.csv", "paivakirja.csv", "poissaolot.csv", "arvioinnit.csv")


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory, reference: Path) -> tuple[Path, Cli]:
    """The export imported, delivered, written out and counted once for all facts below."""
    folder = tmp_path_factory.mktemp("heinola")
    archive = Archive(folder)
    cli, worker = (kind(folder / "data", KANTA_ARCHIVE_URL=archive.url) for kind in (InProcess, Cli))
    export = reference / "inputs" / "heinola"
    commands: dict[str, tuple[int, tuple[str | Path, ...]]] = {
        "import": (3, ("import", *(export / name for name in FILES), "--source", "heinola-csv",
                       "--purchaser", "heinola", "--json")),
        "deliver": (0, ("deliver", "--until-empty", "--json")),
        "export": (0, ("documents", "export", folder / "documents", "--json")),
        "figures": (0, ("figures", "--json")),
        "reconcile": (0, ("figures", "--reconcile", "--json")),
        "evidence": (0, ("figures", "--evidence", "103", "--json")),
    }  # fmt: skip
    (folder / "outputs").mkdir()
    try:
        for name, (code, command) in commands.items():
            told = (worker if name == "deliver" else cli)(*command)
            assert told.returncode == code, told.stderr
            (folder / f"{name}.json").write_text(told.stdout, "utf-8")
            (folder / "outputs" / f"{name}.txt").write_text(told.stdout + told.stderr, "utf-8")
    finally:
        archive.stop()
    return folder, cli


def read(folder: Path, name: str) -> Any:
    """What one command printed."""
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def tool(reference: Path, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of the independent checking tools."""
    return subprocess.run(
        [sys.executable, str(reference / "tools" / name), *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_outcomes_rules_and_figures(delivered: tuple[Path, Cli], reference: Path) -> None:
    """Every record has the expected outcome, structures and rules, and every figure is the expected one to the cent."""
    folder, _ = delivered
    expected = reference / "inputs" / "heinola" / "expected.json"
    seen = tool(reference, "compare_expected.py", folder / "import.json", expected, folder / "figures.json")

    assert seen.returncode == 0, seen.stdout


def test_figures_have_exactly_the_expected_keys(delivered: tuple[Path, Cli], reference: Path) -> None:
    """Clients and the total have the keys of the expected figures, no more and no fewer."""
    folder, _ = delivered
    expected = json.loads((reference / "inputs" / "heinola" / "expected.json").read_text("utf-8"))["figures"]
    found = read(folder, "figures")["figures"]

    assert {who: set(one) for who, one in expected.items()} == {who: set(one) for who, one in found.items()}


def test_every_document_holds(delivered: tuple[Path, Cli], reference: Path) -> None:
    """161 documents fit the official schemas, show what they hold, verify with xmlsec1 and leak nothing."""
    folder, _ = delivered
    if subprocess.run(["which", "xmlsec1"], capture_output=True, check=False).returncode:
        pytest.skip("did not run: the command xmlsec1 (Debian package) is not installed")
    seen = tool(
        reference, "check_documents.py", folder / "documents", reference / "thl", "--count", "161",
        "--forbid", reference / "inputs" / "heinola" / "expected.json",
        "--bytes-of", folder / "data", "--bytes-of", folder / "outputs",
    )  # fmt: skip

    assert seen.returncode == 0, seen.stdout


def test_reconciliation_agrees_with_the_figures(delivered: tuple[Path, Cli]) -> None:
    """Day by day the lines add up to each client's invoice, and the days to check are those of the figures."""
    folder, _ = delivered
    figures, told = read(folder, "figures")["figures"], read(folder, "reconcile")["reconciliation"]
    lines = {who: [one["line"] for one in client["days"] if one["line"]] for who, client in told.items()}

    assert {who: sum(one["amount_eur"] for one in of_client) for who, of_client in lines.items()} == {
        who: one["invoice_eur"] for who, one in figures.items() if who != "TOTAL"
    }  # fmt: skip
    assert {who: sum(one["to_check"] for one in of_client) for who, of_client in lines.items()} == {
        who: one["days_to_check"] for who, one in figures.items() if who != "TOTAL"
    }  # fmt: skip


def test_each_difference_of_the_export_is_listed(delivered: tuple[Path, Cli]) -> None:
    """The differences are those that the export's deliberate mistakes make, and no others."""
    folder, _ = delivered
    found = {
        (who, one["date"], difference["kind"])
        for who, client in read(folder, "reconcile")["reconciliation"].items()
        for one in client["days"]
        for difference in one["differences"]
        if difference["kind"] != "invoice-price-differs"
    }

    assert found == {
        ("102", "2022-09-28", "invoice-to-check"), ("102", "2022-10-12", "invoice-absent"),
        ("102", "2022-10-12", "invoice-not-a-line"), ("103", "2022-09-20", "invoice-to-check"),
        ("104", "2022-09-14", "invoice-not-a-line"), ("104", "2022-11-17", "invoice-not-a-line"),
    }  # fmt: skip


def test_every_line_has_its_evidence(delivered: tuple[Path, Cli]) -> None:
    """Each of the 23 lines of one client's invoice has an archived document with a receipt over the same bytes."""
    folder, _ = delivered
    lines = read(folder, "evidence")["evidence"]["103"]["lines"]

    assert len(lines) == 23
    for one in lines:
        (document,) = one["documents"]
        assert document["state"] == "archived"
        assert document["receipt"]["sha256"] == document["signed_sha256"]
