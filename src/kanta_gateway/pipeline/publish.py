"""From drafts to sealed spool items: document ids, header, signature, encryption at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kanta_gateway.model import Event, Header, Oid
from kanta_gateway.pipeline.compose import UNDER_TURVAKIELTO, Draft, snapshot
from kanta_gateway.pipeline.parts import Parts, document_node
from kanta_gateway.privacy.envelope import seal
from kanta_gateway.privacy.identity import identity_code
from kanta_gateway.spool.store import NewDocument

if TYPE_CHECKING:
    from kanta_gateway.access.parties import Agreement
    from kanta_gateway.pipeline.casefile import CaseFile
    from kanta_gateway.pipeline.plan import Plan, Wanted

HELSINKI = ZoneInfo("Europe/Helsinki")
MADE_FIELDS = ("recorded_at", "made_on", "signed_on", "date")
"""Fields of a record that tell when its author made it, in this order."""


@dataclass(frozen=True, slots=True)
class Made:
    """A signed and sealed document, and what the audit entries tell about it."""

    new: NewDocument
    told: Mapping[Event, Mapping[str, Any]]


class Publisher:
    """Signs and seals the drafts of a plan."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def publish(
        self, plan: Plan, drafts: Mapping[int, Sequence[Draft]], agreement: Agreement, case: CaseFile
    ) -> list[Made]:
        """Give every wanted document an id and a signature; signing runs on all cores.

        Raises:
            UntrustedError: the independent verifier does not accept what was signed.
        """
        pairs = [
            (wanted, next(draft for draft in drafts[wanted.record.row] if draft.variant.name == wanted.variant))
            for wanted in plan.make
            if wanted.record.row in drafts
        ]
        if not pairs:
            return []
        year = self._parts.now().year
        oids = self._parts.oids.take(self._parts.database, document_node(agreement.provider.oid), year, len(pairs))
        jobs = [(wanted, draft, oid) for (wanted, draft), oid in zip(pairs, oids, strict=True)]
        if len(jobs) == 1:  # handing one document to another thread costs more than it gains
            return [self._one(jobs[0], agreement, case)]
        return list(self._parts.executor.map(lambda job: self._one(job, agreement, case), jobs))

    def _one(self, job: tuple[Wanted, Draft, Oid], agreement: Agreement, case: CaseFile) -> Made:
        wanted, draft, oid = job
        parts, now = self._parts, self._parts.now()
        header = self._header(wanted, draft, oid, now)
        signed = parts.sealer.seal(draft.tree, header, draft.json, now)
        key = parts.vault.new_key()
        new = NewDocument(
            oid=oid, set_oid=header.set_oid, version_number=header.version_number, replaces=header.replaces,
            record_row=wanted.record.row, part=wanted.variant, structure=draft.tree.structure,
            client_ref=wanted.record.client_ref or case.client_ref, provider=agreement.provider.oid,
            organiser=agreement.organiser.oid,
            payload=seal(key.key, signed.xml, b"document"), key_id=key.id, digest=signed.digest,
            inputs=snapshot(draft, case.stamp, draft.whose),
        )  # fmt: skip
        # under turvakielto the unit stands in the document only (REC-08): it tells where the client goes
        unit = [] if draft.guard.startswith(UNDER_TURVAKIELTO) else [header.unit.oid]
        chain = [*unit, *(one.oid for one in header.producers), header.organiser.oid]
        return Made(new, {
            Event.DOCUMENT_MAP: {"record": wanted.record.ticket, "structure": draft.tree.structure,
                                 "producers": chain},
            Event.DOCUMENT_SIGN: {"sha256": signed.digest, "algorithm": parts.sealer.algorithm},
            Event.DOCUMENT_SPOOL: {"set": header.set_oid, "version": header.version_number},
        })  # fmt: skip

    def _header(self, wanted: Wanted, draft: Draft, oid: Oid, now: datetime) -> Header:
        parts, values = self._parts, draft.source.values
        structure = parts.structures.get(draft.tree.structure)
        return parts.profile.header(
            structure=structure, source=values, oid=oid, set_oid=wanted.set_oid or oid,
            version_number=wanted.version_number, replaces=wanted.replaces,
            made_at=made_at(values["record"], now), created_at=now, language=parts.language,
            identity=identity_code(str(values["client"].get("identity_code", ""))), software=parts.software,
            coding=partial(parts.codes.coding, day=values["day"]),
        )  # fmt: skip


def made_at(record: Mapping[str, Any], now: datetime) -> datetime:
    """When the author made the record; a record that tells only a day is dated to its beginning in Helsinki."""
    for field in MADE_FIELDS:
        if text := record.get(field):
            moment = datetime.fromisoformat(str(text))
            return moment if moment.tzinfo else moment.replace(tzinfo=HELSINKI)
    return now
