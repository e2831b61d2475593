"""Tagging through the command line: what a pipeline and a person rely on."""

import csv
import gzip
import hashlib
import io
import json

import pytest

from canary.files import sha256_file
from canary.steps.identifying import Identifying

ROWS = 1_500


@pytest.fixture
def table(canary, tmp_path, made_once):
    """A waybill export in ascending order, with two recipients and contacts of ours."""

    def work():
        for one in ("acme", "globex"):
            canary("recipient", "add", one, "--kind", "partner")
        canary("contact", "add", "email-domain", "post.example.net")
        stock = ("--count", ROWS, "--seed", 5, "--mail-domain", "people.example")
        canary("generate", "waybill", *stock, "--output", "w.csv")

    made_once(work)
    return tmp_path / "w.csv"


def rows_of(path):
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def test_real_rows_are_untouched_and_canaries_stand_among_them(canary, table, tmp_path):
    told = canary("tag", table, "--recipient", "acme", "--output", "a.csv", "--canaries", 10, "--json").json[
        0
    ]
    assert set(told) == {
        "release", "recipient", "input", "output", "rows_in", "rows_out", "canaries", "marked_cells", "sha256_in",
        "sha256_out", "ledger_index", "seconds",
    }  # fmt: skip
    assert (told["rows_in"], told["rows_out"], told["canaries"]) == (ROWS, ROWS + 10, 10)
    copy = tmp_path / "a.csv"
    assert told["sha256_out"] == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert told["sha256_in"] == hashlib.sha256(table.read_bytes()).hexdigest()
    before, after = table.read_bytes().splitlines(), copy.read_bytes().splitlines()
    planted = [at for at, line in enumerate(after) if line not in set(before)]
    assert len(planted) == 10
    assert [line for at, line in enumerate(after) if at not in planted] == before
    assert max(planted) - min(planted) > ROWS / 10, "canaries stand in a block"


def test_keys_and_times_stay_in_order_and_are_nobodys(canary, table, tmp_path):
    canary("tag", table, "--recipient", "acme", "--output", "a.csv", "--canaries", 25)
    heading, *rows = rows_of(tmp_path / "a.csv")
    numbers = [row[heading.index("运单号")] for row in rows]
    times = [row[heading.index("下单时间")] for row in rows]
    assert numbers == sorted(set(numbers))
    real = [row[heading.index("下单时间")] for row in rows_of(table)[1:]]
    if real == sorted(real):
        assert times == sorted(times)
    mails = [
        row[heading.index("收件人邮箱")]
        for row in rows
        if row[heading.index("收件人邮箱")].endswith("@post.example.net")
    ]
    assert len(mails) == len(set(mails)) == 25


def test_the_same_call_gives_the_same_release_and_bytes(canary, table, tmp_path):
    argv = ("tag", table, "--recipient", "acme", "--output", "a.csv", "--json")
    first = canary(*argv).json[0]
    data = (tmp_path / "a.csv").read_bytes()
    again = canary(*argv).json[0]
    assert again | {"seconds": 0} == first | {"seconds": 0}
    (tmp_path / "a.csv").unlink()
    assert canary(*argv).json[0]["release"] == first["release"]
    assert (tmp_path / "a.csv").read_bytes() == data
    other = canary(*argv[:-1], "--new", "--force", "--json").json[0]
    assert other["release"] != first["release"]
    assert len(canary("release", "list", "--json").json) == 2


def test_every_recipient_has_canaries_of_its_own(canary, table, tmp_path):
    roster = tmp_path / "to.csv"
    roster.write_text("id\nacme\nglobex\n")
    told = canary("tag", table, "--recipients", roster, "--output", "out", "--canaries", 8, "--json").json
    assert [one["recipient"] for one in told] == ["acme", "globex"]
    before = {tuple(row) for row in rows_of(table)}
    planted = [
        {tuple(row) for row in rows_of(tmp_path / "out" / f"{one}.csv")} - before
        for one in ("acme", "globex")
    ]
    assert [len(one) for one in planted] == [8, 8]
    assert not planted[0] & planted[1]


