"""The kernel as the fast engine calls it: pieces in, what the index may know and what is odd out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from canary.native import Entry
from canary.scan.pieces import Piece
from canary.scan.records import Layout
from canary.scan.sweepwork import (
    ACTIVE,
    BEGINS,
    BYTES,
    CANNOT,
    CHAINED,
    COUNTS,
    DONE,
    FAILED,
    FILLED,
    HARD,
    HARDS,
    HELD,
    KINDS_OF,
    LEAD,
    LEFT,
    LEFTS,
    LINES_OPEN,
    LIST_SUM,
    LISTED,
    MODE,
    MOST_SHAPES,
    NAMES,
    ODD_NOTED,
    ODDS,
    OUT,
    OUTS,
    PACK_NOTED,
    PACKED,
    PACKS,
    PAIRS,
    PER_SHAPE,
    PLACED,
    PLACES,
    PLACING,
    PROSE,
    REGISTERS,
    RING_FIRST,
    RING_LAST,
    SHAPE_NAMES,
    SHAPES,
    SPACED,
    SPLIT,
    STARTS,
    UNFOLDING,
    VIEW,
    WIDE_LAST,
    mode_of,
    work_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_FRESH: Final = (
    HELD, LISTED, LIST_SUM, PACK_NOTED, CANNOT,
    OUT, HARD, ODD_NOTED, STARTS, FAILED, DONE, SPACED, CHAINED, SPLIT, PACKED, LINES_OPEN, RING_FIRST, RING_LAST,
    FILLED, PLACED, WIDE_LAST,
)  # fmt: skip
MARGIN: Final = 1.08  # five standard errors of an estimate from 4096 registers, so that it bounds the count
SURE: Final = 3
VIEWS, PACKED_TEXTS = 1, 2  # what is unfolded


@dataclass(frozen=True, slots=True)
class Swept:
    """What the kernel gave for a piece; places are those of its buffer.

    `found` are rows of key, start, end and form, `placed` of place and shape, `hard` of start and end: what the
    kernel cannot judge, `odd` what may be another spelling, and `packed` what may be base64 of a text.
    """

    found: Ints
    hard: Ints
    odd: Ints
    packed: Ints
    starts: Ints
    filled: int
    placed: Ints


@dataclass(frozen=True, slots=True)
class Unfolded:
    """What the views of a stretch gave; places are those that it was made of, roughly.

    `found` are rows of key, start, end and form, `hard` of start and end, `left` of what Python has to decode.
    """

    found: Ints
    hard: Ints
    left: Ints


_ENTER: Final = Entry(
    "canary.scan.sweepviews",
    "enter",
    6,
    ("sweep*.py", "signs.py", "spellings.py", "vectors.py"),
)


class Sweeper:
    """The kernel with the room that it writes to; counts the candidates of all that it sweeps."""

    def __init__(
        self,
        keys: Any,
        forms: frozenset[str],
        bloom: Any,
        shapes: Collection[str] | None = None,
        known: Sequence[Any] = (),
        *,
        placing: bool = False,
    ) -> None:
        self._work = work_of(keys, forms, bloom, shapes, known)
        self._work.st[PLACING] = placing

    def sweep(self, piece: Piece, layout: Layout, *, view: bool = False) -> Swept | None:
        """Sweep a piece, None where it holds more than there is room for; in a `view` nothing is odd."""
        if not self._entered(piece, (LEAD, piece.end, LEAD + piece.skip), mode_of(layout), view=view):
            return None
        st = self._work.st
        return Swept(
            self._rows(OUTS, OUT, 4),
            self._rows(HARDS, HARD, 2),
            self._rows(ODDS, ODD_NOTED, 2),
            self._rows(PACKS, PACK_NOTED, 2),
            st[BEGINS : BEGINS + st[STARTS]].copy(),
            int(st[FILLED]),
            self._rows(PLACES, PLACED, 2),
        )

    def unfold(self, piece: Piece, first: int, last: int) -> Unfolded | None:
        """Sweep what a stretch stands for, None where it holds more than there is room for."""
        return self._unfolded(piece, (first, last, 0), VIEWS)

    def unpack(self, piece: Piece, packed: Ints) -> Unfolded | None:
        """Sweep what stretches of base64 stand for, None where they hold more than there is room for."""
        self._work.st[PACKS : PACKS + packed.size] = packed.ravel()
        return self._unfolded(piece, (0, len(packed), 0), PACKED_TEXTS)

    def _unfolded(self, piece: Piece, span: tuple[int, int, int], what: int) -> Unfolded | None:
        if not self._entered(piece, span, PROSE, view=True, unfolding=what):
            return None
        return Unfolded(self._rows(OUTS, OUT, 4), self._rows(ODDS, ODD_NOTED, 2), self._rows(LEFTS, LEFT, 2))

    def _entered(
        self, piece: Piece, span: tuple[int, int, int], mode: int, *, view: bool, unfolding: int = 0
    ) -> bool:
        """Run the kernel, and tell whether it had room."""
        st = self._work.st
        st[list(_FRESH)] = 0
        st[COUNTS : COUNTS + MOST_SHAPES] = 0
        st[MODE], st[VIEW], st[UNFOLDING] = mode, view, unfolding
        _ENTER(st.ctypes.data, self._work.tb.ctypes.data, piece.buffer.ctypes.data, *span)
        return not st[FAILED]

    def _rows(self, place: int, count: int, columns: int) -> Ints:
        st = self._work.st
        rows: Ints = st[place : place + columns * st[count]].reshape(-1, columns).copy()
        return rows

    @property
    def registers(self) -> Any:
        """Give the registers of all shapes, by which distinct candidates are estimated."""
        return self._work.tb[REGISTERS:BYTES].reshape(SHAPES, PER_SHAPE)

    def pairs(self) -> Mapping[tuple[str, ...], int]:
        """Give how many names, and pairs of candidates, were swept."""
        from canary.scan.tally import pair_of

        st, found = self._work.st, Counter[tuple[str, ...]]()
        if st[PLACING]:
            return found
        found[("name",)] = int(st[NAMES])
        pairs = st[PAIRS : PAIRS + MOST_SHAPES * MOST_SHAPES].reshape(MOST_SHAPES, MOST_SHAPES)
        shapes = st[KINDS_OF + 1 : KINDS_OF + 1 + st[ACTIVE]].tolist()
        names = ["name", *(SHAPE_NAMES[shape] for shape in shapes)]
        for one, two in zip(*pairs.nonzero(), strict=True):
            found[pair_of(names[one], names[two])] += int(pairs[one, two])
        return found


def counts_of(sweeper: Sweeper) -> Mapping[tuple[str, ...], int]:
    """Give how many distinct candidates of each shape were swept at most, and how many pairs of them."""
    registers = sweeper.registers
    found = Counter[tuple[str, ...]]()
    for shape in registers.any(axis=1).nonzero()[0].tolist():
        found[(SHAPE_NAMES[shape],)] = at_most(registers[shape])
    found.update(sweeper.pairs())
    return found


def at_most(registers: Any) -> int:
    """Bound the number of distinct values from their registers (Flajolet et al. 2007, with a margin)."""
    import numpy as np

    size = len(registers)
    estimate = 0.7213 / (1 + 1.079 / size) * size * size / float(np.exp2(-registers.astype(np.float64)).sum())
    empty = int((registers == 0).sum())
    if empty and estimate <= 2.5 * size:
        estimate = size * math.log(size / empty)
    return math.ceil(estimate * MARGIN) + SURE
