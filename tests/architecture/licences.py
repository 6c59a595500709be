"""Gate on the licences of everything that runs with the gateway: nothing GPL, LGPL libraries are allowed.

Walks the installed distributions that `kanta-gateway` needs (with its extras), reads their licence
statements and fails on GPL and AGPL, and on a package that states none.
Tools of the tests may be GPL when they are named here: they are installed beside the gateway and never shipped.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = "kanta-gateway"
EXTRAS = ("hsm", "postgres")
PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
TEST_ONLY = {"pymerkle": "second implementation of the tree of the audit log"}
"""Strong copyleft that tests import and nothing that is shipped may."""
LESSER = re.compile(r"\bL(?:esser )?GPL|lesser general public", re.IGNORECASE)
STRONG = re.compile(r"\bA?GPL|general public licen[cs]e", re.IGNORECASE)


def needed(name: str) -> dict[str, Distribution]:
    """Every installed distribution that `name` needs at run time, by name."""
    found: dict[str, Distribution] = {}
    queue: list[tuple[str, tuple[str, ...]]] = [(name, EXTRAS)]
    while queue:
        wanted, extras = queue.pop()
        try:
            installed = distribution(wanted)
        except PackageNotFoundError:
            continue  # behind a marker that does not hold here
        if wanted in found:
            continue
        found[wanted] = installed
        for line in installed.requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                queue.append((requirement.name, tuple(requirement.extras)))
    return found


def statement(installed: Distribution) -> str:
    """What a distribution says about its licence: in its metadata, else in the licence file that it carries."""
    meta = installed.metadata
    classifiers = [line for line in meta.get_all("Classifier") or () if line.startswith("License")]
    said = [(meta.get_all(name) or [""])[0].split("\n", maxsplit=1)[0] for name in ("License-Expression", "License")]
    return "; ".join(filter(None, [*said, *classifiers])) or _carried(installed)


def _carried(installed: Distribution) -> str:
    """First line of the licence file beside the metadata (PEP 639), where the metadata says nothing."""
    files = [one for one in installed.files or () if ".dist-info/licenses/" in str(one)]
    texts = (Path(one.locate()).read_text("utf-8") for one in files if one.name.upper().startswith("LICEN"))
    return next((line.strip() for text in texts for line in text.splitlines() if line.strip()), "")


def faults() -> list[str]:
    """One line per distribution that may not be there."""
    told: list[str] = []
    for name, installed in sorted(needed(ROOT).items()):
        said = statement(installed)
        if not said:
            told.append(f"{name}: states no licence")
        elif name in TEST_ONLY:
            told.append(f"{name}: is for tests only")
        elif is_strong(said):
            told.append(f"{name}: {said}")
    return [*told, *tool_faults()]


def is_strong(said: str) -> bool:
    """Whether a licence statement is GPL or AGPL without another choice."""
    return bool(STRONG.search(LESSER.sub("", said))) and " OR " not in said


def tool_faults() -> list[str]:
    """One line per tool of the tests that is GPL and not named above, or named above and not GPL."""
    told: list[str] = []
    for line in tomllib.loads(PROJECT.read_text("utf-8"))["dependency-groups"]["dev"]:
        name = Requirement(line).name
        try:
            strong = is_strong(statement(distribution(name)))
        except PackageNotFoundError:
            continue
        if strong != (name in TEST_ONLY):
            told.append(f"{name}: a tool of the tests that is {'GPL' if strong else 'not GPL'} against what is named")
    return told


if __name__ == "__main__":
    lines = faults()
    for one in lines:
        sys.stderr.write(one + "\n")
    sys.stdout.write(f"licences of {len(needed(ROOT))} distributions read, {len(lines)} not allowed\n")
    sys.exit(1 if lines else 0)
