"""Measures how well canaries hide among real rows: two-sample tests, outliers, filters, marginals, hard rules.

`python -m benchmarks.realism` measures everything (about an hour on one core) and writes
docs/figures/realism.json, its plots, and the tables of docs/realism.md. `--only NAME …` measures a part again.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.people import attacks, filters, hosts, judges, marginals, plant
from benchmarks.people.features import features

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / "docs" / "figures" / "realism.json"
SAMPLE = 500  # canaries, and as many real rows
SEEDS = {"flights": 6}  # homes, of the others eight
ROWS = {"waybill": 60_000, "flights": 120_000, "hospital": 60_000, "resume": 60_000}
TOP = 12  # single features that are named
Found = dict[str, Any]


def two_samples(name: str, seeds: int | None = None, rows: int | None = None) -> Found:
    """Tag a host table in several fresh homes, and let every attack loose on each."""
    host = hosts.HOSTS[name](ROWS[name] if rows is None else rows)
    told, alone, outliers = list[attacks.Told](), [], []
    fake: dict[str, list[str]] = {column: [] for column in host.columns}
    for seed in range(SEEDS.get(name, 8) if seeds is None else seeds):
        planted = planted_in(host, seed)
        rows_, truth = sample(planted, seed)
        found = features(planted.columns, rows_, seed)
        one = attacks.two_samples(found, truth, seed, persons=_persons(host, planted, rows_))
        told.append(one)
        alone.append(one.alone)
        outliers.append(attacks.outliers(found, truth, seed))
        for column, cells in planted.columns.items():
            fake[column] += [cells[row] for row in planted.canaries.tolist()]
        print(
            f"{name} seed {seed}: boosting {one.boosting:.3f}, logistic {one.logistic:.3f}; persons apart "
            f"{one.boosting_apart:.3f}, {one.logistic_apart:.3f}",
            flush=True,
        )
    return {
        "what": host.what, "licence": host.licence, "rows": host.rows, "columns": len(host.columns),
        "features": len(alone[0]), "alone": strongest(alone), **{
            way: interval([getattr(one, way) for one in told]) for way in WAYS
        },
        "outliers": {
            way: {
                f"{share:g}": float(np.mean([one[way][share] for one in outliers])) for share in (0.01, 0.05)
            }
            for way in outliers[0]
        },
        "marginals": [vars(one) for one in marginals.marginals(host.columns, fake)],
    }  # fmt: skip


WAYS = ("boosting", "logistic", "boosting_apart", "logistic_apart")


def floor(name: str, seeds: int = 8) -> Found:
    """Let the classifiers loose on real persons in the canaries' place: what they tell though there is no canary.

    All rows of some persons against as many single rows, as canaries stand against single rows.
    """
    host, told = hosts.HOSTS[name](ROWS[name]), []
    for seed in range(seeds):
        instead = plant.Planted(host.name, host.columns, whole_persons(host, seed))
        rows, truth = sample(instead, seed)
        persons = _persons(host, instead, rows)
        told.append(attacks.two_samples(features(host.columns, rows, seed), truth, seed, persons=persons))
        print(f"{name} without canaries, seed {seed}: boosting {told[-1].boosting:.3f}", flush=True)
    return {way: interval([getattr(one, way) for one in told]) for way in WAYS}


def whole_persons(host: hosts.Host, seed: int) -> np.ndarray:
    """Give the rows of some persons, all of each, until there are as many as canaries."""
    cells = np.array(host.columns[host.person or ""])
    _, persons = np.unique(cells, return_inverse=True)
    ranks = np.random.default_rng([seed, 1]).permutation(int(persons.max()) + 1)[persons]
    return np.sort(np.argsort(ranks, kind="stable")[:SAMPLE])


def planted_in(host: hosts.Host, seed: int, owned: int = 20_000) -> plant.Planted:
    with tempfile.TemporaryDirectory(prefix="canary-realism-") as folder:
        return plant.plant(host, SAMPLE, Path(folder), seed, owned)


def sample(planted: plant.Planted, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the canaries' rows and as many real ones, and which are canaries."""
    others = np.setdiff1d(np.arange(planted.rows), planted.canaries)
    real = np.random.default_rng(seed).choice(others, len(planted.canaries), replace=False)
    return np.concatenate([real, planted.canaries]), np.repeat([0, 1], len(planted.canaries))


