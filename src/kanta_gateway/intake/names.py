"""A person's name that a provider writes in one text, as given names and surname."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kanta_gateway.intake.values import MAX_NAME, Reading, text

_BEHIND = re.compile(r"\s*\([^()]*\)\s*$")
"""A degree or a role in parentheses."""


def person(value: Any, options: Mapping[str, Any]) -> Reading:
    """A name in one piece: the last word is the surname, the first where `order` says so, or one before a comma.

    What stands behind a whole name in parentheses or behind a comma (a degree, a role) is no part of it.
    """
    if (reading := text(value, {"limit": MAX_NAME})).value is None:
        return reading
    bare, _comma, behind = (one.strip() for one in _BEHIND.sub("", str(reading.value)).partition(","))
    if behind and " " not in bare:
        surname, given_names = bare, behind
    elif options.get("order") == "surname-first":
        surname, _blank, given_names = bare.partition(" ")
    else:
        given_names, _blank, surname = bare.rpartition(" ")
    return Reading({"given_names": given_names.strip(), "surname": surname} if given_names else {"surname": surname})
