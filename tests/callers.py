"""Calling systems of any role, and the HTTP face in this process: for tests of who sees what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificate

from kanta_gateway.access.identity import assertion
from kanta_gateway.gateway import Gateway
from kanta_gateway.signing.keys import make_development_keys
from kanta_gateway.web import application


@cache
def _key(organisation: str) -> tuple[ec.EllipticCurvePrivateKey, Certificate, str]:
    """One key for each organisation: making them takes time."""
    made = make_development_keys(f"test {organisation}", "", "calling system", datetime.now(UTC), algorithm="p-256")
    key = load_pem_private_key(made.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, load_pem_x509_certificate(made.certificate), made.certificate.decode()


@dataclass(frozen=True)
class Who:
    """Somebody who calls."""

    role: str
    organisation: str
    purpose: str
    contract: str = ""
    relation: str = ""


@dataclass
class Http:
    """The web application of one installation, called without a network."""

    gateway: Gateway
    _known: set[str] = field(default_factory=set)
    _app: Any = None

    def call(self, method: str, path: str, who: Who | None, **rest: Any) -> httpx.Response:
        """One call with a fresh assertion; without one for nobody."""
        self._app = self._app or application(self.gateway)
        headers = {"Accept-Language": "en"}
        if who is not None:
            headers["Authorization"] = f"Bearer {self._token(who)}"
        return asyncio.run(self._call(method, path, headers, rest))

    async def _call(self, method: str, path: str, headers: dict[str, str], rest: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.request(method, path, headers=headers, **rest)

    def _token(self, who: Who) -> str:
        key, certificate, text = _key(who.organisation)
        if who.organisation not in self._known:
            self.gateway.registration.register_system(text, who.organisation, "test")
            self._known.add(who.organisation)
        return assertion(
            key, certificate, system="test", organisation=who.organisation, person_id="T-1",
            person_name="Erkki Esimerkki", role=who.role, purpose=who.purpose, contract=who.contract,
            relation=who.relation, audience="kanta-gateway", now=datetime.now(UTC),
        )  # fmt: skip
