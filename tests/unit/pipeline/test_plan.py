"""What judging means for documents: make, withdraw, invalidate, wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kanta_gateway.model import Oid, Outcome, Sha256Hex
from kanta_gateway.pipeline.plan import Plan, plan
from kanta_gateway.spool.records import StoredRecord
from kanta_gateway.spool.states import State
from kanta_gateway.spool.store import StoredDocument

GUARD = "0:0"
Told = tuple[list[tuple[int, Oid | None, int, Oid | None]], list[str], list[str], set[int]]
"""Make (row, set, number, replaces), withdraw, invalidate, rows that wait."""


def record(row: int, *, name: str = "R") -> StoredRecord:
    """A stored record; its version is its row."""
    return StoredRecord(
        row=row, provider="p", purchaser="u", source="s", type="diary_entry", id=name, version=row, is_keyed=False,
        client_ref="c", ticket=f"t{row}", digest="d", is_cancelled=False, state="received", outcome=None,
        findings_json="[]", removed_json="{}", facts=b"", payload=b"", key_id=None,
        as_of="2026-01-01", received_at="x",
    )  # fmt: skip


def document(
    row: int,
    state: State,
    *,
    number: int = 1,
    set_oid: str = "1.1",
    part: str = "main",
    guard: str = GUARD,
    whose: str = "",
) -> StoredDocument:
    """A stored document of one row."""
    return StoredDocument(
        sequence=row, oid=Oid(f"1.{row}"), set_oid=Oid(set_oid), version_number=number, replaces=None, record_row=row,
        part=part, structure=Oid("9"), client_ref="c", provider=Oid("2"), organiser=Oid("3"), state=state, key_id=1,
        digest=Sha256Hex("aa"), inputs=f'{{"guard":"{guard}","whose":"{whose}"}}', attempts=0, next_attempt_at="x",
        problem=None, receipt=None, made_at="x", settled_at=None,
    )  # fmt: skip


def planned(
    outcomes: dict[int, Outcome], *documents: StoredDocument, parts: tuple[str, ...] = ("main",), **other: Any
) -> Plan:
    """The plan for versions of one record."""
    rows = [record(row) for row in sorted(outcomes)]
    return plan(rows, outcomes, documents, dict.fromkeys(outcomes, parts), dict.fromkeys(outcomes, GUARD), **other)


def told(one: Plan) -> Told:
    """A plan in plain words."""
    make: list[tuple[int, Oid | None, int, Oid | None]] = [
        (wanted.record.row, wanted.set_oid, wanted.version_number, wanted.replaces) for wanted in one.make
    ]
    withdraw: list[str] = [document.oid for document in one.withdraw]
    return make, withdraw, [document.oid for document in one.invalidate], one.waiting


V1_REPLACED = {1: Outcome.REPLACED, 2: Outcome.REPLACEMENT}
V1_CANCELLED = {1: Outcome.CANCELLED, 2: Outcome.CANCELLATION}
V3_AFTER_CANCELLATION = {**V1_CANCELLED, 3: Outcome.REPLACEMENT}
OWN = (None, 1, None)
CASES = [
    ("a record that stands gets a document", {1: Outcome.ACCEPTED}, [], ([(1, *OWN)], [], [], set())),
    ("a flagged one too", {1: Outcome.FLAGGED}, [], ([(1, *OWN)], [], [], set())),
    ("a held one does not", {1: Outcome.HELD}, [], ([], [], [], set())),
    ("one that has its document gets no other", {1: Outcome.ACCEPTED}, [State.QUEUED], ([], [], [], set())),
    ("not even when it was archived", {1: Outcome.ACCEPTED}, [State.ARCHIVED], ([], [], [], set())),
    ("or refused by the archive", {1: Outcome.ACCEPTED}, [State.REJECTED], ([], [], [], set())),
    ("a withdrawn one is made again", {1: Outcome.ACCEPTED}, [State.WITHDRAWN], ([(1, *OWN)], [], [], set())),
    ("what is held now is withdrawn if unsent", {1: Outcome.HELD}, [State.QUEUED], ([], ["1.1"], [], set())),
    ("what is held now and archived stays", {1: Outcome.HELD}, [State.ARCHIVED], ([], [], [], set())),
    ("unsent, corrected: never sent", V1_REPLACED, [State.QUEUED], ([(2, *OWN)], ["1.1"], [], set())),
    ("archived, corrected: same set", V1_REPLACED, [State.ARCHIVED], ([(2, "1.1", 2, "1.1")], [], [], set())),
    ("sending, corrected: waits", V1_REPLACED, [State.SENDING], ([], [], [], {2})),
    ("unknown, corrected: waits", V1_REPLACED, [State.UNKNOWN], ([], [], [], {2})),
    ("refused by the archive, corrected: own set", V1_REPLACED, [State.REJECTED], ([(2, *OWN)], [], [], set())),
    ("unsent, cancelled: never sent", V1_CANCELLED, [State.QUEUED], ([], ["1.1"], [], set())),
    ("archived, cancelled: invalidated", V1_CANCELLED, [State.ARCHIVED], ([], [], ["1.1"], set())),
    ("sending, cancelled: waits", V1_CANCELLED, [State.SENDING], ([], [], [], {1})),
    ("unknown, cancelled: waits", V1_CANCELLED, [State.UNKNOWN], ([], [], [], {1})),
    ("invalidating, cancelled: nothing more", V1_CANCELLED, [State.INVALIDATING], ([], [], [], set())),
    (
        "invalidated, delivered again: same set", V3_AFTER_CANCELLATION, [State.INVALIDATED],
        ([(3, "1.1", 2, "1.1")], [], [], set()),
    ),
    ("invalidating, delivered again: waits", V3_AFTER_CANCELLATION, [State.INVALIDATING], ([], [], [], {3})),
    (
        "unsent, cancelled and delivered again: own set", V3_AFTER_CANCELLATION, [State.QUEUED],
        ([(3, *OWN)], ["1.1"], [], set()),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("outcomes", "states", "wanted"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_what_a_judgement_means(outcomes: dict[int, Outcome], states: list[State], wanted: Told) -> None:
    """Each outcome and each state of the first version's document leads to exactly what the table says."""
    documents = [document(row, state) for row, state in enumerate(states, 1)]

    assert wanted == told(planned(outcomes, *documents))


