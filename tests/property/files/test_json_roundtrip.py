"""JSON Lines and JSON arrays: the objects come out as they went in, canaries between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from canary.files import Insertion
from tests.property.files.conftest import clear

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(['"', "\\", '\\"', "]},{", "a\nb", "\\\\", "张三", "\u2028"]),
    st.lists(st.integers(0, 9), max_size=2),
    st.dictionaries(st.sampled_from("xy"), st.text(']}{[,"\\', max_size=3), max_size=2),
)
ROWS = st.lists(
    st.fixed_dictionaries({"k": VALUES}, optional={"b,": VALUES, "名": VALUES}), min_size=1, max_size=10
)
SIZES = st.sampled_from([1, 7, 1 << 20])
CODECS = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])
NEW = {"k": "金丝雀", "b,": "]},", "名": '"\\'}


def text_of(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


@given(
    rows=ROWS, data=st.data(), size=SIZES, codec=CODECS, compact=st.booleans(), ascii_only=st.booleans(),
    eol=st.sampled_from(["\n", "\r\n", "\n\n"]), final=st.booleans(),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_lines(
    rows: list[dict[str, object]], data: st.DataObject, size: int, codec: str, compact: bool, ascii_only: bool,
    eol: str, final: bool, bench: Any, merge: Callable[..., list[Any]],
) -> None:  # fmt: skip
    places = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    separators = (",", ":") if compact else (", ", ": ")
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    text = eol.join(lines) + (eol if final else "")
    assume(clear(text, codec))
    with bench.chunks(size):
        table = bench.open("t.jsonl", text.encode(codec))
        table._footer = False
        columns = bench.rows(table)
        assert [n for n, _ in columns] == list(range(len(rows)))
        assert {key for row in rows for key in row} == set(table.headings)
        insertions = [Insertion(place, {key: NEW[key] for key in table.headings}) for place in places]
        copy, untouched = bench.rewritten(table, insertions, [])
    assert untouched == text.encode(codec)
    codec = table.encoding.name if codec == "gb18030" else codec  # pure ASCII counts as UTF-8
    again = [json.loads(line) for line in copy.decode(codec).split("\n") if line.strip()]
    assert again == merge(rows, insertions)
    for (_, got), row in zip(columns, rows, strict=True):
        for key in table.headings:
            value = row.get(key)
            if value is None or isinstance(value, str):
                assert got[key] == value
            else:
                assert json.loads(got[key]) == value


@given(
    rows=ROWS, data=st.data(), size=SIZES, codec=CODECS, indent=st.sampled_from([None, 0, 1, 4]),
    lead=st.sampled_from(["", " ", "\n"]), tail=st.sampled_from(["", "\n", " \r\n"]),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_arrays(
    rows: list[dict[str, object]], data: st.DataObject, size: int, codec: str, indent: int | None,
    lead: str, tail: str, bench: Any, merge: Callable[..., list[Any]],
) -> None:  # fmt: skip
    places = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    text = lead + json.dumps(rows, ensure_ascii=False, indent=indent) + tail
    assume(clear(text, codec))
    with bench.chunks(size):
        table = bench.open("t.json", text.encode(codec))
        table._footer = False
        insertions = [Insertion(place, {key: NEW[key] for key in table.headings}) for place in places]
        assert [n for n, _ in bench.rows(table)] == list(range(len(rows)))
        copy, untouched = bench.rewritten(table, insertions, [])
    assert untouched == text.encode(codec)
    codec = table.encoding.name if codec == "gb18030" else codec  # pure ASCII counts as UTF-8
    assert json.loads(copy.decode(codec)) == merge(rows, insertions)
    simple = all(isinstance(value, str) for row in rows for value in row.values())
    if simple and all(row.keys() == rows[0].keys() for row in rows):
        wanted = [{key: row[key] for key in table.headings} for row in merge(rows, insertions)]
        assert copy.decode(codec) == lead + json.dumps(wanted, ensure_ascii=False, indent=indent) + tail
