"""`kanta-gateway check` on an installation's own files: every sort of mistake in every kind of file, all at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.processes import InProcess

from kanta_gateway import knowledge


def text(path: str, **changes: str) -> str:
    """A file of the package with words replaced, each once."""
    value = knowledge.text(path)
    for old, new in changes.items():
        assert old in value
        value = value.replace(old, new, 1)
    return value


SOURCE = """\
format: csw
purchaser: [heinola]
forms: [decimal-coma]
as_of: [daet]
contract: heinla
tables:
  diary:
    records: [entri]
    label: Nro
  other: [1]
records:
  entry:
    type: diary_entri
    id: Nro
  good:
    type: diary_entry
    key: [dat]
    fields:
      Pvm: {date: daet, neded: true}
      Tunnit: {nummber: hours}
      Kuvaus: {text: tasks, limit: pitkä}
      Läsnä: {mark: present, date: date}
      Tila: {choice: mode}
      Pvm: {date: date}
  nameless:
    type: diary_entry
"""
CONTRACT = """\
contract: c
source: "1"
colour: red
products:
  - {code: A, class: KT, name: X, services: Kuntouttava, service_task: working-ages, service: rehabilitative-work,
     limits: {months: [12, 3], day_per_week: [1, 4]}}
rules:
  - {id: C-1, kind: contract-knwn, severity: refuse, clause: "1", text: contract-unknown}
  - {id: C-2, kind: contract-known, severity: refse, clause: "1", text: contract-unknwn}
  - {kind: contract-known, severity: refuse, clause: "1", text: contract-unknown}
  - {id: C-3, kind: contract-known, severity: refuse, clasue: "1", text: contract-unknown}
  - {id: C-4, kind: content, severity: flag, clause: "1", records: [diary_entri], fields: hours, text: content-empty}
words: 5
titles: {registerd: [a]}
take: {heinola-csw: good-rows}
"""
CODES = """\
name: k
number: "77777"
oid: 1.2.3
title: T
source: S
rows:
  - {key: a, code: 5, display: {fi: a, sv: b}, verified: true}
  - {key: b, code: "5", dispaly: {fi: a, sv: b}, verified: ture}
  - {key: c, code: "5", display: {fi: a, sv: b}, verified: true}
  - {key: c, code: "6", display: {fi: a, sv: b}, verified: true, valid_from: 2026-02-30}
"""
RECORD = """\
{"type": "object", "x-abot": "client", "x-day": "daet", "required": ["type", "hours"], "x-period": "covring",
 "properties": {
  "type": {"const": "visitt"},
  "date": {"type": "strng", "format": "date", "x-fact": "yes"}}}