def test_the_number_counts_archived_versions() -> None:
    """A version that was withdrawn before it was sent takes no number of its set."""
    outcomes = {1: Outcome.REPLACED, 2: Outcome.REPLACED, 3: Outcome.REPLACEMENT}

    seen = planned(outcomes, document(1, State.ARCHIVED), document(2, State.QUEUED, number=2))

    assert ([(3, "1.1", 2, "1.1")], ["1.2"], [], set()) == told(seen)


def test_the_newest_archived_version_is_replaced() -> None:
    """Of several archived versions the highest one is named as the one that is replaced."""
    outcomes = {1: Outcome.REPLACED, 2: Outcome.REPLACED, 3: Outcome.REPLACEMENT}

    seen = planned(outcomes, document(2, State.ARCHIVED, number=2), document(1, State.ARCHIVED))

    assert [(3, "1.1", 3, "1.2")] == told(seen)[0]


def test_only_unsent_documents_follow_another_guard() -> None:
    """A document made under another guard is made again if it is unsent, and left alone if it is not."""
    unsent = planned({1: Outcome.ACCEPTED}, document(1, State.QUEUED, guard="1:3"))
    sent = planned({1: Outcome.ACCEPTED}, document(1, State.SENDING, guard="1:3"))

    assert ([(1, *OWN)], ["1.1"], [], set()) == told(unsent)
    assert ([], [], [], set()) == told(sent)


def test_each_variant_has_its_own_set() -> None:
    """A record with two documents replaces each within its own set; a variant that is gone is withdrawn."""
    documents = (document(1, State.ARCHIVED, part="a"), document(1, State.QUEUED, part="b", set_oid="1.9"))

    both = planned(V1_REPLACED, *documents, parts=("a", "b"))
    one = planned({1: Outcome.ACCEPTED}, *documents, parts=("a",))

    assert [("a", "1.1", 2), ("b", None, 1)] == [(w.variant, w.set_oid, w.version_number) for w in both.make]
    assert ["b"] == [d.part for d in both.withdraw]
    assert ([], ["b"]) == (one.make, [d.part for d in one.withdraw])


