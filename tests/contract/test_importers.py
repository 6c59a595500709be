"""Several importers on one database: nothing is taken twice, nothing is lost."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from tests.installations import SAMPLE, documents, installation, take

from kanta_gateway.app import build
from kanta_gateway.gateway import Gateway
from kanta_gateway.settings import Settings


def test_importers_at_once(database_url: str, tmp_path: Path) -> None:
    """Three importers of the same export at once make each document once; the log holds."""
    alone = installation(tmp_path / "alone")
    take(alone, [SAMPLE])
    expected = documents(alone)
    alone.close()
    folder = tmp_path / "data"
    build(at(folder, database_url)).close()
    gateways = [build(at(folder, database_url)) for _ in range(3)]
    failed: list[BaseException] = []

    def run(gateway: Gateway) -> None:
        try:
            take(gateway, [SAMPLE])
        except BaseException as error:  # noqa: BLE001 — told in the test's thread
            failed.append(error)

    threads = [threading.Thread(target=run, args=(gateway,)) for gateway in gateways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert failed == []
    assert documents(gateways[0]) == expected
    outcomes = Counter(gateways[0].overview.status()["records"])
    assert "received" not in outcomes
    assert gateways[0].trail.verify(reconcile=True)["holds"]
    for gateway in gateways:
        gateway.close()


def at(folder: Path, url: str) -> Settings:
    """Settings of one importer."""
    return Settings.from_environment({}, data=folder, database_url=url, signing_algorithm="p-256")
