"""Cells of CSV found 64 bytes at a time: the same as byte by byte, whatever the bytes are."""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from canary.files import csvkernel
from canary.files.csvkernel import NO_QUOTE, Cells, find_cells

PIECES = st.sampled_from([
    b"a", b"bc", b",", b",", b";", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\0", "é".encode(), "中文".encode(),
    b"x" * 40, b'"' + b"y," * 40 + b'"', b'"q\n"', b'"o""o"',
])  # fmt: skip
WANTED = st.lists(st.integers(0, 5), unique=True, max_size=4).map(sorted)


def places(
    find: object, data: bytes, delimiter: int, quote: int, last: bool, wanted: list[int]
) -> list[object]:
    room = len(data) + 1
    starts, ends, widths = (np.zeros(room, np.int32) for _ in range(3))
    found, used = np.zeros((room, len(wanted), 2), np.int32), np.zeros(1, np.int32)
    flat, columns = np.frombuffer(data, np.uint8), np.array(wanted, np.int64)
    count = find(flat, delimiter, quote, last, columns, starts, ends, widths, found, used)  # type: ignore[operator]
    return [int(count), int(used[0]), *(each[:count].tolist() for each in (starts, ends, widths, found))]


@given(
    st.lists(PIECES, max_size=60).map(b"".join),
    st.sampled_from(b",;"),
    st.sampled_from([34, NO_QUOTE]),
    st.booleans(),
    WANTED,
)
@example(b"a,b\r", 44, 34, False, [0])
@example(b"x" * 63 + b"\r\n" + b"y" * 70, 44, 34, True, [0])
@example(b'a"b,"c\n",d\n' + b"x" * 60 + b',"\n"\n', 44, 34, True, [])
@example(b"a\0b,c\n", 44, NO_QUOTE, True, [0, 1])
def test_wide_finds_what_byte_by_byte_finds(
    data: bytes, delimiter: int, quote: int, last: bool, wanted: list[int]
) -> None:
    plain = places(csvkernel._scan, data, delimiter, quote, last, wanted)
    assert places(csvkernel.scan_natively, data, delimiter, quote, last, wanted) == plain


@given(st.lists(PIECES, max_size=40).map(b"".join), st.booleans())
def test_cells_are_copied_alike(data: bytes, quoted: bool) -> None:
    cells, _ = find_cells(np.frombuffer(data, np.uint8), ",", '"' if quoted else None, (0, 1), last=True)
    rows = cells.rows(2)
    for place in range(2):
        assert cells.column(place, rows).cast("binary") == plainly(cells, place, rows.tolist())


def plainly(cells: Cells, place: int, rows: list[int]) -> object:
    import pyarrow as pa

    out = np.zeros(len(cells.data) + csvkernel.SLACK, np.uint8)
    offsets = np.zeros(len(rows) + 1, np.int32)
    csvkernel._gather(cells.data, cells.found, place, np.array(rows, np.int64), cells.quote, out, offsets)
    flat = out.tobytes()
    texts = [flat[offsets[at] : offsets[at + 1]] for at in range(len(rows))]
    return pa.array(texts, pa.binary())


@given(st.lists(PIECES, max_size=40).map(b"".join), st.booleans(), st.data())
def test_edited_records_are_written_alike(data: bytes, quoted: bool, draw: st.DataObject) -> None:
    import pyarrow as pa

    cells, _ = find_cells(np.frombuffer(data, np.uint8), ",", '"' if quoted else None, (0, 1), last=True)
    rows = cells.rows(2)
    flags = st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))
    texts = st.lists(st.sampled_from(["", "1", 'a"b', "x,y", "z" * 70, "\n", "中"]), min_size=len(rows),
                     max_size=len(rows))  # fmt: skip
    columns = [pa.array(draw.draw(texts), pa.string()) for _ in range(2)]
    changed = np.array([draw.draw(flags) for _ in range(2)], np.bool_).reshape(2, len(rows)).T.copy()
    keep = draw.draw(st.none() | flags.map(lambda one: np.array(one, np.bool_)))
    made = []
    for native in (True, False):
        with mock.patch.object(csvkernel, "is_native", return_value=native):
            written = csvkernel.write_cells(cells, rows, keep, changed, columns)
        made.append(None if written is None else (bytes(written[0]), written[1].tolist()))
    assert made[0] == made[1]
    told = [text for at, column in enumerate(columns) for text, one in zip(column.to_pylist(), changed[:, at].tolist(),
                                                                           strict=True) if one]  # fmt: skip
    assert quoted or made[0] is not None or any(set(text) & set(',\n"') for text in told)
