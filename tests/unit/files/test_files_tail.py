"""A block's unfinished last record is written once: with the next block, and not behind the edited rows too."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from canary.files.csvkernel import find_cells, write_cells


@pytest.mark.parametrize("cut", range(12, 23))
def test_what_a_block_breaks_off_is_not_written_with_it(cut: int) -> None:
    data = np.frombuffer(b"a,1\r\nb,2\r\nc,3\r\nlong,44\r\n"[:cut], np.uint8)
    cells, used = find_cells(data, ",", '"', (1,), last=False)
    count = len(cells.starts)
    changed = np.zeros((count, 1), np.bool_)
    changed[0] = True
    texts = pa.array(["9"] * count, pa.string())
    written = write_cells(cells, np.arange(count), None, changed, [texts])
    assert written is not None
    made, ends = written
    assert bytes(made) == b"a,9\r\nb,2\r\nc,3\r\n"[:used]
    assert ends[-1] == used
