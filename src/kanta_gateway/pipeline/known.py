"""What is known of an entry of the log beside the log: the client's relationship, the person's standing, their names.

* A relationship is what is registered (`relationship` statements), else what delivered decisions and plans tell.
* A standing is what the register of users says of the person on the day of the entry, as it is known now: an end
  that was registered late counts from its own day.
* A family name is compared inside this process and never told; nothing is known of a client whose record is gone.
* Each answer is kept for the time of one reading.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.statements import Statement, newest
from kanta_gateway.audit import report
from kanta_gateway.errors import ConflictError, KeyUnavailableError
from kanta_gateway.pipeline.casefile import entry as facts_of
from kanta_gateway.pipeline.casefile import opened
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.spool import persons, records

if TYPE_CHECKING:
    from sqlalchemy import Connection

OPEN, ENDED, NONE = "open", "ended", "none"
KNOWN, LEFT, ROLE_ENDED, NOT_KEPT, OUTSIDER = "known", "left", "role-ended", "not-kept", "outsider"
SAME, OTHER = "same", "other"
_EVER, _NEVER = "0001-01-01", "9999-12-31"
_Span = tuple[str, str]


def entries(parts: Parts, tx: Connection, wanted: report.Filter) -> Iterator[dict[str, Any]]:
    """Entries of the log as objects, one by one."""
    for _, body in report.every(tx, parts.log.seals, wanted):
        yield orjson.loads(body)


def persons_of(parts: Parts, tx: Connection, at: datetime | None = None) -> list[Statement]:
    """What is stated about users, the newest statement of each, as it was known at a moment."""
    found = register.known(tx, lambda sealed: open_sealed(parts.keyring.parties, sealed, b"party"), at=at)
    return [one for one in newest(found) if one.kind == "person"]


def recorded_persons(parts: Parts, tx: Connection) -> list[tuple[Statement, str]]:
    """Every statement about a user with the moment at which it was made, oldest first."""
    return register.recorded(tx, "person", lambda sealed: open_sealed(parts.keyring.parties, sealed, b"party"))


class Known:
    """Answers about entries within one reading transaction."""

    def __init__(self, parts: Parts, tx: Connection) -> None:
        self._parts = parts
        self._tx = tx
        self._names: dict[str, Mapping[str, str]] = {}
        self._spans: dict[tuple[str, str], list[_Span]] = {}
        self._surnames: dict[tuple[str, str], frozenset[str]] = {}
        self._users: dict[str, list[Statement]] | None = None
        self._organisations: set[str] = set()

    def ask(self, name: str, entry: Mapping[str, Any]) -> str:
        """One fact of an entry, by its name."""
        if name == "relationship":
            return self.relationship(entry)
        if name == "standing":
            return self.standing(entry)
        if name == "family":
            return self.family(entry)
        return self.person(entry).get(name.removeprefix("person_"), "")

    def person(self, entry: Mapping[str, Any]) -> Mapping[str, str]:
        """Identifier and name of the acting person; empty once erased."""
        name = entry["actor"].get("name", "")
        if not name:
            return {}
        if name not in self._names:
            self._names[name] = self._parts.log.names.read(self._tx, name)
        return self._names[name]

    def relationship(self, entry: Mapping[str, Any]) -> str:
        """Whether the client had an open relationship with the provider on the day; empty without a client."""
        client = entry.get("client", "")
        if not client:
            return ""
        day = _day(entry)
        spans = self._of_client(entry["provider"], client)
        if any(first <= day <= last for first, last in spans):
            return OPEN
        return ENDED if any(last < day for _, last in spans) else NONE

    def standing(self, entry: Mapping[str, Any]) -> str:
        """What the register of users says of the acting person on the day."""
        actor, users = entry["actor"], self._register()
        if actor["organisation"] not in self._organisations:
            return NOT_KEPT
        day, mine = _day(entry), users.get(actor.get("ref", ""), [])
        if any(one.covers(day) and one.body["role"] == actor["role"] for one in mine):
            return KNOWN
        ended = [one for one in mine if one.valid_to is not None and one.valid_to < day]
        if any(one.covers(day) for one in mine):
            return ROLE_ENDED if any(one.body["role"] == actor["role"] for one in ended) else OUTSIDER
        return LEFT if ended else OUTSIDER

    def family(self, entry: Mapping[str, Any]) -> str:
        """Whether person and client have a family name in common; empty where one of the names is not known."""
        client = entry.get("client", "")
        words = _words(self.person(entry).get("name", ""))
        if not client or not words:
            return ""
        key = (entry["provider"], client)
        if key not in self._surnames:
            self._surnames[key] = self._surname(*key)
        return (SAME if words & self._surnames[key] else OTHER) if self._surnames[key] else ""

    def _of_client(self, provider: str, client: str) -> list[_Span]:
        if (provider, client) not in self._spans:
            self._spans[provider, client] = list(self._read_spans(provider, client))
        return self._spans[provider, client]

    def _read_spans(self, provider: str, client: str) -> Iterator[_Span]:
        registered = [one for one in agreements(self._tx, provider or None, None) if one.relationships is not None]
        for purchaser in records.purchasers(self._tx, provider, client):
            group = persons.group(self._tx, provider, purchaser, client)
            strict = [one for one in registered if one.purchaser == purchaser]
            for own in (own for one in strict for own in one.relationships or () if own.client_ref in group):
                yield own.span.first.isoformat(), own.span.last.isoformat() if own.span.last else _NEVER
            if not strict:
                yield from self._delivered(provider, purchaser, group)

    def _delivered(self, provider: str, purchaser: str, group: tuple[str, ...]) -> Iterator[_Span]:
        """Periods of decisions and plans, each in its newest version."""
        latest: dict[tuple[str, str], Any] = {}
        for row in records.of_file(self._tx, provider, purchaser, group):
            if self._parts.types[row.type].grants:
                known = latest.get((row.type, row.id))
                if known is None or (known.version, known.row) < (row.version, row.row):
                    latest[row.type, row.id] = row
        for row in latest.values():
            if not row.is_cancelled:
                facts = facts_of(self._parts, row).facts
                last = min(str(facts.get(name) or _NEVER) for name in ("ends_on", "ended_on"))
                yield str(facts.get("starts_on") or _EVER), last

    def _surname(self, provider: str, client: str) -> frozenset[str]:
        rows = [one for one in records.of_client(self._tx, provider, client) if one.type == "client"]
        if not rows:
            return frozenset()
        try:
            told = opened(self._parts, max(rows, key=lambda one: (one.version, one.row)))
        except KeyUnavailableError:
            return frozenset()
        return _words(str(told.get("surname", "")))

    def _register(self) -> Mapping[str, list[Statement]]:
        if self._users is None:
            self._users = {}
            for one in persons_of(self._parts, self._tx):
                organisation = one.body["organisation"]
                self._organisations.add(organisation)
                ref = self._parts.log.names.reference(organisation, one.body["person_id"])
                self._users.setdefault(ref, []).append(one)
        return self._users


def _day(entry: Mapping[str, Any]) -> str:
    return datetime.fromisoformat(entry["at"]).astimezone(HELSINKI).date().isoformat()


def _words(name: str) -> frozenset[str]:
    """The words of a name that can be compared: a double name is two."""
    return frozenset(one.casefold() for one in name.replace("-", " ").replace(",", " ").split() if len(one) > 2)


def check_one(having: Collection[str]) -> None:
    """Whether at most one provider has a client number, or the like.

    Args:
        having: who has it, of those that the caller knows of.

    Raises:
        ConflictError: several have it, who are named.
    """
    if len(having) > 1:
        raise ConflictError(
            "several providers or contracts have this client number, so it may be of several persons; name the one "
            f"that is meant: {', '.join(sorted(having))}"
        )


def client_refs(
    parts: Parts, tx: Connection, client: str, mine: Collection[tuple[str, str]] | None = None, provider: str = ""
) -> tuple[str, ...]:
    """Keyed references of one provider's client number, and of the person's other ones.

    Args:
        parts: the built gateway.
        tx: a reading transaction.
        client: the number.
        mine: provider and contract file of the registers that the caller answers for; None for all.
        provider: OID of the provider whose number it is; may be empty where only one has it.

    Raises:
        ConflictError: several providers have the number: it may be of several persons.
    """
    clients = {(one[0], one[2]) for one in records.subjects(tx, ["client"])
               if (mine is None or one[:2] in mine) and provider in {"", one[0]}}  # fmt: skip
    providers = sorted({owner for owner, _ in clients})
    refs = {owner: str(parts.keyring.client(owner, client)) for owner in providers}
    having = [owner for owner in providers if (owner, refs[owner]) in clients]
    check_one(having)
    found = {refs[owner]: None for owner in having}
    for _, _, link in 2 * persons.every(tx):  # the person's other client numbers, and theirs
        if not found.keys().isdisjoint({link.client_ref, link.primary_ref}):
            found |= dict.fromkeys((link.client_ref, link.primary_ref))
    return tuple(found)
