"""The words of many recipients by compiled code, with the processor's own AES; compiled code alone imports it."""

from __future__ import annotations

from typing import Final

from canary.native import apart
from canary.operations import cipher, get, put

# The numbers that it is given: the round keys of COUNT recipients, BLOCKS inputs of 16 bytes, and where the words go:
# those of a recipient STRIDE bytes behind those of the last one.
KEYS, COUNT, INPUTS, BLOCKS, WORDS, STRIDE, NUMBERS = range(7)
ROUND_KEYS: Final = 176


@apart
def write_words(st: int) -> None:
    """Encrypt every input under every recipient's key."""
    inputs = get(st, INPUTS)
    for number in range(get(st, COUNT)):
        keys = get(st, KEYS) + ROUND_KEYS * number
        out = get(st, WORDS) + get(st, STRIDE) * number
        for block in range(get(st, BLOCKS)):
            put(out + 16 * block, 0, 0)
            put(out + 16 * block, 1, 0)
            cipher(out + 16 * block, inputs + 16 * block, keys)
