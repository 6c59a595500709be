"""The composition root: reads files, picks adapters, wires the pipeline, and gives it to the shells."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import holidays as holidays_package
import yaml

from kanta_gateway import __version__, content, knowledge, loading
from kanta_gateway.access.decider import Decider
from kanta_gateway.access.disclosures import Disclosures
from kanta_gateway.access.purposes import Purposes
from kanta_gateway.access.table import Duties, Table
from kanta_gateway.audit.cosign import Known, read_witnesses
from kanta_gateway.audit.entry import Registers
from kanta_gateway.audit.log import Log
from kanta_gateway.database import Database
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.gateway import Gateway
from kanta_gateway.journal import Copy
from kanta_gateway.keyfiles import (
    checkpoint_signer,
    keep_checkpoint,
    key_store,
    last_checkpoint,
    master_keys,
    signer,
    trust_anchors,
)
from kanta_gateway.keystore import KeyStore
from kanta_gateway.mapping.conformance import Conformance
from kanta_gateway.mapping.engine import Mapper
from kanta_gateway.migrate import is_in_use, upgrade
from kanta_gateway.notices.channels import Channels
from kanta_gateway.outward import Outward
from kanta_gateway.pipeline.approved import approved_content, differing
from kanta_gateway.pipeline.outlet import ReportOutlet
from kanta_gateway.pipeline.parts import Keyring, Parts
from kanta_gateway.pipeline.samepeople import complete
from kanta_gateway.pipeline.witnessing import Witnesses
from kanta_gateway.privacy.daykeys import DayKeys
from kanta_gateway.privacy.envelope import KEY_BYTES, Vault, open_sealed, seal
from kanta_gateway.privacy.fingerprint import Fingerprints
from kanta_gateway.safe import KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.signing.seal import Sealer
from kanta_gateway.spool.oids import OidSource
from kanta_gateway.transfer import witness

MODERATOR = "kanta-gateway"


def build(settings: Settings, *, only_approved: bool = False, may_make_keys: bool = False) -> Gateway:
    """Build one installation.

    Args:
        settings: what it is made of.
        only_approved: use the approved content whatever lies in place, and no ways out; for those who decide changes.
        may_make_keys: make keys that are missing in production too; for whoever asked for that.

    Raises:
        MisconfiguredError: production, and content is in place that nobody approved.
        MisconfiguredError: a file or setting is wrong; all mistakes of a kind at once.
    """
    language = "sv" if settings.lang == "sv" else "fi"
    folder = KeyFolder(settings.key_folder, may_make=may_make_keys or not settings.is_production)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.url)
    keys = key_store(folder, settings)
    masters = master_keys(folder, settings, keys)
    vault = Vault(masters.in_use(), keys, masters.in_use)
    days = DayKeys(vault, keys)
    root = _root(database, vault, keys, folder)
    upgrade(database, days.seal, keys.take_over)
    keyring = Keyring(root)
    here = _here(settings, database, keyring, language, only_approved=only_approved)
    settings, known = here.settings, here.known
    parts = Parts(
        database=database,
        keyring=keyring,
        vault=vault,
        keys=keys,
        log=Log(
            keyring.actors,
            seal=lambda name: seal(keyring.names, name, b"name"),
            open_=lambda sealed: open_sealed(keyring.names, sealed, b"name"),
            seals=days,
            registers=Registers(known.reports.client_register, known.reports.joint_controller),
            outlet=ReportOutlet(known.reports, vault),
        ),
        messages=known.messages,
        contracts=known.contracts,
        structures=known.structures,
        codes=known.codes,
        mapper=Mapper(known.mappings, known.structures, known.codes),
        conformances=cache(lambda oid: Conformance(known.structures.get(oid))),
        scanner=known.scanner,
        notices=known.notices,
        rights=known.rights,
        pages=known.pages,
        terms=known.terms,
        fingerprints=Fingerprints(keyring.fingerprints),
        profile=known.profile,
        sealer=Sealer(known.profile, known.display, signer(folder, settings)),
        oids=OidSource(keyring.oids),
        checkpoints=checkpoint_signer(folder),
        checkpoint_signer=partial(checkpoint_signer, folder),
        last_checkpoint=partial(last_checkpoint, folder),
        keep_checkpoint=partial(keep_checkpoint, folder),
        witnesses=_witnesses(settings, checkpoint_signer(folder).key.public),
        views=known.views,
        decider=here.decider,
        disclosures=_disclosures(settings, here.decider),
        limits=known.limits,
        reports=known.reports,
        types=known.types,
        supervision=known.supervision,
        holidays=finnish_holidays,
        executor=ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sign"),
        is_production=settings.is_production,
        language=language,
        software={"moderator": MODERATOR, "product": MODERATOR, "version": __version__},
    )
    gateway = Gateway(
        settings, parts, folder, known.policy, known.schemas, known.sources, trust_anchors(folder), known.frame,
        _channels(settings), known.papers,
    )  # fmt: skip
    keys.copy_to(Copy(settings.journal_path, keyring.journal))
    gateway.retention.oblivion.start()
    complete(parts, is_start=True)
    gateway.checkup.unapproved = [unapproved_told(*one) for one in here.unapproved.items()]
    if not only_approved:
        gateway.changes.note_use(__version__, here.digests, here.unapproved)
    return gateway


def _root(database: Database, vault: Vault, keys: KeyStore, folder: KeyFolder) -> bytes:
    """The secret that the installation's own keys are derived from; it outlives the master keys that wrap it.

    Args:
        database: before its migration.
        vault: wraps it.
        keys: keep it.
        folder: has the master key of an installation from before there was a key store, when it was the root itself.
    """
    is_older = not keys.by() and is_in_use(database)
    fresh = folder.master() if is_older else secrets.token_bytes(KEY_BYTES)
    return vault.unwrap(keys.root(*vault.wrapped(fresh)))


@dataclass(frozen=True)
class _Here:
    """The content that a gateway works with."""

    settings: Settings
    known: loading.Library
    decider: Decider
    digests: Mapping[str, str]
    """Of the installation's own content in place."""
    unapproved: Mapping[str, str]
    """Paths that nobody approved, and how they differ."""


