"""docs/reference/json.md names exactly the fields that the program writes."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from canary.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reference" / "json.md").read_text("utf-8")
LIST = re.compile(r"`([a-z0-9_]+(?:,\s+[a-z0-9_]+)+)`")


def documented(command: str) -> list[set[str]]:
    """Give the sets of names that a command's section lists, in order."""
    section = TEXT.partition(f"## `canary {command}`")[2].partition("\n## ")[0]
    assert section, f"no section for {command}"
    return [set(re.split(r",\s+", found)) for found in LIST.findall(section)]


def ask(home: Path, *arguments: str) -> Any:
    out, talk = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(talk):
        status = run([*arguments, "--home", str(home), "--json"])
    assert status == 0, talk.getvalue()
    return json.loads(out.getvalue())


def ask_homeless(*arguments: str) -> Any:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run([*arguments, "--json"]) == 0
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a table was tagged and its copy found in a watched folder."""
    folder = tmp_path_factory.mktemp("json")
    home = folder / "home"
    ask(home, "init")
    for name in ("acme", "globex"):
        ask(home, "recipient", "add", name, "--kind", "partner")
    ask(home, "contact", "add", "email-domain", "alias.example.com")
    rows = "".join(
        f"O{n * 7:08d},u{n}@mail.example,120{n:08d},2024-03-01 {n // 60:02d}:{n % 60:02d}:00\n"
        for n in range(600)
    )
    (folder / "in.csv").write_text("order_no,email,phone,created_at\n" + rows)
    ask(
        home,
        "tag",
        str(folder / "in.csv"),
        "--recipient",
        "acme",
        "--output",
        str(folder / "acme.csv"),
        "--canaries",
        "20",
    )
    (folder / "dumps").mkdir()
    (folder / "dumps" / "leak.csv").write_bytes((folder / "acme.csv").read_bytes())
    with (home / "config.toml").open("a") as config:
        config.write(f'\n[monitors.dumps]\nkind = "drop"\npath = "{folder / "dumps"}"\n')
    import os

    os.utime(folder / "dumps" / "leak.csv", (1, 1))  # nobody writes to it any more
    ask(home, "watch", "--once")
    return folder


def same(given: object, names: set[str]) -> None:
    assert isinstance(given, dict)
    assert set(given) == names


def test_inspect(story: Path) -> None:
    whole, column = documented("inspect")
    answer = ask_homeless("inspect", str(story / "in.csv"))
    same(answer, whole)
    same(answer["columns"][0], column)


def test_tag(story: Path) -> None:
    [names] = documented("tag")
    target = ["--output", str(story / "out.csv"), "--canaries", "5"]
    same(ask(story / "home", "tag", str(story / "in.csv"), "--recipient", "globex", *target)[0], names)


def test_seed(story: Path) -> None:
    [names] = documented("seed")
    with contextlib.closing(sqlite3.connect(story / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, email TEXT, phone TEXT)")
        shop.executemany(
            "INSERT INTO orders (email, phone) VALUES (?, ?)", [(f"u{n}@mail.example", "") for n in range(50)]
        )
    url = [
        "seed",
        f"sqlite:///{story / 'shop.db'}",
        "--table",
        "orders",
        "--recipient",
        "acme",
        "--count",
        "3",
    ]
    same(ask(story / "home", *url), names)
    dry = ask(story / "home", *url, "--dry-run")
    same(dry, names)
    assert dry["release"] is None


def test_suppress(story: Path) -> None:
    [names] = documented("suppress check")
    check = ["suppress", "check", str(story / "in.csv"), "--output", str(story / "left.csv")]
    answer = ask(story / "home", *check)
    same(answer, names)
    dry = ask(story / "home", *check, "--dry-run")
    same(dry, names)
    assert [name for name, value in dry.items() if value is None] == [
        "rows_out",
        "sha256_out",
        "ledger_index",
    ]
    [names] = documented("suppress list")
    same(ask(story / "home", "suppress", "list")[0], names)
    same(ask(story / "home", "suppress", "allow", "nightly"), names)


def test_scan(story: Path) -> None:
    whole, error, match = documented("scan")
    (story / "broken.gz").write_bytes(b"\x1f\x8b\x08 not gzip after all")
    answer = ask(story / "home", "scan", str(story / "acme.csv"), str(story / "broken.gz"))
    same(answer, whole)
    same(answer["matches"][0], match)
    same(answer["errors"][0], error)


def test_retro_hunt(story: Path) -> None:
    whole, match = documented("scan --kept")
    answer = ask(story / "home", "scan", "--kept")
    same(answer, whole)
    assert answer["matches"]
    same(answer["matches"][0], match)


def test_trace(story: Path) -> None:
    whole, suspect, evidence = documented("trace")
    answer = ask(story / "home", "trace", str(story / "acme.csv"))
    same(answer, whole)
    same(answer["suspects"][0], suspect)
    same(answer["suspects"][0]["evidence"], evidence)


@pytest.mark.parametrize("command", ["sighting list", "incident list", "source list"])
def test_lists(story: Path, command: str) -> None:
    whole, *inner = documented(command)
    answer = ask(story / "home", *command.split())
    assert answer
    same(answer[0], whole)
    if inner:
        same(answer[0]["matches"][0], inner[0])


def test_ledger_verify(story: Path) -> None:
    [names] = documented("ledger verify")
    same(ask(story / "home", "ledger", "verify"), names)


def test_demo() -> None:
    _, listed = documented("demo")
    same(ask_homeless("demo", "--list")[0], listed)
