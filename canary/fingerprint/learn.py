"""First pass: the marking plan of a dataset from a sample, and what one file says about its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from canary.errors import UsageError
from canary.fields.quantity import Tolerance, tolerance_of
from canary.fields.times import detect_format
from canary.fingerprint import category, invisible, lattice, numbers, surrogate, texts, times
from canary.fingerprint.anchors import MOST_ROWS, Anchored, Tally, digest_anchor, tells_within
from canary.fingerprint.columns import Column, Flags, Texts, texts_of
from canary.fingerprint.grammar import load_grammar
from canary.fingerprint.lattice import Ints
from canary.fingerprint.plan import AnchorPlan, ColumnPlan, MarkPlan, Part, serve
from canary.fingerprint.prf import GRAIN, DatasetKeys, Words, dataset_keys, siphash24
from canary.model.data import ColumnPolicy, Policy

_SAMPLE = 2000
_MOST_PLACES = 6
_HEAPS: Final = (5, 10, 50, 100, 500, 1000)
_BATCHED = 0.3  # share of rows in batches from which a column of times is left alone
_AXIS_SHARE = 0.02  # an axis that stands on fewer cells carries nothing worth a byte
_TIED = 0.05  # share of rows, beyond twice that of chance, from which rows of one moment belong together
_PAIRS: Final = 1 << 18  # slots in which pairs of values that stand beside each other are counted
_USEFUL = 0.5  # share of rows an anchor has to tell, to serve marks where another one can


def make_plan(policy: Policy, sample: Mapping[str, Column], secret: bytes) -> MarkPlan:
    """Make the plan of a dataset from its policy and a sample of rows (the first batch); frozen from then on.

    UsageError where a marked column is also an anchor whose canonical form the mark would change.
    """
    flat = {heading: texts_of(column) for heading, column in sample.items()}
    anchors = tuple(
        AnchorPlan(columns, tuple(_role(policy, heading) for heading in columns))
        for columns in policy.anchors[:3]
    )
    marked = [(h, c) for h, c in policy.columns.items() if c.mark is not None and h in flat]
    _check_anchors(anchors, marked)
    columns, parts = [], []
    for heading, column in marked:
        planned = _column_plan(heading, column, flat, policy)
        found = [] if planned is None else _parts(planned, flat[heading])
        if planned is not None and found:
            columns.append(planned)
            parts += found
    serving = _serving(anchors, flat, dataset_keys(secret, policy.dataset)) if anchors else []
    if policy.omit and serving:
        gone = max(1, min(GRAIN - 1, round(policy.omit * GRAIN)))
        parts.append(Part("", "omit", 2, (gone, GRAIN - gone)))
    channels = serve(parts, serving, anchors) if serving else ()
    return MarkPlan(policy.dataset, anchors, tuple(columns) if channels else (), channels, policy.omit)


def _role(policy: Policy, heading: str) -> str:
    found = policy.columns.get(heading)
    return found.role if found else "other"


def _check_anchors(anchors: Sequence[AnchorPlan], marked: Sequence[tuple[str, ColumnPolicy]]) -> None:
    for heading, column in marked:
        safe = column.mark == "text" and load_grammar(str(column.grammar)).canonical == "address"
        safe = safe and column.role == "address"
        if not safe and any(heading in anchor.columns for anchor in anchors):
            raise UsageError(
                f"column {heading!r} is an anchor and would be changed by its mark",
                "take it out of the anchors, or take out its mark",
            )


def _serving(anchors: Sequence[AnchorPlan], flat: Mapping[str, Texts], keys: DatasetKeys) -> list[int]:
    """Give the anchors that tell most rows, all of them where none does."""
    telling = []
    for number, anchor in enumerate(anchors):
        found = digest_anchor(keys, anchor, flat)
        if found is not None and tells_within(found).valid.mean() >= _USEFUL:
            telling.append(number)
    return telling or list(range(len(anchors)))


def _column_plan(
    heading: str, column: ColumnPolicy, flat: Mapping[str, Texts], policy: Policy
) -> ColumnPlan | None:
    sample = flat[heading]
    if column.mark == "text":
        return ColumnPlan(heading, "text", grammar=str(column.grammar))
    if column.mark == "number":
        return _number_plan(heading, column, sample, keep_sum=policy.keep_sum)
    if column.mark == "time":
        return _time_plan(heading, column, sample)
    if column.mark == "category":
        values, _ = category.values_of([sample.text(row) for row in range(min(len(sample), 65536))])
        beside = _beside(heading, flat, policy)
        return ColumnPlan(heading, "category", values=values, beside=beside) if values else None
    return ColumnPlan(heading, str(column.mark))


def _beside(heading: str, flat: Mapping[str, Texts], policy: Policy) -> tuple[str, ...]:
    """Give the columns of few values with which a category has to go together; none whose own cells are moved."""
    return tuple(
        name
        for name, texts in flat.items()
        if name != heading
        and (name not in policy.columns or policy.columns[name].mark in (None, "category"))
        and category.has_few_values(texts)
    )


def _number_plan(heading: str, column: ColumnPolicy, sample: Texts, *, keep_sum: bool) -> ColumnPlan | None:
    values, decimals = numbers.read_numbers(sample, _MOST_PLACES)
    good = decimals >= 0
    if not good.any():
        return None
    places = int(min(decimals[good].max(), _MOST_PLACES))
    values = values[good] // 10 ** (_MOST_PLACES - places)
    least = _least_decimals(values, decimals[good], places)
    tolerance = tolerance_of(column.tolerance if column.tolerance is not None else 0.0)
    share = tolerance.amount if tolerance.unit == "share" else 0.0
    ordered = _is_ordered(column, values)
    amount = _units(tolerance, values, places)
    if ordered:
        amount = min(amount, _half_gap(values))
    modulus, base = lattice.modulus_of(amount, 10, keep_sum=keep_sum)
    return ColumnPlan(
        heading, "number", places=places, least=least, tolerance=amount, share=share, modulus=modulus,
        base=base, heap=_heap(values), ordered=ordered, keep_sum=keep_sum,
    )  # fmt: skip


def _units(tolerance: Tolerance, values: Ints, places: int) -> int:
    if tolerance.unit == "share":
        return int(np.quantile(np.abs(values), 0.1) * tolerance.amount + 1e-9)
    return int(tolerance.amount * 10**places + 1e-9)


def _least_decimals(values: Ints, decimals: Ints, places: int) -> int:
    """Give how many decimals are always written: all of them, or as many as the shortest spelling has."""
    round_ones = (values % 10 == 0) & (decimals == places)
    return places if places == 0 or round_ones.any() else int(decimals.min())


def _is_ordered(column: ColumnPolicy, values: Ints) -> bool:
    rises = len(values) > 2 and bool((np.diff(values) >= 0).all()) and values[0] < values[-1]
    return bool(column.order == "kept" or (column.order is None and rises))


def _half_gap(values: Ints) -> int:
    """Give how far most values of a rising column may move without reordering it."""
    gaps = np.diff(values)
    return int(np.quantile(np.maximum(gaps - 1, 0) // 2, 0.25)) if len(gaps) else 0


def _heap(values: Ints) -> int:
    """Give the smallest step on whose multiples far more values stand than chance would put there, 0 for none."""
    for step in _HEAPS:
        share = float((values % step == 0).mean())
        if share >= 2 / step + 0.05 and len(values) >= 20:
            return step
    return 0


def _time_plan(heading: str, column: ColumnPolicy, sample: Texts) -> ColumnPlan | None:
    head = [sample.text(row) for row in range(min(len(sample), _SAMPLE))]
    found = detect_format(head, 0.9)
    if found is None:
        return None
    step = max(1, int(found.step.total_seconds()))
    values, good = times.read_times(sample, found.template, step)
    values = values[good]
    counts = np.unique(values, return_counts=True)[1]
    if counts[counts > MOST_ROWS].sum() > _BATCHED * len(values):
        return None
    amount = int(tolerance_of(column.tolerance if column.tolerance is not None else 0.0).amount) // step
    ordered = _is_ordered(column, values)
    if ordered:
        amount = min(amount, _half_gap(values))
    modulus, base = lattice.modulus_of(amount, 60 if step == 1 else 0)
    heap = 60 if step == 1 and (values % 60 == 0).mean() > 0.2 else 0
    return ColumnPlan(
        heading, "time", step=step, tolerance=amount, modulus=modulus, base=base, heap=heap,
        template=found.template, ordered=ordered, tied=_is_tied(values, counts),
    )  # fmt: skip


def _is_tied(values: Ints, counts: Ints) -> bool:
    """Tell whether far more rows share their moment with another one than chance would have it: they go together."""
    if not len(values):
        return False
    by_chance = 1 - np.exp(-len(values) / (float(values.max() - values.min()) + 1))
    return bool(counts[counts > 1].sum() > (2 * by_chance + _TIED) * len(values))


def _parts(plan: ColumnPlan, sample: Texts) -> list[Part]:
    if plan.kind in ("number", "time"):
        return [Part(plan.heading, name, q) for name, q in lattice.sizes(plan)]
    if plan.kind == "text":
        grammar = load_grammar(plan.grammar)
        shares = texts.find_spellings(sample, grammar).open.mean(axis=0)
        pairs = zip(grammar.axes, shares.tolist(), strict=True)
        return [Part(plan.heading, axis.name, axis.q) for axis, share in pairs if share >= _AXIS_SHARE]
    if plan.kind == "surrogate":
        return [Part(plan.heading, f"byte{n}", GRAIN, together=True) for n in range(surrogate.PARTS)]
    if plan.kind == "category":
        _, counts = category.values_of([sample.text(row) for row in range(min(len(sample), 65536))])
        return [Part(plan.heading, "value", len(plan.values), counts, category.THIN)]
    return [Part(plan.heading, "value", len(invisible.SIGNS))]


@dataclass
class Seen:
    """What the first pass over a file counts, in a fixed amount of memory: anchor values, and moments of batches."""

    plan: MarkPlan
    keys: DatasetKeys
    anchors: Tally = field(default_factory=Tally)
    moments: Tally = field(default_factory=Tally)
    rows: int = 0
    pairs: dict[str, Tally] = field(default_factory=dict)

    def add(self, columns: Mapping[str, Column]) -> None:
        """Count one batch."""
        flat = {heading: texts_of(columns[heading]) for heading in self.plan.sources if heading in columns}
        for number, anchored in enumerate(digests_of(self.plan, self.keys, flat)):
            if anchored is not None:
                self.anchors.add(salted(anchored.digests[anchored.valid], number))
        for column in self.plan.columns:
            if column.kind == "time" and column.heading in flat:
                texts = flat[column.heading]
                self.moments.add(salted(siphash24(self.keys.digest, texts.data, texts.offsets), 99))
            if column.kind == "category" and all(name in flat for name in (column.heading, *column.beside)):
                self._add_pairs(column, flat)
        self.rows += len(next(iter(flat.values()))) if flat else 0

    def _add_pairs(self, column: ColumnPlan, flat: Mapping[str, Texts]) -> None:
        tally = self.pairs.setdefault(column.heading, Tally(_PAIRS))
        mine = category.digests(self.keys, flat[column.heading])
        for number, name in enumerate(column.beside):
            tally.add(category.pair(mine, category.digests(self.keys, flat[name]), number))

    def company(self, column: ColumnPlan, flat: Mapping[str, Texts]) -> category.Company | None:
        """Give what stands beside a column of categories in a batch, None where it is no such or not at hand."""
        if column.heading not in self.pairs or any(name not in flat for name in column.beside):
            return None
        beside = [flat[name] for name in column.beside]
        rows = len(flat[column.heading])
        return category.company(self.keys, self.pairs[column.heading], column.values, beside, rows)

    def telling(self, number: int, anchored: Anchored) -> Anchored:
        """Keep the anchor values that stand on at most three rows of the file."""
        return anchored.chosen(self.anchors.count(salted(anchored.digests, number)) <= MOST_ROWS)

    def stays(self, column: ColumnPlan, texts: Texts) -> Flags | None:
        """Tell which moments belong to a batch and stay: one row moved alone would leave it. None for no moments."""
        if column.kind != "time":
            return None
        digests = salted(siphash24(self.keys.digest, texts.data, texts.offsets), 99)
        return np.asarray(self.moments.count(digests) > (1 if column.tied else MOST_ROWS))


def salted(digests: Words, number: int) -> Words:
    """Keep the counts of several anchors apart."""
    return digests ^ np.uint64(number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)


def digests_of(plan: MarkPlan, keys: DatasetKeys, flat: Mapping[str, Texts]) -> list[Anchored | None]:
    """Give the digests of all anchors that serve a channel, None for those that cannot be made."""
    serving = {channel.anchor for channel in plan.channels}
    return [
        digest_anchor(keys, anchor, flat) if number in serving else None
        for number, anchor in enumerate(plan.anchors)
    ]
