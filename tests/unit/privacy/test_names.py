"""Inflected names: which words of a text are forms of a name, and which are not."""

from __future__ import annotations

import pytest
from tests import corpus

from kanta_gateway.model import CLASSES, Level
from kanta_gateway.privacy.inflection import name_stems, stems_of
from kanta_gateway.privacy.people import Known
from kanta_gateway.privacy.reading import Reading

FORMS = {
    ("Virtanen", True): "Virtanen Virtasen Virtasta Virtaselle Virtaselta Virtasella Virtasessa Virtaseen Virtasten",
    ("Lahti", True): "Lahti Lahden Lahtea Lahdelle Lahteen Lahdessa",
    ("Kangas", True): "Kangas Kankaan Kankaalle Kankaalta Kangasta",
    ("Mäki", True): "Mäki Mäen Mäelle Mäkeä Mäkeen",
    ("Rinne", True): "Rinne Rinteen Rinteelle Rinnettä",
    ("Jänkä", True): "Jänkä Jängän Jängälle Jänkää",
    ("Lindström", True): "Lindström Lindströmin Lindströmille Lindströms",
    ("Mäki-Lahti", True): "Mäki-Lahti Mäki-Lahden Mäki-Lahdelle",
    ("Pekka", False): "Pekka Pekan Pekalle Pekkaa Pekalta Pekkaan",
    ("Arttu", False): "Arttu Artun Artulle Arttua",
    ("Hannes", False): "Hannes Hanneksen Hannekselle Hannesta",
    ("Tom", False): "Tom Tomin Tomille Tomia Toms",
    ("Kaarina", False): "Kaarina Kaarinan Kaarinaa Kaarinallekin Kaarinansa",
    ("Anna-Liisa", False): "Anna-Liisa Anna-Liisan Anna-Liisalle",
}


@pytest.mark.parametrize(("name", "is_surname"), FORMS)
def test_every_form_is_the_names(name: str, is_surname: bool) -> None:  # noqa: FBT001 — one of two lists
    """Every form of a name has one of its stems."""
    stems = name_stems(name, is_surname=is_surname)
    lost = [form for form in FORMS[name, is_surname].split() if stems.isdisjoint(stems_of(form))]

    assert lost == []


def test_other_words_are_not() -> None:
    """Words that only begin alike are no forms of a name."""
    stems = name_stems("Pekka", is_surname=False) | name_stems("Anna", is_surname=False)

    assert [word for word in ("Pekoni", "Annos", "Annettiin", "Pekkala") if not stems.isdisjoint(stems_of(word))] == []


def test_whose_name_it_is_decides() -> None:
    """The client's own name stays, in any form; with another surname it is another person's and goes whole."""
    reading = Reading(dict.fromkeys(CLASSES, Level.MASK), known=Known.of(["Pirjo", "Lintukangas"]))
    scan = corpus.scanner()

    assert (
        scan.sift("Pirjolle annettiin Lintukankaan paikka.", reading).text == "Pirjolle annettiin Lintukankaan paikka."
    )
    assert scan.sift("Pirjo Virtanen auttoi Pirjoa.", reading).text == "[nimi poistettu] auttoi Pirjoa."


def test_names_are_not_looked_for_before_it_is_known_whose_they_are() -> None:
    """Without a file of the client no name is masked, and everything else is."""
    found = corpus.scanner().sift("Matti Virtanen, dg F33.1.", Reading(dict.fromkeys(CLASSES, Level.MASK)))

    assert found.text == "Matti Virtanen, dg [tieto poistettu]."
