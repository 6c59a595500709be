"""The auditor's walk-through, done: every command of the page is run, and prints what the page says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.installations import SAMPLE
from tests.processes import Cli

pytestmark = pytest.mark.process

PAGE = Path(__file__).resolve().parents[2] / "docs" / "audit-howto.md"
BLOCKS = re.findall(r"^```(sh|text)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PRINTS = "python3 -I verify.py"


def commands(folder: Path) -> Path:
    """A folder of commands in which `kanta-gateway` and `python3` are those of this environment."""
    folder.mkdir()
    for name, call in (("kanta-gateway", "-m kanta_gateway"), ("python3", "")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {call} "$@"\n', "ascii")
        (folder / name).chmod(0o755)
    return folder


def test_the_page_is_followed(tmp_path: Path) -> None:
    """An auditor with last month's checkpoint, the verifier and an export proves that nothing was changed."""
    cli = Cli(tmp_path / "data", KANTA_SIGNING_ALGORITHM="p-256")
    assert cli("import", SAMPLE, "--source", "lapha-json", "--purchaser", "lapha").returncode == 3
    client = json.loads(SAMPLE.read_text("utf-8"))["asiakkaat"][0]["asiakasnumero"]
    desk = tmp_path / "desk"
    desk.mkdir()
    path = f"{commands(tmp_path / 'bin')}:/usr/bin:/bin"
    environment = {**cli.environment, "PATH": path, "CLIENT": client}
    compared = 0
    for number, (kind, text) in enumerate(BLOCKS):
        if kind == "text":
            continue
        done = subprocess.run(["sh", "-eu"], input=text, cwd=desk, env=environment, capture_output=True, text=True,
                              check=False, timeout=240)  # fmt: skip
        following = BLOCKS[number + 1] if number + 1 < len(BLOCKS) else ("", "")
        if PRINTS in text:
            expected = "".join(re.escape(part).replace("…", ".*") for part in following[1].splitlines(keepends=True))
            assert following[0] == "text"
            assert re.fullmatch(expected, done.stdout), (text, done.stdout, done.stderr)
            assert done.returncode == (0 if following[1].endswith("\nHOLDS\n") else 1)
            compared += 1
        else:
            assert done.returncode == 0, (text, done.stderr)
        if number == 0:  # a month goes by
            assert cli("figures").returncode == 0
    shutil.rmtree(tmp_path / "data")
    again = subprocess.run(
        [sys.executable, "-I", "verify.py", "--key", "log.vkey", "--old", "last-month.txt", "--new", "today.txt",
         "export.jsonl"], cwd=desk, env={}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert compared == 5
    assert again.returncode == 0, again.stdout  # all of the gateway is gone
