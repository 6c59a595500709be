"""The table of faults: what goes wrong at which step. The end state is the same in every row.

End state: every document is kept exactly once in the archive's own store, in the same set of (record, version,
structure, version in its set) as in an undisturbed run; the gateway says *archived* with a receipt for each; nothing
is open or waits for judging; the log holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of the gateway and of the archive from outside."""

    received: int = 0
    """Records that were stored and not judged."""
    blocks: int = 0
    """Nodes under which document numbers were reserved: signing has begun or begins."""
    documents: int = 0
    sending: int = 0
    unknown: int = 0
    tried: int = 0
    """Documents that wait after an attempt."""
    settled: int = 0
    kept: int = 0
    """Documents in the archive's own store."""


SEEN = """SELECT
 (SELECT count(*) FROM record WHERE state = 'received'), (SELECT count(*) FROM oid_block),
 count(*), count(*) FILTER (WHERE state = 'sending'), count(*) FILTER (WHERE state = 'unknown'),
 count(*) FILTER (WHERE state = 'queued' AND attempts > 0), count(*) FILTER (WHERE state = 'archived') FROM document"""


def look(data: Path, store: Path) -> Sight:
    """Look at both databases without touching them."""
    seen = _row(data / "gateway.db", SEEN) or (0,) * 7
    return Sight(*seen, *(_row(store / "archive.sqlite", "SELECT count(*) FROM kept") or (0,)))


def _row(path: Path, query: str) -> tuple[int, ...] | None:
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
    except sqlite3.OperationalError:
        return None
    try:
        row: tuple[int, ...] | None = connection.execute(query).fetchone()
    except sqlite3.OperationalError:  # not made yet
        return None
    finally:
        connection.close()
    return row


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    told: str
    step: str
    """`import` or `deliver`: the command that is disturbed."""
    faults: tuple[str, ...] = ()
    """Of the archive that the disturbed command talks to."""
    moment: Callable[[Sight], bool] | None = None
    """When to act; None: the command runs to its end against the faulty archive."""
    kills: tuple[str, ...] = ("command",)
    """What is ended with kill -9 at that moment: `command`, `archive`."""
    has_archive: bool = True
    """False: something listens and never answers, so that nothing arrives."""
    is_repeated: bool = False
    """Whether the provider delivers its file again."""
    heals: bool = True
    """Afterwards the archive is started again on its store, without faults, and the command run again."""


def _received(seen: Sight) -> bool:
    return seen.received > 0 and seen.documents == 0


def _signing(seen: Sight) -> bool:
    return seen.blocks > 0 and seen.documents == 0


def _between(seen: Sight) -> bool:
    return seen.documents > 0 and seen.received > 0


def _leased(seen: Sight) -> bool:
    return seen.sending > 0


def _kept(seen: Sight) -> bool:
    return seen.kept > seen.settled


def _tried(seen: Sight) -> bool:
    return seen.tried > 0


def _unsure(seen: Sight) -> bool:
    return seen.unknown > 0


ROWS = (
    Row("importer killed between receiving and judging", "import", moment=_received),
    Row("importer killed while signing", "import", moment=_signing),
    Row("importer killed between two clients", "import", moment=_between, is_repeated=True),
    Row("worker killed after the lease, before anything arrived", "deliver", moment=_leased, has_archive=False),
    Row("worker killed after the archive kept it, before the answer", "deliver", ("late",), _kept),
    Row("worker killed with answers, before it settled", "deliver", ("slow",), _kept),
    Row("worker killed with lost answers", "deliver", ("slow", "lossy"), _kept),
    Row("worker killed with double answers", "deliver", ("slow", "double"), _kept),
    Row("worker killed with garbage receipts", "deliver", ("slow", "wrong"), _kept),
    Row("worker killed while it was unsure", "deliver", ("lossy",), _unsure),
    Row("worker killed while the archive was down", "deliver", ("down",), _tried),
    Row("archive killed and restarted on its store", "deliver", ("slow",), _kept, kills=("archive",)),
    Row("archive and worker killed", "deliver", ("slow",), _kept, kills=("archive", "command")),
    Row("down, then back", "deliver", ("down",), _tried, kills=("archive",)),
    Row("every message fails with 500, then back", "deliver", ("error-5xx",), _unsure, kills=("archive",)),
    Row("every answer lost", "deliver", ("lossy",), heals=False),
    Row("every answer late", "deliver", ("late",), heals=False),
    Row("every message handled twice", "deliver", ("double",), heals=False),
    Row("every answer slow", "deliver", ("slow",), heals=False),
    Row("every answer garbage", "deliver", ("wrong",), heals=False),
    Row("every answer the receipt of another document", "deliver", ("other",), heals=False),
    Row(
        "a storm of all", "deliver",
        ("lossy=0.2", "error-5xx=0.1", "wrong=0.1", "other=0.1", "double=0.2", "down=0.1", "slow=0.2"), _kept,
    ),
)  # fmt: skip
