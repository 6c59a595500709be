"""Papers are made of the configuration in force: whatever they would show changes them, and they name nobody."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree
from tests.installations import installation, sample, take, written

from kanta_gateway.access import statements
from kanta_gateway.access.statements import CONTRACT_CONTENTS
from kanta_gateway.errors import NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Event, Oid
from kanta_gateway.papers.paper import Coded
from kanta_gateway.pipeline.subjects import subjects

PROVIDER, CONTROLLER, CONTRACT = "1.2.246.10.94005128.10.0", "1.2.246.10.94006007.10.0", "NAYTE/1/2025"
OTHER = "1.2.246.10.94009999.10.0"
ALL = (("annex", CONTRACT), ("dpia", CONTROLLER), ("processing-controller", CONTROLLER),
       ("processing-processor", PROVIDER), ("security", ""))  # fmt: skip
LANGUAGES = ("fi", "sv", "en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the installation's data lies."""
    return tmp_path_factory.mktemp("papers")


@pytest.fixture(scope="module")
def gateway(folder: Path) -> Iterator[Gateway]:
    """An installation with clients, and with persons in its register."""
    built = installation(folder / "data")
    take(built, written(folder / "export", sample()))
    stated = [{"kind": "person", "person_id": "P-77", "name": "Salainen Henkilö", "organisation": PROVIDER,
               "role": "provider-system"}]  # fmt: skip
    built.party_book.state(statements.read(stated), built.actor(None, None, None))
    yield built
    built.close()


@pytest.fixture
def caller(gateway: Gateway) -> Caller:
    """Whoever works on the machine."""
    return gateway.actor(None, None, None)


def made(gateway: Gateway, caller: Caller) -> dict[tuple[str, str], bytes]:
    """Every paper in Finnish."""
    return {(name, of): gateway.papers.make(caller, name, of, "fi", "html") for name, of in ALL}


def stale(gateway: Gateway, caller: Caller, papers: dict[tuple[str, str], bytes]) -> dict[str, list[str]]:
    """Papers that are not up to date, and which parts have changed."""
    checked = [gateway.papers.check(caller, content) for content in papers.values()]
    return {one["paper"]: list(one["changed"]) for one in checked if not one["up_to_date"]}


