"""Leaving canaries out of the owner's own files through the command line, and attacks on it."""

import csv
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ME = pwd.getpwuid(os.getuid()).pw_name
DAY_MS = 86_400_000
SEEDED = 20
HOOK = '\n[[alerts.webhook]]\nname = "ops"\nurl = "https://ops.example/hook"\nsecret = "s"\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home that seeded a shop ten days ago, and the shop's table before and after."""
    from canary.cli.main import run

    folder = tmp_path_factory.mktemp("suppress")
    home = ["--home", str(folder / "home")]
    before, batch, shop = folder / "before.csv", folder / "batch.csv", folder / "shop.db"
    for command in (
        ["init"],
        ["recipient", "add", "ops", "--kind", "insider"],
        ["recipient", "add", "acme", "--kind", "partner"],
        ["contact", "add", "email-domain", "post.example.net"],
        ["generate", "customer", "--count", "1500", "--seed", "5", "--mail-domain", "people.example",
         "--output", str(before)],
    ):  # fmt: skip
        assert run([*command, *home]) == 0
    rows = read(before)
    with closing(sqlite3.connect(shop)) as db, db:
        db.execute(
            f"create table customers ({', '.join(f'{name} text' for name in rows[0])}, primary key (customer_id))"
        )
        db.executemany(f"insert into customers values ({', '.join('?' * len(rows[0]))})", rows[1:])
    seed = ["seed", f"sqlite:///{shop}", "--table", "customers", "--recipient", "ops", "--count", str(SEEDED)]
    assert run([*seed, *home]) == 0
    with closing(sqlite3.connect(shop)) as db:
        found = db.execute("select * from customers order by customer_id").fetchall()
    write(before, [rows[0], *sorted(rows[1:])])
    write(batch, [rows[0], *found])
    with closing(sqlite3.connect(folder / "home" / "canary.db")) as db, db:
        db.execute("update releases set created_ms = created_ms - ?", [10 * DAY_MS])
    return folder


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def read(path):
    with path.open("r", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def canary(say, built, tmp_path, monkeypatch):
    """Commands on a copy of the built home."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANARY_HOME", str(tmp_path / "home"))

    def call(*argv, status=0):
        said = say(*argv)
        assert said.status == status, f"{argv} gave {said.status}: {said.err}"
        return said

    return call


def registry(folder, query, *values):
    with closing(sqlite3.connect(folder / "home" / "canary.db", timeout=30)) as db, db:
        return db.execute(query, values).fetchall()


def entries(folder):
    found = registry(folder, "SELECT body FROM ledger_entries WHERE kind = 'suppress' ORDER BY \"index\"")
    return [json.loads(body)["body"] for (body,) in found]


def set_strict(folder, more=""):
    """Let canaries of copies stop a caller that named no recipient."""
    config = folder / "home" / "config.toml"
    config.write_text(config.read_text().replace("\ncopies = true ", "\ncopies = false ") + more)


