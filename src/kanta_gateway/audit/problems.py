"""What a verification finds: table, place and kind of every fault.

* A fault is told once, at the place where it lies; what only follows from it is not told again.
* A list is cut at a fixed length, so that a ruined log does not fill the memory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PER_TABLE = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One place of the log that is not as it was written."""

    table: str
    """Table, or `checkpoint` for the one that was given."""
    place: str
    """Entry index or range, `level/index` of a node, size of a head or checkpoint, commitment of a name."""
    what: str
    """Key of the text in the message catalogue."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Values for the text."""


class Problems:
    """Collects faults."""

    def __init__(self) -> None:
        self._told: list[Problem] = []
        self._count: Counter[str] = Counter()

    def tell(self, table: str, place: object, what: str, **params: object) -> None:
        """Add one fault; beyond the limit of its table it is only counted."""
        self._count[table] += 1
        if self._count[table] <= MOST_PER_TABLE:
            told = {"table": table, "place": str(place)} | {key: str(value) for key, value in params.items()}
            self._told.append(Problem(table, str(place), what, told))

    def all(self) -> tuple[Problem, ...]:
        """Every fault told, and how many more there are."""
        more = [
            Problem(table, "", "audit-more", {"table": table, "count": str(count - MOST_PER_TABLE)})
            for table, count in sorted(self._count.items())
            if count > MOST_PER_TABLE
        ]
        return (*self._told, *more)
