"""Tests of reading knowledge files: what YAML would keep silent about is told with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.stated import Lined, Mistakes, nearest, read


def mistakes_of(text: str) -> list[str]:
    """Everything that is told of a text."""
    mistakes = Mistakes("x.yaml")
    try:
        read(text, mistakes)
    except MisconfiguredError as error:
        return list(error.mistakes)
    return mistakes.told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3: a stands twice, first on line 1"),
        ("a:\n\tb: 1\n", "x.yaml:2: a tab stands at the beginning"),
        ("a: 1\nb: 'open\n", "x.yaml:"),
        ("a: 1\n  b: 2\n", "x.yaml:2: no readable YAML"),
        ("a: 2026-02-30\n", "x.yaml:1: 2026-02-30 looks like a date or number and is none"),
        ("a: b\x00\n", "x.yaml:1: a control character"),
        ("a: &a [*a]\n", "x.yaml:1: no readable YAML: an alias that repeats without end"),
        ("a: !!python/name:os.system x\n", "x.yaml:1: no readable YAML"),
        ("? [a, b]\n: c\n", "x.yaml:1: no readable YAML: a key that is no word"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: no readable YAML"),
    ],
)  # fmt: skip
def test_each_is_told_with_its_line(text: str, told: str) -> None:
    """Double keys, tabs, open quotes, wrong indentation, impossible dates, control characters and endless aliases."""
    assert [one for one in mistakes_of(text) if one.startswith(told)] != []


def test_aliases_that_multiply_are_refused() -> None:
    """A few lines that would become a thousand million values are a mistake, told at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert ["repeats without end" in one for one in mistakes_of("\n".join(lines))] == [True]


def test_words_stay_as_written() -> None:
    """`no` and `on` as keys are words; numbers are numbers, and texts where that is asked for."""
    assert {"no": True, "on": 1, 5: "x"} == read("no: yes\non: 1\n5: x\n", Mistakes("x"))
    assert {"5": "x"} == read("5: x\n", Mistakes("x"), is_text_keyed=True)


def test_lines_are_known() -> None:
    """Every key knows its line, also within lists and where an object stands in for another."""
    value = read("a:\n  - b: 1\n    c: 2\nd: &d {e: 1}\nf: *d\n", Mistakes("x"))

    assert isinstance(value, Lined)
    assert [1, 2, 3, 4, 5] == [
        value.at("a"),
        value["a"][0].at("b"),
        value["a"][0].at("c"),
        value.at("d"),
        value.at("f"),
    ]
    assert value.at("lacking") == value.line == 1


@given(st.text(max_size=60))
def test_any_text_is_read_or_told(text: str) -> None:
    """Whatever stands in a file, it is read or refused with a mistake; never anything else."""
    assert all(one.startswith("x.yaml") for one in mistakes_of(text))


@pytest.mark.parametrize(
    ("word", "told"),
    [("neded", "; did you mean needed?"), ("Needed", "; did you mean needed?"), ("csw", "; did you mean csv?"),
     ("colour", "")],
)  # fmt: skip
def test_the_nearest_word_is_told(word: str, told: str) -> None:
    """A misspelt word is told with the one that was meant, a strange one without."""
    assert told == nearest(word, ["needed", "csv", "records"])
