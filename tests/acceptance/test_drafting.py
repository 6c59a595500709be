"""Trying out a contract or a mapping before it is used: nothing is stored, and what is read is in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.installations import SAMPLE, installation, sample, take, written

from kanta_gateway import drafting, knowledge
from kanta_gateway.errors import MisconfiguredError, ParameterError, UnreadableError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Event

TEXT = "tasks"


def contract(folder: Path, **changes: str) -> Path:
    """The Lapland contract with words replaced, as a file."""
    stated = knowledge.texts("mappings/contracts")["lapha"]
    for old, new in changes.items():
        assert old in stated
        stated = stated.replace(old, new)
    path = folder / "changed.yaml"
    path.write_text(stated, "utf-8")
    return path


def counted(gateway: Gateway) -> dict[str, int]:
    """Rows of every table but the log's."""
    with gateway.parts.database.reading() as tx:
        names = tx.execute(text("select name from sqlite_master where type = 'table'")).scalars().all()
        return {
            name: tx.execute(text(f"select count(*) from {name}")).scalar_one()  # noqa: S608 — names of tables
            for name in names
            if not str(name).startswith("audit")
        }


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """An installation that holds our own small export."""
    made = installation(tmp_path / "data")
    take(made, [SAMPLE])
    return made


def someone(gateway: Gateway) -> Caller:
    """Who asks."""
    return gateway.actor(None, None, None)


def test_the_same_file_changes_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """The present contract against what is held: no finding comes or goes, no outcome and no figure changes."""
    told = drafting.preview_contract(gateway, contract(tmp_path), someone(gateway))

    assert ({}, [], {}) == (told["rules"], told["outcomes"], told["figures"])
    assert told["records"] > 50


@pytest.mark.parametrize("is_held", [True, False])
def test_a_stricter_rule_is_seen(is_held: bool, gateway: Gateway, tmp_path: Path) -> None:  # noqa: FBT001
    """Shorter days bring findings, told by record and month; the same against held records and against the file."""
    before = counted(gateway)
    changed = contract(tmp_path, **{"hours_per_day: [4, 6]": "hours_per_day: [1, 2]"})
    against = () if is_held else (SAMPLE,)
    told = drafting.preview_contract(gateway, changed, someone(gateway), against=against, source="lapha-json")
    came = [one for change in told["rules"].values() for one in change["comes"] if one["text"] == "hours-above-limit"]

    assert len(came) > 3
    assert all(one["record"].startswith("diary_entry PV-") for one in came)
    assert {"accepted"} == {one["from"] for one in told["outcomes"] if one["to"] == "flagged"}
    assert before == counted(gateway)


def test_no_personal_value_is_told(gateway: Gateway, tmp_path: Path) -> None:
    """Names, identity codes and texts of records are in no part of a preview."""
    changed = contract(tmp_path, **{"hours_per_day: [4, 6]": "hours_per_day: [1, 2]"})
    told = json.dumps(drafting.preview_contract(gateway, changed, someone(gateway)), ensure_ascii=False)
    (first, *_) = sample()["asiakkaat"]

    assert [] == [one for one in (first["sukunimi"], first["henkilotunnus"]) if one in told]


def test_reading_held_records_is_logged(gateway: Gateway, tmp_path: Path) -> None:
    """Each client whose records are judged has an entry; a provider's files bring none."""

    def entries() -> int:
        told = gateway.office.entries(someone(gateway), None, -1, 100_000)["entries"]
        return len([one for one in told if one["event"] == Event.FIGURES_READ.value])

    drafting.preview_contract(gateway, contract(tmp_path), someone(gateway), against=(SAMPLE,), source="lapha-json")
    assert entries() == 0
    drafting.preview_contract(gateway, contract(tmp_path), someone(gateway))

    assert entries() > 1


def test_words_are_looked_for_anew(gateway: Gateway, tmp_path: Path) -> None:
    """A changed file that looks for other words finds them in what is held, while its content is there."""
    word = next(iter(sample()["asiakkaat"][0]["valmennuspaivakirja"]))["tehtavat"].split()[0].lower()
    changed = contract(tmp_path)
    stated = changed.read_text("utf-8")
    assert "\nwords:\n" in stated
    own = f"  - {{name: own-word, stems: [{word}], fields: {{diary_entry: [tasks]}}}}\n"
    rule = (
        '  - {id: OWN-1, kind: marked, severity: flag, clause: "1", records: [diary_entry], word: own-word,'
        " text: content-empty}\n"
    )
    changed.write_text(
        stated.replace("\nwords:\n", f"\nwords:\n{own}").replace("\nrules:\n", f"\nrules:\n{rule}"), "utf-8"
    )
    told = drafting.preview_contract(gateway, changed, someone(gateway))

    assert len(told["rules"]["OWN-1"]["comes"]) >= 1
    assert told["content_destroyed"] == 0


def test_a_rule_of_next_year_is_judged_as_in_force(gateway: Gateway, tmp_path: Path) -> None:
    """A rule that begins in the future says what it would; by each record's own day it says nothing."""
    stated = contract(tmp_path).read_text("utf-8")
    rule = (
        '  - {id: OWN-1, kind: content, severity: flag, clause: "1", records: [diary_entry], fields: [notes],'
        " text: content-empty, valid_from: 2999-01-01}\n"
    )
    changed = tmp_path / "changed.yaml"
    changed.write_text(stated.replace("\nrules:\n", f"\nrules:\n{rule}"), "utf-8")
    as_if = drafting.preview_contract(gateway, changed, someone(gateway))
    dated = drafting.preview_contract(gateway, changed, someone(gateway), is_as_dated=True)

    assert "OWN-1" in as_if["rules"]
    assert "2999-01-01" == as_if["in_force_on"]
    assert {} == dated["rules"]


