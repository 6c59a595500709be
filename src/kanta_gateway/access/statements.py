"""What can be stated about parties, and what each statement must tell: organisations, contracts, units and persons.

* A statement is about something from a first day to a last one; a later statement of the same thing takes its place.
* What identifies a thing is its `names` and the first day, so an approval that was ended can be given again.
* All mistakes of a file are told at once; nothing of a file with mistakes is kept.

Contents of a processing contract: GDPR 28(3). Students: STM 457/2024 §21. Register of users: 703/2023 §9.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from kanta_gateway.errors import MisconfiguredError

EVER = "0001-01-01"
"""First day of what has no beginning that is known."""
NOTHING: Mapping[str, Any] = {}
Whose = Callable[[Mapping[str, Any]], str]
"""Fields of a statement -> OID of the one controller whose register it falls under; empty where that is not known."""

CONTRACT_CONTENTS = (
    "subject_matter", "duration", "nature_and_purpose", "data_types", "data_subjects", "controller_rights",
    "instructions", "confidentiality", "security", "sub_processing", "data_subject_rights", "assistance",
    "deletion_or_return", "audits",
)  # fmt: skip
"""What GDPR 28(3) asks of a contract: its opening sentence, then letters a to h."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What statements of one kind look like."""

    names: tuple[str, ...]
    """Fields that identify what it is about."""
    needed: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    lists: frozenset[str] = frozenset()
    """Fields that hold a list of words."""
    private: frozenset[str] = frozenset()
    """Fields about a person: sealed at rest."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    """Fields of `possible` that identify it too, where they are told."""


CONTROLLER = "controller"
_CONTRACT = ("processor", "controller", "contract")
"""What identifies a contract elsewhere: one number may stand for contracts with many."""
SECTORS = ("social", "health", "authority", "benefits", "education", "insurance", "bank")
"""What an organisation works in; social care where none is told."""
KINDS: Mapping[str, Shape] = {
    "approval": Shape((*_CONTRACT, "sub_processor"), ("name",), ("notified_on", "approved_on")),
    "contract": Shape(
        ("processor", "controller", "number", "purchaser"), (),
        (*CONTRACT_CONTENTS, "services", "relationships"), frozenset({"services"}),
        choices={"relationships": ("delivered", "registered")},
    ),
    "joint-service": Shape(("unit", "controller", "partner")),
    "organisation": Shape(
        ("oid",), ("name", "role"), ("business_id", "sector"),
        choices={"role": ("controller", "processor", "sub-processor", "supervisor"), "sector": SECTORS},
    ),
    "person": Shape(
        ("person_id", "organisation", "role"), ("name",), ("unit", "supervisor", "service_tasks", "duties", "ends_at"),
        frozenset({"service_tasks", "duties"}), private=frozenset({"person_id", "name", "supervisor"}),
    ),
    "register-use": Shape(_CONTRACT),
    "relationship": Shape(("provider", "client"), (), ("unit", "service", "of", CONTROLLER), told=(CONTROLLER,)),
    "unit": Shape(("oid",), ("name", "organisation")),
}  # fmt: skip
STUDENT = "student"
"""Role that is under supervision and for a time only (STM 457/2024 §21)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is so from a first day to a last one."""

    kind: str
    body: Mapping[str, Any]
    """The fields of its kind."""
    valid_from: str = EVER
    valid_to: str | None = None
    """Last day; None: until further notice. Before the first day: it was never so."""

    @property
    def names(self) -> tuple[str, ...]:
        """What identifies the thing, and when it began."""
        shape = KINDS[self.kind]
        told = (str(self.body[name]) for name in shape.told if self.body.get(name))
        return (self.kind, *(str(self.body[name]) for name in shape.names), *told, self.valid_from)

    @property
    def key(self) -> str:
        """A short word for what is stated: tells nothing of a person."""
        return hashlib.sha256("\0".join(self.names).encode()).hexdigest()[:24]

    def covers(self, day: str) -> bool:
        """Whether it is so on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def has_ended(self, now: datetime) -> bool:
        """Whether it ended in the course of its last day, by a moment."""
        moment = self.body.get("ends_at")
        return moment is not None and datetime.fromisoformat(str(moment)) <= now


