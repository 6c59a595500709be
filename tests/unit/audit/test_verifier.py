"""The stand-alone verifier: Ed25519, proofs, keys and checkpoints in plain Python."""

from __future__ import annotations

import ast
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.audit.test_merkle import LEAVES, ROOTS

from kanta_gateway.audit import merkle, verifier
from kanta_gateway.audit.checkpoint import CheckpointSigner, make

# RFC 8032 §7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (  # SHA(abc)
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]  # fmt: skip
SIGNER = CheckpointSigner("example.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(32)))
ROOT = bytes(range(32))


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_signatures_of_the_specification(vector: tuple[str, str, str, str]) -> None:
    """The vectors of RFC 8032 §7.1 verify, and no changed bit of message or signature does."""
    secret, public, message, signature = map(bytes.fromhex, vector)

    assert Ed25519PrivateKey.from_private_bytes(secret).sign(message) == signature
    assert verifier.is_signed(public, message, signature)
    assert not verifier.is_signed(public, message + b"\0", signature)
    for place in (0, 31, 32, 63):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not verifier.is_signed(public, message, bytes(changed))


def test_signatures_that_another_encoding_would_let_pass() -> None:
    """S plus the order, a y beyond the prime, a sign without a number, wrong lengths: refused (§5.1.7, §5.1.3)."""
    _, public, message, signature = map(bytes.fromhex, VECTORS[2])
    s = int.from_bytes(signature[32:], "little") + verifier.ORDER
    one_with_sign = (1 | 1 << 255).to_bytes(32, "little")

    assert not verifier.is_signed(public, message, signature[:32] + s.to_bytes(32, "little"))
    assert verifier.point((verifier.P + 1).to_bytes(32, "little")) is None
    assert verifier.point(one_with_sign) is None
    assert not verifier.is_signed(public[:31], message, signature)
    assert not verifier.is_signed(public, message, signature + b"\0")
    assert not verifier.is_signed(public, message, b"")


@settings(max_examples=25, deadline=None)
@given(secret=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), flip=st.integers(0, 511))
def test_it_says_what_the_library_says(secret: bytes, message: bytes, flip: int) -> None:
    """Signatures of the library verify; one with a flipped bit gets the library's own answer."""
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public, signature = private.public_key().public_bytes_raw(), bytearray(private.sign(message))
    assert verifier.is_signed(public, message, bytes(signature))

    signature[flip // 8] ^= 1 << flip % 8
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(signature), message)
    except InvalidSignature:
        expected = False
    else:
        expected = True
    assert verifier.is_signed(public, message, bytes(signature)) is expected


def test_the_tree_has_the_known_roots() -> None:
    """The roots of Certificate Transparency's eight leaves."""
    tree = verifier.Tree()
    roots = [tree.root().hex()]
    for leaf in LEAVES:
        tree.push(sha256(b"\0" + leaf).digest())
        roots.append(tree.root().hex())

    assert roots == ROOTS


def test_proofs_say_what_the_gateway_says() -> None:
    """Every proof of every tree up to 20 leaves holds, and a changed, cut or lengthened one does not."""
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(20)]

    def node(level: int, index: int) -> bytes:
        return merkle.fold([merkle.root(1, lambda _, i: leaves[i + index])]) if level == 0 else merkle.node_hash(
            node(level - 1, 2 * index), node(level - 1, 2 * index + 1)
        )  # fmt: skip

    for size in range(1, 21):
        root = merkle.root(size, node)
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, node)
            assert verifier.is_included(leaves[index], index, size, proof, root)
            for wrong in (proof[:-1], [*proof, root], [root, *proof[1:]]):
                if wrong != proof:
                    assert not verifier.is_included(leaves[index], index, size, wrong, root)
        for old in range(1, size + 1):
            old_root, proof = merkle.root(old, node), merkle.consistency_proof(old, size, node)
            assert verifier.is_consistent(old, size, old_root, root, proof)
            for wrong in (proof[:-1], [*proof, root], [ROOT, *proof[1:]]):
                if wrong != proof:
                    assert not verifier.is_consistent(old, size, old_root, root, wrong)
            assert not verifier.is_consistent(old, size, ROOT, root, proof)
    assert not verifier.is_included(leaves[0], 1, 1, [], leaves[0])
    assert not verifier.is_consistent(0, 1, merkle.EMPTY_ROOT, leaves[0], [])


