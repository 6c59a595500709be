"""Rules of law: which file carries each out, and which tests show it, by the ids at the end of their docstrings.

* A test shows a rule when its docstring ends with the rule's id in square brackets: `[LOG-05]`, `[LOG-05, CLR-03]`.
* Rules, their sources and our words for them: tests/data/law-rules.yaml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "tests" / "data" / "law-rules.yaml"
ID = re.compile(r"(?:LOG|CLR|ACC|CTL|REC)-\d\d")
MARK = re.compile(rf"\[({ID.pattern}(?:, {ID.pattern})*)\]\s*$")
HEAD = """## The law

What `law.md` calls LOG, CLR, ACC, CTL and REC: logs, the client's right to them, access, controllers and recording.
A test shows a rule when its docstring ends with the rule's id; CI fails when a rule has neither a test nor a reason.
Tests in which every case of a parametrised test counts are named once.
"""


@cache
def rules() -> tuple[Mapping[str, Any], ...]:
    """Every rule, in the order of the file."""
    return tuple(yaml.safe_load(RULES.read_text("utf-8")))


@cache
def shown() -> Mapping[str, tuple[str, ...]]:
    """Rule -> tests that show it, each as file and function below tests/."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for one in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                mark = MARK.search(ast.get_docstring(one) or "")
                for name in ID.findall(mark[1]) if mark else ():
                    found.setdefault(name, []).append(f"{path.relative_to(ROOT / 'tests')}::{one.name}")
    return {name: tuple(tests) for name, tests in found.items()}


def mistakes() -> list[str]:
    """Rules with neither test nor reason, ids that there are not, and files that are not there."""
    known, tests = {one["id"]: one for one in rules()}, shown()
    return [
        *(f"{name}: no rule of this id, but {tests[name][0]} shows it" for name in sorted(tests.keys() - known.keys())),
        *(f"{name}: neither a test nor a reason" for name, one in known.items()
          if name not in tests and not one.keys() & {"not_software", "lacks"}),
        *(f"{name}: no software, and yet shown by {tests[name][0]}" for name, one in known.items()
          if name in tests and "not_software" in one),
        *(f"{name}: {file} is not there" for name, one in known.items() for file in one.get("files", ())
          if not (ROOT / file).exists()),
    ]  # fmt: skip


def page() -> Iterator[str]:
    """The part of the page about the law."""
    yield HEAD
    yield from ("| rule | source | says | carried out by | shown by |", "|---|---|---|---|---|")
    tests = shown()
    for one in rules():
        files = ", ".join(f"`{file}`" for file in one.get("files", ()))
        if one["id"] in tests:
            by = ", ".join(f"`{name}`" for name in tests[one["id"]])
        else:
            files, by = files or "—", one.get("not_software") or f"**lacks**: {one.get('lacks', 'a test')}"
        yield f"| {one['id']} | {one['source']} | {one['text']} | {files} | {by} |"
    yield ""
