"""The keyed functions against their published vectors, and the compiled one against the plain one."""

from __future__ import annotations

import numpy as np
import pytest

from canary.errors import UsageError
from canary.fingerprint import lines, prf
from canary.fingerprint.lines import in_turn
from canary.fingerprint.prf import (
    blocks_of,
    dataset_keys,
    even,
    siphash24,
    siphash24_of_arrays,
    weighted,
    words_of,
)
from canary.native import has_cipher

# Aumasson and Bernstein, SipHash: key 00…0f, messages 00, 00 01, … of 0 to 15 bytes.
VECTORS = """
726fdb47dd0e0e31 74f839c593dc67fd 0d6c8009d9a94f5a 85676696d7fb7e2d cf2794e0277187b7 18765564cd99a68d
cbc9466e58fee3ce ab0200f58b01d137 93f5f5799a932462 9e0082df0ba9e4b0 7a5dbbc594ddb9f3 f4b32f46226bada7
751e8fbc860ee5fb 14ea5627c0843d90 f723ca908e7af2ee a129ca6149be45e5
"""


def column(values):
    return np.frombuffer(b"".join(values), np.uint8), np.cumsum([0, *map(len, values)]).astype(np.int64)


@pytest.mark.parametrize("hashed", [siphash24, siphash24_of_arrays])
def test_siphash_vectors(hashed):
    found = hashed(bytes(range(16)), *column([bytes(range(n)) for n in range(16)]))
    assert [f"{one:016x}" for one in found.tolist()] == VECTORS.split()


def test_siphash_is_the_same_compiled_or_not():
    rng = np.random.default_rng(3)
    data = column([rng.bytes(int(n)) for n in rng.integers(0, 70, 60)])
    key = rng.bytes(16)
    assert (siphash24(key, *data) == siphash24_of_arrays(key, *data)).all()


def test_aes_vector_of_fips_197():
    block = np.frombuffer(bytes.fromhex("00112233445566778899aabbccddeeff"), np.uint8).reshape(1, 16)
    assert words_of(bytes(range(16)), block).tobytes().hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


@pytest.mark.parametrize("native", [True, False])
def test_many_recipients_words_are_those_of_each(monkeypatch, native):
    """In turn, by the processor's AES where it has one: the same as one recipient's by the library."""
    monkeypatch.setattr(prf, "has_cipher", lambda: native and has_cipher())
    monkeypatch.setattr(lines, "_MOST_AT_ONCE", 3)
    rng = np.random.default_rng(5)
    keys = [rng.bytes(16) for _ in range(8)]
    inputs = [blocks_of(rng.integers(0, 2**63, n).astype(np.uint64), n) for n in (1, 40)]
    for mine, buffers in in_turn(keys, inputs):
        for blocks, words in zip(inputs, buffers, strict=True):
            for key, word in zip(keys[mine], words, strict=True):
                assert (word[: blocks.size] == words_of(key, blocks).reshape(-1)).all()
    with pytest.raises(UsageError, match="length"):
        next(in_turn([b"short"], inputs))


def test_words_are_even_and_independent_of_each_other():
    digests = np.arange(20_000, dtype=np.uint64)
    one = words_of(b"k" * 16, blocks_of(digests, 0))
    assert abs(np.corrcoef(one[:, 0], one[:, 1])[0, 1]) < 0.03
    for other in (words_of(b"l" * 16, blocks_of(digests, 0)), words_of(b"k" * 16, blocks_of(digests, 1))):
        assert abs((one[:, 0] == other[:, 0]).mean() - 1 / 256) < 0.002


def test_keys_and_alphabets_are_checked():
    with pytest.raises(UsageError):
        words_of(b"short", blocks_of(np.zeros(1, np.uint64), 0))
    with pytest.raises(UsageError):
        even(257)
    with pytest.raises(UsageError):
        weighted((128, 129))


def test_a_dataset_has_keys_of_its_own_that_do_not_show():
    one, two = dataset_keys(b"s" * 32, "a"), dataset_keys(b"s" * 32, "b")
    assert len({one.digest, one.dither, one.order, two.digest, two.dither, two.order}) == 6
    assert one.digest.hex() not in repr(one)
    assert str(one.digest) not in repr(one)
