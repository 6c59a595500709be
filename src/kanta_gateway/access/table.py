"""The decision table of 703/2023 ch. 8 and the duties of STM 457/2024, read from files; pure.

* Rows are asked in order; the first whose every condition holds decides, and the last one always holds: deny.
* Why a row did not decide is which of its conditions failed: what was found, and what it needs.
* All mistakes of a file are told at once, before the process starts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.stated import plain

NO_CLIENT_DATA = "no-client-data"
OFF = "off"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision is made of; every value is a word, and the default is the one that allows least."""

    flow: str = "none"
    """From whom to whom: own-register, mandate, social, social-authority, health, payer … or no-client-data."""
    relationship: str = "none"
    """The client relationship: open, ended, none, other-task; not-kept where nobody registers them; not-asked."""
    purpose: str = "none"
    """`told` or none."""
    mandate: str = "none"
    """Whether a contract carries the act on the day: valid, ended, none."""
    permission: str = "none"
    """luovutuslupa: valid, itemised, none."""
    prohibition: str = "unknown"
    """kielto that covers the data: none, covers, unknown."""
    consent: str = "none"
    ground: str = "none"
    """Statutory sub-item, such as incapacity or statutory-duty."""
    necessity: str = "none"
    """`indispensable` where whoever asks has stated so."""
    representative: str = "unknown"
    request: str = "none"
    """Whether, and how, it was asked for: told, written; client, statutory-request, statutory-duty."""
    sources: str = "unknown"
    """`insufficient` where whoever asks has stated that other sources do not suffice."""
    client_told: str = "unknown"
    """`yes` where whoever asks has stated that the client was told first."""
    joint_service: str = "no"
    """A joint service of social and health care: yes; no, client-elsewhere, no-participant."""
    forwarding: str = "unknown"
    """Whether a document may go through Kanta's forwarding: allowed, type-not-allowed, not-archived."""
    via_kanta: str = "unknown"
    reason: str = "none"
    """`told` where a reason was given."""
    grant: str = "none"
    """Break-glass: open, ended, none."""


FACTS = frozenset(one.name for one in fields(Facts))


@dataclass(frozen=True, slots=True)
class Failure:
    """One condition of one row that does not hold."""

    row: str
    fact: str
    found: str
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    id: str
    grade: str
    """use (inside one controller), permit (a disclosure), deny."""
    basis: tuple[str, ...]
    text: str
    """Key of the message catalogue."""
    when: Mapping[str, tuple[str, ...]]
    is_off: bool = False

    def holds(self, facts: Facts) -> bool:
        """Whether it is in use and its every condition holds."""
        return not self.is_off and all(getattr(facts, name) in values for name, values in self.when.items())

    def failures(self, facts: Facts) -> tuple[Failure, ...]:
        """Which of its conditions do not hold."""
        found = tuple(
            Failure(self.id, name, getattr(facts, name), values)
            for name, values in self.when.items()
            if getattr(facts, name) not in values
        )
        return (*found, Failure(self.id, OFF, OFF, ())) if self.is_off else found


