"""The bound of marks through the whole of `trace`: files in, everybody scored, how often an innocent's E is large.

Run: python -m benchmarks.marks_trace [--recipients N]. Every leak is a file made from tagged copies of a table; all but
those whose copies went into it are innocent, under keys of their own, so one trace of one leak is N trials. Everybody
holds a release of the same rows, so everybody could be named. The table has phones that several rows share and weights
at a bound of their domain, which no mark can go beyond. The last lines score one channel alone, all else as ever.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.marks_home import hold_all, home_of
from benchmarks.marks_symbols import interval
from canary.fields.policy import parse_policy
from canary.fingerprint import score as scoring
from canary.fingerprint.plan import MarkPlan
from canary.model.verdict import Trace
from canary.steps.decoding import plans_of
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.steps.tools import Tools
from canary.steps.trace import trace

Rows = list[list[str]]
Leak = tuple[list[str], Rows, set[int]]  # heading, rows, whose copies went in
THRESHOLDS = (1, 3, 5, 7, 10, 13, 16.6)
HEAD = ["运单号", "下单时间", "收件人姓名", "收件人电话", "收件地址", "重量kg", "运费"]
BOUND = "0.02"  # of weights: a mark can only go up from here, and often finds no place
POLICY = """
[dataset]
name = "w"
anchors = [["运单号"], ["收件人电话"], ["收件人姓名", "收件地址"]]
group_canaries = 0.9
omit = 0.01
[columns."运单号"]
role = "waybill_no"
[columns."下单时间"]
role = "time"
mark = "time"
tolerance = "30s"
[columns."收件人姓名"]
role = "name"
[columns."收件人电话"]
role = "phone"
[columns."收件地址"]
role = "address"
mark = "text"
grammar = "cn_address"
[columns."重量kg"]
role = "measure"
mark = "number"
tolerance = 0.3
"""
ROWS = 4_000
CANARIES = 0.03  # share of the rows
HOLDERS = 6


def host(rng: random.Random, rows: int = ROWS) -> Rows:
    """Make waybills: phones that several rows share, weights at a bound, times that bunch."""
    from datetime import datetime, timedelta

    moment, key = datetime(2026, 9, 1), 10**11
    phones = [f"1{rng.choice('3578')}{rng.randint(10**8, 10**9 - 1)}" for _ in range(rows // 2)]
    made = []
    for _ in range(rows):
        moment += timedelta(seconds=rng.choice([0, 3, 20, 90, 400]))
        key += rng.randint(3, 900)
        where = rng.choice(["广东省深圳市南山区", "浙江省杭州市西湖区", "江苏省南京市鼓楼区"])
        house = (
            f"{rng.randint(1, 30)}号楼{rng.randint(1, 5)}单元{rng.randint(1, 25)}{rng.randint(1, 4):02d}室"
        )
        made.append([
            f"SF{key}", moment.strftime("%Y-%m-%d %H:%M:%S"), rng.choice("王李张刘陈杨") + rng.choice("伟芳娜敏静"),
            rng.choice(phones), f"{where}科技路{rng.randint(1, 300)}号{house}",
            f"{max(0.5, rng.gauss(3, 2)):.2f}", rng.choice(["12.00", "15.00"]),
        ])  # fmt: skip
    return made


def write(path: Path, heading: Sequence[str], rows: Rows) -> Path:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(heading), *rows])
    return path


def read(path: Path) -> Rows:
    """Read a CSV file without its heading."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def leaks(
    copies: Mapping[int, Rows], original: Rows, rng: random.Random
) -> dict[str, tuple[list[str], Rows, set[int]]]:
    """Make the leaks: heading, rows, and whose copies went in."""
    three = [row for at in (0, 1, 2) for row in rng.sample(copies[at], 60)]
    mixed = [
        rng.choice([copies[0], copies[3], copies[4]])[at] for at in rng.sample(range(len(original) - 50), 800)
    ]
    bare = [[row[2], row[4], row[5]] for row in rng.sample(copies[2], 300)]
    bare_heads = [HEAD[0], *HEAD[2:4]]
    return {
        "12 rows of one copy": (HEAD, rng.sample(copies[0], 12), {0}),
        "60 rows of each of three copies, each row three times": (HEAD, three * 3, {0, 1, 2}),
        "800 rows of three copies": (HEAD, mixed, {0, 3, 4}),
        "columns renamed and moved": (["a", "b", "c"], bare, {2}),
        "one shared phone on 200 rows": (
            HEAD,
            [[*row[:3], copies[1][0][3], *row[4:]] for row in copies[1][:200]],
            {1},
        ),
        "weights beside phones alone": (
            [HEAD[3], HEAD[5]],
            [[row[3], row[5]] for row in rng.sample(copies[4], 600)],
            {4},
        ),
        "the original": (HEAD, rng.sample(original, 800), set()),
        "100 rows among 900 made up": (HEAD, [*copies[2][:100], *host(random.Random(97), 900)], {2}),
        "what two copies have in common, marks taken out": (bare_heads, compared(copies, original), {0, 1}),
    }


def compared(copies: Mapping[int, Rows], original: Rows) -> Rows:
    """Give the group canaries of two copies among other rows, without any column that carries marks."""
    both = {row[0] for row in copies[0]} & {row[0] for row in copies[1]}
    real = {row[0] for row in original}
    fakes = [row for row in copies[0] if row[0] in both - real]
    return [[row[0], row[2], row[3]] for row in (*fakes, *original[:300])]


def foreign(rng: random.Random, rows: int) -> Rows:
    """Make a table that was never handed to anybody."""
    return host(random.Random(rng.random()), rows)


