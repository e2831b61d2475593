"""What a column says and how it is made to say it: classes of cells, whatever the kind of the column."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from canary.fingerprint import category, invisible, lattice, numbers, surrogate, times
from canary.fingerprint import texts as spelling
from canary.fingerprint.columns import Flags, Texts
from canary.fingerprint.grammar import load_grammar
from canary.fingerprint.lattice import ERASED, Ints
from canary.fingerprint.plan import ColumnPlan


@dataclass(frozen=True, slots=True)
class Parsed:
    """A column that was read once, to be written for many recipients: `values` of numbers, or places of spellings."""

    plan: ColumnPlan
    texts: Texts
    open: Flags
    values: Ints | None = None
    spellings: spelling.Spellings | None = None
    low: Ints | None = None
    high: Ints | None = None
    company: category.Company | None = None


def parse(
    plan: ColumnPlan, column: Texts, stays: Flags | None = None, company: category.Company | None = None
) -> Parsed:
    """Read a column of the original; cells that `stays` says keep their value, categories go with their `company`."""
    if plan.kind in ("number", "time"):
        values, good = _values(plan, column)
        able = good & column.filled & lattice.is_open(values, plan)
        if stays is not None:
            able &= ~stays
        low, high = _bounds(plan, values, able, good)
        return Parsed(plan, column, able, values, None, low, high)
    if plan.kind == "text":
        found = spelling.find_spellings(column, load_grammar(plan.grammar))
        return Parsed(plan, column, column.filled, None, found)
    return Parsed(plan, column, column.filled, company=company)


def _values(plan: ColumnPlan, column: Texts) -> tuple[Ints, Flags]:
    if plan.kind == "time":
        return times.read_times(column, plan.template, plan.step)
    values, decimals = numbers.read_numbers(column, plan.places)
    return values, numbers.is_plain(decimals, values, plan.places, plan.least)


def _bounds(plan: ColumnPlan, values: Ints, able: Flags, good: Flags) -> tuple[Ints, Ints]:
    """Give how low and high each value may go; in a column that rises, no further than half way to its neighbours.

    The first and the last row of a batch stay, as their other neighbours are out of sight.
    """
    room = np.where(able, lattice.reach(values, plan), 0)
    low, high = values - room, values + room
    if plan.ordered and len(values):
        sure = good[1:] & good[:-1]
        gap = np.where(sure, np.maximum(values[1:] - values[:-1], 0), 0)
        below, above = np.concatenate([[0], gap // 2]), np.concatenate([np.maximum(gap - 1, 0) // 2, [0]])
        low, high = np.maximum(low, values - below), np.minimum(high, values + above)
        low[[0, -1]] = high[[0, -1]] = values[[0, -1]]
    return low, high


def write(parsed: Parsed, targets: Ints) -> tuple[Texts, Flags, Ints | None]:
    """Give the marked column, which cells changed, and by how many units numbers moved (None: no numbers).

    `targets` is int64[n, parts], −1 where a part is to stay.
    """
    plan, column = parsed.plan, parsed.texts
    if parsed.values is not None and parsed.low is not None and parsed.high is not None:
        marked = lattice.moved(parsed.values, targets, plan, parsed.open, parsed.low, parsed.high)
        if plan.keep_sum:
            marked = lattice.balanced(parsed.values, marked, plan, parsed.low, parsed.high)
        changed = marked != parsed.values
        return _written(plan, column, marked, changed), changed, marked - parsed.values
    made = _rewritten(parsed, targets)
    return made, spelling.differ(column, made), None


def _written(plan: ColumnPlan, column: Texts, values: Ints, changed: Flags) -> Texts:
    if plan.kind == "time":
        return times.write_times(column, values, changed, plan.template, plan.step)
    return numbers.write_numbers(column, values, changed, plan.places, plan.least)


def _rewritten(parsed: Parsed, targets: Ints) -> Texts:
    plan = parsed.plan
    if plan.kind == "text" and parsed.spellings is not None:
        return spelling.write_forms(parsed.spellings, load_grammar(plan.grammar), targets)
    if plan.kind == "surrogate":
        return surrogate.write_surrogates(parsed.texts, targets)
    if plan.kind == "category":
        return category.write_categories(parsed.texts, plan.values, targets, parsed.company)
    return invisible.write_invisible(parsed.texts, targets)


def read(plan: ColumnPlan, column: Texts) -> Ints:
    """Give the classes found in a leaked column, int64[n, parts], −1 where erased; decided by the leak alone."""
    if plan.kind == "number":
        return _read_numbers(plan, column)
    if plan.kind == "time":
        values, good = times.read_times(column, plan.template, plan.step)
        return _classes(plan, values, good & column.filled)
    if plan.kind == "text":
        grammar = load_grammar(plan.grammar)
        return spelling.read_forms(spelling.find_spellings(column, grammar), grammar)
    if plan.kind == "surrogate":
        return surrogate.read_surrogates(column)
    if plan.kind == "category":
        return category.read_categories(column, plan.values)
    return invisible.read_invisible(column)


def _classes(plan: ColumnPlan, values: Ints, good: Flags) -> Ints:
    able = good & lattice.is_open(values, plan)
    return np.where(able[:, None], lattice.classes_of(values, plan), ERASED)


def _read_numbers(plan: ColumnPlan, column: Texts) -> Ints:
    """Read numbers; where the whole column has fewer decimals than it had, what is rounded away is erased."""
    values, decimals = numbers.read_numbers(column, plan.places)
    good = (decimals >= 0) & column.filled
    lost = plan.places - int(decimals[good].max()) if good.any() else 0
    if lost > 0 and plan.base:
        found = _classes(replace(plan, heap=0), values, good)
        found[:, 0] = ERASED
        return found if lost == 1 else np.full_like(found, ERASED)
    found = _classes(plan, values, good)
    return np.full_like(found, ERASED) if lost > 0 else found


def parts_of(plan: ColumnPlan) -> list[str]:
    """Give the names of a column's parts, in the order in which classes stand."""
    if plan.kind in ("number", "time"):
        return [name for name, _ in lattice.sizes(plan)]
    if plan.kind == "text":
        return [axis.name for axis in load_grammar(plan.grammar).axes]
    return [f"byte{number}" for number in range(surrogate.PARTS)] if plan.kind == "surrogate" else ["value"]
