"""A command's result as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest

from kanta_gateway.cli.printing import lines


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": None, "b": [], "c": {}, "d": ""}, ["a: -", "b: -", "c: -", "d: -"]),
        ({"holds": True, "left": False, "count": 0}, ["holds: yes", "left: no", "count: 0"]),
        ({"parts": {"one": {"x": 1}}}, ["parts:", "  one:", "    x: 1"]),
        ({"blocks": ["1003", "19007"]}, ["blocks: 1003, 19007"]),
        ({"problems": ["first of two", "second"]}, ["problems:", "  first of two", "  second"]),
        (
            {"rows": [{"key": "a", "unit": None, "days": 12}, {"key": "long", "unit": "", "days": 1}]},
            ["rows:", "  key   days", "  a     12", "  long  1"],
        ),
        (
            {"rows": [{"key": "a", "text": "x" * 150, "told": [{"n": 1}]}]},
            ["rows:", "  - key: a", f"    text: {'x' * 150}", "    told:", "      n", "      1"],
        ),
        ({"rows": [{"key": "a", "of": {"n": 1}, "among": ["x", "y"]}]}, [
            "rows:", "  key  of        among", '  a    {"n": 1}  x, y',
        ]),
    ],
)  # fmt: skip
def test_what_is_printed(value: dict[str, Any], expected: list[str]) -> None:
    """Nothing is a dash, like rows are a table of the fields that any tells, and too wide a row is told by itself."""
    assert expected == list(lines(value))


def test_every_value_is_printed() -> None:
    """No row is cut, however many fields and rows there are."""
    rows = [{f"field{place}": f"value-{row}-{place}" for place in range(30)} for row in range(20)]

    told = "\n".join(lines({"rows": rows}))

    assert all(value in told for row in rows for value in row.values())
