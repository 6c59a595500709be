"""Verify an export of the audit log with nothing but Python: no gateway, no database, no network.

    python verify.py --key log.vkey --new today.txt --old last-month.txt export.jsonl

Shows that (1) both checkpoints are signed by the log, and cosigned by as many witnesses as you ask for;
(2) every line is the entry that the log committed to, or the leaf hash of one that stays closed;
(3) no entry is missing: the count and the missing places are told; (4) the log of the newer checkpoint
begins with that of the older: nothing in it was changed or removed since.
With --part the file may hold some entries only: each then needs an inclusion proof (--proof FILE) and the
two checkpoints a consistency proof, as `GET /v1/audit/proofs/...` answers them.
Exit code: 0 if it holds, else 1.

Sources: RFC 9162 §2.1 (tree), RFC 8032 §5.1.7 (Ed25519), C2SP signed-note, tlog-checkpoint, tlog-cosignature.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, NamedTuple

LOG, WITNESS = 1, 4  # kinds of keys (C2SP signed-note): Ed25519, and Ed25519 over the time of a cosignature
HASH_BYTES, SLACK = 32, timedelta(seconds=60)
# Ed25519, RFC 8032 §5.1: points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT_OF_MINUS_ONE = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(p: Point, q: Point) -> Point:
    """Sum of two points (§5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, p: Point) -> Point:
    """A multiple of a point."""
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, p)
        p, scalar = add(p, p), scalar >> 1
    return result