"""
FILES: Mapping[str, str] = {
    "mappings/sources/own.yaml": SOURCE,
    "mappings/sources/tab.yaml": "format: csv\nrecords:\n\tentry: {}\n",
    "mappings/sources/own2.yml": "format: csv\n",
    "mappings/source/lost.yaml": "format: csv\n",
    "mappings/contracts/own.yaml": CONTRACT,
    "mappings/codes/own.yaml": CODES,
    "mappings/messages/own.yaml":
        'one: {fi: x, sv: y}\ncontract-unknown: {fi: a, sv: b, en: c}\nthree: {fi: "a {b", sv: a, en: 5}\n'
        'four: {fi: "a {b", sv: a, en: b}\n',
    "mappings/documents/19007.yaml": text(
        "mappings/documents/19007.yaml", **{"[diary_entry]": "[diary_entri]", "record.mode": "recrd.mode"}
    ),
    "mappings/documents/19012.yaml": text("mappings/documents/19012.yaml", **{"use: author": "use: autor"}),
    "mappings/policy/roles.yaml": text(
        "mappings/policy/roles.yaml", **{"record:submit": "record:sbmit", "    scope: own": "    scop: own"}
    ),
    "mappings/privacy.yaml": "marks: 5\n",
    "schemas/records/visit.json": RECORD,
    "schemas/display.yaml": "fi: [\n",
}  # fmt: skip
EXPECTED = (
    ("mappings/codes/own.yaml:7: ", "rows 1 code: expected text, found a number; put it in quotes"),
    ("mappings/codes/own.yaml:8: ", "dispaly is not known here; remove it or correct its name; did you mean display?"),
    ("mappings/codes/own.yaml:8: ", "verified: expected true or false, found text"),
    ("mappings/codes/own.yaml:8: ", "display is missing; is it dispaly?"),
    ("mappings/codes/own.yaml:10: ", "2026-02-30 looks like a date or number and is none"),
    ("mappings/codes/own.yaml:10: ", "row c: key stands twice for the same day"),
    ("mappings/contracts/own.yaml:3: ", "colour is not known"),
    ("mappings/contracts/own.yaml:5: ", "products 1 services: expected a list, found text"),
    ("mappings/contracts/own.yaml:5: ", "code list service-task has no row working-ages; did you mean working-age?"),
    ("mappings/contracts/own.yaml:6: ", "months: the lowest value is above the highest"),
    (
        "mappings/contracts/own.yaml:6: ",
        "day_per_week is not known; remove it or correct its name; did you mean days_per_week?",
    ),
    ("mappings/contracts/own.yaml:8: ", "there is no kind of rule contract-knwn; did you mean contract-known?"),
    ("mappings/contracts/own.yaml:9: ", "severity: expected one of info, flag, hold, refuse; did you mean refuse?"),
    (
        "mappings/contracts/own.yaml:9: ",
        "there is no text contract-unknwn; add it to a file of messages; did you mean contract-unknown?",
    ),
    ("mappings/contracts/own.yaml:10: ", "id is missing"),
    ("mappings/contracts/own.yaml:11: ", "clause is missing"),
    ("mappings/contracts/own.yaml:11: ", "clasue is not known; remove it or correct its name; did you mean clause?"),
    ("mappings/contracts/own.yaml:12: ", "records: diary_entri is no record type; did you mean diary_entry?"),
    ("mappings/contracts/own.yaml:12: ", "fields: expected a list"),
    ("mappings/contracts/own.yaml:13: ", "words: expected a list, found a number"),
    (
        "mappings/contracts/own.yaml:14: ",
        "registerd is not known; remove it or correct its name; did you mean registered?",
    ),
    ("mappings/contracts/own.yaml:15: ", "there is no source heinola-csw; did you mean heinola-csv?"),
    ("mappings/documents/19007.yaml:4: ", "there is no record type diary_entri; did you mean diary_entry?"),
    ("mappings/documents/19007.yaml:15: ", "nothing is called recrd here"),
    (
        "mappings/documents/19012.yaml:",
        "there is no shared group autor; add it, or correct the name; did you mean author?",
    ),
    ("mappings/messages/own.yaml:1: ", "one: en is missing"),
    ("mappings/messages/own.yaml:2: ", "contract-unknown has its text in another file already"),
    ("mappings/messages/own.yaml:3: ", "three en: expected text, found a number"),
    ("mappings/messages/own.yaml:4: ", "four fi: a brace is not closed"),
    ("mappings/policy/roles.yaml:9: ", "scop is not known here; remove it or correct its name; did you mean scope?"),
    ("mappings/policy/roles.yaml:12: ", "found record:sbmit; did you mean record:submit?"),
    ("mappings/privacy.yaml: ", "does not have the form it should have"),
    ("mappings/source/lost.yaml: ", "there is no folder mappings/source; did you mean mappings/sources?"),
    ("mappings/sources/own.yaml:1: ", "found csw; did you mean csv?"),
    (
        "mappings/sources/own.yaml:2: ",
        "purchaser is not known here; remove it or correct its name; did you mean purchasers?",
    ),
    ("mappings/sources/own.yaml:3: ", "found decimal-coma; did you mean decimal-comma?"),
    ("mappings/sources/own.yaml:4: ", "no record here has a field daet; did you mean date?"),
    ("mappings/sources/own.yaml:5: ", "there is no contract heinla; did you mean heinola?"),
    ("mappings/sources/own.yaml:8: ", "entri is no record of this source; did you mean entry?"),
    ("mappings/sources/own.yaml:10: ", "tables other: expected keys and values, found a list"),
    ("mappings/sources/own.yaml:13: ", "there is no record type diary_entri; did you mean diary_entry?"),
    ("mappings/sources/own.yaml:17: ", "dat is no field of diary_entry; did you mean date?"),
    (
        "mappings/sources/own.yaml:20: ",
        "nummber is not known here; remove it or correct its name; did you mean number?",
    ),
    ("mappings/sources/own.yaml:21: ", "Kuvaus limit: expected a whole number, found text"),
    ("mappings/sources/own.yaml:22: ", "Läsnä: names mark and date"),
    ("mappings/sources/own.yaml:23: ", "Tila: choice needs of"),
    ("mappings/sources/own.yaml:24: ", "Pvm stands twice, first on line 19"),
    ("mappings/sources/own.yaml:26: ", "nameless: has neither id nor constant_id nor key"),
    ("mappings/sources/own2.yml: ", "its name must end in .yaml"),
    ("mappings/sources/tab.yaml:3: ", "a tab stands at the beginning"),
    ("mappings/sources/latin.yaml: ", "is not UTF-8"),
    ("schemas/display.yaml:", "no readable YAML"),
    (
        "schemas/records/visit.json:1: ",
        "x-abot is not known here; remove it or correct its name; did you mean x-about?",
    ),
    ("schemas/records/visit.json:1: ", "x-day: there is no field daet; did you mean date?"),
    ("schemas/records/visit.json:1: ", "required: there is no field hours"),
    ("schemas/records/visit.json:1: ", "x-period: expected one of"),
    ("schemas/records/visit.json:3: ", 'expected {"const": "visit"}'),
    ("schemas/records/visit.json:4: ", "found strng; did you mean string?"),
    ("schemas/records/visit.json:4: ", "x-fact: expected true or false, found text"),
)
"""Where, and what must be told there."""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with every faulty file."""
    folder = tmp_path / "own"
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, "utf-8")
    (folder / "mappings/sources/latin.yaml").write_bytes("format: csv # ä\nrecords: {}\n".encode("latin-1"))
    return folder


def test_every_mistake_is_told_at_once(own: Path, tmp_path: Path) -> None:
    """One run tells each mistake of each file with its line and the nearest word, and nothing of other files."""
    done = InProcess(tmp_path / "data", KANTA_KNOWLEDGE=str(own))("check", "--json")
    told = json.loads(done.stdout)["mistakes"]
    untold = [
        (place, what) for place, what in EXPECTED if not [one for one in told if one.startswith(place) and what in one]
    ]

    assert untold == []
    assert 1 == done.returncode
    assert "Traceback" not in done.stderr
    assert {one.partition(":")[0] for one in told} == {place.partition(":")[0] for place, _ in EXPECTED}


def test_no_command_starts_with_a_mistake(own: Path, tmp_path: Path) -> None:
    """Every other command tells the same and does nothing."""
    done = InProcess(tmp_path / "data", KANTA_KNOWLEDGE=str(own))("status")

    assert 1 == done.returncode
    assert "mappings/contracts/own.yaml:8: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """A misspelt KANTA_KNOWLEDGE is told, and not taken for an installation without own files."""
    done = InProcess(tmp_path / "data", KANTA_KNOWLEDGE=str(tmp_path / "nowhere"))("check")

    assert 1 == done.returncode
    assert "there is no folder" in done.stdout
