"""Development installations in this process, and what they hold, in a form that can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.documents_read import structured

from kanta_gateway.app import build
from kanta_gateway.gateway import Gateway
from kanta_gateway.pipeline.office import content_of
from kanta_gateway.safe import KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.spool import records, store
from kanta_gateway.spool.states import State

SAMPLE = Path(__file__).resolve().parent / "data" / "lapha-small.json"
LINES = SAMPLE.with_suffix(".jsonl")


def installation(folder: Path, **settings: Any) -> Gateway:
    """A fresh development installation that signs with P-256, since that is quick."""
    return build(Settings.from_environment({}, data=folder, signing_algorithm="p-256", lang="en", **settings))


def at(gateway: Gateway, clock: Callable[[], datetime]) -> Gateway:
    """The same installation by another clock."""
    object.__setattr__(gateway.parts, "clock", clock)
    return gateway


def key_folder(gateway: Gateway) -> KeyFolder:
    """Its key folder."""
    return KeyFolder(gateway.settings.key_folder, may_make=True)


def sample() -> dict[str, Any]:
    """Our own small export."""
    value: dict[str, Any] = json.loads(SAMPLE.read_text("utf-8"))
    return value


def written(folder: Path, *exports: Any) -> list[Path]:
    """Exports as files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"export-{number}.json" for number, _ in enumerate(exports)]
    for path, export in zip(paths, exports, strict=True):
        path.write_text(json.dumps(export, ensure_ascii=False), "utf-8")
    return paths


def take(gateway: Gateway, files: Sequence[Path], source: str = "lapha-json") -> list[dict[str, Any]]:
    """Import files; the rows of the result."""
    return list(gateway.deliveries.import_files(files, source, "lapha", gateway.actor(None, None, None)).rows())


def documents(gateway: Gateway) -> dict[tuple[str, int, str], Any]:
    """What waits to be sent: (record id, version, structure) -> JSON of the document."""
    found: dict[tuple[str, int, str], Any] = {}
    with gateway.parts.database.reading() as tx:
        for one in store.listed(tx, limit=100_000):
            if one.state is State.WITHDRAWN:
                continue
            whole = store.get(tx, one.oid)
            assert whole is not None
            record = records.by_rows(tx, [one.record_row])[0]
            key = (record.id, record.version, one.structure)
            assert key not in found, "two live documents of one record and structure"
            found[key] = structured(content_of(gateway.parts, whole))
    return found


def outcomes(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str, int], Any]:
    """(type, id, version) -> outcome and rules, duplicates left out."""
    return {
        (row["type"], row["id"], row["version"]): (row["outcome"], sorted({one["rule"] for one in row["findings"]}))
        for row in rows
        if row["outcome"] != "duplicate"
    }


def figures(gateway: Gateway) -> Any:
    """Every figure."""
    return gateway.office.figures(gateway.actor(None, None, None), None, None, explain=False)["figures"]
