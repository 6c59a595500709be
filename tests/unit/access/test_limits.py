"""The file of limits: what it says by role, and what cannot be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kanta_gateway import knowledge
from kanta_gateway.access.limits import Limits
from kanta_gateway.access.table import Duties
from kanta_gateway.errors import MisconfiguredError


def test_each_role_has_its_limit() -> None:
    """A role that is named has its own number, every other one the common number."""
    limits = Limits.load("minutes: 30\nreads: {provider-system: 5}\nothers: 2")

    assert (limits.of("provider-system"), limits.of("auditor"), limits.window) == (5, 2, timedelta(minutes=30))


def test_own_file_names_roles_that_there_are() -> None:
    """The shipped file is read, and names no role that nobody has."""
    limits = Limits.load(knowledge.text("mappings/policy/limits.yaml"))
    roles = Duties.load(knowledge.text("mappings/policy/duties.yaml")).roles

    assert limits.reads.keys() <= roles.keys()
    assert limits.others > 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("minutes: 0\nothers: 2", "minutes: expected a number from 1, found 0"),
        ("minutes: 60\nreads: {auditor: -1}\nothers: 2", "auditor: expected a number from 1"),
        ("minutes: 60", "others is missing"),
        ("minutes: an hour\nothers: 2", "minutes"),
    ],
)
def test_mistakes(text: str, told: str) -> None:
    """What is no limit stops the start and is told with its line."""
    with pytest.raises(MisconfiguredError, match=told):
        Limits.load(text)
