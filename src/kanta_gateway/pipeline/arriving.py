"""Arriving: a package of another installation is taken in, all of it or nothing, with its log kept apart.

1. The package opens with the recipient's key and is signed by the sender's log.
2. Each member is what the signed lists tell; rows are written as they come, in one transaction.
3. The sender's log holds against its checkpoints, and whatever its entries tell of is in the package.
4. The log is sealed into a file of its own, apart from this installation's log (703/2023 §16).
5. Each thing that came has its entry here, with what the sender's log tells of it; who may read it is this
   installation's policy.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson
from cryptography import x509

from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.audit import checkpoint, verifier
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import ConflictError, MisconfiguredError, NotFoundError, UntrustedError
from kanta_gateway.handover import package
from kanta_gateway.handover.sealed import Opener, Sealer, for_itself
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.leaving import BASIS, RECEIPT
from kanta_gateway.pipeline.reconciling import arrived
from kanta_gateway.pipeline.registers import Taker
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.spool import registers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

LOG = ("entries", "keys", "log", "names", "references")
"""Members that belong to the log: kept apart."""
_TOLD = {
    Event.RECORD_SUBMIT: ("record", "ticket"), Event.DOCUMENT_SPOOL: ("document", "oid"),
    Event.NOTICE_MAKE: ("notice", "id"),
}  # fmt: skip
"""Entries that tell of something that must be in the package: table and column."""
_BATCH = 500


class Arriving:
    """Takes packages in for a caller.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        place: folder of the logs that were handed over.
    """

    def __init__(self, parts: Parts, office: Office, place: Path) -> None:
        self._parts = parts
        self._office = office
        self._place = place

    def take(
        self, caller: Caller, source: Path, certificate: bytes, private: bytes, keys: str
    ) -> tuple[dict[str, Any], str]:
        """Take a package in.

        Args:
            caller: who takes it in.
            source: the package.
            certificate: PEM of the certificate that it should be sealed to.
            private: PEM of its private key.
            keys: verifier keys of the sender's log, got from the sender by another way.

        Returns:
            What came, and the receipt for the sender.

        Raises:
            UntrustedError: it was changed, is incomplete, or is for somebody else.
            ConflictError: it was taken in before, or a contract file that it needs is not here.
        """
        decision = self._office.permit(caller, Event.HANDOVER_IMPORT, provider=None)
        draft = self._place / f".{uuid.uuid4()}.part"
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with _opened(source, certificate, private, keys) as reader, self._parts.database.alone() as tx:
                with draft.open("wb") as file:
                    sealer = Sealer(file, *for_itself(self._parts.keyring.handed))
                    arrival = _Arrival(self._parts, tx, keys, self._kept(sealer))
                    arrival.read(reader)
                    arrival.finish()
                    sealer.end()
                about, digest = reader.about, reader.digest
                self._enter(tx, caller, arrival, about, digest, decision.row)
                draft.replace(self._file(str(about["package"])))
        finally:
            draft.unlink(missing_ok=True)
        signer = self._parts.checkpoint_signer()
        receipt = signer.sign(f"{RECEIPT}\n{about['package']}\n{digest}\n")
        return {
            "package": about["package"], "controller": about["controller"], "manifest": digest,
            "counts": reader.manifest["counts"], "log": arrival.told_log,
            "clients_without_contact": len(arrival.taker.without_contact),
        }, receipt  # fmt: skip

    def listed(self, caller: Caller) -> dict[str, Any]:
        """Logs that were handed over, by the packages that brought them."""
        decision = self._office.permit(caller, Event.HANDOVER_READ, provider=None)
        found = []
        for path in sorted(self._place.glob("*.sealed")):
            with self._read(path) as reader:
                for _ in reader.members():
                    break
                found.append({name: reader.about[name] for name in ("package", "controller", "name", "log", "made_at")})
        with self._parts.database.transaction() as tx:
            self._office.note(tx, [self._office.event(
                caller, Event.HANDOVER_READ, subject="list", provider="", details={"count": len(found)},
                decision=decision,
            )])  # fmt: skip
        return {"packages": found}

    def write_log(self, caller: Caller, id_: str, folder: Path) -> dict[str, Any]:
        """Write the log of a package as files that its verifier reads.

        Raises:
            NotFoundError: no such package was taken in.
        """
        path = self._file(id_)
        if not path.is_file():
            raise NotFoundError("no package of this id was taken in; `kanta-gateway handover list` tells which were")
        with self._read(path) as reader:
            members = reader.members()
            next(members)
            controller = str(reader.about["controller"])
            decision = self._office.permit(caller, Event.HANDOVER_READ, provider=None, controller=controller)
            with self._parts.database.transaction() as tx:
                self._office.note(tx, [self._office.event(
                    caller, Event.HANDOVER_READ, subject=id_, provider="", controller=controller, decision=decision
                )])  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True)
            for name, data in members:
                _write(folder, name, data)
        return {"package": id_, "folder": str(folder),
                "verify": "python verify.py --key log.vkey --new checkpoint.txt entries.jsonl"}  # fmt: skip

    def _enter(
        self, tx: Connection, caller: Caller, arrival: _Arrival, about: Mapping[str, Any], digest: str, row: str
    ) -> None:
        """The entries about what came."""
        parts = self._parts

        def event(subject: str, client: str | None, provider: str, details: Mapping[str, Any]) -> AuditEvent:
            return AuditEvent(
                event=Event.HANDOVER_IMPORT, caller=caller, at=parts.now(), client_ref=client, subject=subject,
                provider=provider, controller=str(about["controller"]), purpose=caller.purpose, basis=BASIS,
                details={"package": about["package"], **details},
            )  # fmt: skip

        self._office.note(tx, [event(str(about["package"]), None, caller.organisation,
                                     {"manifest": digest, "log": about["log"], "row": row})])  # fmt: skip
        self._office.note(tx, [
            self._office.event(caller, Event.PARTY_REGISTER, subject=one.key, provider="",
                               details={"kind": one.kind, "from": one.valid_from, "to": one.valid_to or ""})
            for one in arrival.stated
        ])  # fmt: skip
        is_client = {name for name, kind in parts.types.items() if kind.about == "client"}
        batch: list[AuditEvent] = []
        for one in arrived(tx, arrival.taker.numbers(), is_client):
            batch.append(event(one.subject, one.client, one.provider, {"thing": one.table, "told": list(one.events)}))
            if len(batch) == _BATCH:
                self._office.note(tx, batch)
                batch = []
        self._office.note(tx, batch)

    def _kept(self, sealer: Sealer) -> Callable[[Mapping[str, Any]], package.Writer]:
        return lambda about: package.Writer(sealer, about)

    def _file(self, id_: str) -> Path:
        try:
            return self._place / f"{uuid.UUID(id_)}.sealed"
        except ValueError as error:
            raise NotFoundError("the id of a package is a UUID") from error

    @contextmanager
    def _read(self, path: Path) -> Iterator[package.Reader]:
        with path.open("rb") as file:
            opened = io.BufferedReader(Opener(file, self._parts.keyring.handed, None))
            yield package.Reader(opened, lambda _text, _note: True)  # only this installation's key seals such a file


class _Arrival:
    """One package on its way in.

    Args:
        parts: the built gateway.
        tx: the transaction.
        keys: verifier keys of the sender's log.
        keep: makes the writer of the log that is kept apart.
    """

    def __init__(
        self, parts: Parts, tx: Connection, keys: str, keep: Callable[[Mapping[str, Any]], package.Writer]
    ) -> None:
        self._parts = parts
        self._tx = tx
        self._keys = verifier.read_keys(keys)
        self._keep = keep
        self._kept: package.Writer | None = None
        self._notes: dict[str, str] = {}
        self._verification: verifier.Verification | None = None
        self._page: list[Mapping[str, Any]] = []
        self._contents: dict[str, bytes] = {}
        self._controller = ""
        self._registers: set[tuple[str, str]] = set()
        self.taker = Taker(parts, tx)
        self.stated: Sequence[Any] = ()
        self.told_log: dict[str, Any] = {}

    def read(self, reader: package.Reader) -> None:
        """Take every member."""
        rows: dict[str, Callable[[Sequence[Mapping[str, Any]]], None]] = {
            "records": self.taker.records, "notices": self.taker.notices, "deliveries": self.taker.deliveries,
            "delivered": self.taker.pointers, "moves": self.taker.moves, "links": self.taker.links,
            "parties": self._parties, "documents": self._documents,
        }  # fmt: skip
        for name, data in reader.members():
            folder = name.partition("/")[0]
            if name == package.ABOUT:
                self._begin(reader.about)
            elif folder == "signed":
                self._signed(name, data)
            elif folder in rows:
                self._flush()
                told = [orjson.loads(line) for line in data.splitlines()]
                self._check_own(name, told)
                rows[folder](told)
            elif folder in LOG:
                self._log(name, folder, data)
            else:
                raise UntrustedError(f"package: {name} is no member that a package has; it was made by another version")

    def _begin(self, about: Mapping[str, Any]) -> None:
        lacking = sorted({one[1] for one in about["registers"]} - self._parts.contracts.keys())
        if about["format"] != package.FORMAT:
            raise UntrustedError(f"the package is of format {about['format']}, expected {package.FORMAT}")
        if lacking:
            raise ConflictError(
                f"the contract file {lacking[0]} is not here; put it into the folder KANTA_KNOWLEDGE and take the "
                "package in again"
            )
        self._controller = str(about["controller"])
        self._registers = {(str(provider), str(purchaser)) for provider, purchaser in about["registers"]}
        for one in agreements(self._tx):
            if (one.provider.oid, one.purchaser) in self._registers and one.organiser.oid != self._controller:
                raise ConflictError(
                    f"contract file {one.purchaser} belongs to another controller here; give the one that comes a "
                    "contract file of its own name, here and at the sender, and hand over again"
                )
        self._kept = self._keep(about)

    def _check_own(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Whether rows are of the controller and the registers that the package says it is of."""
        for row in rows:
            body = row.get("body", {})
            organiser = row.get("organiser", body.get("controller", self._controller))
            pair = (str(row.get("provider")), str(row.get("purchaser")))
            if organiser != self._controller or ("purchaser" in row and pair not in self._registers):
                raise UntrustedError(f"package: {name} holds what is another controller's. Nothing was taken")

    def _documents(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Remember documents until the signed bytes of each have come."""
        self._page = [*rows]

    def _signed(self, name: str, data: bytes) -> None:
        oid = name.removeprefix("signed/").removesuffix(".xml")
        row = next((one for one in self._page if one["oid"] == oid), None)
        if row is None or not row["has_content"] or sha256(data).hexdigest() != row["digest"]:
            raise UntrustedError(f"package: {name} is not the document that its row tells. Nothing was taken")
        self._contents[oid] = data

    def _flush(self) -> None:
        """Store the documents whose bytes have all come."""
        for row in self._page:
            if row["has_content"] and row["oid"] not in self._contents:
                raise UntrustedError(f"the package is incomplete: signed/{row['oid']}.xml is missing")
        self.taker.documents(self._page, self._contents)
        self._page, self._contents = [], {}

    def _parties(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Register what is not registered here yet."""
        parts = self._parts
        made = self.taker.statements(rows, lambda sealed: open_sealed(parts.keyring.parties, sealed, b"party"))
        register.add(self._tx, made, parts.now(), lambda told: seal(parts.keyring.parties, told, b"party"))
        self.stated = [*self.stated, *made]

    def _log(self, name: str, folder: str, data: bytes) -> None:
        """Check and keep a part of the log."""
        assert self._kept is not None  # noqa: S101 — the first member has made it
        self._kept.add(name, data)
        if folder == "log":
            self._notes[name] = data.decode("utf-8", "replace")
        elif folder == "entries":
            self._flush()
            lines = data.splitlines()
            for line in lines:
                self._verified.take(line)
            self._check_told(lines)

    @property
    def _verified(self) -> verifier.Verification:
        """The sender's log against its checkpoints."""
        if self._verification is None:
            try:
                new = verifier.read_checkpoint(self._notes.get("log/checkpoint.txt", ""), self._keys)
                earlier = self._notes.get("log/earlier.txt")
                old = verifier.read_checkpoint(earlier, self._keys) if earlier else None
            except ValueError as error:
                raise UntrustedError(f"package: log/checkpoint.txt: {error}. Nothing was taken") from error
            self._verification = verifier.Verification(new, old, [])
        return self._verification

    def _check_told(self, lines: Sequence[bytes]) -> None:
        """Whether what the entries tell of is in the package."""
        wanted: dict[tuple[str, str], set[str]] = {}
        for line in lines:
            entry = orjson.loads(line)
            if "leaf" not in entry and (place := _TOLD.get(entry["event"])):
                wanted.setdefault(place, set()).add(entry["subject"])
        for (table, column), subjects in wanted.items():
            known = set(registers.held(self._tx, table, column, subjects))
            if missing := sorted(subjects - known):
                raise UntrustedError(
                    f"the package is incomplete: the sender's log tells of {table} {missing[0]}, which is not in it "
                    f"(and of {len(missing) - 1} more). Nothing was taken; ask the sender for the whole."
                )

    def finish(self) -> None:
        """After the last member."""
        self._flush()
        self.taker.finish()
        seen = self._verified
        seen.finish(is_part=False)
        if seen.faults:
            raise UntrustedError(f"the log in the package does not hold: {seen.faults[0]}. Nothing was taken")
        self.told_log = {
            "entries": seen.new.size, "opened": seen.opened, "closed": seen.closed, "remarks": len(seen.remarks),
            "witnesses": list(seen.new.witnesses), "continues": seen.old.size if seen.old else None,
        }  # fmt: skip
        if self._kept is not None:
            self._kept.end(self._parts.checkpoint_signer().sign)


def unpack(source: Path, folder: Path, certificate: bytes, private: bytes, keys: str) -> dict[str, Any]:
    """Check a package and write its members as files; what is written before a fault is found is taken away again.

    Args:
        source: the package.
        folder: where to; must not be there yet.
        certificate: PEM of the certificate that it should be sealed to.
        private: PEM of its private key.
        keys: verifier keys of the sender's log.
    """
    folder.mkdir(parents=True, mode=0o700)
    written: list[Path] = []
    try:
        with _opened(source, certificate, private, keys) as reader:
            for name, data in reader.members():
                written.append(_write(folder, name, data))
    except UntrustedError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return {"package": reader.about["package"], "manifest": reader.digest, "counts": reader.manifest["counts"]}


@contextmanager
def _opened(source: Path, certificate: bytes, private: bytes, keys: str) -> Iterator[package.Reader]:
    try:
        recipient = x509.load_pem_x509_certificate(certificate)
    except ValueError as error:
        raise MisconfiguredError("the certificate is no PEM certificate") from error
    known = checkpoint.read_keys(keys)
    with source.open("rb") as file:
        opened: IO[bytes] = io.BufferedReader(Opener(file, private, recipient))
        yield package.Reader(opened, lambda text, note: checkpoint.signed_text(note, known) == text)


def _write(folder: Path, name: str, data: bytes) -> Path:
    """Write a member; pieces of the log go into one file, as the verifier reads it.

    Raises:
        UntrustedError: its name points outside.
    """
    first, _, rest = name.partition("/")
    if not rest:
        path = folder / first
    elif first in {"keys", "log"}:
        path = folder / rest
    elif first in {"entries", "names", "references"}:
        path = folder / f"{first}.jsonl"
    else:
        path = folder / first / rest
    if ".." in path.parts or not path.resolve().is_relative_to(folder.resolve()):
        raise UntrustedError(f"package: the member {name} points outside; nothing of it was written")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)
    return path
