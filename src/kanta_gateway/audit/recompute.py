"""The tree computed again from the entries, compared with the stored nodes and heads on the way.

* A node that does not fit leaves two candidates: the computed hash and the stored one.
  The next node or head above shows which is right, and so whether the stored node is at fault or what is
  below it; until then nothing is told.
* A leaf whose fault has been told already is carried along and settles silently.
* Pure: stored rows come in as dictionaries.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, product
from typing import TYPE_CHECKING

from kanta_gateway.audit.merkle import fold, node_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kanta_gateway.audit.problems import Problems

_MOST_CANDIDATES = 4
_MOST_COMBINATIONS = 256


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Hashes that a node may have; the first was computed from what is below."""

    candidates: tuple[bytes, ...]
    is_told: bool


class Tree:
    """A growing tree that is checked against what is stored.

    Args:
        problems: where faults are told.
    """

    def __init__(self, problems: Problems) -> None:
        self.size = 0
        self._problems = problems
        self._peaks: list[bytes] = []
        self._places: list[tuple[int, int]] = []
        self._doubts: dict[tuple[int, int], _Doubt] = {}

    def push(self, leaf: bytes, nodes: Sequence[dict[int, bytes]]) -> None:
        """Add a leaf hash; takes the nodes that it completes out of `nodes` (by level, by index)."""
        index, level, hash_ = self.size, 0, leaf
        while index & 1:
            left = self._peaks.pop()
            self._places.pop()
            index >>= 1
            level += 1
            stored = nodes[level].pop(index, None)
            if self._doubts:
                hash_ = self._join((level, index), left, hash_, stored)
                continue
            hash_ = sha256(b"\x01" + left + hash_).digest()
            if hash_ != stored:
                self._suspect((level, index), hash_, stored)
        self._peaks.append(hash_)
        self._places.append((level, index))
        self.size += 1

    def push_faulty(self, candidates: Iterable[bytes], nodes: Sequence[dict[int, bytes]]) -> None:
        """Add a leaf whose fault has been told: any of these hashes may be the true one, or none."""
        known = tuple(candidates)
        self._doubts[0, self.size] = _Doubt(known, is_told=True)
        self.push(known[0] if known else b"", nodes)

    def root(self) -> bytes:
        """Root over what was pushed."""
        return fold(self._peaks)

    def fits(self, root: bytes) -> bool:
        """Whether a stored root is that of the tree; settles doubts on the way.

        True as well where an earlier, told fault leaves nothing to compare with.
        """
        if not self._doubts:
            return fold(self._peaks) == root
        choices = [self._candidates(*pair) for pair in zip(self._places, self._peaks, strict=True)]
        for chosen in islice(product(*choices), _MOST_COMBINATIONS):
            if fold(chosen) == root:
                for place, hash_ in zip(self._places, chosen, strict=True):
                    self._settle(place, hash_)
                self._peaks = list(chosen)
                return True
        return any(doubt.is_told for doubt in self._doubts.values())

    def finish(self) -> None:
        """Tell what nothing above could settle."""
        for level, index in [place for place, doubt in self._doubts.items() if not doubt.is_told]:
            self._problems.tell("audit_node", f"{level}/{index}", "audit-node-changed")

    def _suspect(self, place: tuple[int, int], computed: bytes, stored: bytes | None) -> None:
        if stored is None:
            self._problems.tell("audit_node", f"{place[0]}/{place[1]}", "audit-node-missing")
        else:
            self._doubts[place] = _Doubt((computed, stored), is_told=False)

    def _join(self, place: tuple[int, int], left: bytes, right: bytes, stored: bytes | None) -> bytes:
        """The node over two children of which one may be in doubt."""
        level, index = place
        below = ((level - 1, 2 * index), (level - 1, 2 * index + 1))
        pairs = list(product(self._candidates(below[0], left), self._candidates(below[1], right)))
        computed = [node_hash(*pair) for pair in pairs]
        if stored in computed:
            for child, hash_ in zip(below, pairs[computed.index(stored)], strict=True):
                self._settle(child, hash_)
            return stored
        doubts = [doubt for child in below if (doubt := self._doubts.pop(child, None))]
        if not doubts:
            self._suspect(place, computed[0], stored)
            return computed[0]
        if stored is None:
            self._problems.tell("audit_node", f"{level}/{index}", "audit-node-missing")
        elif not computed:
            return stored
        else:
            computed = [*computed[: _MOST_CANDIDATES - 1], stored]
        is_told = stored is None or any(doubt.is_told for doubt in doubts)
        self._doubts[place] = _Doubt(tuple(computed), is_told)
        return computed[0] if computed else b""

    def _candidates(self, place: tuple[int, int], hash_: bytes) -> tuple[bytes, ...]:
        doubt = self._doubts.get(place)
        return (hash_,) if doubt is None else doubt.candidates

    def _settle(self, place: tuple[int, int], true: bytes) -> None:
        """What stands at a place is now known: tell which row is at fault, unless that was told."""
        doubt = self._doubts.pop(place, None)
        if doubt is None or doubt.is_told:
            return
        level, index = place
        if true == doubt.candidates[0]:
            self._problems.tell("audit_node", f"{level}/{index}", "audit-node-changed")
        else:
            first, last = index << level, ((index + 1) << level) - 1
            self._problems.tell("audit_entry", f"{first}-{last}", "audit-entries-changed", first=first, last=last)
