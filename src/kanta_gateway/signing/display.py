"""Words of the display form (`schemas/display.yaml`), by language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.stated import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = frozenset({"true", "false", "at", "unit", "producer", "document", "version"})


@dataclass(frozen=True, slots=True)
class Display:
    """Words that stand beside labels and values."""

    by_language: Mapping[str, Mapping[str, str]]

    @classmethod
    def load(cls, source: str) -> Display:
        """Read `schemas/display.yaml`.

        Raises:
            MisconfiguredError: a language lacks a word.
        """
        stated = plain(source)
        lacking = [
            f"{language} lacks {', '.join(sorted(WORDS - set(stated.get(language) or {})))}"
            for language in ("fi", "sv")
            if not set(stated.get(language) or {}) >= WORDS
        ]
        if lacking:
            raise MisconfiguredError("schemas/display.yaml: " + "; ".join(lacking))
        return cls(stated)

    def words(self, language: str) -> Mapping[str, str]:
        """The words of one language; Finnish where the language has none of its own."""
        return self.by_language.get(language) or self.by_language["fi"]
