"""What is kept for a while only: records that were given back, clients' reference data, what is to go on request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from tests.installations import SAMPLE, at, installation, take
from tests.logs import opened

from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.statements import newest
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError, NotPermittedError, ParameterError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Event
from kanta_gateway.tables import document, fingerprint, record

RECEIVED = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """The sample, taken in on the last of January: one record waits, one was refused."""
    one = at(installation(tmp_path / "data"), lambda: RECEIVED)
    take(one, [SAMPLE])
    yield one
    one.close()


def on(gateway: Gateway, day: date) -> dict[str, int]:
    """What the worker does on a day."""
    at(gateway, lambda: datetime(day.year, day.month, day.day, 9, tzinfo=UTC))
    return gateway.retention.step(gateway.actor("worker", "worker", "archiving"))


def test_reminded_and_then_destroyed(gateway: Gateway) -> None:
    """Reminders after 7, 14 and 30 days, each once; half a year after the return the content is gone."""
    caller = gateway.actor(None, None, None)
    days = [RECEIVED.date() + timedelta(days=days) for days in (6, 7, 8, 14, 30, 31)]
    reminded = [on(gateway, day)["reminded"] for day in days]
    told = gateway.retention.keeping.listed(caller)
    before = on(gateway, date(2026, 7, 30))["returned"]
    gone = on(gateway, date(2026, 7, 31))["returned"]

    assert reminded == [0, 2, 0, 2, 2, 0]
    assert [(one["outcome"], one["reminded"], one["destroyed_on"]) for one in told] == [
        ("held", [7, 14, 30], "2026-07-31"), ("refused", [7, 14, 30], "2026-07-31"),
    ]  # fmt: skip
    assert (before, gone) == (0, 2)
    assert gateway.retention.keeping.listed(caller) == []
    assert [one["details"]["days"] for one in opened(gateway, Event.RECORD_REMIND)] == [7, 7, 14, 14, 30, 30]
    gone_for = [one["details"].get("term") for one in opened(gateway, Event.DOCUMENT_DESTROY_KEY)]
    assert sorted(map(str, gone_for)) == ["None"] * 3 + ["returned"] * 2  # three were overtaken within one delivery
    assert gateway.trail.verify(reconcile=True)["holds"]


def test_what_was_destroyed_is_a_duplicate(gateway: Gateway) -> None:
    """The same id and version after the destruction is a duplicate, whatever it says, and is not judged again."""
    on(gateway, date(2026, 7, 31))
    rows = take(gateway, [SAMPLE])
    with gateway.parts.database.reading() as tx:
        states = tx.execute(select(record.c.state, record.c.digest).where(record.c.outcome.in_(["held", "refused"])))
        left = {tuple(row) for row in states}

    assert {row["outcome"] for row in rows} <= {"duplicate", "reference"}
    assert left == {("settled", "")}


def test_a_digest_tells_nothing_without_its_record(gateway: Gateway) -> None:
    """Two installations, or two records, with the same content have no digest in common: each has its own key."""
    with gateway.parts.database.reading() as tx:
        digests = tx.execute(select(record.c.digest)).scalars().all()
    rows = take(gateway, [SAMPLE])

    assert len(set(digests)) == len(digests)
    assert {row["outcome"] for row in rows} == {"duplicate"}


def test_reference_data_goes_after_the_delivery_window(gateway: Gateway) -> None:
    """While the contract's window is open a client's basic data stays; the day after it is over it is gone.

    What rules needed of the client's other records goes with it, and nothing judges those any more.
    """
    with gateway.parts.database.transaction() as tx:
        (one,) = agreements(tx)
        tx.execute(update(document).values(state="archived", settled_at="2026-02-01T00:00:00.000000Z"))
        contract = next(
            found for found in newest(register.stated(tx, ("contract",))) if found.body["number"] == one.number
        )
    gateway.party_book.end(contract.key, date(2026, 3, 31), gateway.actor(None, None, None))
    gateway.desk.finish(gateway.actor(None, None, None))
    on(gateway, date(2026, 8, 1))  # what was given back goes first
    before = on(gateway, date(2028, 3, 31))["reference"]
    gone = on(gateway, date(2028, 4, 1))["reference"]
    with gateway.parts.database.reading() as tx:
        left = tx.execute(select(func.count()).where(record.c.type == "client", record.c.payload.is_not(None)))
        prints = tx.execute(select(func.count()).select_from(fingerprint)).scalar_one()
        facts = tx.execute(select(func.count()).where(record.c.client_ref.is_not(None), record.c.facts.is_not(None)))

        assert facts.scalar_one() == 0
        assert left.scalar_one() == 0
    assert before == 0
    assert gone >= 6  # three clients and their decisions
    assert prints == 0
    figures = gateway.office.figures(gateway.actor(None, None, None), None, None, explain=False)["figures"]
    assert {one["hours"] for one in figures.values()} == {0}
    take(gateway, [SAMPLE])
    gateway.desk.finish(gateway.actor(None, None, None))
    with gateway.parts.database.reading() as tx:
        assert tx.execute(select(func.count()).where(record.c.state == "received")).scalar_one() == 0


def test_the_controller_instructs(gateway: Gateway) -> None:
    """On a documented instruction content goes with its key; the reference stands in each entry."""
    caller = gateway.actor(None, None, None)
    with gateway.parts.database.transaction() as tx:
        oid, key, row, organiser = tx.execute(
            select(document.c.oid, document.c.key_id, document.c.record_row, document.c.organiser).limit(1)
        ).one()
        ticket = tx.execute(select(record.c.ticket).where(record.c.id == row)).scalar_one()
    erase = gateway.retention.destroyer.instructed
    with pytest.raises(ConflictError, match="archive has not got"):
        erase(caller, "controller", organiser, "JLHVA/12/2026", tickets=[ticket])
    with gateway.parts.database.transaction() as tx:
        tx.execute(update(document).where(document.c.oid == oid).values(state="archived", receipt="{}"))
    with pytest.raises(NotFoundError):
        erase(caller, "controller", "1.2.3", "JLHVA/12/2026", tickets=[ticket])
    with pytest.raises(NotFoundError):
        erase(caller, "controller", organiser, "JLHVA/12/2026", documents=["1.2.3.4"])
    told = erase(caller, "controller", organiser, "JLHVA/12/2026", tickets=[ticket])
    entries = opened(gateway, Event.DOCUMENT_DESTROY_KEY)

    assert told == {"documents": 1, "records": 1, "instruction": "JLHVA/12/2026"}
    assert [(one["subject"], one["details"]["instruction"]) for one in entries] == [
        (oid, "JLHVA/12/2026"), (ticket, "JLHVA/12/2026"),
    ]  # fmt: skip
    with pytest.raises(KeyUnavailableError):
        gateway.parts.vault.key(key)


def test_a_client_alone_erases_nothing(gateway: Gateway) -> None:
    """A client's own request is refused with the reason, in the log too, and everything stays."""
    caller = gateway.actor(None, None, None)
    with gateway.parts.database.reading() as tx:
        oid, organiser = tx.execute(select(document.c.oid, document.c.organiser).limit(1)).one()
        keys = gateway.parts.keys.ids()
    erase = gateway.retention.destroyer.instructed
    with pytest.raises(NotPermittedError, match="17") as error:
        erase(caller, "client", organiser, "A-1", documents=[oid])
    with pytest.raises(ParameterError):
        erase(caller, "neighbour", organiser, "A-1", documents=[oid])
    with pytest.raises(ParameterError):
        erase(caller, "controller", organiser, "please erase everything about him, he moved!", documents=[oid])
    (denied,) = opened(gateway, Event.REQUEST_DENY)

    assert [one.kind for one in error.value.findings] == ["erasure-statutory"]
    assert denied["details"]["reasons"] == ["erasure-statutory: GDPR 17(3)(b), 703/2023 §23"]
    assert gateway.parts.keys.ids() == keys


def test_files_are_not_stored(gateway: Gateway) -> None:
    """Of a delivered file nothing lies in the data folder but the records that were read from it, sealed."""
    gateway.parts.database.scrub()
    line = SAMPLE.read_bytes()[200:280]
    files = [one for one in gateway.settings.data.rglob("*") if one.is_file()]

    assert {one.name for one in files} >= {"gateway.db", "keys.db"}
    assert [one.name for one in files if line in one.read_bytes()] == []
