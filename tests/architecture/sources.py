"""The project's own files as the architecture tests read them: modules parsed once, knowledge files, texts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "kanta_gateway"
TESTS = ROOT / "tests"
DOCS = ROOT / "docs"


def name_of(path: Path) -> str:
    """The path as a reader of the project knows it."""
    return path.relative_to(ROOT).as_posix()


@cache
def modules(folder: Path) -> dict[str, ast.Module]:
    """Every Python file below a folder, parsed, by its path in the project."""
    return {name_of(one): ast.parse(one.read_text("utf-8")) for one in sorted(folder.rglob("*.py"))}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Every function and method of a module."""
    return (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of what is called."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Call):
            yield getattr(one.func, "attr", getattr(one.func, "id", "")), one


@cache
def literals() -> frozenset[str]:
    """Every text literal of the sources."""
    return frozenset(
        one.value
        for tree in modules(SRC).values()
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


@cache
def texts() -> dict[str, dict[str, str]]:
    """The message catalogue: kind -> language -> text."""
    found: dict[str, dict[str, str]] = {}
    for one in sorted((ROOT / "mappings" / "messages").glob("*.yaml")):
        found |= yaml.safe_load(one.read_text("utf-8")) or {}
    return found


@cache
def knowledge_words() -> frozenset[str]:
    """Every key and text value of the knowledge files, the message catalogue itself left out."""
    places = [*(ROOT / "mappings").rglob("*.yaml"), *(ROOT / "schemas").rglob("*.yaml")]
    return frozenset(
        word
        for one in places
        if one.parent.name != "messages"
        for word in _words(yaml.safe_load(one.read_text("utf-8")))
    )


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, str):
        yield value
