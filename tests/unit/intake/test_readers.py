"""Reading of provider formats: every fault brings its finding, order does not matter, nothing is repeated."""

from __future__ import annotations

import io
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kanta_gateway import knowledge
from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.jsontext import loads
from kanta_gateway.intake.kinds import Header, Problem
from kanta_gateway.intake.readers import Item, read, shown
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.messages import Messages
from kanta_gateway.model import Finding, Record, Severity

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests"))
from faulty import (  # type: ignore[import-not-found,unused-ignore]  # noqa: E402 — beside the tests
    SECRET,
    Fault,
    faults,
)

SCHEMAS = RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
SOURCES = load_sources(knowledge.texts("mappings/sources"), SCHEMAS)
FAULTS = faults(seed=1)


def items(data: bytes, source: str = "lapha-json") -> list[Item]:
    """Everything that a file holds."""
    return list(read(SOURCES[source], io.BytesIO(data), "file"))


def found(of: list[Item]) -> list[Finding]:
    """Every finding, on records and beside them."""
    told: list[Finding] = []
    for one in of:
        told += one.findings if isinstance(one, Record) else [one.finding] if isinstance(one, Problem) else []
    return told


def bare(of: list[Item]) -> Counter[str]:
    """The records without where they stand."""
    return Counter(
        repr((r.type, r.id, r.version, r.client, sorted(r.content.items()), r.is_cancelled, r.rest))
        for r in of
        if isinstance(r, Record)
    )


def small(name: str = "lapha-small.json") -> bytes:
    """The small export."""
    return (ROOT / "tests" / "data" / name).read_bytes()


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.stage == "reading"], ids=lambda one: one.name)
def test_fault_brings_its_finding(fault: Fault) -> None:
    """Each fault brings the finding it must, at its place, and no other record is touched."""
    told = found(items(fault.data))
    assert (fault.rule, fault.kind, fault.pointer) in {(one.rule, one.kind, one.pointer) for one in told}
    assert SECRET not in repr(told)
    right, faulty = bare(items(small())), bare(items(fault.data))
    touched = [one for one in right if one not in faulty]
    assert len(touched) <= (1 if fault.record or fault.rule in {"SRC-ID", "SRC-DEPTH"} else len(right))


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.stage == "contract"], ids=lambda one: one.name)
def test_what_a_contract_judges_is_readable(fault: Fault) -> None:
    """What only the contract can judge brings no finding while reading."""
    assert found(items(fault.data)) == []


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.stage == "file"], ids=lambda one: one.name)
def test_unreadable_file_is_an_error(fault: Fault) -> None:
    """A file that is no JSON object is refused whole, with its finding and without its content."""
    with pytest.raises(UnreadableError) as caught:
        items(fault.data)
    assert [one.rule for one in caught.value.findings] == [fault.rule]
    assert SECRET not in str(caught.value)


def test_lines_and_document_hold_the_same_records() -> None:
    """The nested export and its JSON Lines give the same canonical records."""
    assert bare(items(small())) == bare(items(small("lapha-small.jsonl"), "lapha-lines"))


def test_bad_line_leaves_the_others() -> None:
    """A line that cannot be read is told with its number, and every other line is read."""
    lines = small("lapha-small.jsonl").splitlines(keepends=True)
    bad = [b"{\n", b'{"tietue":"asiakas\xff"}\n', b"[" * 10_000 + b"\n", b'{"tietue":"x"}\n', b"3\n"]
    told = items(b"".join([*bad, *lines]), "lapha-lines")
    assert [one.finding.rule for one in told if isinstance(one, Problem)] == [
        "SRC-JSON", "SRC-UTF8", "SRC-DEPTH", "SRC-KIND", "SRC-TYPE",
    ]  # fmt: skip
    assert bare(told) == bare(items(b"".join(lines), "lapha-lines"))


def test_too_long_line_is_refused() -> None:
    """A line over the limit is told once, and the next line is read."""
    told = items(b'{"tietue":"' + b"a" * 11_000_000 + b'"}\n3\n', "lapha-lines")
    assert [one.rule for one in found(told)] == ["SRC-SIZE", "SRC-TYPE"]


