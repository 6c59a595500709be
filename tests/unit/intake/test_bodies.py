"""Small JSON bodies: known fields of their kinds, every mistake at once, nothing repeated."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kanta_gateway.errors import ParameterError
from kanta_gateway.intake.bodies import DAY, FLAG, MOMENT, TEXT, WHOLE, allowance, group, many, read, text

KINDS = {
    "note": text(8), "day": DAY, "at": MOMENT, "is": FLAG, "count": WHOLE, "each": many(WHOLE),
    "to": group({"kind": TEXT, "name": TEXT}, ("kind",)),
}  # fmt: skip


def test_fields_have_their_kinds() -> None:
    """What fits is read; a moment is told in UTC; an empty body has no fields."""
    told = read(
        b'{"note":"a\\nb","day":"2026-01-31","at":"2026-01-31T12:00:00+02:00","is":true,"count":0,"each":[1],'
        b'"to":{"kind":"court"}}', KINDS, ("note",)
    )  # fmt: skip
    expected = {
        "note": "a\nb", "day": date(2026, 1, 31), "at": datetime(2026, 1, 31, 10, tzinfo=UTC), "is": True, "count": 0,
        "each": (1,), "to": {"kind": "court"},
    }  # fmt: skip

    assert expected == told
    assert read(b"", KINDS) == {}


@pytest.mark.parametrize(("body", "fields"), [
    (b"[]", ["body"]), (b"nul", ["body"]), (b"\xff", ["body"]), (b'{"note":NaN}', ["body"]), (b"[" * 9000, ["body"]),
    (b'{"note":"\\ud800"}', ["body"]), (b'{"note":"a","note":"b"}', ["body"]), (b'{"Marked":1}', ["body"]),
    (b'{"note":1}', ["note"]), (b'{"note":"123456789"}', ["note"]), (b'{"note":"\\u0000"}', ["note"]),
    (b'{"day":"0001-01-01"}', ["day"]), (b'{"day":"20260131"}', ["day"]), (b'{"day":null}', ["day"]),
    (b'{"at":"2026-01-31T12:00:00"}', ["at"]), (b'{"at":"9999-12-31T23:59:59-14:00"}', ["at"]), (b'{"is":1}', ["is"]),
    (b'{"count":-1}', ["count"]), (b'{"count":true}', ["count"]), (b'{"count":1e400}', ["body"]),
    (b'{"each":1,"to":{"kind":1}}', ["each", "to"]), (b'{"to":{"name":"x"}}', ["to"]),
    (b'{"to":{"kind":"a","x":1}}', ["to"]),
])  # fmt: skip
def test_what_does_not_fit_is_told_at_once(body: bytes, fields: list[str]) -> None:
    """Each field that does not fit is named with what was expected; values and unknown names are not repeated."""
    with pytest.raises(ParameterError) as found:
        read(body, KINDS)

    assert fields == [one.params["field"] for one in found.value.findings]
    assert "Marked" not in str(found.value.findings)


def test_what_lacks_is_told() -> None:
    """A field that must be there is named; so is a nested one's group."""
    with pytest.raises(ParameterError) as found:
        allowance(b'{"answers":[{"field":"notes"}]}')

    assert ["reason", "answers"] == [one.params["field"] for one in found.value.findings]
    assert allowance(b'{"reason":"it is needed"}') == ([], "it is needed")
