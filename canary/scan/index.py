"""The index: scan keys of all issued canaries → serials; sorted arrays, many keys looked up at once."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from canary.fields.roles import form_of
from canary.model.canary import Canary
from canary.scan.hashes import hashed_forms
from canary.scan.identifiers import Issued, Rows, counted_by_form, rows_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.scan.spots import AddressMarks

BLOOMED = 1 << 16  # keys put into the Bloom filter at once
HUGE = (
    1 << 21
)  # bytes of a large page: where the filter begins with one, few look-ups miss the table of pages
MOST_NEWER = 1 << 14  # identifiers that are kept apart from the others
OPENED = 4096  # canaries unsealed at once while their hashed forms are computed


class Index(Protocol):
    """What a scan looks keys up in."""

    @property
    def issued(self) -> Mapping[str, int]:
        """How many distinct keys of each form were issued."""
        ...

    @property
    def bits(self) -> Mapping[str, float]:
        """The size of the space of each form, in bits."""
        ...

    @property
    def shapes(self) -> frozenset[str] | None:
        """The shapes of what was issued, None where they are not known."""
        ...

    def lookup(self, scan_keys: Sequence[int]) -> Mapping[int, Sequence[int]]:
        """Give the canary serials of those keys that were issued."""
        ...

    def holds(self, scan_keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the places of those keys that were issued."""
        ...

    def bloom(self) -> NDArray[np.uint64]:
        """Give a Bloom filter of the keys that were issued."""
        ...

    def sorted_keys(self) -> Sequence[NDArray[np.int64]]:
        """Give the keys that were issued, in order, in one array or two."""
        ...

    def hashed(self, reader: Reader) -> HashIndex:
        """Give the hashed forms of all canaries."""
        ...

    def addresses(self, reader: Reader) -> AddressMarks:
        """Give the marks of the addresses of all canaries."""
        ...


class Reader(Protocol):
    """What unseals canaries, to confirm hits field by field."""

    def open_canaries(self, serials: Sequence[int]) -> Sequence[Canary]:
        """Give canaries in the order of their serials; an unknown serial is left out."""
        ...


