"""What a scan reads: parts of text, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from canary.model.evidence import ScanError
from canary.scan.budget import Refused
from canary.scan.decode import Chunk, Encoding
from canary.scan.records import Layout

UTF8 = Encoding("utf-8")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: file, path of members, and how many containers deep."""

    file: str
    member: str | None = None
    depth: int = 0
    layers: int = 0  # compressions around it
    packed: int = 0  # bytes behind it

    def inside(self, name: str, packed: int) -> Place:
        """Give the place of a member."""
        name = name.strip("/") or "unnamed"
        return Place(self.file, f"{self.member}/{name}" if self.member else name, self.depth + 1, 0, packed)

    def unpacked(self) -> Place:
        """Give the place of what a compression holds."""
        return Place(self.file, self.member, self.depth, self.layers + 1, self.packed)

    def error(self, reason: str) -> ScanError:
        """Make the entry of what cannot be read here."""
        return ScanError(self.file, self.member, reason)


@dataclass(frozen=True, slots=True)
class TextPart:
    """One text: a file or a member of a container, decoded while it is read; `layout` where the container tells it.

    Of a file in several encodings each stretch is a part; `stretch` is its number.
    """

    file: str
    member: str | None
    chunks: Iterable[Chunk]
    encoding: Encoding = UTF8
    layout: Layout | None = None
    stretch: int = 0


class Guarded:
    """A stream of text that ends where reading fails, and keeps the reason."""

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self._chunks = chunks
        self.reason: str | None = None

    def __iter__(self) -> Iterator[Chunk]:
        try:
            yield from self._chunks
        except Exception as error:  # whatever a hostile file makes a decoder raise
            self.reason = reason_of(error)


def texts(
    place: Place,
    chunks: Iterator[str] | Iterator[Chunk],
    encoding: Encoding = UTF8,
    layout: Layout | None = None,
    stretch: int = 0,
) -> Iterator[TextPart | ScanError]:
    """Give one text part, and after it the error that cut it short."""
    guarded = Guarded(chunks)
    yield TextPart(place.file, place.member, guarded, encoding, layout, stretch)
    if guarded.reason is not None:
        yield place.error(guarded.reason)


def reason_of(error: Exception) -> str:
    """Say for a person why a part cannot be read."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    text = str(error).strip().split("\n")[0].lower().rstrip(".")
    return f"broken: {text[:120]}" if text else f"broken ({type(error).__name__})"
