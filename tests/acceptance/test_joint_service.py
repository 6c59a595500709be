"""A Bundle of a joint service from file to archived documents: whose each document is, and what waits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.processes import Archive, Cli

pytestmark = pytest.mark.process
COACH, COUNTY = "ValmennusLehto Oy", "Kehitysympäristön hyvinvointialue"
WORKSHOP = "Orimattilan työpaja, kuntouttava työtoiminta"


def text(words: str) -> dict[str, str]:
    """A narrative."""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'}


def person(key: str, given: str, title: str, organisation: str) -> list[dict[str, Any]]:
    """A worker and the worker's role."""
    return [
        {"resourceType": "Practitioner", "id": key, "name": [{"family": "Esimerkki", "given": [given]}]},
        {"resourceType": "PractitionerRole", "id": f"{key}-role", "practitioner": {"reference": f"Practitioner/{key}"},
         "organization": {"reference": f"Organization/{organisation}"}, "code": [{"text": title}]},
    ]  # fmt: skip


def encounter(key: str, day: str, producer: str, author: str, status: str = "finished") -> dict[str, Any]:
    """A contact."""
    return {
        "resourceType": "Encounter", "id": key, "status": status, "subject": {"reference": "Patient/a1"},
        "class": {"code": "AMB"}, "type": [{"text": "Tapaaminen"}],
        "period": {"start": f"{day}T10:00:00+03:00", "end": f"{day}T11:00:00+03:00"},
        "participant": [{"individual": {"reference": f"PractitionerRole/{author}-role"}}],
        "serviceProvider": {"reference": f"Organization/{producer}"}, "text": text(f"Käynti {key} sujui sovitusti."),
    }  # fmt: skip


def plan(key: str, category: str, author: str, **more: Any) -> dict[str, Any]:
    """A plan of the authority or of the provider."""
    return {
        "resourceType": "CarePlan", "id": key, "status": "active", "intent": "plan", "category": [{"text": category}],
        "subject": {"reference": "Patient/a1"}, "period": {"start": "2022-09-05", "end": "2022-11-30"},
        "created": "2022-09-01", "author": {"reference": f"PractitionerRole/{author}-role"},
        "description": "Tavoitteena löytää oma ala ja työkokeilupaikka.", **more,
    }  # fmt: skip


RESOURCES: list[dict[str, Any]] = [
    encounter("early", "2022-09-02", "coach", "coach"),
    encounter("met", "2022-09-20", "coach", "coach"),
    encounter("missed", "2022-09-27", "coach", "coach", "cancelled"),
    encounter("late", "2022-12-02", "coach", "coach"),
    plan("own", "Toteuttamissuunnitelma", "shop", contributor=[{"reference": "PractitionerRole/coach-role"}]),
    plan("act", "Aktivointisuunnitelma", "shop"),
    {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "F41.2"}},
    {"resourceType": "Patient", "id": "a1", "name": [{"family": "Esimerkki", "given": ["Aino"]}],
     "identifier": [{"system": "urn:oid:1.2.246.21", "value": "010594Y9032"}]},
    {"resourceType": "Organization", "id": "coach", "name": COACH},
    {"resourceType": "Organization", "id": "shop", "name": WORKSHOP},
    *person("coach", "Nina", "työhönvalmentaja", "coach"),
    *person("shop", "Tero", "sosiaaliohjaaja", "shop"),
]  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str], Any]:
    """What the import told, the documents that were archived, and the figures."""
    folder = tmp_path_factory.mktemp("joint")
    archive = Archive(folder)
    cli = Cli(folder / "data", KANTA_ARCHIVE_URL=archive.url)
    bundle = folder / "bundle.json"
    entries = [{"resource": one} for one in RESOURCES]
    bundle.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}), "utf-8")
    try:
        told = cli("import", bundle, "--source", "fhir-bundle", "--purchaser", "paijat-hame", "--json")
        assert told.returncode == 3, told.stderr
        assert cli("deliver", "--until-empty").returncode == 0
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
    """The coach's documents name the provider; the county's workshop makes the county's own."""
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
