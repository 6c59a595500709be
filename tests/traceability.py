"""Rule, clause, file, test: writes docs/traceability.md from contract files and from what tests were seen to do.

Run `python -m tests.traceability` to write it anew.

* A rule counts as tested when one test makes it fire, one does not, and one fails when the rule finds nothing.
* A clock tells a deadline and no finding: it fires when it is overdue.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests import law, references

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = ROOT / "mappings" / "contracts"
NOTICES = ROOT / "mappings" / "notices"
PAGE = ROOT / "docs" / "traceability.md"
TESTS = "tests/unit/contracts"
EVERYWHERE = re.compile(r"\b(?:GEN-\d+|LAA-06)\b")
"""Rules that stand in no contract file, or in all of them."""
HEAD = """# Traceability: rule, clause, file, test

Made by `python -m tests.traceability`; CI fails when it is stale.
A rule counts as tested when one test makes it fire and one does not.
CI takes the effect of each rule away, one at a time, and a test must fail each time.
A *clock* tells a deadline and never a finding on a record; it fires when it is overdue.
A *figure* carries a rule out by its number: it fires where the number is not nothing, and is taken away alike.
"""


@dataclass(frozen=True)
class Traced:
    """One rule of one contract file."""

    contract: str
    place: str
    rule: Mapping[str, Any]
    fired: tuple[str, ...]
    quiet: tuple[str, ...]
    missed_by: str
    """A test that fails when it finds nothing; empty if none does."""

    @property
    def is_clock(self) -> bool:
        """Whether it tells a deadline only."""
        return self.rule.get("tells") == "clock"


def contracts() -> dict[str, Mapping[str, Any]]:
    """Every contract file, and every file of law, by its name."""
    read = (yaml.safe_load(one.read_text("utf-8")) for one in sorted(CONTRACTS.glob("*.yaml")))
    return {one.get("contract") or one["law"]: one for one in read}


def _judged(name: str, file: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """What is judged by a file, by the key of its tracing: rules, and figures that carry rules out."""
    for place, rule in enumerate(file.get("rules", ())):
        yield (name, str(place)), rule
    for figure in file.get("figures", ()):
        for rule in figure.get("rules", ()):
            kind = f"figure `{figure['name']}`"
            yield (
                ("figure", figure["name"]),
                {"id": rule, "clause": figure["clause"], "kind": kind, "severity": "figure"},
            )


def traced() -> list[Traced]:
    """Every rule with the tests that were seen to judge it, and whether one fails without it: runs them twice."""
    with tempfile.TemporaryDirectory() as folder:
        seen, broken = Path(folder) / "seen.json", Path(folder) / "broken.json"
        _run({"TRACE_OUT": str(seen)})
        _run({"TRACE_OUT": str(broken), "TRACE_BREAK": str(seen)})
        found = {(one["contract"], one["place"]): one for one in json.loads(broken.read_text("utf-8"))}
    empty: Mapping[str, Any] = {"fired": [], "quiet": [], "missed": ""}
    return [
        Traced(name, key[1], rule, tuple(told["fired"]), tuple(told["quiet"]), told["missed"])
        for name, file in contracts().items()
        for key, rule in _judged(name, file)
        for told in [found.get(key, empty)]
    ]


def _run(settings: Mapping[str, str]) -> None:
    plugins = ["-p", "tests.tracing", "-p", "no:cacheprovider", "-p", "no:randomly"]  # one order, one page
    command = [sys.executable, "-m", "pytest", "-q", *plugins, TESTS]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"the contract tests fail:\n{ran.stdout[-2000:]}")


def untested(rules: list[Traced]) -> list[str]:
    """Rules that no test makes fire, or none leaves quiet, or whose loss no test notices."""
    return [
        f"{one.contract} {one.rule['id']} {one.rule['kind']}: fires in {len(one.fired)} tests, "
        f"quiet in {len(one.quiet)}, {'missed' if one.missed_by else 'not missed'} when broken"
        for one in rules
        if not (one.fired and one.quiet and one.missed_by)
    ]


def page(rules: list[Traced]) -> str:
    """The page as it should be."""
    lines = [HEAD]
    for name, file in contracts().items():
        lines += [f"## {name}", "", f"[`mappings/contracts/{name}.yaml`](../mappings/contracts/{name}.yaml)", ""]
        lines += [
            "| rule | clause | kind | weighs | fails without it | finds nothing in |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(one) for one in sorted((one for one in rules if one.contract == name), key=_order)]
        lines += ["", *_covered(file), *_figures(file), *_others(file)]
    lines += [*_notices(), *_gateway(), *law.page()]
    return "\n".join(lines).rstrip() + "\n"


def _order(one: Traced) -> tuple[str, bool, str]:
    return (one.rule["id"], not one.place.isdecimal(), one.place.zfill(4))


def _row(one: Traced) -> str:
    weighs = "clock" if one.is_clock else one.rule["severity"]
    file = one.missed_by.split("::")[0]
    beside = next((name for name in one.quiet if name.startswith(f"{file}::")), next(iter(one.quiet), ""))
    return (
        f"| {one.rule['id']} | {one.rule['clause']} | {one.rule['kind']} | {weighs} "
        f"| {_test(one.missed_by)} | {_test(beside)} |"
    )


def _test(name: str) -> str:
    """A test without its parameters."""
    return f"`{name.split('[', maxsplit=1)[0].removeprefix(f'{TESTS}/')}`" if name else ""


def _covered(file: Mapping[str, Any]) -> Iterator[str]:
    """Rules of the law that the contract's own tell."""
    told = sorted({f"{name} by {one['id']}" for one in file.get("rules", ()) for name in one.get("covers", ())})
    if told:
        yield "Covers, of what it inherits: " + ", ".join(told) + "."
        yield ""


