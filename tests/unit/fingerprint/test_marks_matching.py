"""Renamed and reordered columns are found by what they hold; alike ones give several readings, which are averaged."""

from __future__ import annotations

import numpy as np

from canary.fingerprint.decode import joined, read_marks
from canary.fingerprint.matching import averaged, readings, renamed
from canary.fingerprint.score import score
from tests.markslab import keys_of, lab, objects, rows_of

ONE, TWO = keys_of(2)


def named(made, leak):
    scores = [score(made.read(renamed(leak, one)), [ONE, TWO]).log2_m for one in readings(made.plan, leak)]
    return averaged(scores)


def test_the_same_headings_settle_it(parcels):
    leak = rows_of(parcels.copy(ONE), np.arange(50))
    assert readings(parcels.plan, leak) == [{name: name for name in parcels.plan.headings}]
    upper = {name.upper(): cells for name, cells in leak.items()}
    assert readings(parcels.plan, upper) == [{name: name.upper() for name in parcels.plan.headings}]


def test_renamed_columns_are_found_by_content(parcels):
    leak = rows_of(parcels.copy(ONE), np.arange(60))
    order = ["at", "address", "phone", "name", "kg", "number"]
    other = {f"column {number}": leak[name] for number, name in enumerate(order)}
    found = named(parcels, other)
    assert found[0] > 100
    assert found[1] < 10


def test_columns_that_look_alike_are_averaged(parcels):
    leak = rows_of(parcels.copy(ONE), np.arange(60))
    second = objects([f"13{900_000_000 + row}" for row in range(60)])
    other = {"a": second, "b": leak["phone"], "c": leak["kg"], "d": leak["address"]}
    assert len(readings(parcels.plan, other)) == 2
    found = named(parcels, other)
    assert found[0] > 37
    assert found[1] < 10


def test_a_foreign_table_has_no_reading_that_names(parcels):
    assert readings(parcels.plan, {"x": objects(["hello", "world"])}) == [{}]
    assert readings(parcels.plan, {}) == [{}]
    assert (named(parcels, {"x": objects(["hello", "world"])}) == 0).all()


def test_tables_of_one_leak_join_and_count_once(parcels):
    leak = rows_of(parcels.copy(ONE), np.arange(60))
    whole = parcels.read(leak)
    parts = [parcels.read(rows_of(leak, np.arange(at, at + 30))) for at in (0, 30)]
    both = joined([*parts, *parts], parcels.keys)
    assert len(both) == len(whole)
    assert both.rows == 120
    assert (score(both, [ONE, TWO]).log2_m > 100).tolist() == [True, False]
    assert len(read_marks(parcels.plan, parcels.keys, {})) == 0
    assert lab(rows=5).plan.anchors == parcels.plan.anchors


def test_marks_are_beside_what_a_leaker_keeps():
    """A text's first axis goes to the anchor with its own column, a record's own number serves last."""
    from tests.markslab import lab

    plan = lab(rows=200).plan
    serving = {(one.column, one.part): plan.anchors[one.anchor].columns for one in plan.channels}
    first = {column: serving[column, part] for column, part in reversed(serving)}
    assert first == {"address": ("name", "address"), "kg": ("name", "address"), "at": ("phone",)}
    texts = [columns for (column, _), columns in serving.items() if column == "address"]
    assert texts[:3] == [("name", "address"), ("phone",), ("number",)]


def test_names_are_known_though_few_of_them_come_again_and_again():
    from tests.markslab import lab

    made = lab(rows=200)
    few = np.array(["张伟", "李娜", "王芳"], dtype=object)[np.arange(200) % 3]
    leak = {"a": few, "b": made.table["address"], "c": made.table["kg"]}
    assert {"name": "a", "address": "b"}.items() <= readings(made.plan, leak)[0].items()
