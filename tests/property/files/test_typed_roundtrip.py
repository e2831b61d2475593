"""Parquet and Arrow: schema, metadata and row groups stay, canaries take the columns' types."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.files import ArrowTable, Insertion, Sink

EPOCH = datetime(1970, 1, 1)
KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "i8": (pa.int8(), st.integers(-128, 127)),
    "u64": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "f64": (pa.float64(), st.floats(allow_nan=False)),
    "f32": (pa.float32(), st.floats(width=32, allow_nan=False)),
    "bool": (pa.bool_(), st.booleans()),
    "text": (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
    "large": (pa.large_string(), st.text("ab张", max_size=5)),
    "code": (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["x", "y", "张"])),
    "when": (pa.timestamp("us"), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))),
    "zone": (
        pa.timestamp("ms", tz="UTC"),
        st.integers(0, 10**12).map(lambda n: EPOCH + timedelta(milliseconds=n)),
    ),
    "day": (pa.date32(), st.dates(date(1900, 1, 1), date(2200, 1, 1))),
    "clock": (pa.time64("us"), st.times()),
    "money": (pa.decimal128(12, 2), st.decimals(-(10**9), 10**9, places=2).map(Decimal)),
    "span": (pa.duration("ms"), st.integers(0, 10**9).map(lambda n: timedelta(milliseconds=n))),
    "raw": (pa.binary(), st.text("ab张", min_size=1, max_size=5).map(str.encode)),
    "list": (pa.list_(pa.int64()), st.lists(st.integers(-9, 9), max_size=3)),
    "map": (
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": st.integers(0, 9), "b": st.text("xy", max_size=2)}),
    ),
}


@st.composite
def arrow_tables(draw: st.DrawFn) -> pa.Table:
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5, unique=True))
    rows = draw(st.integers(1, 12))
    arrays = []
    for name in names:
        kind, values = KINDS[name]
        column = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        arrays.append(
            pa.array(column, kind)
            if name != "code"
            else pa.array(column).cast(pa.string()).dictionary_encode()
        )
    metadata = {b"owner": "数据".encode()}
    fields = [pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata))


@st.composite
def cases(draw: st.DrawFn) -> tuple[pa.Table, list[tuple[int, int]]]:
    """A table, and copies of its own rows (source, place) that are to stand in it as canaries."""
    table = draw(arrow_tables())
    pairs = st.tuples(st.integers(0, table.num_rows), st.integers(0, table.num_rows - 1))
    return table, sorted(draw(st.lists(pairs, max_size=5)), key=lambda pair: pair[0])


def wanted(rows: list[dict[str, Any]], pairs: list[tuple[int, int]]) -> list[dict[str, Any]]:
    result = []
    for place in range(len(rows) + 1):
        result += [rows[source] for position, source in pairs if position == place]
        result += rows[place : place + 1]
    return result


@given(case=cases())
@settings(max_examples=50, deadline=None)
def test_a_row_written_as_text_becomes_the_same_row(case: tuple[pa.Table, list[tuple[int, int]]]) -> None:
    table, pairs = case
    mine = ArrowTable(table)
    mine._footer = False
    texts = [row for batch in mine.batches() for row in batch.rows.to_pylist()]
    copy = mine.rewritten([Insertion(place, texts[source]) for place, source in pairs])
    assert copy.schema.equals(table.schema, check_metadata=True)
    assert copy.to_pylist() == wanted(table.to_pylist(), pairs)


@given(
    case=cases(), group=st.integers(1, 5), codec=st.sampled_from(["snappy", "zstd", "none", "gzip"]),
    version=st.sampled_from(["1.0", "2.6"]), dictionary=st.booleans(),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_parquet(
    case: tuple[pa.Table, list[tuple[int, int]]],
    group: int,
    codec: str,
    version: str,
    dictionary: bool,
    bench: Any,
) -> None:
    table, pairs = case
    buffer = io.BytesIO()
    pq.write_table(
        table, buffer, row_group_size=group, compression=codec, version=version, use_dictionary=dictionary
    )
    mine = bench.open("t.parquet", buffer.getvalue())
    mine._footer = False
    before = pq.ParquetFile(buffer)
    texts = [row for _, row in bench.rows(mine)]
    copy, untouched = bench.rewritten(mine, [Insertion(place, texts[source]) for place, source in pairs], [])
    after = pq.ParquetFile(io.BytesIO(copy))
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert after.schema.equals(before.schema)
    assert after.read().to_pylist() == wanted(before.read().to_pylist(), pairs)
    assert pq.read_table(io.BytesIO(untouched)).to_pylist() == before.read().to_pylist()
    old, new = before.metadata, after.metadata
    assert new.num_row_groups == old.num_row_groups
    assert new.format_version == old.format_version
    places = [(group, column) for group in range(old.num_row_groups) for column in range(old.num_columns)]
    chunks = [(old.row_group(n).column(c), new.row_group(n).column(c)) for n, c in places]
    assert all(a.compression == b.compression for a, b in chunks)
    assert all(a.has_dictionary_page == b.has_dictionary_page for a, b in chunks)


@given(table=arrow_tables(), codec=st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_copy_in_memory_can_be_streamed(
    table: pa.Table, codec: bool, merge: Callable[..., list[Any]]
) -> None:
    mine = ArrowTable(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()) if codec else table)
    file = io.BytesIO()
    report = mine.rewrite([Sink(file)])
    assert pa.ipc.open_stream(file.getvalue()).read_all().equals(table)
    assert report.rows_out == (report.rows_in,)
