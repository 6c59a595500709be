"""`codes import` takes exports of the code server in the forms and with the words that such exports have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.installations import installation

from kanta_gateway.errors import MisconfiguredError

OID = "1.2.246.537.6.1221"
CSV = (
    "Sosiaalihuolto - Palvelutehtävä;;;;;\r\n\r\n"
    "CodeId;ShortName;LongName;LongName_sv;BeginDate;ExpireDate\r\n"
    "998;Työik;Työikäisten palvelut;Tjänster för personer i arbetsför ålder;1.1.2017;31.12.2026\r\n"
    "999;Työik;Työikäisten palvelut;Tjänster för personer i arbetsför ålder;1.1.2027;31.12.2999\r\n"
    "20;Vamm;Vammaispalvelut;Funktionshinderservice;2017-01-01;\r\n"
    '97;Muut;"Muut; palvelut";;20170101;\r\n'
)
ROWS = [
    {"CodeId": "998", "LongName": "Työikäisten palvelut", "BeginDate": "2017-01-01T00:00:00",
     "ExpireDate": "2026-12-31"},
    {"CodeId": "999", "LongName": "Työikäisten palvelut", "BeginDate": "2027-01-01", "ExpireDate": None},
    {"CodeId": 20, "LongName": {"fi": "Vammaispalvelut", "sv": "Funktionshinderservice"}, "BeginDate": "2017-01-01"},
]  # fmt: skip
XML = f"""<?xml version="1.0"?>
<codeSystem id="{OID}.202701"><terms>
<term><codeId>998</codeId><attribute type="LongName" language="fi">Työikäisten palvelut</attribute>
<beginDate>2017-01-01</beginDate><expireDate>2026-12-31</expireDate></term>
<term><codeId>999</codeId><attribute type="LongName" language="fi">Työikäisten palvelut</attribute>
<attribute type="LongName" language="sv">Tjänster</attribute><beginDate>2027-01-01</beginDate></term>
</terms></codeSystem>"""


def imported(folder: Path, content: str | bytes, file: str = f"{OID}.201601.csv", **other: str) -> dict[str, Any]:
    """What an import tells."""
    path = folder / file
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    gateway = installation(folder / "data")
    try:
        return gateway.administration.import_codes(gateway.actor(None, None, None), path, **other)
    finally:
        gateway.close()


def codes_on(folder: Path, key: str = "working-age", language: str = "fi") -> list[tuple[str, str, bool]]:
    """Code, display and whether it is verified, on both sides of New Year."""
    gateway = installation(folder / "data")
    codings = [gateway.parts.codes.coding("1221", key, language, day) for day in ("2026-12-31", "2027-01-01")]
    gateway.close()
    return [(one.code, one.display, one.verified) for one in codings]


@pytest.mark.parametrize(
    ("content", "file", "other"),
    [
        (CSV, f"{OID}.201601.csv", {}),
        (CSV.encode("cp1252"), f"koodisto_{OID}.csv", {}),
        (CSV.encode("utf-16"), "export.csv", {"name": "1221"}),
        (CSV.replace(";", "\t").replace("ten\t p", "ten; p"), "export.tsv", {"name": "service-task"}),
        (json.dumps(ROWS), "export.json", {"name": OID}),
        (json.dumps({"version": {"codes": ROWS}}), f"{OID}.json", {}),
        (XML, "export.xml", {"name": "1221"}),
        (XML.replace("<term>", f"<term><codeSystem>{OID}</codeSystem>"), "export.xml", {}),
    ],
)
def test_forms(tmp_path: Path, content: str | bytes, file: str, other: dict[str, str]) -> None:
    """CSV in its encodings and delimiters, JSON and XML give verified rows, dated on both sides of New Year."""
    told = imported(tmp_path, content, file, **other)

    assert (told["list"], told["mistakes"]) == ("1221", [])
    assert "working-age" in told["verified"]
    assert codes_on(tmp_path) == [("998", "Työikäisten palvelut", True), ("999", "Työikäisten palvelut", True)]


def test_known_code_keeps_its_key(tmp_path: Path) -> None:
    """A row with a code that the gateway carries keeps its key; one that is new is known by its code."""
    told = imported(tmp_path, CSV)

    assert codes_on(tmp_path, "disability", "sv")[0] == ("20", "Funktionshinderservice", True)
    assert codes_on(tmp_path, "97")[0] == ("97", "Muut; palvelut", True)
    assert told["columns"]["BeginDate"] == "from"


def test_what_stays_unverified_is_told(tmp_path: Path) -> None:
    """Rows that the export does not have stay as they are, and are named."""
    told = imported(tmp_path, "CodeId;LongName\n20;Vammaispalvelut\n")

    assert told["unverified"] == ["working-age"]
    assert not codes_on(tmp_path)[0][2]


@pytest.mark.parametrize(
    ("content", "file", "expected"),
    [
        (CSV, "export.csv", "name it with --list"),
        (CSV, "1.2.246.537.6.999999.csv", "name it with --list"),
        ("a;b\n1;2\n", f"{OID}.csv", "no column that is known as a code"),
        ("", f"{OID}.csv", "no column that is known as a code"),
        ('{"CodeId": ', f"{OID}.json", "no readable JSON"),
        ("<a><b></a>", f"{OID}.xml", "no well-formed XML"),
    ],
)
def test_unreadable(tmp_path: Path, content: str, file: str, expected: str) -> None:
    """A file that tells no list, no code or nothing at all is refused with the reason; nothing is written."""
    with pytest.raises(MisconfiguredError, match=expected):
        imported(tmp_path, content, file)

    assert not (tmp_path / "data" / "codes").exists()


def test_rows_that_cannot_be_taken(tmp_path: Path) -> None:
    """A date that cannot be read, a row without name, and two codes for one day are told; the good rows are taken."""
    told = imported(
        tmp_path,
        "CodeId;LongName;BeginDate;ExpireDate\n"
        "20;Vammaispalvelut;yesterday;\n"
        "30;;1.1.2017;\n"
        "998;Työikäisten palvelut;1.1.2017;\n"
        "999;Työikäisten palvelut;1.1.2027;\n"
        "24;Lapsiperheiden palvelut;1.1.2017;\n",
    )

    assert told["rows"] == 1
    assert [one.split(":")[0] for one in told["mistakes"]] == ["row 1", "row 2", f"{OID}.201601.csv"]


def test_entities_are_not_read(tmp_path: Path) -> None:
    """An XML export cannot make the gateway read another file."""
    (tmp_path / "secret.txt").write_text("SALAISUUS", "utf-8")
    xml = (f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>'
           "<a><t><code>1</code><name>&x;</name></t><t><code>2</code><name>Kaksi</name></t></a>")  # fmt: skip
    imported(tmp_path, xml, f"{OID}.xml")

    assert "SALAISUUS" not in next((tmp_path / "data" / "codes").glob("*.yaml")).read_text("utf-8")