def _persons(host: hosts.Host, planted: plant.Planted, rows: np.ndarray) -> np.ndarray | None:
    """Number the person of each row, None where a host has no persons who come again."""
    if host.person is None:
        return None
    cells = planted.columns[host.person]
    known: dict[str, int] = {}
    return np.array([known.setdefault(cells[row], len(known)) for row in rows.tolist()])


def interval(values: list[float]) -> Found:
    """Give the mean over the seeds and its 95 % interval (Student's t)."""
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    student = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}.get(len(values), 2.3)
    half = student * spread / len(values) ** 0.5
    return {"mean": mean, "low": mean - half, "high": mean + half, "seeds": values}


def strongest(alone: list[dict[str, float]]) -> dict[str, float]:
    """Give the single features that tell most, by their mean area under the curve."""
    common = set.intersection(*map(set, alone))
    mean = {name: float(np.mean([one[name] for one in alone])) for name in common}
    return dict(sorted(mean.items(), key=lambda item: -abs(item[1] - 0.5))[:TOP])


def informed(rows: int = 30_000) -> Found:
    """Measure the filters on résumés with mails and whole ids, with phones of our own and without."""
    found: Found = {}
    for name, host in (
        ("phone", hosts.resumes(rows)),
        ("phone, mail", hosts.resumes(rows, mails=True)),
        ("phone, mail, whole id", hosts.resumes(rows, mails=True, ids=True)),
    ):
        for owned in (20_000, 0):
            planted = planted_in(host, 1, owned)
            rows_, truth = sample(planted, 1)
            told = filters.filters(planted.columns, truth, rows_)
            found[f"{name}; {'owned' if owned else 'inert'} phones"] = told
    return found


def rules() -> Found:
    """Judge 100,000 personas, race Faker, and draw a million identifiers twice."""
    ours, theirs, ratio = judges.speed()
    twice, shared = judges.identifiers(1_000_000)
    return {
        "personas": 100_000, "broken": dict(judges.broken_rules(100_000, 7)), "canary": ours, "faker": theirs,
        "ratio": ratio, "identifiers": 1_000_000, "collisions": twice, "shared": shared,
    }  # fmt: skip


def collision() -> Found:
    """Tag a table of a million rows and count the canaries that share a value with one of them."""
    host = hosts.waybills(1_000_000)
    planted = planted_in(host, 3)
    keys = {name: set(host.columns[name]) for name in ("运单号", "收件电话")}
    homes = set(zip(host.columns["收件人"], host.columns["收件地址"], strict=True))
    mine = planted.canaries.tolist()
    columns = planted.columns
    return {
        "rows": host.rows, "canaries": len(mine),
        "keys": sum(columns["运单号"][row] in keys["运单号"] for row in mine),
        "phones": sum(columns["收件电话"][row] in keys["收件电话"] for row in mine),
        "homes": sum((columns["收件人"][row], columns["收件地址"][row]) in homes for row in mine),
    }  # fmt: skip


def inspecting(rows: int = 5_000_000) -> Found:
    """Time `canary inspect` on a table of five million rows."""
    from benchmarks import data

    with tempfile.TemporaryDirectory(prefix="canary-realism-") as folder:
        path = Path(folder) / "big.csv"
        data.write_csv(path, rows)
        start, cpu = time.perf_counter(), time.process_time()
        told = plant.canary("inspect", str(path))
        seconds, busy = time.perf_counter() - start, time.process_time() - cpu
        return {"rows": told["rows_read"], "seconds": seconds, "cpu": busy}


PARTS: dict[str, Callable[[], Found]] = {
    **{name: (lambda name=name: two_samples(name)) for name in hosts.HOSTS},
    **{f"{name} floor": (lambda name=name: floor(name)) for name in ("waybill", "hospital")},
    "filters": informed,
    "rules": rules,
    "collision": collision,
    "inspect": inspecting,
}


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    for name in parser.parse_args().only:
        start = time.perf_counter()
        told = PARTS[name]()
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        found = json.loads(FOUND.read_text("utf-8")) if FOUND.exists() else {}
        FOUND.write_text(json.dumps(found | {name: told}, ensure_ascii=False, indent=1) + "\n", "utf-8")
    from benchmarks.people import pages

    pages.write(json.loads(FOUND.read_text("utf-8")), ROOT / "docs")


if __name__ == "__main__":
    main()
