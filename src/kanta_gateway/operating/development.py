"""Stand-ins for the acting person and the calling system, outside production only."""

from __future__ import annotations

from kanta_gateway import keyfiles
from kanta_gateway.access import parties
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.operating.registration import Registration
from kanta_gateway.pipeline.entrance import AUDIENCE
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.safe import KeyFolder

SYSTEM = "development-system"
"""Name of the stand-in for a calling system."""
PERSON = {
    "person_id": "development-person", "name": "Development Person", "role": "operator", "purpose": "development",
}  # fmt: skip
"""Stands in for the acting person; marked as such in every entry."""


class Development:
    """A calling system that the gateway signs for by itself, to try the API with."""

    def __init__(self, parts: Parts, folder: KeyFolder, registration: Registration) -> None:
        self._parts = parts
        self._folder = folder
        self._registration = registration

    def assertion(self, person: str | None, name: str | None, purpose: str | None, role: str, contract: str) -> str:
        """A short-lived assertion of the development system, registering it on first use.

        Raises:
            MisconfiguredError: this is production, or no party is registered.
        """
        if self._parts.is_production:
            raise MisconfiguredError("production has no development system; sign assertions with the system's own key")
        with self._parts.database.reading() as tx:
            known = parties.agreements(tx)
        if not known:
            raise MisconfiguredError("nothing is registered yet; import a delivery first, or register a party")
        key, certificate = keyfiles.development_system(self._folder)
        self._registration.register_system(certificate.decode(), known[0].provider.oid, SYSTEM)
        return keyfiles.assertion_of(
            key, certificate, system=SYSTEM, organisation=known[0].provider.oid,
            person_id=person or PERSON["person_id"], person_name=name or PERSON["name"], role=role,
            purpose=purpose or "service-delivery", contract=contract or known[0].number, audience=AUDIENCE,
            now=self._parts.now(),
        )  # fmt: skip
