"""Texts that a person reads: findings and notices in Finnish, Swedish and English, from files.

* The catalogue is data (`mappings/messages/*.yaml`): kind -> language -> text with `{params}`.
* A missing text is a mistake of the installation and is found at start, all at once.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Finding
from kanta_gateway.shapes import TEXT, Keys, Named, shaped
from kanta_gateway.stated import Lined, Mistakes, read

LANGUAGES = ("fi", "sv", "en")
_CATALOGUE = Named(Keys(dict.fromkeys(LANGUAGES, TEXT)))


class Messages:
    """All texts by kind and language."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = texts

    @classmethod
    def load(cls, files: Mapping[str, str]) -> Messages:
        """Read catalogue files.

        Args:
            files: name of the file -> its YAML text.

        Raises:
            MisconfiguredError: a text lacks a language, or a kind stands in two files; all mistakes at once.
        """
        texts: dict[str, Mapping[str, str]] = {}
        told: list[str] = []
        for name, text in files.items():
            mistakes = Mistakes(f"messages/{name}.yaml")
            try:
                stated: Lined = shaped(read(text, mistakes) or Lined(), _CATALOGUE, mistakes)
            except MisconfiguredError as error:
                told += error.mistakes
                continue
            for kind, by_language in stated.items():
                if kind in texts:
                    mistakes.say(stated.at(kind), f"{kind} has its text in another file already")
                _check_fields(kind, by_language, mistakes)
                texts[kind] = by_language
            told += mistakes.told
        if told:
            raise MisconfiguredError(mistakes=told)
        return cls(texts)

    def __contains__(self, kind: str) -> bool:
        """Whether a kind has texts."""
        return kind in self._texts

    def kinds(self) -> frozenset[str]:
        """Every kind that has texts."""
        return frozenset(self._texts)

    def text(self, kind: str, language: str, params: Mapping[str, str] | None = None) -> str:
        """The text of one kind; a parameter that is not given shows as its name in braces.

        `{name:prefix}` is a word, or several with commas between, each told by the text of the kind `prefix-word`.
        """
        by_language = self._texts.get(kind)
        if by_language is None:
            return kind
        return _Words(self._texts, language).vformat(by_language[language], (), _Lenient(params or {}))

    def finding(self, finding: Finding, language: str) -> dict[str, Any]:
        """One finding as it is told to a caller."""
        told: dict[str, Any] = {
            "rule": finding.rule,
            "severity": finding.severity.word,
            "kind": finding.kind,
            "pointer": finding.pointer,
            "message": self.text(finding.kind, language, finding.params),
        }
        if finding.clause:
            told["clause"] = finding.clause
        return told


def _check_fields(kind: str, by_language: Lined, mistakes: Mistakes) -> None:
    """Every brace is closed: an open one would end the telling of a finding."""
    for language in LANGUAGES:
        try:
            list(string.Formatter().parse(by_language[language]))
        except ValueError:
            mistakes.say(by_language.at(language), f"{kind} {language}: a brace is not closed; write {{name}}")


class _Words(string.Formatter):
    """Fills a text in; a parameter with a prefix is words that have texts of their own."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]], language: str) -> None:
        self._texts = texts
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        """A parameter as it is told; a word without a text is told as it is."""
        if not format_spec:
            return str(value)
        words = str(value).split(", ")
        return ", ".join(self._texts.get(f"{format_spec}-{one}", {}).get(self._language, one) for one in words)


class _Lenient(dict[str, str]):
    """Parameters of a text; a text never fails for a missing one."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def language_of(wanted: str | None, default: str = "fi") -> str:
    """The best of our languages for an `Accept-Language` value or a `--lang` option (RFC 9110 §12.5.4)."""
    ranked: list[tuple[float, str]] = []
    for part in (wanted or "").split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            quality = 0.0
        if name[:2].lower() in LANGUAGES and quality > 0:
            ranked.append((-quality, name[:2].lower()))
    return min(ranked, key=lambda item: item[0])[1] if ranked else default
