"""How one kind of record of a provider's format is read: its fields, its identity, and what is not mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from kanta_gateway.intake.values import Reader

MAX_PROBLEMS = 10_000
"""Findings beside the records that one delivery tells; the others are counted."""
SHAPES = ("dates", "group", "inline", "list", "texts", "words")
"""Words of a field that are no kind of value."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a delivery says about itself."""

    as_of: date | None
    """The day of its own time stamp: deadlines are judged as of then."""
    created: str
    system: str
    id: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a delivery that cannot become a record."""

    finding: Finding


@dataclass(slots=True)
class Problems:
    """What could not become records in one delivery, so many of them that memory stays flat."""

    told: list[Finding] = field(default_factory=list)
    left: int = 0
    """How many more there were."""
    worst: Severity = Severity.INFO
    """Of those left off."""

    def add(self, finding: Finding) -> None:
        """Take one in."""
        if len(self.told) < MAX_PROBLEMS:
            self.told.append(finding)
        else:
            self.left += 1
            self.worst = max(self.worst, finding.severity)

    def findings(self) -> tuple[Finding, ...]:
        """Those that are told, and that there were more."""
        if not self.left:
            return tuple(self.told)
        return (*self.told, Finding("SRC-MORE", self.worst, "findings-left-off", "", {"count": str(self.left)}))


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of the provider's format is read."""

    name: str
    shape: str
    """A kind of value, or `dates`, `group`, `inline`, `list`."""
    target: str
    read: Reader | None
    options: Mapping[str, Any]
    is_needed: bool
    is_beside: bool
    """No content for sameness (`sameness: false`), such as when the row was reported (GEN-01)."""
    fields: Mapping[str, tuple[Field, ...]]
    types: tuple[str, ...] = ()
    """FHIR: the value is a reference, to a resource of one of these types."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of record is read."""

    type: str
    by: str
    """Field that tells the type; empty when it is always the same."""
    types: Mapping[str, str]
    id: str
    constant_id: str
    version: str
    status: str
    statuses: Mapping[str, bool]
    client: str
    """Field that holds the number of the client; empty where the delivery's structure tells."""
    key: tuple[str, ...]
    """Canonical fields that tell records apart where they have no id (GEN-06); the client stands before them."""
    constants: Mapping[str, Any]
    """Canonical fields whose value is always the same."""
    forms: frozenset[str]
    """Normalisations that are the format's own way of writing: not worth telling."""
    fields: Mapping[str, tuple[Field, ...]]
    dropped: frozenset[str]
    own: frozenset[str]
    is_row: bool
    is_whole: bool
    within: str
    """Canonical field that names the record around it; empty where that is the client."""
    is_of_client: bool
    """Whether it belongs to a client: without one it cannot be told whose it is."""
    is_subject: bool
    """Whether it tells of the subject itself, as a client record does."""
    is_reference: bool
    """Known to the gateway, never a document of the provider."""
    resource: str
    """FHIR: type of the resource that it is read from."""
    when: Mapping[str, tuple[str, ...]]
    """FHIR: path -> words of which one must stand there, in small letters; `word*` only begins it."""
    unless: Mapping[str, tuple[str, ...]]
    """FHIR: path -> words, none of which may stand there."""
    client_types: tuple[str, ...]
    """FHIR: types of the resources that the client's reference may lead to."""
    some_of: tuple[str, ...]
    """FHIR: canonical fields of which one must be there."""
    siblings: tuple[str, ...]
    """FHIR: types of the documents that the same resource can also become."""
    replaces: str
    """FHIR: path of the reference to what a resource replaces."""
    inside: Mapping[str, str]

    @property
    def is_keyed(self) -> bool:
        """Whether other content is a new state of a record: where nothing in the source could number its versions.

        A reference has states anyway: its newest counts.
        """
        return bool(self.key) or not (self.version or self.is_reference)

    @property
    def beside(self) -> frozenset[str]:
        """Canonical fields that are no content for sameness."""
        return frozenset(one.target for parts in self.fields.values() for one in parts if one.is_beside)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every field that it reads, in the order of the source file."""
        told = (self.id, self.client, self.by, self.version, self.status)
        return tuple(dict.fromkeys(filter(None, (*told, *self.fields))))

    @property
    def needed(self) -> frozenset[str]:
        """Canonical fields that must be there."""
        return frozenset(one.target for parts in self.fields.values() for one in parts if one.is_needed)

    @property
    def needed_columns(self) -> frozenset[str]:
        """The fields without which its records cannot be told apart or be read."""
        named = {column for column, parts in self.fields.items() if any(one.is_needed for one in parts)}
        return frozenset(named | set(filter(None, (self.id, self.by, self.client))))

    def only_carries(self, value: Mapping[str, Any]) -> bool:
        """Whether an object tells no more than whose the records inside it are: then it is none itself."""
        return bool(self.inside) and value.keys() <= self.inside.keys() | {self.id}
