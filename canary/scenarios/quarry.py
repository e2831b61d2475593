"""A stage's stock of records: people come back with new parcels, each with a number and time of its own."""

from __future__ import annotations

import csv
import random
import re
from datetime import datetime
from itertools import repeat
from pathlib import Path

from canary.scenarios import leaks

DAY_SECONDS = 86_400


class Quarry:
    """Cuts exports out of a generated file: same people, fresh ascending numbers and times of the day asked for."""

    def __init__(self, made: Path, key: str, time: str, rng: random.Random) -> None:
        with made.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            self._headings = next(reader)
            self._rows = list(reader)
        self._key, self._time = self._headings.index(key), self._headings.index(time)
        found = re.fullmatch(r"(\D*)(\d+)", self._rows[0][self._key])
        if found is None:
            raise ValueError(f"{key} is no number of the record")
        self._prefix, self._width, self._next = found[1], len(found[2]), int(found[2])
        self._rng = rng

    def cut(self, rows: int, day: datetime, path: Path) -> Path:
        """Write an export of some rows of one day, as CSV or JSON Lines."""
        taken = self._rng.choices(self._rows, k=rows)
        moments = sorted(self._rng.choices(range(DAY_SECONDS), k=rows))
        steps = self._rng.choices(range(1, 4001), k=rows)
        fresh = list(map(self._fresh, taken, repeat(f"{day:%Y-%m-%d}"), moments, steps))
        if path.suffix == ".jsonl":
            return leaks.to_jsonl([dict(zip(self._headings, row, strict=True)) for row in fresh], path)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(self._headings)
            writer.writerows(fresh)
        return path

    def _fresh(self, row: list[str], day: str, moment: int, step: int) -> list[str]:
        self._next += step
        minutes, second = divmod(moment, 60)
        fresh = list(row)
        fresh[self._key] = f"{self._prefix}{self._next:0{self._width}d}"
        fresh[self._time] = f"{day} {minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
        return fresh
