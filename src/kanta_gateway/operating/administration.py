"""Acts on the installation itself: taking reference data in, making and replacing keys; permitted and written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from kanta_gateway import certifying, codefiles, keyfiles, knowledge, official
from kanta_gateway.audit import proofs
from kanta_gateway.certifying import Subject
from kanta_gateway.mapping.codeserver import Words
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.safe import KeyFolder
from kanta_gateway.settings import Settings


class Administration:
    """Acts on one installation."""

    def __init__(self, settings: Settings, parts: Parts, folder: KeyFolder, office: Office) -> None:
        self._settings = settings
        self._parts = parts
        self._folder = folder
        self._office = office

    @contextmanager
    def _act(self, caller: Caller, event: Event, subject: str) -> Iterator[dict[str, Any]]:
        """Permit an act on the installation itself, and write it down once it is done; gives what the entry tells."""
        decision = self._office.permit(caller, event, provider=None)
        told: dict[str, Any] = {}
        yield told
        with self._parts.database.transaction() as tx:
            self._office.note(tx, [
                self._office.event(caller, event, subject=subject, provider="", details=told, decision=decision)
            ])  # fmt: skip

    def make_keys(self, caller: Caller, organisation: str, name: str) -> dict[str, Any]:
        """Make the keys that are missing."""
        with self._act(caller, Event.KEY_MAKE, "keys") as told:
            made = keyfiles.make(self._folder, self._settings, organisation, name)
            told["organisation"] = organisation
        return made

    def request_certificate(self, caller: Caller, subject: Subject) -> str:
        """A certificate request for the signing key, PEM; in files with a new key, which waits for its certificate."""
        with self._act(caller, Event.KEY_MAKE, "signing-request") as told:
            told["organisation"] = subject.oid
            return certifying.request(self._folder, self._settings, subject).decode("ascii")

    def install_certificate(self, caller: Caller, certificate: Path, anchors: Path | None) -> dict[str, str]:
        """Put an issued certificate in place, with the key that waited for it."""
        with self._act(caller, Event.KEY_MAKE, "signing-certificate") as told:
            placed = certifying.install(
                self._folder, self._settings, certificate.read_bytes(),
                anchors.read_bytes() if anchors is not None else None, self._parts.now(),
            )  # fmt: skip
            told.update(placed)
        return placed

    def list_keys(self) -> dict[str, Any]:
        """Which keys there are."""
        return {"keys": keyfiles.listed(self._folder, self._settings, self._parts.keys)}

    def rotate_master_key(self, caller: Caller) -> dict[str, Any]:
        """Put a new master key in the place of the old; nothing that was sealed is written again."""
        with self._act(caller, Event.AUDIT_ROTATE, "master") as told:
            told.update(keyfiles.master_keys(self._folder, self._settings, self._parts.keys).replace().told())
            self._parts.vault.renew()
        return told

    def rotate_checkpoint_key(self, caller: Caller) -> dict[str, Any]:
        """Put a new checkpoint key in the place of the old; a last checkpoint by the old one vouches for it."""
        decision = self._office.permit(caller, Event.AUDIT_ROTATE, provider=None)
        self._office.checkpoint(None)
        with self._parts.database.transaction() as tx:
            size = proofs.size(tx)
            old = self._parts.checkpoint_signer().key
            made = keyfiles.rotate_checkpoint_key(self._folder, size)
            self._office.note(tx, [self._office.event(
                caller, Event.AUDIT_ROTATE, subject=made.hash.hex(), provider="",
                details={"key": str(made), "size": size, "replaced": str(old)}, decision=decision,
            )])  # fmt: skip
        return {"key": str(made), "replaced_at": size, "checkpoint": self._office.checkpoint(None)}

    def import_schemas(self, caller: Caller, folder: Path) -> dict[str, Any]:
        """Keep the official Sosmeta schemas of a folder beside our own statements, each that holds."""
        with self._act(caller, Event.KNOWLEDGE_IMPORT, "structures") as told:
            taken = official.take(folder, self._settings.data, self._parts.structures, self._parts.sealer.display)
            told |= {"new": list(taken.loaded), "skipped": len(taken.skipped)}
        return {
            "loaded": len(taken.loaded) + len(taken.known), "new": taken.loaded, "skipped": taken.skipped,
            "mistakes": taken.mistakes,
        }  # fmt: skip

    def import_codes(self, caller: Caller, file: Path, name: str = "", version: str = "") -> dict[str, Any]:
        """Keep the rows of a code-server export in the data folder, verified and dated."""
        words = Words.load(knowledge.text("mappings/codeserver.yaml", self._settings.own))
        with self._act(caller, Event.KNOWLEDGE_IMPORT, "codes") as told:
            taken = codefiles.take(file, self._settings.data, self._parts.codes, words, name, version)
            told |= {"list": taken.number, "rows": taken.rows, "sha256": sha256(file.read_bytes()).hexdigest()}
        return {"list": taken.number, "rows": taken.rows, "verified": taken.verified, "unverified": taken.unverified,
                "read_as": taken.how, "columns": dict(taken.columns), "mistakes": taken.mistakes}  # fmt: skip
