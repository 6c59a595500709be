"""What notices to the register, changes and use of content, and clients' requests claim of the log, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from kanta_gateway.access.changes import State
from kanta_gateway.audit.reconcile import Claim, Known
from kanta_gateway.model import Event
from kanta_gateway.pipeline import requestclaims
from kanta_gateway.pipeline.outlet import REPORT
from kanta_gateway.spool.disclosures import Notice
from kanta_gateway.tables import change, content_use, disclosure

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

UNTOLD = "disclosure"
"""A disclosure of which the log does not say whether the national log register is told; nothing makes it good."""
_DECIDED = {State.APPROVED: Event.CHANGE_APPROVE, State.REJECTED: Event.CHANGE_REJECT}
DISCLOSURES = select(
    disclosure.c.id, disclosure.c.event, disclosure.c.subject, disclosure.c.state, disclosure.c.receipt,
    disclosure.c.digest, disclosure.c.told.is_(None).label("gone"), disclosure.c.key_id, disclosure.c.made_at,
    disclosure.c.settled_at,
).order_by(disclosure.c.sequence)  # fmt: skip
_CHANGES = select(
    change.c.number, change.c.state, change.c.digest, change.c.review_by, change.c.proposed_at, change.c.decided_at
).order_by(change.c.number)


@dataclass(frozen=True, slots=True)
class Further:
    """Claims, and what is stored."""

    claims: Sequence[Claim]
    known: Known
    disclosures: Sequence[Mapping[str, Any]]
    requests: Sequence[Mapping[str, Any]]


def told(tx: Connection, with_key: Callable[[RowMapping], Mapping[str, Any]]) -> Further:
    """What these tables claim.

    Args:
        tx: one snapshot.
        with_key: a row, and whether its key is gone.
    """
    notices = [with_key(row) for row in tx.execute(DISCLOSURES).mappings()]
    changes = list(tx.execute(_CHANGES).mappings())
    asked = [with_key(row) for row in requestclaims.requests(tx)]
    uses = tx.execute(select(content_use.c.digest, content_use.c.at).order_by(content_use.c.number)).all()
    # a new installation with nothing of its own has told of nothing
    used = (Claim("content_use", digest, Event.CHANGE_USE, digest, since=at) for digest, at in uses[1:])
    known = {
        **_known_disclosures(notices), **_known_changes(changes), **requestclaims.known(asked),
        Event.CHANGE_USE.value: {digest: True for digest, _ in uses},
    }  # fmt: skip
    mine = requestclaims.claims(asked)
    return Further([*of_disclosures(notices), *_of_changes(changes), *used, *mine], known, notices, asked)


def of_disclosures(rows: Sequence[Mapping[str, Any]]) -> Iterator[Claim]:
    """What disclosure notices claim."""
    for row in rows:
        id_, state, made = row["id"], Notice(row["state"]), row["made_at"]
        since = row["settled_at"] or made
        yield Claim("disclosure", id_, REPORT, id_, {"event": row["event"], "subject": row["subject"]}, since=made)
        if row["digest"]:
            yield Claim("disclosure", id_, Event.DISCLOSURE_SEND, id_, {"sha256": row["digest"]}, since=made)
        if state is Notice.KEPT:
            receipt = orjson.loads(row["receipt"] or "{}")
            yield Claim("disclosure", id_, Event.DISCLOSURE_ARCHIVE, id_, receipt, since=since)
        if state is Notice.REFUSED:
            yield Claim("disclosure", id_, Event.DISCLOSURE_REJECT, id_, since=since)
        if row["gone"] or row["keyless"]:
            yield Claim("disclosure", id_, Event.DOCUMENT_DESTROY_KEY, id_, since=since)


def _known_disclosures(rows: Sequence[Mapping[str, Any]]) -> Known:
    states = {row["id"]: Notice(row["state"]) for row in rows}
    there = dict.fromkeys(states, True)
    return {
        REPORT: there,
        UNTOLD: {},
        Event.DISCLOSURE_SEND.value: there,
        Event.DISCLOSURE_REJECT.value: there,
        Event.DISCLOSURE_RETRY.value: there,
        Event.DISCLOSURE_ARCHIVE.value: {id_: state is Notice.KEPT for id_, state in states.items()},
    }


def _of_changes(rows: Sequence[Mapping[Any, Any]]) -> Iterator[Claim]:
    for row in rows:
        number, told_ = str(row["number"]), {"sha256": row["digest"]}
        first = Event.CHANGE_NARROW if row["review_by"] else Event.CHANGE_PROPOSE
        yield Claim("change", number, first, number, told_, since=row["proposed_at"])
        if (decided := _DECIDED.get(State(row["state"]))) is not None:
            yield Claim("change", number, decided, number, told_, since=row["decided_at"] or row["proposed_at"])


def _known_changes(rows: Sequence[Mapping[Any, Any]]) -> Known:
    states = {str(row["number"]): State(row["state"]) for row in rows}
    there = dict.fromkeys(states, True)
    decided = {event.value: {number: state is after for number, state in states.items()}
               for after, event in _DECIDED.items()}  # fmt: skip
    return {Event.CHANGE_PROPOSE.value: there, Event.CHANGE_NARROW.value: there, **decided}
