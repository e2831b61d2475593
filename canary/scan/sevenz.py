"""7z archives: the header is read by hand, the members are decompressed as they are read.

The format is that of 7zFormat.txt in the public-domain LZMA SDK. Numbers are little-endian.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

from canary.scan.budget import Refused
from canary.scan.inflated import Inflated, arrow
from canary.scan.limited import Limited
from canary.scan.sevenheader import ENCODED, Folder, Header, contents_of, kind_of, streams_of

MAGIC: Final = b"7z\xbc\xaf\x27\x1c"
STEP: Final = 1 << 16
MOST_HEADER: Final = 64 << 20  # bytes of a header
HELD_BACK: Final = 4  # bytes a filter for programs keeps when it is not told that the end has come
MOST_DICTIONARY: Final = 1 << 30  # bytes an archive may ask the decoder to hold

_LZMA: Final = {"lzma": lzma.FILTER_LZMA1, "lzma2": lzma.FILTER_LZMA2, "delta": lzma.FILTER_DELTA}
_METHODS: Final = {
    b"\0": "copy", b"\x21": "lzma2", b"\3\1\1": "lzma", b"\3": "delta", b"\4\1\x08": "deflate", b"\4\2\2": "bzip2",
    b"\4": "x86", b"\3\3\1\3": "x86", b"\3\3\2\5": "powerpc", b"\3\3\4\1": "ia64", b"\3\3\5\1": "arm",
    b"\4\xf7\x11\1": "zstd", b"\3\3\7\1": "armthumb", b"\3\3\x08\5": "sparc", b"\6\xf1\7\1": "encrypted",
}  # fmt: skip
_BRANCHES: Final = {
    "x86": lzma.FILTER_X86, "powerpc": lzma.FILTER_POWERPC, "ia64": lzma.FILTER_IA64, "arm": lzma.FILTER_ARM,
    "armthumb": lzma.FILTER_ARMTHUMB, "sparc": lzma.FILTER_SPARC,
}  # fmt: skip


def members(
    stream: BinaryIO, packed: int, guard: Callable[[BinaryIO, int], BinaryIO]
) -> Iterator[tuple[str, int, BinaryIO]]:
    """Give the members of an archive that can be sought in: name, bytes packed, stream.

    Those of one folder follow each other in one stream, which `guard` watches over, told how many bytes are behind it:
    each is read before the next is asked for, what is left of it is skipped. `packed` is the size of the archive.
    The stream of a member that cannot be opened raises Refused.
    """
    offset, sizes, folders, names = contents_of(_header(stream))
    number = at = 0
    place = 32 + offset
    for folder in folders:
        size = min(sum(sizes[at : at + folder.packed]), packed)
        opened: BinaryIO | None = None
        for length in folder.members:
            if opened is None:
                opened = guard(_opened(stream, folder, place, sizes[at] if at < len(sizes) else 0), size)
            part = Limited(opened, length)
            yield names[number] if number < len(names) else f"member {number + 1}", size, cast(BinaryIO, part)
            opened = _behind(part, opened)
            number += 1
        place += size
        at += folder.packed


def _behind(part: Limited, opened: BinaryIO) -> BinaryIO:
    """Give the stream behind a member, which cannot be read on where the member breaks off."""
    try:
        part.skip()
    except Refused as error:
        return _failing(str(error))
    except Exception:  # whatever a hostile file makes a library raise
        return _failing("stands behind a broken member in one stream")
    return opened


def _header(stream: BinaryIO) -> Header:
    stream.seek(0)
    start = stream.read(32)
    if len(start) < 32 or zlib.crc32(start[12:32]) != int.from_bytes(start[8:12], "little"):
        raise ValueError("the start of the 7z archive is damaged")
    offset, size, crc = struct.unpack("<QQI", start[12:32])
    if size > MOST_HEADER or offset > 1 << 62:
        raise Refused(f"a header longer than {MOST_HEADER} bytes")
    stream.seek(32 + offset)
    data = stream.read(size)
    if len(data) < size or zlib.crc32(data) != crc:
        raise ValueError("the header of the 7z archive is cut off or damaged")
    header = Header(data)
    for _ in range(4):
        if kind_of(header) != ENCODED:
            return header
        header = _unpacked_header(stream, header)
    raise ValueError("the header is packed too often")


def _unpacked_header(stream: BinaryIO, header: Header) -> Header:
    place, sizes, folders = streams_of(header)
    if not folders or not sizes or folders[0].size > MOST_HEADER:
        raise ValueError("the packed header is damaged")
    return Header(Limited(_opened(stream, folders[0], 32 + place, sizes[0]), folders[0].size).read())


def _opened(stream: BinaryIO, folder: Folder, place: int, size: int) -> BinaryIO:
    """Open what a folder holds, decompressed as it is read."""
    try:
        return _decoded(stream, folder, place, size)
    except Refused as error:
        return _failing(str(error))
    except (lzma.LZMAError, ValueError, IndexError):
        return _failing("the properties of its method are damaged")


def _decoded(stream: BinaryIO, folder: Folder, place: int, size: int) -> BinaryIO:
    names = [_METHODS.get(method, "") for method, _ in folder.coders]
    if "encrypted" in names:
        return _failing("encrypted")
    if not folder.simple or not all(names):
        shown = ", ".join(method.hex() for method, _ in folder.coders)
        return _failing(f"packed by a method that cannot be opened ({shown})")
    opened: Any = Span(stream, place, size)
    kinds = list(zip(names, (given for _, given in folder.coders), folder.sizes, strict=True))
    while kinds:
        name, given, length = kinds.pop(0)
        if name == "bzip2":
            opened = bz2.BZ2File(opened)
        elif name == "deflate":
            opened = Inflated(opened, -zlib.MAX_WBITS)
        elif name == "zstd":
            opened = arrow("zstd")(opened)
        elif name != "copy":
            filters = [_filter(name, given)]
            while kinds and kinds[0][0] in ("delta", *_BRANCHES):
                name, given, length = kinds.pop(0)
                filters.insert(0, _filter(name, given))
            if filters[-1]["id"] not in (lzma.FILTER_LZMA1, lzma.FILTER_LZMA2):
                return _failing("filtered without a compression")
            opened = Raw(opened, filters, length)
    return cast(BinaryIO, opened)


def _filter(name: str, given: bytes) -> dict[str, Any]:
    """Translate the properties of a coder; they may ask for at most a gigabyte of memory."""
    if name == "lzma":
        first, dictionary = given[0], int.from_bytes(given[1:5], "little")
        rest, literal = divmod(first, 9)
        found = {"dict_size": max(dictionary, 4096), "lc": literal, "lp": rest % 5, "pb": rest // 5}
    elif name == "lzma2":
        bits = given[0] & 63
        found = {"dict_size": max(4096, (2 | bits & 1) << (bits // 2 + 11)) if bits < 40 else 1 << 32}
    elif name == "delta":
        found = {"dist": given[0] + 1 if given else 1}
    else:
        return {"id": _BRANCHES[name]}
    if found.get("dict_size", 0) > MOST_DICTIONARY:
        raise Refused(f"needs more than {MOST_DICTIONARY} bytes of memory")
    return {"id": _LZMA[name], **found}


def _failing(reason: str) -> BinaryIO:
    return cast(BinaryIO, Failing(reason))


class Span(io.RawIOBase):
    """A stretch of a file, which others read and seek in meanwhile."""

    def __init__(self, stream: BinaryIO, place: int, size: int) -> None:
        self._stream, self._place, self._left = stream, place, size

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on within the stretch."""
        size = self._left if size is None or size < 0 else min(size, self._left)
        self._stream.seek(self._place)
        data = self._stream.read(size)
        self._place += len(data)
        self._left -= len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Read on into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Raw(io.RawIOBase):
    """A stream packed by LZMA with filters and no frame; it has no end of its own, so its length is told."""

    def __init__(self, stream: BinaryIO, filters: list[dict[str, Any]], size: int) -> None:
        self._stream, self._left = stream, size
        self._engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on, at most `size` bytes; raises EOFError where the packed bytes end early."""
        size = self._left if size is None or size < 0 else min(size, self._left)
        while size:
            packed = self._stream.read(STEP) if self._engine.needs_input else b""
            if self._engine.eof or (not packed and self._engine.needs_input):
                if self._left <= HELD_BACK:
                    return b""
                raise EOFError("the packed bytes end early")
            data = self._engine.decompress(packed, size)
            self._left -= len(data)
            if data:
                return data
        return b""


class Failing(io.RawIOBase):
    """A stream that cannot be read, with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def readable(self) -> bool:
        """Tell that it is a stream."""
        return True

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - none can be read
        """Raise Refused."""
        raise Refused(self._reason)
