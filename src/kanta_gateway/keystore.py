"""The key store: wrapped keys and the journal of what was forgotten, in a database apart from the gateway's own.

* It holds no content and the gateway's database holds no key: a backup of either alone opens nothing.
* A key is durable before anything is sealed with it; a key that sealed nothing does no harm.
* A key and the journal's entry that it was destroyed change in one transaction.
* Ids are drawn at random, so that none comes twice, whichever file was restored.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from kanta_gateway.database import Database
from kanta_gateway.errors import MisconfiguredError, UntrustedError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.journal import Copy, Entry

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")
_ID_BITS = 62
"""A signed 64-bit column, with a bit to spare."""
_PIECE = 500
"""Values in one `IN`: SQLite allows a limited number of parameters."""

content_key = Table(
    "content_key", metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
)  # fmt: skip

day_key = Table(
    "day_key", metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("register", String(128), nullable=False),     # whose log: an OID, or `system`, or `log`
    Column("day", String(10), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("day_key_once", "register", "day", unique=True),
)  # fmt: skip

journal = Table(
    "journal", metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(36), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("at", String(32), nullable=False),
    Column("key_id", _Id),
    Column("details", Text, nullable=False),             # JSON: ids, moments and provisions
)  # fmt: skip

root_key = Table(
    "root_key", metadata,
    Column("name", String(16), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("by", String(16), nullable=False),            # name of the master key that wraps all keys
)  # fmt: skip

_CONTENT = select(content_key.c.wrapped).where(content_key.c.id == bindparam("id"))
_DAY = select(day_key.c.id, day_key.c.wrapped).where(
    day_key.c.register == bindparam("register"), day_key.c.day == bindparam("day")
)
_DAY_KEY = select(day_key.c.wrapped).where(day_key.c.id == bindparam("id"))
_ROOT_NAME = "root"
_ROOT = select(root_key.c.wrapped, root_key.c.by).where(root_key.c.name == bindparam("name"))
_LAST = select(func.coalesce(func.max(journal.c.number), 0))


class KeyStore:
    """The key store of one installation.

    Args:
        url: an SQLAlchemy URL; `sqlite:///FILE` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._copy: Copy | None = None
        metadata.create_all(self._database.engine)

    # keys of content

    def add(self, wrapped: Iterable[bytes], by: str) -> list[int]:
        """Keep wrapped keys of content; their ids, in order.

        Args:
            wrapped: the keys.
            by: name of the master key; if another one is in use by now nothing is kept, and there are no ids.
        """
        keys = [(new_id(), one) for one in wrapped]
        with self._database.transaction() as tx:
            if not _is_in_use(tx, by):
                return []
            tx.execute(insert(content_key), [{"id": id_, "wrapped": one} for id_, one in keys])
        return [id_ for id_, _ in keys]

    def take_over(self, keys: Sequence[tuple[int, bytes]]) -> None:
        """Keep wrapped keys that an older version kept elsewhere, under their ids."""
        with self._database.transaction() as tx:
            have = set(tx.execute(select(content_key.c.id)).scalars())
            rows = [{"id": id_, "wrapped": wrapped} for id_, wrapped in keys if id_ not in have]
            if rows:
                tx.execute(insert(content_key), rows)

    def wrapped(self, id_: int) -> bytes:
        """A wrapped key; empty once it is destroyed."""
        with self._database.reading() as tx:
            return bytes(tx.execute(_CONTENT, {"id": id_}).scalar() or b"")

    def wrapped_many(self, ids: Collection[int]) -> dict[int, bytes]:
        """Those of the wrapped keys that there are."""
        wanted = sorted(set(ids))
        found: dict[int, bytes] = {}
        with self._database.reading() as tx:
            for start in range(0, len(wanted), _PIECE):
                part = content_key.c.id.in_(wanted[start : start + _PIECE])
                rows = tx.execute(select(content_key.c.id, content_key.c.wrapped).where(part))
                found |= {int(id_): bytes(wrapped) for id_, wrapped in rows}
        return found

    def ids(self) -> frozenset[int]:
        """Every key of content that there is."""
        with self._database.reading() as tx:
            return frozenset(tx.execute(select(content_key.c.id)).scalars())

    def discard(self, ids: Sequence[int]) -> None:
        """Destroy keys that sealed nothing."""
        with self._database.transaction() as tx:
            for start in range(0, len(ids), _PIECE):
                tx.execute(delete(content_key).where(content_key.c.id.in_(ids[start : start + _PIECE])))

    # keys of days

    def day_key(self, register: str, day: str, fresh: bytes, by: str) -> tuple[int, bytes]:
        """Id and wrapped key of one log on one day.

        Args:
            register: whose log.
            day: which day.
            fresh: becomes the key where there is none yet.
            by: name of the master key; if another one is in use by now nothing is kept, and the answer is empty.
        """
        asked = {"register": register, "day": day}
        with self._database.reading() as tx:
            found = tx.execute(_DAY, asked).first()
        if found is None:
            try:
                with self._database.transaction() as tx:
                    if not _is_in_use(tx, by):
                        return 0, b""
                    tx.execute(insert(day_key), {"id": new_id(), **asked, "wrapped": fresh})
            except IntegrityError:
                pass  # another process was faster: its key counts
            with self._database.reading() as tx:
                found = tx.execute(_DAY, asked).one()
        return int(found.id), bytes(found.wrapped)

    def wrapped_day_key(self, id_: int) -> bytes:
        """The wrapped key of a day; empty once it is destroyed."""
        with self._database.reading() as tx:
            return bytes(tx.execute(_DAY_KEY, {"id": id_}).scalar() or b"")

    def days_until(self, day: str) -> tuple[int, ...]:
        """Keys of this day and of those before it."""
        with self._database.reading() as tx:
            return tuple(tx.execute(select(day_key.c.id).where(day_key.c.day <= day)).scalars())

    def destroy_days(self, ids: Sequence[int]) -> None:
        """Destroy keys of days."""
        with self._database.transaction() as tx:
            tx.execute(delete(day_key).where(day_key.c.id.in_(ids)))
        self._database.scrub()

    # the journal

    def forget(self, deeds: Sequence[Forgotten], least: int = 0) -> tuple[int, int]:
        """Destroy keys and write down that it was done; the number of the last entry before, and of the last one now.

        Old pages leave the file's log with the next `scrub`.

        Args:
            deeds: what is forgotten; one that the journal has already changes nothing.
            least: the first new entry has a higher number than this.
        """
        with self._database.alone() as tx:
            number = max(int(tx.execute(_LAST).scalar_one()), least)
            origins = [one.origin for one in deeds]
            have = set(tx.execute(select(journal.c.origin).where(journal.c.origin.in_(origins))).scalars())
            new = [one for one in deeds if one.origin not in have]
            rows = [_row(Entry(place, one)) for place, one in enumerate(new, number + 1)]
            if rows:
                tx.execute(insert(journal), rows)
            keys = [one.key_id for one in deeds if one.key_id is not None]
            for start in range(0, len(keys), _PIECE):
                tx.execute(delete(content_key).where(content_key.c.id.in_(keys[start : start + _PIECE])))
        if self._copy is not None:
            with suppress(OSError):  # what the copy lacks is added with the next entry, or at the start
                self._copy.follow(self.entries)
        return number, number + len(rows)

    def scrub(self) -> bool:
        """What was deleted leaves the write-ahead log too; whether it has."""
        return self._database.scrub()

    def last(self) -> int:
        """Number of the newest entry; 0 for none."""
        with self._database.reading() as tx:
            return int(tx.execute(_LAST).scalar_one())

    def entries(self, number: int, most: int) -> list[Entry]:
        """Entries behind this number, in order and so many at most."""
        query = select(*journal.c).where(journal.c.number > number).order_by(journal.c.number).limit(most)
        with self._database.reading() as tx:
            return [
                Entry(row.number, Forgotten(row.kind, row.subject, row.at, row.key_id, orjson.loads(row.details),
                                            row.origin))
                for row in tx.execute(query)
            ]  # fmt: skip

    def copy_to(self, copy: Copy) -> int:
        """Keep a copy of the journal; how many entries this store had lost, which are done here again.

        Raises:
            MisconfiguredError: the copy cannot be read or written.
            UntrustedError: copy and journal tell different histories.
        """
        count, newest = 0, copy.last()
        if newest.number:
            shared = min(newest.number, self.last())
            told = copy.since(shared)
            while batch := list(islice(told, _PIECE)):
                lost = [one for one in batch if one.number > shared]
                self._check_shared([one for one in batch if one.number == shared])
                self._do_again(lost)
                count += len(lost)
        if count:
            self.scrub()
        self._copy = copy
        try:
            copy.follow(self.entries)
        except OSError as error:
            raise MisconfiguredError("the copy of the journal cannot be written; see KANTA_JOURNAL_COPY") from error
        return count

    def _check_shared(self, told: Sequence[Entry]) -> None:
        """Whether an entry of the copy stands in the journal under its number."""
        for one in told:
            mine = self.entries(one.number - 1, 1)
            if [(have.number, have.deed.origin) for have in mine] != [(one.number, one.deed.origin)]:
                raise UntrustedError(
                    f"the journal beside the keys and its copy tell different things of entry {one.number}; find out "
                    "which is this installation's, and put the other away (KANTA_JOURNAL_COPY)"
                )

    def _do_again(self, lost: Sequence[Entry]) -> None:
        """Write entries of the copy into the journal, and destroy their keys."""
        if not lost:
            return
        with self._database.alone() as tx:
            tx.execute(insert(journal), [_row(one) for one in lost])
            keys = [one.deed.key_id for one in lost if one.deed.key_id is not None]
            tx.execute(delete(content_key).where(content_key.c.id.in_(keys)))

    # the root, and another master key

    def root(self, fresh: bytes, by: str) -> bytes:
        """The wrapped root of the installation's own keys; `fresh` becomes it where there is none yet.

        Args:
            fresh: a wrapped secret.
            by: name of the master key that wrapped it.
        """
        with self._database.reading() as tx:
            found = tx.execute(_ROOT, {"name": _ROOT_NAME}).first()
        if found is None:
            with self._database.alone() as tx:
                found = tx.execute(_ROOT, {"name": _ROOT_NAME}).first()
                if found is None:
                    tx.execute(insert(root_key), {"name": _ROOT_NAME, "wrapped": fresh, "by": by})
                    return fresh
        return bytes(found.wrapped)

    def by(self) -> str:
        """Name of the master key in use; empty before there is a root."""
        with self._database.reading() as tx:
            found = tx.execute(_ROOT, {"name": _ROOT_NAME}).first()
        return "" if found is None else str(found.by)

    def rewrap(self, change: Callable[[bytes], bytes], by: str) -> int:
        """Put every wrapped key into another wrapping, all or none; their number.

        Args:
            change: from the old wrapping to the new.
            by: name of the new master key.
        """
        count = 0
        with self._database.alone() as tx:
            for table, key in ((content_key, content_key.c.id), (day_key, day_key.c.id), (root_key, root_key.c.name)):
                count += _rewrapped(tx, table, key, change)
            tx.execute(update(root_key).values(by=by))
        self._database.scrub()
        return count

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()


def _row(one: Entry) -> dict[str, Any]:
    """An entry as the journal stores it."""
    deed = one.deed
    return {"number": one.number, "origin": deed.origin, "kind": deed.kind, "subject": deed.subject, "at": deed.at,
            "key_id": deed.key_id, "details": orjson.dumps(dict(deed.details)).decode()}  # fmt: skip


def _is_in_use(tx: Connection, by: str) -> bool:
    found = tx.execute(_ROOT, {"name": _ROOT_NAME}).first()
    return found is None or found.by == by


def _rewrapped(tx: Connection, table: Table, key: Column[int] | Column[str], change: Callable[[bytes], bytes]) -> int:
    rows = [{"place": place, "new": change(bytes(old))} for place, old in tx.execute(select(key, table.c.wrapped))]
    if rows:
        tx.execute(update(table).where(key == bindparam("place")).values(wrapped=bindparam("new")), rows)
    return len(rows)


def new_id() -> int:
    """An id that none had before."""
    return secrets.randbits(_ID_BITS)
