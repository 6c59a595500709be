"""The scanner on the marked corpus: nothing that is marked is left, and nothing else goes."""

from __future__ import annotations

from tests import corpus

from kanta_gateway.model import CLASSES

ADDRESSES_OF_A_GUARD = {"postal-code", "town"}
"""Classes that are only looked for where a client is under turvakielto."""


def test_nothing_is_left_and_nothing_else_goes() -> None:
    """Every marked value goes whole, inflected or not, and no weekday, product, place or ordinary word goes with it."""
    texts, reading = corpus.texts()
    told = corpus.score(corpus.scanner(), texts, reading)

    assert told.misses == []


def test_the_corpus_has_every_class() -> None:
    """Every class is marked in the corpus, at least twice, and half as many texts hold nothing."""
    texts, _ = corpus.texts()
    seen = [cls for one in texts for _, _, cls in one.marked]

    assert {cls for cls in CLASSES if seen.count(cls) < 2} == ADDRESSES_OF_A_GUARD
    assert len([one for one in texts if not one.marked]) > len(texts) / 4
