"""Delimited text: whatever wrote the file, its rows are found, and nothing swallows the rest."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway.intake.delimited import Dialect, Lone, Row, dialect, rows_of

NAMES = {"Pvm", "Päivä", "Tunnit"}


def score(cells: Sequence[str]) -> int:
    """How many known names a row holds."""
    return len(NAMES & set(cells))


def read(data: bytes) -> tuple[Dialect, list[tuple[int, tuple[str, ...]] | int]]:
    """Dialect, and every row with its line; a line that is left out as its number."""
    stream = io.BytesIO(data)
    written = dialect(stream, score)
    rows = list(rows_of(stream, written))
    return written, [one.number if isinstance(one, Lone) else (one.number, tuple(one.cells)) for one in rows]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("iso-8859-1", "cp1252"),
     ("utf-16", "utf-16")],
)  # fmt: skip
def test_encodings(encoding: str, expected: str) -> None:
    """The encoding is found out from the bytes, and every letter is what was written."""
    written, rows = read("Päivä;Tunnit\r\nÄijälä - 5 e;5\r\n".encode(encoding))

    assert expected == written.encoding
    assert [(1, ("Päivä", "Tunnit")), (2, ("Äijälä - 5 e", "5"))] == rows


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    """The delimiter is the one under which the column names appear, also below title rows."""
    lines = [["Päiväkirja, tulostettu; klo | 8", "", ""], ["Pvm", "Päivä", "Tunnit"], ["1", "2", "3"]]
    data = "\n".join(delimiter.join(f'"{one}"' for one in line) for line in lines).encode()

    written, rows = read(data)

    assert delimiter == written.delimiter
    assert (3, ("1", "2", "3")) == rows[-1]


def test_line_ends_inside_quotes_stay_and_lines_keep_their_numbers() -> None:
    """A quoted cell may hold line ends and doubled quotes; the next row is told by its line in the file."""
    _, rows = read(b'Pvm;Tunnit\n"a\nb ""c""";1\n\n;;\nd;2\n')

    assert [(1, ("Pvm", "Tunnit")), (2, ('a\nb "c"', "1")), (6, ("d", "2"))] == rows


def test_a_lone_quote_costs_its_line_only() -> None:
    """A quote that opens and never closes is told, and the lines behind it are read."""
    _, rows = read(b'Pvm;Tunnit\n1;2\n"never closed;3\n4;5\n6;7\n')

    assert [(1, ("Pvm", "Tunnit")), (2, ("1", "2")), 3, (4, ("4", "5")), (5, ("6", "7"))] == rows


def test_a_quote_inside_a_cell_is_only_a_quote() -> None:
    """Inches and sayings do not open a quoted cell."""
    _, rows = read(b'Pvm;Tunnit\n5" putki;1\nsanoi "hei" ja lahti;2\n')

    assert [(1, ("Pvm", "Tunnit")), (2, ('5" putki', "1")), (3, ('sanoi "hei" ja lahti', "2"))] == rows


def test_a_byte_without_meaning_is_no_letter() -> None:
    """A byte that Windows-1252 does not know becomes a control character, which every text refuses."""
    _, rows = read(b"Pvm;Tunnit\n\x81\xe4;1\n")

    assert (2, ("\x81ä", "1")) == rows[-1]


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_lines_left_out(data: bytes) -> None:
    """Reading ends, whatever the bytes are, and gives the stream back open."""
    stream = io.BytesIO(data)

    rows = list(rows_of(stream, dialect(stream, score)))

    assert all(isinstance(one, Row | Lone) for one in rows)
    assert not stream.closed


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=2, max_size=4), max_size=6))
def test_what_a_spreadsheet_writes_is_what_is_read(cells: list[list[str]]) -> None:
    """Every cell comes back as it was written, quotes and delimiters inside it included."""
    import csv

    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows([["Pvm", "Tunnit"], *cells])

    _, rows = read(text.getvalue().encode())

    assert [tuple(one) for one in cells if any(cell.strip() for cell in one)] == [
        one[1] for one in rows[1:] if isinstance(one, tuple)
    ]
