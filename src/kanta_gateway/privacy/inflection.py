"""Finnish and Swedish endings of names: which stems a name bends on, and which stems a word of a text may have.

* A word is an inflected form of a name when one of its stems is one of the name's.
* Endings of case, the plural of -nen, possessive suffixes and clitics are taken off; so is the Swedish genitive.
* Double consonants gradate in first names (`Pekka`, `Pekan`); all gradate in surnames (`Lahti`, `Lahden`).

No dictionary of forms is kept: forty endings and a list of basic forms cover every case (Iso suomen kielioppi §41).
"""

from __future__ import annotations

import re
from functools import lru_cache

from kanta_gateway.privacy.stems import STRONG_GRADES, WEAK_GRADES, normal

SHORTEST = 2
"""Letters of the shortest stem: `Bo`, `Åke`."""

CASES = (
    "n", "a", "ä", "ta", "tä", "lle", "lla", "llä", "lta", "ltä", "ssa", "ssä", "sta", "stä", "ksi", "na", "nä",
    "s", "ten", "tta", "ttä", "t", "seen", "siin", ":n", ":lle", ":lla", ":ssa", ":s",
)  # fmt: skip
"""Endings of case after a stem; `s` is the Swedish genitive, `ten` the plural of -nen, `seen` of words in -e."""

POSSESSIVE = ("en", "nsa", "nsä", "ni", "mme", "nne", "aan", "ään")
CLITICS = ("kin", "kaan", "kään", "han", "hän", "ko", "kö")

_INTO = re.compile(r"(.*([aeiouyäöå]))\2n")
_DOUBLE = re.compile(r"(.+?)(kk|pp|tt|nt|mp|lt|rt|nk)([aeiouyäö])")
_GRADED = re.compile(r"(.+?)(kk|pp|tt|nk|nt|mp|lt|rt|ht|(?<=[aeiouyäölrh])[kpt])([aeiouyäö])")
_GROWING = re.compile(r"(.+)(ng|nn|mm|ll|rr|v|d|k|p|t)(?:([aä])s|(e))")


@lru_cache(maxsize=65_536)
def stems_of(word: str) -> frozenset[str]:
    """The stems that a word of a text may bend on, with the word itself.

    Args:
        word: a word of letters, perhaps with a colon or hyphen.
    """
    whole = normal(word)
    found = {whole}
    for base in _without(whole, CLITICS):
        for possessed in _without(base, POSSESSIVE):
            found.add(possessed)
            found.update(possessed[: -len(one)] for one in CASES if possessed.endswith(one))
            if (into := _INTO.fullmatch(possessed)) is not None:
                found.add(into[1])
    return frozenset(one for one in found if len(one) >= SHORTEST)


def _without(word: str, endings: tuple[str, ...]) -> set[str]:
    return {word, *(word[: -len(one)] for one in endings if word.endswith(one) and len(word) > len(one) + SHORTEST)}


@lru_cache(maxsize=16_384)
def name_stems(name: str, *, is_surname: bool) -> frozenset[str]:
    """What every inflected form of a name has one of.

    Args:
        name: a name in its basic form; of a name with a hyphen the last part bends.
        is_surname: surnames gradate as words do, and those in -i may bend on -e.
    """
    word = normal(name)
    before, hyphen, last = word.rpartition("-")
    bending = _bending(last, is_surname=is_surname)
    return frozenset(before + hyphen + one for one in bending)


def _bending(word: str, *, is_surname: bool) -> set[str]:
    if word.endswith("nen"):
        return {word, word[:-3] + "se", word[:-3] + "s"}
    found = {word}
    if word[-1:] in "aeiouyäöå":
        found |= _weak(word, _GRADED if is_surname else _DOUBLE)
        if is_surname and word.endswith("i"):
            found |= {one[:-1] + "e" for one in set(found) if one.endswith("i")}
        if word.endswith("e"):
            found.add(word + "e")
            found |= _strong(word)
    elif word.endswith("s"):
        found |= {word[:-1] + "kse", *_strong(word)}
    else:
        found.add(word + "i")
    return found


def _weak(word: str, pattern: re.Pattern[str]) -> set[str]:
    graded = pattern.fullmatch(word)
    if graded is None:
        return set()
    before, strong, vowel = graded.groups()
    return {before + WEAK_GRADES[strong] + vowel}


def _strong(word: str) -> set[str]:
    """Names in -as and -e whose grade grows: Kangas, Kankaan; Rinne, Rinteen."""
    found = {word[:-1] + word[-2]} if word.endswith(("as", "äs")) else set()
    if (growing := _GROWING.fullmatch(word)) is not None:
        before, weak, vowel, last = growing.groups()
        strong = STRONG_GRADES.get(weak, weak * 2)
        found.add(before + strong + (vowel * 2 if vowel else last * 2))
    return found
