"""How much one person may read in a time, by role: what is beyond it is not a task but a collection.

Knowledge: `mappings/policy/limits.yaml`. Source: 906/2019 §23 (abnormal searching), 703/2023 §9.1 (necessity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from kanta_gateway.shapes import WHOLE, Keys, Named, shaped
from kanta_gateway.stated import Lined, Mistakes, read

_LIMITS = Keys({"minutes": WHOLE, "others": WHOLE}, {"reads": Named(WHOLE)})


@dataclass(frozen=True, slots=True)
class Limits:
    """Reads in a time, by role."""

    window: timedelta
    reads: Mapping[str, int]
    others: int

    @classmethod
    def load(cls, text: str) -> Limits:
        """Read the file.

        Raises:
            MisconfiguredError: it is not of its shape, or a number is below one; all mistakes at once.
        """
        mistakes = Mistakes("policy/limits.yaml")
        data: Lined = shaped(read(text, mistakes) or Lined(), _LIMITS, mistakes)
        reads = data.get("reads", Lined())
        for place, name in ((data, "minutes"), (data, "others"), *((reads, name) for name in reads)):
            if place[name] < 1:
                mistakes.say(place.at(name), f"{name}: expected a number from 1, found {place[name]}")
        mistakes.end()
        return cls(timedelta(minutes=data["minutes"]), {str(k): v for k, v in reads.items()}, data["others"])

    def of(self, role: str) -> int:
        """How many reads a role may make in the time."""
        return self.reads.get(role, self.others)
