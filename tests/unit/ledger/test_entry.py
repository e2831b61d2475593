"""Entries in canonical form, and commitments that open for what was committed alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from canary.errors import UsageError
from canary.ledger.entry import (
    canary_leaf,
    canary_opening,
    canary_root,
    canonical_json,
    commit_key,
    make_entry,
    padded,
    padding,
)
from canary.ledger.merkle import inclusion_proof, verify_inclusion
from canary.model.canary import Canary, CanaryField

SALT = bytes(range(16))
FIELD = CanaryField("phone", "电话", "138 0013 8000", "13800138000", 17.5, shared=True)
CANARY = Canary("c-1", "acme", "waybills", "waybill", (FIELD,), {"电话": "138 0013 8000", "备注": None})


def test_canonical_json_is_sorted_compact_and_readable() -> None:
    value = {"b": [1, 2.5, True, None], "a": "运单\n", "c": {"z": "", "y": -0.1}}
    assert canonical_json(value).decode() == '{"a":"运单\\n","b":[1,2.5,true,null],"c":{"y":-0.1,"z":""}}'


def test_lone_surrogates_are_escaped_and_come_back() -> None:
    text = canonical_json({"path": "报表\udc80.csv"})
    assert text.decode() == '{"path":"报表\\udc80.csv"}'
    assert json.loads(text) == {"path": "报表\udc80.csv"}


@pytest.mark.parametrize(
    "value", [{"a": b"x"}, {"a": float("nan")}, {"a": float("inf")}, {1: 2, "a": 3}, {"a": {1}}]
)
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="not a JSON value"):
        canonical_json(value)


def test_an_entry_says_kind_place_time_and_nonce() -> None:
    entry = json.loads(make_entry("release", {"release": "r-1"}, 1_700_000_000_000, bytes(16), 4))
    assert entry == {
        "body": {"release": "r-1"},
        "index": 4,
        "kind": "release",
        "nonce": "00" * 16,
        "time_ms": 1_700_000_000_000,
    }
    with pytest.raises(UsageError, match="nonce of 8 bytes"):
        make_entry("release", {}, 0, bytes(8), 0)


def test_a_key_commitment_binds_salt_and_key() -> None:
    key = bytes(16)
    assert commit_key(SALT, key) == hashlib.sha256(b"canary/mark-key/1\0" + SALT + key).digest()
    assert len({commit_key(SALT, key), commit_key(bytes(16), key), commit_key(SALT, SALT)}) == 3
    with pytest.raises(UsageError, match="salt of 3 bytes"):
        commit_key(b"abc", key)


def test_a_canary_leaf_binds_every_part_of_the_canary() -> None:
    others = [
        replace(CANARY, id="c-2"),
        replace(CANARY, recipient="other"),
        replace(CANARY, dataset="other"),
        replace(CANARY, kind="order"),
        replace(CANARY, control=True),
        replace(CANARY, fields=(replace(FIELD, bits=18.0),)),
        replace(CANARY, row={"备注": None, "电话": "138 0013 8000"}),
    ]
    leaves = {canary_leaf(SALT, canary_opening(each)) for each in [CANARY, *others]}
    assert len(leaves) == len(others) + 1
    assert canary_leaf(bytes(16), canary_opening(CANARY)) not in leaves


def test_what_happens_after_issue_does_not_change_the_leaf() -> None:
    assert canary_opening(replace(CANARY, burned_ms=5)) == canary_opening(CANARY)


@pytest.mark.parametrize(("count", "size"), [(0, 8), (1, 8), (8, 8), (9, 16), (16, 16), (17, 32)])
def test_leaves_are_padded_to_a_power_of_two(count: int, size: int) -> None:
    leaves = [bytes([number]) * 32 for number in range(count)]
    whole = padded(leaves, padding(b"secret", "r-1"))
    assert len(whole) == size
    assert whole[:count] == leaves
    assert len(set(whole)) == size


def test_padding_comes_back_for_its_release_and_no_other() -> None:
    first, again, other = (padding(b"secret", each)(3) for each in ("r-1", "r-1", "r-2"))
    assert first == again != other
    assert padding(b"other", "r-1")(3) != first


def test_padding_that_is_no_hash_is_refused() -> None:
    with pytest.raises(UsageError, match="not a hash"):
        padded([], lambda place: b"short")


def test_a_canary_is_shown_to_be_in_the_release_root() -> None:
    pad = padding(b"secret", "r-1")
    leaves = [canary_leaf(bytes([number] * 16), canary_opening(CANARY)) for number in range(3)]
    whole = padded(leaves, pad)
    proof = inclusion_proof(whole, 2)
    assert verify_inclusion(leaves[2], 2, 8, proof, canary_root(leaves, pad))