def test_rows_that_were_not_judged_stay() -> None:
    """A record without a new outcome loses and gains nothing."""
    rows = [record(1), record(2, name="other")]

    seen = plan(
        rows, {2: Outcome.ACCEPTED}, [document(1, State.QUEUED, guard="1:3")], {1: ("main",), 2: ("main",)}, {2: GUARD}
    )

    assert ([(2, *OWN)], [], [], set()) == told(seen)


V2_CANCELLED = {1: Outcome.REPLACED, 2: Outcome.CANCELLED, 3: Outcome.CANCELLATION}
LATE_CANCELLATION = {1: Outcome.CANCELLED, 2: Outcome.CANCELLATION, 3: Outcome.REPLACEMENT}


def test_a_correction_that_is_cancelled_before_it_was_sent_takes_the_archived_version_with_it() -> None:
    """The archive has the first version and the second was never sent: cancelling the record invalidates the first."""
    waiting = planned(V2_CANCELLED, document(1, State.ARCHIVED), document(2, State.QUEUED, number=2))
    at_once = planned(V2_CANCELLED, document(1, State.ARCHIVED))
    on_its_way = planned(V2_CANCELLED, document(1, State.SENDING))

    assert ([], ["1.2"], ["1.1"], set()) == told(waiting)
    assert ([], [], ["1.1"], set()) == told(at_once)
    assert ([], [], [], {1}) == told(on_its_way)


def test_a_cancellation_that_comes_behind_its_successor_changes_nothing() -> None:
    """The archive has a later version of the set: the cancelled one before it is superseded there already."""
    seen = planned(LATE_CANCELLATION, document(1, State.ARCHIVED), document(3, State.ARCHIVED, number=2))

    assert ([], [], [], set()) == told(seen)


def test_a_correction_that_makes_another_document_takes_the_first_one_back() -> None:
    """The newer state makes a document of another kind: the archived one of the older kind is invalidated."""
    seen = planned(V1_REPLACED, document(1, State.ARCHIVED, part="old"), parts=("new",))

    assert ([(2, *OWN)], [], ["1.1"], set()) == told(seen)


@pytest.mark.parametrize("outcomes", [{1: Outcome.REPLACED}, {1: Outcome.REFERENCE}])
def test_what_moved_to_another_client_is_taken_back(outcomes: dict[int, Outcome]) -> None:
    """The newest state is another client's: what waits is never sent, what was archived is invalidated."""
    moved = [("diary_entry", "R")]

    assert ([], ["1.1"], [], set()) == told(planned(outcomes, document(1, State.QUEUED), moved=moved))
    assert ([], [], ["1.1"], set()) == told(planned(outcomes, document(1, State.ARCHIVED), moved=moved))
    assert ([], [], [], {1}) == told(planned(outcomes, document(1, State.UNKNOWN), moved=moved))


def test_a_document_filed_under_another_identity_is_replaced() -> None:
    """The person's identity code changed: an archived document is replaced in its set, one on its way is waited for."""
    stands = {1: Outcome.ACCEPTED}
    archived, sending = document(1, State.ARCHIVED, whose="old"), document(1, State.SENDING, whose="old")
    again = replace(document(1, State.ARCHIVED, number=2, whose="new"), sequence=2)

    assert ([(1, "1.1", 2, "1.1")], [], [], set()) == told(planned(stands, archived, whose="new"))
    assert ([], [], [], {1}) == told(planned(stands, sending, whose="new"))
    assert ([], [], [], set()) == told(planned(stands, archived, again, whose="new"))
    assert ([], [], [], set()) == told(planned(stands, document(1, State.ARCHIVED), whose="new"))


def test_what_has_no_content_any_more_is_left_as_the_archive_has_it() -> None:
    """Content that was destroyed after the grace period makes no document again, whatever changed."""
    row = replace(record(1), payload=None)
    stored = [document(1, State.ARCHIVED, whose="old")]

    seen = plan([row], {1: Outcome.ACCEPTED}, stored, {1: ("main",)}, {1: GUARD}, whose="new")

    assert ([], [], [], set()) == told(seen)
