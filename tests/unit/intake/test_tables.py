"""Tables: found by their column names, read row by row, told apart by natural keys."""

from __future__ import annotations

import io
import unicodedata
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway import knowledge
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.intake.kinds import MAX_PROBLEMS, Problem, Problems
from kanta_gateway.intake.readers import Item, read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.model import Record, Severity

SCHEMAS = RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
SOURCES = load_sources(knowledge.texts("mappings/sources"), SCHEMAS)
DIARY = ["Rivi", "Pvm", "Asiakasnro", "Setelinro", "Läsnä", "Tunnit", "Yksilöohjaus h", "Tehtävä", "Kuvaus",
         "Tavoitteen seuranta", "Poikkeama / ilmoitus", "Kirjaaja", "PSOP raportoitu"]  # fmt: skip
ROW = [
    "1", "1.8.2022", "101", "PS-1", "x", "5,5", "0,25", "Puutyö", "Sujui", "Etenee", "", "Outi Esimerkki", "6.9.2022",
]  # fmt: skip
CLIENTS = """Asiakasnro;Sukunimi;Etunimet;Henkilötunnus;Osoite;Postinro;Postitoimipaikka;Puhelin;Turvakielto;\
Palvelusetelinro;Päätösnro;Päätös alkaa;Päätös päättyy;Taso;Hinta €/pv;Pv/vko;h/pv;Omatyöntekijä;Vastuuhenkilö;\
Lähiohjaaja;Jatkuu (k/e);Tilinumero;Lisätiedot
101;Esimerkki;Eeva;010594Y9032;Esimerkkitie 1;00100;Esimerkkilä;049 000 0001;K;PS-1;P 1/2022;1.8.2022;31.10.2022;\
perustaso;40;3;5;Oma Työntekijä;Outi Esimerkki (sosionomi AMK);Jari Esimerkki;k;FI00 0000;salaisuus"""


def table(*rows: list[str], header: list[str] = DIARY, above: str = "", below: str = "") -> bytes:
    """A diary as a CSV file."""
    lines = [";".join(one) for one in (header, *rows)]
    return "\n".join([*([above] if above else []), *lines, *([below] if below else [])]).encode("cp1252")


def items(data: bytes) -> list[Item]:
    """Everything that the file holds."""
    return list(read(SOURCES["heinola-csv"], io.BytesIO(data), "paivakirja.csv"))


def records(data: bytes) -> list[Record]:
    """The records of a file."""
    return [one for one in items(data) if isinstance(one, Record)]


def problems(data: bytes) -> list[tuple[str, str]]:
    """Rule and pointer of what is told beside the records, without what is only said."""
    return [
        (one.finding.rule, one.finding.pointer) for one in items(data)
        if isinstance(one, Problem) and one.finding.severity > Severity.INFO
    ]  # fmt: skip


def test_a_row_is_a_record_known_by_client_and_day() -> None:
    """The natural key is the record's id, the label points at the row, and Finnish forms are not worth telling."""
    (one,) = records(table(ROW))

    assert ("101|2022-08-01", "paivakirja:1", True, "101") == (one.id, one.label, one.is_keyed, one.client)
    assert one.content["present"] is True
    assert ["5.5", "0.25"] == [str(one.content[name]) for name in ("hours", "guidance_hours")]
    assert {"given_names": "Outi", "surname": "Esimerkki"} == one.content["recorder_name"]
    assert frozenset({"reported_on"}) == one.beside
    assert () == one.findings


def test_a_row_of_two_records_is_told_as_one() -> None:
    """Client and decision stand in one row: the second is a part of the first, and what is unmapped counts once."""
    client, decision = records(CLIENTS.encode())

    assert [("client", "101", False, True), ("decision", "P 1/2022", True, False)] == [
        (one.type, one.id, one.is_part, one.is_row) for one in (client, decision)
    ]
    assert "asiakkaat:101" == client.label == decision.label
    assert ({"Lisätiedot": 1, "Omatyöntekijä": 1, "Tilinumero": 1}, {}) == (client.dropped, decision.dropped)
    assert {"surname": "Esimerkki", "given_names": "Outi"} == client.content["responsible_worker_name"]
    assert "salaisuus" not in repr((client.content, decision.content))


@pytest.mark.parametrize("above", ["", "Päiväkirja, tulostettu 1.12.2022;;;", "\n\nOtsikko"])
def test_titles_and_totals_are_no_rows(above: str) -> None:
    """Titles above and totals below are normal, and so are blank rows."""
    data = table(ROW, ["", "", ""], above=above, below="Yhteensä;;;;152")

    assert ["paivakirja:1"] == [one.label for one in records(data)]
    assert [] == problems(data)


@given(st.permutations(list(range(len(DIARY)))))
def test_the_order_of_columns_means_nothing(order: list[int]) -> None:
    """A column is found by its name, wherever it stands."""
    moved = table([ROW[one] for one in order], header=[DIARY[one] for one in order])

    assert [one.content for one in records(table(ROW))] == [one.content for one in records(moved)]


