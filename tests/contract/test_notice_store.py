"""The notice store and its queue of calls, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kanta_gateway import forgotten
from kanta_gateway.database import Database
from kanta_gateway.errors import ConflictError
from kanta_gateway.notices import calls, store
from kanta_gateway.notices.calls import Call, Reached
from kanta_gateway.notices.states import TRANSITIONS, NoticeState, is_allowed
from kanta_gateway.notices.store import NewNotice, StoredNotice

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = "2026-03-01"
REACHED = Reached("webhook", "lapha", ("incident-to-purchaser",), "purchaser", "")


def new(name: str, **other: Any) -> NewNotice:
    """A notice as the pipeline has sealed it."""
    given: dict[str, Any] = {
        "id": name, "provider": "1.2", "organiser": "1.3", "purchaser": "lapha", "client_ref": "c1",
        "is_client": True, "type": "incident-to-purchaser", "corrects": "", "recipients": ("purchaser",),
        "items": [{"group": "incidents", "type": "incident", "id": name, "version": 1, "mark": "m"}],
        "payload": b"payload", "key_id": int.from_bytes(name.encode(), "big"),
        "send_on": TODAY, "ready_on": "", "due_on": TODAY,
    }  # fmt: skip
    return NewNotice(**{**given, **other})


def added(database: Database, *notices: NewNotice) -> list[StoredNotice]:
    """Notices, committed, as they are stored."""
    with database.transaction() as tx:
        for one in notices:
            store.add(tx, one, NOW)
        return store.of_subject(tx, "1.2", "c1")


def leased(database: Database, now: datetime = NOW, seconds: float = 60) -> list[Call]:
    """Queue what is to be sent and take what is due."""
    with database.alone() as tx:
        for one in calls.missing(tx, REACHED, TODAY, 10):
            calls.queue(tx, one, "webhook", "notice", now)
        return calls.lease(tx, now, 10, seconds)


def read(database: Database, name: str) -> StoredNotice:
    """One notice as it stands."""
    with database.reading() as tx:
        found = store.get(tx, name)
    assert found is not None
    return found


def test_what_was_put_comes_back(database: Database) -> None:
    """A notice comes back as it was stored, waiting."""
    (one,) = added(database, new("n1"))

    assert (one.id, one.state, one.recipients, one.payload, one.key_id) == (
        "n1", NoticeState.WAITING, ("purchaser",), b"payload", int.from_bytes(b"n1", "big"),
    )  # fmt: skip
    assert one.items[0]["id"] == "n1"


def test_renewed_while_it_waits(database: Database) -> None:
    """A waiting notice takes new content under a new key; one that was handed over stays as it is."""
    (one,) = added(database, new("n1"))
    with database.transaction() as tx:
        assert store.renew(tx, one, new("n1", payload=b"new", key_id=7), NOW)
        store.deliver(tx, one, "purchaser", NOW)

        assert not store.renew(tx, one, new("n1", payload=b"newest", key_id=8), NOW)

    assert (read(database, "n1").payload, read(database, "n1").key_id) == (b"new", 7)
    with database.reading() as tx:
        assert [one.key_id for one in forgotten.waiting(tx)] == [one.key_id]  # the old content's


def test_withdrawn_with_its_key(database: Database) -> None:
    """A withdrawn notice keeps that it was, and neither content nor key nor calls."""
    (one,) = added(database, new("n1"))
    leased(database, seconds=-1)
    with database.transaction() as tx:
        store.withdraw(tx, one, NOW)

    assert read(database, "n1").payload is None
    with database.reading() as tx:
        assert [(deed.subject, deed.key_id) for deed in forgotten.waiting(tx)] == [("n1", one.key_id)]
    assert leased(database, NOW + timedelta(days=1)) == []


def test_changed_by_one_only(database: Database) -> None:
    """Who read a notice before somebody else changed it changes nothing."""
    (one,) = added(database, new("n1"))
    with database.transaction() as tx:
        store.freeze(tx, one)
    with pytest.raises(ConflictError), database.transaction() as tx:
        store.withdraw(tx, one, NOW)

    assert read(database, "n1").state is NoticeState.SENDING


def test_first_handing_over_counts(database: Database) -> None:
    """Fetching a notice again leaves the day on which it was told first."""
    (one,) = added(database, new("n1"))
    with database.transaction() as tx:
        store.deliver(tx, one, "purchaser", NOW)
    with database.transaction() as tx:
        store.deliver(tx, read(database, "n1"), "purchaser", NOW + timedelta(days=3))

    assert read(database, "n1").disclosed_at == "2026-03-01T12:00:00.000000Z"


def test_pages(database: Database) -> None:
    """A list is narrowed by provider, organiser and state, and goes on after the last one seen."""
    first, _ = added(database, new("n1"), new("n2", organiser="1.4"))

    def ids(**wanted: Any) -> Sequence[str]:
        with database.reading() as tx:
            return [one.id for one in store.listed(tx, **wanted)]

    assert ids(organiser="1.4") == ["n2"]
    assert ids(provider="1.9") == []
    assert ids(after=first.sequence) == ["n2"]
    assert ids(state="waiting", limit=1) == ["n1"]


def test_content_of_the_told_goes(database: Database) -> None:
    """After its time a told notice loses content and key; one that waits keeps them however old it is."""
    told, _ = added(database, new("n1"), new("n2"))
    with database.transaction() as tx:
        store.deliver(tx, told, "purchaser", NOW)
    with database.transaction() as tx:
        spent = store.spent(tx, "2026-04-01T00:00:00.000000Z", 10)
        store.destroy(tx, spent, NOW)

    assert [one.id for one in spent] == ["n1"]
    assert (read(database, "n1").payload, read(database, "n2").payload) == (None, b"payload")


def test_one_call_for_each_way(database: Database) -> None:
    """A notice is queued once, leased once, and leased again only when the lease has ended."""
    added(database, new("n1"))

    assert len(leased(database)) == 1
    assert leased(database) == []
    assert [one.attempts for one in leased(database, NOW + timedelta(seconds=61))] == [2]


def test_late_answer_changes_nothing(database: Database) -> None:
    """Who lost its lease settles nothing; who has it does, and a done call is not made again."""
    added(database, new("n1"))
    (first,) = leased(database, seconds=-1)
    (second,) = leased(database)
    with database.transaction() as tx:
        assert not calls.settle(tx, first, NOW)
        assert calls.settle(tx, second, NOW)
        assert calls.counts(tx) == {"done": 1}
    assert leased(database, NOW + timedelta(days=1)) == []


def test_failed_call_waits(database: Database) -> None:
    """A call that failed is due again at its time, and its problem is known."""
    added(database, new("n1"))
    (one,) = leased(database)
    later = NOW + timedelta(seconds=30)
    with database.transaction() as tx:
        calls.settle(tx, one, NOW, problem={"kind": "webhook-refused", "status": "500"}, next_attempt=later)

        assert calls.problems(tx, [one.notice]) == {one.notice: {"kind": "webhook-refused", "status": "500"}}
    assert leased(database) == []
    assert len(leased(database, later)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"send_on": "2026-03-02"}, {"ready_on": "2027-01-01"}, {"recipients": ("kela", "fund")},
        {"purchaser": "heinola"}, {"type": "conduct-yearly"},
    ],
)  # fmt: skip
def test_not_called(database: Database, other: dict[str, Any]) -> None:
    """Nobody is called before the time, about an unknown recipient, or about what the channel is not for."""
    added(database, new("n1", **other))

    assert leased(database) == []


def test_correction_waits_for_the_first(database: Database) -> None:
    """A correction is not sent while the recipient does not have what it corrects."""
    first, _ = added(database, new("n1"), new("n2", corrects="n1"))
    with database.transaction() as tx:
        store.freeze(tx, first)

    assert leased(database) == []

    with database.transaction() as tx:
        store.deliver(tx, read(database, "n1"), "purchaser", NOW)

    assert len(leased(database)) == 1


def test_states_never_go_back() -> None:
    """What was told never waits again, and what was withdrawn is never told."""
    assert not any(is_allowed(one, NoticeState.WAITING) for one in NoticeState)
    assert TRANSITIONS[NoticeState.WITHDRAWN] == frozenset()
