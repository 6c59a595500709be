"""Attempts without a valid assertion: written down, and never more than a few a minute.

* Who tried is not known: the entry tells what was asked and which check failed, nothing of the assertion.
* A stranger must not fill the log: of each reason there is one entry a minute, which tells how many there were before.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kanta_gateway.model import Caller, Event, Oid

if TYPE_CHECKING:
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

AGAIN = timedelta(minutes=1)
ASKED = "authenticate"
STRANGER = Caller("unknown", Oid(""), "", "", "", "")


class Strangers:
    """Counts refused assertions, and writes them down."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self._lock = threading.Lock()
        self._told: dict[str, tuple[datetime, int]] = {}

    def refused(self, reason: str) -> None:
        """Write a refused assertion down, unless one with the same reason was written down just now.

        Args:
            reason: which check failed; one of a closed set of texts.
        """
        now = self._parts.now()
        with self._lock:
            last, untold = self._told.get(reason, (None, 0))
            if last is not None and timedelta(0) <= now - last < AGAIN:
                self._told[reason] = (last, untold + 1)
                return
            self._told[reason] = (now, 0)
        with self._parts.database.transaction() as tx:
            self._office.note(tx, [self._office.event(
                STRANGER, Event.REQUEST_DENY, subject=ASKED, provider="",
                details={"asked": ASKED, "reasons": [reason], "untold": untold},
            )])  # fmt: skip
