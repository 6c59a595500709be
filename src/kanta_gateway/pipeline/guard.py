"""From an act to a question to a decision: what the registers, the contracts and the role say of a caller today.

* A calling system's role stands in its own assertion, so what it may claim follows from its registered organisation.
* A provider's own things are used under its contract; a controller's people use its own register.
* Reading needs a contract in force; delivering own records goes on for the delivery window.
* Each class of the data that an act is about is asked for: of one thing all must be allowed, of a list any, and what
  the caller may not see of it is left out.
* What goes from one register to another is asked by what is stated and what the registers say (`across`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from kanta_gateway.access.decider import Question
from kanta_gateway.access.parties import agreements, relationships
from kanta_gateway.access.policy import Policy
from kanta_gateway.access.table import NO_CLIENT_DATA, Facts
from kanta_gateway.access.terms import DELIVERY_MONTHS, Agreement, Standing, standing
from kanta_gateway.model import Caller, Decision, Event, Oid
from kanta_gateway.pipeline.across import Across, Asked, Seen
from kanta_gateway.pipeline.classes import Classes, DataClass
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import HELSINKI, User, Users
from kanta_gateway.pipeline.sphere import LOCAL, Sphere, sphere_of
from kanta_gateway.spool import persons

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["LOCAL", "Guard", "Thing"]

WITHOUT_CLIENTS = ("audit", "backup", "case", "change", "disclosure", "key", "knowledge", "paper", "party", "request")
"""Subjects of acts that use no client data."""
NAMES_CLIENTS = frozenset({Event.AUDIT_RESOLVE})
"""Acts of these subjects that do: a client relationship is told (703/2023 §4)."""
ACROSS = frozenset({Event.ACCESS_BREAK, Event.DOCUMENT_DISCLOSE})
"""Acts by which data of one register goes to somebody else."""
OF_GRANTS = frozenset({Event.ACCESS_END, Event.ACCESS_READ, Event.ACCESS_REVIEW})
"""Acts about break-glass itself: they use no client data."""
STUDENT = "student"


@dataclass(frozen=True, slots=True)
class Thing:
    """What an act is about, as far as it is known."""

    provider: str | None
    """Whose it is; None when it is nobody's in particular."""
    controller: str | None = None
    """Whose register it is in."""
    purchaser: str | None = None
    """Name of the contract file that it falls under."""
    client_ref: str | None = None
    asked: Asked | None = None
    """What is stated where data goes from one register to another."""
    record_type: str = ""
    """Type of the one record that it is, or was made of."""


class Reading:
    """What the registers say in one decision, in its transaction: each is read once."""

    def __init__(self, tx: Connection) -> None:
        self.tx = tx
        self._agreements: dict[str | None, list[Agreement]] = {}
        self._groups: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def agreements(self, provider: str | None) -> list[Agreement]:
        """Contracts of one provider or of all; no client's relationship and no organisation's name is told."""
        if provider not in self._agreements:
            self._agreements[provider] = agreements(self.tx, provider, is_named=False)
        return self._agreements[provider]

    def group(self, one: Agreement, client_ref: str) -> tuple[str, ...]:
        """Every client reference of a person under a contract."""
        key = (one.provider.oid, one.purchaser, client_ref)
        if key not in self._groups:
            self._groups[key] = persons.group(self.tx, *key)
        return self._groups[key]


def is_without_clients(event: Event) -> bool:
    """Whether an act uses no client data."""
    return event.value.partition(":")[0] in WITHOUT_CLIENTS and event not in NAMES_CLIENTS


