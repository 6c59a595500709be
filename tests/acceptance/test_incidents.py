"""Incidents are known to the gateway, about nobody by name, and in no archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.test_every_kind import World

from kanta_gateway.errors import RecordInvalidError

INCIDENT = {
    "type": "incident", "id": "V-1", "occurred_on": "2025-10-07", "kind": "near_miss",
    "description": "Kuorma kaatui hyllystä.", "purchaser_told_on": "2025-10-07",
}  # fmt: skip


def told(folder: Path, **other: Any) -> dict[str, Any]:
    """What the gateway answers to an incident."""
    world = World(folder)
    try:
        return world.post({**INCIDENT, **other})
    finally:
        world.gateway.close()


def test_never_a_document(tmp_path: Path) -> None:
    """An incident is a reference record and makes no document, with clients or without."""
    answer = told(tmp_path, clients=["0123456789abcdef" * 4])

    assert (answer["outcome"], answer["documents"]) == ("reference", [])


@pytest.mark.parametrize("client", ["KT", "010190-999C", "Sampo Rautiola"])
def test_client_by_the_gateways_id_only(tmp_path: Path, client: str) -> None:
    """A client's number, identity code or name in an incident is refused, and nothing is stored."""
    with pytest.raises(RecordInvalidError):
        told(tmp_path, clients=[client])
