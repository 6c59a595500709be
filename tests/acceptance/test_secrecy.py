"""Nothing personal lies or appears where it must not: the data folder as bytes, messages, tickets, entries."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from tests.documents_read import displayed
from tests.installations import sample, written
from tests.processes import Archive, Cli, InProcess

MARKS = {
    "identity code of another": "080891W9059",
    "account": "FI49 9210 0001 1445 56",
    "telephone of another": "049 866 7788",
    "own telephone": "049 811 2233",
    "e-mail": "merkki.asiakas@posti.example",
    "own street": "Merkkikaarnatie 5",
    "staff's home": "Merkkipolku 8",
    "additional information": "Merkkilisätieto ei kuulu kenellekään",
    "free text": "Merkkiteksti kertoo päivästä",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[Path]]:
    """Marked values imported, delivered and looked at and sent to an archive: folder, all output, documents."""
    folder = tmp_path_factory.mktemp("secrecy")
    export = marked()
    archive = Archive(folder)
    settings = {"KANTA_ARCHIVE_URL": archive.url, "KANTA_SIGNING_ALGORITHM": "p-256"}
    cli, worker = (kind(folder / "data", **settings) for kind in (InProcess, Cli))
    file = written(folder / "in", export)[0]
    output: list[str] = []
    try:
        for command in (
            ("import", file, "--source", "lapha-json", "--purchaser", "lapha", "--json"),
            ("import", file, "--source", "lapha-json", "--purchaser", "lapha"),
            ("deliver", "--until-empty"), ("status", "--json"),
            ("status", "--state", "all"), ("figures", "--explain", "--json"),
            ("documents", "export", folder / "documents"), ("audit", "verify"), ("audit", "export"),
            ("import", broken(folder), "--source", "lapha-json", "--purchaser", "lapha"),
        ):  # fmt: skip
            run = worker if command[0] == "deliver" else cli  # what holds connections is a process of its own
            done = run(*command)
            output.append(done.stdout + done.stderr)
    finally:
        archive.stop()
    return folder, "\n".join(output), sorted((folder / "documents").glob("*.xml"))


def marked() -> dict[str, Any]:
    """The small sample with marked values in every place that must not tell."""
    export = copy.deepcopy(sample())
    export["henkilosto"][0]["kotiosoite"] = MARKS["staff's home"] + ", 99990 Merkkilä"
    client = next(one for one in export["asiakkaat"] if not one["turvakielto"])
    client["lisatiedot"] = MARKS["additional information"]
    client["yhteystiedot"] = {
        "lahiosoite": MARKS["own street"], "postinumero": "99980", "postitoimipaikka": "Merkkilä",
        "puhelin": MARKS["own telephone"], "sahkoposti": MARKS["e-mail"],
    }  # fmt: skip
    entry = client["valmennuspaivakirja"][0]
    entry["vapaaMerkinta"] = (
        f"{MARKS['free text']}: parina {MARKS['identity code of another']}, maksu {MARKS['account']}, "
        f"p. {MARKS['telephone of another']}."
    )
    entry["tuntematonKentta"] = MARKS["additional information"]
    return export


def broken(folder: Path) -> Path:
    """An export whose faulty values are marked: every message about them must keep silent."""
    export = marked()
    client = export["asiakkaat"][0]
    client["henkilotunnus"] = "Merkkitunnus"
    client["valmennuspaivakirja"][1]["pvm"] = "Merkkipäivä"
    client["valmennuspaivakirja"][2]["tunnit"] = "Merkkitunnit"
    return written(folder / "broken", export)[0]


@pytest.mark.parametrize("what", sorted(MARKS))
def test_nothing_personal_in_the_data_folder(told: tuple[Path, str, list[Path]], what: str) -> None:
    """No marked value stands in any file of the data folder, searched as bytes. [LOG-14]"""
    folder, _, _ = told
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    found = [path.name for path in files if MARKS[what].encode() in path.read_bytes()]

    assert len(files) > 3
    assert found == []


def test_output_keeps_silent(told: tuple[Path, str, list[Path]]) -> None:
    """No command prints a marked value, a faulty one included."""
    _, output, _ = told

    assert "SRC-" in output
    assert [what for what, value in MARKS.items() if value in output] == []
    assert [word for word in ("Merkkitunnus", "Merkkipäivä", "Merkkitunnit") if word in output] == []


def test_documents_hold_the_text_and_nothing_else(told: tuple[Path, str, list[Path]]) -> None:
    """The narrative is in its document, with marks where values were; the other values are in none."""
    _, _, documents = told
    texts = [displayed(path.read_bytes()) for path in documents]
    whole = "\n".join(texts)

    assert any(MARKS["free text"] in text and "[tilinumero poistettu]" in text for text in texts)
    assert [what for what, value in MARKS.items() if what != "free text" and value in whole] == []


def test_dropped_fields_are_counted(told: tuple[Path, str, list[Path]]) -> None:
    """A dictionary field that is not mapped is counted by name; one of no dictionary as unknown."""
    _, output, _ = told
    first, _ = json.JSONDecoder().raw_decode(output)
    dropped: dict[str, int] = {}
    for row in first["records"]:
        for name, count in row["dropped"].items():
            dropped[name] = dropped.get(name, 0) + count

    assert dropped["unknown"] == 1
    assert {"lisatiedot", "kotiosoite"} <= {name.rpartition(".")[2] for name in dropped}
