"""The log: appends entries in the caller's transaction, issues checkpoints.

* Entries, tree nodes and the new tree head are written by the transaction of what they tell about.
* Appends come one after the other: SQLite has one writer, PostgreSQL takes a lock until the commit.
* What this process remembers of the tree counts only while the stored head is the one it left.
* A tree head carries a code under a key that is not in the database: who can only write tables cannot go on.
* A row is sealed under the key of its register and day; the leaf hashes what was sealed.
* A checkpoint is an entry itself, so that removing its trace is found.
* No checkpoint is signed over a log that does not continue the last one signed.
* Every disclosure passes the outlet on its way into the log, so that none is told here and not where it must be too.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import and_, bindparam, func, insert, or_, select, text

from kanta_gateway.audit import merkle, proofs
from kanta_gateway.audit.canonical import canonical
from kanta_gateway.audit.checkpoint import CheckpointSigner, make, parse
from kanta_gateway.audit.entry import DISCLOSURES, AuditEvent, Registers, body, keyed_by
from kanta_gateway.audit.heads import Heads
from kanta_gateway.audit.names import Names
from kanta_gateway.audit.seals import Seals
from kanta_gateway.database import Plain
from kanta_gateway.errors import NotFoundError, UntrustedError
from kanta_gateway.model import Caller, Event, Oid, instant
from kanta_gateway.tables import audit_checkpoint, audit_entry, audit_head, audit_node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["AuditEvent", "Log"]

_LOCK = text("SELECT pg_advisory_xact_lock(7032023010)")  # any number that nothing else here locks
_HEAD = Plain(
    select(audit_head.c.size, audit_head.c.root, audit_head.c.at, audit_head.c.mac).where(
        audit_head.c.size == select(func.max(audit_head.c.size)).scalar_subquery()
    )
)
_LEAF = select(audit_entry.c.leaf_hash).where(audit_entry.c.idx == bindparam("idx"))
_ADD_ENTRY = Plain(insert(audit_entry))
_ADD_NODE = Plain(insert(audit_node))
_ADD_HEAD = Plain(insert(audit_head))


class Outlet(Protocol):
    """Where disclosures are told beside the log."""

    def take(self, tx: Connection, event: AuditEvent) -> Mapping[str, Any]:
        """Take a disclosure in the transaction of its entry; what the entry's details tell of that.

        Args:
            tx: the caller's transaction.
            event: the disclosure.
        """


class Log:
    """The audit log of one installation.

    Args:
        key: keys the references to acting persons and the codes of the tree heads.
        seal: seals a name for its row beside the log.
        open_: opens what `seal` made.
        seals: seals and opens the rows.
        registers: whose entries are kept in which register.
        outlet: where disclosures are told too; None: nowhere.
    """

    def __init__(
        self, key: bytes, *, seal: Callable[[bytes], bytes], open_: Callable[[bytes], bytes], seals: Seals,
        registers: Registers | None = None, outlet: Outlet | None = None,
    ) -> None:  # fmt: skip
        self.seals = seals
        self._registers = registers or Registers()
        self._outlet = outlet
        self.names = Names(key, seal, open_)
        self.heads = Heads(key)
        self._frontier = merkle.Frontier()
        self._head: tuple[int, bytes] = (0, merkle.EMPTY_ROOT)

    def append(self, tx: Connection, events: Sequence[AuditEvent]) -> range:
        """Append one entry per event, all or none; gives their indexes.

        Raises:
            UntrustedError: the stored tree does not fit its own head.
        """
        if not events:
            return range(0)
        frontier = self._current(tx)
        first, size = frontier.size, frontier.size + len(events)
        try:
            bodies = [
                body(told, self._actor(tx, told.caller), place, (first, size), self._registers)
                for place, event in enumerate(events, first)
                for told in [self._let_out(tx, event)]
            ]
            self._write(tx, frontier, bodies)
        except BaseException:
            self.names.forget()  # a name row that was made for these entries goes with them
            raise
        return range(first, size)

    def _actor(self, tx: Connection, caller: Caller) -> dict[str, str]:
        return {**self.names.actor(tx, caller), "relation": self.names.relation(caller)}

    def _let_out(self, tx: Connection, event: AuditEvent) -> AuditEvent:
        """A disclosure that the outlet has taken; any other event as it is."""
        if self._outlet is None or event.event not in DISCLOSURES:
            return event
        return replace(event, details={**event.details, **self._outlet.take(tx, event)})

    def checkpoint(self, tx: Connection, signer: CheckpointSigner, at: datetime, last: str = "") -> str:
        """Sign the log as it stands, store the checkpoint and append the entry that tells of it.

        Args:
            tx: the caller's transaction.
            signer: signs.
            at: when.
            last: the checkpoint that was signed before, kept outside the database; empty for none.

        Raises:
            UntrustedError: the log does not continue the last checkpoint; nothing was signed.
        """
        frontier = self._current(tx)
        size, root = frontier.size, frontier.root()
        if last and not _continues(tx, size, last):
            raise UntrustedError(
                "audit log: it does not continue the last checkpoint that was signed, so it was cut back or written "
                "anew. Nothing was signed; restore a backup that is as new as the checkpoint, and run `audit verify`."
            )
        note = make(signer.key.name, size, root, signer)
        tx.execute(insert(audit_checkpoint), {"size": size, "note": note, "at": instant(at)})
        details = {
            "size": size,
            "root": b64encode(root).decode(),
            "note": sha256(note.encode()).hexdigest(),
            "key": str(signer.key),
        }
        event = AuditEvent(
            event=Event.AUDIT_CHECKPOINT, caller=_itself(signer.key.name), at=at, client_ref=None,
            subject=str(size), provider="", controller="", purpose="", basis="", details=details,
        )  # fmt: skip
        self._write(tx, frontier, [body(event, {}, size, (size, size + 1))])
        return note

    def cosigned(self, tx: Connection, name: str, at: datetime, size: int, told: Mapping[str, str]) -> None:
        """Append the entry about what the witnesses answered.

        Args:
            tx: the caller's transaction.
            name: of the log.
            at: when.
            size: of the checkpoint.
            told: answer by the name of the witness.
        """
        self.note_own(tx, name, Event.AUDIT_COSIGN, at, str(size), {"size": size, "witnesses": dict(told)})

    def note_own(
        self, tx: Connection, name: str, event: Event, at: datetime, subject: str, details: Mapping[str, Any],
        purpose: str = "", basis: str = "",
    ) -> None:  # fmt: skip
        """Append an entry about the log itself, of something that no person did.

        Args:
            tx: the caller's transaction.
            name: of the log.
            event: what happened.
            at: when.
            subject: to what.
            details: counts, ids and places.
            purpose: why.
            basis: the provision.
        """
        frontier = self._current(tx)
        told = AuditEvent(
            event=event, caller=_itself(name), at=at, client_ref=None, subject=subject, provider="", controller="",
            purpose=purpose, basis=basis, details=details,
        )  # fmt: skip
        place = frontier.size
        self._write(tx, frontier, [body(told, {}, place, (place, place + 1))])

    def lock(self, tx: Connection) -> None:
        """Nobody else appends until the transaction ends."""
        self._current(tx)

    def _write(self, tx: Connection, frontier: merkle.Frontier, bodies: Sequence[Mapping[str, Any]]) -> None:
        entries: list[dict[str, Any]] = []
        nodes: list[dict[str, Any]] = []
        for one in bodies:
            data = canonical(one)
            leaf = merkle.leaf_hash(data)
            key_id, sealed = self.seals.seal(*keyed_by(one), one["idx"], data)
            entries.append(
                {"idx": one["idx"], "leaf_hash": leaf, "event": one["event"], "client_ref": one.get("client"),
                 "name": one["actor"].get("name"), "at": one["at"], "key_id": key_id, "sealed": sealed}
            )  # fmt: skip
            nodes += [{"level": level, "idx": idx, "hash": hash_} for level, idx, hash_ in frontier.push(leaf)]
        head = (frontier.size, frontier.root())
        _ADD_ENTRY.each(tx, entries)
        if nodes:
            _ADD_NODE.each(tx, nodes)
        at = bodies[-1]["at"]
        _ADD_HEAD.each(tx, [{"size": head[0], "root": head[1], "at": at, "mac": self.heads.code(*head, at)}])
        self._frontier, self._head = frontier, head

    def _current(self, tx: Connection) -> merkle.Frontier:
        """The tree's end as the transaction sees it; nobody else appends until it ends."""
        if tx.dialect.name == "postgresql":
            tx.execute(_LOCK)
        size, root, at, code = _HEAD.first(tx) or (0, merkle.EMPTY_ROOT, "", b"")
        head = (size, root)
        if head != self._head or self._frontier.size != head[0]:
            if size and not self.heads.holds(size, root, at, code):
                raise UntrustedError(
                    "audit log: the last tree head was not written by this installation. Nothing was written; "
                    "run `audit verify`, which names the place."
                )
            self.names.forget()
            self._frontier, self._head = _stored(tx, *head), head
        return merkle.Frontier(self._frontier.size, self._frontier.peaks)


