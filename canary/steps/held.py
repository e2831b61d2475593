"""Which rows the exports held: kept as keyed filters with each export, and asked by every trace.

What a leak's rows are recognised by is no evidence against anybody, since the leaker chooses them. It says which
observations can be somebody's marks at all, and who cannot have had most of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from canary.steps.tools import Tools
from canary.store import marks
from canary.store.tx import Tx

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from canary.fingerprint.anchors import Anchored
    from canary.fingerprint.embed import Prepared
    from canary.fingerprint.filters import RowFilter
    from canary.fingerprint.learn import Seen

    Flags = npt.NDArray[np.bool_]

SUBKEY = "rows"  # the sub-key of the home from which the filters' keys are derived
MOST_FILTERS = 64  # exports of a version that a leak's rows are looked up in
MOST_ROWS = 50_000  # leaked rows that are looked up; of more the same share is taken to be recognised


class Recorder:
    """Records the rows of one export while it is written, where they are not recorded yet."""

    def __init__(self, seen: Seen, key: bytes) -> None:
        from canary.fingerprint.filters import RowFilter

        serving = {channel.anchor for channel in seen.plan.channels}
        self.filter = RowFilter.empty(key, seen.rows * len(serving))
        self.rows = seen.rows

    def add(self, prepared: Prepared) -> None:
        """Add the anchor values of one batch."""
        for number, anchored in enumerate(prepared.anchors):
            if anchored is not None:
                self.filter.add(anchored.digests, number, anchored.valid)

    def keep(self, tx: Tx, version: str, sha256_in: str) -> None:
        """Keep the filter with its export, in the transaction of its first copy."""
        marks.put_filter(tx, version, sha256_in, self.rows, self.filter.bits.tobytes())


def recorder(tx: Tx, tools: Tools, seen: Seen, version: str, sha256_in: str) -> Recorder | None:
    """Give what records the rows of an export, None where they are known."""
    from canary.fingerprint.filters import filter_key

    if marks.has_filter(tx, version, sha256_in):
        return None
    return Recorder(seen, filter_key(tools.keys.derive(SUBKEY), version, sha256_in))


@dataclass(frozen=True)
class Exports:
    """The exports of one dataset version: their filters by the digest of the input; `whole` where each has one."""

    filters: Mapping[str, RowFilter] = field(default_factory=dict)
    whole: bool = False


def exports(tx: Tx, tools: Tools, version: str, inputs: Iterable[str] | None = None) -> Exports:
    """Give the filters of a version's exports, of some inputs where they are given."""
    import numpy as np

    from canary.fingerprint.filters import RowFilter, filter_key

    made = marks.inputs(tx, version)
    wanted = made if inputs is None else made & set(inputs)
    if len(wanted) > MOST_FILTERS:
        return Exports()
    secret = tools.keys.derive(SUBKEY)
    found = {
        sha256_in: RowFilter(filter_key(secret, version, sha256_in), np.frombuffer(bits, np.uint8))
        for sha256_in, bits in marks.filters(tx, version)
        if sha256_in in wanted
    }
    return Exports(found, bool(wanted) and found.keys() == wanted)


class Recognition:
    """Looks the rows of a leak up in the exports, and counts those that each of them held."""

    def __init__(self, known: Exports) -> None:
        self._known = known
        self._flags: dict[str, list[Flags]] = {name: [] for name in known.filters}
        self._asked = 0
        self.rows = 0
        self.looked_at = 0

    def limited(self, anchors: Sequence[Anchored | None], *, counted: bool) -> list[Anchored | None]:
        """Keep the anchor values that some export held: nobody's marks can be beside others.

        Decided by leak, keys and exports alone; a batch's rows are `counted` once, in one of its readings.
        """
        import numpy as np

        rows = next((len(one.valid) for one in anchors if one is not None), 0)
        self.rows += rows if counted else 0
        if not self._known.whole or not rows:
            return list(anchors)
        union = [np.zeros(rows, np.bool_) for _ in anchors]
        some = slice(0, max(0, min(rows, MOST_ROWS - self.looked_at)) if counted else 0)
        for name, filter_ in self._known.filters.items():
            found = np.zeros(rows, np.bool_)
            for number, one in enumerate(anchors):
                if one is not None:
                    here = filter_.holds(one.digests, number) & one.valid
                    union[number] |= here
                    found |= here
            self._flags[name].append(found[some])
        self.looked_at += some.stop
        self._asked += sum(int(one.valid[some].sum()) for one in anchors if one is not None)
        return [one and one.chosen(held) for one, held in zip(anchors, union, strict=True)]

    def count(self, inputs: Iterable[str] | None = None) -> int:
        """Give how many rows any of these exports (None: any at all) held, less those that pass by chance."""
        import numpy as np

        wanted = self._known.filters if inputs is None else inputs
        names = [name for name in wanted if name in self._flags]
        if not names or not self.looked_at:
            return 0
        union = np.logical_or.reduce([np.concatenate(self._flags[name]) for name in names])
        tries = self._asked / self.looked_at
        misses = [1 - self._known.filters[name].chance for name in names]
        miss = float(np.prod(misses)) ** tries
        passing = int(union.sum()) - self.looked_at * (1 - miss)
        spread = 4 * (self.looked_at * miss * (1 - miss)) ** 0.5
        if passing <= spread:
            return 0
        return int(min(self.rows, round(passing / miss * self.rows / self.looked_at)))

    @property
    def knows(self) -> bool:
        """Tell whether all exports have filters, so that a row that is in none was never handed out."""
        return self._known.whole


def by_recipient(
    found: Recognition, held: Iterable[marks.HeldExport], version: str, earliest_ms: int | None
) -> dict[str, int]:
    """Give how many of the leak's rows each recipient's exports of a version held, those made in time."""
    mine: dict[str, frozenset[str]] = {}
    alone: dict[str, frozenset[str]] = {}  # nearly all have one of a few inputs, and no set of their own
    for recipient, of, sha256_in, created_ms in held:
        if of == version and (earliest_ms is None or created_ms <= earliest_ms):
            this = alone.get(sha256_in) or alone.setdefault(sha256_in, frozenset((sha256_in,)))
            before = mine.get(recipient)
            mine[recipient] = this if before is None else before | this
    counts = {inputs: found.count(sorted(inputs)) for inputs in set(mine.values())}
    return {name: counts[inputs] for name, inputs in mine.items()}
