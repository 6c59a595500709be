"""`makes`: the authority's own records become documents only for a purchaser that asks for it."""

from __future__ import annotations

import pytest
from tests.unit.contracts.builders import TEXT, TYPES

from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError


def test_nobody_asks_by_default() -> None:
    """A contract file without the word makes none of the authority's documents."""
    assert Contract.load(TEXT, "x", TYPES).makes == frozenset()


def test_asked_for() -> None:
    """The types that the file lists are made."""
    assert Contract.load(f"{TEXT}\nmakes: [decision, matter]\n", "x", TYPES).makes == {"decision", "matter"}


@pytest.mark.parametrize("stated", ["[diary_entry]", "[incident]", "[staff]", "[nothing]", "decision"])
def test_what_cannot_be_asked_for(stated: str) -> None:
    """What a provider makes anyway, what is about no client and what does not exist is a mistake of the file."""
    with pytest.raises(MisconfiguredError, match="makes"):
        Contract.load(f"{TEXT}\nmakes: {stated}\n", "x", TYPES)
