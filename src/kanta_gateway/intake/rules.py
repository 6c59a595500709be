"""What reading can find: rule ids, severities and text kinds (documented in `docs/reference-sources.md`).

* What cannot be true or read is refused; what is needed and missing is held; what was only tidied is info.
* A finding names field and rule; it never holds a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanta_gateway.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

UNREADABLE: Mapping[str, tuple[Severity, str]] = {
    "SRC-ATTACHMENT": (Severity.REFUSE, "attachment-unreadable"),
    "SRC-BOOLEAN": (Severity.REFUSE, "boolean-unreadable"),
    "SRC-BUNDLE": (Severity.REFUSE, "bundle-of-other-kind"),
    "SRC-CELLS": (Severity.REFUSE, "cells-misplaced"),
    "SRC-CHARACTER": (Severity.REFUSE, "character-forbidden"),
    "SRC-CHOICE": (Severity.REFUSE, "choice-unknown"),
    "SRC-COLUMN": (Severity.REFUSE, "column-missing"),
    "SRC-COLUMN-RENAMED": (Severity.REFUSE, "column-renamed"),
    "SRC-COLUMN-TWICE": (Severity.REFUSE, "column-twice"),
    "SRC-CLIENT": (Severity.REFUSE, "client-number-missing"),
    "SRC-DATE": (Severity.REFUSE, "date-impossible"),
    "SRC-DATE-AMBIGUOUS": (Severity.REFUSE, "date-ambiguous"),
    "SRC-DAYS": (Severity.REFUSE, "days-differ"),
    "SRC-DEPTH": (Severity.REFUSE, "nesting-too-deep"),
    "SRC-FHIR": (Severity.REFUSE, "resource-invalid"),
    "SRC-FIELD": (Severity.REFUSE, "field-unknown"),
    "SRC-ID": (Severity.REFUSE, "id-missing"),
    "SRC-IDENTITY-CODE": (Severity.REFUSE, "identity-code-wrong"),
    "SRC-JSON": (Severity.REFUSE, "json-unreadable"),
    "SRC-KIND": (Severity.REFUSE, "record-kind-unknown"),
    "SRC-LABEL-RENAMED": (Severity.REFUSE, "label-renamed"),
    "SRC-LENGTH": (Severity.REFUSE, "text-too-long"),
    "SRC-LIMIT": (Severity.REFUSE, "value-outside-limits"),
    "SRC-EMPTY": (Severity.REFUSE, "bundle-empty"),
    "SRC-ENTITY": (Severity.REFUSE, "entities-declared"),
    "SRC-FORMULA": (Severity.REFUSE, "formula-without-value"),
    "SRC-MISSING": (Severity.HOLD, "field-missing"),
    "SRC-MODIFIER": (Severity.REFUSE, "modifier-unknown"),
    "SRC-MONTH": (Severity.REFUSE, "month-unreadable"),
    "SRC-MOMENT": (Severity.REFUSE, "moment-impossible"),
    "SRC-NUMBER": (Severity.REFUSE, "number-unreadable"),
    "SRC-RELEASE": (Severity.REFUSE, "release-other"),
    "SRC-NUMBER-AMBIGUOUS": (Severity.REFUSE, "number-ambiguous"),
    "SRC-PERIOD": (Severity.HOLD, "period-reversed"),
    "SRC-PURCHASER": (Severity.REFUSE, "purchaser-of-other-format"),
    "SRC-QUOTE": (Severity.REFUSE, "quote-never-closed"),
    "SRC-REQUEST": (Severity.REFUSE, "request-unread"),
    "SRC-SECTIONS": (Severity.HOLD, "sections-missing"),
    "SRC-SIZE": (Severity.REFUSE, "record-too-large"),
    "SRC-TABLE": (Severity.REFUSE, "table-unknown"),
    "SRC-TIME": (Severity.REFUSE, "time-impossible"),
    "SRC-TWICE": (Severity.REFUSE, "field-twice"),
    "SRC-TYPE": (Severity.REFUSE, "type-wrong"),
    "SRC-UNFINISHED": (Severity.HOLD, "resource-unfinished"),
    "SRC-UTF8": (Severity.REFUSE, "utf8-invalid"),
    "SRC-WEEKDAY": (Severity.REFUSE, "weekday-differs"),
    "SRC-WORKBOOK": (Severity.REFUSE, "workbook-damaged"),
    "SRC-WORKBOOK-OLD": (Severity.REFUSE, "workbook-old"),
    "SRC-VERSION": (Severity.REFUSE, "version-wrong"),
}
"""Rule id -> severity and key of the text in `mappings/messages/intake.yaml`."""

NORMALISED = ("GEN-05", "value-normalised")


def unreadable(rule: str, pointer: str, params: Mapping[str, str] | None = None) -> Finding:
    """A finding on something that cannot be read."""
    severity, kind = UNREADABLE[rule]
    return Finding(rule, severity, kind, pointer, dict(params or {}))


def normalised(pointer: str, name: str, how: str) -> Finding:
    """An info finding on a value whose form had to be changed before it could be read."""
    rule, kind = NORMALISED
    return Finding(rule, Severity.INFO, kind, pointer, {"field": name, "normalisation": how})
