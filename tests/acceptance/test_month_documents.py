"""A month's document tells what the purchaser's rules do not accept, and follows them until it is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.installations import documents, installation

from kanta_gateway.gateway import Gateway
from kanta_gateway.spool import store

NAME = {"surname": "Esimerkki", "given_names": "Eeva"}
CLIENT = {
    "type": "client", "id": "HT-90", "surname": "Koepala", "given_names": "Kalle", "identity_code": "010190-900P",
    "non_disclosure": False,
}  # fmt: skip
DECISION = {
    "type": "decision", "id": "SP-90", "client": "HT-90", "service": "Työtoiminta 27 e §", "product_number": 1,
    "starts_on": "2025-03-01", "ends_on": "2025-09-12", "hours_per_day": 6, "days_per_week": 3,
}  # fmt: skip
MONTH = {
    "type": "attendance_month", "id": "09-2025:HT-90", "client": "HT-90", "month": "2025-09",
    "starts_on": "2025-09-01", "ends_on": "2025-09-30", "recorder": "Eeva Esimerkki", "recorder_name": NAME,
    "days": [{"date": "2025-09-10", "mark": "6"}, {"date": "2025-09-15", "mark": "6"}],
}  # fmt: skip
EVALUATION = {
    "type": "interim_evaluation", "id": "V-90", "client": "HV-90", "date": "2025-10-15", "assessment": "Sujuu.",
    "service": "Työvalmennus 27 d §",
}  # fmt: skip
COACHED = [
    {**CLIENT, "id": "HV-90", "identity_code": "010190-902S"},
    {"type": "coaching_agreement", "id": "S-90", "client": "HV-90", "service": "Työvalmennus 27 d §",
     "product_number": 1, "max_hours": 35, "starts_on": "2025-09-01", "ends_on": "2026-03-01"},
    {"type": "meeting", "id": "T-90", "client": "HV-90", "date": "2025-10-01", "hours": 2, "recorder": "Eeva Esimerkki",
     "recorder_name": NAME, "description": "Ohjausta.", "product_number": 1},
]  # fmt: skip


def taken(gateway: Gateway, path: Path, *records: dict[str, Any]) -> dict[str, str]:
    """Import canonical records; id -> outcome."""
    path.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    rows = gateway.deliveries.import_files([path], "json-lines", "helsinki", gateway.actor(None, None, None)).rows()
    return {row["id"]: row["outcome"] for row in rows}


def text(gateway: Gateway, record: str) -> str:
    """Everything in the one live document of a record."""
    (found,) = [
        json.dumps(one, ensure_ascii=False) for (name, _, _), one in documents(gateway).items() if name == record
    ]
    return found


def explained(gateway: Gateway) -> int:
    """How many live documents were composed again to the very same content."""
    with gateway.parts.database.reading() as tx:
        live = [one.oid for one in store.listed(tx, limit=1000) if one.state.value == "queued"]
    return len([gateway.documents.explain(oid, gateway.actor(None, None, None)) for oid in live])


def test_an_unsent_month_is_made_again_when_its_decision_changes(tmp_path: Path) -> None:
    """A day outside the decision is told as not accepted; a longer decision accepts it, and the document follows."""
    gateway = installation(tmp_path / "data")
    path = tmp_path / "records.jsonl"

    assert taken(gateway, path, CLIENT, DECISION, MONTH)["09-2025:HT-90"] == "flagged"
    assert "Kirjattu, ei hyväksytty: 15.9.2025" in text(gateway, "09-2025:HT-90")
    assert explained(gateway) == 1

    taken(gateway, path, {**DECISION, "version": 2, "ends_on": "2025-12-31"})
    assert "ei hyväksytty" not in text(gateway, "09-2025:HT-90")
    assert "15.9.2025: 6" in text(gateway, "09-2025:HT-90")
    assert explained(gateway) == 1
    gateway.close()


def test_an_unsent_evaluation_follows_the_coach_whose_name_it_carries(tmp_path: Path) -> None:
    """An evaluation names the coach of the latest meeting before it, and is made again when another comes between."""
    gateway = installation(tmp_path / "data")
    path = tmp_path / "records.jsonl"

    assert taken(gateway, path, *COACHED, EVALUATION)["V-90"] == "accepted"
    assert "Esimerkki" in text(gateway, "V-90")
    later = {**COACHED[2], "id": "T-91", "date": "2025-10-14", "recorder": "Ville Valmentaja",
             "recorder_name": {"surname": "Valmentaja", "given_names": "Ville"}}  # fmt: skip
    taken(gateway, path, later)
    assert "Valmentaja" in text(gateway, "V-90")
    assert "Esimerkki" not in text(gateway, "V-90")
    assert explained(gateway) == 3
    gateway.close()
