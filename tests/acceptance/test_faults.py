"""The table of faults in real processes: whatever is killed, lost, late or wrong, the end state is the same."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults_table import ROWS, Row, Sight, look
from tests.faults_world import documents, faults
from tests.processes import Archive, Cli
from tests.small_export import Change, entry_id, export, write

from kanta_gateway.app import build
from kanta_gateway.settings import Settings

pytestmark = pytest.mark.process
EXPORT = export(3, 3, Change(entry_id(2, 1)))
LEASE_SECONDS, TIMEOUT_SECONDS = 3, 1
PATIENCE_SECONDS = 90.0
"""Of the tests, not of the gateway: a machine may be busy."""
TRIES = 6
Documents = list[tuple[str, int, str, int, str]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Documents]:
    """Folders to copy (`empty`, `imported`, the export), and the documents of a run without faults."""
    folder = tmp_path_factory.mktemp("undisturbed")
    path = write(folder / "export.json", EXPORT)
    settings = Settings(data=folder / "imported", signing_algorithm="p-256")
    build(settings).close()
    shutil.copytree(folder / "imported", folder / "empty")
    gateway = build(settings)
    gateway.deliveries.import_files([path], "lapha-json", "lapha", gateway.actor(None, None, None))
    wanted = [(*one[:4], "archived") for one in documents(gateway.parts.database)]
    gateway.close()
    assert len(wanted) == 18
    return folder, wanted


class Scene:
    """One data folder, one archive store, and the processes that a test starts on them."""

    def __init__(self, folder: Path, sample: Path, step: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.lease_seconds = LEASE_SECONDS
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._started: list[subprocess.Popen[str]] = []
        self._begins_as = sample / ("empty" if step == "import" else "imported")
        self.reset()
        self.command: tuple[str | Path, ...] = ("deliver", "--until-empty", "--json")
        if step == "import":
            self.command = ("import", sample / "export.json", "--source", "lapha-json", "--purchaser", "lapha")

    def cli(self, url: str = "") -> Cli:
        """The command line on this folder."""
        return Cli(
            self.data, KANTA_ARCHIVE_URL=url or self.url, KANTA_SIGNING_ALGORITHM="p-256",
            KANTA_LEASE_SECONDS=str(self.lease_seconds), KANTA_ARCHIVE_TIMEOUT_SECONDS=str(TIMEOUT_SECONDS),
        )  # fmt: skip

    def start(self, url: str = "") -> subprocess.Popen[str]:
        """Start the command that is disturbed."""
        self._started.append(self.cli(url).start(*self.command))
        return self._started[-1]

    def reset(self) -> None:
        """The data folder as it is when the command begins."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self._begins_as, self.data)

    def archive(self, *fault: str) -> Archive:
        """Start the archive on its store and its port."""
        (self.folder / "archive.url").unlink(missing_ok=True)
        options = [option for one in fault for option in ("--fault", one)]
        one = Archive(self.folder, "--port", str(self.port), *options)
        self._started.append(one.process)
        return one

    def sight(self) -> Sight:
        """What can be seen now."""
        return look(self.data, self.folder / "archive")

    def deliver(self) -> None:
        """Deliver until nothing is left."""
        for _ in range(TRIES):
            told = self.cli()("deliver", "--until-empty", "--json", timeout=PATIENCE_SECONDS)
            if told.returncode == 0:
                return
            time.sleep(1)
        pytest.fail(f"documents are left: {told.stdout}{told.stderr}")

    def kept(self) -> list[dict[str, Any]]:
        """What the archive says it keeps."""
        with urllib.request.urlopen(f"{self.url}/contents") as answer:  # noqa: S310 — loopback
            told: list[dict[str, Any]] = json.load(answer)["documents"]
        return told

    def end(self) -> None:
        """End what this test started."""
        for one in self._started:
            if one.poll() is None:
                one.kill()
            one.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.fixture
def scene(tmp_path: Path, undisturbed: tuple[Path, Documents], request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A scene for the step of the row."""
    row = request.node.callspec.params.get("row") if hasattr(request.node, "callspec") else None
    one = Scene(tmp_path, undisturbed[0], row.step if row else "deliver")
    yield one
    one.end()


def end_state(scene: Scene) -> tuple[Documents, list[str]]:
    """The documents, and everything that an end state must not have."""
    gateway = build(Settings(data=scene.data, signing_algorithm="p-256"))
    try:
        return documents(gateway.parts.database), faults(gateway, scene.kept())
    finally:
        gateway.close()


@pytest.mark.parametrize("row", ROWS, ids=[one.told for one in ROWS])
def test_table_of_faults(scene: Scene, undisturbed: tuple[Path, Documents], row: Row) -> None:
    """Each document is archived exactly once, none is lost, and the log holds. [CTL-06, REC-05]"""
    archive = scene.archive(*row.faults) if row.has_archive and row.step == "deliver" else None
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        command = scene.start("" if row.has_archive else f"http://127.0.0.1:{deaf.getsockname()[1]}")
        if row.moment is not None:
            command = _strike(scene, row, command, archive)
    if row.heals:
        if archive is not None and archive.process.poll() is None:
            archive.process.kill()
            archive.process.wait(10)
        scene.archive()
    if row.is_repeated:
        again = scene.cli()(*scene.command, timeout=PATIENCE_SECONDS)
        assert again.returncode == 0, again.stderr
    if command.wait(PATIENCE_SECONDS) != 0:  # it was killed, or it left work for the next one
        scene.deliver()

    assert (undisturbed[1], []) == end_state(scene)


def _strike(scene: Scene, row: Row, command: subprocess.Popen[str], archive: Archive | None) -> subprocess.Popen[str]:
    """Wait for the row's moment and kill what it says; gives the command."""
    assert row.moment is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not row.moment(scene.sight()):
        assert time.monotonic() < deadline, "the moment did not come"
        if command.poll() is not None and row.step == "import":  # too short a moment for this try: begin again
            scene.reset()
            command = scene.start()
        time.sleep(0.001)
    if "archive" in row.kills and archive is not None:
        archive.process.kill()
        archive.process.wait(10)
    if "command" in row.kills:
        command.kill()
        assert command.wait(10) == -9, "the command was faster than its killer"
    return command


def test_two_workers_at_once(scene: Scene, undisturbed: tuple[Path, Documents]) -> None:
    """Two workers on one folder share the work; no document is sent twice. [REC-16]"""
    scene.archive("slow")
    scene.lease_seconds = 60
    workers = [scene.start(), scene.start()]

    assert [0, 0] == [one.wait(PATIENCE_SECONDS) for one in workers]
    assert (undisturbed[1], []) == end_state(scene)
    assert {1} == {one["received"] for one in scene.kept()}


def test_two_importers_and_a_worker_at_once(tmp_path: Path, undisturbed: tuple[Path, Documents]) -> None:
    """The same export imported twice at once while a worker sends: the documents of one import."""
    one = Scene(tmp_path, undisturbed[0], "import")
    try:
        one.archive()
        importers = [one.start(), one.start()]
        one.deliver()
        assert [0, 0] == [process.wait(PATIENCE_SECONDS) for process in importers]
        one.deliver()

        assert (undisturbed[1], []) == end_state(one)
    finally:
        one.end()
