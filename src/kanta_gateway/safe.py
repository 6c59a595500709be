"""Key files of an installation: read, or (outside production) made on first use with owner-only rights."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from kanta_gateway.errors import KeyUnavailableError

MASTER = "master.key"
NEXT_MASTER = "master.key.next"
"""The new master key while the old one is being replaced."""
SIGNING_KEY = "signing.key.pem"
NEXT_SIGNING_KEY = "signing.key.next.pem"
"""A new signing key that waits for its certificate."""
SIGNING_CERTIFICATE = "signing.cert.pem"
ROOT_CERTIFICATE = "root.cert.pem"
CHECKPOINT_KEY = "checkpoint.key"
CHECKPOINT_VERIFIER = "checkpoint.vkey"
LAST_CHECKPOINT = "checkpoint.last"
"""The newest checkpoint that was signed: what the database must still hold, whoever restored it."""
SYSTEM_KEY = "system.key.pem"
SYSTEM_CERTIFICATE = "system.cert.pem"


class KeyFolder:
    """The folder that holds the key files; apart from the database and its backups in production.

    Args:
        place: the folder.
        may_make: whether missing keys are made (development).
    """

    def __init__(self, place: Path, *, may_make: bool) -> None:
        self.place = place
        self.may_make = may_make

    def read(self, name: str) -> bytes:
        """Content of one key file.

        Raises:
            KeyUnavailableError: there is none, or it cannot be read.
        """
        try:
            return (self.place / name).read_bytes()
        except OSError as error:
            raise KeyUnavailableError(
                f"key file {name} cannot be read ({type(error).__name__}); make it with `kanta-gateway keys make`"
            ) from error

    def has(self, name: str) -> bool:
        """Whether there is such a key file."""
        return (self.place / name).is_file()

    def replace(self, name: str, content: bytes) -> None:
        """Put a file in the place of an earlier one, whole or not at all.

        Raises:
            KeyUnavailableError: the folder cannot be written.
        """
        try:
            self._draft(name, content).replace(self.place / name)
        except OSError as error:
            raise KeyUnavailableError(
                f"key folder: {name} cannot be written ({type(error).__name__}); let the gateway write its key folder"
            ) from error

    def _draft(self, name: str, content: bytes) -> Path:
        self.place.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.place / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return draft

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no fault."""
        (self.place / name).unlink(missing_ok=True)

    def write(self, name: str, content: bytes) -> None:
        """Write a key file for its owner only, whole or not at all; one that is there stays."""
        draft = self._draft(name, content)
        try:
            os.link(draft, self.place / name)  # fails if another process was faster: then its key counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()

    def master(self) -> bytes:
        """The master key, 32 bytes; made on first use in development.

        Raises:
            KeyUnavailableError: there is none and none may be made, or it is not 32 bytes long.
        """
        if not self.has(MASTER) and self.may_make:
            self.write(MASTER, secrets.token_bytes(32))
        key = self.read(MASTER)
        if len(key) != 32:
            raise KeyUnavailableError(f"key file {MASTER} should hold 32 bytes")
        return key
