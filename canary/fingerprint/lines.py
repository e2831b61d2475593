"""Observations laid out for scoring: AES blocks with, for each of their bytes, which values agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from canary.compiled import Kernel
from canary.fingerprint.columns import Flags
from canary.fingerprint.decode import Observations
from canary.fingerprint.lattice import Ints
from canary.fingerprint.prf import SLOTS, Bytes, Recipients, blocks_of

_MOST_AT_ONCE = 256  # recipients whose words are compared together
_ROOM = 1 << 20  # bytes of their words: what stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Place:
    """The observations of one (anchor, block): AES inputs, and for each cell its byte and what agrees.

    A byte b of the words agrees where (b − low) mod 256 < count; `of` is each cell's group.
    """

    inputs: Bytes
    at: Ints
    low: Ints
    count: Ints
    of: Ints


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
    at = laid.line * SLOTS + laid.byte
    made = []
    for number, inputs in enumerate(laid.inputs):
        mine = np.flatnonzero(laid.place == number)
        mine = mine[np.argsort(at[mine], kind="stable")]
        made.append(Place(inputs, at[mine], laid.low[mine], laid.count[mine], groups.of[mine]))
    return made


def in_turn(keys: Sequence[bytes], inputs: Sequence[Bytes]) -> Iterator[tuple[slice, list[Bytes]]]:
    """Give the words of some recipients at a time, uint8[recipients, bytes] for each of the inputs."""
    size = max(sum(one.size for one in inputs), 1)
    count = min(_MOST_AT_ONCE, max(1, _ROOM // size))
    buffers = [np.empty((count, one.size + SLOTS), np.uint8) for one in inputs]
    recipients = Recipients(keys)
    for start in range(0, len(keys), count):
        stop = min(start + count, len(keys))
        for one, words in zip(inputs, buffers, strict=True):
            recipients.write(start, stop, one, words)
        yield slice(start, stop), [words[: stop - start] for words in buffers]


def count_hits(keys: Sequence[bytes], places: Sequence[Place], groups: int) -> Ints:
    """Count the agreeing cells of every recipient and group, int64[recipients, groups]."""
    found = np.zeros((len(keys), groups), np.int64)
    for mine, buffers in in_turn(keys, [one.inputs for one in places]):
        for place, words in zip(places, buffers, strict=True):
            _count(words, place.at, place.low, place.count, place.of, found[mine])
    return found


def _count_plain(words: Bytes, at: Ints, low: Ints, count: Ints, of: Ints, found: Ints) -> None:
    """Add up which cells' bytes agree, by group."""
    for row in range(len(words)):
        for cell in range(len(at)):
            if (int(words[row, at[cell]]) - low[cell]) & 255 < count[cell]:
                found[row, of[cell]] += 1


_count = Kernel(_count_plain)


def bytes_of(keys: Sequence[bytes], laid: Laid) -> Bytes:
    """Give each recipient's byte for every observation, uint8[recipients, m]."""
    made = np.empty((len(keys), len(laid.line)), np.uint8)
    at = laid.line * SLOTS + laid.byte
    where = [np.flatnonzero(laid.place == number) for number in range(len(laid.inputs))]
    for mine, buffers in in_turn(keys, laid.inputs):
        for cells, words in zip(where, buffers, strict=True):
            made[mine, cells] = words[:, at[cells]]
    return made


def agreeing(words: Bytes, laid: Laid) -> Flags:
    """Tell which observations agree with each recipient, bool[recipients, m]."""
    return np.asarray(((words.astype(np.int64) - laid.low) % 256) < laid.count)
