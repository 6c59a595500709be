"""Real processes for tests: the command line on one data folder, and a simulated archive."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

START_SECONDS = 60.0


class Cli:
    """The command line in real processes, on one data folder."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        clean = {key: value for key, value in os.environ.items() if not key.startswith("KANTA_")}
        self.environment = {**clean, "KANTA_DATA": str(data), **environment}

    def __call__(self, *arguments: str | Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "kanta_gateway", *map(str, arguments)],
            env=self.environment, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start one command and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "kanta_gateway", *map(str, arguments)],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip


class InProcess(Cli):
    """The same commands within this process: much quicker, for tests that start none for its own sake."""

    def __call__(self, *arguments: str | Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:  # noqa: ARG002 — as above
        """Run one command to its end."""
        from kanta_gateway.__main__ import main  # a process that starts others needs nothing of the gateway itself

        written = io.BytesIO(), io.BytesIO()
        out, err = (io.TextIOWrapper(one, "utf-8", write_through=True) for one in written)
        code = 0
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch.object(sys, "argv", ["kanta-gateway", *map(str, arguments)]),
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
        ):  # fmt: skip
            try:
                main()
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        return subprocess.CompletedProcess(
            list(map(str, arguments)), code, *(one.getvalue().decode() for one in written)
        )


class Archive:
    """A simulated archive in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.store = folder / "archive"
        ready = folder / "archive.url"
        self.process = Cli(folder / "unused").start(
            "simulate-archive", "--ready-file", ready, "--store", self.store, *options
        )
        deadline = time.monotonic() + START_SECONDS
        while not (ready.is_file() and ready.read_text("ascii").strip()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the simulated archive did not start")
            time.sleep(0.05)
        self.url = ready.read_text("ascii").strip()

    def stop(self) -> None:
        """End the process that this test started."""
        self.process.terminate()
        self.process.wait(10)
