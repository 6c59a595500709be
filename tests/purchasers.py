"""An installation with two purchasers: a provider that works for both, and one that works for the second only."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests import chains
from tests.chains import STAFF, Cast
from tests.faults_world import World
from tests.small_export import PROVIDER

from kanta_gateway.access.statements import read
from kanta_gateway.errors import NotPermittedError
from kanta_gateway.model import Caller, Oid
from kanta_gateway.pipeline.proposal import Proposal
from kanta_gateway.signing.keys import make_development_keys
from kanta_gateway.web import service_of

FIRST, SECOND = "1.2.246.10.94006007.10.0", "1.2.246.10.94007005.10.0"
"""The two purchasers, each the controller of its own register."""
ONLY_SECONDS = "1.2.246.10.94005557.10.0"
"""A provider that works for the second purchaser only."""
OF_FIRST, OF_SECOND, OF_BOTH, AT_OTHER, OF_NOBODY = Cast(1), Cast(2), Cast(3), Cast(4), Cast(6)
"""Clients: of the first purchaser, of the second, of both under one number, the other provider's, and of no records."""
WORKERS = {PROVIDER: ("T-1", "Erkki Esimerkki"), ONLY_SECONDS: ("T-9", "Toini Toinen")}
"""Identifier and name of a provider's worker; somebody of a like name has left each."""
FILES = {FIRST: "lapha", SECOND: "heinola"}


def number(provider: str, purchaser: str) -> str:
    """The number of a contract."""
    return f"NAYTE/{purchaser}/{provider[-6:]}"


def contract_file(name: str) -> str:
    """Path of a contract file in a change."""
    return f"knowledge/mappings/contracts/{name}.yaml"


PURPOSES = {
    "approver": "administration", "auditor": "audit", "log-supervisor": "log-supervision",
    "provider-system": "delivery",
}  # fmt: skip


def person(role: str, organisation: str) -> Caller:
    """Somebody of an organisation, over its system."""
    return Caller("desk", Oid(organisation), f"{role}-1", "Tarja Tarkastaja", role, PURPOSES[role])


def certificate() -> str:
    """The certificate of a calling system."""
    made = make_development_keys("toinen", "", "calling system", datetime(2026, 1, 1, tzinfo=UTC), algorithm="p-256")
    return made.certificate.decode()


class Purchasers:
    """The installation, and what happens for each purchaser in it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.gateway = self.world.gateway
        chains.register(self.world, PROVIDER, FIRST, FILES[FIRST])
        chains.register(self.world, PROVIDER, SECOND, FILES[SECOND])
        chains.register(self.world, ONLY_SECONDS, SECOND, "lapha")
        self.tickets: dict[Cast, str] = {}
        self.take(OF_FIRST, PROVIDER, FILES[FIRST])
        self.take(OF_BOTH, PROVIDER, FILES[FIRST])
        self.state(*(
            {"kind": "person", "person_id": one, "name": name, "organisation": organisation, "role": "provider-system",
             "from": "2025-01-01", "to": last}
            for organisation, people in WORKERS.items() for one, name, last in (
                (people[0], people[1], None), (f"{people[0]}-left", f"{people[1]} entinen", "2025-06-30"))
        ))  # fmt: skip
        self.serve(OF_FIRST, OF_BOTH)
        self.look(OF_FIRST, PROVIDER, FILES[FIRST])
        self.world.deliver()

    def busy(self) -> None:
        """Everything that happens for the second purchaser."""
        told = [self.take(one, provider, name) for one, provider, name in (
            (OF_SECOND, PROVIDER, FILES[SECOND]), (OF_BOTH, PROVIDER, FILES[SECOND]), (AT_OTHER, ONLY_SECONDS, "lapha"),
        )]  # fmt: skip
        assert all(told)
        self.world.deliver()
        self.serve(OF_SECOND)
        self.serve(OF_BOTH, controller=SECOND)
        self.serve(AT_OTHER, provider=ONLY_SECONDS)
        self.state(
            {"kind": "relationship", "provider": PROVIDER, "client": OF_NOBODY.name("A")},
            {"kind": "relationship", "provider": ONLY_SECONDS, "of": PROVIDER, "client": OF_FIRST.name("A")},
        )
        self.propose({}, contract_file(FILES[SECOND]))
        self.look(OF_SECOND, PROVIDER, FILES[SECOND])
        self.look(AT_OTHER, ONLY_SECONDS, "lapha")
        self.gateway.registration.register_system(certificate(), ONLY_SECONDS, "toisen järjestelmä")
        cases, now = self.gateway.auditors.cases, self.gateway.parts.now()
        supervisor = person("log-supervisor", SECOND)
        cases.review(supervisor, last=self.gateway.office.today)
        cases.open_incident(supervisor, "client-safety", now - timedelta(hours=1), note="Toisen levyrikko.")

    def take(self, cast: Cast, provider: str, purchaser: str) -> list[dict[str, Any]]:
        """A client with a decision, a day and an incident."""
        incident = {
            "type": "incident", "id": f"I-{cast.number}-{purchaser}", "kind": "accident", "occurred_on": "2025-09-02",
            "occurred_at": "10:00",
        }  # fmt: skip
        told = chains.deliver(
            self.world, [STAFF, cast.client("A"), cast.decision("A"), cast.entry("A"), incident], provider,
            purchaser=purchaser,
        )  # fmt: skip
        self.tickets[cast] = next(one["ticket"] for one in told if one["type"] == "diary_entry" and one["ticket"])
        return told

    def state(self, *stated: dict[str, Any]) -> None:
        """Some statements about parties."""
        self.gateway.party_book.state(read(list(stated)), self.world.caller)

    def serve(self, *casts: Cast, provider: str = PROVIDER, controller: str = "") -> None:
        """Registered relationships of clients; the controller is named only where one is told."""
        told = {"kind": "relationship", "provider": provider, "from": "2025-01-01"}
        named = {"controller": controller} if controller else {}
        self.state(*({**told, **named, "client": one.name("A")} for one in casts))

    def propose(self, preview: dict[str, Any], *paths: str) -> int:
        """A change of some pieces, proposed by the operator; its number."""
        what = Proposal({}, dict.fromkeys(paths, b"changed"), "The purchaser's letter of 3 March", preview)
        told = self.gateway.changes.propose(self.world.caller, what, is_at_once=False, review_days=7)
        return int(told["number"])

    def look(self, cast: Cast, provider: str, purchaser: str) -> None:
        """A worker of a provider looks at a client's day and figures; one who has left tries to."""
        told = replace(person("provider-system", provider), contract=number(provider, purchaser))
        for who in (WORKERS[provider][0], f"{WORKERS[provider][0]}-left"):
            by = replace(told, person_id=who)
            with suppress(NotPermittedError):
                service_of(self.gateway).ticket(self.tickets[cast], by, "en")
            with suppress(NotPermittedError):
                self.gateway.office.figures(by, cast.name("A"), None, explain=False)

    def ref(self, cast: Cast, provider: str = PROVIDER) -> str:
        """A client's keyed reference."""
        return str(self.gateway.parts.keyring.client(provider, cast.name("A")))

    def log(self) -> list[dict[str, Any]]:
        """Every entry but those about such looks."""
        found: list[dict[str, Any]] = self.gateway.office.entries(self.world.caller, None, -1, 100_000)["entries"]
        return [one for one in found if one["subject"] != "entries"]

    def close(self) -> None:
        """Give everything back."""
        self.gateway.close()
