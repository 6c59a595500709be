"""One built installation, as the command line and the web application use it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import yaml

from kanta_gateway import __version__, forgotten, installed, keyfiles, knowledge
from kanta_gateway.access import parties, statements
from kanta_gateway.access.policy import Policy
from kanta_gateway.access.terms import ALWAYS, Span
from kanta_gateway.administering import Administration
from kanta_gateway.audit import proofs
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.contracts import library
from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.forgotten import Forgotten
from kanta_gateway.intake.desk import Desk
from kanta_gateway.intake.front import File
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.result import Result
from kanta_gateway.intake.sources import Source
from kanta_gateway.mapping.codes import Row
from kanta_gateway.migrate import upgrade
from kanta_gateway.model import Caller, Event, Oid, Organisation, instant
from kanta_gateway.notices import calls
from kanta_gateway.notices import store as notices
from kanta_gateway.notices.channels import Caller as Ways
from kanta_gateway.notices.channels import Channels
from kanta_gateway.outward import Outward
from kanta_gateway.papers.template import Templates
from kanta_gateway.pipeline import auditing, board
from kanta_gateway.pipeline.accesses import Accesses
from kanta_gateway.pipeline.announce import Announcer
from kanta_gateway.pipeline.arriving import Arriving
from kanta_gateway.pipeline.auditors import Auditors
from kanta_gateway.pipeline.changes import Changes
from kanta_gateway.pipeline.closing import Resolver
from kanta_gateway.pipeline.controllers import of_party
from kanta_gateway.pipeline.deadlines import Asked
from kanta_gateway.pipeline.deliver import Deliverer
from kanta_gateway.pipeline.entrance import Entrance
from kanta_gateway.pipeline.explain import explain
from kanta_gateway.pipeline.export import export
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.leaving import Leaving
from kanta_gateway.pipeline.noticeboard import Board, write_out
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.ownview import OwnView
from kanta_gateway.pipeline.papers import Papers
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.partybook import PartyBook
from kanta_gateway.pipeline.people import People
from kanta_gateway.pipeline.reconciling import REGISTERED, REVOKED
from kanta_gateway.pipeline.reporting import Disclosures, Reporter
from kanta_gateway.pipeline.retaining import Retention
from kanta_gateway.pipeline.rights import Rights
from kanta_gateway.pipeline.shelf import FOLDER, Shelf
from kanta_gateway.safe import KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.signing.inspect import inspect
from kanta_gateway.spool import disclosures, records, store, worker
from kanta_gateway.spool.worker import stop_on_signals
from kanta_gateway.transfer.client import HttpArchiveClient
from kanta_gateway.transfer.frame import FrameProfile

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from fastapi import FastAPI
    from sqlalchemy import Connection

    from kanta_gateway.intake.service import Service

SPECIAL = {"correction-reason": ["replacements"], "service-request": ["invalidations"]}
"""Code lists that no single structure uses."""
AUDIENCE = "kanta-gateway"
"""`aud` of the assertions that callers sign."""
OPERATOR = "operator"
DEVELOPMENT_SYSTEM = "development-system"
"""Name of the stand-in for a calling system."""
DEVELOPMENT_PERSON = {
    "person_id": "development-person", "name": "Development Person", "role": OPERATOR, "purpose": "development",
}  # fmt: skip
"""Stands in for the acting person outside production; marked as such in every entry."""


class Gateway:
    """The use cases of one installation."""

    def __init__(
        self, settings: Settings, parts: Parts, folder: KeyFolder, policy: Policy, schemas: RecordSchemas,
        sources: Mapping[str, Source], anchors: Sequence[Certificate], frame: FrameProfile,
        channels: Channels, papers: Templates,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.parts = parts
        self.acting: Caller | None = None
        """Who acts by the local command."""
        self._folder = folder
        self.schemas = schemas
        self._anchors = anchors
        self._frame = frame
        self._channels = channels
        self.sources = sources
        self.desk = Desk(parts, sources)
        self.office = Office(parts, policy)
        self.people = People(parts, self.office)
        self.notice_board = Board(parts, self.office)
        self.party_book = PartyBook(parts, self.office)
        self.auditors = Auditors(
            parts, self.office, policy, settings.grace_days, lambda: self.verify_audit(None, None, reconcile=True),
            lambda: keyfiles.checkpoint_keys(self._folder), upgrade,
        )  # fmt: skip
        shelf = Shelf(settings.data / FOLDER, parts.keyring.handed)
        self.leaving = Leaving(parts, self.office, shelf, lambda: installed.public_keys(folder, self.parts))
        self.arriving = Arriving(parts, self.office, shelf)
        self.papers = Papers(
            parts, self.office, policy, papers,
            lambda: installed.configuration(settings, folder, self.parts, sources, schemas),
        )  # fmt: skip
        self.rights = Rights(parts, self.office)
        self.own_view = OwnView(parts, self.office)
        self.resolver = Resolver(parts, self.office)
        self.retention = Retention(parts, self.office, settings.grace_days)
        self.accesses = Accesses(parts, self.office)
        self.disclosures = Disclosures(parts, self.office)
        self.changes = Changes(parts, self.office)
        self.administration = Administration(settings, parts, folder, self.office)
        self.policy = policy
        self.unapproved: list[str] = []
        """What of the content in place nobody approved; production does not start with any."""

    def close(self) -> None:
        """Give connections and threads back."""
        if "_archive" in vars(self):  # made on first use only
            self._archive.close()
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
        told = {**DEVELOPMENT_PERSON, **told} if is_stand_in else {"role": OPERATOR, **told}
        self.acting = Caller(
            system="local", organisation=Oid(told.get("organisation", "")), person_id=told["person_id"],
            person_name=told["name"], role=told["role"], purpose=told["purpose"], is_development=is_stand_in,
        )  # fmt: skip
        return self.acting

    @contextmanager
    def taken(
        self, files: Sequence[Path], source: str, purchaser: str | None, caller: Caller, *, as_of: date | None = None
    ) -> Iterator[Result]:
        """Take a provider's files in; the result, in the same shape as a dry run's."""
        yield self.import_files(files, source, purchaser, caller, as_of=as_of)

    def import_files(
        self, files: Sequence[Path], source: str, purchaser: str | None, caller: Caller, *, as_of: date | None = None
    ) -> Result:
        """Take a provider's files in."""
        self.desk.finish(caller)
        return self.desk.import_files(opened(files), source, purchaser or "", caller, self.settings.lang, as_of=as_of)

    def dry_import(
        self, files: Sequence[Path], source: str, purchaser: str | None, caller: Caller, *, as_of: date | None = None
    ) -> AbstractContextManager[Result]:
        """Judge a provider's files and store nothing."""
        return self.desk.dry_import(opened(files), source, purchaser or "", caller, self.settings.lang, as_of=as_of)

    def check_returnable(self, source: str) -> None:
        """Whether findings can be given back in a source's own files.

        Raises:
            ParameterError: they cannot.
        """
        if source in self.sources:
            self.desk.returned([], source, None, self.settings.lang)

    def write_findings(self, files: Sequence[Path], source: str, result: Result | None, folder: Path) -> list[Path]:
        """Write each delivered file with a column of what was found on its rows; the files written.

        Args:
            files: every file of the delivery, in its order.
            source: name of their format.
            result: what became of the delivery; None where nothing of it was taken.
            folder: where to; a file is called as it was, with `.findings` before its ending.
        """
        folder.mkdir(parents=True, exist_ok=True)
        made: list[Path] = []
        for file, pieces in self.desk.returned(opened(files), source, result, self.settings.lang):
            name = Path(file.name)
            path = folder / f"{name.stem}.findings{name.suffix}"
            if path in made:
                path = folder / f"{name.stem}.findings-{len(made) + 1}{name.suffix}"
            with path.open("wb") as target:
                target.writelines(pieces)
            made.append(path)
        return made

    @cached_property
    def _archive(self) -> HttpArchiveClient:
        if not self.settings.archive_url:
            raise MisconfiguredError("KANTA_ARCHIVE_URL names no archive; start `kanta-gateway simulate-archive`")
        return HttpArchiveClient(
            self.settings.archive_url, timeout_seconds=self.settings.archive_timeout_seconds,
            ca_file=self.settings.archive_ca_file or None,
            certificate_file=self.settings.archive_client_certificate_file or None,
            key_file=self.settings.archive_client_key_file or None,
            is_production=self.settings.is_production, log_register_url=self.settings.log_register_url,
        )  # fmt: skip

    def _deliverer(self, caller: Caller) -> Deliverer:
        return Deliverer(self.parts, self._archive, self._frame, caller, self.settings.lease_seconds)

    def deliver(self, caller: Caller, *, until_empty: bool) -> dict[str, Any]:
        """Send what waits; how many were handled, and what is left."""
        self.desk.finish(caller)
        deliverer, stop = self._deliverer(caller), threading.Event()
        stop_on_signals(stop)
        done = deliverer.run(stop, until_empty=until_empty)
        if self.desk.finish(caller):  # corrections that waited for their earlier version
            done = deliverer.run(stop, until_empty=until_empty)
        told = self._reporter(caller).run(stop, until_empty=until_empty) if until_empty else worker.Result(0, 0)
        with self.parts.database.reading() as tx:
            return {
                "handled": done.handled + told.handled, "left": done.left + told.left, "documents": store.counts(tx),
                "disclosures": disclosures.counts(tx),
            }  # fmt: skip

    def _reporter(self, caller: Caller) -> Reporter:
        return Reporter(self.parts, self._archive, caller, self.settings.lease_seconds)

    def work(self, stop: threading.Event) -> None:
        """The worker: deliver, judge what was left, destroy what is spent, until told to stop."""
        caller = self.actor("worker", "kanta-gateway worker", "archiving")
        deliverer, reporter = self._deliverer(caller), self._reporter(caller)
        while not stop.is_set():
            self.desk.finish(caller)
            deliverer.run(stop, until_empty=True)
            self.send_notices(caller)
            reporter.drain()
            self.retention.step(caller)
            self.rights.destroy_old(caller)
            self.auditors.cases.review_if_due(caller)
            stop.wait(1.0)

    def status(self) -> dict[str, Any]:
        """Counts by state, and the oldest document that waits."""
        with self.parts.database.reading() as tx:
            return {
                "records": records.counts(tx), "documents": store.counts(tx), "oldest_waiting": store.oldest(tx),
                "notices": notices.counts(tx), "disclosures": disclosures.counts(tx),
                "break_glass": self.accesses.break_glass.status(), "requests": self.rights.clocks(),
            }  # fmt: skip

    def due(
        self, caller: Caller, as_of: date | None, client: str | None, contract: str | None,
        states: Collection[ClockState],
    ) -> dict[str, Any]:  # fmt: skip
        """What is due when, and what is lacking."""
        asked = Asked(as_of or self.office.today, self.settings.lang, client, contract, states)
        return {
            "deadlines": self.office.deadlines(caller, asked), "completeness": self.office.completeness(caller, asked)
        }  # fmt: skip

    def board(self, told: Mapping[str, Any]) -> Iterator[str]:
        """Deadlines and lacking records as lines for a person.

        Args:
            told: what `due` gave.
        """
        messages, language = self.parts.messages, self.settings.lang
        yield from board.deadlines(told["deadlines"], messages, language)
        yield from board.completeness(told["completeness"], messages, language)

    def export(self, folder: Path, caller: Caller, *, all_versions: bool) -> dict[str, Any]:
        """Write archived documents as FOLDER/<OID>.xml."""
        return export(self.parts, self.office, folder, caller, self.settings.grace_days, all_versions=all_versions)

    def explain(self, oid: str, caller: Caller) -> dict[str, Any]:
        """Where every value of a document comes from."""
        return explain(self.parts, self.office, oid, caller)

    def verify_files(self, files: Sequence[Path]) -> dict[str, Any]:
        """Check finished documents, all mistakes of each."""
        rows = []
        for path in files:
            seen = inspect(
                path.read_bytes(),
                check_structure=lambda oid, value: self.parts.conformances(oid).check(value),
                labels_of=lambda oid: self.parts.structures.get(oid).labels(),
                display=self.parts.sealer.display, profile=self.parts.profile, anchors=self._anchors,
                now=self.parts.now(),
            )  # fmt: skip
            findings = [self.parts.messages.finding(one, self.settings.lang) for one in seen.findings]
            rows.append({"file": path.name, "oid": seen.oid, "verdict": seen.verdict.value, "findings": findings})
        return {"documents": rows, "holds": all(row["verdict"] == "PASSED" for row in rows)}

    def allow(self, ticket: str, answers: Sequence[tuple[str, str]], reason: str, caller: Caller) -> dict[str, Any]:
        """The author's answer to what minimisation asked about a record."""
        return self.desk.allow(self.office, ticket, answers, reason, caller, self.settings.lang).told

    def figures(
        self, caller: Caller, client: str | None, as_of: date | None, *, explain: bool, national: bool = False
    ) -> dict[str, Any]:
        """Derived numbers: the contract's, or the law's."""
        return self.office.figures(caller, client, as_of, explain=explain, national=national)

    def reconciliation(self, caller: Caller, client: str | None, as_of: date | None) -> dict[str, Any]:
        """Diary against absences against invoice, day by day."""
        return self.office.reconciliation(caller, client, as_of, self.settings.lang)

    def evidence(self, caller: Caller, client: str, as_of: date | None) -> dict[str, Any]:
        """What each line of one client's invoice rests on."""
        return self.office.evidence(caller, client, as_of)

    def notices(self, caller: Caller, state: str | None) -> dict[str, Any]:
        """What waits to be told, and what was told."""
        return self.notice_board.list(caller, state, "", 100_000, self.settings.lang)

    def export_notices(self, folder: Path, caller: Caller, recipient: str, ids: Sequence[str]) -> dict[str, Any]:
        """Hand notices over as FOLDER/<id>.json and FOLDER/<id>.html, and judge again what they told."""
        told = write_out(self.notice_board, folder, caller, recipient, ids, self.settings.lang)
        self.desk.finish(caller)
        return told

    def send_notices(self, caller: Caller) -> dict[str, Any]:
        """Call the recipients of notices that are to be sent by now; how many calls were made, and what is left."""
        made = 0
        if not self._channels.channels:  # connecting costs, and there is nobody to connect to
            return {"calls": made, "states": {}}
        outward = Outward.load(self.settings.inside_networks, is_production=self.settings.is_production)
        with Ways(self._channels.mail, outward=outward) as ways:
            announcer = Announcer(self.parts, self._channels, ways, caller, self.settings.lease_seconds)
            while done := announcer.step():
                made += done
        self.desk.finish(caller)
        with self.parts.database.reading() as tx:
            return {"calls": made, "states": calls.counts(tx)}

    def verify_audit(self, checkpoint: Path | None, key: Path | None, *, reconcile: bool = False) -> dict[str, Any]:
        """Check the whole log offline, against the last checkpoint that was signed unless one is given.

        Args:
            checkpoint: file with a checkpoint that was kept elsewhere.
            key: file with the verifier keys; the installation's own if None.
            reconcile: also match the log with what it tells about, both ways.
        """
        note = checkpoint.read_text("utf-8") if checkpoint else self.parts.last_checkpoint()
        vkey = key.read_text("utf-8") if key else keyfiles.checkpoint_keys(self._folder)
        return auditing.verified(
            self.parts, self.settings.lang, vkey=vkey, checkpoint=note, must_match=reconcile
        )  # fmt: skip

    def checkpoint(self) -> str:
        """Sign the log as it stands."""
        return self.office.checkpoint(None)

    def export_audit(self, form: str, caller: Caller, client: str | None = None) -> Iterator[str]:
        """Every entry of the log, line by line; of one client only, other entries are closed."""
        return auditing.exported(self.parts, self.office, form, caller, client)

    def rotate_master_key(self, caller: Caller) -> dict[str, Any]:
        """Put a new master key in the place of the old; nothing that was sealed is written again."""
        self.office.permit(caller, Event.AUDIT_ROTATE, provider=None)
        count = keyfiles.rotate_master(self._folder, self.parts.keys)
        self.parts.vault.renew()
        with self.parts.database.transaction() as tx:
            self.office.note(tx, [self.office.event(
                caller, Event.AUDIT_ROTATE, subject="master", provider="",
                details={"keys": count, "master": self.parts.vault.name},
            )])  # fmt: skip
        return {"master": self.parts.vault.name, "keys": count}

    def rotate_checkpoint_key(self, caller: Caller) -> dict[str, Any]:
        """Put a new checkpoint key in the place of the old; a last checkpoint by the old one vouches for it."""
        decision = self.office.permit(caller, Event.AUDIT_ROTATE, provider=None)
        self.checkpoint()
        with self.parts.database.transaction() as tx:
            size = proofs.size(tx)
            old = self.parts.checkpoint_signer().key
            made = keyfiles.rotate_checkpoint_key(self._folder, size)
            self.office.note(tx, [self.office.event(
                caller, Event.AUDIT_ROTATE, subject=made.hash.hex(), provider="",
                details={"key": str(made), "size": size, "replaced": str(old)}, decision=decision,
            )])  # fmt: skip
        return {"key": str(made), "replaced_at": size, "checkpoint": self.checkpoint()}

    def access_report(self, client: str, caller: Caller) -> dict[str, Any]:
        """Who used one client's data (703/2023 §11)."""
        return self.office.access_report(caller, client)

    def list_schemas(self) -> dict[str, Any]:
        """Every usable structure."""
        return {
            "structures": [
                {"oid": one.oid, "number": one.number, "title": dict(one.title), "document_type": one.document_type}
                for one in self.parts.structures.all()
            ]
        }

    def check(self) -> dict[str, Any]:
        """What building did not refuse but an operator must know: unverified codes, certificates, rules."""
        codes = [
            {"list": one.list, "key": one.key, "code": one.code, "blocks": blocked}
            for one in self.parts.codes.unverified()
            if (blocked := self._blocked(one))
        ]
        return {
            "mistakes": [
                *keyfiles.mistakes(self._folder, self.settings), *self.parts.mapper.unfit,
                *(f"policy: {one} is not the decree's maximum" for one in self.parts.decider.differences()),
            ],
            "own_files": knowledge.owned(self.settings.own),
            "unapproved": self.unapproved,
            "reviews_overdue": self.changes.overdue(),
            "unverified_codes": codes,
            "contracts_incomplete": self.party_book.incomplete(),
            "not_judged": {name: [one.rule for one in contract.not_judged]
                           for name, contract in self.parts.contracts.items()},
            "not_software": {name: [one.rule for one in contract.not_software]
                             for name, contract in self.parts.contracts.items()},
            "law": library.report(self.parts.contracts.values()),
            "production_would_refuse": bool(codes or self.unapproved),
        }  # fmt: skip

    def _blocked(self, row: Row) -> list[str]:
        """Numbers of the structures that production does not build while this code is unverified."""
        parts = self.parts
        users = parts.mapper.users(row.list, parts.codes.code_list(row.list).number)
        by_type = (one.number for one in parts.structures.all() if one.document_type == row.key)
        made = set(parts.mapper.structures())
        return sorted(users) or sorted(number for number in by_type if number in made) or SPECIAL.get(row.list, [])

    def list_keys(self) -> dict[str, Any]:
        """Which keys there are."""
        return {"keys": keyfiles.listed(self._folder)}

    def register_system(
        self, certificate: str, organisation: str, name: str, caller: Caller | None = None
    ) -> dict[str, Any]:
        """Let a calling system use the API."""
        actor = caller or self.actor(None, None, None)
        one = parties.CallingSystem(keyfiles.thumbprint_of(certificate), certificate, Oid(organisation), name, False)  # noqa: FBT003
        with self.parts.database.alone() as tx:
            if parties.register_system(tx, one, self.parts.now()):
                self._note_party(tx, actor, one.thumbprint, {"act": "register-system", "organisation": organisation})
        return {"thumbprint": one.thumbprint}

    def revoke_system(self, thumbprint: str, caller: Caller | None = None) -> dict[str, Any]:
        """Refuse a calling system from now on."""
        actor = caller or self.actor(None, None, None)
        with self.parts.database.alone() as tx:
            revoked = parties.revoke_system(tx, thumbprint, self.parts.now())
            if revoked:
                self._note_party(tx, actor, thumbprint, {"act": REVOKED})
                forgotten.note(tx, [Forgotten(forgotten.SYSTEM, thumbprint, instant(self.parts.now()))])
        self.retention.oblivion.carry()
        return {"revoked": revoked}

    def _note_party(self, tx: Connection, caller: Caller, subject: str, details: dict[str, Any]) -> None:
        """The entry about a change of who may deliver, in the transaction of the change."""
        about = {"controller": details.get("organiser"), **details}
        self.office.note(tx, [
            AuditEvent(
                event=Event.PARTY_REGISTER, caller=caller, at=self.parts.now(), client_ref=None, subject=subject,
                provider="", controller=controller, purpose=caller.purpose, basis="703/2023 §9.3; GDPR 28(3)",
                details=details,
            )
            for controller in of_party(parties.agreements(tx), about)
        ])  # fmt: skip

    def register_party(
        self, provider: str, provider_name: str, organiser: str, organiser_name: str, contract: str, purchaser: str,
        caller: Caller | None = None, span: Span = ALWAYS,
    ) -> dict[str, Any]:  # fmt: skip
        """Register a contract, and the right to use the organiser's register as long as it holds."""
        actor = caller or self.actor(None, None, None)
        one = parties.Agreement(
            Organisation(Oid(provider), provider_name), Organisation(Oid(organiser), organiser_name), contract,
            purchaser, span, register_use=(span,),
        )  # fmt: skip
        last = span.last.isoformat() if span.last else ""
        days = {} if span == ALWAYS else {"from": span.first.isoformat(), "to": last}
        with self.parts.database.alone() as tx:
            if parties.register(tx, one, self.parts.now()):
                self._note_party(tx, actor, contract, {
                    "act": REGISTERED, "provider": provider, "organiser": organiser, "purchaser": purchaser,
                    **days,
                })  # fmt: skip
        return {"registered": contract}

    def load_parties(self, file: Path, caller: Caller) -> dict[str, Any]:
        """State what a file tells about parties (YAML or JSON)."""
        try:
            stated = yaml.safe_load(file.read_text("utf-8"))
        except yaml.YAMLError as error:
            raise MisconfiguredError("parties: the file is no YAML") from error
        told = self.party_book.state(statements.read(stated), caller)
        self.retention.oblivion.carry()
        return told

    def explain_policy(self, caller: Caller, event: Event, thing: Thing, day: date | None) -> dict[str, Any]:
        """Why somebody may, or may not, do something on a day."""
        decision = self.office.guard.decide(caller, event, thing, day)
        return {
            "allowed": decision.allowed, "row": decision.row, "decided_by": list(decision.reasons),
            "basis": list(decision.basis),
            "why": [self.parts.messages.finding(one, self.settings.lang) for one in decision.findings],
        }  # fmt: skip

    def development_assertion(
        self, person: str | None, name: str | None, purpose: str | None, role: str, contract: str
    ) -> str:
        """A short-lived assertion of the development system, registering it on first use."""
        if self.settings.is_production:
            raise MisconfiguredError("production has no development system; sign assertions with the system's own key")
        with self.parts.database.reading() as tx:
            known = parties.agreements(tx)
        if not known:
            raise MisconfiguredError("nothing is registered yet; import a delivery first, or register a party")
        key, certificate = keyfiles.development_system(self._folder)
        self.register_system(certificate.decode(), known[0].provider.oid, DEVELOPMENT_SYSTEM)
        return keyfiles.assertion_of(
            key, certificate, system=DEVELOPMENT_SYSTEM, organisation=known[0].provider.oid,
            person_id=person or DEVELOPMENT_PERSON["person_id"], person_name=name or DEVELOPMENT_PERSON["name"],
            role=role, purpose=purpose or "service-delivery", contract=contract or known[0].number,
            audience=AUDIENCE, now=self.parts.now(),
        )  # fmt: skip

    def service(self) -> Service:
        """The use cases behind the HTTP routes."""
        from kanta_gateway.intake.service import Service  # noqa: PLC0415 — commands need no web framework

        return Service(
            self.parts, self.desk, self.office, self.people, self.papers, self.schemas,
            entrance=Entrance(self.parts, self.office, AUDIENCE, keyfiles.revocations(self.settings.caller_crl_file)),
            max_queue_depth=self.settings.max_queue_depth, max_record_bytes=self.settings.max_record_bytes,
            max_delivery_bytes=self.settings.max_delivery_bytes, version=__version__,
        )  # fmt: skip

    def api(self) -> FastAPI:
        """The web application."""
        from kanta_gateway.intake import (  # noqa: PLC0415 — no web framework for commands
            auditors,
            changeroutes,
            paperroutes,
            registers,
            retention,
        )
        from kanta_gateway.intake import disclosures as across  # noqa: PLC0415
        from kanta_gateway.intake import rights as asked  # noqa: PLC0415
        from kanta_gateway.intake.api import build as build_api  # noqa: PLC0415

        if differences := self.parts.decider.differences():
            raise MisconfiguredError(
                f"policy: not the decree's maximum for {differences[0]}; run `kanta-gateway check`"
            )
        self.desk.finish(self.actor("api", "kanta-gateway api", "start"))
        application = build_api(self.service(), [
            across.router, changeroutes.router, auditors.router, paperroutes.router, asked.router, registers.router,
            retention.router,
        ])  # fmt: skip
        application.state.auditors = self.auditors
        return application


def opened(files: Sequence[Path]) -> list[File]:
    """Files of a disk as deliveries take them."""
    return [File(path.name, _opener(path)) for path in files]


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")
