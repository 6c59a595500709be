"""Everything that is kept for a time only, and what its end does: one step of the worker, or one command."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.aging import Aging
from kanta_gateway.pipeline.destroying import Destroyer
from kanta_gateway.pipeline.keeping import Keeping
from kanta_gateway.pipeline.oblivion import Oblivion
from kanta_gateway.pipeline.samepeople import complete
from kanta_gateway.pipeline.spent import destroy_spent
from kanta_gateway.pipeline.supervised import destroy_supervision

if TYPE_CHECKING:
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.pipeline.shelf import Shelf


class Retention:
    """The ends of what is kept.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        grace_days: how long content stays readable after the archive's receipt.
        shelf: logs that were handed over.
    """

    def __init__(self, parts: Parts, office: Office, grace_days: int, shelf: Shelf) -> None:
        self._parts = parts
        self._office = office
        self._grace_days = grace_days
        self._done_on: date | None = None
        self.aging = Aging(parts, office, shelf)
        self.keeping = Keeping(parts, office)
        self.oblivion = Oblivion(parts)
        self.destroyer = Destroyer(parts, office, self.oblivion)

    def step(self, caller: Caller) -> dict[str, int]:
        """Remind, and destroy whatever has had its time, of what was delivered one batch; how many of each."""
        told = destroy_spent(self._parts, caller, self._grace_days) | {"log": self.aging.purge()["rows"]}
        today = self._parts.now().date()
        if self._done_on != today:  # what is counted in days is looked at once a day
            told |= {
                "reminded": self.keeping.remind(caller),
                "returned": self.keeping.destroy_returned(caller),
                "reference": self.keeping.destroy_reference(caller),
                "handed": self.aging.purge_handed(caller)["rows"],
            }
            seen = destroy_supervision(self._parts, caller)
            told |= {name: seen[name] for name in ("grants", "cases")}
            complete(self._parts)
            self._done_on = today
        return told | {"keys": self.oblivion.carry()}

    def run(self, caller: Caller) -> dict[str, int]:
        """The same because a person asks for it, until nothing is left that has had its time."""
        self._office.permit(caller, Event.DOCUMENT_DESTROY_KEY, provider=None)
        self._done_on = None
        told = Counter[str]()
        while any((found := self.step(caller)).values()):
            told.update(found)
        return dict(told)

    def terms(self, begun: date | None, language: str) -> list[dict[str, Any]]:
        """How long what is kept; with a day also when that ends for what began on it."""
        terms = self._parts.terms
        return [
            {
                "kind": one.id, "name": one.names[language], "from": one.since, "years": one.years,
                "months": one.months, "days": one.days, "source": one.source,
                **({} if begun is None else {"ends": one.ends(begun).isoformat()}),
            }
            for one in (*terms.documents.values(), *terms.own.values())
        ]  # fmt: skip
