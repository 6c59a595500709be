"""The log of an installation: sealed under keys of its own, readable after the documents, gone after twelve years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.installations import SAMPLE, at, installation, take
from tests.logs import opened
from tests.processes import Archive

from kanta_gateway.errors import UntrustedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.keystore import day_key
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.tables import audit_entry, audit_name

USE = ("subject", "controller", "at", "purpose")
DISCLOSURE = ("subject", "controller", "provider", "recipient", "at", "purpose", "basis")


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The sample, taken in and delivered to a simulated archive."""
    folder = tmp_path_factory.mktemp("ages")
    archive = Archive(folder)
    gateway = installation(folder / "data", archive_url=archive.url)
    take(gateway, [SAMPLE])
    try:
        assert gateway.dispatch.deliver(gateway.actor(None, None, None), until_empty=True)["left"] == 0
    finally:
        archive.stop()
    yield gateway
    gateway.close()


def in_years(gateway: Gateway, years: int) -> Gateway:
    """The same installation so many years and some days later."""
    moment = (datetime.now(UTC) + timedelta(days=3)).replace(day=15)
    moment = moment.replace(year=moment.year + years)
    return at(gateway, lambda: moment)


def test_the_database_holds_no_open_entry(delivered: Gateway) -> None:
    """Neither a salt nor a subject of any entry stands in the database's bytes, and no key does."""
    entries = opened(delivered)
    delivered.parts.database.scrub()
    content = (delivered.settings.data / "gateway.db").read_bytes()
    with delivered.parts.keys._database.reading() as tx:
        wrapped = [bytes(one) for one in tx.execute(select(day_key.c.wrapped)).scalars()]

    assert len(entries) > 10
    assert [one["idx"] for one in entries if one["salt"].encode() in content] == []
    assert wrapped
    assert [one for one in wrapped if one in content] == []


def test_each_register_and_day_has_its_key(delivered: Gateway) -> None:
    """Entries of one register and day share a key; the log's own have another, and no document's key is among them."""
    with delivered.parts.database.reading() as tx:
        keys = dict(tx.execute(select(audit_entry.c.idx, audit_entry.c.key_id)).all())
    used: dict[tuple[str, str], set[int | None]] = {}
    for one in opened(delivered):
        used.setdefault((one["controller"], one["at"][:10]), set()).add(keys[one["idx"]])

    assert [key for key, ids in used.items() if len(ids) != 1] == []
    assert len(used) == len(set.union(*used.values()))


def test_a_destroyed_document_leaves_its_log(delivered: Gateway) -> None:
    """After the destruction every field of use and disclosure is readable, with the user's name, and the log holds.

    [LOG-02, LOG-03]
    """
    caller = delivered.actor(None, None, None)
    grown = replace(delivered.parts, clock=lambda: datetime.now(UTC).replace(year=datetime.now(UTC).year + 1))
    destroyed = destroy_spent(grown, caller, 30)["documents"]
    entries = opened(delivered)
    with delivered.parts.database.reading() as tx:
        people = {one["actor"]["name"]: delivered.parts.log.names.read(tx, one["actor"]["name"])
                  for one in entries if one["actor"].get("name")}  # fmt: skip
    uses = [one for one in entries if one["log"] == "use"]
    disclosures = [one for one in entries if one["log"] == "disclosure"]

    assert destroyed == len({one["subject"] for one in disclosures})
    assert [one for one in uses if not all(one[field] for field in USE)] == []
    assert [one for one in disclosures if not all(one[field] for field in DISCLOSURE)] == []
    assert [one for one in (*uses, *disclosures) if not all(people[one["actor"]["name"]].values())] == []
    assert delivered.trail.verify(reconcile=True)["holds"]


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Gateway]:
    """The sample, taken in by an installation of its own."""
    gateway = installation(tmp_path / "data")
    take(gateway, [SAMPLE])
    yield gateway
    gateway.close()


def test_a_clock_that_may_run_ahead_destroys_nothing(taken: Gateway) -> None:
    """Thirteen years on and no entry between: the purge does nothing until a person says that the clock is right."""
    gateway = in_years(taken, 13)
    count = len(opened(gateway))

    assert gateway.retention.aging.purge()["silent_year"] == datetime.now(UTC).year + 1
    with pytest.raises(UntrustedError, match="clock"):
        gateway.retention.aging.ask(gateway.actor(None, None, None))
    assert len(opened(gateway)) == count + 1


def test_after_twelve_years_all_of_it_is_gone(taken: Gateway) -> None:
    """LOG-05: rows, salts, names and the keys of their days go; the log verifies, reconciles, is exported, goes on.

    [LOG-05]
    """
    gateway = in_years(taken, 13)
    note = gateway.office.checkpoint(None)
    caller = gateway.actor("9", "Uusi Ihminen", "retention")
    with gateway.parts.database.reading() as tx:
        before = tx.execute(select(audit_entry.c.key_id).where(audit_entry.c.idx == 0)).scalar_one()
        names = set(tx.execute(select(audit_name.c.commitment)).scalars())
    told = gateway.retention.aging.ask(caller, is_clock_right=True)
    lines = list(gateway.trail.export("jsonl", caller))
    left = opened(gateway)
    with gateway.parts.database.reading() as tx:
        kept = set(tx.execute(select(audit_name.c.commitment)).scalars())
        empty = tx.execute(select(audit_entry).where(audit_entry.c.idx == 0)).mappings().one()
    seen = gateway.trail.verify(reconcile=True)

    assert told["rows"] > 10
    assert told["keys"] > 0
    assert told["names"] == len(names - kept) > 0
    assert {name for name, value in empty.items() if value is not None} == {"idx", "leaf_hash"}
    assert gateway.parts.keys.wrapped_day_key(before) == b""
    assert seen["problems"] == seen["unmatched"] == []
    assert gateway.office.checkpoint(None) != note
    assert len(lines) == left[-1]["idx"] + 1
    assert {one["event"] for one in left} <= {"audit:read", "audit:checkpoint", "audit:purge"}
    assert gateway.retention.aging.purge() == {"rows": 0, "names": 0, "keys": 0, "silent_year": 0}
