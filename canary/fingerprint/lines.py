"""Observations laid out for scoring: AES blocks with, for each of their bytes, which values agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from canary.fingerprint.columns import Flags
from canary.fingerprint.decode import Observations
from canary.fingerprint.lattice import Ints
from canary.fingerprint.prf import SLOTS, Bytes, blocks_of, ciphers_of


@dataclass(frozen=True, slots=True)
class Place:
    """The observations of one (anchor, block): AES inputs, and for each cell its byte and what agrees.

    A byte b of the words agrees where (b − low) mod 256 < count; `groups` are (group, start, end) of the cells.
    """

    inputs: Bytes
    at: Ints
    low: Bytes
    count: Bytes
    groups: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """Observations by channel and chance: `reads` of each group, `counts` (chance · 256), `channel`."""

    of: Ints
    reads: Ints
    counts: Ints
    channel: Ints


def group(read: Observations) -> Groups:
    """Group observations whose symbols have one chance and one channel."""
    keys = read.channel * 256 + read.counts()
    names, of = np.unique(keys, return_inverse=True)
    of = of.reshape(-1)
    return Groups(of, np.bincount(of, minlength=len(names)), names % 256, names // 256)


@dataclass(frozen=True, slots=True)
class Laid:
    """Where each observation stands: its anchor and block, AES input and byte, and the bytes that agree."""

    place: Ints
    line: Ints
    byte: Ints
    low: Ints
    count: Ints
    inputs: tuple[Bytes, ...]


def lay(read: Observations) -> Laid:
    """Lay observations out; two symbols read of one input stand on two lines."""
    channels = read.plan.channels
    slots = np.array([channel.slot for channel in channels], np.int64)[read.channel]
    places, place = np.unique(read.anchor * 256 + slots // SLOTS, return_inverse=True)
    place = place.reshape(-1)
    again = _rank(read)
    line, inputs = np.zeros(len(read), np.int64), []
    for number, name in enumerate(places.tolist()):
        mine = np.flatnonzero(place == number)
        pairs = np.stack([read.digest[mine], again[mine].astype(np.uint64)], axis=1)
        unique, where = np.unique(pairs, axis=0, return_inverse=True)
        line[mine] = where.reshape(-1)
        inputs.append(blocks_of(unique[:, 0], name // 256, name % 256))
    low = np.zeros(len(read), np.int64)
    for number, channel in enumerate(channels):
        mine = read.channel == number
        low[mine] = channel.alphabet.starts[read.symbol[mine]]
    return Laid(place, line, slots % SLOTS, low, read.counts(), tuple(inputs))


def _rank(read: Observations) -> Ints:
    """Number the symbols read of one input 0, 1, 2 …; those of one input stand side by side."""
    fresh = np.ones(len(read), np.bool_)
    for key in (read.anchor, read.digest, read.channel):
        same = key[1:] == key[:-1]
        fresh[1:] = ~same if key is read.anchor else fresh[1:] | ~same
    starts = np.flatnonzero(fresh)
    return np.arange(len(read)) - np.repeat(starts, np.diff(np.concatenate([starts, [len(read)]])))


def places_of(read: Observations, groups: Groups) -> list[Place]:
    """Give the places of observations, ready to be compared with words."""
    laid = lay(read)
    made = []
    for number, inputs in enumerate(laid.inputs):
        mine = np.flatnonzero(laid.place == number)
        mine = mine[np.argsort(groups.of[mine], kind="stable")]
        names, starts = np.unique(groups.of[mine], return_index=True)
        ends = [*starts[1:].tolist(), len(mine)]
        made.append(
            Place(
                inputs,
                laid.line[mine] * SLOTS + laid.byte[mine],
                laid.low[mine].astype(np.uint8),
                laid.count[mine].astype(np.uint8),
                tuple(zip(names.tolist(), starts.tolist(), ends, strict=True)),
            )
        )
    return made


def count_hits(keys: Sequence[bytes], places: Sequence[Place], groups: int) -> Ints:
    """Count the agreeing cells of every recipient and group, int64[recipients, groups]."""
    found = np.zeros((len(keys), groups), np.int64)
    buffers = [
        (
            np.empty(one.inputs.size + SLOTS, np.uint8),
            np.empty(len(one.at), np.uint8),
            np.empty(len(one.at), np.bool_),
        )
        for one in places
    ]
    for number, cipher in enumerate(ciphers_of(keys)):
        mine = found[number]
        for place, (word, byte, agree) in zip(places, buffers, strict=True):
            cipher(place.inputs, word)
            word.take(place.at, out=byte, mode="clip")
            np.subtract(byte, place.low, out=byte)
            np.less(byte, place.count, out=agree)
            for one, start, end in place.groups:
                mine[one] += np.count_nonzero(agree[start:end])
    return found


def bytes_of(keys: Sequence[bytes], laid: Laid) -> Bytes:
    """Give each recipient's byte for every observation, uint8[recipients, m]."""
    made = np.empty((len(keys), len(laid.line)), np.uint8)
    where = [np.flatnonzero(laid.place == number) for number in range(len(laid.inputs))]
    for number, cipher in enumerate(ciphers_of(keys)):
        for mine, inputs in zip(where, laid.inputs, strict=True):
            word = np.empty(inputs.size + SLOTS, np.uint8)
            cipher(inputs, word)
            made[number, mine] = word[laid.line[mine] * SLOTS + laid.byte[mine]]
    return made


def agreeing(words: Bytes, laid: Laid) -> Flags:
    """Tell which observations agree with each recipient, bool[recipients, m]."""
    return np.asarray(((words.astype(np.int64) - laid.low) % 256) < laid.count)
