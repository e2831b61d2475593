"""The quick ways give what the plain ways give."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest

from canary.errors import SafetyError
from canary.fields.canonical import canonical
from canary.fields.times import TimeFormat
from canary.files.table import RowBatch
from canary.generators.clocks import EPOCH, Clock
from canary.generators.drafts import Coincidence, Draft, collides, field_of
from canary.generators.names import name_tables, pinyin
from canary.generators.phones import phone_digits
from canary.generators.safety import Owned, check_all
from canary.model.canary import CanaryField


def draft(no: str, phone: str, *, shared: bool = False) -> Draft:
    fields = (field_of("waybill_no", "no", no, 9.0), field_of("phone", "tel", phone, 9.0, shared=shared))
    home = CanaryField("name_address", "home", "王明|中山路1号", "王明|中山路1", 9.0)
    row = {"no": no, "tel": phone, "name": "王明", "home": "中山路1号"}
    return Draft(0, row, (*(each for each in fields if each), home))


def batch(kind: pa.DataType, **columns: list[str | None]) -> RowBatch:
    return RowBatch(0, pa.RecordBatch.from_pydict({k: pa.array(v, kind) for k, v in columns.items()}))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_coincidences_are_found_in_every_batch_by_what_was_prepared_once(kind):
    drafts = [
        draft("YT1", "14012345678"),
        draft("YT2", "14012345679", shared=True),
        draft("YT1", "14000000000"),
    ]
    prepared = Coincidence(drafts)
    assert set(prepared.columns) == {"no", "tel", "home"}
    nobody = {"name": ["李", None], "home": ["中山路1号", None]}
    batches = [
        (batch(kind, no=["YT9", None], tel=["14012345679", "1"], **nobody), set()),
        (batch(kind, no=["YT1", None], tel=["x", "y"], **nobody), {0, 2}),
        (batch(kind, tel=["14012345678", None], **nobody), {0}),
        (batch(kind, name=["王明"], home=["中山路1号"]), {0, 1, 2}),
    ]
    for rows, expected in batches:
        assert prepared.of(rows) == expected
        assert collides(rows, drafts) == expected


def test_given_names_are_spelt_as_the_library_spells_them():
    from pypinyin import lazy_pinyin

    names = {name for table in name_tables().given.values() for name in table.texts[::40]}
    assert len(names) > 100
    assert {name: pinyin(name) for name in names} == {name: tuple(lazy_pinyin(name)) for name in names}


@pytest.mark.parametrize("template", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S"])
@pytest.mark.parametrize("number", [0, 1_763_800_215, -86_400 * 365])
def test_times_are_written_in_their_spelling(template, number):
    spelling = TimeFormat(template)
    clock = Clock(spelling, 1_000_000)
    assert clock.write(number) == spelling.format(EPOCH + timedelta(seconds=number))
    assert clock.read(clock.write(number)) == number


@pytest.mark.parametrize(
    "text", ["13812345678", "86 138 1234 5678", "１３８１２３４５６７８", "12345678901", "x"]
)
def test_plain_mobiles_are_their_own_digits(text):
    assert phone_digits(text) == canonical("phone", text)


@pytest.mark.parametrize(
    ("role", "values"),
    [
        ("email", ["a@mail.example.org", "b@mail.example.org", "mail.example.org"]),
        ("email", ["a@mail.example.org", "b@qq.com"]),
        ("email", ["a@mail.example.org", "b@other.example"]),
        ("phone", ["14012345678", None, "13812345678"]),
        ("waybill_no", ["YT5", "YT11"]),
    ],
)
def test_one_bad_value_in_a_column_is_refused(role, values):
    owned = Owned(date(2026, 11, 22), frozenset({"mail.example.org"}), ranges={"waybill_no": (1, 10)})
    check_all(role, values[:1], owned)
    with pytest.raises(SafetyError):
        check_all(role, values, owned)