def read(stated: object) -> list[Statement]:
    """The statements of a file.

    Args:
        stated: a list, as YAML or JSON has it; each with `kind`, `from`, `to` and the fields of its kind.

    Raises:
        MisconfiguredError: something of it cannot be; all mistakes at once, none with a value.
    """
    mistakes: list[str] = []
    found: list[Statement] = []
    if not isinstance(stated, list):
        raise MisconfiguredError("parties: expected a list of statements, each with its kind")
    for place, one in enumerate(stated, 1):
        told = list(_mistakes(one))
        mistakes += [f"statement {place}: {line}" for line in told]
        if not told:
            body = {name: value for name, value in one.items() if name not in {"kind", "from", "to"}}
            found.append(Statement(one["kind"], body, str(one.get("from") or EVER), _day(one.get("to"))))
    if mistakes:
        raise MisconfiguredError("parties: " + "; ".join(mistakes) + ". Correct the file; nothing of it was kept.")
    return found


def lacking(contract: Mapping[str, Any]) -> tuple[str, ...]:
    """Which of the contents that GDPR 28(3) asks for a contract does not tell."""
    return tuple(name for name in CONTRACT_CONTENTS if not contract.get(name))


def _day(value: object) -> str | None:
    return None if value is None else str(value)


def _mistakes(one: object) -> Iterable[str]:
    if not isinstance(one, Mapping) or one.get("kind") not in KINDS:
        yield f"expected a kind: {', '.join(KINDS)}"
        return
    shape = KINDS[one["kind"]]
    for name in (*shape.names, *shape.needed):
        if not isinstance(one.get(name), str) or not one[name].strip():
            yield f"{one['kind']} needs the text {name}"
    known = {"kind", "from", "to", *shape.names, *shape.needed, *shape.possible}
    yield from (f"{one['kind']} has no field {name}" for name in one if name not in known)
    for name in shape.possible:
        yield from _of_field(one, name, shape)
    for name, choices in shape.choices.items():
        if name in one and one[name] not in choices:
            yield f"{one['kind']}: {name} is one of {', '.join(choices)}"
    yield from (f"{name} is no day (YYYY-MM-DD)" for name in ("from", "to") if not _is_day(one.get(name)))
    if one["kind"] == "person" and one.get("role") == STUDENT and not (one.get("to") and one.get("supervisor")):
        yield "a student needs a last day and a supervisor (STM 457/2024 §21)"
    if one["kind"] == "person" and not _is_moment(one.get("ends_at")):
        yield "ends_at is no moment with a zone (YYYY-MM-DDTHH:MM+02:00)"


def _of_field(one: Mapping[str, Any], name: str, shape: Shape) -> Iterable[str]:
    value = one.get(name)
    if name in shape.lists:
        if value is not None and not (isinstance(value, list) and all(isinstance(word, str) for word in value)):
            yield f"{one['kind']}: {name} is a list of texts"
    elif value is not None and not isinstance(value, str | date):
        yield f"{one['kind']}: {name} is a text"


def _is_day(value: object) -> bool:
    if value is None or (isinstance(value, date) and not hasattr(value, "hour")):
        return True
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_moment(value: object) -> bool:
    if value is None:
        return True
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def newest(statements: Iterable[Statement]) -> list[Statement]:
    """Of each thing its last statement, in the order in which the things were stated first.

    Args:
        statements: in the order in which they were made.
    """
    found: dict[tuple[str, ...], Statement] = {}
    for one in statements:
        found[one.names] = one
    return list(found.values())


def of_kind(statements: Iterable[Statement], kind: str) -> Sequence[Statement]:
    """The statements of one kind."""
    return [one for one in statements if one.kind == kind]


def of_controller(stated: Sequence[Statement], controller: str, whose: Whose) -> list[Statement]:
    """What a controller is told of a register: its contracts, approvals and whoever works under them (703/2023 §14).

    Args:
        stated: the statements of the register.
        controller: OID of the organisation.
        whose: tells the one controller under whose contract a client's relationship is, where it is known.
    """
    own = [one for one in stated if one.body.get(CONTROLLER) == controller]
    parties = {
        controller,
        *(str(one.body[name]) for one in own for name in ("processor", "sub_processor") if name in one.body),
    }
    about = {"organisation": "oid", "unit": "organisation", "person": "organisation"}
    return [
        one for one in stated
        if (controller in {whose(one.body), one.body["provider"]} if one.kind == "relationship"
            else one.body.get(CONTROLLER) == controller or one.body.get(about.get(one.kind, "")) in parties)
    ]  # fmt: skip
