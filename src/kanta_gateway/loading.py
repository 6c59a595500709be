"""Every knowledge file read together: all mistakes of all files at once, each with file and line.

* A file that does not hold is left out, and the others are read without it, so that their mistakes are told too.
* What is only lacking because of such a file is no mistake of its own.
* Names across files are checked here: texts of rules, contracts of sources, record types of mappings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kanta_gateway import codefiles, knowledge, official
from kanta_gateway.access.limits import Limits
from kanta_gateway.access.policy import Policy
from kanta_gateway.access.views import Views
from kanta_gateway.audit.incidents import Incidents
from kanta_gateway.audit.questions import Questions
from kanta_gateway.audit.unusual import Oversight
from kanta_gateway.contracts.library import load as load_contracts
from kanta_gateway.contracts.periods import WAYS
from kanta_gateway.contracts.rules import Contract
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.recordshape import check_schemas
from kanta_gateway.intake.sources import Source, load_sources
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.codeserver import Words
from kanta_gateway.mapping.rules import Loaded, load_mappings
from kanta_gateway.mapping.structures import Structures
from kanta_gateway.messages import Messages
from kanta_gateway.notices.types import NoticeTypes
from kanta_gateway.papers.template import Templates
from kanta_gateway.pipeline.computed import COLUMNS
from kanta_gateway.pipeline.parts import Supervision
from kanta_gateway.privacy.scan import Scanner
from kanta_gateway.recordtypes import RecordType
from kanta_gateway.retention import Terms
from kanta_gateway.rights.kinds import Rules as RightsRules
from kanta_gateway.rights.pages import Pages
from kanta_gateway.signing.display import Display
from kanta_gateway.signing.profile import Profile
from kanta_gateway.stated import Lined, Mistakes, listed, nearest, read
from kanta_gateway.transfer.frame import FrameProfile, load_profile
from kanta_gateway.transfer.reports import Reports

T = TypeVar("T")
_PRODUCT_CODES = {"service_task": "service-task", "service": "social-service"}
"""Word of a product -> the code list whose row it names."""
_MALFORMED = (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, IndexError)
"""What reading a file may raise whose values are of other kinds than anyone thought of."""


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that the files say."""

    structures: Structures
    codes: Codes
    display: Display
    profile: Profile
    schemas: RecordSchemas
    types: Mapping[str, RecordType]
    messages: Messages
    contracts: Mapping[str, Contract]
    mappings: Loaded
    notices: NoticeTypes
    scanner: Scanner
    sources: Mapping[str, Source]
    policy: Policy
    papers: Templates
    views: Views
    limits: Limits
    frame: FrameProfile
    rights: RightsRules
    pages: Pages
    supervision: Supervision
    terms: Terms
    reports: Reports


def load(own: Path | None, data: Path, language: str) -> Library:
    """Read every file.

    Args:
        own: folder of the installation's own files, if it has any.
        data: its data folder, with what was imported.
        language: `fi` or `sv`, of the marks in masked texts.

    Raises:
        MisconfiguredError: with every mistake of every file.
    """
    return _Reader(own).library(data, language)


def record_types() -> dict[str, RecordType]:
    """The package's own record types."""
    return _Reader(None).record_types()[0]


