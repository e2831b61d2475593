"""Identifiers as columns, and what is counted of them by form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Rows(NamedTuple):
    """Identifiers as columns: scan key, canary serial, form (its place among the `names`) and bits of each."""

    keys: NDArray[np.int64]
    serials: NDArray[np.int64]
    forms: NDArray[np.uint8]
    bits: NDArray[np.float64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, keys: Any, serials: Any, forms: Sequence[str], bits: Any) -> Rows:
        """Make them of columns of Python or numpy."""
        import numpy as np

        names = tuple(sorted(set(forms)))
        places = {name: place for place, name in enumerate(names)}
        numbers = np.frombuffer(bytes(map(places.__getitem__, forms)), np.uint8)
        return cls(
            np.array(keys, np.int64), np.array(serials, np.int64), numbers, np.array(bits, np.float64), names
        )

    @classmethod
    def joined(cls, batches: Sequence[Rows]) -> Rows:
        """Join batches."""
        import numpy as np

        if len(batches) == 1:
            return batches[0]
        names = tuple(sorted({name for each in batches for name in each.names}))
        places = [np.array([names.index(name) for name in each.names], np.uint8) for each in batches]
        forms = [place[each.forms] for place, each in zip(places, batches, strict=True)]
        return cls(
            np.concatenate([np.empty(0, np.int64), *(each.keys for each in batches)]),
            np.concatenate([np.empty(0, np.int64), *(each.serials for each in batches)]),
            np.concatenate([np.empty(0, np.uint8), *forms]),
            np.concatenate([np.empty(0, np.float64), *(each.bits for each in batches)]),
            names,
        )


class Issued(NamedTuple):
    """What is known of the identifiers of a form: distinct keys, how many in all, and the sum of their chances."""

    distinct: int = 0
    total: int = 0
    chance: float = 0.0

    def joined(self, other: Issued) -> Issued:
        """Add up."""
        return Issued(self.distinct + other.distinct, self.total + other.total, self.chance + other.chance)


def rows_of(rows: Sequence[tuple[int, int, str, float]]) -> Rows:
    """Turn rows of identifiers into columns."""
    keys, serials, forms, bits = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Rows.of(keys, serials, forms, bits)


def counted_by_form(rows: Rows, repeated: NDArray[np.int64]) -> dict[str, Issued]:
    """Count the identifiers of each form; `repeated` are the places of those whose key another one has too."""
    import numpy as np

    count = len(rows.names)
    totals = np.bincount(rows.forms, minlength=count)
    distinct = totals - np.bincount(rows.forms[repeated], minlength=count)
    chances = np.bincount(rows.forms, np.exp2(-np.minimum(rows.bits, 1000.0)), count)
    return {
        name: Issued(*each)
        for name, *each in zip(rows.names, distinct.tolist(), totals.tolist(), chances.tolist(), strict=True)
    }
