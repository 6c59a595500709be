"""Registering a contract or a calling system, and revoking one, is an act of somebody: each has its entry."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from tests.installations import installation
from tests.logs import opened

from kanta_gateway.access.terms import Span
from kanta_gateway.signing.keys import make_development_keys

PROVIDER, ORGANISER = "1.2.246.10.94005128.10.0", "1.2.246.10.94006007.10.0"
SPAN = Span(date(2026, 1, 1), date(2026, 6, 30))


def test_each_act_has_its_entry(tmp_path: Path) -> None:
    """One entry for each contract, one for the system, one for its end, with whoever did it; a repeat has none.

    A contract that holds from a day to a day tells its days; log and tables match.
    """
    gateway = installation(tmp_path)
    caller = gateway.actor("4711", "Erkki Esimerkki", "onboarding")
    made = make_development_keys("test system", "", "calling system", datetime.now(UTC), algorithm="p-256")
    certificate = made.certificate.decode()
    gateway.registration.register_party(PROVIDER, "Paja", ORGANISER, "Alue", "NAYTE/1", "lapha", caller)
    thumbprint = gateway.registration.register_system(certificate, PROVIDER, "records", caller)["thumbprint"]
    gateway.registration.register_system(certificate, PROVIDER, "records", caller)
    gateway.registration.revoke_system(thumbprint, caller)
    gateway.registration.revoke_system(thumbprint, caller)
    gateway.registration.register_party(PROVIDER, "Paja", ORGANISER, "Alue", "NAYTE/2", "lapha", caller, SPAN)
    bodies = opened(gateway)
    with gateway.parts.database.reading() as tx:
        names = {gateway.parts.log.names.read(tx, one["actor"]["name"])["name"] for one in bodies}

    assert {"Erkki Esimerkki"} == names
    assert [
        ("NAYTE/1", {"act": "register-contract", "provider": PROVIDER, "organiser": ORGANISER, "purchaser": "lapha"}),
        (thumbprint, {"act": "register-system", "organisation": PROVIDER}),
        (thumbprint, {"act": "revoke-system"}),
        ("NAYTE/2", {"act": "register-contract", "provider": PROVIDER, "organiser": ORGANISER, "purchaser": "lapha",
                     "from": "2026-01-01", "to": "2026-06-30"}),
    ] == [(one["subject"], one["details"]) for one in bodies]  # fmt: skip
    assert {"party:register"} == {one["event"] for one in bodies}
    assert gateway.trail.verify(reconcile=True)["holds"]
    gateway.close()