class Guard:
    """Asks the policy for a caller."""

    def __init__(self, parts: Parts, policy: Policy) -> None:
        self._parts = parts
        self._policy = policy
        self._users = Users(parts)
        self._across = Across(parts, self._users)
        self._classes = Classes(parts)

    def decide(
        self, caller: Caller, event: Event, thing: Thing, day: date | None = None, *, tx: Connection | None = None
    ) -> Decision:  # fmt: skip
        """Whether the caller may do this.

        Args:
            caller: who acts.
            event: what it wants to do.
            thing: what it is about.
            day: the day on which it is done; today by default.
            tx: the transaction in which it is done, so that nothing comes between; one of its own by default.
        """
        day = day or self._parts.now().astimezone(HELSINKI).date()
        with self._parts.database.reading() if tx is None else nullcontext(tx) as told:
            questions = self._questions(Reading(told), caller, event, thing, day)
        is_list = thing.client_ref is None and not thing.record_type
        for question in questions:
            decision = self._parts.decider.decide(question)
            if decision.allowed == is_list:
                break
        return decision

    def sphere(self, caller: Caller) -> Sphere:
        """What the caller can know of."""
        with self._parts.database.reading() as tx:
            return self.sphere_in(tx, caller)

    def sphere_in(self, tx: Connection, caller: Caller) -> Sphere:
        """The same, as a transaction sees it."""
        return sphere_of(tx, self._parts, self._policy, caller)

    def seen(self, tx: Connection, caller: Caller, thing: Thing) -> Seen:
        """What the registers say today about data that goes from one to another."""
        day = self._parts.now().astimezone(HELSINKI).date()
        task = min(task for _, task in self._classes_of(Reading(tx), caller, Event.DOCUMENT_DISCLOSE, thing))
        return self._across.facts(tx, caller, thing, task, day, is_own=_is_of(caller, thing))

    @property
    def register_version(self) -> int:
        """Version of the register of parties that the newest decision saw."""
        return self._users.version

    def closed(self, caller: Caller, *, by_contract_file: bool = False) -> frozenset[str]:
        """Controllers (or contract files) of the caller's contracts, where none of them is in force today."""
        if not self._policy.is_own_only(caller):
            return frozenset()
        today = self._parts.now().astimezone(HELSINKI).date()
        with self._parts.database.reading() as tx:
            have = agreements(tx, caller.organisation)
        names = [(one.purchaser if by_contract_file else one.organiser.oid, one.is_open(today)) for one in have]
        return frozenset(name for name, _ in names) - {name for name, is_open in names if is_open}

    def _questions(
        self, read: Reading, caller: Caller, event: Event, thing: Thing, day: date
    ) -> Sequence[Question]:  # fmt: skip
        """One question for each class of the data."""
        is_own, user = self._policy.is_own_only(caller), self._users.find(read.tx, caller, day)
        asked = self._asked(read, caller, event, thing, user)
        if event in OF_GRANTS or is_without_clients(event):
            return [_with(asked, flow=NO_CLIENT_DATA)]
        found = sorted(self._classes_of(read, caller, event, thing))
        if event in ACROSS:
            return [self._of_another(read.tx, replace(asked, kind=kind, task=task), caller, thing, day)
                    for kind, task in found]  # fmt: skip
        words = self._parts.decider.duties.service_tasks
        tasks = {words.get(one, one) for one in user.stated.get("service_tasks") or ()}
        is_free = (is_own and not tasks) or not user.is_kept
        if is_own:
            asked = self._of_provider(read, asked, caller, event, thing, day)
        else:
            asked = self._of_controller(read, asked, caller, thing, is_local=caller.system == LOCAL)
        return [replace(asked, kind=kind, task=task, own_task=is_free or task in tasks) for kind, task in found]

    def _classes_of(self, read: Reading, caller: Caller, event: Event, thing: Thing) -> frozenset[DataClass]:
        """Classes of what an act is about, by the contracts that it falls under and that the caller knows of."""
        if event is Event.ACCESS_BREAK:
            return frozenset({self._parts.decider.duties.opens})
        is_across = event in ACROSS
        is_own = self._policy.is_own_only(caller) and not is_across
        is_any = is_own or is_across or caller.system == LOCAL
        have = [
            one for one in read.agreements(caller.organisation if is_own else thing.provider or None)
            if thing.purchaser in {None, one.purchaser} and thing.controller in {None, one.organiser.oid}
            and (one.provider.oid == caller.organisation or not is_own)
            and (is_any or one.organiser.oid == caller.organisation)
        ]  # fmt: skip
        ref = thing.client_ref
        group = None if ref is None else lambda one: read.group(one, ref)
        return self._classes.of(read.tx, event, thing.record_type, have, group)

    def _asked(self, read: Reading, caller: Caller, event: Event, thing: Thing, user: User) -> Question:
        """What is asked of any act: the role's own row, and what the register of users says of the caller."""
        is_local, is_own = caller.system == LOCAL, self._policy.is_own_only(caller)
        provider = Oid(thing.provider) if thing.provider else None
        role = self._policy.decide(caller, event, provider=provider)
        return Question(
            event.value, caller.role, caller.purpose, Facts(purpose="told" if caller.purpose else "none"),
            granted=role.allowed, grant="; ".join(role.reasons), own_service=True,
            is_review=caller.purpose in self._parts.decider.duties.review_purposes,
            claims_beyond=not is_own and not is_local and bool(read.agreements(caller.organisation)),
            person="not-kept" if is_local else "outsider" if user.is_kept and user.is_missing else "known",
            has_duty=bool(user.stated.get("duties")), is_student=caller.role == STUDENT,
            is_supervised=bool(user.stated.get("supervisor")),
        )  # fmt: skip

    def _of_another(self, tx: Connection, asked: Question, caller: Caller, thing: Thing, day: date) -> Question:
        """Data of one register for somebody else: no service and no task of the recipient's own is assumed."""
        is_own = _is_of(caller, thing)
        seen = self._across.facts(tx, caller, thing, asked.task, day, is_own=is_own)
        return _with(replace(asked, own_service=False, own_task=False, own_register=is_own), **seen.facts)

    def _of_provider(
        self, read: Reading, asked: Question, caller: Caller, event: Event, thing: Thing, day: date
    ) -> Question:
        """A provider's system and its own things, under its contracts."""
        have = [
            one for one in read.agreements(caller.organisation)
            if thing.controller in {None, one.organiser.oid} and thing.purchaser in {None, one.purchaser}
        ]  # fmt: skip
        flow = "mandate" if have and thing.provider in {None, caller.organisation} else "none"
        mandate = {True: "valid", False: "ended" if have else "none"}[self._carries(have, event, day)]
        return _with(asked, flow=flow, mandate=mandate, relationship=_relationship(read, have, event, thing, day))

    def _carries(self, have: Sequence[Agreement], event: Event, day: date) -> bool:
        """Whether a contract carries the act: reading only in force, delivering also in the delivery window."""
        months = {one.purchaser: self._parts.contracts[one.purchaser].delivery_months
                  for one in have if one.purchaser in self._parts.contracts}  # fmt: skip
        found = {standing([one], day, months.get(one.purchaser, DELIVERY_MONTHS)) for one in have}
        return Standing.IN_FORCE in found or (Standing.IN_WINDOW in found and not event.is_reading)

    def _of_controller(
        self, read: Reading, asked: Question, caller: Caller, thing: Thing, *, is_local: bool
    ) -> Question:
        """A controller's own people, or the gateway's, in the controller's register."""
        is_mine = is_local or caller.organisation == thing.controller or (not thing.controller and any(
            one.organiser.oid == caller.organisation and thing.purchaser in {None, one.purchaser}
            for one in read.agreements(thing.provider or None)
        ))  # fmt: skip
        asked = replace(asked, own_register=is_mine)
        is_narrow = self._policy.is_for_one_client(caller)
        return _with(
            asked, flow="own-register" if is_mine else "none",
            relationship=self._of_client(read.tx, caller, thing) if is_narrow else "other-task",
        )  # fmt: skip

    def _of_client(self, tx: Connection, caller: Caller, thing: Thing) -> str:
        """The client relationship that the assertion names, with the client whose data it is (ACC-03)."""
        named = sphere_of(tx, self._parts, self._policy, caller).clients or frozenset()
        if thing.client_ref is None:
            return "not-asked" if named else "none"
        return "open" if thing.client_ref in named else "none"


def _is_of(caller: Caller, thing: Thing) -> bool:
    """Whether the caller is of the organisation whose register it is."""
    return bool(thing.controller) and caller.organisation == thing.controller


def _relationship(read: Reading, have: Sequence[Agreement], event: Event, thing: Thing, day: date) -> str:
    """The person's client relationship with whoever reads; deliveries are judged record by record."""
    if not event.is_reading:
        return "not-asked"
    registers = [one for one in have if one.relationships is not None]
    if not registers or thing.client_ref is None:
        return "not-kept" if not registers else "not-asked"
    asked = sorted({(one.provider.oid, one.organiser.oid, read.group(one, thing.client_ref)) for one in registers})
    mine = [own for provider, organiser, clients in asked for own in relationships(read.tx, provider, clients)
            if own.controller in {"", organiser}]  # fmt: skip
    if any(own.span.covers(day) for own in mine):
        return "open"
    return "ended" if mine else "none"


def _with(question: Question, **changes: Any) -> Question:
    """The same question with other facts."""
    return replace(question, facts=replace(question.facts, **changes))
