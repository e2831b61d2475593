"""Bodies: read and decompressed within a limit, whatever they claim to be."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from canary.errors import OutsideError


def read_body(chunks: Iterable[bytes], headers: Mapping[str, str], most: int, host: str) -> bytes:
    """Read and decompress a body of at most `most` bytes, whatever it claims; raises OutsideError above."""
    too_big = OutsideError(f"{host} answers more than {most} bytes", "raise net.max_bytes if that is meant")
    claimed = headers.get("content-length", "")
    if claimed.isascii() and claimed.isdigit() and int(claimed[:18]) > most:
        raise too_big
    inflate = _Inflate(headers.get("content-encoding", "identity").strip().lower(), host)
    raw, parts, size = 0, [], 0
    for chunk in chunks:
        raw += len(chunk)
        for part in inflate.feed(chunk, most + 1 - size):
            parts.append(part)
            size += len(part)
        if size > most or raw > most:
            raise too_big
    inflate.finish()
    return b"".join(parts)


class _Inflate:
    """Decompresses at most as much as is asked for, so that a bomb costs nothing."""

    def __init__(self, encoding: str, host: str) -> None:
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise OutsideError(
                f"{host} answers in an encoding that was not asked for", "ask its operator for gzip"
            )
        self._host = host
        self._engine = None if encoding in ("", "identity") else zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._fed = False

    def feed(self, chunk: bytes, most: int) -> Iterable[bytes]:
        """Give the decompressed chunk, at most `most` bytes of it."""
        if self._engine is None:
            yield chunk
            return
        self._fed = self._fed or bool(chunk)
        while chunk and most > 0:
            if self._engine.eof:
                self._engine = zlib.decompressobj(zlib.MAX_WBITS | 32)
            try:
                part = self._engine.decompress(chunk, most)
            except zlib.error:
                raise OutsideError(f"{self._host} answers damaged gzip", "try again later") from None
            most -= len(part)
            yield part
            chunk = self._engine.unused_data or self._engine.unconsumed_tail

    def finish(self) -> None:
        """Raise OutsideError where the compressed body ended early."""
        if self._engine is not None and self._fed and not self._engine.eof:
            raise OutsideError(f"{self._host} answers half a gzip body", "try again later")
