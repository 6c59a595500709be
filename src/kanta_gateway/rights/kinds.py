"""What can be asked for by right, by whom, and how it may be decided: the words of `mappings/rights/*.yaml`.

* A kind has its own time, outcomes and grounds; what is not in its lists cannot be decided.
* Every text is there in Finnish, Swedish and English.
* This module sees text only; days are counted where requests are kept.

Source: 703/2023 §11, §12; GDPR 12, 15 to 18; 1050/2018 §34.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanta_gateway.messages import LANGUAGES
from kanta_gateway.shapes import FLAG, TEXT, WHOLE, Keys, ListOf, Named, shaped
from kanta_gateway.stated import Lined, Mistakes, listed, nearest, read

if TYPE_CHECKING:
    from collections.abc import Iterable

Texts = Mapping[str, str]
"""Language -> text."""

NOT_IDENTIFIED = "none"
"""How somebody was identified who was not."""
GRANTED = ("granted", "partly")
"""Outcomes by which the data itself is given."""
REFUSED = "refused"

_TEXTS = Keys(dict.fromkeys(LANGUAGES, TEXT))
_KIND = Keys(
    {"title": _TEXTS, "basis": TEXT, "months": WHOLE, "outcomes": ListOf(TEXT), "grounds": ListOf(TEXT)},
    {"is_written": FLAG, "window_years": WHOLE, "may_cost": FLAG, "is_explained": FLAG, "extension_months": WHOLE,
     "is_forwarded": FLAG, "case_days": Named(WHOLE)},
)  # fmt: skip
_ASKER = Keys(dict.fromkeys(LANGUAGES, TEXT), {"is_representative": FLAG, "of_minor": FLAG, "needs_power": FLAG})
_GROUND = Keys({"basis": TEXT, **dict.fromkeys(LANGUAGES, TEXT)})
_KINDS = Keys({
    "kinds": Named(_KIND), "grounds": Named(_GROUND), "askers": Named(_ASKER), "identified_by": Named(_TEXTS),
    "outcomes": Named(_TEXTS),
})  # fmt: skip
_WORDS = Named(Named(_TEXTS))
_SECTION = Keys({**dict.fromkeys(LANGUAGES, TEXT), "text": _TEXTS})
_EXPORT = Keys({
    "staff": ListOf(TEXT), "others": ListOf(TEXT), "turvakielto": ListOf(TEXT), "sections": Named(_SECTION),
    "held": Named(_TEXTS), "left_out": _TEXTS, "left_out_protected": _TEXTS,
})  # fmt: skip
_LABELS = ("what", "when", "when-many", "who")
"""What a receipt tells of each document."""
_EASY = Keys({
    "unmentioned": ListOf(TEXT),
    "labels": Keys({name: Keys(dict.fromkeys((*LANGUAGES, "selko"), TEXT)) for name in _LABELS}),
    "structures": Named(Keys({"name": TEXT, "tells": TEXT})),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be asked for."""

    name: str
    title: Texts
    basis: str
    months: int
    """Until when it is answered, from the day of receipt."""
    outcomes: tuple[str, ...]
    grounds: tuple[str, ...]
    """On which it may be refused, whole or in part."""
    extension_months: int = 0
    """How much longer it may take with a reason (GDPR 12(3)); 0: not at all."""
    is_written: bool = False
    """Whether it must be asked in writing."""
    window_years: int = 0
    """How far back it goes without a special reason; 0: as far as there is anything."""
    may_cost: bool = False
    """Whether a repeat may cost something."""
    is_explained: bool = False
    """Whether those whose use it was explain it before it is decided."""
    is_forwarded: bool = False
    """Whether the processor only passes it to the controller."""
    case_days: Mapping[str, int] = field(default_factory=dict)
    """Outcome -> until when what it found is handled, as a case of supervision (703/2023 §78)."""


@dataclass(frozen=True, slots=True)
class Asker:
    """In which capacity somebody asks."""

    text: Texts
    is_representative: bool = False
    of_minor: bool = False
    """Of a minor client only."""
    needs_power: bool = False
    """Whether the document that gives the power must be told."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Why something is refused."""

    basis: str
    text: Texts


