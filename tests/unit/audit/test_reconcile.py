"""Claims against entries: which entry counts, and what is left over."""

from __future__ import annotations

import pytest

from kanta_gateway.audit.reconcile import Claim, Told, reconcile


@pytest.mark.parametrize(("hashes", "told"), [
    (["a"], set()), (["b", "a"], set()), (["a", "b"], {"audit-thing-differs"}), ([], {"audit-thing-differs"}),
])  # fmt: skip
def test_the_newest_entry_tells_of_content(hashes: list[str], told: set[str]) -> None:
    """Content is what the last entry about it says: what was there before it, out of a backup, is told."""
    claim = Claim("record", "t-1", "content", "t-1", {"after": "a"}, is_newest=True)
    entries = [Told(idx, "content", "t-1", {"after": one}) for idx, one in enumerate(hashes)]

    assert told == {one.what for one in reconcile([claim], entries, {}).all()}


def test_any_entry_tells_of_what_happened() -> None:
    """What happened has happened: a later entry of the same kind takes nothing back."""
    claim = Claim("document", "1.2", "document:send", "1.2", {"sha256": "a"})
    entries = [Told(idx, "document:send", "1.2", {"sha256": one}) for idx, one in enumerate("ab")]

    assert () == reconcile([claim], entries, {}).all()


@pytest.mark.parametrize(
    ("stored", "told"),
    [({"1.2": True}, set()), ({"1.2": False}, {"audit-state-contradicts"}), ({"9.9": True}, {"audit-thing-missing"})],
)
def test_an_entry_needs_what_it_tells_of(stored: dict[str, bool], told: set[str]) -> None:
    """What an entry tells of must be there, in a state that it can have led to; of other events nothing is asked."""
    entries = [Told(7, "document:send", "1.2", {}), Told(8, "audit:read", "1.2", {})]
    found = reconcile([], entries, {"document:send": stored}).all()

    assert {("audit_entry", "7", one) for one in told} == {(one.table, one.place, one.what) for one in found}


@pytest.mark.parametrize(("since", "told"), [("2026-03-01", set()), ("2026-03-02", {"audit-thing-untold"})])
def test_what_is_older_than_the_log_has_no_entry(since: str, told: set[str]) -> None:
    """Of what happened before the oldest entry no entry is left; of what is younger it must be there."""
    claim = Claim("document", "1.2", "document:send", "1.2", since=since)

    assert told == {one.what for one in reconcile([claim], [], {}, purged="2026-03-01").all()}
