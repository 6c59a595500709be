"""Pages made of files and code: record types, kinds of rules, finding codes. Written by `python -m tests.references`.

* `docs/reference-records.md`: every record type with its fields, from `schemas/records`.
* `docs/reference-rules.md`: every kind of rule and figure with what it needs, and every text a rule may name.
* `docs/reference-findings.md`: every finding code with its severity and what it says.
* `docs/reference-views.md`: which role sees what, from `mappings/policy`.
* `tests/data/finding-codes.json`: the codes as released; `--release` writes it anew.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from tests import viewspage

from kanta_gateway import knowledge
from kanta_gateway.contracts.figurekinds import FIGURE_KINDS
from kanta_gateway.contracts.kinds import KINDS
from kanta_gateway.contracts.records import CHECKS
from kanta_gateway.contracts.wholes import CLIENT_CHECKS, DECISION_CHECKS
from kanta_gateway.intake.rules import UNREADABLE
from kanta_gateway.messages import Messages

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
RELEASED = ROOT / "tests/data/finding-codes.json"
MESSAGES = Messages.load(knowledge.texts("mappings/messages"))
CONTRACTS: Mapping[str, Any] = {
    name: yaml.safe_load(text) for name, text in knowledge.texts("mappings/contracts").items()
}  # fmt: skip
_CODE = re.compile(r"[A-Z]{3,4}-[A-Z0-9-]+")
_TYPES = {int: "number", str: "text", dict: "keys and values", list: "list", bool: "true or false", object: "text"}
Codes = dict[str, dict[str, str]]
"""Finding code -> key of its text -> severity."""


def pages() -> dict[Path, str]:
    """Every page with its text."""
    return {
        DOCS / "reference-records.md": "\n".join(_records()) + "\n",
        DOCS / "reference-rules.md": "\n".join(_rules()) + "\n",
        DOCS / "reference-findings.md": "\n".join(_findings()) + "\n",
        DOCS / "reference-views.md": "\n".join(viewspage.page()) + "\n",
    }


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _records() -> Iterator[str]:
    yield from (
        "# Record types", "",
        "Made of `schemas/records` by `python -m tests.references`.",
        "A source's fields, and paths `record.…` of mappings, name these; **bold** ones are needed.",
        "Beside them every record has `id`, and where the source tells them `version`, `cancelled` and `client`.",
    )  # fmt: skip
    frame = {"type", "id", "version", "cancelled", "client"}
    for name, text in knowledge.texts("schemas/records", suffix=".json").items():
        schema = json.loads(text)
        needed = set(schema.get("required", ()))
        yield from ("", f"## `{name}`", "", f"{schema['title']}.", "", "| field | holds |", "|---|---|")
        for field, one in schema["properties"].items():
            if field not in frame:
                yield _row(f"**`{field}`**" if field in needed else f"`{field}`", _holds(one))


def _holds(one: Mapping[str, Any]) -> str:
    """What a field holds, in a few words."""
    if "items" in one:
        return f"list of: {_holds(one['items'])}"
    if "properties" in one:
        return "group: " + ", ".join(f"`{name}`" for name in one["properties"])
    if "enum" in one:
        return "one of " + ", ".join(f"`{word}`" for word in one["enum"])
    return str(one.get("format") or {"string": "text"}.get(one.get("type", ""), one.get("type", "")))


def _rules() -> Iterator[str]:
    yield from (
        "# Kinds of rules and figures", "",
        "Made of code and files by `python -m tests.references`.",
        "A rule has `id`, `kind`, `severity` (`info`, `flag`, `hold`, `refuse`), `clause` and texts.",
        "It may have `records`, `products`, `valid_from`, `valid_to`, `unless` (rules that tell the same),",
        "`unless_words` (word lists that take a record out) and `tells: clock` (a deadline only).",
        "A rule about the client or a decision is asked of the periods that begin while it is in force.",
        "The texts are keys of `mappings/messages`; a purchaser may have its own, in Finnish, Swedish and English.",
        "", "| kind | what it asks | its texts, as contracts use them | needs | may have |", "|---|---|---|---|---|",
    )  # fmt: skip
    for name, kind in sorted(KINDS.items()):
        check: Any = CHECKS.get(name) or CLIENT_CHECKS.get(name) or DECISION_CHECKS.get(name)
        yield _row(f"`{name}`", _asked(check, name), _texts(name), _params(kind.params), _params(kind.optional))
    yield from (
        "", "## Figures", "",
        "A figure has `name` and `kind`, and may have `products` and `clause`.",
        "", "| kind | needs | may have |", "|---|---|---|",
    )  # fmt: skip
    for name, figure in sorted(FIGURE_KINDS.items()):
        yield _row(f"`{name}`", _params(figure.needed), _params(figure.optional))


def _asked(check: Any, kind: str) -> str:
    """The first sentence of what looks, else what a contract's text of this kind says."""
    told = (getattr(check, "__doc__", None) or "").split("\n")[0] if hasattr(check, "__name__") else ""
    if told:
        return told
    return next((f"Tells: {MESSAGES.text(text, 'en')}" for _, text in _used(kind)), "")


