"""Surrogate keys: in place of an internal number stands a pseudonym of 40 bits, another one for each recipient.

Each of its five bytes is a symbol of its own with q = 256, so that one row names. The pseudonym belongs to the
value of the anchor that serves the column, not to the number it replaces.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from canary.fingerprint.columns import Texts, spliced
from canary.fingerprint.lattice import ERASED, Ints

PARTS: Final = 5
_WIDTH = 8
_SIGNS: Final = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32


def read_surrogates(texts: Texts) -> Ints:
    """Give the five bytes of each pseudonym, int64[n, 5], −1 where a cell is none."""
    values = np.full(256, ERASED, np.int64)
    for value, sign in enumerate(_SIGNS):
        values[[sign, ord(chr(sign).lower())]] = value
    found = np.full((len(texts), PARTS), ERASED, np.int64)
    rows = np.flatnonzero(texts.lengths == _WIDTH)
    if len(rows):
        digits = values[texts.data[texts.offsets[rows][:, None] + np.arange(_WIDTH)]]
        whole = digits @ (1 << np.arange(35, -1, -5))
        split = whole[:, None] >> np.arange(32, -1, -8) & 255
        found[rows] = np.where((digits >= 0).all(axis=1)[:, None], split, ERASED)
    return found


def write_surrogates(texts: Texts, targets: Ints) -> Texts:
    """Give the column with a pseudonym in each filled row whose five bytes are known."""
    rows = np.flatnonzero((targets >= 0).all(axis=1) & texts.filled)
    whole = targets[rows] @ (1 << np.arange(32, -1, -8))
    signs = np.frombuffer(_SIGNS, np.uint8)[whole[:, None] >> np.arange(35, -1, -5) & 31]
    return spliced(texts, rows, [row.tobytes() for row in signs])
