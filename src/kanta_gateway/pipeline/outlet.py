"""Every disclosure on its way into the log: queued as a notice to the national log register, or known not to be.

* Which are told is `mappings/disclosures.yaml`; what was decided stands in the entry, so that it holds later too.
* Notice and entry are one transaction: neither is there without the other.
* Another attempt at the same sending belongs to the same notice.
* What may have left counts as disclosed, whether it arrived or not: too much is told rather than too little.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.model import instant
from kanta_gateway.privacy.envelope import seal
from kanta_gateway.spool import disclosures

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.audit.entry import AuditEvent
    from kanta_gateway.privacy.envelope import Vault
    from kanta_gateway.transfer.reports import Reports

CONTEXT = b"disclosure"
REPORT, OWN_LOG = "report", "own_log"
"""Details of an entry: id of the notice, or the row for which it stands in our own log only."""


class ReportOutlet:
    """Queues notices.

    Args:
        reports: which disclosures are told.
        vault: makes the keys that seal what a notice tells.
    """

    def __init__(self, reports: Reports, vault: Vault) -> None:
        self._reports = reports
        self._vault = vault

    def take(self, tx: Connection, event: AuditEvent) -> Mapping[str, Any]:
        """Queue the notice of a disclosure, if it is one that is told."""
        kind = event.event.value
        # a recipient of the controller's own is written with the controller's OID behind its kind
        row = self._reports.decide(kind, to_controller=event.controller in event.recipient.split())
        if not row.is_reported:
            return {OWN_LOG: row.id}
        again = event.details.get("attempt", 1) > 1
        if again and (known := disclosures.known(tx, kind, event.subject, event.recipient)) is not None:
            return {REPORT: known}
        id_, key = str(uuid.uuid4()), self._vault.new_key()
        told = {
            "at": instant(event.at), "purpose": event.purpose,
            "basis": "; ".join(one for one in (event.basis, event.permit, event.consent) if one),
            "person_id": event.caller.person_id, "person_name": event.caller.person_name, "role": event.caller.role,
            "description": " ".join(str(event.details[one]) for one in ("type", "structure") if one in event.details)
            or kind,
        }  # fmt: skip
        disclosures.add(tx, {
            "id": id_, "event": kind, "subject": event.subject, "recipient": event.recipient,
            "client_ref": event.client_ref, "provider": event.provider, "controller": event.controller,
            "told": seal(key.key, orjson.dumps(told), CONTEXT),
        }, key.id, event.at)  # fmt: skip
        return {REPORT: id_}
