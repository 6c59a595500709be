"""The worked example: whoever does what the page says gets what the page shows, without a line of Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.pages import Command, File, Shell, is_shown, steps

PAGE = Path(__file__).resolve().parents[2] / "docs/howto-new-purchaser.md"
STEPS = list(steps(PAGE.read_text("utf-8")))
MAX_YAML_LINES = 100


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder that knows the command `kanta-gateway`."""
    command = tmp_path / "bin" / "kanta-gateway"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kanta_gateway "$@"\n')
    command.chmod(0o755)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("KANTA_")}
    (tmp_path / "work").mkdir()
    return Shell(tmp_path / "work", {**clean, "PATH": f"{command.parent}:{clean['PATH']}"})


def test_the_page_does_what_it_says(shell: Shell, tmp_path: Path) -> None:
    """Files are saved and commands run as written, and each prints what stands below it."""
    wrong: list[str] = []
    for step in STEPS:
        if isinstance(step, File):
            path = tmp_path / "work" / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.content, "utf-8")
            continue
        printed = shell.run(step.text)
        if not is_shown(step.shown, printed):
            wrong += [f"$ {step.text}", *printed, "", "the page shows:", *step.shown, ""]

    assert wrong == [], "\n".join(wrong)


def test_the_example_is_short() -> None:
    """The purchaser and the format together are less than a hundred lines of YAML."""
    own = [one for one in STEPS if isinstance(one, File) and one.path.startswith("own/") and one.path.endswith(".yaml")]

    assert sorted(one.path.split("/")[2] for one in own) == ["contracts", "sources"]
    assert sum(one.content.count("\n") for one in own) < MAX_YAML_LINES


def test_the_page_shows_something() -> None:
    """A command is not passed over in silence: those of the gateway all show what they print."""
    asked = [one for one in STEPS if isinstance(one, Command) and "kanta-gateway" in one.text]

    assert len(asked) >= 6
    assert [one.text for one in asked if not [line for line in one.shown if line != "…"]] == []
