"""Planting canaries in a host table as a user does: `canary tag` on a file, with phones and a domain of our own."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.people.hosts import Host, phones

DOMAINS = tuple(f"{name}.example.net" for name in (
    "haoyunlai", "xinlianda", "tuoyuan", "jiahe", "dongfangtong", "ruifeng", "mingzhi", "hengtai", "bolian", "yihui",
    "zhongke", "lanxi",
))  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A tagged table as columns of texts, and which of its rows are canaries."""

    host: str
    columns: dict[str, list[str]]
    canaries: np.ndarray

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


def canary(*arguments: str) -> Any:
    """Run one `canary … --json` in this process."""
    from canary.cli.main import run

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = run([*arguments, "--json"])
    if status != 0:
        raise SystemExit(f"canary {' '.join(arguments)} ended with {status}: {out.getvalue()}")
    return json.loads(out.getvalue())


def make_home(folder: Path, owned: int, seed: int, domains: Sequence[str] = DOMAINS) -> Path:
    """Make a home with so many phones of our own (0: they are inert), spread over the blocks that hosts have."""
    home = folder / "home"
    place = ("--home", str(home))
    canary("init", *place)
    canary("recipient", "add", "partner", "--kind", "partner", *place)
    for domain in domains:
        canary("contact", "add", "email-domain", domain, *place)
    if owned:
        drawn = phones(np.random.default_rng([seed, 99]), owned)
        text = "kind,value\n" + "".join(f"phone,{number}\n" for number in dict.fromkeys(drawn))
        (folder / "phones.csv").write_text(text)
        canary("contact", "import", str(folder / "phones.csv"), *place)
    return home


def plant(host: Host, count: int, folder: Path, seed: int, owned: int = 20_000) -> Planted:
    """Tag a host table with so many canaries in a fresh home, and tell the canaries from the real rows."""
    folder.mkdir(parents=True, exist_ok=True)
    home = make_home(folder, owned, seed)
    source, target = host.write(folder / f"{host.name}.csv"), folder / "tagged.csv"
    options = (
        "--recipient",
        "partner",
        "--canaries",
        str(count),
        "--output",
        str(target),
        "--home",
        str(home),
    )
    answer = canary("tag", str(source), *options)
    columns = read(target, list(host.columns))
    return Planted(host.name, columns, _found(home, answer[0]["release"], columns))


def read(path: Path, headings: Sequence[str]) -> dict[str, list[str]]:
    """Read a CSV file as texts."""
    import pyarrow as pa
    from pyarrow import csv

    convert = csv.ConvertOptions(column_types=dict.fromkeys(headings, pa.string()), strings_can_be_null=False)
    table = csv.read_csv(path, read_options=csv.ReadOptions(use_threads=False), convert_options=convert)
    return {name: table[name].to_pylist() for name in table.schema.names}


def _found(home: Path, release: str, columns: dict[str, list[str]]) -> np.ndarray:
    """Give the rows of the canaries, by what the registry says of their places; each is checked cell by cell."""
    import canary as api
    from canary.store import canaries

    with api.open(home) as opened, opened.tools.registry.read() as tx:
        issued = canaries.of_release(tx, release)
    found = np.array([placement.position + at for at, (placement, _) in enumerate(issued)])
    for row, (_, one) in zip(found.tolist(), issued, strict=True):
        if any(columns[name][row] != (cell or "") for name, cell in one.row.items()):
            raise SystemExit("error: a canary does not stand where the registry says")
    return found
