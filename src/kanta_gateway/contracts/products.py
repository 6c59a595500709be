"""What a contract sells: products with their limits and the prices of their days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """What one product allows; None where the contract sets no limit."""

    age: tuple[int, int] | None = None
    """Youngest and oldest age in years, both allowed."""
    months: tuple[int | None, int | None] = (None, None)
    """Shortest and longest period in calendar months."""
    days_per_week: tuple[int, int] | None = None
    hours_per_day: tuple[Decimal, Decimal] | None = None
    group: tuple[int, int] | None = None
    """Smallest and largest group, in clients."""
    hours: Decimal | None = None
    """Most hours of the whole service."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one realised day of a product costs, and when."""

    amount: Decimal
    """In euros."""
    valid_from: str = ""
    valid_to: str = ""

    def covers(self, day: str) -> bool:
        """Whether the price holds on a day."""
        return self.valid_from <= day and (not self.valid_to or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the contract."""

    code: str
    family: str
    """Class of products whose rules are alike, such as KT."""
    number: int | None
    """Number in a decision that grants it; None where decisions name the service alone."""
    name: str
    services: frozenset[str]
    """Names of the service in a decision, in small letters."""
    service_task: str
    """Key in the code list of service tasks."""
    service: str
    """Key in the code list of social services."""
    is_remote: bool
    """Carried out remotely by its nature, so that no share of remote service is judged."""
    limits: Limits
    prices: tuple[Price, ...] = ()
    service_type: str = ""
    """Type of service by law, whose rules it inherits; empty where the law has none."""

    def price(self, day: str) -> Decimal | None:
        """The price of a realised day, or None if none is agreed on for it."""
        return next((one.amount for one in self.prices if one.covers(day)), None)
