"""What waits can be corrected where it was written: the same id with other content is taken, also without a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.processes import Cli, InProcess

pytestmark = pytest.mark.process
SMALL = Path(__file__).parents[1] / "data" / "lapha-small.json"


def absence(export: dict[str, Any]) -> dict[str, Any]:
    """The first absence of the export."""
    found = next(one["poissaolot"] for one in export["asiakkaat"] if one.get("poissaolot"))
    return found[0]  # type: ignore[no-any-return]


def imported(cli: Cli, path: Path, export: dict[str, Any]) -> Any:
    """What the import of an export tells of its first absence."""
    path.write_text(json.dumps(export), "utf-8")
    told = cli("import", path, "--source", "lapha-json", "--purchaser", "lapha", "--json")
    assert told.returncode in {0, 3}, told.stderr
    (one,) = [one for one in json.loads(told.stdout)["records"] if one["id"] == absence(export)["poissaoloId"]]
    return one


def test_a_refused_absence_is_corrected_under_its_own_id(tmp_path: Path) -> None:
    """A day outside the decision is refused, the corrected one accepted; the first delivery again changes nothing."""
    export = json.loads(SMALL.read_text("utf-8"))
    cli = InProcess(tmp_path / "data", KANTA_SIGNING_ALGORITHM="p-256")
    path, right = tmp_path / "export.json", absence(export)["pvm"]

    absence(export)["pvm"] = "2019-01-07"
    assert imported(cli, path, export)["outcome"] == "refused"
    absence(export)["pvm"] = right
    assert imported(cli, path, export)["outcome"] in {"replacement", "accepted"}
    absence(export)["pvm"] = "2019-01-07"
    assert imported(cli, path, export)["outcome"] == "duplicate"
