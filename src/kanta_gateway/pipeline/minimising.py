"""How each field of a record is read: the contract's levels, whose names may stay, and what the author has allowed.

* At receiving, what has a shape or stands in a list is masked where the contract says so; whose a name is, and where
  other clients live, is known only when the client's file is read, so names are looked for when a document is made.
* What the contract asks about stays, sealed, until its author answers; a record that stands no longer is masked whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Finding, Level, Masked, Severity
from kanta_gateway.privacy.people import NOBODY, Known
from kanta_gateway.privacy.reading import Reading

if TYPE_CHECKING:
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.privacy.fingerprint import ClientGuard
    from kanta_gateway.privacy.minimise import Read
    from kanta_gateway.privacy.scan import Scanner
    from kanta_gateway.recordtypes import RecordType

PERSON = "person"
ASKED = "asked"
"""Kind of the finding that tells of words which wait for their author."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """What one contract says about every field of every record type."""

    scanner: Scanner
    contract: Contract

    def levels(self, kind: RecordType, name: str) -> Mapping[str, Level]:
        """Class -> level for one field; empty for a field that holds no free text."""
        if name not in kind.texts:
            return {}
        belongs = kind.privacy.get(name, "").split()
        own = {PERSON: Level.ALLOW} if "names" in belongs else {}
        own |= {"street-address": Level.ALLOW} if "places" in belongs else {}
        return {**self.scanner.words.levels, **own, **self.contract.minimisation.of(kind.name, name)}

    def at_receiving(self, kind: RecordType) -> Read:
        """How a delivered record is read before its client's file is known."""
        return lambda name: self._reading(kind, name, self.levels(kind, name))

    def reading(
        self,
        kind: RecordType,
        known: KnownToCase,
        allowed: Collection[tuple[str, str]] = (),
        *,
        is_closed: bool = False,
    ) -> Read:
        """How a stored record is read, now that its client's file is known.

        Args:
            kind: the record's type.
            known: what the file tells.
            allowed: (field, class) that the record's author has allowed.
            is_closed: nobody will answer any more, so that what is asked about is masked.
        """

        def read(name: str) -> Reading | None:
            levels = dict(self.levels(kind, name))
            levels |= {cls: Level.MASK for cls, one in levels.items() if is_closed and one is Level.ASK}
            answered = {cls for path, cls in allowed if path.partition(".")[0] == name}
            levels |= {cls: Level.ALLOW for cls in answered if levels.get(cls) is Level.ASK}
            return self._reading(kind, name, levels, known)

        return read

    @staticmethod
    def _reading(
        kind: RecordType, name: str, levels: Mapping[str, Level], known: KnownToCase | None = None
    ) -> Reading | None:
        belongs = kind.privacy.get(name, "").split()
        if "code" in belongs:
            return None
        if known is None:
            return Reading(levels, is_contact="contact" in belongs)
        return Reading(
            levels, is_contact="contact" in belongs, guard=known.guard, protected=known.protected, known=known.names,
            staff=known.staff,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownToCase:
    """What a client's file tells about the client, its workers, and others who must not be found."""

    guard: ClientGuard | None = None
    protected: ClientGuard | None = None
    names: Known = NOBODY
    staff: Known = NOBODY


def asked_findings(asked: Collection[Masked], clause: str) -> tuple[Finding, ...]:
    """One finding per field and class that waits for the record's author."""
    return tuple(_finding("PRI-02", Severity.HOLD, ASKED, one, clause) for one in asked)


def masked_findings(masked: Collection[Masked], clause: str) -> tuple[Finding, ...]:
    """One info finding per field and class that was masked."""
    return tuple(_finding("PRI-01", Severity.INFO, "masked", one, clause) for one in masked)


def _finding(rule: str, severity: Severity, kind: str, one: Masked, clause: str) -> Finding:
    told = {"field": one.field, "class": one.cls, "count": str(one.count)}
    return Finding(rule, severity, kind, f"/{one.field.replace('.', '/')}", told, clause or "GDPR 5(1)(c)")


def names_in(kind: RecordType, content: Mapping[str, Any], keys: Collection[str]) -> Iterator[str]:
    """Names that a record tells of those who work with the client: name fields, and fields where names belong.

    Args:
        kind: the record's type.
        content: of the record.
        keys: fields that hold a name and nothing else.
    """
    for name, value in content.items():
        if "names" in kind.privacy.get(name, ""):
            yield from _words(value)
        else:
            yield from _named(value, name, keys)


_CAPITAL = re.compile(r"[A-ZÅÄÖ][^\W\d_]+(?:-[^\W\d_]+)*")


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _CAPITAL.findall(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _words(one)


def _named(value: Any, key: str, keys: Collection[str]) -> Iterator[str]:
    if isinstance(value, str) and key in keys:
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _named(one, name, keys)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _named(one, key, keys)
