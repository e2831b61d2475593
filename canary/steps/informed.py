"""With the original at hand: marks that averaging or noise has hidden, read from how far each number stands from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary.steps.decoding import MarksFound, Plan, Reader, plans_of
from canary.steps.leaktables import Columns, LeakTable, described, tables_in
from canary.steps.marking import SUBKEY
from canary.steps.tools import Tools
from canary.store import recipients
from canary.trace.case import MarkSets

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from canary.fingerprint.decode import Observations
    from canary.fingerprint.learn import Seen

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

MOST_ROWS = 20_000  # leaked rows that are compared with the original
MOST_TOGETHER = 8  # recipients whose sets are weighed
MOST_LOOKED_AT = 2000  # recipients, the best without the original; for others this evidence counts as nothing


@dataclass(frozen=True)
class Compared:
    """Leaked rows beside the original's: columns of both under the plan's names, and which row is which (−1: none)."""

    leak: Columns
    original: Columns
    rows: Ints
    seen: Seen


def with_original(
    tools: Tools, found: MarksFound, files: Sequence[Path], original: Path, groups: Sequence[str] = ()
) -> MarksFound:
    """Give the scores with the original as a second witness: the mean of E without it and with it.

    Both are of the same cells: their sum, their product or the larger one would be no bound.
    """
    import numpy as np

    from canary.files import open_table
    from canary.fingerprint.groups import observed
    from canary.fingerprint.matching import averaged

    table = described(open_table(original))
    names = sorted(found.scores, key=lambda name: -found.scores[name].log2_m)[:MOST_LOOKED_AT]
    with tools.registry.read() as tx:
        every = dict(recipients.mark_keys(tx))
    keys = [every[name] for name in names]
    plans = plans_of(tools, found.versions)
    present = observed(tools.keys.derive(SUBKEY), groups)
    made = [one for plan in plans if (one := _of_plan(plan, files, table, present, keys)) is not None]
    if not made:
        return found
    informed = np.logaddexp2.reduce(np.stack(made)) - np.log2(len(plans))
    beside = dict.fromkeys(found.scores, -np.inf) | dict(zip(names, informed.tolist(), strict=True))
    alone = np.array([score.log2_m for score in found.scores.values()])
    both = averaged([alone, np.array(list(beside.values()))]).tolist()
    scores = {
        name: replace(score, log2_m=value)
        for (name, score), value in zip(found.scores.items(), both, strict=True)
    }
    best = max(score.log2_m for score in found.scores.values())
    sets = found.sets if best >= float(informed.max()) else sets_of(names, informed)
    return replace(found, scores=scores, sets=sets)


def sets_of(names: Sequence[str], informed: Floats) -> MarkSets:
    """Weigh sets by the original's witness: each copy that was averaged in moved the numbers for itself."""
    import numpy as np

    best = np.argsort(-informed, kind="stable")[:MOST_TOGETHER]
    bits = (np.arange(1 << len(best))[:, None] >> np.arange(len(best))) & 1
    ratio = (bits * informed[best]).sum(axis=1)
    return MarkSets(
        tuple(names[at] for at in best.tolist()),
        ratio,
        np.asarray(bits * np.maximum(informed[best], 0.0), np.float64),
    )


def _of_plan(
    plan: Plan, files: Sequence[Path], original: LeakTable, groups: Observations, keys: Sequence[bytes]
) -> Floats | None:
    """Give log2 of the informed E of some recipients under one plan, None where nothing can be compared."""
    import numpy as np

    from canary.fingerprint.decode import read_marks
    from canary.fingerprint.embed import prepare
    from canary.fingerprint.groups import beside
    from canary.fingerprint.informed import informed_units, log2_informed
    from canary.fingerprint.score import score

    compared = _compared(plan, files, original)
    if compared is None:
        return None
    units = informed_units(prepare(compared.seen, compared.original), compared.leak, compared.rows)
    if not units:
        return None
    spelt = _of_text(read_marks(plan.plan, plan.keys, compared.leak))
    return np.asarray(log2_informed(units, keys) + score(beside(spelt, groups), keys).log2_m)


