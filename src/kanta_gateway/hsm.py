"""Keys in a PKCS#11 token: made, found and used there; they never leave it.

* A master key is found by its id, which is its name; a signing key by its label.
* Master keys that are made here are sensitive and not extractable, and only encrypt and decrypt.

PKCS #11 2.40: CKM_AES_KEY_GEN and CKM_AES_GCM for master keys, CKM_SHA256_RSA_PKCS and CKM_ECDSA for signatures.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from typing import Any

from kanta_gateway.errors import KeyUnavailableError, MisconfiguredError, UntrustedError
from kanta_gateway.slot import Seat, Slot

MASTER_BITS = 256
ID_BYTES = 8
"""A master key's CKA_ID; its hexadecimal form is the name of the master key."""
TAG_BITS = 128
NONCE_BYTES = 12
_GCM, _SEARCH = "CKM_AES_GCM", "searching for keys"
_VAGUE = ("DataInvalid", "FunctionFailed", "GeneralError")
"""What some tokens say of bytes that do not open, and others of themselves."""
_CHANGED = ("EncryptedDataInvalid", "EncryptedDataLenRange")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A key by what it is searched by."""

    kind: str
    """`SECRET_KEY`, `PRIVATE_KEY` or `PUBLIC_KEY`."""
    id: str = ""
    label: str = ""

    def __str__(self) -> str:
        """What it is called for a person."""
        return (
            f"{'public ' * (self.kind == 'PUBLIC_KEY')}key labelled {self.label}"
            if self.label
            else f"master key {self.id}"
        )


def _master(name: str) -> _Wanted:
    return _Wanted("SECRET_KEY", name)


class Hsm:
    """The keys of one token.

    Args:
        slot: where the token is.
    """

    def __init__(self, slot: Slot) -> None:
        self._use = slot.use
        self._p11 = slot.p11
        self.label = slot.label

    # master keys

    def master_names(self, label: str) -> list[str]:
        """Names of the master keys with this label."""
        wanted = _Wanted("SECRET_KEY", label=label)
        return sorted(bytes(key.id).hex() for key in self._use(_SEARCH, lambda seat: self._search(seat, wanted)))

    def has_master(self, name: str) -> bool:
        """Whether there is a master key with this name."""
        return bool(self._use(_SEARCH, lambda seat: self._search(seat, _master(name))))

    def make_master(self, label: str) -> str:
        """Make a master key that cannot leave the token; its name.

        Raises:
            KeyUnavailableError: the token does not make such keys.
        """
        p11, id_ = self._p11, secrets.token_bytes(ID_BYTES)

        def make(seat: Seat) -> None:
            seat.session.generate_key(
                p11.KeyType.AES, MASTER_BITS, id=id_, label=label, store=True,
                capabilities=p11.MechanismFlag.ENCRYPT | p11.MechanismFlag.DECRYPT,
                template={p11.Attribute.SENSITIVE: True, p11.Attribute.EXTRACTABLE: False, p11.Attribute.PRIVATE: True},
            )  # fmt: skip

        self._use("CKM_AES_KEY_GEN", make, may_change=True)
        return id_.hex()

    def destroy_master(self, name: str) -> None:
        """Destroy a master key; whatever only it wraps opens no more.

        Raises:
            KeyUnavailableError: the token does not let it go.
        """
        self._use(
            "removing a key", lambda seat: [key.destroy() for key in self._search(seat, _master(name))], may_change=True
        )

    def may_leave(self, name: str) -> bool:
        """Whether the token would give this master key away."""
        attribute = self._p11.Attribute

        def told(seat: Seat) -> bool:
            key = self._key(seat, _master(name))
            return bool(key[attribute.EXTRACTABLE]) or not key[attribute.SENSITIVE]

        return self._use("reading what a key may do", told)

    def seal(self, name: str, nonce: bytes, data: bytes, context: bytes) -> bytes:
        """Ciphertext and tag of data under a master key (AES-GCM).

        Raises:
            KeyUnavailableError: token or key are not there, or the token does not offer it.
        """
        how = self._gcm(nonce, context)
        return bytes(self._use(_GCM, lambda seat: self._key(seat, _master(name), "encrypt").encrypt(data, **how)))

    def open(self, name: str, nonce: bytes, sealed: bytes, context: bytes) -> bytes:
        """The data again.

        Raises:
            UntrustedError: it is not what was sealed under this key for this context.
            KeyUnavailableError: token or key are not there.
        """
        how = self._gcm(nonce, context)
        try:
            return bytes(self._use(_GCM, lambda seat: self._key(seat, _master(name), "decrypt").decrypt(sealed, **how)))
        except KeyUnavailableError as error:
            said = type(error.__cause__).__name__
            if said in _CHANGED or (said in _VAGUE and self._works(name)):
                raise UntrustedError(
                    "a wrapped key does not open in the token: changed, or wrapped by another master key. "
                    "Check that key store and token belong together, then find out who changed the row"
                ) from error
            raise

    def _works(self, name: str) -> bool:
        """Whether a master key does what it should; some tokens only say that something failed."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        how = self._gcm(nonce, b"")
        sealed = self.seal(name, nonce, nonce, b"")
        return nonce == bytes(
            self._use(_GCM, lambda seat: self._key(seat, _master(name), "decrypt").decrypt(sealed, **how))
        )

    def _gcm(self, nonce: bytes, context: bytes) -> dict[str, Any]:
        return {"mechanism": self._p11.Mechanism.AES_GCM,
                "mechanism_param": self._p11.mechanisms.GCMParams(nonce, context, TAG_BITS)}  # fmt: skip

    # signing keys

    def sign(self, label: str, data: bytes, *, is_rsa: bool) -> bytes:
        """The signature over data by a private key: PKCS #1 v1.5 with SHA-256, or r and s side by side.

        Raises:
            KeyUnavailableError: token or key are not there, or the token does not sign so.
            MisconfiguredError: the key is of the other kind.
        """
        kind, name = ("RSA", "SHA256_RSA_PKCS") if is_rsa else ("EC", "ECDSA")
        what, wanted = data if is_rsa else sha256(data).digest(), _Wanted("PRIVATE_KEY", label=label)

        def signed(seat: Seat) -> Any:
            key = self._key(seat, wanted, "sign")
            if key.key_type != self._p11.KeyType[kind]:
                raise MisconfiguredError(
                    f"token {self.label}: the {wanted} is no {kind} key, as its certificate says; install the pair"
                )
            return key.sign(what, mechanism=self._p11.Mechanism[name])

        return bytes(self._use(f"CKM_{name}", signed))

    def public(self, label: str) -> bytes:
        """The public key of a signing pair, DER.

        Raises:
            KeyUnavailableError: the token is not there, or has not one public key with this label.
        """
        p11, wanted = self._p11, _Wanted("PUBLIC_KEY", label=label)

        def told(seat: Seat) -> Any:
            key = self._key(seat, wanted)
            if key.key_type == p11.KeyType.RSA:
                return import_module("pkcs11.util.rsa").encode_rsa_public_key(key)
            return import_module("pkcs11.util.ec").encode_ec_public_key(key)

        return bytes(self._use("reading a public key", told))

    def _search(self, seat: Seat, wanted: _Wanted) -> list[Any]:
        attribute = self._p11.Attribute
        by: dict[Any, Any] = {attribute.CLASS: self._p11.ObjectClass[wanted.kind]}
        if wanted.id:
            by[attribute.ID] = bytes.fromhex(wanted.id)
        if wanted.label:
            by[attribute.LABEL] = wanted.label
        return list(seat.session.get_objects(by))

    def _key(self, seat: Seat, wanted: _Wanted, act: str = "") -> Any:
        """The one key that is wanted.

        Raises:
            KeyUnavailableError: there is none or more than one, or the token does not let it do this.
        """
        key = seat.keys.get(wanted)
        if key is None:
            found = self._search(seat, wanted)
            if len(found) != 1:
                raise KeyUnavailableError(
                    f"token {self.label}: expected one {wanted}, found {len(found)}; "
                    "check the labels in the settings, and that this is the token of this installation"
                )
            key = seat.keys[wanted] = found[0]
        if act and not hasattr(key, act):
            raise KeyUnavailableError(
                f"token {self.label}: the {wanted} may not {act}; make it anew with this use allowed"
            )
        return key