def _used(kind: str) -> list[tuple[str, str]]:
    """Name of a text within its kind, and keys of texts that contract files use for it."""
    rules = (rule for contract in CONTRACTS.values() for rule in contract.get("rules", ()) if rule["kind"] == kind)
    named = (one for rule in rules for one in (rule.get("texts") or {"text": rule.get("text", "")}).items())
    return list(dict.fromkeys(named))


def _texts(kind: str) -> str:
    of_name: dict[str, list[str]] = {}
    for name, text in _used(kind):
        of_name.setdefault(name, []).append(f"`{text}`")
    return "; ".join(f"`{name}`: {', '.join(of_name.get(name, ['…']))}" for name in KINDS[kind].texts)


def _params(params: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}` ({_TYPES.get(one, 'value')})" for name, one in params.items())


def codes() -> Codes:
    """Every finding code that code or contract files use."""
    found: Codes = {}
    for rule, (severity, kind) in UNREADABLE.items():
        found.setdefault(rule, {})[kind] = severity.word
    for rule, kind, word in _written():
        found.setdefault(rule, {}).setdefault(kind, word)
    for contract in CONTRACTS.values():
        for one in contract.get("rules", ()):
            for text in (one.get("texts") or {"text": one.get("text", "")}).values():
                told = found.setdefault(one["id"], {})
                told[text] = "/".join(sorted({*filter(None, told.get(text, "").split("/")), one["severity"]}))
    return {rule: dict(sorted(texts.items())) for rule, texts in sorted(found.items())}


def _written() -> Iterator[tuple[str, str, str]]:
    """Code, text and severity that stand beside each other in the source."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        default = "hold" if path.name == "conformance.py" else "refuse"  # what these modules' own functions give
        tree = ast.parse(path.read_text("utf-8"))
        named = {
            one.targets[0].id: one.value
            for one in tree.body
            if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call | ast.Tuple):
                parts = node.args if isinstance(node, ast.Call) else node.elts
                yield from _beside([named.get(getattr(one, "id", ""), one) for one in parts], default)


def _beside(parts: Iterable[ast.expr], default: str) -> Iterator[tuple[str, str, str]]:
    words = [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    weights = [one.attr.lower() for one in parts if isinstance(one, ast.Attribute) and one.attr.isupper()]
    for rule in (one for one in words if _CODE.fullmatch(one)):
        for kind in (one for one in words if one in MESSAGES):
            yield rule, kind, next(iter(weights), default)


def _findings() -> Iterator[str]:
    yield from (
        "# Finding codes", "",
        "Made of code and files by `python -m tests.references`.",
        "A released code keeps its text's key and its severity; what changes stands in the changelog.",
        "`CODE-<number>` stands for every code list: `code-unverified` (in production hold) and `code-not-valid`.",
        "What each contract's rules mean, clause by clause, is on the [traceability](traceability.md) page.",
        "", "| code | severity | text | says |", "|---|---|---|---|",
    )  # fmt: skip
    for rule, texts in codes().items():
        for kind, severity in texts.items():
            yield _row(f"`{rule}`", severity, f"`{kind}`", MESSAGES.text(kind, "en"))


def write() -> None:
    """Write every page."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")


def main() -> None:
    """Write every page; with `--release` the released codes too."""
    write()
    if "--release" in sys.argv:
        RELEASED.write_text(json.dumps({"codes": codes(), "changed": {}}, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
