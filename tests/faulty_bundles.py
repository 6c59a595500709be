"""A seeded generator of faulty FHIR Bundles: each knows which finding it must bring, and at which element.

* Each starts from the sample that the package carries; the entry that gets the fault is drawn from the seed.
* `SECRET` stands in every faulty value: it may occur in no finding and no message.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kanta_gateway import knowledge

SECRET = "Salavaara"  # noqa: S105 — a marked value, no password
SAMPLE = "samples/fhir-bundle/bundle.json"
XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">'
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty bundle and what must be found in it."""

    name: str
    data: bytes
    rule: str
    pointer: str
    """Of the finding."""
    lost: frozenset[str] = frozenset()
    """What is not read, as `Type/id`."""
    touched: frozenset[str] = frozenset()
    """What is read otherwise than before."""
    is_file: bool = False
    """Whether nothing of the file can be read."""


def sample() -> Resource:
    """The sample as JSON."""
    (content,) = [one for path, one in knowledge.of_source("fhir-bundle").items() if path.startswith("samples/")]
    value: Resource = json.loads(content)
    return value


def names(bundle: Resource) -> list[str]:
    """Every entry, as `Type/id`."""
    return [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle["entry"]]


def faults(seed: int) -> Iterator[Fault]:
    """Every kind of fault once, each in its own copy of the sample."""
    draw = random.Random(seed)
    for name, kinds, change, rule, element, is_lost in _CHANGES:
        yield _changed(draw, name, kinds, change, rule, element, is_lost=is_lost)
    for build in _WHOLE:
        yield from build(draw)


def _written(bundle: Any) -> bytes:
    return json.dumps(bundle, ensure_ascii=False).encode()


def _drawn(draw: random.Random, bundle: Resource, kinds: str) -> int:
    """The number of an entry of one of these types or categories."""
    wanted = set(kinds.split())
    return draw.choice([
        number for number, one in enumerate(bundle["entry"])
        if wanted & _words(one["resource"]) and one["resource"].get("status") != "cancelled"
    ])  # fmt: skip


def _words(resource: Resource) -> set[str]:
    told = resource.get("category", [])
    return {resource["resourceType"], *(one.get("text", "") for one in told)}


def _changed(
    draw: random.Random, name: str, kinds: str, change: Callable[[Resource], Any], rule: str, element: str, *,
    is_lost: bool,
) -> Fault:  # fmt: skip
    """One resource with a fault in it."""
    bundle = sample()
    number = _drawn(draw, bundle, kinds)
    told = names(bundle)[number]
    change(bundle["entry"][number]["resource"])
    pointer = f"Bundle.entry[{number}].resource{'.' if element else ''}{element}"
    one = frozenset({told})
    return Fault(name, _written(bundle), rule, pointer, *((one, frozenset()) if is_lost else (frozenset(), one)))


def _put(**changes: Any) -> Callable[[Resource], None]:
    return lambda one: one.update(changes)


def _text(div: str) -> Callable[[Resource], None]:
    return _put(text={"status": "generated", "div": div})


def _attached(data: bytes, kind: str = "text/plain") -> Callable[[Resource], None]:
    told = {"contentType": kind, "data": base64.b64encode(data).decode()}
    return _put(content=[{"attachment": told}])


def _profile(canonical: str) -> Callable[[Resource], None]:
    return _put(meta={"profile": [canonical]})


