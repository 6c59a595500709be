"""Idempotency keys: whose they are, what they are bound to, and what is left once the record's key is destroyed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select

from kanta_gateway.database import Database
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import Caller, Oid
from kanta_gateway.pipeline.parts import Keyring, Parts
from kanta_gateway.pipeline.repeats import bind, remember
from kanta_gateway.tables import data_key, idempotency, metadata, record

CALLER = Caller("records", Oid("1.2"), "T-1", "N", "provider-system", "delivery")
KEY, TICKET, ONE, OTHER = "key-1", "ticket-1", b"1" * 32, b"2" * 32


class Desk:
    """One record, and the keys that there are."""

    def __init__(self) -> None:
        self.keys = {1: b"k" * 32}
        self.database = Database("sqlite://")
        metadata.create_all(self.database.engine)
        with self.database.transaction() as tx:
            tx.execute(data_key.insert(), {"id": 1, "made_at": "x"})
            tx.execute(record.insert(), {
                "id": 1, "provider": "p", "purchaser": "u", "source": "s", "type": "t", "record_id": "r", "version": 1,
                "is_keyed": 0, "ticket": TICKET, "digest": "d", "is_cancelled": 0, "state": "settled", "findings": "[]",
                "removed": "{}", "as_of": "2026-03-01", "received_at": "x", "key_id": 1,
            })  # fmt: skip
        self.parts = cast("Parts", SimpleNamespace(
            database=self.database, keyring=Keyring(b"m" * 32), now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
            vault=SimpleNamespace(keys=self._keys),
        ))  # fmt: skip

    def _keys(self, ids: Collection[int]) -> dict[int, bytes]:
        return {one: self.keys[one] for one in ids if one in self.keys}

    def ask(self, content: bytes = ONE, **caller: str) -> str:
        """The ticket of an earlier call with the key."""
        return remember(self.parts, replace(CALLER, **caller), KEY, content)  # type: ignore[arg-type]

    def digest(self) -> str:
        """What is stored of the content."""
        with self.database.reading() as tx:
            return str(tx.execute(select(idempotency.c.digest)).scalar_one())


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk at which one call with a key was made."""
    made = Desk()
    assert made.ask() == ""
    bind(made.parts, CALLER, KEY, TICKET, ONE)
    yield made
    made.database.close()


def test_a_key_is_bound_to_its_content(desk: Desk) -> None:
    """The same content gives the ticket of the first call, another one is refused."""
    assert desk.ask() == TICKET
    with pytest.raises(ConflictError, match="another content"):
        desk.ask(OTHER)


def test_a_key_is_bound_before_its_ticket_is() -> None:
    """A call that died before it had a ticket can be made again, with the same content only."""
    desk = Desk()
    first = desk.ask()
    again = desk.ask()
    with pytest.raises(ConflictError, match="another content"):
        desk.ask(OTHER)
    desk.database.close()

    assert (first, again) == ("", "")


@pytest.mark.parametrize("other", [{"organisation": "1.3"}, {"system": "another"}])
def test_another_systems_key_is_another_key(desk: Desk, other: dict[str, str]) -> None:
    """What one system calls by a key says nothing to another one, of the same organisation or not."""
    assert desk.ask(OTHER, **other) == ""
    assert desk.ask() == TICKET


def test_a_colleagues_key_is_the_same(desk: Desk) -> None:
    """The key is the system's, whoever works with it."""
    assert desk.ask(person_id="T-2") == TICKET


def test_after_destruction_the_key_alone_answers(desk: Desk) -> None:
    """Once the record's key is gone nothing can be compared: guesses at the content all get the same ticket."""
    stored = desk.digest()
    desk.keys.clear()

    assert [TICKET, TICKET] == [desk.ask(), desk.ask(OTHER)]
    assert stored not in {ONE.hex(), OTHER.hex(), desk.parts.keyring.digest(ONE), desk.parts.keyring.digest(OTHER)}
