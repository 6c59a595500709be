"""The table of periods: each ends on its day, for a class of documents and for what the gateway keeps itself."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanta_gateway import knowledge
from kanta_gateway.audit.purge import LOG_YEARS
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.retention import OWN, Term, Terms

TERMS = Terms.load(knowledge.text("mappings/retention.yaml"))
BEGUN = date(2026, 3, 15)
ENDS = {
    "AST": date(2028, 3, 15), "LP": date(2056, 3, 15), "TI": date(2036, 3, 15), "IA": date(2036, 3, 15),
    "PA": date(2036, 3, 15), "VA": date(2036, 3, 15), "LS": date(2028, 3, 15), "PO": date(2036, 3, 15),
    "PO-child": date(2146, 3, 15), "voucher": date(2029, 3, 15), "fee-decision": date(2038, 3, 15),
    "correspondence": date(2029, 3, 15), "statement-copy": date(2031, 3, 15), "recording": BEGUN,
    "log": date(2038, 3, 15),
}  # fmt: skip
"""What 703/2023 annex says of something that began on that day."""


@pytest.mark.parametrize("name", sorted(ENDS))
def test_each_class_ends_on_its_day(name: str) -> None:
    """The day before the end it is kept, on the end it is over; nothing else is in the table."""
    term = TERMS.documents[name]

    assert ENDS[name] == term.ends(BEGUN)
    assert term.begun(ENDS[name]) >= BEGUN > term.begun(ENDS[name] - timedelta(days=1))
    assert TERMS.documents.keys() == ENDS.keys()


def test_the_gateways_own_terms() -> None:
    """What the gateway keeps itself: half a year after the return, reminded of at 7, 14 and 30 days; files never."""
    own = TERMS.own

    assert set(OWN) == own.keys()
    assert (own["returned"].ends(BEGUN), own["returned"].remind) == (date(2026, 9, 15), (7, 14, 30))
    assert own["import-file"].ends(BEGUN) == BEGUN
    assert {own["log-row"].years, TERMS.documents["log"].years} == {LOG_YEARS}


def test_a_day_that_the_month_lacks_is_its_last() -> None:
    """From the end of August half a year ends on the last of February."""
    assert TERMS.own["returned"].ends(date(2026, 8, 31)) == date(2027, 2, 28)
    assert TERMS.documents["AST"].ends(date(2024, 2, 29)) == date(2026, 2, 28)


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(0, 120), st.integers(0, 30), st.integers(0, 40))
def test_what_has_begun_early_enough_is_over(day: date, years: int, months: int, days: int) -> None:
    """The last day that is over is over, and the day after it is not."""
    term = Term("x", "made", "s", {}, years, months, days)
    found = term.begun(day)

    assert term.ends(found) <= day < term.ends(found + timedelta(days=1))


@pytest.mark.parametrize(("was", "becomes", "told"), [
    ("keep: {months: 6}", "keep: {weeks: 6}", "returned: keep"),
    ("remind: [7, 14, 30]", "remind: soon", "returned: remind"),
    ("  - id: reference", "  - id: referense", "no term reference"),
    ("    from: return\n", "", "returned: expected from"),
])  # fmt: skip
def test_a_mistake_is_told(was: str, becomes: str, told: str) -> None:
    """A wrong period, reminder or name is told with its line."""
    text = knowledge.text("mappings/retention.yaml")
    assert was in text
    with pytest.raises(MisconfiguredError) as error:
        Terms.load(text.replace(was, becomes))

    assert any(told in one for one in error.value.mistakes)


def test_the_page_tells_what_the_file_says() -> None:
    """Every term stands on its page with its period, beginning and source, and no other does."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference-retention.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE)
    told = {row[0]: (row[1], row[2], row[3], row[4]) for row in rows if row[0] in {*TERMS.documents, *TERMS.own}}
    units = ("years", "months", "days")
    said = {
        one.id: (
            one.names["en"],
            ", ".join(f"{count} {unit}" for unit in units if (count := getattr(one, unit))) or "not at all",
            one.since, one.source,
        )
        for one in (*TERMS.documents.values(), *TERMS.own.values())
    }  # fmt: skip

    assert said == told
