"""What judging one client's records means for documents: make, withdraw, invalidate; pure.

* A standing record has one live document for each variant of its mapping.
* A correction of an archived document continues its set (same set id, next version number; `replaces`).
  The version number counts archived versions.
* What is superseded or cancelled before it was sent is withdrawn; a cancelled archived document is invalidated.
* While an earlier version is on its way its outcome is not known: the correction waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kanta_gateway.model import Oid, Outcome
from kanta_gateway.spool.records import StoredRecord
from kanta_gateway.spool.states import State
from kanta_gateway.spool.store import StoredDocument

UNSENT = frozenset({State.QUEUED})
IN_FLIGHT = frozenset({State.SENDING, State.UNKNOWN, State.INVALIDATING})
GONE = frozenset({State.WITHDRAWN})


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
    """
    result = Plan()
    by_row: dict[int, list[StoredDocument]] = {}
    for document in documents:
        by_row.setdefault(document.record_row, []).append(document)
    families: dict[tuple[str, str], list[StoredDocument]] = {}
    own = list(rows)
    for one in own:
        if one.row in by_row:
            families.setdefault(one.key, []).extend(by_row[one.row])
    for one in own:
        outcome = outcomes.get(one.row)
        if outcome is None:
            continue
        live = [document for document in by_row.get(one.row, ()) if document.state not in GONE]
        if not outcome.makes_document:
            _take_back(result, outcome, live)
            continue
        for variant in variants.get(one.row, ()):
            _ensure(result, one, variant, live, families.get(one.key, ()), guards[one.row])
        wanted = set(variants.get(one.row, ()))
        result.withdraw.extend(d for d in live if d.part not in wanted and d.state in UNSENT)
    return result


def _take_back(result: Plan, outcome: Outcome, live: Sequence[StoredDocument]) -> None:
    """The record does not stand: what waits is withdrawn, what was cancelled after archiving is invalidated."""
    for document in live:
        if document.state in UNSENT:
            result.withdraw.append(document)
        elif outcome is Outcome.CANCELLED and document.state is State.ARCHIVED:
            result.invalidate.append(document)
        elif outcome is Outcome.CANCELLED and document.state in IN_FLIGHT - {State.INVALIDATING}:
            result.waiting.add(document.record_row)


def _ensure(
    result: Plan,
    one: StoredRecord,
    variant: str,
    live: Sequence[StoredDocument],
    family: Sequence[StoredDocument],
    guard: str,
) -> None:
    """One live document of this record and variant, made under the present guard where it is unsent."""
    mine = [document for document in live if document.part == variant]
    if any(document.state not in UNSENT or document.guard == guard for document in mine):
        return
    result.withdraw.extend(mine)
    earlier = [d for d in family if d.part == variant and d.record_row != one.row and d.state not in GONE]
    if any(document.state in IN_FLIGHT for document in earlier):
        result.waiting.add(one.row)
        return
    archived = [d for d in earlier if d.state in {State.ARCHIVED, State.INVALIDATED}]
    if not archived:
        result.make.append(Wanted(one, variant, None, 1, None))
        return
    last = max(archived, key=lambda document: document.version_number)
    result.make.append(Wanted(one, variant, Oid(last.set_oid), last.version_number + 1, Oid(last.oid)))
