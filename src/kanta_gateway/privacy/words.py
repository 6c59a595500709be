"""What the scanner looks for, compiled from `mappings/privacy.yaml`: shapes, marks and keys as data.

* Regular expressions are compiled once; a mistake in any of them stops the start, all told at once.
* Marks are the words that stand visibly in place of a masked value, by language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import AT_ONCE, CLASSES, Level
from kanta_gateway.privacy.special import Shapes
from kanta_gateway.stated import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_SPACED = r"[\s.\u2010-\u2015-]{0,2}"
"""What may stand between the characters of an account number."""


@dataclass(frozen=True, slots=True)
class Words:
    """The compiled data of the scanner."""

    marks: Mapping[str, str]
    """Class -> mark in the installation's language."""
    identity_code: re.Pattern[str]
    accounts: Mapping[str, re.Pattern[str]]
    """Country -> shape of its account numbers, to be matched where one may begin."""
    accounts_by_shape: frozenset[str]
    """Countries whose account numbers are masked also when their check digits are wrong."""
    telephones: tuple[re.Pattern[str], ...]
    not_telephone: re.Pattern[str]
    streets: tuple[re.Pattern[str], ...]
    """What looks like a street address; only for a client under turvakielto."""
    street_ends: tuple[tuple[str, ...], tuple[str, ...]]
    """Clear and other stems of streets: with a number after it such a word is an address, whosever it is."""
    street_before: frozenset[str]
    """Words that belong to a street's name and stand before it."""
    street_number: re.Pattern[str]
    street_exceptions: tuple[str, ...]
    postal_code: re.Pattern[str]
    untouched: frozenset[str]
    """Fields that hold codes and no free text."""
    names: frozenset[str]
    """Fields that hold a person's name: what looks like the client's address stays there."""
    client_groups: frozenset[str]
    client_keys: Mapping[str, str]
    """Key in a client's own group -> class: dropped for a client under turvakielto."""
    anywhere_keys: Mapping[str, str]
    levels: Mapping[str, Level]
    """Class -> what becomes of it where the contract does not say."""
    shapes: Shapes


def load_words(text: str, language: str) -> Words:
    """Compile the data file.

    Args:
        text: YAML text of `mappings/privacy.yaml`.
        language: `fi` or `sv`: language of the marks.

    Raises:
        MisconfiguredError: a mark is missing, a key is missing, or a pattern cannot be compiled.
    """
    data: dict[str, Any] = plain(text) or {}
    mistakes: list[str] = []
    compile_ = _Compiler(mistakes)
    try:
        words = Words(
            marks={cls: str(data["marks"][cls][language]) for cls in CLASSES},
            identity_code=compile_("identity_code", data["identity_code"]),
            accounts=_accounts(compile_, data),
            accounts_by_shape=frozenset(data["iban_by_shape"]),
            telephones=tuple(compile_("telephone", one) for one in data["telephone"]),
            not_telephone=compile_("not_telephone", data["not_telephone"]),
            streets=tuple(compile_("street", one) for one in _streets(data)),
            street_ends=(_ends(data["street_clear"]), _ends(data["street_others"])),
            street_before=frozenset(data["street_before"]),
            street_number=compile_("street_number", data["street_number"]),
            street_exceptions=tuple(data["street_exceptions"]),
            postal_code=compile_("postal_code", data["postal_code"]),
            untouched=frozenset(data["untouched"]),
            names=frozenset(data["names"]),
            client_groups=frozenset(data["client_groups"]),
            client_keys=data["client_keys"],
            anywhere_keys=data["anywhere_keys"],
            levels=_levels(mistakes, data["levels"]),
            shapes=_shapes(compile_, data),
        )
    except KeyError as error:
        raise MisconfiguredError(f"privacy data lacks {error}; add it to the data file") from error
    if mistakes:
        raise MisconfiguredError("privacy data: " + "; ".join(mistakes))
    return words


class _Compiler:
    """Compiles patterns and collects the names of those that do not."""

    def __init__(self, mistakes: list[str]) -> None:
        self._mistakes = mistakes

    def __call__(self, name: str, pattern: str) -> re.Pattern[str]:
        try:
            return re.compile(pattern)
        except re.error as error:
            self._mistakes.append(f"{name} is no regular expression: {error}")
            return re.compile(r"(?!)")


def _levels(mistakes: list[str], stated: Mapping[str, str]) -> dict[str, Level]:
    found: dict[str, Level] = {}
    for cls in CLASSES:
        level = stated.get(cls, "")
        if level not in set(Level) or (cls in AT_ONCE and level not in {Level.MASK, Level.DROP}):
            mistakes.append(f"levels: {cls} has no level that it can have")
        else:
            found[cls] = Level(level)
    return found


def _shapes(compile_: _Compiler, data: Mapping[str, Any]) -> Shapes:
    names = (
        "e_mail", "car_plate", "car_plate_letters", "car_plate_near", "old_account", "account_near", "diagnosis_code",
        "diagnosis_code_short", "diagnosis_near", "dose",
    )  # fmt: skip
    return Shapes(
        **{name: compile_(name, data[name]) for name in names},
        car_plate_exceptions=tuple(data["car_plate_exceptions"]),
        e_mail_signs=tuple(data["e_mail_signs"]),
    )


def _accounts(compile_: _Compiler, data: Mapping[str, Any]) -> dict[str, re.Pattern[str]]:
    return {
        str(country): compile_("iban_lengths", _iban(str(country), length, data["iban_digits"]))
        for country, length in data["iban_lengths"].items()
    }


def _ends(stems: str) -> tuple[str, ...]:
    """The stems of an alternation, without what a regular expression asks beside them."""
    return tuple(re.sub(r"\(\?.*?\)", "", one).strip() for one in stems.split("|"))


def _iban(country: str, length: int, digits_only: Collection[str]) -> str:
    rest = r"\d" if country in digits_only else r"[0-9A-Za-z]"
    return rf"[A-Za-z]{{2}}(?:{_SPACED}\d){{2}}(?:{_SPACED}{rest}){{{length - 4}}}(?![0-9A-Za-z])"


def _streets(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Clear street with a capital letter, clear street with a number, other street with both."""
    capital, word, ends, number = (
        r"(?<!\w)[A-ZÅÄÖ][^\W\d_]{2,40}?(?:-[^\W\d_]{1,40}?){0,3}",
        r"(?<!\w)[^\W\d_]{3,40}?",
        data["street_endings"],
        data["street_number"],
    )
    clear, others = data["street_clear"], data["street_others"]
    return (
        rf"{capital}-?(?:{clear}){ends}(?!\w)(?:{number})?",
        rf"{word}(?:{clear}){ends}(?!\w){number}",
        rf"{capital}-?(?:{others}){ends}(?!\w){number}",
    )
