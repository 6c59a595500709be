"""Pages that are carried out: their files are written, their commands run, and what these print is compared.

* ```` ```LANGUAGE file=PATH ```` is a file of that content.
* ```` ```console ```` holds commands behind `$ `, each followed by what it prints; `…` stands for any text, on a line
  of its own for any lines.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page says to save."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command and what the page says that it prints."""

    text: str
    shown: tuple[str, ...]


def steps(page: str) -> Iterator[File | Command]:
    """What a page says to do, in its order."""
    for language, path, body in _FENCE.findall(page):
        if path:
            yield File(path, body)
        elif language == "console":
            yield from _commands(body)


def _commands(body: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield Command(command, tuple(shown))


def is_shown(shown: tuple[str, ...], printed: list[str]) -> bool:
    """Whether lines were printed as a page shows them, each and in this order."""
    lines = (r"(?:.*\n)*?" if one == ANYTHING else re.escape(one).replace(ANYTHING, ".*") + r"\n" for one in shown)
    return re.fullmatch("".join(lines), "".join(f"{one}\n" for one in printed)) is not None


class Shell:
    """A person's shell in one folder: what is exported stays."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)

    def run(self, command: str) -> list[str]:
        """Carry out one command; the lines that it printed."""
        if command.startswith("export "):
            self._environment |= dict(one.split("=", 1) for one in command.split()[1:])
            return []
        done = subprocess.run(
            ["bash", "-c", command], cwd=self._folder, env=self._environment, capture_output=True, text=True,
            timeout=240, check=False,
        )  # fmt: skip
        return (done.stdout + done.stderr).splitlines()
