"""Invisible characters, where the policy says so: a bonus that every clean-up takes away.

One of four characters that show nothing stands behind the first character of a cell; without one it is an erasure.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from canary.fingerprint.columns import Texts, spliced
from canary.fingerprint.lattice import ERASED, Ints

SIGNS: Final = ("\u200b", "\u200c", "\u200d", "\u2060")


def read_invisible(texts: Texts) -> Ints:
    """Give which of the four characters stands in each cell, int64[n, 1]; −1 for none or several kinds."""
    found = np.full((len(texts), 1), ERASED, np.int64)
    hinted = np.flatnonzero(np.diff(np.concatenate([[0], np.cumsum(texts.data == 0xE2)])[texts.offsets]))
    for row in hinted.tolist():
        text = texts.text(row)
        there = [number for number, sign in enumerate(SIGNS) if sign in text]
        found[row, 0] = there[0] if len(there) == 1 else ERASED
    return found


def write_invisible(texts: Texts, targets: Ints) -> Texts:
    """Give the column with the target's character behind the first one of each cell that has none yet."""
    rows = [
        row
        for row in np.flatnonzero((targets[:, 0] >= 0) & texts.filled).tolist()
        if not any(sign in texts.text(row) for sign in SIGNS)
    ]
    made = [texts.text(row)[0] + SIGNS[int(targets[row, 0])] + texts.text(row)[1:] for row in rows]
    return spliced(texts, np.array(rows, np.int64), [text.encode() for text in made])
