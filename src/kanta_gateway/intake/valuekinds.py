"""The closed set of kinds of value that a source may name."""

from __future__ import annotations

from collections.abc import Mapping

from kanta_gateway.intake.fhirvalues import day_of, mentions, narrative, oid, presence, sections, time_of
from kanta_gateway.intake.names import person
from kanta_gateway.intake.values import (
    Reader,
    boolean,
    choice,
    clock,
    code,
    day,
    integer,
    mark,
    moment,
    month,
    name,
    number,
    span,
    text,
)

KINDS: Mapping[str, Reader] = {
    "boolean": boolean,
    "choice": choice,
    "code": code,
    "date": day,
    "day_of": day_of,
    "integer": integer,
    "mark": mark,
    "mentions": mentions,
    "month": month,
    "moment": moment,
    "name": name,
    "named": person,
    "narrative": narrative,
    "number": number,
    "oid": oid,
    "person": person,
    "presence": presence,
    "sections": sections,
    "span": span,
    "text": text,
    "time": clock,
    "time_of": time_of,
}
"""Every kind of value that a source may name."""
