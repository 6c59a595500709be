"""Statements about parties: their shape, and what is the newest of each thing."""

from __future__ import annotations

from typing import Any

import pytest

from kanta_gateway.access.statements import CONTRACT_CONTENTS, EVER, KINDS, lacking, newest, read
from kanta_gateway.errors import MisconfiguredError

CONTRACT = {"kind": "contract", "number": "C-1", "purchaser": "lapha", "controller": "1.2", "processor": "1.1"}
PERSON = {"kind": "person", "person_id": "P-1", "name": "Marked Person", "organisation": "1.1", "role": "coach"}


def test_a_good_file_is_read() -> None:
    """Each statement has its fields and its days; without a first day it has always been so."""
    one, other = read([{**CONTRACT, "from": "2025-01-01", "to": "2025-06-30"}, PERSON])

    assert ("contract", "2025-01-01", "2025-06-30") == (one.kind, one.valid_from, one.valid_to)
    assert (EVER, None) == (other.valid_from, other.valid_to)
    assert "from" not in one.body


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"kind": "party"}, "expected a kind"),
        ("text", "expected a kind"),
        ({**CONTRACT, "number": ""}, "needs the text number"),
        ({**CONTRACT, "colour": "red"}, "no field colour"),
        ({**CONTRACT, "from": "1.1.2025"}, "from is no day"),
        ({**CONTRACT, "to": "2025-02-30"}, "to is no day"),
        ({**CONTRACT, "services": "work"}, "services is a list"),
        ({**CONTRACT, "audits": 5}, "audits is a text"),
        ({**CONTRACT, "relationships": "some"}, "relationships is one of"),
        ({"kind": "organisation", "oid": "1.1", "name": "x", "role": "boss"}, "role is one of"),
        ({**PERSON, "role": "student"}, "student needs a last day and a supervisor"),
        ({**PERSON, "role": "student", "to": "2025-05-31"}, "student needs"),
    ],
)
def test_mistakes_are_told(stated: Any, told: str) -> None:
    """A statement that cannot be is told with its place; no value of it is repeated."""
    with pytest.raises(MisconfiguredError, match=told) as caught:
        read([CONTRACT, stated])

    assert "statement 2" in str(caught.value)
    assert "Marked" not in str(caught.value)


def test_a_file_is_a_list_and_all_mistakes_come_at_once() -> None:
    """What is no list is refused; two bad statements are both told."""
    with pytest.raises(MisconfiguredError, match="expected a list"):
        read({})
    with pytest.raises(MisconfiguredError, match=r"statement 1.*statement 2"):
        read([{}, {}])


def test_the_last_statement_of_a_thing_holds() -> None:
    """A later statement of the same thing from the same day takes its place; from another day it stands beside it."""
    first, ended, again = read([
        {**PERSON, "from": "2025-01-01"},
        {**PERSON, "from": "2025-01-01", "to": "2025-03-31"},
        {**PERSON, "from": "2025-06-01"},
    ])  # fmt: skip

    assert [ended, again] == newest([first, ended, again])
    assert first.key == ended.key != again.key
    assert [True, False, True] == [any(one.covers(day) for one in (ended, again)) for day in
                                   ("2025-03-31", "2025-04-01", "2025-06-01")]  # fmt: skip


def test_what_a_contract_lacks() -> None:
    """Every content that GDPR 28(3) asks for and the contract does not tell is named."""
    whole = dict.fromkeys(CONTRACT_CONTENTS, "told")

    assert () == lacking(whole)
    assert ("audits",) == lacking({**whole, "audits": ""})
    assert set(CONTRACT_CONTENTS) <= set(KINDS["contract"].possible)