def _figures(file: Mapping[str, Any]) -> Iterator[str]:
    named = [one for one in file.get("figures", ()) if one.get("clause") and not one.get("rules")]
    if named:
        yield "Figures: " + ", ".join(sorted({f"`{one['name']}` ({one['clause']})" for one in named})) + "."
        yield ""


def _others(file: Mapping[str, Any]) -> Iterator[str]:
    for key, title, text in (
        ("not_judged", "Not judged, wholly or in part", "reason"),
        ("not_software", "Not software", "instead"),
        ("elsewhere", "The law's, and somebody else's by the contract", "reason"),
    ):
        if file.get(key):
            yield f"{title}:"
            yield ""
            yield from (f"- {one['rule']}: {one[text]['en']}" for one in file[key])
            yield ""


def _notices() -> Iterator[str]:
    """Rules that a notice carries out, by the file of the notice."""
    yield from ("## Notices", "", "Rules that ask for somebody to be told: each with the notice that tells it.", "")
    yield from ("| notice | carries out |", "|---|---|")
    for path in sorted(NOTICES.glob("*.yaml")):
        file = yaml.safe_load(path.read_text("utf-8"))
        link = f"[`{file['notice']}`](../mappings/notices/{path.name})"
        yield f"| {link} | {', '.join(file['carries_out'])} |"
    yield ""


def _gateway() -> Iterator[str]:
    """Rules of no contract file: each with a test that names it in its docstring."""
    named: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for one in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                for rule in set(EVERYWHERE.findall(ast.get_docstring(one) or "")):
                    named.setdefault(rule, []).append(f"`{path.relative_to(ROOT / 'tests')}::{one.name}`")
    yield from ("## The gateway itself", "", "Rules that hold for every source and purchaser.", "")
    yield from ("| rule | shown by |", "|---|---|")
    yield from (f"| {rule} | {', '.join(tests)} |" for rule, tests in sorted(named.items()))
    yield ""


def main() -> None:
    """Write the page; tell what is untested."""
    rules = traced()
    PAGE.write_text(page(rules), "utf-8")
    references.write()
    told = [*untested(rules), *law.mistakes()]
    sys.stdout.write("\n".join(told or [f"{len(rules)} rules, each fires, is quiet, and is missed when broken"]) + "\n")
    sys.exit(bool(told))


if __name__ == "__main__":
    main()
