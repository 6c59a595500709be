"""Tables of a provider, delivered again in other orders and forms: what is the same stays, what changed replaces."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from tests.calling import Fresh
from tests.faulty_tables import SECRET, TABLES, Fault, Sheet, faults, paths, sheet
from tests.installations import documents, installation

from kanta_gateway.access.parties import agreements
from kanta_gateway.errors import ConflictError, UnreadableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.spool import store
from kanta_gateway.web import application

Rows = list[dict[str, Any]]
FAULTS = {one.name: one for one in faults(27)}
WHOLE = 30
"""Rows of the sample: two clients, 24 days, two absences, two evaluations."""


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A development installation."""
    return installation(tmp_path / "data")


def take(gateway: Gateway, files: Sequence[Path]) -> Rows:
    """Import files; the rows of the result."""
    caller = gateway.actor(None, None, None)
    return list(gateway.deliveries.import_files(files, "heinola-csv", "heinola", caller).rows())


def files(folder: Path, *changed: Sheet, encoding: str = "cp1252") -> list[Path]:
    """The sample with some tables changed, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    every = {name: sheet(name) for name in TABLES} | {one.name: one for one in changed}
    made = []
    for name, one in every.items():
        made.append(folder / f"{name}.csv")
        made[-1].write_bytes(one.data(encoding))
    return made


def shuffled(name: str, seed: int) -> Sheet:
    """A table in another order of rows and columns, with new row numbers."""
    one, draw = sheet(name), random.Random(seed)
    draw.shuffle(one.rows)
    if one.header[0] == "Rivi":
        for number, cells in enumerate(one.rows, 501):
            cells[0] = str(number)
    order = list(range(len(one.header)))
    draw.shuffle(order)
    one.header = [one.header[at] for at in order]
    one.rows = [[cells[at] for at in order] for cells in one.rows]
    return one


def counted(rows: Rows) -> dict[str, int]:
    """Outcome -> how many rows."""
    return dict(Counter(row["outcome"] for row in rows))


def cells_of(data: bytes, encoding: str = "cp1252") -> list[list[str]]:
    """A file as another reader sees it."""
    return list(csv.reader(io.StringIO(data.decode(encoding), newline=""), delimiter=";"))


def test_the_sample_is_clean(gateway: Gateway) -> None:
    """Every row of the sample stands, and each diary, absence and evaluation is one document."""
    rows = take(gateway, paths())

    assert {"reference": 2, "accepted": 28} == counted(rows)
    assert 28 == len(documents(gateway))
    assert "asiakkaat:1001" in {row["id"] for row in rows}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "mac_roman", "iso8859-15"])
def test_moved_rows_are_no_changes(gateway: Gateway, tmp_path: Path, encoding: str) -> None:
    """Other order of rows, columns and files, other numbers, another encoding: nothing of it is new."""
    take(gateway, paths())
    before = documents(gateway)
    again = take(gateway, files(tmp_path / "again", *(shuffled(name, 7) for name in TABLES), encoding=encoding)[::-1])

    assert {"duplicate": WHOLE} == counted(again)
    assert before == documents(gateway)


def test_a_row_inserted_at_the_top_is_one_change(gateway: Gateway, tmp_path: Path) -> None:
    """A new first row moves every other by one: one row is new, none is changed."""
    take(gateway, paths())
    one = sheet("paivakirja")
    one.rows.insert(0, ["1", "27.10.2022", *one.rows[0][2:12], "2.11.2022"])
    for number, cells in enumerate(one.rows, 1):
        cells[0] = str(number)
    again = take(gateway, files(tmp_path / "again", one))

    assert {"duplicate": WHOLE, "accepted": 1} == counted(again)


def test_other_content_is_a_new_state(gateway: Gateway, tmp_path: Path) -> None:
    """The same day with another text replaces it and tells version 1; delivered twice it is taken once."""
    take(gateway, paths())
    one = sheet("paivakirja")
    one.rows[3][8] = "Korjattu kuvaus: työ jäi kesken sateen takia."
    changed = files(tmp_path / "changed", one)
    (row,) = [row for row in take(gateway, changed) if row["outcome"] != "duplicate"]

    assert ("paivakirja:4", 1, "replacement") == (row["id"], row["version"], row["outcome"])
    assert {"duplicate": WHOLE} == counted(take(gateway, changed))
    assert 28 == len(documents(gateway))
    assert "Korjattu kuvaus" in str(documents(gateway))


def test_an_older_state_is_told_as_such(gateway: Gateway, tmp_path: Path) -> None:
    """The first file delivered after its correction is a repeat; GEN-06 says that the newer state stands."""
    take(gateway, paths())
    one = sheet("paivakirja")
    one.rows[3][8] = "Korjattu kuvaus: työ jäi kesken sateen takia."
    take(gateway, files(tmp_path / "changed", one))
    old = {row["id"]: row for row in take(gateway, paths())}

    assert {"duplicate": WHOLE} == counted(list(old.values()))
    assert ["GEN-01", "GEN-06"] == [one["rule"] for one in old["paivakirja:4"]["findings"]]
    assert "Korjattu kuvaus" in str(documents(gateway))


def test_the_same_day_twice_in_one_file(gateway: Gateway, tmp_path: Path) -> None:
    """A later row of the same day replaces the earlier one; one that is the same but for its report is a repeat."""
    one = sheet("paivakirja")
    twin = [*one.rows[0]]
    twin[0], twin[8] = "901", "Sama päivä uudelleen kirjattuna, tarkemmin kuvattuna."
    repeat = [*one.rows[1]]
    repeat[0], repeat[12] = "902", "3.9.2022"
    one.rows += [twin, repeat]
    rows = {row["id"]: row["outcome"] for row in take(gateway, files(tmp_path / "twice", one))}

    assert ("replaced", "replacement", "duplicate") == tuple(
        rows[f"paivakirja:{number}"] for number in (1, 901, 902)
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_good_rows_go_through(gateway: Gateway, tmp_path: Path, name: str) -> None:
    """With a fault the other rows are taken; corrected and delivered again everything is there, nothing twice."""
    fault = FAULTS[name]
    broken = files(tmp_path / "broken")
    broken[TABLES.index(fault.table)].write_bytes(fault.data)
    result = gateway.deliveries.import_files(broken, "heinola-csv", "heinola", gateway.actor(None, None, None))
    rows = list(result.rows())
    told = {(one["rule"], one["pointer"]) for row in rows for one in row["findings"]} | {
        (one["rule"], one["pointer"]) for one in result.findings
    }
    again = take(gateway, paths())

    assert (fault.rule, fault.pointer) in told
    assert result.waits == (fault.rule != "SRC-COLUMN-OPTIONAL")
    assert SECRET not in str((rows, result.findings))
    assert WHOLE == len(again)
    assert {"duplicate": WHOLE} == counted(take(gateway, paths()))
    assert 28 == len(documents(gateway))


@pytest.mark.parametrize("name", ["hours-in-words", "delimiter-in-text", "lone-quote", "renamed-column"])
def test_all_or_nothing(gateway: Gateway, tmp_path: Path, name: str) -> None:
    """Where the contract says so, one row that cannot be read leaves the whole delivery out, and each is told."""
    fault = FAULTS[name]
    broken = files(tmp_path / "broken")
    broken[TABLES.index(fault.table)].write_bytes(fault.data)
    strict = replace(gateway.parts.contracts["heinola"], take={"heinola-csv": "all-or-nothing"})
    contracts = {**gateway.parts.contracts, "heinola": strict}
    object.__setattr__(gateway.parts, "contracts", contracts)
    with pytest.raises(UnreadableError) as refused:
        take(gateway, broken)

    assert [("SRC-WHOLE", ""), (fault.rule, fault.pointer)] == [
        (one.rule, one.pointer) for one in refused.value.findings
    ]
    assert {} == gateway.overview.status()["records"]
    assert {"reference": 2, "accepted": 28} == counted(take(gateway, paths()))


def test_a_delivery_for_another_purchaser(gateway: Gateway) -> None:
    """The format is one purchaser's: a delivery for another one is refused before anything is stored."""
    caller = gateway.actor(None, None, None)
    with pytest.raises(UnreadableError) as refused:
        gateway.deliveries.import_files(paths(), "heinola-csv", "lapha", caller)

    assert ["SRC-PURCHASER"] == [one.rule for one in refused.value.findings]
    assert {} == gateway.overview.status()["records"]


