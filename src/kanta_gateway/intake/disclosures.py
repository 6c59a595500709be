"""Routes of disclosures and break-glass: what is stated comes in the body, unknown fields are refused.

* What goes from one register to another is asked by `POST /v1/documents/{oid}:disclose`.
* Break-glass lies under `/v1/access`; the purposes of use are told by `/v1/purposes`.
* Nothing of a body is repeated in an answer about its mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response

from kanta_gateway.intake.api import Body, IdentifiedCaller, Language, Owner, Service_, answer
from kanta_gateway.intake.bodies import FLAG, TEXT, WHOLE, Kind, any_fields, group, read, wrong
from kanta_gateway.pipeline.across import Asked
from kanta_gateway.pipeline.breakglass import Opening
from kanta_gateway.pipeline.disclosing import Wanted
from kanta_gateway.privacy.identity import identity_code

if TYPE_CHECKING:
    from kanta_gateway.access.disclosures import Disclosures

router = APIRouter()

UNDER = ("permit", "consent", "grant", "handing-out", "joint-service", "request")
"""By what a disclosure is asked: luovutuslupa, suostumus, an open grant, the register's own giving out, a joint service
of social and health care, or an authority's own request."""
_DISCLOSE: Mapping[str, Kind] = {
    "under": TEXT, "viaKanta": FLAG, "reasonCode": TEXT, "necessity": TEXT, "grant": TEXT,
    "to": group({"kind": TEXT, "name": TEXT}), "ground": TEXT, "request": TEXT, "reference": TEXT,
    "representative": FLAG, "otherSources": FLAG, "clientTold": FLAG,
}  # fmt: skip
_OPEN: Mapping[str, Kind] = {
    "item": TEXT, "reason": TEXT, "warned": FLAG, "necessity": TEXT, "reasonCode": TEXT, "hasRepresentative": FLAG,
    "hours": WHOLE, "provider": TEXT, "client": TEXT, "controller": TEXT, "document": TEXT,
}  # fmt: skip
_REVIEW: Mapping[str, Kind] = {"outcome": TEXT, "note": TEXT, "owner": TEXT}
_NOTE: Mapping[str, Kind] = {"note": TEXT}
_WHERE: Mapping[str, Kind] = {"provider": TEXT, "purchaser": TEXT}
_ONLY_UNDER: Mapping[str, tuple[str, ...]] = {
    "ground": ("handing-out",), "representative": ("handing-out",), "request": ("handing-out", "request"),
    "reference": ("handing-out", "request"), "otherSources": ("request",), "clientTold": ("request",),
}  # fmt: skip
"""Field -> the ways that know it; break-glass has its ground in the grant."""
_REQUESTS: Mapping[str, tuple[str, ...]] = {
    "handing-out": ("written", "client", "statutory-request", "statutory-duty"), "request": ("told", "written"),
}  # fmt: skip
"""How, or by whom, it was asked for."""
_REFERENCE = re.compile(r"(?=.*\d)[\w./:-]+(?: [\w./:-]+)*")
_REFERENCE_CHARACTERS = 60
_NAME_CHARACTERS = 120


@router.post("/v1/documents/{oid}:disclose", summary="Disclose one document to another, or out of the register")
def post_disclose(caller: IdentifiedCaller, oid: str, body: Body, service: Service_) -> Response:
    """The signed bytes, when permit, consent, grant or law allow it; a disclosure with its entry."""
    wanted = wanted_of(body, service.accesses.rules)
    return Response(service.accesses.disclosing.document(oid, wanted, caller), media_type="application/xml")


@router.get("/v1/purposes", summary="Purposes of use that the caller's role may tell")
def get_purposes(caller: IdentifiedCaller, service: Service_, language: Language) -> Response:
    """Each with its text and the rows of the decision table that it goes with."""
    return answer({"purposes": service.accesses.purposes(language, caller.role)})