@pytest.mark.parametrize(
    ("given", "count"), [("0", 0), ("1", 1), ("40", 40), (".01", 15), (".0001", 1), (None, 3)]
)
def test_counts_are_exact_and_shares_rounded_up(canary, table, given, count):
    options = [] if given is None else ["--canaries", given]
    assert canary("tag", table, "-r", "acme", "-o", "a.csv", *options, "--json").json[0]["canaries"] == count


def test_standard_input_to_standard_output(table, tmp_path):
    import os
    import subprocess
    import sys

    argv = [
        sys.executable,
        "-m",
        "canary",
        "tag",
        "-",
        "--recipient",
        "acme",
        "--output",
        "-",
        "--canaries",
        "5",
    ]
    env = {**os.environ, "CANARY_HOME": str(tmp_path / "home")}
    runs = [
        subprocess.run(argv, input=table.read_bytes(), capture_output=True, env=env, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.splitlines()) == ROWS + 6
    assert b"release r-" in runs[0].stderr


def test_an_existing_output_needs_force_and_an_input_is_never_overwritten(canary, table, tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    said = canary("tag", table, "-r", "acme", "-o", "a.csv", status=2)
    assert "exists already" in said.error
    assert (tmp_path / "a.csv").read_text() == "mine"
    assert canary("release", "list", "--json").json == []
    canary("tag", table, "-r", "acme", "-o", "a.csv", "--force")
    assert "input itself" in canary("tag", table, "-r", "acme", "-o", table, "--force", status=2).error


@pytest.mark.parametrize(
    ("argv", "status", "told"),
    [
        (["none.csv", "-r", "acme"], 3, "does not exist"),
        (["w.csv", "-r", "nobody"], 2, "no recipient 'nobody'"),
        (["w.csv"], 2, "no recipient was given"),
        (["w.csv", "-r", "acme", "-r", "acme"], 2, "twice"),
        (["w.csv", "-r", "acme", "--canaries", "1.5"], 2, "neither a count nor a share"),
        (["w.csv", "-r", "acme", "--canaries", "-3"], 2, "neither a count nor a share"),
        (["w.csv", "-r", "acme", "--policy", "none.toml"], 3, "cannot read the policy"),
        (["empty.csv", "-r", "acme"], 3, "is empty"),
        (["binary.csv", "-r", "acme"], 3, ""),
        (["folder", "-r", "acme"], 3, "is a folder"),
    ],
)
def test_bad_input_gets_an_error_and_a_hint_and_nothing_is_issued(
    canary, table, tmp_path, argv, status, told
):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "folder").mkdir()
    said = canary("tag", *argv, "--output", "x.csv", status=status)
    assert told in said.error
    assert not (tmp_path / "x.csv").exists()
    assert canary("release", "list", "--json").json == []
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_header_without_rows_gives_a_release_without_rows(canary, table, tmp_path):
    (tmp_path / "h.csv").write_text("运单号,收件人电话\n", "utf-8")
    said = canary("tag", "h.csv", "-r", "acme", "-o", "a.csv", "--canaries", 3, "--json")
    assert (said.json[0]["rows_in"], said.json[0]["canaries"]) == (0, 0)
    assert "no rows" in said.err
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "h.csv").read_bytes()


def test_ragged_rows_are_kept_and_told(canary, table, tmp_path):
    data = table.read_bytes().splitlines(keepends=True)
    table.write_bytes(b"".join([*data[:700], b"only,two\n", *data[700:]]))
    said = canary("tag", table, "-r", "acme", "-o", "a.csv", "--canaries", 5)
    assert "do not fit" in said.err
    assert b"only,two\n" in (tmp_path / "a.csv").read_bytes()


