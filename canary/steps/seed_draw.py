"""Drawing canaries for a live table: learn it in one reading, then draft rows that fit it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from canary.fields.roles import FORMS, KEYS
from canary.model.canary import Canary
from canary.model.data import Policy
from canary.steps import datasets
from canary.steps.datasets import Chosen
from canary.steps.drawing import Planned
from canary.steps.live_model import LiveTable, Row
from canary.steps.live_rows import LiveRows
from canary.steps.livedb import LiveDb
from canary.steps.seed_model import SeedRequest
from canary.steps.seed_tail import Tail, tail_of
from canary.steps.tools import Tools

if TYPE_CHECKING:
    from canary.files import RowBatch

SAMPLE: Final = 2_000  # host rows kept: for guessing roles, and as a pool of cells under unique constraints
TAIL: Final = 500  # last host rows kept, by which appended rows go on


@dataclass
class Sample:
    """Some rows of a table at random, and its last ones."""

    rng: random.Random
    rows: list[Row] = field(default_factory=list)
    last: deque[Row] = field(default_factory=lambda: deque(maxlen=TAIL))
    seen: int = 0

    def feed(self, batch: RowBatch) -> None:
        """Take part of a batch: a reservoir over all rows, and its end."""
        chosen: dict[int, int] = {}
        for at in range(batch.rows.num_rows):
            self.seen += 1
            if len(self.rows) + len(chosen) < SAMPLE:
                chosen[len(self.rows) + len(chosen)] = at
            elif (slot := self.rng.randrange(self.seen)) < SAMPLE:
                chosen[slot] = at
        for slot, at in sorted(chosen.items()):
            (row,) = batch.rows.slice(at, 1).to_pylist()
            if slot < len(self.rows):
                self.rows[slot] = row
            else:
                self.rows.append(row)
        self.last.extend(batch.rows.slice(max(0, batch.rows.num_rows - TAIL)).to_pylist())


@dataclass
class Drawer:
    """Draws canaries for one table, as often as some do not fit."""

    table: LiveTable
    chosen: Chosen
    sample: Sequence[Row]
    rng: random.Random
    warnings: tuple[str, ...]

    def room(self, count: int) -> int:
        return count if self.sample else 0

    def draw(self, count: int) -> Sequence[Canary]:
        return []

    def ghosts(self) -> Planned:
        return Planned()


def learn(tools: Tools, db: LiveDb, request: SeedRequest) -> Drawer:
    raise AssertionError
