"""What a leak says: each pair of an input of the keyed function and a symbol read of it, once.

Nothing here looks at a recipient's key: which cells are read, erased or left out, and in which order, follows from
the leak, the plan and the dataset's keys alone. The bound needs just that (docs/fingerprint.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.fingerprint import codec
from canary.fingerprint.anchors import Anchored
from canary.fingerprint.columns import Column, Flags, Texts, texts_of
from canary.fingerprint.embed import block_inputs, to_symbol
from canary.fingerprint.lattice import ERASED, Ints
from canary.fingerprint.learn import digests_of
from canary.fingerprint.plan import MarkPlan
from canary.fingerprint.prf import DatasetKeys, Words, blocks_of, words_of

CONSTANT = 0.9  # share of one spelling from which an axis was made uniform: dither leaves each at most half
_ENOUGH = 40


@dataclass(frozen=True, slots=True)
class Observations:
    """Symbols read from a leak, m of them, in keyed order, those of one input side by side.

    `digest`, `anchor` and `channel` are the input of the keyed function, `symbol` what was read, `row` the row of the
    leak it was read from first, `single` whether this input showed one symbol alone. `rows` counts the
    leak's rows, `recognised` those with at least one anchor.
    """

    plan: MarkPlan
    digest: Words
    anchor: Ints
    channel: Ints
    symbol: Ints
    row: Ints
    single: Flags
    rows: int = 0
    recognised: int = 0

    def __len__(self) -> int:
        return len(self.digest)

    def chosen(self, which: Flags | Ints | slice) -> Observations:
        """Give some of the observations."""
        return Observations(
            self.plan, self.digest[which], self.anchor[which], self.channel[which], self.symbol[which],
            self.row[which], self.single[which], self.rows, self.recognised,
        )  # fmt: skip

    def counts(self) -> Ints:
        """Give the number of byte values, of 256, that stand for each observed symbol."""
        made = np.zeros(len(self), np.int64)
        for number, channel in enumerate(self.plan.channels):
            mine = self.channel == number
            made[mine] = np.array(channel.alphabet.counts)[self.symbol[mine]]
        return made


Once = Callable[[Observations], Observations]


def counted_once(read: Observations) -> Observations:
    """Keep the first of each (input, symbol), whatever rows repeat it."""
    order = np.lexsort((read.row, read.symbol, read.channel, read.digest, read.anchor))
    ranked = read.chosen(order)
    return ranked.chosen(_first(ranked.anchor, ranked.digest, ranked.channel, ranked.symbol))


def _first(*keys: NDArray[np.generic]) -> Flags:
    """Tell which entries of sorted keys differ from the one before."""
    differ = np.ones(len(keys[0]), np.bool_)
    if len(differ):
        differ[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return differ


def read_marks(
    plan: MarkPlan, keys: DatasetKeys, columns: Mapping[str, Column], once: Once = counted_once
) -> Observations:
    """Read the marks of a leaked table whose columns are named as the plan names them; missing ones are erased.

    `columns` are of one length; `once` is replaced by tests alone.
    """
    return read_anchored(plan, keys, *flattened(plan, keys, columns), once)


def flattened(
    plan: MarkPlan, keys: DatasetKeys, columns: Mapping[str, Column]
) -> tuple[dict[str, Texts], list[Anchored | None]]:
    """Give what `read_anchored` reads: the plan's columns as flat bytes, and the digests of its anchors."""
    flat = {heading: texts_of(columns[heading]) for heading in plan.headings if heading in columns}
    return flat, digests_of(plan, keys, flat)


