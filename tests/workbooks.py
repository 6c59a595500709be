"""Small workbooks of work activity and coaching, made cell by cell, and packages that only look like workbooks."""

from __future__ import annotations

import io
import warnings
import zipfile
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import date
from typing import Any

from openpyxl import Workbook
from tests.small_export import identity_code

Rows = list[list[Any]]
SECRET = "Salainen-arvo"  # noqa: S105 — a mark to be searched for
"""Stands in cells that cannot be read or are not kept: no finding may repeat it."""
WEEKDAYS = ("ma", "ti", "ke", "to", "pe", "la", "su")
MONTH, MONTH_DAYS = "9-2025", monthrange(2025, 9)[1]
SHEET_PART = "xl/worksheets/sheet1.xml"

CLIENTS: Rows = [
    ["Asiakasnro", "Sukunimi", "Etunimet", "Henkilötunnus", "Turvakielto", "Osoite", "Puhelin", "Sijoituspäätös",
     "Alkaa", "Päättyy", "Tuntia/pv", "Pv/vko", "Viikonpäivät", "Lomasaldo alussa", "Työrahatili", "Huom."],
    *([str(number), "Esimerkki", "Eino", str(identity_code(number % 100)), "E", "Mallitie 1", "049 600 2001",
       f"S-{number}", "1.9.2025", "31.12.2025", 4, 2, "ma ke", 0, None, None] for number in range(2001, 2006)),
]  # fmt: skip
MONTHS: Rows = [
    ["Nro", "Nimi", *range(1, MONTH_DAYS + 1), "Pv yht. (käsin)", "Työraha € (käsin)"],
    [None, None, *(WEEKDAYS[date(2025, 9, day).weekday()] for day in range(1, MONTH_DAYS + 1))],
    *([str(number), "Eino Esimerkki", "4", None, 5.5, *([None] * (MONTH_DAYS - 3)), 2, 18.5]
      for number in range(2001, 2006)),
    ["Kirjannut", "Venla Vastuu"],
]  # fmt: skip
AGREEMENTS: Rows = [
    ["Asiakasnro", "Sukunimi", "Etunimet", "Henkilötunnus", "Puhelin", "Palvelu", "Enimmäistunnit", "Aloitettu",
     "Määräaika", "Päättynyt", "Päättymisen syy", "Tilaajan virkailija", "Lisätiedot"],
    *([str(number), "Malli", "Maija", str(identity_code(number % 100 + 10)), "049 600 3001", "a) työvalmennus", 20,
       date(2025, 9, 1), date(2025, 12, 31), None, None, None, None] for number in range(3001, 3006)),
]  # fmt: skip
HOURS: Rows = [
    ["Nro", "Asiakasnro", "Pvm", "Klo", "Palvelu", "Muoto", "Tunnit", "Tila", "Peruutus ilmoitettu", "Laskutettu",
     "Sisältö", "Valmentaja"],
    *([number - 3000, str(number), f"{number - 2999}.9.2025", "9.00", "a) työvalmennus", "yksilö", 1.5, "toteutunut",
       None, "k", "Ansioluettelo", "Venla Vastuu"] for number in range(3001, 3006)),
    ["Yhteensä", None, None, None, None, None, 7.5],
]  # fmt: skip
EVALUATIONS: Rows = [
    ["Asiakasnro", "Pvm", "Tunteja käytetty", "Arvio työllistymisen edellytyksistä", "Jatketaan", "Osallistujat"],
    ["3001", "1.10.2025", "7,5", "Hyvät", "kyllä", "Asiakas ja valmentaja"],
]
REPORTS: Rows = [["Asiakasnro", "Kuukausi", "Lähetetty tilaajalle"], ["3001", "9/2025", "1.10.2025"]]
FINAL: Rows = [
    ["Loppuraportti"],
    ["Asiakas", "Maija Malli"],
    ["Päättynyt", "31.10.2025"],
    ["Käytetyt tunnit", 12],
    ["Sisältö", "Tehtiin ansioluettelo."],
    ["Eteneminen", "Taidot karttuivat."],
    ["Päättyminen", "Määräaika päättyi."],
    ["Onnistumisten ja esteiden taustat", "Säännöllinen rytmi auttoi."],
    ["Asiakkaan palaute", "Hyvä jakso."],
    ["Suositus jatkosta", "Työkokeilu."],
    ["Laatija", "Venla Vastuu"],
]
_SHEETS: Mapping[str, Rows] = {
    "Asiakkaat": CLIENTS, MONTH: MONTHS, "Sopimukset": AGREEMENTS, "Tunnit": HOURS, "Väliarvioinnit": EVALUATIONS,
    "Kuukausiraportit": REPORTS, "3001": FINAL,
}  # fmt: skip


def sheets(*names: str) -> dict[str, Rows]:
    """Sheets by name, to be changed at will; all of them without a name."""
    return {name: deepcopy(_SHEETS[name]) for name in names or _SHEETS}


def column(rows: Sequence[Sequence[Any]], heading: str) -> int:
    """Position of a column."""
    return list(rows[0]).index(heading)


def book(given: Mapping[str, Rows], change: Callable[[Workbook], object] = lambda _: None) -> bytes:
    """The bytes of a workbook.

    Args:
        given: sheet -> rows.
        change: done to the workbook before it is saved.
    """
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in given.items():
        sheet = made.create_sheet(title)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row, 1):
                if value is not None:
                    sheet.cell(number, place).value = value
    change(made)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def repacked(
    data: bytes, changed: Mapping[str, Callable[[bytes], bytes]], added: Sequence[tuple[str, bytes]] = ()
) -> bytes:
    """The package with some parts changed, and others added.

    Args:
        data: of the package.
        changed: part -> what becomes of it.
        added: names and bytes.
    """
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as package,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of a name that stands twice
        for name in package.namelist():
            made.writestr(name, changed.get(name, bytes)(package.read(name)))
        for name, content in added:
            made.writestr(name, content)
    return stream.getvalue()
