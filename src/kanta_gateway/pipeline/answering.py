"""What auditors ask, answered: one way for every question, under the policy, itself an entry of the log.

* The entry about the question is committed before the first line of the answer is given.
* The answer comes from one snapshot of log and tables, line by line; the log is never held.
* Every form shows the columns on the asker's list and no other; who is told no name may ask by keyed reference only.
* What is of another register is in no form of the answer, and of it is not told how much there is.
* A question that nothing but selecting and grouping answers needs no line here: it is a few lines of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kanta_gateway.access.policy import Policy
from kanta_gateway.audit import proofs
from kanta_gateway.audit.answers import Engine, Entry, Row, Tally
from kanta_gateway.audit.forms import FORMS, Answer
from kanta_gateway.audit.questions import DETAIL, Question
from kanta_gateway.errors import NotFoundError, ParameterError
from kanta_gateway.model import Caller, Event, Finding, Severity, instant
from kanta_gateway.pipeline.asked import NO_CLIENT, Asked, Wanted, is_by_number, noted, wanted
from kanta_gateway.pipeline.computed import COLUMNS, COMPUTED
from kanta_gateway.pipeline.known import Known
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts

ANSWER = "audit-answer"
"""The answer's name in the lists of fields."""
SEEN = ("client", "person_id", "person_name", "person_ref", "subject", "provider", "controller", "recipient")
"""Fields that an AuditEvent shows of an entry."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Which columns of an answer a recipient is shown: those on its list (`mappings/policy/views.yaml`).

    A column with a name of its own, which a question of one's own collects, is shown to whom its field is shown.
    """

    names: Collection[str]
    """Fields of entries and columns of shipped questions."""

    def has(self, name: str, question: Question | None = None) -> bool:
        """Whether a field or a column is shown."""
        if name in self.names or (name.startswith(DETAIL) and f"{DETAIL}*" in self.names):
            return True
        collected = question.collect if question is not None else ()
        return any(one.name == name and self.has(one.field) for one in collected)

    @property
    def may_identify(self) -> bool:
        """Whether persons are told by name; only then may persons and clients be named in a question (LOG-14)."""
        return "person_name" in self.names

    def view(self, row: Row) -> Row:
        """A row without what is not shown."""
        return {name: one for name, one in row.items() if self.has(name)}


def shown_to(parts: Parts, caller: Caller) -> Shown:
    """What a caller is shown of answers about the log."""
    sight = parts.views.sight(ANSWER, caller.role, caller.purpose)
    return Shown(sight.within("answer").tree if sight is not None else ())


def may_name(parts: Parts, caller: Caller) -> bool:
    """Whether a caller is told by name who did what."""
    return shown_to(parts, caller).may_identify


