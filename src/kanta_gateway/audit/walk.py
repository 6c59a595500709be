"""Walks the entries in order and checks each against its columns, its commit and the tree.

* The body is the truth once its hash fits; the columns beside it only repeat it.
* Time that runs backwards is a remark and no fault: a clock can be set, but a back-dated event is seen too.
* What entries say about names and checkpoints is collected for `beside.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.audit.merkle import EMPTY_ROOT, leaf_hash
from kanta_gateway.audit.problems import Problems
from kanta_gateway.audit.recompute import Tree
from kanta_gateway.model import Event

if TYPE_CHECKING:
    from collections.abc import Collection

    from kanta_gateway.audit.heads import Heads
    from kanta_gateway.audit.stored import Piece

SLACK = timedelta(seconds=60)
"""Entries of concurrent transactions may be told in another order than they happened in."""

_CHECKPOINT, _ERASE = Event.AUDIT_CHECKPOINT.value, Event.AUDIT_ERASE.value


@dataclass(slots=True)
class Seen:
    """What the entries say about rows beside the tree."""

    checkpoints: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Size -> digest of the note, and time."""
    names: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Commitment -> reference of the person, and index of the last entry with it."""
    erased: dict[str, int] = field(default_factory=dict)
    """Commitment -> index of the erasure."""
    faulty: set[int] = field(default_factory=set)
    """Entries that could not be read."""


class Walk:
    """The state of one verification on its way through the entries.

    Args:
        problems: where faults are told.
        wanted: sizes at which the root is needed afterwards.
        heads: checks the codes of tree heads; None where the key is not at hand.
        remarks: where it is told what is odd without being a fault.
    """

    def __init__(
        self, problems: Problems, wanted: Collection[int], heads: Heads | None = None, remarks: Problems | None = None
    ) -> None:
        self.seen = Seen()
        self.roots = {0: EMPTY_ROOT} if 0 in wanted else {}
        self._problems = problems
        self._heads = heads
        self._remarks = remarks or Problems()
        self._last = ""
        self._wanted = wanted
        self._tree = Tree(problems)
        self._commit: tuple[int, int] | None = (0, 0)
        """First index and end of the append that the last entry belongs to; None after a faulty entry."""

    def take(self, piece: Piece) -> None:
        """Check the next piece."""
        for idx in range(piece.low, piece.high):
            value = self._entry(idx, piece.entries.get(idx), piece)
            ends = self._bounds(idx, value)
            self._head(idx + 1, piece.heads.pop(idx + 1, None), value, is_end=ends)
            if idx + 1 in self._wanted:
                self.roots[idx + 1] = self._tree.root()
        for level, left in enumerate(piece.nodes):
            for idx in left:
                self._problems.tell("audit_node", f"{level}/{idx}", "audit-row-stray")

    def finish(self) -> None:
        """After the last piece."""
        self._tree.finish()
        if self._commit is not None and self._commit[1] > self._tree.size:
            self._fault(self._tree.size, "audit-entry-missing")

    def root(self) -> bytes:
        """Root over all entries."""
        return self._tree.root()

    def _entry(self, idx: int, row: Any, piece: Piece) -> dict[str, Any] | None:
        """Check one row and add it to the tree; gives its body when it can be believed."""
        if row is None:
            self._fault(idx, "audit-entry-missing")
            self._tree.push_faulty((), piece.nodes)
            return None
        _, stored, event, client, at, body = row
        data = body.encode("utf-8", "surrogatepass")
        computed = leaf_hash(data)
        if computed != stored:
            self._fault(idx, "audit-entry-changed")
            self._tree.push_faulty((computed, bytes(stored)), piece.nodes)
            return None
        value = _read(data)
        if value is None or value["idx"] != idx:
            self._fault(idx, "audit-entry-unreadable" if value is None else "audit-entry-moved")
            self._tree.push_faulty((computed,), piece.nodes)
            return None
        self._tree.push(computed, piece.nodes)
        for name, beside in (("event", event), ("client", client), ("at", at)):
            if value.get(name) != beside:
                self._problems.tell("audit_entry", idx, "audit-column-differs", field=name)
        self._time(idx, value["at"])
        self._note(idx, value)
        return value

    def _time(self, idx: int, at: str) -> None:
        """Remark an entry that is dated before the one before it."""
        before, self._last = self._last, at
        if at < before and (back := _moment(before) - _moment(at)) > SLACK:
            self._remarks.tell("audit_entry", idx, "audit-time-backwards", seconds=int(back.total_seconds()))

    def _fault(self, idx: int, what: str) -> None:
        self._problems.tell("audit_entry", idx, what)
        self.seen.faulty.add(idx)

    def _note(self, idx: int, value: dict[str, Any]) -> None:
        actor, details = value["actor"], value["details"]
        if isinstance(actor.get("name"), str):
            self.seen.names[actor["name"]] = (str(actor.get("ref")), idx)
        if value["event"] == _CHECKPOINT and type(details.get("size")) is int:
            self.seen.checkpoints[details["size"]] = (str(details.get("note")), value["at"])
        elif value["event"] == _ERASE and isinstance(details.get("names"), list):
            self.seen.erased.update((name, idx) for name in details["names"] if isinstance(name, str))

    def _bounds(self, idx: int, value: dict[str, Any] | None) -> bool | None:
        """Whether an append ended with this entry; None when that cannot be known."""
        if value is None:
            self._commit = None
            return None
        first, end = value["commit"]
        before, self._commit = self._commit, (first, end)
        continues = before is None or before == (first, end) or before[1] == idx == first
        if not first <= idx < end or not continues:
            self._problems.tell("audit_entry", idx, "audit-commit-bounds")
        return bool(idx + 1 == end)

    def _head(
        self, size: int, head: tuple[bytes, str, bytes] | None, value: dict[str, Any] | None, *, is_end: bool | None
    ) -> None:
        if head is None:
            if is_end:
                self._problems.tell("audit_head", size, "audit-head-missing")
            return
        root, at, code = head
        if is_end is False:
            self._problems.tell("audit_head", size, "audit-row-stray")
        elif not self._tree.fits(root):
            self._problems.tell("audit_head", size, "audit-head-changed")
        elif value is not None and value["at"] != at:
            self._problems.tell("audit_head", size, "audit-column-differs", field="at")
        elif self._heads is not None and not self._heads.holds(size, root, at, code):
            self._problems.tell("audit_head", size, "audit-head-forged")


def _moment(at: str) -> datetime:
    """The moment that an entry tells; the earliest one if it tells none."""
    try:
        return datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _read(data: bytes) -> dict[str, Any] | None:
    """The body as an object with the parts that are needed here; None if it is something else."""
    try:
        value = orjson.loads(data)
        first, end = value["commit"]
        is_entry = (
            all(type(number) is int for number in (first, end, value["idx"]))
            and isinstance(value["actor"], dict)
            and isinstance(value["details"], dict)
            and isinstance(value["at"], str)
            and isinstance(value["event"], str)
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return value if is_entry else None
