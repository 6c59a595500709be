"""The closed set of figure kinds that a contract file may use, with their parameters.

* A figure is told for each client, or once for all (`totals`); its name and its parts are the contract's.
* `records` says which record types count, `where` which facts they must have, `with` and `without` which rules
  must, or must not, have been found on them, `without_words` which word lists must not.
* Only records that are neither held nor refused count; with `waiting: true` only those, with `any_outcome` both.
* A sum that is told `where_recorded` is left out where no record tells its field.
* A figure made of others names figures that stand before it in the file.
* A new kind is a new line here and one function in `figures.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Derived:
    """A figure before it is told."""

    value: Decimal | int | str | Sequence[str] | None
    records: tuple[str, ...] = ()
    """Ids of the records behind it, in order of time."""


@dataclass(frozen=True, slots=True)
class FigureKind:
    """One kind of figure."""

    needed: Mapping[str, type] = field(default_factory=dict)
    """Parameters that must be there: name -> type."""
    optional: Mapping[str, type] = field(default_factory=dict)
    made_of: tuple[str, ...] = ()
    """Parameters that name other figures."""

    def parts(self, params: Mapping[str, Any]) -> Iterator[str]:
        """Names of the figures that a figure is made of."""
        return (str(params[name]) for name in self.made_of if name in params)


_RECORDS: Mapping[str, type] = {"records": list}
_CHOICE: Mapping[str, type] = {"where": dict, "with": list, "without": list, "without_words": list, "waiting": bool,
    "any_outcome": bool}  # fmt: skip
"""Which of the records count."""

FIGURE_KINDS: Mapping[str, FigureKind] = {
    "absence-days": FigureKind({}, {"benefit": str}),
    "attendance": FigureKind({"value": object}),
    "calendar-days": FigureKind(_RECORDS, _CHOICE),
    "coaching": FigureKind({"value": str}),
    "constant": FigureKind({"value": str}),
    "count": FigureKind(_RECORDS, _CHOICE),
    "days": FigureKind(_RECORDS, _CHOICE),
    "days-after-end": FigureKind(_RECORDS),
    "granted": FigureKind({"field": str}),
    "items": FigureKind({**_RECORDS, "field": str, "having": dict}, _CHOICE),
    "others": FigureKind({**_RECORDS, "than": str}, made_of=("than",)),
    "planned-hours": FigureKind(),
    "price": FigureKind(),
    "priced-days": FigureKind(_RECORDS, _CHOICE),
    "product": FigureKind(),
    "rolling-days": FigureKind({"limit": int, "months": int, "value": str}),
    "score": FigureKind({"value": str}),
    "service-amount": FigureKind({"amount": str, "value": str}),
    "service-days": FigureKind({"value": str}),
    "share": FigureKind({"of": str, "to": str}, made_of=("of", "to")),
    "sum": FigureKind({**_RECORDS, "field": str}, {**_CHOICE, "where_recorded": bool}),
    "times": FigureKind({"of": str, "by": str}, made_of=("of", "by")),
}
