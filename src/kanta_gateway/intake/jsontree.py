"""Values built from the events of a JSON stream, one at a time, with bounded depth and size.

* What stands deeper than `MAX_DEPTH` is cut off where it begins, and what is larger than the limit is read past.
* A key that stands twice in one object has no value: nobody knows which one is meant.
* Nothing here recurses over the input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kanta_gateway.intake.jsontext import MAX_DEPTH
from kanta_gateway.intake.values import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_NESTING = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_PLAIN = 8
"""Bytes that anything but a text counts for."""


class Builder:
    """Builds values from parser events.

    Args:
        events: as `ijson.basic_parse` gives them; shared with whoever reads around the values.
        limit: bytes of one value; 0 for none.
    """

    def __init__(self, events: Iterator[tuple[str, Any]], limit: int = 0) -> None:
        self._events = events
        self._limit = limit
        self.is_cut = False
        """Whether something stood too deep since this was last set to False."""

    def build(self, event: str, value: Any) -> Any:
        """The value that begins with this event; `Unreadable` if it is too large."""
        if event not in {"start_map", "start_array"}:
            return value
        root: Any = {} if event == "start_map" else []
        stack: list[tuple[Any, str]] = [(root, "")]
        size = 0
        while stack:
            event, value = next(self._events)
            size += len(value) if isinstance(value, str) else _PLAIN
            if self._limit and size > self._limit:
                self._skip(len(stack) + _NESTING.get(event, 0))
                return Unreadable("SRC-SIZE")
            if event == "map_key":
                stack[-1] = (stack[-1][0], value)
            elif event in {"end_map", "end_array"}:
                stack.pop()
            elif event not in {"start_map", "start_array"}:
                _put(*stack[-1], value)
            elif len(stack) >= MAX_DEPTH:
                self.is_cut = True
                self._skip(1)
                _put(*stack[-1], Unreadable("SRC-DEPTH"))
            else:
                inner: Any = {} if event == "start_map" else []
                _put(*stack[-1], inner)
                stack.append((inner, ""))
        return root

    def _skip(self, level: int) -> None:
        """Read past what stands inside that many brackets."""
        while level:
            event, _ = next(self._events)
            level += _NESTING.get(event, 0)


def _put(place: Any, key: str, value: Any) -> None:
    if isinstance(place, list):
        place.append(value)
    else:
        place[key] = Unreadable("SRC-TWICE") if key in place else value
