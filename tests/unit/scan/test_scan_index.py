"""The index grows as canaries are issued, and its file holds the same, tells nothing and is never trusted blindly."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import canary.scan.index as index_module
from canary.keys import Keys
from canary.scan.identifiers import Rows, rows_of
from canary.scan.index import ArrayIndex, in_order
from canary.scan.indexfile import IndexFile, Stored
from tests.scanlab import KEYS, MAIL, WAYBILL

ROWS = [(5, 1, "phone", 10.0), (5, 2, "phone", 10.0), (-7, 3, "email", 40.0), (1 << 62, 4, "code", 20.0)]
MORE = [(5, 5, "phone", 12.0), (9, 5, "code", 22.0), (9, 6, "code", 22.0)]


def same(one: ArrayIndex, two: ArrayIndex) -> None:
    keys = [key for key, *_ in [*ROWS, *MORE]]
    assert one.lookup(keys) == two.lookup(keys)
    assert (one.issued, one.bits, one.owners()) == (two.issued, two.bits, two.owners())


@pytest.fixture
def file(tmp_path: Path) -> IndexFile:
    return IndexFile(tmp_path / "index", KEYS)


def test_an_index_that_grew_is_the_index_of_all() -> None:
    grown = ArrayIndex.build(ROWS).added(rows_of(MORE[:1])).added(rows_of(MORE[1:]))
    same(grown, ArrayIndex.build([*ROWS, *MORE]))
    same(grown.settled(), grown)


def test_the_bloom_filter_follows_what_is_added() -> None:
    index = ArrayIndex.build(ROWS)
    before = index.bloom().copy()
    grown = index.added(rows_of(MORE))
    assert grown.bloom() is index.bloom()
    assert (grown.bloom() != before).any()
    every = ArrayIndex.build([*ROWS, *MORE]).bloom()
    assert np.array_equal(grown.bloom(), every)


def test_threads_that_ask_at_once_are_given_the_whole_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that is not filled yet turns issued keys away."""
    index, filling, made = ArrayIndex.build(ROWS), threading.Event(), []
    real = index_module.add_to_bloom

    def slowly(words: NDArray[np.uint64], keys: NDArray[np.int64]) -> None:
        filling.set()
        made.append(len(keys))
        time.sleep(0.05)
        real(words, keys)

    monkeypatch.setattr(index_module, "add_to_bloom", slowly)
    first = threading.Thread(target=index.bloom)
    first.start()
    assert filling.wait(5)
    given = index.bloom().copy()
    first.join()
    assert np.array_equal(given, index.bloom())
    assert made == [len(ROWS), 0]


def test_many_that_are_added_are_put_in_order() -> None:
    rows = [(7 * number, number, "phone", 20.0) for number in range(20_000)]
    grown = ArrayIndex.build(rows[:10]).added(rows_of(rows[10:]))
    assert len(grown.keys) == 20_000
    assert grown.lookup([7 * 19_999]) == {7 * 19_999: [19_999]}


def test_a_file_gives_the_index_back_with_what_was_added(file: IndexFile, tmp_path: Path) -> None:
    first = Stored(ArrayIndex.build(ROWS), 4, 4, "c-4")
    file.save(first)
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o600
    second = Stored(first.index.added(rows_of(MORE)), 6, 6, "c-6")
    file.add(rows_of(MORE), first, second)
    assert stat.S_IMODE((tmp_path / "index.added").stat().st_mode) == 0o600
    file.add(rows_of(MORE), first, second)  # another process did the same
    read = file.load()
    assert read is not None
    assert (read.newest, read.issued, read.last) == (6, 6, "c-6")
    same(read.index, second.index)


def test_many_that_are_added_are_saved_anew(
    file: IndexFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canary.scan.indexfile.MOST_ADDED", 2)
    first = Stored(ArrayIndex.build(ROWS), 4, 4, "c-4")
    file.save(first)
    file.add(rows_of(MORE), first, Stored(first.index.added(rows_of(MORE)), 6, 6, "c-6"))
    assert not (tmp_path / "index.added").exists()
    read = file.load()
    assert read is not None
    same(read.index, ArrayIndex.build([*ROWS, *MORE]))


def test_a_file_that_was_changed_is_not_read(file: IndexFile, tmp_path: Path) -> None:
    assert file.load() is None
    file.save(Stored(ArrayIndex.build(ROWS), 4, 4, "c-4"))
    whole = (tmp_path / "index").read_bytes()
    for data in (whole[:-1], whole[:40] + b"x" + whole[41:], b"canary scan index 9\n" + whole[20:], b""):
        (tmp_path / "index").write_bytes(data)
        assert file.load() is None
    (tmp_path / "index").write_bytes(whole)
    assert IndexFile(tmp_path / "index", Keys(bytes(32))).load() is None
    assert file.load() is not None


def test_what_was_added_counts_up_to_where_it_is_whole(file: IndexFile, tmp_path: Path) -> None:
    first = Stored(ArrayIndex.build(ROWS), 4, 4, "c-4")
    file.save(first)
    file.add(rows_of(MORE), first, Stored(first.index.added(rows_of(MORE)), 6, 6, "c-6"))
    added = tmp_path / "index.added"
    whole = added.read_bytes()
    for data in (whole[:-1], whole[:9], b"{}\n" + whole, whole[:60] + b"x" + whole[61:]):
        added.write_bytes(data)
        read = file.load()
        assert read is not None
        assert (read.newest, read.issued, read.last) == (4, 4, "c-4")


def test_the_file_tells_no_identifier(file: IndexFile, tmp_path: Path) -> None:
    rows = [
        (int(KEYS.scan_keys(form, [text])[0]), number, form, 30.0)
        for number, (form, text) in enumerate([("email", MAIL), ("code", WAYBILL)])
    ]
    file.save(Stored(ArrayIndex.build(rows), 1, 2, "c-1"))
    data = (tmp_path / "index").read_bytes()
    assert MAIL.encode() not in data
    assert WAYBILL.encode() not in data
    assert os.listdir(tmp_path) == ["index"]  # noqa: PTH208 - names alone


def test_equal_keys_stay_in_their_order() -> None:
    rng = np.random.default_rng(5)
    wide = rng.integers(-(2**63), 2**63, 500)
    near = wide[rng.integers(0, 500, 900)] ^ rng.integers(
        0, 1 << 11, 900
    )  # some differ in their last bits alone
    for keys in (
        rng.integers(-40, 40, 500),
        wide,
        near,
        near[near < 0],
        wide[:0],
        wide[:1],
        np.array([5, -2, 9]),
    ):
        order, ordered = in_order(keys)
        assert np.array_equal(order, np.argsort(keys, kind="stable"))
        assert np.array_equal(ordered, np.sort(keys))


def test_batches_are_joined_whatever_forms_they_hold() -> None:
    whole = Rows.joined([rows_of(ROWS[:1]), rows_of([]), rows_of(ROWS[1:])])
    plain = rows_of(ROWS)
    assert whole.names == plain.names == ("code", "email", "phone")
    for one, two in zip(whole[:4], plain[:4], strict=True):
        assert np.array_equal(one, two)
    assert Rows.joined([]).names == ()
