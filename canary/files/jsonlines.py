"""JSON Lines: one object a line, every line kept to the byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.files.blocks import Block, Cut, blocks
from canary.files.compress import Writer, opened, read_full
from canary.files.encoding import Encoding, as_units, places
from canary.files.jsontable import JsonTable
from canary.files.omit import LineOmitter
from canary.files.records import LF
from canary.files.table import Insertion, TableFormat

_BLANKS = b" \t\r\n"


@dataclass
class JsonLinesTable(JsonTable):
    """A file with one JSON object a line; blank lines are no rows."""

    def _blocks(self) -> Iterator[Block[None]]:
        with opened(self.path, self.format.compression) as stream:
            read_full(stream, len(self.prefix))
            yield from blocks(stream, self._split, self.path)

    def _split(self, data: bytes, last: bool) -> Cut[None]:
        import numpy as np

        shape = self.encoding.shape(data, trails=False)
        ends = places(as_units(shape), LF) + 1
        if last and len(shape) and (not len(ends) or ends[-1] < len(shape)):
            ends = np.append(ends, len(shape))
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if len(ends) else ends
        if b"\n\n" in shape or b"\r\n\r\n" in shape or shape[:1].isspace() or b"\n " in shape:
            filled = np.array(
                [bool(shape[a:b].strip(_BLANKS)) for a, b in zip(starts, ends, strict=True)], bool
            )
            starts, ends, used = starts[filled], ends[filled], int(ends[-1])
        else:
            used = int(ends[-1]) if len(ends) else 0
        unit = self.encoding.unit
        return Cut(starts * unit, ends * unit, len(data) if last else used * unit, None)

    def _render(self, block: Block[None], insertion: Insertion, place: int) -> tuple[int, bytes]:
        offset = int(block.ends[place]) if place >= 0 else 0
        line, eol = self._object(insertion), self._line_end(block)
        before = self.encoding.shape(
            bytes(block.data[max(0, offset - self.encoding.unit) : offset]), trails=False
        )
        return offset, line + eol if before in (b"\n", b"") else eol + line

    def _omitter(self, out: Writer, numbers: Sequence[int]) -> LineOmitter:
        return LineOmitter(out, numbers, self.encoding)

    def _line_end(self, block: Block[None]) -> bytes:
        first = self.encoding.decode(block.record(0)) if block.rows else "\n"
        return self.encoding.encode("\r\n" if first.endswith("\r\n") else "\n")


def open_json_lines(path: Path, compression: str | None, encoding: Encoding) -> JsonLinesTable:
    """Open a JSON Lines file; raises OutsideError where its first lines hold no object."""
    table = JsonLinesTable(path, TableFormat("jsonl", compression), encoding=encoding, prefix=encoding.bom)
    table.learn()
    return table
