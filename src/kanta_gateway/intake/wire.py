"""Shapes on the wire that are ours: problem documents (RFC 9457)."""

from __future__ import annotations

from typing import Any

from kanta_gateway.errors import GatewayError
from kanta_gateway.messages import Messages


def problem(error: GatewayError, messages: Messages, language: str, instance: str) -> dict[str, Any]:
    """One failure as a problem document.

    Args:
        error: what failed.
        messages: the text catalogue.
        language: of the texts.
        instance: path of the call.
    """
    kind = f"error-{error.code}"
    told: dict[str, Any] = {
        "type": f"urn:kanta-gateway:error:{error.code}",
        "title": messages.text(kind, language) if kind in messages else str(error),
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        "instance": instance,
        "retry": error.retry,
    }
    if error.findings:
        told["findings"] = [messages.finding(one, language) for one in error.findings]
    return told
