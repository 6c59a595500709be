"""Narratives and attached texts as plain text, whatever stands in them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway.intake.fhirvalues import mentions, narrative, sections

HEAD = '<div xmlns="http://www.w3.org/1999/xhtml">'
TITLES = {"titles": {"content": "Palvelun sisältö", "progress": "Eteneminen"}}


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<p>Eka.</p><p>Toka.</p>", "Eka.\nToka."),
        ("Alku<p>Eka.</p>loppu", "Alku\nEka.\nloppu"),
        ("yksi<br/>kaksi", "yksi\nkaksi"),
        ("yksi <b>tärkeä</b>\n   sana", "yksi tärkeä sana"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("a&nbsp;b &auml;&ouml; &amp; &lt;p&gt;", "a b äö & <p>"),
        ("a<!-- piilossa -->b", "ab"),
        ("a<script>koodi()</script><style>p {}</style>b", "ab"),
        ("<?ohje piilossa?>a", "a"),
        ("", None),
        ("<p> </p>", None),
    ],
)
def test_a_narrative_is_its_text(inside: str, expected: str | None) -> None:
    """Blocks are lines, cells are words, and only what a reader would see is text."""
    assert narrative(f"{HEAD}{inside}</div>", {}).value == expected


def test_a_narrative_without_its_namespace_is_read_too() -> None:
    """Many systems leave the namespace away."""
    assert narrative("<div><p>a</p><p>b</p></div>", {}).value == "a\nb"


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("pelkkää tekstiä", "SRC-TYPE"),
        ("<div><p>auki</div>", "SRC-TYPE"),
        ("<div>&eitunneta;</div>", "SRC-TYPE"),
        ('<!DOCTYPE div [<!ENTITY x "y">]><div>&x;</div>', "SRC-ENTITY"),
        ('<!DOCTYPE div SYSTEM "http://a.example/x.dtd"><div>a</div>', "SRC-ENTITY"),
        (5, "SRC-TYPE"),
    ],
)
def test_what_is_no_narrative_is_told(value: Any, rule: str) -> None:
    """Broken marks, and entities that someone declares, are never read as text."""
    assert narrative(value, {}).rule == rule


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="<&"), max_size=60))
def test_plain_words_come_out_as_they_went_in(words: str) -> None:
    """Nothing of a text is lost but repeated blanks."""
    assert (narrative(f"{HEAD}<p>{words}</p></div>", {}).value or "") == " ".join(words.split())


def attached(text: str, kind: str = "text/plain", encoding: str = "utf-8") -> dict[str, str]:
    """An attachment."""
    return {"contentType": kind, "data": base64.b64encode(text.encode(encoding)).decode()}


TEXT = "Palvelun sisältö\nTapaamisia.\n\nKäyntejä.\nEteneminen\nHyvin."
BOTH = {"content": "Tapaamisia.\n\nKäyntejä.", "progress": "Hyvin."}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (attached(TEXT), BOTH),
        (attached(TEXT, "text/plain; charset=utf-8"), BOTH),
        (attached(TEXT, 'text/plain; charset="ISO-8859-1"', "latin-1"), BOTH),
        (attached(TEXT, "text/plain;charset=windows-1252", "cp1252"), BOTH),
        (attached("\ufeff" + TEXT.replace("\n", "\r\n")), BOTH),
        (attached("1. PALVELUN SISÄLTÖ:\nTapaamisia.\n2) Eteneminen\nHyvin."),
         {"content": "Tapaamisia.", "progress": "Hyvin."}),
        (attached(f"{HEAD}<h2>Eteneminen</h2><p>Hyvin.</p></div>", "text/html"), {"progress": "Hyvin."}),
        (attached("Otsake\nVälirivi\n" + TEXT), {"": 2, **BOTH}),
        (attached("Eteneminen\n\nPalvelun sisältö\nTapaamisia."), {"content": "Tapaamisia."}),
        ({"data": attached(TEXT)["data"][:20] + "\n" + attached(TEXT)["data"][20:]}, BOTH),
    ],
)  # fmt: skip
def test_an_attached_text_is_divided_at_its_titles(value: dict[str, str], expected: dict[str, Any]) -> None:
    """Encodings and ways of writing a title do not matter; what stands above the first is counted, not lost."""
    assert sections(value, TITLES).value == expected


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (attached("Ei otsikoita."), "SRC-SECTIONS"),
        (attached("%PDF-1.7", "application/pdf"), "SRC-ATTACHMENT"),
        (attached(TEXT, "text/plain; charset=koi8-r"), "SRC-ATTACHMENT"),
        (attached(TEXT, "text/plain", "latin-1"), "SRC-ATTACHMENT"),
        ({"contentType": "text/plain", "url": "https://a.example/liite"}, "SRC-ATTACHMENT"),
        ({"contentType": "text/plain", "data": "ei base64"}, "SRC-ATTACHMENT"),
        (attached(" \n "), "SRC-ATTACHMENT"),
        (attached("Eteneminen\n\x00"), "SRC-CHARACTER"),
    ],
)
def test_what_is_no_divided_text_is_told(value: dict[str, str], rule: str) -> None:
    """A text that cannot be divided is never taken as a part of something."""
    assert sections(value, TITLES).rule == rule


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Puhelu omatyöntekijän kanssa (etä)", "remote"), ("Verkostoneuvottelu ETÄNÄ", "remote"), ("Tapaaminen", None),
     ("Etäisyys", None)],
)  # fmt: skip
def test_a_word_of_a_text_can_mean_something(value: str, expected: str | None) -> None:
    """Whole words count, in whatever case."""
    assert mentions(value, {"of": {"etä": "remote", "etänä": "remote"}}).value == expected
