"""Properties of the scanner over random Finnish text."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway.privacy.fingerprint import Fingerprints
from kanta_gateway.privacy.identity import CENTURIES, check_character
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


@given(WORDS)
def test_text_without_values_stays(text: str) -> None:
    """Look-alikes and ordinary text are untouched."""
    assert SCANNER.mask(text, is_contact=False, guard=None) == (text, {})
