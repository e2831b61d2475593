"""Row filters: nothing that was added is missed, other values pass rarely, and without its key it says nothing."""

import numpy as np
import pytest

from canary.fingerprint.filters import BITS, RowFilter, filter_key

RNG = np.random.default_rng(3)
MINE = RNG.integers(0, 2**63, 20_000).astype(np.uint64)
OTHERS = RNG.integers(0, 2**63, 20_000).astype(np.uint64)


def made(key=b"k" * 16, values=MINE, anchor=1):
    filter_ = RowFilter.empty(key, len(values))
    filter_.add(values, anchor, np.ones(len(values), np.bool_))
    return filter_


def test_every_added_value_passes_and_few_others_do():
    filter_ = made()
    assert filter_.holds(MINE, 1).all()
    assert filter_.holds(OTHERS, 1).mean() == pytest.approx(filter_.chance, abs=0.004)
    assert 0.02 < filter_.chance < 0.03
    assert len(filter_.bits) == len(MINE) * BITS // 8


def test_the_same_value_under_another_anchor_or_key_is_another_value():
    assert made().holds(MINE, 0).mean() < 0.035
    assert RowFilter(b"l" * 16, made().bits).holds(MINE, 1).mean() < 0.035


def test_what_is_not_chosen_is_not_added():
    filter_ = RowFilter.empty(b"k" * 16, len(MINE))
    filter_.add(MINE, 1, np.arange(len(MINE)) < 100)
    assert filter_.holds(MINE[:100], 1).all()
    assert filter_.holds(MINE[100:], 1).sum() == 0


def test_filters_of_the_same_rows_have_nothing_in_common():
    one, other = (made(filter_key(b"s" * 32, "v", sha)) for sha in ("a", "b"))
    bits = np.unpackbits(one.bits).astype(float), np.unpackbits(other.bits).astype(float)
    assert abs(np.corrcoef(*bits)[0, 1]) < 0.02
    assert filter_key(b"s" * 32, "v", "a") != filter_key(b"s" * 32, "w", "a")


def test_an_empty_filter_holds_nothing():
    assert RowFilter.empty(b"k" * 16, 0).holds(MINE, 1).sum() == 0
    assert repr(made()) == "RowFilter()"


def test_the_interpreted_kernels_do_the_same(monkeypatch):
    from canary.fingerprint import filters

    some = MINE[:300]
    compiled = made(values=some).bits
    monkeypatch.setattr(filters, "_set", filters._set_plain)
    monkeypatch.setattr(filters, "_look", filters._look_plain)
    plain = made(values=some)
    assert (plain.bits == compiled).all()
    assert plain.holds(some, 1).all()
