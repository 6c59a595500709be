"""Proofs read from the stored log, judged by another implementation of the tree (pymerkle)."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import pytest
from pymerkle import ConsistencyProof, InclusionProof, InmemoryTree, InvalidProof, verify_consistency, verify_inclusion
from sqlalchemy import select
from tests.contract.test_audit_log import SEALS, event, make_log
from tests.unit.audit.test_merkle import LEAVES, ROOTS

from kanta_gateway.audit import merkle, proofs, report
from kanta_gateway.database import Database
from kanta_gateway.tables import audit_entry

if TYPE_CHECKING:
    from sqlalchemy import Connection

SIZE = 21


def turns(index: int, size: int) -> list[int]:
    """Where a leaf and each node above it stand on the way to the root: 0 left, 1 right (RFC 9162 §2.1.3.2)."""
    found: list[int] = []
    fn, sn = index, size - 1
    while sn:
        if fn & 1 or fn == sn:
            found.append(1)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found.append(0)
        fn, sn = fn >> 1, sn >> 1
    return [*found, 0]


def inclusion(connection: Connection, leaf: bytes, index: int, size: int) -> InclusionProof:
    """Our inclusion proof in the other's form: the leaf opens the path, and each turn is told."""
    path = proofs.inclusion(connection, index, size)
    return InclusionProof("sha256", True, size, index + 1, turns(index, size), [leaf, *path])  # noqa: FBT003 — its own signature


def consistency(connection: Connection, leaf: bytes, old: int, new: int) -> ConsistencyProof:
    """Our consistency proof in the other's form.

    The other splits the part that is new down to its first leaf: it is the inclusion proof of that leaf, and
    the hashes of ours are in it, the new part folded.
    """
    ours, path, rule = proofs.consistency(connection, old, new), proofs.inclusion(connection, old, new), turns(old, new)
    # (1) the left neighbours are what the old tree consists of; ours opens with the lowest unless it is the old root
    left = list(rule[:-1])
    lowest = left.index(1)
    # (2) what stands right below it folds to the sibling that our proof has
    folded = reduce(merkle.node_hash, path[:lowest], leaf)
    base = [] if old & (old - 1) == 0 else [path[lowest]]
    assert ours == [*base, folded, *path[lowest + 1 :]]
    return ConsistencyProof("sha256", True, new, old, rule, [0, *left], [leaf, *path])  # noqa: FBT003 — its own signature


def test_the_other_tree_has_the_same_roots() -> None:
    """Both give the published roots of Certificate Transparency's leaves."""
    tree = InmemoryTree(algorithm="sha256")
    roots = []
    for leaf in LEAVES:
        tree.append_entry(leaf)
        roots.append(tree.get_root().hex())

    assert roots == ROOTS[1:]


def test_the_other_tree_accepts_our_proofs(database: Database) -> None:
    """Every inclusion and consistency proof of the stored log holds for it, against its own roots of our entries."""
    with database.transaction() as tx:
        make_log().append(tx, [event(number) for number in range(SIZE)])
    tree = InmemoryTree(algorithm="sha256")
    with database.reading() as tx:
        rows = tx.execute(select(audit_entry.c.leaf_hash).order_by(audit_entry.c.idx)).all()
        for _, body in report.bodies(tx, SEALS, report.Filter()):
            tree.append_entry(body.encode())
        leaves = [bytes(leaf) for (leaf,) in rows]
        for size in range(1, SIZE + 1):
            root = tree.get_root(size)
            assert merkle.root(size, proofs.reader(tx)) == root
            for index in range(size):
                verify_inclusion(leaves[index], root, inclusion(tx, leaves[index], index, size), index + 1, size)
            for old in range(1, size):
                proof = consistency(tx, leaves[old], old, size)
                verify_consistency(tree.get_root(old), root, proof, old, size)


def test_the_other_tree_refuses_what_was_changed(database: Database) -> None:
    """A proof for another place, another root or with another hash is refused by it as by us."""
    with database.transaction() as tx:
        make_log().append(tx, [event(number) for number in range(SIZE)])
    with database.reading() as tx:
        leaves = [
            bytes(one) for one in tx.execute(select(audit_entry.c.leaf_hash).order_by(audit_entry.c.idx)).scalars()
        ]
        root, old_root = (merkle.root(size, proofs.reader(tx)) for size in (SIZE, 6))
        included, grown = inclusion(tx, leaves[4], 4, SIZE), consistency(tx, leaves[6], 6, SIZE)
    with pytest.raises(InvalidProof):
        verify_inclusion(leaves[5], root, included)
    with pytest.raises(InvalidProof):
        verify_inclusion(leaves[4], old_root, included)
    with pytest.raises(InvalidProof):
        verify_consistency(root, root, grown)
    grown.path[1] = leaves[0]
    with pytest.raises(InvalidProof):
        verify_consistency(old_root, root, grown)