class Answers:
    """Answers the questions of one installation."""

    def __init__(
        self, parts: Parts, office: Office, policy: Policy, grace_days: int,
        verify: Callable[[], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self._parts = parts
        self._office = office
        self._policy = policy
        self._grace_days = grace_days
        self._verify = verify

    def listed(self, language: str) -> dict[str, Any]:
        """Every question: number, id, text, parameters and provisions."""
        return {"questions": [
            {"number": one.number, "id": one.id, "text": one.texts[language],
             "parameters": {name: "needed" if needed else "optional" for name, needed in one.parameters.items()},
             "provision": list(one.provision), "columns": list(_columns(one))}
            for one in self._parts.supervision.questions.all()
        ]}  # fmt: skip

    def ask(self, caller: Caller, name: str, given: Mapping[str, str], form: str, language: str) -> Iterator[str]:
        """The answer to a question, line by line.

        Args:
            caller: who asks.
            name: id or number of the question.
            given: its parameters.
            form: one of `FORMS`.
            language: of texts.

        Raises:
            NotFoundError: there is no such question or client.
            NotPermittedError: the caller may not read the log.
            ParameterError: a parameter or the form is none.
        """
        question = self._parts.supervision.questions.get(name)
        if question is None:
            raise NotFoundError("there is no such question; `kanta-gateway audit questions` tells them")
        if form not in FORMS:
            told = {"field": "format", "expected": ", ".join(sorted(FORMS))}
            raise ParameterError(
                findings=(Finding("API-PARAMETER", Severity.REFUSE, "parameter-wrong", "/format", told),)
            )
        decision = self._office.permit(caller, Event.AUDIT_READ, provider=None)
        self._office.narrowing.check(caller, Event.AUDIT_READ, ANSWER)
        shown, event = shown_to(self._parts, caller), Event.AUDIT_READ
        if shown.may_identify and is_by_number(given):  # which entries are about whom: an act of its own
            event, decision = Event.AUDIT_RESOLVE, self._office.permit(caller, Event.AUDIT_RESOLVE, provider=None)
        what = self._wanted(caller, event, question, given, may_identify=shown.may_identify)
        with self._parts.database.transaction() as tx:
            details = {"question": question.id, "format": form, "count": proofs.size(tx), **noted(what, given)}
            self._office.note(tx, self._office.of_clients(
                caller, event, what.clients, subject=f"question:{question.id}", details=details,
                decision=decision,
            ))  # fmt: skip
        return self._given(caller, question, what, given, form, language)

    def _wanted(
        self, caller: Caller, event: Event, question: Question, given: Mapping[str, str], *, may_identify: bool
    ) -> Wanted:
        """What is asked; a client that is not there and another's leave the same entry."""
        with self._parts.database.reading() as tx:
            mine = self._office.guard.sphere_in(tx, caller).registers
            try:
                return wanted(self._parts, tx, question, given, may_identify=may_identify, mine=mine)
            except NotFoundError:
                pass  # the attempt is written down outside this transaction
        self._office.conceal(caller, event, None)
        raise NotFoundError(NO_CLIENT)

    def _given(
        self, caller: Caller, question: Question, what: Wanted, given: Mapping[str, str], form: str, language: str
    ) -> Iterator[str]:
        with self._parts.database.reading() as tx:
            size, sphere = proofs.size(tx), self._office.guard.sphere_in(tx, caller)
            asked = Asked(
                self._parts, tx, question, what, language, Known(self._parts, tx),
                Tally(size, is_whole=sphere.is_whole), self._policy, self._grace_days, self._verify, sphere,
            )  # fmt: skip
            head = {
                "question": question.id, "number": question.number, "text": question.texts[language],
                "provision": list(question.provision), "asked_at": instant(self._parts.now()),
                "parameters": {name: one for name, one in given.items() if one}, "log_size": size,
            }  # fmt: skip
            yield from self._answer(asked, head, shown_to(self._parts, caller)).written(form)

    def _answer(self, asked: Asked, head: Mapping[str, Any], shown: Shown) -> Answer:
        question, view = asked.question, shown.view
        columns = tuple(one for one in _columns(question) if shown.has(one, question))
        engine = Engine(question, asked.known.ask, view, asked.tally)
        with_agents = replace(question, fields=(*question.fields, *SEEN))
        whole = Engine(with_agents, asked.known.ask, view, asked.tally)

        def rows() -> Iterator[Row]:
            if not question.computed:
                for row in engine.rows(asked.entries()):
                    yield {name: row[name] for name in columns}
                return
            asked.tally.is_computed = True
            for row in COMPUTED[question.computed][1](asked):
                asked.tally.rows += 1
                yield {name: row.get(name, "") for name in columns}

        def entries() -> Iterator[tuple[Entry, Row]]:
            yield from whole.selected(asked.entries())

        return Answer(head, columns, rows, entries, lambda: asked.tally, self._parts.checkpoints.key.name)


def _columns(question: Question) -> tuple[str, ...]:
    if question.computed:
        return COLUMNS[question.computed]
    if question.group:
        return (*question.group, *(one.name for one in question.collect), "entries", "first", "last")
    return question.fields
