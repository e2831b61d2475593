"""Rows copied out of a block stay what they were, alone and joined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from canary.files import blocks, csvfile, open_table
from canary.files.cellrows import CellRows, aside, together

ROWS = [
    [str(number), f"王{number}", 'say ""hi"", twice' if number % 3 else "", "x" * (number % 50)]
    for number in range(90)
]


@pytest.fixture
def batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[CellRows]:
    monkeypatch.setattr(csvfile, "LARGE", 0)
    monkeypatch.setattr(blocks, "CHUNK", 700)
    lines = [
        f'{no},{name},"{note}",{tail}' if note else f"{no},{name},,{tail}" for no, name, note, tail in ROWS
    ]
    (tmp_path / "t.csv").write_text("\n".join(["no,name,note,tail", *lines, ""]))
    found = [batch.rows for batch in open_table(tmp_path / "t.csv").batches()]
    assert len(found) > 3
    assert all(isinstance(each, CellRows) for each in found)
    return [each for each in found if isinstance(each, CellRows)]


def plain(rows: list[list[str]]) -> list[dict[str, str]]:
    names = ("no", "name", "note", "tail")
    return [{**dict(zip(names, row, strict=True)), "note": row[2].replace('""', '"')} for row in rows]


def test_some_rows_of_each_block_joined_are_those_rows(batches: list[CellRows]) -> None:
    rng, first, parts, wanted = np.random.default_rng(1), 0, [], []
    for rows in batches:
        some = np.sort(rng.choice(rows.num_rows, max(1, rows.num_rows // 3), replace=False))
        parts.append(aside(rows, some))
        wanted += [ROWS[first + at] for at in some.tolist()]
        first += rows.num_rows
    assert first == len(ROWS)
    whole = together(parts)
    assert isinstance(whole, CellRows)
    assert whole.to_pylist() == plain(wanted)
    assert whole.take([3, 0]).to_pylist() == plain([wanted[3], wanted[0]])
    assert all(
        part.cells.data.nbytes < rows.cells.data.nbytes for part, rows in zip(parts, batches, strict=True)
    )


def test_rows_of_a_record_batch_join_those_of_a_block(batches: list[CellRows]) -> None:
    first = aside(batches[0], np.array([0, 1]))
    second = aside(pa.RecordBatch.from_pylist(batches[0].to_pylist()[2:5]), np.array([0, 2]))
    joined = together([first, second])
    assert joined.take([0, 1, 2, 3]).to_pylist() == plain([ROWS[at] for at in (0, 1, 2, 4)])
