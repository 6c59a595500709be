"""What judging one client's records means for documents: make, withdraw, invalidate; pure.

* A standing record has one live document for each variant of its mapping, filed under the present identity.
* A correction of an archived document continues its set (same set id, next version number; `replaces`).
  The version number counts archived versions.
* What is superseded or cancelled before it was sent is withdrawn.
* Of each set the newest version that the archive has counts, whichever state of the record it was made of. It is
  invalidated when the record was cancelled behind it, moved to another client, or makes another document now.
* While an earlier version is on its way its outcome is not known: the correction waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kanta_gateway.model import Oid, Outcome
from kanta_gateway.spool.records import StoredRecord
from kanta_gateway.spool.states import State
from kanta_gateway.spool.store import StoredDocument

Key = tuple[str, str]
UNSENT = frozenset({State.QUEUED})
IN_FLIGHT = frozenset({State.SENDING, State.UNKNOWN, State.INVALIDATING})
GONE = frozenset({State.WITHDRAWN})
LEFT = frozenset({State.WITHDRAWN, State.REJECTED, State.QUEUED})
"""The archive does not have it."""
CANCELS = frozenset({Outcome.CANCELLED, Outcome.CANCELLATION})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that has to be made."""

    record: StoredRecord
    variant: str
    set_oid: Oid | None
    """None: the document begins a set of its own."""
    version_number: int
    replaces: Oid | None


@dataclass(slots=True)
class Plan:
    """What to do with one client's documents."""

    make: list[Wanted] = field(default_factory=list)
    withdraw: list[StoredDocument] = field(default_factory=list)
    invalidate: list[StoredDocument] = field(default_factory=list)
    waiting: set[int] = field(default_factory=set)
    """Rows whose document must wait for an earlier version that is on its way."""


def plan(
    rows: Iterable[StoredRecord],
    outcomes: Mapping[int, Outcome],
    documents: Iterable[StoredDocument],
    variants: Mapping[int, Sequence[str]],
    guards: Mapping[int, str],
    *,
    moved: Collection[Key] = (),
    whose: str = "",
) -> Plan:
    """Compare what should stand with what is there.

    Args:
        rows: the client's records.
        outcomes: row -> outcome of the rows that were judged now; the others stay as they are.
        documents: those of the judged rows and of the other versions of the same records, in the order in which
            they were made.
        variants: row -> names of the mapping variants that the record makes.
        guards: row -> what masking, and what the document tells of the judgement, depend on; an unsent document made
            under another guard is made again.
        moved: records whose newest version is another client's.
        whose: mark of the identity that documents are filed under; one that is filed under another is replaced.
    """
    result = Plan()
    by_row: dict[int, list[StoredDocument]] = {}
    for document in documents:
        by_row.setdefault(document.record_row, []).append(document)
    for key, states in _states(rows).items():
        made = [document for one in states for document in by_row.get(one.row, ()) if document.state not in GONE]
        family = _Family(result, states, outcomes, sorted(made, key=lambda one: one.sequence))
        stands = next((one for one in states if one.row in outcomes and outcomes[one.row].makes_document), None)
        wanted = () if stands is None else variants.get(stands.row, ())
        family.take_back(stands, wanted)
        family.invalidate(stands, wanted, is_moved=key in moved)
        if stands is not None:
            for variant in wanted:
                family.ensure(stands, variant, guards[stands.row], whose)
    return result


def _states(rows: Iterable[StoredRecord]) -> dict[Key, list[StoredRecord]]:
    """Every state of each record, lowest version first."""
    found: dict[Key, list[StoredRecord]] = {}
    for one in sorted(rows, key=lambda one: (one.version, one.row)):
        found.setdefault(one.key, []).append(one)
    return found


@dataclass(slots=True)
class _Family:
    """All states of one record, and the documents that were made of them."""

    result: Plan
    states: Sequence[StoredRecord]
    """Lowest version first."""
    outcomes: Mapping[int, Outcome]
    documents: Sequence[StoredDocument]
    """In the order in which they were made, without withdrawn ones."""

    def take_back(self, stands: StoredRecord | None, wanted: Collection[str]) -> None:
        """Withdraw what waits of a state that does not stand, or of a document that is not made any more."""
        for document in self.documents:
            is_judged = document.record_row in self.outcomes
            is_wanted = stands is not None and document.record_row == stands.row and document.part in wanted
            if document.state in UNSENT and is_judged and not is_wanted:
                self.result.withdraw.append(document)

    def invalidate(self, stands: StoredRecord | None, wanted: Collection[str], *, is_moved: bool) -> None:
        """Invalidate the newest version of each set that must not be found any more."""
        newest = {document.part: document for document in self.documents if document.state not in LEFT}
        for document in newest.values():
            is_other = stands is not None and document.part not in wanted
            if not (is_moved or is_other or self._is_cancelled(document)):
                continue
            if document.state is State.ARCHIVED and not document.is_beyond_reach:
                self.result.invalidate.append(document)
            elif document.state in IN_FLIGHT - {State.INVALIDATING}:
                self.result.waiting.add(document.record_row if document.record_row in self.outcomes else self._any())

    def _is_cancelled(self, document: StoredDocument) -> bool:
        """Whether the record was cancelled in the state that a document was made of, or behind it."""
        rows = [one.row for one in self.states]
        behind = rows[rows.index(document.record_row) :]
        return any(self.outcomes.get(row) in CANCELS for row in behind)

    def _any(self) -> int:
        return next(one.row for one in self.states if one.row in self.outcomes)

    def ensure(self, stands: StoredRecord, variant: str, guard: str, whose: str) -> None:
        """One live document of the state that stands, made under the present guard where it is unsent."""
        of_part = [document for document in self.documents if document.part == variant]
        last = next((one for one in reversed(of_part) if one.record_row == stands.row), None)
        if last is not None and self._holds(last, guard, whose):
            return
        if stands.payload is None:  # its content has been destroyed: what the archive has stays
            return
        if last is not None and last.state in UNSENT:
            self.result.withdraw.append(last)
        before = [one for one in of_part if one.state not in UNSENT]
        if any(one.state in IN_FLIGHT for one in before):
            self.result.waiting.add(stands.row)
            return
        archived = [one for one in before if one.state in {State.ARCHIVED, State.INVALIDATED}]
        if not archived:
            self.result.make.append(Wanted(stands, variant, None, 1, None))
            return
        newest = max(archived, key=lambda one: (one.sequence, one.version_number))
        self.result.make.append(
            Wanted(stands, variant, Oid(newest.set_oid), newest.version_number + 1, Oid(newest.oid))
        )

    @staticmethod
    def _holds(document: StoredDocument, guard: str, whose: str) -> bool:
        """Whether the newest document of the state that stands can stay as it is."""
        if document.state in UNSENT:
            return document.guard == guard
        is_filed = not whose or document.whose in {"", whose}
        return is_filed or document.state in {State.INVALIDATED, State.INVALIDATING}
