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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cryptography import x509

from kanta_gateway.audit import checkpoint
from kanta_gateway.audit.log import AuditEvent
from kanta_gateway.errors import MisconfiguredError, UntrustedError
from kanta_gateway.handover import package
from kanta_gateway.handover.sealed import Opener
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.inventory import arrived, arrived_grants
from kanta_gateway.pipeline.leaving import BASIS, RECEIPT
from kanta_gateway.pipeline.samepeople import complete
from kanta_gateway.pipeline.shelf import Shelf
from kanta_gateway.pipeline.unpacking import Unpacking

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

_BATCH = 500


class Arriving:
    """Takes packages in for a caller.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        shelf: where logs that were handed over are kept.
    """

    def __init__(self, parts: Parts, office: Office, shelf: Shelf) -> None:
        self._parts = parts
        self._office = office
        self._shelf = shelf

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
        row = self._office.permit(caller, Event.HANDOVER_IMPORT, provider=None).row
        sign = self._parts.checkpoint_signer().sign
        with (
            _opened(source, certificate, private, keys) as reader,
            self._shelf.drafts(sign) as drafts,
            self._parts.database.alone() as tx,
        ):
            arrival = Unpacking(self._parts, tx, keys, drafts)
            with _nothing_left(self._parts, arrival):
                arrival.read(reader)
                arrival.finish()
                about, digest = reader.about, reader.digest
                self._enter(tx, caller, arrival, about, digest, row)
                drafts.settle()
        complete(self._parts)
        receipt = f"{RECEIPT}\n{about['package']}\n{digest}\n"
        return {
            "package": about["package"], "controller": about["controller"], "manifest": digest,
            "counts": reader.manifest["counts"], "log": arrival.told_log,
            "clients_without_contact": len(arrival.taker.without_contact),
        }, sign(receipt)  # fmt: skip

    def listed(self, caller: Caller) -> dict[str, Any]:
        """Logs that were handed over, by the packages that brought them."""
        decision = self._office.permit(caller, Event.HANDOVER_READ, provider=None)
        told = ("package", "controller", "name", "log", "made_at")
        found = [{name: about[name] for name in told} for about in map(self._shelf.about, self._shelf.ids())]
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
        with self._shelf.read(id_) as reader:
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
        self, tx: Connection, caller: Caller, arrival: Unpacking, about: Mapping[str, Any], digest: str, row: str
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
        taker = arrival.taker
        for one in chain(arrived(tx, taker.numbers(), is_client), arrived_grants(tx, taker.granted)):
            batch.append(event(one.subject, one.client, one.provider, {"thing": one.table, "told": list(one.events)}))
            if len(batch) == _BATCH:
                self._office.note(tx, batch)
                batch = []
        self._office.note(tx, batch)


@contextmanager
def _nothing_left(parts: Parts, arrival: Unpacking) -> Iterator[None]:
    """Destroy the keys that were made for a package of which nothing is taken."""
    try:
        yield
    except BaseException:
        parts.keys.discard(arrival.taker.keys)
        raise


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
    elif first in {"changes", "entries", "names", "references"}:
        path = folder / f"{first}.jsonl"
    else:
        path = folder / first / rest
    if ".." in path.parts or not path.resolve().is_relative_to(folder.resolve()):
        raise UntrustedError(f"package: the member {name} points outside; nothing of it was written")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)
    return path