def bounded(rows: Rows) -> Rows:
    """Put every 25th weight at the bound of its domain."""
    return [[*row[:5], BOUND if at % 25 == 0 else row[5], row[6]] for at, row in enumerate(rows)]


class Bench:
    """A home of many recipients, the copies of some of them, and the leaks made from these."""

    def __init__(self, folder: Path, count: int, seed: int, rows: int) -> None:
        rng = random.Random(seed)
        self.folder, self.names = folder, [f"r{number:06d}" for number in range(count)]
        self.tools = home_of(folder, self.names)
        original = bounded(host(rng, rows))
        source = write(folder / "w.csv", HEAD, original)
        tagged(self.tools, source, self.names[:HOLDERS], folder / "out")
        hold_all(self.tools, self.names)
        copies = {at: read(folder / "out" / f"{self.names[at]}.csv") for at in range(HOLDERS)}
        self.leaks = leaks(copies, original, rng) | {"a foreign table": (HEAD, foreign(rng, rows), set())}
        self.plan = plans_of(self.tools)[0].plan

    def traced(self, leak: Leak) -> tuple[Trace, set[str]]:
        """Trace one leak; gives the answer and the guilty."""
        heading, leaked, guilty = leak
        path = write(self.folder / "leak.csv", heading, leaked)
        return trace(self.tools, [str(path)]), {self.names[at] for at in guilty}


@contextmanager
def one_channel(plan: MarkPlan, number: int) -> Iterator[None]:
    """Let traces score the observations of one channel alone; everything before and after stays as it is."""
    whole = scoring.score

    def part(read: Any, *more: Any) -> Any:
        same = read.plan.channels[number : number + 1] == (plan.channels[number],)
        mine = (read.channel == number) & same
        return whole(read.chosen(mine), *more)

    with patch.object(scoring, "score", part):
        yield


def shares(answer: Trace, guilty: set[str]) -> list[float]:
    """Give P(E ≥ 2^t) among the innocent for each threshold."""
    innocent = [value for name, value in answer.log2_e.items() if name not in guilty]
    return [sum(value >= bar for value in innocent) / len(innocent) for bar in THRESHOLDS]


Found = dict[str, tuple[list[float], list[str]]]
ONE_BY_ONE = ("60 rows of each of three copies, each row three times", "one shared phone on 200 rows")


def run(
    count: int, say: Callable[[str], None] = print, seed: int = 11, rows: int = ROWS, channels: bool = True
) -> Found:
    """Trace every leak; gives the shares of innocents above each threshold, and the innocents named."""
    found: Found = {}
    with tempfile.TemporaryDirectory(prefix="canary-marks-trace-") as name:
        bench = Bench(Path(name), count, seed, rows)
        heads = [
            "leak",
            *(f"t = 2^{bar:g}" for bar in THRESHOLDS),
            "sources named",
            "innocents named",
            "CPU s",
        ]
        say("| " + " | ".join(heads) + " |")
        say("| --- |" + " --- |" * (len(THRESHOLDS) + 3))
        say("| bound | " + " | ".join(f"{2.0**-bar:.2e}" for bar in THRESHOLDS) + " | | | |")
        for title, leak in bench.leaks.items():
            found[title] = _told(bench, title, leak, say)
        for number, one in enumerate(bench.plan.channels if channels else ()):
            for title in ONE_BY_ONE:
                with one_channel(bench.plan, number):
                    alone = f"{title}: {one.column or 'row'}, {one.part}, alone"
                    found[alone] = _told(bench, alone, bench.leaks[title], say)
        bench.tools.registry.close()
    return found


def _told(bench: Bench, title: str, leak: Leak, say: Callable[[str], None]) -> tuple[list[float], list[str]]:
    began = time.process_time()
    answer, guilty = bench.traced(leak)
    named = [one.recipient for one in answer.suspects if one.status == "named"]
    wrong = [one for one in named if one not in guilty]
    above = shares(answer, guilty)
    cells = " | ".join(f"{share:.2e}" for share in above)
    right = f"{len(named) - len(wrong)} of {len(guilty)}"
    say(f"| {title} | {cells} | {right} | {len(wrong)} | {time.process_time() - began:.1f} |")
    return above, wrong


def tagged(tools: Tools, source: Path, names: Sequence[str], output: Path) -> None:
    """Tag copies of a table of waybills with marks, canaries and group canaries."""
    policy = parse_policy(POLICY)
    tag(
        tools, TagRequest(str(source), tuple(names), str(output), policy=policy, canaries=CANARIES, many=True)
    )


def main() -> int:
    """Print the table; 1 where the bound does not hold."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recipients", type=int, default=100_000)
    count = options.parse_args().recipients
    print(f"## Marks: P(E ≥ t) through the whole of trace, {count:,} recipients, the bound is 1/t\n")
    found = run(count, lambda line: print(line, flush=True))
    trials = count * len(found)
    _, most = interval(0, trials)
    innocents = sum(len(wrong) for _, wrong in found.values())
    print(
        f"\n{len(found)} leaks, {trials:,} scores; innocents named: {innocents} (95 %: at most {most:.1e} of "
        "them, if none)."
    )
    return int(any(wrong or broken(tail, count) for tail, wrong in found.values()))


def broken(tail: Sequence[float], count: int) -> bool:
    """Tell whether more innocents pass a threshold than the bound allows, beyond four standard errors."""
    return any(
        share > 2**-bar + 4 * (2**-bar / count) ** 0.5 + 2 / count
        for bar, share in zip(THRESHOLDS, tail, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
