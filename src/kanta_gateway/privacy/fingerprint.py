"""Keyed fingerprints of contact data: free text can be checked for it without storing it.

* Stored is HMAC-SHA-256 of a stem, postal code or telephone number; the key lies outside the database.
* Small sets (postal codes) could be tried out by whoever holds the key too; without it they tell nothing.
* A street is kept by its name: whatever number stands after it in a text goes with it.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kanta_gateway.privacy.stems import digits, normal, street_stems, town_stems

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_AFTER_STREET = re.compile(r"(?<!\d)(\d{5})[ \u00a0]+([^\W\d_][^\d,]*)")
_NUMBER = re.compile(r"\d.*")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")

LONE_STREET = 6
"""Letters that a street's last word needs to be told by itself; `Kustaan tie` is kept as two words."""


@dataclass(frozen=True, slots=True)
class ClientGuard:
    """What must not appear about one client, without saying what it is."""

    is_non_disclosure: bool
    """Under turvakielto."""
    matches: Callable[[str, str], bool]
    """Whether (class, normalised text) is the client's own contact data."""


class Fingerprints:
    """Makes and compares fingerprints with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of_contact(self, contact: Mapping[str, Any]) -> set[tuple[str, str]]:
        """Fingerprints of a client's contact data.

        Args:
            contact: `street_address`, `postal_code`, `town`, `telephone`; whatever of them is there.
        """
        found: set[tuple[str, str]] = set()
        if (rest := _AFTER_STREET.search(str(contact.get("street_address") or ""))) is not None:  # all in one line
            contact = {"postal_code": rest[1], "town": rest[2], **contact}
        for field, (cls, forms) in _FORMS.items():
            value = contact.get(field)
            if value:
                found |= {(cls, self._of(cls, form)) for form in forms(str(value)) if form}
        return found

    def guard(self, known: Collection[tuple[str, str]], is_non_disclosure: bool) -> ClientGuard:  # noqa: FBT001 — the guard's first fact
        """What compares a text with the known fingerprints of one client."""
        kept = frozenset(known)
        classes = {cls for cls, _ in kept}

        @lru_cache(maxsize=4096)
        def matches(cls: str, normalised: str) -> bool:
            return cls in classes and (cls, self._of(cls, normalised)) in kept

        return ClientGuard(is_non_disclosure, matches)

    def _of(self, cls: str, normalised: str) -> str:
        return hmac.digest(self._key, f"{cls}\0{normalised}".encode(), "sha256").hex()


def _streets(address: str) -> set[str]:
    words = _WORD.findall(_NUMBER.sub("", address))
    if not words:
        return set()
    if len(words[-1]) < LONE_STREET and len(words) > 1:
        return street_stems(" ".join(words[-2:]))
    return street_stems(words[-1])


def _towns(name: str) -> set[str]:
    return set().union(*(town_stems(word) for word in _WORD.findall(name)))


def _telephones(text: str) -> set[str]:
    return {digits(one) for one in re.split(r"[,;]|\btai\b|\beller\b", normal(text))}


def _postal_codes(text: str) -> set[str]:
    return {re.sub(r"\D", "", text)}


_FORMS: Mapping[str, tuple[str, Callable[[str], set[str]]]] = {
    "street_address": ("street-address", _streets),
    "postal_code": ("postal-code", _postal_codes),
    "town": ("town", _towns),
    "telephone": ("telephone", _telephones),
}