class Table:
    """The rows, in order."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)
        self.by_id = {one.id: one for one in rows}

    @classmethod
    def load(cls, text: str, enabled: Collection[str] = ()) -> Table:
        """Read the table.

        Args:
            text: the YAML text of `mappings/policy/rows.yaml`.
            enabled: rows that are off unless an installation turns them on.

        Raises:
            MisconfiguredError: the file is wrong; all mistakes at once.
        """
        stated = (plain(text) or {}).get("rows") or []
        mistakes = [line for place, one in enumerate(stated, 1) for line in _mistakes(place, one)]
        ids = [one.get("id") for one in stated]
        mistakes += [f"{one} stands twice" for one in sorted({str(one) for one in ids if ids.count(one) > 1})]
        if not stated or stated[-1].get("when") or stated[-1].get("grade") != "deny":
            mistakes.append("the last row should deny whatever is left, without conditions")
        mistakes += [f"there is no row {one} to turn on" for one in sorted(set(enabled) - set(map(str, ids)))]
        if mistakes:
            raise MisconfiguredError("policy rows: " + "; ".join(mistakes))
        return cls([
            Row(
                one["id"], one["grade"], tuple(one["basis"]), one["text"],
                {name: tuple(values) for name, values in one["when"].items()},
                bool(one.get("disabled")) and one["id"] not in enabled,
            )
            for one in stated
        ])  # fmt: skip

    def find(self, facts: Facts) -> Row:
        """The first row whose every condition holds."""
        return next(one for one in self.rows if one.holds(facts))

    def why_not(self, facts: Facts) -> tuple[Failure, ...]:
        """Why no allowing row decided: of the rows of this flow every failed condition, else of all rows the flow."""
        allowing = [one for one in self.rows if one.grade != "deny"]
        close = [one for one in allowing if facts.flow in one.when.get("flow", ())]
        if close:
            return tuple(failure for one in close for failure in one.failures(facts))
        known = sorted({flow for one in allowing for flow in one.when.get("flow", ())})
        return (Failure(self.rows[-1].id, "flow", facts.flow, tuple(known)),)


_ROW_WORDS = frozenset({"id", "grade", "basis", "text", "when", "disabled"})


def _mistakes(place: int, one: Mapping[str, Any]) -> Iterator[str]:
    where = f"row {one.get('id', place)}"
    for name in ("id", "grade", "basis", "text", "when"):
        if name not in one:
            yield f"{where} has no {name}"
    yield from (f"{where}: unknown word {name}" for name in one.keys() - _ROW_WORDS)
    if one.get("grade") not in {"use", "permit", "deny"}:
        yield f"{where}: grade is use, permit or deny"
    if not one.get("basis"):
        yield f"{where}: a row needs its basis"
    for name, values in (one.get("when") or {}).items():
        if name not in FACTS:
            yield f"{where}: {name} is no fact"
        elif not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            yield f"{where}: {name} needs a list of words; quote yes and no"


@dataclass(frozen=True, slots=True)
class Allowed:
    """One part of what a duty may see."""

    kinds: frozenset[str] | None = None
    tasks: frozenset[str] | None = None
    conditions: tuple[str, ...] = ()

    def holds(self, kind: str, task: str, true: Collection[str]) -> bool:
        """Whether it covers data of this kind and service task, where these conditions are true."""
        return (
            (self.kinds is None or kind in self.kinds)
            and (self.tasks is None or task in self.tasks)
            and all(one in true for one in self.conditions)
        )


@dataclass(frozen=True, slots=True)
class Duty:
    """A task of STM 457/2024 and its maximum."""

    name: str
    id: str
    """Of its forbid in maximum.cedar."""
    may: tuple[Allowed, ...]
    never: frozenset[str] = frozenset()

    def allows(self, kind: str, task: str, true: Collection[str]) -> bool:
        """Whether the decree lets this duty see such data at most."""
        return kind not in self.never and any(one.holds(kind, task, true) for one in self.may)


@dataclass(frozen=True, slots=True)
class Duties:
    """Every duty, which role has which, and the classes of data."""

    duties: Mapping[str, Duty]
    roles: Mapping[str, str]
    classes: tuple[tuple[str, str], ...]
    """Kind and service task of every class of client data."""
    basis: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Id of a forbid -> its provisions."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Id of a forbid -> key of the message catalogue."""
    service_tasks: Mapping[str, str] = field(default_factory=dict)
    """A contract's word for a service task -> service task of the decree."""
    uses: Mapping[str, str] = field(default_factory=dict)
    """Subject of an act -> kind of data that it uses where its records are not known one by one."""
    on_behalf: Mapping[str, str] = field(default_factory=dict)
    """Kind of data -> what it is where a producer works for the controller."""
    opens: tuple[str, str] = ("other", "")
    """Kind and service task with which breaking the glass is asked, whoever the client is."""
    review_purposes: frozenset[str] = frozenset()
    """Purposes of management's reviews (§24)."""

    @classmethod
    def load(cls, text: str) -> Duties:
        """Read `mappings/policy/duties.yaml`.

        Raises:
            MisconfiguredError: a role has a duty that there is not.
        """
        data = plain(text)
        duties = {name: _duty(name, one) for name, one in data["duties"].items()}
        if unknown := sorted(set(data["roles"].values()) - duties.keys()):
            raise MisconfiguredError(f"policy duties: there is no duty {', '.join(unknown)}")
        forbids = {**data["general"], **{one["id"]: one for one in data["duties"].values()}}
        return cls(
            duties, data["roles"], tuple(_classes(data)),
            {name: tuple(one["basis"]) for name, one in forbids.items()},
            {name: one["text"] for name, one in forbids.items()},
            data.get("service_tasks", {}), data.get("uses", {}), data.get("on_behalf", {}),
            tuple(data.get("opens", ("other", ""))), frozenset(data.get("review_purposes", ())),
        )  # fmt: skip

    @property
    def tasks(self) -> frozenset[str]:
        """Every service task."""
        return frozenset(task for _, task in self.classes if task)

    def of_role(self, role: str) -> Duty:
        """The duty of a role; a role that nobody named has none, and sees no client data."""
        return self.duties[self.roles.get(role, "none")]


def _duty(name: str, one: Mapping[str, Any]) -> Duty:
    may = tuple(
        Allowed(_words(part.get("kinds")), _words(part.get("tasks")), tuple(part.get("if", ()))) for part in one["may"]
    )
    return Duty(name, one["id"], may, frozenset(one.get("never", ())))


def _words(stated: Iterable[str] | None) -> frozenset[str] | None:
    return None if stated is None else frozenset(stated)


def _classes(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((kind, task) for task in data["tasks"] for kind in data["kinds"])
    yield from ((kind, task) for kind, tasks in data["apart"].items() for task in tasks)