_ANY = "Patient CarePlan Encounter Composition Consent Organization"
_MADE = "CarePlan Encounter"
_CORE = "http://hl7.org/fhir"
_MARK = "urn:esimerkki:fhir:turvakielto"
_CHANGES: tuple[tuple[str, str, Callable[[Resource], Any], str, str, bool], ...] = (
    ("day-in-finnish", "Encounter", _put(period={"start": f"12.9.2022 {SECRET}"}), "SRC-FHIR", "period.start", True),
    ("day-that-is-none", "Encounter", _put(period={"start": "2022-02-30"}), "SRC-FHIR", "period.start", True),
    ("unknown-element", _ANY, _put(**{SECRET: SECRET}), "SRC-FHIR", "", True),
    ("element-of-r5", "Encounter", _put(actualPeriod={"start": "2022-09-12"}), "SRC-FHIR", "", True),
    ("text-for-list", "Encounter", _put(type=SECRET), "SRC-FHIR", "type", True),
    ("class-missing", "Encounter", lambda one: one.pop("class"), "SRC-FHIR", "class", True),
    ("number-for-text", "CarePlan", _put(description=5), "SRC-FHIR", "description", True),
    ("profile-of-r5", _ANY, _profile(f"{_CORE}/5.0/StructureDefinition/{SECRET}"), "SRC-RELEASE", "meta.profile[0]",
     True),
    ("profile-of-stu3", _ANY, _profile(f"{_CORE}/StructureDefinition/{SECRET}|3.0.2"), "SRC-RELEASE",
     "meta.profile[0]", True),
    ("modifier", _ANY, _put(modifierExtension=[{"url": "urn:x", "valueString": SECRET}]), "SRC-MODIFIER",
     "modifierExtension", True),
    ("other-rules", _ANY, _put(implicitRules=f"urn:{SECRET}"), "SRC-MODIFIER", "implicitRules", True),
    ("unknown-type", _ANY, _put(resourceType=SECRET), "SRC-KIND", "resourceType", True),
    ("type-of-a-part", _ANY, _put(resourceType="HumanName"), "SRC-KIND", "resourceType", True),
    ("unused-type", _ANY, _put(resourceType="Observation"), "SRC-RESOURCE", "", True),
    ("id-missing", "Patient Organization", lambda one: one.pop("id"), "SRC-ID", "id", True),
    ("id-with-spaces", _ANY, _put(id=f"a {SECRET}"), "SRC-FHIR", "id", True),
    ("unknown-status", _MADE, _put(status=SECRET), "SRC-CHOICE", "status", False),
    ("unfinished", "Encounter", _put(status="in-progress"), "SRC-UNFINISHED", "status", False),
    ("planned", "Encounter", _put(status="planned"), "SRC-RESOURCE", "", True),
    ("end-before-start", _MADE, _put(period={"start": "2022-09-12", "end": "2022-09-11"}), "SRC-PERIOD", "period.end",
     False),
    ("client-elsewhere", _MADE, _put(subject={"reference": "Patient/nobody"}), "SRC-REFERENCE", "subject.reference",
     False),
    ("client-nobody", _MADE, _put(subject={"reference": "urn:uuid:nobody"}), "SRC-CLIENT", "subject", True),
    ("client-by-name", _MADE, _put(subject={"display": SECRET}), "SRC-CLIENT", "subject", True),
    ("client-by-condition", _MADE, _put(subject={"reference": f"Patient?identifier=urn:x|{SECRET}"}), "SRC-CLIENT",
     "subject", True),
    ("client-is-a-group", _MADE, _put(subject={"reference": "Group/g"}), "SRC-CLIENT", "subject", True),
    ("nobody-took-part", "Encounter", lambda one: one.pop("participant"), "SRC-MISSING", "participant.individual",
     False),
    ("narrative-broken", "Encounter", _text(f"<div><p>{SECRET}</div>"), "SRC-TYPE", "text.div", False),
    ("narrative-with-entities", "Encounter", _text(f'<!DOCTYPE div [<!ENTITY x "{SECRET}">]>{XHTML}&x;</div>'),
     "SRC-ENTITY", "text.div", False),
    ("narrative-with-control", "Encounter", _text(f"{XHTML}<p>{SECRET}\x01</p></div>"), "SRC-TYPE", "text.div", False),
    ("goal-lost", "Toteuttamissuunnitelma", _put(goal=[{"reference": f"#{SECRET}"}]), "SRC-REFERENCE",
     "goal[0].reference", False),
    ("attachment-pdf", "DocumentReference", _attached(SECRET.encode(), "application/pdf"), "SRC-ATTACHMENT",
     "content[0].attachment", False),
    ("attachment-charset", "DocumentReference", _attached("Eteneminen\nä".encode("latin-1")), "SRC-ATTACHMENT",
     "content[0].attachment", False),
    ("attachment-elsewhere", "DocumentReference", _put(content=[{"attachment": {"url": f"https://{SECRET}.example"}}]),
     "SRC-ATTACHMENT", "content[0].attachment", False),
    ("attachment-without-titles", "DocumentReference", _attached(SECRET.encode()), "SRC-SECTIONS",
     "content[0].attachment", False),
    ("wrong-identity-code", "Patient", _put(identifier=[{"system": "urn:oid:1.2.246.21", "value": "010101-9999"}]),
     "SRC-IDENTITY-CODE", "identifier[0].value", False),
    ("name-missing", "Patient", _put(name=[{"text": SECRET}]), "SRC-MISSING", "name[0].family", False),
    ("mark-unreadable", "Patient", _put(extension=[{"url": _MARK, "valueString": SECRET}]), "SRC-BOOLEAN",
     "extension[0].valueString", False),
    ("mark-empty", "Patient", _put(extension=[{"url": _MARK}]), "SRC-MISSING", "extension[0]", False),
)  # fmt: skip
"""Name, types, change, rule, element, and whether the resource is not read then."""


