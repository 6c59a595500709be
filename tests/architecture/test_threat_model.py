"""The threat model names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = re.findall(r"`(tests/[^`]+)`", (ROOT / "docs" / "threat-model.md").read_text("utf-8"))


@pytest.mark.parametrize("named", sorted(set(LINES)))
def test_named_test_exists(named: str) -> None:
    """Every line of the threat model names a test function that is there."""
    path, _, function = named.partition("::")
    tree = ast.parse((ROOT / path).read_text("utf-8"))

    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_threat_names_one() -> None:
    """No line of a table is without its test."""
    rows = [
        line for line in (ROOT / "docs" / "threat-model.md").read_text("utf-8").splitlines() if line.startswith("| ")
    ]
    threats = [line for line in rows if not line.startswith("| threat")]

    assert len(threats) >= 15
    assert all("`tests/" in line for line in threats)
