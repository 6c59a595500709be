"""What an installation may tell of itself in papers: settings as plain words, keys by what they are for, no path.

A setting that is an address, a path or a key is told as a word only, such as `https` or `apart`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kanta_gateway import certifying, keyfiles, knowledge
from kanta_gateway.audit import verifier
from kanta_gateway.masterkeys import FILE, TOKEN
from kanta_gateway.papers.paper import Coded, Row
from kanta_gateway.pipeline.configured import Configuration
from kanta_gateway.safe import ROOT_CERTIFICATE, SIGNING_CERTIFICATE

if TYPE_CHECKING:
    from kanta_gateway.intake.records import RecordSchemas
    from kanta_gateway.intake.sources import Source
    from kanta_gateway.pipeline.parts import Parts
    from kanta_gateway.safe import KeyFolder
    from kanta_gateway.settings import Settings

NUMBERS = ("grace_days", "max_delivery_bytes", "max_queue_depth", "max_record_bytes", "witness_quorum")
"""Settings that are numbers and told as they are."""
CONTENT_KEY, SIGNING_USE = "content", "signing"
"""What a key is for."""
CONTENT = "AES-256-GCM, HKDF-SHA-256"
CHECKPOINTS = "Ed25519"


def configuration(
    settings: Settings, folder: KeyFolder, parts: Parts, sources: Mapping[str, Source], schemas: RecordSchemas
) -> Configuration:
    """The installation as it is now.

    Args:
        settings: its settings.
        folder: its key folder.
        parts: the built gateway.
        sources: formats that it takes.
        schemas: of the canonical records.
    """
    archive = urlsplit(settings.archive_url).scheme
    is_mutual = archive == "https" and bool(settings.archive_client_certificate_file)
    keys = _keys(settings, folder, parts)
    in_token = {row["key"].code for row in keys if row["place"] == Coded("place", TOKEN)}
    told: dict[str, Any] = {
        "environment": Coded("setting_value", settings.environment),
        "database": "SQLite" if parts.database.is_sqlite else "PostgreSQL",
        "archive": f"{archive}, mTLS" if is_mutual else archive or Coded("setting_value", "none"),
        "signing": parts.sealer.algorithm,
        "version": parts.software["version"], "own_files": knowledge.owned(settings.own),
        **{name: getattr(settings, name) for name in NUMBERS},
    }  # fmt: skip
    data, place = settings.data.resolve(), settings.key_folder.resolve()
    return Configuration(
        settings=told,
        keys=keys,
        states={
            "production": settings.is_production, "archive-mutual-tls": is_mutual,
            "keys-apart": data not in {place, *place.parents},
            "master-in-token": CONTENT_KEY in in_token, "signing-in-token": SIGNING_USE in in_token,
        },
        sources={name: sorted(_record_types(one)) for name, one in sources.items()},
        fields={name: tuple(one.get("properties", {})) for name, one in schemas.schemas.items()},
    )  # fmt: skip


def public_keys(folder: KeyFolder, parts: Parts) -> dict[str, bytes]:
    """What whoever takes a log over needs to verify it and the documents: no private key, and the verifier itself."""
    found = {"log.vkey": keyfiles.checkpoint_keys(folder).encode(), "verify.py": Path(verifier.__file__).read_bytes()}
    if parts.witnesses.known:
        found["witnesses.vkey"] = "".join(f"{one.key}\n" for one in parts.witnesses.known).encode()
    return found | {name: folder.read(name) for name in (SIGNING_CERTIFICATE, ROOT_CERTIFICATE) if folder.has(name)}


def _record_types(source: Source) -> set[str]:
    return {name for kind in source.kinds.values() for name in (kind.type, *kind.types.values()) if name}


def _keys(settings: Settings, folder: KeyFolder, parts: Parts) -> list[Row]:
    """Keys by what they are for and where they are; a private key is told by its use only."""
    masters = keyfiles.master_keys(folder, settings, parts.keys)
    signing = parts.sealer.algorithm
    places = {CONTENT_KEY: masters.place_in_use(), SIGNING_USE: TOKEN if settings.signing_key_label else FILE,
              "checkpoint": FILE}  # fmt: skip
    algorithms = {CONTENT_KEY: CONTENT, SIGNING_USE: signing, "checkpoint": CHECKPOINTS}
    rows: list[Row] = [
        {"key": Coded("key", use), "algorithm": algorithms[use], "place": Coded("place", place), "valid_to": ""}
        for use, place in places.items()
    ]
    for one in keyfiles.listed(folder, settings, parts.keys):
        if (name := one.get("file")) in certifying.CERTIFICATES:
            algorithm = signing if name == SIGNING_CERTIFICATE else ""
            rows.append({"key": Coded("key", name), "algorithm": algorithm, "place": Coded("place", FILE),
                         "valid_to": one["valid_until"]})  # fmt: skip
    return rows
