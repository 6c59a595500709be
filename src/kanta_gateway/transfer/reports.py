"""Disclosure notices (luovutusilmoitus): which disclosures are told to the national log register, and as what; pure.

* Rows of `mappings/disclosures.yaml` are asked in order; the last one always fits, so nothing stays undecided.
* A notice is a FHIR transaction: an AuditEvent with what 703/2023 §10.3 asks for and its Provenance, signed as one.
* The signature is a detached JWS over the canonical JSON of the Bundle without it (RFC 7515 appendix F, RFC 8785).
* An answer is a receipt only when it names the notice and says of each resource that it was made.

Source: docs/archive-protocol.md, "Disclosure notices"; IHE BALP PrivacyDisclosure.Source.
"""

from __future__ import annotations

import re
import uuid
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from kanta_gateway.model import instant
from kanta_gateway.shapes import ANY, FLAG, TEXT, Keys, ListOf, shaped
from kanta_gateway.stated import Lined, Mistakes, read
from kanta_gateway.transfer.receipts import MAX_ANSWER_BYTES, Answer, FinalNo, Receipt, RetryLater, Sent

FILE = "disclosures.yaml"
FHIR_JSON = "application/fhir+json;charset=UTF-8"
ALGORITHMS = {"rsa-sha256": "RS256", "ecdsa-sha256": "ES256"}
"""Algorithm of a signer -> its name in a JWS (RFC 7518 §3.1)."""
Canonical = Callable[[Any], bytes]
Sign = Callable[[bytes], bytes]

_ROW = Keys({"id": TEXT, "report": FLAG, "basis": TEXT}, {"event": TEXT, "to_controller": FLAG})
_SHAPE = Keys({"joint_controller": TEXT, "client_register": TEXT, "rows": ListOf(_ROW), "fhir": ANY}, {})
_PROVISION = re.compile(r"(?P<law>[0-9]+/[0-9]{4}) (?P<place>§*[0-9].*)")
_MADE = ("200", "201")


@dataclass(frozen=True, slots=True)
class Row:
    """Which disclosures, and whether they are told."""

    id: str
    is_reported: bool
    event: str = ""
    """Empty for any."""
    to_controller: bool | None = None

    def fits(self, event: str, *, to_controller: bool) -> bool:
        """Whether it decides about a disclosure."""
        return self.event in {"", event} and self.to_controller in {None, to_controller}


