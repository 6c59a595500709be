"""One diary entry worked by hand from the sources: what the engine makes of it, letter by letter."""

from __future__ import annotations

import json
from pathlib import Path

from tests.documents import mapper
from tests.vector.naive import write

from kanta_gateway.mapping.tree import to_json

FOLDER = Path(__file__).parent / "diary"
SOURCE = json.loads((FOLDER / "source.json").read_text("utf-8"))
DOCUMENT = json.loads((FOLDER / "document.json").read_text("utf-8"))


def test_engine_makes_the_document_worked_by_hand() -> None:
    """The engine's JSON is the one written by hand, in the same order of fields."""
    (variant,) = mapper().variants("diary_entry", SOURCE["product"])

    made = to_json(mapper().compose(variant, SOURCE))

    assert json.dumps(made) == json.dumps(DOCUMENT)


def test_second_writer_makes_it_too() -> None:
    """The naive writer makes the same document."""
    assert write(SOURCE) == DOCUMENT
