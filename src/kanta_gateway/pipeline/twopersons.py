"""Acts that take two persons: whether whoever acts now is whoever acted first.

* The same identifier or the same name is one person, whichever organisation is told with it.
* By local commands, which believe whom `--as` names, one account of the machine is one person too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanta_gateway.model import Caller

OTHER = "signed in with an account of its own or over the API"
"""How the other person acts."""


def same(first: Mapping[str, str], caller: Caller) -> str:
    """What a caller has in common with whoever acted first, in words; empty for another person.

    Args:
        first: `person_id`, `name` and, of a local command, `account` of that person.
        caller: who acts now.
    """
    both = {
        "identifier": (first["person_id"], caller.person_id), "name": (first["name"], caller.person_name),
        "account of the machine": (first.get("account", ""), caller.account),
    }  # fmt: skip
    return next((what for what, (one, other) in both.items() if one and _plain(one) == _plain(other)), "")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
