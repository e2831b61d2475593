"""The rules of record kinds: each fills one column of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from canary.errors import UsageError
from canary.generators.codes import draw_pattern, with_digits
from canary.generators.filler import Cells, Filler
from canary.generators.moment_rules import after, date, time
from canary.generators.safety import check_all
from canary.model.record import KindColumn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a column is filled, and the other keys that the rule may have."""

    fill: Callable[[Filler, KindColumn], Cells]
    options: frozenset[str] = frozenset()


def fill(filler: Filler, size: int) -> list[Cells]:
    """Draw the next batch of a kind, one list of cells a column; raises SafetyError rather than give an unsafe one."""
    filler.begin(size)
    return [_shown(filler, column) for column in filler.kind.columns]


def filled(filler: Filler, column: KindColumn) -> Cells:
    """Fill one column by its rule; raises SafetyError where a value is unsafe."""
    cells = RULES[rule_name(column.rule)].fill(filler, column)
    check_all(column.role, cells, filler.personas.owned)
    return cells


def _shown(filler: Filler, column: KindColumn) -> Cells:
    """Give a column as it is written: some cells empty where the rule says so."""
    cells = filler.column(column.name)
    empty = float(cast("float", column.rule.get("empty", 0.0)))
    if not empty:
        return cells
    dice = (filler.gen.random(filler.size) < empty).tolist()
    return ["" if gone else cell for cell, gone in zip(cells, dice, strict=True)]


def _person(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with one attribute of a person."""
    who = rule_name(column.rule)
    return filler.part(who, str(column.rule[who]))


def _pattern(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with free numbers of a pattern, other columns woven in."""
    text = str(column.rule["pattern"])
    return filler.woven(text, lambda piece: draw_pattern(filler.gen, piece, filler.size))


def _sequence(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with numbers that rise by gaps like those of a busy counter."""
    pattern, mean = str(column.rule["sequence"]), float(cast("float", column.rule.get("gap", 1)))
    low, high = cast("Sequence[int]", column.rule.get("from", (1, 1)))
    start = int(filler.start(column, low, high))
    gaps = filler.gen.geometric(1 / max(1.0, mean), filler.size)
    numbers = (gaps.cumsum() + start).tolist()
    filler.state[column.name] = numbers[-1]
    return filler.woven(pattern, lambda piece: [with_digits(piece, int(number)) for number in numbers])


def _choice(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with entries of a list, by weight where weights are given; of one list a cell of `by`."""
    choices, weights = column.rule["choice"], column.rule.get("weights")
    if not isinstance(choices, dict):
        return _drawn(filler, choices, weights, filler.size)
    by = str(column.rule.get("by", ""))
    cells: list[str | None] = [None] * filler.size
    for key, rows in sorted(filler.grouped(column, by, tuple(choices)).items()):
        own = weights.get(key) if isinstance(weights, dict) else weights
        for row, text in zip(rows, _drawn(filler, choices[key], own, len(rows)), strict=True):
            cells[row] = text
    return cells


def _drawn(filler: Filler, choices: object, weights: object, count: int) -> list[str]:
    texts = [str(text) for text in cast("Sequence[object]", choices)]
    given = cast("Sequence[float]", weights or [1.0] * len(texts))
    if len(given) != len(texts):
        raise UsageError(f"{len(texts)} choices have {len(given)} weights", "give each choice a weight")
    return filler.dice(texts, given, count)


def _take(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column from a table of facts that belong together."""
    return filler.taken(str(column.rule["take"]))


def _reckon(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with a sum over other columns, rounded to some decimals."""
    import numpy as np

    decimals = int(cast("int", column.rule.get("decimals", 0)))
    found = np.broadcast_to(np.asarray(filler.numbers(str(column.rule["reckon"])), float), filler.size)
    return [f"{_round(number, decimals):.{decimals}f}" for number in found.tolist()]


def _round(number: float, decimals: int) -> float:
    """Round halves up, as tills do, and spell no minus zero."""
    import math

    scale = 10.0**decimals
    return math.floor(number * scale + 0.5 + 1e-9) / scale + 0.0


def _money(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with amounts that crowd near the low end, in whole steps."""
    bounds = cast("Sequence[object]", column.rule["money"])
    low, high = _bounds(filler, bounds)
    step = float(cast("float", bounds[2]))
    steps = (filler.gen.beta(1.3, 3.5, filler.size) * ((high - low) / step)).astype(int)
    decimals = len(f"{step:g}".partition(".")[2])
    return [f"{start + word * step:.{decimals}f}" for start, word in zip(low, steps.tolist(), strict=True)]


def _measure(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with measured values that crowd near the low end, rounded to some decimals."""
    bounds = cast("Sequence[object]", column.rule["measure"])
    low, high = _bounds(filler, bounds)
    shares = filler.gen.beta(1.2, 4.0, filler.size)
    return [f"{value:.{int(cast('float', bounds[2]))}f}" for value in (low + shares * (high - low)).tolist()]


def _count(filler: Filler, column: KindColumn) -> Cells:
    """Fill a column with small counts, the low ones most often."""
    low, high = _bounds(filler, cast("Sequence[object]", column.rule["count"]))
    shares = filler.gen.random(filler.size) ** 2.2
    whole = high // 1 - low // 1 + 1
    return [str(int(word)) for word in (low // 1 + (shares * whole) // 1).tolist()]


def _bounds(filler: Filler, bounds: Sequence[object]) -> tuple[Floats, Floats]:
    """Give the bounds of each record; a high one below its low one gives way."""
    import numpy as np

    low, high = (np.broadcast_to(np.asarray(filler.numbers(one), float), filler.size) for one in bounds[:2])
    return low, np.maximum(low, high)


def rule_name(rule: Mapping[str, object]) -> str:
    """Give the name of a rule, the first key that is one; raises UsageError that lists the known rules."""
    for name in rule:
        if name in RULES:
            return name
    raise UsageError(
        f"no known rule in {', '.join(rule) or 'an empty rule'}", "known rules: " + ", ".join(sorted(RULES))
    )


def check_rule(rule: Mapping[str, object]) -> None:
    """Refuse a rule that is unknown or has keys of no use to it, with UsageError."""
    name = rule_name(rule)
    known = RULES[name].options | {name, "empty"}
    strange = sorted(rule.keys() - known)
    if strange:
        raise UsageError(
            f"rule {name!r} knows no {', '.join(strange)}", "it knows: " + ", ".join(sorted(known))
        )


RULES: Mapping[str, Rule] = {
    "persona": Rule(_person),
    "second": Rule(_person),
    "pattern": Rule(_pattern),
    "sequence": Rule(_sequence, frozenset({"from", "gap"})),
    "choice": Rule(_choice, frozenset({"weights", "by"})),
    "take": Rule(_take),
    "reckon": Rule(_reckon, frozenset({"decimals"})),
    "money": Rule(_money),
    "measure": Rule(_measure),
    "count": Rule(_count),
    "time": Rule(time, frozenset({"unit"})),
    "after": Rule(after, frozenset({"minutes", "months", "days", "hours", "unit"})),
    "date": Rule(date, frozenset({"unit"})),
}
