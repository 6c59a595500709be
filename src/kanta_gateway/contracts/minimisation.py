"""What the controller instructs about values that a text need not hold: levels by class, and by field.

* A class that the contract does not name has the level of `mappings/privacy.yaml`.
* Codes, numbers and what tells where somebody lives can be masked or dropped only.
* A field's own level goes before the contract's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import AT_ONCE, CLASSES, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.contracts.mistakes import Mistakes
    from kanta_gateway.recordtypes import RecordTypes

Levels = dict[str, Level]


@dataclass(frozen=True, slots=True)
class Minimisation:
    """The instruction of one contract."""

    clause: str = ""
    """Where the contract says it."""
    levels: Mapping[str, Level] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], Mapping[str, Level]] = field(default_factory=dict)
    """(record type, field) -> levels of its own."""

    def of(self, record_type: str, name: str) -> Mapping[str, Level]:
        """What the contract says about one field.

        Args:
            record_type: type of the record.
            name: its field.
        """
        return {**self.levels, **self.fields.get((record_type, name), {})}


NOT_SAID = Minimisation()


def read_minimisation(mistakes: Mistakes, stated: Mapping[str, Any] | None, types: RecordTypes) -> Minimisation:
    """Read the section `minimisation` of a contract file.

    Args:
        mistakes: where mistakes are told.
        stated: the section; None where the contract has none.
        types: every record type.
    """
    if stated is None:
        return NOT_SAID
    if not isinstance(stated, dict):
        mistakes.say("minimisation", "expected keys and values")
        return NOT_SAID
    mistakes.keys("minimisation", stated, ("clause", "levels"), ("fields",))
    found: dict[tuple[str, str], Levels] = {}
    for number, one in enumerate(stated.get("fields", ()), 1):
        where = f"minimisation fields {number}"
        if not isinstance(one, dict):
            mistakes.say(where, "expected record, field and levels")
            continue
        mistakes.keys(where, one, ("record", "field", "levels"))
        record_type, name = str(one.get("record")), str(one.get("field"))
        if record_type not in types or name not in types[record_type].texts:
            mistakes.say(where, f"{record_type}.{name} is no free text of a record")
        found[record_type, name] = _levels(mistakes, where, one.get("levels", {}))
    levels = _levels(mistakes, "minimisation", stated.get("levels", {}))
    return Minimisation(str(stated.get("clause", "")), levels, found)


def _levels(mistakes: Mistakes, where: str, stated: Any) -> Levels:
    if not isinstance(stated, dict):
        mistakes.say(where, "levels: expected a class and its level")
        return {}
    found: Levels = {}
    for cls, level in stated.items():
        if cls not in CLASSES:
            mistakes.say(where, f"{cls} is no class; known: {', '.join(CLASSES)}")
        elif level not in set(Level):
            mistakes.say(where, f"{cls}: expected one of {', '.join(Level)}")
        elif cls in AT_ONCE and level not in {Level.MASK, Level.DROP}:
            mistakes.say(where, f"{cls}: can be masked or dropped only")
        else:
            found[cls] = Level(level)
    return found
