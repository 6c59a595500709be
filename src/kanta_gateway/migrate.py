"""Brings the tables of an installation to the present shape (Alembic)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from kanta_gateway.database import Database

Seal = Callable[[str, str, int, bytes], tuple[int, bytes]]
TakeOver = Callable[[Sequence[tuple[int, bytes]]], None]
_SCRIPTS = Path(__file__).resolve().parent / "migrations"


def is_in_use(database: Database) -> bool:
    """Whether the database has tables of some version already."""
    with database.reading() as tx:
        return MigrationContext.configure(tx).get_current_revision() is not None


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
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    wanted = ScriptDirectory.from_config(config).get_revision(revision).revision
    with database.reading() as tx:
        present = MigrationContext.configure(tx).get_current_revision()
    if present == wanted:
        return
    with database.transaction() as tx:
        config.attributes |= {"connection": tx, "seal": seal, "take_over": take_over}
        command.upgrade(config, revision)
