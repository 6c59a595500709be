"""What tells of persons and of what is most private: names, health, belief and the like, codes, car plates.

* One pass over the words of a text tells whether it holds anything; most texts do not, and cost no more.
* A medicine goes with its dose, a diagnosis by its code or its word; a word before a dose is a medicine.
* A word that tells only beside another (`seurakunnan jäsen`) is looked for in its own sentence.

Rules and lists: `people.py`, `lexicon.py`; shapes: `mappings/privacy.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from kanta_gateway.privacy.lexicon import REMEMBERED, Lexicon
from kanta_gateway.privacy.people import NOBODY, TELLING, Known, Lists, People
from kanta_gateway.privacy.stems import normal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WORD = re.compile(r"[A-Za-z\u00aa-\u02af]{2,60}(?:-[A-Za-z\u00aa-\u02af]{1,60}){0,3}")
NEAR = 60
"""Characters before a shape in which the word stands that makes it tell."""

_SENTENCE = re.compile(r"[^.!?\n]*")
_DIGIT = re.compile(r"\d")
_LAST_WORD = re.compile(r"(?<![\w-])([^\W\d_]{4,40})[ ]{1,2}\Z")
_CAPITAL_OR_DIGIT = re.compile(r"[A-ZÅÄÖ0-9@]|[aä]t[)\]}> ]")
_PLATE_DIGITS = re.compile(r"\d(?<!\d\d)\d{0,2}(?![\w-])")
_LETTERS = 4
"""Characters of a plate before its digits."""


class Span(NamedTuple):
    """One stretch of a text that must go."""

    start: int
    end: int
    cls: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """Compiled shapes of what is no word."""

    e_mail: re.Pattern[str]
    e_mail_signs: tuple[str, ...]
    car_plate: re.Pattern[str]
    car_plate_letters: re.Pattern[str]
    car_plate_near: re.Pattern[str]
    car_plate_exceptions: tuple[str, ...]
    old_account: re.Pattern[str]
    account_near: re.Pattern[str]
    diagnosis_code: re.Pattern[str]
    diagnosis_code_short: re.Pattern[str]
    diagnosis_near: re.Pattern[str]
    dose: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Words that were looked at, so that a text of known words costs two comparisons of sets."""

    all: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Special:
    """Finds names and special categories by the installation's lists."""

    shapes: Shapes
    lexicon: Lexicon
    people: People
    not_before_dose: frozenset[str]
    staff_private: tuple[str, ...]
    seen: _Seen = field(default_factory=_Seen)

    @classmethod
    def of(cls, shapes: Shapes, lists: Mapping[str, Mapping[str, Any]]) -> Special:
        """What the files of `mappings/privacy/` say.

        Args:
            shapes: compiled shapes.
            lists: name of the file -> its content.
        """
        categories, medicines = lists["categories"], lists["medicines"]
        return cls(
            shapes=shapes,
            lexicon=Lexicon.of(categories, medicines),
            people=People(Lists.of(lists["first-names"], lists["last-names"], lists["people"])),
            not_before_dose=frozenset(map(normal, medicines["not_before_dose"])),
            staff_private=tuple(map(normal, categories["staff-private"]["staff"])),
        )

    def spans(self, text: str, known: Known | None = None, staff: Known = NOBODY) -> Iterator[Span]:
        """Everything of these classes that stands in a text.

        Args:
            text: a text.
            known: names that may stay; None: names are not looked for, since whose they are is not known yet.
            staff: names of the provider's staff.
        """
        if _CAPITAL_OR_DIGIT.search(text) is not None:
            yield from self._shapes(text)
        listed = WORD.findall(text)
        told = set(listed)
        if fresh := told - self.seen.all:
            self._see(fresh)
        has_words = not told.isdisjoint(self.seen.entries)
        has_names = known is not None and not told.isdisjoint(self.seen.names) and self.people.may_name(listed)
        if not has_words and not has_names:
            return
        words = list(WORD.finditer(text))
        if has_words:
            yield from self._words(text, words)
        if known is not None and has_names:
            entry = self.lexicon.entry
            others = [one for one in words if (found := entry(one[0])) is None or found.beside] if has_words else words
            yield from (Span(start, end, "person") for start, end in self.people.spans(text, others, known))
            if staff.stems and not told.isdisjoint(self.seen.private):
                yield from self._staff_matters(text, words, staff)

    def _see(self, words: set[str]) -> None:
        """Remember which of these words tell something; last of all that they were looked at, for other threads."""
        if len(self.seen.all) > REMEMBERED:
            self.seen.all.clear()
        self.seen.entries.update(one for one in words if self.lexicon.entry(one) is not None)
        self.seen.names.update(one for one in words if self.people.sort(one) & TELLING)
        self.seen.private.update(one for one in words if normal(one).startswith(self.staff_private))
        self.seen.all.update(words)

    def _words(self, text: str, words: Sequence[re.Match[str]]) -> Iterator[Span]:
        for word in words:
            entry = self.lexicon.entry(word[0])
            if entry is None:
                continue
            if not entry.beside or _has(_sentence(text, word.start()), entry.beside, word[0]):
                yield Span(*word.span(), entry.cls)

    def _shapes(self, text: str) -> Iterator[Span]:
        shapes = self.shapes
        if any(sign in text for sign in shapes.e_mail_signs):
            yield from (Span(*found.span(), "e-mail") for found in shapes.e_mail.finditer(text))
        if _DIGIT.search(text) is None:
            return
        yield from self._plates(text)
        yield from self._accounts(text)
        yield from self._codes(text)
        for dose in shapes.dose.finditer(text):
            before = text[max(0, dose.start() - NEAR) : dose.start()]
            word = _LAST_WORD.search(before) if before[-1:] == " " else None
            if word is not None and normal(word[1]) not in self.not_before_dose:
                yield Span(dose.start() - len(before) + word.start(), dose.end(), "medicine")

    def _plates(self, text: str) -> Iterator[Span]:
        shapes = self.shapes
        for found in shapes.car_plate.finditer(text):
            if not found[0].startswith(shapes.car_plate_exceptions):
                yield Span(*found.span(), "car-plate")
        for digits in _PLATE_DIGITS.finditer(text):
            letters = shapes.car_plate_letters.search(text, max(0, digits.start() - _LETTERS), digits.start())
            if letters is not None and shapes.car_plate_near.search(_before(text, letters.start())):
                yield Span(letters.start(), digits.end(), "car-plate")

    def _accounts(self, text: str) -> Iterator[Span]:
        shapes = self.shapes
        for found in shapes.old_account.finditer(text):
            if _is_old_account(found[1], found[2]) or shapes.account_near.search(_before(text, found.start())):
                yield Span(*found.span(), "account-number")

    def _codes(self, text: str) -> Iterator[Span]:
        shapes = self.shapes
        yield from (Span(*found.span(), "diagnosis") for found in shapes.diagnosis_code.finditer(text))
        for found in shapes.diagnosis_code_short.finditer(text):
            if shapes.diagnosis_near.search(_before(text, found.start())):
                yield Span(*found.span(), "diagnosis")

    def _staff_matters(self, text: str, words: Sequence[re.Match[str]], staff: Known) -> Iterator[Span]:
        """What is private of a member of the staff: such a word in a sentence that names one."""
        for word in words:
            if word[0] not in self.seen.private:
                continue
            beside = WORD.finditer(_sentence(text, word.start()))
            if any(one[0][0].isupper() and staff.holds(one[0]) for one in beside):
                yield Span(*word.span(), "staff-private")


def _before(text: str, start: int) -> str:
    return text[max(0, start - NEAR) : start]


def _sentence(text: str, at: int) -> str:
    """The sentence that a place of a text stands in."""
    start = max(text.rfind(mark, 0, at) for mark in ".!?\n") + 1
    found = _SENTENCE.match(text, start)
    return found[0] if found is not None else ""


def _has(sentence: str, beginnings: tuple[str, ...], word: str) -> bool:
    return any(normal(one).startswith(beginnings) for one in WORD.findall(sentence) if one != word)


def _is_old_account(bank: str, rest: str) -> bool:
    """Whether a national account number holds; banks 4 and 5 fill up with zeros a digit later."""
    if not "1" <= bank[0] <= "8":
        return False
    head, tail = (bank + rest[0], rest[1:]) if bank[0] in "45" else (bank, rest)
    digits = head + tail.rjust(14 - len(head), "0")
    doubled = (int(one) * (2 - place % 2) for place, one in enumerate(digits))
    return sum(one // 10 + one % 10 for one in doubled) % 10 == 0
