"""Identity codes: marks, dates, sex, check character."""

from __future__ import annotations

from datetime import date

import pytest

from kanta_gateway.privacy.identity import CENTURIES, check_character, identity_code


@pytest.mark.parametrize("mark", sorted(CENTURIES))
def test_every_century_mark(mark: str) -> None:
    """Each mark of the decree gives its own century."""
    code = identity_code(f"010160{mark}901{check_character('010160901')}")
    assert code is not None
    assert code.birth_date == date(CENTURIES[mark] + 60, 1, 1)
    assert (code.sex, code.is_temporary) == ("1", True)


def test_even_number_is_a_woman() -> None:
    """An even individual number is a woman's."""
    code = identity_code(f"020202A902{check_character('020202902')}")
    assert code is not None
    assert code.sex == "2"


@pytest.mark.parametrize("text", ["", "310299-9010", "010160-901", "010160G901X", "010160-9011", "\u066010160-901X"])
def test_what_is_none(text: str) -> None:
    """A wrong shape, date, mark, check character or foreign digit is no identity code."""
    assert identity_code(text) is None
