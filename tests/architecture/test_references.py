"""Reference pages are made of what they describe, and finding codes are stable."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from tests.references import RELEASED, ROOT, Codes, codes, pages

_OF_GATEWAY = re.compile(r"(API|CODE|DOC|GEN|PRI|SIG|SRC|STR)-[A-Z0-9-]*[A-Z0-9]")


def stated() -> dict[str, Any]:
    """The released codes, and those of them that were changed since, with the reason."""
    value: dict[str, Any] = json.loads(RELEASED.read_text("utf-8"))
    return value


def lost(released: Codes, present: Codes) -> dict[str, str]:
    """Released codes that are gone or weigh otherwise: `code text` -> what happened."""
    told: dict[str, str] = {}
    for rule, texts in released.items():
        for kind, severity in texts.items():
            now = present.get(rule, {}).get(kind)
            if now != severity:
                told[f"{rule} {kind}"] = "gone" if now is None else f"{severity} -> {now}"
    return told


def test_pages_are_current() -> None:
    """Record types, kinds of rules and finding codes are on their pages as they are (`python -m tests.references`)."""
    assert [path.name for path, text in pages().items() if path.read_text("utf-8") != text] == []


def test_every_code_is_listed() -> None:
    """Every finding code that stands anywhere in the source is on the page of codes, but for a code list's own."""
    known = codes()
    found = {
        node.value
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _OF_GATEWAY.fullmatch(node.value)
    }

    found.remove("SIG-CERT")  # the beginning of several

    assert sorted(found - known.keys()) == []


def test_released_codes_are_stable() -> None:
    """A released code is not removed and weighs the same, unless `changed` gives the reason."""
    value = stated()
    changed: dict[str, str] = value["changed"]

    assert {one: told for one, told in lost(value["codes"], codes()).items() if not changed.get(one)} == {}
    assert sorted(changed.keys() - lost(value["codes"], codes())) == []


def test_a_change_is_seen() -> None:
    """A code without its text, and one of another severity, are told; a new one is not."""
    before: Codes = {"SRC-X": {"a": "hold", "b": "info"}, "SRC-Y": {"c": "flag"}}
    after: Codes = {"SRC-X": {"a": "refuse"}, "SRC-Y": {"c": "flag", "d": "info"}, "SRC-Z": {"e": "info"}}

    assert lost(before, after) == {"SRC-X a": "hold -> refuse", "SRC-X b": "gone"}
