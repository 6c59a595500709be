"""SQLite or PostgreSQL: engine and transactions; the tables are in `tables`.

* Only `pipeline` (and the worker's short housekeeping) opens a transaction; stores get the connection.
* SQLite: WAL, `synchronous=FULL`, one writer at a time (`BEGIN IMMEDIATE`), `secure_delete`.
* What stands in every commit goes to the driver as it is: around a call the library does more than the call itself.
* PostgreSQL: plain read-committed transactions; the audit head is locked before an append.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from kanta_gateway.errors import DatabaseUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ClauseElement, Connection, Engine


class Plain:
    """A statement that is put together once and goes to the driver as it is, for what stands in every commit.

    Values and rows are the driver's own; so are its faults, which `Database` turns into ours all the same.

    Args:
        statement: one whose parameters all have names.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, str] = {}

    def first(self, tx: Connection) -> Any:
        """The first row of what it finds; None: there is none."""
        with closing(tx.connection.cursor()) as cursor:
            cursor.execute(self._text(tx))
            return cursor.fetchone()

    def each(self, tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry it out with each of these parameters."""
        with closing(tx.connection.cursor()) as cursor:
            cursor.executemany(self._text(tx), rows)

    def _text(self, tx: Connection) -> str:
        name = tx.dialect.name
        if name not in self._texts:
            dialect = sqlite.dialect(paramstyle="named") if name == "sqlite" else tx.dialect
            self._texts[name] = str(self._statement.compile(dialect=dialect))
        return self._texts[name]


_BUSY_MILLISECONDS, _SCRUB_MILLISECONDS = 60_000, 500
PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON",
    f"busy_timeout={_BUSY_MILLISECONDS}",
)  # fmt: skip
"""How SQLite works here: durable at every commit, and what is deleted is overwritten."""

_ALONE = text("SELECT pg_advisory_xact_lock(7032023001)")  # any number that nothing else here locks


class Database:
    """One database and its transactions.

    Args:
        url: an SQLAlchemy URL; `sqlite:///FILE` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self.engine: Engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._fault: type[Exception] = self.engine.dialect.loaded_dbapi.OperationalError
        self._reading = self.engine.execution_options(kanta_reading=True)
        if not self.is_sqlite:
            self._reading = self._reading.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One writing transaction; commits at the end, rolls back on any exception."""
        with self._mapped(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """One writing transaction that no other of its kind overlaps: what it reads is still so when it commits.

        SQLite has one writer anyway; PostgreSQL takes a lock until the commit.
        """
        with self.transaction() as connection:
            if not self.is_sqlite:
                connection.execute(_ALONE)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One reading transaction with one snapshot; whatever it wrote is rolled back."""
        with self._mapped(), self._reading.connect() as connection:
            yield connection
            connection.rollback()

    def scrub(self) -> bool:
        """What was deleted leaves the write-ahead log too; whether it has, or a reader kept it for the moment.

        SQLite overwrites deleted content in the file (`secure_delete`), and old pages stay in the log until it is
        written back and cut. PostgreSQL frees the old rows; its own log and its backups are its operator's.
        """
        if not self.is_sqlite:
            with self._mapped(), self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql("VACUUM")
            return True
        raw = self.engine.raw_connection()
        try:
            raw.cursor().execute(f"PRAGMA busy_timeout={_SCRUB_MILLISECONDS}")  # nobody waits for a long reader
            busy, _, _ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:  # a writer holds the file
            return False
        else:
            return not busy
        finally:
            raw.cursor().execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
            raw.close()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn connection faults, the library's and the driver's, into our own error; programming faults stay."""
        try:
            yield
        except (OperationalError, self._fault) as error:
            reason = _reason(error.orig if isinstance(error, OperationalError) else error)
            raise DatabaseUnavailableError(
                f"the database did not carry out the request ({reason}), and nothing of it was stored. "
                "Look at its disk and its own log, then try again."
            ) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnavailableError from error
            raise


def _reason(error: BaseException | None) -> str:
    """SQLite's own words, which name tables and never a value; of another driver the kind of the error."""
    return str(error) if isinstance(error, sqlite3.Error) else type(error).__name__


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(  # a message of the library never holds a stored value
        url, connect_args={"timeout": 60, "check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is too late for one writer at a time
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("kanta_reading", False)
        connection.connection.cursor().execute("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")

    return engine
