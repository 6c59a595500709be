"""What is stored, as claims on the log: every ticket, document state, receipt, statement and right has its entry.

* Read in one snapshot, so that what is committed meanwhile belongs to both sides or to neither.
* What is older than the log's time has no entry any more, and none is missed.
* What destroyed a key or revoked a right must still hold: a restored table brings neither back unseen.
* Content that is there is what its entry told of, by its hash (`contents.py`).
* A contract's entry tells of each statement that registering it makes; a statement of its own has its own entry.
* Not seen: who read the database past the software, and what was never written down by either side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from kanta_gateway import forgotten
from kanta_gateway.access.parties import Agreement, statements
from kanta_gateway.access.statements import EVER
from kanta_gateway.access.terms import Span
from kanta_gateway.audit import report, stored
from kanta_gateway.audit.entry import DISCLOSURES
from kanta_gateway.audit.problems import Problem
from kanta_gateway.audit.reconcile import Claim, Known, Told, reconcile
from kanta_gateway.audit.seals import Seals
from kanta_gateway.model import Event, Oid, Organisation, Outcome
from kanta_gateway.notices.states import TOLD, NoticeState
from kanta_gateway.pipeline import claims as more
from kanta_gateway.pipeline import contents, grantclaims
from kanta_gateway.pipeline.brought import told_before
from kanta_gateway.pipeline.claims import UNTOLD
from kanta_gateway.pipeline.outlet import OWN_LOG, REPORT
from kanta_gateway.privacy.envelope import Vault
from kanta_gateway.spool.states import DELIVERED, State
from kanta_gateway.tables import calling_system, document, notice, party_statement, record

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

_MADE = (Event.DOCUMENT_MAP, Event.DOCUMENT_SIGN, Event.DOCUMENT_SPOOL)
_SENT = {*DELIVERED, State.REJECTED, State.SENDING, State.UNKNOWN}
_BY_STATE = {
    State.INVALIDATED: Event.DOCUMENT_INVALIDATE, State.INVALIDATING: Event.DOCUMENT_INVALIDATE,
    State.REJECTED: Event.DOCUMENT_REJECT, State.WITHDRAWN: Event.DOCUMENT_WITHDRAW,
}  # fmt: skip
_BY_OUTCOME = {Outcome.HELD.value: Event.RECORD_HOLD, Outcome.REFUSED.value: Event.RECORD_REFUSE}
REVOKED = "revoke-system"
"""`act` in the details of an entry that ends a right; an event of its own here, since it undoes the others."""
PACKAGE = "handover:package"
"""The entry about a package as a whole; those about what it brought have an event of their own."""
REGISTERED = "register-contract"
"""`act` in the details of an entry about a contract with both its parties."""


def reconciled(
    tx: Connection, seals: Seals, keys: Collection[int], vault: Vault | None = None
) -> tuple[Problem, ...]:  # fmt: skip
    """Match tables and log; everything that only one side tells of.

    Args:
        tx: one snapshot.
        seals: opens the log.
        keys: ids of the keys of content that there are.
        vault: opens content, to be compared with its digest; None: somebody else opens it.
    """
    records = tx.execute(RECORDS).all()
    on_their_way = {one.key_id for one in forgotten.waiting(tx)}
    keys = frozenset(keys) - on_their_way
    documents = [_with_key(row, keys) for row in tx.execute(DOCUMENTS).mappings()]
    stated = list(tx.execute(_STATEMENTS).mappings())
    systems = tx.execute(
        select(calling_system.c.thumbprint, calling_system.c.registered_at, calling_system.c.revoked_at)
    ).all()
    told = [_with_key(row, keys) for row in tx.execute(NOTICES).mappings()]
    further = more.told(tx, lambda row: _with_key(row, keys))
    broken = list(tx.execute(grantclaims.GRANTS).mappings())
    whole = [
        *of_records(records), *of_documents(documents), *of_notices(told), *_of_parties(stated, systems),
        *grantclaims.claims(broken), *further.claims, *contents.claims(tx),
    ]  # fmt: skip
    before = told_before(tx, seals)
    claims = [one for one in whole if one.event not in before.get(one.subject, ())
              and not (one.event == contents.CONTENT and one.subject in before)]  # fmt: skip
    known = {
        **_known(records, documents),
        **grantclaims.known(broken),
        **grantclaims.known_cases(tx),
        **_known_notices(told),
        **further.known,
        Event.DOCUMENT_DESTROY_KEY.value: {
            **_destroyed(documents, "oid"),
            **_destroyed(told, "id"),
            **_destroyed(further.disclosures, "id"),
            **_gone(records, keys),
            **grantclaims.destroyed(broken),
        },
        Event.PARTY_REGISTER.value: dict.fromkeys(
            [*(one["thing"] for one in stated), *(one[0] for one in systems)], True
        ),
        Event.HANDOVER_IMPORT.value: {
            **dict.fromkeys([*(one[0] for one in records), *(one["oid"] for one in documents)], True),
            **{one["id"]: True for rows in (told, broken, further.disclosures, further.requests) for one in rows},
        },
        REVOKED: {thumbprint: revoked is not None for thumbprint, _, revoked in systems},
    }
    purged = max((one.until for one in stored.purges(tx, seals)), default="")
    problems = reconcile(claims, _entries(tx, seals), known, purged)
    for table, place in contents.swapped(tx, vault) if vault is not None else ():
        problems.tell(table, place, "audit-content-differs")
    return problems.all()


RECORDS = select(
    record.c.ticket, record.c.outcome, record.c.received_at, record.c.settled_at,
    record.c.payload.is_(None).label("gone"), record.c.key_id,
)  # fmt: skip


DOCUMENTS = (
    select(
        document.c.oid, document.c.state, document.c.digest, document.c.receipt, document.c.made_at,
        document.c.settled_at, document.c.replaces,
        document.c.payload.is_(None).label("gone"), document.c.key_id,
    )
    .order_by(document.c.sequence)
)  # fmt: skip


NOTICES = (
    select(
        notice.c.id, notice.c.state, notice.c.made_at, notice.c.disclosed_at, notice.c.settled_at,
        notice.c.payload.is_(None).label("gone"),
        notice.c.key_id,
    )
    .order_by(notice.c.sequence)
)  # fmt: skip


_STATEMENTS = select(
    party_statement.c.kind,
    party_statement.c.thing,
    party_statement.c.valid_from,
    party_statement.c.valid_to,
    party_statement.c.recorded_at,
).distinct()


def _with_key(row: RowMapping, keys: Collection[int]) -> dict[str, Any]:
    """A row, and whether its key is gone."""
    return {**row, "keyless": row["key_id"] not in keys}


def of_records(rows: Any) -> Iterator[Claim]:
    """What delivered records claim."""
    for ticket, outcome, received, settled, *_ in rows:
        yield Claim("record", ticket, Event.RECORD_SUBMIT, ticket, since=received)
        if outcome in _BY_OUTCOME:
            yield Claim("record", ticket, _BY_OUTCOME[outcome], ticket, since=settled or received)


def of_documents(rows: Sequence[Mapping[str, Any]]) -> Iterator[Claim]:
    """What documents claim."""
    for row in rows:
        oid, state, made = row["oid"], State(row["state"]), row["made_at"]
        settled = row["settled_at"] or made
        for event in _MADE:
            yield Claim("document", oid, event, oid, _signed(row) if event is Event.DOCUMENT_SIGN else {}, made)
        if state in _SENT:
            yield Claim("document", oid, Event.DOCUMENT_SEND, oid, {"sha256": row["digest"]}, made)
        if state in _BY_STATE:
            yield Claim("document", oid, _BY_STATE[state], oid, since=settled)
        if state in DELIVERED or row["receipt"] is not None:
            receipt = orjson.loads(row["receipt"] or "{}")
            is_of_end = state is State.INVALIDATED
            event = Event.DOCUMENT_INVALIDATE if is_of_end else Event.DOCUMENT_ARCHIVE
            yield Claim("document", oid, Event.DOCUMENT_ARCHIVE, oid, since=made)
            yield Claim("document", oid, event, oid, receipt, made)
        if row["gone"] or row["keyless"]:
            yield Claim("document", oid, Event.DOCUMENT_DESTROY_KEY, oid, since=settled)


def _signed(row: Mapping[str, Any]) -> dict[str, str]:
    """What the entry of a document's signing tells: its own digest, and the document whose place it takes."""
    return {"sha256": row["digest"], **({"replaces": row["replaces"]} if row["replaces"] else {})}


