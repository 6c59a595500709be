"""What every source file of the gateway keeps to, read from its syntax tree."""

from __future__ import annotations

import ast
import re

import pytest
from tests.architecture.sources import ROOT, SRC, TESTS, calls, functions, modules, name_of

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
LONG_MODULES = {
    "src/kanta_gateway/audit/fhir.py": (340, "one line for each event"),
    "src/kanta_gateway/contracts/reader.py": (310, "one short function for each part of a contract file"),
    "src/kanta_gateway/contracts/rules.py": (320, "dataclasses with their documented fields, and how they are asked"),
    "src/kanta_gateway/intake/service.py": (315, "one method for each use case behind a route"),
    "src/kanta_gateway/tables.py": (475, "every table beside the others"),
    "src/kanta_gateway/intake/api.py": (420, "every route with its guard, and the one handler of errors"),
    "src/kanta_gateway/intake/desk.py": (340, "one delivery from bytes to told result, dry or real"),
    "src/kanta_gateway/intake/readers.py": (340, "three readers of bytes with the same limits"),
    "src/kanta_gateway/intake/values.py": (330, "every kind of value that a source may name, a short function each"),
    "src/kanta_gateway/loading.py": (310, "one line for each kind of file, and what names across files"),
    "src/kanta_gateway/model.py": (450, "dataclasses with their documented fields"),
    "src/kanta_gateway/pipeline/compose.py": (335, "one document from record to draft, with all it depends on"),
    "src/kanta_gateway/privacy/scan.py": (330, "every shape that is found, and one pass over a text"),
    "src/kanta_gateway/transfer/reports.py": (310, "one notice from the row that decides to the answer, and its parts"),
    "src/kanta_gateway/keystore.py": (360, "keys and journal change in one transaction, and the copy follows it"),
    "src/kanta_gateway/pipeline/parts.py": (315, "everything that steps are given, each with its line"),
    "src/kanta_gateway/pipeline/rights.py": (315, "one request from its registration to its answer"),
    "src/kanta_gateway/signing/keys.py": (340, "each kind of signer, and the pair for development"),
    "src/kanta_gateway/pipeline/leaving.py": (305, "one package from its permit to the destruction of the copy"),
    "src/kanta_gateway/pipeline/receive.py": (320, "a delivered record's whole way into the store"),
    "src/kanta_gateway/spool/records.py": (500, "every statement on the record tables in one place"),
    "src/kanta_gateway/spool/store.py": (385, "every statement on the document table in one place"),
}
LONG_FUNCTIONS = {
    "src/kanta_gateway/gateway.py:__init__": (60, "every group of use cases of an installation is named once"),
    "src/kanta_gateway/pipeline/reconciling.py:reconciled": (
        60,
        "each table's claims, and what the log may tell of them",
    ),
    "src/kanta_gateway/loading.py:library": (46, "every kind of file once"),
    "src/kanta_gateway/intake/objects.py:read_record": (
        45,
        "identity, content and findings in the order they are known",
    ),
    "src/kanta_gateway/app.py:build": (85, "the composition root names every part once"),
    "src/kanta_gateway/migrations/versions/0006_sealed_log.py:upgrade": (55, "the tables as they were, frozen"),
    "src/kanta_gateway/migrations/versions/0001_tables.py:upgrade": (210, "the tables as they were, frozen"),
    "src/kanta_gateway/pipeline/export.py:export": (45, "a list of arguments and one loop"),
    "src/kanta_gateway/pipeline/filing.py:load": (45, "one file, from its stamp to what others told"),
    "src/kanta_gateway/pipeline/receive.py:_store": (50, "one transaction, read from top to bottom"),
    "src/kanta_gateway/pipeline/trial.py:tried": (50, "one way from record to told document, and its arguments"),
    "src/kanta_gateway/signing/inspect.py:inspect": (50, "the numbered steps of one check"),
    "src/kanta_gateway/signing/profile.py:header": (70, "one line for each element of the header"),
    "src/kanta_gateway/spool/records.py:add": (50, "one value for each column"),
}
PURE = (
    "access/policy.py", "access/views.py", "audit/merkle.py", "contracts/", "mapping/engine.py", "privacy/minimise.py",
    "privacy/scan.py",
    "notices/due.py", "notices/kinds.py", "notices/lists.py", "notices/states.py", "notices/typereader.py",
    "rights/kinds.py", "rights/pages.py",
    "spool/states.py", "transfer/frame.py", "transfer/receipts.py", "model.py", "errors.py",
)  # fmt: skip
CLOCKS = {"now", "today", "utcnow", "time", "monotonic"}
NATIONAL_OID = re.compile(r"(?<![\d.])1\.2\.246")


def of(tree: ast.AST, name: str) -> list[int]:
    """Lines that call something of this name."""
    return [one.lineno for called, one in calls(tree) if called == name]


