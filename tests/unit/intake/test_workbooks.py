"""Workbooks: each sheet is read, and what is wrong is told at the sheet, row and column that the user sees."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.comments import Comment
from tests.workbooks import FINAL, MONTH, MONTH_DAYS, SECRET, SHEET_PART, Rows, book, column, repacked, sheets

from kanta_gateway import knowledge
from kanta_gateway.errors import UnreadableError
from kanta_gateway.intake import workbook
from kanta_gateway.intake.kinds import Problem
from kanta_gateway.intake.readers import Item, read
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.messages import LANGUAGES, Messages
from kanta_gateway.model import Finding, Record, Severity

SOURCE = load_sources(
    knowledge.texts("mappings/sources"), RecordSchemas.load(knowledge.texts("schemas/records", suffix=".json"))
)["helsinki-xlsx"]
MESSAGES = Messages.load(knowledge.texts("mappings/messages"))
Place = tuple[str, str]


def items(data: bytes) -> list[Item]:
    """Everything that a workbook holds; no text of what is told repeats a marked value."""
    made = list(read(SOURCE, io.BytesIO(data), "seuranta.xlsx"))
    told = [MESSAGES.finding(one, language) for one in findings(made) for language in LANGUAGES]
    assert SECRET not in str(told)
    assert "{" not in "".join(str(one["message"]) for one in told)
    return made


def findings(made: list[Item]) -> list[Finding]:
    """Every finding, beside records and on them."""
    found = [one.finding for one in made if isinstance(one, Problem)]
    return found + [finding for one in made if isinstance(one, Record) for finding in one.findings]


def told(data: bytes, least: Severity = Severity.FLAG) -> list[Place]:
    """Rule and place of each finding of at least some severity."""
    return [(one.rule, one.pointer) for one in findings(items(data)) if one.severity >= least]


def records(data: bytes) -> list[Record]:
    """The records."""
    return [one for one in items(data) if isinstance(one, Record)]


def state(one: Record) -> str:
    """What a record is, wherever it stands."""
    return json.dumps([one.type, one.id, one.client, one.content], default=str, sort_keys=True)


def labels(data: bytes) -> list[str]:
    """Names of the rows that were read."""
    return [one.label for one in records(data) if not one.is_part]


def refusal(data: bytes) -> Finding:
    """Why a file as a whole is not read."""
    with pytest.raises(UnreadableError) as caught:
        items(data)
    (finding,) = caught.value.findings
    assert all(MESSAGES.finding(finding, language)["message"] for language in LANGUAGES)
    return finding


def put(rows: Rows, row: int, heading: str, value: Any) -> None:
    """Set a cell by the heading of its column; the header is row 1."""
    rows[row - 1][column(rows, heading)] = value


def with_cell(sheet: str, row: int, heading: str, value: Any) -> bytes:
    """A workbook of one sheet with one other cell."""
    given = sheets(sheet)
    put(given[sheet], row, heading, value)
    return book(given)


# what is read


def test_nothing_is_found_in_a_sound_workbook() -> None:
    """Every sheet is read, every row once, and nothing is more than said."""
    data = book(sheets())

    assert [] == told(data)
    assert [
        *(f"Asiakkaat:{one}" for one in range(2001, 2006)), *(f"{MONTH}:{one}" for one in range(2001, 2006)),
        *(f"Sopimukset:{one}" for one in range(3001, 3006)), *(f"Tunnit:{one}" for one in range(1, 6)),
        "Väliarvioinnit:3001", "Kuukausiraportit:3001", "loppuraportti:3001",
    ] == labels(data)  # fmt: skip


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        ("Asiakkaat", [("client", "2001", {"surname": "Esimerkki", "non_disclosure": False}),
                       ("decision", "S-2001", {"starts_on": "2025-09-01", "ends_on": "2025-12-31",
                                               "hours_per_day": 4, "leave_balance": 0})]),
        (MONTH, [("attendance_month", "2001|2025-09",
                  {"month": "2025-09", "starts_on": "2025-09-01", "ends_on": "2025-09-30", "stated_days": 2,
                   "days": [{"date": "2025-09-01", "mark": "4"}, {"date": "2025-09-03", "mark": "5,5"}],
                   "recorder": "Venla Vastuu"})]),
        ("Sopimukset", [("client", "3001", {"given_names": "Maija"}),
                        ("coaching_agreement", "3001|1|2025-09-01", {"max_hours": 20, "ends_on": "2025-12-31"})]),
        ("Tunnit", [("meeting", "3001|2025-09-02|09:00|1",
                     {"hours": 1.5, "form": "individual", "state": "held", "billed": True})]),
        ("Väliarvioinnit", [("interim_evaluation", "3001|2025-10-01", {"hours_used": 7.5, "continues": True})]),
        ("Kuukausiraportit", [("report_sent", "3001|2025-09", {"sent_on": "2025-10-01"})]),
        ("3001", [("final_summary", "3001|2025-10-31",
                   {"hours_used": 12, "progress": "Taidot karttuivat.", "author": "Venla Vastuu"})]),
    ],
)  # fmt: skip
def test_each_sheet(sheet: str, expected: list[tuple[str, str, dict[str, Any]]]) -> None:
    """The first row of each sheet becomes the records that the format's page says."""
    made = records(book(sheets(sheet)))[: len(expected)]

    assert expected == [
        (one.type, one.id, {key: one.content.get(key) for key in wanted[2]})
        for one, wanted in zip(made, expected, strict=True)
    ]


