"""What the log tells a client: each use and disclosure in words, with names in a statutory reply only.

* The statutory reply says who used the data (703/2023 §11.1); the client's own view and copy say the organisation
  (703/2023 §74, C-579/21).
* Only entries of the one controller's register are told, and those of no register in particular.
* No unit is told: under turvakielto it could say where the client goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.access.statements import newest
from kanta_gateway.audit import report
from kanta_gateway.contracts.calendar import local_minute
from kanta_gateway.model import Oid
from kanta_gateway.notices import store as notices
from kanta_gateway.pipeline.sphere import EVERY, LOCAL, NOBODYS, UNREGISTERED
from kanta_gateway.rights import store as requests
from kanta_gateway.rights.pages import Table
from kanta_gateway.spool import records, store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts

COLUMNS = ("at", "act", "data", "who", "organisation", "recipient", "purpose", "basis")
WITHOUT_NAMES = tuple(one for one in COLUMNS if one != "who")
OF_NO_REGISTER = frozenset({EVERY, UNREGISTERED, NOBODYS})
"""What stands in the place of a controller in entries of no register in particular."""
OWN_PROCESS = "kanta-gateway "
"""How the name begins under which the gateway's own processes act."""
SYSTEM_LOG = "system"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data it is: one person in one register of one provider."""

    provider: str
    purchaser: str
    controller: str
    refs: tuple[str, ...]
    """Every client reference of the person."""


class ClientLog:
    """The entries about one person, in one language."""

    def __init__(self, parts: Parts, tx: Connection, person: Person, language: str) -> None:
        self._parts = parts
        self._tx = tx
        self._person = person
        self._language = language
        self._organisations = organisations(tx)
        self._titles = dict(titles(parts, tx, person, language))

    def rows(self, since: datetime | None, until: datetime, *, names: bool) -> list[dict[str, Any]]:
        """Uses and disclosures in the order of the log.

        Args:
            since: the first moment; None from the beginning.
            until: the moment behind the last one.
            names: whether persons are named.
        """
        log, opener = self._parts.log, self._parts.log.names if names else None
        wanted = report.Filter(since=since, until=until)
        found = [
            self._told(one, names=names)
            for ref in self._person.refs
            for one in report.rows(self._tx, log.seals, replace(wanted, client_ref=ref), opener)
            if one["log"] != SYSTEM_LOG and one["controller"] in {self._person.controller, *OF_NO_REGISTER}
        ]  # fmt: skip
        return sorted(found, key=lambda one: int(one["entry"]))

    def _told(self, one: Mapping[str, Any], *, names: bool) -> dict[str, Any]:
        words, language = self._parts.rights, self._language
        told = {
            "entry": one["idx"], "at": one["at"], "event": one["event"],
            "log": words.word("logs", one["log"], language),
            "act": words.act(one["event"], language), "subject": one["subject"], "data": self._data(one["subject"]),
            "organisation": self._organisation(one), "recipient": self._recipient(one["recipient"]),
            "purpose": self._purpose(one["purpose"]), "basis": one["basis"],
        }  # fmt: skip
        return told | ({"who": self._who(one)} if names else {})

    def _who(self, one: Mapping[str, Any]) -> str:
        words = self._parts.rights
        if one["system"] == LOCAL and one["person_name"].startswith(OWN_PROCESS):
            return words.word("other", "system", self._language)
        role = words.word("roles", one["role"], self._language)
        return f"{one['person_name'] or words.word('other', 'unknown-person', self._language)} ({role})"

    def _organisation(self, one: Mapping[str, Any]) -> str:
        oid = one["organisation"]
        return self._organisations.get(oid, oid) or self._parts.rights.word("roles", one["role"], self._language)

    def _recipient(self, told: str) -> str:
        """A recipient: a kind, perhaps with the organisation that it is of, or an organisation alone."""
        kind, _, oid = told.partition(" ")
        if oid in self._organisations:
            return f"{self._parts.rights.word('recipients', kind, self._language)} ({self._organisations[oid]})"
        return self._organisations.get(told) or self._parts.rights.word("recipients", told, self._language)

    def _purpose(self, name: str) -> str:
        known = self._parts.decider.purposes.known.get(name)
        return name if known is None else known.text[self._language]

    def _data(self, subject: str) -> str:
        return self._titles.get(subject) or self._parts.rights.word("subject_of", subject, self._language)


def organisations(tx: Connection) -> dict[str, str]:
    """Name of every registered organisation by its OID."""
    found = {one.body["oid"]: str(one.body["name"]) for one in newest(register.stated(tx, ("organisation",)))}
    for one in agreements(tx):
        found |= {own.organisation.oid: own.organisation.name for own in one.approvals}
    return found


def title_of(parts: Parts, structure: str, record_type: str, language: str) -> str:
    """What a document is called: the structure's own title, else its record's name."""
    title = parts.structures.get(Oid(structure)).title
    return title.get(language) or parts.rights.word("records", record_type, language)


def titles(parts: Parts, tx: Connection, person: Person, language: str) -> Iterator[tuple[str, str]]:
    """Ticket, OID, notice or request -> what it is called."""
    rows = records.of_file(tx, person.provider, person.purchaser, person.refs)
    types = {one.row: one.type for one in rows}
    yield from ((one.ticket, parts.rights.word("records", one.type, language)) for one in rows)
    for ref in person.refs:
        for one in store.of_client(tx, ref):
            yield one.oid, title_of(parts, one.structure, types.get(one.record_row, ""), language)
        for known in notices.of_subject(tx, person.provider, ref):
            kind = parts.notices.types.get(known.type)
            yield known.id, kind.title[language] if kind is not None else known.type
    for asked in requests.of_client(tx, person.provider, person.purchaser, person.refs):
        named = parts.rights.kinds.get(asked.kind)
        yield asked.id, named.title[language] if named is not None else asked.kind


def table(parts: Parts, rows: Iterable[Mapping[str, Any]], language: str, columns: Sequence[str]) -> Table:
    """Entries as a table for a person; what would read the same within a minute stands once, with its number."""
    word = parts.rights.word
    counted: dict[tuple[str, ...], int] = {}
    for one in rows:
        cells = tuple(shown_moment(one["at"]) if name == "at" else str(one[name]) for name in columns)
        counted[cells] = counted.get(cells, 0) + 1
    place = columns.index("act")
    times = word("columns", "times", language)
    made = [
        [f"{cell} ({count} {times})" if count > 1 and index == place else cell for index, cell in enumerate(cells)]
        for cells, count in counted.items()
    ]
    return Table(word("other", "rows", language), [word("columns", name, language) for name in columns], made)


def shown_moment(moment: str) -> str:
    """A moment as a person reads it: day and time of Helsinki."""
    local = local_minute(moment)
    return f"{shown_day(local)} {local[11:]}" if local else ""


def shown_day(day: str) -> str:
    """A day as a person reads it; what is no day stays."""
    if len(day) < len("2026-01-01"):
        return day
    return f"{int(day[8:10])}.{int(day[5:7])}.{day[:4]}"
