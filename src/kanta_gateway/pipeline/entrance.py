"""Who calls: the assertion is checked, used once, and what is authentic and yet refused is written down.

* What nobody signed is refused and counted: one entry a minute for each reason, since there is nobody to tell about.
* A revoked system, and an assertion that comes again, are entries: somebody has a key, or has overheard a call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cryptography.x509 import Certificate

from kanta_gateway.access import once, parties
from kanta_gateway.access.identity import Registration, Verified, verify
from kanta_gateway.errors import NotAuthenticatedError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.strangers import Strangers

Trouble = Callable[[Certificate, datetime], str]
"""Why a certificate does not hold by its issuer's revocation list; empty if nothing speaks against it."""
AUDIENCE = "kanta-gateway"
"""`aud` of the assertions that callers sign."""
REPLAYED = "it was used before; sign a new one for each call"


class Entrance:
    """Identifies callers.

    Args:
        parts: the built gateway.
        office: writes denials down.
        audience: what assertions must be for.
        trouble: asks the revocation lists.
    """

    def __init__(self, parts: Parts, office: Office, audience: str, trouble: Trouble) -> None:
        self._parts = parts
        self._office = office
        self._audience = audience
        self._trouble = trouble
        self._strangers = Strangers(parts, office)

    def identify(self, token: str) -> Caller:
        """Who calls.

        Raises:
            NotAuthenticatedError: the assertion does not hold, was used before, or its system is revoked.
        """
        now = self._parts.now()
        try:
            found = verify(token, self._registration, now, self._audience, self._trouble)
        except NotAuthenticatedError as error:
            self._strangers.refused(str(error))
            raise
        with self._parts.database.transaction() as tx:
            is_new = once.use(tx, found.mark, found.expires, now)
            is_told = is_new or not once.tell(tx, found.mark)
        why = found.refused if is_new else REPLAYED
        if not why:
            return found.caller
        if found.refused or not is_told:
            self._tell(found, why)
        raise NotAuthenticatedError(f"the assertion was refused: {why}")

    def nobody(self) -> NotAuthenticatedError:
        """The refusal of a call without an assertion."""
        error = NotAuthenticatedError("the call carries no assertion; send `Authorization: Bearer <JWT>`")
        self._strangers.refused(str(error))
        return error

    def _tell(self, found: Verified, why: str) -> None:
        self._office.deny(found.caller, Event.REQUEST_DENY, found.caller.organisation, (f"assertion: {why}",))

    def _registration(self, thumbprint: str) -> Registration | None:
        with self._parts.database.reading() as tx:
            known = parties.system(tx, thumbprint)
        if known is None:
            return None
        return Registration(
            certificate_pem=known.certificate, organisation=known.organisation, name=known.name,
            is_revoked=known.is_revoked,
        )  # fmt: skip