def of_notices(rows: Sequence[Mapping[str, Any]]) -> Iterator[Claim]:
    """What notices claim."""
    for row in rows:
        id_, state = row["id"], NoticeState(row["state"])
        settled = row["settled_at"] or row["made_at"]
        yield Claim("notice", id_, Event.NOTICE_MAKE, id_, since=row["made_at"])
        if row["disclosed_at"] is not None:
            yield Claim("notice", id_, Event.NOTICE_DISCLOSE, id_, since=row["disclosed_at"])
        if state is NoticeState.ACKNOWLEDGED:
            yield Claim("notice", id_, Event.NOTICE_ACKNOWLEDGE, id_, since=settled)
        if state is NoticeState.WITHDRAWN:  # its content went with it
            yield Claim("notice", id_, Event.NOTICE_WITHDRAW, id_, since=settled)
        elif row["gone"] or row["keyless"]:
            yield Claim("notice", id_, Event.DOCUMENT_DESTROY_KEY, id_, since=settled)


def _known_notices(rows: Sequence[Mapping[str, Any]]) -> Known:
    states = {row["id"]: NoticeState(row["state"]) for row in rows}
    return {
        Event.NOTICE_MAKE.value: dict.fromkeys(states, True),
        Event.NOTICE_DISCLOSE.value: {id_: state in TOLD for id_, state in states.items()},
        Event.NOTICE_ACKNOWLEDGE.value: {id_: state is NoticeState.ACKNOWLEDGED for id_, state in states.items()},
        Event.NOTICE_WITHDRAW.value: {id_: state is NoticeState.WITHDRAWN for id_, state in states.items()},
    }


