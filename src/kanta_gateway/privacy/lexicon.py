"""Words that tell of health, belief, origin and the like: which class a word has, by lists of stems.

* A word has the class of the longest stem that it begins with, unless it begins with a word to keep.
* A stem of four letters or less counts as a whole word only, inflected or before a hyphen.
* A stem of `near` counts only where one of the words that go with it stands in the same sentence.
* A stem of `inside` counts anywhere but at the beginning of a word: compounds tell what they are last.
* Words are looked up one by one and remembered, so that a text costs one look-up for each of its words.

Lists: `mappings/privacy/categories.yaml`, `mappings/privacy/medicines.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanta_gateway.privacy.inflection import stems_of
from kanta_gateway.privacy.stems import normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORT = 4
"""A stem of so many letters begins too many other words."""

REMEMBERED = 200_000
"""Different words that are kept at hand; a year of a large provider has fewer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a word tells."""

    cls: str
    beside: tuple[str, ...] = ()
    """Beginnings of words, one of which must stand in the same sentence; empty: it tells by itself."""


@dataclass(slots=True)
class Lexicon:
    """Stems by class."""

    stems: dict[str, Entry] = field(default_factory=dict)
    inside: tuple[tuple[str, Entry], ...] = ()
    keep: tuple[str, ...] = ()
    _longest: int = 0
    _known: dict[str, Entry | None] = field(default_factory=dict)

    @classmethod
    def of(cls, categories: Mapping[str, Any], medicines: Mapping[str, Any]) -> Lexicon:
        """The lists of both files as one.

        Args:
            categories: class -> stems, keep, near and inside.
            medicines: stems and keep.
        """
        found = cls()
        keep: list[str] = [*medicines["keep"]]
        for name, one in categories.items():
            found._add(name, one["stems"], ())
            for near in one.get("near", ()):
                found._add(name, near["stems"], tuple(near["with"]))
            found.inside += tuple((normal(inner), Entry(name)) for inner in one.get("inside", ()))
            keep += one["keep"]
        found._add("medicine", medicines["stems"], ())
        found.keep = tuple(normal(one) for one in keep)
        found._longest = max(map(len, found.stems), default=0)
        return found

    def _add(self, name: str, stems: Iterable[str], beside: tuple[str, ...]) -> None:
        for stem in stems:
            word = normal(str(stem))
            self.stems.setdefault(word, Entry(name, beside))
            if word.endswith("s"):  # Antabus, Antabuksesta
                self.stems.setdefault(word[:-1] + "ks", Entry(name, beside))

    def entry(self, word: str) -> Entry | None:
        """What a word of a text tells, or None."""
        if word not in self._known:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            self._known[word] = self._looked_up(normal(word))
        return self._known[word]

    def _looked_up(self, word: str) -> Entry | None:
        for end in range(min(len(word), self._longest), 1, -1):
            if (entry := self.stems.get(word[:end])) is not None and _is_whole(word, end):
                return None if word.startswith(self.keep) else entry
        inner = next((entry for part, entry in self.inside if word.find(part) > 0), None)
        return None if inner is None or word.startswith(self.keep) else inner


def _is_whole(word: str, end: int) -> bool:
    """Whether a stem is long enough to begin a word, or is the word itself, inflected or before a hyphen."""
    return end > SHORT or word[end : end + 1] == "-" or word[:end] in stems_of(word)
