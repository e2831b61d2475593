"""What a leaker does to copies before he leaks them: tables of columns in, one table of columns out.

Every attack is a function of (copies, strength, rng); a table is a mapping of headings to numpy arrays of objects
of one length, all copies in the same row order. `ATTACKS` and `COLLUSIONS` list them with the strengths that are tried,
`BESIDE` those that take a second table: an earlier export of the same recipient, or the table as nobody got it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from canary.fields.address import canonical_address
from canary.fields.fold import fold
from canary.fingerprint.anchors import Counts
from canary.fingerprint.embed import mark, prepare
from canary.fingerprint.learn import Seen
from canary.fingerprint.plan import MarkPlan
from canary.fingerprint.prf import dataset_keys

Cells: TypeAlias = NDArray[np.object_]
Leak: TypeAlias = dict[str, Cells]
Random = np.random.Generator
Attack = Callable[[MarkPlan, Leak, float, Random], Leak]
Comparison = Callable[[Leak, Leak, float, Random], Leak]
Collusion = Callable[[Sequence[Leak], Random], Leak]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")


def rows_of(table: Mapping[str, Cells]) -> int:
    """Give the number of rows."""
    return len(next(iter(table.values())))


def taken(table: Mapping[str, Cells], rows: NDArray[Any]) -> Leak:
    """Give some rows of a table."""
    return {heading: cells[rows] for heading, cells in table.items()}


def row_subset(_: MarkPlan, table: Leak, share: float, rng: Random) -> Leak:
    """Leak a share of the rows."""
    return taken(table, np.flatnonzero(rng.random(rows_of(table)) < share))


def column_subset(plan: MarkPlan, table: Leak, share: float, rng: Random) -> Leak:
    """Leave out a share of the columns, the first anchor's first of all; the last anchor stays."""
    kept = set(plan.anchors[-1].columns)
    first = [name for name in plan.anchors[0].columns if name in table and name not in kept]
    others = [name for name in table if name not in kept and name not in first]
    gone = [*first, *rng.permutation(np.array(others, dtype=object)).tolist()][: round(share * len(table))]
    return {name: cells for name, cells in table.items() if name not in gone}


def shuffle(_: MarkPlan, table: Leak, share: float, rng: Random) -> Leak:
    """Put a share of the rows in another order."""
    rows = np.arange(rows_of(table))
    moved = np.flatnonzero(rng.random(len(rows)) < share)
    rows[moved] = rng.permutation(moved)
    return taken(table, rows)


def repeat(_: MarkPlan, table: Leak, times: float, rng: Random) -> Leak:
    """Repeat rows at random, `times` on average."""
    rows = rows_of(table)
    return taken(table, rng.integers(0, rows, round(rows * times)))


def deduplicate(plan: MarkPlan, table: Leak, _: float, __: Random) -> Leak:
    """Keep the first row of each value of the last anchor."""
    keys = list(
        zip(*(table[name].tolist() for name in plan.anchors[-1].columns if name in table), strict=True)
    )
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    return taken(table, np.array(sorted(first.values()), np.int64))


def flip(plan: MarkPlan, table: Leak, share: float, rng: Random) -> Leak:
    """Give a share of the marked cells the value of another row."""
    made = dict(table)
    for name in _marked(plan, table):
        rows = rng.random(rows_of(table)) < share
        made[name] = np.where(rows, table[name][rng.permutation(rows_of(table))], table[name])
    return made


def round_off(plan: MarkPlan, table: Leak, digits: float, _: Random) -> Leak:
    """Write numbers with fewer decimals."""

    def shorter(text: str) -> str:
        places = max(0, len(text.partition(".")[2]) - int(digits))
        return f"{float(text):.{places}f}"

    return _numbers(
        plan, table, lambda cells: [shorter(text) if _is_number(text) else text for text in cells]
    )


def add_noise(plan: MarkPlan, table: Leak, width: float, rng: Random) -> Leak:
    """Add even noise of `width` tolerances to numbers."""
    made = dict(table)
    for name in _of_kind(plan, table, "number"):
        column = plan.column(name)
        moves = (
            rng.integers(-1, 2, rows_of(table)) if width == 0 else rng.uniform(-width, width, rows_of(table))
        )
        size = 1 if width == 0 else column.tolerance
        steps = np.rint(moves * size) * 10.0**-column.places
        pairs = zip(table[name].tolist(), steps.tolist(), strict=True)
        made[name] = _cells([_moved(text, step, column.places) for text, step in pairs])
    return made


def _moved(text: str, step: float, places: int) -> str:
    return f"{float(text) + step:.{places}f}" if _is_number(text) else text


