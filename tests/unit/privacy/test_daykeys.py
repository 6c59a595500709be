"""Rows of the log at rest: each opens at its place under its key, and nowhere else."""

from __future__ import annotations

import pytest
from tests.logs import day_keys

from kanta_gateway.errors import KeyUnavailableError, UntrustedError
from kanta_gateway.privacy.daykeys import DayKeys


def test_a_row_opens_at_its_place_only() -> None:
    """A sealed row that is put in another place does not open there, though its key is the same."""
    keys = day_keys()
    key, sealed = keys.seal("1.2", "2026-03-02", 7, b"row")
    again, other = keys.seal("1.2", "2026-03-02", 8, b"row")

    assert (key, b"row", b"row") == (again, keys.open(key, 7, sealed), keys.open(key, 8, other))
    for place, row in ((8, sealed), (7, other), (0, sealed), (77, sealed)):
        with pytest.raises(UntrustedError):
            keys.open(key, place, row)


@pytest.mark.parametrize("other", [("1.3", "2026-03-02"), ("1.2", "2026-03-03")])
def test_another_registers_or_days_key_opens_nothing(other: tuple[str, str]) -> None:
    """Each register and day has a key of its own, and no key opens what another one sealed."""
    keys = day_keys()
    key, sealed = keys.seal("1.2", "2026-03-02", 7, b"row")
    wrong, _ = keys.seal(*other, 8, b"row")

    assert key != wrong
    with pytest.raises(UntrustedError):
        keys.open(wrong, 7, sealed)


def test_keys_are_found_again_and_forgotten() -> None:
    """Another process finds the key of a day; once it is destroyed and forgotten the row does not open."""
    keys = day_keys()
    key, sealed = keys.seal("1.2", "2026-03-02", 7, b"row")
    another = DayKeys(keys._vault, keys._store)
    found = (another.open(key, 7, sealed), another.seal("1.2", "2026-03-02", 8, b"x")[0])
    keys._store.destroy_days([key])  # type: ignore[attr-defined]  # the store of the test
    remembered = keys.open(key, 7, sealed)
    keys.forget()

    assert (b"row", key, b"row") == (*found, remembered)
    with pytest.raises(KeyUnavailableError):
        keys.open(key, 7, sealed)
