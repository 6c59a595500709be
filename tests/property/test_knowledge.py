"""Whatever one puts into a knowledge file, it holds or its mistakes are told: nothing else ends the reading."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanta_gateway import knowledge
from kanta_gateway.access.policy import Policy
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import Source
from kanta_gateway.intake.sourceshape import SOURCE
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.rules import read_mapping
from kanta_gateway.mapping.structures import Structures
from kanta_gateway.messages import Messages
from kanta_gateway.shapes import OUT, Place
from kanta_gateway.stated import Mistakes, read

SCHEMAS = RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
STRUCTURES = Structures.load(knowledge.texts("schemas/structures"))
CODES = Codes.load(knowledge.texts("mappings/codes"))
SOURCES = knowledge.texts("mappings/sources")
DOCUMENTS = knowledge.texts("mappings/documents")
Load = Callable[[str, str], object]
KINDS: Mapping[str, tuple[Mapping[str, str], Load]] = {
    "codes": (knowledge.texts("mappings/codes"), lambda name, text: Codes.load({name: text})),
    "documents": (
        {name: text for name, text in DOCUMENTS.items() if name != "groups"},
        lambda name, text: read_mapping(text, name, STRUCTURES, CODES, DOCUMENTS["groups"]),
    ),
    "messages": (knowledge.texts("mappings/messages"), lambda name, text: Messages.load({name: text})),
    "policy": (knowledge.texts("mappings/policy"), lambda _, text: Policy.load(text)),
    "sources": (SOURCES, lambda name, text: Source.load(text, name, SCHEMAS, {**SOURCES, name: text})),
}
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.just(2.5), st.sampled_from(["", "x", "diary_entry"]),
    st.lists(st.just("x"), max_size=2), st.dictionaries(st.sampled_from("ab"), st.just(1), max_size=2),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything within a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield (*path, key)
        yield from places(one, (*path, key))


def changed(value: Any, path: tuple[Any, ...], how: int, junk: Any) -> Any:
    """A copy with one thing in it misspelt, taken out or replaced."""
    made = copy.deepcopy(value)
    at = made
    for key in path[:-1]:
        at = at[key]
    if how and isinstance(at, dict):
        taken = at.pop(path[-1])
        if how == 1:
            at[f"{path[-1]}q"] = taken
    else:
        at[path[-1]] = junk
    return made


@given(st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_file_holds_or_is_told(data: st.DataObject) -> None:
    """A file with one thing misspelt, taken out or replaced is read, or refused with mistakes that name the file."""
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    files, load = KINDS[kind]
    name = data.draw(st.sampled_from(sorted(files)))
    stated = yaml.safe_load(files[name])
    path = data.draw(st.sampled_from(sorted(places(stated), key=str)))
    text = yaml.safe_dump(changed(stated, path, data.draw(st.integers(0, 2)), data.draw(JUNK)), allow_unicode=True)
    told: tuple[str, ...] = ()
    try:
        load(name, text)
    except MisconfiguredError as error:
        told = error.mistakes

    assert [] == [one for one in told if not one.startswith(f"{kind}/")]


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_left_is_of_the_shape(data: st.DataObject) -> None:
    """What a shape leaves of a value has that shape: taken again nothing is told any more."""
    stated = yaml.safe_load(SOURCES[data.draw(st.sampled_from(sorted(SOURCES)))])
    path = data.draw(st.sampled_from(sorted(places(stated), key=str)))
    text = yaml.safe_dump(changed(stated, path, data.draw(st.integers(0, 2)), data.draw(JUNK)), allow_unicode=True)
    first, second = Mistakes("x"), Mistakes("x")
    left = SOURCE.take(read(text, first), Place(first, 1))
    again = SOURCE.take(left, Place(second, 1)) if left is not OUT else OUT

    assert left == again
    assert second.told == []
