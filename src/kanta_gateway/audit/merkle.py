"""Merkle tree of the audit log: makes any later change, removal or reordering visible.

* One known root vouches for every entry before it.
* A leaf is hashed with 0x00 before it and an inner node with 0x01, so that neither passes for the other.
* This module sees bytes only. Storage and clock are in `log.py`.
* Proofs read the tree through one function: `node(level, index)` is the root over the 2**level leaves
  from `index * 2**level`; only complete ones are asked for.

Source: RFC 9162 §2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]

EMPTY_ROOT = sha256(b"").digest()
"""Root of a tree without leaves (§2.1.1)."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf (§2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (§2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees that a growing tree ends in, largest first: all that an append needs."""

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, found {len(self.peaks)}")

    def push(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add one leaf hash; gives the nodes that it completes as (level, index, hash), lowest first."""
        made: list[tuple[int, int, bytes]] = []
        index, level, hash_ = self.size, 0, leaf
        while index & 1:
            hash_ = node_hash(self.peaks.pop(), hash_)
            index >>= 1
            level += 1
            made.append((level, index, hash_))
        self.peaks.append(hash_)
        self.size += 1
        return made

    def root(self) -> bytes:
        """Root of the tree as it stands."""
        return fold(self.peaks)


def peaks(size: int) -> list[tuple[int, int]]:
    """Places (level, index) of the complete subtrees that a tree of this size ends in, largest first."""
    return [(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1]


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root over the peaks of a tree, largest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for peak in reversed(hashes[:-1]):
        root = node_hash(peak, root)
    return root


def root(size: int, node: Node) -> bytes:
    """Root of the tree's first `size` leaves."""
    return fold([node(level, index) for level, index in peaks(size)])


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Hashes that lead from leaf `index` to the root of the first `size` leaves (§2.1.3.1).

    Raises:
        ValueError: there is no such leaf in a tree of this size.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range(middle, high, node))
            high = middle
        else:
            proof.append(_range(low, middle, node))
            low = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Hashes that show the tree of `old` leaves to be the beginning of that of `new` leaves (§2.1.4.1).

    Raises:
        ValueError: the sizes are not 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"no tree of {new} leaves grew from one of {old}")
    proof: list[bytes] = []
    low, high = 0, new
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range(middle, high, node))
            high = middle
        else:
            proof.append(_range(low, middle, node))
            low = middle
    if low:  # the old tree is not itself a node on the path: the proof opens with its last part
        proof.append(_range(low, high, node))
    return proof[::-1]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf hash to the root (§2.1.3.2)."""
    # (1) the leaf is in the tree
    if not 0 <= index < size:
        return False
    # (2), (3) fn = sn = place of the node and of the last node on its level; r = hash so far
    fn, sn, r = index, size - 1, leaf
    # (4) up one level with every hash of the proof
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    # (5) at the top, with the root in hand
    return sn == 0 and r == root


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the new tree begins with the old one (§2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    # (1) an empty proof shows nothing
    if not proof:
        return False
    # (2) a complete old tree is itself a node: its root opens the path
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    # (3), (4) up to the first node that is not only the old tree's own
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    # (5) both hashes begin with the path's first
    fr = sr = path[0]
    # (6) up one level with every further hash
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    # (7) at the top, with both roots in hand
    return sn == 0 and fr == old_root and sr == new_root


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (§2.1.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _range(low: int, high: int, node: Node) -> bytes:
    """Root over the leaves from `low` to `high`; `low` is a multiple of the largest power of two within."""
    hashes: list[bytes] = []
    while low < high:
        level = (high - low).bit_length() - 1
        hashes.append(node(level, low >> level))
        low += 1 << level
    return fold(hashes)
