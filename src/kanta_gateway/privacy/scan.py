"""Finds and masks what must not stand in free text: codes, numbers, addresses, names, special categories.

* What becomes of a class is the contract's instruction (`Reading.levels`); codes, numbers and what tells where a client
  under turvakielto lives go at once, whatever it says.
* A masked value is replaced by a visible mark; every other character stays.
* In a contact field telephone numbers stay, unless the client is under turvakielto.
* For a client under turvakielto, its own street, postal code, town and telephone go (by fingerprint),
  and whatever looks like a street address or a postal code.
* Masking masked text changes nothing.

Issue: 703/2023 §14, GDPR 5(1)(c); turvakielto: 661/2009 §36. Words and shapes: `mappings/privacy.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from kanta_gateway.model import Level
from kanta_gateway.privacy.identity import CENTURIES, birth_date, check_character
from kanta_gateway.privacy.inflection import stems_of
from kanta_gateway.privacy.reading import Reading, Sifted
from kanta_gateway.privacy.special import WORD, Span, Special
from kanta_gateway.privacy.stems import beginnings, digits, is_place, normal
from kanta_gateway.privacy.words import Words, load_words
from kanta_gateway.stated import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kanta_gateway.privacy.fingerprint import ClientGuard

ROUNDS = 4
"""Most rounds of masking: a mask can free the edge of a neighbouring value."""

CACHED_TEXTS = 8192

_NUMBERISH = re.compile(r"\d(?:\D{0,4}\d){4}")
"""Five digits near each other: without them there is no code, account or telephone number."""
_ACCOUNT_START = re.compile(r"([A-Za-z]{2})[\s.-]{0,2}\d")
_DIGITS = re.compile(r"(?<!\d)\d(?:[\s./()_\u2010-\u2015\u2212-]{0,3}\d){4,14}(?!\d)")
_STREET_NUMBER = re.compile(r"\d(?<!\d\d)\d{0,3}(?!\d|[.,:]\d)")
_BEFORE_NUMBER = (" ", "\u00a0", ",")
_LAST_WORD = re.compile(r"([^\W\d_]{3,40}(?:-[^\W\d_]{1,40}){0,2})[ \u00a0,]{1,2}\Z")
_WORD_BEFORE = re.compile(r"([^\W\d_]{2,20})[ \u00a0]\Z")
_LONGEST_STREET = 60
_MARK = re.compile(r"\[[^\[\]]*\]")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_LONE_STEM = 6
"""A stem of this many letters is taken in small letters too; a shorter one only with a capital letter."""


class Scanner:
    """Masks free text by the installation's words."""

    def __init__(self, words: Words, special: Special | None = None) -> None:
        self.words = words
        self.special = special
        self._marks = frozenset(words.marks.values())
        self._plain = lru_cache(CACHED_TEXTS)(self._masked_plain)

    @classmethod
    def load(cls, text: str, language: str = "fi", lists: Mapping[str, str] | None = None) -> Scanner:
        """A scanner from the data files.

        Args:
            text: `mappings/privacy.yaml`.
            language: of the marks.
            lists: name -> text of the files of `mappings/privacy/`; without them names and categories are not found.

        Raises:
            MisconfiguredError: the data file has mistakes.
        """
        words = load_words(text, language)
        if lists is None:
            return cls(words)
        return cls(words, Special.of(words.shapes, {name: plain(one) for name, one in lists.items()}))

    def sift(self, text: str, reading: Reading) -> Sifted:
        """The text as it may stay, what was masked, and what waits for its author.

        Args:
            text: free text.
            reading: how it is read.
        """
        counts: Counter[str] = Counter()
        sensitive: list[Span] = []
        for _ in range(ROUNDS):
            sensitive = list(self._sensitive(text, reading))
            spans = self._outside_marks(text, self._going(text, reading, sensitive))
            if any(reading.levels[one.cls] is Level.DROP for one in spans):
                return Sifted("", counts + Counter(one.cls for one in spans), Counter(), is_dropped=True)
            if not spans:
                break
            counts.update(one.cls for one in spans)
            text = self._replaced(text, spans)
        asked = (one for one in sensitive if reading.levels[one.cls] is Level.ASK)
        return Sifted(text, counts, Counter(one.cls for one in self._outside_marks(text, asked)))

    def found(self, text: str, reading: Reading) -> list[Span]:
        """What goes from a text, in order and without overlaps."""
        return self._outside_marks(text, self._going(text, reading, list(self._sensitive(text, reading))))

    def _going(self, text: str, reading: Reading, found: list[Span]) -> Iterator[Span]:
        """What is masked or dropped: what no contract may allow, and what this one lets go."""
        is_secret = reading.guard is not None and reading.guard.is_non_disclosure
        guard = reading.guard if is_secret else None
        yield from self._spans(text, guard, is_contact=reading.is_contact and not is_secret)
        going = (Level.MASK, Level.DROP)
        sensitive = [one for one in found if reading.levels[one.cls] in going]
        yield from sensitive
        if reading.protected is not None:
            has_person = any(one.cls == "person" for one in sensitive)
            for one in self._known(text, reading.protected):
                if one.cls != "town" or has_person:
                    yield one

    def _sensitive(self, text: str, reading: Reading) -> Iterator[Span]:
        """Classes that the contract decides about, and those shapes that a contact field may hold."""
        is_secret = reading.guard is not None and reading.guard.is_non_disclosure
        if not reading.is_contact:
            yield from self._numbered_streets(text)
        if self.special is not None:
            contact = {"e-mail"} if reading.is_contact and not is_secret else set()
            known = None if reading.is_contact else reading.known
            yield from (one for one in self.special.spans(text, known, reading.staff) if one.cls not in contact)

    def _numbered_streets(self, text: str) -> Iterator[Span]:
        """A word that ends as streets do, with a number after it."""
        clear, others = self.words.street_ends
        for number in _STREET_NUMBER.finditer(text):
            before = text[max(0, number.start() - _LONGEST_STREET) : number.start()]
            found = _LAST_WORD.search(before) if before[-1:] in _BEFORE_NUMBER else None
            if found is None or normal(found[1]).startswith(self.words.street_exceptions):
                continue
            stems, ends = stems_of(found[1]), (*clear, *others) if found[1][0].isupper() else clear
            if not any(stem.endswith(ends) and stem not in ends for stem in stems):
                continue
            start = number.start() - len(before) + found.start()
            first = _WORD_BEFORE.search(before, 0, found.start())
            is_part = first is not None and normal(first[1]) in self.words.street_before
            whole = self._with_number(text, start, start + len(found[1]))
            yield whole._replace(start=start - len(first[0])) if is_part and first is not None else whole

    def mask(self, text: str, *, is_contact: bool, guard: ClientGuard | None) -> tuple[str, Counter[str]]:
        """The text with marks in place of what must go, and how many of each class.

        Args:
            text: free text.
            is_contact: a contact field: keeps telephone numbers unless the client is under turvakielto.
            guard: what is known about the client; None while that is not known.
        """
        if guard is None or not guard.is_non_disclosure:
            if _NUMBERISH.search(text) is None:
                return text, Counter()
            masked, counts = self._plain(text, is_contact)
            return masked, Counter(dict(counts))
        return self._until_clean(text, guard=guard, is_contact=False)

    def _masked_plain(self, text: str, is_contact: bool) -> tuple[str, tuple[tuple[str, int], ...]]:  # noqa: FBT001 — a cache key
        masked, counts = self._until_clean(text, guard=None, is_contact=is_contact)
        return masked, tuple(counts.items())

    def _until_clean(self, text: str, *, guard: ClientGuard | None, is_contact: bool) -> tuple[str, Counter[str]]:
        counts: Counter[str] = Counter()
        for _ in range(ROUNDS):
            spans = self._outside_marks(text, self._spans(text, guard, is_contact=is_contact))
            if not spans:
                break
            counts.update(one.cls for one in spans)
            text = self._replaced(text, spans)
        return text, counts

    def _spans(self, text: str, guard: ClientGuard | None, *, is_contact: bool) -> Iterator[Span]:
        if _NUMBERISH.search(text) is not None:
            yield from self._accounts(text)
            yield from self._identity_codes(text)
            if not is_contact:
                yield from self._telephones(text)
        if guard is not None:
            yield from self._known(text, guard)
            yield from self._addresses(text)

    def _identity_codes(self, text: str) -> Iterator[Span]:
        """Shape and a possible date; written with gaps or onto a word, the check character must hold too."""
        for found in self.words.identity_code.finditer(text):
            day, month, year, mark, individual, check = found.groups()
            if birth_date(day, month, year, _century(mark)) is None:
                continue
            holds = check_character(day + month + year + individual) == check.upper()
            if holds or not (re.search(r"[\s.]", found[0]) or _is_glued(text, found.start())):
                yield Span(*found.span(), "identity-code")

    def _accounts(self, text: str) -> Iterator[Span]:
        for start in _ACCOUNT_START.finditer(text):
            country = start[1].upper()
            pattern = self.words.accounts.get(country)
            found = pattern.match(text, start.start()) if pattern is not None else None
            is_plain = country in self.words.accounts_by_shape and not _is_glued(text, start.start())
            if found is not None and (is_plain or _checks_by_97(found[0])):
                yield Span(*found.span(), "account-number")

    def _telephones(self, text: str) -> Iterator[Span]:
        for pattern in self.words.telephones:
            for found in pattern.finditer(text):
                if self.words.not_telephone.fullmatch(found[0]) is None:
                    yield Span(*found.span(), "telephone")

    def _addresses(self, text: str) -> Iterator[Span]:
        """What looks like an address, whosever it is."""
        for pattern in self.words.streets:
            for found in pattern.finditer(text):
                if not normal(found[0]).startswith(self.words.street_exceptions):
                    yield Span(*found.span(), "street-address")
        for found in self.words.postal_code.finditer(text):
            yield Span(*found.span(), "postal-code")

    def _known(self, text: str, guard: ClientGuard) -> Iterator[Span]:
        """What is the client's own, by its fingerprints."""
        words = list(WORD.finditer(text))
        for index, word in enumerate(words):
            following = words[index + 1] if index + 1 < len(words) else None
            pair = text[word.start() : following.end()] if following is not None else ""
            if _is_known(word[0], "town", guard):
                yield Span(*word.span(), "town")
            elif _is_known(word[0], "street-address", guard):
                yield self._with_number(text, word.start(), word.end())
            elif following is not None and _is_known(pair, "street-address", guard):
                yield self._with_number(text, word.start(), following.end())
        for number in _DIGITS.finditer(text):
            if guard.matches("telephone", digits(number[0])):
                yield Span(*number.span(), "telephone")
            elif guard.matches("postal-code", re.sub(r"\D", "", number[0])):
                yield Span(*number.span(), "postal-code")

    def _with_number(self, text: str, start: int, end: int) -> Span:
        number = self.words.street_number.match(text, end)
        return Span(start, number.end() if number is not None else end, "street-address")

    def _outside_marks(self, text: str, found: Iterator[Span]) -> list[Span]:
        """Spans in order without overlaps; touching or overlapping ones are one, of the first one's class."""
        spans = list(found)
        if not spans:
            return spans
        marks = [found.span() for found in _MARK.finditer(text) if found[0] in self._marks]
        joined: list[Span] = []
        for one in sorted(spans, key=lambda span: (span.start, -span.end)):
            if any(start < one.end and one.start < end for start, end in marks):
                continue
            if joined and one.start < joined[-1].end:
                joined[-1] = joined[-1]._replace(end=max(joined[-1].end, one.end))
            else:
                joined.append(one)
        return joined

    def _replaced(self, text: str, spans: list[Span]) -> str:
        parts: list[str] = []
        at = 0
        for one in spans:
            parts += (text[at : one.start], self.words.marks[one.cls])
            at = one.end
        return "".join((*parts, text[at:]))


def _is_known(word: str, cls: str, guard: ClientGuard) -> bool:
    """By a beginning of the word; a short one in small letters only before an ending of place."""
    is_name, whole = word[:1].isupper(), normal(word)
    return any(
        guard.matches(cls, stem)
        for stem in beginnings(word)
        if is_name or len(stem) >= _LONE_STEM or is_place(whole, stem)
    )


def _is_glued(text: str, start: int) -> bool:
    """Whether a letter or digit stands right before."""
    return start > 0 and text[start - 1].isalnum()


def _century(mark: str) -> str:
    """The mark in the spelling of the law: capital, plain hyphen."""
    plain = mark.translate(_DASHES).upper()
    return plain if plain in CENTURIES else "-"


def _checks_by_97(account: str) -> bool:
    """ISO 13616: country and check digits moved to the end, letters as numbers from 10, remainder 1 by 97."""
    compact = re.sub(r"[^0-9A-Za-z]", "", account)
    return int("".join(str(int(one, 36)) for one in compact[4:] + compact[:4])) % 97 == 1
