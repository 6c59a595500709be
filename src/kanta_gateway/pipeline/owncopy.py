"""A client's own copy of everything that the gateway holds about the person (GDPR 15).

* Content as it may leave: masked by the contract's levels, without data of others, staff named nowhere (C-579/21).
* Under turvakielto nothing is told that says where the client lives or goes.
* What was destroyed is said as such, with where it is: the controller's archive, under which OID and since when.
* What is kept of a destroyed record for rules and figures (its facts) is told too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.statements import newest
from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.notices import store as notices
from kanta_gateway.pipeline.clientlog import Person, title_of
from kanta_gateway.pipeline.compose import Composer
from kanta_gateway.pipeline.filing import load
from kanta_gateway.pipeline.notify import content_of
from kanta_gateway.privacy.minimise import sift
from kanta_gateway.rights import store as requests
from kanta_gateway.spool import store
from kanta_gateway.spool.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.casefile import CaseFile
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.records import StoredRecord

HERE, ARCHIVE, BOTH, NOWHERE = "gateway", "archive", "both", "controller"
"""Where a content is: in the gateway, in the controller's archive, in both, or to be asked of the controller."""
IN_ARCHIVE = frozenset({State.ARCHIVED, State.INVALIDATING})


class OwnCopy:
    """What is held about one person."""

    def __init__(self, parts: Parts, tx: Connection, person: Person, language: str, left_out: Collection[str]) -> None:
        """Read the person's file.

        Args:
            parts: the built gateway.
            tx: a reading transaction.
            person: whose data.
            language: of the words.
            left_out: tickets and OIDs that the controller has decided not to give.
        """
        self._parts = parts
        self._tx = tx
        self._person = person
        self._language = language
        self._left_out = frozenset(left_out)
        self._case: CaseFile = load(parts, tx, person.provider, person.purchaser, person.refs[0], None)
        agreement = next(one for one in agreements(tx, person.provider) if one.purchaser == person.purchaser)
        self._composer = Composer(parts, parts.contracts[person.purchaser], agreement, self._case)
        copy = parts.rights.copy
        self.is_protected = self._case.is_secret
        self._hidden = copy.staff | copy.others | (copy.protected if self.is_protected else frozenset())
        self._documents = {
            one.oid: one for ref in person.refs for one in store.of_client(tx, ref)
            if any(one.record_row == row.row for row in self._case.rows)
        }  # fmt: skip

    def held(self) -> dict[str, Any]:
        """Records, documents, notices, client relationships and requests."""
        return {
            "records": [*self._records()], "documents": [*self._told_documents()], "notices": [*self._notices()],
            "relationships": [*self._relationships()], "requests": [*self._requests()],
        }  # fmt: skip

    def _records(self) -> Iterator[dict[str, Any]]:
        for one in self._case.rows:
            if one.ticket in self._left_out:
                continue
            told = {
                "ticket": one.ticket, "type": one.type, "id": one.id, "version": one.told_version,
                "name": self._parts.rights.word("records", one.type, self._language), "received_at": one.received_at,
                "source": one.source, "outcome": one.outcome.value if one.outcome else None,
            }  # fmt: skip
            if one.payload is not None:
                yield told | {"kept": HERE, "content": self._content(one)}
            else:
                yield told | {"kept": self._where(one), "content": None, "facts": self._facts(one)}

    def _content(self, one: StoredRecord) -> Any:
        sifted = sift(self._parts.scanner, self._case.content(one), self._composer.read(one, is_closed=True))
        return pruned(sifted.content, self._hidden)

    def _facts(self, one: StoredRecord) -> Any:
        return pruned(next(own.facts for own in self._case.entries if own.row == one.row), self._hidden)

    def _where(self, one: StoredRecord) -> str:
        made = (own for own in self._documents.values() if own.record_row == one.row)
        return ARCHIVE if any(own.receipt for own in made) else NOWHERE

    def _told_documents(self) -> Iterator[dict[str, Any]]:
        types = {one.row: one.type for one in self._case.rows}
        for oid, one in self._documents.items():
            if oid in self._left_out:
                continue
            is_archived = bool(one.receipt) and one.state in IN_ARCHIVE
            whole = store.get(self._tx, oid)
            is_here = whole is not None and whole.payload is not None
            yield {
                "oid": oid, "set": one.set_oid, "version": one.version_number, "structure": one.structure,
                "name": title_of(self._parts, one.structure, types.get(one.record_row, ""), self._language),
                "made_at": one.made_at, "state": one.state.value,
                "kept": (BOTH if is_here else ARCHIVE) if is_archived else (HERE if is_here else NOWHERE),
                "archived_at": one.settled_at if is_archived else None,
            }  # fmt: skip

    def _notices(self) -> Iterator[dict[str, Any]]:
        for ref in self._person.refs:
            for one in notices.of_subject(self._tx, self._person.provider, ref):
                if one.purchaser != self._person.purchaser or one.id in self._left_out:
                    continue
                kind = self._parts.notices.types.get(one.type)
                try:
                    content = pruned(content_of(self._parts, one), self._hidden)
                except KeyUnavailableError:
                    content = None
                yield {
                    "id": one.id, "type": one.type, "name": kind.title[self._language] if kind else one.type,
                    "state": one.state.value, "recipient": one.recipient, "made_at": one.made_at,
                    "disclosed_at": one.disclosed_at, "kept": HERE if content is not None else NOWHERE,
                    "content": content,
                }  # fmt: skip

    def _relationships(self) -> Iterator[dict[str, Any]]:
        for one in newest(register.relationships(self._tx, self._person.provider, self._person.refs)):
            told = {"from": one.valid_from, "to": one.valid_to, "service": one.body.get("service", "")}
            yield told | ({} if self.is_protected else {"unit": one.body.get("unit", "")})

    def _requests(self) -> Iterator[dict[str, Any]]:
        person = self._person
        for one in requests.of_client(self._tx, person.provider, person.purchaser, person.refs):
            kind = self._parts.rights.kinds.get(one.kind)
            yield {
                "id": one.id, "kind": one.kind, "name": kind.title[self._language] if kind else one.kind,
                "received_on": one.received_on, "state": one.state.value, "outcome": one.outcome,
                "answered_at": one.answered_at,
            }  # fmt: skip


def pruned(value: Any, hidden: Collection[str]) -> Any:
    """A value without fields of some names, at any depth."""
    if isinstance(value, Mapping):
        return {key: pruned(one, hidden) for key, one in value.items() if key not in hidden}
    if isinstance(value, list | tuple):
        return [pruned(one, hidden) for one in value]
    return value
