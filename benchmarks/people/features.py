"""What an analyst who has the whole tagged file can compute of a row, without knowing any canary.

Every feature is learned from the file alone: how often values, their shapes, beginnings and pairs stand in it, gaps
to the neighbours, how well the other columns foretell a cell, how usual its letters are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

Floats = np.ndarray
FEW = 400  # distinct values up to which a column counts as one of categories
OTHERS = 4_000  # rows from which what depends on other columns is learned
TEXTS = 20_000  # rows from which the letters of a column are learned, canaries among them
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?Z?)?")
_MASK = (
    ("0", re.compile(r"\d")),
    ("a", re.compile(r"[a-z]")),
    ("A", re.compile(r"[A-Z]")),
    ("汉", re.compile("[一-鿿]")),
)


@dataclass(frozen=True)
class Features:
    """One line a row asked for, one column a feature."""

    names: tuple[str, ...]
    values: Floats


def features(columns: Mapping[str, Sequence[str]], rows: np.ndarray, seed: int = 0) -> Features:
    """Compute the features of some rows of a table."""
    found: dict[str, Floats] = {"position": rows / len(next(iter(columns.values())))}
    numbers = {name: read for name, cells in columns.items() if (read := parsed(cells)) is not None}
    others = np.setdiff1d(np.arange(len(next(iter(columns.values())))), rows)
    gen = np.random.default_rng(seed)
    others = gen.permutation(others)
    spelt = gen.permutation(len(next(iter(columns.values()))))[:TEXTS]
    for name, cells in columns.items():
        for what, value in _cells(cells, rows, spelt):
            found[f"{name}: {what}"] = value
        if name in numbers:
            for what, value in _number(numbers[name], cells, rows):
                found[f"{name}: {what}"] = value
    found |= dict(_times(columns, numbers, rows))
    found |= dict(_pairs(columns, rows))
    found |= dict(_residuals(columns, numbers, rows, others))
    rare = [value for name, value in found.items() if name.endswith(": times")]
    found["unique values"] = np.sum([value < 0.7 for value in rare], axis=0).astype(float)
    found["rarity"] = np.sum(rare, axis=0)
    kept = {name: value for name, value in found.items() if np.ptp(value) > 0}
    return Features(tuple(kept), np.column_stack([np.nan_to_num(value, nan=-1.0) for value in kept.values()]))


def shape(text: str) -> str:
    """Write the make of a text: its digits, letters and Han characters each as one sign."""
    for sign, letters in _MASK:
        text = letters.sub(sign, text)
    return text


def _counted(counts: Counter[str], mine: Sequence[str], key: Callable[[str], str]) -> Floats:
    """Give the logarithm of how many cells of a column, counted by their texts, have the key of each of some cells."""
    keyed: Counter[str] = Counter()
    for cell, count in counts.items():
        keyed[key(cell)] += count
    return np.log1p([keyed[key(cell)] for cell in mine])


def _cells(cells: Sequence[str], rows: np.ndarray, spelt: np.ndarray) -> Iterator[tuple[str, Floats]]:
    """Give what one column's texts tell: how usual value, make, beginning, end and letters (of rows `spelt`) are."""
    mine = [cells[row] for row in rows.tolist()]
    counts = Counter(cells)
    yield "times", _counted(counts, mine, str)
    yield "shape", _counted(counts, mine, shape)
    yield "length", np.array([float(len(cell)) for cell in mine])
    yield "empty", np.array([float(not cell) for cell in mine])
    yield "digits", np.array([float(sum(map(str.isdigit, cell))) for cell in mine])
    yield "digit run", np.array([float(max(map(len, re.findall(r"\d+", cell)), default=0)) for cell in mine])
    yield "repeated letters", np.array([float(len(cell) - len(set(cell))) for cell in mine])
    for size in (1, 2, 3, 6, 9):
        yield f"first {size}", _counted(counts, mine, lambda cell, size=size: cell[:size])
    for size in (1, 2, 3, 5):
        yield f"last {size}", _counted(counts, mine, lambda cell, size=size: cell[-size:])
    if any("@" in cell for cell in mine):
        yield "domain", _counted(counts, mine, lambda cell: cell.partition("@")[2])
    yield (
        "same as before",
        np.array([float(row > 0 and cells[row] == cells[row - 1]) for row in rows.tolist()]),
    )
    yield (
        "same as after",
        np.array([float(row + 1 < len(cells) and cells[row] == cells[row + 1]) for row in rows.tolist()]),
    )
    yield "seen before", _distance(cells, rows)
    yield "letters", _likelihood([cells[row] for row in spelt.tolist()], mine, np.isin(rows, spelt))
    yield "weight of digits", np.array([float(sum(map(int, re.findall(r"[0-9]", cell)))) for cell in mine])


