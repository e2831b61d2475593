"""A last row that holds the column totals: told by its words, its gaps and its sums."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

Cells = Sequence[str | None]

_WORDS = re.compile(
    r"(?:本页|本月|全部)?(?:合计|总计|总和|共计|小计|累计|汇总|總計|合計|小計)(?:[:(\d].*)?"
    r"|(?:grand|sub|sum)?totals?(?:[:(\d].*)?|sum:?"
)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_FULL = 0.9  # share of filled cells above which a gap in the last row is telling


def is_total_word(text: str | None) -> bool:
    """Tell whether a cell says that its row holds totals."""
    if not text or len(text) > 40:
        return False
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _WORDS.fullmatch(plain) is not None


def to_number(text: str | None) -> Decimal | None:
    """Read a number as people write it (¥ and thousands commas allowed), None where it is none."""
    if not text:
        return None
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("¥$€£").replace(",", "")
    if not _NUMBER.fullmatch(plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def names_total(last: Cells, head: Sequence[Cells]) -> bool:
    """Tell whether a row says that it is a total, in a place where no other row says so."""
    places = [place for place, cell in enumerate(last) if is_total_word(cell)]
    others = [row for row in head if list(row) != list(last)]
    return any(not any(is_total_word(row[place]) for row in others if place < len(row)) for place in places)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Columns (by number) whose last value may be the sum of the others, to be confirmed by a reading."""

    columns: tuple[int, ...]
    values: tuple[Decimal, ...]
    needed: int  # how many of them have to be sums

    def confirmed(self, batches: Iterable[pa.RecordBatch]) -> bool:
        """Sum up the columns over all rows, the last one included, and compare."""
        sums = [Decimal(0)] * len(self.columns)
        for batch in batches:
            for place, column in enumerate(batch.columns):
                sums[place] += sum((to_number(text) or Decimal(0) for text in column.to_pylist()), Decimal(0))
        hits = sum(_close(total - last, last) for total, last in zip(sums, self.values, strict=True))
        return hits >= self.needed


def _close(total: Decimal, last: Decimal) -> bool:
    return abs(total - last) <= abs(last) * Decimal("1e-9")


def suspect(last: Cells, head: Sequence[Cells], rows: int) -> bool | Suspicion:
    """Judge the last row of a table by a sample of its first rows; sums remain to be confirmed."""
    others = [row for row in head if list(row) != list(last)]
    named, gaps = names_total(last, head), _has_gap(last, others)
    first = next((cell for cell in last if cell), None)
    if named and (gaps or (is_total_word(first) and to_number(first) is None)):
        return True
    numeric = [place for place, cell in enumerate(last) if to_number(cell) is not None]
    values = {place: to_number(last[place]) or Decimal(0) for place in numeric}
    bigger = [place for place in numeric if values[place] and _may_be_sum(values[place], place, others)]
    if not bigger or not others:
        return False
    if named:
        return _suspicion(bigger, values, 1)
    unusual = (gaps and len(bigger) == sum(1 for v in values.values() if v)) or len(bigger) >= 2
    if rows < 3 or not unusual or len(bigger) < sum(1 for value in values.values() if value):
        return False
    return _suspicion(bigger, values, len(bigger)) if gaps or rows > 3 else False


def _suspicion(columns: list[int], values: dict[int, Decimal], needed: int) -> Suspicion:
    return Suspicion(tuple(columns), tuple(values[column] for column in columns), needed)


def _has_gap(last: Cells, others: Sequence[Cells]) -> bool:
    """Tell whether a cell is empty in a column that the other rows fill."""
    gaps = [place for place, cell in enumerate(last) if not cell]
    return any(others and sum(bool(row[place]) for row in others) >= _FULL * len(others) for place in gaps)


def _may_be_sum(value: Decimal, place: int, others: Sequence[Cells]) -> bool:
    """Tell whether a value can be the sum of a column, judged by the column's first values."""
    numbers = [to_number(row[place]) for row in others]
    known = [number for number in numbers if number is not None]
    if len(known) < 2 or len(known) < len(numbers) * _FULL:
        return False
    if min(known) < 0:
        return True
    return sum(known, Decimal(0)) <= value * (1 + Decimal("1e-9"))
