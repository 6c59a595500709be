"""Texts, settings, events and error codes are complete: nothing is told without words, no words are left over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields

import yaml
from tests.architecture.sources import DOCS, ROOT, SRC, calls, functions, knowledge_words, literals, modules, texts

from kanta_gateway import errors
from kanta_gateway.messages import LANGUAGES
from kanta_gateway.model import Event
from kanta_gateway.settings import Settings


def every_error(kind: type[errors.GatewayError] = errors.GatewayError) -> Iterator[type[errors.GatewayError]]:
    """The whole error tree."""
    yield kind
    for one in kind.__subclasses__():
        yield from every_error(one)


def emitted() -> dict[str, str]:
    """Kinds that the sources emit as a literal, with the place: in `Finding(…)` and through functions that make one."""
    found: dict[str, str] = {}
    for name, tree in modules(SRC).items():
        places = {"Finding": 2} | _makers(name.rpartition("/")[0])
        for called, call in calls(tree):
            if called not in places:
                continue
            start = places[called]
            given = [*call.args[start : start + 1], *(one.value for one in call.keywords if one.arg == "kind")]
            for one in given:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    found[one.value] = f"{name}:{call.lineno}"
    return found


def _makers(package: str) -> dict[str, int]:
    """Functions of a package that make a finding of the kind that they are given, with the argument's position."""
    found: dict[str, int] = {}
    for name, tree in modules(SRC).items():
        if name.rpartition("/")[0] != package:
            continue
        for one in functions(tree):
            names = [argument.arg for argument in (*one.args.posonlyargs, *one.args.args) if argument.arg != "self"]
            passed = {
                part.id for called, call in calls(one) if called == "Finding" for part in ast.walk(call)
                if isinstance(part, ast.Name)
            }  # fmt: skip
            if "kind" in names and "kind" in passed:
                found[one.name] = names.index("kind")
    return found


def test_every_kind_has_its_texts() -> None:
    """Every kind of finding that the sources emit has a text in the catalogue."""
    found = emitted()

    assert len(found) > 20
    assert {kind: place for kind, place in found.items() if kind not in texts()} == {}


def test_every_contract_rule_has_its_texts() -> None:
    """Every text that a contract file asks for stands in the catalogue."""
    asked: set[str] = set()
    for one in (ROOT / "mappings" / "contracts").glob("*.yaml"):
        asked |= _asked(yaml.safe_load(one.read_text("utf-8")))

    assert len(asked) > 0
    assert sorted(asked - set(texts())) == []


def _asked(value: object) -> set[str]:
    """Values of `texts`, `text` and `duty` anywhere in a contract file."""
    found: set[str] = set()
    if isinstance(value, dict):
        for key, one in value.items():
            if key in {"text", "kind_of_text", "duty"} and isinstance(one, str):
                found.add(one)
            elif key in {"texts", "duty"} and isinstance(one, dict):
                found |= {word for word in one.values() if isinstance(word, str)}
            else:
                found |= _asked(one)
    elif isinstance(value, list):
        for one in value:
            found |= _asked(one)
    return found


def test_every_text_in_three_languages() -> None:
    """Every text is there in Finnish, Swedish and English, and asks for the same parameters in each."""
    braces = re.compile(r"{(\w+)}")
    uneven = [
        kind
        for kind, by_language in texts().items()
        if set(by_language) != set(LANGUAGES)
        or len({frozenset(braces.findall(one)) for one in by_language.values()}) > 1
    ]

    assert uneven == []


def test_no_text_is_left_over() -> None:
    """Every text is told by something: a literal of the sources, a rule of a knowledge file, or an error."""
    codes = {f"error-{one.code}" for one in every_error()}

    assert sorted(set(texts()) - literals() - knowledge_words() - codes) == []


def test_every_error_has_its_text() -> None:
    """Every error has a code of its own, a text, and a message that is never empty."""
    kinds = list(every_error())

    assert len(kinds) == len({one.code for one in kinds})
    assert [one.code for one in kinds if f"error-{one.code}" not in texts()] == []
    assert [one.code for one in kinds if not str(one())] == []


def test_every_setting_is_documented() -> None:
    """The page of settings names every setting, with the default that the code has, and no other."""
    page = (DOCS / "reference-settings.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `KANTA_([A-Z0-9_]+)` \|\s*`?([^|`]*?)`?\s*\|", page, re.MULTILINE))
    have = {one.name.upper(): str(one.default) for one in fields(Settings)}

    assert have == {name: value.strip() for name, value in rows.items()}


def test_every_event_is_documented() -> None:
    """The page on the audit log names every event, and no other."""
    page = (DOCS / "reference-audit.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `([a-z]+:[a-z-]+)` \|", page, re.MULTILINE))

    assert {one.value for one in Event} == rows
