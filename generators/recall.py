"""A whole table remembered as numbers, a number for each different text: for hosts whose rows recur by a timetable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Codes = NDArray[np.int32]

MOST = 1 << 19  # rows that are remembered; of a larger table none are


@dataclass(frozen=True, slots=True)
class Recall:
    """All rows of a table: their numbers, and for each column its different texts and which of them each row has."""

    numbers: Ints
    texts: Mapping[str, Sequence[str | None]]
    codes: Mapping[str, Codes]

    def __len__(self) -> int:
        return len(self.numbers)

    def without(self, headings: Set[str]) -> Recall:
        """Give the table without some columns."""
        return Recall(
            self.numbers,
            {name: texts for name, texts in self.texts.items() if name not in headings},
            {name: codes for name, codes in self.codes.items() if name not in headings},
        )

    def row(self, at: int) -> dict[str, str | None]:
        """Give one row."""
        return {name: self.texts[name][codes[at]] for name, codes in self.codes.items()}


class Memory:
    """Remembers the batches of a table, as long as they are not too many."""

    def __init__(self, headings: Sequence[str]) -> None:
        self._known: dict[str, dict[str | None, int]] = {name: {} for name in headings}
        self._codes: dict[str, list[Codes]] = {name: [] for name in headings}
        self._numbers: list[Ints] = []
        self._room = MOST

    def feed(self, table: pa.RecordBatch, numbers: Ints) -> None:
        """Remember a batch."""
        self._room -= table.num_rows
        if self._room < 0:
            self._numbers, self._codes = [], {}
        for name, parts in self._codes.items():
            parts.append(_coded(table.column(name), self._known[name]))
        self._numbers.append(numbers)

    def finish(self) -> Recall | None:
        """Give what was remembered, None of a table that was too large."""
        import numpy as np

        if self._room < 0 or not self._numbers:
            return None
        texts = {name: tuple(known) for name, known in self._known.items()}
        codes = {name: np.concatenate(parts) for name, parts in self._codes.items()}
        return Recall(np.concatenate(self._numbers), texts, codes)


def _coded(column: pa.Array, known: dict[str | None, int]) -> Codes:
    """Number the texts of a column by those known so far, and know the new ones too."""
    import numpy as np

    found = column.dictionary_encode(null_encoding="encode")
    mine = [known.setdefault(text, len(known)) for text in found.dictionary.to_pylist()]
    codes: Codes = np.array(mine, np.int32)[found.indices.to_numpy(zero_copy_only=False)]
    return codes