def test_a_dry_run_writes_nothing(canary, table, tmp_path):
    told = canary("tag", table, "-r", "acme", "-o", "a.csv", "--canaries", 5, "--dry-run", "--json").json[0]
    assert (told["release"], told["canaries"], told["rows_out"]) == (None, 5, ROWS + 5)
    assert not (tmp_path / "a.csv").exists()
    assert canary("status", "--json").json["canaries"] == 0


@pytest.mark.parametrize("suffix", ["tsv", "jsonl", "json", "parquet", "xlsx", "sql", "csv.gz", "csv.zst"])
def test_every_format_goes_in_and_out_and_is_traced(canary, tmp_path, suffix):
    canary("recipient", "add", "acme", "--kind", "partner")
    canary("recipient", "add", "globex", "--kind", "partner")
    canary("contact", "add", "email-domain", "post.example.net")
    canary(
        "generate",
        "customer",
        "--count",
        300,
        "--seed",
        3,
        "--mail-domain",
        "people.example",
        "--output",
        f"c.{suffix}",
    )
    told = canary("tag", f"c.{suffix}", "-r", "acme", "-o", f"a.{suffix}", "--canaries", 12, "--json").json[0]
    assert (told["rows_in"], told["rows_out"]) == (300, 312)
    assert canary("tag", f"c.{suffix}", "-r", "globex", "-o", f"g.{suffix}", "--canaries", 12).status == 0
    answer = canary("trace", f"a.{suffix}", "--json").json
    assert answer["outcome"] == "named"
    assert [one["recipient"] for one in answer["suspects"] if one["status"] == "named"] == ["acme"]
    if suffix == "csv.gz":
        assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).count(b"\n") == 313


def test_any_table_takes_canaries_without_personal_columns(canary, tmp_path):
    canary("recipient", "add", "acme", "--kind", "partner")
    lines = [f"{1000 + 37 * n},AMS,{n % 9 + 1}.{n % 97:02d},2026-11-{1 + n // 30:02d}" for n in range(600)]
    (tmp_path / "f.csv").write_text("flight_id,origin,delay,day\n" + "\n".join(lines) + "\n")
    canary("tag", "f.csv", "-r", "acme", "-o", "a.csv", "--canaries", 6)
    keys = [int(row[0]) for row in rows_of(tmp_path / "a.csv")[1:]]
    assert len(keys) == len(set(keys)) == 606
    assert keys == sorted(keys)


def test_a_child_made_from_a_tagged_copy_is_recorded_as_derived(canary, table):
    canary("recipient", "add", "child", "--kind", "partner", "--parent", "acme")
    parent = canary("tag", table, "-r", "acme", "-o", "a.csv", "--canaries", 20, "--json").json[0]
    canary("tag", "a.csv", "-r", "child", "-o", "b.csv", "--canaries", 20)
    release = canary("release", "list", "--recipient", "child", "--json").json[0]
    assert release["derived_from"] == [parent["release"]]
    answer = canary("trace", "b.csv", "--json").json
    assert [one["recipient"] for one in answer["suspects"] if one["status"] == "named"] == ["child"]
    answer = canary("trace", "a.csv", "--json").json
    assert [one["recipient"] for one in answer["suspects"] if one["status"] == "named"] == ["acme"]


def test_more_recipients_than_one_reading_serves_take_several(canary, table, tmp_path, monkeypatch):
    monkeypatch.setattr("canary.steps.tag.READING", 3)
    roster = tmp_path / "many.csv"
    roster.write_text("id,kind\n" + "".join(f"p{n:03d},partner\n" for n in range(7)))
    canary("recipient", "import", roster)
    told = canary("tag", table, "--recipients", roster, "--output", "out", "--canaries", 1, "--json").json
    assert len(told) == len({one["sha256_out"] for one in told}) == 7
    assert len(list((tmp_path / "out").iterdir())) == 7


