"""Bytes → text: UTF-8, UTF-16 and GB18030, told apart by their look, stretch by stretch; never fails."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING, BinaryIO, Final

from canary.octets import glance, is_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

SNIFFED = 65536
CHUNK = 1 << 20
FRONT: Final = 1 << 17  # room before what is read: for what is left of the bytes before
BEFORE, BEHIND = 64, 192  # and around all of it, as the kernel needs it
TAIL: Final = 1 << 16  # of a window, in which its end is looked for first
WINDOW: Final = 1 << 18  # bytes that are told together, cut at a new line
MIXED_LINES: Final = 8  # changes of encoding in one window, above which its lines are joined

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_ERRORS = {
    "utf-16-le": "surrogatepass",
    "utf-16-be": "surrogatepass",
    "utf-32-le": "replace",
    "utf-32-be": "replace",
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a stretch of a part, and how many bytes of the part stand before its text."""

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
        try:
            return len(text.encode(self.name, self.errors if self.errors != "replace" else "surrogatepass"))
        except UnicodeEncodeError:  # halves of characters, which a document wrote and no decoder made
            return len(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Window:
    """Bytes from `start` to `end` of a room, with room around them for who reads them."""

    room: Bytes
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def data(self) -> memoryview:
        """The bytes, where they lie."""
        return self.room.data[self.start : self.end]


def window_of(data: bytes) -> Window:
    """Take bytes as a window; there is no room around them."""
    import numpy as np

    return Window(np.frombuffer(data, np.uint8), 0, len(data))


@dataclass(frozen=True, slots=True)
class Octets:
    """A stretch of UTF-8 that was seen to be valid: it becomes a text only where one is asked for."""

    window: Window
    quoted: bool  # whether there is a quote

    def __len__(self) -> int:
        return len(self.window)

    def __str__(self) -> str:
        return str(self.window.data, "utf-8")

    def head(self, size: int) -> str:
        """Give its first characters."""
        return str(self.window.data[: 4 * size], "utf-8", "ignore")[:size]


Chunk = str | Octets


def head_of(chunk: Chunk) -> str:
    """Give the first characters of a stretch, as many as are looked at."""
    return chunk[:SNIFFED] if isinstance(chunk, str) else chunk.head(SNIFFED)


def detect_encoding(head: bytes, *, whole: bool = False) -> Encoding:
    """Tell the encoding from the first bytes: a byte order mark, else NUL density, else what decodes best."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Encoding(name, len(bom))
    wide = _wide(head)
    if wide:
        return Encoding(wide)
    return Encoding(_narrow(head, final=whole))


def _narrow(data: bytes, final: bool = True) -> str:
    """Tell UTF-8 from GB18030: what decodes, else what leaves fewer bytes undecoded."""
    if data.isascii() or _decodes(data, "utf-8", final):
        return "utf-8"
    if _decodes(data, "gb18030", final):
        return "gb18030"
    return "utf-8" if _undecoded(data, "utf-8") <= _undecoded(data, "gb18030") else "gb18030"


def _undecoded(data: bytes, name: str) -> int:
    return data.decode(name, "replace").count("\ufffd")


_COMMON = re.compile(r"[\t\r\n -~\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_WIDE_RUN = re.compile(rb"(?:[\t\r\n -~]\x00){5,}")  # UTF-16 among other bytes


_ASCII: Final = bytes(range(128)) + bytes(
    128
)  # what is no text at all is read for its ASCII alone, which is quick
_HAN = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}")


def _holds_han(data: bytes) -> bool:
    """Tell whether much of what is not ASCII in some bytes is Han in UTF-8."""
    return 6 * len(_HAN.findall(data)) > len(data.translate(None, bytes(range(128))))


def _holds_wide(data: bytes) -> bool:
    """Tell whether a run of UTF-16 stands anywhere among some bytes, quicker than by searching for it."""
    import numpy as np

    octets = np.frombuffer(data, np.uint8)
    pair = ((octets[:-1] - 9) < 118) & (octets[1:] == 0)
    return bool(len(pair) > 8 and (pair[:-8] & pair[2:-6] & pair[4:-4] & pair[6:-2] & pair[8:]).any())


def _narrowed(found: re.Match[bytes]) -> bytes:
    """Give the ASCII of a run of UTF-16, as long as it was, so that no offset changes."""
    return found[0][::2] + bytes(len(found[0]) // 2)


def _wide(head: bytes) -> str | None:
    """Tell UTF-16 without byte order mark: ASCII in it has a NUL in every other place; Han alone reads as Han."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > max(1, 0.04 * half) and even * 8 < odd and _is_text(head, "utf-16-le"):
        return "utf-16-le"
    if even > max(1, 0.04 * half) and odd * 8 < even and _is_text(head, "utf-16-be"):
        return "utf-16-be"
    if len(head) < 8 or head.isascii() or _decodes(head, "utf-8", final=False):
        return None
    whole = head[: len(head) // 2 * 2]
    scores = {name: _score(whole, name) for name in ("utf-16-le", "utf-16-be", "gb18030")}
    best = max(scores, key=lambda name: scores[name])
    return best if best != "gb18030" and scores[best] > 0.9 and scores["gb18030"] < 0.6 else None


def _is_text(data: bytes, name: str) -> bool:
    """Tell whether bytes read as text: hardly a control character among them."""
    text = data.decode(name, "replace")
    return len(_CONTROL.findall(text)) * 20 <= len(text)


def _score(data: bytes, name: str) -> float:
    """Give the share of a text that is made of what common texts are made of."""
    text = data.decode(name, "replace")
    return sum(len(run) for run in _COMMON.findall(text)) / max(1, len(text))


def _decodes(data: bytes, name: str, final: bool) -> bool:
    try:
        codecs.getincrementaldecoder(name)("strict").decode(data, final=final)
    except UnicodeDecodeError:
        return False
    return True


def decode_runs(stream: BinaryIO, head: bytes) -> Iterator[tuple[Encoding, Iterator[Chunk]]]:
    """Decode a stream whose head was read already: stretches of one encoding, each read before the next is asked for.

    Files that were joined from several, or mend their encoding on the way, are told stretch by stretch.
    """
    encoding = detect_encoding(head)
    if encoding.name.startswith("utf-16") or encoding.name.startswith("utf-32"):
        yield encoding, decode_stream(stream, head, encoding)
        return
    stretches = _stretches(_windows(stream, head, encoding.bom), encoding)
    for known, group in groupby(stretches, key=lambda one: one[0]):
        yield known, (text for _, text in group)


def _windows(stream: BinaryIO, head: bytes, place: int) -> Iterator[tuple[int, Window]]:
    """Cut a stream into windows with their places, at new lines, where there is none at a sign of ASCII.

    Of a stream that breaks all that could be read is given before it raises.
    """
    import numpy as np

    left = head[place:]
    while True:
        first = max(FRONT, len(left) + BEFORE)
        room, size, broken = _read(stream, first)
        room[first - len(left) : first] = np.frombuffer(left, np.uint8)
        window = Window(room, first - len(left), first + size)
        if size == CHUNK:
            end = _cut(window)
            left = bytes(window.data[end - window.start :])  # what reads the window writes behind its end
            yield place, Window(room, window.start, end)
            place += end - window.start
            continue
        if len(window):
            yield place, window
        if broken is not None:
            raise broken
        return


def _read(stream: BinaryIO, first: int) -> tuple[Bytes, int, Exception | None]:
    """Read on into room of its own, fewer bytes than a window has only where the stream ends or breaks."""
    import numpy as np

    room = np.empty(first + CHUNK + BEHIND, np.uint8)
    free, size = room.data[first : first + CHUNK], 0
    direct = _reads_into(stream)
    while size < CHUNK:
        try:
            if direct:
                count = stream.readinto(free[size:])  # type: ignore[attr-defined]
            else:
                data = stream.read(CHUNK - size)
                count = len(data)
                free[size : size + count] = data
        except Exception as error:
            return room, size, error
        if not count:
            break
        size += count
    return room, size, None


def _reads_into(stream: BinaryIO) -> bool:
    """Tell whether what reads a stream reads into buffers too; others count what they read, and no buffer is let by."""
    reading = next((kind for kind in type(stream).__mro__ if "read" in vars(kind)), object)
    return "readinto" in vars(reading)


def _cut(window: Window) -> int:
    """Choose where in its room a window ends; no byte below 0x30 is ever a second."""
    tail = window.room[max(window.start, window.end - TAIL) : window.end].tobytes()
    line = tail.rfind(b"\n") + 1
    if not line and len(tail) < len(window):
        tail = bytes(window.data)
        line = tail.rfind(b"\n") + 1
    size = len(tail)
    end = line or next((at + 1 for at in range(size - 1, size - 4096, -1) if tail[at] < 0x30), size)
    return window.end - size + end


def _stretches(windows: Iterable[tuple[int, Window]], first: Encoding) -> Iterator[tuple[Encoding, Chunk]]:
    """Decode windows, each with the stretch it belongs to; ASCII goes with what stands before it."""
    stretch = first
    for place, window in windows:
        seen = glance(window.data)
        if not seen.nul and (not seen.wide or is_text(window.data)):
            name = "utf-8" if seen.wide else stretch.name
            found: Iterable[tuple[str, int, Chunk]] = [(name, place, Octets(window, seen.quote))]
        else:
            found = chain.from_iterable(_decoded(at, few) for at, few in _smaller(place, bytes(window.data)))
        for name, at, text in found:
            if name != stretch.name:
                stretch = Encoding(name, at)
            yield stretch, text


def _smaller(place: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a window of several encodings, or of none, at new lines."""
    at = 0
    while at < len(data):
        line = data.rfind(b"\n", at, at + WINDOW) + 1 or data.find(b"\n", at) + 1
        end = line if line and len(data) - at > WINDOW else len(data)
        yield place + at, data[at:end]
        at = end


def _decoded(place: int, data: bytes) -> Iterator[tuple[str, int, Chunk]]:
    """Decode a window whole where one encoding fits all of it, else line by line; what is no text as it stands."""
    if b"\0" in data and _holds_wide(data):
        data = _WIDE_RUN.sub(_narrowed, data)
    if len(_BINARY.findall(data, 0, 4096)) > 200:
        if not _holds_han(data[:4096]):
            data = data.translate(_ASCII)
        yield "utf-8", place, data.decode("utf-8", "surrogateescape")
        return
    if is_text(data):
        yield "utf-8", place, Octets(window_of(data), b'"' in data)
        return
    try:
        yield "gb18030", place, data.decode("gb18030")
    except UnicodeDecodeError:
        yield from _by_lines(place, data)


def _by_lines(place: int, data: bytes) -> Iterator[tuple[str, int, str]]:
    runs: list[tuple[str, bytearray]] = []  # "" while nothing but ASCII stands in a run
    for line in data.splitlines(keepends=True):
        name = "" if line.isascii() else _narrow(line)
        if runs and (not name or runs[-1][0] in ("", name)):
            runs[-1][1].extend(line)
            runs[-1] = name or runs[-1][0], runs[-1][1]
        else:
            runs.append((name, bytearray(line)))
    if (
        len(runs) > MIXED_LINES
    ):  # told as UTF-8, though some of it was none: offsets are those of the text as decoded
        yield (
            "utf-8",
            place,
            "".join(lines.decode(name or "utf-8", "surrogateescape") for name, lines in runs),
        )
        return
    for name, lines in runs:
        yield name or "utf-8", place, lines.decode(name or "utf-8", "surrogateescape")
        place += len(lines)


def decode_stream(stream: BinaryIO, head: bytes, encoding: Encoding) -> Iterator[str]:
    """Decode what was read already and the rest of a stream in one encoding, chunk by chunk."""
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
    encoding = detect_encoding(data, whole=True)
    return data[encoding.bom :].decode(encoding.name, "replace")