def test_a_renamed_column_is_told_with_the_nearest() -> None:
    """A heading that is nearly right is pointed at by its place; the rows are not read, since their day is lacking."""
    data = table(ROW, header=["Rivi", "Pvm.", *DIARY[2:]])

    (told,) = [one.finding for one in items(data) if isinstance(one, Problem) and one.finding.severity > Severity.INFO]
    assert told.rule == "SRC-COLUMN-RENAMED"
    assert {"column": "Pvm", "table": "paivakirja", "position": "2"} == dict(told.params)
    assert [] == records(data)


def test_a_needed_column_that_is_lacking_stops_its_table() -> None:
    """Without the client's number no row can be told apart; without an optional column they can."""
    without = [one for one in DIARY if one != "Asiakasnro"]
    optional = [one for one in DIARY if one != "Tavoitteen seuranta"]

    assert [("SRC-COLUMN", "/paivakirja/1")] == problems(table(ROW, header=without))
    assert [] == problems(table([*ROW[:9], *ROW[10:]], header=optional))
    assert 1 == len(records(table([*ROW[:9], *ROW[10:]], header=optional)))


def test_a_column_that_stands_twice_has_no_value() -> None:
    """Nobody knows which of two is meant: told at the header and on the row, and neither is taken."""
    data = table([*ROW, "7"], header=[*DIARY, "Tunnit"])
    (one,) = records(data)

    assert [("SRC-COLUMN-TWICE", "/paivakirja/1")] == problems(data)
    assert "hours" not in one.content
    assert ["SRC-TWICE"] == [finding.rule for finding in one.findings]


def test_swapped_columns_are_told_by_what_they_hold() -> None:
    """Two headings that changed places: a day that is no day cannot make a key, and is told at its column."""
    swapped = ["Rivi", "Tehtävä", *DIARY[2:7], "Pvm", *DIARY[8:]]

    assert [("SRC-DATE", "/paivakirja/2/Pvm")] == problems(table(ROW, header=swapped))


def test_a_renamed_column_of_texts_stops_its_table() -> None:
    """Under a misspelt heading every text of a column would go missing: nothing is read before it is corrected."""
    data = table(ROW, header=[{"Kuvaus": "Kuvaukset"}.get(one, one) for one in DIARY])

    assert [("SRC-COLUMN-RENAMED", "/paivakirja/1")] == problems(data)
    assert [] == records(data)


def test_headings_in_parted_letters_are_the_same() -> None:
    """A heading whose diaereses are characters of their own, as Macs write them, is the known one."""
    data = unicodedata.normalize("NFD", table(ROW).decode("cp1252")).encode()

    assert ["paivakirja:1"] == [one.label for one in records(data)]
    assert [] == problems(data)


@pytest.mark.parametrize(
    ("row", "found"),
    [([*ROW[:7], "Puu", *ROW[7:]], "14"), (ROW[:9], "9"), ([*ROW, ""], "14")],
    ids=["delimiter in a text", "cut by a line break", "one empty cell too many"],
)
def test_a_row_with_another_number_of_cells_is_not_read(row: list[str], found: str) -> None:
    """Values may stand under other headings: the row is told by its line, and the others are read."""
    data = table(row, [*ROW[:1], "2.8.2022", *ROW[2:]])
    (told,) = [one.finding for one in items(data) if isinstance(one, Problem) and one.finding.severity > Severity.INFO]

    assert ("SRC-CELLS", "/paivakirja/2") == (told.rule, told.pointer)
    assert {"line": "2", "expected": "13", "found": found} == dict(told.params)
    assert ["101|2022-08-02"] == [one.id for one in records(data)]


def test_cells_left_away_at_the_end_are_empty() -> None:
    """Spreadsheets leave trailing empty cells away: a row that reaches every needed column is whole."""
    assert [] == problems(table(ROW[:-1]))
    assert ["paivakirja:1"] == [one.label for one in records(table(ROW[:-1]))]


def test_lists_put_one_beneath_the_other_are_read() -> None:
    """A header that comes again opens its table anew, also of another table."""
    data = table(ROW) + b"\n\n" + CLIENTS.encode("cp1252") + b"\n" + table([*ROW[:1], "2.8.2022", *ROW[2:]])

    assert ["paivakirja:1", "asiakkaat:101", "asiakkaat:101", "paivakirja:1"] == [one.label for one in records(data)]
    assert [] == problems(data)


