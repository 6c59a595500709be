"""The master key that wraps every other key: in a file, or in a PKCS#11 token that it never leaves.

What is wrapped has one form, wherever the master key is: `version (1) | nonce (12) | ciphertext and tag` (AES-256-GCM).
"""

from __future__ import annotations

import secrets

from kanta_gateway.hsm import Hsm
from kanta_gateway.privacy.envelope import NONCE_BYTES, VERSION, derive, open_sealed, parted, seal

_CONTEXT = b"data-key"


class FileMasterKey:
    """A master key that was read from a file.

    Args:
        content: of the file.

    Raises:
        KeyUnavailableError: it is shorter than 32 bytes.
    """

    def __init__(self, content: bytes) -> None:
        self._wrapping = derive(content, "wrapping")
        self.name = derive(content, "name").hex()[:16]

    def wrap(self, key: bytes) -> bytes:
        """The key as it may be stored."""
        return seal(self._wrapping, key, _CONTEXT)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again.

        Raises:
            UntrustedError: it was changed, or wrapped by another master key.
        """
        return open_sealed(self._wrapping, wrapped, _CONTEXT)


class Pkcs11MasterKey:
    """A master key in a token, which wraps and unwraps for us.

    Args:
        hsm: the token.
        name: of the master key.
    """

    def __init__(self, hsm: Hsm, name: str) -> None:
        self._hsm = hsm
        self.name = name

    def wrap(self, key: bytes) -> bytes:
        """The key as it may be stored.

        Raises:
            KeyUnavailableError: the token is not there, or the master key is not in it.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + nonce + self._hsm.seal(self.name, nonce, key, VERSION + _CONTEXT)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again.

        Raises:
            KeyUnavailableError: the token is not there, or the master key is not in it.
            UntrustedError: it was changed, or wrapped by another master key.
        """
        nonce, content = parted(wrapped)
        return self._hsm.open(self.name, nonce, content, VERSION + _CONTEXT)
