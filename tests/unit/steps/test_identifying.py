"""Drafts that are somebody's in a table are found by hashes, and by nothing less than what makes them somebody's."""

from __future__ import annotations

import pyarrow as pa
import pytest

from canary.fields.spans import hashes_of
from canary.files.table import RowBatch
from canary.generators.drafts import Draft, compared, field_of
from canary.model.canary import CanaryField
from canary.steps.identifying import Alike

COLUMNS = ("no", "tel", "name", "home")


def draft(no: str, phone: str, *, shared: bool = False) -> Draft:
    fields = (field_of("waybill_no", "no", no, 9.0), field_of("phone", "tel", phone, 9.0, shared=shared))
    home = CanaryField("name_address", "home", "王明|中山路1号", "王明|中山路1", 9.0)
    row = {"no": no, "tel": phone, "name": "王明", "home": "中山路1号"}
    return Draft(0, row, (*(each for each in fields if each), home))


DRAFTS = [draft("YT1", "14012345678"), draft("YT2", "14012345679", shared=True), draft("YT1", "14000000000")]


def somebody(kind: pa.DataType, **cells: str | None) -> set[int]:
    """Give the drafts that share what must not be shared with one of two rows, the second of which is empty."""
    rows = {name: pa.array([cells.get(name, "-"), None], kind) for name in COLUMNS}
    batch = RowBatch(0, pa.RecordBatch.from_pydict(rows))
    return Alike.of(DRAFTS, COLUMNS).among({name: hashes_of(batch.spans(name)) for name in COLUMNS})


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_shared_value_is_found_and_a_shared_address_with_its_name(kind: pa.DataType) -> None:
    assert somebody(kind) == set()
    assert somebody(kind, no="YT1") == {0, 2}
    assert somebody(kind, tel="14012345678") == {0}
    assert somebody(kind, name="王明") == somebody(kind, home="中山路1号") == set()
    assert somebody(kind, name="王明", home="中山路1号") == {0, 1, 2}
    assert somebody(kind, name="李明", home="中山路1号", no="YT2") == {1}


def test_a_phone_of_the_pool_is_nobodys_wherever_it_stands() -> None:
    assert somebody(pa.string(), tel="14012345679") == set()
    assert compared(DRAFTS[0]) == {"no", "tel", "home"}
    assert compared(DRAFTS[1]) == {"no", "home"}


def test_a_missing_cell_is_no_coincidence() -> None:
    nobody = Draft(0, {"no": None, "tel": "", "name": None, "home": None}, ())
    assert Alike.of([nobody], COLUMNS).sought == {}
