"""Stems of Finnish names, so that an inflected street or town is found by its fingerprint.

* An inflected name keeps its beginning: `Oikarainen` and `Oikaraisessa` begin `oikarai`.
* Gradation changes the end of short names (`Lahti`, `Lahdessa`; `Turku`, `Turussa`): both are stems.
* In names in `-s`, `-r`, `-l` or `-e` the grade grows (`Kelokangas`, `Kelokankaalla`; `Rinne`, `Rinteellä`).
* Each part of a name with a hyphen is a name too (`Mänttä-Vilppula`, `Vilppulassa`).
* A word of a text is tested by its own beginnings, so no dictionary and no stored name is needed.
* In small letters a short stem counts when an ending of place follows it (`kemissä`, `kemiin`).

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

STRONG_GRADES = {
    "ng": "nk", "nn": "nt", "mm": "mp", "ll": "lt", "rr": "rt", "v": "p", "d": "t",
}  # fmt: skip
"""Weak -> strong grade of names that end in a consonant or in `-e` (Iso suomen kielioppi §41)."""

WATER = "vesi"
"""Names in -vesi bend like the word: Orivesi, Orivedellä."""

SHORT_ENDINGS = ("n", "ss", "st", "ll", "lt", "hi", "läi", "lai")
"""What stands right after a name shorter than a stem, such as Ii, when it is that name."""

_GROWING = re.compile(r"(.+)(ng|nn|mm|ll|rr|v|d)(?:([aeäö])[srl]|(e))")
_PLACE = re.compile(r".{0,2}(?:s[st][aä]|ll[aäe]|lt[aä])")
_INTO = re.compile(r"([aeiouyäö])\1n\Z")
_LONGEST_INTO = 3
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
    found: set[str] = set()
    for word in _parts(name):
        cut = 3 if len(word) >= LONG_NAME else 1
        found |= _stems(word, cut)
        if len(word) < SHORTEST:
            found |= {word + ending for ending in SHORT_ENDINGS}
    return found


def street_stems(name: str) -> set[str]:
    """Beginnings of a street's name: its last part stays, so that `Metsätie` does not take every forest."""
    word = normal(name)
    bending = {f"{word[:-3]}s"} if word.endswith("nen") and len(word) > LONG_NAME else set()
    return _stems(word, 1) | bending


def is_place(word: str, stem: str) -> bool:
    """Whether what follows the stem of a word is an ending of place: in, from, into, at, from, to."""
    ending = word[len(stem) :]
    is_into = 0 < len(ending) <= _LONGEST_INTO and _INTO.search(word) is not None
    return is_into or _PLACE.fullmatch(ending) is not None


def _parts(name: str) -> list[str]:
    """A name, and each part of it that is long enough to be one."""
    word = normal(name)
    return [word, *(one for one in word.split("-") if SHORTEST < len(one) < len(word))]


def _stems(word: str, cut: int) -> set[str]:
    return {word[: max(min(SHORTEST, len(word)), len(word) - cut)]} | _weak(word) | _strong(word)


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
    if len(weak) >= SHORTEST:
        return {weak}
    return {weak + vowel, weak + ("e" if vowel == "i" else vowel)}


def _strong(word: str) -> set[str]:
    """The stem of a name whose grade grows; a whole letter more than the weak one, so that it stands for no other."""
    growing = _GROWING.fullmatch(word)
    if growing is None:
        return {f"{word[:-2]}d"} if word.endswith(WATER) else set()
    before, weak, vowel, last = growing.groups()
    return {before + STRONG_GRADES[weak] + (vowel or last)}
