"""Rows left out of a copy: their bytes go, with the separators that joined them; all other bytes stay."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from canary.errors import UsageError
from canary.files.blocks import Block
from canary.files.compress import Writer
from canary.files.encoding import Encoding
from canary.files.sqlgrammar import Grammar

_HELD: Final = 4  # bytes of the longest line end: \r\n in UTF-16
_LINE_ENDS: Final = ("\r\n", "\n", "\r")


def check_numbers(numbers: Sequence[int]) -> None:
    """Refuse row numbers that do not rise from 0 on."""
    if any(later <= earlier for earlier, later in zip((-1, *numbers), numbers, strict=False)):
        raise UsageError(
            "the numbers of the rows to leave out do not rise", "sort them and give each once, from 0"
        )


class Numbers:
    """Rising row numbers, taken block by block."""

    def __init__(self, numbers: Sequence[int]) -> None:
        check_numbers(numbers)
        self._numbers, self._at = numbers, 0

    def within(self, first: int, rows: int) -> list[int]:
        """Give, as places in it, the numbers that fall into a block; blocks come in their order."""
        start = self._at
        while self._at < len(self._numbers) and self._numbers[self._at] < first + rows:
            self._at += 1
        return [number - first for number in self._numbers[start : self._at]]


class LineOmitter:
    """Leaves out records that hold their own line end; a file whose last line has none keeps it so."""

    def __init__(self, out: Writer, numbers: Sequence[int], encoding: Encoding) -> None:
        self._out, self._numbers = out, Numbers(numbers)
        self._ends = tuple(text.encode(encoding.name) for text in _LINE_ENDS)
        self._held, self._bare = b"", False

    def text(self, data: bytes | memoryview) -> None:
        """Write bytes that are no rows; the last few wait for what follows."""
        if not len(data):
            return
        self._bare = False
        if len(data) > _HELD:
            self._out.write(self._held)
            self._out.write(data[:-_HELD])
            self._held = bytes(data[-_HELD:])
            return
        both = self._held + data
        self._out.write(both[:-_HELD])
        self._held = both[-_HELD:]

    def block(self, block: Block[Any]) -> None:
        """Write a block without the rows that are to be left out."""
        at = 0
        for place in self._numbers.within(block.first, block.rows):
            self.text(block.data[at : int(block.starts[place])])
            at = int(block.ends[place])
            self._bare = not bytes(block.data[max(0, at - _HELD) : at]).endswith(self._ends)
        self.text(block.data[at:])

    def close(self) -> None:
        """Write what waited; the line end before a last line that had none goes with it."""
        if self._bare:
            end = next((end for end in self._ends if self._held.endswith(end)), b"")
            self._held = self._held[: len(self._held) - len(end)]
        self._out.write(self._held)


class ChainOmitter:
    """Leaves out records that separators join into chains; a chain has a head before, and a rest behind."""

    def __init__(self, out: Writer, numbers: Sequence[int]) -> None:
        self._out, self._numbers = out, Numbers(numbers)
        self._begun = -1  # where the chain begins (bytes of the whole stream)
        self._filled = False  # whether a record of the chain was written
        self._head, self._gap = b"", b""  # not yet written: the chain's head, what follows the last record
        self._done = self._base = 0  # where the last record, and the block, end or begin

    def begun(self, _block: Block[Any], _place: int) -> int:
        """Give where the chain of a record begins."""
        return 0

    @abstractmethod
    def empty(self, head: bytes, rest: bytes) -> bytes:
        """Give what stays of a chain none of whose records does."""

    def block(self, block: Block[Any]) -> None:
        """Write a block without the rows that are to be left out."""
        gone = set(self._numbers.within(block.first, block.rows))
        data, at = block.data, 0
        if not gone and block.rows and self._filled:
            self._out.write(self._gap)
            at = int(block.ends[-1])
            self._out.write(data[:at])
            self._gap, self._begun = b"", self.begun(block, block.rows - 1)
        else:
            for place in range(block.rows):
                start, end = int(block.starts[place]), int(block.ends[place])
                self._lead(self._gap + bytes(data[at:start]), self.begun(block, place))
                if place not in gone:
                    self._write(data[start:end])
                self._gap, at = b"", end
                self._done = self._base + end
        self._gap += bytes(data[at:])
        self._done = self._base + at if at else self._done
        self._base += len(data)

    def _lead(self, gap: bytes, begun: int) -> None:
        """Take what stands before a record: a separator, or the end of one chain and the head of the next."""
        if begun == self._begun:
            self._gap = gap
            return
        cut = begun - self._done
        self._end(gap[:cut])
        self._begun, self._filled = begun, False
        self._head, self._gap = gap[cut:], b""

    def _write(self, record: bytes | memoryview) -> None:
        self._out.write(self._gap if self._filled else self._head)
        self._out.write(record)
        self._filled = True

    def _end(self, rest: bytes) -> None:
        whole = self._filled or self._begun < 0
        self._out.write(rest if whole else self.empty(self._head, rest))

    def settle(self, opened: int | None) -> None:
        """End the chain where the text went on: `opened` is where the chain that is being read begins, if any."""
        if opened is not None and opened == self._begun:
            return
        cut = (self._base if opened is None else opened) - self._done
        self._end(self._gap[:cut])
        self._begun, self._head, self._gap = -1, b"", self._gap[cut:]
        self._done += cut

    def close(self) -> None:
        """Write what stands behind the last record."""
        self._end(self._gap)


class ArrayOmitter(ChainOmitter):
    """Leaves objects out of one JSON array."""

    def empty(self, head: bytes, rest: bytes) -> bytes:
        """Keep the brackets."""
        return head + rest


class TupleOmitter(ChainOmitter):
    """Leaves tuples out of INSERT statements, and lines out of COPY; an INSERT without tuples goes whole."""

    def __init__(self, out: Writer, numbers: Sequence[int], encoding: Encoding, grammar: Grammar) -> None:
        super().__init__(out, numbers)
        self._encoding, self._grammar = encoding, grammar

    def begun(self, block: Block[Any], place: int) -> int:
        """Give where the statement of a row begins."""
        return int(block.extra[place].begun)

    def empty(self, head: bytes, rest: bytes) -> bytes:
        """Drop an INSERT with the end of its line; a COPY may be empty."""
        if self._grammar.insert.match(self._encoding.shape(head) + b"(") is None:
            return head + rest
        shape = self._encoding.shape(rest)
        found = self._grammar.rest.match(shape)
        behind = found.end() if found else len(shape)
        line = self._grammar.line.match(shape, behind)
        return rest[(line.end() if line else behind) * self._encoding.unit :]
