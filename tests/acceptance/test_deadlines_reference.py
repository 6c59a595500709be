"""Clocks of the reference folders: they agree with the findings of the import and with those that are expected."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.installations import installation

from kanta_gateway.contracts.awaited import CLIENT_CLOCKS, DECISION_CLOCKS
from kanta_gateway.contracts.clocks import RECORD_CLOCKS
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.gateway import Gateway
from kanta_gateway.pipeline.deadlines import Asked

pytestmark = pytest.mark.reference

DEADLINES = {*RECORD_CLOCKS, *CLIENT_CLOCKS, *DECISION_CLOCKS}
TOLD = frozenset({ClockState.BREACHED, ClockState.DONE_LATE})
FOLDERS = {
    "lapha": ("lapha-json", "lapha", date(2025, 12, 30)),
    "heinola": ("heinola-csv", "heinola", date(2022, 12, 4)),
    "helsinki": ("helsinki-xlsx", "helsinki", date(2025, 12, 2)),
    "paijat-hame": ("fhir-bundle", "paijat-hame", date(2022, 12, 9)),
    "laatukriteerit": ("quality-review", "quality-criteria", date(2025, 11, 19)),
}
"""Folder -> source, contract, and the day as of which its export was judged."""


def taken(gateway: Gateway, folder: Path, source: str, contract: str) -> list[dict[str, Any]]:
    """The rows of an import of the whole folder."""
    files = sorted(one for one in folder.iterdir() if one.suffix in {".csv", ".json", ".xlsx"})
    files = [one for one in files if one.name != "expected.json"]
    purchaser = None if contract == "quality-criteria" else contract
    actor = gateway.actor(None, None, None)
    return list(gateway.deliveries.import_files(files, source, purchaser, actor).rows())


def clocks(gateway: Gateway, as_of: date, states: frozenset[ClockState]) -> list[dict[str, Any]]:
    """Clocks in some states, read on a day."""
    asked = Asked(as_of, "fi", states=states)
    told: list[dict[str, Any]] = gateway.office.deadlines(gateway.actor(None, None, None), asked)["deadlines"]
    return told


def told_by(contract: Contract, rows: list[dict[str, Any]]) -> Counter[str]:
    """How many records deadline rules have told findings on, by rule."""
    texts = {(one.id, text) for one in contract.rules if one.kind in DEADLINES for text in one.texts.values()}
    return Counter(
        rule for _, rule in {
            (row["id"], one["rule"]) for row in rows for one in row["findings"] if (one["rule"], one["kind"]) in texts
        }
    )  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_clocks_agree_with_findings(folder: str, reference: Path, tmp_path: Path) -> None:
    """Breached and late clocks are exactly the deadline findings of the import, and the expected ones."""
    source, name, as_of = FOLDERS[folder]
    gateway = installation(tmp_path / "data")
    rows = taken(gateway, reference / "inputs" / folder, source, name)
    contract = gateway.parts.contracts[name]
    found = clocks(gateway, as_of, TOLD)
    gateway.close()
    silent = {(one.id, one.kind) for one in contract.rules if one.is_clock}
    told = {(one["record"]["id"], one["rule"]) for one in found if (one["rule"], one["kind"]) not in silent}
    counted = Counter(rule for _, rule in told)
    only = {one.id for one in contract.rules} - {one.id for one in contract.rules if one.kind not in DEADLINES}
    expected = json.loads((reference / "inputs" / folder / "expected.json").read_text("utf-8"))["records"]
    wanted = {(row["id"], one["rule"]) for row in expected for one in row["findings"] if one["rule"] in only}

    assert counted == told_by(contract, rows)
    assert {rule: count for rule, count in counted.items() if rule in only} == Counter(rule for _, rule in wanted)


def test_what_is_open_in_the_folders(reference: Path, tmp_path: Path) -> None:
    """Work activity awaits a year's evaluation, a review the next one; a coaching that ended early awaits nothing."""
    gateway = installation(tmp_path / "data")
    for folder in ("helsinki", "laatukriteerit"):
        source, name, _ = FOLDERS[folder]
        taken(gateway, reference / "inputs" / folder, source, name)
    found = clocks(gateway, date(2025, 12, 2), frozenset({ClockState.OPEN, ClockState.BREACHED}))
    gateway.close()

    assert [(one["client"] or one["record"]["id"], one["rule"], one["due"], one["state"]) for one in found] == [
        ("LK-2022-VL", "LAA-04", "2023-05-28", "breached"),
        ("HT-3", "HEL-05", "2025-11-14", "breached"),
        ("HV-2", "HEL-12", "2025-11-30", "breached"),
        ("HT-1", "HEL-05", "2026-02-28", "open"),
        ("HT-2", "HEL-05", "2026-08-31", "open"),
        ("LK-2025-01", "LAA-04", "2026-11-19", "open"),
    ]


@pytest.mark.parametrize("folder", ["lapha", "heinola"])
def test_deliveries_of_the_folders_are_complete(folder: str, reference: Path, tmp_path: Path) -> None:
    """Every week of the folders' clients has its days: what is lacking is told by clocks only."""
    source, name, as_of = FOLDERS[folder]
    gateway = installation(tmp_path / "data")
    taken(gateway, reference / "inputs" / folder, source, name)
    told = gateway.office.completeness(gateway.actor(None, None, None), Asked(as_of, "fi"))
    gateway.close()

    assert told["completeness"] == []
    assert told["periods"]["judged"] >= 4
    assert told["periods"]["unknown"] == 0


def test_where_nothing_tells_how_often_it_is_said(reference: Path, tmp_path: Path) -> None:
    """A joint service has no days that could be expected: nothing lacks, and no period is said to be whole."""
    source, name, as_of = FOLDERS["paijat-hame"]
    gateway = installation(tmp_path / "data")
    taken(gateway, reference / "inputs" / "paijat-hame", source, name)
    told = gateway.office.completeness(gateway.actor(None, None, None), Asked(as_of, "fi"))
    gateway.close()

    assert told["completeness"] == []
    assert told["periods"]["unknown"] == told["periods"]["judged"] > 0
