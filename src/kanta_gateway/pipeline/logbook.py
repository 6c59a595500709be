"""The log for its readers: pages of entries, the report of one client, checkpoints and proofs; each read is an entry.

* An entry of another's register stands as its place and leaf hash; of one client nothing is told of another's register,
  not even that there is something (LOG-14).
* Whoever names a client is told whom entries are about, which is an act of its own.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

from kanta_gateway.audit import proofs, report
from kanta_gateway.audit.checkpoint import parse
from kanta_gateway.errors import NotFoundError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline import closing
from kanta_gateway.pipeline.known import client_refs, entries
from kanta_gateway.pipeline.permits import Permits
from kanta_gateway.pipeline.sphere import Sphere

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Logbook(Permits):
    """Reads the log for a caller."""

    def entries(
        self, caller: Caller, client: str | None, after: int, limit: int, provider: str = ""
    ) -> dict[str, Any]:  # fmt: skip
        """Entries of the log, in order; reading them is an entry too.

        Raises:
            ConflictError: several providers have the client number, and none is named.
        """
        decision, seals = self.permit(caller, Event.AUDIT_READ, provider=None), self._parts.log.seals
        asked = Event.AUDIT_READ
        if client is not None:  # it tells which entries are about whom
            asked, decision = Event.AUDIT_RESOLVE, self.permit(caller, Event.AUDIT_RESOLVE, provider=None)
        sphere = self.guard.sphere(caller)
        with self._parts.database.transaction() as tx:
            if client is None:
                refs: tuple[str, ...] = ()
                read = report.entries(tx, seals, report.Filter(after=after, limit=limit))
            else:  # of a client nothing is told of another's register, not even that there is something
                refs = self._refs(tx, client, sphere, provider)
                ways = [report.Filter(client_ref=ref, after=after) for ref in refs]
                every = merge(*(entries(self._parts, tx, way) for way in ways), key=lambda one: int(one["idx"]))
                read = list(islice(filter(sphere.is_open, every), limit))
            found = closing.closed(tx, read, sphere)
            self.note(tx, self.of_clients(
                caller, asked, refs, subject="entries", details={"count": len(found)}, decision=decision
            ))  # fmt: skip
        return {"entries": found, "next": found[-1]["idx"] if found else after}

    def note_export(
        self, caller: Caller, form: str, client: str | None, provider: str = ""
    ) -> tuple[int, tuple[str, ...]]:
        """Permit an export of the log and write it down: how many entries it holds, and whose are opened.

        Raises:
            NotFoundError: there is no such client.
            ConflictError: several providers have the client number, and none is named.
        """
        decision = self.permit(caller, Event.AUDIT_READ, provider=None)
        if client is not None:
            decision = self.permit(caller, Event.AUDIT_RESOLVE, provider=None)
        sphere = self.guard.sphere(caller)
        if client is not None:
            self._check_known(caller, client, sphere, provider)
        with self._parts.database.transaction() as tx:
            refs = self._refs(tx, client, sphere, provider) if client is not None else ()
            size = proofs.size(tx)
            self.note(tx, self.of_clients(
                caller, Event.AUDIT_READ, refs, subject="export", details={"format": form, "count": size},
                decision=decision,
            ))  # fmt: skip
            return proofs.size(tx), refs

    def _check_known(self, caller: Caller, client: str, sphere: Sphere, provider: str) -> None:
        """Whether the caller knows of a client; one that is not there and another's leave the same entry."""
        with self._parts.database.reading() as tx:
            is_known = bool(self._refs(tx, client, sphere, provider))
        if not is_known:
            self.conceal(caller, Event.AUDIT_RESOLVE, None)
            raise NotFoundError

    def _refs(self, tx: Connection, client: str, sphere: Sphere, provider: str) -> tuple[str, ...]:
        """Keyed references of a client number of the one provider that has it and that the caller knows of."""
        return client_refs(self._parts, tx, client, sphere.registers, provider)

    def access_report(self, caller: Caller, client: str, provider: str = "") -> dict[str, Any]:
        """Who used one client's data or was given it, when, why and on which basis (703/2023 §11).

        Args:
            caller: who asks.
            client: the provider's client number.
            provider: OID of the provider; may be empty where only one has the number.

        Raises:
            NotFoundError: there is no such client that the caller knows of.
            ConflictError: several providers have the number, and none is named.
        """
        decision, sphere = self.permit(caller, Event.AUDIT_RESOLVE, provider=None), self.guard.sphere(caller)
        self._check_known(caller, client, sphere, provider)
        with self._parts.database.transaction() as tx:
            refs = self._refs(tx, client, sphere, provider)
            log, now = self._parts.log, self._parts.now()
            rows = [row for ref in refs for row in report.client_report(tx, log.seals, ref, now, names=log.names)
                    if sphere.is_open(row)]  # fmt: skip
            self.note(tx, self.of_clients(
                caller, Event.AUDIT_RESOLVE, refs, subject="access-report", decision=decision
            ))  # fmt: skip
        return {"client": client, "rows": rows, "note": "703/2023 §11: only for clarifying the client's own rights"}

    def checkpoint(self, caller: Caller | None) -> str:
        """Sign the log as it stands; who asked for it is in it."""
        if caller is not None:
            self.permit(caller, Event.AUDIT_CHECKPOINT, provider=None)
        parts = self._parts
        with parts.database.transaction() as tx:
            if caller is not None:
                self.note(tx, [self.event(caller, Event.AUDIT_READ, subject="checkpoint", provider="")])
            note = parts.log.checkpoint(tx, parts.checkpoint_signer(), parts.now(), parts.last_checkpoint())
        parts.keep_checkpoint(note)  # after the commit: what was rolled back was never signed for anybody
        return self._cosigned(note) if parts.witnesses.known else note

    def _cosigned(self, note: str) -> str:
        """Ask the witnesses, outside any transaction, and write down what each answered."""
        parts, size = self._parts, parse(note).size

        def prove(old: int, new: int) -> list[bytes]:
            with parts.database.reading() as tx:
                return proofs.consistency(tx, old, new)

        whole, told = parts.witnesses.cosign(note, prove)
        with parts.database.transaction() as tx:
            parts.log.cosigned(tx, parts.checkpoints.key.name, parts.now(), size, told)
        parts.keep_checkpoint(whole)
        return whole

    def inclusion(self, caller: Caller, index: int, size: int | None) -> dict[str, Any]:
        """Inclusion proof of one entry."""
        decision = self.permit(caller, Event.AUDIT_READ, provider=None)
        with self._parts.database.transaction() as tx:
            whole = size or proofs.size(tx)
            proof = _told(proofs.inclusion(tx, index, whole))
            self.note(
                tx, [self.event(caller, Event.AUDIT_READ, subject="inclusion-proof", provider="", decision=decision)]
            )
        return {"index": index, "size": whole, "proof": proof}

    def consistency(self, caller: Caller, first: int, second: int | None) -> dict[str, Any]:
        """Consistency proof between two sizes of the log."""
        decision = self.permit(caller, Event.AUDIT_READ, provider=None)
        with self._parts.database.transaction() as tx:
            whole = second or proofs.size(tx)
            proof = _told(proofs.consistency(tx, first, whole))
            self.note(
                tx, [self.event(caller, Event.AUDIT_READ, subject="consistency-proof", provider="", decision=decision)]
            )
        return {"first": first, "second": whole, "proof": proof}


def _told(hashes: Iterable[bytes]) -> list[str]:
    return [b64encode(one).decode() for one in hashes]
