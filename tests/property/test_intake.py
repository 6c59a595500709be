"""Reading is total: whatever a delivery holds, it brings records and findings, or one known error."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kanta_gateway import knowledge
from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake.readers import read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.model import Record

if TYPE_CHECKING:
    import random

DATA = Path(__file__).parents[1] / "data"
SCHEMAS = RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
SOURCES = load_sources(knowledge.texts("mappings/sources"), SCHEMAS)
EXPORT: dict[str, Any] = json.loads((DATA / "lapha-small.json").read_text("utf-8"))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=8), one, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


PLACES = places(EXPORT)[1:]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(PLACES), ANY_JSON)
def test_any_change_is_read_or_told(place: tuple[Any, ...], value: Any) -> None:
    """Any value anywhere in an export gives records and findings, or the one error for unreadable files."""
    changed = json.loads(json.dumps(EXPORT))
    target = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    try:
        list(read(SOURCES["lapha-json"], io.BytesIO(json.dumps(changed).encode()), "file"))
    except UnreadableError as error:
        assert error.findings  # noqa: PT017 — either end is right


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(["type", "id", "date", "hours", "tasks", "x"]), ANY_JSON))
def test_any_canonical_value_is_judged(value: dict[str, Any]) -> None:
    """Any value is a record or has findings, never both and never neither."""
    record, told = SCHEMAS.read({"type": "diary_entry", **value})
    assert (record is None) == bool(told)


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_lines_does_not_matter(draw: random.Random) -> None:
    """Shuffled lines hold the same records."""
    lines = (DATA / "lapha-small.jsonl").read_bytes().splitlines(keepends=True)
    shuffled = draw.sample(lines, len(lines))
    assert bare(b"".join(shuffled)) == bare(b"".join(lines))


def bare(data: bytes) -> Counter[str]:
    """The records of a file without where they stand."""
    told = read(SOURCES["lapha-lines"], io.BytesIO(data), "file")
    return Counter(repr((r.type, r.id, r.version, r.client, r.content, r.rest)) for r in told if isinstance(r, Record))
