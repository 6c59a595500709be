"""A purchaser's contract: products, rules and word lists, read from its file once and never changed.

* Every mistake of a file is told at once, before the process starts.
* A rule names its kind (the closed set of `kinds.py`), severity, clause and texts; limits stand on products.
* What no record lets anyone judge is listed as not judged, with the reason; it is never told to hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kanta_gateway.contracts.expected import NOTHING, Expected
from kanta_gateway.contracts.kinds import KINDS, Scope
from kanta_gateway.contracts.law import Inherited
from kanta_gateway.contracts.minimisation import NOT_SAID, Minimisation
from kanta_gateway.contracts.words import Titles, WordList
from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.contracts.attendance import Attendance
    from kanta_gateway.contracts.products import Product
    from kanta_gateway.contracts.scales import Scale
    from kanta_gateway.contracts.terms import NoticeTerms
    from kanta_gateway.contracts.unjudged import Elsewhere, NotJudged, NotSoftware
    from kanta_gateway.recordtypes import RecordTypes


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
    unless: frozenset[str] = frozenset()
    """Rules that tell the same thing: what they have told of a field is not told again."""
    unless_words: frozenset[str] = frozenset()
    """Word lists that take a record out of the rule."""
    is_clock: bool = False
    """Told as a deadline only (`tells: clock`), never as a finding on a record."""
    duty: Mapping[str, str] = field(default_factory=dict)
    """Name of the text for not done, or nothing for any -> key of the text that says what is due."""
    same_as: frozenset[str] = frozenset()
    """Rules of the law that it tells the same as (`covers`)."""
    unless_means: frozenset[str] = frozenset()
    """Meanings of the word lists that take a record out of the rule: a file of law knows no contract's words."""
    may_be_elsewhere: bool = False
    """Whether a contract may give the duty to somebody whose records do not come here."""
    file: str = ""
    """The contract or law that it stands in."""
    place: int = -1
    """Its place in that file."""

    @property
    def can_block(self) -> bool:
        """Whether it can hold or refuse a record, so that the record counts in nothing."""
        return self.severity >= Severity.HOLD or KINDS[self.kind].may_hold

    @property
    def is_special(self) -> bool:
        """Whether the rule is in force for a part of time only, spares some records, or yields to others."""
        return bool(self.valid_from or self.valid_to or self.unless or self.unless_words)

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
    rules: tuple[str, ...] = ()
    """Rules that it carries out, where no finding does."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What is compared with what, day by day, before an invoice is accepted."""

    attended: tuple[str, ...]
    """Record types that tell of a day on which something happened."""
    absent: tuple[str, ...]
    """Record types that tell of a day on which the client was away."""
    invoiced: str
    """Field of an attended record that is filled when the provider has put it on its invoice."""
    lines: str
    """Figure whose records are the lines of the invoice."""
    to_check: str
    """Figure whose records are lines that the purchaser has to accept first."""
    rule: str
    clause: str


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
    delivered: str = ""
    """Name of the group that tells how many resources of each type were delivered; empty where none does."""
    reconciliation: Reconciliation | None = None
    """None where nothing is compared."""
    scale: Scale | None = None
    """Of a review; None where the contract knows none."""
    words: tuple[WordList, ...] = ()
    titles: Titles = field(default_factory=Titles)
    not_judged: tuple[NotJudged, ...] = ()
    development_parties: Parties | None = None
    take: Mapping[str, str] = field(default_factory=dict)
    """Source -> `good-rows` or `all-or-nothing`, where the contract says otherwise than the source."""
    attendance: Attendance | None = None
    """What the marks of a month's sheet mean; None where there are no such sheets."""
    author_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Record type that names no author -> types of the client's records whose author it takes: of the same day, else
    of the latest before."""
    not_software: tuple[NotSoftware, ...] = ()
    expected: Expected = NOTHING
    """Which records are expected of every day or month (`completeness`)."""
    minimisation: Minimisation = NOT_SAID
    """What becomes of values that a text need not hold."""
    delivery_months: int = 24
    """How long after its end own records of the contract's time are still taken (`delivery_window_months`)."""
    makes: frozenset[str] = frozenset()
    """Reference records that become documents, since the authority asks for its own (`makes`)."""
    notices: tuple[NoticeTerms, ...] = ()
    """Which notices the purchaser wants, who gives each, and how."""
    inherits: tuple[str, ...] = ()
    """Files of law whose rules hold beside its own."""
    elsewhere: tuple[Elsewhere, ...] = ()
    law: Inherited = field(default_factory=Inherited)
    """What it has of them: empty until `library.load` has put the files together."""

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

    def asked_of(self, record_type: str, product: str) -> list[Rule]:
        """The rules of one record, with those that tell a deadline only; a reference has those that name its type."""
        is_reference = self.types[record_type].is_reference
        return [rule for rule in self.of(Scope.RECORD, record_type, product) if rule.records or not is_reference]

    def parted(self, record_type: str, product: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
        """The rules of one record: those that can hold or refuse it, and the others.

        Args:
            record_type: type of the record.
            product: code of the product; empty when the record has none.
        """
        rules = [rule for rule in self.asked_of(record_type, product) if not rule.is_clock]
        return (
            tuple(rule for rule in rules if rule.can_block),
            tuple(rule for rule in rules if not rule.can_block),
        )

    @property
    def kinds(self) -> frozenset[str]:
        """Every key of the message catalogue that judging by this contract can need."""
        return frozenset(text for rule in self.rules for text in (*rule.texts.values(), *rule.duty.values()))

    @cached_property
    def not_realised(self) -> frozenset[str]:
        """Word lists that make an attended day none."""
        return frozenset(one.name for one in self.words if one.means == "not-realised")

    @cached_property
    def not_absent(self) -> frozenset[str]:
        """Word lists that make an absence none."""
        return frozenset(one.name for one in self.words if one.means == "not-absent")

    @cached_property
    def asked(self) -> Mapping[str, frozenset[str]]:
        """Record type -> fields of which a rule asks whether they are filled."""
        found: dict[str, set[str]] = {}
        for rule in self.rules:
            for name in KINDS[rule.kind].asks:
                value = rule.params.get(name, ())
                grants = {kind for kind, one in self.types.items() if one.grants}
                for kind in grants if KINDS[rule.kind].scope is Scope.DECISION else rule.records:
                    found.setdefault(kind, set()).update([value] if isinstance(value, str) else value)
        return {kind: frozenset(names) for kind, names in found.items()}

    @cached_property
    def _by_decision(self) -> Mapping[tuple[str, object], Product]:
        return {(service, product.number): product for product in self.products for service in product.services}

    @cached_property
    def _selected(self) -> dict[tuple[Scope, str, str | None], tuple[Rule, ...]]:
        return {}
