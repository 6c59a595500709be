"""The envelope: header, local social header and body of a CDA document, as bytes.

* Elements stand in the order of the archive's documents; what the gateway does not have is `nullFlavor="NA"`.
* The body is written in its canonical form, so that what is signed is what stands in the file.
* Unit, its provider and each further producer up to the organiser are nested in `asOrganizationPartOf`
  (703/2023 §37; an assumption, see docs/archive-protocol.md).

Source: facts of the document format, sections 1.1 (skeleton) and 2 (metadata).
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kanta_gateway.signing.markup import attribute, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from kanta_gateway.model import Coding, Header, Organisation, Person
    from kanta_gateway.signing.profile import Profile

V3 = "urn:hl7-org:v3"
FINLAND = "urn:hl7finland"
HELSINKI = ZoneInfo("Europe/Helsinki")
_NONE = 'nullFlavor="NA"'


def body(oid: str, xhtml: bytes, json: bytes) -> bytes:
    """The body in exclusive canonical form: attributes sorted, namespaces where they are first used.

    Args:
        oid: the document's identifier.
        xhtml: display form.
        json: structured form, UTF-8.
    """
    return b"".join(
        (
            f'<nonXMLBody xmlns="{V3}" ID="{body_id(oid)}">'.encode(),
            b'<text mediaType="application/xhtml+xml" representation="B64">',
            b64encode(xhtml),
            b"</text>",
            f'<hl7fi:json xmlns:hl7fi="{FINLAND}">'.encode(),
            b64encode(json),
            b"</hl7fi:json></nonXMLBody>",
        )
    )


def body_id(oid: str) -> str:
    """The ID that the signature refers to."""
    return f"OID{oid}"


def build(header: Header, profile: Profile, body: bytes, signature: bytes) -> bytes:
    """The whole document.

    Args:
        header: what its header says.
        profile: fixed values of the envelope.
        body: as `body` makes it.
        signature: `signatureCollection` as `xmldsig.sign` makes it.
    """
    writer = _Writer(profile)
    return b"".join(
        (
            writer.head(header).encode(),
            b"\n",
            writer.local(header).encode(),
            signature,
            b"\n</hl7fi:localSocialHeader>\n<component>",
            body,
            b"</component>\n</ClinicalDocument>\n",
        )
    )


def stamp(moment: datetime) -> str:
    """A moment as HL7 TS, in Helsinki time with its offset."""
    return moment.astimezone(HELSINKI).strftime("%Y%m%d%H%M%S%z")


class _Writer:
    """Writes elements with the profile's names and identifiers."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def head(self, header: Header) -> str:
        """Everything before the local social header."""
        ids = self._profile.identifiers
        return "\n".join(
            (
                '<?xml version="1.0" encoding="UTF-8"?>',
                (
                    f'<ClinicalDocument xmlns="{V3}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
                    f' xsi:schemaLocation="{attribute(self._profile.schema_location)}">'
                ),
                '<realmCode code="FI"/>',
                f'<typeId extension="{ids["type_extension"]}" root="{ids["type"]}"/>',
                f'<id root="{attribute(header.oid)}"/>',
                self._coded("code", header.general_type if header.general_type.code else None),
                f'<effectiveTime value="{stamp(header.made_at)}"/>',
                self._coded("confidentialityCode", header.codes["confidentialityCode"]),
                f'<languageCode code="{attribute(header.language)}"/>',
                f'<setId root="{attribute(header.set_oid)}"/>',
                f'<versionNumber value="{header.version_number}"/>',
                self._client(header),
                self._author(header.author),
                (
                    f"<custodian><assignedCustodian><representedCustodianOrganization>{_named(header.controller)}"
                    "</representedCustodianOrganization></assignedCustodian></custodian>"
                ),
                *([_replaced(header)] if header.replaces else ()),
                _encounter(header),
            )
        )

    def local(self, header: Header) -> str:
        """The local social header up to where the signature stands."""
        codes, software = header.codes, header.software
        return "\n".join(
            (
                f'<hl7fi:localSocialHeader xmlns:hl7fi="{FINLAND}">',
                *([self._coded("hl7fi:specificDocumentType", header.specific_type)] if header.specific_type else ()),
                f'<hl7fi:creationTime value="{stamp(header.created_at)}"/>',
                *(
                    self._coded(f"hl7fi:{name}", codes[name])
                    for name in ("documentGroup", "fileFormat", "structuredFileFormat")
                ),
                (
                    f'<hl7fi:softwareSupport moderator="{attribute(software["moderator"])}"'
                    f' product="{attribute(software["product"])}"'
                    f' version="{attribute(software["version"])}"/>'
                ),
                self._coded("hl7fi:functionCode", header.service_task),
                *(self._coded(f"hl7fi:{name}", codes[name]) for name in ("recordStatus", "registryType")),
                f'<hl7fi:outsourcingServiceCustomer root="{attribute(header.organiser.oid)}"/>',
                (
                    f"<hl7fi:outsourcingServiceCustomerName>{text(header.organiser.name)}"
                    "</hl7fi:outsourcingServiceCustomerName>"
                ),
                *(
                    self._coded(f"hl7fi:{name}", codes[name])
                    for name in ("totalRetentionPeriodClass", "specialContent")
                ),
                f"<hl7fi:contentSpecificationId>{text(header.structure)}</hl7fi:contentSpecificationId>",
                *([self._process(header.service_process)] if header.service_process else ()),
                *([self._coded("hl7fi:reasonOfCorrection", codes["reasonOfCorrection"])] if header.replaces else ()),
                "",
            )
        )

    def _coded(self, name: str, coding: Coding | None) -> str:
        if coding is None:
            return f"<{name} {_NONE}/>"
        system_name = self._profile.names.get(coding.system)
        named = f' codeSystemName="{attribute(system_name)}"' if system_name else ""
        return (
            f'<{name} code="{attribute(coding.code)}" codeSystem="{attribute(coding.system)}"{named}'
            f' displayName="{attribute(coding.display)}"/>'
        )

    def _client(self, header: Header) -> str:
        client = header.client
        born = f'value="{header.birth_date:%Y%m%d}"' if header.birth_date else _NONE
        called = f'<given qualifier="CL">{text(client.call_name)}</given>' if client.call_name else ""
        return (
            f"<recordTarget><patientRole>{self._identified('identity_code', client.identifier)}"
            "<patient><name>"
            f"<given>{text(client.given_names)}</given>{called}<family>{text(client.surname)}</family></name>"
            f"{self._coded('administrativeGenderCode', header.sex)}<birthTime {born}/>"
            "</patient></patientRole></recordTarget>"
        )

    def _author(self, author: Person) -> str:
        person = (
            f"<assignedPerson><name><given>{text(author.given_names)}</given>"
            f"<family>{text(author.surname)}</family></name></assignedPerson>"
            if author.surname
            else ""
        )
        return (
            f"<author><time {_NONE}/><assignedAuthor>"
            f"{self._identified('registration_number', author.identifier)}{person}</assignedAuthor></author>"
        )

    def _identified(self, kind: str, value: str) -> str:
        if not value:
            return f"<id {_NONE}/>"
        return f'<id extension="{attribute(value)}" root="{self._profile.identifiers[kind]}"/>'

    def _process(self, process: Coding) -> str:
        kind = text(self._profile.service_process_type)
        return (
            f"<hl7fi:serviceProcess><hl7fi:type>{kind}</hl7fi:type>{self._coded('hl7fi:code', process)}"
            "</hl7fi:serviceProcess>"
        )


