"""The plan is judged by the whole file: its first rows may be unlike the others, sorted or from another source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.marks_home import home_of
from canary import wiring
from canary.fields.policy import parse_policy
from canary.files import csvparse
from canary.fingerprint import sampling
from canary.fingerprint.anchors import Counts
from canary.fingerprint.columns import texts_of
from canary.fingerprint.learn import Learning
from canary.fingerprint.sampling import Sample
from canary.steps.tag import NO_MARKS, tag
from canary.steps.tagging import TagRequest
from tests.markslab import POLICY, SECRET, objects, parcels, rows_of

FIRST, ROWS = 600, 3000
LATER = slice(FIRST, None)


@pytest.fixture
def table():
    return parcels(ROWS, np.random.default_rng(3))


def learnt(table, batch=FIRST):
    """The plan, made as a file is read: in batches."""
    learning = Learning(parse_policy(POLICY.format(dataset="", tolerance="0.5", columns="")), SECRET)
    for at in range(0, ROWS, batch):
        learning.add(rows_of(table, slice(at, at + batch)))
    return learning.plan()


def serving(plan):
    return {channel.anchor for channel in plan.channels}


def test_an_anchor_that_tells_the_first_rows_alone_serves_nothing(table):
    assert serving(learnt(table)) == {0, 1, 2}
    table["phone"][LATER] = np.tile(table["phone"][LATER][:40], ROWS)[: ROWS - FIRST]
    assert serving(learnt(table)) == {0, 2}


def test_an_anchor_that_tells_all_but_the_first_rows_serves(table):
    table["phone"][:FIRST] = table["phone"][0]
    assert serving(learnt(table)) == {0, 1, 2}


def test_spellings_that_come_later_are_channels(table):
    table["address"][:FIRST] = objects(["西湖区文三路"] * FIRST)
    assert {"building", "unit", "room"} <= {one.part for one in learnt(table).channels}


def test_a_column_that_rises_at_first_is_not_in_order(table):
    rising = objects([f"{100 + 1.5 * row:.2f}" for row in range(ROWS)])
    table["kg"][:FIRST] = rising[:FIRST]
    assert not learnt(table).column("kg").ordered
    table["kg"] = rising
    assert learnt(table).column("kg").ordered


def test_decimals_that_come_later_are_written(table):
    table["kg"][:FIRST] = objects([str(int(float(one)) + 1) for one in table["kg"][:FIRST]])
    assert learnt(table).column("kg").places == 2


def test_times_that_stand_in_batches_later_are_left_alone(table):
    moments = table["at"].copy()
    table["at"][LATER] = np.repeat(moments[LATER][:60], 40)
    assert "at" not in [one.heading for one in learnt(table).columns]
    table["at"][LATER] = np.repeat(moments[LATER][:1200], 2)
    assert learnt(table).column("at").tied


def test_crowded_moments_are_shared_by_chance(table):
    """Three rows a second, in order or in none: rows that share their moment belong together no more than others."""
    rng = np.random.default_rng(4)
    for moments in (rng.integers(0, 2500, ROWS), np.sort(rng.integers(0, 2500, ROWS))):
        start = np.datetime64("2026-03-01T00:00:00")
        table["at"] = objects([str(start + one).replace("T", " ") for one in moments.tolist()])
        assert not learnt(table).column("at").tied


def test_the_plan_does_not_depend_on_batches(table):
    assert learnt(table) == learnt(table, 77) == learnt(table, ROWS)


@pytest.mark.parametrize("rows", [1, 7, 8, 64, 65, 1000])
def test_a_sample_is_runs_from_the_whole_file(monkeypatch, rows):
    monkeypatch.setattr(sampling, "RUN", 8)
    monkeypatch.setattr(sampling, "MOST_RUNS", 8)
    cells = objects([f"{row}:{'长' * (row % 3)}" for row in range(rows)])
    found = []
    for batch in (3, 50, rows):
        sample = Sample()
        for at in range(0, rows, batch):
            sample.add({"a": texts_of(cells[at : at + batch])})
        texts = sample.columns()["a"]
        found.append([texts.text(row) for row in range(len(texts))])
        assert sample.rows == rows
        assert len(list(sample.spans())) == len(sample.runs) <= 8
        for span in sample.spans():
            numbers = [int(one.partition(":")[0]) for one in found[-1][span]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert numbers[0] % (8 * sample.step) == 0
    assert found[0] == found[1] == found[2]
    assert set(found[0]) <= set(cells.tolist())
    assert len(found[0]) == min(rows, len(found[0])) >= min(rows, 32)


def test_an_empty_sample_has_no_columns():
    sample = Sample()
    sample.add({})
    assert (sample.columns(), list(sample.spans())) == ({}, [])


def test_what_is_counted_of_one_column_does_not_depend_on_others():
    """The same call gives the same copy again, though the first reading counted more than the second one."""
    digests = np.random.default_rng(5).integers(0, 2**63, 4000).astype(np.uint64)
    alone, beside = Counts(1 << 10), Counts(1 << 10)
    for at in range(0, 4000, 500):
        beside.add("other", digests[::-1])
        for one in (alone, beside):
            one.add(0, digests[at : at + 500])
    assert (alone.count(0, digests) == beside.count(0, digests)).all()
    assert alone.count(0, digests).min() >= 1
    assert not alone.count("other", digests).any()


def test_counts_are_never_too_small_and_end_at_255():
    digests = np.repeat(np.arange(1, 301, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15), np.arange(1, 301))
    counts = Counts(1 << 12)
    counts.add(0, np.random.default_rng(6).permutation(digests))
    unique, times = np.unique(digests, return_counts=True)
    found = counts.count(0, unique)
    assert (found >= np.minimum(times, 255)).all()
    assert (found == np.minimum(times, 255)).mean() > 0.95


NUMBERS = """
[dataset]
name = "d"
anchors = [["phone"], ["number"]]
canaries = 0
[columns.number]
role = "waybill_no"
[columns.phone]
role = "phone"
[columns.kg]
role = "measure"
mark = "number"
tolerance = 0.04
"""


def test_a_tagged_file_has_its_marks_where_the_first_rows_are_unlike_the_rest(tmp_path, table, monkeypatch):
    """Sorted by customer: those of one row come first. Each cell is marked, and the same call gives it again."""
    monkeypatch.setattr(csvparse, "_PARSED", 1 << 14)
    table["phone"][LATER] = np.repeat(table["phone"][LATER][:40], 60)
    assert tagged_twice(tmp_path, table, ("number", "phone", "kg"), NUMBERS) > 0.8 * ROWS


def test_a_later_export_whose_rows_an_anchor_does_not_tell_is_said(tmp_path, table):
    """The plan stays that of the first copy; what it cannot mark in another export is told, not lost in silence."""
    table = rows_of(table, slice(0, 400))
    names = ("number", "phone", "kg")
    first, _ = tag_once(tmp_path, table, names, NUMBERS)
    table["phone"] = np.repeat(table["phone"][:8], 50)
    second, marked = tag_once(tmp_path, table, names, NUMBERS)
    assert not [one for one in first if "apart" in one]
    assert [one for one in second if "apart" in one] == [
        "by phone only 0% of the rows can be told apart: the others lack the marks that hang on it"
    ]
    assert marked == 0


def test_where_nothing_can_carry_marks_it_is_said_each_time(tmp_path, table):
    table, policy = rows_of(table, slice(0, 50)), NUMBERS.replace("tolerance = 0.04", "tolerance = 0")
    tools, request = home_of(tmp_path, ["a"]), asked(tmp_path, table, ("number", "phone", "kg"), policy)
    answers = [tag(tools, replace(request, dry_run=dry)) for dry in (True, False, False)]
    tools.registry.close()
    assert all(NO_MARKS in one.warnings for one in answers)
    assert len({one.releases[0].release for one in answers[1:]}) == 1
    assert answers[2].releases[0].marked_cells == 0


def test_categories_are_the_same_though_their_neighbours_were_unknown_at_first(tmp_path, table):
    rng = np.random.default_rng(8)
    table["city"] = objects(["甲", "乙", "丙"])[rng.integers(0, 3, ROWS)]
    table["kind"] = objects(["1", "2"])[rng.integers(0, 2, ROWS)]
    policy = NUMBERS + '[columns.city]\nrole = "category"\nmark = "category"\n'
    tagged_twice(tmp_path, table, ("number", "phone", "kg", "city", "kind"), policy)
    copy = [line.split(",")[3] for line in (tmp_path / "out.csv").read_text("utf-8").splitlines()[1:]]
    assert 5 <= (np.array(copy, dtype=object) != table["city"]).sum() <= ROWS / 100


def asked(folder, table, names, policy):
    """Write a table, and give the call that tags it."""
    lines = [",".join(names), *(",".join(row) for row in zip(*(table[name] for name in names), strict=True))]
    (folder / "in.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return TagRequest(
        str(folder / "in.csv"), ("a",), str(folder / "out.csv"), policy=parse_policy(policy), force=True
    )


def tag_once(folder, table, names, policy):
    """Tag a table in a home that stays; gives the warnings and the marked cells."""
    known = (folder / "home").exists()
    tools = wiring.open_tools(folder / "home") if known else home_of(folder, ["a"])
    answer = tag(tools, asked(folder, table, names, policy))
    tools.registry.close()
    return answer.warnings, answer.releases[0].marked_cells


def tagged_twice(folder, table, names, policy):
    """Tag a table, and once more by the same call; gives the marked cells."""
    tools, request = home_of(folder, ["a"]), asked(folder, table, names, policy)
    first = tag(tools, request).releases[0]
    again = tag(tools, replace(request, output=str(folder / "again.csv"))).releases[0]
    assert (again.release, again.sha256_out) == (first.release, first.sha256_out)
    tools.registry.close()
    return first.marked_cells