def _distance(cells: Sequence[str], rows: np.ndarray) -> Floats:
    """Give how many rows ago (log) a value stood last, -1 where it is new."""
    wanted, last, found = set(rows.tolist()), dict[str, int](), dict[int, float]()
    for row, cell in enumerate(cells):
        if row in wanted:
            found[row] = float(np.log(row - last[cell])) if cell in last else -1.0
        last[cell] = row
    return np.array([found[row] for row in rows.tolist()])


def _likelihood(texts: Sequence[str], mine: Sequence[str], own: np.ndarray) -> Floats:
    """Give the mean log-likelihood of the letters of a text, each by the two before it.

    It is learned on rows that were chosen whether they are canaries or not, which an attacker does not know: were all
    canaries left out, the other visits of a canary's person would be missing, and those of a real one would not. A
    text that is itself among those learned from (`own`) is taken out again.
    """
    threes: Counter[str] = Counter()
    twos: Counter[str] = Counter()
    for text, count in Counter(texts).items():
        padded = f"\1\2{text}\3"
        for at in range(2, len(padded)):
            threes[padded[at - 2 : at + 1]] += count
            twos[padded[at - 2 : at]] += count
    letters = max(1, len({letter for text in texts for letter in text}))
    found = []
    for text, once in zip(mine, own.astype(int).tolist(), strict=True):
        padded = f"\1\2{text}\3"
        odds = [
            np.log(
                (threes[padded[at - 2 : at + 1]] - once + 0.1)
                / (twos[padded[at - 2 : at]] - once + 0.1 * letters)
            )
            for at in range(2, len(padded))
        ]
        found.append(float(np.mean(odds)))
    return np.array(found)


