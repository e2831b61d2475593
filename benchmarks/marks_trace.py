"""The bound of marks through the whole of `trace`: files in, everybody scored, how often an innocent's E is large.

Run: python -m benchmarks.marks_trace [--recipients N]. Every leak is a file made from tagged copies of a table; all but
those whose copies went into it are innocent, under keys of their own, so one trace of one leak is N trials.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from canary import wiring
from canary.fields.policy import parse_policy
from canary.model.people import Recipient, RecipientKind
from canary.model.verdict import Trace
from canary.steps.inspect import inspect
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.steps.tools import Tools
from canary.steps.trace import trace
from canary.store import recipients

Rows = list[list[str]]
Leak = tuple[list[str], Rows, set[int]]  # heading, rows, whose copies went in
THRESHOLDS = (1, 3, 5, 7, 10, 13, 16.6)
HEAD = ["运单号", "下单时间", "收件人姓名", "收件人电话", "收件地址", "重量kg", "运费"]
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


def shares(answer: Trace, guilty: set[str]) -> list[float]:
    """Give P(E ≥ 2^t) among the innocent for each threshold."""
    innocent = [value for name, value in answer.log2_e.items() if name not in guilty]
    return [sum(value >= bar for value in innocent) / len(innocent) for bar in THRESHOLDS]


def run(
    count: int, say: Callable[[str], None] = print, seed: int = 11, rows: int = ROWS
) -> dict[str, tuple[list[float], list[str]]]:
    """Trace every leak; gives the shares of innocents above each threshold, and the innocents named."""
    rng = random.Random(seed)
    found: dict[str, tuple[list[float], list[str]]] = {}
    with tempfile.TemporaryDirectory(prefix="canary-marks-trace-") as name:
        folder = Path(name)
        wiring.make_home(folder / "home")
        tools = wiring.open_tools(folder / "home")
        names = [f"r{number:06d}" for number in range(count)]
        with tools.registry.begin() as tx:
            recipients.add_many(tx, [Recipient(one, RecipientKind.PARTNER) for one in names])
        original = host(rng, rows)
        source = write(folder / "w.csv", HEAD, original)
        _tagged(tools, source, names[:HOLDERS], folder / "out")
        copies = {at: read(folder / "out" / f"{names[at]}.csv") for at in range(HOLDERS)}
        made = leaks(copies, original, rng) | {"a foreign table": (HEAD, foreign(rng, rows), set())}
        heads = ["leak", *(f"t = 2^{bar}" for bar in THRESHOLDS), "sources named", "innocents named", "CPU s"]
        say("| " + " | ".join(heads) + " |")
        say("| --- |" + " --- |" * (len(THRESHOLDS) + 3))
        for title, (heading, leaked, guilty) in made.items():
            began = time.process_time()
            answer = trace(tools, [str(write(folder / "leak.csv", heading, leaked))])
            theirs = {names[at] for at in guilty}
            named = [one.recipient for one in answer.suspects if one.status == "named"]
            wrong = [one for one in named if one not in theirs]
            found[title] = (shares(answer, theirs), wrong)
            cells = " | ".join(f"{share:.2e}" for share in found[title][0])
            right = f"{len(named) - len(wrong)} of {len(theirs)}"
            say(f"| {title} | {cells} | {right} | {len(wrong)} | {time.process_time() - began:.1f} |")
        tools.registry.close()
    return found


def _tagged(tools: Tools, source: Path, names: Sequence[str], output: Path) -> None:
    proposed = inspect(str(source), None).policy
    policy = parse_policy(re.sub(r"group_canaries = \S+", "group_canaries = 0.9", proposed))
    tag(
        tools, TagRequest(str(source), tuple(names), str(output), policy=policy, canaries=CANARIES, many=True)
    )


def main() -> int:
    """Print the table; 1 where the bound does not hold."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recipients", type=int, default=100_000)
    given = options.parse_args()
    print(
        f"## Marks: P(E ≥ t) through the whole of trace, {given.recipients:,} recipients, the bound is 1/t\n"
    )
    found = run(given.recipients)
    return int(any(wrong or broken(tail, given.recipients) for tail, wrong in found.values()))


def broken(tail: Sequence[float], count: int) -> bool:
    """Tell whether more innocents pass a threshold than the bound allows, beyond four standard errors."""
    return any(
        share > 2**-bar + 4 * (2**-bar / count) ** 0.5 + 2 / count
        for bar, share in zip(THRESHOLDS, tail, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