def test_byte_order_mark_is_tolerated() -> None:
    """A byte order mark before the document changes nothing."""
    assert bare(items(b"\xef\xbb\xbf" + small())) == bare(items(small()))


def _task(escape: str, padding: int = 0) -> bytes:
    """The small export whose first entry's tasks are an escape, moved forward by so many bytes."""
    export: dict[str, Any] = json.loads(small())
    export["asiakkaat"][0]["valmennuspaivakirja"][0]["tehtavat"] = "@@"
    return json.dumps({"x": "a" * padding, **export}).encode().replace(b"@@", escape.encode())


@pytest.mark.parametrize("escape", ["\\ud800 x", "x \\uDFFF", "\\ud83d\\ud83d", "\\ude00\\ud83d", "\\\\\\ud83d"])
def test_half_a_surrogate_pair_is_told(escape: str) -> None:
    """Half a surrogate pair is a finding on its field and never another character, wherever the stream is cut."""
    at = _task(escape).index(escape.encode())
    for offset in range(-14, 4):
        told = items(_task(escape, 2 * 65_536 - at + offset))
        assert ("SRC-CHARACTER", "/asiakkaat/0/valmennuspaivakirja/0/tehtavat") in {
            (one.rule, one.pointer) for one in found(told)
        }


@pytest.mark.parametrize("escape", ["\\ud83d\\ude42 ja", "\\\\ud83d ja", "\\\\\\\\uD83D", '\\u00e4\\n\\"'])
def test_whole_escapes_are_read_as_they_are(escape: str) -> None:
    """A whole pair, and a backslash that only looks like the beginning of one, stay, wherever the stream is cut."""
    at = _task(escape).index(escape.encode())
    meant = json.loads(f'"{escape}"')
    for offset in range(-14, 4):
        told = items(_task(escape, 2 * 65_536 - at + offset))
        entry = next(one for one in told if isinstance(one, Record) and one.type == "diary_entry")
        assert entry.content["tasks"] == meant


@pytest.mark.parametrize("padding", [0, 65_536, 131_072 - 700])
def test_endless_number_ends_the_reading_only(padding: int) -> None:
    """A number of thousands of digits is a finding, and the process goes on."""
    whole = _task("@@", padding).replace(b'"@@"', b"7" * 5_000)
    with pytest.raises(UnreadableError) as caught:
        items(whole)
    assert [one.rule for one in caught.value.findings] == ["SRC-JSON"]


def test_endless_number_in_a_line_is_told_at_its_field() -> None:
    """In JSON Lines and in a canonical record a number of thousands of digits is told at its field."""
    line = b'{"tietue":"paivakirja","asiakasnumero":"A","kirjausId":"P","kirjaaja":"T1","pvm":"2025-03-03","tunnit":%s}'
    assert {(one.rule, one.pointer) for one in found(items(line % (b"9" * 5_000), "lapha-lines"))} == {
        ("SRC-NUMBER", "/1/tunnit")
    }
    record = b'{"type":"diary_entry","id":"P","client":"A","date":"2025-03-03","recorder":"T1","hours":%s}'
    assert [(one.rule, one.pointer) for one in SCHEMAS.read(record % (b"9" * 5_000))[1]] == [("SRC-LIMIT", "/hours")]


@pytest.mark.parametrize(
    ("header", "rule", "pointer"),
    [
        (SECRET, "SRC-TYPE", ""),
        ({"luotu": SECRET}, "SRC-MOMENT", "/luotu"),
        ({"luotu": [1]}, "SRC-MOMENT", "/luotu"),
        ({"jarjestelma": {"x": 1}}, "SRC-TYPE", "/jarjestelma"),
    ],
)
def test_unreadable_header_is_told(header: Any, rule: str, pointer: str) -> None:
    """What a delivery says of itself and cannot be read is a finding: days are then judged as of another day."""
    export: dict[str, Any] = json.loads(small())
    told = found(items(json.dumps({**export, "vienti": header}).encode()))
    assert [(one.rule, one.pointer) for one in told] == [(rule, f"/vienti{pointer}")]
    assert SECRET not in repr(told)


