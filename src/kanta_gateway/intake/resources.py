"""What is wrong with one FHIR resource, by path: its kind, release, modifiers, and everything that the R4B models find.

* There are no R4 models: for the resources that sources read, R4B has the same elements (FHIR R4B §2.1.0, changes).
  Types that only R4 has stand in the source file; they are valid and have no model.
* A modifier that nobody here knows may change what the resource says: such a resource is not read (§2.4.0.2).
* The models know no code lists and no invariants: statuses are checked by the source, periods here (per-1).
* Values never leave: a mistake is a path and its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kanta_gateway.intake.fhirpaths import Place
from kanta_gateway.intake.values import Unreadable

if TYPE_CHECKING:
    from fhir_core.fhirabstractmodel import FHIRAbstractModel

MAX_MISTAKES = 20
"""Mistakes of one resource that are told; more say the same."""
_CORE = "http://hl7.org/fhir/"
_OTHER_RELEASE = re.compile(
    r"https?://hl7\.org/fhir/(?:(?:DSTU2|STU3|R5|R6|1\.0|3\.0|5\.0|6\.0)/|StructureDefinition/\w+\|(?!4\.[013](?:\.|$)))",
    re.IGNORECASE,
)
"""A canonical of HL7's own profiles that names a release beside R4 (4.0, 4.1) and R4B (4.3); version numbers of other
profiles are their publishers' own (FHIR R4 §2.1.0.2)."""
_MODIFIERS = ("implicitRules", "modifierExtension")
Mistake = tuple[str, Place, Mapping[str, str]]
"""Rule, place, parameters."""


def mistakes(resource: Mapping[str, Any]) -> Iterator[Mistake]:
    """Everything for which a resource cannot be read.

    Args:
        resource: of a type that has a model.
    """
    found = [*_other_releases(resource), *_modifiers(resource, ()), *_unbuilt(resource, ())]
    yield from found[:MAX_MISTAKES]
    if not found:
        yield from _unmodelled(resource)


def reversed_periods(value: Any, place: Place = ()) -> Iterator[Place]:
    """The end of every period that ends before it starts (FHIR R4 §2.24.0.9, per-1)."""
    if isinstance(value, Mapping):
        start, end = value.get("start"), value.get("end")
        if isinstance(start, str) and isinstance(end, str) and _is_before(end, start):
            yield (*place, "end")
        for name, inner in value.items():
            yield from reversed_periods(inner, (*place, str(name)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from reversed_periods(inner, (*place, number))


def has_model(resource_type: str) -> bool:
    """Whether R4B knows a resource of this name."""
    return _model(resource_type) is not None


def _model(resource_type: str) -> type[FHIRAbstractModel] | None:
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 — heavy, and needed for bundles only
    from fhir.resources.R4B.resource import Resource  # noqa: PLC0415

    try:
        found = get_fhir_model_class(resource_type)
    except (KeyError, LookupError, ValueError):
        return None
    return found if issubclass(found, Resource) else None


def _other_releases(resource: Mapping[str, Any]) -> Iterator[Mistake]:
    meta = resource.get("meta")
    profiles = meta.get("profile") if isinstance(meta, Mapping) else None
    for number, one in enumerate(profiles if isinstance(profiles, list) else ()):
        if _OTHER_RELEASE.match(str(one)):
            yield "SRC-RELEASE", ("meta", "profile", number), {}


def _modifiers(value: Any, place: Place) -> Iterator[Mistake]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _MODIFIERS and inner:
                yield "SRC-MODIFIER", (*place, name), {"field": name}
            else:
                yield from _modifiers(inner, (*place, str(name)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _modifiers(inner, (*place, number))


def _unbuilt(value: Any, place: Place) -> Iterator[Mistake]:
    """What the JSON reader could not build."""
    if isinstance(value, Unreadable):
        yield value.rule, place[:1] if value.rule == "SRC-DEPTH" else place, {}
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _unbuilt(inner, (*place, str(name)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unbuilt(inner, (*place, number))


def _unmodelled(resource: Mapping[str, Any]) -> Iterator[Mistake]:
    """What the model of the resource does not accept."""
    from pydantic import ValidationError  # noqa: PLC0415 — comes with the models

    model = _model(str(resource["resourceType"]))
    assert model is not None  # noqa: S101 — whoever asks has seen that there is one
    try:
        model.model_validate(_plain(resource))
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False, include_context=False)[:MAX_MISTAKES]:
            # An element that the model does not know is told by where it stands: its name is the writer's own.
            place = one["loc"][:-1] if one["type"] == "extra_forbidden" else one["loc"]
            yield "SRC-FHIR", place, {"what": one["type"].replace("_", " ").replace(".", " ")}
    except (LookupError, TypeError, ValueError, RecursionError):  # the models look a contained resource up by its name
        yield "SRC-FHIR", (), {"what": "value"}


def _plain(value: Any) -> Any:
    """The resource with plain numbers, as the models take it."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value


def _is_before(one: str, other: str) -> bool:
    """Whether a moment or day is certainly before another one; what is less exact is before nothing within it."""
    try:
        if "T" in one and "T" in other:
            return _moment(one) < _moment(other)
    except ValueError:
        return False
    shared = min(len(one), len(other), 10)
    return one[:shared] < other[:shared]


def _moment(value: str) -> datetime:
    told = datetime.fromisoformat(value)
    return told if told.tzinfo else told.replace(tzinfo=UTC)
