"""A changed contract file against records: each client's file is judged twice, and nothing is stored.

* What the gateway keeps of a record for rules (facts) is taken anew from its content for the changed file, which may
  look for other words and fields; where the content has been destroyed what was kept must do, and that is counted.
* What composing documents would find is not part of it: a contract file does not decide that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.check import Judgement
from kanta_gateway.contracts.facts import facts
from kanta_gateway.contracts.figures import explain as explained
from kanta_gateway.contracts.figures import totals
from kanta_gateway.contracts.preview import Seen, changes, figure_changes
from kanta_gateway.errors import KeyUnavailableError
from kanta_gateway.model import Record
from kanta_gateway.pipeline.casefile import CaseFile
from kanta_gateway.pipeline.filing import files
from kanta_gateway.pipeline.judging import judged
from kanta_gateway.spool.deliveries import names_of

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from kanta_gateway.contracts.case import Entry
    from kanta_gateway.contracts.figures import Told
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.spool.records import StoredRecord


@dataclass(slots=True)
class Preview:
    """What two contracts say about the same clients."""

    parts: Parts
    name: str
    """Of the contract file."""
    present: Contract | None
    """None where no contract of that name is used yet."""
    changed: Contract
    as_of: date | None
    since: date | None = None
    """Records of days before this one are left out."""
    _seen: list[Seen] = field(default_factory=list)
    _figures: tuple[dict[str, Any], dict[str, Any]] = field(default_factory=lambda: ({}, {}))
    _clients: int = 0
    _gone: int = 0

    def add(self, tx: Connection, provider: str, clients: Collection[str], closed: Collection[str]) -> None:
        """Judge some clients of one provider by both contracts.

        Args:
            tx: a reading transaction.
            provider: OID of the provider.
            clients: keyed references.
            closed: purchasers whose registers are left alone.
        """
        for case in files(self.parts, tx, provider, clients, closed):
            if case.purchaser == self.name:
                self._clients += 1
                self._judge(tx, case)

    def _judge(self, tx: Connection, case: CaseFile) -> None:
        sides = [(self.present, case.entries), (self.changed, [self._anew(case, one) for one in case.rows])]
        made: list[Judgement] = []
        for told, (contract, entries) in zip(self._figures, sides, strict=True):
            if contract is None:
                made.append(Judgement())
                continue
            parts = replace(self.parts, contracts={**self.parts.contracts, self.name: contract})
            own = replace(case, situation=None, entries=entries)
            whole, judgement, day = judged(parts, own, self.name, self.as_of)
            made.append(judgement)
            for subject in case.subjects:
                told[subject.id] = explained(contract, whole, judgement, day, subject.id)
        names = names_of(tx, [one.row for one in case.rows])
        before, after = made
        since = self.since.isoformat() if self.since else ""
        for entry in case.entries:
            if entry.day < since:
                continue
            self._seen.append(Seen(
                names.get(entry.row, f"{entry.type} {entry.id}"), entry.day, before.findings.get(entry.row, ()),
                after.findings.get(entry.row, ()), _outcome(before, entry.row), _outcome(after, entry.row),
            ))  # fmt: skip

    def _anew(self, case: CaseFile, one: StoredRecord) -> Entry:
        """A record as the changed contract's rules see it."""
        entry = next(own for own in case.entries if own.row == one.row)
        try:
            content = case.content(one)
        except KeyUnavailableError:
            self._gone += 1
            return entry
        kept = facts(self.changed, Record(one.type, one.id, one.version, None, content))
        return replace(entry, facts={**entry.facts, **kept})

    def told(self) -> dict[str, Any]:
        """What differs, as it is given out."""
        sides: Sequence[tuple[Contract | None, dict[str, Any]]] = list(
            zip((self.present, self.changed), self._figures, strict=True)
        )
        before, after = ({**_values(own), **_values(totals(contract, own) if contract else {})}
                         for contract, own in sides)  # fmt: skip
        return {
            "records": len(self._seen), "clients": self._clients, "content_destroyed": self._gone,
            **changes(self._seen), "figures": figure_changes(before, after),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Apart:
    """What a changed contract says about each controller's register apart."""

    make: Callable[[], Preview]
    whose: Mapping[str, str]
    """Provider -> the controller of the register in which its records are."""
    _made: dict[str, Preview] = field(default_factory=dict)

    def add(self, tx: Connection, provider: str, clients: Collection[str], closed: Collection[str]) -> None:
        """Judge some clients of one provider by both contracts; arguments as `Preview.add` has them."""
        controller = self.whose.get(provider, "")
        if controller not in self._made:
            self._made[controller] = self.make()
        self._made[controller].add(tx, provider, clients, closed)

    def told(self) -> dict[str, Any]:
        """Controller -> what differs; empty for a register without a contract."""
        return {controller: one.told() for controller, one in self._made.items()}


def _values(of_clients: dict[str, dict[str, Told]]) -> dict[str, dict[str, Any]]:
    return {client: {name: one.value for name, one in told.items()} for client, told in of_clients.items()}


def _outcome(judgement: Judgement, row: int) -> str:
    found = judgement.outcomes.get(row)
    return found.value if found is not None else "not judged"