def smooth(plan: MarkPlan, table: Leak, window: float, _: Random) -> Leak:
    """Write the moving mean over rows in their order instead of numbers."""

    def smoothed(cells: list[str]) -> list[str]:
        values = np.array([float(text) if _is_number(text) else 0.0 for text in cells])
        size = int(window) | 1
        if len(values) < size:
            return cells
        mean = np.convolve(np.pad(values, size // 2, mode="edge"), np.ones(size) / size, "valid")
        return [f"{value:.2f}" if _is_number(text) else text for value, text in zip(mean, cells, strict=True)]

    return _numbers(plan, table, smoothed)


def superset(_: MarkPlan, table: Leak, times: float, rng: Random) -> Leak:
    """Mix in fake rows: every column's values put together anew, with invented digits."""
    count = round(rows_of(table) * times)
    fakes = {
        name: _cells([_invented(str(text), rng) for text in cells[rng.integers(0, len(cells), count)]])
        for name, cells in table.items()
    }
    both = {name: np.concatenate([cells, fakes[name]]) for name, cells in table.items()}
    return taken(both, rng.permutation(rows_of(both)))


def _invented(text: str, rng: Random) -> str:
    digits = iter(rng.integers(1, 10, len(text)).tolist())
    return re.sub(r"[0-9]", lambda _: str(next(digits)), text)


def canonicalise(plan: MarkPlan, table: Leak, _: float, __: Random) -> Leak:
    """Write texts in their canonical form."""

    def clean(name: str, text: str) -> str:
        if plan.column(name).kind == "text" and "address" in plan.column(name).grammar:
            return canonical_address(text) or text
        return fold(text)

    names = [name for name in _marked(plan, table) if name not in _of_kind(plan, table, "number")]
    return {**table, **{name: _cells([clean(name, str(text)) for text in table[name]]) for name in names}}


def case_fold(_: MarkPlan, table: Leak, __: float, ___: Random) -> Leak:
    """Write everything in small letters."""
    return {name: _cells([str(text).lower() for text in cells]) for name, cells in table.items()}


def nfkc(_: MarkPlan, table: Leak, __: float, ___: Random) -> Leak:
    """Normalise everything (NFKC) and take out what is invisible."""
    return {
        name: _cells(
            [re.sub("[\u200b-\u200d\u2060]", "", unicodedata.normalize("NFKC", str(text))) for text in cells]
        )
        for name, cells in table.items()
    }


def reformat(_: MarkPlan, table: Leak, __: float, ___: Random) -> Leak:
    """Do what a spreadsheet does: ending zeros go."""

    def stripped(text: str) -> str:
        return text.rstrip("0").rstrip(".") if re.fullmatch(r"-?\d+\.\d+", text) else text

    return {name: _cells([stripped(str(text)) for text in cells]) for name, cells in table.items()}


def mark_again(plan: MarkPlan, table: Leak, _: float, rng: Random) -> Leak:
    """Mark everything a second time, in the same columns, under a stranger's keys."""
    seen = Seen(plan, dataset_keys(rng.bytes(32), plan.dataset), Counts(1 << 16))
    seen.add(table)
    return {**table, **mark(prepare(seen, table), rng.bytes(16)).columns}


def in_part(attack: Attack) -> Attack:
    """Give an attack that is done to a share of the rows, the others staying as they are."""

    def partly(plan: MarkPlan, table: Leak, share: float, rng: Random) -> Leak:
        rows = rng.random(rows_of(table)) < share
        made = attack(plan, table, share, rng)
        return {name: np.where(rows, made[name], cells) for name, cells in table.items()}

    return partly


def in_both(copy: Leak, earlier: Leak, _: float, __: Random) -> Leak:
    """Keep the rows that stand in two exports of one recipient, cell by cell the same."""
    known = set(zip(*(earlier[name].tolist() for name in copy), strict=True))
    rows = zip(*(cells.tolist() for cells in copy.values()), strict=True)
    return taken(copy, np.array([row in known for row in rows], np.bool_))


def mixed_in(copy: Leak, clean: Leak, share: float, rng: Random) -> Leak:
    """Put rows that come from elsewhere, without marks, in the place of a share of them."""
    rows = rng.random(rows_of(copy)) < share
    others = rng.integers(0, rows_of(clean), rows_of(copy))
    return {name: np.where(rows, clean[name][others], cells) for name, cells in copy.items()}


ATTACKS: Final[Mapping[str, tuple[Attack, tuple[float, ...]]]] = {
    "row subset": (row_subset, (0.5, 0.1, 0.02)),
    "column subset": (column_subset, (0.3, 0.5)),
    "shuffle": (shuffle, (0.1, 1.0)),
    "repeat rows": (repeat, (3.0, 12.0)),
    "de-duplicate": (deduplicate, (1.0,)),
    "flip values": (flip, (0.1, 0.3, 0.5, 0.8)),
    "round numbers": (round_off, (1.0, 2.0)),
    "additive noise": (add_noise, (0.0, 0.5, 1.0)),
    "smooth numbers": (smooth, (5.0, 101.0)),
    "superset": (superset, (1.0, 9.0)),
    "second marking": (in_part(mark_again), (0.5, 0.8, 1.0)),
    "canonicalise": (in_part(canonicalise), (0.5, 1.0)),
    "case fold": (in_part(case_fold), (0.5, 1.0)),
    "NFKC": (in_part(nfkc), (0.5, 1.0)),
    "format change": (in_part(reformat), (0.5, 1.0)),
}


BESIDE: Final[Mapping[str, tuple[Comparison, tuple[float, ...]]]] = {
    "successive exports": (in_both, (0.5, 0.9)),
    "mix-and-match": (mixed_in, (0.5, 0.9)),
}


def pick_cell(copies: Sequence[Leak], rng: Random) -> Leak:
    """Take each cell from one of the copies."""
    return {name: _picked([copy[name] for copy in copies], rng.integers(0, len(copies), len(copies[0][name])))
            for name in copies[0]}  # fmt: skip


def pick_row(copies: Sequence[Leak], rng: Random) -> Leak:
    """Take each row from one of the copies (mix-and-match)."""
    which = rng.integers(0, len(copies), rows_of(copies[0]))
    return {name: _picked([copy[name] for copy in copies], which) for name in copies[0]}


def majority(copies: Sequence[Leak], rng: Random) -> Leak:
    """Take what most copies say; ties are drawn."""
    return _voted(copies, rng, rare=False)


def minority(copies: Sequence[Leak], rng: Random) -> Leak:
    """Take what fewest copies say; ties are drawn."""
    return _voted(copies, rng, rare=True)


def average(copies: Sequence[Leak], rng: Random) -> Leak:
    """Take the mean of numbers, and one copy's text."""
    made = pick_cell(copies, rng)
    for name in made:
        columns = [[str(text) for text in copy[name]] for copy in copies]
        differ = any(column != columns[0] for column in columns)
        if differ and all(_is_number(text) for column in columns for text in column[:50]):
            values = np.array(
                [[float(text) if _is_number(text) else np.nan for text in column] for column in columns]
            )
            places = len(columns[0][0].partition(".")[2])
            made[name] = _cells([f"{value:.{places}f}" for value in values.mean(axis=0)])
    return made


def erase_different(copies: Sequence[Leak], _: Random) -> Leak:
    """Leave out every cell in which the copies differ."""
    made = {}
    for name in copies[0]:
        same = np.logical_and.reduce([copies[0][name] == copy[name] for copy in copies[1:]])
        made[name] = np.where(same, copies[0][name], "")
    return made


COLLUSIONS: Final[Mapping[str, Collusion]] = {
    "pick one per cell": pick_cell,
    "pick one per row": pick_row,
    "majority": majority,
    "minority": minority,
    "average": average,
    "erase where different": erase_different,
}


def _voted(copies: Sequence[Leak], rng: Random, *, rare: bool) -> Leak:
    made = {}
    for name in copies[0]:
        columns = [copy[name] for copy in copies]
        votes = np.stack([sum((one == other).astype(float) for other in columns) for one in columns])
        votes += rng.random(votes.shape) / 2
        made[name] = _picked(columns, votes.argmin(axis=0) if rare else votes.argmax(axis=0))
    return made


def _picked(columns: Sequence[Cells], which: NDArray[np.int64]) -> Cells:
    return np.stack(columns)[which, np.arange(len(which))]


def _marked(plan: MarkPlan, table: Leak) -> list[str]:
    return [column.heading for column in plan.columns if column.heading in table]


def _of_kind(plan: MarkPlan, table: Leak, kind: str) -> list[str]:
    return [name for name in _marked(plan, table) if plan.column(name).kind == kind]


def _numbers(plan: MarkPlan, table: Leak, change: Callable[[list[str]], list[str]]) -> Leak:
    names = _of_kind(plan, table, "number")
    return {**table, **{name: _cells(change([str(text) for text in table[name]])) for name in names}}


def _is_number(text: str) -> bool:
    return _NUMBER.match(text) is not None


def _cells(values: Sequence[str]) -> Cells:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