class ArrayIndex:
    """Sorted arrays of (scan key, canary serial), and those that were issued since: 18 bytes an identifier."""

    def __init__(
        self,
        keys: NDArray[np.int64],
        serials: NDArray[np.int64],
        forms: Mapping[str, Issued],
        *,
        newer: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
        bloom: NDArray[np.uint64] | None = None,
    ) -> None:
        self.keys = keys
        self.serials = serials
        self.forms = forms
        self.issued = {form: each.distinct for form, each in forms.items()}
        self.bits = {
            form: -math.log2(max(each.chance / max(each.total, 1), 1e-300)) for form, each in forms.items()
        }
        self.shapes: frozenset[str] | None = None  # whoever knows them says them
        self._newer = newer if newer is not None else (keys[:0], serials[:0])
        self._bloom = bloom
        self._hashed: HashIndex | None = None
        self._addresses: AddressMarks | None = None
        self._making = threading.Lock()  # so that of threads that ask at once one makes it

    @classmethod
    def build(cls, rows: Iterable[tuple[int, int, str, float]]) -> ArrayIndex:
        """Build it from rows (scan key, canary serial, form, bits); a form's `bits` is -log2 of its mean chance."""
        return cls.of([rows_of(list(rows))])

    @classmethod
    def of(cls, batches: Iterable[Rows]) -> ArrayIndex:
        """Build it from batches of identifiers in order of their canaries."""

        rows = Rows.joined(list(batches))
        order, keys = in_order(rows.keys)
        repeated = order[1:][keys[1:] == keys[:-1]]  # all of some equal ones but the first issued
        return cls(keys, rows.serials[order], counted_by_form(rows, repeated))

    def added(self, rows: Rows) -> ArrayIndex:
        """Give the index with some more identifiers; what is large is shared with this one."""
        import numpy as np

        order, keys = in_order(rows.keys)
        repeated = np.zeros(len(keys), np.bool_)
        repeated[order[1:][keys[1:] == keys[:-1]]] = True
        repeated[self.holds(rows.keys)] = True
        counted = counted_by_form(rows, np.flatnonzero(repeated))
        forms = {
            form: self.forms.get(form, Issued()).joined(counted.get(form, Issued()))
            for form in {**self.forms, **counted}
        }
        order, keys = in_order(np.concatenate([self._newer[0], rows.keys]))
        newer = keys, np.concatenate([self._newer[1], rows.serials])[order]
        if len(newer[0]) > MOST_NEWER and len(newer[0]) * 8 > len(self.keys):
            return ArrayIndex(self.keys, self.serials, forms, newer=newer).settled()
        if self._bloom is not None:
            add_to_bloom(self._bloom, rows.keys)
        return ArrayIndex(self.keys, self.serials, forms, newer=newer, bloom=self._bloom)

    def settled(self) -> ArrayIndex:
        """Give the index with all identifiers in one order."""
        import numpy as np

        if not len(self._newer[0]):
            return self
        order, keys = in_order(np.concatenate([self.keys, self._newer[0]]))
        return ArrayIndex(keys, np.concatenate([self.serials, self._newer[1]])[order], self.forms)

    def lookup(self, scan_keys: Sequence[int]) -> dict[int, list[int]]:
        """Give the canary serials of those keys that were issued."""
        import numpy as np

        wanted = np.asarray(scan_keys, dtype=np.int64)
        found = _looked_up(self.keys, self.serials, wanted)
        for key, serials in _looked_up(*self._newer, wanted).items():
            found[key] = [*found.get(key, ()), *serials]
        return found

    def holds(self, scan_keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the places of those keys that were issued."""
        import numpy as np

        found: NDArray[np.int64] = np.flatnonzero(
            _held(self.keys, scan_keys) | _held(self._newer[0], scan_keys)
        )
        return found

    def bloom(self) -> NDArray[np.uint64]:
        """Give the Bloom filter of the keys, made when first asked for."""
        with self._making:  # a thread that were given it too early would miss what was issued
            if self._bloom is None:
                made = bloom_for(len(self.keys) + len(self._newer[0]))
                add_to_bloom(made, self.keys)
                add_to_bloom(made, self._newer[0])
                self._bloom = made
            return self._bloom

    def sorted_keys(self) -> Sequence[NDArray[np.int64]]:
        """Give the keys, and those that were added since."""
        return self.keys, self._newer[0]

    def owners(self) -> list[int]:
        """Give the serials of all canaries."""
        import numpy as np

        owners: list[int] = np.unique(np.concatenate([self.serials, self._newer[1]])).tolist()
        return owners

    def hashed(self, reader: Reader) -> HashIndex:
        """Give the hashed forms of all canaries, computed when first asked for."""
        with self._making:
            if self._hashed is None:
                self._hashed = HashIndex.build(self.owners(), reader)
            return self._hashed

    def addresses(self, reader: Reader) -> AddressMarks:
        """Give the marks of the addresses of all canaries, made when first asked for."""
        from canary.scan.spots import AddressMarks

        with self._making:
            if self._addresses is None:
                opened = _opened(self.owners(), reader)
                self._addresses = AddressMarks(text for _, canary in opened for text in _addresses_of(canary))
            return self._addresses


def in_order(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the order of keys, equal ones as they stand, and the keys in that order.

    Their places are sorted as the last bits of the keys themselves, which takes a third of the time of a sort of
    places by keys. What differs in those bits alone (at ten million some fifty pairs) is put in order after that.
    """
    import numpy as np

    mask = (1 << max(1, (len(keys) - 1).bit_length())) - 1
    order = keys & ~mask
    order |= np.arange(len(keys))
    order.sort()
    order &= mask
    ordered = keys[order]
    alike = (ordered[1:] ^ ordered[:-1]) & ~mask == 0
    if alike.any():
        unsure = np.zeros(len(keys), np.bool_)
        unsure[1:] |= alike
        unsure[:-1] |= alike
        places = np.flatnonzero(unsure)
        among = order[places]
        order[places] = among[np.lexsort((among, keys[among]))]
        ordered[places] = keys[order[places]]
    return order, ordered


def _looked_up(
    keys: NDArray[np.int64], serials: NDArray[np.int64], wanted: NDArray[np.int64]
) -> dict[int, list[int]]:
    import numpy as np

    if not len(wanted) or not len(keys):
        return {}
    low = np.searchsorted(keys, wanted, "left")
    found = np.flatnonzero(keys[np.minimum(low, len(keys) - 1)] == wanted)
    high = np.searchsorted(keys, wanted[found], "right")
    return {
        int(wanted[place]): serials[low[place] : end].tolist() for place, end in zip(found, high, strict=True)
    }


def _held(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    import numpy as np

    if not len(keys):
        return np.zeros(len(wanted), np.bool_)
    held: NDArray[np.bool_] = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted
    return held


def bloom_for(count: int) -> NDArray[np.uint64]:
    """Make an empty Bloom filter of 32 to 64 bits a key."""
    import numpy as np

    size = 1 << max(6, (max(1, count) - 1).bit_length() - 1)
    room = np.zeros(size + HUGE // 8, np.uint64)
    first = -room.ctypes.data % HUGE // 8
    return room[first : first + size]


def add_to_bloom(words: NDArray[np.uint64], keys: NDArray[np.int64]) -> None:
    """Add keys to a Bloom filter; the four bits of a key are in one word."""
    import numpy as np

    shift = np.uint64(64 - (len(words).bit_length() - 1))
    for start in range(0, len(keys), BLOOMED):
        h = keys[start : start + BLOOMED].view(np.uint64)
        if (h[1:] < h[:-1]).any():
            h = np.sort(h)  # keys of one word stand side by side then
        bits = np.zeros(len(h), np.uint64)
        for by in (0, 6, 12, 18):
            place = h >> np.uint64(by)
            place &= np.uint64(63)
            bits |= np.left_shift(np.uint64(1), place, out=place)
        at = (h >> shift).view(np.int64)
        first = np.concatenate([[0], np.flatnonzero(at[1:] != at[:-1]) + 1])
        words[at[first]] |= np.bitwise_or.reduceat(bits, first)


def _addresses_of(canary: Canary) -> list[str]:
    return [
        field.canonical.rpartition("|")[2]
        for field in canary.fields
        if form_of(field.role) in ("address", "name_address")
    ]


class HashIndex:
    """The first 64 bits of every hashed form of every canary, sorted, with the canary's serial."""

    def __init__(self, heads: NDArray[np.uint64], serials: NDArray[np.int64]) -> None:
        self._heads = heads
        self._serials = serials

    @classmethod
    def build(cls, serials: Sequence[int], reader: Reader) -> HashIndex:
        """Unseal canaries block by block and digest their identifying fields."""
        import numpy as np

        heads: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
        owners: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        for serial, canary in _opened(serials, reader):
            found = _heads(canary)
            heads.append(np.array(found, np.uint64))
            owners.append(np.full(len(found), serial, np.int64))
        head, owner = np.concatenate(heads), np.concatenate(owners)
        order = np.argsort(head, kind="stable")
        return cls(head[order], owner[order])

    def holds(self, heads: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Tell which first 64 bits of digests are those of a hashed form."""
        import numpy as np

        low = np.searchsorted(self._heads, heads, "left")
        high = np.searchsorted(self._heads, heads, "right")
        found: NDArray[np.bool_] = high > low
        return found

    def lookup(self, digests: Sequence[str]) -> dict[str, list[int]]:
        """Give the serials of canaries that a lower-case hex digest may belong to."""
        import numpy as np

        wanted = np.array([int(digest[:16], 16) for digest in digests], np.uint64)
        low = np.searchsorted(self._heads, wanted, "left")
        high = np.searchsorted(self._heads, wanted, "right")
        spans = zip(digests, low, high, strict=True)
        return {digest: sorted(set(self._serials[a:b].tolist())) for digest, a, b in spans if b > a}


def _opened(serials: Sequence[int], reader: Reader) -> Iterator[tuple[int, Canary]]:
    """Unseal canaries block by block; one by one where a serial of a block is unknown to the reader."""
    for start in range(0, len(serials), OPENED):
        block = serials[start : start + OPENED]
        canaries = reader.open_canaries(block)
        if len(canaries) == len(block):
            yield from zip(block, canaries, strict=True)
        else:
            yield from ((serial, canary) for serial in block for canary in reader.open_canaries([serial]))


def _heads(canary: Canary) -> list[int]:
    return [
        int(digest[:16], 16)
        for field in canary.fields
        if form_of(field.role) is not None
        for digest in hashed_forms(field.role, field.canonical, field.value)
    ]
