"""Finnish identity codes: birth date, sex and check character of a `DDMMYY?NNNC` code.

* The intermediate character tells the century: `+` 1800, `-YXVWU` 1900, `ABCDEF` 2000.
* The check character is the remainder by 31 of the nine digits.
* An odd individual number is a man's, an even one a woman's; 002 is the lowest.
* Individual numbers 900 to 999 are temporary codes and test persons, never a person's own code.

Source: Government decree 690/2022 on the amendment of the population information decree, §2;
check alphabet and marks as in the archive's own validation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

CHECK_CHARACTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
"""Remainder by 31 -> check character; letters that look like digits are left out."""

CENTURIES = {"+": 1800, **dict.fromkeys("-YXVWU", 1900), **dict.fromkeys("ABCDEF", 2000)}

_SHAPE = re.compile(r"(\d\d)(\d\d)(\d\d)([-+YXVWUA-F])(\d{3})([0-9A-FHJ-NPR-Y])", re.ASCII)

SEX_MALE, SEX_FEMALE = "1", "2"
"""Codes of sex as the archive's header has them."""


@dataclass(frozen=True, slots=True)
class IdentityCode:
    """A valid identity code and what it tells."""

    text: str
    birth_date: date
    sex: str
    """`1` male, `2` female."""
    is_temporary: bool
    """Individual number 900 to 999: a temporary code or a test person."""


def identity_code(text: str) -> IdentityCode | None:
    """The identity code that the text is, or None when it is not a valid one."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    day, month, year, mark, individual, check = shape.groups()
    born = birth_date(day, month, year, mark)
    if born is None or int(individual) < 2:
        return None
    if check_character(day + month + year + individual) != check:
        return None
    return IdentityCode(text, born, SEX_MALE if int(individual) % 2 else SEX_FEMALE, int(individual) >= 900)


def birth_date(day: str, month: str, year: str, mark: str) -> date | None:
    """The day of birth that the first seven characters tell, or None when there is no such day."""
    try:
        return date(CENTURIES[mark] + int(year), int(month), int(day))
    except ValueError:
        return None


def check_character(digits: str) -> str:
    """The check character of the nine digits (day, month, year, individual number)."""
    return CHECK_CHARACTERS[int(digits) % 31]
