"""A purchaser's contract: products, rules and word lists, read from its file once and never changed.

* Every mistake of a file is told at once, before the process starts.
* A rule names its kind (the closed set of `kinds.py`), severity, clause and texts; limits stand on products.
* What no record lets anyone judge is listed as not judged, with the reason; it is never told to hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.kinds import KINDS, Scope
from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from kanta_gateway.contracts.scales import Scale
    from kanta_gateway.recordtypes import RecordTypes


@dataclass(frozen=True, slots=True)
class Limits:
    """What one product allows; None where the contract sets no limit."""

    age: tuple[int, int] | None = None
    """Youngest and oldest age in years, both allowed."""
    months: tuple[int | None, int | None] = (None, None)
    """Shortest and longest period in calendar months."""
    days_per_week: tuple[int, int] | None = None
    hours_per_day: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the contract."""

    code: str
    family: str
    """Class of products whose rules are alike, such as KT."""
    number: int
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


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the contract."""

    id: str
    kind: str
    severity: Severity
    clause: str
    texts: Mapping[str, str]
    """Name of the text within the kind -> key of the message catalogue."""
    records: frozenset[str]
    """Record types it is about; empty for every record that is no reference, and for rules about a whole."""
    products: frozenset[str]
    """Codes of the products it is about; empty for every record, with or without a product."""
    params: Mapping[str, Any] = field(default_factory=dict)
    valid_from: str = ""
    valid_to: str = ""
    is_clock: bool = False
    """Told as a deadline only (`tells: clock`), never as a finding on a record."""

    @property
    def can_block(self) -> bool:
        """Whether it can hold or refuse a record, so that the record counts in nothing."""
        return self.severity >= Severity.HOLD or KINDS[self.kind].may_hold

    @property
    def is_dated(self) -> bool:
        """Whether the rule is in force for a part of time only."""
        return bool(self.valid_from or self.valid_to)

    def covers(self, day: str) -> bool:
        """Whether the rule is in force on a day."""
        return self.valid_from <= day and (not self.valid_to or day <= self.valid_to)

    def finding(self, text: str, pointer: str = "", severity: Severity | None = None, **params: object) -> Finding:
        """What the rule says about a record that breaks it.

        Args:
            text: name of the text within the kind.
            pointer: the field it is about.
            severity: another severity than the rule's own.
            params: limits, dates and field names for the text.
        """
        return Finding(
            self.id,
            self.severity if severity is None else severity,
            self.texts[text],
            pointer,
            {name: str(value) for name, value in params.items()},
            self.clause,
        )


@dataclass(frozen=True, slots=True)
class FigureRule:
    """One figure of the contract: its name, and how it is derived."""

    name: str
    kind: str
    """A kind of `figurekinds.py`."""
    products: frozenset[str]
    """Codes of the products it is told for; empty for all."""
    clause: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WordList:
    """Stems looked for in free text; only that one was found is kept as a fact."""

    name: str
    stems: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    """Record type -> fields that are looked through."""


@dataclass(frozen=True, slots=True)
class Titles:
    """Words of job titles that name a degree (LAP-25)."""

    registered: tuple[str, ...] = ()
    """Degrees of social and health care, whose holder has a registration number."""
    unregistered: tuple[str, ...] = ()
    """Other suitable degrees."""
    unsuitable: tuple[str, ...] = ()
    """Degrees of other fields. A title with no degree at all is not judged."""


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule, or a part of one, that no record lets anyone judge."""

    rule: str
    reason: Mapping[str, str]
    """By language."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who delivers to whom where a delivery does not say it: outside production only."""

    provider: Mapping[str, Any]
    """Content of the provider record: oid, name, units."""
    organiser: Mapping[str, str]
    """oid and name."""
    number: str
    """Contract number."""


@dataclass(frozen=True, eq=False)
class Contract:
    """One purchaser's contract; loaded once, so equal only to itself."""

    name: str
    source: str
    types: RecordTypes
    products: tuple[Product, ...]
    rules: tuple[Rule, ...]
    figures: tuple[FigureRule, ...] = ()
    """In the order in which they are told."""
    totals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of a group -> figures that are summed over all clients."""
    scale: Scale | None = None
    """Of a review; None where the contract knows none."""
    words: tuple[WordList, ...] = ()
    titles: Titles = Titles()
    not_judged: tuple[NotJudged, ...] = ()
    development_parties: Parties | None = None
    author_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Record type that names no author -> types of the client's records whose author it takes: of the same day, else
    of the latest before."""

    @classmethod
    def load(cls, text: str, name: str, types: RecordTypes) -> Contract:
        """Read a contract file.

        Args:
            text: its YAML text.
            name: the file's name, for messages.
            types: every record type.

        Raises:
            MisconfiguredError: the file is wrong; every mistake is told.
        """
        from kanta_gateway.contracts.reader import read  # noqa: PLC0415 — the reader builds what stands here

        return read(text, name, types)

    def product(self, decision: Mapping[str, Any]) -> Product | None:
        """The product that a decision grants, or None if the contract has no such product.

        Args:
            decision: facts or content of the decision (`service`, `product_number`).
        """
        service = " ".join(str(decision.get("service", "")).split()).casefold()
        return self._by_decision.get((service, decision.get("product_number")))

    def mapping_product(self, decision: Mapping[str, Any]) -> dict[str, str]:
        """What a mapping reads about the product of a decision; empty if the contract has no such product.

        Args:
            decision: facts or content of the decision.
        """
        product = self.product(decision)
        if product is None:
            return {}
        return {
            "code": product.code,
            "class": product.family,
            "service_task": product.service_task,
            "service": product.service,
            "name": product.name,
        }

    def of(self, scope: Scope, record_type: str = "", product: str | None = None) -> tuple[Rule, ...]:
        """The rules of one scope for one record type and product.

        Args:
            scope: what the rules look at.
            record_type: type of the record; empty for rules about a whole.
            product: code of the product; empty when the record has none; None for rules of every product.
        """
        key = (scope, record_type, product)
        if (have := self._selected.get(key)) is None:
            have = self._selected[key] = tuple(
                rule
                for rule in self.rules
                if KINDS[rule.kind].scope is scope
                and (not record_type or not rule.records or record_type in rule.records)
                and (product is None or not rule.products or product in rule.products)
            )
        return have

    def parted(self, record_type: str, product: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
        """The rules of one record: those that can hold or refuse it, and the others.

        Args:
            record_type: type of the record.
            product: code of the product; empty when the record has none.
        """
        is_reference = self.types[record_type].is_reference
        rules = [
            rule
            for rule in self.of(Scope.RECORD, record_type, product)
            if not rule.is_clock and (rule.records or not is_reference)
        ]
        return (
            tuple(rule for rule in rules if rule.can_block),
            tuple(rule for rule in rules if not rule.can_block),
        )

    @property
    def kinds(self) -> frozenset[str]:
        """Every key of the message catalogue that judging by this contract can need."""
        return frozenset(text for rule in self.rules for text in rule.texts.values())

    @cached_property
    def _by_decision(self) -> Mapping[tuple[str, object], Product]:
        return {(service, product.number): product for product in self.products for service in product.services}

    @cached_property
    def _selected(self) -> dict[tuple[Scope, str, str | None], tuple[Rule, ...]]:
        return {}
