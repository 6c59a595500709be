"""What came in a package is told by the log that came with it: which events need no entry of this log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from kanta_gateway.audit import report
from kanta_gateway.model import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.audit.seals import Seals


def told_before(tx: Connection, seals: Seals) -> dict[str, frozenset[str]]:
    """What packages brought -> events that are told by the log which they brought too, kept apart."""
    wanted = report.Filter(events=frozenset({Event.HANDOVER_IMPORT}))
    entries = (orjson.loads(body) for _, body in report.every(tx, seals, wanted))
    return {one["subject"]: frozenset(one["details"].get("told", ())) for one in entries}
