"""A command's result as lines for a person: a line per key, like rows as a table, and a dash for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDEST = 140
"""Characters of a table's row; what is wider is told row by row, a line per field."""
NOTHING = "-"


def lines(value: Mapping[str, Any]) -> Iterator[str]:
    """A result as lines.

    Args:
        value: the result, as JSON holds it.
    """
    for key, one in value.items():
        if isinstance(one, Mapping | list) and one and not _is_short(one):
            yield f"{key}:"
            yield from (f"  {line}" for line in (lines(one) if isinstance(one, Mapping) else _items(one)))
        else:
            yield f"{key}: {_cell(one)}"


def _is_short(value: Any) -> bool:
    """Whether it is a list of a few words or numbers, which one line holds."""
    words = [str(one) for one in value]
    is_flat = isinstance(value, list) and not any(isinstance(one, Mapping | list) or " " in str(one) for one in value)
    return is_flat and sum(map(len, words)) <= WIDEST


def _items(items: Sequence[Any]) -> Iterator[str]:
    if all(isinstance(one, Mapping) for one in items):
        yield from _rows(items)
    else:
        yield from map(_cell, items)


def _rows(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as a table of the fields that any of them tells; too wide for one: each row by itself."""
    names = list(dict.fromkeys(name for row in rows for name, one in row.items() if not _is_nothing(one)))
    table = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    if sum(widths) + 2 * len(widths) <= WIDEST:
        for row in table:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        return
    for one in rows:
        told = {name: one[name] for name in names if not _is_nothing(one.get(name))}
        yield from (f"{'  ' if place else '- '}{line}" for place, line in enumerate(lines(told)))


def _cell(value: Any) -> str:
    """A value on one line."""
    if _is_nothing(value):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, Mapping | list) for one in value):
        return ", ".join(map(_cell, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else str(value)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | Mapping) and not value)
