"""Datasets and releases in the registry, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canary.errors import UsageError
from canary.model.canary import Release, ReleaseState
from canary.model.data import DatasetVersion
from canary.store import datasets, releases
from canary.store.registry import Registry

HEADINGS = ("运单号", "电话", "姓名")


def release(number: int, **changes: object) -> Release:
    made = Release(
        id=f"r-{number}", identity=f"identity {number}", dataset="waybills", version="f" * 64, recipient="core",
        kind="seed", state=ReleaseState.PENDING, input="表.csv", output="out.csv", format="csv.gz", rows_in=10,
        rows_out=12, canaries=2, marked_cells=7, sha256_in="a" * 64, sha256_out="b" * 64, created_ms=1_000 + number,
        target="postgresql://user:secret@host/db#表", derived_from=("r-1", "r-2"),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def test_dataset_versions_are_kept_once_and_found_by_headings(registry: Registry) -> None:
    old = DatasetVersion("1" * 64, "waybills", HEADINGS, "mark = 1\n", 10)
    new = DatasetVersion("2" * 64, "waybills", HEADINGS, "mark = 2\n", 20)
    other = DatasetVersion("3" * 64, "orders", HEADINGS[::-1], "", 15)
    with registry.begin() as tx:
        for each in (new, old, other, replace(old, policy="changed", created_ms=99)):
            datasets.put_version(tx, each)
    with registry.read() as tx:
        assert datasets.by_headings(tx, HEADINGS) == [new, old]
        assert datasets.by_headings(tx, list(HEADINGS[::-1])) == [other]
        assert datasets.by_headings(tx, ["x"]) == []
        assert datasets.latest(tx, "waybills") == new
        assert datasets.latest(tx, "none") is None
        assert datasets.get(tx, "1" * 64) == old
        assert datasets.get(tx, "none") is None
        assert datasets.versions(tx) == [new, other, old]
        assert datasets.versions(tx, "orders") == [other]
        assert datasets.names(tx) == ["orders", "waybills"]


@pytest.mark.parametrize("name", ["", "x" * 201, "a\x00b", "a\udc80"])
def test_a_dataset_name_that_cannot_be_stored_is_refused(registry: Registry, name: str) -> None:
    with registry.begin() as tx, pytest.raises(UsageError, match="dataset name"):
        datasets.put_version(tx, DatasetVersion("1" * 64, name, (), ""))


def test_a_release_comes_back_as_it_was_added(stocked: Registry) -> None:
    with stocked.begin() as tx:
        serial = releases.add(tx, release(7))
        assert releases.add(tx, release(8)) == serial + 1
    with stocked.read() as tx:
        assert releases.get(tx, "r-7") == release(7)
        assert releases.by_identity(tx, "identity 8") == release(8)
        assert releases.get(tx, "r-9") is None
        assert releases.by_identity(tx, "none") is None
        assert [each.id for each in releases.list_all(tx)] == ["r-1", "r-2", "r-7", "r-8"]
        assert [each.id for each in releases.list_all(tx, recipient="core")] == ["r-7", "r-8"]
        assert releases.list_all(tx, recipient="nobody") == []


def test_one_identity_is_one_release(stocked: Registry) -> None:
    with stocked.begin() as tx:
        releases.add(tx, release(7))
        with pytest.raises(UsageError, match="exists already"):
            releases.add(tx, release(8, identity="identity 7"))


def test_a_release_moves_on(stocked: Registry) -> None:
    done = release(7, state=ReleaseState.DONE, rows_out=99, ledger_index=4, target="", format="x" * 80)
    with stocked.begin() as tx:
        releases.add(tx, release(7))
        releases.set_state(tx, "r-7", ReleaseState.UNDONE)
        releases.set_ledger_index(tx, "r-7", 3)
        assert releases.get(tx, "r-7") == release(7, state=ReleaseState.UNDONE, ledger_index=3)
        releases.update_from(tx, done)
        found = releases.get(tx, "r-7")
        assert found is not None
        assert replace(found, format=done.format) == done
        assert len(found.format) == 64
        for change in (releases.set_state, releases.set_ledger_index):
            with pytest.raises(UsageError, match="no release 'r-9'"):
                change(tx, "r-9", 1 if change is releases.set_ledger_index else ReleaseState.DONE)  # type: ignore[operator]


def test_file_names_of_any_bytes_are_kept_storable(stocked: Registry) -> None:
    with stocked.begin() as tx:
        releases.add(tx, release(7, input="报表\udc80.csv", output="a\x00b"))
        found = releases.get(tx, "r-7")
    assert found is not None
    assert (found.input, found.output) == ("报表\ufffd.csv", "a\ufffdb")


def test_who_can_be_named_held_something_before(stocked: Registry) -> None:
    with stocked.read() as tx:
        assert releases.held_before(tx, 100) == frozenset()
        assert releases.held_before(tx, 101) == {"acme"}
        assert releases.held_before(tx, 201) == {"acme", "bolt"}
        assert releases.held_before(tx, None) == {"acme", "bolt"}


def test_holders_of_canaries(issued: Registry) -> None:
    with issued.read() as tx:
        assert releases.holders(tx, ["c-4", "c-1", "none"]) == [
            releases.Holding("c-1", "acme", "r-1", 100, False),
            releases.Holding("c-4", "bolt", "r-2", 200, False),
        ]
        assert releases.holders(tx, []) == []
