"""AES-CMAC against the vectors of RFC 4493, and many texts against one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from canary.cmac import FEW, CmacKey, round_keys, round_keys_of

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
VECTORS = {
    0: "bb1d6929e95937287fa37d129b756746",
    16: "070a16b46b4d4144f79bdd9dd04a287c",
    40: "dfa66747de9ae63030ca32611497c827",
    64: "51f0bebf7e3b9d92fc49741779363cfe",
}


@pytest.mark.parametrize(("length", "tag"), VECTORS.items())
def test_the_vectors_of_the_rfc(length, tag):
    texts = np.frombuffer(MESSAGE[:length], np.uint8).reshape(1, length)
    assert CmacKey.of(KEY).tags(texts).tobytes().hex() == tag


@given(st.binary(min_size=16, max_size=16), st.lists(st.binary(max_size=70), max_size=30))
def test_many_texts_get_the_tags_that_each_has_alone(key, texts):
    def alone(text):
        mac = CMAC(AES(key))
        mac.update(text)
        return int.from_bytes(mac.finalize()[:8], "little", signed=True)

    tags = [alone(text) for text in texts]
    assert CmacKey.of(key).of_texts(texts).tolist() == tags
    times = FEW // max(1, len(texts)) + 1
    assert CmacKey.of(key).of_texts(texts * times).tolist() == tags * times


def test_a_key_is_not_shown():
    assert KEY.hex() not in repr(CmacKey.of(KEY))
    assert repr(KEY) not in repr(CmacKey.of(KEY))


def test_many_keys_are_expanded_as_each_is_alone():
    """Among them the key of FIPS 197, A.1, whose last round key it gives."""
    keys = [bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), bytes(16), bytes(range(240, 256))]
    found = round_keys_of(np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16))
    assert [row.tobytes() for row in found] == [b"".join(round_keys(key)) for key in keys]
    assert found[0, 160:].tobytes().hex() == "d014f9a8c9ee2589e13f0cc8b6630ca6"