def _stored(tx: Connection, size: int, root: bytes) -> merkle.Frontier:
    """The tree's end from its stored nodes, which must fit the stored head."""
    places = merkle.peaks(size)
    inner = [place for place in places if place[0]]
    found: dict[tuple[int, int], bytes] = {}
    if inner:
        wanted = or_(*(and_(audit_node.c.level == level, audit_node.c.idx == idx) for level, idx in inner))
        rows = tx.execute(select(audit_node.c.level, audit_node.c.idx, audit_node.c.hash).where(wanted))
        found = {(level, idx): bytes(hash_) for level, idx, hash_ in rows}
    if size & 1:
        found[0, size - 1] = bytes(tx.execute(_LEAF, {"idx": size - 1}).scalar() or b"")
    peaks = [found.get(place, b"") for place in places]
    if merkle.fold(peaks) != root:
        raise UntrustedError(
            "audit log: the stored tree nodes do not fit the last tree head. Nothing was written; "
            "run `audit verify`, which names the place."
        )
    return merkle.Frontier(size, peaks)


def _continues(tx: Connection, size: int, last: str) -> bool:
    """Whether the log begins with what a checkpoint states."""
    known = parse(last)
    if known.size > size:
        return False
    try:
        return merkle.root(known.size, proofs.reader(tx)) == known.root
    except NotFoundError:
        return False


def _itself(name: str) -> Caller:
    """The gateway, for what no person asked for."""
    return Caller(name, Oid(""), "", "", "", "")