@router.get("/v1/access/warning", summary="What a person is shown before breaking the glass")
def get_warning(caller: IdentifiedCaller, service: Service_, language: Language) -> Response:  # noqa: ARG001 — guarded
    """The warning, the statutory sub-items, the routes and the limits."""
    return answer(service.accesses.break_glass.warning(language))


@router.post("/v1/access/grants", summary="Break the glass for one client, by a statutory sub-item and a reason")
def post_grant(caller: IdentifiedCaller, body: Body, service: Service_) -> Response:
    """A grant for the person and the client that ends by itself; 201."""
    return answer(service.accesses.break_glass.open(opening_of(body), caller), 201)


@router.get("/v1/access/grants", summary="The queue of reviews")
def get_grants(caller: IdentifiedCaller, service: Service_, state: Annotated[str, Query()] = "") -> Response:
    """Grants that the caller may review: who, when, by which sub-item, until when it is due, and the outcome."""
    return answer(service.accesses.reviews.queue(caller, state))


@router.get("/v1/access/grants/{grant}/documents", summary="Documents of the client that a grant is about")
def get_grant_documents(caller: IdentifiedCaller, grant: str, service: Service_) -> Response:
    """That they exist, for the person whose grant it is and as long as it holds; a disclosure with its entry."""
    return answer(service.accesses.disclosing.documents(Wanted(Asked(), grant), caller))


@router.post("/v1/access/grants/{grant}:end", summary="End a grant before its time")
def post_end(caller: IdentifiedCaller, grant: str, service: Service_) -> Response:
    """By the person whose it is, or by who may review it."""
    return answer(service.accesses.break_glass.end(grant, caller))


@router.post("/v1/access/grants/{grant}:review", summary="Review a grant")
def post_review(caller: IdentifiedCaller, grant: str, body: Body, service: Service_) -> Response:
    """`{"outcome": "", "note": "", "owner": ""}`; an unfounded one becomes a case of the owner's."""
    told = read(body, _REVIEW, ("outcome", "note"))
    return answer(
        service.accesses.reviews.review(grant, told["outcome"], told["note"], caller, told.get("owner", ""))
    )  # fmt: skip


@router.post("/v1/access/grants/{grant}:close", summary="Close the case of a grant")
def post_close(caller: IdentifiedCaller, grant: str, body: Body, service: Service_) -> Response:
    """`{"note": ""}`: what was done about it."""
    return answer(service.accesses.reviews.close_case(grant, read(body, _NOTE, ("note",))["note"], caller))


@router.get("/v1/access/counts", summary="How often the glass was broken in a month")
def get_counts(
    caller: IdentifiedCaller, service: Service_, month: Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
) -> Response:
    """By sub-item, organisation and outcome."""
    return answer(service.accesses.reviews.counts(caller, month))


@router.get("/v1/clients/{client}/wills", summary="A client's statements of will, as they are known now")
def get_wills(caller: IdentifiedCaller, client: str, service: Service_, provider: Owner = "") -> Response:
    """Permits, prohibitions and consents with whether they are in force; reading them is an entry."""
    return answer(service.accesses.wills(client, caller, provider))


@router.post("/v1/clients/{client}/wills", summary="Write down a permit, prohibition or consent of a client")
def post_will(caller: IdentifiedCaller, client: str, body: Body, service: Service_) -> Response:
    """`{"type": "", "provider": "", "purchaser": "", …}` with the fields of the record type; it holds at once."""
    told = any_fields(body)
    where = {name: str(told.pop(name, "")) for name in ("provider", "purchaser")}
    return answer(service.will_desk.state(caller, client, str(told.pop("type", "")), told, **where), 201)


@router.post("/v1/clients/{client}/wills/{statement}:withdraw", summary="Withdraw what was stated to the controller")
def post_withdraw(caller: IdentifiedCaller, client: str, statement: str, body: Body, service: Service_) -> Response:
    """`{"provider": "", "purchaser": ""}`: it does not hold from now on."""
    return answer(service.will_desk.withdraw(caller, client, statement, **read(body, _WHERE)))


