"""A package is unpacked into this installation: member by member, each checked before it counts.

* Rows are of the controller and the registers that the package says it is of, or nothing is taken.
* Documents are stored when the signed bytes of each have come and fit.
* The sender's log is verified line by line as the stand-alone verifier does, and kept apart; whatever its entries tell
  of must have come before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import register
from kanta_gateway.access.parties import agreements
from kanta_gateway.audit import verifier
from kanta_gateway.errors import ConflictError, UntrustedError
from kanta_gateway.handover import package
from kanta_gateway.model import Event
from kanta_gateway.pipeline.shelf import FOLDER, Drafts
from kanta_gateway.pipeline.taking import Taker
from kanta_gateway.privacy.envelope import open_sealed, seal
from kanta_gateway.spool import registers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.pipeline.parts import Parts

LOG = ("changes", "entries", "keys", "log", "names", "references")
"""Members that belong to the log, or are evidence as it is: kept apart."""
_TOLD = {
    Event.RECORD_SUBMIT: ("record", "ticket"), Event.DOCUMENT_SPOOL: ("document", "oid"),
    Event.NOTICE_MAKE: ("notice", "id"), Event.ACCESS_BREAK: ("access_grant", "id"),
    Event.RIGHT_REGISTER: ("client_request", "id"),
}  # fmt: skip
"""Entries that tell of something that must be in the package: table and column."""


class Unpacking:
    """One package on its way in.

    Args:
        parts: the built gateway.
        tx: the transaction.
        keys: verifier keys of the sender's log.
        drafts: where the log goes, and logs that it came with.
    """

    def __init__(self, parts: Parts, tx: Connection, keys: str, drafts: Drafts) -> None:
        self._parts = parts
        self._tx = tx
        self._keys = verifier.read_keys(keys)
        self._drafts = drafts
        self._kept: package.Writer | None = None
        self._inner: dict[str, package.Writer] = {}
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
            "parties": self._parties, "documents": self._documents, "disclosures": self.taker.disclosures,
            "requests": self.taker.requests, "grants": self.taker.grants,
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
            elif folder == FOLDER:
                self._earlier(name, data)
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
        self._kept = self._drafts.begin(about)

    def _check_own(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Whether rows are of the controller and the registers that the package says it is of."""
        for row in rows:
            body = row.get("body", {})
            organiser = row.get("organiser", row.get("controller", body.get("controller", self._controller)))
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

    def _earlier(self, name: str, data: bytes) -> None:
        """Keep a part of a log that was handed over to the sender before."""
        _, id_, rest = name.split("/", 2)
        if rest != package.ABOUT:
            self._inner[id_].add(rest, data)
            return
        about = orjson.loads(data)
        if about["package"] != id_ or about["controller"] != self._controller:
            raise UntrustedError(f"package: {name} holds what is another controller's. Nothing was taken")
        self._inner[id_] = self._drafts.begin(about)

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
