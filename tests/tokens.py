"""PKCS#11 tokens for tests: SoftHSM's, in a folder of the test session's own; says clearly where there is none."""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kanta_gateway.hsm import Hsm
from kanta_gateway.slot import Slot

LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
             "/usr/lib64/pkcs11/libsofthsm2.so")  # fmt: skip
CONFIGURATION = "softhsm2.conf"
PIN = "493-Sippola"


@dataclass(frozen=True)
class Token:
    """A token of SoftHSM and what its user needs."""

    module: str
    label: str
    pin_file: Path

    def settings(self, **labels: str) -> dict[str, str]:
        """Settings of an installation that uses it.

        Args:
            labels: `master_key_label`, `signing_key_label`.
        """
        return {"pkcs11_module": self.module, "pkcs11_token": self.label, "pkcs11_pin_file": str(self.pin_file),
                **labels}  # fmt: skip

    def environment(self, **labels: str) -> dict[str, str]:
        """The same as environment of a process."""
        return {f"KANTA_{name.upper()}": value for name, value in self.settings(**labels).items()}

    def hsm(self) -> Hsm:
        """Our own client of it."""
        return Hsm(Slot(self.module, self.label, lambda: PIN))

    def session(self) -> Any:
        """A session of the library itself, logged in as long as one of ours is."""
        return importlib.import_module("pkcs11").lib(self.module).get_token(token_label=self.label).open(rw=True)

    def put(self, label: str, key_pem: bytes) -> None:
        """Put a private key into it."""
        p11, util = importlib.import_module("pkcs11"), importlib.import_module("pkcs11.util")
        key = load_pem_private_key(key_pem, None)
        der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        read = util.rsa.decode_rsa_private_key if isinstance(key, rsa.RSAPrivateKey) else util.ec.decode_ec_private_key
        template = {p11.Attribute.TOKEN: True, p11.Attribute.LABEL: label, p11.Attribute.SENSITIVE: True,
                    p11.Attribute.EXTRACTABLE: False, p11.Attribute.SIGN: True}  # fmt: skip
        self.hsm().master_names("-")
        with self.session() as session:
            session.create_object({**read(der), **template})

    def put_pair(self, label: str, key: Any) -> None:
        """Put a private key and its public key into it, as a token that makes a pair has both."""
        self.put(label, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        p11, util = importlib.import_module("pkcs11"), importlib.import_module("pkcs11.util")
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        form = PublicFormat.PKCS1 if is_rsa else PublicFormat.SubjectPublicKeyInfo
        read = util.rsa.decode_rsa_public_key if is_rsa else util.ec.decode_ec_public_key
        with self.session() as session:
            session.create_object({
                **read(key.public_key().public_bytes(Encoding.DER, form)),
                p11.Attribute.TOKEN: True, p11.Attribute.LABEL: label,
            })  # fmt: skip


def library() -> str:
    """Path of SoftHSM's library; empty where it is not installed."""
    found = next((one for one in LIBRARIES if Path(one).is_file()), "")
    return found if shutil.which("softhsm2-util") else ""


def made(place: Path, pins: Mapping[str, str]) -> list[Token]:
    """Tokens in a folder, each with a file for its PIN; the process must name the folder in `SOFTHSM2_CONF`.

    Args:
        place: an empty folder.
        pins: label of a token -> what its file says.
    """
    (place / "store").mkdir()
    (place / CONFIGURATION).write_text(
        f"directories.tokendir = {place / 'store'}\nobjectstore.backend = file\n", "utf-8"
    )
    found: list[Token] = []
    for label, pin in pins.items():
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "so-12345", "--pin", PIN]
        variables = {**os.environ, "SOFTHSM2_CONF": str(place / CONFIGURATION)}
        subprocess.run(command, check=True, capture_output=True, env=variables)
        (place / label).write_text(f"{pin}\n", "utf-8")
        (place / label).chmod(0o600)
        found.append(Token(library(), label, place / label))
    return found


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Token, Token]]:
    """Two tokens, the second with a wrong PIN in its file; the library reads their folder once a process."""
    if not library():
        pytest.skip("did not run: SoftHSM (Debian package softhsm2) is not installed")
    place = tmp_path_factory.mktemp("tokens")
    first, second = made(place, {"gateway": PIN, "locked": PIN[::-1]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(place / CONFIGURATION))
        yield first, second


@pytest.fixture
def token(tokens: tuple[Token, Token]) -> Token:
    """A token."""
    return tokens[0]


@pytest.fixture
def label() -> str:
    """A label that no other test uses."""
    return f"master-{secrets.token_hex(4)}"
