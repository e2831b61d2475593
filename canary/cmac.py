"""AES-CMAC (RFC 4493) of many texts at once: one pass of the cipher over all of them, not a call for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Ints = NDArray[np.int64]

BLOCK = 16
FEW = 256  # texts, up to which a call for each costs less than sorting them by their lengths
_RB = 0x87  # the constant of RFC 4493 for blocks of 128 bits


@dataclass(frozen=True, slots=True)
class CmacKey:
    """A key of AES-CMAC with its two sub-keys: `whole` for a last block that is full, `cut` for one that is not."""

    key: bytes = field(repr=False)
    whole: bytes = field(repr=False)
    cut: bytes = field(repr=False)
    begun: CMAC = field(repr=False, compare=False)  # copied for one text

    @classmethod
    def of(cls, key: bytes) -> CmacKey:
        """Expand a key of 16, 24 or 32 bytes."""
        whole = _doubled(_encrypt(key, bytes(BLOCK)))
        return cls(key, whole, _doubled(whole), CMAC(AES(key)))

    @property
    def expanded(self) -> bytes:
        """Give what compiled code takes: the eleven round keys of a key of 16 bytes, then both sub-keys."""
        return _expanded(self)

    def of_texts(self, texts: Sequence[bytes]) -> Ints:
        """Give the first 64 bits of the tag of each text."""
        import numpy as np

        if len(texts) <= FEW:
            return np.fromiter(map(self.of_text, texts), np.int64, len(texts))
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return self.of_column(b"".join(texts), np.cumsum(lengths) - lengths, lengths)

    def of_text(self, text: bytes) -> int:
        """Give the first 64 bits (little-endian, signed) of the tag of one text."""
        tag = self.begun.copy()
        tag.update(text)
        return int.from_bytes(tag.finalize()[:8], "little", signed=True)

    def of_column(self, text: bytes, starts: Ints, lengths: Ints) -> Ints:
        """Give the first 64 bits (little-endian, signed) of the tag of each stretch of a text."""
        import numpy as np

        data = np.frombuffer(text, np.uint8)
        tags = np.empty(len(starts), np.int64)
        found = np.flatnonzero(np.bincount(lengths)).tolist()
        if len(found) == 1:
            return self._words(_of_one_length(data, starts, found[0]))
        for length in found:
            rows = np.flatnonzero(lengths == length)
            tags[rows] = self._words(_of_one_length(data, starts[rows], length))
        return tags

    def _words(self, texts: Bytes) -> Ints:
        first: Ints = self.tags(texts).view("<i8")[:, 0]
        return first

    def tags(self, texts: Bytes) -> Bytes:
        """Give the tags (n × 16) of texts of one length (n × length)."""
        import numpy as np

        rows, length = texts.shape
        blocks = max(1, -(-length // BLOCK))
        padded = np.zeros((rows, blocks * BLOCK), np.uint8)
        padded[:, :length] = texts
        if length < blocks * BLOCK:
            padded[:, length] = 0x80
        words = padded.view("<u8")  # two a block: long columns of words are mixed at once, short rows are not
        _mix(words[:, -2:], np.frombuffer(self.whole if length == len(padded[0]) else self.cut, "<u8"))
        state = words[:, :2]
        for block in range(blocks):
            mixed = np.ascontiguousarray(words[:, 2 * block : 2 * block + 2])
            if block:
                _mix(mixed, state.T)
            state = np.frombuffer(_encrypt(self.key, mixed.view(np.uint8).data), "<u8").reshape(rows, 2)
        return state.view(np.uint8)


def _mix(words: NDArray[np.uint64], others: Sequence[NDArray[np.uint64]] | NDArray[np.uint64]) -> None:
    """Add both words of blocks (n × 2) to others, bit by bit, in place."""
    words[:, 0] ^= others[0]
    words[:, 1] ^= others[1]


def _of_one_length(data: Bytes, starts: Ints, length: int) -> Bytes:
    """Give texts of one length as rows; those that lie one behind the other need no gathering."""
    import numpy as np

    if bool((np.diff(starts) == length).all()):
        return data[starts[0] : starts[0] + length * len(starts)].reshape(len(starts), length)
    gathered: Bytes = data[starts[:, None] + np.arange(length)]
    return gathered


def _encrypt(key: bytes, blocks: bytes | memoryview) -> bytes:
    # ECB is the bare block cipher here: CMAC does its own chaining, over all texts at once.
    return Cipher(AES(key), ECB()).encryptor().update(blocks)  # noqa: S305


def _doubled(word: bytes) -> bytes:
    """Multiply by x in GF(2^128)."""
    number = int.from_bytes(word, "big") << 1
    if number >> 128:
        number = (number & ((1 << 128) - 1)) ^ _RB
    return number.to_bytes(BLOCK, "big")


@lru_cache(maxsize=64)
def _expanded(key: CmacKey) -> bytes:
    return b"".join(round_keys(key.key)) + key.whole + key.cut


def round_keys(key: bytes) -> list[bytes]:
    """Expand a key of 16 bytes to the eleven round keys of AES-128 (FIPS 197, 5.2)."""
    box = _s_box()
    words = [key[at : at + 4] for at in range(0, 16, 4)]
    constant = 1
    for number in range(4, 44):
        word = words[-1]
        if number % 4 == 0:
            word = bytes(box[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _doubled_byte(constant)
        words.append(bytes(one ^ two for one, two in zip(words[-4], word, strict=True)))
    return [b"".join(words[at : at + 4]) for at in range(0, 44, 4)]


def round_keys_of(keys: Bytes) -> Bytes:
    """Expand many keys of 16 bytes at once, uint8[n, 16]: their round keys one behind another, uint8[n, 176]."""
    import numpy as np

    box = np.frombuffer(_s_box(), np.uint8)
    made = np.empty((44, len(keys), 4), np.uint8)
    made[:4] = keys.reshape(-1, 4, 4).transpose(1, 0, 2)
    constant = 1
    for number in range(4, 44):
        word = made[number - 1]
        if number % 4 == 0:
            word = box[word[:, [1, 2, 3, 0]]]
            word[:, 0] ^= constant
            constant = _doubled_byte(constant)
        np.bitwise_xor(made[number - 4], word, out=made[number])
    return np.ascontiguousarray(made.transpose(1, 0, 2)).reshape(len(keys), 176)


def _doubled_byte(byte: int) -> int:
    """Multiply by x in GF(2^8)."""
    return (byte << 1) ^ (0x11B if byte & 0x80 else 0)


def _s_box() -> bytes:
    """Make the S-box of AES: the inverse in GF(2^8), then the affine map."""
    powers = [1]
    while len(powers) < 255:
        powers.append(powers[-1] ^ _doubled_byte(powers[-1]))  # by 3, which generates the field
    box = bytearray(256)
    for number, byte in enumerate(powers):
        inverse = powers[-number % 255]
        turned = inverse * 0x101
        box[byte] = (inverse ^ turned >> 4 ^ turned >> 5 ^ turned >> 6 ^ turned >> 7 ^ 0x63) & 0xFF
    box[0] = 0x63
    return bytes(box)
