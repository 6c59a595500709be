"""Kinds of values let their own form through and no narrative text; reasons become categories."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from kanta_gateway.notices.kinds import KINDS, told

t: Any = import_module("tests.unit.notices.told")
TEXTS = (
    "Flunssa, oma ilmoitus.", "lääkärintodistus: M54.5", "Lapsi Elmo kuumeessa", "ei saapunut 12.3.", "Kaatui 2 kertaa",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"code", "service"}))
def test_narrative_fits_no_kind(kind: str, text: str) -> None:
    """A narrative text is no value of any kind that a record's field may be told as."""
    assert told(kind, text, None, is_secret=False) is None


@pytest.mark.parametrize("text", TEXTS)
def test_narrative_is_no_word_of_a_list(text: str) -> None:
    """A coded value that stands in no list is told as the list's `otherwise`."""
    assert told("code", text, t.types().lists["absence-reason"], is_secret=False) == "other"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("boolean", False, False), ("boolean", 0, None), ("day", "2025-03-10", "2025-03-10"),
        ("day", "2025-02-30", None), ("identity-code", "120685-905P", "120685-905P"), ("number", "2.5", 2.5),
        ("number", 3, 3), ("number", True, None), ("number", "kolme", None), ("reference", "PS-2022-7", "PS-2022-7"),
        ("reference", "seteli", None), ("references", ["a1", "b2"], ["a1", "b2"]), ("references", ["Sampo"], None),
        ("name", {"surname": "Rautiola"}, None), ("organisation", {"oid": "paja"}, None),
    ],
)  # fmt: skip
def test_form_of_a_kind(kind: str, value: Any, expected: Any) -> None:
    """Each kind lets through its own form and nothing else."""
    assert told(kind, value, None, is_secret=False) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("sairaus", "incapacity"), ("sairausloma", "incapacity"), ("Sairaus, oma ilmoitus", "incapacity"),
        ("sjukdom", "incapacity"), ("lapsen äkillinen sairaus", "child_illness"), ("sjukt barn", "child_illness"),
        ("työhaastattelu", "employment_reason"), ("luottamustoimi", "public_duty"), ("loma", "other"),
        ("terveyskeskus", "other"), ("ei sairauden vuoksi", "other"), ("M54.5", "other"), ("", "other"),
        ("päihtyneenä paikalla, ohjattu kotiin", "other"),
    ],
)  # fmt: skip
def test_category_of_a_reason(reason: str, expected: str) -> None:
    """A reason in words becomes a category of the closed list; what is not told there is `other`."""
    assert t.types().lists.categories("absence", {"reason": reason}) == {"absence-reason": expected}


def test_recorded_category_goes_first() -> None:
    """A category that the record tells itself goes before its words."""
    content = {"reason": "sairaus", "reason_category": "public_duty"}

    assert t.types().lists.categories("absence", content) == {"absence-reason": "public_duty"}
