"""The log grows old: rows whose time is over go, and the keys of days that no row needs any more.

* It is done by the clock alone; nobody chooses which rows.
* A clock that runs years ahead would destroy everything: where the years before today left no entry, a person must say
  that the clock is right.
* The key of a day is destroyed after its rows: between the two a restart goes on where it ended.
* Logs that other installations handed over age alike, and each time is an entry; what they told of stays proved.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from kanta_gateway.audit import purge
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import UntrustedError
from kanta_gateway.model import Caller, Event, instant
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.shelf import Old, Shelf
from kanta_gateway.pipeline.supervised import destroy_supervision
from kanta_gateway.tables import audit_entry

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Aging:
    """Takes from the log what has been there for its whole time.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        shelf: logs that were handed over.
    """

    def __init__(self, parts: Parts, office: Office, shelf: Shelf) -> None:
        self._parts = parts
        self._office = office
        self._shelf = shelf
        self._first: dict[str, tuple[int, str]] = {}
        """Of each log on the shelf: its file's mark, and the oldest entry that is still open in it."""

    def ask(self, caller: Caller, *, is_clock_right: bool = False) -> dict[str, Any]:
        """Purge because somebody asks for it, which is written down: the log, logs from elsewhere, what is about them.

        Raises:
            UntrustedError: there is something to purge, and the clock may be wrong.
        """
        decision = self._office.permit(caller, Event.AUDIT_PURGE, provider=None)
        with self._parts.database.transaction() as tx:
            self._office.note(tx, [
                self._office.event(
                    caller, Event.AUDIT_READ, subject="purge", provider="", decision=decision,
                    details={"clock_is_right": is_clock_right},
                )
            ])  # fmt: skip
        told = self.purge(is_clock_right=is_clock_right)
        handed = self.purge_handed(caller, is_clock_right=is_clock_right)
        seen = destroy_supervision(self._parts, caller, is_clock_right=is_clock_right)
        silent = told["silent_year"] or handed["silent_year"] or seen["silent_year"]
        told |= {**seen, "handed": handed["rows"], "silent_year": silent}
        if told["silent_year"]:
            raise UntrustedError(
                f"audit log: it has entries whose time is over and none of {told['silent_year']}, so the clock may run "
                "ahead. Nothing was destroyed; check the clock, then `retention purge-log --clock-is-right`."
            )
        return told

    def purge(self, *, is_clock_right: bool = False) -> dict[str, Any]:
        """Take the rows, names and keys whose time is over; how many of each.

        Args:
            is_clock_right: a person has looked at the clock; otherwise nothing goes while it may be wrong.
        """
        parts, told = self._parts, {"rows": 0, "names": 0, "keys": 0, "silent_year": 0}
        while True:
            with parts.database.alone() as tx:
                now = parts.now()
                if not is_clock_right and (silent := purge.silent_years(tx, now, purge.limit(now))):
                    return told | {"silent_year": silent[0]}
                done = purge.purge(tx, parts.log, parts.checkpoints.key.name, now)
            if not done.rows:
                break
            told["rows"] += done.rows
            told["names"] += done.names
        told["keys"] = self._destroy_keys()
        if any(told.values()):
            parts.database.scrub()
        return told

    def purge_handed(self, caller: Caller, *, is_clock_right: bool = False) -> dict[str, int]:
        """Take from logs that were handed over what has had its time; how many entries.

        Args:
            caller: who acts.
            is_clock_right: as in `purge`.
        """
        parts, told, now = self._parts, {"rows": 0, "silent_year": 0}, self._parts.now()
        for id_ in self._shelf.ids():
            if not (old := self._old(id_, instant(purge.limit(now)))).rows:
                continue
            with parts.database.reading() as tx:
                silent = [] if is_clock_right else purge.silent_years(tx, now)
            if silent:
                return told | {"silent_year": silent[0]}
            self._rewrite(caller, id_, old)
            told["rows"] += old.rows
        return told

    def _old(self, id_: str, until: str) -> Old:
        """What of a log has had its time; a file that was read is read again when something in it has."""
        mark, first = self._first.get(id_, (0, ""))
        if mark == self._shelf.mark(id_) and (not first or first > until):
            return Old(until)
        mark = self._shelf.mark(id_)
        old = self._shelf.old(id_, until)
        if not old.rows:
            self._first[id_] = (mark, old.first)
        return old

    def _rewrite(self, caller: Caller, id_: str, old: Old) -> None:
        """The entry first: a crash after it leaves a log that is taken from once more."""
        about, gone = self._shelf.about(id_), old.gone()
        with self._shelf.drafts(self._parts.checkpoint_signer().sign) as drafts:
            self._shelf.copy(id_, old, drafts)
            with self._parts.database.transaction() as tx:
                self._parts.log.append(tx, [AuditEvent(
                    event=Event.HANDOVER_DESTROY, caller=caller, at=self._parts.now(), client_ref=None, subject=id_,
                    provider=caller.organisation, controller=str(about["controller"]), purpose=purge.PURPOSE,
                    basis=purge.BASIS,
                    details={"until": old.until, "entries": old.rows, **{name: len(one) for name, one in gone.items()}},
                )])  # fmt: skip
            drafts.settle()

    def _destroy_keys(self) -> int:
        """Destroy the keys of old days that seal no row; also those that an interruption left."""
        parts = self._parts
        last = (purge.limit(parts.now()) - timedelta(days=1)).date().isoformat()  # nothing is written for it any more
        keys = parts.keys.days_until(last)
        with parts.database.reading() as tx:
            spent = [key for key in keys if not _is_used(tx, key)]
        if spent:
            parts.keys.destroy_days(spent)
            parts.log.seals.forget()
        return len(spent)


def _is_used(tx: Connection, key: int) -> bool:
    return tx.execute(select(audit_entry.c.idx).where(audit_entry.c.key_id == key).limit(1)).first() is not None
