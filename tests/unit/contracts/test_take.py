"""A contract says whether deliveries of a source are taken as a whole."""

from __future__ import annotations

import pytest
from tests.unit.contracts.builders import TYPES
from tests.unit.contracts.vouchers import TEXT

from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError


def test_a_contract_chooses_for_a_source() -> None:
    """What the contract says of a source stands; without a word the source decides."""
    strict = Contract.load(f"{TEXT}\ntake: {{heinola-csv: all-or-nothing}}\n", "heinola", TYPES)

    assert {"heinola-csv": "all-or-nothing"} == strict.take
    assert {} == Contract.load(TEXT, "heinola", TYPES).take


def test_another_word_is_a_mistake() -> None:
    """A word that is none of the two is told with its place."""
    with pytest.raises(MisconfiguredError, match="take heinola-csv: expected good-rows or all-or-nothing"):
        Contract.load(f"{TEXT}\ntake: {{heinola-csv: everything}}\n", "heinola", TYPES)
