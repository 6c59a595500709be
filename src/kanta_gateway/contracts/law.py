"""What the law says beside any contract: dated types of service, reasons for absence, amounts, and rules for each type.

* A file of law is no purchaser's contract: contract files inherit it, and say which type of service each product is.
* Everything in it is dated; a day is judged by what was in force on it. A type of service that is repealed may name
  its successor: from then on the rules of the successor hold for its products.
* What a contract's own rule tells of a field (`covers`) is not told again by the law's; where the contract is silent,
  because it is laxer, the law speaks.

Source: each file names its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kanta_gateway.contracts.calendar import later

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kanta_gateway.contracts.products import Price
    from kanta_gateway.contracts.rules import FigureRule, Rule
    from kanta_gateway.contracts.unjudged import Elsewhere, NotJudged, NotSoftware


@dataclass(frozen=True, slots=True)
class ServiceType:
    """One type of service that the law knows."""

    name: str
    act: str
    """The act and section that it rests on."""
    organiser: str
    """Who arranges it: a wellbeing services county, or an employment area."""
    valid_from: str = ""
    valid_to: str = ""
    """Last day; empty while nothing has repealed it."""
    successor: str = ""
    """Type whose rules hold for its products from the next day on."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one reason for absence means for the unemployment benefit, and when."""

    key: str
    benefit: bool
    """Whether the benefit is paid for such a day."""
    is_absence: bool = True
    """False for a day on which the client need not have come."""
    most_workdays: int | None = None
    """Most working days at a time."""
    certificate_after_days: int | None = None
    """Calendar days after which a certificate is needed."""
    valid_from: str = ""
    valid_to: str = ""

    def covers(self, day: str) -> bool:
        """Whether it is in force on a day."""
        return self.valid_from <= day and (not self.valid_to or day <= self.valid_to)


@dataclass(frozen=True, eq=False)
class Law:
    """One file of law; loaded once, so equal only to itself."""

    name: str
    source: str
    services: Mapping[str, ServiceType]
    rules: tuple[Rule, ...]
    """`products` of each are types of service."""
    figures: tuple[FigureRule, ...] = ()
    reasons: tuple[Reason, ...] = ()
    amounts: Mapping[str, tuple[Price, ...]] = field(default_factory=dict)
    not_judged: tuple[NotJudged, ...] = ()
    not_software: tuple[NotSoftware, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """Every rule id that it names."""
        judged = {one.id for one in self.rules} | {name for one in self.figures for name in one.rules}
        return frozenset(
            judged | {one.rule for one in self.not_judged} | {one.rule for one in self.not_software}
        )  # fmt: skip

    def stretches(self, service: str) -> Iterator[tuple[str, str, str]]:
        """Which type's rules hold for products of a type, and from when to when.

        Args:
            service: the type that a contract names for its product.
        """
        seen: set[str] = set()
        start = ""
        while service in self.services and service not in seen:
            one = self.services[service]
            yield service, max(start, one.valid_from), one.valid_to
            if not one.valid_to:
                return
            seen.add(service)
            start, service = later(one.valid_to, 1), one.successor


@dataclass(frozen=True, eq=False)
class Inherited:
    """What one contract has of the law."""

    laws: tuple[Law, ...] = ()
    covered: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """Rule id of the law -> rule ids and texts of the contract that tell the same."""
    figures: tuple[FigureRule, ...] = ()
    """With the contract's products in place of types of service."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Duties that the contract gives to somebody whose records do not come here."""
    applied: frozenset[str] = frozenset()
    """Rule ids that hold for some product of the contract."""

    def reason(self, key: object, day: str) -> Reason | None:
        """What a reason for absence means on a day; None if the law has no such reason then."""
        found = (one for law in self.laws for one in law.reasons if one.key == key and one.covers(day))
        return next(found, None)

    def amount(self, name: str) -> tuple[Price, ...]:
        """The dated amounts of one name."""
        return next((law.amounts[name] for law in self.laws if name in law.amounts), ())
