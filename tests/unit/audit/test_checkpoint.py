"""Checkpoints as C2SP signed notes."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kanta_gateway.audit.checkpoint import (
    Checkpoint,
    CheckpointSigner,
    VerifierKey,
    make,
    parse,
    read_keys,
    verify,
)
from kanta_gateway.errors import KeyUnavailableError, UntrustedError

# The published example of golang.org/x/mod/sumdb/note; its private key is public on purpose.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_NOTE = (
    PETER_TEXT + "\n\N{EM DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of the C2SP tlog-checkpoint page.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = bytes(range(32))
NAME = "example.test/audit"


def signer(name: str = NAME) -> CheckpointSigner:
    """A signer with a fixed key."""
    return CheckpointSigner(name, Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_note_and_key_are_those_of_the_published_example() -> None:
    """Signing the published text with the published key gives the published note and verifier key."""
    peter = CheckpointSigner("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED))

    assert peter.sign(PETER_TEXT) == PETER_NOTE
    assert str(peter.key) == PETER
    assert read_keys(PETER) == (peter.key,)


def test_checkpoint_text_is_that_of_the_specification() -> None:
    """The example of the specification reads as its origin, size and root."""
    root = b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")

    assert parse(EXAMPLE) == Checkpoint("example.com/behind-the-sofa", 20852163, root)


def test_a_checkpoint_verifies_with_any_of_the_given_keys() -> None:
    """A note verifies when one of several keys made it, as after a change of keys."""
    note = make(NAME, 42, ROOT, signer())
    keys = read_keys(f"{CheckpointSigner.new(NAME).key}\n\n{signer().key}\n")

    assert verify(note, keys) == Checkpoint(NAME, 42, ROOT)


def test_a_second_signature_does_no_harm() -> None:
    """A witness's line after ours leaves the note valid."""
    note = make(NAME, 42, ROOT, signer())
    witness = signer("witness.test").sign("x\n").splitlines()[-1]

    assert verify(f"{note}{witness}\n", (signer().key,)).size == 42


@pytest.mark.parametrize(
    "note",
    [
        make(NAME, 42, ROOT, signer()).replace("42", "43"),
        make(NAME, 42, ROOT, signer()).replace(b64encode(ROOT).decode(), b64encode(ROOT[::-1]).decode()),
        make("other.test", 42, ROOT, signer()),
        make(NAME, 42, ROOT, CheckpointSigner.new(NAME)),
        make(NAME, 42, ROOT, signer()).replace("\N{EM DASH}", "-"),
        make(NAME, 42, ROOT, signer()).rstrip("\n"),
        make(NAME, 42, ROOT, signer()) + "\n",
        make(NAME, 42, ROOT, signer()).rpartition(" ")[0] + " AAAA\n",
        make(NAME, 42, ROOT, signer()).rpartition(" ")[0] + " !\n",
        make(NAME, 42, ROOT, signer()).replace("42", "042"),
        make(NAME, 42, ROOT[:-1], signer()),
        signer().sign(f"{NAME}\n42\n?\n"),
        signer().sign(f"{NAME}\n42\n"),
        "",
    ],
)
def test_a_changed_checkpoint_is_refused(note: str) -> None:
    """A checkpoint with another size, root, origin, signer or form is not trusted."""
    with pytest.raises(UntrustedError, match=r"\S"):
        verify(note, (signer().key,))


@pytest.mark.parametrize(
    "text",
    ["", "x", "x+00000000+AAAA", PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("Peter", "Paul")],
)
def test_a_broken_verifier_key_is_refused(text: str) -> None:
    """A verifier key whose parts do not fit each other is not used."""
    with pytest.raises(UntrustedError, match=r"\S"):
        read_keys(text)


def test_a_signer_comes_back_from_its_file() -> None:
    """A key written to PEM and read again signs the same."""
    again = CheckpointSigner.from_pem(NAME, signer().pem())

    assert again.sign("x\n") == signer().sign("x\n")
    assert isinstance(again.key, VerifierKey)


def test_a_file_without_an_ed25519_key_is_refused() -> None:
    """Garbage and keys of another kind are told as unusable key files."""
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in (b"", other):
        with pytest.raises(KeyUnavailableError, match="make a new one"):
            CheckpointSigner.from_pem(NAME, pem)
    with pytest.raises(KeyUnavailableError, match="plus sign"):
        CheckpointSigner.new("a+b")
