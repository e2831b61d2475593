"""The keyed functions of the fingerprint: SipHash-2-4 over columns, AES-128 over digests, symbols from bytes.

A value is digested with the dataset's key (SipHash-2-4, Aumasson and Bernstein 2012); a recipient's word for a
digest is one AES-128 block under its random key (FIPS 197), sixteen bytes, each of which serves one cell. The
bound rests on AES alone: values whose digests collide are one input and count once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from canary.cmac import round_keys_of
from canary.errors import UsageError
from canary.native import Entry, has_cipher, is_native

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Offsets = NDArray[np.int64]

KEY_BYTES: Final = 16
SLOTS: Final = 16  # cells that one block serves, a byte each
GRAIN: Final = 256  # chances of symbols are multiples of 1/256, so that they are exact
_START: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
CODE, PHONE, ANY = range(3)  # what a value that is digested is to be, as `digestwide` has it
EMPTY, GOOD, UNSURE = range(3)
_CHUNK = 8192  # values that stay in the processor's cache together

_write_words = Entry("canary.fingerprint.wordswide", "write_words", 1, ("wordswide.py",))
_digest_column = Entry("canary.fingerprint.digestwide", "digest_column", 1, ("digestwide.py",))


@dataclass(frozen=True, slots=False)
class DatasetKeys:
    """The secrets of one dataset: how values are digested and how classes are dithered; never printed."""

    digest: bytes
    dither: bytes
    order: bytes

    def __repr__(self) -> str:
        return "DatasetKeys(…)"


def dataset_keys(secret: bytes, dataset: str) -> DatasetKeys:
    """Derive a dataset's keys from a sub-key of the home (32 bytes)."""

    def derive(purpose: str) -> bytes:
        text = f"canary/marks/1\0{purpose}\0{dataset}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=secret, digest_size=KEY_BYTES).digest()

    return DatasetKeys(derive("digest"), derive("dither"), derive("order"))


def siphash24(key: bytes, data: Bytes, offsets: Offsets) -> Words:
    """Give SipHash-2-4 of every value of a column (flat bytes and n + 1 offsets) under a 16-byte key, uint64[n]."""
    if is_native():
        return digested(key, data, offsets, ANY)[0]
    return siphash24_of_arrays(key, data, offsets)


def digested(key: bytes, data: Bytes, offsets: Offsets, kind: int) -> tuple[Words, Bytes]:
    """Give SipHash-2-4 of every value by compiled code, and the state of each: EMPTY, GOOD or UNSURE.

    A code or a phone is GOOD where it is canonical as it stands, and UNSURE where that is for others to tell.
    """
    count = len(offsets) - 1
    made, states = np.empty(count, np.uint64), np.empty(count, np.uint8)
    data, offsets = np.ascontiguousarray(data), np.ascontiguousarray(offsets)
    places = [each.ctypes.data for each in (data, offsets, np.frombuffer(key, np.uint8), made, states)]
    numbers = np.array([*places[:2], count, len(data), kind, *places[2:]], np.int64)
    _digest_column(numbers.ctypes.data)
    return made, states


def siphash24_of_arrays(key: bytes, data: Bytes, offsets: Offsets) -> Words:
    """Give the same as siphash24 by array operations, where nothing is compiled."""
    lengths = np.diff(offsets)
    found = np.empty(len(lengths), np.uint64)
    padded = np.concatenate([data, np.zeros(8, np.uint8)])
    for count in np.unique(lengths >> 3).tolist():
        rows = np.flatnonzero((lengths >> 3) == count)
        for at in range(0, len(rows), _CHUNK):
            some = rows[at : at + _CHUNK]
            found[some] = _siphash_same(key, padded, offsets[some], lengths[some], count)
    return found


def _siphash_same(key: bytes, data: Bytes, starts: Offsets, lengths: Offsets, words: int) -> Words:
    """Hash values that all have `words` whole words."""
    k = np.frombuffer(key, "<u8")
    v = [np.full(len(starts), int(k[i & 1]) ^ _START[i], np.uint64) for i in range(4)]
    last = _tail(data, starts + 8 * words, lengths & 7) | (
        (lengths & 0xFF).astype(np.uint64) << np.uint64(56)
    )
    for number in range(words + 1):
        word = _word(data, starts + 8 * number) if number < words else last
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= np.uint64(0xFF)
    _rounds(v, 4)
    return np.asarray(v[0] ^ v[1] ^ v[2] ^ v[3])


def _word(data: Bytes, at: Offsets) -> Words:
    """Give the eight bytes from each place on, little-endian."""
    windows = np.lib.stride_tricks.sliding_window_view(data, 8)
    return np.ascontiguousarray(windows[at]).view("<u8")[:, 0]


def _tail(data: Bytes, at: Offsets, left: Offsets) -> Words:
    shift = (64 - 8 * left).astype(np.uint64)
    word = _word(data, at)
    return np.where(left == 0, np.uint64(0), (word << (shift & np.uint64(63))) >> (shift & np.uint64(63)))