def test_a_name_of_a_row_that_cannot_be_written_is_its_line() -> None:
    """The label only points; one with a character that no text may have is not taken."""
    (one,) = records(table(["#", *ROW[1:]]).replace(b"#", b"\x81"))

    assert "paivakirja:2" == one.label


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [("Pvm", "1/8/2022", "SRC-DATE-AMBIGUOUS"), ("Pvm", "1.8.22", "SRC-DATE-AMBIGUOUS"),
     ("Pvm", "31.2.2022", "SRC-DATE"), ("Tunnit", "1.500", "SRC-NUMBER-AMBIGUOUS"), ("Tunnit", "viisi", "SRC-NUMBER")],
)  # fmt: skip
def test_nothing_is_guessed(column: str, value: str, rule: str) -> None:
    """A day or number that can be read in two ways is told at its column, and so is one that cannot be read."""
    data = table([value if name == column else cell for name, cell in zip(DIARY, ROW, strict=True)])
    told = [one.finding if isinstance(one, Problem) else one.findings[0] for one in items(data)[1:]
            if isinstance(one, Problem | Record)]  # fmt: skip

    assert [(rule, f"/paivakirja/2/{column}")] == [(one.rule, one.pointer) for one in told]


@pytest.mark.parametrize("value", ["1.8.2022 0:00:00", "1.8.2022 klo 0.00", "2022-08-01", " 01.08.2022 "])
def test_a_day_in_the_forms_of_spreadsheets(value: str) -> None:
    """A day with midnight, with leading zeroes or in ISO form is that day."""
    assert ["101|2022-08-01"] == [one.id for one in records(table([ROW[0], value, *ROW[2:]]))]


KEYS = st.lists(st.tuples(st.integers(1, 28), st.sampled_from(["101", "102"])), min_size=1, max_size=12, unique=True)


@given(KEYS, st.randoms(use_true_random=False), st.integers(0, 4))
def test_order_and_insertion_change_no_record(keys: list[tuple[int, str]], draw: Random, blank: int) -> None:
    """Any order of rows, with blank rows and a new row anywhere between them, gives the same records."""
    rows = [["1", f"{day}.8.2022", client, *ROW[3:]] for day, client in keys]
    added = ["1", "1.9.2022", "103", *ROW[3:]]
    mixed = [*rows, added, *([[""] * len(DIARY)] * blank)]
    draw.shuffle(mixed)
    numbered = [[str(number) if row[1] else "", *row[1:]] for number, row in enumerate(mixed, 1)]

    def told(data: bytes) -> set[tuple[str, str]]:
        return {(one.id, str(sorted(one.content.items()))) for one in records(data)}

    assert told(table(*numbered)) == told(table(*rows)) | told(table(added))


@given(st.binary(max_size=600))
def test_any_bytes_under_a_header_are_told_or_read(data: bytes) -> None:
    """Whatever stands beneath a header, reading ends, and what is told repeats no cell that it could not read."""
    found = items(";".join(DIARY).encode("cp1252") + b"\n" + data)

    assert all(isinstance(one, Record | Problem) for one in found)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a;b;c\n1;2;3\n", b"\x00\x01\x02", "{}".encode("utf-16")])
def test_a_file_without_a_table(data: bytes) -> None:
    """An empty file, and one of something else, is told with the tables that were expected."""
    assert [("SRC-TABLE", "")] == problems(data)


def test_unknown_columns_are_counted_without_their_names() -> None:
    """What is not in the dictionary is counted as unknown; neither its heading nor its value is kept."""
    (one,) = records(table([*ROW, "arvo"], header=[*DIARY, "Salainen sarake"]))

    assert {"unknown": 1} == one.dropped
    assert "Salainen" not in repr((one.content, one.dropped, one.findings))


def test_the_day_of_reporting_is_no_content() -> None:
    """Two rows that differ in `PSOP raportoitu` only are the same record (GEN-01)."""
    (one,) = records(table(ROW))
    (other,) = records(table([*ROW[:-1], "7.9.2022"]))

    def same(record: Record) -> object:
        return {name: value for name, value in record.content.items() if name not in record.beside}

    assert same(one) == same(other)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [("take: some", "take: expected one of"),
     ("tables: {x: {records: [a], label: Nro, totls: [Yht]}}", "totls is not known here"),
     ("tables: {x: {records: [b], label: Nro}}", "b is no record"),
     ("tables: {x: {records: [a]}}", "label is missing")],
)  # fmt: skip
def test_mistakes_of_a_source_are_told(wrong: str, told: str) -> None:
    """A word that has no effect is a mistake as much as one that is missing."""
    text = f"format: csv\nrecords: {{a: {{type: client, id: Nro}}}}\n{wrong}\n"
    with pytest.raises(MisconfiguredError, match=told):
        load_sources({"x": text}, SCHEMAS)


def test_findings_beside_the_records_are_bounded() -> None:
    """More findings than a delivery tells are counted, as grave as the worst of them."""
    found = Problems()
    for _ in range(MAX_PROBLEMS + 2):
        found.add(unreadable("SRC-QUOTE", "/paivakirja/2"))
    last = found.findings()[-1]

    assert MAX_PROBLEMS + 1 == len(found.findings())
    assert ("SRC-MORE", Severity.REFUSE, {"count": "2"}) == (last.rule, last.severity, dict(last.params))