@pytest.mark.parametrize("sheet", sheets())
def test_blank_rows_and_columns_around_it_change_nothing(sheet: str) -> None:
    """Rows above, blank rows, and columns before and behind the table move what is read and change none of it."""
    given = sheets(sheet)
    moved = [[None, None, *row, None] for row in given[sheet]]
    above: Rows = [] if sheet == "3001" else [[None, "Otsikko"], []]
    around = {sheet: [[], *above, moved[0], [], *moved[1:], []]}

    assert [] == told(book(around))
    assert [state(one) for one in records(book(given))] == [state(one) for one in records(book(around))]


@pytest.mark.parametrize("sheet", [one for one in sheets() if one != "3001"])
def test_the_order_of_columns_means_nothing(sheet: str) -> None:
    """A column is found by its heading also on a month's sheet, whose number of the client need not stand first."""
    given = sheets(sheet)
    given[sheet] = [row for row in given[sheet] if row[0] != "Yhteensä"]  # a row of totals is one by its first cell
    turned = {sheet: [[*row, *([None] * (len(given[sheet][0]) - len(row)))][::-1] for row in given[sheet]]}
    if sheet == MONTH:
        turned[sheet][-1] = [None, "Kirjannut", "Venla Vastuu"]

    assert [] == told(book(turned))
    assert sorted(map(state, records(book(given)))) == sorted(map(state, records(book(turned))))


@pytest.mark.parametrize("sheet", [one for one in sheets() if one != "3001"])
def test_a_row_of_totals_is_no_row(sheet: str) -> None:
    """A last row that begins with `Yhteensä`, in whichever column, is nobody's."""
    given = sheets(sheet)
    totals: Rows = [["Yhteensä", None, 9], [None, "YHTEENSÄ 9/2025", 9, 9]]

    assert labels(book(given)) == labels(book({sheet: [*given[sheet], *totals]}))
    assert [] == told(book({sheet: [*given[sheet], *totals]}))


def test_remarks_beneath_a_month_are_no_rows() -> None:
    """A legend or a remark without any mark is nobody's month."""
    given = sheets(MONTH)
    given[MONTH] += [[None, "L = loma"], [None, None, None]]

    assert 5 == len(records(book(given)))
    assert [] == told(book(given))


@pytest.mark.parametrize(
    ("value", "mark"),
    [("L", "L"), ("X", "X"), ("L/6", "L/6"), (4, "4"), (4.0, "4"), (5.5, "5,5"), ("5,5", "5,5"), ("?", "?")],
)
def test_marks_stay_as_they_are_written(value: Any, mark: str) -> None:
    """Whatever stands under a day is its mark, hours as a number too; what it means is the contract's."""
    data = with_cell(MONTH, 3, 7, value)  # type: ignore[arg-type] # headings of days are numbers

    assert {"date": "2025-09-07", "mark": mark} in records(data)[0].content["days"]
    assert [] == told(data)


