"""The key store: wrapped keys and the journal of what was destroyed, in a database apart from the gateway's own.

* It holds no content and the gateway's database holds no key: a backup of either alone opens nothing.
* A key is durable before anything is sealed with it; a key that sealed nothing does no harm.
* A key and the note that it was destroyed change in one transaction.
* Ids are drawn at random, so that none comes twice, whichever file was restored.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from kanta_gateway.database import Database

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")
_ID_BITS = 62
"""A signed 64-bit column, with a bit to spare."""

day_key = Table(
    "day_key", metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("register", String(128), nullable=False),     # whose log: an OID, or `system`, or `log`
    Column("day", String(10), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("day_key_once", "register", "day", unique=True),
)  # fmt: skip

_DAY = select(day_key.c.id, day_key.c.wrapped).where(
    day_key.c.register == bindparam("register"), day_key.c.day == bindparam("day")
)
_DAY_KEY = select(day_key.c.wrapped).where(day_key.c.id == bindparam("id"))


class KeyStore:
    """The key store of one installation.

    Args:
        url: an SQLAlchemy URL; `sqlite:///FILE` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        metadata.create_all(self._database.engine)

    def day_key(self, register: str, day: str, fresh: bytes) -> tuple[int, bytes]:
        """Id and wrapped key of one log on one day; `fresh` becomes the key where there is none yet."""
        asked = {"register": register, "day": day}
        with self._database.reading() as tx:
            found = tx.execute(_DAY, asked).first()
        if found is None:
            try:
                with self._database.transaction() as tx:
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

    def close(self) -> None:
        """Give all connections back."""
        self._database.close()


def new_id() -> int:
    """An id that none had before."""
    return secrets.randbits(_ID_BITS)