def test_a_policy_names_dataset_roles_and_rate(canary, table, tmp_path):
    canary("inspect", table, "--output", "p.toml")
    text = (tmp_path / "p.toml").read_text("utf-8").replace("canaries = 0.002", "canaries = 0.01")
    (tmp_path / "p.toml").write_text(text, "utf-8")
    told = canary("tag", table, "-r", "acme", "-o", "a.csv", "--policy", "p.toml", "--json").json[0]
    assert told["canaries"] == 15
    # the dataset is known by its headings now, and so is its policy
    assert canary("tag", table, "-r", "globex", "-o", "g.csv", "--json").json[0]["canaries"] == 15
    (tmp_path / "bad.toml").write_text(text.replace("运单号", "没有的列"), "utf-8")
    assert (
        "没有的列"
        in canary("tag", table, "-r", "acme", "-o", "x.csv", "--policy", "bad.toml", status=2).error
    )


def test_json_never_mixes_with_talk(canary, table):
    said = canary("tag", table, "-r", "acme", "-o", "a.csv", "--json")
    assert json.loads(said.out)
    assert "warning: " in said.err


def test_one_canary_of_an_earlier_copy_is_found_among_many_rows(canary, table, tmp_path):
    """An input that holds a single row of somebody's copy must not put the blame on her later."""
    parent = canary("tag", table, "--recipient", "acme", "--output", "a.csv", "--canaries", 3, "--json").json[
        0
    ]
    heading, *copy = rows_of(tmp_path / "a.csv")
    real = rows_of(table)[1:]
    foreign = next(row for row in copy if row not in real)
    foreign[0] = f"{foreign[0][:4].lower()}-{foreign[0][4:]}"  # the key in another spelling
    foreign[heading.index("收件人邮箱")] = foreign[heading.index("收件人邮箱")].upper()
    with (tmp_path / "mixed.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heading, *real, foreign])
    canary("tag", "mixed.csv", "--recipient", "globex", "--output", "g.csv", "--dataset", "other")
    [release] = canary("release", "list", "--recipient", "globex", "--json").json
    assert release["derived_from"] == [parent["release"]]


def test_a_table_too_large_to_keep_is_read_again_for_coincidences(canary, table, tmp_path, monkeypatch):
    monkeypatch.setattr(Identifying.__init__, "__defaults__", (1000,))
    canary("tag", table, "--recipient", "acme", "--output", "a.csv", "--canaries", 25)
    keys = [row[0] for row in rows_of(tmp_path / "a.csv")[1:]]
    assert len(set(keys)) == len(keys) == ROWS + 25


def test_an_input_that_changes_meanwhile_gives_no_copy(canary, table, tmp_path, monkeypatch):
    from canary.steps import drawing

    draw = drawing.draw

    def meddled(*arguments, **options):
        drawn = draw(*arguments, **options)
        table.write_bytes(table.read_bytes().replace(b"1", b"2", 1))
        return drawn

    monkeypatch.setattr(drawing, "draw", meddled)
    said = canary("tag", table, "--recipient", "acme", "--output", "a.csv", status=3)
    assert f"{table} changed while it was read" in said.error
    assert not (tmp_path / "a.csv").exists()
    assert canary("release", "list", "--json").json == []


def test_a_first_copy_reads_its_input_no_third_time(canary, table, monkeypatch):
    monkeypatch.setattr("canary.files.csvfile.LARGE", 0)
    digested = []
    whole = sha256_file
    monkeypatch.setattr("canary.files.table.sha256_file", lambda path: digested.append(path) or whole(path))
    told = canary("tag", table, "--recipient", "acme", "--output", "a.csv", "--json").json[0]
    assert (told["sha256_in"], digested) == (whole(table), [])
    again = canary("tag", table, "--recipient", "acme", "--output", "a.csv", "--json").json[0]
    assert (again["release"], digested) == (told["release"], [table])
