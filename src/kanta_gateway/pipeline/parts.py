"""What the pipeline works with: built once by `app`, given to every step."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from kanta_gateway.model import ClientRef, Oid, Record
from kanta_gateway.pipeline.witnessing import Witnesses
from kanta_gateway.privacy.envelope import DataKey, Vault, derive, open_sealed, seal
from kanta_gateway.recordtypes import RecordType, RecordTypes
from kanta_gateway.retention import Terms

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kanta_gateway.access.decider import Decider
    from kanta_gateway.access.disclosures import Disclosures
    from kanta_gateway.access.limits import Limits
    from kanta_gateway.access.views import Views
    from kanta_gateway.audit.checkpoint import CheckpointSigner
    from kanta_gateway.audit.incidents import Incidents
    from kanta_gateway.audit.log import Log
    from kanta_gateway.audit.questions import Questions
    from kanta_gateway.audit.unusual import Oversight
    from kanta_gateway.contracts.rules import Contract
    from kanta_gateway.database import Database
    from kanta_gateway.keystore import KeyStore
    from kanta_gateway.mapping.codes import Codes
    from kanta_gateway.mapping.conformance import Conformance
    from kanta_gateway.mapping.engine import Mapper
    from kanta_gateway.mapping.structures import Structures
    from kanta_gateway.messages import Messages
    from kanta_gateway.notices.types import NoticeTypes
    from kanta_gateway.privacy.fingerprint import Fingerprints
    from kanta_gateway.privacy.scan import Scanner
    from kanta_gateway.rights.kinds import Rules
    from kanta_gateway.rights.pages import Pages
    from kanta_gateway.signing.profile import Profile
    from kanta_gateway.signing.seal import Sealer
    from kanta_gateway.spool.oids import OidSource
    from kanta_gateway.transfer.reports import Reports


class Keyring:
    """Every key that is derived from the installation's master key (HKDF, one purpose each)."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    @cached_property
    def facts(self) -> bytes:
        """Seals what rules and figures need."""
        return derive(self._master, "facts")

    @cached_property
    def names(self) -> bytes:
        """Seals the names beside the audit log."""
        return derive(self._master, "names")

    @cached_property
    def parties(self) -> bytes:
        """Seals what the register of parties tells about persons."""
        return derive(self._master, "parties")

    @cached_property
    def cases(self) -> bytes:
        """Seals what cases of supervision tell about persons."""
        return derive(self._master, "cases")

    @cached_property
    def handed(self) -> bytes:
        """Seals logs that other installations handed over."""
        return derive(self._master, "handed")

    @cached_property
    def accesses(self) -> bytes:
        """Seals who broke the glass, why, and what a review said of it."""
        return derive(self._master, "accesses")

    @cached_property
    def changes(self) -> bytes:
        """Seals proposed changes of content, and keys the codes of what is approved."""
        return derive(self._master, "changes")

    @cached_property
    def journal(self) -> bytes:
        """Keys the codes of the journal's copy."""
        return derive(self._master, "journal")

    @cached_property
    def fingerprints(self) -> bytes:
        """Keys the fingerprints of contact data."""
        return derive(self._master, "fingerprints")

    @cached_property
    def oids(self) -> bytes:
        """Keys the permutation of document numbers."""
        return derive(self._master, "oids")

    @cached_property
    def actors(self) -> bytes:
        """Keys the references to persons in the audit log."""
        return derive(self._master, "actors")

    @cached_property
    def _references(self) -> bytes:
        return derive(self._master, "references")

    @cached_property
    def _digests(self) -> bytes:
        return derive(self._master, "digests")

    def client(self, provider: str, number: str) -> ClientRef:
        """The keyed reference of one client of one provider."""
        return ClientRef(self._keyed(self._references, f"{provider}\0{number}".encode()))

    def protected(self, provider: str) -> str:
        """Where the fingerprints of all clients of one provider who are under turvakielto are kept together."""
        return self._keyed(self._references, f"{provider}\0protected\0".encode())

    def subject(self, kind: RecordType, record: Record, provider: str) -> str | None:
        """The keyed reference of what a record is about and is judged together with; None if it stands alone.

        Args:
            kind: the record's type.
            record: the record.
            provider: OID of its provider.
        """
        if kind.about == "client":
            return self.client(provider, record.id if kind.is_subject else record.client or "")
        if kind.about == "organisation":
            return None
        return self._keyed(self._references, f"{provider}\0{kind.about}\0".encode())

    def person(self, controller: str, code: str) -> str:
        """The keyed mark of an identity code in one controller's register."""
        return self._keyed(self._references, f"{controller}\0person\0{code}".encode())

    def digest(self, content: bytes) -> str:
        """A keyed digest: sameness without content."""
        return self._keyed(self._digests, content)

    def seal_facts(self, value: Any) -> bytes:
        """Facts at rest."""
        return seal(self.facts, orjson.dumps(value), b"facts")

    def open_facts(self, sealed: bytes | None) -> Any:
        """Facts as they were sealed; none once they are forgotten."""
        if sealed is None:
            return {"facts": {}, "reading": []}
        return orjson.loads(open_sealed(self.facts, sealed, b"facts"))

    @staticmethod
    def _keyed(key: bytes, content: bytes) -> str:
        return hmac.new(key, content, sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Supervision:
    """The knowledge files of supervision."""

    questions: Questions
    oversight: Oversight
    incidents: Incidents


@dataclass(frozen=True)
class Parts:
    """The built gateway, without its shells (command line, HTTP)."""

    database: Database
    keyring: Keyring
    vault: Vault
    keys: KeyStore
    log: Log
    messages: Messages
    contracts: Mapping[str, Contract]
    structures: Structures
    codes: Codes
    mapper: Mapper
    notices: NoticeTypes
    rights: Rules
    pages: Pages
    terms: Terms
    conformances: Callable[[Oid], Conformance]
    scanner: Scanner
    fingerprints: Fingerprints
    profile: Profile
    sealer: Sealer
    oids: OidSource
    checkpoints: CheckpointSigner
    checkpoint_signer: Callable[[], CheckpointSigner]
    """The key as it is now: it may have been replaced since this process began."""
    last_checkpoint: Callable[[], str]
    """The newest checkpoint that was signed, from beside the keys; empty for none."""
    keep_checkpoint: Callable[[str], None]
    witnesses: Witnesses
    decider: Decider
    views: Views
    disclosures: Disclosures
    reports: Reports
    """Which disclosures the national log register is told of, and as what."""
    limits: Limits
    types: RecordTypes
    supervision: Supervision
    """What auditors ask, what counts as unusual, and the clocks of incidents."""
    holidays: Callable[[int, int], Collection[date]]
    """Finnish public holidays of the years from first to last."""
    executor: Executor
    """Signs on all cores: the libraries release the interpreter lock."""
    is_production: bool
    language: str
    software: Mapping[str, str]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self.clock()


class Scope:
    """Where the steps get their transactions: each its own, or (dry run) one that is rolled back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_dry = False
        self.keys: list[DataKey] = []
        """Keys of what a dry run takes back."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end; judging one client is never overtaken by another writer."""
        with self._database.alone() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that changes nothing."""
        with self._database.reading() as tx:
            yield tx


class Within(Scope):
    """Every step works in one transaction of the caller's: it commits with that, and only with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.is_dry = False
        self.keys = []

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one transaction."""
        yield self._connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """The one transaction."""
        yield self._connection


class DryScope(Within):
    """Every step works in one transaction that is never committed; nothing is sealed or sent."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.is_dry = True


class _DryRunEndsError(Exception):
    """Leaves the dry run's transaction without a commit."""


@contextmanager
def dry_run(database: Database, vault: Vault) -> Iterator[Scope]:
    """A scope whose changes are all taken back."""
    scope: Scope | None = None
    try:
        with database.transaction() as tx:
            yield (scope := DryScope(tx))
            raise _DryRunEndsError  # noqa: TRY301 — the exception is how the transaction is told to roll back
    except _DryRunEndsError:
        return
    finally:
        vault.give_back(scope.keys if scope is not None else ())


def ticket() -> str:
    """A new ticket: random, tells nothing."""
    return str(uuid.uuid4())


def document_node(provider: str) -> Oid:
    """The node under which a provider's document OIDs are made: its organisation root (JHS 159).

    Args:
        provider: the organisation's OID, `<root>.10.<n>`.
    """
    root, separator, _ = provider.rpartition(".10.")
    return Oid(root if separator else provider)
