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
