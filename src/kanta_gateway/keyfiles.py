"""Which keys an installation has: signers, trust anchors, checkpoint key, and the development stand-ins.

* Outside production what is missing is made on first use; in production it must be there.
* Production refuses development certificates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kanta_gateway.access.identity import assertion, thumbprint
from kanta_gateway.access.revocation import NO_LISTS, RevocationLists
from kanta_gateway.audit.checkpoint import CheckpointSigner, VerifierKey, read_keys
from kanta_gateway.certifying import CERTIFICATES, finish
from kanta_gateway.errors import GatewayError, KeyUnavailableError, MisconfiguredError
from kanta_gateway.keystore import KeyStore
from kanta_gateway.masterkeys import MasterKeys, token
from kanta_gateway.safe import (
    CHECKPOINT_KEY,
    CHECKPOINT_VERIFIER,
    LAST_CHECKPOINT,
    MASTER,
    ROOT_CERTIFICATE,
    SIGNING_CERTIFICATE,
    SIGNING_KEY,
    SYSTEM_CERTIFICATE,
    SYSTEM_KEY,
    KeyFolder,
)
from kanta_gateway.settings import KEY_STORE, Settings
from kanta_gateway.signing.keys import (
    AwaitedSigner,
    FileSigner,
    Pkcs11Signer,
    Signer,
    UnsafeDevSigner,
    is_development,
    make_development_keys,
)

LOG_NAME = "kanta-gateway"
"""How the origin of a log begins in its checkpoints; what follows tells installations apart."""
_OWN = (
    "production signs with the system's own certificate; ask for one with `keys request` and put it in place with "
    f"`keys install`, or put {SIGNING_CERTIFICATE} and {SIGNING_KEY} into the key folder"
)
SIGNERS = {"file": FileSigner, "development": UnsafeDevSigner}


def signer(folder: KeyFolder, settings: Settings) -> Signer:
    """The signer of documents; where keys may be made, one that only tells that its certificate is awaited.

    Raises:
        KeyUnavailableError: it cannot be read, or the token is not there.
        MisconfiguredError: key and certificate do not fit, or production has none or a development certificate.
    """
    is_file = not settings.signing_key_label
    finish(folder)
    if settings.is_production and folder.may_make and not folder.has(SIGNING_CERTIFICATE):
        return AwaitedSigner(_OWN)
    if is_file and not folder.has(SIGNING_KEY):
        if settings.is_production:
            raise MisconfiguredError(_OWN)
        _make_signing(folder, settings, "", "development installation")
    certificate = folder.read(SIGNING_CERTIFICATE)
    is_unsafe = is_development(x509.load_pem_x509_certificate(certificate))
    if is_unsafe and settings.is_production:
        raise MisconfiguredError("production does not sign with a development certificate; install the system's own")
    if (hsm := token(settings)) is not None and not is_file:
        return Pkcs11Signer(hsm, settings.signing_key_label, certificate)
    return SIGNERS["development" if is_unsafe else "file"](folder.read(SIGNING_KEY), certificate)


def master_keys(folder: KeyFolder, settings: Settings, keys: KeyStore) -> MasterKeys:
    """The master keys of an installation.

    Raises:
        MisconfiguredError: its token is told in part only.
    """
    return MasterKeys(folder, keys, token(settings), settings.master_key_label)


def key_store(folder: KeyFolder, settings: Settings) -> KeyStore:
    """The store of wrapped keys; made on first use outside production.

    Raises:
        KeyUnavailableError: production, and there is none: an empty one would open nothing.
    """
    place = folder.place / KEY_STORE
    if not settings.key_store_url and not place.is_file():
        if not folder.may_make:
            raise KeyUnavailableError(
                f"key store {KEY_STORE} is not in the key folder; restore it, or make a new one with "
                "`kanta-gateway keys make` if nothing has been sealed yet"
            )
        folder.write(KEY_STORE, b"")  # for its owner only; the database fills it
    return KeyStore(settings.key_url)


def trust_anchors(folder: KeyFolder) -> Sequence[x509.Certificate]:
    """Certificates that signing certificates must chain to; empty where none is installed."""
    if not folder.has(ROOT_CERTIFICATE):
        return ()
    return tuple(x509.load_pem_x509_certificates(folder.read(ROOT_CERTIFICATE)))


def checkpoint_signer(folder: KeyFolder) -> CheckpointSigner:
    """The key that signs checkpoints of the log; its verifier key lies beside it for whoever checks."""
    if not folder.has(CHECKPOINT_KEY) and folder.may_make:
        folder.write(CHECKPOINT_KEY, CheckpointSigner.new(LOG_NAME).pem())
    found = CheckpointSigner.from_pem(LOG_NAME, folder.read(CHECKPOINT_KEY))
    if folder.has(CHECKPOINT_VERIFIER):
        name = read_keys(folder.read(CHECKPOINT_VERIFIER).decode("utf-8"))[0].name  # stays when the key is replaced
    else:
        name = f"{LOG_NAME}/{found.key.hash.hex()}"
    found = CheckpointSigner.from_pem(name, folder.read(CHECKPOINT_KEY))
    if not folder.has(CHECKPOINT_VERIFIER):
        folder.write(CHECKPOINT_VERIFIER, f"{found.key}\n".encode())
    return found


def checkpoint_keys(folder: KeyFolder) -> str:
    """Every verifier key of the log, the one in use first, one on a line."""
    checkpoint_signer(folder)
    return folder.read(CHECKPOINT_VERIFIER).decode("utf-8")


def rotate_checkpoint_key(folder: KeyFolder, size: int) -> VerifierKey:
    """Put a new checkpoint key in the place of the old, which holds for logs up to this size only."""
    signer_ = checkpoint_signer(folder)
    in_use = signer_.key.public
    known = read_keys(checkpoint_keys(folder))
    old = [
        VerifierKey(one.name, one.public, size if one.public == in_use else one.until)
        for one in known
        if one.public == in_use or one.until is not None  # any other was left by a rotation that did not end
    ]
    made = CheckpointSigner.new(signer_.key.name)
    lines = "".join(f"{one}\n" for one in (made.key, *old))
    folder.replace(CHECKPOINT_VERIFIER, lines.encode())  # first: whatever the new key signs can be verified
    folder.replace(CHECKPOINT_KEY, made.pem())
    return made.key


def last_checkpoint(folder: KeyFolder) -> str:
    """The newest checkpoint that was signed; empty where there is none."""
    return folder.read(LAST_CHECKPOINT).decode("utf-8") if folder.has(LAST_CHECKPOINT) else ""


def keep_checkpoint(folder: KeyFolder, note: str) -> None:
    """Keep the newest checkpoint beside the keys, apart from the database and its backups."""
    folder.replace(LAST_CHECKPOINT, note.encode())


def development_system(folder: KeyFolder) -> tuple[bytes, bytes]:
    """Key and certificate (PEM) of a stand-in for a calling system; made on first use."""
    if not folder.has(SYSTEM_KEY):
        made = make_development_keys("development system", "", "calling system", datetime.now(UTC), algorithm="p-256")
        folder.write(SYSTEM_CERTIFICATE, made.certificate)
        folder.write(SYSTEM_KEY, made.key)
    return folder.read(SYSTEM_KEY), folder.read(SYSTEM_CERTIFICATE)


def assertion_of(key: bytes, certificate: bytes, **claims: Any) -> str:
    """An assertion of the development system.

    Raises:
        MisconfiguredError: the key is of a kind that cannot sign assertions.
    """
    private = load_pem_private_key(key, None)
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise MisconfiguredError("the development system's key should be RSA or P-256; remove it to have it made again")
    return assertion(private, x509.load_pem_x509_certificate(certificate), **claims)


def thumbprint_of(certificate: str) -> str:
    """`x5t#S256` of a PEM certificate.

    Raises:
        MisconfiguredError: it is none.
    """
    try:
        return thumbprint(x509.load_pem_x509_certificate(certificate.encode()))
    except ValueError as error:
        raise MisconfiguredError("the file is no PEM certificate") from error


def revocations(file: str) -> Callable[[x509.Certificate, datetime], str]:
    """Asks the revocation lists of a file; empty: there are none.

    Raises:
        MisconfiguredError: the file cannot be read, or a list of it does not hold.
    """
    return _ListFile(Path(file)).trouble if file else NO_LISTS.trouble


class _ListFile:
    """A file of revocation lists: whoever renews it replaces it, and no process has to be started again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] = (0, 0)
        self._lists = NO_LISTS
        self._refresh()

    def trouble(self, certificate: x509.Certificate, now: datetime) -> str:
        """Why a certificate does not hold by the file as it is now; empty if nothing speaks against it.

        A file that can no longer be read leaves the lists as they were: they end by their own date.
        """
        with suppress(MisconfiguredError):
            self._refresh()
        return self._lists.trouble(certificate, now)

    def _refresh(self) -> None:
        try:
            told = self._path.stat()
            if (told.st_mtime_ns, told.st_size) != self._seen:
                self._lists = RevocationLists.load(self._path.read_bytes())
                self._seen = (told.st_mtime_ns, told.st_size)
        except OSError as error:
            raise MisconfiguredError("KANTA_CALLER_CRL_FILE cannot be read; check the path") from error


