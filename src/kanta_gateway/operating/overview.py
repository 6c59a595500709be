"""What an operator looks at day by day: how much waits where, what is due when, what is lacking."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from kanta_gateway.contracts.deadlines import ClockState
from kanta_gateway.model import Caller
from kanta_gateway.notices import store as notices
from kanta_gateway.pipeline import board
from kanta_gateway.pipeline.accesses import Accesses
from kanta_gateway.pipeline.deadlines import Asked
from kanta_gateway.pipeline.office import Office
from kanta_gateway.pipeline.parts import Parts
from kanta_gateway.pipeline.rights import Rights
from kanta_gateway.spool import disclosures, records, store


class Overview:
    """The state of one installation."""

    def __init__(self, parts: Parts, office: Office, accesses: Accesses, rights: Rights, language: str) -> None:
        self._parts = parts
        self._office = office
        self._accesses = accesses
        self._rights = rights
        self._language = language

    def status(self) -> dict[str, Any]:
        """Counts by state, and the oldest document that waits."""
        with self._parts.database.reading() as tx:
            return {
                "records": records.counts(tx), "documents": store.counts(tx), "oldest_waiting": store.oldest(tx),
                "notices": notices.counts(tx), "disclosures": disclosures.counts(tx),
                "break_glass": self._accesses.break_glass.status(), "requests": self._rights.clocks(),
            }  # fmt: skip

    def due(
        self, caller: Caller, as_of: date | None, client: str | None, contract: str | None,
        states: Collection[ClockState],
    ) -> dict[str, Any]:  # fmt: skip
        """What is due when, and what is lacking."""
        asked = Asked(as_of or self._office.today, self._language, client, contract, states)
        return {
            "deadlines": self._office.deadlines(caller, asked),
            "completeness": self._office.completeness(caller, asked),
        }

    def board(self, told: Mapping[str, Any]) -> Iterator[str]:
        """Deadlines and lacking records as lines for a person.

        Args:
            told: what `due` gave.
        """
        messages, language = self._parts.messages, self._language
        yield from board.deadlines(told["deadlines"], messages, language)
        yield from board.completeness(told["completeness"], messages, language)
