"""Changes as they lie in the database: who can only write tables changes nothing of what is approved."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from hashlib import sha256

import orjson
import pytest
from sqlalchemy import update

from kanta_gateway.access.changes import Change, State, add, approved, every, is_stale, settle
from kanta_gateway.database import Database
from kanta_gateway.errors import UntrustedError
from kanta_gateway.tables import change, metadata

AT = "2026-03-02T10:00:00.000000Z"


def code(content: bytes) -> bytes:
    """A code under a key that is not in the database."""
    return hmac.new(b"key", content, sha256).digest()


def told(before: str | None, after: str | None) -> str:
    """What a change of one piece tells."""
    return orjson.dumps({"pieces": {"policy/own.cedar": {"before": before, "after": after}}}).decode()


def proposal(before: str | None = None, after: str | None = "a", state: State = State.APPROVED) -> Change:
    """A change as it is stored."""
    return Change(0, state, "p" * 64, "d" * 64, "whole", told(before, after), b"sealed", AT, AT, None)


@pytest.fixture
def database() -> Iterator[Database]:
    """A database with one approved change."""
    made = Database("sqlite://")
    metadata.create_all(made.engine)
    with made.transaction() as tx:
        add(tx, proposal(), code)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "rejected"), ("proposer", "x" * 64), ("decider", "x" * 64), ("digest", "other"),
        ("told", told(None, "b")), ("proposed_at", "2026-03-03T10:00:00.000000Z"),
        ("decided_at", "2026-03-03T10:00:00.000000Z"), ("review_by", "2026-04-01"), ("number", 7),
        ("code", bytes(32)),
    ],
)  # fmt: skip
def test_no_column_can_be_edited(database: Database, column: str, value: object) -> None:
    """Whichever column that decides is written past the gateway, no change is read any more."""
    with database.transaction() as tx:
        before = approved(every(tx, code))
        tx.execute(update(change).values({column: value}))
        with pytest.raises(UntrustedError, match="was not written by this installation"):
            every(tx, code)

    assert before == {"policy/own.cedar": "a"}


def test_what_was_settled_is_coded_anew(database: Database) -> None:
    """A change that the gateway itself settles is read again, as it was settled."""
    with database.transaction() as tx:
        (one,) = every(tx, code)
        settle(tx, Change(**{name: getattr(one, name) for name in one.__slots__} | {"state": State.REJECTED}), code)

        assert approved(every(tx, code)) == {}


@pytest.mark.parametrize(("before", "stale"), [("a", False), (None, True), ("b", True)])
def test_a_change_is_for_the_content_in_force(database: Database, before: str | None, *, stale: bool) -> None:
    """A change that was made over other content than what is approved now is stale."""
    with database.reading() as tx:
        known = every(tx, code)

    assert is_stale(proposal(before, "c", State.PROPOSED), known) is stale
