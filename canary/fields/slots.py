"""Sets of 64-bit keys that turn nearly every other key away at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from canary.native import Entry, is_native

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

LEAST_BITS: Final = 16  # of the slots of a set
MOST_BITS: Final = 27  # where there are more than 16 slots a key without
_put_slots, _likely_slots = (
    Entry("canary.fields.slotwide", name, 1, ("slotwide.py",)) for name in ("put_slots", "likely_slots")
)


@dataclass(frozen=True, slots=True)
class Slots:
    """A slot for all keys of the same last bits, eight in a byte: free, it tells that none of them was put in."""

    taken: NDArray[np.uint8]

    @classmethod
    def empty(cls, bits: int) -> Slots:
        """Make the slots for so many last bits, at least three."""
        import numpy as np

        return cls(np.zeros(1 << bits - 3, np.uint8))

    @property
    def _bits(self) -> int:
        return 8 * len(self.taken) - 1

    def put(self, keys: Ints) -> None:
        """Take the slots of some keys."""
        import numpy as np

        if is_native():
            keys = np.ascontiguousarray(keys, np.int64)
            numbers = np.array([*self._numbers(keys), 0, 0], np.int64)
            _put_slots(numbers.ctypes.data)
        else:
            slots = keys & self._bits
            np.bitwise_or.at(self.taken, slots >> 3, (1 << (slots & 7)).astype(np.uint8))

    def likely(self, keys: Ints) -> Ints:
        """Give the places of those of some keys that may have been put in."""
        import numpy as np

        if not is_native():
            slots = keys & self._bits
            return np.flatnonzero(self.taken[slots >> 3] >> (slots & 7) & 1)
        keys = np.ascontiguousarray(keys, np.int64)
        places = np.empty(len(keys) + 1, np.int64)  # the last one is written too, and not kept
        numbers = np.array([*self._numbers(keys), places.ctypes.data, 0], np.int64)
        _likely_slots(numbers.ctypes.data)
        return places[: numbers[-1]]

    def may_hold(self, key: int) -> bool:
        """Tell whether a key may have been put in: never False for one that was."""
        slot = key & self._bits
        return bool(self.taken[slot >> 3] >> (slot & 7) & 1)

    def _numbers(self, keys: Ints) -> list[int]:
        """Give what compiled code has to know; the addresses hold as long as the keys and this stand."""
        return [keys.ctypes.data, len(keys), self._bits, self.taken.ctypes.data]


@dataclass(frozen=True, slots=True)
class Keyset:
    """Some 64-bit keys, in sorted parts, behind slots that turn nearly every other key away."""

    parts: tuple[Ints, ...]
    slots: Slots

    @classmethod
    def of(cls, keys: Ints) -> Keyset:
        """Make the set of some keys."""
        import numpy as np

        return cls.of_sorted([np.unique(keys)])

    @classmethod
    def of_sorted(cls, parts: Sequence[Ints]) -> Keyset:
        """Make the set of the keys of some parts, each of them sorted."""
        size = sum(map(len, parts)).bit_length()
        # 128 to 256 slots a key, where they do not leave the cache for that
        slots = Slots.empty(max(LEAST_BITS, min(size + 7, MOST_BITS), size + 4))
        for part in parts:
            slots.put(part)
        return cls(tuple(part for part in parts if len(part)), slots)

    def places(self, keys: Ints) -> Ints:
        """Give the places of those of some keys that are in the set."""
        import numpy as np

        likely = self.slots.likely(keys)
        wanted, found = keys[likely], np.zeros(len(likely), np.bool_)
        for part in self.parts:
            found |= part[np.minimum(np.searchsorted(part, wanted), len(part) - 1)] == wanted
        return likely[found]