@dataclass(frozen=True, slots=True)
class Reports:
    """What `mappings/disclosures.yaml` states."""

    joint_controller: str
    """Controls disclosure logs together with each provider."""
    client_register: str
    rows: tuple[Row, ...]
    fhir: Mapping[str, Any]

    @classmethod
    def load(cls, text: str) -> Reports:
        """Read the file.

        Raises:
            MisconfiguredError: all mistakes at once.
        """
        mistakes = Mistakes(FILE)
        data: Lined = shaped(read(text, mistakes) or Lined(), _SHAPE, mistakes)
        rows = data.get("rows", ())
        if not rows or {"event", "to_controller"} & set(rows[-1]):
            mistakes.say(data.at("rows"), "the last row should fit whatever is left: neither event nor to_controller")
        mistakes.end()
        made = cls(
            data["joint_controller"], data["client_register"],
            tuple(Row(one["id"], one["report"], one.get("event", ""), one.get("to_controller")) for one in rows),
            data["fhir"],
        )  # fmt: skip
        try:
            bundle(_SAMPLE, made, is_test=True)
            dict(made.fhir["signature"])
        except (KeyError, TypeError) as error:
            mistakes.say(data.at("fhir"), f"fhir: {error} is not there or not of its form; see the package's own file")
        mistakes.end()
        return made

    def decide(self, event: str, *, to_controller: bool) -> Row:
        """The row that decides about a disclosure."""
        return next(one for one in self.rows if one.fits(event, to_controller=to_controller))


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure, with what 703/2023 §10.3 asks for."""

    id: str
    at: str
    subject: str
    description: str
    """Which kind of data was disclosed."""
    controller: str
    provider: str
    """The discloser."""
    recipient: str
    purpose: str
    basis: str
    person_id: str
    person_name: str
    role: str
    client_ref: str = ""
    identity_code: str = ""
    """Of the client; empty where it is not known any more."""


_SAMPLE = Disclosure(
    id="00000000-0000-0000-0000-000000000000", at="2026-01-01T00:00:00.000000Z", subject="-", description="-",
    controller="-", provider="-", recipient="-", purpose="-", basis="-", person_id="-", person_name="-", role="-",
    client_ref="-",
)  # fmt: skip
"""What a form is tried on when it is read."""


def bundle(one: Disclosure, profile: Reports, *, is_test: bool) -> dict[str, Any]:
    """The transaction that tells of a disclosure, without its signature.

    Args:
        one: the disclosure.
        profile: its form.
        is_test: mark it as a test.
    """
    of = profile.fhir
    mark = {"security": [dict(of["test_mark"])]} if is_test else {}
    told, proof = (f"urn:uuid:{uuid.uuid5(uuid.UUID(one.id), kind)}" for kind in ("AuditEvent", "Provenance"))
    resources = [
        (told, _audit_event(one, profile, mark)),
        (proof, {
            "resourceType": "Provenance", "meta": {"profile": [of["profiles"]["Provenance"]], **mark},
            "target": [{"reference": told}], "recorded": one.at,
            "agent": [
                {"type": _concept(of["provenance"]["custodian"]), "who": _organisation(one.controller, of)},
                {"type": _concept(of["provenance"]["author"]), "who": _organisation(one.provider, of)},
            ],
        }),
    ]  # fmt: skip
    return {
        "resourceType": "Bundle", "type": "transaction", "timestamp": one.at,
        "identifier": {"system": of["oid_system"], "value": f"urn:uuid:{one.id}"},
        "entry": [
            {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
            for url, resource in resources
        ],
    }  # fmt: skip


def signed(
    value: Mapping[str, Any], profile: Reports, *, at: datetime, who: str, algorithm: str, certificate: bytes,
    sign: Sign, canonical: Canonical,
) -> bytes:  # fmt: skip
    """The finished bytes of a transaction, with its signature.

    Args:
        value: the transaction.
        profile: its form.
        at: moment of signing.
        who: OID of the organisation that signs.
        algorithm: of the signer.
        certificate: of its key, DER.
        sign: signs bytes.
        canonical: canonical bytes of a JSON value.
    """
    head = {"alg": ALGORITHMS[algorithm], "x5c": [b64encode(certificate).decode()]}
    protected = _url64(canonical(head))
    made = sign(protected + b"." + _url64(canonical(dict(value))))
    jws = protected + b".." + _url64(made)
    signature = {
        "type": [dict(profile.fhir["signature"])], "when": instant(at), "who": _organisation(who, profile.fhir),
        "targetFormat": FHIR_JSON.partition(";")[0], "sigFormat": "application/jose", "data": b64encode(jws).decode(),
    }  # fmt: skip
    return canonical({**value, "signature": signature})


def parts_of(content: bytes, canonical: Canonical) -> tuple[Mapping[str, Any], bytes, bytes, bytes] | None:
    """Bundle, signing input, signature value and certificate of finished bytes; None if they have not that form."""
    try:
        value = orjson.loads(content)
        protected, _, signature = b64decode(value["signature"]["data"]).split(b".")
        certificate = b64decode(orjson.loads(_unurl64(protected))["x5c"][0])
        bare = {name: one for name, one in value.items() if name != "signature"}
        return value, protected + b"." + _url64(canonical(bare)), _unurl64(signature), certificate
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None


def answer(status: int, body: bytes, request_id: str, sent: Sent) -> Answer:
    """What the register's answer says about a notice.

    Args:
        status: of HTTP.
        body: what came back.
        request_id: the request's id as the answer repeats it; empty where it does not.
        sent: id and digest of the notice.
    """
    told = _json(body)
    if status in {400, 422} and told.get("resourceType") == "OperationOutcome" and request_id == sent.oid:
        codes = (str(_object(one).get("code", "")) for one in _list(told.get("issue")))
        return FinalNo("archive-refused", tuple(one for one in codes if one.isascii() and len(one) <= 64))
    if status != 200:
        return RetryLater("archive-failed", must_ask=False, params={"status": str(status)})
    if (told.get("resourceType"), told.get("type")) != ("Bundle", "transaction-response"):
        return RetryLater("archive-answer-unreadable", must_ask=False)
    if _object(told.get("identifier")).get("value") != f"urn:uuid:{sent.oid}":
        return RetryLater("archive-answer-of-another", must_ask=False)
    each = [_object(_object(one).get("response")) for one in _list(told.get("entry"))]
    made = [(str(one.get("status"))[:3], str(one["location"])[:128]) for one in each if one.get("location")]
    if len(made) != 2 or any(status not in _MADE for status, _ in made):
        return RetryLater("archive-answer-of-another", must_ask=False)
    return Receipt(sent.oid, sent.digest, made[0][1], was_there=any(status == "200" for status, _ in made))


def _audit_event(one: Disclosure, profile: Reports, mark: Mapping[str, Any]) -> dict[str, Any]:
    of = profile.fhir
    agents = of["agents"]
    user: dict[str, Any] = {
        "type": _concept(agents["user"]), "requestor": True, "name": one.person_name,
        "who": {"identifier": {"value": one.person_id}, "display": one.person_name},
    }  # fmt: skip
    if one.role:
        user["role"] = [{"text": one.role}]
    return {
        "resourceType": "AuditEvent",
        "meta": {"profile": [of["profiles"]["AuditEvent"]], **mark},
        "extension": [{
            "url": of["register_type"]["url"],
            "valueCoding": {"system": of["register_type"]["system"], "code": profile.client_register},
        }],
        "type": dict(of["type"]), "subtype": [dict(of["subtype"])], "action": "R", "recorded": one.at, "outcome": "0",
        "purposeOfEvent": [{"text": one.purpose}],
        "agent": [
            {"type": _concept(agents["source"]), "requestor": False, "who": _organisation(one.provider, of),
             "policy": provisions(one.basis, of["law"])},
            {"type": _concept(agents["recipient"]), "requestor": False, "who": {"display": one.recipient}},
            {"type": _concept(agents["custodian"]), "requestor": False, "who": _organisation(one.controller, of)},
            user,
        ],
        "source": {"observer": _organisation(one.provider, of)},
        "entity": [
            {"what": {"identifier": {"value": one.subject}}, "type": dict(of["data"]),
             "description": one.description},
            *([{"what": {"identifier": _client(one, of)}, "type": dict(of["person"]), "role": dict(of["patient"])}]
              if one.client_ref else []),
        ],
    }  # fmt: skip


def provisions(basis: str, law: str) -> list[str]:
    """A basis as URIs, such as `urn:fi:laki:48/2026#45.1.1`; what is no provision is left as it is, quoted."""
    found: list[str] = []
    for one in basis.split(";"):
        told = _PROVISION.fullmatch(one.strip())
        place = re.sub(r"[§ ]", "", told["place"]).replace("(", ".").replace(")", "") if told else ""
        found.append(f"{law}{told['law']}#{place}" if told else law + re.sub(r"[^0-9A-Za-z./:-]", "_", one.strip()))
    return found


def _client(one: Disclosure, of: Mapping[str, Any]) -> dict[str, str]:
    if one.identity_code:
        return {"system": of["identity_system"], "value": one.identity_code}
    return {"system": of["reference_system"], "value": one.client_ref}


def _organisation(oid: str, of: Mapping[str, Any]) -> dict[str, Any]:
    return {"identifier": {"system": of["oid_system"], "value": f"urn:oid:{oid}"}}


def _concept(coding: Mapping[str, Any]) -> dict[str, Any]:
    return {"coding": [dict(coding)]}


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(body) if len(body) <= MAX_ANSWER_BYTES else None
    except orjson.JSONDecodeError:
        value = None
    return _object(value)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _url64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _unurl64(data: bytes) -> bytes:
    return b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_")