def read_anchored(
    plan: MarkPlan,
    keys: DatasetKeys,
    flat: Mapping[str, Texts],
    anchors: Sequence[Anchored | None],
    once: Once = counted_once,
) -> Observations:
    """Read the marks of a leaked table whose anchors are digested already."""
    rows = len(next(iter(flat.values()))) if flat else 0
    dithers = {place: words_of(keys.dither, made) for place, made in block_inputs(plan, anchors).items()}
    classes = {c.heading: codec.read(c, flat[c.heading]) for c in plan.columns if c.heading in flat}
    found, known = [], _with_anchor(anchors, rows)
    for number, channel in enumerate(plan.channels):
        anchored, place = anchors[channel.anchor], (channel.anchor, channel.block)
        if anchored is None or (channel.column and channel.column not in classes):
            continue
        if channel.column:
            part = codec.parts_of(plan.column(channel.column)).index(channel.part)
            seen = _erased(plan, channel.column, classes[channel.column][:, part], known)
            symbols = to_symbol(channel, seen, dithers[place][:, channel.slot % 16])
        else:
            symbols = np.ones(rows, np.int64)  # the row is here: it was not left out
        there = np.flatnonzero(anchored.valid & (symbols >= 0))
        found.append((anchored.digests[there], np.full(len(there), number), symbols[there], there))
    return _arranged(plan, keys, found, once, rows, int(known.sum()))


def _with_anchor(anchors: Sequence[Anchored | None], rows: int) -> Flags:
    """Tell which rows have any anchor."""
    known = np.zeros(rows, np.bool_)
    for anchored in anchors:
        if anchored is not None:
            known |= anchored.valid
    return known


def _erased(plan: MarkPlan, heading: str, classes: Ints, known: Flags) -> Ints:
    """Erase an axis of spellings that somebody made uniform in the rows that have an anchor."""
    there = classes[known & (classes >= 0)]
    if plan.column(heading).kind != "text" or len(there) < _ENOUGH:
        return classes
    uniform = np.bincount(there).max() >= CONSTANT * len(there)
    return np.full_like(classes, ERASED) if uniform else classes


def _arranged(
    plan: MarkPlan,
    keys: DatasetKeys,
    found: list[tuple[Words, Ints, Ints, Ints]],
    once: Once,
    rows: int,
    recognised: int,
) -> Observations:
    parts = (
        [np.concatenate(column) for column in zip(*found, strict=True)]
        if found
        else [np.zeros(0, np.int64)] * 4
    )
    digest, channel, symbol, row = parts[0].astype(np.uint64), parts[1], parts[2], parts[3]
    serving = np.array([one.anchor for one in plan.channels], np.int64)
    anchor = serving[channel] if len(channel) else channel
    every = np.ones(len(digest), np.bool_)
    read = once(Observations(plan, digest, anchor, channel, symbol, row, every, rows, recognised))
    return in_order(read, keys)


def in_order(read: Observations, keys: DatasetKeys) -> Observations:
    """Sort observations by a keyed word of their input's digest, so that no leaker chooses what is looked at first."""
    word = words_of(keys.order, blocks_of(read.digest, 0))[:, :8].copy().view("<u8").reshape(-1)
    ranked = read.chosen(np.lexsort((read.symbol, read.channel, read.anchor, read.digest, word)))
    starts = np.flatnonzero(_first(ranked.anchor, ranked.digest, ranked.channel))
    sizes = np.diff(np.concatenate([starts, [len(ranked)]]))
    single = np.repeat(sizes == 1, sizes)
    return Observations(
        plan=ranked.plan, digest=ranked.digest, anchor=ranked.anchor, channel=ranked.channel, symbol=ranked.symbol,
        row=ranked.row, single=single, rows=read.rows, recognised=read.recognised,
    )  # fmt: skip


def joined(parts: Iterable[Observations], keys: DatasetKeys) -> Observations:
    """Put the observations of several tables or batches of one leak together; each (input, symbol) once."""
    every = list(parts)
    shift, shifted = 0, []
    for one in every:
        shifted.append(one.row + shift)
        shift += one.rows
    whole = Observations(
        plan=every[0].plan,
        digest=np.concatenate([one.digest for one in every]),
        anchor=np.concatenate([one.anchor for one in every]),
        channel=np.concatenate([one.channel for one in every]),
        symbol=np.concatenate([one.symbol for one in every]),
        row=np.concatenate(shifted),
        single=np.concatenate([one.single for one in every]),
        rows=shift,
        recognised=sum(one.recognised for one in every),
    )
    return in_order(counted_once(whole), keys)