def point(data: bytes) -> Point | None:
    """The point that 32 bytes encode (§5.1.3); None if they encode none."""
    sign, y = divmod(int.from_bytes(data, "little"), 1 << 255)
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the Ed25519 signature is the key's (§5.1.7)."""
    # (1) both halves decode, and S is below the order of the group
    key, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or r is None or s >= ORDER:
        return False
    # (2) k = SHA-512(R, A, M); (3) [S]B = R + [k]A
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(k, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


class Key(NamedTuple):
    """A verifier key: name, what stands before its signatures, kind, public key, and the last size it may sign."""

    name: str
    hash: bytes
    kind: int
    public: bytes
    until: int | None


class Checkpoint(NamedTuple):
    """What a checkpoint states, and how many witnesses cosigned it."""

    origin: str
    size: int
    root: bytes
    witnesses: tuple[str, ...]


def read_keys(text: str) -> list[Key]:
    """Verifier keys, `name+hash+key`, one on a line; `until=SIZE` ends one that was replaced."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})(?: until=([0-9]{1,19}))?", line)
        name, hash_, blob = (match[1], bytes.fromhex(match[2]), b64decode(match[3])) if match else ("", b"", b"")
        if match is None or hash_ != sha256(name.encode() + b"\n" + blob).digest()[:4]:
            raise ValueError("key file: a line is not name+hash+key, or the hash does not fit; get the file again")
        found.append(Key(name, hash_, blob[0], blob[1:], int(match[4]) if match[4] else None))
    return found


def read_checkpoint(note: str, keys: Sequence[Key]) -> Checkpoint:
    """What a checkpoint states, once a key of the log is found to have signed it."""
    text, separator, lines = note.rpartition("\n\n")
    match = re.fullmatch(r"([!-~]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)(?:\n[^\n]+)*", text)
    if not separator or match is None:
        raise ValueError("not a checkpoint: expected origin, size and root, an empty line and signatures")
    origin, size, message = match[1], int(match[2]), text.encode() + b"\n"
    by_log, witnesses, own = False, dict[bytes, str](), {key.public for key in keys if key.kind == LOG}
    for line in lines.splitlines():
        _, name, encoded = [*line.split(" "), "", ""][:3]
        blob = b64decode(encoded)
        for key in (one for one in keys if one.name == name and one.hash == blob[:4]):
            if key.kind == LOG and name == origin and (key.until is None or size <= key.until):
                by_log = by_log or is_signed(key.public, message, blob[4:])
            elif key.kind == WITNESS and key.public not in own:  # the log witnesses nothing itself
                head = b"cosignature/v1\ntime %d\n" % int.from_bytes(blob[4:12], "big")
                if is_signed(key.public, head + message, blob[12:]):
                    witnesses[key.public] = name  # one key is one witness
    if not by_log:
        raise ValueError("signed by no key of this log that may sign this size: wrong key file, or forged")
    return Checkpoint(origin, size, b64decode(match[3]), tuple(sorted(set(witnesses.values()))))


class Tree:
    """A growing tree: only its complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def push(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        index, peaks = self.size, self.peaks
        while index & 1:
            leaf = sha256(b"\1" + peaks.pop() + leaf).digest()
            index >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree as it stands."""
        root = self.peaks[-1] if self.peaks else sha256(b"").digest()
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\1" + peak + root).digest()
        return root


def climb(fn: int, sn: int, seeds: list[bytes], proof: Iterable[bytes]) -> list[bytes] | None:
    """Roots that a proof leads to: a left neighbour joins all seeds, a right one the last; None if it is too short."""
    for step in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            seeds = [sha256(b"\1" + step + one).digest() for one in seeds]
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            seeds[-1] = sha256(b"\1" + seeds[-1] + step).digest()
        fn, sn = fn >> 1, sn >> 1
    return seeds if sn == 0 else None


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf hash to the root (RFC 9162 §2.1.3.2)."""
    return 0 <= index < size and climb(index, size - 1, [leaf], proof) == [root]


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the new tree begins with the old one (RFC 9162 §2.1.4.2)."""
    if old == new or not 0 < old < new or not proof:
        return old == new and old_root == new_root and not proof
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return climb(fn, sn, [path[0], path[0]], path[1:]) == [old_root, new_root]


class Verification:
    """One export against its checkpoints: what is wrong, and what is only odd."""

    def __init__(self, new: Checkpoint, old: Checkpoint | None, proofs: Sequence[dict[str, Any]]) -> None:
        self.new, self.old, self._given = new, old, proofs
        self.faults: list[str] = []
        self.remarks: list[str] = []
        self.missing: list[tuple[int, int]] = []
        self.opened = self.closed = self.beyond = self._proved = 0
        self._proofs = {one["index"]: one["proof"] for one in proofs if one.get("size") == new.size}
        self._tree, self._next, self._last = Tree(), 0, ""
        self._roots = {0: Tree().root()}

    def take(self, line: bytes) -> None:
        """Take the next line of the export."""
        value = json.loads(line)
        index, is_closed = value["idx"], value.keys() == {"idx", "leaf"}
        leaf = b64decode(value["leaf"], validate=True) if is_closed else sha256(b"\0" + line).digest()
        if type(index) is not int or index < self._next or len(leaf) != HASH_BYTES:
            self.faults.append(f"entry {index!r} stands twice or out of order, or its leaf hash is none")
            return
        if index >= self.new.size:
            self.beyond += 1
            return
        self.missing += [(self._next, index - 1)] * (index > self._next)
        self._next = index + 1
        self.closed, self.opened = self.closed + is_closed, self.opened + (not is_closed)
        if not is_closed:
            self._time(index, value["at"])
        if not self.missing:
            self._tree.push(leaf)
            if self.old and self._tree.size == self.old.size:
                self._roots[self.old.size] = self._tree.root()
        if index in self._proofs:
            proof = [b64decode(one) for one in self._proofs[index]]
            self._proved += is_included(leaf, index, self.new.size, proof, self.new.root)

    def _time(self, index: int, at: str) -> None:
        before, self._last = self._last, at
        if at < before and (back := datetime.fromisoformat(before) - datetime.fromisoformat(at)) > SLACK:
            self.remarks.append(f"entry {index} is dated {back} before the entry that precedes it")

    def finish(self, *, is_part: bool) -> None:
        """After the last line."""
        self.missing += [(self._next, self.new.size - 1)] * (self._next < self.new.size)
        self._roots[self._tree.size] = self._tree.root()
        count = sum(last - first + 1 for first, last in self.missing)
        if count:
            places = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in self.missing)
            told = f"{count} of {self.new.size} entries are missing: {places}"
            (self.remarks if is_part else self.faults).append(told)
            if unproved := self.opened + self.closed - self._proved:
                self.faults.append(f"{unproved} entries in the file have no inclusion proof that holds")
        elif self._roots[self.new.size] != self.new.root:
            self.faults.append("an entry is not as the newer checkpoint has it: entries were changed or swapped")
        if self.old and not self._is_grown(self.old):
            self.faults.append("the log does not begin with that of the older checkpoint, or nothing here shows it")

    def _is_grown(self, old: Checkpoint) -> bool:
        if old.size > self.new.size or old.origin != self.new.origin:
            return False
        if not self.missing or old.size == 0:
            return self._roots.get(old.size) == old.root
        sizes = (old.size, self.new.size)
        found = [one["proof"] for one in self._given if (one.get("first"), one.get("second")) == sizes]
        proofs = [[b64decode(step) for step in one] for one in found or [[]]]
        return any(is_consistent(*sizes, old.root, self.new.root, one) for one in proofs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the files that were named; 0 if all holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    ask, say = parser.add_argument, sys.stdout.write
    ask("export", type=Path, help="the export of the log, JSON Lines")
    ask("--key", type=Path, action="append", required=True, help="verifier keys of the log and of witnesses")
    ask("--new", type=Path, required=True, help="checkpoint that the export is of")
    ask("--old", type=Path, help="checkpoint kept since earlier")
    ask("--proof", type=Path, action="append", default=[], help="inclusion or consistency proof")
    ask("--part", action="store_true", help="the export may hold some of the entries only")
    ask("--quorum", type=int, default=0, help="so many witnesses must have cosigned the newer checkpoint")
    given = parser.parse_args(arguments)
    try:
        keys = [key for path in given.key for key in read_keys(path.read_text("utf-8"))]
        new = read_checkpoint(given.new.read_text("utf-8"), keys)
        old = given.old and read_checkpoint(given.old.read_text("utf-8"), keys)
        seen = Verification(new, old, [json.loads(path.read_text("utf-8")) for path in given.proof])
        if len(new.witnesses) < given.quorum:
            seen.faults.append(f"cosigned by {len(new.witnesses)} witnesses, expected {given.quorum}")
        with given.export.open("rb") as lines:
            for line in lines:
                seen.take(line.removesuffix(b"\n"))
        seen.finish(is_part=given.part)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        say(f"FAULT: a file cannot be believed: {type(error).__name__}: {error}\nDOES NOT HOLD\n")
        return 1
    for one in filter(None, (old, new)):
        by = f", cosigned by {', '.join(one.witnesses)}" if one.witnesses else ""
        say(f"checkpoint: {one.origin}, {one.size} entries, root {b64encode(one.root).decode()}{by}\n")
    say(f"export: {seen.opened} entries opened, {seen.closed} closed, {seen.beyond} beyond the newer checkpoint\n")
    say("".join([f"remark: {one}\n" for one in seen.remarks] + [f"FAULT: {one}\n" for one in seen.faults]))
    say("DOES NOT HOLD\n" if seen.faults else "HOLDS\n")
    return 1 if seen.faults else 0


if __name__ == "__main__":
    sys.exit(main())
