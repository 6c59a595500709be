"""What of an answer is not even read, since its recipient would be shown nothing of it, or totals only.

* An answer without a list for the caller is refused before anything is read for it.
* Whoever is told totals only may ask neither for a client nor for a day: two totals would tell of one client.
* Of a list of clients those go whose service task the caller's task may not see (STM 457/2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kanta_gateway.errors import NotPermittedError
from kanta_gateway.model import Caller, Event
from kanta_gateway.pipeline.guard import Thing
from kanta_gateway.pipeline.sphere import is_operator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.pipeline.permits import Permits

T = TypeVar("T")


class Narrowing:
    """Narrows what is read for a caller."""

    def __init__(self, parts: Parts, office: Permits) -> None:
        self._views = parts.views
        self._office = office

    def check(self, caller: Caller, event: Event, answer: str) -> None:
        """Refuse an answer of which the caller would be shown nothing.

        Raises:
            NotPermittedError: no list of the answer is the caller's for this purpose.
        """
        if answer in self._views.answers and self._views.sight(answer, caller.role, caller.purpose) is None:
            self._refuse(caller, event, f"{caller.role}: no list of the answer {answer} for this purpose")

    def totals_of(self, caller: Caller, *, is_narrowed: bool) -> int:
        """How many clients a total has at least that the caller is told; 0 for one who is told client by client.

        Args:
            caller: who asks for figures.
            is_narrowed: whether it asks for some of them, or for another day than today.

        Raises:
            NotPermittedError: the question would tell of single clients, by itself or beside another one.
        """
        sight = self._views.sight("figures", caller.role, caller.purpose)
        if sight is None or not sight.totals_of:
            return 0
        if is_narrowed:
            reason = "the role is told totals only, as they are now; leave out client, day, law and explanation"
            self._refuse(caller, Event.FIGURES_READ, reason)
        return sight.totals_of

    def allowed(self, caller: Caller, event: Event, provider: str, clients: Sequence[str]) -> list[str]:
        """Of a list of clients those whose data the caller's task may see; a provider may see its own."""
        if is_operator(caller) or self._office.is_own_only(caller):
            return list(clients)
        decide = self._office.guard.decide
        return [one for one in clients if decide(caller, event, Thing(provider, client_ref=one)).allowed]

    def kept(
        self, caller: Caller, event: Event, things: Sequence[T], whose: Callable[[T], tuple[str, str | None]]
    ) -> list[T]:
        """Of a list those whose client's data the caller's task may see; what is about no client stays.

        Args:
            caller: who asks.
            event: for what.
            things: the list.
            whose: provider and client reference of one of them.
        """
        clients = {(provider, ref) for provider, ref in map(whose, things) if ref is not None}
        may = {
            (provider, ref)
            for provider in {owner for owner, _ in clients}
            for ref in self.allowed(caller, event, provider, [ref for own, ref in clients if own == provider])
        }
        return [one for one in things if whose(one)[1] is None or whose(one) in may]

    def _refuse(self, caller: Caller, event: Event, reason: str) -> None:
        self._office.deny(caller, event, "", (reason,))
        raise NotPermittedError(reason)
