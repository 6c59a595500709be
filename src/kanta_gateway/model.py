"""Domain values that travel from stage to stage: findings, records, document trees, signed documents.

* Every value is frozen; a change makes a new value.
* Time is always aware; a naive datetime is refused.
* Record types, structures and rules are names that come from files, so they are plain strings here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, NewType

Oid = NewType("Oid", str)
Sha256Hex = NewType("Sha256Hex", str)
ClientRef = NewType("ClientRef", str)
"""Keyed reference of one client of one provider: tells nothing without the key."""

Content = Mapping[str, Any]
"""The fields of one canonical record: JSON values, numbers as int or Decimal."""

MAX_VERSION = 1_000_000
"""The highest version of a record; what replaces a record of another id counts on from the next multiple."""


class Severity(IntEnum):
    """How a finding weighs; a record's outcome is the worst of its findings."""

    INFO = 0
    FLAG = 1
    HOLD = 2
    REFUSE = 3

    @property
    def word(self) -> str:
        """The word used on the wire and in contract files."""
        return self.name.lower()


class Outcome(StrEnum):
    """What became of one delivered record (vocabulary of the import result)."""

    ACCEPTED = "accepted"
    CANCELLATION = "cancellation"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"
    FLAGGED = "flagged"
    HELD = "held"
    REFERENCE = "reference"
    REFUSED = "refused"
    REPLACED = "replaced"
    REPLACEMENT = "replacement"

    @property
    def makes_document(self) -> bool:
        """Whether a record with this outcome stands as a document."""
        return self in {Outcome.ACCEPTED, Outcome.FLAGGED, Outcome.REPLACEMENT}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found about a record: which rule, how grave, where, and what a reader is told."""

    rule: str
    """Stable id such as `LAP-03`, `GEN-01`, `PRI-02`, `SRC-DATE`, `STR-03`, `CODE-1221`."""
    severity: Severity
    kind: str
    """Key of the text in the message catalogue, e.g. `hours-above-limit`."""
    pointer: str = ""
    """JSON pointer to the field, empty for the record as a whole."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Values for the text: limits, dates, field and rule names; never a personal value."""
    clause: str = ""
    """The source that the rule comes from, such as `001 §2.1`."""


class Level(StrEnum):
    """What becomes of a class of values in a text: the controller's instruction, in the contract file."""

    DROP = "drop"
    """The whole text is left out."""
    MASK = "mask"
    """A mark stands in its place."""
    ASK = "ask"
    """The record waits for its author, who allows the wording or words it anew."""
    ALLOW = "allow"


AT_ONCE = ("identity-code", "account-number", "telephone", "postal-code", "town", "e-mail", "car-plate")
"""Classes that are masked or dropped at once: no contract may ask for them or allow them."""

CLASSES = (
    *AT_ONCE, "street-address", "person", "diagnosis", "medicine", "religion", "union", "politics", "sexuality",
    "origin", "staff-private",
)  # fmt: skip
"""Classes of values that minimisation looks for, as ticket, contract and audit log tell them."""


@dataclass(frozen=True, slots=True)
class Masked:
    """How often values of one class were masked in one field."""

    field: str
    cls: str
    """One of `CLASSES`."""
    count: int


@dataclass(frozen=True, slots=True)
class Record:
    """One canonical record as intake read it: mapped fields only."""

    type: str
    """Name of a schema in `schemas/records/`."""
    id: str
    """The provider's own id."""
    version: int
    client: str | None
    """The provider's own client number; None for records that are about no client."""
    content: Content
    is_cancelled: bool = False
    is_row: bool = True
    """False for records that are made from a delivery's header and count as no delivered row."""
    pointer: str = ""
    """Where the record stands in the delivery."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Fields that are not mapped, by name of the field dictionary, or `unknown`, with their number."""
    rest: bytes = b""
    """Canonical bytes of the unmapped fields: only ever put through a keyed digest, never stored."""
    label: str = ""
    """What people are told as its id when `id` is a natural key (GEN-06): it only points at the row."""
    is_keyed: bool = False
    """Its id is a natural key and it has no version of its own: other content makes it a new version (GEN-06)."""
    is_part: bool = False
    """Stands in the same delivered row as the record before it: the two are told as one."""
    siblings: tuple[str, ...] = ()
    """Other record types that the same thing can be delivered as: it is only one of them at a time."""
    beside: frozenset[str] = frozenset()
    """Fields that are no content for sameness, such as when the row was reported (GEN-01)."""
    findings: tuple[Finding, ...] = ()
    """What reading found (GEN-05, SRC-...)."""

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the record over its versions within one provider."""
        return (self.type, self.id)


class ValueKind(StrEnum):
    """How a value of a document tree is written in JSON and shown in the display form."""

    BOOLEAN = "boolean"
    CODING = "coding"
    DATE = "date"
    DATETIME = "datetime"
    IDENTIFIER = "identifier"
    NUMBER = "number"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Coding:
    """A coded value; `system` without `urn:oid:`."""

    system: str
    code: str
    display: str
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier; `system` without `urn:oid:`."""

    system: str
    value: str