# days and numbers


@pytest.mark.parametrize(
    "value", [date(2025, 9, 1), datetime(2025, 9, 1), "1.9.2025", "01.09.2025", "2025-09-01"]  # noqa: DTZ001
)  # fmt: skip
def test_days(value: Any) -> None:
    """A cell of the kind date, which the file keeps as a serial number, and a text that is one day are that day."""
    assert "2025-09-01" == records(with_cell("Asiakkaat", 2, "Alkaa", value))[1].content["starts_on"]


@pytest.mark.parametrize(
    ("value", "rule"),
    [(45901, "SRC-DATE"), ("1/9/2025", "SRC-DATE-AMBIGUOUS"), ("1.9.25", "SRC-DATE-AMBIGUOUS"),
     ("31.9.2025", "SRC-DATE"), (SECRET, "SRC-DATE"), (datetime(2025, 9, 1, 8, 30), "SRC-DATE")],  # noqa: DTZ001
)  # fmt: skip
def test_days_are_not_guessed(value: Any, rule: str) -> None:
    """A serial number in a cell of the kind number, and a text of two meanings, are told at their cell."""
    data = with_cell("Asiakkaat", 3, "Alkaa", value)

    assert [(rule, "/Asiakkaat/3/Alkaa")] == told(data)
    assert 5 == len(labels(data))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("4,5", "4.5"), (4.5, "4.5"), ("4,5 h", "4.5"), (0.1 + 0.2, "0.3"), (5.1 * 3, "15.3")],
)
def test_numbers(value: Any, expected: str) -> None:
    """A decimal comma in a text, and what a spreadsheet computed in binary fractions, are the number one sees."""
    assert expected == str(records(with_cell("Asiakkaat", 2, "Tuntia/pv", value))[1].content["hours_per_day"])


@pytest.mark.parametrize(
    ("value", "rule"), [("1.500", "SRC-NUMBER-AMBIGUOUS"), (SECRET, "SRC-NUMBER"), (1e300, "SRC-NUMBER"),
                        (timedelta(hours=5), "SRC-NUMBER")],
)  # fmt: skip
def test_numbers_are_not_guessed(value: Any, rule: str) -> None:
    """What is no number, or could be two, is told at its cell; a duration is no number of hours."""
    assert [(rule, "/Asiakkaat/4/Tuntia~1pv")] == [
        (one, place.replace("Tuntia/pv", "Tuntia~1pv"))
        for one, place in told(with_cell("Asiakkaat", 4, "Tuntia/pv", value))
    ]


# formulas


@pytest.mark.parametrize("value", ["=1+1", "#REF!", "#N/A", "#VALUE!", "#DIV/0!"])
@pytest.mark.parametrize(
    ("sheet", "row", "heading"),
    [("Asiakkaat", 3, "Alkaa"), ("Asiakkaat", 3, "Asiakasnro"), (MONTH, 4, "Nro"), (MONTH, 4, "Pv yht. (käsin)"),
     ("Tunnit", 3, "Pvm"), ("Tunnit", 3, "Asiakasnro"), ("Tunnit", 3, "Tunnit")],
)  # fmt: skip
def test_a_formula_without_a_value(sheet: str, row: int, heading: str, value: str) -> None:
    """A formula that nobody calculated, or whose value is an error, is told at its cell; other rows go through."""
    data = with_cell(sheet, row, heading, value)

    assert {("SRC-FORMULA", f"/{sheet}/{row}/{heading}")} == set(told(data, Severity.REFUSE))
    assert 4 <= len(labels(data))


def test_a_formula_under_a_day_is_told_at_its_day() -> None:
    """A mark has no heading of its own but its day, and there it is told."""
    data = with_cell(MONTH, 4, 17, "=B1")  # type: ignore[arg-type] # headings of days are numbers

    assert [("SRC-FORMULA", f"/{MONTH}/4/17")] == told(data)


