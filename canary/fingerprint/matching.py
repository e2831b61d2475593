"""Which column of a leak is which column of the plan, when headings were renamed, reordered or lost.

Decided by the leak and the plan alone: a heading that is the same settles it; the others are matched by what their
cells look like. Where two columns are alike (two phones), every assignment is a reading of its own, and
the evidence of the readings is averaged, never chosen by score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice, permutations, product
from typing import Final

import numpy as np

from canary.fields.fold import compact
from canary.fields.guess import SURE, guess_role
from canary.fields.values import is_address, is_name, mostly
from canary.fingerprint import codec
from canary.fingerprint.columns import Column, Texts, texts_of
from canary.fingerprint.evidence import Floats
from canary.fingerprint.plan import MarkPlan

MOST_READINGS: Final = 12
LEAST: Final = 0.3  # share of cells that must read as the column's kind
_SAMPLE = 500


def readings(plan: MarkPlan, leak: Mapping[str, Column]) -> list[dict[str, str]]:
    """Give the readings of a leak, at most twelve: each maps columns of the plan to headings of the leak."""
    settled = _by_heading(plan, list(leak))
    open_ = [name for name in plan.headings if name not in settled]
    free = {name: Sample(leak[name]) for name in leak if name not in settled.values()}
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in open_:
        fitting = tuple(heading for heading, cells in free.items() if fits(plan, name, cells))
        if fitting:
            groups.setdefault(fitting, []).append(name)
    choices = [list(islice(_assignments(names, fitting), MOST_READINGS)) for fitting, names in groups.items()]
    made = [
        {**settled, **{name: heading for choice in chosen for name, heading in choice.items()}}
        for chosen in islice(product(*choices), 20 * MOST_READINGS)
    ]
    single = [one for one in made if len(set(one.values())) == len(one)]
    return single[:MOST_READINGS] or [settled]


def _by_heading(plan: MarkPlan, headings: Sequence[str]) -> dict[str, str]:
    same = {compact(heading): heading for heading in reversed(headings)}
    found = {name: same[compact(name)] for name in plan.headings if compact(name) in same}
    return {name: (name if name in headings else heading) for name, heading in found.items()}


def _assignments(names: Sequence[str], fitting: Sequence[str]) -> list[dict[str, str]]:
    """Give the ways in which columns that look alike may be assigned, in the leak's order first."""
    short, long = (names, fitting) if len(names) <= len(fitting) else (fitting, names)
    ways = islice(permutations(long, len(short)), MOST_READINGS)
    if len(names) <= len(fitting):
        return [dict(zip(short, way, strict=True)) for way in ways]
    return [dict(zip(way, short, strict=True)) for way in ways]


class Sample:
    """The first filled cells of a leaked column, and the role that they look like, which is asked for many columns."""

    def __init__(self, column: Column) -> None:
        texts = texts_of(column)
        self.values = [texts.text(row) for row in np.flatnonzero(texts.filled)[:_SAMPLE].tolist()]
        self.cells = texts_of(self.values)

    @cached_property
    def role(self) -> str:
        """What the values are, by themselves."""
        return guess_role("", self.values)


def fits(plan: MarkPlan, name: str, sample: Sample) -> bool:
    """Tell whether cells look like a column of the plan: as its marks read, or as its role in an anchor."""
    if not sample.values:
        return False
    roles = [
        role
        for anchor in plan.anchors
        for column, role in zip(anchor.columns, anchor.roles, strict=True)
        if column == name
    ]
    if roles:
        return sample.role == roles[0] or _is_of_people(sample.values, roles[0])
    if plan.column(name).kind == "number" and sample.role not in ("measure", "money", "count"):
        return False
    return _reads(plan, name, sample.cells)


def _is_of_people(values: Sequence[str], role: str) -> bool:
    """Tell whether cells are names or addresses, however often the same ones come again."""
    test = {"name": is_name, "address": is_address}.get(role)
    return test is not None and mostly(values, test, SURE)


def _reads(plan: MarkPlan, name: str, cells: Texts) -> bool:
    classes = codec.read(plan.column(name), cells)
    return bool((classes >= 0).any(axis=1).mean() >= LEAST)


def renamed(leak: Mapping[str, Column], reading: Mapping[str, str]) -> dict[str, Column]:
    """Give a leak's columns under the plan's names."""
    return {name: leak[heading] for name, heading in reading.items()}


def averaged(log2_m: Sequence[Floats]) -> Floats:
    """Give log2 of the mean over readings of M, for every recipient."""
    return np.asarray(np.logaddexp2.reduce(np.stack(log2_m)) - np.log2(len(log2_m)))