def test_a_contract_of_an_unknown_name(gateway: Gateway, tmp_path: Path) -> None:
    """A contract that nothing uses yet is judged against a provider's file: everything it finds comes."""
    changed = contract(tmp_path, **{"contract: lapha": "contract: fresh"})
    told = drafting.preview_contract(gateway, changed, someone(gateway), against=(SAMPLE,), source="lapha-json")

    assert {"not judged"} == {one["from"] for one in told["outcomes"]}
    assert told["rules"]


def test_wrong_use_is_told(gateway: Gateway, tmp_path: Path) -> None:
    """A file that does not hold, and files without their format, are told; nothing is judged."""
    broken = contract(tmp_path, **{"kind: contract-known": "kind: contract-knwn"})
    with pytest.raises(MisconfiguredError, match="did you mean contract-known"):
        drafting.preview_contract(gateway, broken, someone(gateway))
    with pytest.raises(ParameterError, match="--source"):
        drafting.preview_contract(gateway, contract(tmp_path), someone(gateway), against=(SAMPLE,))


def mapping(number: str) -> Path:
    """A mapping file of the package."""
    return knowledge.path_of(f"mappings/documents/{number}.yaml")


def test_a_made_up_record_of_every_mapping(gateway: Gateway) -> None:
    """Every mapping file makes documents of made-up records of the types that it names, and nothing is stored."""
    before = counted(gateway)
    files = sorted(mapping("19007").parent.glob("*.yaml"))
    made = {one.stem: drafting.try_mapping(gateway, one)["tried"] for one in files if one.stem != "groups"}

    assert [] == [name for name, tried in made.items() if not tried]
    assert [] == [name for name, tried in made.items() for one in tried if not one["used"] or not one["document"]]
    assert before == counted(gateway)


def test_used_left_over_and_masked(gateway: Gateway, tmp_path: Path) -> None:
    """What of a record is used, what is left over, what is masked and which codes nobody has verified are told."""
    record: dict[str, Any] = {
        "type": "diary_entry", "id": "D-1", "client": "A-1", "date": "2026-03-02", "hours": 4, "mode": "on_site",
        "recorder": "T-1", "tasks": "Soitti numeroon 049 600 1001.", "voucher_number": "PS-1",
    }  # fmt: skip
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record), "utf-8")
    (told,) = drafting.try_mapping(gateway, mapping("19007"), path)["tried"]

    assert {"date", "hours", "mode", "recorder", "tasks"} == set(told["used"])
    assert ["voucher_number"] == told["left_over"]
    assert [{"in": "record", "field": "tasks", "class": "telephone", "count": 1}] == told["masked"]
    assert "1250 LASNA-UNVERIFIED" in told["unverified_codes"]
    assert ["client", "decision", "unit", "provider", "organiser"] == told["made_up"]
    assert "049" not in json.dumps(told)


def test_a_providers_file(gateway: Gateway) -> None:
    """Records of a provider's own file are tried with the client and decision that stand in the file."""
    told = drafting.try_mapping(gateway, mapping("19007"), SAMPLE, source="lapha-json", contract="lapha")["tried"]
    surname = sample()["asiakkaat"][0]["sukunimi"]

    assert len(told) > 20
    assert surname in {row["value"] for one in told for row in one["document"] if row["place"].endswith("sukunimi")}
    assert {("unit", "provider", "organiser")} == {tuple(one["made_up"]) for one in told}


@pytest.mark.parametrize(
    ("content", "error"),
    [('{"type": "diary_entri"}', UnreadableError), ('{"type": "diary_entry", "id": "1"}', UnreadableError),
     ("{", UnreadableError), ('{"type": "staff", "id": "1", "surname": "A", "given_names": "B"}', ParameterError)],
)  # fmt: skip
def test_what_is_no_record_of_the_mapping(
    content: str, error: type[Exception], gateway: Gateway, tmp_path: Path
) -> None:
    """A record of no type, one that does not fit its schema and one that the file does not map are refused."""
    path = tmp_path / "record.json"
    path.write_text(content, "utf-8")
    with pytest.raises(error):
        drafting.try_mapping(gateway, mapping("19007"), path)


def test_lines_for_a_person(gateway: Gateway, tmp_path: Path) -> None:
    """Both are told in lines as well, a text of several lines indented."""
    changed = contract(tmp_path, **{"hours_per_day: [4, 6]": "hours_per_day: [1, 2]"})
    preview = list(drafting.preview_lines(drafting.preview_contract(gateway, changed, someone(gateway))))
    trial = list(drafting.trial_lines(drafting.try_mapping(gateway, mapping("19007"))))
    same = list(drafting.preview_lines(drafting.preview_contract(gateway, contract(tmp_path), someone(gateway))))

    assert preview[0].startswith("contract lapha, as in force on ")
    assert any(line.startswith("  + diary_entry PV-") for line in preview)
    assert "no finding comes or goes" in same
    assert any(line.startswith("left over: ") for line in trial)


def test_two_exports_are_one_delivery(gateway: Gateway, tmp_path: Path) -> None:
    """A folder stands for the files in it."""
    folder = tmp_path / "exports"
    written(folder, sample())
    told = drafting.preview_contract(
        gateway, contract(tmp_path), someone(gateway), against=(folder,), source="lapha-json"
    )

    assert told["records"] > 50
