"""Frontier and proofs agree with a naive tree written straight from RFC 6962, for every size and place."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from canary.ledger.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

sizes = st.integers(min_value=1, max_value=70)


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]


def naive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def changed(hash_: bytes) -> bytes:
    return bytes([hash_[0] ^ 1]) + hash_[1:]


@given(size=sizes)
def test_the_frontier_has_the_root_of_the_naive_tree(size: int) -> None:
    leaves = leaves_of(size)
    assert root_of(leaves) == naive_root(leaves)


@given(size=sizes, cut=st.integers(min_value=0, max_value=70))
def test_a_frontier_grows_on_after_packing(size: int, cut: int) -> None:
    leaves = leaves_of(size)
    first = Frontier()
    for leaf in leaves[: min(cut, size)]:
        first.append(leaf)
    again = Frontier.from_bytes(first.size, first.to_bytes())
    for leaf in leaves[first.size :]:
        again.append(leaf)
    assert again.root() == naive_root(leaves)


@given(size=sizes, data=st.data())
def test_inclusion_proofs_verify_and_nothing_else_does(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    proof, root = inclusion_proof(leaves, index), naive_root(leaves)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert not verify_inclusion(changed(leaves[index]), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, proof, changed(root))
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    other = data.draw(st.integers(min_value=0, max_value=size - 1))
    assert verify_inclusion(leaves[index], other, size, proof, root) == (other == index)
    if proof:
        broken = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
        bad = [changed(each) if place == broken else each for place, each in enumerate(proof)]
        assert not verify_inclusion(leaves[index], index, size, bad, root)
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)


@given(new=sizes, data=st.data())
def test_consistency_proofs_verify_and_nothing_else_does(new: int, data: st.DataObject) -> None:
    leaves = leaves_of(new)
    old = data.draw(st.integers(min_value=1, max_value=new))
    proof, roots = consistency_proof(leaves, old), (naive_root(leaves[:old]), naive_root(leaves))
    assert verify_consistency(old, new, *roots, proof)
    assert not verify_consistency(old, new, changed(roots[0]), roots[1], proof)
    assert not verify_consistency(old, new, roots[0], changed(roots[1]), proof)
    if proof:
        broken = data.draw(st.integers(min_value=0, max_value=len(proof) - 1))
        bad = [changed(each) if place == broken else each for place, each in enumerate(proof)]
        assert not verify_consistency(old, new, *roots, bad)
        assert not verify_consistency(old, new, *roots, proof[:-1])
