"""The settings of one installation: one frozen value, the only reader of the environment.

* Every name begins with `KANTA_`; an unknown one is refused, so that a misspelt setting is not lost.
* Secrets come as file paths only.
* `KANTA_ENVIRONMENT=production` refuses every development adapter and every unverified code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from kanta_gateway.errors import MisconfiguredError
from kanta_gateway.messages import LANGUAGES

_PREFIX = "KANTA_"
KEY_STORE = "keys.db"
"""File of wrapped keys in the key folder, unless a setting puts them into another database."""
_ENVIRONMENTS = ("development", "production")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an installation decides."""

    data: Path = Path("data")
    """Data folder: database, keys, nothing is written elsewhere."""
    environment: str = "development"
    database_url: str = ""
    """Empty: SQLite in the data folder."""
    archive_url: str = ""
    """Base URL of the archive, or of `simulate-archive`."""
    log_register_url: str = ""
    """Address of the national log register for disclosure notices; empty: `/fhir` of the archive."""
    archive_timeout_seconds: float = 30.0
    lease_seconds: float = 60.0
    """How long a worker may hold a document; what a dead worker held is taken over after this."""
    archive_ca_file: str = ""
    """CA certificates that the archive's TLS certificate must chain to (PEM)."""
    archive_client_certificate_file: str = ""
    archive_client_key_file: str = ""
    knowledge: str = ""
    """Folder of the installation's own `mappings` and `schemas`, over those of the package; empty: it has none."""
    keys: str = ""
    """Key folder; empty: `keys` in the data folder. In production put it apart from database and backups."""
    key_store_url: str = ""
    """Database of wrapped keys; empty: SQLite in the key folder. Back it up apart from the database, and briefly."""
    pkcs11_module: str = ""
    """Path of the library of a PKCS#11 token; empty: keys are files."""
    pkcs11_token: str = ""
    """Label of the token."""
    pkcs11_pin_file: str = ""
    """File with the PIN of the token's user."""
    master_key_label: str = ""
    """Label of the master key in the token; empty: it is a file in the key folder."""
    signing_key_label: str = ""
    """Label of the signing key in the token; empty: it is a file. Its certificate is a file in the key folder."""
    caller_crl_file: str = ""
    """PEM file with revocation lists of those who issued callers' certificates, and the issuers' certificates.
    It is read again when it changes; empty: only our own registry revokes."""
    notice_channels_file: str = ""
    """YAML with the webhooks and mail addresses of recipients of notices; empty: notices are fetched only."""
    inside_networks: str = ""
    """Networks inside that webhooks may be in all the same (`10.1.0.0/16,…`); production never names loopback."""
    actor_file: str = ""
    """JSON with the person behind local commands (person_id, name, role, purpose)."""
    lang: str = "fi"
    signing_algorithm: str = "rsa-3072"
    """`rsa-3072` or `p-256`: for development keys made by the gateway itself."""
    grace_days: int = 30
    """How long a document's content stays readable after the archive's receipt (GDPR 5(1)(e))."""
    max_delivery_bytes: int = 64 * 1024 * 1024
    """Largest body of `POST /v1/imports`."""
    max_record_bytes: int = 10 * 1024 * 1024
    max_queue_depth: int = 200_000
    """Above this many waiting documents intake answers 429."""
    witnesses_file: str = ""
    """Witnesses that are asked to cosign checkpoints: verifier key and address, one on a line."""
    witness_quorum: int = 0
    """So many witnesses must have cosigned before `audit checkpoint` calls a checkpoint good."""
    host: str = "127.0.0.1"
    port: int = 8480

    @property
    def is_production(self) -> bool:
        """Whether development stand-ins are refused."""
        return self.environment == "production"

    @property
    def key_folder(self) -> Path:
        """Where keys lie."""
        return Path(self.keys) if self.keys else self.data / "keys"

    @property
    def key_url(self) -> str:
        """The key store's SQLAlchemy URL."""
        return self.key_store_url or f"sqlite:///{self.key_folder / KEY_STORE}"

    @property
    def own(self) -> Path | None:
        """The folder of the installation's own knowledge files, if it has one."""
        return Path(self.knowledge) if self.knowledge else None

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.data / 'gateway.db'}"

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], **given: object) -> Settings:
        """Read the settings; what the command line gave goes before the environment.

        Raises:
            MisconfiguredError: unknown names or values that do not fit; all mistakes at once.
        """
        known = {field.name: field for field in fields(cls)}
        values: dict[str, object] = {}
        mistakes: list[str] = []
        for name, text in variables.items():
            if not name.startswith(_PREFIX):
                continue
            key = name.removeprefix(_PREFIX).lower()
            if key not in known:
                mistakes.append(f"{name} is not a setting")
                continue
            try:
                values[key] = _converted(str(known[key].type), text)
            except ValueError:
                mistakes.append(f"{name} should be {known[key].type}")
        values |= {key: value for key, value in given.items() if value is not None}
        if values.get("environment", "development") not in _ENVIRONMENTS:
            mistakes.append(f"{_PREFIX}ENVIRONMENT should be one of {', '.join(_ENVIRONMENTS)}")
        if values.get("lang", "fi") not in LANGUAGES:
            mistakes.append(f"{_PREFIX}LANG should be one of {', '.join(LANGUAGES)}")
        if mistakes:
            raise MisconfiguredError("settings: " + "; ".join(mistakes))
        return cls(**values)  # type: ignore[arg-type]


def _converted(kind: str, text: str) -> object:
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    return Path(text) if kind == "Path" else text
