"""Faulty exports through the whole import: each fault brings the finding it must, and nothing else is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.faulty import SECRET, Fault, faults
from tests.installations import LINES, SAMPLE, installation, outcomes, sample, take, written

from kanta_gateway.errors import UnreadableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.messages import LANGUAGES

SEED = 20261124
FAULTS = {one.name: one for one in faults(SEED)}


WHOLE = frozenset({"LAP-18", "SRC-IDENTITY-CODE"})
"""Faults that concern a whole delivery or client, and with it all its records."""


def register(gateway: Gateway) -> None:
    """Register the sample's contract by hand."""
    header = sample()
    provider, purchaser = header["palveluntuottaja"], header["tilaaja"]
    gateway.registration.register_party(
        provider["oid"], provider["nimi"], purchaser["oid"], purchaser["nimi"], purchaser["sopimusnumero"], "lapha"
    )


@pytest.mark.parametrize("value", [f"{SECRET}\x01", [SECRET], {SECRET: 1}])
def test_unreadable_value_is_no_repeat(tmp_path: Path, value: Any) -> None:
    """A record delivered again with a value that cannot be read is no repeat of the one without it, and told."""
    export = sample()
    entry = export["asiakkaat"][0]["valmennuspaivakirja"][0]
    entry.pop("vapaaMerkinta", None)
    gateway = installation(tmp_path / "data")
    take(gateway, written(tmp_path / "first", export))
    entry["vapaaMerkinta"] = value
    rows = [take(gateway, written(tmp_path / str(number), export)) for number in range(2)]
    gateway.close()
    told = [next(row for row in one if row["id"] == entry["kirjausId"]) for one in rows]

    assert [row["outcome"] for row in told] == ["refused", "duplicate"]
    assert {"GEN-01"} < {one["rule"] for one in told[0]["findings"]}
    assert SECRET not in str(told)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Any]:
    """Outcomes of the sample without a fault."""
    gateway = installation(tmp_path_factory.mktemp("undisturbed"))
    result = outcomes(take(gateway, [SAMPLE]))
    gateway.close()
    return result


def imported(gateway: Gateway, folder: Path, fault: Fault) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and findings on the delivery."""
    path = folder / "export.json"
    path.write_bytes(fault.data)
    result = gateway.deliveries.import_files([path], "lapha-json", "lapha", gateway.actor(None, None, None))
    return list(result.rows()), result.findings


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_fault_is_found(tmp_path: Path, undisturbed: dict[Any, Any], name: str) -> None:
    """The fault's own finding is told where it must be; every other record stands as it would without the fault."""
    fault = FAULTS[name]
    gateway = installation(tmp_path / "data")
    if fault.stage == "file":
        with pytest.raises(UnreadableError) as refused:
            imported(gateway, tmp_path, fault)
        assert [one.rule for one in refused.value.findings] == [fault.rule]
        assert SECRET not in str(refused.value)
        assert gateway.overview.status()["records"] == {}
        return
    if fault.rule == "LAP-18":
        register(gateway)  # a first delivery would register its own contract; another number is unknown only then
    rows, findings = imported(gateway, tmp_path, fault)
    told = findings + [one for row in rows for one in row["findings"]]

    assert fault.rule in {one["rule"] for one in told}
    assert SECRET not in str(told)
    if fault.rule not in WHOLE:
        others = {key: value for key, value in outcomes(rows).items() if value != undisturbed.get(key)}
        assert len(others) <= 12, sorted(others)


def test_contract_that_is_not_known(tmp_path: Path) -> None:
    """Records under a contract number that is not the registered one are refused, and no document is made."""
    gateway = installation(tmp_path / "data")
    register(gateway)
    fault = next(one for one in FAULTS.values() if one.rule == "LAP-18")
    rows, _ = imported(gateway, tmp_path, fault)

    assert {row["outcome"] for row in rows} <= {
        "refused",
        "reference",
        "cancelled",
        "cancellation",
        "duplicate",
        "replaced",
    }
    assert gateway.overview.status()["documents"] == {}


def test_texts_in_three_languages(tmp_path: Path) -> None:
    """Every finding that a fault brings has its text in Finnish, Swedish and English, and no parameter is left open."""
    gateway = installation(tmp_path / "data")
    kinds: set[str] = set()
    for fault in FAULTS.values():
        if fault.stage == "reading" and not fault.name.startswith("ten-mega"):
            rows, findings = imported(gateway, tmp_path, fault)
            kinds |= {one["kind"] for one in findings} | {one["kind"] for row in rows for one in row["findings"]}
    texts = [gateway.parts.messages.text(kind, language) for kind in kinds for language in LANGUAGES]

    assert len(kinds) > 8
    assert all(texts)
    assert all(kind in gateway.parts.messages for kind in kinds)


def test_findings_on_a_delivery_can_be_had_back(tmp_path: Path) -> None:
    """What was found on a delivery as a whole, unreadable lines included, is told again when it is asked for."""
    gateway = installation(tmp_path / "data")
    lines = LINES.read_bytes() + b"\n{broken\n"
    (tmp_path / "lines.jsonl").write_bytes(lines)
    result = gateway.deliveries.import_files(
        [tmp_path / "lines.jsonl"], "lapha-lines", "lapha", gateway.actor(None, None, None)
    )
    told = [one["rule"] for one in result.findings]

    assert "SRC-JSON" in told
    assert [one["rule"] for one in gateway.desk.delivery(result.id, "en").findings] == told
