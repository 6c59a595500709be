"""Walks the entries in order and checks each against its columns, its commit and the tree.

* A row that a purge took has its leaf hash only; a purge must list it and must have come late enough.
* The body is the truth once its hash fits; the columns beside it only repeat it.
* Time that runs backwards is a remark and no fault: a clock can be set, but a back-dated event is seen too.
* What entries say about names and checkpoints is collected for `beside.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.audit.merkle import EMPTY_ROOT, leaf_hash
from kanta_gateway.audit.problems import Problems
from kanta_gateway.audit.purge import Purge, Purges, due
from kanta_gateway.audit.recompute import Tree
from kanta_gateway.errors import KeyUnavailableError, UntrustedError
from kanta_gateway.model import Event

if TYPE_CHECKING:
    from collections.abc import Collection

    from kanta_gateway.audit.heads import Heads
    from kanta_gateway.audit.seals import Seals
    from kanta_gateway.audit.stored import Piece

SLACK = timedelta(seconds=60)
"""Entries of concurrent transactions may be told in another order than they happened in."""

_CHECKPOINT, _ERASING = Event.AUDIT_CHECKPOINT.value, {Event.AUDIT_ERASE.value, Event.AUDIT_PURGE.value}


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
        seals: opens the rows.
        purges: every purge that the log tells of.
        remarks: where it is told what is odd without being a fault.
    """

    def __init__(
        self, problems: Problems, wanted: Collection[int], heads: Heads | None = None, remarks: Problems | None = None,
        *, seals: Seals, purges: Purges,
    ) -> None:  # fmt: skip
        self._seals = seals
        self._purges = purges
        self._closed: tuple[int, Purge] | None = None
        """First place of the closed rows since the last head, and the earliest purge that took one of them."""
        self._dues: dict[int, str] = {}
        """Place of a purge -> since when all that it took may be gone."""
        self._headed = 0
        """Size of the last head."""
        self._due = (-1, "")
        """Of the purges that were passed: the one that is due last."""
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
            head = piece.heads.pop(idx + 1, None)
            self._head(idx + 1, head, value, is_end=ends)
            if head is not None:
                self._headed = idx + 1
                self._aged(head[1])
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
        _, stored, *beside, key_id, sealed = row
        if sealed is None:
            self._empty(idx, bytes(stored), [*beside, key_id], piece)
            return None
        try:
            data = self._seals.open(key_id, idx, sealed)
        except (KeyUnavailableError, UntrustedError) as error:
            is_keyless = isinstance(error, KeyUnavailableError)
            self._fault(idx, "audit-entry-keyless" if is_keyless else "audit-entry-changed")
            self._tree.push_faulty((bytes(stored),), piece.nodes)
            return None
        computed = leaf_hash(data)
        if computed != stored:
            self._fault(idx, "audit-entry-changed")
            self._tree.push_faulty((computed, bytes(stored)), piece.nodes)
            return None
        if self._purges.of(idx) is not None:
            self._problems.tell("audit_entry", idx, "audit-entry-returned")
        value = _read(data)
        if value is None or value["idx"] != idx:
            self._fault(idx, "audit-entry-unreadable" if value is None else "audit-entry-moved")
            self._tree.push_faulty((computed,), piece.nodes)
            return None
        self._tree.push(computed, piece.nodes)
        said = (value["event"], value.get("client"), value["actor"].get("name"), value["at"])
        for name, one, stands in zip(("event", "client_ref", "name", "at"), said, beside, strict=True):
            if one != stands:
                self._problems.tell("audit_entry", idx, "audit-column-differs", field=name)
        self._time(idx, value["at"])
        self._note(idx, value)
        return value

    def _empty(self, idx: int, leaf: bytes, beside: list[Any], piece: Piece) -> None:
        """A row whose content is gone: its leaf hash is what the tree above vouches for."""
        taken = self._purges.of(idx)
        if taken is None:
            self._fault(idx, "audit-entry-emptied")
        elif self._closed is None or taken.at < self._closed[1].at:
            self._closed = (idx if self._closed is None else self._closed[0], taken)
        if any(one is not None for one in beside):
            self._problems.tell("audit_entry", idx, "audit-column-differs", field="*")
        self._tree.push(leaf, piece.nodes)

    def _aged(self, at: str) -> None:
        """The head after closed rows says when they were written: was it long enough before they went?"""
        if self._closed is None:
            return
        (first, taken), self._closed = self._closed, None
        since = due(at)
        if taken.at < since:
            self._problems.tell("audit_entry", first, "audit-purge-early", purge=taken.idx)
        else:
            self._dues[taken.idx] = max(self._dues.get(taken.idx, ""), since)

    def _time(self, idx: int, at: str) -> None:
        """Remark an entry that is dated before the one before it; a purge may not have come before its time."""
        if idx in self._dues:
            self._due = max(self._due, (idx, self._dues[idx]), key=itemgetter(1))
        if at < self._due[1]:
            self._problems.tell("audit_entry", self._due[0], "audit-purge-early", purge=self._due[0])
            self._due = (-1, "")
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
        elif value["event"] in _ERASING and isinstance(details.get("names"), list):
            self.seen.erased.update((name, idx) for name in details["names"] if isinstance(name, str))

    def _bounds(self, idx: int, value: dict[str, Any] | None) -> bool | None:
        """Whether an append ended with this entry; None when that cannot be known."""
        if value is None:
            self._commit = None
            return None
        first, end = value["commit"]
        before, self._commit = self._commit, (first, end)
        continues = before is None or before == (first, end) or before[1] == idx == first
        if before is None and first == idx != self._headed and idx - 1 not in self.seen.faulty:
            self._problems.tell("audit_head", idx, "audit-head-missing")  # the append before it is closed
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
