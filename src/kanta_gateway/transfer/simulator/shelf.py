"""What the simulated archive has kept: one SQLite file, on disk before anything is acknowledged."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from kanta_gateway.transfer.simulator.checks import Checked

TABLE = """
CREATE TABLE IF NOT EXISTS kept (
  number INTEGER PRIMARY KEY, oid TEXT NOT NULL UNIQUE, set_oid TEXT NOT NULL, version INTEGER NOT NULL,
  structure TEXT NOT NULL, state TEXT NOT NULL, digest TEXT NOT NULL, received INTEGER NOT NULL,
  frame BLOB NOT NULL, document BLOB NOT NULL, UNIQUE (set_oid, version))
"""

NOTICES = """
CREATE TABLE IF NOT EXISTS told (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, received INTEGER NOT NULL,
  content BLOB NOT NULL)
"""


class Shelf:
    """Keeps messages.

    Args:
        folder: where; in memory if None.
    """

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        place = str(folder / "archive.sqlite") if folder is not None else ":memory:"
        self._connection = sqlite3.connect(place, check_same_thread=False, isolation_level=None)
        self._lock = threading.Lock()
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", TABLE, NOTICES):
            self._connection.execute(statement)

    def keep(self, one: Checked, frame: bytes, document: bytes) -> tuple[str, tuple[str, ...]]:
        """Keep a message that passed the checks; the acknowledgement code and its details.

        The same bytes again are accepted and told as known; other bytes under the same OID,
        and a version that does not follow its predecessor, are refused.
        """
        with self._lock:
            known = self.find(one.oid)
            if known is not None:
                if known["digest"] != one.digest:
                    return "AR", ("OTHER-CONTENT",)
                self._connection.execute("UPDATE kept SET received = received + 1 WHERE oid = ?", (one.oid,))
                return "AA", ("ALREADY",)
            if not self._follows(one):
                return "AR", ("VERSION",)
            self._connection.execute(
                "INSERT INTO kept (oid, set_oid, version, structure, state, digest, received, frame, document)"
                " VALUES (?, ?, ?, ?, 'archived', ?, 1, ?, ?)",
                (one.oid, one.set_oid, one.version, one.structure, one.digest, frame, document),
            )
        return "AA", ()

    def _follows(self, one: Checked) -> bool:
        """A first version begins its set; every other names the newest version and has the next number."""
        query = "SELECT oid, version FROM kept WHERE set_oid = ? ORDER BY version DESC LIMIT 1"
        newest = self._connection.execute(query, (one.set_oid,)).fetchone()
        if newest is None:
            return one.version == 1 and one.set_oid == one.oid and one.replaces is None
        return (one.replaces, one.version) == (newest[0], newest[1] + 1)

    def find(self, oid: str) -> dict[str, Any] | None:
        """What is kept under one OID, without its content."""
        return next(iter(self._rows("WHERE oid = ?", oid)), None)

    def invalidate(self, oid: str) -> bool:
        """Mark one document invalid; True also when it was already."""
        with self._lock:
            changed = self._connection.execute("UPDATE kept SET state = 'invalidated' WHERE oid = ?", (oid,))
            return changed.rowcount == 1

    def contents(self) -> list[dict[str, Any]]:
        """Everything kept, in the order of arrival."""
        return self._rows("")

    def keep_notice(self, id_: str, digest: str, content: bytes) -> str:
        """Keep a disclosure notice: `new`, `known` for the same bytes again, `other` for other bytes under its id."""
        with self._lock:
            known = self._connection.execute("SELECT digest FROM told WHERE id = ?", (id_,)).fetchone()
            if known is not None and known[0] != digest:
                return "other"
            if known is not None:
                self._connection.execute("UPDATE told SET received = received + 1 WHERE id = ?", (id_,))
                return "known"
            self._connection.execute(
                "INSERT INTO told (id, digest, received, content) VALUES (?, ?, 1, ?)", (id_, digest, content)
            )
        return "new"

    def notices(self) -> list[dict[str, Any]]:
        """Every disclosure notice, in the order of arrival, with its content."""
        query = "SELECT id, digest, received, content FROM told ORDER BY number"
        names = ("id", "digest", "received", "content")
        return [dict(zip(names, row, strict=True)) for row in self._connection.execute(query)]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, where: str, *values: str) -> list[dict[str, Any]]:
        names = ("oid", "set_oid", "version", "structure", "state", "digest", "received")
        query = f"SELECT {', '.join(names)} FROM kept {where} ORDER BY number"  # noqa: S608 — our own constants
        return [dict(zip(names, row, strict=True)) for row in self._connection.execute(query, values)]
