"""What kind of client data a thing holds, and of which service tasks: from record types, contract files and decisions.

* The kind stands on the record type (`x-data-class`); for an act whose records are not known one by one, in the policy.
* The service tasks are those of the products that the client's decisions grant; of the whole contract where none does.
* What cannot be told is of every task: then a right to some of them is not enough.

Source: STM 457/2024 §§12-24; 703/2023 §37.2 (every document has its service tasks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from kanta_gateway.spool import records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.terms import Agreement
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.model import Event
    from kanta_gateway.pipeline.parts import Parts

WITHOUT_TASK = frozenset({"AST"})
"""Kinds that belong to no service task."""
DataClass = tuple[str, str]
"""Kind and service task, as the decree has them."""
Group = Callable[["Agreement"], Sequence[str]]
"""Every client reference of one person under a contract."""


class Classes:
    """Tells classes of data."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._granting = [name for name, one in parts.types.items() if one.grants]

    def of(
        self, tx: Connection, event: Event, record_type: str, have: Iterable[Agreement], group: Group | None
    ) -> frozenset[DataClass]:
        """Every class of what an act is about.

        Args:
            tx: a reading transaction.
            event: the act.
            record_type: of the one record that it is about; empty where it is about several.
            have: contracts that it falls under.
            group: tells the person's clients under a contract, where it is about one person.
        """
        contracts = list(have)
        kind, duties = self._kind(event, record_type), self._parts.decider.duties
        if contracts and all(one.provider.oid != one.organiser.oid for one in contracts):
            kind = duties.on_behalf.get(kind, kind)
        if kind in WITHOUT_TASK:
            return frozenset({(kind, "")})
        found = frozenset(task for one in contracts for task in self._tasks(tx, one, group))
        return frozenset((kind, task) for task in found or duties.tasks)

    def _kind(self, event: Event, record_type: str) -> str:
        if record_type:
            return self._parts.types[record_type].data_class
        return self._parts.decider.duties.uses.get(event.value.partition(":")[0], "other")

    def _tasks(self, tx: Connection, one: Agreement, group: Group | None) -> Iterator[str]:
        """Service tasks of a contract, or of what one client gets under it."""
        contract, words = self._parts.contracts.get(one.purchaser), self._parts.decider.duties.service_tasks
        if contract is None:
            return
        of_contract = {words.get(product.service_task, "") for product in contract.products}
        granted: set[str] = set()
        if group is not None and len(of_contract) > 1:
            granted = {words.get(task, "") for task in self._granted(tx, one, contract, group(one))}
        yield from granted or of_contract

    def _granted(self, tx: Connection, one: Agreement, contract: Contract, clients: Sequence[str]) -> Iterator[str]:
        """Service tasks of the products that the client's decisions grant."""
        for sealed in records.facts_of(tx, one.provider.oid, one.purchaser, clients, self._granting):
            product = contract.product(self._parts.keyring.open_facts(sealed)["facts"])
            if product is not None:
                yield product.service_task
