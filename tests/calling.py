"""Calling systems in tests: registered ones with their keys, and calls of the API without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from kanta_gateway.access.identity import assertion, thumbprint
from kanta_gateway.gateway import Gateway
from kanta_gateway.pipeline.entrance import AUDIENCE
from kanta_gateway.signing.keys import make_development_keys
from kanta_gateway.web import application


class Fresh(httpx.Auth):
    """A new assertion for each call, since none is taken twice."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Sign one call."""
        request.headers["Authorization"] = f"Bearer {self._make()}"
        yield request


class System:
    """A calling system with its key, and the person that uses it."""

    def __init__(self, organisation: str, role: str, **claims: str) -> None:
        made = make_development_keys("test system", "", "calling system", datetime.now(UTC), algorithm="p-256")
        key = load_pem_private_key(made.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key
        self.pem = made.certificate.decode()
        self.certificate = load_pem_x509_certificate(made.certificate)
        self.organisation, self.role = organisation, role
        self.claims = {"person_id": "T-1", "person_name": "Erkki Esimerkki", "purpose": "delivery", **claims}

    @property
    def thumbprint(self) -> str:
        """By which it is registered."""
        return thumbprint(self.certificate)

    def token(self, now: datetime | None = None, **claims: str) -> str:
        """An assertion for one call."""
        return assertion(
            self.key, self.certificate, system="test system", **{  # type: ignore[arg-type]
                "organisation": self.organisation, "role": self.role, "audience": AUDIENCE, **self.claims, **claims,
            }, now=now or datetime.now(UTC),
        )  # fmt: skip

    def registered(self, gateway: Gateway) -> System:
        """The system, once it is registered."""
        gateway.registration.register_system(self.pem, self.organisation, f"system of {self.organisation}")
        return self


class Line:
    """Calls the API of an installation in this process."""

    def __init__(self, gateway: Gateway) -> None:
        self._app = application(gateway)

    def __call__(self, token: str, method: str, path: str, **rest: Any) -> httpx.Response:
        """One call with an assertion."""
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en", **rest.pop("headers", {})}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as one:
                return await one.request(method, path, headers=headers, **rest)

        return asyncio.run(ask())
