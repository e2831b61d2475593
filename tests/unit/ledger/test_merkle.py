"""Merkle hashing and proofs against the published vectors of certificate transparency (RFC 6962)."""

from __future__ import annotations

import pytest

from canary.errors import UsageError
from canary.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves, their roots and proofs of the certificate-transparency reference implementation.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
LEAVES = [leaf_hash(bytes.fromhex(each)) for each in INPUTS]
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
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


def unhex(*hashes: str) -> list[bytes]:
    return [bytes.fromhex(each) for each in hashes]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    assert frontier.root().hex() == ROOTS[size] == root_of(LEAVES[:size]).hex()
    assert frontier.size == size
    assert EMPTY_ROOT.hex() == ROOTS[0]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[4]]), (2, 3, [ROOTS[2]]), (1, 5, [ROOTS[1], B, D])],
)
def test_inclusion_proofs_are_the_published_ones(index: int, size: int, path: list[str]) -> None:
    proof = inclusion_proof(LEAVES[:size], index)
    assert [each.hex() for each in proof] == path
    assert verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[4]]), (2, 5, [B, D]), (0, 8, []), (8, 8, [])],
)
def test_consistency_proofs_are_the_published_ones(old: int, new: int, path: list[str]) -> None:
    proof = consistency_proof(LEAVES[:new], old)
    assert [each.hex() for each in proof] == path
    assert verify_consistency(old, new, *unhex(ROOTS[old], ROOTS[new]), proof)


def test_proofs_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(UsageError, match="no leaf 8"):
        inclusion_proof(LEAVES, 8)
    with pytest.raises(UsageError, match="no tree of 9"):
        consistency_proof(LEAVES, 9)


def test_impossible_claims_do_not_verify() -> None:
    roots = unhex(ROOTS[6], ROOTS[8])
    assert not verify_inclusion(LEAVES[0], 8, 8, unhex(A, B, C), roots[1])
    assert not verify_inclusion(LEAVES[0], -1, 8, unhex(A, B, C), roots[1])
    assert not verify_inclusion(LEAVES[0], 0, 8, unhex(A, B, C, A), roots[1])
    assert not verify_consistency(8, 6, roots[1], roots[0], [])
    assert not verify_consistency(6, 8, *roots, [])
    assert not verify_consistency(6, 8, *roots, unhex(F, E, ROOTS[4], A))
    assert not verify_consistency(6, 6, *roots, [])
    assert not verify_consistency(0, 8, *roots, [])
    assert not verify_consistency(0, 8, EMPTY_ROOT, roots[1], unhex(A))


def test_a_frontier_packs_and_unpacks() -> None:
    frontier = Frontier()
    for leaf in LEAVES[:7]:
        frontier.append(leaf)
    again = Frontier.from_bytes(7, frontier.to_bytes())
    again.append(LEAVES[7])
    assert again.root().hex() == ROOTS[8]
    assert [(start, count) for start, count, _ in frontier.subtrees()] == [(0, 4), (4, 2), (6, 1)]
    assert frontier.subtrees()[0][2].hex() == ROOTS[4]


@pytest.mark.parametrize(("size", "packed"), [(-1, b""), (1, b""), (2, bytes(64)), (1, bytes(31))])
def test_a_frontier_that_does_not_fit_is_refused(size: int, packed: bytes) -> None:
    with pytest.raises(UsageError, match="does not fit"):
        Frontier.from_bytes(size, packed)