def _rounds(v: list[Words], count: int) -> None:
    for _ in range(count):
        _half(v, 0, 1, 13, 32)
        _half(v, 2, 3, 16, 0)
        _half(v, 0, 3, 21, 0)
        _half(v, 2, 1, 17, 32)


def _half(v: list[Words], a: int, b: int, turn: int, after: int) -> None:
    v[a] += v[b]
    v[b] = _rotated(v[b], turn)
    v[b] ^= v[a]
    if after:
        v[a] = _rotated(v[a], after)


def _rotated(word: Words, by: int) -> Words:
    turned = word << np.uint64(by)
    turned |= word >> np.uint64(64 - by)
    return turned


def blocks_of(digests: Words, anchor: int, number: int = 0) -> Bytes:
    """Give the AES input of each digest, uint8[n, 16]: the digest, the anchor's number, the block's number."""
    made = np.empty((len(digests), 2), "<u8")
    made[:, 0] = digests
    made[:, 1] = anchor << 8 | number
    return made.view(np.uint8).reshape(len(digests), SLOTS)


def words_of(key: bytes, blocks: Bytes) -> Bytes:
    """Give the word of one recipient for each block, uint8[n, 16]: AES-128 of the block under its key."""
    out = np.empty(blocks.size + SLOTS, np.uint8)
    if blocks.size:
        next(ciphers_of([key]))(np.ascontiguousarray(blocks), out)
    return out[: blocks.size].reshape(-1, SLOTS)


Cipher = Callable[[Bytes, Bytes], object]


def ciphers_of(keys: Iterable[bytes]) -> Iterator[Cipher]:
    """Give AES-128 under each key: it writes contiguous blocks into an array that is 16 bytes longer.

    UsageError on a key of another length.
    """
    from cryptography.hazmat.primitives import ciphers
    from cryptography.hazmat.primitives.ciphers.algorithms import AES128
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    mode = ECB()  # noqa: S305 - single blocks of a keyed function, nothing is kept secret by them
    for key in keys:
        if len(key) != KEY_BYTES:
            raise UsageError(f"a recipient's mark key has {len(key)} bytes", f"draw {KEY_BYTES} random bytes")
        yield cast("Cipher", ciphers.Cipher(AES128(key), mode).encryptor().update_into)


class Recipients:
    """Recipients whose words are asked for: their keys are expanded once."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys
        if any(len(key) != KEY_BYTES for key in keys):
            raise UsageError("a recipient's mark key has another length", f"draw {KEY_BYTES} random bytes")
        self._expanded = None
        if has_cipher():
            self._expanded = round_keys_of(np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES))

    def write(self, start: int, stop: int, blocks: Bytes, words: Bytes) -> None:
        """Write the words of recipients from one number to another, uint8[n, 16 more than the bytes of the blocks]."""
        if self._expanded is None:
            for row, cipher in enumerate(ciphers_of(self._keys[start:stop])):
                cipher(blocks, words[row])
            return
        blocks = np.ascontiguousarray(blocks)
        places = self._expanded[start:].ctypes.data, blocks.ctypes.data, words.ctypes.data
        own = [places[0], stop - start, places[1], blocks.size // SLOTS, places[2], words.strides[0]]
        numbers = np.array(own, np.int64)  # is named, so that it stands until the call is over
        _write_words(numbers.ctypes.data)


@dataclass(frozen=True)
class Alphabet:
    """The symbols a byte of a word gives: symbol x stands for `counts[x]` consecutive bytes from `starts[x]` on."""

    counts: tuple[int, ...]

    @property
    def q(self) -> int:
        """The number of symbols."""
        return len(self.counts)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first byte of each symbol."""
        return np.concatenate([[0], np.cumsum(self.counts)[:-1]]).astype(np.int64)

    @cached_property
    def table(self) -> Bytes:
        """The symbol of each byte, uint8[256]."""
        return np.repeat(np.arange(self.q), self.counts).astype(np.uint8)

    @cached_property
    def chances(self) -> NDArray[np.float64]:
        """The exact chance of each symbol."""
        return np.array(self.counts, np.float64) / GRAIN


@lru_cache(maxsize=512)
def even(q: int) -> Alphabet:
    """Give the alphabet of q symbols (2 to 256), as even as bytes allow; their chances sum to 1 exactly."""
    if not 2 <= q <= GRAIN:
        raise UsageError(f"an alphabet of {q} symbols", "use 2 to 256")
    share, rest = divmod(GRAIN, q)
    return Alphabet(tuple(share + (x < rest) for x in range(q)))


@lru_cache(maxsize=512)
def weighted(counts: tuple[int, ...]) -> Alphabet:
    """Give an alphabet with chances counts/256; every count is from 1 to 255 and they sum to 256."""
    if sum(counts) != GRAIN or not all(0 < count < GRAIN for count in counts):
        raise UsageError("the chances of an alphabet do not sum to 256", "give counts from 1 to 255")
    return Alphabet(counts)