def _named(organisation: Organisation) -> str:
    return f'<id root="{attribute(organisation.oid)}"/><name>{text(organisation.name)}</name>'


def _replaced(header: Header) -> str:
    return (
        f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{attribute(header.replaces or "")}"/>'
        f'<setId root="{attribute(header.set_oid)}"/><versionNumber value="{header.version_number - 1}"/>'
        "</parentDocument></relatedDocument>"
    )


def _encounter(header: Header) -> str:
    return (
        f"<componentOf><encompassingEncounter><id {_NONE}/><effectiveTime {_NONE}/>"
        f"<responsibleParty><assignedEntity><id {_NONE}/><representedOrganization>{_named(header.organiser)}"
        "</representedOrganization></assignedEntity></responsibleParty>"
        f'<encounterParticipant typeCode="ADM"><assignedEntity><id {_NONE}/><representedOrganization>'
        f"{_named(header.unit)}{_parts((*header.producers, header.organiser))}"
        "</representedOrganization></assignedEntity></encounterParticipant>"
        "</encompassingEncounter></componentOf>"
    )


def _parts(chain: Sequence[Organisation]) -> str:
    """Each organisation inside the one before it."""
    opened = "<asOrganizationPartOf><wholeOrganization>"
    closed = "</wholeOrganization></asOrganizationPartOf>"
    return opened + opened.join(map(_named, chain)) + closed * len(chain) if chain else ""
