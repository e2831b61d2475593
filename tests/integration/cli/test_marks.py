"""Marks in real rows through the command line: a handful of leaked rows names who was given them."""

import csv
import gzip
import io
import json
import random

import pytest

from canary.fields.canonical import canonical

ROWS = 1_000
NAMES = [f"p{number}" for number in range(6)]


@pytest.fixture
def copies(canary, tmp_path, made_once):
    """A waybill export, its proposed policy, and six marked copies of it."""

    def work():
        for one in NAMES:
            canary("recipient", "add", one, "--kind", "partner")
        stock = ("--count", ROWS, "--seed", 5, "--mail-domain", "people.example")
        canary("generate", "waybill", *stock, "--output", "w.csv")
        canary("inspect", "w.csv", "--output", "policy.toml")
        canary("tag", "w.csv", "--policy", "policy.toml", *several(NAMES), "--output", "out", "--canaries", 4)

    made_once(work)
    return {one: rows_of(tmp_path / "out" / f"{one}.csv") for one in NAMES}


def several(names):
    return [word for one in names for word in ("--recipient", one)]


def rows_of(path):
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def leak_of(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def some(rows, count, seed):
    return random.Random(seed).sample(rows[1:], count)


def named(answer):
    return sorted(one["recipient"] for one in answer["suspects"] if one["status"] == "named")


def test_twelve_rows_in_another_order_name_their_copy(canary, copies, tmp_path):
    rows = [copies["p2"][0], *some(copies["p2"], 12, 1)]
    answer = canary("trace", leak_of(tmp_path / "leak.csv", rows), "--json").json
    assert named(answer) == ["p2"]
    found = answer["suspects"][0]
    assert found["false_accusation"] <= 1e-6
    assert found["evidence"]["marks_agreeing"] > 0.9 * found["evidence"]["marks_read"] > 20
    assert any("marks read agree" in sentence for sentence in answer["explanation"])


def test_columns_renamed_moved_and_dropped_are_found_by_what_they_hold(canary, copies, tmp_path):
    heading = copies["p4"][0]
    kept = [heading.index(name) for name in ("重量kg", "收件地址", "收件人电话", "收件人姓名")]
    rows = [[row[at] for at in kept] for row in some(copies["p4"], 40, 2)]
    answer = canary(
        "trace", leak_of(tmp_path / "bare.csv", [["w", "addr", "tel", "n"], *rows]), "--json"
    ).json
    assert named(answer) == ["p4"]
    bare = canary("trace", leak_of(tmp_path / "headless.csv", rows), "--json").json
    assert named(bare) == ["p4"], "a first line that is data is a row"


def test_two_who_mix_their_rows_are_both_named(canary, copies, tmp_path):
    both = [*some(copies["p0"], 80, 3), *some(copies["p5"], 80, 4)]
    answer = canary("trace", leak_of(tmp_path / "mix.csv", [copies["p0"][0], *both]), "--json").json
    assert named(answer) == ["p0", "p5"]
    shares = [one["probability"] for one in answer["suspects"]]
    assert max(shares) - min(shares) < 0.2


def test_nobody_is_named_by_the_original_or_by_rows_under_other_keys(canary, copies, tmp_path, monkeypatch):
    clean = canary("trace", tmp_path / "w.csv", "--json").json
    assert clean["outcome"] == "inconclusive"
    assert clean["suspects"] == []
    monkeypatch.setenv("CANARY_HOME", str(tmp_path / "other"))
    canary("init")
    for one in NAMES:
        canary("recipient", "add", one, "--kind", "partner")
    canary("tag", "w.csv", "--policy", "policy.toml", *several(NAMES), "--output", "elsewhere")
    foreign = canary("trace", tmp_path / "out" / "p1.csv", "--json").json
    assert foreign["outcome"] == "inconclusive"


def test_values_stay_correct_and_the_release_says_what_changed(canary, copies, tmp_path):
    release = next(one for one in canary("release", "list", "--json").json if one["recipient"] == "p1")
    shown = canary("release", "show", release["release"], "--json").json
    before = {row[0]: row for row in rows_of(tmp_path / "w.csv")}
    heading = copies["p1"][0]
    changed = dict.fromkeys(heading, 0)
    for row in copies["p1"][1:]:
        for name, old, new in zip(heading, before.get(row[0], row), row, strict=True):
            changed[name] += old != new
            if name == "收件地址" and old != new:
                assert canonical("address", old) == canonical("address", new)
    told = {one["column"]: one for one in shown["distortion"]}
    assert {name for name, count in changed.items() if count} <= set(told)
    assert all(told[name]["changed"] == changed[name] for name in told)
    assert shown["marked_cells"] == sum(changed.values()) > ROWS
    weight = told["重量kg"]
    moved = [
        abs(float(before[row[0]][at]) - float(row[at]))
        for at in [heading.index("重量kg")]
        for row in copies["p1"][1:]
        if row[0] in before
    ]
    assert max(moved) == pytest.approx(weight["largest"])


def test_the_same_call_gives_the_same_bytes_and_release(canary, copies, tmp_path):
    again = ("tag", "w.csv", "--policy", "policy.toml", "-r", "p3", "--output", "again.csv", "--canaries", 4)
    told = canary(*again, "--json").json[0]
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "out" / "p3.csv").read_bytes()
    assert told["marked_cells"] > 0
    releases = [one for one in canary("release", "list", "--json").json if one["recipient"] == "p3"]
    assert [one["release"] for one in releases] == [told["release"]]
    another = canary(*again[:6], "--output", "new.csv", "--canaries", 4, "--new", "--json").json[0]
    assert another["release"] != told["release"]
    assert (tmp_path / "new.csv").read_bytes() == (tmp_path / "again.csv").read_bytes(), (
        "marks and canaries stay"
    )


