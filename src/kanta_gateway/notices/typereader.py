"""One notice type out of its file: each field against the record types, the lists and the kinds of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanta_gateway.notices.kinds import CODE, KINDS, MAY

if TYPE_CHECKING:
    from kanta_gateway.notices.lists import Lists
    from kanta_gateway.recordtypes import RecordTypes

LANGUAGES = ("fi", "sv", "en")
YEAR = "year"
_OF_ITEMS = frozenset({"category", "finding", "record"})
"""First steps of paths that only an item has; what stands at the head of a notice is the same for all its items."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a notice may carry."""

    name: str
    kind: str
    path: tuple[str, str]
    words: str = ""
    """List of a coded value."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one sort that a notice tells of."""

    name: str
    records: frozenset[str]
    fields: tuple[Field, ...]
    where: Mapping[str, Any] = field(default_factory=dict)
    """Fact -> value, or list of values, that a record must have."""
    filled: tuple[str, ...] = ()
    """Facts that must be there."""
    words: frozenset[str] = frozenset()
    """Word lists of the contract of which one must have been found in the record; empty for all records."""
    unless_words: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()
    """Rules of which one must have found something on the record; empty for all records."""
    told_in: str = ""
    """Fact that tells when somebody told it in another way; the delivery of a notice counts as it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may get the notice, and on which provision."""

    kind: str
    title: Mapping[str, str]
    basis: Mapping[str, str]
    """Kind of the organiser (`public`, `other`) -> provision."""
    when: Mapping[str, Any] = field(default_factory=dict)
    """Fact of the client -> value: the recipient is this one. Without it the recipient is always this one."""


@dataclass(frozen=True, slots=True)
class Within:
    """When a notice must have been told at the latest, counted from the first day that it tells of."""

    days: int = 0
    workdays: int = 0
    until: str = ""
    """Month and day of the year after."""


@dataclass(frozen=True, slots=True)
class NoticeType:
    """One notice type."""

    name: str
    title: Mapping[str, str]
    purpose: str
    carries_out: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    groups: tuple[Group, ...]
    within: Within
    head: tuple[Field, ...] = ()
    form: str = ""
    """The recipient's own form whose fields these are."""
    is_outside: bool = False
    """The recipient is neither the controller nor its worker."""
    window: str | int = 1
    """How many days one notice spans, or `year`."""
    send_after_days: int = 0
    """How long after the first day that it tells of it is sent by itself: until then more is collected."""

    @property
    def names(self) -> frozenset[str]:
        """Everything in it that needs a label."""
        return frozenset(
            {one.name for one in self.head}
            | {one.name for one in self.groups}
            | {one.name for group in self.groups for one in group.fields}
        )

    def recipient(self, kind: str) -> Recipient | None:
        """The recipient of a kind."""
        return next((one for one in self.recipients if one.kind == kind), None)

    def basis(self, recipient: str, organiser: str) -> str:
        """The provision on which a recipient of a kind gets it from an organiser of a kind."""
        known = self.recipient(recipient)
        return "" if known is None else known.basis.get(organiser, "")


_KEYS = {
    "notice", "title", "purpose", "carries_out", "recipients", "groups", "within", "head", "form", "outside",
    "window", "send_after_days",
}  # fmt: skip
_NEEDED = ("notice", "title", "purpose", "recipients", "groups", "within")
_GROUP_KEYS = {
    "name", "records", "fields", "where", "filled", "words", "unless_words", "findings", "told_in",
}  # fmt: skip