def _of_parties(stated: Iterable[RowMapping], systems: Any) -> Iterator[Claim]:
    for row in stated:
        told = _told(row["kind"], row["valid_from"], row["valid_to"])
        yield Claim("party_statement", row["thing"], Event.PARTY_REGISTER, row["thing"], told, row["recorded_at"])
    for thumbprint, registered, revoked in systems:
        yield Claim("calling_system", thumbprint, Event.PARTY_REGISTER, thumbprint, since=registered)
        if revoked is not None:
            yield Claim("calling_system", thumbprint, REVOKED, thumbprint, since=revoked)


def _known(records: Any, documents: Sequence[Mapping[str, Any]]) -> Known:
    tickets = {ticket: True for ticket, *_ in records}
    states = {row["oid"]: State(row["state"]) for row in documents}
    there = dict.fromkeys(states, True)
    return {
        **{event.value: tickets for event in (Event.RECORD_SUBMIT, *_BY_OUTCOME.values())},
        **{event.value: there for event in (*_MADE, Event.DOCUMENT_SEND)},
        Event.DOCUMENT_ARCHIVE.value: {oid: state in DELIVERED for oid, state in states.items()},
        Event.DOCUMENT_REJECT.value: {
            oid: state is State.REJECTED or state in DELIVERED
            for oid, state in states.items()  # or its invalidation was
        },
        Event.DOCUMENT_WITHDRAW.value: {oid: state is State.WITHDRAWN for oid, state in states.items()},
        Event.DOCUMENT_INVALIDATE.value: {oid: state in DELIVERED for oid, state in states.items()},
    }


def _destroyed(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, bool]:
    """Whether content and key are gone, by id: an entry may only tell of both."""
    return {row[name]: bool(row["gone"] and row["keyless"]) for row in rows}


def _gone(rows: Any, keys: Collection[int]) -> dict[str, bool]:
    """The same of records, whose destruction is told by itself or with that of their documents."""
    return {row.ticket: row.gone and row.key_id not in keys for row in rows}


def _entries(tx: Connection, seals: Seals) -> Iterator[Told]:
    decides = False  # disclosures from before notices were made say nothing about them
    for idx, body in report.every(tx, seals, report.Filter()):
        entry = orjson.loads(body)
        event, subject, details = entry["event"], entry["subject"], entry["details"]
        if event == Event.PARTY_REGISTER and (agreement := _registered(entry)) is not None:
            for one in statements(agreement):
                yield Told(idx, event, one.key, _told(one.kind, one.valid_from, one.valid_to))
            continue
        if event == Event.HANDOVER_IMPORT and "thing" not in details:
            event = PACKAGE
        yield Told(idx, REVOKED if details.get("act") == REVOKED else event, subject, details)
        if (content := contents.told(event, details)) is not None:
            yield Told(idx, contents.CONTENT, subject, content)
        if event in DISCLOSURES:
            is_decided = bool({REPORT, OWN_LOG} & details.keys())
            decides = decides or is_decided
            if REPORT in details:
                yield Told(idx, REPORT, details[REPORT], {"event": event, "subject": subject})
            elif decides and not is_decided:
                yield Told(idx, UNTOLD, subject, details)


def _registered(entry: Mapping[str, Any]) -> Agreement | None:
    """The contract that an entry tells of, by a command or from a delivery's own header; None: of something else."""
    details = entry["details"]
    if details.get("act") == REGISTERED:
        provider, organiser, number = details["provider"], details["organiser"], entry["subject"]
    elif "contract" in details:
        provider, organiser, number = entry["provider"], entry["controller"], details["contract"]
    else:
        return None
    first, last = details.get("from") or EVER, details.get("to")
    return Agreement(
        Organisation(Oid(provider), ""), Organisation(Oid(organiser), ""), number, details["purchaser"],
        Span(date.fromisoformat(first), date.fromisoformat(last) if last else None),
    )  # fmt: skip


def _told(kind: str, first: str, last: str | None) -> dict[str, str]:
    """A statement as its entry tells it."""
    return {"kind": kind, "from": first, "to": last or ""}
