"""The simulated national log register: checks disclosure notices and keeps each once.

* A notice is a transaction of AuditEvent and Provenance pairs that only create, about one person, signed as a whole.
* The signature is verified with `cryptography`, over canonical bytes that are computed here anew.
* The same bytes again are told as known; other bytes under the same id are refused.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pydantic import ValidationError

from kanta_gateway.transfer import reports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kanta_gateway.transfer.simulator.shelf import Shelf

_ISSUES = "OperationOutcome"


def take(shelf: Shelf, content: bytes) -> tuple[int, dict[str, Any]]:
    """Check and keep one notice; the HTTP status and the answer's body.

    Args:
        shelf: where it is kept.
        content: the bytes of the transaction.
    """
    found = reports.parts_of(content, rfc8785.dumps)
    if found is None:
        return 400, _refusal(["structure"])
    value, signed, signature, certificate = found
    if problems := [*_problems(value), *([] if _holds(signed, signature, certificate) else ["signature"])]:
        return 422, _refusal(problems)
    id_, digest = str(value["identifier"]["value"]), hashlib.sha256(content).hexdigest()
    state = shelf.keep_notice(id_, digest, content)
    if state == "other":
        return 422, _refusal(["conflict"])
    status = "201 Created" if state == "new" else "200 OK"
    return 200, {
        "resourceType": "Bundle", "type": "transaction-response", "identifier": dict(value["identifier"]),
        "entry": [
            {"response": {"status": status, "location": f"{one['request']['url']}/{place}-{digest[:16]}/_history/1"}}
            for place, one in enumerate(value["entry"])
        ],
    }  # fmt: skip


def _problems(value: Mapping[str, Any]) -> list[str]:
    """What the content of a transaction lacks."""
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 — takes a second, and documents need no FHIR

    try:
        Bundle.model_validate(value)
    except ValidationError:
        return ["invalid"]
    entries = value.get("entry", [])
    kinds = [one["resource"]["resourceType"] for one in entries]
    if value["type"] != "transaction" or kinds != ["AuditEvent", "Provenance"] * (len(kinds) // 2) or not kinds:
        return ["structure"]
    if any(one["request"]["method"] != "POST" for one in entries):
        return ["not-supported"]
    told = [one["resource"] for one in entries[::2]]
    proofs = [one["resource"]["target"][0]["reference"] for one in entries[1::2]]
    problems = [] if proofs == [one["fullUrl"] for one in entries[::2]] else ["business-rule"]
    if any(not _is_whole(one) for one in told):
        problems.append("required")
    persons = {orjson.dumps(one) for event in told for one in _persons(event)}
    if len(persons) > 1 or not all(_is_test_person(orjson.loads(one)) for one in persons):
        problems.append("security")
    return problems


def _is_whole(event: Mapping[str, Any]) -> bool:
    """Whether it tells everything of 703/2023 §10.3: what, whose, by whom, to whom, when, why, on what it rests."""
    agents = event["agent"]
    return bool(
        len(agents) >= 4 and agents[0].get("policy") and event.get("purposeOfEvent") and event.get("recorded")
        and event.get("extension") and event["entity"][0].get("description") and all(one.get("who") for one in agents)
    )  # fmt: skip


def _persons(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one["what"]["identifier"] for one in event["entity"] if one.get("role")]


def _is_test_person(identifier: Mapping[str, Any]) -> bool:
    """Only individual numbers 900 to 999 are given to test persons; a keyed reference is nobody's code."""
    code = str(identifier["value"])
    return len(code) != 11 or (code[7:10].isdecimal() and int(code[7:10]) >= 900)


def _holds(signed: bytes, signature: bytes, certificate: bytes) -> bool:
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            r, s = (int.from_bytes(one) for one in (signature[:half], signature[half:]))
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _refusal(codes: list[str]) -> dict[str, Any]:
    return {"resourceType": _ISSUES, "issue": [{"severity": "error", "code": one} for one in codes]}
