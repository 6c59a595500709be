"""The samples that go with the package, taken in under their contract: what is found in each is known and explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.installations import installation

from kanta_gateway import knowledge

ON_PURPOSE = {
    ("PO-A1-2", "LAP-12"), ("PV-0027", "LAP-11"), ("PV-0039", "LAP-08")
}  # fmt: skip
"""What `make demo` shows: an absence nobody told of, a day attended and away, and one outside its decision."""
SAMPLES = {
    "fhir-bundle": ("paijat-hame", set()),
    "heinola-csv": ("heinola", set()),
    "helsinki-xlsx": ("helsinki", set()),
    "json-lines": ("lapha", {("A-1", "LAP-12")}),  # the payer was not told of the absence
    "lapha-json": ("lapha", ON_PURPOSE),
    "lapha-lines": ("lapha", ON_PURPOSE),
    "quality-review": ("quality-criteria", set()),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_is_taken_in(name: str, tmp_path: Path) -> None:
    """Every record of a sample stands, but for what it shows on purpose."""
    contract, explained = SAMPLES[name]
    files = []
    for path, content in knowledge.of_source(name).items():
        if path.startswith("samples/"):
            files.append(tmp_path / Path(path).name)
            files[-1].write_bytes(content)
    gateway = installation(tmp_path / "data")
    with gateway.deliveries.dry_import(files, name, contract, gateway.actor(None, None, None)) as result:
        found = {
            (row["id"], one["rule"]) for row in result.rows() for one in row["findings"] if one["severity"] != "info"
        }
        grave = [one["rule"] for one in result.findings if one["severity"] != "info"]
        count = result.totals.records
    gateway.close()

    assert explained == found
    assert grave == []
    assert count > 3


def test_every_source_has_its_sample_here() -> None:
    """No format is left out."""
    assert sorted(SAMPLES) == sorted(knowledge.texts("mappings/sources"))