def _doubled(draw: random.Random) -> Iterator[Fault]:
    """Two resources of one name, and two of one URL."""
    bundle = sample()
    number = _drawn(draw, bundle, _MADE)
    other = json.loads(json.dumps(bundle["entry"][number]))
    other["resource"]["language"] = "sv"
    bundle["entry"].append(other)
    told = frozenset({names(bundle)[number]})
    yield Fault("same-id-twice", _written(bundle), "SRC-TWICE", f"Bundle.entry[{number}].resource.id", told)

    bundle = sample()
    first, second = (_drawn(draw, bundle, kind) for kind in ("Encounter", "CarePlan"))
    bundle["entry"][first]["fullUrl"] = bundle["entry"][second]["fullUrl"]
    told = frozenset({names(bundle)[first], names(bundle)[second]})
    yield Fault("same-url-twice", _written(bundle), "SRC-TWICE", f"Bundle.entry[{first}].fullUrl", told)

    bundle = sample()
    number = _drawn(draw, bundle, "Encounter")
    bundle["entry"][number]["resource"]["MARK"] = "x"
    data = _written(bundle).replace(b'"MARK": "x"', f'"language": "fi", "language": "{SECRET}"'.encode())
    pointer = f"Bundle.entry[{number}].resource.language"
    told = frozenset({names(bundle)[number]})
    yield Fault("same-key-twice", data, "SRC-TWICE", pointer, told)


def _requests(draw: random.Random) -> Iterator[Fault]:
    """A transaction with a request that brings nothing, one that contradicts itself, and one with a condition."""
    for name, request, rule, element, is_lost in (
        ("delete", {"method": "DELETE", "url": "Encounter/x"}, "SRC-REQUEST", "request.method", True),
        ("strange-method", {"method": SECRET, "url": "Encounter/x"}, "SRC-REQUEST", "request.method", True),
        ("put-elsewhere", {"method": "PUT", "url": "Encounter/x"}, "SRC-REQUEST", "request.url", True),
        (
            "conditional",
            {"method": "POST", "url": "Encounter", "ifNoneExist": SECRET},
            "SRC-CONDITION",
            "request",
            False,
        ),
    ):
        bundle = sample() | {"type": "transaction"}
        for one in bundle["entry"]:
            one["request"] = {"method": "POST", "url": one["resource"]["resourceType"]}
        number = _drawn(draw, bundle, "Encounter")
        bundle["entry"][number]["request"] = request
        told = frozenset({names(bundle)[number]}) if is_lost else frozenset()
        yield Fault(name, _written(bundle), rule, f"Bundle.entry[{number}].{element}", told)


def _entries(draw: random.Random) -> Iterator[Fault]:
    """Entries that hold no resource, or more than anyone can mean."""
    for name, value, rule, element in (
        ("no-resource", SECRET, "SRC-TYPE", ".resource"),
        ("no-object", [SECRET], "SRC-TYPE", ".resource"),
    ):
        bundle = sample()
        number = _drawn(draw, bundle, _MADE)
        told = frozenset({names(bundle)[number]})
        bundle["entry"][number]["resource"] = value
        yield Fault(name, _written(bundle), rule, f"Bundle.entry[{number}]{element}", told)

    bundle = sample()
    number = _drawn(draw, bundle, _MADE)
    deep: Any = SECRET
    for _ in range(draw.randrange(120, 400)):
        deep = {"extension": [deep]}
    bundle["entry"][number]["resource"]["extension"] = [deep]
    told = frozenset({names(bundle)[number]})
    yield Fault("too-deep", _written(bundle), "SRC-DEPTH", f"Bundle.entry[{number}].resource.extension", told)


def _files(draw: random.Random) -> Iterator[Fault]:
    """Files of which nothing can be read, or which say something strange of themselves."""
    data = _written(sample())
    for name, made, rule, pointer in (
        ("empty", b"", "SRC-JSON", ""),
        ("cut-off", data.decode()[: draw.randrange(1, len(data.decode()) - 1)].encode(), "SRC-JSON", ""),
        ("no-json", f"<Bundle>{SECRET}</Bundle>".encode(), "SRC-JSON", ""),
        ("utf-16", data.decode().encode("utf-16"), "SRC-JSON", ""),
        ("latin-1", data.decode().encode("latin-1", "replace"), "SRC-UTF8", ""),
        ("search-set", _written(sample() | {"type": "searchset"}), "SRC-BUNDLE", "Bundle.type"),
        ("one-resource", _written(sample()["entry"][0]["resource"]), "SRC-BUNDLE", "Bundle.type"),
        ("a-list", _written([SECRET]), "SRC-BUNDLE", "Bundle.type"),
    ):
        yield Fault(name, made, rule, pointer, is_file=True)
    every = frozenset(names(sample()))
    yield Fault("no-entries", _written(sample() | {"entry": []}), "SRC-EMPTY", "Bundle.entry", every)
    told = {"profile": [f"{_CORE}/5.0/StructureDefinition/Bundle"]}
    yield Fault("bundle-of-r5", _written(sample() | {"meta": told}), "SRC-RELEASE", "Bundle.meta.profile[0]")
    yield Fault("bundle-element", _written(sample() | {SECRET: SECRET}), "SRC-FHIR", "Bundle.")


_WHOLE = (_doubled, _requests, _entries, _files)
