"""What is judged together: the records of one client, and what the provider's clients share.

* An entry carries facts only, so that judging again needs no content to be opened.
* A reference record is known to the gateway and never a document of the provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.periods import COVERING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from kanta_gateway.model import Finding
    from kanta_gateway.recordtypes import RecordType


def units(provider: Mapping[str, Any], own: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The provider's units: those that it lists, then those that came as records of their own.

    One without OID or name is none: a document could not tell it. One without OID has that of the listed unit of its
    name.

    Args:
        provider: content or facts of the provider record.
        own: of the unit records; what one of them says of a listed unit goes first.
    """
    listed: Sequence[Mapping[str, Any]] = provider.get("units") or ()
    by_name = {one["name"]: one for one in listed if one.get("name")}
    every = (*listed, *({**by_name.get(one.get("name", ""), {}), **one} for one in own))
    return tuple({one["oid"]: one for one in every if one.get("oid") and one.get("name")}.values())


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivered record as rules see it."""

    kind: RecordType
    id: str
    version: int
    is_cancelled: bool
    facts: Mapping[str, Any]
    """What `contracts.facts.facts` kept of it."""
    row: int
    """Names the entry in a judgement; any number that no other entry of the case has."""
    received: int = 0
    """Order of arrival: decides only which state of a reference record is the newest."""
    reading: tuple[Finding, ...] = ()
    """What was found before the contract was asked (GEN-05, SRC-…): counts in the outcome."""
    is_elsewhere: bool = False
    """Delivered for another client: takes part in the record's chain here, and is judged there."""
    received_on: date | None = None
    """Day of the import: a later date is in the future. None: the as-of date of the judgement."""

    @property
    def type(self) -> str:
        """Name of the record type."""
        return self.kind.name

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the record over its versions."""
        return (self.type, self.id)

    @property
    def day(self) -> str:
        """The date of the record (ISO 8601), empty if it has none."""
        return str(self.facts.get(self.kind.day) or "")

    @property
    def last_day(self) -> str:
        """The last day of what happened on several (`ends_on`), else the same day."""
        return max(self.day, str(self.facts.get("ends_on") or "")) if self.kind.way == COVERING else self.day


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known about one client at one moment."""

    entries: Sequence[Entry]
    """The client's own records, in any order: client, decisions, plans, diary, absences …"""
    shared: Sequence[Entry] = ()
    """Staff and provider records."""
    is_contract_known: bool = True
    """Whether purchaser and contract number of the delivery are known."""
    client_id: str = ""
    """Which client record tells of the person, where there are several; empty for the only one."""
    delivery_has_staff: bool = True
    """Whether the deliveries bring a staff list at all (GEN-04)."""
