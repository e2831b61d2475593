"""Group canaries: fake rows that some recipients have in common, so that they outlive a comparison of copies.

Whether u has the canary g is a symbol of the keyed function like every mark: PRF(u, g), with chance 1/4, never
balanced and never by hand. A group canary in a leak is a biased binary cell that reads 1; one that is absent says
nothing, since the leaker chooses what stays. Who has all of those found, or most of them, is no question here:
docs/fingerprint.md says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from canary.fingerprint.columns import Flags, texts_of
from canary.fingerprint.decode import Observations, in_order
from canary.fingerprint.plan import Channel, MarkPlan
from canary.fingerprint.prf import (
    GRAIN,
    KEY_BYTES,
    DatasetKeys,
    Words,
    blocks_of,
    dataset_keys,
    siphash24,
    words_of,
)

MEMBERS: Final = 64  # of 256: a quarter of all recipients have a group canary
ANCHOR: Final = 255  # of the keyed function's input; a plan's own anchors are 0, 1 and 2
PART: Final = "group"
CHANNEL: Final = Channel("", PART, ANCHOR, 0, 2, (GRAIN - MEMBERS, MEMBERS))


def pool_size(canaries: int, share: float) -> int:
    """Give how many group canaries a table needs for this share of a copy's canaries to be such, on average."""
    return round(canaries * share * GRAIN / MEMBERS)


def digests_of(secret: bytes, canaries: Sequence[str]) -> Words:
    """Digest the ids of group canaries, uint64[n], under a key of the home."""
    key = hashlib.blake2b(b"canary/groups/1", key=secret, digest_size=KEY_BYTES).digest()
    texts = texts_of(list(canaries))
    return siphash24(key, texts.data, texts.offsets)


def members_of(secret: bytes, key: bytes, canaries: Sequence[str]) -> Flags:
    """Tell which group canaries the recipient with this 16-byte key has."""
    words = words_of(key, blocks_of(digests_of(secret, canaries), CHANNEL.anchor, CHANNEL.block))
    return np.asarray(CHANNEL.alphabet.table[words[:, CHANNEL.slot]] == 1)


def observed(secret: bytes, canaries: Sequence[str]) -> Observations:
    """Give the observations of the group canaries that stand in a leak: each once, a row of its own, and present."""
    ids = sorted(set(canaries))
    count = len(ids)
    plan = MarkPlan("", (), (), (CHANNEL,))
    read = Observations(
        plan, digests_of(secret, ids), np.full(count, CHANNEL.anchor), np.zeros(count, np.int64),
        np.ones(count, np.int64), np.arange(count), np.ones(count, np.bool_),
    )  # fmt: skip
    return in_order(read, _order(secret))


def _order(secret: bytes) -> DatasetKeys:
    return dataset_keys(secret, "")


def beside(read: Observations, groups: Observations) -> Observations:
    """Put what group canaries say before what the marks of one leak say; their inputs never coincide."""
    if not len(groups):
        return read
    number = len(read.plan.channels)
    return Observations(
        plan=replace(read.plan, channels=(*read.plan.channels, CHANNEL)),
        digest=np.concatenate([groups.digest, read.digest]),
        anchor=np.concatenate([groups.anchor, read.anchor]),
        channel=np.concatenate([groups.channel + number, read.channel]),
        symbol=np.concatenate([groups.symbol, read.symbol]),
        row=np.concatenate([groups.row + read.rows, read.row]),
        single=np.concatenate([groups.single, read.single]),
        rows=read.rows,
        recognised=read.recognised,
    )
