"""How one text is read, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kanta_gateway.privacy.people import NOBODY, Known

if TYPE_CHECKING:
    from kanta_gateway.model import Level
    from kanta_gateway.privacy.fingerprint import ClientGuard


@dataclass(frozen=True, slots=True)
class Reading:
    """How one text is read."""

    levels: Mapping[str, Level]
    """Class -> what becomes of it here."""
    is_contact: bool = False
    """A contact field: keeps telephone numbers, addresses and names unless the client is under turvakielto."""
    guard: ClientGuard | None = None
    """What is known about the client; None while that is not known."""
    protected: ClientGuard | None = None
    """What is known about other clients of the provider who are under turvakielto."""
    known: Known | None = None
    """Names that may stay; None while it is not known whose they are, so that no name is looked for."""
    staff: Known = NOBODY
    """Names of the provider's staff."""


class Sifted(NamedTuple):
    """What became of a text."""

    text: str
    masked: Counter[str]
    asked: Counter[str]
    """What is still there and waits for the author's answer."""
    is_dropped: bool = False
