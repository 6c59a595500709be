"""How the log has its rows sealed and opened: the keys are somebody else's business."""

from __future__ import annotations

from typing import Protocol


class Seals(Protocol):
    """Seals rows of the log under the key of their register and day."""

    def seal(self, register: str, day: str, idx: int, data: bytes) -> tuple[int, bytes]:
        """Id of the key, and the sealed row."""

    def open(self, key_id: int, idx: int, sealed: bytes) -> bytes:
        """The row again.

        Raises:
            KeyUnavailableError: its key is not there any more.
            UntrustedError: it is not what was sealed at this place.
        """

    def forget(self) -> None:
        """Remember no key: some may have been destroyed."""
