"""Stems of Finnish names, so that an inflected street or town is found by its fingerprint.

* An inflected name keeps its beginning: `Oikarainen` and `Oikaraisessa` begin `oikarai`.
* Gradation changes the end of short names (`Lahti`, `Lahdessa`; `Turku`, `Turussa`): both are stems.
* A word of a text is tested by its own beginnings, so no dictionary and no stored name is needed.

This is an approximation and errs towards masking; the choice and its limits are in ADR 0003.
"""

from __future__ import annotations

import re
import unicodedata

SHORTEST = 4
"""Shortest stem in letters, unless the name itself is shorter: fewer letters begin too many other words."""

LONG_NAME = 8
"""From this length three last letters may change (`-nen`, `-mäki`, `-joki`); in a shorter name one."""

WEAK_GRADES = {
    "kk": "k", "pp": "p", "tt": "t", "nk": "ng", "nt": "nn", "mp": "mm",
    "lt": "ll", "rt": "rr", "ht": "hd", "k": "", "p": "v", "t": "d",
}  # fmt: skip
"""Strong -> weak grade before the last vowel (Iso suomen kielioppi §41)."""

_GRADED = re.compile(r"(.+?)(kk|pp|tt|nk|nt|mp|lt|rt|ht|k|p|t)([aeiouyäö])")


def normal(text: str) -> str:
    """The text in one spelling: composed, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def digits(text: str) -> str:
    """The digits of a telephone number in national form, without its leading zeros."""
    only = re.sub(r"\D", "", text.replace("(0)", "")).removeprefix("00")
    return only.removeprefix("358").lstrip("0")


def town_stems(name: str) -> set[str]:
    """Beginnings that every inflected form of a town's name has one of."""
    word = normal(name)
    cut = 3 if len(word) >= LONG_NAME else 1
    return {word[: max(min(SHORTEST, len(word)), len(word) - cut)]} | _weak(word)


def street_stems(name: str) -> set[str]:
    """Beginnings of a street's name: its last part stays, so that `Metsätie` does not take every forest."""
    word = normal(name)
    return {word[: max(min(SHORTEST, len(word)), len(word) - 1)]} | _weak(word)


def beginnings(word: str) -> tuple[str, ...]:
    """The beginnings of a word that may be a stem, longest first."""
    whole = normal(word)
    return tuple(whole[:end] for end in range(len(whole), min(SHORTEST, len(whole)) - 1, -1))


def _weak(word: str) -> set[str]:
    graded = _GRADED.fullmatch(word)
    if graded is None:
        return set()
    before, strong, vowel = graded.groups()
    weak = before + WEAK_GRADES[strong]
    if strong == "k":  # the consonant goes, so the vowel is needed: Turku, Turu-; Kalajoki, Kalajoe-
        return {weak + vowel, weak + ("e" if vowel == "i" else vowel)}
    return {weak} if len(weak) >= SHORTEST else {weak + vowel}
