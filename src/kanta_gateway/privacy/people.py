"""Names of persons in a text: by lists of names, by what stands before them, and by what only surnames end in.

* A first name is a name, with the capital words that follow it; one that is an ordinary word as well is not one at the
  beginning of a sentence, unless a surname follows (`Toivo kahvin jälkeen …`).
* After a word of kinship whatever capital words follow are a name (`sisko Xenia`, `naapurin Kaarlo Kivi`).
* A surname alone counts inside a sentence, or after a title; one that places share only after a first name.
* Names that the record may tell (the client's own, the staff's) stay, unless a name beside them is another's.

Lists: `mappings/privacy/first-names.yaml`, `last-names.yaml`, `people.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kanta_gateway.privacy.inflection import name_stems, stems_of
from kanta_gateway.privacy.stems import normal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

SHORT = 4
"""A beginning of so many letters counts as a whole word only."""
MOST_WORDS = 4
"""Words of one person's name."""
REMEMBERED = 200_000

_ENDS = frozenset('.!?:;"\u201c\u201d\u2018\u2019\u00ab\u00bb\u2022-\u2013\u2014(>/')
"""What stands before the beginning of a sentence, of a quotation or of a label's text."""
_NEAR = 8
"""Characters before a word in which the end of the sentence before it stands."""
_BENT_NEN = re.compile(r"(.*(?:[aeiouyäö](?=se)|[aeioäö](?=s\Z)))(?<!ee)se?")
_INITIAL = re.compile(r"[ \u00a0][A-ZÅÄÖ]\.")
_INITIAL_BEFORE = re.compile(r"(?<!\w)[A-ZÅÄÖ]\.[ ]?$")


class Sort:
    """What a word may be, as bits of one number: millions of words are looked at, and an enumeration is slow."""

    NONE: Final = 0
    FIRST: Final = 1
    WORD_TOO: Final = 2
    """A first name that is an ordinary word as well."""
    LAST: Final = 4
    LIKE_LAST: Final = 8
    """Ends as only surnames do."""
    LIKE_PLACE: Final = 16
    """Ends as surnames and places do."""
    KIN: Final = 32
    TITLE: Final = 64
    NO_NAME: Final = 128


NAMES = Sort.FIRST | Sort.LAST | Sort.LIKE_LAST
_FOLLOWING = Sort.LAST | Sort.LIKE_LAST | Sort.LIKE_PLACE
BEFORE = Sort.KIN | Sort.TITLE
TELLING = NAMES | BEFORE
"""Sorts without which a text holds no name."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of names and of what stands beside them."""

    first: frozenset[str]
    also_words: frozenset[str]
    last: frozenset[str]
    kin: frozenset[str]
    titles: frozenset[str]
    surname_endings: tuple[str, ...]
    compound_endings: tuple[str, ...]
    not_names: tuple[str, ...]
    phrases: tuple[str, ...]
    """Of those, the ones of several words."""

    @classmethod
    def of(cls, first: Mapping[str, Any], last: Mapping[str, Any], people: Mapping[str, Any]) -> Lists:
        """The files as sets of stems."""
        return cls(
            first=_stems(first["first_names"], is_surname=False),
            also_words=frozenset(map(normal, first["also_words"])),
            last=_stems(last["last_names"], is_surname=True),
            kin=frozenset(map(normal, people["kin"])),
            titles=frozenset(map(normal, people["titles"])),
            surname_endings=tuple(people["surname_endings"]),
            compound_endings=tuple(people["compound_endings"]),
            not_names=tuple(normal(one) for one in people["not_names"] if " " not in one),
            phrases=tuple(normal(one) for one in people["not_names"] if " " in one),
        )


def _stems(names: Iterable[str], *, is_surname: bool) -> frozenset[str]:
    return frozenset().union(*(name_stems(str(one), is_surname=is_surname) for one in names))


@dataclass(frozen=True, slots=True)
class Known:
    """Names that a record may tell: the client's own, and of those who work with the client."""

    stems: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Collection[str]) -> Known:
        """What inflected forms of these names have one of.

        Args:
            names: first names and surnames, each perhaps of several words.
        """
        words = {word for name in names for word in re.split(r"[\s,/()]+", name) if word}
        parts = {part for word in words for part in (word, *word.split("-")) if part[:1].isupper()}
        return cls(frozenset().union(*(name_stems(one, is_surname=True) for one in parts)))

    def holds(self, word: str) -> bool:
        """Whether a word is one of these names in some form."""
        return not self.stems.isdisjoint(stems_of(word))