@pytest.mark.parametrize(
    ("field", "spelt", "target", "meant"),
    [
        ("pvm", "2025-03-04T00:00:00", "date", "2025-03-04"),
        ("pvm", "4.3.2025", "date", "2025-03-04"),
        ("kirjattu", "4.3.2025 klo 14.05", "recorded_at", "2025-03-04T14:05"),
        ("kirjattu", "04.03.2025 14:05:30", "recorded_at", "2025-03-04T14:05"),
        ("kirjattu", "4.3.2025 kl. 9.05", "recorded_at", "2025-03-04T09:05"),
        ("alkoi", "klo 9", "start_time", "09:00"),
    ],
)
def test_spellings_of_days_and_times(field: str, spelt: str, target: str, meant: str) -> None:
    """Days and times as people and systems write them are read, and told as normalised (GEN-05)."""
    export: dict[str, Any] = json.loads(small())
    export["asiakkaat"][0]["valmennuspaivakirja"][0][field] = spelt
    told = items(json.dumps(export).encode())
    entry = next(one for one in told if isinstance(one, Record) and one.type == "diary_entry")
    assert entry.content[target] == meant
    assert [one.rule for one in found(told)] == ["GEN-05"]


@pytest.mark.parametrize("spelt", ["31.2.2025 klo 14.05", "4.3.2025 klo 24.05", "4.3.2025"])
def test_moment_that_does_not_exist(spelt: str) -> None:
    """A moment in the Finnish spelling must exist as any other."""
    export: dict[str, Any] = json.loads(small())
    export["asiakkaat"][0]["valmennuspaivakirja"][0]["kirjattu"] = spelt
    assert [one.rule for one in found(items(json.dumps(export).encode()))] == ["SRC-MOMENT"]


@pytest.mark.parametrize("spelt", ["2025-03-04T00:00:00Z", "2025-03-04T09:00:00"])
def test_moment_is_no_day(spelt: str) -> None:
    """A day is not read from a moment: with an offset it may be another day in Finland."""
    export: dict[str, Any] = json.loads(small())
    export["asiakkaat"][0]["valmennuspaivakirja"][0]["pvm"] = spelt
    assert [one.rule for one in found(items(json.dumps(export).encode()))] == ["SRC-DATE"]


def test_unmapped_is_counted_and_unknown_has_no_name() -> None:
    """A field of the dictionary is counted by name, another only as unknown; neither value is content."""
    export: dict[str, Any] = json.loads(small())
    export["henkilosto"][0]["lempinimi"] = SECRET
    staff = next(one for one in items(json.dumps(export).encode()) if isinstance(one, Record) and one.type == "staff")
    assert staff.dropped == {"kotiosoite": 1, "puhelin": 1, "sahkoposti": 1, "unknown": 1}
    assert SECRET not in repr(staff.content)


def test_every_record_fits_its_schema() -> None:
    """What a source makes is what the schema of its type says."""
    for one in items(small()):
        if isinstance(one, Record):
            client = {"client": one.client} if one.client else {}
            frame = {"type": one.type, "id": one.id, "version": one.version, "cancelled": one.is_cancelled}
            record, told = SCHEMAS.read({**frame, **client, **one.content})
            assert told == ()
            assert record is not None
            assert record.content == one.content


def test_every_kind_has_its_text() -> None:
    """Whatever reading can find has a text in three languages."""
    from kanta_gateway.intake.rules import NORMALISED, UNREADABLE

    texts = Messages.load(knowledge.texts("mappings/messages"))
    assert {kind for _, kind in UNREADABLE.values()} | {NORMALISED[1], "part-unknown"} <= texts.kinds()


ENTRY = {"type": "diary_entry", "id": "a", "client": "K", "date": "2025-09-01", "recorder": "H1", "hours": 5}


