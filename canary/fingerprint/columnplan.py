"""How each column that a policy marks is to carry marks, judged by a sample of the whole file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from canary.fields.quantity import Tolerance, tolerance_of
from canary.fields.times import detect_format
from canary.fingerprint import category, invisible, lattice, numbers, surrogate, texts, times
from canary.fingerprint.anchors import MOST_ROWS, Often
from canary.fingerprint.columns import Flags, Texts
from canary.fingerprint.grammar import load_grammar
from canary.fingerprint.lattice import Ints
from canary.fingerprint.plan import ColumnPlan, Part
from canary.fingerprint.prf import GRAIN
from canary.model.data import ColumnPolicy, Policy

_SAMPLE = 2000
_MOST_PLACES = 6
_HEAPS: Final = (5, 10, 50, 100, 500, 1000)
_BATCHED = 0.3  # share of rows in batches from which a column of times is left alone
_AXIS_SHARE = 0.02  # an axis that stands on fewer cells carries nothing worth a byte
_TIED = 0.05  # share of rows, beyond twice that of chance, from which rows of one moment belong together


@dataclass(frozen=True)
class Looked:
    """What is known of a file when its plan is made: sampled rows of every column, and where their runs stand.

    `moments` are the counts, in the whole file, of the sampled cells of each column of times; `rows` counts the file's.
    """

    columns: Mapping[str, Texts]
    spans: Sequence[slice]
    rows: int
    moments: Mapping[str, Often] = field(default_factory=dict)


def planned_columns(policy: Policy, looked: Looked) -> Iterator[tuple[ColumnPlan, list[Part]]]:
    """Give the plan of each marked column that can carry anything, with the symbols that it offers."""
    for heading, column in policy.columns.items():
        if column.mark is None or heading not in looked.columns:
            continue
        made = _column_plan(heading, column, looked, policy)
        parts = [] if made is None else _parts(made, looked.columns[heading])
        if made is not None and parts:
            yield made, parts


def _column_plan(heading: str, column: ColumnPolicy, looked: Looked, policy: Policy) -> ColumnPlan | None:
    sample = looked.columns[heading]
    if column.mark == "text":
        return ColumnPlan(heading, "text", grammar=str(column.grammar))
    if column.mark == "number":
        return _number_plan(heading, column, sample, keep_sum=policy.keep_sum)
    if column.mark == "time":
        return _time_plan(heading, column, looked)
    if column.mark == "category":
        values, _ = category.values_of([sample.text(row) for row in range(len(sample))])
        beside = _beside(heading, looked.columns, policy)
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


def _time_plan(heading: str, column: ColumnPolicy, looked: Looked) -> ColumnPlan | None:
    sample = looked.columns[heading]
    some = np.linspace(0, len(sample), min(len(sample), _SAMPLE), endpoint=False, dtype=np.int64)
    found = detect_format([sample.text(row) for row in some.tolist()], 0.9)
    if found is None:
        return None
    step = max(1, int(found.step.total_seconds()))
    values, good = times.read_times(sample, found.template, step)
    if not good.any():
        return None
    on = looked.moments[heading]
    if (on[good] > MOST_ROWS).mean() > _BATCHED:
        return None
    amount = int(tolerance_of(column.tolerance if column.tolerance is not None else 0.0).amount) // step
    ordered = _is_ordered(column, values[good])
    if ordered:
        amount = min(amount, _half_gap(values[good]))
    modulus, base = lattice.modulus_of(amount, 60 if step == 1 else 0)
    heap = 60 if step == 1 and (values[good] % 60 == 0).mean() > 0.2 else 0
    tied = bool((on[good] > 1).mean() > 2 * _shared_by_chance(values, good, looked) + _TIED)
    return ColumnPlan(
        heading, "time", step=step, tolerance=amount, modulus=modulus, base=base, heap=heap,
        template=found.template, ordered=ordered, tied=tied,
    )  # fmt: skip


def _shared_by_chance(values: Ints, good: Flags, looked: Looked) -> float:
    """Give the share of rows that would share their moment with another one if moments fell evenly.

    So dense as the whole file is, or its neighbours are: in a file in the order of its moments all is close together
    within a run.
    """
    dense = np.full(len(values), looked.rows / _width(values[good]))
    for span in looked.spans:
        mine = values[span][good[span]]
        dense[span] = np.maximum(dense[span], len(mine) / _width(mine))
    return float((1 - np.exp(-dense[good])).mean())


def _width(values: Ints) -> int:
    return int(values.max() - values.min()) + 1 if len(values) else 1


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
        _, counts = category.values_of([sample.text(row) for row in range(len(sample))])
        return [Part(plan.heading, "value", len(plan.values), counts, category.THIN)]
    return [Part(plan.heading, "value", len(invisible.SIGNS))]
