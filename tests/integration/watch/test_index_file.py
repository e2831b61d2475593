"""The index of a registry is made once, follows what is issued, and is made anew where its file does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from canary.scan.index import ArrayIndex
from canary.steps.index import file_of, issued_index
from canary.steps.lookout import Lookout
from canary.store import canaries as store
from canary.store.registry import Registry
from tests.watch_tools import plant


def opened(registry: Registry, folder: Path) -> ArrayIndex:
    with registry.read() as tx:
        return issued_index(tx, file_of(registry, folder)).index


def whole(registry: Registry) -> ArrayIndex:
    with registry.read() as tx:
        return ArrayIndex.build(store.scan_rows(tx))


def same(one: ArrayIndex, two: ArrayIndex) -> None:
    assert (one.issued, one.owners()) == (two.issued, two.owners())
    assert one.bits == pytest.approx(two.bits)
    assert one.lookup(two.keys.tolist()) == two.lookup(two.keys.tolist())


def test_an_index_follows_what_is_issued(registry: Registry, tmp_path: Path) -> None:
    plant(registry, 4, phones=2)
    same(opened(registry, tmp_path), whole(registry))
    (file,) = tmp_path.glob("scan-index-*")
    written = file.read_bytes()
    plant(registry, 3, "bolt", 4)
    same(opened(registry, tmp_path), whole(registry))
    assert file.read_bytes() == written  # what came since stands behind it
    assert file.with_name(file.name + ".added").exists()
    same(opened(registry, tmp_path), whole(registry))


def test_a_lookout_goes_on_from_the_index_it_holds(registry: Registry, tmp_path: Path) -> None:
    plant(registry, 2)
    lookout = Lookout(registry, tmp_path)
    first, _ = lookout.index()
    assert lookout.index()[0] is first
    plant(registry, 2, "bolt", 2)
    second, known = lookout.index()
    same(second, whole(registry))
    assert second.keys is first.keys
    assert known.issued == 4


def test_a_file_that_does_not_fit_is_made_anew(registry: Registry, tmp_path: Path) -> None:
    plant(registry, 3)
    opened(registry, tmp_path)
    (file,) = tmp_path.glob("scan-index-*")
    file.write_bytes(b"something else")
    same(opened(registry, tmp_path), whole(registry))
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    same(opened(registry, tmp_path / "nowhere"), whole(registry))  # a folder that cannot be written to


def test_canaries_of_a_registry_that_was_put_back_are_not_taken_for_those_before(
    registry: Registry, tmp_path: Path
) -> None:
    plant(registry, 3)
    lookout = Lookout(registry, tmp_path)
    lookout.index()
    with registry.begin() as tx:  # a backup of before is put back, and as many are issued again
        for table in ("placements", "identifiers", "canaries"):
            tx.conn.execute(text(f"DELETE FROM {table}"))
    plant(registry, 3, "bolt", 7)
    same(opened(registry, tmp_path), whole(registry))
    same(lookout.index()[0], whole(registry))
