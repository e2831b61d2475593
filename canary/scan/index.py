"""The index: scan keys of all issued canaries → serials; sorted arrays, many keys looked up at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from canary.fields.roles import form_of
from canary.model.canary import Canary
from canary.scan.hashes import hashed_forms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.scan.spots import AddressMarks

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

    def lookup(self, scan_keys: Sequence[int]) -> Mapping[int, Sequence[int]]:
        """Give the canary serials of those keys that were issued."""
        ...

    def holds(self, scan_keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the places of those keys that were issued."""
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
    """Sorted arrays of (scan key, canary serial): 12 bytes an identifier."""

    def __init__(
        self,
        keys: NDArray[np.int64],
        serials: NDArray[np.int64],
        issued: Mapping[str, int],
        bits: Mapping[str, float],
    ) -> None:
        self._keys = keys
        self._serials = serials
        self.issued = issued
        self.bits = bits
        self._hashed: HashIndex | None = None
        self._addresses: AddressMarks | None = None
        self._bits: NDArray[np.bool_] | None = None

    @classmethod
    def build(cls, rows: Iterable[tuple[int, int, str, float]]) -> ArrayIndex:
        """Build it from rows (scan key, canary serial, form, bits); a form's `bits` is -log2 of its mean chance."""
        import numpy as np

        forms: dict[str, int] = {}
        chances: list[float] = []
        packed = np.fromiter(
            ((key, serial, _form_number(form, bits, forms, chances)) for key, serial, form, bits in rows),
            dtype=[("key", np.int64), ("serial", np.int64), ("form", np.int8)],
        )
        packed.sort(order=("key", "serial"))
        fresh = np.ones(len(packed), dtype=bool)
        fresh[1:] = packed["key"][1:] != packed["key"][:-1]
        distinct = np.bincount(packed["form"][fresh], minlength=len(forms))
        total = np.bincount(packed["form"], minlength=len(forms))
        issued = {form: int(distinct[number]) for form, number in forms.items()}
        means = {form: chances[number] / int(total[number]) for form, number in forms.items()}
        bits = {form: -math.log2(max(mean, 1e-300)) for form, mean in means.items()}
        return cls(packed["key"].copy(), packed["serial"].copy(), issued, bits)

    def lookup(self, scan_keys: Sequence[int]) -> dict[int, list[int]]:
        """Give the canary serials of those keys that were issued."""
        import numpy as np

        wanted = np.asarray(scan_keys, dtype=np.int64)
        if not len(wanted) or not len(self._keys):
            return {}
        low = np.searchsorted(self._keys, wanted, "left")
        found = np.flatnonzero(self._keys[np.minimum(low, len(self._keys) - 1)] == wanted)
        high = np.searchsorted(self._keys, wanted[found], "right")
        return {
            int(wanted[place]): self._serials[low[place] : end].tolist()
            for place, end in zip(found, high, strict=True)
        }

    def holds(self, scan_keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the places of those keys that were issued; a table of bits turns nearly every other away."""
        import numpy as np

        if not len(self._keys):
            return np.empty(0, np.int64)
        if self._bits is None:
            self._bits = np.zeros(1 << max(16, len(self._keys).bit_length() + 3), np.bool_)
            self._bits[self._keys & (len(self._bits) - 1)] = True
        likely = np.flatnonzero(self._bits[scan_keys & (len(self._bits) - 1)])
        at = np.minimum(np.searchsorted(self._keys, scan_keys[likely]), len(self._keys) - 1)
        found: NDArray[np.int64] = likely[self._keys[at] == scan_keys[likely]]
        return found

    def hashed(self, reader: Reader) -> HashIndex:
        """Give the hashed forms of all canaries, computed when first asked for."""
        import numpy as np

        if self._hashed is None:
            self._hashed = HashIndex.build(np.unique(self._serials).tolist(), reader)
        return self._hashed

    def addresses(self, reader: Reader) -> AddressMarks:
        """Give the marks of the addresses of all canaries, made when first asked for."""
        import numpy as np

        from canary.scan.spots import AddressMarks

        if self._addresses is None:
            opened = _opened(np.unique(self._serials).tolist(), reader)
            self._addresses = AddressMarks(text for _, canary in opened for text in _addresses_of(canary))
        return self._addresses


def _addresses_of(canary: Canary) -> list[str]:
    return [
        field.canonical.rpartition("|")[2]
        for field in canary.fields
        if form_of(field.role) in ("address", "name_address")
    ]


def _form_number(form: str, bits: float, forms: dict[str, int], chances: list[float]) -> int:
    number = forms.setdefault(form, len(forms))
    if number == len(chances):
        chances.append(0.0)
    chances[number] += 2.0 ** -min(bits, 1000.0)
    return number


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
