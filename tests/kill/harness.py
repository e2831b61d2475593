"""Kills the real program at random moments, and tells what must hold afterwards."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from canary.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = "alias.example.com"
FINISH_SECONDS = 120
HEADINGS = ["运单号", "收件人姓名", "收件人电话", "邮箱", "收件地址", "下单时间", "重量kg"]


@dataclass
class Home:
    """A home in a folder of its own, its commands run here or as processes that may be killed."""

    folder: Path
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def path(self) -> Path:
        return self.folder / "home"

    @property
    def registry(self) -> Path:
        return self.path / "canary.db"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `canary …` as a process group of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}
        places = {"CANARY_HOME": str(self.path), "PYTHONPATH": str(ROOT)}
        with (self.folder / "stderr").open("ab") as talk:
            return subprocess.Popen(
                [sys.executable, "-m", "canary", *arguments],
                cwd=self.folder,
                env={**kept, **places},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=talk,
                start_new_session=True,
            )

    def seconds(self, *arguments: str) -> float:
        """Give how long a whole run takes."""
        began = time.monotonic()
        assert self.start(*arguments).wait(FINISH_SECONDS) == 0, (self.folder / "stderr").read_text()
        return time.monotonic() - began

    def kill_after(self, delay: float, *arguments: str) -> bool:
        """Start a run and kill it after `delay` seconds; false where it had ended by then."""
        process = self.start(*arguments)
        try:
            status = process.wait(delay)
        except subprocess.TimeoutExpired:
            kill(process)
            return True
        assert status == 0, (self.folder / "stderr").read_text()
        return False

    def call(self, *arguments: str) -> Any:
        """Run `canary … --json` here and give its answer."""
        out, talk = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(talk), contextlib.chdir(self.folder):
            status = run([*arguments, "--home", str(self.path), "--json"])
        assert status == 0, f"canary {' '.join(arguments)}: {status}\n{talk.getvalue()}"
        return json.loads(out.getvalue())

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return rows(self.registry, query, *values)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and whatever it started, as power loss would."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def rows(database: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask a SQLite file; what a killed process left undone is rolled back by the asking."""
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection:
        return connection.execute(query, values).fetchall()


def make_home(folder: Path, recipients: Sequence[str]) -> Home:
    """Make a home with recipients and a mail domain."""
    home = Home(folder)
    home.call("init")
    for name in recipients:
        home.call("recipient", "add", name, "--kind", "partner")
    home.call("contact", "add", "email-domain", DOMAIN)
    return home


def write_table(path: Path, count: int, seed: int = 7) -> None:
    """Write a table of waybills in which nobody is real: the phones are of no network."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(table_row(number, rng) for number in range(count))


def table_row(number: int, rng: random.Random) -> list[str]:
    return [
        f"YT{8_000_000_000_000 + 997 * number + rng.randrange(997)}",
        rng.choice("王李张刘陈") + rng.choice("伟芳娜敏静") + rng.choice("军洋勇杰"),
        f"120{rng.randrange(10**8):08d}",
        f"u{number}@mail.example",
        f"浙江省杭州市西湖区文三路{rng.randrange(1, 900)}号",
        f"2024-03-{1 + number * 27 // 40000:02d} {rng.randrange(24):02d}:{rng.randrange(60):02d}:00",
        f"{rng.uniform(0.2, 9):.2f}",
    ]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def moments(count: int, begin: float, end: float) -> Iterator[float]:
    """Draw random moments between two times of a run, in seconds."""
    chance = random.SystemRandom()
    return (chance.uniform(begin, end) for _ in range(count))


def check_registry(home: Home) -> None:
    """Check what must hold at every moment: a whole database and ledger, nothing without its entry."""
    assert home.rows("PRAGMA integrity_check") == [("ok",)]
    assert home.rows("PRAGMA foreign_key_check") == []
    told = home.call("ledger", "verify")
    assert told["ok"], told
    lone = "SELECT count(*) FROM canaries WHERE NOT control AND serial NOT IN (SELECT canary FROM placements)"
    assert home.rows(lone) == [(0,)]
    entries = dict(home.rows('SELECT "index", body FROM ledger_entries'))
    for release, index in home.rows("SELECT id, ledger_index FROM releases"):
        assert json.loads(entries[index])["body"]["release"] == release


def told(what: str, home: Home, begin: float, end: float) -> str:
    """Tell in one line what was killed, when and with which remains."""
    found = ", ".join(f"{count} {name}" for name, count in sorted(home.counts.items()))
    return (
        f"{what}: {home.counts.total()} runs, killed between {begin:.2f} s and {end:.2f} s: {found}; all held"
    )
