"""Problem documents: how an error is told to a caller (RFC 9457)."""

from __future__ import annotations

import pytest

from kanta_gateway import errors, knowledge
from kanta_gateway.errors import GatewayError, RecordInvalidError
from kanta_gateway.intake.rules import unreadable
from kanta_gateway.intake.wire import parameter_findings, problem
from kanta_gateway.messages import LANGUAGES, Messages, language_of

MESSAGES = Messages.load(knowledge.texts("mappings/messages"))


def classes(root: type[GatewayError] = GatewayError) -> list[type[GatewayError]]:
    """Every error class."""
    return [root, *(one for part in root.__subclasses__() for one in classes(part))]


@pytest.mark.parametrize("cls", classes())
def test_every_error_is_told(cls: type[GatewayError]) -> None:
    """Every error has a title in three languages, a stable code and a status that fits."""
    told = {language: problem(cls(), MESSAGES, language) for language in LANGUAGES}

    assert len({one["title"] for one in told.values()}) == len(LANGUAGES)
    assert told["en"]["type"] == f"urn:kanta-gateway:error:{cls.code}"
    assert told["en"]["detail"]
    assert 400 <= told["en"]["status"] < 600


def test_codes_differ() -> None:
    """No two errors share a code."""
    codes = [one.code for one in classes(errors.GatewayError)]

    assert len(codes) == len(set(codes))


def test_findings_are_told() -> None:
    """Findings stand in the problem with pointer, rule and text in the language asked for."""
    error = RecordInvalidError(findings=(unreadable("SRC-DATE", "/date", {"field": "date"}),))
    told = problem(error, MESSAGES, "sv", "/v1/records")

    assert told["findings"][0]["pointer"] == "/date"
    assert "ÅÅÅÅ-MM-DD" in told["findings"][0]["message"]
    assert told["instance"] == "/v1/records"


def test_no_route_no_instance() -> None:
    """A call that met no route has no instance: its address is the caller's own text."""
    assert "instance" not in problem(GatewayError(), MESSAGES, "en")


def test_parameters_without_values() -> None:
    """A wrong parameter is told by its name and what was expected; the value is left out."""
    (finding,) = parameter_findings(
        [{"type": "greater_than_equal", "loc": ("query", "limit"), "input": "-77", "ctx": {"ge": 1}, "msg": "x"}]
    )

    assert finding.pointer == "/limit"
    assert finding.params == {"field": "limit", "expected": "ge 1"}
    assert "-77" not in MESSAGES.finding(finding, "en")["message"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("sv-FI, en;q=0.8", "sv"),
        ("de, en;q=0.5, fi;q=0.4", "en"),
        ("de", "fi"),
        (None, "fi"),
        ("fi;q=0, sv;q=0.1", "sv"),
    ],
)
def test_language(wanted: str | None, expected: str) -> None:
    """The best of our languages is chosen, else the installation's own."""
    assert language_of(wanted) == expected