def words(content: bytes) -> str:
    """All text of a Word document, read without the library that made it."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        tree = etree.fromstring(packed.read("word/document.xml"))
    return "\n".join(map(str, tree.itertext()))


def test_papers_are_there_for_everything_registered(gateway: Gateway, caller: Caller) -> None:
    """LAP-18: the record of both kinds, the assessment's input, the annex and the plan's technical part are offered."""
    told = {(one["paper"], one["of"]) for one in gateway.papers.listed(caller, "fi")["papers"]}

    assert set(ALL) == told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "of"), ALL)
def test_both_forms_tell_the_same(gateway: Gateway, caller: Caller, name: str, of: str, language: str) -> None:
    """Every cell of the page stands in the Word document too; the page is well-formed and fit for screen readers."""
    page = gateway.papers.make(caller, name, of, language, "html")
    word = words(gateway.papers.make(caller, name, of, language, "docx"))
    tree = etree.fromstring(page.replace(b"<!DOCTYPE html>\n", b""))
    cells = [one.text for one in tree.iter("td", "th", "p", "h1", "h2") if one.text and one.get("id") != "contents"]

    assert [] == [one for one in cells if one not in word]
    assert tree.get("lang") == language
    assert 1 == len(tree.findall(".//h1"))
    assert all(table.find("caption") is not None for table in tree.iter("table"))
    assert {"col"} == {one.get("scope") for one in tree.iter("th")}
    assert b"{" not in page.split(b"<body>")[1]


def test_no_code_stands_in_a_paper(gateway: Gateway, caller: Caller) -> None:
    """Roles, tasks, record types, places of keys, periods and states have words in each language, and titles names."""
    reader, words_ = gateway.papers._reader(), gateway.papers._templates.words
    with gateway.parts.database.reading() as tx:
        facts = [reader.facts(tx, one, "2026-03-02") for one in subjects(tx)]
    every = {one for each in facts for rows in each.tables.values() for row in rows for one in coded_in(row)}
    coded = {one for one in every if not one.code.startswith("GDPR")}  # the same in every language
    unnamed = {one for one in coded if set(LANGUAGES) != set(words_.lists.get(one.list, {}).get(one.code, {}))}
    titles = [one["title"] for lang in LANGUAGES for one in gateway.papers.listed(caller, lang)["papers"]]

    assert len(coded) > 100
    assert set() == unnamed
    assert [] == [one for one in titles if "{" in one]


def coded_in(value: Any) -> Iterator[Coded]:
    """Every coded value in a row."""
    if isinstance(value, Coded):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from coded_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from coded_in(one)


def test_a_contract_with_its_contents_changes_them(folder: Path, caller: Caller) -> None:
    """A contract that is completed, an approval and an end change the annex and records, and say which part it was."""
    gateway = installation(folder / "contracts")
    take(gateway, written(folder / "export-2", sample()))
    before = made(gateway, caller)
    contract = {"kind": "contract", "processor": PROVIDER, "controller": CONTROLLER, "number": CONTRACT,
                "purchaser": "lapha", **dict.fromkeys(CONTRACT_CONTENTS, "Sovittu liitteessä 3.")}  # fmt: skip
    approval = {"kind": "approval", "processor": PROVIDER, "controller": CONTROLLER, "contract": CONTRACT,
                "sub_processor": OTHER, "name": "Alihankkija Oy", "from": "2026-01-01"}  # fmt: skip
    gateway.party_book.state(statements.read([contract, approval]), caller)
    changed = stale(gateway, caller, before)
    annex = gateway.papers.make(caller, "annex", CONTRACT, "fi", "html").decode()
    after = made(gateway, caller)
    again = stale(gateway, caller, after)
    key = next(one["key"] for one in gateway.party_book.on(caller, None, None, "approval")["register"])
    gateway.party_book.end(key, date(2026, 3, 31), caller)
    ended = stale(gateway, caller, after)
    gateway.close()

    assert ["contents", "risks", "sub_processors"] == sorted({*changed["annex"], *changed["dpia"]})
    assert ["sub_processors"] == changed["processing-processor"]
    assert "PUUTTUU" in before["annex", CONTRACT].decode()
    assert "PUUTTUU" not in annex
    assert "Alihankkija Oy" in annex
    assert {} == again
    assert ["sub_processors"] == ended["annex"]


def test_levels_policy_retention_and_fields_change_them(folder: Path, gateway: Gateway, caller: Caller) -> None:
    """A level, a forbid, a role, a retention time, a notice and a record's field change the papers that show them."""
    before = made(gateway, caller)
    own = folder / "own"
    (own / "mappings/contracts").mkdir(parents=True)
    (own / "mappings/policy").mkdir(parents=True)
    (own / "schemas/records").mkdir(parents=True)
    root = Path(__file__).resolve().parents[2]
    contract = (root / "mappings/contracts/lapha.yaml").read_text("utf-8")
    contract = contract.replace("diagnosis: mask", "diagnosis: drop").replace(
        "given_by: provider\n", "given_by: organiser\n", 1
    )
    (own / "mappings/contracts/lapha.yaml").write_text(contract, "utf-8")
    roles = yaml.safe_load((root / "mappings/policy/roles.yaml").read_text("utf-8"))
    roles["roles"]["auditor"]["rules"][0]["actions"].remove("party:read")
    (own / "mappings/policy/roles.yaml").write_text(yaml.safe_dump(roles), "utf-8")
    schema = json.loads((root / "schemas/records/diary_entry.json").read_text("utf-8"))
    schema["properties"]["weather"] = {"type": "string", "maxLength": 50}
    (own / "schemas/records/diary_entry.json").write_text(json.dumps(schema), "utf-8")
    policy = folder / "data/policy"
    policy.mkdir()
    (policy / "local.cedar").write_text(
        '@id("NIGHT")\nforbid (principal, action, resource) when { context.role == "x" };\n'
    )
    try:
        other = installation(folder / "data", knowledge=str(own), grace_days=7)
        changed = stale(other, caller, before)
        other.close()
    finally:
        (policy / "local.cedar").unlink()

    assert {"levels", "recipients", "record_types", "retention", "roles"} <= set(changed["annex"])
    assert {"levels", "retention", "roles"} <= set(changed["processing-controller"])
    assert {"risks", "retention"} <= set(changed["dpia"])
    assert {"narrowing", "settings", "roles"} <= set(changed["security"])
    assert {"roles", "retention"} <= set(changed["processing-processor"])


