"""Scores leaks under 100,000 fresh keys, through reading and scoring of real columns: P(E ≥ t) beside 1/t.

The table shares phones between rows, has cells at a bound of their domain and unmarked cells; the leaks repeat rows,
mix copies, drop columns, or hold the original; every innocent holds the same rows.

    python -m benchmarks.marks_validity [--recipients 100000]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from canary.fingerprint.close import log2_of_hits
from canary.fingerprint.decode import Observations
from canary.fingerprint.lines import count_hits, group, places_of
from canary.fingerprint.score import score
from tests.markslab import Lab, keys_of, lab, rows_of

BITS = (1, 2, 3, 5, 7, 10, 13, 16.6)


def table() -> Lab:
    made = lab(rows=3000, dataset="omit = 0.01")
    phones = np.repeat(made.table["phone"][:1000], 3)
    light = np.where(np.arange(3000) % 4 == 0, "0.03", made.table["kg"])
    return lab(rows=3000, table={**made.table, "phone": phones, "kg": light}, dataset="omit = 0.01")


def leaks(made: Lab) -> dict[str, dict]:
    rng = np.random.default_rng(5)
    guilty = keys_of(3, seed=91)
    copies = [made.copy(key) for key in guilty]
    which = rng.integers(0, 3, 3000)
    mixed = {name: np.stack(
        [copy[name] for copy in copies])[which, np.arange(3000)] for name in copies[0]}  # fmt: skip
    few = rng.permutation(np.repeat(np.arange(0, 60), 3))
    return {
        "12 rows of one copy": rows_of(copies[0], np.arange(12)),
        "60 rows, each three times, of three copies": rows_of(mixed, few),
        "800 rows of three copies, number column dropped": {
            name: cells for name, cells in rows_of(mixed, rng.permutation(800)).items() if name != "number"
        },
        "800 rows of the original": rows_of(made.table, np.arange(800)),
        "weights alone beside phones": {name: mixed[name][:600] for name in ("phone", "kg")},
    }


def tail(log2_e: np.ndarray) -> str:
    return " | ".join(f"{(log2_e >= bits).mean():.2e}" for bits in BITS)


def broken(log2_e: np.ndarray) -> bool:
    allowed = len(log2_e) * 2.0 ** -np.array(BITS)
    seen = np.array([(log2_e >= bits).sum() for bits in BITS])
    return bool((seen > allowed + 4 * np.sqrt(allowed) + 2).any())


def of_channel(read: Observations, keys: Sequence[bytes]) -> np.ndarray:
    groups = group(read)
    return log2_of_hits(count_hits(keys, places_of(read, groups), len(groups.reads)), groups)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipients", type=int, default=100_000)
    count = parser.parse_args(arguments).recipients
    made, keys, bad = table(), keys_of(count, seed=17), False
    print(f"## Marks: P(E ≥ t) among {count:,} fresh keys, real columns\n")
    print("| leak | " + " | ".join(f"t = 2^{bits:g}" for bits in BITS) + " |")
    print("| --- |" + " --- |" * len(BITS))
    print("| bound | " + " | ".join(f"{2.0**-bits:.2e}" for bits in BITS) + " |")
    for name, leak in leaks(made).items():
        read = made.read(leak)
        found = score(read, keys).log2_m
        print(f"| {name} | {tail(found)} |", flush=True)
        bad |= broken(found)
        for number, channel in enumerate(made.plan.channels if name.startswith("60") else ()):
            mine = read.chosen(read.channel == number)
            if len(mine):
                alone = of_channel(mine, keys)
                bad |= broken(alone)
                print(f"| … {channel.column or 'row'}: {channel.part} alone | {tail(alone)} |", flush=True)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
