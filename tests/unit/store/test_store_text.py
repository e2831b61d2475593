"""Outside text made storable, URLs normalised, ids and helpers of the store."""

from __future__ import annotations

import re

import pytest

from canary.errors import UsageError
from canary.keys import Keys
from canary.store import text
from canary.store.engine import normalise
from canary.store.ids import new_id
from canary.store.rows import chunks

KEYS = Keys(bytes(32))


def test_ids_are_random_and_of_the_promised_shape() -> None:
    ids = {new_id("c-") for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(re.fullmatch(r"c-[a-z2-7]{13}", each) for each in ids)
    assert len(set("".join(ids))) == 33  # the whole alphabet and the dash


def test_what_a_database_cannot_hold_is_replaced() -> None:
    assert text.storable("运单\x00\udc80\ud800a") == "运单\ufffd\ufffd\ufffda"
    assert text.cut("a\x00" * 9, 3) == "a\ufffda"


def test_a_name_that_fits_stays_and_any_other_stays_unique() -> None:
    assert text.fit("x" * 500, 500) == "x" * 500
    long, longer, broken = (text.fit(each, 64) for each in ("x" * 65, "x" * 66, "x\x00"))
    assert len({long, longer, broken, text.fit("x\ufffd", 64)}) == 4
    assert len(long) == len(longer) == 64
    assert long.startswith("x" * 31 + "…")


@pytest.mark.parametrize("name", ["", "x" * 11, "a\x00", "\ud800"])
def test_names_are_checked(name: str) -> None:
    assert text.check_name("a name", "运单") == "运单"
    with pytest.raises(UsageError, match="a name of"):
        text.check_name("a name", name, 10)


def test_json_columns_are_ascii_and_sorted() -> None:
    assert text.dump({"b": ["运\udc80"], "a": 1}) == '{"a":1,"b":["\\u8fd0\\udc80"]}'
    assert text.load_list(text.dump(["运\udc80", "b"])) == ("运\udc80", "b")


def test_sealed_text_keeps_every_character() -> None:
    sealed = text.seal_text(KEYS, "运\udc80\x00", "place")
    assert text.unseal_text(KEYS, sealed, "place") == "运\udc80\x00"


def test_chunks_cut_any_iterable() -> None:
    assert list(chunks(iter(range(5)), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgres://u@h/d", "postgresql+psycopg"),
        ("postgresql://u@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg"),
        ("sqlite:///x.db", "sqlite+pysqlite"),
        ("sqlite+pysqlite:///x.db", "sqlite+pysqlite"),
    ],
)
def test_urls_get_their_driver(url: str, driver: str) -> None:
    assert normalise(url).drivername == driver
    assert normalise(normalise(url)) == normalise(url)
