"""A Bundle of a joint service from file to archived documents: whose each document is, and what waits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.bundles import CLIENT, COACH, COUNTY, PARTIES, WORKSHOP, activation, encounter, implementation, written
from tests.processes import Archive, Cli, InProcess

pytestmark = pytest.mark.process

RESOURCES = [
    encounter("early", "2022-09-02"),
    encounter("met", "2022-09-20"),
    encounter("missed", "2022-09-27", status="cancelled"),
    encounter("late", "2022-12-02"),
    implementation(),
    activation(),
    {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "F41.2"}},
    CLIENT,
    *PARTIES,
]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str], Any]:
    """What the import told, the documents that were archived, and the figures."""
    folder = tmp_path_factory.mktemp("joint")
    archive = Archive(folder)
    cli, worker = (kind(folder / "data", KANTA_ARCHIVE_URL=archive.url) for kind in (InProcess, Cli))
    bundle = written(folder / "bundle.json", RESOURCES)
    try:
        told = cli("import", bundle, "--source", "fhir-bundle", "--purchaser", "paijat-hame", "--json")
        assert told.returncode == 3, told.stderr
        assert worker("deliver", "--until-empty").returncode == 0
        assert cli("documents", "export", folder / "documents").returncode == 0
        figures = json.loads(cli("figures", "--json").stdout)["figures"]
    finally:
        archive.stop()
    return json.loads(told.stdout), _texts(folder / "documents"), figures


def _texts(folder: Path) -> list[str]:
    return [one.read_text("utf-8") for one in sorted(folder.glob("*.xml"))]


def test_each_record_has_its_outcome(done: tuple[Any, list[str], Any]) -> None:
    """Before the period is flagged, after it held; what the gateway has no use for is told by its path."""
    told, _, _ = done
    found = {one["id"]: one["outcome"] for one in told["records"] if one["outcome"] != "reference"}

    assert found == {
        "Encounter/early": "flagged", "Encounter/met": "accepted", "Encounter/missed": "accepted",
        "Encounter/late": "held", "CarePlan/own": "accepted",
    }  # fmt: skip
    assert [("SRC-RESOURCE", "Bundle.entry[6].resource")] == [
        (one["rule"], one["pointer"]) for one in told["findings"] if one["rule"].startswith("SRC-RES")
    ]


def test_a_document_is_that_of_the_unit_which_recorded_it(done: tuple[Any, list[str], Any]) -> None:
    """The coach's documents name the provider; the county's workshop makes the county's own. [CTL-01]"""
    _, documents, _ = done
    names = [frozenset(re.findall(r"<name>([^<]+)</name>", one)) for one in documents]

    assert sorted(map(sorted, names)) == sorted([
        [COUNTY, WORKSHOP], *[sorted({COACH, COUNTY})] * 3,
    ])  # fmt: skip


def test_what_cannot_be_used_leaves_nothing_behind(done: tuple[Any, list[str], Any]) -> None:
    """A diagnosis that no path reads is in no document and in no result."""
    told, documents, _ = done

    assert "F41.2" not in json.dumps(told)
    assert not any("F41.2" in one for one in documents)


def test_figures_count_the_bundle(done: tuple[Any, list[str], Any]) -> None:
    """Contacts of any outcome are counted, and each delivered resource once."""
    _, _, figures = done

    assert figures["a1"]["encounters"] == 4
    assert figures["a1"]["outside_period"] == 1
    assert figures["RESOURCES"] == {
        "CarePlan": 2, "Encounter": 4, "Organization": 2, "Patient": 1, "Practitioner": 2, "PractitionerRole": 2,
    }  # fmt: skip
