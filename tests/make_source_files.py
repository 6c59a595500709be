"""Templates and samples that the package carries for those who deliver: made here where they can be made.

Run `python -m tests.make_source_files` to write them anew.

* Workbooks cell by cell; a template has the headings, a sample two fictional clients of each service.
* Templates of JSON formats are their samples with one of everything.
* The template of canonical records has every record type with every field.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from tests.small_export import identity_code
from tests.workbooks import AGREEMENTS, CLIENTS, EVALUATIONS, FINAL, HOURS, MONTH_DAYS, MONTHS, REPORTS, Rows

from kanta_gateway import invented, knowledge

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "mappings/sources"
_MADE = datetime(2026, 1, 1)  # noqa: DTZ001 — a workbook's times have no zone
"""Written into every workbook, so that the same cells are the same file."""
EVALUATION = "laji"
"""Field of the export that tells what kind of evaluation a record is."""
FILES: Mapping[str, tuple[str, ...]] = {
    "lasnaolo.xlsx": ("Asiakkaat", "9-2025"),
    "valmennus.xlsx": ("Sopimukset", "Tunnit", "Väliarvioinnit", "Kuukausiraportit"),
    "loppuraportit.xlsx": ("3001",),
}
_HEADED: Mapping[str, Rows] = {
    "Asiakkaat": CLIENTS, "9-2025": MONTHS, "Sopimukset": AGREEMENTS, "Tunnit": HOURS, "Väliarvioinnit": EVALUATIONS,
    "Kuukausiraportit": REPORTS,
}  # fmt: skip


def made() -> Iterator[tuple[str, bytes]]:
    """Path below `mappings/sources`, and content, of every file that is made."""
    for name, sheets in FILES.items():
        yield f"templates/helsinki-xlsx/{name}", _book({title: _template(title) for title in sheets})
        yield f"samples/helsinki-xlsx/{name}", _book({title: _SAMPLE[title] for title in sheets})
    for name in ("fhir-bundle", "lapha-json", "quality-review"):
        ((path, content),) = [one for one in knowledge.of_source(name).items() if one[0].startswith("samples/")]
        least = _bundle(json.loads(content)) if name == "fhir-bundle" else _least(json.loads(content))
        written = json.dumps(least, ensure_ascii=False, indent=1) + "\n"
        yield path.replace("samples/", "templates/"), written.encode()
    lines = (ROOT / "tests/data/lapha-small.jsonl").read_text("utf-8").splitlines()
    yield "samples/lapha-lines.jsonl", _lines(map(json.loads, lines))
    first = {(one["tietue"], one.get(EVALUATION)): one for one in reversed([json.loads(line) for line in lines])}
    yield "templates/lapha-lines.jsonl", _lines(_least(one) for one in reversed(first.values()))
    yield "templates/json-lines/records.jsonl", _lines(_records())


def _records() -> Iterator[dict[str, Any]]:
    for name, text in knowledge.texts("schemas/records", suffix=".json").items():
        schema = json.loads(text)
        frame = {"type": name, "id": f"{name}-1"} | ({"client": "A-1"} if "client" in schema["properties"] else {})
        yield {**frame, **invented.content(schema)}


def _lines(values: Iterator[Any] | map[Any]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in values).encode()


def _least(value: Any) -> Any:
    """The value with the first of every list, and of each kind of evaluation."""
    if isinstance(value, Mapping):
        return {key: _least(one) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    kinds = {one.get(EVALUATION) if isinstance(one, Mapping) else None: one for one in reversed(value)}
    return [_least(one) for one in reversed(kinds.values())]


def _bundle(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """A Bundle with everyone in it, and the first of each kind of what was made about them."""
    kept: dict[tuple[str, ...], Any] = {}
    for one in bundle["entry"]:
        resource = one["resource"]
        told = [json.dumps(resource.get(word)) for word in ("category", "type")]
        kept.setdefault((resource["resourceType"], *([resource["id"]] if _is_party(resource) else told)), one)
    return {**bundle, "entry": list(kept.values())}


def _is_party(resource: Mapping[str, Any]) -> bool:
    return resource["resourceType"] in {"Organization", "Patient", "Practitioner", "PractitionerRole"}


def _template(title: str) -> Rows:
    """The headings of a sheet, or its labels."""
    if title == "3001":
        dropped = [["Henkilötunnus"], ["Palvelu"], ["Aloitettu"]]  # known, and not kept
        return [*(row[:1] for row in FINAL[:2]), *dropped, *(row[:1] for row in FINAL[2:])]
    return [*_HEADED[title][: 2 if title == "9-2025" else 1], *([["Kirjannut"]] if title == "9-2025" else [])]


def _month(name: str, marks: Mapping[int, Any], days: float, allowance: float) -> Sequence[Any]:
    number, _, rest = name.partition(" ")
    return [number, rest, *(marks.get(day) for day in range(1, MONTH_DAYS + 1)), days, allowance]


_SAMPLE: Mapping[str, Rows] = {
    "Asiakkaat": [
        CLIENTS[0],
        ["2001", "Mallikas", "Maire Inkeri", identity_code(51), "E", "Näytekatu 3", "049 600 2001", "S-2001",
         "1.8.2025", "31.12.2025", 4, 2, "ma ke", 2, None, None],
        ["2002", "Esimerkki", "Onni Kalevi", identity_code(52), "K", "Näytetie 8", "049 600 2002", "S-2002", "1.8.2025",
         "31.12.2025", 6, 2, "ti to", 1, None, "Kahvi ilman maitoa."],
    ],
    "9-2025": [
        ["Työtoiminnan läsnäolot (kuvitteellinen näyte)"], [],
        *MONTHS[:2],
        [*_month("2001 Maire Mallikas", {1: "4", 3: "4", 8: "4", 10: "S", 15: "4", 17: "4"}, 5, 40)],
        [*_month("2002 Onni Esimerkki", {2: "6", 9: "6", 16: "L", 23: "6"}, 3, 36)],
        ["Kirjannut", "Lauri Lähi"],
    ],
    "Sopimukset": [
        AGREEMENTS[0],
        ["3001", "Koe", "Helmi Sofia", identity_code(53), "049 600 3001", "a) työvalmennus", 20, date(2025, 8, 1),
         date(2025, 12, 31), date(2025, 10, 31), "Työllistyi avoimille markkinoille.", "Oili Omatyö", None],
        ["3002", "Kuvitteellinen", "Arvo Olavi", identity_code(54), "049 600 3002", "b) työhönvalmennus", 40,
         date(2025, 8, 1), date(2025, 12, 31), None, None, "Oili Omatyö", None],
    ],
    "Tunnit": [
        HOURS[0],
        [1, "3001", "5.8.2025", "9.00", "a) työvalmennus", "yksilö", 1.5, "toteutunut", None, "k",
         "Ansioluettelo ja kaksi hakemusta.", "Lauri Lähi"],
        [2, "3001", "12.8.2025", "9.00", "a) työvalmennus", "yksilö", 2, "toteutunut", None, "k",
         "Harjoiteltiin haastattelua.", "Lauri Lähi"],
        [3, "3002", "6.8.2025", "13.00", "b) työhönvalmennus", "ryhmä", 2, "toteutunut", None, "k",
         "Tutustuttiin työpaikkaan.", "Venla Vastuu"],
        [4, "3002", "13.8.2025", "13.00", "b) työhönvalmennus", "yksilö", 1, "peruttu", "11.8.2025 8.30", "e",
         "Sovittiin uusi aika.", "Venla Vastuu"],
        ["Yhteensä", None, None, None, None, None, 6.5],
    ],
    "Väliarvioinnit": [
        EVALUATIONS[0],
        ["3001", "1.9.2025", "10", "Hyvät: hakee töitä oma-aloitteisesti.", "kyllä", "Asiakas ja valmentaja"],
    ],
    "Kuukausiraportit": [REPORTS[0], ["3001", "8/2025", "5.9.2025"], ["3002", "8/2025", "5.9.2025"]],
    "3001": [
        ["Loppuraportti (kuvitteellinen näyte)"],
        ["Asiakas", "Helmi Koe"],
        ["Päättynyt", "31.10.2025"],
        ["Käytetyt tunnit", 18],
        ["Sisältö", "Valmennusta viikoittain, tutustuminen kolmeen työpaikkaan."],
        ["Eteneminen", "Hakemukset alkoivat johtaa haastatteluihin."],
        ["Päättyminen", "Työllistyi avoimille markkinoille."],
        ["Onnistumisten ja esteiden taustat", "Säännöllinen rytmi auttoi; matkat olivat pitkiä."],
        ["Asiakkaan palaute", "Sai rohkeutta kysyä töitä itse."],
        ["Suositus jatkosta", "Seurantapuhelu kuukauden päästä."],
        ["Laatija", "Lauri Lähi"],
    ],
}  # fmt: skip


def _book(sheets: Mapping[str, Rows]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row, 1):
                if value is not None:
                    sheet.cell(number, place).value = value
    book.properties.creator = "kanta-gateway"
    book.properties.created = book.properties.modified = _MADE
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def main() -> None:
    """Write every file."""
    for path, content in made():
        (PLACE / path).parent.mkdir(parents=True, exist_ok=True)
        (PLACE / path).write_bytes(content)


if __name__ == "__main__":
    main()
