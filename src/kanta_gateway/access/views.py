"""What each recipient is shown of an answer: the fields on its list, and no other; pure.

* An answer is named by the routes and commands that give it (`mappings/policy/views.yaml`).
* Its rows are read from the top: the first one of the role and purpose is the list; without one nothing is shown.
* A list names fields by their path: `documents/oid`. Lists are passed through, `*` is any one name, and `/**` at the
  end is everything below. A path without it shows single values only, so that what a field later holds stays hidden.
* What is no JSON (a signed document, a page, a proof as text) is the one field `content`.

Source: 703/2023 §9.1 (only what the task needs), §4 (a log row is secret too); rule ids ACC-02, LOG-14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kanta_gateway.model import Event
from kanta_gateway.shapes import TEXT, WHOLE, WORD, Keys, ListOf, Named, OneOf, shaped
from kanta_gateway.stated import Lined, Mistakes, read

ANY, EVERYTHING = "*", "**"
CONTENT = "content"
"""The field that stands for an answer that is no JSON."""
NOTHING: Final = object()
"""What is left of a value of which nothing is shown."""
Tree = Mapping[str, Any]
"""Name -> tree of what is shown below it; an empty one shows single values, `{"**": {}}` everything."""

_ROW = Keys({"roles": ListOf(TEXT), "fields": ListOf(TEXT)}, {"purposes": ListOf(WORD), "totals_of": WHOLE})
_ANSWER = Keys(
    {"of": ListOf(TEXT), "event": OneOf(tuple(sorted(Event))), "see": ListOf(_ROW)}, {"text": Named(TEXT)}
)  # fmt: skip
_VIEWS = Keys({"answers": Named(_ANSWER), "apart": Named(TEXT)}, {"recipients": Named(TEXT)})


@dataclass(frozen=True, slots=True)
class Sight:
    """What one recipient is shown of one answer."""

    answer: str
    tree: Tree
    totals_of: int = 0
    """Only totals are told, and only those of at least this many clients; 0: client by client."""

    @property
    def has_content(self) -> bool:
        """Whether an answer that is no JSON is shown."""
        return CONTENT in self.tree

    def shown(self, value: Any) -> Any:
        """An answer as its recipient is shown it.

        Args:
            value: the whole answer; JSON values.
        """
        found = _shown(self.tree, value)
        return type(value)() if found is NOTHING else found

    def within(self, name: str) -> Sight:
        """What is shown below one member, for an answer that is told piece by piece."""
        below = self.tree if EVERYTHING in self.tree else self.tree.get(name, {})
        return Sight(self.answer, below, self.totals_of)

    def names(self, name: str) -> bool:
        """Whether anything of a member is shown."""
        return EVERYTHING in self.tree or name in self.tree


ALL: Final = Sight("", {EVERYTHING: {}})
"""Everything of an answer that holds no client's data, or that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """Who is shown what, for which purposes."""

    roles: frozenset[str]
    purposes: frozenset[str]
    fields: tuple[str, ...]
    tree: Tree
    totals_of: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One kind of answer."""

    name: str
    of: tuple[str, ...]
    """Routes and commands that give it."""
    event: Event
    """What is permitted and logged when it is given."""
    text: Mapping[str, str]
    """What it is, by language."""
    rows: tuple[Row, ...]

    def row(self, role: str, purpose: str) -> Row | None:
        """The first row of a role and purpose."""
        return next(
            (one for one in self.rows if role in one.roles and not one.purposes.isdisjoint({ANY, purpose})), None
        )  # fmt: skip


class Views:
    """The lists of one installation."""

    def __init__(
        self, answers: Mapping[str, Answer], apart: Mapping[str, str], recipients: Mapping[str, str]
    ) -> None:  # fmt: skip
        self.answers = answers
        self.apart = apart
        """Routes and commands without client data and log rows, each with the reason."""
        self.recipients = recipients
        """Kind of a recipient of notices -> whose list it is shown by."""
        self._by_place = {place: one for one in answers.values() for place in one.of}

    @classmethod
    def load(cls, text: str, shipped: Views | None = None) -> Views:
        """Read the lists.

        Args:
            text: of `mappings/policy/views.yaml`.
            shipped: the package's own lists, where the text is an installation's: it may show less, never more.

        Raises:
            MisconfiguredError: unknown words, events or forms, a place that stands twice, or a list that shows more
                than the package's; all mistakes at once.
        """
        mistakes = Mistakes("policy/views.yaml")
        data: Lined = shaped(read(text, mistakes) or Lined(), _VIEWS, mistakes)
        answers: Lined = data.get("answers", Lined())
        places: set[str] = set(data.get("apart", ()))
        for name, one in answers.items():
            for place in one["of"]:
                if place in places:
                    mistakes.say(answers.at(name), f"{name}: {place} stands twice; each has one answer")
                places.add(place)
        made = {str(name): _answer(str(name), one) for name, one in answers.items()}
        if shipped is not None:
            for name, answer in made.items():
                for wider in (one for row in answer.rows for one in _wider(row, shipped.answers.get(name))):
                    mistakes.say(answers.at(name), f"{name}: shows more than the package's list: {wider}")
        mistakes.end()
        return cls(made, dict(data["apart"]), dict(data.get("recipients", {})))

    @classmethod
    def narrowed(cls, shipped: str) -> Callable[[str], Views]:
        """Reads an installation's lists, which show no more than the package's own."""
        known = cls.load(shipped)
        return lambda text: cls.load(text, known)

    def answer_at(self, place: str) -> Answer | None:
        """What a route (`GET /v1/documents`) or a command (`documents list`) answers with; None where it is apart.

        Raises:
            KeyError: nobody has said what it answers with.
        """
        return None if place in self.apart else self._by_place[place]

    def knows(self, place: str) -> bool:
        """Whether it is told what a route or command answers with."""
        return place in self.apart or place in self._by_place

    def sight(self, answer: str, role: str, purpose: str) -> Sight | None:
        """What a role is shown of an answer for a purpose; None for nothing at all."""
        row = self.answers[answer].row(role, purpose)
        return None if row is None else Sight(answer, row.tree, row.totals_of)

    def for_recipient(self, kind: str, purpose: str, answer: str, value: Any) -> Any:
        """What a recipient of a kind, who calls nobody, is given of an answer (`kela`, `purchaser` …).

        Args:
            kind: of the recipient, as the types of notices name it; or a role.
            purpose: for which it gets it.
            answer: which answer.
            value: the whole answer.
        """
        sight = self.sight(answer, self.recipients.get(kind, kind), purpose)
        return type(value)() if sight is None else sight.shown(value)


def _answer(name: str, stated: Lined) -> Answer:
    rows = tuple(
        Row(
            frozenset(one["roles"]), frozenset(map(str, one.get("purposes", (ANY,)))), tuple(one["fields"]),
            tree_of(one["fields"]), one.get("totals_of", 0),
        )
        for one in stated["see"]
    )  # fmt: skip
    return Answer(name, tuple(stated["of"]), Event(stated["event"]), dict(stated.get("text", {})), rows)


def _wider(row: Row, shipped: Answer | None) -> list[str]:
    """Roles, or fields, that a row shows and the package's list of the same role and purpose does not."""
    wider: list[str] = []
    for role in sorted(row.roles):
        for purpose in sorted(row.purposes):
            known = shipped.row(role, purpose) if shipped is not None else None
            if known is None or known.totals_of > row.totals_of:
                wider.append(f"{role} for {purpose}")
            else:
                wider += [path for path in row.fields if not _is_shown(known.tree, path.split("/"))]
    return wider


def _is_shown(tree: Tree, path: list[str]) -> bool:
    """Whether a list shows whatever a path of another list does."""
    if EVERYTHING in tree:
        return True
    if not path:
        return not tree
    below = tree.get(path[0], tree.get(ANY) if path[0] != EVERYTHING else None)
    return below is not None and _is_shown(below, path[1:])


def tree_of(paths: list[str]) -> Tree:
    """Paths as a tree."""
    tree: dict[str, Any] = {}
    for path in paths:
        place = tree
        for name in path.split("/"):
            place = place.setdefault(name, {})
    return tree


def _shown(tree: Tree, value: Any) -> Any:
    if EVERYTHING in tree:
        return value
    if isinstance(value, Mapping):
        if not tree:
            return NOTHING
        return dict(_members(tree, value))
    if isinstance(value, list):
        return [found for one in value if (found := _shown(tree, one)) is not NOTHING]
    return NOTHING if tree else value


def _members(tree: Tree, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, one in value.items():
        below = tree.get(name, tree.get(ANY))
        # `null` says that there is none of what is shown below, so it is shown too
        found = NOTHING if below is None else one if one is None else _shown(below, one)
        if found is not NOTHING:
            yield name, found
