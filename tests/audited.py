"""An installation with a history that auditors can ask about: deliveries, disclosures, reads, a leaver, an incident."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults_world import World
from tests.installations import sample

from kanta_gateway.access.statements import read
from kanta_gateway.errors import NotPermittedError
from kanta_gateway.gateway import Gateway
from kanta_gateway.model import Caller, Oid
from kanta_gateway.spool import records
from kanta_gateway.web import service_of

PROVIDER, ORGANISER = "1.2.246.10.94005128.10.0", "1.2.246.10.94006007.10.0"
NUMBER = "NAYTE/1/2025"
CLIENT = sample()["asiakkaat"][0]["asiakasnumero"]
STAYS, LEAVES, SAME_NAME = "T-1", "T-2", "T-3"
NAMES = {STAYS: "Erkki Esimerkki", LEAVES: "Leena Lahtinen", SAME_NAME: "Raija Rautiola"}
PURPOSES = {"auditor": "audit", "log-supervisor": "log-supervision"}
DAYS_AGO = 10
"""How long before the end was stated the leaver's last day was."""


def worker(person: str, role: str = "provider-system") -> Caller:
    """A worker of the provider, over its system."""
    return Caller("own system", Oid(PROVIDER), person, NAMES[person], role, "delivery", NUMBER)


def auditor(role: str = "auditor") -> Caller:
    """Somebody from outside, or the organiser's supervisor of logs."""
    purpose = PURPOSES[role]
    return Caller("audit desk", Oid(ORGANISER), "AUD-1", "Tarja Tarkastaja", role, purpose, NUMBER)


def user(person: str, **more: str) -> dict[str, Any]:
    """A statement about a user."""
    return {
        "kind": "person", "person_id": person, "name": NAMES[person], "organisation": PROVIDER,
        "role": "provider-system", "from": "2025-01-01", **more,
    }  # fmt: skip


class Audited:
    """The installation and what happened in it."""

    def __init__(self, folder: Path, *, is_delivered: bool = True) -> None:
        self.world = World(folder)
        self.gateway: Gateway = self.world.gateway
        self.me = self.world.caller
        self.gateway.registration.register_party(PROVIDER, "Paja ry", ORGANISER, "Alue", NUMBER, "lapha")
        self.world.import_(sample())
        if is_delivered:
            self.world.deliver()
        self.state(*(user(one) for one in NAMES))
        self.tickets = self._tickets()
        self.reads()
        self.incident_id = ""

    def _tickets(self) -> list[str]:
        """Tickets of the client's diary."""
        ref = self.gateway.parts.keyring.client(PROVIDER, CLIENT)
        with self.gateway.parts.database.reading() as tx:
            return [one.ticket for one in records.of_client(tx, PROVIDER, ref) if one.type == "diary_entry"]

    def state(self, *stated: dict[str, Any]) -> None:
        """Some statements about parties."""
        self.gateway.party_book.state(read(list(stated)), self.me)

    def look(self, person: str, count: int = 1) -> None:
        """A worker looks at some of the client's records."""
        service = service_of(self.gateway)
        for one in self.tickets[:count]:
            service.ticket(one, worker(person), "en")

    def reads(self) -> None:
        """Three workers read; one of them had left before, which was stated afterwards."""
        self.look(STAYS, 3)
        self.look(LEAVES, 2)
        self.look(SAME_NAME)
        self.last_day = (self.gateway.office.today - timedelta(days=DAYS_AGO)).isoformat()
        self.state(user(LEAVES, to=self.last_day))
        with suppress(NotPermittedError):
            self.look(LEAVES)

    def ask(self, question: str, form: str = "jsonl", caller: Caller | None = None, **given: str) -> str:
        """The answer to a question."""
        told = {name.rstrip("_"): value for name, value in given.items()}
        return "".join(self.gateway.auditors.answers.ask(caller or self.me, question, told, form, "en"))

    def incident(self, hours: float = 30) -> str:
        """A significant incident, of which somebody was told in time."""
        cases, now = self.gateway.auditors.cases, self.gateway.parts.now()
        found: str = cases.open_incident(self.me, "nis2-significant", now - timedelta(hours=hours), note="Levyrikko.")[
            "id"
        ]
        cases.told(self.me, found, "first", now - timedelta(hours=hours - 20))
        return found

    def review(self, last: date | None = None) -> dict[str, Any]:
        """Look through the log, today's entries too."""
        return self.gateway.auditors.cases.review(self.me, last=last or self.gateway.office.today)

    def later(self, **time: float) -> datetime:
        """Let some time go by; the moment then."""
        self.world.ahead += timedelta(**time)
        return datetime.now(UTC) + self.world.ahead

    def close(self) -> None:
        """Give everything back."""
        self.gateway.close()