def given_back(gateway: Gateway, folder: Path, sent: Sequence[Path]) -> dict[str, bytes]:
    """What is written beside an import: file name -> content."""
    result = gateway.deliveries.import_files(sent, "heinola-csv", "heinola", gateway.actor(None, None, None))
    list(result.rows())
    made = gateway.deliveries.write_findings(sent, "heinola-csv", result, folder)
    return {path.name: path.read_bytes() for path in made}


@pytest.mark.parametrize("name", sorted(one for one in FAULTS if FAULTS[one].rule not in {"SRC-TABLE", "SRC-SIZE"}))
def test_findings_stand_in_the_providers_own_file(gateway: Gateway, tmp_path: Path, name: str) -> None:
    """The file comes back with its rows as they were and the finding on the row where it is to be corrected."""
    fault: Fault = FAULTS[name]
    sent = files(tmp_path / "broken")
    sent[TABLES.index(fault.table)].write_bytes(fault.data)
    back = given_back(gateway, tmp_path / "back", sent)[f"{fault.table}.findings.csv"]
    lines = fault.data.split(b"\n")
    marked = [
        number for number, (old, new) in enumerate(zip(lines, back.split(b"\n"), strict=True), 1) if old != new
    ]  # fmt: skip
    line = int(fault.pointer.split("/")[2])

    assert all(new.startswith(old.rstrip(b"\r")) for old, new in zip(lines, back.split(b"\n"), strict=True))
    assert 2 in marked
    if fault.rule == "SRC-COLUMN-OPTIONAL":
        return
    told = next(new for number, new in enumerate(back.split(b"\n"), 1) if number >= line and number in marked)
    assert fault.rule.encode() in told.rpartition(b';"')[2]
    column = fault.pointer.split("/", 3)[3:]
    assert all(f"({one})".encode("cp1252") in told.rpartition(b';"')[2] for one in column)


