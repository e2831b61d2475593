"""Sets of keys find what was put in, and nothing else, compiled or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.fields.slots import Keyset, Slots

KEYS = st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=60)


@pytest.fixture(params=[True, False], ids=["compiled", "numpy"], autouse=True)
def way(request, monkeypatch):
    monkeypatch.setattr("canary.fields.slots.is_native", lambda: request.param)


def ints(numbers):
    return np.array(numbers, np.int64)


@given(KEYS.filter(bool), KEYS)
def test_a_set_finds_its_own_keys_alone(own, others):
    keys = ints([*others, *own])
    places = Keyset.of(ints(own)).places(keys)
    assert places.tolist() == [at for at, key in enumerate(keys.tolist()) if key in own]


@given(KEYS, KEYS, KEYS)
def test_a_set_of_sorted_parts_is_the_set_of_all_of_them(first, second, others):
    keys = ints([*others, *first, *second])
    places = Keyset.of_sorted([ints(sorted(first)), ints(sorted(second))]).places(keys)
    own = {*first, *second}
    assert places.tolist() == [at for at, key in enumerate(keys.tolist()) if key in own]


@given(KEYS, KEYS)
def test_no_slot_of_a_key_that_was_put_in_is_free(first, second):
    slots = Slots.empty(4)
    slots.put(ints(first))
    slots.put(ints(second))
    assert all(map(slots.may_hold, [*first, *second]))
    assert int(np.unpackbits(slots.taken).sum()) == len({key & 15 for key in [*first, *second]})


def test_keys_that_lie_apart_are_read_where_they_are():
    table = np.arange(60, dtype=np.int64).reshape(20, 3)
    slots = Slots.empty(8)
    slots.put(table[:, 1])
    assert slots.likely(table[:, 1]).tolist() == list(range(20))
    assert slots.likely(table[:, 2]).tolist() == []
