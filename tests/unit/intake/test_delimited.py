"""Delimited text: whatever wrote the file, its rows are found, and nothing swallows the rest."""

from __future__ import annotations

import codecs
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway.intake.delimited import Row, dialect, parts_of, rows_of
from kanta_gateway.intake.lines import MAX_ROW_CHARACTERS, Dialect, Left

NAMES = {"Pvm", "Päivä", "Tunnit"}


def score(cells: Sequence[str]) -> int:
    """How many known names a row holds."""
    return len(NAMES & set(cells))


def read(data: bytes) -> tuple[Dialect, list[tuple[int, tuple[str, ...]] | int]]:
    """Dialect, and every row with its line; a line that is left out as its number."""
    stream = io.BytesIO(data)
    written = dialect(stream, score)
    rows = list(rows_of(stream, written))
    return written, [one.number if isinstance(one, Left) else (one.number, tuple(one.cells)) for one in rows]


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


@pytest.mark.parametrize("row", [b'"hei" ja lahti;2', b'"a"b";2', b'1;"x" y'])
def test_a_quote_that_closes_inside_a_cell_is_told(row: bytes) -> None:
    """Something behind a closing quote: nobody knows where the cell ends, so the line is left out."""
    _, rows = read(b"Pvm;Tunnit\n" + row + b"\n4;5\n")

    assert [(1, ("Pvm", "Tunnit")), 2, (3, ("4", "5"))] == rows


def test_lone_quotes_do_not_close_each_other() -> None:
    """Two lines that each open a quote are two lines left out, not one row of three lines."""
    _, rows = read(b'Pvm;Tunnit\n"eka;1\n2;3\n"toka;4\n5;6\n')

    assert [(1, ("Pvm", "Tunnit")), 2, (3, ("2", "3")), 4, (5, ("5", "6"))] == rows


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman", "iso8859-15", "cp1252"])
def test_old_encodings_are_told_by_the_column_names(encoding: str) -> None:
    """The encoding is the one under which the headings are the known ones."""
    stream = io.BytesIO("Hinta €;Päivä\n1;Ääni\n".replace("€", "e" if encoding == "cp850" else "€").encode(encoding))

    written = dialect(stream, lambda cells: len({"Hinta €", "Hinta e", "Päivä"} & set(cells)))

    assert encoding == written.encoding


def test_one_line_in_another_encoding_costs_itself_only() -> None:
    """In a file of UTF-8 a byte that is none becomes half a pair, which every text refuses; the others stay."""
    written, rows = read("Päivä;Tunnit\nÄäni;1\n".encode() + "Ö;2\n".encode("cp1252"))

    assert "utf-8" == written.encoding
    assert [(1, ("Päivä", "Tunnit")), (2, ("Ääni", "1")), (3, ("\udcd6", "2"))] == rows


def test_a_broken_file_with_a_byte_order_mark_is_read() -> None:
    """A mark at the beginning promises UTF-8 or UTF-16; a byte that breaks the promise is told, and nothing ends."""
    _, one = read(b"\xef\xbb\xbfPvm;Tunnit\n\xe4;1\n")
    _, other = read("Pvm;Tunnit\n1;2".encode("utf-16") + b"\x01")

    assert (2, ("\udce4", "1")) == one[-1]
    assert (2, ("1", "2\uffff")) == other[-1]


def test_a_line_without_end_is_told_and_not_held() -> None:
    """A line longer than a row may be is told once at its number; the lines behind it keep theirs."""
    stream = io.BytesIO(b"Pvm;Tunnit\n" + b"x" * (3 * MAX_ROW_CHARACTERS) + b"\n4;5\n")
    parts = list(parts_of(stream, Dialect("utf-8", ";")))

    assert [2] == [one.number for one in rows_of(stream, Dialect("utf-8", ";")) if isinstance(one, Left)]
    assert (3, ["4", "5"]) == (parts[-1].number, list(getattr(parts[-1], "cells")))  # noqa: B009 — a row
    assert MAX_ROW_CHARACTERS == max(len(one.text) for one in parts)


def test_a_byte_without_meaning_is_no_letter() -> None:
    """A byte that Windows-1252 does not know becomes half a pair, which every text refuses."""
    _, rows = read(b"Pvm;Tunnit\n\x81\xe4;1\n")

    assert (2, ("\udc81ä", "1")) == rows[-1]


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_lines_left_out(data: bytes) -> None:
    """Reading ends, whatever the bytes are, and gives the stream back open."""
    stream = io.BytesIO(data)

    rows = list(rows_of(stream, dialect(stream, score)))

    assert all(isinstance(one, Row | Left) for one in rows)
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


@given(st.binary(max_size=400), st.sampled_from(["utf-8", "cp1252", "utf-8-sig"]))
def test_parts_are_the_whole_file(data: bytes, encoding: str) -> None:
    """The texts of all parts, one after another, are the file's own bytes behind its byte order mark."""
    mark = codecs.BOM_UTF8 if encoding == "utf-8-sig" else b""  # without one no file is read as such
    text = "".join(one.text for one in parts_of(io.BytesIO(mark + data), Dialect(encoding, ";")))

    assert data == text.encode(encoding.removesuffix("-sig"), "surrogateescape")
