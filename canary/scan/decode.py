"""Bytes → text: UTF-8, UTF-16 and GB18030, told apart by their look; never fails."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SNIFFED = 65536
CHUNK = 1 << 20

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_ERRORS = {"utf-16-le": "surrogatepass", "utf-16-be": "surrogatepass", "utf-32-le": "replace"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a part and the length of its byte order mark."""

    name: str
    bom: int = 0

    @property
    def errors(self) -> str:
        """How undecodable bytes are kept, so that offsets can be computed from the text."""
        return _ERRORS.get(self.name, "surrogateescape")

    def size(self, text: str) -> int:
        """Give the number of bytes a decoded text came from."""
        if text.isascii() and self.name in ("utf-8", "gb18030"):
            return len(text)
        return len(text.encode(self.name, self.errors if self.errors != "replace" else "surrogatepass"))


def detect_encoding(head: bytes) -> Encoding:
    """Tell the encoding from the first bytes: a byte order mark, else NUL density, else what decodes."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Encoding(name, len(bom))
    if b"\0" in head:
        wide = _wide(head)
        if wide:
            return Encoding(wide)
    if _decodes(head, "utf-8") or not _decodes(head, "gb18030"):
        return Encoding("utf-8")
    return Encoding("gb18030")


def _wide(head: bytes) -> str | None:
    """Tell UTF-16 without byte order mark: ASCII in it has a NUL in every other place."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > 0.04 * half and even * 8 < odd:
        return "utf-16-le"
    if even > 0.04 * half and odd * 8 < even:
        return "utf-16-be"
    return None


def _decodes(head: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)("strict").decode(head, final=False)
    except UnicodeDecodeError:
        return False
    return True


def decode_stream(stream: BinaryIO, head: bytes, encoding: Encoding) -> Iterator[str]:
    """Decode what was read already and the rest of a stream, chunk by chunk."""
    decoder = codecs.getincrementaldecoder(encoding.name)(encoding.errors)
    yield _step(decoder, head[encoding.bom :])
    while chunk := stream.read(CHUNK):
        yield _step(decoder, chunk)
    yield _step(decoder, b"", final=True)


def _step(decoder: codecs.IncrementalDecoder, data: bytes, final: bool = False) -> str:
    try:
        return decoder.decode(data, final)
    except UnicodeDecodeError:  # a lone surrogate or an odd last byte of UTF-16
        decoder.reset()
        even = data[: len(data) // 2 * 2]
        return even.decode(_name_of(decoder), "replace")


def _name_of(decoder: codecs.IncrementalDecoder) -> str:
    module = type(decoder).__module__.removeprefix("encodings.")
    return module.replace("_", "-")


def decode_bytes(data: bytes) -> str:
    """Decode bytes that were found inside a text (base64, percent-encoding)."""
    encoding = detect_encoding(data)
    return data[encoding.bom :].decode(encoding.name, "replace")