def test_no_national_oid() -> None:
    """No national OID stands in the sources: they belong to mappings/ and schemas/."""
    found = [name_of(one) for one in SRC.rglob("*") if one.suffix in {".py", ".mako"}
             if NATIONAL_OID.search(one.read_text("utf-8"))]  # fmt: skip

    assert found == []


@pytest.mark.parametrize("folder", [SRC, TESTS], ids=["src", "tests"])
def test_modules_tell_what_they_are(folder: object) -> None:
    """Every module opens with a sentence for a table of contents."""
    assert isinstance(folder, type(SRC))
    opening = {name: (ast.get_docstring(tree) or "").split("\n")[0] for name, tree in modules(folder).items()}

    assert [name for name, line in opening.items() if len(line) < 20] == []


def test_modules_stay_small() -> None:
    """A module has at most 300 lines, but for a bounded list with reasons, on which nothing stands in vain."""
    lines = {name_of(one): one.read_text("utf-8").count("\n") for one in SRC.rglob("*.py")}
    long = {name: count for name, count in lines.items() if count > MAX_MODULE_LINES}

    assert {name: count for name, count in long.items() if count > LONG_MODULES.get(name, (0, ""))[0]} == {}
    assert set(LONG_MODULES) <= set(lines)


def test_functions_stay_small() -> None:
    """A function has at most 40 lines, but for a bounded list with reasons."""
    lines = {
        f"{name}:{one.name}": (one.end_lineno or one.lineno) - one.lineno + 1
        for name, tree in modules(SRC).items()
        for one in functions(tree)
    }
    long = {name: count for name, count in lines.items() if count > MAX_FUNCTION_LINES}

    assert {name: count for name, count in long.items() if count > LONG_FUNCTIONS.get(name, (0, ""))[0]} == {}
    assert set(LONG_FUNCTIONS) <= set(lines)


def test_transactions_end_in_one_place() -> None:
    """Nobody commits by hand: transactions begin and end in `database` only."""
    found = {name: of(tree, "commit") for name, tree in modules(SRC).items() if not name.endswith("/database.py")}

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_transactions_are_opened_by_few() -> None:
    """Only the pipeline, acts on the installation, `migrate` and `keystore` open a writing transaction."""
    may = (
        "pipeline/",
        "operating/",
        "keystore.py",
        "migrate.py",
        "intake/desk.py",
        "intake/service.py",
        "database.py",
        "spool/oids.py",
        "spool/worker.py",
    )
    found = {name.removeprefix("src/kanta_gateway/"): of(tree, "transaction") for name, tree in modules(SRC).items()}

    assert [name for name, lines in found.items() if lines and not name.startswith(may)] == []


def test_only_commands_print() -> None:
    """Only the command line and the demo talk to standard output."""
    found = {
        name
        for name, tree in modules(SRC).items()
        for called, one in calls(tree)
        if called == "print" and "file" not in {word.arg for word in one.keywords}
    }

    assert {name for name in found if not name.startswith("src/kanta_gateway/cli/")} <= {"src/kanta_gateway/demo.py"}


def test_the_core_has_no_clock() -> None:
    """The pure core never asks what time it is; moments are arguments."""
    core = {
        name: tree for name, tree in modules(SRC).items() if name.removeprefix("src/kanta_gateway/").startswith(PURE)
    }
    found = {name: lines for name, tree in core.items() for clock in CLOCKS if (lines := of(tree, clock))}

    assert len(core) > len(PURE)
    assert found == {}


def test_only_settings_read_the_environment() -> None:
    """The environment becomes settings in `settings`; only the shells hand it over."""
    readers = {
        name.removeprefix("src/kanta_gateway/")
        for name, tree in modules(SRC).items()
        for one in ast.walk(tree)
        if isinstance(one, ast.Attribute) and one.attr in {"environ", "getenv"}
    }

    assert readers <= {"cli/common.py", "demo.py"}


def test_every_test_states_and_asserts() -> None:
    """Every test states a fact in its docstring and asserts something."""
    mute: list[str] = []
    for name, tree in modules(TESTS).items():
        if not name.rpartition("/")[2].startswith("test_"):
            continue
        asserting = _asserting(tree)
        tests = [one for one in functions(tree) if one.name.startswith("test_")]
        mute += [f"{name}:{one.name}" for one in tests if one.name not in asserting or not ast.get_docstring(one)]

    assert mute == []


def _asserting(tree: ast.Module) -> set[str]:
    """Functions of a module that assert, themselves or through another one of the module."""
    found = {
        one.name
        for one in functions(tree)
        if any(isinstance(part, ast.Assert) for part in ast.walk(one))
        or {"raises", "fail"} & {called for called, _ in calls(one)}
    }
    while more := {
        one.name for one in functions(tree) if one.name not in found and found & {called for called, _ in calls(one)}
    }:
        found |= more
    return found


def test_no_rest_of_work() -> None:
    """No source file holds an unfinished note."""
    mark = "TO" + "DO"

    assert [name_of(one) for one in (ROOT / "src").rglob("*.py") if mark in one.read_text("utf-8")] == []
