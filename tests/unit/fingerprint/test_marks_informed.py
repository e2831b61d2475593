"""With the original at hand, averages and noise as wide as the marks still name; innocents stay below the bound."""

from __future__ import annotations

import numpy as np
import pytest

from canary.fingerprint.informed import MODELS, informed_units, log2_informed
from tests.markslab import exceeds, keys_of, lab, objects, rows_of

ONE, TWO = keys_of(2)
INNOCENTS = keys_of(400, seed=3)


def numbers(cells):
    return np.array([float(text) for text in cells])


def leaks(parcels):
    rng = np.random.default_rng(4)
    one, two = (numbers(parcels.copy(key)["kg"]) for key in (ONE, TWO))
    return {
        "average of two": ((one + two) / 2, 2),
        "noise as wide as the marks": (one + rng.uniform(-0.5, 0.5, len(one)), 1),
        "untouched": (one, 1),
    }


@pytest.mark.parametrize("name", ["average of two", "noise as wide as the marks", "untouched"])
def test_numbers_alone_name(parcels, name):
    values, sources = leaks(parcels)[name]
    rows = np.arange(300)
    leak = {"kg": objects([f"{value:.2f}" for value in values[:300]])}
    found = log2_informed(informed_units(parcels.prepared, leak, rows), [ONE, TWO, *INNOCENTS])
    assert (found[:sources] > 37).all()
    assert not any(exceeds(found[2:], bits) for bits in (1, 2, 3, 5))
    assert found[2:].max() < 12


def test_factors_are_normalised_over_the_symbols(parcels):
    rng = np.random.default_rng(5)
    wild = {**parcels.table, "kg": objects([f"{value:.2f}" for value in rng.uniform(-50, 50, 600)])}
    for leak in (wild, parcels.table, parcels.copy(ONE)):
        for unit in informed_units(parcels.prepared, leak, np.arange(600)):
            chance = np.ones(1)
            for channel in unit.channels:
                chance = np.multiply.outer(chance, channel.alphabet.chances).reshape(-1)
            means = np.einsum("ijk,j->ik", 2.0**unit.log2_ratio, chance)
            assert means.max() <= 1 + 1e-12
    assert sum(weight for _, _, weight in MODELS) == pytest.approx(1)


def test_a_row_counts_once_and_unknown_rows_not_at_all(parcels):
    leak = rows_of(parcels.copy(ONE), np.zeros(50, np.int64))
    once = informed_units(parcels.prepared, leak, np.zeros(50, np.int64))
    assert [len(unit.log2_ratio) for unit in once] == [1] * len(once)
    assert informed_units(parcels.prepared, leak, np.full(50, -1)) == []
    assert (log2_informed([], [ONE]) == pytest.approx(0)) is True


def test_an_input_counts_once_whatever_rows_it_serves(parcels):
    phones = np.repeat(parcels.table["phone"][:200], 3)
    made = lab(rows=600, table={**parcels.table, "phone": phones})
    units = informed_units(made.prepared, made.copy(ONE), np.arange(600))
    served = [inputs for unit in units for inputs in unit.inputs]
    assert min(len(one) for one in served) == 200
    assert all(len(np.unique(one, axis=0)) == len(one) for one in served)