Scalar = str | bool | int | Decimal | date | datetime | Coding | Identifier


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value of a document comes from: for `documents explain`."""

    path: str
    """Path in the mapping's input, such as `record.tasks` or `client.surname`."""
    line: str
    """Mapping file and line, such as `documents/19007.yaml:31`."""
    rule: str
    """Word of the mapping language that made the value (`path`, `constant`, `code`, `labelled-text` ...)."""
    source: str
    """The structure field's own source: structure OID and key path."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a document tree: a value, or a group of nodes.

    Nodes of one repeatable field follow each other with the same key.
    """

    key: str
    """THL key (slug of the field's Finnish name)."""
    label: Mapping[str, str]
    """Label by language (`fi`, `sv`)."""
    kind: ValueKind | None = None
    """None for a group."""
    value: Scalar | None = None
    children: tuple[Node, ...] = ()
    is_list: bool = False
    """Whether the field is repeatable, so that JSON writes an array even for one."""
    is_contact: bool = False
    """A contact field: keeps its telephone number unless the client is under turvakielto."""
    origins: tuple[Origin, ...] = ()
    """Empty for a group."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A composed document before signing: the one source of JSON and display form."""

    structure: Oid
    root: Node
    findings: tuple[Finding, ...] = ()
    """What composing found (unverified codes)."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation or unit in the header of a document."""

    oid: Oid
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person in a header or in an audit entry."""

    surname: str
    given_names: str
    call_name: str = ""
    identifier: str = ""
    """Identity code of a client, registration number of a professional; empty when not known."""


@dataclass(frozen=True, slots=True)
class Header:
    """Everything that the CDA header and the message frame say about one document."""

    oid: Oid
    set_oid: Oid
    version_number: int
    replaces: Oid | None
    structure: Oid
    title: str
    """Finnish (or Swedish) name of the structure: the display form's title."""
    general_type: Coding
    """1506, general document type (1 to 19); without a code for a document of the first stage, which has none."""
    specific_type: Coding | None
    """The structure's own number in 1506; None with it."""
    service_task: Coding | None
    """1221 palvelutehtävä; None when the record falls under no decision."""
    service_process: Coding | None
    codes: Mapping[str, Coding]
    """Fixed codes of the header by element name (`confidentialityCode`, `documentGroup`, ...)."""
    language: str
    made_at: datetime
    """laatimisaika: when the author made the record."""
    created_at: datetime
    """luontiaika: when the gateway made the document."""
    client: Person
    author: Person
    controller: Organisation
    organiser: Organisation
    producers: tuple[Organisation, ...]
    """From the unit's own provider outwards, without the organiser (703/2023 §37)."""
    unit: Organisation
    software: Mapping[str, str]
    """moderator, product, version."""
    birth_date: date | None = None
    """The client's, as the identity code tells it."""
    sex: Coding | None = None
    """The client's, as the identity code tells it."""


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A finished document: its bytes are frozen."""

    header: Header
    xml: bytes
    """The whole CDA document."""
    digest: Sha256Hex
    """SHA-256 of `xml`."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, for whom, and why: from a verified assertion or a local command."""

    system: str
    organisation: Oid
    person_id: str
    person_name: str
    role: str
    purpose: str
    contract: str = ""
    relation: str = ""
    """Client relationship reference, where the caller gave one."""
    is_development: bool = False
    """A stand-in person of a development installation; never in production."""
    account: str = ""
    """Of a local command: the account of the machine that it runs under."""


@dataclass(frozen=True, slots=True)
class Decision:
    """May the caller do this? Always with the policy that decided."""

    allowed: bool
    reasons: tuple[str, ...]
    """Ids of the policies that decided, then the role's own row."""
    row: str = ""
    """Row of the decision table (703/2023 ch. 8)."""
    basis: tuple[str, ...] = ()
    """Provisions of what decided."""
    findings: tuple[Finding, ...] = ()
    """The same for people: what decided, and of a denial which condition failed."""


