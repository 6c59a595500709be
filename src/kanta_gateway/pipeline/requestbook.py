"""The book of clients' requests: listed with their clocks, opened, brought further, each with its entry.

* A list tells nothing of who asks; opening one does, and is an entry about the client.
* A request is permitted first and then read again in the transaction of the act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access.parties import agreements
from kanta_gateway.contracts.calendar import HELSINKI, between
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError
from kanta_gateway.model import Caller, Decision, Event
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.reach import Find
from kanta_gateway.pipeline.whose import Clients, Whose
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.rights import store
from kanta_gateway.rights.store import RequestState, StoredRequest

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.pipeline.replies import Matter
    from kanta_gateway.rights.kinds import Kind

CONTEXT = b"request"


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """One request in the transaction that works on it."""

    tx: Connection
    caller: Caller
    decision: Decision
    request: StoredRequest
    matter: Matter
    kind: Kind
    whose: Whose


class RequestBook:
    """Requests as callers may see them."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self._rules = parts.rights
        self._clients = Clients(parts, office)

    def list(
        self, caller: Caller, language: str, *, as_of: date | None = None, kinds: Collection[str] = (),
        clocks: Collection[ClockState] = (), after: int = 0, limit: int = 100,
    ) -> dict[str, Any]:  # fmt: skip
        """Requests that the caller may see with their clocks, overdue first; nothing of who asks.

        Args:
            caller: who looks.
            language: of the titles.
            as_of: the day that clocks are read at; today by default.
            kinds: only these; empty for all.
            clocks: only those whose clock stands so; empty for all.
            after: how many have been seen.
            limit: how many are told.
        """
        own, controller = self._clients.scope(caller)
        decision = self._office.permit(caller, Event.RIGHT_READ, provider=own)
        day = (as_of or self._clients.today()).isoformat()
        with self._parts.database.transaction() as tx:
            told = [self._told(one, day, language) for one in store.listed(tx, provider=own, organiser=controller)]
            found = sorted(
                (one for one in told if _is_in(one["kind"], kinds) and _is_in(one["clock"], clocks)), key=_urgency
            )
            page = found[after : after + limit]
            self._office.note(tx, [self._office.event(
                caller, Event.RIGHT_READ, subject="requests", provider=own or "", controller=controller or "",
                details={"count": len(page)}, decision=decision,
            )])  # fmt: skip
        counts = {state.value: sum(one["clock"] == state for one in found) for state in ClockState}
        return {"as_of": day, "requests": page, "next": after + len(page), "total": len(found),
                "clocks": {name: count for name, count in counts.items() if count}}  # fmt: skip

    def clocks(self) -> dict[str, int]:
        """How many requests are open, and how many of them overdue: numbers only."""
        day = self._clients.today().isoformat()
        with self._parts.database.reading() as tx:
            states = [clock(one, day) for one in store.listed(tx)]
        return {state.value: states.count(state) for state in (ClockState.OPEN, ClockState.BREACHED) if state in states}

    def show(self, caller: Caller, request_id: str, language: str) -> dict[str, Any]:
        """One request: who asks, what for, and what has been said about it.

        Raises:
            NotFoundError: there is none that the caller may see.
        """
        with self.opened(caller, Event.RIGHT_READ, request_id) as one:
            self.note(one, Event.RIGHT_READ)
            return self._told(one.request, self._clients.today().isoformat(), language) | {"matter": dict(one.matter)}

    @contextmanager
    def opened(self, caller: Caller, event: Event, request_id: str) -> Iterator[OpenRequest]:
        """One request that the caller may act on, in the transaction of the act.

        Raises:
            NotFoundError: there is none that the caller may see.
            KeyUnavailableError: what was said in it has been destroyed.
        """
        self._office.reach.seek(caller, event, _request(request_id))
        with self._parts.database.reading() as tx:
            seen = store.get(tx, request_id)
            whose = None if seen is None else self._whose(tx, seen)
        if whose is None:
            raise NotFoundError
        decision = self._clients.permit(caller, event, whose)
        with self._parts.database.alone() as tx:
            request = store.get(tx, request_id)
            if request is None or request.sealed is None:
                raise KeyUnavailableError("what was said in this request has been destroyed; its dates stay")
            matter = orjson.loads(open_sealed(self._parts.vault.key(request.key_id), request.sealed, CONTEXT))
            kind = self._rules.kinds.get(request.kind)
            if kind is None:
                raise ConflictError("the files know no such kind of request any more; see mappings/rights/kinds.yaml")
            yield OpenRequest(tx, caller, decision, request, matter, kind, whose)

    def _whose(self, tx: Connection, request: StoredRequest) -> Whose:
        agreement = next(one for one in agreements(tx, request.provider) if one.purchaser == request.purchaser)
        return Whose(self._clients.person(tx, agreement, request.client_ref), agreement)

    def changed(self, one: OpenRequest, state: RequestState, told: Mapping[str, Any], **columns: Any) -> OpenRequest:
        """The request further on, stored."""
        matter = {**one.matter, **told}
        key = self._parts.vault.key(one.request.key_id)
        store.change(one.tx, one.request, state, seal(key, orjson.dumps(matter), CONTEXT), **columns)
        return replace(one, matter=matter, request=replace(one.request, state=state, **columns))

    def _told(self, one: StoredRequest, day: str, language: str) -> dict[str, Any]:
        """What a list tells of a request."""
        kind = self._rules.kinds.get(one.kind)
        return {
            "id": one.id, "kind": one.kind, "title": kind.title[language] if kind else one.kind,
            "state": one.state.value, "clock": clock(one, day).value, "received_on": one.received_on,
            "due_on": one.due_on, "days_left": between(day, one.due_on) if not one.answered_at else None,
            "asker": one.asker, "repeats": one.repeats, "outcome": one.outcome, "ground": one.ground,
            "provider": one.provider, "organiser": one.organiser, "purchaser": one.purchaser,
            "answered_at": one.answered_at,
        }  # fmt: skip

    def note(self, one: OpenRequest, event: Event, *, basis: str = "", recipient: str = "", **details: Any) -> None:
        """The entry of an act, in its transaction; details are words, days and references, never what was said."""
        request = one.request
        told = {"kind": request.kind, "asker": request.asker, **{k: v for k, v in details.items() if v != ""}}
        entry = self._office.event(
            one.caller, event, subject=request.id, provider=request.provider, controller=request.organiser,
            client_ref=request.client_ref, details=told, decision=one.decision,
        )  # fmt: skip
        whole = "; ".join(filter(None, (basis, entry.basis)))
        self._office.note(one.tx, [replace(entry, basis=whole, recipient=recipient)])


def _request(request_id: str) -> Find:
    """A request by its id."""

    def find(tx: Connection) -> Thing | None:
        row = store.owner(tx, request_id)
        return None if row is None else Thing(row.provider, row.organiser, row.purchaser, row.client_ref)

    return find


def clock(one: StoredRequest, day: str) -> ClockState:
    """How the clock of a request stands on a day; what was handed over runs where it was taken in."""
    if one.state is RequestState.HANDED:
        return ClockState.DONE
    if one.answered_at:
        answered = datetime.fromisoformat(one.answered_at).astimezone(HELSINKI).date().isoformat()
        return ClockState.DONE if answered <= one.due_on else ClockState.DONE_LATE
    return ClockState.BREACHED if day > one.due_on else ClockState.OPEN


def _is_in(value: str, wanted: Collection[str]) -> bool:
    return not wanted or value in wanted


def _urgency(one: Mapping[str, Any]) -> tuple[bool, bool, str]:
    return one["clock"] != ClockState.BREACHED, one["clock"] != ClockState.OPEN, one["due_on"]
