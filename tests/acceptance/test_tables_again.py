"""The same table again, with a row inserted and in another order: what makes rows the same is their key (GEN-06)."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.processes import Cli, InProcess

pytestmark = pytest.mark.process
CLIENTS = """Esimerkin asiakkaat;;;;;;;;;;;;;;;;
Asiakasnro;Sukunimi;Etunimet;Henkilötunnus;Turvakielto;Palvelusetelinro;Päätösnro;Päätös alkaa;Päätös päättyy;Taso;\
Hinta €/pv;Pv/vko;h/pv;Vastuuhenkilö;Lähiohjaaja;Jatkuu (k/e);
901;Esimerkki;Aino;010594Y9032;E;PS-2022-90001;P-1;1.8.2022;31.10.2022;perustaso;40;3;6;Eeva Esimerkki;Olli Ohjaaja;k;
"""
HEADING = "Rivi;Pvm;Asiakasnro;Setelinro;Läsnä;Tunnit;Yksilöohjaus h;Tehtävä;Kuvaus;Kirjaaja;PSOP raportoitu"
DAYS = [(day, f"Klapien teko {day}.") for day in (1, 2, 3, 8, 9, 10, 15, 16, 17)]


def diary(*days: tuple[int, str]) -> str:
    """The table with these days, numbered as they stand."""
    rows = [
        f"{place};{day}.8.2022;901;PS-2022-90001;x;5,5;;{text};Sujui hyvin.;Eeva Esimerkki;2.9.2022"
        for place, (day, text) in enumerate(days, 1)
    ]
    return "\r\n".join(["Päiväkirja", HEADING, *rows, f"Yhteensä;;;;{len(rows)}"]) + "\r\n"


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cli]:
    """The tables, taken in once."""
    folder = tmp_path_factory.mktemp("tables")
    cli = InProcess(folder / "data", KANTA_SIGNING_ALGORITHM="p-256")
    (folder / "asiakkaat.csv").write_bytes(CLIENTS.encode("cp1252"))
    seen = imported(folder, cli, diary(*DAYS))
    assert seen["totals"]["by_outcome"] == {"accepted": 9, "reference": 1}, seen
    return folder, cli


def imported(folder: Path, cli: Cli, table: str) -> Any:
    """What an import of the tables tells."""
    path = folder / "paivakirja.csv"
    path.write_bytes(table.encode("cp1252"))
    told = cli("import", folder / "asiakkaat.csv", path, "--source", "heinola-csv", "--purchaser", "heinola", "--json")
    assert told.returncode in {0, 3}, told.stderr
    return json.loads(told.stdout)


def test_a_row_inserted_and_another_order_change_nothing(taken: tuple[Path, Cli]) -> None:
    """Of ten rows in any order nine are duplicates, and only the inserted one is new (GEN-01, GEN-06)."""
    folder, cli = taken
    other_order = random.Random(27).sample(DAYS, len(DAYS))
    seen = imported(folder, cli, diary((22, "Lumityöt."), *other_order))

    assert {"accepted": 1, "duplicate": 10} == seen["totals"]["by_outcome"]


def test_a_corrected_cell_is_a_new_version_of_its_row_only(taken: tuple[Path, Cli]) -> None:
    """The same day with another text replaces what was there; the other rows are duplicates (GEN-06)."""
    folder, cli = taken
    days = [(day, "Klapien pinoaminen." if day == 8 else text) for day, text in reversed(DAYS)]
    seen = imported(folder, cli, diary(*days))

    assert {"replacement": 1, "duplicate": 9} == seen["totals"]["by_outcome"]