def test_a_formula_is_its_cached_value() -> None:
    """What the spreadsheet calculated is the value, also where it looked it up in another file; "" is empty."""
    data = with_cell("Asiakkaat", 2, "Tuntia/pv", "='[1]muu.xlsx'!A1")
    cached = repacked(
        data, {SHEET_PART: lambda one: one.replace(b"<v></v>", b"<v>6</v>").replace(b"<v />", b"<v>6</v>")}
    )
    empty = repacked(data, {SHEET_PART: lambda one: one.replace(b'<c r="K2">', b'<c r="K2" t="str">')})

    assert 6 == records(cached)[1].content["hours_per_day"]
    assert "hours_per_day" not in records(empty)[1].content
    assert [] == told(cached) + told(empty)


def test_a_day_beyond_the_calendar_is_told_without_its_value(recwarn: pytest.WarningsRecorder) -> None:
    """The library warns with the value of the cell: nothing of that is heard, and the cell is told as an error."""
    data = with_cell("Asiakkaat", 2, "Alkaa", date(2025, 9, 1))
    far = repacked(data, {SHEET_PART: lambda one: one.replace(b"<v>45901</v>", b"<v>99999999999</v>")})

    assert [("SRC-FORMULA", "/Asiakkaat/2/Alkaa")] == told(far)
    assert [] == list(recwarn)


# what a spreadsheet can do to its cells and sheets


def test_merged_cells_have_their_value_at_the_top_left() -> None:
    """What is merged over two rows holds for the first one: the second lacks it, and that is told at its cell."""
    place = "J2:J3"
    data = book(sheets("Asiakkaat"), lambda made: made["Asiakkaat"].merge_cells(place))

    assert [("SRC-MISSING", "/Asiakkaat/3/Päättyy")] == told(data)
    assert "2025-12-31" == records(data)[1].content["ends_on"]


def test_hidden_rows_and_columns_are_read_as_others() -> None:
    """A filter hides rows that are as true as the others: they are read, and so are hidden columns."""

    def hide(made: Workbook) -> None:
        made["Asiakkaat"].row_dimensions[3].hidden = True
        made["Asiakkaat"].column_dimensions["I"].hidden = True

    assert list(map(state, records(book(sheets("Asiakkaat"))))) == list(
        map(state, records(book(sheets("Asiakkaat"), hide)))
    )


