"""A sample of a file of any length, in a fixed amount of memory: runs of consecutive rows, evenly spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from canary.fingerprint.columns import Texts

RUN: Final = 512  # rows that follow one another: what neighbours say about each other has to be seen
MOST_RUNS: Final = 128


def chosen_rows(texts: Texts, first: int, stop: int) -> Texts:
    """Copy rows that follow one another out of a column."""
    offsets = texts.offsets[first : stop + 1]
    data = texts.data[offsets[0] : offsets[-1]].copy()
    return Texts(data, offsets - offsets[0], texts.filled[first:stop].copy())


def joined(pieces: Sequence[Texts]) -> Texts:
    """Put pieces of one column behind one another."""
    sizes = np.cumsum([0, *(len(one.data) for one in pieces)])
    offsets = [one.offsets[1:] + start for one, start in zip(pieces, sizes[:-1].tolist(), strict=True)]
    return Texts(
        np.concatenate([np.empty(0, np.uint8), *(one.data for one in pieces)]),
        np.concatenate([np.zeros(1, np.int64), *offsets]),
        np.concatenate([np.empty(0, np.bool_), *(one.filled for one in pieces)]),
    )


@dataclass
class Sample:
    """Every `step`-th run of a file's rows, the first one among them; `step` doubles as the file goes on.

    It depends on the rows alone, not on the batches in which they come.
    """

    step: int = 1
    rows: int = 0
    runs: dict[int, list[Mapping[str, Texts]]] = field(default_factory=dict)

    def add(self, columns: Mapping[str, Texts]) -> None:
        """Look at the next rows of the file."""
        count = len(next(iter(columns.values()))) if columns else 0
        first = self.rows
        self.rows += count
        for run in range(-(-(first // RUN) // self.step) * self.step, -(-self.rows // RUN), self.step):
            start, stop = max(run * RUN, first) - first, min((run + 1) * RUN, self.rows) - first
            piece = {name: chosen_rows(texts, start, stop) for name, texts in columns.items()}
            self.runs.setdefault(run, []).append(piece)
        while len(self.runs) > MOST_RUNS:
            self.step *= 2
            self.runs = {run: pieces for run, pieces in self.runs.items() if run % self.step == 0}

    def columns(self) -> dict[str, Texts]:
        """Give the sampled rows in their order."""
        pieces = [piece for run in sorted(self.runs) for piece in self.runs[run]]
        return {name: joined([piece[name] for piece in pieces]) for name in (pieces[0] if pieces else {})}

    def spans(self) -> Iterator[slice]:
        """Give where each run stands among the sampled rows."""
        at = 0
        for run in sorted(self.runs):
            size = sum(len(next(iter(piece.values()))) for piece in self.runs[run])
            yield slice(at, at + size)
            at += size
