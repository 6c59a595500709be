"""The scanner: megabytes of Finnish text a second, and recall and precision by class on the marked corpus."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests import corpus

from kanta_gateway.model import CLASSES

if TYPE_CHECKING:
    from kanta_gateway.privacy.reading import Reading
    from kanta_gateway.privacy.scan import Scanner

PAGE = 1500
"""Characters of one text: a diary entry with all its fields."""
LEAST = 3.0
"""Seconds that each rate is measured for."""
_LETTERS = re.compile(r"\w+")


class Teller(Protocol):
    """Prints one figure."""

    def tell(self, figure: str, value: float, unit: str, **more: Any) -> None:
        """Print one figure with the raw rates of this moment."""


def scanning(machine: Teller, lines: Path) -> None:
    """Tell how fast and how well the scanner reads.

    Args:
        machine: prints the figures.
        lines: a year's export as JSON Lines, whose texts are read.
    """
    scan = corpus.scanner()
    texts, reading = corpus.texts()
    pages = list(_pages(lines))
    size = sum(len(one.encode()) for one in pages) / 1e6
    raw = size / _seconds(lambda: [_LETTERS.findall(one) for one in pages])
    rate = size / _seconds(lambda: _read(scan, pages, reading))
    machine.tell(
        "scanner on one core", rate, "MB/s", target=5, ratio=round(rate / raw, 3),
        raw_words_mb_per_second=round(raw, 1),
    )  # fmt: skip
    told = corpus.score(scan, texts, reading)
    for cls in CLASSES:
        if told.wanted[cls]:
            machine.tell(
                "scanner, recall", told.recall(cls), "of 1", precision=round(told.precision(cls), 4),
                marked=told.wanted[cls], **{"class": cls},
            )  # fmt: skip


def _read(scan: Scanner, pages: list[str], reading: Reading) -> None:
    for one in pages:
        scan.sift(one, reading)


def _seconds(work: Any) -> float:
    """Processor time of one call, after one that fills the memory of words: others share the cores."""
    work()
    start, times = time.process_time(), 0
    while time.process_time() - start < LEAST:
        work()
        times += 1
    return (time.process_time() - start) / times


def _pages(lines: Path) -> Iterator[str]:
    """The texts of a year, each once, as pages."""
    seen: dict[str, None] = {}
    with lines.open(encoding="utf-8") as file:
        for line in file:
            seen.update(dict.fromkeys(_texts(json.loads(line))))
    page: list[str] = []
    for one in seen:
        page.append(one)
        if sum(map(len, page)) > PAGE:
            yield " ".join(page)
            page = []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > 40 and " " in value:  # shorter ones are names, dates and codes
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