def make(folder: KeyFolder, settings: Settings, organisation: str, name: str) -> dict[str, Any]:
    """Make what is missing; gives the names of what is there then.

    Raises:
        MisconfiguredError: production makes no development certificates.
    """
    maker = KeyFolder(folder.place, may_make=True)
    keys = key_store(maker, settings)
    try:
        master_keys(maker, settings, keys).in_use()
        checkpoint_signer(maker)
        if not maker.has(SIGNING_KEY) and not settings.signing_key_label:
            if settings.is_production:
                raise MisconfiguredError(_OWN)
            _make_signing(maker, settings, organisation, name or "development installation")
        return {"keys": [one.get("file") or f"{one['token']}/{one['key']}" for one in listed(maker, settings, keys)]}
    finally:
        keys.close()


def listed(folder: KeyFolder, settings: Settings, keys: KeyStore) -> list[dict[str, Any]]:
    """Keys that are there, in files and in the token; certificates with names and the day until which they hold."""
    rows: list[dict[str, Any]] = [*master_keys(folder, settings, keys).listed()]
    if (hsm := token(settings)) is not None and settings.signing_key_label:
        rows.append({"token": hsm.label, "key": settings.signing_key_label})
    for name in (MASTER, SIGNING_KEY, *CERTIFICATES, CHECKPOINT_KEY, CHECKPOINT_VERIFIER, SYSTEM_KEY):
        if not folder.has(name):
            continue
        row: dict[str, Any] = {"file": name}
        if name in CERTIFICATES:
            found = x509.load_pem_x509_certificate(folder.read(name))
            row |= {
                "subject": found.subject.rfc4514_string(),
                "valid_until": found.not_valid_after_utc.date().isoformat(),
                "x5t#S256": thumbprint(found),
            }
        rows.append(row)
    return rows


def mistakes(folder: KeyFolder, settings: Settings, keys: KeyStore) -> list[str]:
    """What is wrong with the keys, all at once."""
    found = master_keys(folder, settings, keys).mistakes(settings)
    for what, read in (
        ("signing key", lambda: signer(folder, settings)),
        ("checkpoint key", lambda: checkpoint_signer(folder)),
    ):
        try:
            read()
        except GatewayError as error:
            found.append(f"{what}: {error}")
    now = datetime.now(UTC)
    ended = (
        name
        for name in CERTIFICATES
        if folder.has(name) and x509.load_pem_x509_certificate(folder.read(name)).not_valid_after_utc < now
    )
    return [*found, *(f"{name}: is valid no longer; install a new one" for name in ended)]


def _make_signing(folder: KeyFolder, settings: Settings, organisation: str, name: str) -> None:
    made = make_development_keys(
        name, organisation, "kanta-gateway", datetime.now(UTC), algorithm=settings.signing_algorithm
    )
    folder.write(ROOT_CERTIFICATE, made.root_certificate)
    folder.write(SIGNING_CERTIFICATE, made.certificate)
    folder.write(SIGNING_KEY, made.key)  # last: whoever sees the key finds its certificate
