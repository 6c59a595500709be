"""Tests that a backup can be restored: opens a copy in a temporary folder, verifies its log, and leaves an entry.

1. A copy of the database, or of a backup file, is put into a temporary folder and brought to the present tables.
2. Its log is verified as a whole, must be the beginning of the present one, and is matched with what it stores.
3. The newest contents of the copy are opened with the installation's keys, and nothing of them is kept; what was
   destroyed since the backup was made stays destroyed and is no fault.
4. The figures are an entry of the present log, so that the test itself is evidence (GDPR 32(1)(c), (d)).

The temporary folder is gone afterwards, whatever happens.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from kanta_gateway.audit import merkle, proofs
from kanta_gateway.audit.verify import verify
from kanta_gateway.database import Database
from kanta_gateway.errors import GatewayError, MisconfiguredError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.reconciling import reconciled
from kanta_gateway.spool import records
from kanta_gateway.tables import document, notice, record

if TYPE_CHECKING:
    from sqlalchemy import Connection

SAMPLE = 20
"""Contents of the copy that are opened: enough to see that its keys are there."""


class Restorer:
    """Tries out that a backup can be restored.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        vkey: the verifier keys of the log.
        upgrade: brings a database to the present tables.
    """

    def __init__(
        self, parts: Parts, office: Office, vkey: Callable[[], str], upgrade: Callable[[Database], None]
    ) -> None:
        self._parts = parts
        self._office = office
        self._vkey = vkey
        self._upgrade = upgrade

    def verify(self, caller: Caller, file: Path | None = None) -> dict[str, Any]:
        """Restore a copy and verify it; the figures, which are an entry as well.

        Args:
            caller: who tests.
            file: a backup; a copy of the present database by default.

        Raises:
            MisconfiguredError: the database is no file, so that its own tools must restore it.
        """
        decision = self._office.permit(caller, Event.BACKUP_VERIFY, provider=None)
        began = perf_counter()
        with TemporaryDirectory(prefix="kanta-restore-") as folder:
            copy = Path(folder) / "restored.sqlite"
            self._copy(file, copy)
            with copy.open("rb") as content:
                digest = file_digest(content, "sha256").hexdigest()
            told = {"source": "file" if file else "copy", "sha256": digest, "bytes": copy.stat().st_size}
            told |= self._tried(copy)  # a test that fails is evidence too
        told["milliseconds"] = round((perf_counter() - began) * 1000)
        with self._parts.database.transaction() as tx:
            self._office.note(tx, [self._office.event(
                caller, Event.BACKUP_VERIFY, subject=f"backup:{digest[:16]}", provider="", details=told,
                decision=decision,
            )])  # fmt: skip
        return told

    def _copy(self, file: Path | None, target: Path) -> None:
        if file is not None:
            shutil.copyfile(file, target)
            return
        name = self._parts.database.engine.url.database
        if not self._parts.database.is_sqlite or not name:
            raise MisconfiguredError(
                "the database is no file: restore a dump with the database's own tools into an installation of its "
                "own, and run `kanta-gateway audit verify --reconcile` there"
            )
        with closing(sqlite3.connect(name)) as source, closing(sqlite3.connect(target)) as made:
            source.backup(made)

    def _tried(self, copy: Path) -> dict[str, Any]:
        restored = Database(f"sqlite:///{copy}")
        try:
            self._upgrade(restored)
            with restored.reading() as tx, self._parts.database.reading() as live:
                return self._figures(replace(self._parts, database=restored), tx, live)
        except (SQLAlchemyError, sqlite3.DatabaseError, CommandError, GatewayError):
            return {"holds": False, "problem": "no database of this gateway, or damaged, or of an older version"}
        finally:
            restored.close()

    def _figures(self, parts: Parts, tx: Connection, live: Connection) -> dict[str, Any]:
        seen = verify(tx, vkey=self._vkey(), heads=parts.log.heads, seals=parts.log.seals)
        # A key that was destroyed since the backup was made is no fault of the backup.
        unmatched = reconciled(tx, parts.log.seals, parts.keys.ids() | _keys_of_content(tx))
        now = proofs.size(live)
        is_beginning = 0 < seen.size <= now and merkle.root(seen.size, proofs.reader(live)) == seen.root
        rows = select(record.c.id).where(record.c.payload.is_not(None)).order_by(record.c.id.desc()).limit(SAMPLE)
        sample = list(tx.execute(rows).scalars())
        kept = [one.row for one in records.by_rows(live, sample) if one.payload is not None]
        failed = sum(not _opens(parts, one) for one in records.by_rows(tx, kept))
        return {
            "holds": seen.is_sound and not unmatched and is_beginning and not failed,
            "entries": seen.size, "behind": now - seen.size, "is_beginning": is_beginning,
            "problems": len(seen.problems), "unmatched": len(unmatched),
            "records": _count(tx, record), "documents": _count(tx, document), "opened": len(kept) - failed,
            "unopened": failed, "forgotten": len(sample) - len(kept),
        }  # fmt: skip


def _keys_of_content(tx: Connection) -> frozenset[int]:
    """Keys of everything that the copy still has content of."""
    tables = (record, document, notice)
    ids = (tx.execute(select(one.c.key_id).where(one.c.payload.is_not(None))).scalars() for one in tables)
    return frozenset(int(key) for found in ids for key in found if key is not None)


def _opens(parts: Parts, one: records.StoredRecord) -> bool:
    try:
        opened(parts, one)
    except GatewayError:
        return False
    return True


def _count(tx: Connection, table: Any) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())
