"""Compressions of one stream, told by their first bytes and opened as they are read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, cast

from canary.scan.budget import Metered, Refused, Rewound, Spent
from canary.scan.inflated import Inflated, arrow
from canary.scan.parts import Place

LAYERS: Final = 6  # compressions of compressions
Unpack = Callable[[BinaryIO], BinaryIO]


def _gzip(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream))


def _bzip2(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, bz2.BZ2File(stream))


def _xz(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, lzma.LZMAFile(stream))


def _zlib(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, Inflated(stream, zlib.MAX_WBITS))


COMPRESSED: Final[tuple[tuple[bytes, Unpack], ...]] = (
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bzip2),
    (b"\xfd7zXZ\0", _xz),
    (b"\x5d\0\0\x80\0", _xz),  # an .lzma file of the usual dictionary size
    (b"\x28\xb5\x2f\xfd", arrow("zstd")),
    (b"\x04\x22\x4d\x18", arrow("lz4")),
    (b"\x78\x01", _zlib),
    (b"\x78\x9c", _zlib),
    (b"\x78\xda", _zlib),
)
CODINGS: Final[dict[str, Unpack]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": lambda stream: cast(BinaryIO, Inflated(stream, None)),
    "br": arrow("brotli"),
    "zstd": arrow("zstd"),
}  # of the bodies of HTTP


def compression_of(head: bytes) -> Unpack | None:
    """Choose what opens a compressed stream, None where it is none."""
    return next((unpack for magic, unpack in COMPRESSED if head.startswith(magic)), None)


def unpacked(unpack: Unpack, head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> BinaryIO:
    """Open a compressed stream within the budget; Refused where too many lie around each other."""
    if place.layers >= LAYERS:
        raise Refused(f"compressed more than {LAYERS} times")
    inner = unpack(cast(BinaryIO, Rewound(head, stream)))
    return cast(BinaryIO, Metered(inner, spent, place.packed))
