"""What tracked files keep to: dependencies, licences, documentation, commands that exist."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from tests.architecture.licences import faults, needed
from tests.architecture.sources import DOCS, ROOT, SRC, modules, name_of
from typer.main import get_command

from kanta_gateway.cli import app

PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
MACHINE = re.compile(r"/(?:home|Users)/\w+/|/work/(?:main|shared)\b|/root/\.")
INDEX = re.compile(r"https?://[\w.-]+/(?:[\w/-]*/)?simple\b|--(?:extra-)?index-url\s+http|files\.pythonhosted")
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".jsonl", ".lock", ".mako", ".css", ".txt", ""}


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the project, as git knows them; outside a checkout whatever lies in its folders."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode == 0 and told.stdout:
        return tuple(path for name in told.stdout.split("\0") if name and (path := ROOT / name).is_file())
    return tuple(
        one for folder in ("src", "tests", "docs", "mappings", "schemas") for one in (ROOT / folder).rglob("*")
    )


def test_no_machine_and_no_index() -> None:
    """No tracked file names a folder of somebody's machine or a package index."""
    found = [
        name_of(one)
        for one in tracked()
        if one.suffix in TEXT and one.name != Path(__file__).name
        and (MACHINE.search(text := one.read_text("utf-8", "replace")) or INDEX.search(text))
    ]  # fmt: skip

    assert found == []


def test_the_map_of_the_use_cases_is_whole() -> None:
    """Every module of the pipeline stands once on the page for readers, and every package of the source does."""
    page = (DOCS / "reading-the-code.md").read_text("utf-8")
    packages, use_cases = (part.split("\n## ", 1)[0] for part in page.split("\n## ")[2:4])
    named = re.findall(r"`(\w+)`", use_cases.split("|---|---|", 1)[1])
    folders = {one.parent.name for one in SRC.glob("*/__init__.py")} - {"migrations"}

    assert sorted(named) == sorted(one.stem for one in (SRC / "pipeline").glob("*.py") if one.stem != "__init__")
    assert folders <= set(re.findall(r"`(\w+)`", packages))


def test_no_private_key_is_tracked() -> None:
    """No tracked file holds a private key."""
    mark = "PRIVATE " + "KEY-----\n"

    assert [name_of(one) for one in tracked() if mark in one.read_text("utf-8", "replace")] == []


def test_lock_pins_everything() -> None:
    """Every line of the lock file pins one version with hashes, and no index is named."""
    lines = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", " ").splitlines()
    pins = [line for line in lines if line.strip() and not line.startswith("#")]

    assert len(pins) > 30
    assert [
        line[:60] for line in pins if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_lock_has_what_the_project_asks_for() -> None:
    """Every dependency of pyproject.toml, the development group and the extra postgres stand in the lock file."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*told["project"]["dependencies"], *told["project"]["optional-dependencies"]["postgres"],
             *told["dependency-groups"]["dev"]]  # fmt: skip
    pinned = set(
        re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    )

    assert {_plain(one) for one in asked} - {_plain(one) for one in pinned} == set()


def _plain(requirement: str) -> str:
    """Name of a requirement as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=; ]", requirement, maxsplit=1)[0]).lower()


def test_licences() -> None:
    """Nothing that runs with the gateway is GPL, and everything states a licence."""
    assert faults() == []
    assert {"lxml", "cryptography", "SQLAlchemy"} <= set(needed("kanta-gateway"))


def test_decisions_are_numbered_without_gaps() -> None:
    """Decision records are numbered from 1 without gaps, and each says what it rejects and what enforces it."""
    files = sorted((DOCS / "adr").glob("*.md"))
    numbers = [int(one.name[:4]) for one in files]

    assert numbers == list(range(1, len(files) + 1))
    assert [one.name for one in files if not {"Rejected", "Enforced by"} <= set(_headings(one))] == []


def _headings(page: Path) -> list[str]:
    return re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project leads to one that is there, and every named test exists."""
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    named = re.findall(r"`(tests/[\w/.-]+)`", text)

    assert [one for one in links if not (page.parent / one).exists()] == []
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_index_leads_to_every_page() -> None:
    """The index of the documentation leads to every page but the decisions, which it names as a folder."""
    text = (DOCS / "index.md").read_text("utf-8")

    assert [one.name for one in DOCS.glob("*.md") if one.name != "index.md" and f"({one.name})" not in text] == []
    assert "(adr/)" in text


def commands() -> list[tuple[str, str]]:
    """Every use of the command in documentation: page, command line."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        text = page.read_text("utf-8")
        uses = re.findall(r"kanta-gateway ((?!\[)[a-z-]+[^`\n|#]*)", "\n".join(_code(text)))
        found += [(name_of(page), one.split(" &")[0].strip().rstrip(")")) for one in uses]
    return found


def _code(text: str) -> list[str]:
    """Indented lines, fenced blocks and words in backticks."""
    return [*re.findall(r"^    (.+)$", text, re.MULTILINE), *re.findall(r"`([^`\n]+)`", text)]


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_documented_commands_exist(page: str, line: str) -> None:
    """Every command in the documentation exists, with the options that it is shown with."""
    command, words = get_command(app), shlex.split(line.replace("…", ""))
    common = {name for one in command.params for name in one.opts}
    while words and (found := getattr(command, "commands", {}).get(words[0])):
        command, words = found, words[1:]
    known = common | {name for one in command.params for name in (*one.opts, *one.secondary_opts)}

    assert command.name, f"{page}: {line}"
    assert not hasattr(command, "commands") or not [one for one in words if not one.startswith("-")], f"{page}: {line}"
    assert [one for one in words if one.startswith("--") and one.partition("=")[0] not in known] == [], (
        f"{page}: {line}"
    )


def test_finnish_terms_have_a_glossary_entry() -> None:
    """Every Finnish term in a docstring is explained, but for the words that masking is about."""
    told = " ".join(
        re.sub(r"`[^`]*`", "", ast.get_docstring(one) or "")
        for name, tree in modules(SRC).items()
        if "/privacy/" not in name
        for one in ast.walk(tree)
        if isinstance(one, ast.Module | ast.ClassDef | ast.FunctionDef)
    )
    glossary = (DOCS / "glossary.md").read_text("utf-8").casefold()
    terms = {one.casefold() for one in re.findall(r"\b\w*[åäö]\w*\b", told)} | {"turvakielto", "soteri", "laatija"}

    assert sorted(one for one in terms if one not in glossary) == []


def test_make_targets_exist() -> None:
    """Every `make` command in the documentation is a target of the Makefile, and CI calls the README's test command."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        one for page in PAGES for line in _code(page.read_text("utf-8")) for one in re.findall(r"^make ([a-z]+)", line)
    }

    assert {"demo", "test"} <= named
    assert named <= targets
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
