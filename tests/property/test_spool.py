"""The spool as a state machine: nothing is lost, nothing is leased twice, versions keep their order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kanta_gateway.database import Database
from kanta_gateway.model import Oid, Sha256Hex
from kanta_gateway.spool import store
from kanta_gateway.spool.oids import OidSource
from kanta_gateway.spool.states import State
from kanta_gateway.tables import metadata, record


class Spool(RuleBasedStateMachine):
    """Workers that lease, settle, die and answer late, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.database = Database(f"sqlite:///{self.folder.name}/spool.sqlite")
        metadata.create_all(self.database.engine)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.made: dict[str, list[str]] = {}
        self.held: list[store.Leased] = []
        self.lost: list[store.Leased] = []
        with self.database.transaction() as tx:
            tx.execute(record.insert(), {
                "id": 1, "provider": "p", "purchaser": "u", "source": "s", "type": "t", "record_id": "r",
                "version": 1, "is_keyed": 0, "ticket": "k", "digest": "d", "is_cancelled": 0, "state": "settled",
                "findings": "[]", "removed": "{}", "as_of": "2026-01-01", "received_at": "x",
            })  # fmt: skip

    @rule(which=st.integers(0, 3))
    def put(self, which: int) -> None:
        """A new version of one of four sets."""
        versions = self.made.setdefault(f"1.{which}", [])
        oid = f"1.{which}.{len(versions)}"
        versions.append(oid)
        one = store.NewDocument(
            oid=Oid(oid), set_oid=Oid(f"1.{which}"), version_number=len(versions), replaces=None, record_row=1,
            part="m", structure=Oid("9"), client_ref="c", provider=Oid("1"), organiser=Oid("2"), payload=b"",
            key_id=10 * len(versions) + which, digest=Sha256Hex("a"), inputs="{}",
        )  # fmt: skip
        with self.database.transaction() as tx:
            store.put(tx, [one], self.now)

    @rule(limit=st.integers(1, 3))
    def lease(self, limit: int) -> None:
        """A worker takes work."""
        with self.database.transaction() as tx:
            taken = store.lease(tx, self.now, limit, 60)
        held = {one.document.oid for one in self.held}
        assert not held & {one.document.oid for one in taken}
        self.held.extend(taken)

    @rule(data=st.data(), state=st.sampled_from([State.ARCHIVED, State.QUEUED, State.UNKNOWN, State.REJECTED]))
    def settle(self, data: Any, state: State) -> None:
        """A worker answers in time."""
        if self.held:
            one = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
            with self.database.transaction() as tx:
                assert store.settle(tx, one, state, self.now)

    @rule()
    def die(self) -> None:
        """All workers die; their leases end, and their work is taken over."""
        self.lost.extend(self.held)
        self.held.clear()
        self.now += timedelta(seconds=61)
        self.lease(100)

    @rule(data=st.data())
    def answer_late(self, data: Any) -> None:
        """A worker that lost its lease answers all the same."""
        if self.lost:
            one = data.draw(st.sampled_from(self.lost))
            with self.database.transaction() as tx:
                assert not store.settle(tx, one, State.REJECTED, self.now)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every document that was put is in exactly one state."""
        with self.database.reading() as tx:
            assert sum(len(one) for one in self.made.values()) == sum(store.counts(tx).values())

    @invariant()
    def versions_keep_their_order(self) -> None:
        """Of one set at most one version is held."""
        sets = [one.document.set_oid for one in self.held]
        assert len(sets) == len(set(sets))

    def teardown(self) -> None:
        """Close the database."""
        self.database.close()
        self.folder.cleanup()


TestSpool = Spool.TestCase
TestSpool.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@given(st.sets(st.integers(0, 2**48 - 1), min_size=2, max_size=50), st.binary(min_size=16, max_size=32))
def test_the_permutation_is_one_to_one(numbers: set[int], key: bytes) -> None:
    """Different numbers give different OIDs, all within 48 bits."""
    source = OidSource(key)

    seen = {source.permuted("1.2", one) for one in numbers}

    assert len(numbers) == len(seen)
    assert all(0 <= one < 2**48 for one in seen)