@pytest.mark.parametrize("way", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_read_and_told(way: Literal["hidden", "veryHidden"]) -> None:
    """A sheet that is hidden is read as others; that it is hidden is said."""

    def hide(made: Workbook) -> None:
        made["Tunnit"].sheet_state = way

    data = book(sheets("Asiakkaat", "Tunnit"), hide)

    assert ("SRC-SHEET", "/Tunnit") in told(data, Severity.INFO)
    assert labels(book(sheets("Asiakkaat", "Tunnit"))) == labels(data)


@pytest.mark.parametrize(("sheet", "cell"), [("Asiakkaat", "I3"), (MONTH, "D4"), ("3001", "B5")])
def test_comments_are_counted_and_not_kept(sheet: str, cell: str) -> None:
    """A comment is counted at its row's record and read nowhere."""

    def remark(made: Workbook) -> None:
        made[sheet][cell].comment = Comment(SECRET, "tekijä")

    made = records(book(sheets(sheet), remark))

    assert [1] == [one.dropped["comment"] for one in made if "comment" in one.dropped]
    assert SECRET not in str(made)


def test_macros_are_told_and_not_run() -> None:
    """A workbook with macros is read for its cells; that it has macros is said."""
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    data = repacked(
        book(sheets("Asiakkaat")),
        {"[Content_Types].xml": lambda one: one.replace(kind, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")},
        [("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 macros")],
    )

    assert ("SRC-MACRO", "") in told(data, Severity.INFO)
    assert 5 == len(labels(data))


# headings, labels and names of sheets


def test_a_sheet_that_is_lacking_or_called_otherwise() -> None:
    """A delivery need not hold every sheet, and a table's sheet may be called anything."""
    given = sheets("Asiakkaat", "Tunnit")

    assert [] == told(book(sheets("Tunnit")))
    assert labels(book(given)) == labels(book({"Taulukko1": given["Asiakkaat"], "Taul2": given["Tunnit"]}))


def test_a_sheet_of_something_else_is_told() -> None:
    """A sheet that is none of the format's is said and not read; the others are."""
    data = book({"Muistio": [[SECRET, SECRET], [SECRET]], "Tyhjä": [], **sheets("Asiakkaat")})

    assert {("SRC-SHEET", "/Muistio"), ("SRC-SHEET", "/Tyhjä")} <= set(told(data, Severity.INFO))
    assert 5 == len(labels(data))


@pytest.mark.parametrize("given", [{"Taul1": []}, {"Muistio": [[SECRET]]}], ids=["empty", "something else"])
def test_a_workbook_without_a_table(given: dict[str, Rows]) -> None:
    """A workbook of nothing, or of something else, is told with the tables that were expected."""
    assert [("SRC-TABLE", "")] == told(book(given))


@pytest.mark.parametrize(
    ("name", "rule"),
    [("10-2025", "SRC-DAYS"), ("2-2025", "SRC-DAYS"), ("11-2025", "SRC-WEEKDAY"), ("9-2024", "SRC-WEEKDAY"),
     ("13-2025", "SRC-MONTH"), ("syyskuu", "SRC-MONTH")],
)  # fmt: skip
def test_a_month_under_a_wrong_name(name: str, rule: str) -> None:
    """A sheet whose days or weekdays are not those of the month in its name is not read, and the others are."""
    given = sheets(MONTH, "Tunnit")
    data = book({name: given[MONTH], "Tunnit": given["Tunnit"]})

    assert [(rule, f"/{name}/{2 if rule == 'SRC-WEEKDAY' else 1}")] == told(data)
    assert 5 == len(labels(data))


def test_weekdays_with_a_label_before_them_are_no_client() -> None:
    """The row of weekdays may have a label where the clients' numbers stand: it is still no month of a client."""
    given = sheets(MONTH)
    given[MONTH][1][0] = "Viikonpäivä"

    assert 5 == len(records(book(given)))
    assert [("SRC-WEEKDAY", "/11-2025/2")] == told(book({"11-2025": given[MONTH]}))


def test_a_month_without_its_client_is_told() -> None:
    """Marks beside no number are nobody's: told at their row."""
    data = with_cell(MONTH, 5, "Nro", None)

    assert [("SRC-CLIENT", f"/{MONTH}/5")] == told(data)
    assert 4 == len(labels(data))


@pytest.mark.parametrize(
    ("sheet", "heading", "other", "rule"),
    [("Asiakkaat", "Päättyy", "Paattyy", "SRC-COLUMN-RENAMED"), ("Tunnit", "Sisältö", "Sisällöt", "SRC-COLUMN-RENAMED"),
     ("Asiakkaat", "Asiakasnro", None, "SRC-COLUMN"), (MONTH, "Nro", None, "SRC-COLUMN"),
     (MONTH, "Pv yht. (käsin)", "Pv yht (käsin)", "SRC-COLUMN-RENAMED"), (MONTH, 17, None, "SRC-DAYS"),
     (MONTH, 17, 16, "SRC-DAYS")],
)  # fmt: skip
def test_headings_that_are_wrong_or_lacking(sheet: str, heading: str, other: str | None, rule: str) -> None:
    """A misspelt or lacking heading is told at the header, nothing of its sheet is read, and other sheets are."""
    given = sheets(sheet, "Väliarvioinnit")
    put(given[sheet], 1, heading, other)
    data = book(given)

    assert [(rule, f"/{sheet}/1")] == told(data)
    assert ["Väliarvioinnit:3001"] == labels(data)


def test_headings_that_changed_places_are_told_by_what_they_hold() -> None:
    """Under swapped headings a day is no number and a number no day: told at each cell."""
    given = sheets("Asiakkaat")
    put(given["Asiakkaat"], 1, "Alkaa", "?")
    put(given["Asiakkaat"], 1, "Tuntia/pv", "Alkaa")
    put(given["Asiakkaat"], 1, "?", "Tuntia/pv")
    expected = {(rule, f"/Asiakkaat/{row}/{heading}") for row in range(2, 7)
                for rule, heading in (("SRC-DATE", "Alkaa"), ("SRC-NUMBER", "Tuntia/pv"))}  # fmt: skip

    assert expected == set(told(book(given)))


def test_a_misspelt_label_stops_its_sheet() -> None:
    """Under a misspelt label a text of the final report would go missing: told at its row, and nothing is read."""
    given = {"3001": [[{"Eteneminen": "Etenemimen:"}.get(str(row[0]), row[0]), *row[1:]] for row in FINAL]}

    assert [("SRC-LABEL-RENAMED", "/3001/6")] == told(book(given))
    assert [] == records(book(given))


def test_a_label_that_stands_twice_has_no_value() -> None:
    """Nobody knows which of two texts is meant: told, and neither is taken."""
    data = book({"3001": [*FINAL, ["Eteneminen", SECRET]]})

    assert [("SRC-TWICE", "/3001/Eteneminen")] == told(data)
    assert "progress" not in records(data)[0].content


# packages that are no workbook, or a hostile one


def doctype(one: bytes) -> bytes:
    """A part with entities that expand without end."""
    entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    return (
        b"<!-- " + b" " * 200_000 + b'--><!DOCTYPE x [<!ENTITY a0 "' + SECRET.encode() + b'">' + entities + b"]>" + one
    )


@pytest.mark.parametrize("part", [SHEET_PART, "xl/workbook.xml", "[Content_Types].xml", "xl/styles.xml"])
def test_declared_entities_are_refused(part: str) -> None:
    """A document type is refused in any part, however far behind comments it stands."""
    data = book(sheets("Asiakkaat"))

    assert "SRC-ENTITY" == refusal(repacked(data, {part: doctype})).rule
    assert "SRC-ENTITY" == refusal(repacked(data, {}, [("xl/sheet9.bin", doctype(b"<x/>"))])).rule


@pytest.mark.parametrize(
    ("limit", "value", "kind"),
    [("MAX_PACKED", 1000, "workbook-too-large"), ("MAX_UNPACKED", 5000, "workbook-too-large"),
     ("MAX_PARTS", 5, "workbook-too-many"), ("MAX_CELLS", 20, "workbook-too-many")],
)  # fmt: skip
def test_limits(limit: str, value: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a limit nothing is read, and the limit is told."""
    monkeypatch.setattr(workbook, limit, value)
    finding = refusal(book(sheets("Asiakkaat")))

    assert ("SRC-SIZE", kind, {"limit": str(value)}) == (finding.rule, finding.kind, dict(finding.params))


def test_a_bomb_that_declares_little_is_damaged() -> None:
    """A part that is larger than the package says is read no further than that, and then it does not fit."""
    data = bytearray(repacked(book(sheets("Asiakkaat")), {SHEET_PART: lambda one: one + b" " * 3_000_000}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(signature)
        while SHEET_PART.encode() not in data[at : at + 46 + len(SHEET_PART)]:
            at = data.find(signature, at + 4)
        data[at + offset : at + offset + 4] = (500).to_bytes(4, "little")

    assert "SRC-WORKBOOK" == refusal(bytes(data)).rule


@pytest.mark.parametrize(
    ("data", "rule"),
    [(b"", "SRC-WORKBOOK"), (b"Asiakasnro;Sukunimi\n", "SRC-WORKBOOK"), (b"PK\x03\x04", "SRC-WORKBOOK"),
     (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "SRC-WORKBOOK-OLD")],
    ids=["nothing", "text", "cut", "old or encrypted"],
)  # fmt: skip
def test_files_that_are_no_workbook(data: bytes, rule: str) -> None:
    """What is no package, or an old or encrypted workbook, is refused with what to do."""
    assert rule == refusal(data).rule


def test_a_package_of_something_else() -> None:
    """A zip file without a workbook in it is refused."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("word/document.xml", "<x/>")

    assert "SRC-WORKBOOK" == refusal(stream.getvalue()).rule


@pytest.mark.parametrize(
    "change",
    [
        lambda one: b'<?xml version="1.0" encoding="foo"?>' + one,
        lambda one: one[: len(one) // 2],
        lambda one: one.replace(b'<row r="2"', b'<row r="4000000"').replace(b'r="A2"', b""),
        lambda one: one.replace(b'<row r="2"', b'<row r="x"'),
        lambda one: one.replace(b'<row r="3"', b'<row r="2"'),
        lambda one: one.replace(b'r="B3"', b'r="Q3"'),
        lambda one: one.replace(b"<v>4</v>", b"<v>x</v>"),
        lambda one: one.replace(b'<c r="K2" t="n"><v>4</v>', b'<c r="K2"><f t="shared" si="0" ref="K2:K3">"a</f>'),
        lambda one: one.replace(b'<c r="K2" t="n"><v>4</v>', b'<c r="K2" t="s"><v>999</v>'),
    ],
    ids=["unknown encoding", "cut", "row beyond the format", "row without number", "row twice", "cell out of order",
         "no number", "formula", "string"],
)  # fmt: skip
def test_damaged_sheets(change: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library stumbles over, the workbook is refused as damaged."""
    monkeypatch.setattr(workbook, "MAX_ROWS", 1000)
    data = book(sheets("Asiakkaat"))
    damaged = repacked(data, {SHEET_PART: change})

    assert data != damaged
    assert "SRC-WORKBOOK" == refusal(damaged).rule


def test_a_row_far_below_keeps_its_number() -> None:
    """What lies empty between two rows costs nothing, and a far row is told by its own number."""
    data = with_cell("Asiakkaat", 6, "Alkaa", SECRET)

    def far(part: bytes) -> bytes:
        return re.sub(rb'(r="[A-P]?)6"', rb'\g<1>900000"', part)

    assert [("SRC-DATE", "/Asiakkaat/900000/Alkaa")] == told(repacked(data, {SHEET_PART: far}))


def test_empty_rows_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without any cell count as one cell each: no sheet of them keeps the reader busy."""
    monkeypatch.setattr(workbook, "MAX_CELLS", 1000)
    rows = b"".join(b'<row r="%d"/>' % number for number in range(10, 2000))
    data = repacked(
        book(sheets("Asiakkaat")), {SHEET_PART: lambda one: one.replace(b"</sheetData>", rows + b"</sheetData>")}
    )

    assert "workbook-too-many" == refusal(data).kind


SOUND = book(sheets("Asiakkaat", "3001"))


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_damage_is_told_or_read(changes: list[tuple[int, int]]) -> None:
    """Whichever bytes are changed, reading ends, with nothing but the one error of files that cannot be read."""
    data = bytearray(SOUND)
    for at, value in changes:
        data[at] = value
    try:
        made = items(bytes(data))
    except UnreadableError as error:
        made = [Problem(one) for one in error.findings]

    assert all(isinstance(one, Record | Problem) for one in made)


# what an operator does to a sheet

NEEDED = {
    "Asiakkaat": ("Asiakasnro", "Sukunimi", "Etunimet", "Henkilötunnus", "Sijoituspäätös", "Alkaa", "Päättyy"),
    MONTH: ("Nro",),
    "Sopimukset": ("Asiakasnro", "Sukunimi", "Etunimet", "Henkilötunnus", "Palvelu", "Aloitettu", "Määräaika"),
    "Tunnit": ("Asiakasnro", "Pvm", "Tila", "Valmentaja"),
}
NUMBERS = {"Asiakkaat": "Tuntia/pv", MONTH: "Pv yht. (käsin)", "Sopimukset": "Enimmäistunnit", "Tunnit": "Tunnit"}
BLANKED = {
    ("Asiakkaat", "Asiakasnro"): "SRC-ID", ("Asiakkaat", "Sijoituspäätös"): "SRC-ID", (MONTH, "Nro"): "SRC-CLIENT",
    ("Sopimukset", "Asiakasnro"): "SRC-ID", ("Tunnit", "Asiakasnro"): "SRC-CLIENT", ("Tunnit", "Tila"): "SRC-KIND",
}  # fmt: skip
"""Sheet and column -> rule of an empty cell there, where that is not SRC-MISSING."""


class Operator:
    """Somebody who changes one thing of a sheet, and what is expected of it.

    Args:
        seed: of what is done, and where.
    """

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.sheet = self.draw.choice(list(NEEDED))
        self.sheets = sheets(*NEEDED)
        self.rows = self.sheets[self.sheet]
        self.row = self.draw.randint(3 if self.sheet == MONTH else 2, 6)
        self.touched: int | None = None
        """Row whose records may change; 0 for the whole sheet, None for nothing."""
        self.expected: Place | None = None
        self.work = self.draw.choice([
            self.delete_column, self.rename_heading, self.blank_needed, self.text_in_number, self.swap_columns,
            self.insert_title, self.insert_blank,
        ])  # fmt: skip
        self.work()

    def delete_column(self) -> None:
        """A needed column stops its sheet; another one stays empty; a day is lacking in its month."""
        at = self.draw.randrange(len(self.rows[0]))
        heading = self.rows[0][at]
        for row in self.rows:
            del row[at : at + 1]
        needed = heading in NEEDED[self.sheet]
        rule = "SRC-DAYS" if isinstance(heading, int) else "SRC-COLUMN" if needed else "SRC-COLUMN-OPTIONAL"
        self.touched, self.expected = 0, (rule, f"/{self.sheet}/1")

    def rename_heading(self) -> None:
        """A letter too many is told with what was meant; other case and spaces are no other name."""
        at = self.draw.choice([at for at, one in enumerate(self.rows[0]) if isinstance(one, str) and len(one) > 3])
        heading = str(self.rows[0][at])
        if self.draw.random() < 0.5:
            self.rows[0][at] = f" {heading.upper()} "
        else:
            self.rows[0][at] = heading[:2] + "x" + heading[2:]
            self.touched, self.expected = 0, ("SRC-COLUMN-RENAMED", f"/{self.sheet}/1")

    def blank_needed(self) -> None:
        """A lacking value is told at its row or cell."""
        heading = self.draw.choice(NEEDED[self.sheet])
        put(self.rows, self.row, heading, None)
        rule = BLANKED.get((self.sheet, heading), "SRC-MISSING")
        at_row = rule in {"SRC-ID", "SRC-CLIENT"}
        self.touched = self.row
        self.expected = (rule, f"/{self.sheet}/{self.row}" + ("" if at_row else f"/{heading}"))

    def text_in_number(self) -> None:
        """What is no number is told at its cell."""
        put(self.rows, self.row, NUMBERS[self.sheet], SECRET)
        self.touched, self.expected = self.row, ("SRC-NUMBER", f"/{self.sheet}/{self.row}/{NUMBERS[self.sheet]}")

    def swap_columns(self) -> None:
        """The order of columns means nothing."""
        one, other = self.draw.sample(range(2, len(self.rows[0])), 2)
        for row in self.rows:
            row.extend([None] * (len(self.rows[0]) - len(row)))
            row[one], row[other] = row[other], row[one]

    def insert_title(self) -> None:
        """Titles above the header are no rows."""
        self.rows[:0] = [["Tulostettu 1.10.2025"], []][: self.draw.randint(1, 2)]

    def insert_blank(self) -> None:
        """Blank rows are no rows."""
        at = self.draw.randint(0, len(self.rows))
        self.rows[at:at] = [[] for _ in range(self.draw.randint(1, 3))]


CLEAN = items(book(sheets(*NEEDED)))


def untouched(made: list[Item], operator: Operator) -> list[str]:
    """States of the records of every row that the operator did not touch."""
    return sorted(
        state(one) for one in made
        if isinstance(one, Record) and (
            operator.touched is None or not one.pointer.startswith(f"/{operator.sheet}/")
            or (operator.touched and one.pointer != f"/{operator.sheet}/{operator.touched}")
        )
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_what_an_operator_does(seed: int) -> None:
    """One change of a sheet costs no other row, and is told where it is, or changes nothing at all."""
    operator = Operator(seed)
    made = items(book(operator.sheets))
    found = {(one.rule, one.pointer) for one in findings(made) if one.rule not in {"SRC-FORM", "GEN-05"}}

    assert untouched(CLEAN, operator) == untouched(made, operator)
    assert operator.expected in found if operator.expected else not found


def test_an_operator_does_everything() -> None:
    """The seeds come to each kind of change on each sheet."""
    done = {(one.work.__name__, one.sheet) for one in map(Operator, range(150))}

    assert 7 * len(NEEDED) == len(done)
    assert MONTH_DAYS == sum(isinstance(one, int) for one in sheets(MONTH)[MONTH][0])
