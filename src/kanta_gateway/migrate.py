"""Brings the tables of an installation to the present shape (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from kanta_gateway.database import Database

_SCRIPTS = Path(__file__).resolve().parent / "migrations"


def upgrade(database: Database) -> None:
    """Run the migrations that are missing; nothing when the tables are up to date."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    head = ScriptDirectory.from_config(config).get_current_head()
    with database.reading() as tx:
        present = MigrationContext.configure(tx).get_current_revision()
    if present == head:
        return
    with database.transaction() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
