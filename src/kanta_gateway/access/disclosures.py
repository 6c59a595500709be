"""What is asked and told when data goes from one register to another, read from a file; pure.

* Whom an organisation is for the decision table follows from what is registered of it, never from what it says.
* A role acts only for organisations of its flow.
* A way beside Kanta has a reason of the list (703/2023 §55.3); break-glass has a statutory sub-item of the list.

File: `mappings/policy/disclosures.yaml`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kanta_gateway.messages import LANGUAGES
from kanta_gateway.shapes import FLAG, TEXT, WHOLE, WORD, Keys, ListOf, Named, OneOf, shaped
from kanta_gateway.stated import Lined, Mistakes, read

SOCIAL_AUTHORITY = "social-authority"
"""Flow to an authority of social care."""
_TEXTS = dict.fromkeys(LANGUAGES, TEXT)
_FILE = Keys({
    "recipients": ListOf(Keys({"role": WORD, "sector": WORD, "flow": WORD})),
    "roles": Named(ListOf(WORD)),
    "givers": Named(WORD),
    "outward": Named(OneOf(("organisation", "person"))),
    "forwarded": ListOf(TEXT),
    "payers": Named(ListOf(WORD)),
    "routes": Named(Keys(_TEXTS)),
    "grounds": Named(Keys({"ground": WORD, "rows": ListOf(WORD), **_TEXTS})),
    "break_glass": Keys({
        "reason_characters": WHOLE, "reason_words": WHOLE, "hours": WHOLE, "review_days": WHOLE, "case_days": WHOLE,
        "outcomes": Named(FLAG), "warning": Keys(_TEXTS),
    }),
    "service_tasks": Named(WORD),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ground:
    """One statutory sub-item that break-glass may name."""

    name: str
    ground: str
    """Its word in the decision table."""
    rows: tuple[str, ...]
    """Rows that it may lead to."""
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Terms of break-glass."""

    reason_characters: int
    reason_words: int
    hours: int
    """Longest time that a grant lasts."""
    review_days: int
    case_days: int
    """Time to handle what a review found unfounded (703/2023 §78)."""
    outcomes: Mapping[str, bool]
    """Outcome of a review -> whether it leads to a case."""
    warning: Mapping[str, str]

    def is_reason(self, text: str) -> bool:
        """Whether a reason in words is long enough, and of enough different words."""
        words = {one.casefold().strip(".,;:!?") for one in text.split()}
        return len(" ".join(text.split())) >= self.reason_characters and len(words - {""}) >= self.reason_words


@dataclass(frozen=True, slots=True)
class Disclosures:
    """The whole file."""

    flows: Mapping[tuple[str, str], str]
    """Registered role and sector of an organisation -> its flow."""
    roles: Mapping[str, frozenset[str]]
    """Role of a recipient's person -> flows in which it acts."""
    outward: Mapping[str, str]
    """To whom a controller's own official gives data -> whether that is an organisation or a person."""
    givers: Mapping[str, str]
    """Sector of a register's controller, where it is not care -> flow to an authority of social care."""
    forwarded: frozenset[str]
    """OIDs of structures whose documents may go through Kanta's query and forwarding service."""
    payers: Mapping[str, frozenset[str]]
    """Kind of a notice's recipient who pays a benefit -> notices that it may be given."""
    routes: Mapping[str, Mapping[str, str]]
    grounds: Mapping[str, Ground]
    break_glass: BreakGlass
    service_tasks: Mapping[str, str]

    @classmethod
    def load(cls, text: str, rows: Collection[str]) -> Disclosures:
        """Read the file.

        Args:
            text: its YAML text.
            rows: ids of the rows of the decision table.

        Raises:
            MisconfiguredError: the file is wrong; all mistakes at once.
        """
        mistakes = Mistakes("policy/disclosures.yaml")
        data: Lined = shaped(read(text, mistakes) or Lined(), _FILE, mistakes)
        for name, one in data.get("grounds", Lined()).items():
            for row in sorted(set(one.get("rows", ())) - set(rows)):
                mistakes.say(one.at("rows"), f"{name}: there is no row {row}")
        mistakes.end()
        terms = data["break_glass"]
        return cls(
            {(one["role"], one["sector"]): one["flow"] for one in data["recipients"]},
            {str(name): frozenset(flows) for name, flows in data["roles"].items()},
            dict(data["outward"]), dict(data["givers"]), frozenset(data["forwarded"]),
            {str(name): frozenset(notices) for name, notices in data["payers"].items()},
            {str(name): _texts(one) for name, one in data["routes"].items()},
            {str(name): Ground(str(name), one["ground"], tuple(one["rows"]), _texts(one))
             for name, one in data["grounds"].items()},
            BreakGlass(
                terms["reason_characters"], terms["reason_words"], terms["hours"], terms["review_days"],
                terms["case_days"], dict(terms["outcomes"]), _texts(terms["warning"]),
            ),
            dict(data["service_tasks"]),
        )  # fmt: skip

    def flow(self, organisation: Mapping[str, Any] | None, role: str, giver: Mapping[str, Any] | None = None) -> str:
        """From a register to whom: what a registered organisation is, where the role may act for it.

        Args:
            organisation: what is registered of the recipient; None where nothing is.
            role: of its person.
            giver: what is registered of the register's controller.
        """
        if organisation is None:
            return "none"
        flow = self.flows.get((str(organisation.get("role", "")), _sector(organisation)), "none")
        if flow not in self.roles.get(role, ()):
            return "none"
        if giver is None or (by := self.givers.get(_sector(giver))) is None:
            return flow
        return by if flow == SOCIAL_AUTHORITY else "none"

    def forwarding(self, structure: str, *, is_archived: bool) -> str:
        """Whether a document may go through Kanta's query and forwarding service: a fact of the decision table."""
        if structure not in self.forwarded:
            return "type-not-allowed"
        return "allowed" if is_archived else "not-archived"


def _sector(organisation: Mapping[str, Any]) -> str:
    return str(organisation.get("sector") or "social")


def _texts(one: Mapping[str, Any]) -> Mapping[str, str]:
    return {language: str(one[language]) for language in LANGUAGES}