NOBODY = Known()


@dataclass(slots=True)
class People:
    """Finds names of persons."""

    lists: Lists
    _known: dict[str, int] = field(default_factory=dict)

    def sort(self, word: str) -> int:
        """What a word may be, remembered."""
        if word not in self._known:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            self._known[word] = self._sorted(word)
        return self._known[word]

    def _sorted(self, word: str) -> int:
        lists, whole = self.lists, normal(word)
        stems = stems_of(word)
        found = Sort.NONE
        if not stems.isdisjoint(lists.kin):
            found |= Sort.KIN
        if whole in lists.titles:
            found |= Sort.TITLE
        short = word.partition("-")[0]
        if not word[:1].isupper() or (
            short.isupper() and len(short) <= SHORT
        ):  # an abbreviation, perhaps in a compound
            return found
        parts = [whole, *(whole.split("-") if "-" in whole else ())]
        if any(not lists.first.isdisjoint(stems_of(one)) for one in (parts if len(parts) == 1 else parts[1:])):
            found |= Sort.FIRST
        if whole in lists.also_words:
            found |= Sort.WORD_TOO
        if not lists.last.isdisjoint(stems) or (len(parts) > 1 and not lists.last.isdisjoint(stems_of(parts[-1]))):
            found |= Sort.LAST
        basic = stems | _as_nen(stems)
        is_listed = any(one.endswith("nen") and one in lists.last for one in basic)
        if is_listed or any(_ends_as(one, lists.surname_endings) for one in basic):
            found |= Sort.LIKE_LAST
        if any(one.endswith(lists.compound_endings) and len(one) > LONG for one in stems):
            found |= Sort.LIKE_PLACE
        if any(whole.startswith(one) if len(one) > SHORT else one in stems for one in lists.not_names):
            found |= Sort.NO_NAME
        return found

    def spans(self, text: str, words: Sequence[re.Match[str]], known: Known) -> Iterator[tuple[int, int]]:
        """Where names of persons stand, other than those that the record may tell.

        Args:
            text: a text.
            words: its words, in order.
            known: names that stay.
        """
        end = 0
        for at in self._likely([one[0] for one in words]):
            if at >= end and (last := self._name(text, words, at)) > at:
                name = self._apart(words[at:last], known)
                end = at + len(name)
                if not all(known.holds(one[0]) for one in name):
                    yield self._whole(text, name)

    def may_name(self, words: Sequence[str]) -> bool:
        """Whether any of the words may be a name, where it stands."""
        return next(self._likely(words), None) is not None

    def _likely(self, words: Sequence[str]) -> Iterator[int]:
        """Capital words that are names themselves, or stand between words that may make them one."""
        known, sort = self._known, self.sort
        for at, word in enumerate(words):
            if not word[0].isupper():
                continue
            own = known[word] if word in known else sort(word)
            before = sort(words[at - 1]) if at else Sort.NONE
            after = words[at + 1] if at + 1 < len(words) else ""
            follows = after[:1].isupper() and sort(after) & _FOLLOWING
            if own & (NAMES | Sort.LIKE_PLACE) or before & BEFORE or follows:
                yield at

    def _apart(self, name: Sequence[re.Match[str]], known: Known) -> Sequence[re.Match[str]]:
        """A name that the record may tell, without the capital words after it that are no surname."""
        if not known.holds(name[0][0]):
            return name
        while len(name) > 1 and not (known.holds(name[-1][0]) or self._is_surname(name[-1][0])):
            name = name[:-1]
        return name

    def _whole(self, text: str, name: Sequence[re.Match[str]]) -> tuple[int, int]:
        """From the first to the last word, with initials beside them."""
        start, end = name[0].start(), name[-1].end()
        if (before := _INITIAL_BEFORE.search(text, max(0, start - 4), start)) is not None:
            start = before.start()
        if len(name) == 1 and (after := _INITIAL.match(text, end)) is not None:
            end = after.end()
        return start, end

    def _name(self, text: str, words: Sequence[re.Match[str]], at: int) -> int:
        """The word after a name that begins at a word; the word itself where none does."""
        sort, before = self.sort(words[at][0]), self._before(text, words, at)
        is_told = before & (Sort.KIN | Sort.TITLE) and sort & (Sort.FIRST | Sort.LAST)
        if (sort & Sort.NO_NAME and not is_told) or self._is_phrase(text, words[at].start()):
            return at
        end = self._run(text, words, at)
        return end if self._is_name(text, words, at, end) else at

    def _is_phrase(self, text: str, start: int) -> bool:
        """Whether a name of several words that is no person's begins here."""
        return any(text[start : start + len(one)].casefold() == one for one in self.lists.phrases)

    def _before(self, text: str, words: Sequence[re.Match[str]], at: int) -> int:
        """What stands right before a word, where anything does."""
        is_beside = at > 0 and _is_beside(text, words[at - 1], words[at])
        return self.sort(words[at - 1][0]) if is_beside else Sort.NONE

    def _is_name(self, text: str, words: Sequence[re.Match[str]], at: int, end: int) -> bool:
        """Whether a run of capital words is a name."""
        word, sort = words[at], self.sort(words[at][0])
        begins = _begins(text, word.start())
        before = self._before(text, words, at)
        if before & Sort.KIN and not word[0].isupper():
            return True
        follows = any(self._is_surname(one[0]) for one in words[at + 1 : end])
        if sort & Sort.FIRST and not sort & Sort.KIN:
            return follows or not (sort & Sort.WORD_TOO and begins)
        if sort & Sort.LAST and end > at + 1 and not begins:  # the surname first
            return True
        if follows and (not begins or (sort == Sort.NONE and self._is_listed(words[end - 1][0]))):
            return True
        has_initial = _INITIAL_BEFORE.search(text, max(0, word.start() - 4), word.start()) is not None
        if self._is_surname(word[0]) and (before & Sort.TITLE or has_initial):
            return True
        is_shared = sort & (Sort.LIKE_PLACE | Sort.WORD_TOO)
        return bool(sort & Sort.LIKE_LAST) and not is_shared and (not begins or bool(sort & Sort.LAST))

    def _run(self, text: str, words: Sequence[re.Match[str]], at: int) -> int:
        """The end of the capital words that stand right after one another."""
        end = at + 1
        while end < min(len(words), at + MOST_WORDS) and _is_beside(text, words[end - 1], words[end]):
            word = words[end][0]
            is_other = self.sort(word) & Sort.NO_NAME and not self.sort(word) & Sort.LAST
            if not word[:1].isupper() or word.isupper() or is_other:
                break
            end += 1
        return end

    def _is_surname(self, word: str) -> bool:
        return bool(self.sort(word) & (Sort.LAST | Sort.LIKE_LAST | Sort.LIKE_PLACE))

    def _is_listed(self, word: str) -> bool:
        return bool(self.sort(word) & (Sort.LAST | Sort.LIKE_LAST))


_NO_SURNAMES = ("minen", "llinen", "uinen", "einen", "lainen", "läinen", "mainen")
"""Endings of nouns of action and of adjectives."""
LONG = 5
"""A word that is longer may be a surname by its ending."""


def _as_nen(stems: Iterable[str]) -> frozenset[str]:
    """Basic forms of stems of names in -nen: virtase and virtas are Virtanen; sibelius is not."""
    return frozenset(found[1] + "nen" for one in stems if (found := _BENT_NEN.fullmatch(one)) is not None)


def _ends_as(word: str, endings: tuple[str, ...]) -> bool:
    return len(word) > LONG and word.endswith(endings) and not word.endswith(_NO_SURNAMES)


def _begins(text: str, start: int) -> bool:
    """Whether a sentence, a quotation or a labelled text begins here."""
    before = text[max(0, start - _NEAR) : start]
    told = before.rstrip()
    return (not told and start < _NEAR) or "\n" in before[len(told) :] or told[-1:] in _ENDS


def _is_beside(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether nothing but a space stands between two words."""
    return text[one.end() : other.start()] in {" ", "\u00a0", " - "}
