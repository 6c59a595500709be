"""Findings in the provider's own workbook: beside the rows, beneath labelled sheets, and no part of what is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from tests.installations import installation
from tests.small_export import identity_code

from kanta_gateway.errors import ConflictError
from kanta_gateway.gateway import Gateway

CODE = str(identity_code(81))
SHEETS: dict[str, list[list[Any]]] = {
    "Asiakkaat": [
        ["Työtoiminta, asiakkaat (kuvitteellinen)"],
        [],
        ["Asiakasnro", "Sukunimi", "Etunimet", "Henkilötunnus", "Turvakielto", "Osoite", "Puhelin", "Sijoituspäätös",
         "Alkaa", "Päättyy", "Tuntia/pv", "Pv/vko", "Viikonpäivät", "Lomasaldo alussa", "Työrahatili", "Huom."],
        ["2001", "Esimerkki", "Eino", CODE, "E", "Mallitie 1", "049 600 2001", "S-1", "1.9.2025", "31.10.2025", 4,
         "kaksi", "ma ke", 0, None, None],
    ],
    "Kuukausiraportit": [["Asiakasnro", "Kuukausi", "Lähetetty tilaajalle"], ["2001", "syyskuu", "1.10.2025"]],
    "2001": [
        ["Loppuraportti"],
        ["Asiakas", "Eino Esimerkki"],
        ["Päättynyt", "31.10.2025"],
        ["Käytetyt tunnit", "monta"],
        ["Sisältö", "Tehtiin puutöitä."],
        ["Eteneminen", "Taidot karttuivat."],
        ["Päättyminen", "Määräaika päättyi."],
        ["Onnistumisten ja esteiden taustat", "Säännöllinen rytmi auttoi."],
        ["Asiakkaan palaute", "Hyvä jakso."],
        ["Suositus jatkosta", "Työkokeilu."],
        ["Laatija", "Venla Vastuu"],
    ],
}  # fmt: skip


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A development installation."""
    return installation(tmp_path / "data")


def book(folder: Path, **changed: str) -> Path:
    """The workbook, with other values in some cells (`Sheet_A1`), and a formula outside the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in SHEETS.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made["Asiakkaat"]["B1"] = "=1+1"
    for place, value in changed.items():
        title, _, cell = place.partition("_")
        made[title][cell] = value
    made.save(folder / "seuranta.xlsx")
    return folder / "seuranta.xlsx"


def given_back(gateway: Gateway, folder: Path, path: Path) -> tuple[list[dict[str, Any]], Path]:
    """The rows of the result, and the workbook as it came back."""
    caller = gateway.actor(None, None, None)
    result = gateway.deliveries.import_files([path], "helsinki-xlsx", "helsinki", caller)
    rows = list(result.rows())
    (made,) = gateway.deliveries.write_findings([path], "helsinki-xlsx", result, folder)
    return rows, made


def cells(path: Path) -> dict[str, Any]:
    """`Sheet_A1` -> value, of every cell that has one."""
    return {
        f"{sheet.title}_{cell.coordinate}": cell.value
        for sheet in load_workbook(path) for row in sheet.iter_rows() for cell in row if cell.value is not None
    }  # fmt: skip


def test_each_finding_stands_at_its_row(gateway: Gateway, tmp_path: Path) -> None:
    """A value that cannot be read is told in its row, with its column; every other cell stays, formulas too."""
    sent = book(tmp_path / "sent")
    _, made = given_back(gateway, tmp_path / "back", sent)
    old, new = cells(sent), cells(made)
    added = {place: value for place, value in new.items() if place not in old}

    assert old == {place: value for place, value in new.items() if place in old}
    assert "=1+1" == new["Asiakkaat_B1"]
    assert {"Asiakkaat_Q3", "Kuukausiraportit_D1", "2001_A12"} == {
        place for place, value in added.items() if value == "kanta-gateway: findings"
    }
    assert "SRC-NUMBER (Pv/vko): " in added["Asiakkaat_Q4"]
    assert "SRC-MONTH (Kuukausi): " in added["Kuukausiraportit_D2"]
    assert "SRC-NUMBER" in added["2001_B12"]


def test_delivered_as_it_came_back_nothing_is_new(gateway: Gateway, tmp_path: Path) -> None:
    """The findings are no part of what is read, and a second round takes the place of the first."""
    _, first = given_back(gateway, tmp_path / "back", book(tmp_path / "sent"))
    rows, second = given_back(gateway, tmp_path / "twice", first)

    assert {"duplicate"} == {row["outcome"] for row in rows}
    assert cells(first) == cells(second)


def test_what_was_corrected_is_told_no_more(gateway: Gateway, tmp_path: Path) -> None:
    """Corrected in the workbook that came back, the finding is gone from it, and the others stay."""
    _, first = given_back(gateway, tmp_path / "back", book(tmp_path / "sent"))
    corrected = load_workbook(first)
    corrected["2001"]["B4"] = 12
    corrected["Kuukausiraportit"]["B2"] = "9/2025"
    corrected.save(first)
    _, second = given_back(gateway, tmp_path / "again", first)
    new = cells(second)

    assert "2001_B12" not in new or "SRC-NUMBER" not in new["2001_B12"]
    assert "Kuukausiraportit_D2" not in new
    assert "SRC-NUMBER (Pv/vko): " in new["Asiakkaat_Q4"]


def test_another_workbook_is_not_marked(gateway: Gateway, tmp_path: Path) -> None:
    """Findings go onto the rows that were delivered only."""
    path = book(tmp_path / "sent")
    caller = gateway.actor(None, None, None)
    result = gateway.deliveries.import_files([path], "helsinki-xlsx", "helsinki", caller)
    list(result.rows())
    other = book(tmp_path / "other", Asiakkaat_A4="2002")
    with pytest.raises(ConflictError):
        gateway.deliveries.write_findings([other], "helsinki-xlsx", result, tmp_path / "back")