class _Reader:
    """Reads one file and collects what is wrong with it."""

    def __init__(self, name: str, types: RecordTypes, lists: Lists, mistakes: list[str]) -> None:
        self._name = name
        self._types = types
        self._lists = lists
        self._mistakes = mistakes

    def say(self, where: str, what: str) -> None:
        self._mistakes.append(f"{self._name} {where}: {what}")

    def keys(self, where: str, value: Mapping[str, Any], needed: Sequence[str], known: set[str]) -> bool:
        """Whether every needed key is there and no unknown one."""
        lacking, unknown = [one for one in needed if one not in value], sorted(value.keys() - known)
        for one in lacking:
            self.say(where, f"{one} is missing")
        for one in unknown:
            self.say(where, f"{one} is not known; expected one of {', '.join(sorted(known))}")
        return not lacking

    def texts(self, where: str, value: Any) -> Mapping[str, str]:
        if not isinstance(value, dict) or set(value) != set(LANGUAGES):
            self.say(where, f"expected a text in each of {', '.join(LANGUAGES)}")
            return {}
        return {language: str(text) for language, text in value.items()}

    def fields(self, where: str, stated: Any, records: Sequence[str]) -> Iterator[Field]:
        """Fields of a group, or of the head when there are no record types."""
        for one in stated or ():
            place = f"{where} {one.get('name', '')}".strip()
            if not self.keys(place, one, ("name", "kind", "of"), {"name", "kind", "of", "list"}):
                continue
            root, _, rest = str(one["of"]).partition(".")
            known = Field(str(one["name"]), str(one["kind"]), (root, rest), self._words(root, rest, one))
            if self._holds(place, known, records):
                yield known

    @staticmethod
    def _words(root: str, rest: str, one: Mapping[str, Any]) -> str:
        return rest if root == "category" else str(one.get("list", ""))

    def _holds(self, where: str, one: Field, records: Sequence[str]) -> bool:
        """Whether a field is of a kind that its path may be of, and what it names is there."""
        before = len(self._mistakes)
        root, rest = one.path
        path = f"{root}.{rest}" if rest else root
        may = MAY.get(path, MAY.get(root, frozenset()))
        if one.kind not in KINDS:
            self.say(where, f"kind: expected one of {', '.join(sorted(KINDS))}")
        elif one.kind not in may:
            self.say(where, f"of: {path} cannot be told as {one.kind}; expected {' or '.join(sorted(may)) or 'a path'}")
        if one.kind == CODE and one.words not in self._lists:
            self.say(where, f"list: there is no list {one.words}")
        if root in _OF_ITEMS and not records:
            self.say(where, f"of: the head of a notice has no {root}")
        self._check_facts(where, one, records)
        return len(self._mistakes) == before

    def _check_facts(self, where: str, one: Field, records: Sequence[str]) -> None:
        root, rest = one.path
        if root == "record":
            for kind in records:
                if rest not in self._types[kind].facts:
                    self.say(where, f"of: {rest} is no fact of {kind}")
        if root == "decision" and not any(rest in kind.facts for kind in self._types.values() if kind.grants):
            self.say(where, f"of: {rest} is no fact of a decision")
        if root == "category" and rest in self._lists and not set(records) <= self._lists[rest].reads.keys():
            self.say(where, f"of: the list {rest} does not read {', '.join(records)}")

    def group(self, stated: Any) -> Group | None:
        where = f"group {stated.get('name', '')}"
        if not self.keys(where, stated, ("name", "records", "fields"), _GROUP_KEYS):
            return None
        records = [str(one) for one in stated["records"]]
        unknown = [one for one in records if one not in self._types]
        for one in unknown:
            self.say(where, f"records: {one} is no record type")
        if unknown:
            return None
        for name in (*stated.get("where", {}), *stated.get("filled", ()), *filter(None, [stated.get("told_in")])):
            for kind in records:
                if name not in self._types[kind].facts:
                    self.say(where, f"{name} is no fact of {kind}")
        return Group(
            str(stated["name"]), frozenset(records), tuple(self.fields(where, stated["fields"], records)),
            dict(stated.get("where", {})), tuple(stated.get("filled", ())), frozenset(stated.get("words", ())),
            frozenset(stated.get("unless_words", ())), tuple(stated.get("findings", ())),
            str(stated.get("told_in", "")),
        )  # fmt: skip

    def recipient(self, stated: Any) -> Recipient | None:
        where = f"recipient {stated.get('kind', '')}"
        known = {"kind", "title", "basis", "when"}
        if not self.keys(where, stated, ("kind", "title", "basis"), known):
            return None
        basis = stated["basis"]
        bases = dict(basis) if isinstance(basis, dict) else {"public": str(basis), "other": str(basis)}
        return Recipient(str(stated["kind"]), self.texts(where, stated["title"]), bases, dict(stated.get("when", {})))


def read_type(
    name: str, data: Any, types: RecordTypes, lists: Lists, mistakes: list[str]
) -> NoticeType | None:  # fmt: skip
    """Read one notice type; None if it does not hold.

    Args:
        name: of the file.
        data: its YAML content.
        types: every record type.
        lists: every word list.
        mistakes: gets what is wrong.
    """
    reader, before = _Reader(name, types, lists, mistakes), len(mistakes)
    if not isinstance(data, dict):
        reader.say("", "expected keys and values")
        return None
    if not reader.keys("", data, _NEEDED, _KEYS):
        return None
    if data["notice"] != name:
        reader.say("notice", f"expected the file's own name, {name}")
    window = data.get("window", 1)
    if window != YEAR and not isinstance(window, int):
        reader.say("window", f"expected a number of days, or {YEAR}")
    groups = [one for one in map(reader.group, data["groups"]) if one is not None]
    recipients = [one for one in map(reader.recipient, data["recipients"]) if one is not None]
    if not recipients or not groups:
        reader.say("", "expected a recipient and a group at least")
    if reader.keys("within", data["within"], (), {"days", "workdays", "until"}) and len(mistakes) == before:
        return NoticeType(
            name=name, title=reader.texts("title", data["title"]), purpose=str(data["purpose"]),
            carries_out=tuple(data.get("carries_out", ())), recipients=tuple(recipients), groups=tuple(groups),
            within=Within(**data["within"]), head=tuple(reader.fields("head", data.get("head"), ())),
            form=str(data.get("form", "")), is_outside=bool(data.get("outside", False)), window=window,
            send_after_days=int(data.get("send_after_days", 0)),
        )  # fmt: skip
    return None
