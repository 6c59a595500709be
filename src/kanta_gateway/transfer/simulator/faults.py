"""Faults that the simulated archive commits on demand, each with a rate and one seed for all."""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from kanta_gateway.errors import MisconfiguredError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Fault(StrEnum):
    """What can go wrong with an archive."""

    DOUBLE = "double"
    """Handles the message twice and answers the second time."""
    DOWN = "down"
    """503 before anything is read."""
    ERROR = "error-5xx"
    """500 before anything is kept."""
    LATE = "late"
    """Keeps it, answers after `LATE_SECONDS`."""
    LOSSY = "lossy"
    """Keeps it, then closes the connection without an answer."""
    OTHER = "other"
    """Keeps it, answers with the receipt of another document."""
    SLOW = "slow"
    """Answers after `SLOW_SECONDS`."""
    WRONG = "wrong"
    """Keeps it, answers with what is no acknowledgement."""


SLOW_SECONDS = 0.2
LATE_SECONDS = 6.0


class Faults:
    """Decides which fault strikes.

    Args:
        rates: fault -> share of messages, 0 to 1.
        seed: of the sequence.
    """

    def __init__(self, rates: Mapping[Fault, float], seed: int = 0) -> None:
        self._rates = dict(rates)
        self._random = Random(seed)  # noqa: S311 — faults shall repeat, not surprise

    @classmethod
    def parse(cls, told: Iterable[str], seed: int = 0) -> Faults:
        """Read `NAME` or `NAME=RATE`.

        Raises:
            MisconfiguredError: there is no such fault, or the rate is not between 0 and 1.
        """
        rates: dict[Fault, float] = {}
        for one in told:
            name, _, rate = one.partition("=")
            try:
                rates[Fault(name)] = float(rate or "1")
            except ValueError as error:
                names = ", ".join(Fault)
                raise MisconfiguredError(f"--fault takes NAME or NAME=RATE; names: {names}") from error
            if not 0 <= rates[Fault(name)] <= 1:
                raise MisconfiguredError(f"--fault {name} needs a rate from 0 to 1")
        return cls(rates, seed)

    def strike(self) -> frozenset[Fault]:
        """The faults of the next message."""
        return frozenset(fault for fault, rate in self._rates.items() if self._random.random() < rate)
