"""Single values that tables need: names in one piece."""

from __future__ import annotations

import pytest

from kanta_gateway.intake.valuekinds import KINDS


@pytest.mark.parametrize(
    ("given", "order", "expected"),
    [
        ("Outi Maria Esimerkki", "", ("Outi Maria", "Esimerkki")),
        ("Outi Esimerkki (sosionomi AMK)", "", ("Outi", "Esimerkki")),
        ("Outi Esimerkki, sosionomi AMK", "", ("Outi", "Esimerkki")),
        ("Esimerkki, Outi Maria", "", ("Outi Maria", "Esimerkki")),
        ("Esimerkki Outi Maria", "surname-first", ("Outi Maria", "Esimerkki")),
        ("Esimerkki Outi, ohjaaja", "surname-first", ("Outi", "Esimerkki")),
        ("Esimerkki", "surname-first", (None, "Esimerkki")),
        ("Esimerkki", "", (None, "Esimerkki")),
    ],
)
def test_name_in_one_piece(given: str, order: str, expected: tuple[str | None, str]) -> None:
    """Given names and surname are told apart by their order or a comma; a degree is no part of a name."""
    read = KINDS["named"](given, {"order": order}).value

    assert expected == (read.get("given_names"), read["surname"])
