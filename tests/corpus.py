"""The marked corpus of the scanner: recall and precision by class, and every miss."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from kanta_gateway import knowledge
from kanta_gateway.model import CLASSES, Level
from kanta_gateway.privacy.people import Known
from kanta_gateway.privacy.reading import Reading
from kanta_gateway.privacy.scan import Scanner

CORPUS = Path(__file__).resolve().parent / "data" / "privacy-corpus.yaml"
_MARKED = re.compile(r"\{([a-z-]+)\|([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """One text, with what must go of it."""

    text: str
    marked: tuple[tuple[int, int, str], ...]


@dataclass(slots=True)
class Score:
    """What was found of what had to be."""

    wanted: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)

    def recall(self, cls: str) -> float:
        """Share of the marked values of a class of which nothing is left."""
        return self.hit[cls] / self.wanted[cls] if self.wanted[cls] else 1.0

    def precision(self, cls: str) -> float:
        """Share of what was taken as this class that was marked."""
        return self.right[cls] / self.found[cls] if self.found[cls] else 1.0


def scanner() -> Scanner:
    """The scanner with every list."""
    return Scanner.load(knowledge.text("mappings/privacy.yaml"), "fi", knowledge.texts("mappings/privacy"))


def texts(path: Path = CORPUS) -> tuple[list[Text], Reading]:
    """The texts of a corpus, and how they are read."""
    data = yaml.safe_load(path.read_text("utf-8"))
    known, staff = Known.of(data["known"]), Known.of(data["staff"])
    return [_read(one) for one in data["texts"]], Reading(dict.fromkeys(CLASSES, Level.MASK), known=known, staff=staff)


def _read(marked: str) -> Text:
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    at = size = 0
    for one in _MARKED.finditer(marked):
        before = marked[at : one.start()]
        spans.append((size + len(before), size + len(before) + len(one[2]), one[1]))
        pieces += [before, one[2]]
        size += len(before) + len(one[2])
        at = one.end()
    return Text("".join([*pieces, marked[at:]]), tuple(spans))


def score(scan: Scanner, corpus: list[Text], reading: Reading) -> Score:
    """Read every text and compare what goes with what is marked."""
    told = Score()
    for one in corpus:
        spans = scan.found(one.text, reading)
        for start, end, cls in one.marked:
            told.wanted[cls] += 1
            covered = any(span.start <= start and end <= span.end for span in spans)
            told.hit[cls] += covered
            if not covered:
                told.misses.append(f"left: {cls}: {one.text}")
        for span in spans:
            told.found[span.cls] += 1
            is_right = any(start < span.end and span.start < end for start, end, _ in one.marked)
            told.right[span.cls] += is_right
            if not is_right:
                told.misses.append(f"too much: {span.cls}: {one.text}")
    return told
