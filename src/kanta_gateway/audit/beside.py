"""Checks the rows beside the tree, checkpoints and names, against what the entries say about them.

* A checkpoint row has its entry and an entry its row, so the removal of either is found.
* A name may be missing only if an erasure names its commitment.
* Pure: rows come in as tuples.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from kanta_gateway.audit.checkpoint import VerifierKey
from kanta_gateway.audit.checkpoint import verify as verify_note
from kanta_gateway.audit.names import commitment
from kanta_gateway.errors import UntrustedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kanta_gateway.audit.problems import Problems
    from kanta_gateway.audit.walk import Seen

_CHECKPOINT, _NAME = "audit_checkpoint", "audit_name"


def check_checkpoints(
    rows: Iterable[tuple[int, str, str]],
    seen: Seen,
    roots: dict[int, bytes],
    keys: Sequence[VerifierKey],
    problems: Problems,
) -> None:
    """Every checkpoint row: its entry, its signature, and the root of the tree at its size."""
    found: set[int] = set()
    for size, note, at in rows:
        found.add(size)
        if size not in seen.checkpoints:
            if size not in seen.faulty:  # the entry that tells of a checkpoint follows it
                problems.tell(_CHECKPOINT, size, "audit-checkpoint-untold")
        elif seen.checkpoints[size] != (sha256(note.encode("utf-8", "surrogatepass")).hexdigest(), at):
            problems.tell(_CHECKPOINT, size, "audit-checkpoint-changed")
        else:
            _check_note(size, note, roots, keys, problems)
    for size in sorted(seen.checkpoints.keys() - found):
        problems.tell(_CHECKPOINT, size, "audit-checkpoint-missing")


def _check_note(size: int, note: str, roots: dict[int, bytes], keys: Sequence[VerifierKey], problems: Problems) -> None:
    try:
        checkpoint = verify_note(note, keys)
    except UntrustedError:
        problems.tell(_CHECKPOINT, size, "audit-checkpoint-unsigned")
        return
    if (checkpoint.size, checkpoint.root) != (size, roots.get(size)):
        problems.tell(_CHECKPOINT, size, "audit-checkpoint-differs")


def check_names(rows: Iterable[tuple[str, str, bytes, bytes]], seen: Seen, problems: Problems) -> None:
    """Every name row against the entries that carry its commitment, and the other way round."""
    found: set[str] = set()
    for name, ref, salt, sealed in rows:
        found.add(name)
        if commitment(ref, salt, sealed) != name or seen.names.get(name, (ref, 0))[0] != ref:
            problems.tell(_NAME, name, "audit-name-changed")
        elif name in seen.erased:
            problems.tell(_NAME, name, "audit-name-returned")
        elif name not in seen.names and not seen.faulty:
            problems.tell(_NAME, name, "audit-name-orphan")
    for name, (_, last) in seen.names.items():
        erased = seen.erased.get(name)
        if erased is not None and erased < last:
            problems.tell("audit_entry", last, "audit-name-after-erasure")
        elif erased is None and name not in found:
            problems.tell(_NAME, name, "audit-name-missing")