def wanted_of(body: bytes, rules: Disclosures) -> Wanted:
    """What a caller states about a disclosure.

    Raises:
        ParameterError: a field, a code or their combination is wrong; all mistakes at once.
    """
    told = read(body, _DISCLOSE, ("under",))
    under, to = told["under"], told.get("to") or {}
    faults: list[tuple[str, str]] = []
    if under not in UNDER:
        faults.append(("under", ", ".join(UNDER)))
    if "reasonCode" in told and told["reasonCode"] not in rules.routes:
        faults.append(("reasonCode", ", ".join(rules.routes)))
    if (under == "grant") != ("grant" in told):
        faults.append(("grant", "the id of a grant, with under: grant"))
    if (under == "handing-out") != bool(to):
        faults.append(("to", "with under: handing-out"))
    faults += [
        (name, f"only with under: {' or '.join(_ONLY_UNDER[name])}")
        for name in sorted(_ONLY_UNDER.keys() & told.keys()) if under not in _ONLY_UNDER[name]
    ]  # fmt: skip
    faults += [("request", ", ".join(words)) for words in (_REQUESTS.get(under, ()),)
               if "request" in told and words and told["request"] not in words]  # fmt: skip
    if to and not _is_recipient(to, rules):
        faults.append(("to", f"kind of {', '.join(rules.outward)}; name where it is an organisation"))
    if "reference" in told and not _is_reference(told["reference"]):
        faults.append(("reference", "the number of a matter in the case register"))
    if (to or under == "request") and "reference" not in told:
        faults.append(("reference", "required"))
    if faults:
        raise wrong(*faults)
    return Wanted(_asked(told, to), told.get("grant", ""), {
        name: told[field]
        for name, field in (("route", "reasonCode"), ("reference", "reference"), ("under", "under"))
        if field in told
    })  # fmt: skip


def _asked(told: Mapping[str, Any], to: Mapping[str, str]) -> Asked:
    via: dict[object, str] = {False: "no", True: "yes"}
    facts = {
        "via_kanta": via.get(told.get("viaKanta"), "unknown"),
        "reason": "told" if told.keys() & {"reasonCode", "reference"} else "none",
        "representative": via.get(told.get("representative"), "unknown"),
        "sources": "insufficient" if told.get("otherSources") is False else "unknown",
        "client_told": via.get(told.get("clientTold"), "unknown"),
        **{name: told[name] for name in ("ground", "request", "necessity") if name in told},
    }
    name = to.get("name") or (f"{to['kind']} {told['reference']}" if to else "")
    return Asked(facts, by_consent=told["under"] == "consent", to_kind=to.get("kind", ""), to_name=name)


def _is_recipient(to: Mapping[str, str], rules: Disclosures) -> bool:
    """Whether somebody outside is told as far as the log may tell."""
    kind, name = to.get("kind", ""), to.get("name", "")
    if kind not in rules.outward:
        return False
    if rules.outward[kind] == "person":
        return not name
    return 0 < len(name.strip()) <= _NAME_CHARACTERS and not _tells_code(name)


def _is_reference(text: str) -> bool:
    is_short = len(text) <= _REFERENCE_CHARACTERS
    return is_short and _REFERENCE.fullmatch(text) is not None and not _tells_code(text)


def _tells_code(text: str) -> bool:
    """Whether a word of a text is an identity code."""
    return any(identity_code(word) is not None for word in text.split())


def opening_of(body: bytes) -> Opening:
    """What a caller states who breaks the glass.

    Raises:
        ParameterError: a field is wrong or lacks.
    """
    told = read(body, _OPEN, ("item", "reason", "warned", "necessity"))
    representative = {True: "yes", False: "no"}.get(told.get("hasRepresentative"), "unknown")  # type: ignore[arg-type]
    return Opening(
        told["item"], told["reason"], told["warned"], told["necessity"], told.get("reasonCode", ""), representative,
        told.get("hours", 0), told.get("provider", ""), told.get("client", ""), told.get("controller", ""),
        told.get("document", ""),
    )  # fmt: skip
