"""What every test may ask for: the reference folder, a data folder, a running simulated archive."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import settings
from tests.processes import Archive, Cli

from kanta_gateway import codefiles, loading, official

settings.register_profile("house", deadline=None)  # a busy machine fails no test
settings.load_profile("house")
pytest_plugins = ["tests.databases", "tests.tokens"]

ROOT = Path(__file__).resolve().parents[1]
MEMORY = Path("/dev/shm")  # noqa: S108 — pytest makes a folder of its own in it, for its user only
ROOM = 4 * 1024**3
"""Bytes that a run of all tests never needs."""

# Every commit waits for the disk. What tests store need outlive killed processes, not a power cut: memory will do.
if "PYTEST_DEBUG_TEMPROOT" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)

LONGEST = ("lapha_reference", "purchasers_reference", "api", "crashes", "heinola_reference", "faults", "auditors")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest begin first, so that no process waits for another one at the end."""
    items.sort(key=lambda one: one.path.stem.removeprefix("test_") not in LONGEST)


@pytest.fixture(scope="session", autouse=True)
def files_read_once() -> Iterator[None]:
    """One test process reads the shipped files once, not for each of its installations; what is read is immutable."""
    read, known = loading.load, dict[str, loading.Library]()

    def load(own: Path | None, data: Path, language: str) -> loading.Library:
        imported = (official.FOLDER, codefiles.FOLDER)
        if own is not None or any((data / folder).exists() for folder in imported):
            return read(own, data, language)
        if language not in known:
            one = read(own, data, language)
            known[language] = replace(one, contracts=MappingProxyType(dict(one.contracts)))
        return known[language]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load", load)
        yield


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder with reference material; tests that need it say so when it is not there."""
    folder = Path(os.environ.get("REFERENCE_DIR", ROOT.parent / "shared"))
    if not (folder / "inputs").is_dir():
        pytest.skip("did not run: the reference folder is not there (REFERENCE_DIR, default ../shared)")
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """A faultless simulated archive."""
    one = Archive(tmp_path)
    yield one
    one.stop()


@pytest.fixture
def cli(tmp_path: Path, archive: Archive) -> Cli:
    """The command line on a fresh data folder, with an archive to send to."""
    return Cli(tmp_path / "data", KANTA_ARCHIVE_URL=archive.url)
