"""Verifies the whole log offline: every row of every table of the log against the entries.

* Everything is computed again from the entries' bodies; nothing stored is believed.
* Every row is bound by something else: a body, or the leaf hash of one that is gone, by the tree, a node and a
  head by the bodies, a head's existence and time by the `commit` in the bodies, a checkpoint and a name by the
  entry that tells of it.
* A log that was changed and computed anew by somebody without the key of the tree heads is found by their codes.
* Without a checkpoint from outside, a log cut back whole to an earlier commit is not told from a shorter
  log; with one it is, and so is a log that was written anew.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kanta_gateway.audit import beside, stored
from kanta_gateway.audit.checkpoint import Checkpoint, VerifierKey, read_keys
from kanta_gateway.audit.checkpoint import verify as verify_note
from kanta_gateway.audit.merkle import EMPTY_ROOT
from kanta_gateway.audit.problems import Problem, Problems
from kanta_gateway.audit.purge import Purges
from kanta_gateway.audit.walk import Walk
from kanta_gateway.errors import UntrustedError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.audit.heads import Heads
    from kanta_gateway.audit.seals import Seals


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found."""

    size: int
    root: bytes
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...] = ()
    """What is odd without being a fault: time that runs backwards."""

    @property
    def is_sound(self) -> bool:
        """Whether the log is as it was written."""
        return not self.problems


def verify(
    connection: Connection, *, vkey: str, seals: Seals, checkpoint: str | None = None, heads: Heads | None = None
) -> Verification:
    """Verify the log.

    Args:
        connection: one snapshot of the database.
        vkey: verifier keys of the log's checkpoints, one on a line.
        seals: opens the rows.
        checkpoint: a checkpoint kept outside; then the log must also be a continuation of that one.
        heads: checks the codes of the tree heads, where the key of the log is at hand.

    Raises:
        UntrustedError: the verifier key is not one.
    """
    problems, remarks = Problems(), Problems()
    # (1) keys, and the checkpoint that is trusted
    keys = read_keys(vkey)
    trusted = None if checkpoint is None else _trusted(checkpoint, keys, problems)
    # (2) entries, nodes and heads
    total = stored.extent(connection)
    kept = list(stored.checkpoints(connection))
    wanted = {size for size, _, _ in kept} | ({trusted.size} if trusted else set())
    purges = Purges(stored.purges(connection, seals))
    walk = Walk(problems, wanted, heads, remarks, seals=seals, purges=purges)
    for piece in stored.pieces(connection, total):
        walk.take(piece)
    walk.finish()
    for table, place in stored.strays(connection, total):
        problems.tell(table, place, "audit-row-stray")
    # (3) checkpoints and names beside the tree
    beside.check_checkpoints(kept, walk.seen, walk.roots, keys, problems)
    beside.check_names(stored.names(connection), walk.seen, problems)
    # (4) the trusted checkpoint
    if trusted is not None:
        _compare(trusted, total, walk.roots, problems)
    return Verification(total, walk.root(), problems.all(), remarks.all())


def _trusted(note: str, keys: tuple[VerifierKey, ...], problems: Problems) -> Checkpoint | None:
    try:
        return verify_note(note, keys)
    except UntrustedError:
        problems.tell("checkpoint", "given", "audit-given-untrusted")
        return None


def _compare(trusted: Checkpoint, total: int, roots: dict[int, bytes], problems: Problems) -> None:
    if total < trusted.size:
        problems.tell("audit_entry", f"{total}-{trusted.size - 1}", "audit-log-shorter",
                      expected=trusted.size, found=total)  # fmt: skip
    elif roots.get(trusted.size, EMPTY_ROOT) != trusted.root:
        problems.tell("checkpoint", trusted.size, "audit-given-differs",
                      root=b64encode(trusted.root).decode())  # fmt: skip
