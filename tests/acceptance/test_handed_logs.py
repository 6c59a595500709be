"""Logs that came with a package end as the own log does, and where they were handed on with the register."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.test_handover import Left, fresh, left, take  # noqa: F401 — `left` is a fixture
from tests.chains import ORGANISER
from tests.faults_world import World
from tests.installations import at

from kanta_gateway.audit import verifier
from kanta_gateway.audit.entry import OWN
from kanta_gateway.errors import UntrustedError
from kanta_gateway.model import Event

YEARS = 12


class Shelved:
    """An installation that took a register in."""

    def __init__(self, world: World, package: str) -> None:
        self.world = world
        self.package = package
        self.file = world.folder / "data/handed" / f"{package}.sealed"

    def read(self, folder: Path) -> dict[str, list[dict[str, Any]]]:
        """The log as it is written out: its lines, by file; the verifier says whether it holds."""
        self.world.gateway.arriving.write_log(self.world.caller, self.package, folder)
        names = ("entries", "names", "references")
        found = {name: folder / f"{name}.jsonl" for name in names}
        return {
            name: [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
            for name, path in found.items()
        }

    def at(self, moment: datetime) -> World:
        """The same installation at another time."""
        at(self.world.gateway, lambda: moment)
        return self.world

    def told(self) -> list[dict[str, Any]]:
        """What its log tells of the ends of what was handed over."""
        lines = (json.loads(line) for line in self.world.gateway.trail.export("jsonl", self.world.caller))
        return [one for one in lines if one.get("event") == Event.HANDOVER_DESTROY]


@pytest.fixture
def shelved(left: Left, tmp_path: Path) -> Iterator[Shelved]:  # noqa: F811 — the fixture
    """One with its own clock."""
    world = fresh(tmp_path / "target", left)
    told, _ = take(world, left)
    yield Shelved(world, told["package"])
    world.gateway.close()


def holds(folder: Path) -> bool:
    """Whether the stand-alone verifier proves the log whole."""
    files = {"--key": "log.vkey", "--new": "checkpoint.txt", "--old": "earlier.txt"}
    given = [text for option, name in files.items() for text in (option, str(folder / name))]
    return verifier.main([str(folder / "entries.jsonl"), *given]) == 0


def years_after(moment: str, years: int = YEARS) -> datetime:
    """So many years after an entry."""
    found = datetime.fromisoformat(moment)
    return found.replace(year=found.year + years)


def test_its_rows_go_after_twelve_years(shelved: Shelved, tmp_path: Path) -> None:
    """LOG-05: at T+12y the rows up to T are gone, with names and clients no younger row tells of; proofs hold.

    [LOG-05]
    """
    before = shelved.read(tmp_path / "before")
    opened = [one for one in before["entries"] if "leaf" not in one]
    middle = opened[len(opened) // 2]["at"]
    world, sealed = shelved.at(years_after(middle) - timedelta(microseconds=1)), shelved.file.read_bytes()
    early = world.gateway.retention.aging.purge_handed(world.caller, is_clock_right=True)
    younger = shelved.read(tmp_path / "early")
    world = shelved.at(years_after(middle))
    told = world.gateway.retention.aging.purge_handed(world.caller, is_clock_right=True)
    half = shelved.read(tmp_path / "half")
    closed = {one["idx"] for one in half["entries"] if "leaf" in one}
    gone = [one for one in opened if one["at"] <= middle and one["event"] not in OWN]
    world = shelved.at(years_after(opened[-1]["at"]))
    last = world.gateway.retention.aging.purge_handed(world.caller, is_clock_right=True)
    after = shelved.read(tmp_path / "after")
    left_open = {one["event"] for one in after["entries"] if "leaf" not in one}
    entries = [one["details"] for one in shelved.told()]

    assert {one["idx"] for one in gone} <= closed
    assert [one for one in half["entries"] if "leaf" not in one] == [
        one for one in younger["entries"] if "leaf" not in one and one["idx"] not in closed
    ]
    assert all(holds(tmp_path / name) for name in ("before", "early", "half", "after"))
    assert len(gone) == early["rows"] + told["rows"] > told["rows"] > 0
    assert {one["client"] for one in half["entries"] if one.get("client")} <= {one["ref"] for one in half["references"]}
    assert before["names"] != []
    assert before["references"] != []
    assert {"names": [], "references": []} == {name: after[name] for name in ("names", "references")}
    assert left_open <= OWN
    assert len([one for one in opened if one["event"] not in OWN]) == len(gone) + last["rows"]
    assert [early["rows"], told["rows"], last["rows"]] == [one["entries"] for one in entries]
    assert sealed[:200] != shelved.file.read_bytes()[:200]
    assert world.gateway.retention.aging.purge_handed(world.caller)["rows"] == 0


def test_a_clock_that_may_run_ahead_takes_nothing(shelved: Shelved) -> None:
    """LOG-05: where years left no entry, nothing goes until a person says that the clock is right. [LOG-05]"""
    world = shelved.at(years_after(datetime.now(UTC).isoformat(), 13))
    doubted = world.gateway.retention.step(world.caller)["handed"]
    with pytest.raises(UntrustedError, match="clock"):
        world.gateway.retention.aging.ask(world.caller)
    asked = world.gateway.retention.aging.ask(world.caller, is_clock_right=True)

    assert 0 == doubted
    assert asked["handed"] > 0
    assert [asked["handed"]] == [one["details"]["entries"] for one in shelved.told()]


def test_the_worker_does_it_where_every_year_left_entries(shelved: Shelved, tmp_path: Path) -> None:
    """LOG-05: nobody need ask: with entries in each year the step of the day takes what has had its time. [LOG-05]"""
    last = max(one["at"] for one in shelved.read(tmp_path / "log")["entries"] if "at" in one)
    for year in range(1, YEARS):
        shelved.at(years_after(last, year)).gateway.retention.aging.ask(shelved.world.caller)
    world = shelved.at(years_after(last) + timedelta(days=1))
    told, again = (world.gateway.retention.run(world.caller) for _ in range(2))

    assert told["handed"] > 0
    assert not again.get("handed")
    assert [told["handed"]] == [one["details"]["entries"] for one in shelved.told()]
    assert world.gateway.trail.verify(reconcile=True)["holds"]


def test_it_is_destroyed_where_it_was_handed_on(left: Left, shelved: Shelved, tmp_path: Path) -> None:  # noqa: F811
    """LAP-22: with the register the log of its first keeper is handed on; the copy goes on instruction. [LAP-22]"""
    source, target, own = shelved.world, fresh(tmp_path / "third", left), left.controller
    made = source.gateway.leaving.export(source.caller, ORGANISER, own.certificate, tmp_path / "again")
    keys = (source.folder / "data/keys/checkpoint.vkey").read_text()
    _, receipt = target.gateway.arriving.take(target.caller, tmp_path / "again", own.certificate, own.key, keys)
    source.gateway.leaving.confirm(
        source.caller, receipt, (target.folder / "data/keys/checkpoint.vkey").read_text()
    )  # fmt: skip
    with shelved.file.open("rb") as handle:
        told = source.gateway.leaving.destroy(source.caller, made["package"], "HVA 12/2026")
        handle.seek(0)
        header = handle.read(400)
    kept = {one["package"] for one in target.gateway.arriving.listed(target.caller)["packages"]}
    target.gateway.close()

    assert 1 == told["destroyed"]["logs"]
    assert not shelved.file.exists()
    assert b'"key"' not in header
    assert [] == source.gateway.arriving.listed(source.caller)["packages"]
    assert {shelved.package, made["package"]} == kept
