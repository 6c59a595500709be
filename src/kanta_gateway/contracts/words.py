"""Words that a contract looks for, in free text and in job titles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WordList:
    """Stems looked for in free text; only that one was found is kept as a fact."""

    name: str
    stems: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    """Record type -> fields that are looked through."""
    marks: frozenset[str] = frozenset()
    """Record types: what is found on one record also marks the client's records of these types on the same day."""
    means: str = ""
    """`not-realised`: an attended day is none; `not-absent`: an absence is none; else nothing beyond its rules."""


@dataclass(frozen=True, slots=True)
class Titles:
    """Words of job titles that name a degree (LAP-25)."""

    registered: tuple[str, ...] = ()
    """Degrees of social and health care, whose holder has a registration number."""
    unregistered: tuple[str, ...] = ()
    """Other suitable degrees."""
    unsuitable: tuple[str, ...] = ()
    """Degrees of other fields. A title with no degree at all is not judged."""