def test_a_checkpoint_needs_a_key_of_its_log() -> None:
    """A signature by the log's key is asked for; another's, a replaced key's beyond its size, or none is refused."""
    note = make("example.test/audit", 42, ROOT, SIGNER)
    keys = verifier.read_keys(f"{SIGNER.key}\n\n")
    stranger = CheckpointSigner("example.test/audit", Ed25519PrivateKey.from_private_bytes(ROOT))

    assert verifier.read_checkpoint(note, keys) == ("example.test/audit", 42, ROOT, ())
    assert verifier.read_checkpoint(note, verifier.read_keys(f"{SIGNER.key} until=42"))
    for wrong in (
        make("example.test/audit", 42, ROOT, stranger), make("other", 42, ROOT, SIGNER), note.replace("42", "43"),
        note.partition("\n\n")[0] + "\n\n", note.replace("\n42", "\n042"), "",
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"signed by no key|not a checkpoint"):
            verifier.read_checkpoint(wrong, keys)
    with pytest.raises(ValueError, match="may sign this size"):
        verifier.read_checkpoint(note, verifier.read_keys(f"{SIGNER.key} until=41"))
    for line in ("x", str(SIGNER.key).replace("+", "+0", 1), f"{SIGNER.key} until=x"):
        with pytest.raises(ValueError, match="key file"):
            verifier.read_keys(line)


