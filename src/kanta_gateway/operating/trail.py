"""The log as an installation's own people use it: verified by the keys they hold, and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kanta_gateway import keyfiles
from kanta_gateway.model import Caller
from kanta_gateway.pipeline import auditing
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.safe import KeyFolder


class Trail:
    """The log of one installation."""

    def __init__(self, parts: Parts, folder: KeyFolder, office: Office, language: str) -> None:
        self._parts = parts
        self._folder = folder
        self._office = office
        self._language = language

    def verify(
        self, checkpoint: Path | None = None, key: Path | None = None, *, reconcile: bool = False,
        caller: Caller | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Check the whole log offline, against the last checkpoint that was signed unless one is given.

        Args:
            checkpoint: file with a checkpoint that was kept elsewhere.
            key: file with the verifier keys; the installation's own if None.
            reconcile: also match the log with what it tells about, both ways.
            caller: who verifies, which is an entry; None: the gateway itself.
        """
        note = checkpoint.read_text("utf-8") if checkpoint else self._parts.last_checkpoint()
        vkey = key.read_text("utf-8") if key else self.keys()
        check = partial(
            auditing.verified, self._parts, self._language, vkey=vkey, checkpoint=note, must_match=reconcile
        )
        return check() if caller is None else auditing.verified_for(self._parts, self._office, caller, check)

    def keys(self) -> str:
        """Verifier keys of the log, one line each."""
        return keyfiles.checkpoint_keys(self._folder)

    def export(self, form: str, caller: Caller, client: str | None = None, provider: str = "") -> Iterator[str]:
        """Every entry of the log, line by line; of one client only, other entries are closed."""
        return auditing.exported(self._parts, self._office, form, caller, client, provider)
