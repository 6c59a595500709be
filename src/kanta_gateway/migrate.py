"""Brings the tables of an installation to the present shape (Alembic, which is loaded only when there is work for it).

A migration's file is called after its revision, and each comes after the one before it: the last name is the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from kanta_gateway.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

Seal = Callable[[str, str, int, bytes], tuple[int, bytes]]
TakeOver = Callable[[Sequence[tuple[int, bytes]]], None]
_SCRIPTS = Path(__file__).resolve().parent / "migrations"


def is_in_use(database: Database) -> bool:
    """Whether the database has tables of some version already."""
    with database.reading() as tx:
        return _present(tx) is not None


def newest() -> str:
    """The revision that the tables have when every migration has run."""
    return max(path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))


def _present(tx: Connection) -> str | None:
    """The revision of the tables as they are; None if there are none."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    found: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(
    database: Database, seal: Seal | None = None, take_over: TakeOver | None = None, *, revision: str = "head"
) -> None:
    """Run the migrations that are missing; nothing when the tables are up to date.

    Args:
        database: the database.
        seal: seals rows of the log that an older version wrote open; register, day, place and row come in.
        take_over: keeps the wrapped keys, by id, that an older version kept in the database.
        revision: how far; an older shape is of use to whoever looks at an older installation.
    """
    with database.reading() as tx:
        if _present(tx) == (newest() if revision == "head" else revision):
            return
    from alembic import command  # noqa: PLC0415 — most starts find the tables up to date
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with database.transaction() as tx:
        config.attributes |= {"connection": tx, "seal": seal, "take_over": take_over}
        command.upgrade(config, revision)
