"""Properties of the scanner over random Finnish text."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests import corpus

from kanta_gateway import knowledge
from kanta_gateway.model import CLASSES, Level
from kanta_gateway.privacy.fingerprint import Fingerprints
from kanta_gateway.privacy.identity import CENTURIES, check_character
from kanta_gateway.privacy.people import Known
from kanta_gateway.privacy.reading import Reading
from kanta_gateway.privacy.scan import Scanner

SCANNER = Scanner.load((Path(__file__).parents[2] / "mappings/privacy.yaml").read_text("utf-8"))
PRINTS = Fingerprints(b"k" * 32)
GUARD = PRINTS.guard(PRINTS.of_contact({"street_address": "Haavikonraito 17", "town": "Lahti"}), is_non_disclosure=True)
WORDS = st.lists(
    st.sampled_from(
        ["harjoiteltiin", "kassaa", "pajalla", "3", "tuntia", "klo", "9.30", "Lahdessa", "Tilaus 011125-950",
         "työ", "10 kg", "2.10.", "Haavikonraidolla", "(iltapäivä)", "sujui", "hyvin,", "03.12.2025"]
    ), max_size=12,
).map(" ".join)  # fmt: skip


@st.composite
def hetus(draw: st.DrawFn) -> str:
    """A valid identity code of a test person."""
    born = draw(st.dates(date(1901, 1, 1), date(1999, 12, 31)))
    head, number = born.strftime("%d%m%y"), f"{draw(st.integers(900, 999))}"
    mark = draw(st.sampled_from(sorted(CENTURIES)))
    return f"{head}{mark}{number}{check_character(head + number)}"


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """A valid Finnish account number, in groups or not."""
    account = f"{draw(st.integers(0, 10**14 - 1)):014d}"
    text = f"FI{98 - int(account + '151800') % 97:02d}{account}"
    return draw(st.sampled_from([text, re.sub(r"(.{4})(?=.)", r"\1 ", text)]))


@st.composite
def phones(draw: st.DrawFn) -> str:
    """A mobile number in a common spelling."""
    a, b = f"{draw(st.integers(0, 999)):03d}", f"{draw(st.integers(0, 9999)):04d}"
    start = draw(st.sampled_from(["049", "040", "050", "+358 49", "0035849", "+35849", "044"]))
    return start + draw(st.sampled_from([f" {a} {b}", f"{a}{b}", f"-{a}{b}", f" {a}{b}"]))


@given(WORDS, st.one_of(hetus(), ibans(), phones()), WORDS)
def test_every_value_in_text_is_masked(before: str, value: str, after: str) -> None:
    """A code, account or telephone number in any text goes, and the words around it stay."""
    masked, counts = SCANNER.mask(f"{before} {value}. {after}", is_contact=False, guard=None)
    assert value not in masked
    assert sum(counts.values()) == 1
    assert masked.startswith(f"{before} [")
    assert masked.endswith(f"]. {after}")


@given(st.text(max_size=80) | WORDS | st.text("0123456789 +-.FIA()tiekatu", max_size=60), st.booleans())
def test_masking_is_idempotent_and_only_removes(text: str, is_secret: bool) -> None:  # noqa: FBT001 — drawn
    """Masking masked text changes nothing; without the marks it is a subsequence of the text."""
    guard = GUARD if is_secret else None
    masked, _ = SCANNER.mask(text, is_contact=False, guard=guard)
    assert SCANNER.mask(masked, is_contact=False, guard=guard)[0] == masked
    rest = masked
    for mark in SCANNER.words.marks.values():
        rest = rest.replace(mark, "")
    letters = iter(text)
    assert all(one in letters for one in rest)


SIFTER = corpus.scanner()
READING = Reading(dict.fromkeys(CLASSES, Level.MASK), known=Known.of(["Sampo", "Rautiola"]))
TELLING = st.sampled_from(
    ["Xenia Virtasen", "puoliso Marja", "F33.1", "Ketipinor 25 mg", "Antabuksesta", "PAM-liiton",
     "helluntaiseurakunnan", "ABC-123", "oma@posti.example", "Metsätie 5", "Sampolle", "rouva Salo",
     "Matti V.", "J. Nieminen", "skitsofrenia"]
)  # fmt: skip


@given(st.lists(st.one_of(WORDS, TELLING, hetus(), phones()), max_size=8).map(" ".join))
def test_sifting_again_changes_nothing(text: str) -> None:
    """What was sifted is sifted: the same text comes back, with nothing found, and only marks were put in."""
    once = SIFTER.sift(text, READING)
    again = SIFTER.sift(once.text, READING)
    rest = once.text
    for mark in set(SIFTER.words.marks.values()):
        rest = rest.replace(mark, "")
    letters = iter(text)

    assert (again.text, again.masked) == (once.text, {})
    assert all(one in letters for one in rest)


NAMES = st.sampled_from(yaml.safe_load(knowledge.text("mappings/privacy/last-names.yaml"))["last_names"])
NO_NAMES = set(yaml.safe_load(knowledge.text("mappings/privacy/people.yaml"))["not_names"])
"""Also what a first name may be, such as the schools' system Wilma."""
FIRST = st.sampled_from([
    one for one in yaml.safe_load(knowledge.text("mappings/privacy/first-names.yaml"))["first_names"]
    if one.casefold() not in NO_NAMES
])  # fmt: skip


@given(FIRST, NAMES, st.sampled_from(["", "n", "lle", "lta", "ssa", "a", "s"]))
def test_every_listed_name_goes_in_a_text(first: str, last: str, ending: str) -> None:
    """First name and surname of the lists, with any ending on it, go from the middle of a sentence."""
    bent = (last[:-3] + "se" if last.endswith("nen") and ending else last) + ending
    found = SIFTER.sift(f"Parina oli {first} {bent}, sujui.", READING)

    assert found.text == "Parina oli [nimi poistettu], sujui."


@given(WORDS)
def test_text_without_values_stays(text: str) -> None:
    """Look-alikes and ordinary text are untouched."""
    assert SCANNER.mask(text, is_contact=False, guard=None) == (text, {})
