"""The composition root: reads files, picks adapters, wires the pipeline, and gives it to the shells."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache, partial
from pathlib import Path

import holidays as holidays_package

from kanta_gateway import __version__, codefiles, knowledge, official
from kanta_gateway.access.policy import Policy
from kanta_gateway.audit.cosign import Known, read_witnesses
from kanta_gateway.audit.log import Log
from kanta_gateway.contracts.library import load as load_contracts
from kanta_gateway.contracts.periods import WAYS
from kanta_gateway.database import Database
from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.gateway import Gateway
from kanta_gateway.intake.records import RecordSchemas
from kanta_gateway.intake.sources import load_sources
from kanta_gateway.keyfiles import checkpoint_signer, keep_checkpoint, last_checkpoint, signer, trust_anchors
from kanta_gateway.mapping.codes import Codes
from kanta_gateway.mapping.conformance import Conformance
from kanta_gateway.mapping.engine import Mapper
from kanta_gateway.mapping.rules import load_mappings
from kanta_gateway.mapping.structures import Structures
from kanta_gateway.messages import Messages
from kanta_gateway.migrate import upgrade
from kanta_gateway.pipeline.parts import Keyring, Parts
from kanta_gateway.pipeline.witnessing import Witnesses
from kanta_gateway.privacy.envelope import Vault, open_sealed, seal
from kanta_gateway.privacy.fingerprint import Fingerprints
from kanta_gateway.privacy.scan import Scanner
from kanta_gateway.recordtypes import RecordType
from kanta_gateway.safe import KeyFolder
from kanta_gateway.settings import Settings
from kanta_gateway.signing.display import Display
from kanta_gateway.signing.profile import Profile
from kanta_gateway.signing.seal import Sealer
from kanta_gateway.spool.oids import OidSource
from kanta_gateway.transfer import witness
from kanta_gateway.transfer.frame import load_profile

MODERATOR = "kanta-gateway"


def build(settings: Settings) -> Gateway:
    """Build one installation.

    Raises:
        MisconfiguredError: a file or setting is wrong; all mistakes of a kind at once.
    """
    language = "sv" if settings.lang == "sv" else "fi"
    folder = KeyFolder(settings.key_folder, may_make=not settings.is_production)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.url)
    upgrade(database)
    master = folder.master()
    keyring = Keyring(master)
    structures = _structures(settings)
    codes = Codes.load(knowledge.texts("mappings/codes"), codefiles.stored(settings.data))
    display = Display.load(knowledge.text("schemas/display.yaml"))
    profile = Profile.load(knowledge.text("schemas/cda.yaml"))
    stated = knowledge.texts("schemas/records", suffix=".json")
    schemas, types = RecordSchemas.load(stated), _types(stated)
    parts = Parts(
        database=database,
        keyring=keyring,
        vault=Vault(master),
        log=Log(
            keyring.actors,
            seal=lambda name: seal(keyring.names, name, b"name"),
            open_=lambda sealed: open_sealed(keyring.names, sealed, b"name"),
        ),
        messages=Messages.load(knowledge.texts("mappings/messages")),
        contracts=load_contracts(knowledge.texts("mappings/contracts"), types),
        structures=structures,
        codes=codes,
        mapper=Mapper(load_mappings(knowledge.texts("mappings/documents"), structures, codes), structures, codes),
        conformances=cache(lambda oid: Conformance(structures.get(oid))),
        scanner=Scanner.load(knowledge.text("mappings/privacy.yaml"), language),
        fingerprints=Fingerprints(keyring.fingerprints),
        profile=profile,
        sealer=Sealer(profile, display, signer(folder, settings)),
        oids=OidSource(keyring.oids),
        checkpoints=checkpoint_signer(folder),
        checkpoint_signer=partial(checkpoint_signer, folder),
        last_checkpoint=partial(last_checkpoint, folder),
        keep_checkpoint=partial(keep_checkpoint, folder),
        witnesses=_witnesses(settings),
        types=types,
        holidays=finnish_holidays,
        executor=ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="sign"),
        is_production=settings.is_production,
        language=language,
        software={"moderator": MODERATOR, "product": MODERATOR, "version": __version__},
    )
    sources = load_sources(knowledge.texts("mappings/sources"), schemas)
    policy = Policy.load(knowledge.text("mappings/policy/roles.yaml"))
    frame = load_profile(knowledge.text("schemas/frame.yaml"))
    return Gateway(settings, parts, folder, policy, schemas, sources, trust_anchors(folder), frame)


def _witnesses(settings: Settings) -> Witnesses:
    """Who is asked to cosign checkpoints.

    Raises:
        MisconfiguredError: the file cannot be read, production would ask over plain HTTP, or too few can cosign.
    """
    known: tuple[Known, ...] = ()
    if settings.witnesses_file:
        try:
            known = read_witnesses(Path(settings.witnesses_file).read_text("utf-8"))
        except OSError as error:
            raise MisconfiguredError(f"file of witnesses: cannot be read ({type(error).__name__})") from error
    if settings.is_production and any(not one.url.startswith("https://") for one in known):
        raise MisconfiguredError("file of witnesses: production asks over HTTPS only")
    if settings.witness_quorum > len(known):
        raise MisconfiguredError(f"a quorum of {settings.witness_quorum} witnesses was asked for, found {len(known)}")
    return Witnesses(known, settings.witness_quorum, witness.post)


def _structures(settings: Settings) -> Structures:
    """Our own statements of the THL structures, and official ones that were imported beside them."""
    own = Structures.load(knowledge.texts("schemas/structures"))
    return own.beside(official.stored(settings.data))


def _types(files: Mapping[str, str]) -> dict[str, RecordType]:
    """What the annotations of the record schemas say.

    Raises:
        MisconfiguredError: there is no schema, or one names a way to its period that there is not.
    """
    found = {name: RecordType.of(name, json.loads(text)) for name, text in files.items()}
    mistakes = [f"{name}: x-period is none of {', '.join(sorted(WAYS))}" for name, one in found.items()
                if one.way not in WAYS]  # fmt: skip
    if mistakes or not found:
        raise MisconfiguredError("schemas/records: " + ("; ".join(mistakes) or "holds no record schema"))
    return found


@cache
def finnish_holidays(first: int, last: int) -> Collection[date]:
    """Public holidays of Finland, Midsummer Eve and Christmas Eve included.

    Args:
        first: year.
        last: year, included.
    """
    return frozenset(holidays_package.country_holidays("FI", years=range(first, last + 1)))
