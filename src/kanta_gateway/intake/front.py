"""Whose a delivery is: what its header parts say, and the contract that it falls under.

* A file is read once for this before anything is stored, so that the order of its parts does not matter.
* Outside production a first delivery registers the parties that it names, or the contract file's stand-ins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, BinaryIO

from kanta_gateway.access.parties import Agreement, agreements, register
from kanta_gateway.errors import NotPermittedError, UnreadableError
from kanta_gateway.intake.kinds import Header, Problem
from kanta_gateway.intake.readers import Item, read
from kanta_gateway.model import Caller, Finding, Oid, Organisation, Record, Severity

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.intake.sources import Source
    from kanta_gateway.pipeline.parts import Parts

MAX_TOLD = 1000
"""Findings that are told of a delivery of which nothing is taken."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that can be opened more than once."""

    name: str
    open: Callable[[], BinaryIO]


@dataclass(slots=True)
class Unread:
    """What of a delivery cannot be read."""

    count: int = 0
    findings: list[Finding] = field(default_factory=list)
    """The first of them."""

    def take(self, item: Item) -> None:
        """Count what of a record or beside it cannot be read."""
        found = item.findings if isinstance(item, Record) else [item.finding] if isinstance(item, Problem) else ()
        told = [one for one in found if one.severity >= Severity.REFUSE]
        self.count += bool(told)
        self.findings += told[: MAX_TOLD - len(self.findings)]


@dataclass(frozen=True, slots=True)
class Front:
    """What the header parts of a delivery say."""

    header: Header | None
    provider: Record | None
    purchaser: Record | None
    newest: date | None = None
    """Newest day of recording or sending, where the header tells none."""
    unread: Unread = field(default_factory=Unread)


def items(files: Sequence[File], source: Source) -> Iterator[Item]:
    """Everything that the files of a delivery hold, file by file."""
    for file in files:
        with file.open() as stream:
            yield from read(source, stream, file.name)


def front_of(files: Sequence[File], source: Source, *, is_whole: bool) -> Front:
    """Header, provider and purchaser of a delivery.

    Of JSON Lines reading stops as soon as all three are known, unless the delivery is taken as a whole: a bad line
    is a finding of its own. One JSON document is read to its end, so that nothing of an unreadable one is stored.
    """
    header: Header | None = None
    found: dict[str, Record] = {}
    newest, unread = "", Unread()
    for item in items(files, source):
        if isinstance(item, Header):
            header = item
        elif isinstance(item, Record):
            if item.type in {"provider", "purchaser"}:
                found.setdefault(item.type, item)
            newest = max(newest, *(str(item.content.get(name, ""))[:10] for name in source.as_of), "")
        unread.take(item)
        if header is not None and len(found) == 2 and source.format == "json-lines" and not is_whole:
            break
    day = date.fromisoformat(newest) if newest else None
    return Front(header, found.get("provider"), found.get("purchaser"), day, unread)


def party(
    parts: Parts, tx: Connection, front: Front, purchaser: str, caller: Caller
) -> tuple[Agreement, bool, tuple[Finding, ...]]:
    """The contract that the delivery falls under, whether it is the one it names, and what to tell.

    Raises:
        UnreadableError: the delivery does not say whose it is, and nothing registered tells.
        NotPermittedError: the provider has no registered contract and may not bring its own.
    """
    provider = str(front.provider.content["oid"]) if front.provider else ""
    have = [one for one in agreements(tx, provider or caller.organisation or None) if one.purchaser == purchaser]
    if not provider and not have and not caller.organisation:  # a local command, acting for all
        have = [one for one in agreements(tx) if one.purchaser == purchaser]
    if not have and not (front.provider and front.purchaser) and (own := _development(parts, purchaser, caller)):
        register(tx, own, parts.now())
        told = Finding("SRC-PARTY", Severity.INFO, "parties-of-development", "", {"contract": own.number})
        return own, True, (told,)
    if len({one.provider.oid for one in have}) > 1 or not (have or (front.provider and front.purchaser)):
        finding = Finding("SRC-PARTY", Severity.REFUSE, "delivery-without-party", "", {"purchaser": purchaser})
        raise UnreadableError("the delivery does not tell whose it is", findings=(finding,))
    named = str(front.purchaser.content["contract_number"]) if front.purchaser else ""
    if have:
        same = next((one for one in have if one.number == named), None)
        return same or have[0], same is not None or not named, ()
    assert front.provider is not None  # noqa: S101 — narrowed above
    assert front.purchaser is not None  # noqa: S101
    if parts.is_production:
        raise NotPermittedError("the provider has no registered contract; register it before anything is delivered")
    agreement = Agreement(
        Organisation(Oid(provider), str(front.provider.content["name"])),
        Organisation(Oid(str(front.purchaser.content["oid"])), str(front.purchaser.content["name"])),
        named, purchaser,
    )  # fmt: skip
    register(tx, agreement, parts.now())
    finding = Finding("SRC-PARTY", Severity.INFO, "party-taken-from-delivery", "", {"contract": named})
    return agreement, True, (finding,)


def _development(parts: Parts, purchaser: str, caller: Caller) -> Agreement | None:
    """The contract file's stand-in parties; none in production."""
    parties = parts.contracts[purchaser].development_parties
    if parties is None or parts.is_production or caller.organisation not in {"", parties.provider["oid"]}:
        return None
    return Agreement(
        Organisation(Oid(parties.provider["oid"]), parties.provider["name"]),
        Organisation(Oid(parties.organiser["oid"]), parties.organiser["name"]),
        parties.number, purchaser,
    )  # fmt: skip
