"""A stage's stock of records: people come back with new parcels, each with a number and time of its own."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from canary.scenarios import leaks

DAY_SECONDS = 86_400


class Quarry:
    """Cuts exports out of a generated file: same people, fresh ascending numbers and times of the day asked for."""

    def __init__(self, made: Path, key: str, time: str, rng: random.Random) -> None:
        with made.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            self._headings = next(reader)
            rows = list(reader)
        self._key, self._time = self._headings.index(key), self._headings.index(time)
        found = re.fullmatch(r"(\D*)(\d+)", rows[0][self._key])
        if found is None:
            raise ValueError(f"{key} is no number of the record")
        self._prefix, self._width, self._next = found[1], len(found[2]), int(found[2])
        self._rng = rng
        self._lines = [self._open(row) for row in rows]
        self._clock = [f"{at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}" for at in range(DAY_SECONDS)]

    def _open(self, row: list[str]) -> str:
        """Write a row as a line of CSV that is open for the number and the time of a new parcel."""
        cells = [cell.replace("%", "%%") for cell in row]
        cells[self._key], cells[self._time] = "%(number)s", "%(time)s"
        return _line(cells)

    def cut(self, rows: int, day: datetime, path: Path) -> Path:
        """Write an export of some rows of one day, as CSV or JSON Lines."""
        taken = self._rng.choices(self._lines, k=rows)
        seconds = sorted(self._rng.choices(range(DAY_SECONDS), k=rows))
        steps = self._rng.choices(range(1, 4001), k=rows)
        numbers = list(accumulate(steps, initial=self._next))
        self._next, date, clock = numbers[-1], f"{day:%Y-%m-%d} ", self._clock
        width = self._width
        fresh = (
            line % {"number": f"{self._prefix}{number:0{width}d}", "time": date + clock[second]}
            for line, number, second in zip(taken, numbers[1:], seconds, strict=True)
        )
        if path.suffix == ".jsonl":
            found = csv.DictReader(fresh, self._headings)
            return leaks.to_jsonl(list(found), path)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(_line(self._headings))
            file.writelines(fresh)
        return path


def _line(cells: Sequence[str]) -> str:
    """Write one row as a line of CSV."""
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
