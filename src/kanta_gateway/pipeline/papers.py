"""Papers for whoever answers for the processing: listed, made and checked, under the policy, each an entry.

* A paper about an organisation or a contract goes to its own parties, and to those who may read the log.
* The entry of a making holds the digest of the configuration and of the file, so that a file can be told from one
  that was written over afterwards.
"""

from __future__ import annotations

import itertools
import re
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.access import register
from kanta_gateway.access.statements import newest
from kanta_gateway.audit import report
from kanta_gateway.errors import NotFoundError, ParameterError
from kanta_gateway.model import Caller, Event
from kanta_gateway.papers import page, wordfile
from kanta_gateway.papers.paper import Stamp, compose, stamp
from kanta_gateway.papers.template import LANGUAGES, Template, Templates
from kanta_gateway.pipeline.configured import Reader
from kanta_gateway.pipeline.guard import LOCAL
from kanta_gateway.pipeline.partybook import HELSINKI
from kanta_gateway.pipeline.subjects import PUBLIC_KINDS, Subject, names_of, subjects, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from kanta_gateway.access.policy import Policy
    from kanta_gateway.papers.paper import Paper
    from kanta_gateway.pipeline.configured import Configuration
    from kanta_gateway.pipeline.office import Office
    from kanta_gateway.pipeline.parts import Parts

FORMS: Mapping[str, Callable[[Paper], bytes]] = {"docx": wordfile.write, "html": page.write}


VALUES = "values"
"""What has changed where no part has: a name, or the version of the software."""


