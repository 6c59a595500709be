"""What tells of persons and of what is most private: names, health, belief and the like, codes, car plates.

* One pass over the words of a text tells whether it holds anything; most texts do not, and cost no more.
* A medicine goes with its dose, a diagnosis by its code or its word; a word before a dose is a medicine.
* A word that tells only beside another (`seurakunnan jäsen`) is looked for in its own sentence.

Rules and lists: `people.py`, `lexicon.py`; shapes: `mappings/privacy.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kanta_gateway.privacy.lexicon import Lexicon
from kanta_gateway.privacy.people import NOBODY, TELLING, Known, Lists, People
from kanta_gateway.privacy.stems import normal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WORD = re.compile(r"[^\W\d_]{2,60}(?:-[^\W\d_]{1,60}){0,3}")
NEAR = 60
"""Characters before a shape in which the word stands that makes it tell."""

_SENTENCE = re.compile(r"[^.!?\n]*")
_CAPITAL_OR_DIGIT = re.compile(r"[A-ZÅÄÖ0-9@]|\(ät\)|\(at\)")


class Span(NamedTuple):
    """One stretch of a text that must go."""

    start: int
    end: int
    cls: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """Compiled shapes of what is no word."""

    e_mail: re.Pattern[str]
    car_plate: re.Pattern[str]
    car_plate_short: re.Pattern[str]
    car_plate_near: re.Pattern[str]
    car_plate_exceptions: tuple[str, ...]
    old_account: re.Pattern[str]
    account_near: re.Pattern[str]
    diagnosis_code: re.Pattern[str]
    diagnosis_code_short: re.Pattern[str]
    diagnosis_near: re.Pattern[str]
    dose: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Special:
    """Finds names and special categories by the installation's lists."""

    shapes: Shapes
    lexicon: Lexicon
    people: People
    not_before_dose: frozenset[str]
    staff_private: tuple[str, ...]

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
        told = WORD.findall(text)
        entry, sort = self.lexicon.entry, self.people.sort
        has_words = any(entry(one) is not None for one in told)
        has_names = known is not None and any(sort(one) & TELLING for one in told)
        if not has_words and not has_names:
            return
        words = list(WORD.finditer(text))
        if has_words:
            yield from self._words(text, words)
        if known is not None and has_names:
            others = [one for one in words if (found := entry(one[0])) is None or found.beside]
            yield from (Span(start, end, "person") for start, end in self.people.spans(text, others, known))
            yield from self._staff_matters(text, words, staff)

    def _words(self, text: str, words: Sequence[re.Match[str]]) -> Iterator[Span]:
        for word in words:
            entry = self.lexicon.entry(word[0])
            if entry is None:
                continue
            if not entry.beside or _has(_sentence(text, word.start()), entry.beside, word[0]):
                yield Span(*word.span(), entry.cls)

    def _shapes(self, text: str) -> Iterator[Span]:
        shapes = self.shapes
        if "@" in text or "(at)" in text or "(ät)" in text:
            yield from (Span(*found.span(), "e-mail") for found in shapes.e_mail.finditer(text))
        if not any(map(str.isdigit, text)):
            return
        yield from self._plates(text)
        yield from self._accounts(text)
        yield from self._codes(text)
        for found in shapes.dose.finditer(text):
            is_named = normal(found[1]) not in self.not_before_dose
            yield Span(found.start() if is_named else found.start(2), found.end(), "medicine")

    def _plates(self, text: str) -> Iterator[Span]:
        shapes = self.shapes
        for found in shapes.car_plate.finditer(text):
            if not found[0].startswith(shapes.car_plate_exceptions):
                yield Span(*found.span(), "car-plate")
        for found in shapes.car_plate_short.finditer(text):
            if found[0][0].isupper() and shapes.car_plate_near.search(_before(text, found.start())):
                yield Span(*found.span(), "car-plate")

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
        private = [one for one in words if normal(one[0]).startswith(self.staff_private)]
        for word in private:
            if any(
                one[0][:1].isupper() and staff.holds(one[0]) for one in WORD.finditer(_sentence(text, word.start()))
            ):
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
