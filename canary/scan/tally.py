"""How many candidates an input held: the n of every bound, so always too many rather than too few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from canary.model.evidence import Candidates
from canary.scan.candidates import Candidate
from canary.scan.records import REACH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DOMAINS = 16  # classes of mail domains
COMPACTED = 1 << 20  # keys held before they are made distinct
HASHED = ("phone", "email", "code")  # forms a digest may stand for


def shape_of(form: str, canonical: str) -> str:
    """Give a form with what is public about a value: its length, whether it is a mobile, a class of its domain."""
    if form == "email":
        return f"email:{sum(canonical.rpartition('@')[2].encode('utf-8', 'surrogatepass')) % DOMAINS}"
    if form == "phone":
        mobile = len(canonical) == 11 and canonical[0] == "1" and canonical[1] not in "012"
        return "phone:mobile" if mobile else f"phone:{len(canonical)}"
    return f"code:{len(canonical)}" if form == "code" else form


class Tally:
    """Counts distinct candidates by shape, and pairs of candidates that share a record."""

    def __init__(self) -> None:
        self._keys: dict[str, list[NDArray[np.int64]]] = {}
        self._held = 0
        self._pairs: Counter[tuple[str, ...]] = Counter()
        self._names = 0

    def add_keys(self, shaped: Mapping[tuple[str, str], str], keyed: Mapping[tuple[str, str], int]) -> None:
        """Add the keys that one block looked up: (form, canonical) → shape and → key."""
        import numpy as np

        by_shape: dict[str, list[int]] = {}
        for pair, shape in shaped.items():
            by_shape.setdefault(shape, []).append(keyed[pair])
        for shape, each in by_shape.items():
            self._keys.setdefault(shape, []).append(np.array(each, np.int64))
        self._held += len(keyed)
        if self._held > COMPACTED:
            self._compact()

    def _compact(self) -> None:
        import numpy as np

        for (
            shape,
            parts,
        ) in self._keys.items():  # np.unique loads masked arrays: a tenth of the time of a short scan
            keys = np.sort(np.concatenate(parts))
            fresh = np.ones(len(keys), np.bool_)
            np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
            self._keys[shape] = [keys[fresh]]
        self._held = 0  # what stays is distinct; the limit is for what comes on top

    def add_pairs(
        self,
        found: Iterable[Candidate],
        shaped: Mapping[tuple[str, str], str],
        text: str,
        starts: Sequence[int] | None,
    ) -> None:
        """Add the pairs of a block, within its records, or in prose (`starts` None) within reach of each other."""
        places: dict[str, list[int]] = {}
        for each in found:
            places.setdefault(shaped[each[0], each[1]], []).append(each[2])
        self.add_places(places, text, starts)

    def add_places(
        self,
        places: Mapping[str, Sequence[int] | NDArray[np.int64]],
        text: str,
        starts: Sequence[int] | NDArray[np.int64] | None,
    ) -> None:
        """Add the pairs of a block whose candidates stand at these places, by shape."""
        names = name_places(text, cells=starts is not None)
        self._names += len(names)
        pairs = _near_pairs(places, names) if starts is None else _record_pairs(places, names, starts)
        self._pairs.update(pairs)

    def candidates(self, hit: Iterable[str], more: Mapping[tuple[str, ...], int] | None = None) -> Candidates:
        """Give the counts; `hit` are the shapes of the fields by which canaries were found.

        `more` are counts, of one shape or of a pair, of what was told apart elsewhere.
        """
        self._compact()
        shaped: dict[tuple[str, ...], int] = {(shape,): len(parts[0]) for shape, parts in self._keys.items()}
        shaped[("name",)] = self._names
        shaped.update(self._pairs)
        for shapes, count in (more or {}).items():
            shaped[shapes] = shaped.get(shapes, 0) + count
        return candidates_of(shaped, frozenset(hit))


def _record_pairs(
    places: Mapping[str, Sequence[int] | NDArray[np.int64]],
    names: NDArray[np.int64],
    starts: Sequence[int] | NDArray[np.int64],
) -> Counter[tuple[str, str]]:
    """Count pairs a record: the sum over records of the products of the counts."""
    import numpy as np

    edges = np.asarray(starts)
    counts = {
        shape: np.bincount(np.searchsorted(edges, np.asarray(each), "right") - 1, minlength=len(starts))
        for shape, each in [*places.items(), ("name", names)]
        if len(each)
    }
    found: Counter[tuple[str, str]] = Counter()
    for one, two in combinations_with_replacement(sorted(counts), 2):
        if one == two:
            total = int((counts[one] * (counts[one] - 1) // 2).sum()) if one != "name" else 0
        else:
            total = int(counts[one] @ counts[two])
        if total:
            found[pair_of(one, two)] = total
    return found


def _near_pairs(
    places: Mapping[str, Sequence[int] | NDArray[np.int64]], names: NDArray[np.int64]
) -> Counter[tuple[str, str]]:
    """Count pairs in prose: for each candidate, the others within reach (twice of it, since windows chain)."""
    import numpy as np

    ordered = {
        shape: np.sort(np.asarray(each, np.int64))
        for shape, each in [*places.items(), ("name", names)]
        if len(each)
    }
    found: Counter[tuple[str, str]] = Counter()
    for one, two in combinations_with_replacement(sorted(ordered), 2):
        if one == two == "name":
            continue
        few, many = sorted((ordered[one], ordered[two]), key=len)
        reached = np.searchsorted(many, few + 2 * REACH, "right") - np.searchsorted(
            many, few - 2 * REACH, "left"
        )
        near = int(reached.sum())
        total = (near - len(few)) // 2 if one == two else near
        if total:
            found[pair_of(one, two)] = total
    return found


def pair_of(one: str, two: str) -> tuple[str, str]:
    """Order a pair: the name first, then the shapes by their letters."""
    if "name" in (one, two):
        return "name", two if one == "name" else one
    return (one, two) if one <= two else (two, one)


def name_places(text: str, *, cells: bool) -> NDArray[np.int64]:
    """Give a place for every way to read a name in a text: in tables short words, in prose any stretch."""
    import numpy as np

    signs = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    starts, lengths = _runs(((signs >= 0x3400) & (signs <= 0x9FFF)) | ((signs >= 0x200B) & (signs <= 0x200D)))
    if cells:  # a name may stand at either end of a short word
        han = np.repeat(starts[(lengths >= 2) & (lengths <= 6)], 2)
    else:
        han = np.repeat(starts, np.maximum(lengths - 1, 0))
    letters = signs | 0x20
    latin, sizes = _runs((letters >= 0x61) & (letters <= 0x7A))
    return np.sort(np.concatenate([han, latin[sizes >= 2]]))


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the starts and lengths of the stretches where a mask holds."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges[0::2], edges[1::2] - edges[0::2]


def candidates_of(shaped: Mapping[tuple[str, ...], int], hit: frozenset[str]) -> Candidates:
    """Sum the shapes of each form, or where canaries were hit take the largest of the shapes that were."""
    with_digests = _with_digests(shaped, hit)
    single: dict[str, int] = {}
    pair: dict[tuple[str, str], int] = {}
    for shapes, count in with_digests.items():
        forms = tuple(shape.partition(":")[0] for shape in shapes)
        counts = [shape in hit or ":" not in shape for shape in shapes]
        narrow = all(counts) or not hit
        if len(forms) == 1 and narrow:
            single[forms[0]] = max(single.get(forms[0], 0), count) if hit else single.get(forms[0], 0) + count
        elif len(forms) == 2 and narrow:
            key = pair_of(forms[0], forms[1])
            pair[key] = max(pair.get(key, 0), count) if hit else pair.get(key, 0) + count
    for form in {shapes[0].partition(":")[0] for shapes in with_digests if len(shapes) == 1}:
        single.setdefault(form, _total(with_digests, form))
    return Candidates(single, pair, dict(shaped), hit)


def _total(shaped: Mapping[tuple[str, ...], int], form: str) -> int:
    return sum(n for shapes, n in shaped.items() if len(shapes) == 1 and shapes[0].partition(":")[0] == form)


def _with_digests(shaped: Mapping[tuple[str, ...], int], hit: frozenset[str]) -> dict[tuple[str, ...], int]:
    """Count every digest as a candidate of each shape it may stand for."""
    counts = dict(shaped)
    shapes = {shape for key in (*shaped, hit) for shape in key if shape.partition(":")[0] in HASHED}
    digests = shaped.get(("hash",), 0)
    for shape in shapes if digests else ():
        counts[(shape,)] = counts.get((shape,), 0) + digests
    for key, count in shaped.items():
        if len(key) == 2 and "hash" in key:
            other = key[0] if key[1] == "hash" else key[1]
            for shape in shapes:
                both = pair_of(shape, other) if other != "hash" else (shape, shape)
                counts[both] = counts.get(both, 0) + count
    return counts
