"""What clients ask for by right: registered, passed on, explained, extended, decided by the controller, answered.

* The clock runs from the day of receipt and stops when the answer is given (703/2023 §11.1, GDPR 12(3)).
* The controller decides: its own official over the API, or through the processor, who then names the official and the
  documented instruction (GDPR 28(3)(a)). The processor prepares and answers on the controller's behalf.
* Nothing is given to somebody who was not identified, or to a representative whom row D13 does not allow.
* A request never erases a statutory record (GDPR 17(3)(b)); rectification and restriction go to the controller.
* Every act, and every look, is an entry of the log in the same transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access.parties import agreements
from kanta_gateway.access.table import Facts
from kanta_gateway.audit import report
from kanta_gateway.contracts.calendar import HELSINKI, add_months, between
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import ConflictError, KeyUnavailableError, NotFoundError
from kanta_gateway.model import Caller, Decision, Event, instant
from kanta_gateway.pipeline.pleas import (
    NO_SPECIAL_REASON,
    RequestForm,
    Verdict,
    check_form,
    check_minor,
    check_text,
    check_verdict,
    refuse,
)
from kanta_gateway.pipeline.replies import Case, Matter, Replier, Reply
from kanta_gateway.pipeline.whose import Clients, Whose
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.rights import store
from kanta_gateway.rights.kinds import REFUSED
from kanta_gateway.rights.store import NewRequest, RequestState, StoredRequest

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.rights.kinds import Kind

CONTEXT = b"request"
KEPT_YEARS = 3
"""Correspondence with a client is kept so long after the answer (703/2023, annex)."""
REPRESENTATIVES = "D13"
"""Row of the decision table for guardians, custodians and other representatives."""


@dataclass(frozen=True, slots=True)
class _Open:
    """One request in the transaction that works on it."""

    tx: Connection
    caller: Caller
    decision: Decision
    request: StoredRequest
    matter: Matter
    kind: Kind
    whose: Whose


class Rights:
    """Requests of clients, for callers under the policy."""

    def __init__(self, parts: Parts, office: Office) -> None:
        self._parts = parts
        self._office = office
        self._rules = parts.rights
        self._clients = Clients(parts, office)

    def register(self, caller: Caller, form: RequestForm) -> dict[str, Any]:
        """Take a request in; its id, and until when it is to be answered.

        Raises:
            ParameterError: something that the kind or the asker needs is missing, or is no word of the lists.
            NotFoundError: there is no such client that the caller may see.
            ConflictError: a custodian asks for an adult.
        """
        check_form(form, self._rules, self._clients.today())
        whose = self._clients.find(caller, form.client, form.provider, form.purchaser)
        decision = self._clients.permit(caller, Event.RIGHT_REGISTER, whose)
        received, kind, person = form.received_on or self._clients.today(), self._rules.kinds[form.kind], whose.person
        is_minor = self._clients.is_minor(person, received)
        check_minor(form, self._rules, is_minor=is_minor)
        matter = form.matter() | {"is_minor": is_minor, "registered_by": caller.person_name}
        key = self._parts.vault.new_key()
        with self._parts.database.alone() as tx:
            new = NewRequest(
                str(uuid.uuid4()), kind.name, person.provider, person.controller, person.purchaser, whose.client_ref,
                form.asker, received.isoformat(), add_months(received.isoformat(), kind.months),
                self._repeated(tx, kind, whose), _moment(form.since),
                _moment(form.until + timedelta(days=1) if form.until else None),
                seal(key.key, orjson.dumps(matter), CONTEXT),
            )  # fmt: skip
            store.add(tx, new, key.wrapped, self._parts.now())
            details = {"identified_by": form.identified_by, "received_on": new.received_on, "due_on": new.due_on}
            self._office.note(tx, [self._office.event(
                caller, Event.RIGHT_REGISTER, subject=new.id, provider=person.provider, controller=person.controller,
                client_ref=whose.client_ref, details={"kind": kind.name, "asker": form.asker, **details},
                decision=decision,
            )])  # fmt: skip
        return {"id": new.id, "due_on": new.due_on, "repeats": new.repeats, "is_minor": is_minor}

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

    def show(self, caller: Caller, request_id: str, language: str) -> dict[str, Any]:
        """One request: who asks, what for, and what has been said about it.

        Raises:
            NotFoundError: there is none that the caller may see.
        """
        with self._opened(caller, Event.RIGHT_READ, request_id) as one:
            self._note(one, Event.RIGHT_READ)
            return self._told(one.request, self._clients.today().isoformat(), language) | {"matter": dict(one.matter)}

    def forward(self, caller: Caller, request_id: str, language: str) -> Reply:
        """Pass a request to the controller; the notice that it gets.

        Raises:
            ConflictError: the kind is not passed on, or it has been.
        """
        with self._opened(caller, Event.RIGHT_FORWARD, request_id) as one:
            if not one.kind.is_forwarded:
                raise ConflictError("this request is prepared here and decided by the controller: `requests prepare`")
            told = {"forwarded_on": self._clients.today().isoformat(), "forwarded_by": caller.person_name}
            done = self._changed(one, RequestState.FORWARDED, told)
            self._note(done, Event.RIGHT_FORWARD, recipient=one.request.organiser)
            return self._reply(done, language)

    def explain(self, caller: Caller, request_id: str, text: str) -> dict[str, Any]:
        """Tell on which grounds the data was used, for those whose use it was (703/2023 §11.5).

        Raises:
            ConflictError: the request is no suspicion, or is decided.
        """
        check_text("text", text)
        with self._opened(caller, Event.RIGHT_EXPLAIN, request_id) as one:
            if not one.kind.is_explained:
                raise ConflictError("only a suspicion of groundless use is explained")
            told = {"text": text, "by": caller.person_name, "on": self._clients.today().isoformat()}
            self._note(self._changed(one, RequestState.EXPLAINED, {"explanation": told}), Event.RIGHT_EXPLAIN)
        return {"id": request_id, "state": RequestState.EXPLAINED.value}

    def extend(self, caller: Caller, request_id: str, reason: str, language: str, instruction: str = "") -> Reply:
        """Take more time, with a reason that the client is told (GDPR 12(3)); the notice to the client.

        Raises:
            ConflictError: the kind allows no more time, it was taken already, or the first time has run out.
        """
        check_text("reason", reason)
        with self._opened(caller, Event.RIGHT_EXTEND, request_id) as one:
            self._check_controller(one, "", instruction, needs_name=False)
            today, request = self._clients.today().isoformat(), one.request
            if not one.kind.extension_months or one.matter.get("extension") or request.outcome:
                raise ConflictError("the time for this request cannot be extended, or it has been already")
            if today > request.due_on:
                raise ConflictError("the client must be told within the first month, which has run out (GDPR 12(3))")
            due = add_months(request.received_on, one.kind.months + one.kind.extension_months)
            told = {"reason": reason, "on": today, "by": caller.person_name, "instruction": instruction}
            done = self._changed(one, request.state, {"extension": told}, due_on=due)
            self._note(done, Event.RIGHT_EXTEND, due_on=due, instruction=instruction)
            return Replier(self._parts, one.tx, language).extension(_case(done))

    def prepare(self, caller: Caller, request_id: str, language: str) -> Reply:
        """What would be given if the request were granted: for the controller, before it decides."""
        with self._opened(caller, Event.RIGHT_PREPARE, request_id) as one:
            self._note(one, Event.RIGHT_PREPARE)
            return self._reply(one, language)

    def decide(self, caller: Caller, request_id: str, verdict: Verdict) -> dict[str, Any]:
        """Write down what the controller decided.

        Raises:
            ParameterError: the outcome or the ground is none of the kind's, or something that it needs is missing.
            ConflictError: it cannot be decided so: not identified, not allowed to the representative, not explained,
                not passed on, log data older than the window without a special reason.
        """
        with self._opened(caller, Event.RIGHT_DECIDE, request_id) as one:
            self._check_controller(one, verdict.decided_by, verdict.instruction)
            check_verdict(verdict, one.kind, one.matter, repeats=bool(one.request.repeats))
            if verdict.outcome != REFUSED:
                self._basis_of_asker(one)
                self._check_window(one, verdict)
            told = {name: value for name, value in asdict(verdict).items() if name not in {"outcome", "ground"}} | {
                "decided_by": verdict.decided_by or caller.person_name, "recorded_by": caller.person_name,
                "decided_on": self._clients.today().isoformat(),
            }  # fmt: skip
            done = self._changed(
                one, RequestState.DECIDED, {"decision": told}, outcome=verdict.outcome, ground=verdict.ground,
                decided_at=instant(self._parts.now()),
            )  # fmt: skip
            self._note(done, Event.RIGHT_DECIDE, outcome=verdict.outcome, ground=verdict.ground,
                       instruction=verdict.instruction)  # fmt: skip
        return {"id": request_id, "state": RequestState.DECIDED.value, "outcome": verdict.outcome}

    def answer(self, caller: Caller, request_id: str, language: str) -> Reply:
        """Give the answer; given again, it covers the same time.

        Raises:
            ConflictError: the controller has not decided.
        """
        with self._opened(caller, Event.RIGHT_ANSWER, request_id) as one:
            if not one.request.outcome:
                raise ConflictError("the controller has not decided this request; see `requests decide`")
            is_first, now = one.request.state is not RequestState.ANSWERED, instant(self._parts.now())
            columns = {"answered_at": now, "until": one.request.until or now}
            done = self._changed(one, RequestState.ANSWERED, {}, **columns) if is_first else one
            basis = "" if one.request.outcome == REFUSED else self._basis_of_asker(one)
            self._note(done, Event.RIGHT_ANSWER, basis=basis, recipient=one.request.asker, again=not is_first,
                       outcome=one.request.outcome)  # fmt: skip
            return self._reply(done, language)

    def destroy_old(self, caller: Caller) -> int:
        """Destroy what was said in requests that were answered long enough ago; how many.

        Raises:
            NotPermittedError: the policy does not allow it.
        """
        decision = self._office.permit(caller, Event.RIGHT_DESTROY, provider=None)
        now = self._parts.now()
        before = now.replace(year=now.year - KEPT_YEARS, day=min(now.day, 28) if now.month == 2 else now.day)
        with self._parts.database.transaction() as tx:
            gone = store.destroy(tx, before, now)
            self._office.note(tx, [
                self._office.event(
                    caller, Event.RIGHT_DESTROY, subject=one.id, provider=one.provider, controller=one.organiser,
                    client_ref=one.client_ref, details={"kind": one.kind}, decision=decision,
                )
                for one in gone
            ])  # fmt: skip
        return len(gone)

    @contextmanager
    def _opened(self, caller: Caller, event: Event, request_id: str) -> Iterator[_Open]:
        """One request that the caller may act on, in the transaction of the act.

        Raises:
            NotFoundError: there is none that the caller may see.
            KeyUnavailableError: what was said in it has been destroyed.
        """
        with self._parts.database.reading() as tx:
            seen = store.get(tx, request_id)
            whose = None if seen is None else self._whose(tx, seen)
        own, controller = self._clients.scope(caller)
        if seen is None or whose is None:
            raise NotFoundError
        if own not in {None, seen.provider} or controller not in {None, seen.organiser}:
            self._office.deny(caller, event, seen.provider, (f"{caller.role}: the request is of another's register",))
            raise NotFoundError
        decision = self._clients.permit(caller, event, whose)
        with self._parts.database.alone() as tx:
            request = store.get(tx, request_id)
            if request is None or request.sealed is None or not request.wrapped:
                raise KeyUnavailableError("what was said in this request has been destroyed; its dates stay")
            matter = orjson.loads(open_sealed(self._parts.vault.unwrap(request.wrapped), request.sealed, CONTEXT))
            kind = self._rules.kinds.get(request.kind)
            if kind is None:
                raise ConflictError("the files know no such kind of request any more; see mappings/rights/kinds.yaml")
            yield _Open(tx, caller, decision, request, matter, kind, whose)

    def _whose(self, tx: Connection, request: StoredRequest) -> Whose:
        agreement = next(one for one in agreements(tx, request.provider) if one.purchaser == request.purchaser)
        return Whose(self._clients.person(tx, agreement, request.client_ref), agreement)

    def _changed(self, one: _Open, state: RequestState, told: Mapping[str, Any], **columns: Any) -> _Open:
        """The request further on, stored."""
        matter = {**one.matter, **told}
        key = self._parts.vault.unwrap(one.request.wrapped or b"")
        store.change(one.tx, one.request, state, seal(key, orjson.dumps(matter), CONTEXT), **columns)
        return replace(one, matter=matter, request=replace(one.request, state=state, **columns))

    def _reply(self, one: _Open, language: str) -> Reply:
        until = one.request.until
        now = datetime.fromisoformat(until) if until else self._parts.now()
        return Replier(self._parts, one.tx, language).reply(_case(one), min(now, self._parts.now()))

    def _repeated(self, tx: Connection, kind: Kind, whose: Whose) -> str:
        """The last request of the person for the same that was answered with the data; empty where there is none."""
        person = whose.person
        known = store.of_client(tx, person.provider, person.purchaser, person.refs)
        found = [one.id for one in known if one.kind == kind.name and one.answered_at and one.outcome != REFUSED]
        return found[-1] if kind.may_cost and found else ""

    def _check_controller(self, one: _Open, decided_by: str, instruction: str, *, needs_name: bool = True) -> None:
        """Whether it is the controller that decides: by its own official, or by an instruction that is told.

        Raises:
            ParameterError: the processor tells neither official nor instruction.
        """
        if one.caller.organisation == one.request.organiser:
            return
        lacking = [("instruction", "reference of the controller's documented instruction")] if not instruction else []
        if needs_name and not decided_by.strip():
            lacking.append(("decided_by", "name of the controller's official"))
        refuse(lacking)

    def _basis_of_asker(self, one: _Open) -> str:
        """The provision by which whoever asks gets it; for a representative row D13 decides.

        Raises:
            ConflictError: the row does not allow it.
        """
        if not self._rules.askers[one.request.asker].is_representative:
            return one.kind.basis
        prohibits = one.matter["minor_prohibits"] == "yes"
        facts = Facts("representative", representative="yes", prohibition="covers" if prohibits else "none")
        row = self._parts.decider.table.find(facts)
        if row.id != REPRESENTATIVES:
            raise ConflictError("the minor prohibits giving the data: refuse with the ground minor-prohibits (§51)")
        return "; ".join((one.kind.basis, *row.basis))

    def _check_window(self, one: _Open, verdict: Verdict) -> None:
        """Whether older log data than usual is given for a reason that was recorded.

        Raises:
            ConflictError: no special reason was told, and the decision does not say so.
        """
        start = instant(report.window_start(self._parts.now()))
        is_older = bool(one.kind.window_years and one.request.since and one.request.since < start)
        if is_older and not one.matter["special_reason"] and verdict.ground != NO_SPECIAL_REASON:
            raise ConflictError(
                "log data older than two years needs a special reason (703/2023 §11.2): register the reason, or decide "
                f"partly with the ground {NO_SPECIAL_REASON}"
            )

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

    def _note(self, one: _Open, event: Event, *, basis: str = "", recipient: str = "", **details: Any) -> None:
        """The entry of an act, in its transaction; details are words, days and references, never what was said."""
        request = one.request
        told = {"kind": request.kind, "asker": request.asker, **{k: v for k, v in details.items() if v != ""}}
        entry = self._office.event(
            one.caller, event, subject=request.id, provider=request.provider, controller=request.organiser,
            client_ref=request.client_ref, details=told, decision=one.decision,
        )  # fmt: skip
        whole = "; ".join(filter(None, (basis, entry.basis)))
        self._office.note(one.tx, [replace(entry, basis=whole, recipient=recipient)])


def clock(one: StoredRequest, day: str) -> ClockState:
    """How the clock of a request stands on a day."""
    if one.answered_at:
        answered = datetime.fromisoformat(one.answered_at).astimezone(HELSINKI).date().isoformat()
        return ClockState.DONE if answered <= one.due_on else ClockState.DONE_LATE
    return ClockState.BREACHED if day > one.due_on else ClockState.OPEN


def _case(one: _Open) -> Case:
    agreement = one.whose.agreement
    return Case(one.request, one.kind, one.matter, one.whose.person, agreement.organiser.name, agreement.provider.name)


def _is_in(value: str, wanted: Collection[str]) -> bool:
    return not wanted or value in wanted


def _urgency(one: Mapping[str, Any]) -> tuple[bool, bool, str]:
    return one["clock"] != ClockState.BREACHED, one["clock"] != ClockState.OPEN, one["due_on"]


def _moment(day: date | None) -> str:
    """The beginning of a day in Finland, as stored; empty for none."""
    return instant(datetime.combine(day, time.min, HELSINKI)) if day else ""