class Papers:
    """Makes and checks papers for a caller.

    Args:
        parts: the built gateway.
        office: permits and writes down.
        policy: roles and their rows.
        templates: what the papers say.
        configuration: gives what only the installation knows of itself, as it is now.
    """

    def __init__(
        self, parts: Parts, office: Office, policy: Policy, templates: Templates,
        configuration: Callable[[], Configuration],
    ) -> None:  # fmt: skip
        self._parts = parts
        self._office = office
        self._policy = policy
        self._templates = templates
        self._configuration = configuration

    def listed(self, caller: Caller, language: str) -> dict[str, Any]:
        """Every paper that the caller may have."""
        decision = self._office.permit(caller, Event.PAPER_READ, provider=None)
        with self._parts.database.transaction() as tx:
            names = names_of(newest(register.stated(tx, PUBLIC_KINDS)))
            every = [
                {"paper": name, "of": one.id, "name": one.name, "basis": template.basis,
                 "title": template.title[language].format_map(
                     values_of(one, names, self._parts.software, self._today())
                 )}
                for name, template in sorted(self._templates.papers.items())
                for one in subjects(tx)
                if one.scope == template.of and self._is_for(caller, one)
            ]  # fmt: skip
            self._office.note(tx, [self._office.event(
                caller, Event.PAPER_READ, subject="list", provider="", details={"count": len(every)},
                decision=decision,
            )])  # fmt: skip
        return {"papers": every}

    def make(self, caller: Caller, name: str, of: str, language: str, form: str) -> bytes:
        """One paper as a file.

        Args:
            caller: who asks.
            name: of the paper.
            of: OID or contract number that it is about; empty for the installation.
            language: fi, sv or en.
            form: `html` or `docx`.

        Raises:
            NotFoundError: there is no such paper that the caller may have.
            ParameterError: there is no such language or form.
        """
        if language not in LANGUAGES or form not in FORMS:
            raise ParameterError(f"a paper is made in {', '.join(LANGUAGES)} as {' or '.join(FORMS)}")
        decision = self._office.permit(caller, Event.PAPER_MAKE, provider=None)
        template, subject = self._wanted(caller, Event.PAPER_MAKE, name, of)
        with self._parts.database.reading() as tx:
            facts = self._reader().facts(tx, subject, self._today())
        paper = compose(template, facts, self._templates.words, of, language)
        content = FORMS[form](paper)
        with self._parts.database.transaction() as tx:  # committed before the paper is given
            self._office.note(tx, [self._office.event(
                caller, Event.PAPER_MAKE, subject=name, provider="", decision=decision,
                details={"of": of, "language": language, "form": form, "configuration": paper.stamp.digest,
                         "sha256": sha256(content).hexdigest()},
            )])  # fmt: skip
        return content

    def write(
        self, caller: Caller, folder: Path, *, paper: str, of: str, languages: Sequence[str], forms: Sequence[str]
    ) -> dict[str, Any]:  # fmt: skip
        """Write papers as FOLDER/<paper>-<of>.<language>.<form>; the names of the files.

        Args:
            caller: who asks.
            folder: where; made if it is not there.
            paper: only this one; empty for all.
            of: only about this organisation or contract; empty for all.
            languages: of the papers.
            forms: `html`, `docx`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        names: list[str] = []
        for one in self.listed(caller, LANGUAGES[0])["papers"]:
            if paper not in {"", one["paper"]} or of not in {"", one["of"]}:
                continue
            about = re.sub(r"[^\w.-]+", "_", one["of"])
            for language, form in itertools.product(languages, forms):
                content = self.make(caller, one["paper"], one["of"], language, form)
                names.append(f"{one['paper']}{'-' if about else ''}{about}.{language}.{form}")
                (folder / names[-1]).write_bytes(content)
        return {"written": len(names), "files": names}

    def check(self, caller: Caller, content: bytes) -> dict[str, Any]:
        """Whether a paper is up to date, and whether the file is as it was made.

        Args:
            caller: who asks.
            content: of the file.

        Raises:
            ParameterError: the file is no paper of the gateway.
            NotFoundError: what it is about is not registered any more, or not the caller's.
        """
        decision = self._office.permit(caller, Event.PAPER_READ, provider=None)
        said = page.read(content) or wordfile.read(content)
        if said is None:
            raise ParameterError("the file holds no stamp of a paper; give the HTML or DOCX file as it was made")
        template, subject = self._wanted(caller, Event.PAPER_READ, said.paper, said.of)
        with self._parts.database.transaction() as tx:
            facts = self._reader().facts(tx, subject, self._today())
            now = stamp(template, facts, said.of, said.language)
            is_made = self._is_made(tx, sha256(content).hexdigest())
            self._office.note(tx, [self._office.event(
                caller, Event.PAPER_READ, subject=said.paper, provider="", decision=decision,
                details={"of": said.of, "configuration": said.digest, "up_to_date": now.digest == said.digest},
            )])  # fmt: skip
        return {
            "paper": said.paper, "of": said.of, "up_to_date": now.digest == said.digest,
            "changed": _changed(said, now), "file_is_as_made": is_made,
        }  # fmt: skip

    def _reader(self) -> Reader:
        return Reader(self._parts, self._policy, self._configuration(), lambda: self._is_maximum)

    @cached_property
    def _is_maximum(self) -> bool:
        """Whether the policies are the decree's maximum: asked once, since they stay as they were loaded."""
        return not self._parts.decider.differences()

    def _today(self) -> str:
        return self._parts.now().astimezone(HELSINKI).date().isoformat()

    def _wanted(self, caller: Caller, event: Event, name: str, of: str) -> tuple[Template, Subject]:
        """The paper and what it is about; another's is refused as if it were not there, and the denial written down."""
        template = self._templates.papers.get(name)
        with self._parts.database.reading() as tx:
            found = [one for one in subjects(tx) if template is not None and (one.scope, one.id) == (template.of, of)]
        if found and not self._is_for(caller, found[0]):
            self._office.deny(caller, event, "", ("the paper is about others",))
            found = []
        if template is None or not found:
            raise NotFoundError("there is no such paper; `kanta-gateway papers list` tells which there are")
        return template, found[0]

    def _is_for(self, caller: Caller, subject: Subject) -> bool:
        """Whether the caller oversees the installation or belongs to a party of what the paper is about."""
        if caller.system == LOCAL or self._policy.decide(caller, Event.AUDIT_READ, provider=None).allowed:
            return True
        return bool(subject.id) and caller.organisation in subject.parties

    def _is_made(self, tx: Connection, digest: str) -> bool:
        """Whether an entry of the log tells that this very file was made."""
        wanted = report.Filter(events=frozenset({Event.PAPER_MAKE}))
        return any(
            orjson.loads(body)["details"]["sha256"] == digest
            for _, body in report.every(tx, self._parts.log.seals, wanted)
        )


def _changed(said: Stamp, now: Stamp) -> Sequence[str]:
    """Parts that are not as they were when the paper was made."""
    known = {*said.parts, *now.parts}
    changed = sorted(name for name in known if said.parts.get(name) != now.parts.get(name))
    return changed or ([] if said.digest == now.digest else [VALUES])