def witness(name: str, seed: int, text: str, at: int = 1_700_000_000) -> tuple[str, str]:
    """Key and cosignature line of a witness (C2SP tlog-cosignature)."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    blob = b"\x04" + private.public_key().public_bytes_raw()
    hash_ = sha256(name.encode() + b"\n" + blob).digest()[:4]
    signature = private.sign(b"cosignature/v1\ntime %d\n" % at + text.encode())
    line = f"\N{EM DASH} {name} {b64encode(hash_ + at.to_bytes(8, 'big') + signature).decode()}\n"
    return f"{name}+{hash_.hex()}+{b64encode(blob).decode()}", line


def test_witnesses_count_once_each() -> None:
    """Cosignatures of known witnesses count, each name once; of strangers or over another text they do not."""
    note = make("example.test/audit", 42, ROOT, SIGNER)
    text = note.partition("\n\n")[0] + "\n"
    (key, line), (_, stranger) = witness("w1", 1, text), witness("w2", 2, text)
    _, other = witness("w1", 1, text + "x")
    keys = verifier.read_keys(f"{SIGNER.key}\n{key}")

    assert verifier.read_checkpoint(note + line + line + stranger, keys).witnesses == ("w1",)
    assert verifier.read_checkpoint(note + other, keys).witnesses == ()
    with pytest.raises(ValueError, match="signed by no key"):
        verifier.read_checkpoint(f"{text}\n{line}", keys)


def test_one_key_is_one_witness_and_the_logs_own_is_none() -> None:
    """A key under two names cosigns once, and the log's own key under a witness's name not at all."""
    note = make("example.test/audit", 42, ROOT, SIGNER)
    text = note.partition("\n\n")[0] + "\n"
    told = [witness(name, seed, text) for name, seed in (("w1", 1), ("w2", 1), ("w3", 3), ("own", 0))]
    keys = verifier.read_keys("\n".join([str(SIGNER.key), *(key for key, _ in told)]))
    found = verifier.read_checkpoint(note + "".join(line for _, line in told), keys).witnesses

    assert len(found) == 2
    assert "w3" in found
    assert "own" not in found


@pytest.mark.parametrize(("quorum", "code"), [(2, 0), (3, 1)])
def test_a_quorum_is_whole(
    quorum: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """As many witnesses as were asked for must have cosigned; one fewer does not hold, and both numbers are told."""
    lines, told = export(3)
    note = make("example.test/audit", 3, told[3].root, SIGNER)
    cosigned = [witness(name, seed, note.partition("\n\n")[0] + "\n") for name, seed in (("w1", 1), ("w2", 2))]
    (tmp_path / "export").write_bytes(b"\n".join(lines) + b"\n")
    (tmp_path / "key").write_text("\n".join([str(SIGNER.key), *(key for key, _ in cosigned)]), "utf-8")
    (tmp_path / "new").write_text(note + "".join(line for _, line in cosigned), "utf-8")
    files = ["--key", str(tmp_path / "key"), "--new", str(tmp_path / "new"), str(tmp_path / "export")]
    found = verifier.main([*files, "--quorum", str(quorum)])

    assert found == code
    assert (code == 1) == ("cosigned by 2 witnesses, expected 3" in capsys.readouterr().out)


def export(count: int, salt: str = "") -> tuple[list[bytes], list[verifier.Checkpoint]]:
    """Lines of a log, and its checkpoint at every size."""
    lines = [
        b'{"at":"2026-03-02T10:00:00.000000Z","idx":%d,"salt":"%s"}' % (idx, salt.encode()) for idx in range(count)
    ]
    tree = verifier.Tree()
    told = [verifier.Checkpoint("example.test/audit", 0, tree.root(), ())]
    for line in lines:
        tree.push(sha256(b"\0" + line).digest())
        told.append(verifier.Checkpoint("example.test/audit", tree.size, tree.root(), ()))
    return lines, told


def faults(lines: list[bytes], new: verifier.Checkpoint, old: verifier.Checkpoint | None = None) -> list[str]:
    """What is wrong with an export."""
    seen = verifier.Verification(new, old, [])
    for line in lines:
        seen.take(line)
    seen.finish(is_part=False)
    return seen.faults


def test_the_log_begins_with_what_was_kept() -> None:
    """Whatever older checkpoint was kept of this log, it holds; of another log, another beginning or a longer one not.

    Of equal sizes too.
    """
    lines, told = export(9)
    _, others = export(9, "x")

    assert [[]] * 10 == [faults(lines, told[9], one) for one in told]
    for other in (*others[1:], told[4]._replace(origin="other.test/audit")):
        assert any("does not begin" in one for one in faults(lines, told[9], other))
    assert any("does not begin" in one for one in faults(lines[:5], told[5], told[9]))


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ({3}, "1 of 9 entries are missing: 3"), ({0, 4, 5}, "3 of 9 entries are missing: 0, 4-5"),
        ({8}, "1 of 9 entries are missing: 8"), (set(range(9)), "9 of 9 entries are missing: 0-8"),
    ],
)  # fmt: skip
def test_how_many_are_missing_and_where(left_out: set[int], expected: str) -> None:
    """A gap at the beginning, in the middle and at the end is told with count and places, in whichever file."""
    lines, told = export(9)
    found = faults([line for idx, line in enumerate(lines) if idx not in left_out], told[9])

    assert expected in found


def test_a_part_needs_a_proof_of_each_entry() -> None:
    """Of an export of some entries each needs a proof that holds; how many have none is told, and no gap is a fault."""
    lines, told = export(9)
    leaves = [merkle.leaf_hash(line) for line in lines]

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return merkle.node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    def proof(index: int) -> dict[str, Any]:
        steps = merkle.inclusion_proof(index, 9, node)
        return {"index": index, "size": 9, "proof": [b64encode(one).decode() for one in steps]}

    found = []
    for proofs in ([proof(2), proof(5)], [proof(2)], [], [proof(2), {**proof(2), "index": 5}]):
        seen = verifier.Verification(told[9], None, proofs)
        for index in (2, 5):
            seen.take(lines[index])
        seen.finish(is_part=True)
        found.append(seen.faults)

    assert found == [
        [], *[[f"{count} entries in the file have no inclusion proof that holds"] for count in (1, 2, 1)]
    ]  # fmt: skip


def test_it_is_one_file_of_the_standard_library() -> None:
    """The verifier imports the standard library only, opens no connection, and is shorter than 300 lines."""
    source = Path(verifier.__file__).read_text("utf-8")
    imported = {
        name.split(".")[0]
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.Import | ast.ImportFrom)
        for name in ([one.module or ""] if isinstance(one, ast.ImportFrom) else [alias.name for alias in one.names])
    }

    assert imported <= sys.stdlib_module_names
    assert imported.isdisjoint({"socket", "urllib", "http", "ssl", "subprocess", "sqlite3", "ctypes", "os"})
    assert source.count("\n") < 300
