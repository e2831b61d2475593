"""Second pass: batches of columns in, the same with a recipient's marks out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from canary.compiled import Kernel
from canary.fingerprint import codec
from canary.fingerprint.anchors import Anchored
from canary.fingerprint.codec import Parsed
from canary.fingerprint.columns import Column, Flags, like, texts_of
from canary.fingerprint.lattice import ERASED, Ints
from canary.fingerprint.learn import Seen, digests_of
from canary.fingerprint.plan import Channel, ColumnPlan, MarkPlan
from canary.fingerprint.prf import SLOTS, Bytes, blocks_of, words_of


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """What marking did to one column: cells offered and changed, largest, mean and summed move (in its own unit)."""

    column: str
    cells: int
    changed: int
    largest: float = 0.0
    moved: float = 0.0
    shift: float = 0.0

    @property
    def mean(self) -> float:
        """The mean size of a change over all offered cells."""
        return self.moved / self.cells if self.cells else 0.0


@dataclass(frozen=True, slots=True)
class Marked:
    """One recipient's batch: its columns, which cells changed, rows to keep (None: all), how many, and the report."""

    columns: Mapping[str, Any]
    changed: Mapping[str, Flags]
    keep: Flags | None
    cells: int
    report: tuple[ColumnReport, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that was read once, to be marked for any number of recipients.

    `blocks[anchor, number]` are the AES inputs of all rows, `dithers` the dataset's own words for them.
    """

    plan: MarkPlan
    originals: Mapping[str, Column]
    parsed: tuple[Parsed, ...]
    anchors: tuple[Anchored | None, ...]
    blocks: Mapping[tuple[int, int], Bytes]
    dithers: Mapping[tuple[int, int], Bytes]
    rows: int


def prepare(seen: Seen, columns: Mapping[str, Column]) -> Prepared:
    """Read a batch of the original under what the first pass has seen."""
    plan, keys = seen.plan, seen.keys
    flat = {heading: texts_of(columns[heading]) for heading in plan.sources if heading in columns}
    found = digests_of(plan, keys, flat)
    anchors = tuple(
        None if anchored is None else seen.telling(number, anchored) for number, anchored in enumerate(found)
    )
    parsed = tuple(
        codec.parse(
            column, flat[column.heading], seen.stays(column, flat[column.heading]), seen.company(column, flat)
        )
        for column in plan.columns
        if column.heading in flat
    )
    blocks = block_inputs(plan, anchors)
    dithers = {place: words_of(keys.dither, made) for place, made in blocks.items()}
    rows = len(next(iter(flat.values()))) if flat else 0
    return Prepared(plan, columns, parsed, anchors, blocks, dithers, rows)


def block_inputs(plan: MarkPlan, anchors: Sequence[Anchored | None]) -> dict[tuple[int, int], Bytes]:
    """Give the AES inputs of all rows for each (anchor, block) that a channel uses."""
    places = sorted({(channel.anchor, channel.block) for channel in plan.channels})
    made = {}
    for anchor, block in places:
        anchored = anchors[anchor]
        if anchored is not None:
            made[anchor, block] = blocks_of(anchored.digests, anchor, block)
    return made


def mark(prepared: Prepared, key: bytes) -> Marked:
    """Give the batch as the recipient with this 16-byte key gets it."""
    words = {place: words_of(key, blocks) for place, blocks in prepared.blocks.items()}
    made: dict[str, Any] = {}
    flags: dict[str, Flags] = {}
    reports, cells = [], 0
    for parsed in prepared.parsed:
        targets, aimed = _targets(prepared, parsed.plan, words)
        texts, changed, steps = codec.write(parsed, targets)
        made[parsed.plan.heading] = like(prepared.originals[parsed.plan.heading], texts, changed)
        flags[parsed.plan.heading] = changed
        offered = parsed.open & aimed
        reports.append(_report(parsed.plan, int(offered.sum()), changed, steps))
        cells += int(changed.sum())
    return Marked(made, flags, _keep(prepared, words), cells, tuple(reports))


def _aim(
    words: Bytes, dithers: Bytes, slot: int, table: Bytes, q: int, thin: int, usable: Flags, part: int, targets: Ints,
    aimed: Flags,
) -> None:  # fmt: skip
    """Give every usable cell the class that `to_class` makes of its symbol, and note that it has one."""
    for row in range(len(usable)):
        if not usable[row]:
            continue
        dither = dithers[row, slot]
        wanted = np.int64(table[words[row, slot]])
        if thin > 0:
            if dither >= thin:
                continue
        else:
            wanted += np.int64(table[dither])
            wanted -= q if wanted >= q else 0
        targets[row, part] = wanted
        aimed[row] = True


_aim_kernel = Kernel(_aim)


def _targets(
    prepared: Prepared, column: ColumnPlan, words: Mapping[tuple[int, int], Bytes]
) -> tuple[Ints, Flags]:
    """Give the classes a column's parts are to be in, int64[n, parts], and which cells have any."""
    names = codec.parts_of(column)
    targets, aimed = np.full((prepared.rows, len(names)), ERASED, np.int64), np.zeros(prepared.rows, np.bool_)
    for number in prepared.plan.of_column(column.heading):
        channel = prepared.plan.channels[number]
        place, anchored = (channel.anchor, channel.block), prepared.anchors[channel.anchor]
        if anchored is not None:
            _aim_kernel(
                words[place], prepared.dithers[place], channel.slot % SLOTS, channel.alphabet.table, channel.q,
                channel.thin, anchored.valid, names.index(channel.part), targets, aimed,
            )  # fmt: skip
    return targets, aimed


def to_class(channel: Channel, symbols: Bytes, dither: Bytes) -> Ints:
    """Give the class a symbol is written as: shifted by the dataset's dither, so that classes say nothing alone."""
    if channel.thin:
        return symbols.astype(np.int64)
    shift = channel.alphabet.table[dither].astype(np.int64)
    made = symbols + shift
    return np.where(made >= channel.q, made - channel.q, made)


def to_symbol(channel: Channel, classes: Ints, dither: Bytes) -> Ints:
    """Give the symbol a class was written for, −1 where none was read."""
    if channel.thin:
        return np.where(dither < channel.thin, classes, ERASED)
    shift = channel.alphabet.table[dither].astype(np.int64)
    return np.where(classes < 0, ERASED, (classes - shift) % channel.q)


def _keep(prepared: Prepared, words: Mapping[tuple[int, int], Bytes]) -> Flags | None:
    """Tell which rows the recipient gets: keyed omission leaves out those whose symbol is 0."""
    for channel in prepared.plan.channels:
        anchored = prepared.anchors[channel.anchor]
        if channel.part == "omit" and not channel.column and anchored is not None:
            word = words[channel.anchor, channel.block][:, channel.slot % 16]
            return np.asarray((channel.alphabet.table[word] == 1) | ~anchored.valid)
    return None


def _report(plan: ColumnPlan, cells: int, changed: Flags, steps: Ints | None) -> ColumnReport:
    unit = float(plan.step) if plan.kind == "time" else 10.0**-plan.places
    if steps is None or not len(steps):
        return ColumnReport(plan.heading, cells, int(changed.sum()))
    sizes = np.abs(steps)
    return ColumnReport(
        plan.heading, cells, int(changed.sum()), float(sizes.max()) * unit, float(sizes.sum()) * unit,
        float(steps.sum()) * unit,
    )  # fmt: skip


def merged(reports: Iterable[Sequence[ColumnReport]]) -> tuple[ColumnReport, ...]:
    """Add up the reports of all batches."""
    total: dict[str, ColumnReport] = {}
    for one in (each for batch in reports for each in batch):
        old = total.get(one.column, ColumnReport(one.column, 0, 0))
        total[one.column] = ColumnReport(
            one.column, old.cells + one.cells, old.changed + one.changed, max(old.largest, one.largest),
            old.moved + one.moved, old.shift + one.shift,
        )  # fmt: skip
    return tuple(total.values())