def _here(settings: Settings, database: Database, keyring: Keyring, language: str, *, only_approved: bool) -> _Here:
    """What is in place, or only what was approved.

    Raises:
        MisconfiguredError: production, and content is in place that nobody approved.
    """
    if only_approved:
        with database.reading() as tx, TemporaryDirectory() as place:
            own = content.laid_out(approved_content(tx, keyring), Path(place), settings)
            known = loading.load(own.own, settings.data, language)
            return _Here(own, known, own_decider(Path(place) / content.POLICY, own), {}, {})
    digests = content.digests(content.pieces(settings))
    with database.reading() as tx:
        unapproved = differing(tx, keyring, digests)
    if unapproved and settings.is_production:
        raise MisconfiguredError(mistakes=[unapproved_told(*one) for one in unapproved.items()])
    known = loading.load(settings.own, settings.data, language)
    return _Here(settings, known, own_decider(content.policy_folder(settings), settings), digests, unapproved)


def unapproved_told(path: str, how: str) -> str:
    """What is wrong with content that nobody approved, and what to do."""
    told = {"added": "is in place and nobody approved it", "changed": "is not as it was approved",
            "missing": "was approved and is not in place"}[how]  # fmt: skip
    return (f"{path}: {told}. Propose it with `kanta-gateway changes propose --reason …` and have another person "
            "approve it, or put back what was approved (`kanta-gateway changes write FOLDER`)")  # fmt: skip


def _witnesses(settings: Settings, own: bytes) -> Witnesses:
    """Who is asked to cosign checkpoints.

    Args:
        settings: they name the file of witnesses.
        own: the log's own public key, which witnesses nothing.

    Raises:
        MisconfiguredError: the file cannot be read, names the log's own key, production would ask over plain HTTP, or
            too few can cosign.
    """
    known: tuple[Known, ...] = ()
    if settings.witnesses_file:
        try:
            known = read_witnesses(Path(settings.witnesses_file).read_text("utf-8"))
        except OSError as error:
            raise MisconfiguredError(f"file of witnesses: cannot be read ({type(error).__name__})") from error
    if any(one.key.public == own for one in known):
        raise MisconfiguredError("file of witnesses: the log's own key is no witness; name somebody else's")
    if settings.is_production and any(not one.url.startswith("https://") for one in known):
        raise MisconfiguredError("file of witnesses: production asks over HTTPS only")
    if settings.witness_quorum > len(known):
        raise MisconfiguredError(f"a quorum of {settings.witness_quorum} witnesses was asked for, found {len(known)}")
    outward = Outward.load(settings.inside_networks, is_production=settings.is_production)
    return Witnesses(known, settings.witness_quorum, partial(witness.post, outward))


def _channels(settings: Settings) -> Channels:
    """How recipients of notices are reached."""
    if not settings.notice_channels_file:
        return Channels()
    path = Path(settings.notice_channels_file)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MisconfiguredError("KANTA_NOTICE_CHANNELS_FILE cannot be read; check the path") from error
    Outward.load(settings.inside_networks, is_production=settings.is_production)  # a mistake stops the start
    return Channels.load(text, lambda name: (path.parent / name).read_bytes(), is_production=settings.is_production)


def _disclosures(settings: Settings, decider: Decider) -> Disclosures:
    """What is told and asked when data goes from one register to another."""
    return Disclosures.load(knowledge.text("mappings/policy/disclosures.yaml", settings.own), decider.table.by_id)


def own_decider(folder: Path, settings: Settings) -> Decider:
    """The shipped policies, with the forbids and the rows that an installation adds and turns on.

    Args:
        folder: of its forbids and rows.
        settings: where its purposes are, and whether this is production.
    """
    stated = yaml.safe_load((folder / "rows.yaml").read_text("utf-8")) if (folder / "rows.yaml").is_file() else {}
    table = Table.load(knowledge.text("mappings/policy/rows.yaml"), (stated or {}).get("enabled") or ())
    shipped = [knowledge.text(f"mappings/policy/{name}.cedar") for name in ("rows", "maximum")]
    own = {one.name: one.read_text("utf-8") for one in sorted(folder.glob("*.cedar"))}
    duties = Duties.load(knowledge.text("mappings/policy/duties.yaml"))
    purposes = Purposes.load(
        knowledge.text("mappings/policy/purposes.yaml", settings.own), table.by_id, is_production=settings.is_production
    )
    return Decider.load(table, duties, purposes, shipped, knowledge.text("mappings/policy/schema.cedarschema"), own)


@cache
def finnish_holidays(first: int, last: int) -> Collection[date]:
    """Public holidays of Finland, Midsummer Eve and Christmas Eve included.

    Args:
        first: year.
        last: year, included.
    """
    return frozenset(holidays_package.country_holidays("FI", years=range(first, last + 1)))
