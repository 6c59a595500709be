"""Two controllers in one process: who asks across registers, and what is stated of the clients."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from tests import chains
from tests.chains import ORGANISER, STAFF, Cast
from tests.faults_world import World
from tests.installations import installation
from tests.small_export import PROVIDER

from kanta_gateway.access.identity import assertion
from kanta_gateway.access.statements import read
from kanta_gateway.signing.keys import make_development_keys
from kanta_gateway.web import application

OTHER = "1.2.246.10.94007002.10.0"
"""Another county: an authority of social care."""
PRIVATE = "1.2.246.10.94007005.10.0"
CLINIC = "1.2.246.10.94007009.10.0"
NUMBER = f"NAYTE/lapha/{PROVIDER[-6:]}"
BESIDE = {"viaKanta": False, "reasonCode": "kanta-not-in-use"}
"""Not through Kanta, and why."""
REASON = "Asiakas löydettiin kadulta ilman lääkkeitä ja turvallista asuntoa."
BREAKING = {"item": "evident-need", "reason": REASON, "warned": True, "necessity": "indispensable"}


class Crossing:
    """An installation with a register, and systems of organisations that ask for its data."""

    def __init__(self, folder: Path, enabled: str = "[D3, D4, D5]") -> None:
        (folder / "data" / "policy").mkdir(parents=True)
        (folder / "data" / "policy" / "rows.yaml").write_text(f"enabled: {enabled}\n", "utf-8")
        self.world = World(folder)
        self.gateway = self.world.gateway
        chains.register(self.world)
        self.state(
            *({"kind": "organisation", "oid": oid, "name": name, "role": role, "sector": sector}
              for oid, name, role, sector in ((OTHER, "Toinen alue", "controller", "social"),
                                              (PRIVATE, "Yksityinen Oy", "processor", "social"),
                                              (CLINIC, "Klinikka", "controller", "health")))
        )  # fmt: skip
        self.app = application(self.gateway)
        self._tellers: set[str] = set()
        self._numbers = itertools.count(1)

    def begin_again(self) -> None:
        """Start as a new process does, once the old one has stopped."""
        self.world.gateway = self.gateway = installation(self.gateway.settings.data)
        self.app = application(self.gateway)

    def state(self, *stated: dict[str, Any]) -> None:
        """Some statements about parties."""
        self.gateway.party_book.state(read(list(stated)), self.world.caller)

    def client(self, *wills: Mapping[str, Any], serves: str = OTHER) -> tuple[Cast, str]:
        """A client with one document and some statements of will; whom OTHER serves too.

        Returns:
            The client, and the OID of the document.
        """
        cast = Cast(next(self._numbers))
        told = chains.deliver(self.world, [
            STAFF, cast.client("A"), cast.decision("A"), cast.entry("A"), *(self.will(cast, **one) for one in wills),
        ])  # fmt: skip
        if serves:
            self.state({"kind": "relationship", "provider": serves, "of": PROVIDER, "client": cast.name("A")})
        return cast, next(one["documents"][0]["oid"] for one in told if one["documents"])

    def will(self, cast: Cast, **stated: Any) -> dict[str, Any]:
        """One statement of will of a client."""
        kind = stated["type"]
        day = {"prohibition": "set_on"}.get(kind, "given_on")
        return {"id": f"{kind}-{cast.number}", "client": cast.name("A"), day: "2025-09-01", "recorder": "T-1", **stated}

    def tell(self, cast: Cast, **stated: Any) -> None:
        """Deliver one statement of will."""
        chains.deliver(self.world, [self.will(cast, **stated)])

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, organisation: str = OTHER,
        role: str = "receiving-official", purpose: str = "service-arranging", person: str = "V-1", **params: str,
    ) -> httpx.Response:  # fmt: skip
        """One call of a system, without a network."""
        token = self._token(organisation, role, purpose, person)

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://x") as one:
                return await one.request(
                    method, path, params=params, content=None if body is None else orjson.dumps(body),
                    headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"},
                )  # fmt: skip

        return asyncio.run(ask())

    def disclose(self, oid: str, body: Mapping[str, Any], **who: str) -> httpx.Response:
        """Ask for one document."""
        return self.call("POST", f"/v1/documents/{oid}:disclose", body, **who)

    def _token(self, organisation: str, role: str, purpose: str, person: str) -> str:
        key, certificate = _system(organisation)
        if organisation not in self._tellers:
            self.gateway.registration.register_system(certificate, organisation, f"system {organisation[-6:]}")
            self._tellers.add(organisation)
        return assertion(
            key, load_pem_x509_certificate(certificate.encode()), system="test system", organisation=organisation,
            person_id=person, person_name=f"Henkilö {person}", role=role, purpose=purpose,
            audience="kanta-gateway", now=self.gateway.parts.now(), contract=NUMBER,
        )  # fmt: skip

    def entries(self, event: str) -> list[dict[str, Any]]:
        """Entries of the log of one event, oldest first."""
        found = self.gateway.office.entries(self.world.caller, None, -1, 100_000)["entries"]
        return [one for one in found if one["event"] == event]


@cache
def _system(organisation: str) -> tuple[ec.EllipticCurvePrivateKey, str]:
    made = make_development_keys(
        organisation, "", "calling system", datetime(2026, 1, 1, tzinfo=UTC), algorithm="p-256"
    )
    key = load_pem_private_key(made.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, made.certificate.decode()


def kinds(answer: httpx.Response) -> set[tuple[str, str]]:
    """(row, fact) of every condition that failed."""
    found = set()
    for one in answer.json().get("findings", ()):
        if one["kind"] == "policy-condition":
            found.add((one["rule"], one["message"].partition("condition ")[2].partition(" ")[0]))
    return found


__all__ = ["BESIDE", "BREAKING", "CLINIC", "ORGANISER", "OTHER", "PRIVATE", "PROVIDER", "Crossing", "kinds"]
