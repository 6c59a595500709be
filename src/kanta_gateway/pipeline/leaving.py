"""Leaving: everything of one controller goes into one sealed package; a confirmed copy is destroyed on instruction.

* A package holds that controller's records, documents, notices and log entries, and nobody else's: other entries of
  the log stand as leaf hashes, so that the whole log's proofs still hold.
* The export is an entry of the log before anything is given, and under the checkpoint that the package carries.
* Nothing is destroyed before the recipient's signed receipt of that very package is an entry.

Source: 703/2023 §§15, 16 (logs move with the records); GDPR 28(3)(g).
"""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from cryptography import x509

from kanta_gateway.access import grants
from kanta_gateway.access.parties import agreements
from kanta_gateway.audit import checkpoint, proofs, report
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import ConflictError, MisconfiguredError, NotFoundError, UntrustedError
from kanta_gateway.handover import package
from kanta_gateway.handover.sealed import Sealer, for_certificate, thumbprint
from kanta_gateway.model import Caller, Event, Oid, instant
from kanta_gateway.pipeline.destroying import Destroyer
from kanta_gateway.pipeline.giving import Giver
from kanta_gateway.pipeline.oblivion import Oblivion
from kanta_gateway.pipeline.ownlog import check_quiet, entries
from kanta_gateway.pipeline.shelf import Shelf
from kanta_gateway.privacy.envelope import open_sealed
from kanta_gateway.spool import registers
from kanta_gateway.spool.records import RECEIVED
from kanta_gateway.spool.registers import Pair

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

BASIS = "703/2023 §16; GDPR 28(3)(g)"
RECEIPT = "kanta-gateway-handover-receipt/1"
ROWS, ENTRIES = 500, 5000
"""Rows in a piece of a package, and entries of the log in one."""
Keys = Callable[[], Mapping[str, bytes]]


