"""What leaves the gateway: documents to the archive, notices to their recipients, disclosures to the log register.

A command sends what is due and ends; the worker goes on until it is told to stop, and destroys what is spent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.intake.desk import Desk
from kanta_gateway.model import Caller
from kanta_gateway.notices import calls
from kanta_gateway.notices.channels import Caller as Ways
from kanta_gateway.notices.channels import Channels
from kanta_gateway.outward import Outward
from kanta_gateway.pipeline.announce import Announcer
from kanta_gateway.pipeline.deliver import Deliverer
from kanta_gateway.pipeline.noticeboard import Board, write_out
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.reporting import Reporter
from kanta_gateway.settings import Settings
from kanta_gateway.spool import disclosures, store
from kanta_gateway.spool.worker import Result, stop_on_signals
from kanta_gateway.transfer.client import HttpArchiveClient
from kanta_gateway.transfer.frame import FrameProfile


class Dispatch:
    """What one installation sends."""

    def __init__(
        self, settings: Settings, parts: Parts, frame: FrameProfile, channels: Channels, desk: Desk, board: Board,
        chores: Sequence[Callable[[Caller], object]],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._parts = parts
        self._frame = frame
        self._channels = channels
        self._desk = desk
        self._board = board
        self._chores = chores
        """What the worker does besides in every round."""

    def close(self) -> None:
        """Give the connections to the archive back."""
        if "_archive" in vars(self):  # made on first use only
            self._archive.close()

    @cached_property
    def _archive(self) -> HttpArchiveClient:
        settings = self._settings
        if not settings.archive_url:
            raise MisconfiguredError("KANTA_ARCHIVE_URL names no archive; start `kanta-gateway simulate-archive`")
        return HttpArchiveClient(
            settings.archive_url, timeout_seconds=settings.archive_timeout_seconds,
            ca_file=settings.archive_ca_file or None,
            certificate_file=settings.archive_client_certificate_file or None,
            key_file=settings.archive_client_key_file or None,
            is_production=settings.is_production, log_register_url=settings.log_register_url,
        )  # fmt: skip

    def _deliverer(self, caller: Caller) -> Deliverer:
        return Deliverer(self._parts, self._archive, self._frame, caller, self._settings.lease_seconds)

    def _reporter(self, caller: Caller) -> Reporter:
        return Reporter(self._parts, self._archive, caller, self._settings.lease_seconds)

    def deliver(self, caller: Caller, *, until_empty: bool) -> dict[str, Any]:
        """Send what waits; how many were handled, and what is left."""
        self._desk.finish(caller)
        deliverer, stop = self._deliverer(caller), threading.Event()
        stop_on_signals(stop)
        done = deliverer.run(stop, until_empty=until_empty)
        if self._desk.finish(caller):  # corrections that waited for their earlier version
            done = deliverer.run(stop, until_empty=until_empty)
        told = self._reporter(caller).run(stop, until_empty=until_empty) if until_empty else Result(0, 0)
        with self._parts.database.reading() as tx:
            return {
                "handled": done.handled + told.handled, "left": done.left + told.left, "documents": store.counts(tx),
                "disclosures": disclosures.counts(tx),
            }  # fmt: skip

    def send_notices(self, caller: Caller) -> dict[str, Any]:
        """Call the recipients of notices that are to be sent by now; how many calls were made, and what is left."""
        made = 0
        if not self._channels.channels:  # connecting costs, and there is nobody to connect to
            return {"calls": made, "states": {}}
        outward = Outward.load(self._settings.inside_networks, is_production=self._settings.is_production)
        with Ways(self._channels.mail, outward=outward) as ways:
            announcer = Announcer(self._parts, self._channels, ways, caller, self._settings.lease_seconds)
            while done := announcer.step():
                made += done
        self._desk.finish(caller)
        with self._parts.database.reading() as tx:
            return {"calls": made, "states": calls.counts(tx)}

    def export_notices(self, folder: Path, caller: Caller, recipient: str, ids: Sequence[str]) -> dict[str, Any]:
        """Hand notices over as FOLDER/<id>.json and FOLDER/<id>.html, and judge again what they told."""
        told = write_out(self._board, folder, caller, recipient, ids, self._settings.lang)
        self._desk.finish(caller)
        return told

    def work(self, stop: threading.Event, caller: Caller) -> None:
        """The worker: deliver, judge what was left, destroy what is spent, until told to stop."""
        deliverer, reporter = self._deliverer(caller), self._reporter(caller)
        while not stop.is_set():
            self._desk.finish(caller)
            deliverer.run(stop, until_empty=True)
            self.send_notices(caller)
            reporter.drain()
            for chore in self._chores:
                chore(caller)
            stop.wait(1.0)