def parsed(cells: Sequence[str]) -> Floats | None:
    """Read a column as numbers (times as seconds, an id by its digits), nan where a cell is none; None for texts."""
    filled = [cell for cell in cells[:: max(1, len(cells) // 500)] if cell and cell != "NA"]
    if not filled:
        return None
    if all(_TIME.fullmatch(cell) for cell in filled):
        texts, places = np.unique(np.array(cells, dtype=object).astype(str), return_inverse=True)
        spelt = [cell.rstrip("Z") if _TIME.fullmatch(cell) else "NaT" for cell in texts.tolist()]
        stamps = np.array(spelt, dtype="datetime64[s]")
        return np.where(np.isnat(stamps), np.nan, stamps.astype("int64").astype(float))[places]
    heads = {re.sub(r"\d", "", cell) for cell in filled}
    known: dict[str, float]
    if len(heads) == 1 and not all(_NUMBER.fullmatch(cell) for cell in filled):
        known = {
            cell: float(digits) if (digits := re.sub(r"\D", "", cell)) else np.nan for cell in set(cells)
        }
    elif sum(bool(_NUMBER.match(cell)) for cell in filled) < 0.95 * len(filled):
        return None
    else:
        known = {cell: float(read[0]) if (read := _NUMBER.match(cell)) else np.nan for cell in set(cells)}
    return np.array([known[cell] for cell in cells])


def _number(values: Floats, cells: Sequence[str], rows: np.ndarray) -> Iterator[tuple[str, Floats]]:
    """Give value, rank, digits, decimals, and the gaps to the rows before and after."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    before, after = values[rows] - padded[rows], padded[rows + 2] - values[rows]
    yield "value", values[rows]
    yield "rank", np.searchsorted(np.sort(values[~np.isnan(values)]), values[rows]) / len(values)
    yield "gap before", np.sign(before) * np.log1p(np.abs(before))
    yield "gap after", np.sign(after) * np.log1p(np.abs(after))
    yield "least gap", np.log1p(np.minimum(np.abs(before), np.abs(after)))
    yield "whole gap", np.log1p(np.abs(before + after))
    yield "share of gap", np.nan_to_num(before / np.where(before + after == 0, 1, before + after), nan=0.5)
    yield "nearest in file", _nearest(values, rows)
    for size in (2, 5, 10, 100):
        yield f"mod {size}", np.mod(values[rows], size)
    yield "decimals", np.array([float(len(cells[row].partition(".")[2])) for row in rows.tolist()])
    yield "beside 1", np.log1p(np.abs(values[rows] - padded[np.maximum(rows - 1, 0)]))
    near = (values[max(0, row - 5) : row + 6] for row in rows.tolist())
    around = np.array([np.nan if np.isnan(some).all() else np.nanmedian(some) for some in near])
    yield "beside 5", np.sign(values[rows] - around) * np.log1p(np.abs(values[rows] - around))


def _nearest(values: Floats, rows: np.ndarray) -> Floats:
    """Give the gap to the nearest other value in the file (log)."""
    ordered = np.sort(values[~np.isnan(values)])
    at = np.searchsorted(ordered, values[rows])
    low = ordered[np.clip(at - 1, 0, len(ordered) - 1)]
    high = ordered[np.clip(at + 1, 0, len(ordered) - 1)]
    return np.log1p(np.minimum(np.abs(values[rows] - low), np.abs(high - values[rows])))


def _times(
    columns: Mapping[str, Sequence[str]], numbers: Mapping[str, Floats], rows: np.ndarray
) -> Iterator[tuple[str, Floats]]:
    """Give hour, weekday, minute and second of each time, and the seconds between each two."""
    known = [name for name in numbers if _TIME.fullmatch(next(filter(None, columns[name]), ""))]
    for name in known:
        value = numbers[name][rows]
        yield f"{name}: hour", value // 3600 % 24
        yield f"{name}: minute", value // 60 % 60
        yield f"{name}: second", value % 60
        yield f"{name}: weekday", (value // 86_400 + 3) % 7
    for one, two in combinations(known, 2):
        between = numbers[two][rows] - numbers[one][rows]
        yield f"{two} - {one}", np.sign(between) * np.log1p(np.abs(between))


def _pairs(columns: Mapping[str, Sequence[str]], rows: np.ndarray) -> Iterator[tuple[str, Floats]]:
    """Give, for each two columns of categories, how often a row's pair stands together against what chance gives."""
    codes: dict[str, np.ndarray] = {}
    for name, cells in columns.items():
        for what, keys in ((name, cells), (f"{name} 3", [cell[:3] for cell in cells])):
            texts, coded = np.unique(np.array(keys, dtype=object).astype(str), return_inverse=True)
            if 1 < len(texts) <= FEW:
                codes[what] = coded
                break
    total, worst, both = len(next(iter(columns.values()))), [], []
    for one, two in combinations(codes, 2):
        joint = codes[one].astype(np.int64) * (codes[two].max() + 1) + codes[two]
        n_joint = np.bincount(joint)[joint[rows]]
        n_one, n_two = np.bincount(codes[one])[codes[one][rows]], np.bincount(codes[two])[codes[two][rows]]
        lift = np.log(n_joint * total / (n_one * n_two))
        worst.append(lift)
        both.append(np.log(n_joint))
        yield f"{one} with {two}: lift", lift
        yield f"{one} with {two}: times", np.log(n_joint)
    if worst:
        yield "least lift", np.min(worst, axis=0)
        yield "sum of lifts", np.sum(worst, axis=0)
        yield "least pair", np.min(both, axis=0)


def _residuals(
    columns: Mapping[str, Sequence[str]], numbers: Mapping[str, Floats], rows: np.ndarray, others: np.ndarray
) -> Iterator[tuple[str, Floats]]:
    """Give how far each number lies from what the other columns foretell, learned on other rows."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    table = dict(numbers)
    for name, cells in columns.items():
        if name not in table:
            keys = [cell[:3] for cell in cells]
            counts = Counter(keys)
            rank = {key: at for at, (key, _) in enumerate(counts.most_common())}
            table[name] = np.array([float(rank[key]) for key in keys])
    learn, names = others[:OTHERS], list(table)
    everything = np.column_stack([table[name] for name in names])
    for at, name in enumerate(names):
        target = everything[:, at]
        if name not in numbers or np.isnan(target[learn]).mean() > 0.5:
            continue
        rest = np.delete(everything, at, axis=1)
        filled = learn[~np.isnan(target[learn])]
        model = HistGradientBoostingRegressor(max_iter=60, max_leaf_nodes=15, random_state=0)
        with threadpool_limits(1):
            model.fit(rest[filled], target[filled])
            gap = target[rows] - model.predict(rest[rows])
            scale = np.nanstd(target[filled] - model.predict(rest[filled])) or 1.0
        yield f"{name}: residual", gap / scale
        yield f"{name}: size of residual", np.log1p(np.abs(gap / scale))
