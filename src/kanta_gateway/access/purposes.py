"""Purposes of use, read from a file: what each is, and with which rows of the table and which roles it goes; pure.

* A purpose that is not in the list is none: the refusal tells the list.
* A known purpose that does not go with the role, or with the row that was found, is refused in the same way.

Source: 703/2023 §10.2 (purpose of each use), GDPR 5(1)(b); list: `mappings/policy/purposes.yaml`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kanta_gateway.messages import LANGUAGES
from kanta_gateway.shapes import FLAG, TEXT, WORD, Keys, ListOf, Named, shaped
from kanta_gateway.stated import Lined, Mistakes, read

_PURPOSE = Keys(
    {"text": Keys(dict.fromkeys(LANGUAGES, TEXT)), "rows": ListOf(WORD), "roles": ListOf(WORD)},
    {"outside_production": FLAG},
)
_FILE = Keys({"purposes": Named(_PURPOSE)})


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose of use."""

    name: str
    text: Mapping[str, str]
    """What it is, by language."""
    rows: frozenset[str]
    """Rows of the decision table that it goes with."""
    roles: frozenset[str]


class Purposes:
    """Every purpose of one installation."""

    def __init__(self, known: Mapping[str, Purpose]) -> None:
        self.known = known

    @classmethod
    def load(
        cls, text: str, rows: Collection[str], roles: Collection[str] | None = None, *, is_production: bool = False
    ) -> Purposes:
        """Read `mappings/policy/purposes.yaml`.

        Args:
            text: the YAML text.
            rows: ids of the rows of the table.
            roles: names of the roles that there are; None where they are not at hand.
            is_production: purposes that are for development only are left out.

        Raises:
            MisconfiguredError: the file is wrong, or names what there is not; all mistakes at once.
        """
        mistakes = Mistakes("policy/purposes.yaml")
        data: Lined = shaped(read(text, mistakes) or Lined(), _FILE, mistakes)
        found: dict[str, Purpose] = {}
        for name, one in data.get("purposes", Lined()).items():
            known = (("rows", rows), ("roles", roles))
            for word, there in known:
                for unknown in sorted(set(one.get(word, ())) - set(there)) if there is not None else ():
                    mistakes.say(one.at(word), f"{name}: there is no {word[:-1]} {unknown}")
            if not (is_production and one.get("outside_production")):
                found[str(name)] = Purpose(
                    str(name), dict(one["text"]), frozenset(one.get("rows", ())), frozenset(one.get("roles", ()))
                )  # fmt: skip
        mistakes.end()
        return cls(found)

    def fits(self, purpose: str, role: str, row: str = "") -> bool:
        """Whether a purpose is known, and goes with a role and with a row; without a row, with any."""
        one = self.known.get(purpose)
        return one is not None and role in one.roles and (not row or row in one.rows)

    def of(self, role: str, row: str = "") -> tuple[str, ...]:
        """Every purpose that goes with a role, and with a row where one is named."""
        return tuple(sorted(name for name in self.known if self.fits(name, role, row)))