def test_nothing_personal_or_secret_stands_in_them(folder: Path, gateway: Gateway, caller: Caller) -> None:
    """No client, no person of the register, no path and no key stands in any paper."""
    export = sample()
    clients = [one.get("henkilo", one) for one in export["asiakkaat"]]
    personal = {str(value) for one in clients for value in one.values() if isinstance(value, str) and len(value) > 5}
    secret = {"P-77", "Salainen", str(folder), "/data", ".pem", "BEGIN ", "master.key"}
    keys = [held for one in (folder / "data/keys").iterdir() if (held := one.read_bytes())]
    texts = [page.decode() for page in made(gateway, caller).values()]
    texts += [words(gateway.papers.make(caller, name, of, "fi", "docx")) for name, of in ALL]

    assert personal
    assert [] == [one for one in (*personal, *secret) for text in texts if one in text]
    assert [] == [one for one in keys for text in texts if one.hex() in text or one.decode("latin-1") in text]


def test_whose_they_are(gateway: Gateway, caller: Caller) -> None:
    """A registrar gets its own organisation's papers and nobody else's; a role without the right gets none."""
    registrar = replace(
        caller, system="x", organisation=Oid(CONTROLLER), role="registrar", purpose="supervision", person_id="R-1"
    )
    stranger = replace(registrar, organisation=Oid(OTHER))
    auditor = replace(caller, system="x", organisation=Oid(OTHER), role="auditor", purpose="audit", person_id="A-1")
    official = replace(registrar, role="purchaser-official")
    own = {one["paper"] for one in gateway.papers.listed(registrar, "en")["papers"]}

    assert {"annex", "dpia", "processing-controller", "processing-processor"} == own
    assert gateway.papers.make(registrar, "dpia", CONTROLLER, "en", "html")
    assert gateway.papers.make(auditor, "security", "", "en", "html")
    assert [] == gateway.papers.listed(stranger, "en")["papers"]
    with pytest.raises(NotFoundError):
        gateway.papers.make(stranger, "dpia", CONTROLLER, "en", "html")
    with pytest.raises(NotFoundError):
        gateway.papers.make(registrar, "security", "", "en", "html")
    with pytest.raises(NotPermittedError):
        gateway.papers.make(official, "dpia", CONTROLLER, "en", "html")


def test_each_making_is_an_entry_and_a_changed_file_is_seen(gateway: Gateway, caller: Caller) -> None:
    """The log tells who made which paper of which configuration; a file that was written over is told from it."""
    paper = gateway.papers.make(caller, "security", "", "en", "docx")
    page = gateway.papers.make(caller, "security", "", "en", "html")
    entries: list[Any] = [json.loads(line) for line in gateway.trail.export("jsonl", caller)]
    told = [one for one in entries if one["event"] == Event.PAPER_MAKE][-1]
    changed = gateway.papers.check(caller, page.replace(b"SQLite", b"PostgreSQL"))

    assert ("security", "html") == (told["subject"], told["details"]["form"])
    assert gateway.papers.check(caller, paper)["file_is_as_made"]
    assert (True, False) == (changed["up_to_date"], changed["file_is_as_made"])
    assert gateway.trail.verify(reconcile=True)["holds"]
    with pytest.raises(ParameterError):
        gateway.papers.check(caller, b"<html></html>")
    with pytest.raises(ParameterError):
        gateway.papers.make(caller, "security", "", "de", "html")
