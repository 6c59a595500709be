"""The shape that a knowledge file must have, as values: what is not of the shape is told and left out.

* Every unknown word is told with the nearest known one, every lacking one, and every value of another kind.
* What is left is of the shape: whoever reads it further need not look again, and tells its own mistakes as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

from kanta_gateway.stated import Lined, Mistakes, listed, nearest

OUT: Final = object()
"""What is left of a value that is not of the shape."""
_KINDS: Mapping[type, str] = {
    bool: "a truth value", int: "a number", float: "a number", str: "text", list: "a list", date: "a day",
    Lined: "keys and values", type(None): "nothing",
}  # fmt: skip


class Shape(Protocol):
    """One shape."""

    @property
    def name(self) -> str:
        """What it is called in a message: `a list`."""
        ...

    def is_like(self, value: Any) -> bool:
        """Whether a value is of its kind, whatever it holds."""
        ...

    def take(self, value: Any, place: Place) -> Any:
        """The value as far as it is of the shape, or `OUT`; what is not is told."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file one is."""

    mistakes: Mistakes
    line: int
    words: str = ""

    def within(self, word: object, line: int) -> Place:
        """One step further in."""
        return Place(self.mistakes, line, f"{self.words} {word}".strip())

    def say(self, what: str, line: int | None = None) -> None:
        """Tell a mistake here."""
        self.mistakes.say(line or self.line, f"{self.words}: {what}" if self.words else what)


def found(value: Any) -> str:
    """What kind of value there is, never the value."""
    return next((name for kind, name in _KINDS.items() if type(value) is kind), type(value).__name__)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value of some types."""

    name: str
    types: tuple[type, ...]
    hint: str = ""

    def is_like(self, value: Any) -> bool:
        """Whether the type is one of them; a truth value is no number."""
        return type(value) in self.types

    def take(self, value: Any, place: Place) -> Any:
        """As it is."""
        if self.is_like(value):
            return value
        place.say(f"expected {self.name}, found {found(value)}{self.hint}")
        return OUT


TEXT = Scalar("text", (str,), "; put it in quotes if it is text")
WORD = Scalar("text", (str, int, float, date))
"""Text that YAML may take for a number or a day."""
FLAG = Scalar("true or false", (bool,))
WHOLE = Scalar("a whole number", (int,))
NUMBER = Scalar("a number", (int, float))
DAY = Scalar("a day", (date,), "; write 2027-01-01")
NOTHING = Scalar("nothing", (type(None),))
ANY = Scalar("a value", (str, int, float, bool, date, list, Lined, type(None)))


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]
    name: str = "text"

    def is_like(self, value: Any) -> bool:
        """Whether it is a word at all."""
        return isinstance(value, str)

    def take(self, value: Any, place: Place) -> Any:
        """The word, if it is one of them."""
        if value in self.words:
            return value
        told = f" {value}" if isinstance(value, str) else f" {found(value)}"
        place.say(f"expected one of {listed(self.words)}, found{told}{nearest(value, self.words)}")
        return OUT


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, each item of one shape."""

    item: Shape
    name: str = "a list"

    def is_like(self, value: Any) -> bool:
        """Whether it is a list."""
        return isinstance(value, list)

    def take(self, value: Any, place: Place) -> Any:
        """The items that are of the shape."""
        if not self.is_like(value):
            place.say(f"expected a list, found {found(value)}; write [one, two]")
            return OUT
        made = [
            self.item.take(one, place.within(number, one.line if isinstance(one, Lined) else place.line))
            for number, one in enumerate(value, 1)
        ]
        return [one for one in made if one is not OUT]


@dataclass(frozen=True, slots=True)
class Named:
    """Values of one shape under names of one's own."""

    item: Shape
    known: tuple[str, ...] = ()
    """The names that there can be; empty for any."""
    name: str = "keys and values"

    def is_like(self, value: Any) -> bool:
        """Whether it has keys."""
        return isinstance(value, Lined)

    def take(self, value: Any, place: Place) -> Any:
        """The values that are of the shape, under their names."""
        return _taken(value, place, lambda key: None if self.known and key not in self.known else self.item, self.known)


@dataclass(frozen=True, slots=True)
class Keys:
    """An object of known words."""

    needed: Mapping[str, Shape]
    optional: Mapping[str, Shape] = field(default_factory=dict)
    rest: Shape | None = None
    """Shape of every other word, where whoever reads further knows them."""
    name: str = "keys and values"

    def is_like(self, value: Any) -> bool:
        """Whether it has keys."""
        return isinstance(value, Lined)

    def take(self, value: Any, place: Place) -> Any:
        """What is of the shape; nothing of it where a needed word is lacking or wrong."""
        known = {**self.needed, **self.optional}
        made = _taken(value, place, lambda key: known.get(key, self.rest), known)
        if made is OUT:
            return OUT
        for key in self.needed:
            if key not in value:
                strange = nearest(key, (one for one in value if one not in known))
                place.say(f"{key} is missing{strange.replace('did you mean', 'is it')}", value.line)
        return made if self.needed.keys() <= made.keys() else OUT


def _taken(value: Any, place: Place, shape_of: Any, known: Any) -> Any:
    if not isinstance(value, Lined):
        place.say(f"expected keys and values, found {found(value)}")
        return OUT
    made = Lined(value.line)
    made.doubles = value.doubles
    for key, one in value.items():
        made.lines[key] = value.at(key)  # also of what is left out: it is not lacking, and has been told
        shape: Shape | None = shape_of(key)
        if shape is None:
            place.say(f"{key} is not known here; remove it or correct its name{nearest(key, known)}", value.at(key))
            continue
        taken = shape.take(one, place.within(key, value.at(key)))
        if taken is not OUT:
            made[key] = taken
    return made


@dataclass(frozen=True, slots=True)
class Either:
    """The first shape that a value is like."""

    shapes: tuple[Shape, ...]

    @property
    def name(self) -> str:
        """All of them."""
        return " or ".join(one.name for one in self.shapes)

    def is_like(self, value: Any) -> bool:
        """Whether it is like one of them."""
        return any(one.is_like(value) for one in self.shapes)

    def take(self, value: Any, place: Place) -> Any:
        """As that shape takes it."""
        for one in self.shapes:
            if one.is_like(value):
                return one.take(value, place)
        place.say(f"expected {self.name}, found {found(value)}")
        return OUT


def shaped(value: Any, shape: Shape, mistakes: Mistakes) -> Any:
    """A file's content as far as it is of a shape.

    Args:
        value: what `stated.read` gave.
        shape: of the whole file.
        mistakes: gets what is not of the shape.

    Raises:
        MisconfiguredError: nothing is left of it.
    """
    taken = shape.take(value, Place(mistakes, value.line if isinstance(value, Lined) else 1))
    if taken is OUT:
        mistakes.end()
    return taken
