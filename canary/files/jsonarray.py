"""A JSON array of objects: its elements found on the bytes, the formatting kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from canary.errors import OutsideError
from canary.files.blocks import Block, Cut, blocks
from canary.files.compress import Writer, opened, read_full
from canary.files.encoding import Encoding, as_units, places
from canary.files.jsontable import JsonTable
from canary.files.omit import ArrayOmitter
from canary.files.outside import reading
from canary.files.table import Insertion, TableFormat

if TYPE_CHECKING:
    from canary.files.encoding import Places, Units

_HEAD = 1 << 16
_BLANKS = b" \t\r\n"
_BEGIN = re.compile(rb"\s*\[")
_COMMA = ord(",")


@dataclass
class ArraySplitter:
    """Finds the elements of an array, the opening bracket left out; remembers when the array is closed."""

    encoding: Encoding
    path: Path
    closed: bool = field(default=False, init=False)

    def __call__(self, data: bytes, last: bool) -> Cut[None]:
        """Cut off the elements up to the last comma between them, or up to the end of the array."""
        shape = self.encoding.shape(data)
        whole = len(data) if last else len(shape) * self.encoding.unit
        if self.closed:
            return self._behind(shape, whole)
        commas, end = _boundaries(as_units(shape))
        stops = [*commas, end] if end is not None else list(commas)
        spans = list(_spans(shape, stops))
        if end is not None:
            self.closed = True
            if shape[end + 1 :].strip(_BLANKS):
                raise self._damaged("something follows the array")
        elif last:
            raise self._damaged("the array is not closed")
        done = (stops[-1] + 1) * self.encoding.unit if stops else 0
        return self._cut(spans, done if end is None else whole)

    def _cut(self, spans: list[tuple[int, int]], used: int) -> Cut[None]:
        import numpy as np

        if self.closed and spans and spans[-1][0] == spans[-1][1]:
            spans.pop()
        if any(start == stop for start, stop in spans):
            raise self._damaged("an element is missing between two commas")
        both = np.array(spans, np.int64).reshape(-1, 2) * self.encoding.unit
        return Cut(both[:, 0], both[:, 1], used, None)

    def _behind(self, shape: bytes, size: int) -> Cut[None]:
        import numpy as np

        if shape.strip(_BLANKS):
            raise self._damaged("something follows the array")
        return Cut(np.zeros(0, np.int64), np.zeros(0, np.int64), size, None)

    def _damaged(self, what: str) -> OutsideError:
        return OutsideError(f"{self.path} is no JSON array: {what}", "check the file with a JSON validator")


def _boundaries(units: Units) -> tuple[Places, int | None]:
    """Find the commas between the elements, and the bracket that closes the array."""
    import numpy as np

    quotes = _string_edges(units)
    marks = [places(units, ord(mark)) for mark in "{}[],"]
    steps = (1, -1, 1, -1, 0)
    where = np.concatenate(marks)
    step = np.concatenate(
        [np.full(len(mark), step, np.int8) for mark, step in zip(marks, steps, strict=True)]
    )
    order = np.argsort(where, kind="stable")
    where, step = where[order], step[order]
    outside = np.searchsorted(quotes, where) % 2 == 0
    where, step = where[outside], step[outside]
    depth = np.cumsum(step, dtype=np.int64)
    closing = np.flatnonzero(depth < 0)
    end = int(closing[0]) if len(closing) else len(where)
    commas = where[:end][(depth[:end] == 0) & (step[:end] == 0)]
    return commas, int(where[end]) if len(closing) else None


def _string_edges(units: Units) -> Places:
    """Find the quotes that begin or end a string, escaped ones left out."""
    import numpy as np

    quotes = places(units, ord('"'))
    run = np.zeros(len(quotes), np.int64)
    reach = quotes - 1
    going = (reach >= 0) & (units[reach] == ord("\\"))
    while going.any():
        run[going] += 1
        reach = reach - 1
        going &= (reach >= 0) & (units[np.maximum(reach, 0)] == ord("\\"))
    edges: Places = quotes[run % 2 == 0]
    return edges


def _spans(shape: bytes, stops: list[int]) -> Iterator[tuple[int, int]]:
    """Give begin and end of every element, the blanks around it left out."""
    begin = 0
    for stop in stops:
        body = shape[begin:stop]
        start = begin + len(body) - len(body.lstrip(_BLANKS))
        yield (start, begin + len(body.rstrip(_BLANKS))) if start < stop else (stop, stop)
        begin = stop + 1


@dataclass
class JsonArrayTable(JsonTable):
    """A file that holds one JSON array; `separator` is what stands between two of its objects."""

    separator: bytes = b", "

    def _blocks(self) -> Iterator[Block[None]]:
        with opened(self.path, self.format.compression) as stream:
            read_full(stream, len(self.prefix))
            yield from blocks(stream, ArraySplitter(self.encoding, self.path), self.path)

    def _render(self, block: Block[None], insertion: Insertion, place: int) -> tuple[int, bytes]:
        if place >= 0:
            return int(block.ends[place]), self.separator + self._object(insertion)
        if block.rows:
            return int(block.starts[0]), self._object(insertion) + self.separator
        return 0, self._object(insertion)

    def _omitter(self, out: Writer, numbers: Sequence[int]) -> ArrayOmitter:
        return ArrayOmitter(out, numbers)

    def learn(self) -> None:
        """Learn the separator too."""
        super().learn()
        block = next(self._blocks())
        data = self.encoding.decode(bytes(block.data))
        unit = self.encoding.unit
        if block.rows >= 2:
            self.separator = bytes(block.data[block.ends[0] : block.starts[1]])
        elif block.rows:
            lead = data[: len(self.encoding.decode(bytes(block.data[: block.starts[0] // unit * unit])))]
            self.separator = self.encoding.encode("," + (lead or " "))


def open_json_array(path: Path, compression: str | None, encoding: Encoding) -> JsonArrayTable:
    """Open a JSON array; raises OutsideError where it is none or its first elements are no objects."""
    with opened(path, compression) as stream, reading(path):
        head = read_full(stream, _HEAD)[len(encoding.bom) :]
    begin = _BEGIN.match(encoding.shape(head))
    if begin is None:
        raise OutsideError(f"{path} is no JSON array", "give an array of objects, or one object a line")
    prefix = encoding.bom + head[: begin.end() * encoding.unit]
    table = JsonArrayTable(path, TableFormat("json", compression), encoding=encoding, prefix=prefix)
    table.learn()
    return table
