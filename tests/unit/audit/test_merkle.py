"""The Merkle tree against a naive writing of RFC 9162 and the vectors of Certificate Transparency."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest

from kanta_gateway.audit import merkle

# Certificate Transparency's reference tree (google/certificate-transparency, merkletree tests).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N01 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N03 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
LEAF1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
LEAF4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
N45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of §2.1.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of §2.1.3.1, word by word."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: list[bytes], *, is_whole: bool = True) -> list[bytes]:
    """SUBPROOF of §2.1.4.1, word by word."""
    if m == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_proof(m, leaves[:k], is_whole=is_whole), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], is_whole=False), naive_root(leaves[:k])]


def reader(leaves: list[bytes]) -> merkle.Node:
    """Reads the naive tree."""
    return lambda level, idx: naive_root(leaves[idx << level : (idx + 1) << level])


def data(count: int) -> list[bytes]:
    """Leaves."""
    return [f"entry {number}".encode() for number in range(count)]


def test_roots_are_those_of_certificate_transparency() -> None:
    """The tree over the eight reference leaves has the published root at every size."""
    frontier = merkle.Frontier()
    roots = [frontier.root().hex()]
    for leaf in LEAVES:
        frontier.push(merkle.leaf_hash(leaf))
        roots.append(frontier.root().hex())

    assert roots == ROOTS


@pytest.mark.parametrize(
    ("index", "size", "expected"),
    [(0, 1, []), (0, 8, [LEAF1, N01, N47]), (5, 8, [LEAF4, N67, N03]), (2, 3, [ROOTS[2]]),
     (1, 5, [ROOTS[1], N01, LEAF4])],
)  # fmt: skip
def test_inclusion_proofs_are_those_of_certificate_transparency(index: int, size: int, expected: list[str]) -> None:
    """Inclusion proofs of the reference tree are the published ones."""
    assert [one.hex() for one in merkle.inclusion_proof(index, size, reader(LEAVES))] == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(1, 1, []), (1, 8, [LEAF1, N01, N47]), (6, 8, [N45, N67, N03]), (2, 5, [N01, LEAF4])],
)
def test_consistency_proofs_are_those_of_certificate_transparency(old: int, new: int, expected: list[str]) -> None:
    """Consistency proofs of the reference tree are the published ones."""
    assert [one.hex() for one in merkle.consistency_proof(old, new, reader(LEAVES))] == expected


def test_frontier_agrees_with_the_naive_tree() -> None:
    """A tree that grows leaf by leaf has the naive root and completes the naive nodes at every size."""
    leaves = data(70)
    frontier = merkle.Frontier()
    for size, leaf in enumerate(leaves, 1):
        for level, idx, hash_ in frontier.push(merkle.leaf_hash(leaf)):
            assert naive_root(leaves[idx << level : (idx + 1) << level]) == hash_
        assert naive_root(leaves[:size]) == frontier.root() == merkle.root(size, reader(leaves))


def test_every_proof_of_small_trees_agrees_and_verifies() -> None:
    """Every inclusion and consistency proof up to 20 leaves is the naive one, and its verifier accepts it."""
    leaves = data(20)
    node = reader(leaves)
    for size in range(1, 21):
        root = naive_root(leaves[:size])
        for index in range(size):
            path = merkle.inclusion_proof(index, size, node)
            assert naive_path(index, leaves[:size]) == path
            assert merkle.is_included(merkle.leaf_hash(leaves[index]), index, size, path, root)
        for old in range(1, size + 1):
            proof = merkle.consistency_proof(old, size, node)
            assert naive_proof(old, leaves[:size]) == proof
            assert merkle.is_consistent(old, size, naive_root(leaves[:old]), root, proof)


def test_faulty_inclusion_proofs_are_refused() -> None:
    """A proof with a wrong leaf, place, size, root, or a hash changed, added or removed is refused."""
    leaves = data(13)
    root, leaf = naive_root(leaves), merkle.leaf_hash(leaves[6])
    path = merkle.inclusion_proof(6, 13, reader(leaves))
    wrong = [
        (merkle.leaf_hash(b"other"), 6, 13, path, root), (leaf, 7, 13, path, root), (leaf, 6, 6, path, root),
        (leaf, -1, 13, path, root), (leaf, 6, 40, path, root), (leaf, 6, 13, path, leaf),
        (leaf, 6, 13, [*path, leaf], root), (leaf, 6, 13, path[:-1], root), (leaf, 6, 13, [], root),
        (leaf, 6, 13, path[::-1], root), (leaf, 6, 13, [leaf, *path[1:]], root),
    ]  # fmt: skip

    assert [merkle.is_included(*one) for one in wrong] == [False] * len(wrong)


def test_faulty_consistency_proofs_are_refused() -> None:
    """A proof with wrong sizes, roots, or a hash changed, added or removed is refused."""
    leaves = data(13)
    old, new = naive_root(leaves[:6]), naive_root(leaves)
    proof = merkle.consistency_proof(6, 13, reader(leaves))
    wrong = [
        (5, 13, old, new, proof), (6, 12, old, new, proof[:-1]), (0, 13, old, new, proof),
        (14, 13, old, new, proof),
        (6, 13, new, new, proof), (6, 13, old, old, proof), (6, 13, old, new, []),
        (6, 13, old, new, proof[:-1]),
        (6, 13, old, new, [*proof, old]), (6, 13, old, new, [new, *proof[1:]]), (6, 6, old, old, proof),
        (6, 6, old, new, []),
    ]  # fmt: skip

    assert [merkle.is_consistent(*one) for one in wrong] == [False] * len(wrong)


def test_proofs_of_what_is_not_there_are_refused() -> None:
    """A leaf beyond the tree and sizes that never were have no proof."""
    for index, size in ((3, 3), (-1, 3), (0, 0)):
        with pytest.raises(ValueError, match="has no leaf"):
            merkle.inclusion_proof(index, size, reader(data(3)))
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="grew from"):
            merkle.consistency_proof(old, new, reader(data(4)))
    with pytest.raises(ValueError, match="has 2 peaks"):
        merkle.Frontier(3, [b""])


def test_a_leaf_is_not_taken_for_a_node() -> None:
    """The bytes of two child hashes as a leaf do not give their parent's hash."""
    left, right = (merkle.leaf_hash(one) for one in next(pairwise(data(2))))

    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
