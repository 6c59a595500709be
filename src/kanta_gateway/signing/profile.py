"""The profile of the envelope: fixed codes and texts of `schemas/cda.yaml`, and headers made with them.

* The general type comes from the structure's own document type, never from its number.
* Sex and birth date come from the identity code.
* From unit to organiser: the unit's provider first, then each further producer (703/2023 §37).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.model import Coding, Finding, Header, Oid, Organisation, Person, Severity
from kanta_gateway.stated import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

CODED = (
    "confidentialityCode",
    "documentGroup",
    "fileFormat",
    "structuredFileFormat",
    "recordStatus",
    "registryType",
    "totalRetentionPeriodClass",
    "specialContent",
    "signatureDescription",
    "reasonOfCorrection",
)
"""Elements of the envelope that carry a fixed code."""
GROUP = "documentGroup"
CORRECTION = "reasonOfCorrection"
"""The one that only a replacement carries."""


class StructureInfo(Protocol):
    """What a header takes from a THL structure."""

    @property
    def oid(self) -> Oid:
        """Its dated identifier."""

    @property
    def number(self) -> str:
        """Also its code as specific document type."""

    @property
    def title(self) -> Mapping[str, str]:
        """Its name by language."""

    @property
    def document_type(self) -> str:
        """Word for the general document type."""

    @property
    def service_process(self) -> str | None:
        """Key of its service process."""


class IdentityInfo(Protocol):
    """What a header takes from a client's identity code."""

    @property
    def birth_date(self) -> date:
        """Day of birth."""

    @property
    def sex(self) -> str:
        """Code of sex."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Fixed values of the envelope."""

    schema_location: str
    identifiers: Mapping[str, str]
    codes: Mapping[str, Coding]
    """Fixed codes by element name."""
    names: Mapping[str, str]
    """Code system -> its name."""
    sexes: Mapping[str, Coding]
    general_types: Mapping[tuple[str, str], Coding]
    """(document type, language) -> general type."""
    groups: Mapping[tuple[str, str], Coding]
    """(document type, language) -> document group, for documents that have no general type."""
    lists: Mapping[str, str]
    service_process_type: str

    @classmethod
    def load(cls, source: str) -> Profile:
        """Read `schemas/cda.yaml`.

        Raises:
            MisconfiguredError: it lacks something, or a code is incomplete.
        """
        try:
            stated = plain(source)
            sexes, types = stated["sexes"], stated["document_types"]
            codes = {name: _coding(one) for name, one in stated["codes"].items()}
            names = {one["system"]: one["system_name"] for one in (*stated["codes"].values(), sexes, types)}
            profile = cls(
                schema_location=stated["schema_location"],
                identifiers=stated["identifiers"],
                codes=codes,
                names=names,
                sexes={key: Coding(sexes["system"], key, word) for key, word in sexes["rows"].items()},
                general_types=_by_language(types),
                groups=_by_language(stated["document_groups"]),
                lists=stated["lists"],
                service_process_type=stated["service_process_type"],
            )
        except (KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise MisconfiguredError(f"schemas/cda.yaml cannot be read ({type(error).__name__}: {error})") from error
        if missing := [name for name in CODED if name not in codes]:
            raise MisconfiguredError(f"schemas/cda.yaml: codes lacks {', '.join(missing)}")
        return profile

    def general_type(self, document_type: str, language: str) -> Coding:
        """The general document type of a structure; without a code where such documents have none.

        Raises:
            MisconfiguredError: no row for this word.
        """
        if (document_type, language) in self.groups:
            return Coding("", "", "")
        try:
            return self.general_types[document_type, language]
        except KeyError:
            raise MisconfiguredError(
                f'schemas/cda.yaml: document_types has no row "{document_type}"; add it with its code'
            ) from None

    def codes_of(self, document_type: str, language: str) -> Mapping[str, Coding]:
        """The fixed codes of a document's header, its group among them."""
        group = self.groups.get((document_type, language))
        return self.codes if group is None else {**self.codes, GROUP: group}

    def unverified(self, document_type: str, language: str, *, is_replacement: bool) -> tuple[Finding, ...]:
        """What the envelope of a document carries that no source confirms.

        Args:
            document_type: word for the general document type.
            language: `fi` or `sv`.
            is_replacement: whether it carries a reason of correction.
        """
        codes = self.codes_of(document_type, language)
        carried = {"code": self.general_type(document_type, language), **codes}
        if not is_replacement:
            del carried[CORRECTION]
        return tuple(
            Finding("CODE-HEADER", Severity.INFO, "header-code-unverified", "", {"element": name, "code": coding.code})
            for name, coding in carried.items()
            if not coding.verified
        )

    def header(
        self,
        *,
        structure: StructureInfo,
        source: Mapping[str, Any],
        oid: Oid,
        set_oid: Oid,
        version_number: int,
        replaces: Oid | None,
        made_at: datetime,
        created_at: datetime,
        language: str,
        identity: IdentityInfo | None,
        software: Mapping[str, str],
        coding: Callable[[str, str, str], Coding],
    ) -> Header:
        """The header of one document.

        Args:
            structure: the THL structure that the document follows.
            source: the mapping's input.
            oid: the document's own identifier.
            set_oid: of the first version.
            version_number: from 1.
            replaces: the version before, if there was one.
            made_at: when the author made the record.
            created_at: when the gateway makes the document.
            language: `fi` or `sv`.
            identity: what the client's identity code tells.
            software: moderator, product, version.
            coding: list, key and language to a coded value.
        """
        general = self.general_type(structure.document_type, language)
        title = structure.title.get(language) or structure.title["fi"]
        task, process = source["product"].get("service_task"), structure.service_process
        organiser, provider = _organisation(source["organiser"]), _organisation(source["provider"])
        return Header(
            oid=oid,
            set_oid=set_oid,
            version_number=version_number,
            replaces=replaces,
            structure=structure.oid,
            title=title,
            general_type=general,
            specific_type=Coding(general.system, structure.number, title) if general.code else None,
            service_task=coding(self.lists["service_task"], task, language) if task else None,
            service_process=coding(self.lists["service_process"], process, language) if process else None,
            codes=self.codes_of(structure.document_type, language),
            language=language,
            made_at=made_at,
            created_at=created_at,
            client=_person(source["client"], "identity_code"),
            author=_person(source["author"], "registration_number"),
            controller=organiser,
            organiser=organiser,
            producers=(provider, *map(_organisation, source.get("further_producers", ()))),
            unit=_organisation(source["unit"]),
            software=software,
            birth_date=identity.birth_date if identity else None,
            sex=self.sexes.get(identity.sex) if identity else None,
        )


def _coding(stated: Mapping[str, Any]) -> Coding:
    return Coding(stated["system"], stated["code"], stated["display"], stated.get("verified", True))


def _by_language(stated: Mapping[str, Any]) -> dict[tuple[str, str], Coding]:
    return {
        (word, language): Coding(stated["system"], row["code"], display, row.get("verified", True))
        for word, row in stated["rows"].items()
        for language, display in (("fi", word), ("sv", row["sv"]))
    }


def _organisation(stated: Mapping[str, Any]) -> Organisation:
    return Organisation(Oid(stated["oid"]), stated["name"])


def _person(stated: Mapping[str, Any], identifier: str) -> Person:
    return Person(
        surname=stated.get("surname", ""),
        given_names=stated.get("given_names", ""),
        call_name=stated.get("call_name", ""),
        identifier=stated.get(identifier, ""),
    )
