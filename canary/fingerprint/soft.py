"""Soft tables for numbers: an average of copies, or noise, leaves a value near the recipient's class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from canary.compiled import Kernel
from canary.fingerprint import evidence
from canary.fingerprint.decode import Observations
from canary.fingerprint.evidence import Floats
from canary.fingerprint.lattice import Ints
from canary.fingerprint.lines import in_turn, lay
from canary.fingerprint.plan import Channel, MarkPlan
from canary.fingerprint.prf import GRAIN, SLOTS, Bytes

MOST: Final = 1000  # observations for which everybody's soft tables are looked up


def is_soft(plan: MarkPlan, channel: Channel) -> bool:
    """Tell whether the classes of a channel lie beside each other, so that nearness means something."""
    if not channel.column or plan.column(channel.column).kind not in ("number", "time"):
        return False
    return channel.part == "coarse" or not plan.column(channel.column).base


def soft_tables(plan: MarkPlan) -> dict[int, Floats]:
    """Give, for each soft channel, log2 factors [component, symbol read, symbol of the recipient]."""
    return {
        number: np.stack(
            [evidence.soft_table(channel.alphabet, c, width).log2_ratio for c, width, _ in evidence.AVERAGES]
        )
        for number, channel in enumerate(plan.channels)
        if is_soft(plan, channel)
    }


def soft_part(read: Observations) -> Observations:
    """Choose the observations that soft tables are looked up for: of soft channels, alone of their input."""
    soft = np.array([is_soft(read.plan, channel) for channel in read.plan.channels])
    return read.chosen(np.flatnonzero(soft[read.channel] & read.single)[:MOST])


def log2_soft(read: Observations, keys: Sequence[bytes]) -> Floats:
    """Give log2 of the soft components' part of the mixture for everybody."""
    laid, (table, first) = lay(read), _by_byte(read)
    totals = np.zeros((len(keys), len(evidence.AVERAGES)))
    at = laid.line * SLOTS + laid.byte
    cells = [np.flatnonzero(laid.place == number) for number in range(len(laid.inputs))]
    for mine, buffers in in_turn(keys, laid.inputs):
        for these, words in zip(cells, buffers, strict=True):
            _add(words, at[these], first[these], table, totals[mine])
    weights = np.log2([weight for _, _, weight in evidence.AVERAGES])
    return np.asarray(np.logaddexp2.reduce(totals + weights, axis=1))


def _add_plain(words: Bytes, at: Ints, first: Ints, table: Floats, totals: Floats) -> None:
    """Add up the table's rows that the cells' bytes choose."""
    for row in range(len(words)):
        for cell in range(len(at)):
            entry = first[cell] + words[row, at[cell]]
            for part in range(table.shape[1]):
                totals[row, part] += table[entry, part]


_add = Kernel(_add_plain)


def _by_byte(read: Observations) -> tuple[Floats, NDArray[np.int64]]:
    """Give one table of log2 factors by (channel, symbol, byte), and where each observation's begins."""
    tables, pieces, starts = soft_tables(read.plan), [], {}
    size = 0
    for number, table in tables.items():
        alphabet = read.plan.channels[number].alphabet
        starts[number] = size
        spread = table[:, :, alphabet.table].transpose(1, 2, 0).reshape(-1, len(evidence.AVERAGES))
        pieces.append(spread)
        size += len(spread)
    begins = np.array([starts.get(number, 0) for number in range(len(read.plan.channels))], np.int64)
    return np.concatenate(pieces), begins[read.channel] + read.symbol * GRAIN
