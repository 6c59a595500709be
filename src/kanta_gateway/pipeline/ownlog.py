"""This installation's log as it goes with one controller's register: its entries, the others as leaf hashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from kanta_gateway.audit import report
from kanta_gateway.errors import ConflictError
from kanta_gateway.handover.lines import closed
from kanta_gateway.model import Event
from kanta_gateway.pipeline.parts import Parts

if TYPE_CHECKING:
    from sqlalchemy import Connection

OF_THE_LOG = frozenset({Event.AUDIT_CHECKPOINT, Event.AUDIT_COSIGN, Event.AUDIT_ROTATE})
"""Entries about the log itself, which tell of no client and no controller: opened in every package."""


def check_quiet(parts: Parts, tx: Connection, controller: str, size: int) -> None:
    """Whether nothing has been written about the controller since the checkpoint of this size.

    Raises:
        ConflictError: something has.
    """
    for _, body in report.every(tx, parts.log.seals, report.Filter(after=size - 1)):
        if orjson.loads(body)["controller"] == controller:
            raise ConflictError("the log goes on growing; stop API and worker, and hand over again")


def entries(parts: Parts, tx: Connection, controller: str, size: int, people: dict[str, None]) -> Iterator[bytes]:
    """The log up to the checkpoint of this size: the controller's entries and the log's own, the others closed.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        controller: whose entries are given.
        size: of the checkpoint.
        people: is told the names that these entries refer to.
    """
    for line in report.jsonl(tx, parts.log.seals):
        data = line.rstrip("\n").encode()
        entry = orjson.loads(data)
        if entry["idx"] >= size:
            return
        if "leaf" in entry:
            yield data
        elif entry["controller"] == controller or entry["event"] in OF_THE_LOG:
            if name := entry["actor"].get("name"):
                people[name] = None
            yield data
        else:
            yield closed(entry["idx"], data)