def test_a_batch_comes_back_without_its_canaries(canary, tmp_path):
    said = canary("suppress", "check", "batch.csv", "--output", "clean.csv")
    assert (
        said.out
        == f"clean.csv holds 1500 of {1500 + SEEDED} rows; {1_000_000 - 1500 - SEEDED} are left of 24 hours\n"
    )
    assert (tmp_path / "clean.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    [entry] = entries(tmp_path)
    assert entry["outcome"] == "answered"
    assert (entry["caller"], entry["os_user"], entry["rows"]) == (ME, ME, 1500 + SEEDED)
    assert (entry["withheld"], entry["strays"]) == (SEEDED, 0)
    assert canary("ledger", "verify").out.startswith("ok")


@pytest.mark.parametrize("ending", ["jsonl", "json", "sql", "parquet", "xlsx", "tsv", "csv.gz", "jsonl.zst"])
def test_every_format(canary, tmp_path, ending):
    from canary.files import open_table
    from canary.files.saving import save_rows

    for name in ("batch", "before"):
        head, *rows = read(tmp_path / f"{name}.csv")
        save_rows(tmp_path / f"{name}.{ending}", head, [dict(zip(head, row, strict=True)) for row in rows])
    answer = canary("suppress", "check", f"batch.{ending}", "--output", f"clean.{ending}", "--json").json
    assert (answer["rows_in"], answer["rows_out"]) == (1500 + SEEDED, 1500)
    clean, before = tmp_path / f"clean.{ending}", tmp_path / f"before.{ending}"
    if ending in ("parquet", "xlsx"):
        left, wanted = (
            [row for batch in open_table(path).batches() for row in batch.rows.to_pylist()]
            for path in (clean, before)
        )
        assert left == wanted
    else:
        assert clean.read_bytes() == before.read_bytes()


def test_other_tables_about_the_same_people(canary, tmp_path):
    """A shipping job's own columns and spellings; one value alone never drops a row."""
    head, *rows = read(tmp_path / "batch.csv")
    at = {name: head.index(name) for name in head}
    real = {row[0] for row in read(tmp_path / "before.csv")}
    parcels = [["parcel", "receiver", "tel", "receiver_address", "customer"]]
    for number, row in enumerate(rows):
        phone = "+86 " + row[at["phone"]]
        parcels.append([str(number), row[at["name"]], phone, row[at["address"]], row[0]])
    write(tmp_path / "parcels.csv", parcels)
    canary("suppress", "check", "parcels.csv", "--output", "ship.csv")
    assert read(tmp_path / "ship.csv") == [parcels[0], *(row for row in parcels[1:] if row[4] in real)]
    keys = [["amount", "customer_id"], *(["1.50", row[0]] for row in rows)]
    write(tmp_path / "bills.csv", keys)
    canary("suppress", "check", "bills.csv", "--output", "bills-out.csv")
    assert read(tmp_path / "bills-out.csv") == keys


def test_a_key_of_a_reserved_range_is_enough(canary, tmp_path):
    """Where the policy keeps numbers for canaries, a list of bare numbers is cleaned too."""
    shop = f"sqlite:///{tmp_path / 'shop.db'}"
    canary("inspect", shop, "--table", "customers", "--output", "policy.toml")
    with (tmp_path / "policy.toml").open("a", encoding="utf-8") as policy:
        policy.write("\n[dataset.ranges]\ncustomer_id = [99000000, 99999999]\n")
    planted = canary(
        "seed", shop, "--table", "customers", "-r", "ops", "-n", 4, "--policy", "policy.toml", "--json"
    ).json["keys"]  # fmt: skip
    assert all(key.startswith("C99") for key in planted)
    real = [row[0] for row in read(tmp_path / "before.csv")[1:]]
    write(tmp_path / "ids.csv", [["customer_id", "points"], *([key, "1"] for key in [*planted, *real])])
    canary("suppress", "check", "ids.csv", "-o", "out.csv")
    assert read(tmp_path / "out.csv")[1:] == [[key, "1"] for key in real]
    write(tmp_path / "other.csv", [["ticket_id", "points"], *([key, "1"] for key in [*planted, *real])])
    canary("suppress", "check", "other.csv", "-o", "out.csv", "--force")
    assert len(read(tmp_path / "out.csv")) == len(planted) + len(real) + 1


def test_standard_input_and_output(canary, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "canary", "suppress", "check", "-", "--output", "-"],
        input=(tmp_path / "batch.csv").read_bytes(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert ran.stdout == (tmp_path / "before.csv").read_bytes()
    assert f"1500 of {1500 + SEEDED} rows" in ran.stderr.decode()


def test_a_dry_run_looks_up_nothing(canary, tmp_path):
    answer = canary("suppress", "check", "batch.csv", "-o", "x.csv", "--dry-run", "--json").json
    assert (answer["rows_in"], answer["rows_out"], answer["sha256_out"]) == (1500 + SEEDED, None, None)
    assert not (tmp_path / "x.csv").exists()
    assert entries(tmp_path) == []
    assert canary("suppress", "list", "--json").json == []


def test_outputs_are_not_overwritten(canary, tmp_path):
    assert (
        "is the input itself" in canary("suppress", "check", "batch.csv", "-o", "batch.csv", status=2).error
    )
    assert "cannot be written" in canary("suppress", "check", "batch.csv", "-o", "x.json", status=2).error
    assert "no folder" in canary("suppress", "check", "batch.csv", "-o", "none/x.csv", status=2).error
    (tmp_path / "out.csv").write_text("something else")
    check = ["suppress", "check", "batch.csv", "-o", "out.csv"]
    assert "exists already" in canary(*check, status=2).error
    assert entries(tmp_path) == []  # refused before anything was looked up, whatever the file holds
    canary(*check, "--force")
    stamp = (tmp_path / "out.csv").stat().st_mtime_ns
    canary(*check)
    assert (tmp_path / "out.csv").stat().st_mtime_ns == stamp
    (tmp_path / "out.csv").write_text("something else")
    assert "exists already" in canary(*check, status=2).error
    assert (tmp_path / "out.csv").read_text() == "something else"
    assert [entry["outcome"] for entry in entries(tmp_path)] == ["answered"] * 3


def test_the_budget_is_a_callers_own_and_of_a_day(canary, tmp_path):
    rows = 1500 + SEEDED
    canary("suppress", "allow", "nightly", "--rows", rows * 2)
    check = ["suppress", "check", "batch.csv", "--force", "--caller", "nightly", "-o"]
    assert canary(*check, "a.csv", "--json").json["rows_left"] == rows
    assert canary(*check, "b.csv", "--json").json["rows_left"] == 0
    said = canary(*check, "c.csv", status=4)
    assert said.error == "1 rows are more than the 0 that caller nightly has left of 24 hours"
    assert "suppress allow nightly --rows" in said.err
    canary("suppress", "allow", "nightly", "--rows", rows * 2 + 5)
    assert "the 5 that caller" in canary(*check, "c.csv", status=4).error
    assert not (tmp_path / "c.csv").exists()
    assert [one.get("outcome") for one in entries(tmp_path)] == [
        None, "answered", "answered", "budget", None, "budget",
    ]  # fmt: skip
    assert canary("suppress", "check", "batch.csv", "-o", "mine.csv", "--json").json["caller"] == ME
    registry(tmp_path, "UPDATE suppress_checks SET time_ms = time_ms - ?", DAY_MS)
    assert canary(*check, "c.csv", "--json").json["rows_left"] == rows + 5


def test_callers_are_registered_and_may_be_bound_to_a_user(canary, tmp_path):
    check = ["suppress", "check", "batch.csv", "-o", "x.csv", "--caller"]
    assert canary(*check, "nightly", status=2).error == "no caller 'nightly' is registered"
    canary("suppress", "allow", "nightly", "--user", "somebody-else")
    assert f"caller nightly is not {ME}'s" in canary(*check, "nightly", status=4).error
    assert "no recipient 'nobody'" in canary("suppress", "allow", "x", "-r", "nobody", status=2).error
    assert not (tmp_path / "x.csv").exists()
    [row] = canary("suppress", "list", "--json").json
    assert (row["caller"], row["os_user"], row["rows_a_day"]) == ("nightly", "somebody-else", 1_000_000)


def test_an_export_cannot_be_stripped_in_small_portions(canary, tmp_path):
    """Somebody who holds acme's copy asks for ten rows at a time: it learns no canary of it, and is stopped."""
    set_strict(tmp_path, HOOK)
    canary("tag", "before.csv", "--recipient", "acme", "--output", "acme.csv", "--canaries", 15)
    head, *rows = read(tmp_path / "acme.csv")
    learned, asked, stopped = 0, 0, None
    for start in range(0, len(rows), 100):
        write(tmp_path / "part.csv", [head, *rows[start : start + 100]])
        said = canary_or_none(canary, "suppress", "check", "part.csv", "--force", "-o", "left.csv")
        if said is not None:
            stopped = said
            break
        asked += 100
        learned += 100 - (len(read(tmp_path / "left.csv")) - 1)
    print(f"learned {learned} of 15 canaries from {asked} rows before the stop")
    assert learned == 0
    assert stopped is not None
    assert asked < len(rows)
    assert f"caller {ME} is stopped" in stopped.error
    assert "stopped" in canary("suppress", "check", "batch.csv", "-o", "y.csv", status=4).error
    assert "alarm" in [one["outcome"] for one in entries(tmp_path)]
    [(event, channel, body)] = registry(tmp_path, "SELECT event, channel, body FROM outbox")
    assert (event, channel) == ("suppress.alarm", "webhook:ops")
    assert json.loads(body)["caller"] == ME
    [row] = canary("suppress", "list", "--json").json
    assert row["stopped"]
    assert row["reason"].endswith(" canaries of copies that were handed out")
    canary("suppress", "lift", ME)
    assert canary("suppress", "lift", ME, status=2).error == f"caller {ME} is not stopped"
    canary("suppress", "check", "batch.csv", "-o", "y.csv")


def canary_or_none(canary, *argv):
    """Give what was said where the call was refused."""
    try:
        canary(*argv)
    except AssertionError:
        return canary(*argv, status=4)
    return None


def test_candidates_cannot_be_tried_one_by_one(canary, tmp_path):
    """Who suspects rows of a seeded table asks for each alone: a few are learned, then the rate gives it away."""
    head, *rows = read(tmp_path / "batch.csv")
    real = {row[0] for row in read(tmp_path / "before.csv")}
    learned = 0
    for row in (row for row in rows if row[0] not in real):
        write(tmp_path / "one.csv", [head, row])
        if canary_or_none(canary, "suppress", "check", "one.csv", "--force", "-o", "left.csv") is not None:
            break
        assert read(tmp_path / "left.csv") == [head]
        learned += 1
    print(f"learned {learned} of {SEEDED} canaries one by one before the stop")
    assert 1 <= learned <= 5
    assert "customers in" in canary("suppress", "list", "--json").json[0]["reason"]


def test_daily_batches_never_alarm(canary, tmp_path):
    """Thirty days of the whole table, and its parts in any order, are the owner's own data."""
    head, *rows = read(tmp_path / "batch.csv")
    for day in range(6):
        write(tmp_path / "part.csv", [head, *rows[day * 253 : day * 253 + 253]])
        for name in ("part.csv", "batch.csv"):
            canary("suppress", "check", name, "--force", "-o", "out.csv")
        registry(tmp_path, "UPDATE suppress_checks SET time_ms = time_ms - ?", 5 * DAY_MS)
        registry(tmp_path, "UPDATE suppress_seen SET last_ms = last_ms - ?", 5 * DAY_MS)
    assert not canary("suppress", "list", "--json").json[0]["stopped"]


def test_a_job_that_works_on_a_recipients_copy_is_allowed_to(canary, tmp_path):
    set_strict(tmp_path)
    canary("tag", "batch.csv", "--recipient", "acme", "--output", "acme.csv", "--canaries", 15)
    assert canary("suppress", "check", "acme.csv", "-o", "out.csv", status=4).error
    assert not (tmp_path / "out.csv").exists()
    canary("suppress", "allow", "returns", "--recipient", "acme")
    canary("suppress", "check", "acme.csv", "--caller", "returns", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    canary("recipient", "add", "globex", "--kind", "partner")
    canary("tag", "before.csv", "--recipient", "globex", "--output", "globex.csv", "--canaries", 15)
    assert canary("suppress", "check", "globex.csv", "--caller", "returns", "-o", "g.csv", status=4).error


def test_a_copy_that_came_back_loses_its_canaries(canary, tmp_path):
    """A partner's file comes back: nobody ships to the canaries in it; who asks for them alone is stopped."""
    canary("tag", "before.csv", "--recipient", "acme", "--output", "acme.csv", "--canaries", 15)
    canary("suppress", "check", "acme.csv", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    assert entries(tmp_path)[-1]["withheld"] == 15
    head, *rows = read(tmp_path / "acme.csv")
    real = read(tmp_path / "before.csv")
    write(tmp_path / "picked.csv", [head, *(row for row in rows if row not in real)])
    assert canary("suppress", "check", "picked.csv", "-o", "left.csv", status=4).error
    assert not (tmp_path / "left.csv").exists()


def test_two_strays_stay_and_are_not_told(canary, tmp_path):
    set_strict(tmp_path)
    canary("tag", "before.csv", "--recipient", "acme", "--output", "acme.csv", "--canaries", 2)
    said = canary("suppress", "check", "acme.csv", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "acme.csv").read_bytes()
    assert said.err == ""
    assert entries(tmp_path)[-1]["strays"] == 2


def test_processes_at_the_same_time_share_one_budget(canary, tmp_path):
    rows = 1500 + SEEDED
    canary("suppress", "allow", "nightly", "--rows", rows + 1)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "canary", "suppress", "check", "batch.csv", "--caller", "nightly", "-o", f"{n}.csv"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for n in range(2)
    ]  # fmt: skip
    said = [(one.communicate()[1], one.returncode) for one in running]
    assert sorted(status for _, status in said) == [0, 4]
    assert sum((tmp_path / f"{n}.csv").exists() for n in range(2)) == 1
    assert registry(tmp_path, "SELECT sum(rows) FROM suppress_checks") == [(rows,)]
    outcomes = [one["outcome"] for one in entries(tmp_path) if one["action"] == "check"]
    assert sorted(outcomes) == ["answered", "budget"]
    assert canary("ledger", "verify").out.startswith("ok")


def test_a_file_that_changes_meanwhile_is_not_written(canary, tmp_path, monkeypatch):
    from canary.steps import suppress

    sift = suppress.sift

    def meddled(*arguments):
        found = sift(*arguments)
        (tmp_path / "batch.csv").write_bytes((tmp_path / "batch.csv").read_bytes() + b"\n")
        return found

    monkeypatch.setattr(suppress, "sift", meddled)
    assert (
        "changed while it was read" in canary("suppress", "check", "batch.csv", "-o", "x.csv", status=3).error
    )
    assert not (tmp_path / "x.csv").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_tables_without_canaries_or_columns_come_out_as_they_went_in(canary, tmp_path):
    for text in ("a,b\n1,2\n3,4\n", "phone,email\n"):
        (tmp_path / "in.csv").write_text(text)
        canary("suppress", "check", "in.csv", "-o", "out.csv", "--force")
        assert (tmp_path / "out.csv").read_text() == text
    assert canary("suppress", "check", "none.csv", "-o", "z.csv", status=3).error