class _Reader:
    """Reads one kind of file after the other, and goes on where one does not hold."""

    def __init__(self, own: Path | None) -> None:
        self._own = own
        self.told: list[str] = knowledge.faults(own)
        self._broken: set[str] = set()
        """Names of files that do not hold."""

    def library(self, data: Path, language: str) -> Library:
        """Everything; raises with every mistake."""
        structures = self._each("schemas/structures", Structures.load)
        if structures is not None:
            structures = structures.beside(official.stored(data))
        codes = self._each("mappings/codes", lambda files: Codes.load(files, codefiles.stored(data)))
        types, schemas = self.record_types()
        messages = self._each("mappings/messages", Messages.load)
        contracts = self._each("mappings/contracts", lambda files: load_contracts(files, types))
        lists = self._texts("mappings/notices/lists")
        notices = self._each("mappings/notices", lambda files: NoticeTypes.load(files, lists, types))
        if notices is not None and contracts is not None:
            for name, one in contracts.items():
                self._tell(notices.mistakes(name, one.notices), "mappings")
        mappings = None
        if structures is not None and codes is not None:
            fields = {name: schema.get("properties", {}) for name, schema in schemas.schemas.items()}
            mappings = self._each("mappings/documents", lambda files: load_mappings(files, structures, codes, fields))
        sources = self._each("mappings/sources", lambda files: load_sources(files, schemas))
        display = self._one("schemas/display.yaml", Display.load)
        profile = self._one("schemas/cda.yaml", Profile.load)
        words = self._texts("mappings/privacy")
        scanner = self._one("mappings/privacy.yaml", lambda text: Scanner.load(text, language, words))
        policy = self._one("mappings/policy/roles.yaml", Policy.load)
        papers = self._each("mappings/papers", Templates.load)
        views = self._one("mappings/policy/views.yaml", Views.narrowed(knowledge.text("mappings/policy/views.yaml")))
        limits = self._one("mappings/policy/limits.yaml", Limits.load)
        frame = self._one("schemas/frame.yaml", load_profile)
        rights, pages = self._each("mappings/rights", RightsRules.load), self._each("mappings/rights/pages", Pages.load)
        supervision = self._supervision()
        terms = self._one("mappings/retention.yaml", Terms.load)
        reports = self._one("mappings/disclosures.yaml", Reports.load)
        self._one("mappings/codeserver.yaml", Words.load)
        self._check_names(messages, codes)
        if self.told:
            raise MisconfiguredError(mistakes=sorted(self.told, key=_place))
        return Library(
            structures=_there(structures), codes=_there(codes), display=_there(display), profile=_there(profile),
            schemas=schemas, types=types, messages=_there(messages), contracts=_there(contracts),
            mappings=_there(mappings), notices=_there(notices), scanner=_there(scanner), sources=_there(sources),
            policy=_there(policy), papers=_there(papers), views=_there(views), limits=_there(limits),
            frame=_there(frame), reports=_there(reports), supervision=_there(supervision), rights=_there(rights),
            pages=_there(pages), terms=_there(terms),
        )  # fmt: skip

    def _supervision(self) -> Supervision | None:
        """What auditors ask, what counts as unusual access, and the clocks of incidents."""
        questions = self._each("mappings/audit/questions", lambda files: Questions.load(files, COLUMNS))
        oversight = self._one("mappings/audit/unusual.yaml", Oversight.load)
        incidents = self._one("mappings/audit/incidents.yaml", Incidents.load)
        if questions is None or oversight is None or incidents is None:
            return None
        return Supervision(questions, oversight, incidents)

    def record_types(self) -> tuple[dict[str, RecordType], RecordSchemas]:
        """Every record type that holds, with its schema."""
        files = self._texts("schemas/records", ".json")
        found, mistakes = check_schemas(files, frozenset(WAYS))
        self._broken |= files.keys() - found.keys()
        self._tell(mistakes, "schemas")
        return {name: RecordType.of(name, one) for name, one in found.items()}, RecordSchemas(found)

    def _texts(self, folder: str, suffix: str = ".yaml") -> Mapping[str, str]:
        return knowledge.texts(folder, suffix=suffix, own=self._own)

    def _each(self, folder: str, load: Callable[[Mapping[str, str]], T]) -> T | None:
        """What the files of a folder say; those that do not hold are told and left out."""
        files, (top, _, kind) = dict(self._texts(folder)), folder.partition("/")
        while True:
            try:
                return load(files)
            except MisconfiguredError as error:
                broken = {name for name in files if any(one.startswith(f"{kind}/{name}.") for one in error.mistakes)}
                self._broken |= broken
                self._tell(error.mistakes, top)
            except _MALFORMED as error:
                broken = {name for name, text in files.items() if not self._is_readable({name: text}, load)}
                for name in broken:
                    self._malformed(f"{folder}/{name}.yaml", error)
            self._broken |= broken
            if not broken:
                return None
            files = {name: text for name, text in files.items() if name not in broken}

    @staticmethod
    def _is_readable(files: Mapping[str, str], load: Callable[[Mapping[str, str]], T]) -> bool:
        try:
            load(files)
        except MisconfiguredError:
            return True
        except _MALFORMED:
            return False
        return True

    def _one(self, path: str, load: Callable[[str], T]) -> T | None:
        """What a single file says, or nothing where it does not hold."""
        text = knowledge.text(path, self._own)
        mistakes = Mistakes(path.partition("/")[2])
        try:
            read(text, mistakes)
            self._tell(mistakes.told, path.partition("/")[0])
            return load(text)
        except MisconfiguredError as error:
            self._tell(error.mistakes, path.partition("/")[0])
        except _MALFORMED as error:
            self._malformed(path, error)
        return None

    def _tell(self, mistakes: Iterable[str], top: str) -> None:
        """Take mistakes in, but for those that only follow from a file that does not hold.

        Args:
            mistakes: each begins with its file.
            top: folder that the file's path begins with.
        """
        broken = "|".join(map(re.escape, self._broken))
        follows = re.compile(rf"\bno (code list|record type|shared group|contract|source|file of law) ({broken})\b")
        for one in mistakes:
            told = one if one.startswith(f"{top}/") else f"{top}/{one}"
            if told not in self.told and not (broken and follows.search(one)):
                self.told.append(told)

    def _malformed(self, file: str, error: Exception) -> None:
        self.told.append(f"{file}: does not have the form it should have ({type(error).__name__}); compare it with the "
                         "package's own")  # fmt: skip

    def _check_names(self, messages: Messages | None, codes: Codes | None) -> None:
        """Texts that rules name, sources that contracts name, and contracts that sources name; of every file."""
        contracts, sources = (self._texts(f"mappings/{kind}") for kind in ("contracts", "sources"))
        for name, text in contracts.items():
            mistakes, stated = Mistakes(f"contracts/{name}.yaml"), _readable(text)
            if messages is not None:
                _check_texts(stated.get("rules"), messages, mistakes)
            if codes is not None:
                _check_products(stated.get("products"), codes, mistakes)
            take = stated.get("take")
            if isinstance(take, Lined):
                for one in take:
                    _check_name(one, "source", sources, take.at(one), mistakes)
            self._tell(mistakes.told, "mappings")
        for name, text in sources.items():
            mistakes, stated = Mistakes(f"sources/{name}.yaml"), _readable(text)
            for key in ("contract", "purchasers"):
                told = stated.get(key, [])
                for one in told if isinstance(told, list) else [told]:
                    _check_name(one, "contract", contracts, stated.at(key), mistakes)
            self._tell(mistakes.told, "mappings")