def test_canaries_are_spelt_as_the_rows_around_them(canary, copies, tmp_path):
    real = {row[0] for row in rows_of(tmp_path / "w.csv")}
    canaries = [row for row in copies["p2"][1:] if row[0] not in real]
    assert len(canaries) == 4
    canary("tag", "w.csv", "-r", "p2", "--no-marks", "--policy", "policy.toml", "--output", "plain.csv")
    plain = {row[0]: row for row in rows_of(tmp_path / "plain.csv")}
    assert all(plain[row[0]] == row for row in rows_of(tmp_path / "w.csv")), "without marks real rows stay"
    found = canary("scan", tmp_path / "out" / "p2.csv", "--json").json["matches"]
    assert len({one["canary"] for one in found}) == 4, "a canary is found whatever its spelling"


def test_averaged_numbers_name_with_the_original_at_hand(canary, copies, tmp_path):
    heading, *original = rows_of(tmp_path / "w.csv")
    weight = heading.index("重量kg")
    given = [
        {row[0]: float(row[weight]) for row in copies[one]} for one in ("p0", "p1") if copies[one].pop(0)
    ]
    mean = [
        [*row[:weight], f"{sum(one[row[0]] for one in given) / 2:.2f}", *row[weight + 1 :]]
        for row in original
    ]
    leak = leak_of(tmp_path / "mean.csv", [heading, *mean])
    blind = canary("trace", leak, "--json").json
    seeing = canary("trace", leak, "--original", "w.csv", "--json").json
    assert set(named(seeing)) <= {"p0", "p1"}
    assert named(seeing), "two averaged copies leave enough beside the original"
    assert not set(named(blind)) - {"p0", "p1"}


@pytest.mark.parametrize("ending", ["jsonl", "json.gz", "xlsx", "parquet", "sql", "tsv"])
def test_every_format_is_marked_and_traced(canary, tmp_path, ending):
    for one in ("acme", "globex"):
        canary("recipient", "add", one, "--kind", "partner")
    stock = ("--count", 120, "--seed", 6, "--mail-domain", "people.example")
    plain = ending.removesuffix(".gz")
    canary("generate", "waybill", *stock, "--output", f"w.{plain}")
    if plain != ending:
        (tmp_path / f"w.{ending}").write_bytes(gzip.compress((tmp_path / f"w.{plain}").read_bytes()))
    canary("inspect", f"w.{ending}", "--output", "policy.toml")
    both = several(("acme", "globex"))
    told = canary(
        "tag", f"w.{ending}", "--policy", "policy.toml", *both, "--output", "out", "--canaries", 0, "--json"
    )
    assert all(one["marked_cells"] > 120 for one in told.json)
    answer = canary("trace", tmp_path / "out" / f"globex.{ending}", "--json").json
    assert named(answer) == ["globex"]
    assert answer["suspects"][0]["evidence"]["canaries"] == 0


def test_another_policy_finds_no_marks_of_these_copies(canary, copies, tmp_path):
    text = (tmp_path / "policy.toml").read_text("utf-8")
    other = tmp_path / "other.toml"
    other.write_text(text.replace('name = "w"', 'name = "another"'), "utf-8")
    real = {row[0] for row in rows_of(tmp_path / "w.csv")}  # canaries would speak for themselves
    rows = [row for row in copies["p2"] if row[0] in real][:60]
    answer = canary("trace", leak_of(tmp_path / "leak.csv", rows), "--policy", other, "--json").json
    assert answer["outcome"] == "inconclusive"


def test_evaluate_counts_who_is_named(canary, copies, tmp_path):
    names = ("none", "successive exports", "mix-and-match")
    chosen = (*(word for name in names for word in ("--attack", name)), "--trials", 1, "--rows", 100)
    rows = canary("evaluate", "w.csv", *chosen, "--recipients", 20, "--plot", "rates.svg", "--json").json
    assert (tmp_path / "rates.svg").read_text("utf-8").count("1 of 1") >= 4
    assert "exists already" in canary("evaluate", "w.csv", "--plot", "rates.svg", status=2).error
    assert [one["attack"] for one in rows] == [names[at] for at in (0, 1, 1, 2, 2)]
    assert all(one["named"] == one["trials"] == 1 for one in rows[:4]), "a tenth of a hundred rows is few"
    assert not any(one["innocents"] for one in rows)
    assert "unknown attack" in canary("evaluate", "w.csv", "--attack", "magic", status=2).error


def test_plan_says_how_many_are_enough(canary):
    sizes = ("--rows", 400_000, "--pack", 5_000, "--survival", 0.4, "--recipients", 100)
    outlook = canary("plan", *sizes, "--json").json
    assert 590 <= outlook["canaries"] <= 610  # 1 − (1 − .4·5000/400000)^599 = .95
    assert outlook["p_canary"] == pytest.approx(0.95, abs=0.001)
    assert outlook["p_named"] > 0.999
    assert json.dumps(outlook["table"])
    few = canary("plan", "--rows", 400_000, "--pack", 2, "--canaries", 0, "--json").json
    assert few["p_canary"] == 0
    assert few["p_named"] < 0.01