class Leaving:
    """Hands over, confirms and destroys for a caller.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        shelf: logs that were handed over to this installation: those of the controller go on with it.
        keys: gives the public files that go with a package, by name: verifier keys, certificates, the verifier.
    """

    def __init__(self, parts: Parts, office: Office, shelf: Shelf, keys: Keys) -> None:
        self._parts = parts
        self._office = office
        self._shelf = shelf
        self._keys = keys
        self._destroyer = Destroyer(parts, office, Oblivion(parts))

    def export(self, caller: Caller, controller: str, certificate: bytes, target: Path) -> dict[str, Any]:
        """Write everything of one controller into one package.

        Args:
            caller: who asks.
            controller: OID of the controller.
            certificate: PEM of the certificate that it is sealed to.
            target: the file.

        Raises:
            NotFoundError: no contract with such a controller is registered.
            ConflictError: something of it is on its way or not judged yet, or the log goes on growing.
        """
        try:
            recipient = x509.load_pem_x509_certificate(certificate)
        except ValueError as error:
            raise MisconfiguredError("the recipient's certificate is no PEM certificate") from error
        key, header = for_certificate(recipient)
        decision = self._office.permit(caller, Event.HANDOVER_EXPORT, provider=None, controller=controller)
        self._check(controller)
        id_, earlier = str(uuid.uuid4()), self._parts.last_checkpoint()
        with self._parts.database.transaction() as tx:
            self._note(tx, caller, Event.HANDOVER_EXPORT, id_, controller,
                       {"recipient": thumbprint(recipient), "row": decision.row})  # fmt: skip
        note = self._office.checkpoint(None)
        draft = target.with_name(f"{target.name}.part")
        try:
            with draft.open("wb") as file, self._parts.database.reading() as tx:
                sealer = Sealer(file, key, header)
                logs = self._shelf.of(controller)
                counts, digest = self._write(tx, sealer, id_, controller, (earlier, note), logs)
                sealer.end()
            with self._parts.database.transaction() as tx:
                self._note(tx, caller, Event.HANDOVER_CLOSE, id_, controller,
                           {"manifest": digest, "counts": counts, "logs": logs})  # fmt: skip
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return {"package": id_, "manifest": digest, "recipient": thumbprint(recipient), "bytes": target.stat().st_size,
                "counts": counts}  # fmt: skip

    def _check(self, controller: str) -> None:
        """Refuse what cannot be handed over whole."""
        with self._parts.database.reading() as tx:
            giver = Giver(self._parts, tx, controller)
            waiting = registers.open_documents(tx, controller)
            unjudged = registers.unjudged(tx, giver.pairs, RECEIVED)
            untried, lost = registers.untried(tx, controller), giver.lost_wills()
        if not giver.pairs:
            raise NotFoundError("no contract with this controller is registered; see `kanta-gateway parties list`")
        if waiting or unjudged or untried:
            raise ConflictError(
                f"{waiting} documents of the controller are on their way, {unjudged} records are not judged yet and "
                f"{untried} disclosure notices were never tried; run `kanta-gateway deliver`, and stop API and worker "
                "before handing over"
            )
        if lost:
            raise ConflictError(
                f"{lost} statements of will were lost with a restored backup, and nobody would know of them any more; "
                "have them delivered again first"
            )

    def _write(
        self, tx: Connection, sealer: Sealer, id_: str, controller: str, notes: tuple[str, str], logs: Sequence[str]
    ) -> tuple[dict[str, int], str]:  # fmt: skip
        """Every member, in the order in which a reader needs them."""
        earlier, note = notes
        giver = Giver(self._parts, tx, controller)
        stated = checkpoint.parse(note)
        check_quiet(self._parts, tx, controller, stated.size)
        names = {one.organiser.oid: one.organiser.name for one in agreements(tx)}
        writer = package.Writer(sealer, {
            "format": package.FORMAT, "package": id_, "controller": controller, "name": names.get(Oid(controller), ""),
            "registers": [list(one) for one in giver.pairs], "log": stated.origin,
            "made_at": instant(self._parts.now()), "software": dict(self._parts.software),
        })  # fmt: skip
        for name, content in self._keys().items():
            writer.add(f"keys/{name}", content)
        writer.add("log/checkpoint.txt", note.encode())
        if earlier and checkpoint.parse(earlier).size <= stated.size:
            writer.add("log/earlier.txt", earlier.encode())
            first = checkpoint.parse(earlier).size
            proof = [b64encode(one).decode() for one in proofs.consistency(tx, first, stated.size)]
            told = {"first": first, "second": stated.size, "proof": proof}
            writer.add("log/consistency.json", orjson.dumps(told))
        self._stored(writer, giver)
        people: dict[str, None] = {}
        writer.lines("entries", entries(self._parts, tx, controller, stated.size, people), ENTRIES)
        rows = (row for name in people if (row := self._parts.log.names.row(tx, name)))
        writer.lines("names", rows, ROWS)
        writer.lines("references", giver.references(), ROWS)
        writer.lines("changes", giver.changes(), ROWS)
        for name, content in self._shelf.members_of(logs):
            writer.add(name, content)
        digest = writer.end(self._parts.checkpoint_signer().sign)
        return dict(sorted(writer.counts.items())), digest

    def _stored(self, writer: package.Writer, giver: Giver) -> None:
        """What is stored of the controller's registers; records first, since they tell what references stand for."""
        writer.lines("records", giver.records(), ROWS)
        self._documents(writer, giver)
        further: dict[str, Callable[[], Iterator[Any]]] = {
            "notices": giver.notices, "disclosures": giver.disclosures, "requests": giver.requests,
            "grants": giver.grants, "deliveries": giver.deliveries, "delivered": giver.pointers, "moves": giver.moves,
            "links": giver.links, "parties": partial(giver.statements, self._open),
        }  # fmt: skip
        for folder, rows in further.items():
            writer.lines(folder, rows(), ROWS)

    @staticmethod
    def _documents(writer: package.Writer, giver: Giver) -> None:
        """Documents in pieces: first what is known of some, then the signed bytes of each."""
        page: list[tuple[Mapping[str, Any], bytes | None]] = []

        def flush() -> None:
            if page:
                place = page[0][0]["sequence"]
                lines = b"".join(orjson.dumps(row) + b"\n" for row, _ in page)
                writer.add(f"documents/{place:012d}.jsonl", lines, len(page))
                for row, content in page:
                    if content is not None:
                        writer.add(f"signed/{row['oid']}.xml", content)
                page.clear()

        for one in giver.documents():
            page.append(one)
            if len(page) == registers.PAGE:
                flush()
        flush()

    def confirm(self, caller: Caller, receipt: str, keys: str) -> dict[str, Any]:
        """Write down that a package was taken in.

        Args:
            caller: who has the receipt.
            receipt: what the recipient's import wrote.
            keys: verifier keys of the recipient's log.

        Raises:
            UntrustedError: the receipt is not signed by the recipient, or is of another package.
        """
        text = checkpoint.signed_text(receipt, checkpoint.read_keys(keys))
        lines = (text or "").splitlines()
        if len(lines) != 3 or lines[0] != RECEIPT:
            raise UntrustedError("the receipt is not signed by a key of the recipient's log; get both files again")
        closed = self._told(Event.HANDOVER_CLOSE, lines[1])
        if closed is None or closed["details"]["manifest"] != lines[2]:
            raise UntrustedError("the receipt is of a package that was not made here, or of another making of it")
        self._office.permit(caller, Event.HANDOVER_CONFIRM, provider=None, controller=closed["controller"])
        with self._parts.database.transaction() as tx:
            self._note(tx, caller, Event.HANDOVER_CONFIRM, lines[1], closed["controller"],
                       {"manifest": lines[2], "receipt": sha256(receipt.encode()).hexdigest()})  # fmt: skip
        return {"package": lines[1], "confirmed": True}

    def destroy(self, caller: Caller, id_: str, instruction: str) -> dict[str, Any]:
        """Destroy what was handed over, on the controller's instruction.

        Args:
            caller: who acts.
            id_: of the package.
            instruction: reference of the controller's written instruction.

        Raises:
            ConflictError: nobody has confirmed that the package was taken in, something came after it, or break-glass
                is not reviewed here.
        """
        confirmed = self._told(Event.HANDOVER_CONFIRM, id_)
        if confirmed is None:
            raise ConflictError("the package was not confirmed; nothing was destroyed. Run `handover confirm` first")
        controller = confirmed["controller"]
        decision = self._office.permit(caller, Event.HANDOVER_DESTROY, provider=None, controller=controller)
        pairs = self._whole(controller, id_)
        counts = self._destroyer.handed(
            caller, controller, pairs, basis=BASIS, details={"package": id_, "instruction": instruction}
        )
        closed = self._told(Event.HANDOVER_CLOSE, id_)
        given = set(closed["details"].get("logs", ())) if closed else set()
        logs = [one for one in self._shelf.of(controller) if one in given]
        counts["logs"] = len(logs)
        with self._parts.database.transaction() as tx:
            self._note(tx, caller, Event.HANDOVER_DESTROY, id_, controller,
                       {"instruction": instruction, "destroyed": counts, "row": decision.row})  # fmt: skip
        self._shelf.destroy(logs)
        return {"package": id_, "destroyed": counts}

    def _whole(self, controller: str, id_: str) -> tuple[Pair, ...]:
        """The registers of a package that holds all there is of them; nothing is destroyed otherwise."""
        exported = self._told(Event.HANDOVER_EXPORT, id_)
        with self._parts.database.reading() as tx:
            pairs = Giver(self._parts, tx, controller).pairs
            later = registers.newer(tx, controller, pairs, exported["at"] if exported else "")
            unfinished = grants.unfinished(tx, controller)
        if later:
            raise ConflictError(
                f"{later} things came or were decided after the package was made, and it does not hold them; "
                "nothing was destroyed. Hand over again"
            )
        if unfinished:
            raise ConflictError(
                f"{unfinished} grants by break-glass are not reviewed, or their cases are open, and the reasons would "
                "be gone; nothing was destroyed. Finish them here as well: the user's organisation answers for it"
            )
        return pairs

    def _told(self, event: Event, id_: str) -> dict[str, Any] | None:
        """The last entry of a kind about a package."""
        with self._parts.database.reading() as tx:
            wanted = report.Filter(events=frozenset({event}))
            found = (orjson.loads(body) for _, body in report.every(tx, self._parts.log.seals, wanted))
            return next((one for one in reversed([*found]) if one["subject"] == id_), None)

    def _note(
        self, tx: Connection, caller: Caller, event: Event, id_: str, controller: str, details: Mapping[str, Any]
    ) -> None:
        self._office.note(tx, [AuditEvent(
            event=event, caller=caller, at=self._parts.now(), client_ref=None, subject=id_,
            provider=caller.organisation, controller=controller, purpose=caller.purpose, basis=BASIS, details=details,
        )])  # fmt: skip

    def _open(self, sealed: bytes) -> bytes:
        return open_sealed(self._parts.keyring.parties, sealed, b"party")
