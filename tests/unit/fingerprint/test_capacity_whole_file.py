"""Capacity counts the distinct inputs of the whole table, though it is tried on its first rows; `plan` reckons so."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.marks_symbols import observed, plan_of, symbols_of
from canary.fields.policy import parse_policy
from canary.files import RowBatch
from canary.fingerprint.planning import bar, chance_of_bits, plan_for
from canary.fingerprint.score import score
from canary.steps.inspect import lasting
from tests.markslab import POLICY, keys_of, parcels

ROWS, HEAD = 2400, 600


BOTH, PHONE = '[["phone"], ["name", "address"]]', '[["phone"]]'


def measured(on, anchors=BOTH):
    """Bits a row, of a table whose phones stand on so many rows each, as far from one another as can be.

    By its first rows alone, and by all of it.
    """
    table = parcels(ROWS, np.random.default_rng(1))
    table["phone"] = np.tile(table["phone"][: ROWS // on], on)
    whole = {name: pa.array(cells.tolist()) for name, cells in table.items()}
    text = POLICY.format(dataset="", tolerance="0.5", columns="")
    policy = parse_policy(text.replace('[["number"], ["phone"], ["name", "address"]]', anchors))

    def again(names):
        for at in range(0, ROWS, 500):
            columns = [whole[name].slice(at, 500) for name in names]
            yield RowBatch(at, pa.RecordBatch.from_arrays(columns, names=list(names)))

    head = {name: cells.slice(0, HEAD) for name, cells in whole.items()}
    return [sum(lasting(policy, head, more)[1].values()) for more in (None, again)]


def test_values_that_stand_on_several_rows_of_the_file_count_once():
    alone, shared = measured(1), measured(3)
    assert alone[0] == pytest.approx(alone[1], rel=0.02)
    assert shared[0] == pytest.approx(alone[0], rel=0.05)  # the first rows show none of it
    assert shared[1] < 0.85 * alone[1]


def test_values_on_more_than_three_rows_of_the_file_carry_nothing():
    alone, whole = measured(4, PHONE)
    assert alone > 5
    assert whole == 0
    assert measured(4)[1] > measured(3)[1]  # another anchor serves all marks


def test_the_plan_does_not_promise_what_shared_inputs_cannot_say():
    """Every input serves three rows: with the bits that inspect tells, a third of a cell's, few rows name as told."""
    rng, plan, trials = np.random.default_rng(3), plan_of(2, 4), 12
    rows, bits = 60, 4 / 3

    def named(leaked):
        """Whether the source of so many rows is named; their anchors are drawn with repeats, as in a whole table."""
        digests = np.repeat(rng.integers(0, 2**63, rows), 3)[rng.permutation(3 * rows)[:leaked]].astype(
            np.uint64
        )
        key, kept = rng.bytes(16), np.unique(digests)
        read = observed(plan, kept, symbols_of(plan, key, kept))
        return score(read, [key, *keys_of(5)], 1e-6, 1000).log2_m[0] >= np.log2(1000 / 1e-6)

    enough = next(n for n in range(1, 3 * rows) if chance_of_bits(n, bits, bar(1000)) >= 0.95)
    assert np.mean([named(enough) for _ in range(trials)]) >= 0.8
    outlook = plan_for(3 * rows, enough, recipients=1000, canaries=0, bits_a_row=bits)
    assert outlook.p_named >= 0.95
    assert plan_for(3 * rows, 10**6, recipients=1000, canaries=0, bits_a_row=bits).table[-1].left == 3 * rows
