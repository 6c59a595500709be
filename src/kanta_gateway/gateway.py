"""One built installation: its use cases by what they are about, put together once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kanta_gateway import installed
from kanta_gateway.access.policy import Policy
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.intake.desk import Desk
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import Source
from kanta_gateway.intake.willdesk import WillDesk
from kanta_gateway.migrate import upgrade
from kanta_gateway.model import Caller, Oid
from kanta_gateway.notices.channels import Channels
from kanta_gateway.operating import development
from kanta_gateway.operating.account import account
from kanta_gateway.operating.administration import Administration
from kanta_gateway.operating.checkup import Checkup
from kanta_gateway.operating.deliveries import Deliveries
from kanta_gateway.operating.development import Development
from kanta_gateway.operating.dispatch import Dispatch
from kanta_gateway.operating.documents import Documents
from kanta_gateway.operating.overview import Overview
from kanta_gateway.operating.registration import Registration
from kanta_gateway.operating.trail import Trail
from kanta_gateway.papers.template import Templates
from kanta_gateway.pipeline.accesses import Accesses
from kanta_gateway.pipeline.arriving import Arriving
from kanta_gateway.pipeline.auditors import Auditors
from kanta_gateway.pipeline.changes import Changes
from kanta_gateway.pipeline.closing import Resolver
from kanta_gateway.pipeline.leaving import Leaving
from kanta_gateway.pipeline.noticeboard import Board
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.ownview import OwnView
from kanta_gateway.pipeline.papers import Papers
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import PartyBook
from kanta_gateway.pipeline.people import People
from kanta_gateway.pipeline.reporting import Disclosures
from kanta_gateway.pipeline.retaining import Retention
from kanta_gateway.pipeline.rights import Rights
from kanta_gateway.pipeline.shelf import FOLDER, Shelf
from kanta_gateway.safe import KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.transfer.frame import FrameProfile

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

OPERATOR = "operator"


class Gateway:
    """The use cases of one installation; a command or a route calls the group that it is about."""

    def __init__(
        self, settings: Settings, parts: Parts, folder: KeyFolder, policy: Policy, schemas: RecordSchemas,
        sources: Mapping[str, Source], anchors: Sequence[Certificate], frame: FrameProfile,
        channels: Channels, papers: Templates,
    ) -> None:  # fmt: skip
        language = settings.lang
        self.settings = settings
        self.parts = parts
        self.policy = policy
        self.schemas = schemas
        self.sources = sources
        self.acting: Caller | None = None
        """Who acts by the local command."""
        # what is done with records, documents and registers, whoever calls
        self.desk = Desk(parts, sources)
        self.office = Office(parts, policy)
        self.people = People(parts, self.office)
        self.notice_board = Board(parts, self.office)
        self.party_book = PartyBook(parts, self.office)
        self.rights = Rights(parts, self.office)
        self.own_view = OwnView(parts, self.office)
        self.resolver = Resolver(parts, self.office)
        shelf = Shelf(settings.data / FOLDER, parts.keyring.handed)
        self.retention = Retention(parts, self.office, settings.grace_days, shelf)
        self.accesses = Accesses(parts, self.office)
        self.will_desk = WillDesk(parts, self.office, schemas)
        self.disclosures = Disclosures(parts, self.office)
        self.changes = Changes(parts, self.office)
        # what those who run the installation do
        self.trail = Trail(parts, folder, self.office, language)
        self.deliveries = Deliveries(self.desk, sources, language)
        self.documents = Documents(settings, parts, self.office, anchors)
        self.overview = Overview(parts, self.office, self.accesses, self.rights, language)
        self.checkup = Checkup(settings, parts, folder, self.office, self.changes, self.party_book)
        self.administration = Administration(settings, parts, folder, self.office)
        self.registration = Registration(
            parts, self.office, self.party_book, self.retention.oblivion, lambda: self.actor(None, None, None)
        )
        self.development = Development(parts, folder, self.registration)
        # what asks the installation about itself
        self.auditors = Auditors(
            parts, self.office, policy, settings.grace_days, lambda: self.trail.verify(reconcile=True),
            self.trail.keys, upgrade,
        )  # fmt: skip
        self.papers = Papers(
            parts, self.office, policy, papers,
            lambda: installed.configuration(settings, folder, parts, sources, schemas),
        )  # fmt: skip
        self.leaving = Leaving(parts, self.office, shelf, lambda: installed.public_keys(folder, parts))
        self.arriving = Arriving(parts, self.office, shelf)
        self.dispatch = Dispatch(
            settings, parts, frame, channels, self.desk, self.notice_board,
            chores=(self.retention.step, self.rights.destroy_old, self.auditors.cases.review_if_due),
        )  # fmt: skip

    def close(self) -> None:
        """Give connections and threads back."""
        self.dispatch.close()
        self.parts.executor.shutdown()
        self.parts.database.close()
        self.parts.vault.close()
        self.parts.keys.close()

    def actor(self, person: str | None, name: str | None, purpose: str | None) -> Caller:
        """Who acts by a local command: what was given, else the actor file, else a development person.

        Raises:
            MisconfiguredError: production, and nobody was named.
        """
        told: dict[str, str] = {}
        if self.settings.actor_file:
            told = json.loads(Path(self.settings.actor_file).read_text("utf-8"))
        told |= {k: v for k, v in {"person_id": person, "name": name, "purpose": purpose}.items() if v}
        is_stand_in = not {"person_id", "name", "purpose"} <= told.keys()
        if is_stand_in and self.settings.is_production:
            raise MisconfiguredError("production needs --as, --name and --purpose, or KANTA_ACTOR_FILE")
        told = {**development.PERSON, **told} if is_stand_in else {"role": OPERATOR, **told}
        self.acting = Caller(
            system="local", organisation=Oid(told.get("organisation", "")), person_id=told["person_id"],
            person_name=told["name"], role=told["role"], purpose=told["purpose"], is_development=is_stand_in,
            account=account(),
        )  # fmt: skip
        return self.acting
