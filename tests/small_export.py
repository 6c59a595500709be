"""A small provider's export in the shape of `lapha-json`: fictional persons, as many clients and days as asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

PROVIDER = "1.2.246.10.94005128.10.0"
FIRST_DAY = date(2025, 3, 3)
"""A Monday; entries follow on Mondays, Tuesdays and Wednesdays."""
CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
FINISHED, CORRECTED, CANCELLED = "VALMIS", "KORJATTU", "MITATOITY"


@dataclass(frozen=True, slots=True)
class Change:
    """A later version of one diary entry."""

    entry: str
    version: int = 2
    status: str = CORRECTED
    text: str = "Korjattu: asiakas hioi kolme penkkiä ja pakkasi ne."


def identity_code(number: int) -> str:
    """The code of a fictional person born on 12 June 1985; individual numbers 900 to 999 belong to nobody."""
    digits = f"120685{900 + number:03d}"
    return f"120685-{digits[6:]}{CHECK_CHARACTERS[int(digits) % 31]}"


def entry_id(client: int, day: int) -> str:
    """Id of one diary entry."""
    return f"PV-{client}-{day}"


def export(clients: int = 2, days: int = 5, *changes: Change, is_whole: bool = True) -> dict[str, Any]:
    """One export.

    Args:
        clients: how many clients.
        days: diary entries of each.
        changes: later versions of entries, in the order in which they stand in the export.
        is_whole: whether each client has a plan and a summary besides.
    """
    return {
        "vienti": {
            "jarjestelma": "PajaKirja", "versio": "7.3.1", "vientitunnus": "PIENI-1",
            "luotu": "2025-06-12T08:00:00+03:00", "jakso": {"alku": "2025-03-01", "loppu": "2025-06-11"},
        },
        "palveluntuottaja": {
            "nimi": "Mäntykallion Paja ry (kuvitteellinen)", "ytunnus": "9400512-8", "oid": PROVIDER,
            "soteriRekisterissa": True,
            "yksikot": [{"oid": "1.2.246.10.94005128.10.1", "nimi": "Mäntykallion paja", "soteri": True}],
        },
        "tilaaja": {
            "nimi": "Järvilakeuden hyvinvointialue (kuvitteellinen)", "ytunnus": "9400600-7",
            "oid": "1.2.246.10.94006007.10.0", "yksikko": "Työikäisten palvelut", "sopimusnumero": "NAYTE/1/2025",
        },
        "henkilosto": [{
            "tyontekijaId": "T1", "nimi": "Outi Harjula-Suo", "ammattihenkilonRekisterinumero": "00912220101",
            "tehtavanimike": "palvelun vastuuhenkilö, sosionomi (AMK)",
        }],
        "asiakkaat": [_client(number, days, changes, is_whole=is_whole) for number in range(1, clients + 1)],
    }  # fmt: skip


def write(path: Path, told: dict[str, Any]) -> Path:
    """Write an export to a file; gives its path."""
    path.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    return path


def _client(number: int, days: int, changes: tuple[Change, ...], *, is_whole: bool) -> dict[str, Any]:
    entries = {entry_id(number, day): day for day in range(1, days + 1)}
    diary = [_entry(one, day) for one, day in entries.items()]
    diary += [_changed(_entry(one.entry, entries[one.entry]), one) for one in changes if one.entry in entries]
    return {
        "asiakasnumero": f"A-{number}", "sukunimi": "Rautiola", "etunimet": "Sampo Ilmari",
        "henkilotunnus": identity_code(number), "turvakielto": False, "vastuutyontekija": "T1",
        "paatos": {
            "paatosId": f"P-{number}", "tehty": "2025-02-20", "palvelu": "Kuntouttava työtoiminta",
            "palvelutuote": {"numero": 1, "nimi": "Työtoimintatehtävien ja työelämän perustaitojen ohjaus"},
            "alkaa": "2025-03-03", "paattyy": "2025-05-30", "paiviaViikossa": 3, "tuntejaPaivassa": 5,
            "etaosuusEnintaan": 15, "viranomaissuunnitelma": "aktivointisuunnitelma 18.2.2025",
        },
        "valmennuspaivakirja": diary,
    } | (_wholes(number) if is_whole else {})  # fmt: skip


def _wholes(number: int) -> dict[str, Any]:
    return {
        "toteuttamissuunnitelma": {
            "suunnitelmaId": f"SUU-{number}", "versio": 1, "laadittu": "2025-03-05", "laatija": "T1",
            "tilanne": "Työstä on kulunut pitkä aika, ja arkeen toivotaan säännöllistä rytmiä ja tekemistä.",
            "asiakkaanMielipide": "Haluan tehdä oikeita töitä enkä vain istua.",
            "paatavoitteet": [{"nimi": "Säännöllinen päivärytmi", "lahde": "aktivointisuunnitelma"}],
        },
        "loppuyhteenveto": {
            "yhteenvetoId": f"YHT-{number}", "laadittu": "2025-06-06", "laatija": "T1",
            "palvelunPaattymisenSyy": "Päätöksen mukainen jakso päättyi.",
            "sisalto": "Työtoimintaa pajalla sovittuina päivinä viikossa.",
            "eteneminen": "Rytmi ja työkunto paranivat selvästi jakson aikana.",
            "jatkosuunnitelma": "Työkokeilu syksyllä, vaihtoehtona uusi jakso.",
            "asiakkaanNakemys": "Haluan oikeisiin töihin.",
        },
    }  # fmt: skip


def _entry(name: str, day: int) -> dict[str, Any]:
    on = FIRST_DAY + timedelta(days=(day - 1) % 3, weeks=(day - 1) // 3)
    return {
        "kirjausId": name, "versio": 1, "tila": FINISHED, "pvm": on.isoformat(), "alkoi": "09:00",
        "paattyi": "14:00", "tunnit": 5.0, "toteutustapa": "lahi", "yksilollinenOhjausMin": 0,
        "tehtavat": "Koottiin pihakalusteita tilaustyönä pajan omalle myymälälle.",
        "suoriutuminen": "Aloitti työn oma-aloitteisesti ja piti tauot sovitusti.",
        "kirjaaja": "T1", "kirjattu": f"{on.isoformat()}T15:05:00+03:00",
    }  # fmt: skip


def _changed(entry: dict[str, Any], change: Change) -> dict[str, Any]:
    return {**entry, "versio": change.version, "tila": change.status, "tehtavat": change.text}
