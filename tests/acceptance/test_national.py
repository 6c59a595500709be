"""The law through the whole gateway: records are judged by it, its figures are told apart, and `check` names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from tests.installations import installation

from kanta_gateway.gateway import Gateway

CLIENT = "N-1"
NAME = {"surname": "Esimerkki", "given_names": "Eeva"}
OWN = {"client": CLIENT, "recorder": "E1", "recorder_name": NAME}


def day(number: int, **content: Any) -> dict[str, Any]:
    """One entry of September 2025."""
    return {
        "type": "diary_entry", "id": f"D-{number}", "date": f"2025-09-{number:02d}", "hours": 5, "tasks": "Klapit.",
        "performance": "Sujui.", "skills": "Karttuivat.", **OWN, **content,
    }  # fmt: skip


def away(number: int, **content: Any) -> dict[str, Any]:
    """One absence of September 2025."""
    return {"type": "absence", "id": f"A-{number}", "date": f"2025-09-{number:02d}", "reason": "x", "permitted": True,
            "payer_told_on": "2025-09-30", **OWN, **content}  # fmt: skip


RECORDS: list[dict[str, Any]] = [
    {"type": "client", "id": CLIENT, "surname": "Esimerkki", "given_names": "Aino", "identity_code": "010594Y9032",
     "non_disclosure": False},
    {"type": "decision", "id": "P-1", "client": CLIENT, "service": "Kuntouttava työtoiminta", "product_number": 1,
     "starts_on": "2025-09-01", "ends_on": "2025-10-31", "days_per_week": 3, "hours_per_day": 6,
     "authority_plan": "aktivointisuunnitelma", "occupation": "student"},
    *(day(number) for number in (1, 2, 3, 4, 5, 8, 9)),
    away(15, reason_category="other"), away(16, reason_category="employment_reason"), away(22),
]  # fmt: skip


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A provider of the Lapland contract, with a month of one client."""
    folder = tmp_path_factory.mktemp("national")
    made = installation(folder / "data")
    made.registration.register_party(
        "1.2.246.10.90000010.10.0", "Esimerkkipaja ry", "1.2.246.10.90000029.10.0", "Esimerkkialue", "S-1", "lapha"
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def rows(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str]]]:
    """Rule and severity of what contract and law found, by record."""
    export = tmp_path_factory.mktemp("records") / "month.jsonl"
    export.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in RECORDS), "utf-8")
    actor = gateway.actor(None, None, None)
    result = gateway.deliveries.import_files([export], "json-lines", "lapha", actor, as_of=date(2025, 10, 1))
    return {
        row["id"]: [
            (one["rule"], one["severity"]) for one in row["findings"] if one["rule"].startswith(("LAP", "KT", "AB"))
        ]
        for row in result.rows()
    }


def test_records_are_judged_by_the_law_too(rows: dict[str, list[tuple[str, str]]]) -> None:
    """Where Lapland's contract is silent the law speaks, and what the contract tells is told once."""
    assert {("KT-01", "info"), ("KT-16", "info")} <= set(rows["P-1"])
    assert [("LAP-24", "flag")] == rows["D-4"]
    assert [("LAP-03", "flag"), ("LAP-24", "flag")] == sorted(rows["D-5"])
    assert [("AB-02", "info"), ("LAP-12", "flag")] == sorted(rows["A-15"])
    assert "AB-07" not in {rule for found in rows.values() for rule, _ in found}


def test_figures_of_the_law_stand_apart(gateway: Gateway, rows: dict[str, list[tuple[str, str]]]) -> None:
    """The contract's figures keep their names; those of the law have their own question, with records and clause."""
    actor = gateway.actor(None, None, None)
    own = gateway.office.figures(actor, CLIENT, None, explain=False)["figures"][CLIENT]
    told = gateway.office.figures(actor, CLIENT, None, explain=True, national=True)

    law = told["national"][CLIENT]

    assert rows
    assert {"national"} == set(told)
    assert set(own).isdisjoint(law)
    assert {
        "value": 7,
        "records": ["D-1", "D-2", "D-3", "D-4", "D-5", "D-8", "D-9"],
        "clause": "189/2001 §14.1",
    } == law["days_in_12_months"]
    assert [5, 45, 1, 1, 1] == [law[name]["value"] for name in (
        "expense_allowance_days", "expense_allowance_eur", "absence_workdays_payable", "absence_workdays_not_payable",
        "absence_workdays_undetermined",
    )]  # fmt: skip


def test_check_tells_where_the_law_is_judged(gateway: Gateway) -> None:
    """An operator sees which rules of the law each contract covers, inherits or gives to somebody else."""
    told = gateway.checkup.lacking()["law"]

    assert {"heinola", "helsinki", "lapha", "paijat-hame"} == set(told)
    assert ["LAP-12"] == told["lapha"]["covered"]["AB-07"]
    assert {"KT-04", "AB-02"} <= set(told["lapha"]["inherited"])
    assert ["AB-07"] == told["heinola"]["elsewhere"]