def _of_text(read: Observations) -> Observations:
    """Keep the observations of columns that the original says nothing more about."""
    import numpy as np

    plan = read.plan
    numeric = {one.heading for one in plan.columns if one.kind in ("number", "time")}
    spelt = np.array([channel.column not in numeric for channel in plan.channels], np.bool_)
    return read.chosen(spelt[read.channel])


def _compared(plan: Plan, files: Sequence[Path], original: LeakTable) -> Compared | None:
    from canary.fingerprint.learn import Seen

    leak = _leaked(plan, files)
    if leak is None:
        return None
    wanted = _digests(plan, leak)
    seen = Seen(plan.plan, plan.keys)
    rows = list(_matching(plan, original, wanted, seen))
    if not rows:
        return None
    whole = _together(rows)
    return Compared(leak, whole, _aligned(wanted, _digests(plan, whole)), seen)


def _leaked(plan: Plan, files: Sequence[Path]) -> Columns | None:
    """Give the first rows of a leak under the plan's names, read in the first way that fits."""
    from canary.fingerprint.matching import renamed

    reader, pieces, rows = Reader(plan), [], 0
    for table in tables_in(files):
        ways = reader.begin(table.head())
        for batch in table.batches() if ways else ():
            pieces.append(renamed(batch, ways[0]))
            rows += len(next(iter(pieces[-1].values()), ()))
            if rows >= MOST_ROWS:
                break
    return _together(pieces) if pieces else None


def _together(pieces: Sequence[Columns]) -> Columns:
    """Put the columns that all pieces have one behind another."""
    import pyarrow as pa

    common = [name for name in pieces[0] if all(name in piece for piece in pieces)]
    return {name: pa.concat_arrays([piece[name] for piece in pieces]) for name in common}


def _digests(plan: Plan, columns: Columns) -> dict[int, tuple[Any, Any]]:
    """Give the digests of every anchor that can be made, with which rows have one."""
    from canary.fingerprint.columns import texts_of
    from canary.fingerprint.learn import digests_of

    flat = {name: texts_of(columns[name]) for name in plan.plan.headings if name in columns}
    found = digests_of(plan.plan, plan.keys, flat)
    return {at: (one.digests, one.valid) for at, one in enumerate(found) if one is not None}


def _matching(
    plan: Plan, original: LeakTable, wanted: Mapping[int, tuple[Any, Any]], seen: Seen
) -> Iterator[Columns]:
    """Read the original once: count its anchors, and give the rows that stand in the leak."""
    import numpy as np

    for batch in original.batches():
        columns = {name: batch[name] for name in plan.plan.headings if name in batch}
        seen.add(columns)
        there = np.zeros(len(next(iter(columns.values()), ())), np.bool_)
        for at, (digests, valid) in _digests(plan, columns).items():
            if at in wanted:
                there |= valid & np.isin(digests, wanted[at][0][wanted[at][1]])
        if there.any():
            yield {name: column.take(np.flatnonzero(there)) for name, column in columns.items()}


def _aligned(leak: Mapping[int, tuple[Any, Any]], original: Mapping[int, tuple[Any, Any]]) -> Ints:
    """Give for every leaked row the original's row with an anchor in common, −1 where there is none."""
    import numpy as np

    count = len(next(iter(leak.values()))[0]) if leak else 0
    rows = np.full(count, -1, np.int64)
    for at in _common(leak, original):
        digests, valid = original[at]
        places = {int(digest): row for row, digest in enumerate(digests.tolist()) if valid[row]}
        mine, have = leak[at]
        for row in np.flatnonzero(have & (rows < 0)).tolist():
            rows[row] = places.get(int(mine[row]), -1)
    return rows


def _common(one: Iterable[int], other: Mapping[int, object]) -> list[int]:
    return [at for at in one if at in other]
