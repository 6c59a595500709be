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
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access.table import Facts
from kanta_gateway.audit import report
from kanta_gateway.audit.cases import REQUEST, NewCase
from kanta_gateway.contracts.calendar import HELSINKI, add_months
from kanta_gateway.errors import ConflictError
from kanta_gateway.model import Caller, Event, instant
from kanta_gateway.pipeline.clientlog import ClientLog, organisations
from kanta_gateway.pipeline.overseeing import cases_of
from kanta_gateway.pipeline.parts import ticket
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
from kanta_gateway.pipeline.replies import Case, Replier, Reply
from kanta_gateway.pipeline.requestbook import CONTEXT, OpenRequest, RequestBook
from kanta_gateway.pipeline.whose import Whose
from kanta_gateway.privacy.envelope import seal
from kanta_gateway.rights import store
from kanta_gateway.rights.kinds import REFUSED
from kanta_gateway.rights.store import NewRequest, RequestState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.rights.kinds import Kind

REPRESENTATIVES = "D13"
"""Row of the decision table for guardians, custodians and other representatives."""


class Rights(RequestBook):
    """Requests of clients, for callers under the policy."""

    def register(self, caller: Caller, form: RequestForm) -> dict[str, Any]:
        """Take a request in; its id, and until when it is to be answered.

        Raises:
            ParameterError: something that the kind or the asker needs is missing, or is no word of the lists.
            NotFoundError: there is no such client that the caller may see.
            ConflictError: a custodian asks for an adult.
        """
        check_form(form, self._rules, self._clients.today())
        whose = self._clients.find(caller, Event.RIGHT_REGISTER, form.client, form.provider, form.purchaser)
        decision = self._clients.permit(caller, Event.RIGHT_REGISTER, whose)
        received, kind, person = form.received_on or self._clients.today(), self._rules.kinds[form.kind], whose.person
        is_minor = self._clients.is_minor(person, received)
        check_minor(form, self._rules, is_minor=is_minor)
        if form.entries:
            self._check_entries(whose, form)
        matter = form.matter() | {"is_minor": is_minor, "registered_by": caller.person_name}
        key = self._parts.vault.new_key()
        with self._parts.database.alone() as tx:
            new = NewRequest(
                str(uuid.uuid4()), kind.name, person.provider, person.controller, person.purchaser, whose.client_ref,
                form.asker, received.isoformat(), add_months(received.isoformat(), kind.months),
                self._repeated(tx, kind, whose), _moment(form.since),
                _moment(form.until + timedelta(days=1) if form.until else None),
                key.id, seal(key.key, orjson.dumps(matter), CONTEXT),
            )  # fmt: skip
            store.add(tx, new, self._parts.now())
            details = {"identified_by": form.identified_by, "received_on": new.received_on, "due_on": new.due_on}
            self._office.note(tx, [self._office.event(
                caller, Event.RIGHT_REGISTER, subject=new.id, provider=person.provider, controller=person.controller,
                client_ref=whose.client_ref, details={"kind": kind.name, "asker": form.asker, **details},
                decision=decision,
            )])  # fmt: skip
        return {"id": new.id, "due_on": new.due_on, "repeats": new.repeats, "is_minor": is_minor}

    def forward(self, caller: Caller, request_id: str, language: str) -> Reply:
        """Pass a request to the controller; the notice that it gets.

        Raises:
            ConflictError: the kind is not passed on, or it has been.
        """
        with self.opened(caller, Event.RIGHT_FORWARD, request_id) as one:
            if not one.kind.is_forwarded:
                raise ConflictError("this request is prepared here and decided by the controller: `requests prepare`")
            if one.matter.get("forwarded_on"):
                raise ConflictError("the controller has this request already; see `requests show`")
            told = {"forwarded_on": self._clients.today().isoformat(), "forwarded_by": caller.person_name}
            done = self.changed(one, RequestState.FORWARDED, told)
            self.note(done, Event.RIGHT_FORWARD, recipient=one.request.organiser)
            return self._reply(done, language)

    def explain(self, caller: Caller, request_id: str, text: str) -> dict[str, Any]:
        """Tell on which grounds the data was used, for those whose use it was (703/2023 §11.5).

        Raises:
            ConflictError: the request is no suspicion, or is decided.
        """
        check_text("text", text)
        with self.opened(caller, Event.RIGHT_EXPLAIN, request_id) as one:
            if not one.kind.is_explained:
                raise ConflictError("only a suspicion of groundless use is explained")
            told = {"text": text, "by": caller.person_name, "on": self._clients.today().isoformat()}
            self.note(self.changed(one, RequestState.EXPLAINED, {"explanation": told}), Event.RIGHT_EXPLAIN)
        return {"id": request_id, "state": RequestState.EXPLAINED.value}

    def extend(self, caller: Caller, request_id: str, reason: str, language: str, instruction: str = "") -> Reply:
        """Take more time, with a reason that the client is told (GDPR 12(3)); the notice to the client.

        Raises:
            ConflictError: the kind allows no more time, it was taken already, or the first time has run out.
        """
        check_text("reason", reason)
        with self.opened(caller, Event.RIGHT_EXTEND, request_id) as one:
            self._check_controller(one, "", instruction, needs_name=False)
            today, request = self._clients.today().isoformat(), one.request
            if not one.kind.extension_months or one.matter.get("extension") or request.outcome:
                raise ConflictError("the time for this request cannot be extended, or it has been already")
            if today > request.due_on:
                raise ConflictError("the client must be told within the first month, which has run out (GDPR 12(3))")
            due = add_months(request.received_on, one.kind.months + one.kind.extension_months)
            told = {"reason": reason, "on": today, "by": caller.person_name, "instruction": instruction}
            done = self.changed(one, request.state, {"extension": told}, due_on=due)
            self.note(done, Event.RIGHT_EXTEND, due_on=due, instruction=instruction)
            return Replier(self._parts, one.tx, language).extension(_case(done))

    def prepare(self, caller: Caller, request_id: str, language: str) -> Reply:
        """What would be given if the request were granted: for the controller, before it decides."""
        with self.opened(caller, Event.RIGHT_PREPARE, request_id) as one:
            self.note(one, Event.RIGHT_PREPARE)
            return self._reply(one, language)

    def decide(self, caller: Caller, request_id: str, verdict: Verdict) -> dict[str, Any]:
        """Write down what the controller decided.

        Raises:
            ParameterError: the outcome or the ground is none of the kind's, or something that it needs is missing.
            ConflictError: it cannot be decided so: not identified, not allowed to the representative, not explained,
                not passed on, log data older than the window without a special reason.
        """
        with self.opened(caller, Event.RIGHT_DECIDE, request_id) as one:
            self._check_controller(one, verdict.decided_by, verdict.instruction)
            check_verdict(verdict, one.kind, one.matter, repeats=bool(one.request.repeats))
            if verdict.outcome != REFUSED:
                self._basis_of_asker(one)
                self._check_window(one, verdict)
            told = {name: value for name, value in asdict(verdict).items() if name not in {"outcome", "ground"}} | {
                "decided_by": verdict.decided_by or caller.person_name, "recorded_by": caller.person_name,
                "decided_on": self._clients.today().isoformat(),
            }  # fmt: skip
            done = self.changed(
                one, RequestState.DECIDED, {"decision": told}, outcome=verdict.outcome, ground=verdict.ground,
                decided_at=instant(self._parts.now()),
            )  # fmt: skip
            self.note(done, Event.RIGHT_DECIDE, outcome=verdict.outcome, ground=verdict.ground,
                       instruction=verdict.instruction)  # fmt: skip
            case = self._open_case(done, verdict)
        return {"id": request_id, "state": RequestState.DECIDED.value, "outcome": verdict.outcome, **case}

    def answer(self, caller: Caller, request_id: str, language: str) -> Reply:
        """Give the answer; given again, it covers the same time.

        Raises:
            ConflictError: the controller has not decided.
        """
        with self.opened(caller, Event.RIGHT_ANSWER, request_id) as one:
            if not one.request.outcome:
                raise ConflictError("the controller has not decided this request; see `requests decide`")
            is_first, now = one.request.state is not RequestState.ANSWERED, instant(self._parts.now())
            columns = {"answered_at": now, "until": one.request.until or now}
            done = self.changed(one, RequestState.ANSWERED, {}, **columns) if is_first else one
            basis = "" if one.request.outcome == REFUSED else self._basis_of_asker(one)
            self.note(done, Event.RIGHT_ANSWER, basis=basis, recipient=one.request.asker, again=not is_first,
                       outcome=one.request.outcome)  # fmt: skip
            return self._reply(done, language)

    def destroy_old(self, caller: Caller) -> int:
        """Destroy what was said in requests that were answered long enough ago (term `request`); how many."""
        now = self._parts.now()
        first_kept = self._parts.terms.own["request"].begun(now.date()) + timedelta(days=1)
        with self._parts.database.transaction() as tx:
            gone = store.destroy(tx, datetime.combine(first_kept, time.min, UTC), now)
            self._office.note(tx, [
                self._office.event(
                    caller, Event.RIGHT_DESTROY, subject=one.id, provider=one.provider, controller=one.organiser,
                    client_ref=one.client_ref, details={"kind": one.kind},
                )
                for one in gone
            ])  # fmt: skip
        return len(gone)

    def _open_case(self, one: OpenRequest, verdict: Verdict) -> dict[str, str]:
        """What was unlawful is a case with an owner and a day, in the same transaction (703/2023 §§11.5, 78.1).

        The same request opens one case only, however often it is decided.
        """
        days = one.kind.case_days.get(verdict.outcome)
        if days is None:
            return {}
        now, due = self._parts.now(), (self._clients.today() + timedelta(days=days)).isoformat()
        owner = verdict.owner or self._parts.supervision.oversight.owner
        new = NewCase(ticket(), REQUEST, f"{one.kind.name}-{verdict.outcome}", now, due,
                      finding=(REQUEST, one.request.id))  # fmt: skip
        step = {"by": one.caller.person_id, "owner": owner, "note": f"request {one.request.id}"}
        if not cases_of(self._parts).add(one.tx, [new], now, step):
            return {}
        self._office.note(one.tx, [self._office.event(
            one.caller, Event.CASE_OPEN, subject=new.id, provider="", controller=one.request.organiser,
            details={"kind": REQUEST, "rule": new.rule, "due_on": due, "request": one.request.id},
            decision=one.decision,
        )])  # fmt: skip
        return {"case": new.id, "case_owner": owner, "case_due_on": due}

    def _check_entries(self, whose: Whose, form: RequestForm) -> None:
        """Whether suspected entries are uses or disclosures of the client's data.

        Raises:
            ParameterError: one is not.
        """
        with self._parts.database.reading() as tx:
            rows = ClientLog(self._parts, tx, whose.person, self._parts.language).rows(
                None, self._parts.now(), names=False
            )
        if set(form.entries) - {int(one["entry"]) for one in rows}:
            refuse([("entries", "indexes of uses or disclosures of this client's data, as a report tells them")])

    def _reply(self, one: OpenRequest, language: str) -> Reply:
        until = one.request.until
        now = datetime.fromisoformat(until) if until else self._parts.now()
        return Replier(self._parts, one.tx, language).reply(_case(one), min(now, self._parts.now()))

    def _repeated(self, tx: Connection, kind: Kind, whose: Whose) -> str:
        """The last request of the person for the same that was answered with the data; empty where there is none."""
        person = whose.person
        known = store.of_client(tx, person.provider, person.purchaser, person.refs)
        found = [one.id for one in known if one.kind == kind.name and one.answered_at and one.outcome != REFUSED]
        return found[-1] if kind.may_cost and found else ""

    def _check_controller(
        self, one: OpenRequest, decided_by: str, instruction: str, *, needs_name: bool = True
    ) -> None:
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

    def _basis_of_asker(self, one: OpenRequest) -> str:
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

    def _check_window(self, one: OpenRequest, verdict: Verdict) -> None:
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


def _case(one: OpenRequest) -> Case:
    """A request for its reply; the processor is who acts for another organisation than the controller's own."""
    agreement, acting = one.whose.agreement, one.caller.organisation
    named = organisations(one.tx).get(acting, "") if acting != agreement.organiser.oid else ""
    return Case(
        one.request, one.kind, one.matter, one.whose.person, agreement.organiser.name, named or agreement.provider.name
    )


def _moment(day: date | None) -> str:
    """The beginning of a day in Finland, as stored; empty for none."""
    return instant(datetime.combine(day, time.min, HELSINKI)) if day else ""