@dataclass(frozen=True, slots=True)
class Copy:
    """What a client's own copy of the data tells and leaves out."""

    staff: frozenset[str]
    others: frozenset[str]
    protected: frozenset[str]
    """Left out under turvakielto."""
    sections: Mapping[str, Lined]
    held: Mapping[str, Texts]
    left_out: Texts
    left_out_protected: Texts


@dataclass(frozen=True, slots=True)
class Easy:
    """How receipts speak of documents."""

    unmentioned: frozenset[str]
    """Keys of fields and groups that a receipt does not mention."""
    labels: Mapping[str, Texts]
    structures: Mapping[str, Mapping[str, str]]
    """Number of a structure -> its name and one sentence, in easy Finnish."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything of the files but the pages."""

    kinds: Mapping[str, Kind]
    grounds: Mapping[str, Ground]
    askers: Mapping[str, Asker]
    identified_by: Mapping[str, Texts]
    outcomes: Mapping[str, Texts]
    words: Mapping[str, Mapping[str, Texts]]
    copy: Copy
    easy: Easy

    @classmethod
    def load(cls, files: Mapping[str, str]) -> Rules:
        """Read the files of `mappings/rights`.

        Args:
            files: name -> YAML text, of kinds, words, fields, export and easy.

        Raises:
            MisconfiguredError: with every mistake of a file.
        """
        told, mistakes = _read(files, "kinds", _KINDS)
        _check_lists(told, mistakes)
        mistakes.end()
        words = _read(files, "words", _WORDS)[0] | _read(files, "fields", _WORDS)[0]
        export, _ = _read(files, "export", _EXPORT)
        easy, _ = _read(files, "easy", _EASY)
        copy = Copy(
            frozenset(export["staff"]), frozenset(export["others"]), frozenset(export["turvakielto"]),
            export["sections"], export["held"], export["left_out"], export["left_out_protected"],
        )  # fmt: skip
        return cls(
            {name: _kind(name, one) for name, one in told["kinds"].items()},
            {name: Ground(one["basis"], one) for name, one in told["grounds"].items()},
            {name: _asker(one) for name, one in told["askers"].items()},
            told["identified_by"], told["outcomes"], words, copy,
            Easy(frozenset(easy["unmentioned"]), easy["labels"], easy["structures"]),
        )  # fmt: skip

    def word(self, group: str, key: str, language: str) -> str:
        """A word as a person reads it; the key itself where it has none."""
        texts = self.words.get(group, {}).get(key)
        return key if texts is None else texts[language]

    def act(self, event: str, language: str) -> str:
        """What was done, as a person reads it."""
        subjects = self.words["subjects"]
        texts = self.words["acts"].get(event) or subjects.get(event.partition(":")[0]) or subjects["other"]
        return texts[language]


def _read(files: Mapping[str, str], name: str, shape: Any) -> tuple[Lined, Mistakes]:
    mistakes = Mistakes(f"rights/{name}.yaml")
    stated: Lined = shaped(read(files.get(name, ""), mistakes) or Lined(), shape, mistakes)
    mistakes.end()
    return stated, mistakes


def _check_lists(told: Lined, mistakes: Mistakes) -> None:
    """Outcomes and grounds that kinds name are there."""
    for name, one in told["kinds"].items():
        lists = {"outcomes": told["outcomes"], "grounds": told["grounds"], "case_days": one["outcomes"]}
        for word, known in lists.items():
            for key in _unknown(one.get(word, ()), known):
                here = f"there is no {key} in {word}{nearest(key, known)}; it has {listed(known)}"
                mistakes.say(one.at(word), f"kinds {name} {word}: {here}")


def _unknown(named: Iterable[str], known: Mapping[str, Any]) -> list[str]:
    return [one for one in named if one not in known]


def _kind(name: str, one: Lined) -> Kind:
    plain = {key: value for key, value in one.items() if key not in {"title", "outcomes", "grounds"}}
    return Kind(name=name, title=one["title"], outcomes=tuple(one["outcomes"]), grounds=tuple(one["grounds"]), **plain)


def _asker(one: Lined) -> Asker:
    return Asker(one, *(bool(one.get(name)) for name in ("is_representative", "of_minor", "needs_power")))
