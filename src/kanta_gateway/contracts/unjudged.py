"""What a contract file says of rules that it does not judge: not at all, not by software, or elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.contracts.mistakes import Mistakes

_LANGUAGES = ("fi", "sv", "en")


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A rule, or a part of one, that no record lets anyone judge."""

    rule: str
    reason: Mapping[str, str]
    """By language."""


@dataclass(frozen=True, slots=True)
class NotSoftware:
    """A rule about what people do, which no record can show."""

    rule: str
    instead: Mapping[str, str]
    """By language: what the gateway does instead."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A duty of the law that the contract gives to somebody whose records do not come here."""

    rule: str
    clause: str
    """Of the contract, that says so."""
    reason: Mapping[str, str]
    """By language: who does it."""


def not_judged(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> NotJudged | None:
    """One entry of `not_judged`, or None if it does not hold."""
    return NotJudged(item["rule"], dict(item["reason"])) if _is_told(mistakes, where, item, "reason") else None


def not_software(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> NotSoftware | None:
    """One entry of `not_software`, or None if it does not hold."""
    return NotSoftware(item["rule"], dict(item["instead"])) if _is_told(mistakes, where, item, "instead") else None


def elsewhere(mistakes: Mistakes, where: str, item: Mapping[str, Any]) -> Elsewhere | None:
    """One entry of `elsewhere`, or None if it does not hold."""
    if not _is_told(mistakes, where, item, "reason", "clause"):
        return None
    return Elsewhere(item["rule"], str(item["clause"]), dict(item["reason"]))


def _is_told(mistakes: Mistakes, where: str, item: Mapping[str, Any], key: str, *others: str) -> bool:
    """Whether a rule has its text in each language; what it lacks is told."""
    before = len(mistakes.told)
    mistakes.keys(where, item, ("rule", key, *others))
    if isinstance(item.get(key), dict):
        mistakes.keys(f"{where} {key}", item[key], _LANGUAGES)
    else:
        mistakes.say(where, f"{key}: expected a text for each language")
    return len(mistakes.told) == before
