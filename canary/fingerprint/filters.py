"""Row filters: which rows an export held, 8 bits for each anchor value, telling nothing without its key.

A Bloom filter (1970) whose places come from AES under a key of that export alone: whoever has the registry but not
the home's keys can neither ask it about a person nor compare two of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from canary.compiled import Kernel
from canary.fingerprint.columns import Flags
from canary.fingerprint.prf import KEY_BYTES, SLOTS, Bytes, Offsets, Words, blocks_of, words_of

BITS: Final = 8  # for each anchor value
PROBES: Final = 4  # places of a value, one from each four bytes of its word
LEAST: Final = 64  # bits of the smallest filter
_AT_ONCE: Final = 1 << 16


def filter_key(secret: bytes, version: str, sha256_in: str) -> bytes:
    """Derive the key of one export's filter from a sub-key of the home."""
    text = f"canary/rows/1\0{version}\0{sha256_in}".encode()
    return hashlib.blake2b(text, key=secret, digest_size=KEY_BYTES).digest()


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The anchor values of one export; `bits` is packed, uint8[size / 8]."""

    key: bytes = field(repr=False)
    bits: Bytes = field(repr=False)

    @classmethod
    def empty(cls, key: bytes, values: int) -> RowFilter:
        """Make a filter for so many anchor values."""
        return cls(key, np.zeros(max(LEAST, values * BITS + 7) // 8, np.uint8))

    def add(self, digests: Words, anchor: int, which: Flags) -> None:
        """Add the values of one anchor, those that `which` says."""
        for at in range(0, len(digests), _AT_ONCE):
            cut = slice(at, at + _AT_ONCE)
            _set(self._words(digests[cut], anchor), which[cut], self.bits)

    def holds(self, digests: Words, anchor: int) -> Flags:
        """Tell which values were added; another one passes with chance `chance`."""
        found = np.zeros(len(digests), np.bool_)
        for at in range(0, len(digests), _AT_ONCE):
            cut = slice(at, at + _AT_ONCE)
            _look(self._words(digests[cut], anchor), self.bits, found[cut])
        return found

    @property
    def chance(self) -> float:
        """The share of values that pass though they were never added."""
        return float(np.bitwise_count(self.bits).sum() / (8 * len(self.bits))) ** PROBES

    def _words(self, digests: Words, anchor: int) -> Offsets:
        words = words_of(self.key, blocks_of(digests, anchor))
        return words.view("<u4").reshape(-1, SLOTS // 4).astype(np.int64)


def _set_plain(words: Offsets, which: Flags, bits: Bytes) -> None:
    """Set the bits of some values; a place is a word of 32 bits scaled to the size of the filter."""
    size = 8 * len(bits)
    for row in range(len(words)):
        if which[row]:
            for probe in range(4):
                place = (words[row, probe] * size) >> 32
                bits[place >> 3] |= 1 << (place & 7)


def _look_plain(words: Offsets, bits: Bytes, found: Flags) -> None:
    """Tell which values have all their bits set."""
    size = 8 * len(bits)
    for row in range(len(words)):
        there = True
        for probe in range(4):
            place = (words[row, probe] * size) >> 32
            there = there and (bits[place >> 3] >> (place & 7)) & 1 == 1
        found[row] = there


_set = Kernel(_set_plain)
_look = Kernel(_look_plain)
