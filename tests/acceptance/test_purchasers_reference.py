"""The reference exports of several purchasers, each from the provider's files to archived documents and figures."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.processes import Archive, Cli, InProcess

pytestmark = [pytest.mark.reference, pytest.mark.process]


@dataclass(frozen=True)
class Export:
    """One folder of the reference inputs."""

    folder: str
    source: str
    purchaser: str
    """Empty where the source names its own."""
    pattern: str
    code: int
    """Exit code of the import."""
    documents: int


EXPORTS = [
    Export("helsinki", "helsinki-xlsx", "helsinki", "*.xlsx", 0, 55),
    Export("paijat-hame", "fhir-bundle", "paijat-hame", "bundle.json", 3, 24),
    Export("laatukriteerit", "quality-review", "", "review.json", 0, 0),
]


class Delivered:
    """One export, imported, delivered and written out once for all facts below."""

    def __init__(self, export: Export, folder: Path, reference: Path) -> None:
        self.export, self.folder, self.reference = export, folder, reference
        self.input = reference / "inputs" / export.folder
        archive = Archive(folder)
        settings = {"KANTA_ARCHIVE_URL": archive.url}
        self.cli, self.worker = (kind(folder / "data", **settings) for kind in (InProcess, Cli))
        named = ["--purchaser", export.purchaser] if export.purchaser else []
        taken: list[str | Path] = [
            "import",
            *sorted(self.input.glob(export.pattern)),
            "--source",
            export.source,
            *named,
        ]
        (folder / "outputs").mkdir()
        try:
            self.told = self.run(export.code, "import", *taken, "--json")
            self.run(0, "deliver", "deliver", "--until-empty", "--json")
            self.run(0, "export", "documents", "export", folder / "documents", "--json")
            self.run(0, "figures", "figures", "--json")
            self.again = self.run(0, "again", *taken, "--json")
        finally:
            archive.stop()

    def run(self, code: int, name: str, *command: str | Path) -> Any:
        """What one command prints; kept, so that it can be searched."""
        told = (self.worker if name == "deliver" else self.cli)(*command)
        assert told.returncode == code, told.stderr
        (self.folder / "outputs" / f"{name}.json").write_text(told.stdout, "utf-8")
        return json.loads(told.stdout)

    def tool(self, name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of the independent checking tools."""
        return subprocess.run(
            [sys.executable, str(self.reference / "tools" / name), *map(str, arguments)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module", params=EXPORTS, ids=lambda one: one.folder)
def delivered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, reference: Path) -> Delivered:
    """Each export in turn."""
    return Delivered(request.param, tmp_path_factory.mktemp(request.param.folder), reference)


def test_every_record_and_figure_is_the_expected_one(delivered: Delivered) -> None:
    """Outcomes, structures, rules and figures are those of expected.json, told by an independent comparison."""
    outputs = delivered.folder / "outputs"
    seen = delivered.tool(
        "compare_expected.py", outputs / "import.json", delivered.input / "expected.json", outputs / "figures.json"
    )

    assert seen.returncode == 0, seen.stdout


def test_figures_have_exactly_the_expected_keys(delivered: Delivered) -> None:
    """`figures --json` tells the groups and names of expected.json and nothing else."""
    expected = json.loads((delivered.input / "expected.json").read_text("utf-8"))["figures"]
    told = json.loads((delivered.folder / "outputs" / "figures.json").read_text("utf-8"))["figures"]

    assert {name: set(one) for name, one in expected.items()} == {name: set(one) for name, one in told.items()}


def test_every_document_holds_and_no_personal_value_is_anywhere(delivered: Delivered) -> None:
    """Schemas, signatures and display forms hold by an independent check, and the data folder has nothing forbidden."""
    seen = delivered.tool(
        "check_documents.py", delivered.folder / "documents", delivered.reference / "thl",
        "--count", str(delivered.export.documents), "--forbid", delivered.input / "expected.json",
        "--bytes-of", delivered.folder / "data", "--bytes-of", delivered.folder / "outputs",
    )  # fmt: skip

    assert seen.returncode == 0, seen.stdout


def test_delivered_again_nothing_is_new(delivered: Delivered) -> None:
    """The second delivery of the same files holds duplicates only."""
    outcomes = set(delivered.again["totals"]["by_outcome"])

    assert outcomes == {"duplicate"}


def test_the_log_holds(delivered: Delivered) -> None:
    """After it all the whole log verifies."""
    assert delivered.cli("audit", "verify", "--reconcile").returncode == 0
