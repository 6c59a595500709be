"""What a command's answer leaves by: the acting person's list."""

from __future__ import annotations

import json

import pytest

from kanta_gateway.access.views import Sight
from kanta_gateway.cli import common
from kanta_gateway.errors import NotPermittedError


def sees(monkeypatch: pytest.MonkeyPatch, sight: Sight | None) -> None:
    """The acting person is shown this much of `some command`."""
    monkeypatch.setattr(common, "sight", lambda: sight)
    monkeypatch.setattr(common, "_place", lambda: "some command")


def test_what_is_said_is_shown_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A member that is not on the list is not printed, as JSON or in words; where nobody acts all of it is."""
    answer = {"count": 1, "name": "Erkki Esimerkki"}
    sees(monkeypatch, Sight("some", {"count": {}}))
    common.say(answer, as_json=False)
    common.say(answer, as_json=True)
    narrow = capsys.readouterr().out
    sees(monkeypatch, None)
    common.say(answer, as_json=True)

    assert "count" in narrow
    assert "Erkki" not in narrow
    assert answer == json.loads(capsys.readouterr().out)


def test_content_needs_its_own_place_on_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is no JSON is refused to whom only some members are shown."""
    sees(monkeypatch, Sight("some", {"count": {}}))
    with pytest.raises(NotPermittedError, match="`some command` is not shown"):
        common.check_content()
    for one in (Sight("some", {"content": {}}), None):
        sees(monkeypatch, one)
        common.check_content()