@pytest.mark.parametrize(
    ("change", "rule", "pointer"),
    [
        ({"nimi": SECRET}, "SRC-FIELD", "/nimi"),
        ({"date": "2025-02-30"}, "SRC-DATE", "/date"),
        ({"date": None}, "SRC-MISSING", "/date"),
        ({"hours": "5"}, "SRC-TYPE", "/hours"),
        ({"hours": 25}, "SRC-LIMIT", "/hours"),
        ({"mode": SECRET}, "SRC-CHOICE", "/mode"),
        ({"start_time": "25:00"}, "SRC-TIME", "/start_time"),
        ({"recorded_at": "eilen"}, "SRC-MOMENT", "/recorded_at"),
        ({"tasks": f"{SECRET}\x00"}, "SRC-CHARACTER", "/tasks"),
        ({"tasks": "a" * 100_001}, "SRC-LENGTH", "/tasks"),
        ({"type": "unheard"}, "SRC-KIND", "/type"),
        ({"type": "client", "identity_code": "010190-9000"}, "SRC-IDENTITY-CODE", "/identity_code"),
    ],
)
def test_canonical_fault(change: dict[str, Any], rule: str, pointer: str) -> None:
    """A canonical record that does not fit is refused with rule and pointer, never with the value."""
    record, told = SCHEMAS.read({**ENTRY, **change})
    assert record is None
    assert (rule, pointer) in {(one.rule, one.pointer) for one in told}
    assert all(one.severity >= Severity.HOLD for one in told)
    assert SECRET not in repr([dict(one.params) for one in told])


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"[" * 10_000 + b"]" * 10_000, "SRC-DEPTH"),
        (b'{"a":"\xff"}', "SRC-UTF8"),
        (b'{"a":1,"a":2}', "SRC-TWICE"),
        (b'{"a":NaN}', "SRC-JSON"),
        (b"{", "SRC-JSON"),
        (b'"' + b"a" * (11 << 20) + b'"', "SRC-SIZE"),
    ],
)
def test_unreadable_body(data: bytes, rule: str) -> None:
    """Bytes that are no JSON value of ours are refused with their rule."""
    with pytest.raises(UnreadableError) as caught:
        loads(data)
    assert [one.rule for one in caught.value.findings] == [rule]


@pytest.mark.reference
def test_reference_export() -> None:
    """The reference export gives exactly the ids and versions of its expected result, without findings."""
    folder = Path(os.environ.get("REFERENCE_DIR", ROOT.parent / "shared")) / "inputs" / "lapha"
    if not folder.is_dir():
        pytest.skip(f"no reference folder at {folder}; set REFERENCE_DIR")
    told = items((folder / "export.json").read_bytes())
    expected = json.loads((folder / "expected.json").read_text("utf-8"))["records"]
    rows = [one for one in told if isinstance(one, Record) and one.is_row]
    assert Counter((one.id, one.version) for one in rows) == Counter((one["id"], one["version"]) for one in expected)
    assert found(told) == []
    assert any(isinstance(one, Header) and str(one.as_of) == "2025-12-30" for one in told)


def test_one_mistake_is_told_once() -> None:
    """A value that breaks two words of its schema at once brings one finding of each rule."""
    record = {"type": "diary_entry", "id": "P", "client": "A", "date": SECRET, "recorder": "T1"}
    assert [(one.rule, one.pointer) for one in SCHEMAS.read(record)[1]] == [("SRC-DATE", "/date")]


def test_a_kind_that_numbers_no_versions_has_states() -> None:
    """Of a record without version column other content is a new state, so that what waits can be corrected (GEN-06)."""
    records = [one for one in items(small()) if isinstance(one, Record)]
    keyed = {one.type: one.is_keyed for one in records}

    assert keyed["absence"]
    assert not keyed["diary_entry"]
    assert not keyed["client"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("paivakirja.csv", "paivakirja.csv"),
        ("vienti_2025-11-30.csv", "vienti_2025-11-30.csv"),
        ("010594Y9032.csv", "*****.csv"),
        ("asiakas_010594y9032_2025.xlsx", "asiakas_*****_2025.xlsx"),
        ("010594-9032", "*****"),
    ],
)
def test_a_file_name_is_told_without_identity_codes(name: str, expected: str) -> None:
    """Findings are stored and logged: a code in the name of a file is in neither."""
    assert shown(name) == expected

    told = list(read(SOURCES["heinola-csv"], io.BytesIO(b"no table"), name))
    assert all("9032" not in repr(one) for one in told)
