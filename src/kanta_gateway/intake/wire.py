"""Shapes on the wire that are ours: problem documents (RFC 9457).

* Title and findings are in the caller's language; `detail` is English, for the log of the calling system.
* Nothing of the request is repeated: `instance` is the route's own form, findings name fields and rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kanta_gateway.errors import GatewayError
from kanta_gateway.messages import Messages
from kanta_gateway.model import Finding, Severity

EXPECTED = {
    "date_from_datetime_parsing": "YYYY-MM-DD",
    "date_parsing": "YYYY-MM-DD",
    "missing": "required",
}
"""What a wrong parameter should have been, where the kind of mistake alone does not say it."""


def problem(error: GatewayError, messages: Messages, language: str, instance: str = "") -> dict[str, Any]:
    """One failure as a problem document.

    Args:
        error: what failed.
        messages: the text catalogue.
        language: of title and findings.
        instance: the route, in its own form; empty when the call met none.
    """
    kind = f"error-{error.code}"
    told: dict[str, Any] = {
        "type": f"urn:kanta-gateway:error:{error.code}",
        "title": messages.text(kind, language) if kind in messages else str(error),
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        "retry": error.retry,
    }
    if instance:
        told["instance"] = instance
    if error.findings:
        told["findings"] = [messages.finding(one, language) for one in error.findings]
    return told


def parameter_findings(mistakes: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Findings on wrong parameters, from what the web framework says of them; its copy of the value is left out."""
    return tuple(
        Finding(
            "API-PARAMETER", Severity.REFUSE, "parameter-wrong", f"/{one['loc'][-1]}",
            {"field": str(one["loc"][-1]), "expected": _expected(one)},
        )
        for one in mistakes
    )  # fmt: skip


def unknown_parameter(known: Iterable[str]) -> Finding:
    """That a call has a parameter which it does not know; its name may be anything, so it is not repeated.

    Args:
        known: names of the parameters that the call has.
    """
    expected = ", ".join(sorted(known)) or "-"
    return Finding("API-PARAMETER", Severity.REFUSE, "parameter-unknown", "/", {"expected": expected})


def _expected(mistake: Mapping[str, Any]) -> str:
    told = EXPECTED.get(str(mistake["type"]))
    limits = mistake.get("ctx") or {}
    stated = ", ".join(f"{name} {limits[name]}" for name in ("ge", "le", "pattern", "expected") if name in limits)
    return told or stated or str(mistake["type"]).replace("_", " ")
