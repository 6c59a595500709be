"""How findings, removals and canonical content are written down: no personal values, canonical bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from kanta_gateway.model import Finding, Masked, Severity


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value whose numbers are int or Decimal and whose keys are ASCII."""
    return orjson.dumps(value, default=_number, option=orjson.OPT_SORT_KEYS)


def _number(value: Any) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)


def told_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as they are stored: language-free."""
    return [
        {
            "rule": one.rule,
            "severity": one.severity.word,
            "kind": one.kind,
            "pointer": one.pointer,
            "params": dict(one.params),
            "clause": one.clause,
        }
        for one in findings
    ]


def stored_finding(value: Mapping[str, Any]) -> Finding:
    """A stored finding as a value again."""
    return Finding(
        rule=value["rule"],
        severity=Severity[value["severity"].upper()],
        kind=value["kind"],
        pointer=value["pointer"],
        params=value["params"],
        clause=value["clause"],
    )


def told_removed(dropped: Mapping[str, int], masked: Iterable[Masked]) -> dict[str, Any]:
    """What was left out, counted: names of dictionary fields and classes, never a value."""
    return {
        "dropped": dict(dropped),
        "masked": [{"field": one.field, "class": one.cls, "count": one.count} for one in masked],
    }