class Event(StrEnum):
    """What the audit log tells about; permissions and policy files use the same words."""

    ACCESS_BREAK = "access:break"
    ACCESS_END = "access:end"
    ACCESS_READ = "access:read"
    ACCESS_REVIEW = "access:review"
    AUDIT_CHECKPOINT = "audit:checkpoint"
    AUDIT_COSIGN = "audit:cosign"
    AUDIT_ERASE = "audit:erase"
    AUDIT_PURGE = "audit:purge"
    AUDIT_READ = "audit:read"
    AUDIT_RESOLVE = "audit:resolve"
    AUDIT_REVIEW = "audit:review"
    AUDIT_ROTATE = "audit:rotate"
    BACKUP_VERIFY = "backup:verify"
    CASE_CLOSE = "case:close"
    CASE_DESTROY = "case:destroy"
    CASE_OPEN = "case:open"
    CASE_READ = "case:read"
    CASE_WORK = "case:work"
    CHANGE_APPROVE = "change:approve"
    CHANGE_NARROW = "change:narrow"
    CHANGE_PROPOSE = "change:propose"
    CHANGE_READ = "change:read"
    CHANGE_REJECT = "change:reject"
    CHANGE_USE = "change:use"
    DISCLOSURE_ARCHIVE = "disclosure:archive"
    DISCLOSURE_READ = "disclosure:read"
    DISCLOSURE_REJECT = "disclosure:reject"
    DISCLOSURE_RETRY = "disclosure:retry"
    DISCLOSURE_SEND = "disclosure:send"
    DOCUMENT_ARCHIVE = "document:archive"
    DOCUMENT_DESTROY_KEY = "document:destroy-key"
    DOCUMENT_DISCLOSE = "document:disclose"
    DOCUMENT_DROP = "document:drop"
    DOCUMENT_EXPORT = "document:export"
    DOCUMENT_INVALIDATE = "document:invalidate"
    DOCUMENT_LIST = "document:list"
    DOCUMENT_MAP = "document:map"
    DOCUMENT_READ = "document:read"
    DOCUMENT_REJECT = "document:reject"
    DOCUMENT_SEND = "document:send"
    DOCUMENT_SIGN = "document:sign"
    DOCUMENT_SPOOL = "document:spool"
    DOCUMENT_WITHDRAW = "document:withdraw"
    FIGURES_READ = "figures:read"
    HANDOVER_CLOSE = "handover:close"
    HANDOVER_CONFIRM = "handover:confirm"
    HANDOVER_DESTROY = "handover:destroy"
    HANDOVER_EXPORT = "handover:export"
    HANDOVER_IMPORT = "handover:import"
    HANDOVER_READ = "handover:read"
    KEY_MAKE = "key:make"
    KNOWLEDGE_IMPORT = "knowledge:import"
    NOTICE_ACKNOWLEDGE = "notice:acknowledge"
    NOTICE_ANNOUNCE = "notice:announce"
    NOTICE_DISCLOSE = "notice:disclose"
    NOTICE_MAKE = "notice:make"
    NOTICE_READ = "notice:read"
    NOTICE_WITHDRAW = "notice:withdraw"
    PAPER_MAKE = "paper:make"
    PAPER_READ = "paper:read"
    PARTY_READ = "party:read"
    PARTY_REGISTER = "party:register"
    PERSON_MERGE = "person:merge"
    PERSON_READ = "person:read"
    PERSON_UNMERGE = "person:unmerge"
    RECEIPT_READ = "receipt:read"
    RECORD_ALLOW = "record:allow"
    RECORD_HOLD = "record:hold"
    RECORD_MOVE = "record:move"
    RECORD_READ = "record:read"
    RECORD_REFUSE = "record:refuse"
    RECORD_REMIND = "record:remind"
    RECORD_SUBMIT = "record:submit"
    REQUEST_DENY = "request:deny"
    RIGHT_ANSWER = "right:answer"
    RIGHT_DECIDE = "right:decide"
    RIGHT_DESTROY = "right:destroy"
    RIGHT_EXPLAIN = "right:explain"
    RIGHT_EXTEND = "right:extend"
    RIGHT_FORWARD = "right:forward"
    RIGHT_PREPARE = "right:prepare"
    RIGHT_READ = "right:read"
    RIGHT_REGISTER = "right:register"
    RIGHT_VIEW = "right:view"
    WILL_STATE = "will:state"

    @property
    def is_reading(self) -> bool:
        """Whether it gives something that is stored to somebody."""
        return self.value.endswith((":list", ":read", ":resolve"))


def aware(moment: datetime) -> datetime:
    """The moment in UTC.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC)


def instant(moment: datetime) -> str:
    """The moment as stored: ISO 8601 in UTC with microseconds, so that text order is time order."""
    return aware(moment).isoformat(timespec="microseconds").replace("+00:00", "Z")