def _place(told: str) -> tuple[str, int]:
    """File and line of a mistake, for their order."""
    file, _, rest = told.partition(":")
    line = rest.partition(":")[0]
    return file, int(line) if line.isdecimal() else 0


def _readable(text: str) -> Lined:
    """What a file states, nothing where it is no YAML: that has been told."""
    try:
        stated = read(text, Mistakes(""))
    except MisconfiguredError:
        return Lined()
    return stated if isinstance(stated, Lined) else Lined()


def _check_name(name: object, what: str, known: Mapping[str, str], line: int, mistakes: Mistakes) -> None:
    if str(name) not in known:
        mistakes.say(line, f"there is no {what} {name}{nearest(name, known)}")


def _check_products(products: object, codes: Codes, mistakes: Mistakes) -> None:
    """What a product is called in the nation's code lists is a row of them."""
    for product in products if isinstance(products, list) else ():
        for key, name in _PRODUCT_CODES.items() if isinstance(product, Lined) else ():
            row, known = product.get(key), codes.code_list(name).rows
            if isinstance(row, str) and row not in known:
                told = f"{key}: code list {name} has no row {row}{nearest(row, known) or f'; it has {listed(known)}'}"
                mistakes.say(product.at(key), told)


def _check_texts(rules: object, messages: Messages, mistakes: Mistakes) -> None:
    """Every text that a rule names is in some file of messages."""
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, Lined):
            continue
        named = [(rule.at(word), rule[word]) for word in ("text", "duty") if word in rule]
        for texts in (rule.get("texts"), rule.get("duty")):
            named += [(texts.at(key), text) for key, text in texts.items()] if isinstance(texts, Lined) else []
        for line, text in named:
            if isinstance(text, str) and text not in messages:
                told = f"rule {rule.get('id')}: there is no text {text}; add it to a file of messages"
                mistakes.say(line, f"{told}{nearest(text, messages.kinds())}")


def _there(one: T | None) -> T:
    assert one is not None  # noqa: S101 — what was not read has been told
    return one
