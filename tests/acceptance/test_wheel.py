"""The wheel works by itself: built without a network, installed into an empty folder, used outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.conftest import ROOT

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the locked build backend."""
    place = tmp_path_factory.mktemp("wheel")
    made = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return next(place.glob("*.whl"))


def test_it_carries_the_knowledge(wheel: Path) -> None:
    """Every knowledge file and the licence are in the wheel, and no test or key is."""
    names = set(zipfile.ZipFile(wheel).namelist())
    knowledge = {
        f"kanta_gateway/knowledge/{one.relative_to(ROOT).as_posix()}"
        for folder in ("mappings", "schemas", "certs")
        for one in (ROOT / folder).rglob("*")
        if one.is_file() and "__pycache__" not in one.parts
    }

    assert knowledge - names == set()
    assert any(one.endswith("licenses/LICENSE") for one in names)
    assert [one for one in names if one.startswith("tests") or one.endswith((".pem", ".key"))] == []


def test_it_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Installed into an empty folder, `schemas list` and `check` work from files of the wheel only."""
    place = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-cache-dir",
         "--disable-pip-version-check", "--target", str(place), str(wheel)],
        check=True, timeout=120,
    )  # fmt: skip
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("KANTA_", "PYTHON"))}
    environment = clean | {"PYTHONPATH": str(place), "KANTA_DATA": str(tmp_path / "data"), "HOME": str(tmp_path)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        """One command of the installed package."""
        return subprocess.run(
            [sys.executable, "-m", "kanta_gateway", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    where = subprocess.run(
        [sys.executable, "-c", "import kanta_gateway; print(kanta_gateway.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    listed, checked = run("schemas", "list", "--json"), run("check")

    assert where.stdout.startswith(str(place))
    assert len(json.loads(listed.stdout)["structures"]) == len(
        list((ROOT / "schemas" / "structures").glob("[0-9]*.yaml"))
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