def test_a_corrected_file_may_keep_its_findings(gateway: Gateway, tmp_path: Path) -> None:
    """The column of findings is no part of a row: delivered as it came back nothing is new, and it is not doubled."""
    one = sheet("paivakirja")
    one.rows[2][5] = "viisi"
    sent = files(tmp_path / "sent", one)
    first = given_back(gateway, tmp_path / "back", sent)
    again = [tmp_path / "back" / name for name in first]
    second = given_back(gateway, tmp_path / "twice", again)

    assert {"duplicate": WHOLE} == counted(take(gateway, again))
    assert list(map(cells_of, first.values())) == list(map(cells_of, second.values()))
    assert 1 == sum(
        cell.startswith("kanta-gateway:") for cell in cells_of(second["paivakirja.findings.findings.csv"])[1]
    )


def test_nothing_stands_there_that_the_file_did_not_have(gateway: Gateway, tmp_path: Path) -> None:
    """Without the new column the file is the one that was sent, whatever it is written in."""
    one = sheet("paivakirja")
    one.rows[2][5] = "viisi"
    sent = files(tmp_path / "sent", one, encoding="utf-16")
    (_, back, *_) = given_back(gateway, tmp_path / "back", sent).values()
    width = len(one.header)
    old, new = cells_of(sent[1].read_bytes(), "utf-16"), cells_of(back, "utf-16")

    assert [cells[:width] for cells in old] == [cells[:width] for cells in new]
    assert {width, width + 1} == {len(cells) for cells in new[1:]}


def test_findings_of_a_delivery_that_was_not_taken(gateway: Gateway, tmp_path: Path) -> None:
    """All or nothing: the files come back with what could not be read, although nothing was stored."""
    one = sheet("paivakirja")
    one.rows[2][5] = "viisi"
    sent = files(tmp_path / "sent", one)
    made = gateway.deliveries.write_findings(sent, "heinola-csv", None, tmp_path / "back")
    marked = [cells for cells in cells_of(made[1].read_bytes())[2:] if len(cells) > len(one.header)]

    assert [one.rows[2][:9]] == [cells[:9] for cells in marked]
    assert marked[0][-1].startswith("SRC-NUMBER (Tunnit): ")


def test_another_file_is_not_marked(gateway: Gateway, tmp_path: Path) -> None:
    """Findings go onto the rows that were delivered; a file with other rows is refused."""
    result = gateway.deliveries.import_files(paths(), "heinola-csv", "heinola", gateway.actor(None, None, None))
    list(result.rows())
    other = files(tmp_path / "other", shuffled("paivakirja", 3))
    with pytest.raises(ConflictError):
        gateway.deliveries.write_findings(other, "heinola-csv", result, tmp_path / "back")


def test_the_county_is_the_controller(gateway: Gateway) -> None:
    """Days of a voucher service stand in the county's register, and the provider is its processor. [CTL-03, CTL-04]"""
    take(gateway, paths())
    with gateway.parts.database.reading() as tx:
        (agreement,) = agreements(tx)
        whose = {(one.provider, one.organiser) for one in store.listed(tx, limit=1000)}
    register = gateway.party_book.on(gateway.actor(None, None, None), None, None, "organisation")["register"]

    assert whose == {(agreement.provider.oid, agreement.organiser.oid)}
    assert {one["oid"]: one["role"] for one in register} == {
        agreement.provider.oid: "processor", agreement.organiser.oid: "controller"
    }  # fmt: skip
    assert agreement.provider.oid != agreement.organiser.oid


def test_findings_over_http(gateway: Gateway) -> None:
    """A system sends its file once more and has it back with the findings; another file is a conflict."""
    take(gateway, paths())
    one = sheet("paivakirja")
    one.rows[2][5] = "viisi"

    def unsigned(request: httpx.Request) -> httpx.Request:
        return request

    fresh = Fresh(lambda: gateway.development.assertion(None, None, None, "provider-system", ""))
    head = {"accept-language": "sv"}

    async def talk() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(application(gateway)), base_url="http://gateway", auth=fresh
        ) as http:
            asked = {"source": "heinola-csv", "purchaser": "heinola"}
            sent = await http.post("/v1/imports", params=asked, headers=head, content=one.data())
            address = f"/v1/imports/{sent.json()['id']}/findings"
            back = await http.post(address, headers=head, content=one.data())
            other = await http.post(address, headers=head, content=sheet("poissaolot").data())
            return [sent, back, other, await http.post(address, content=one.data(), auth=unsigned)]

    told = anyio.run(talk)
    marked = cells_of(told[1].content)

    assert [200, 200, 409, 401] == [one.status_code for one in told]
    assert "kanta-gateway: anmärkningar" == marked[1][-1]
    assert marked[4][-1].startswith("SRC-NUMBER (Tunnit): ")
