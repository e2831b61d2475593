"""What a scan reads: parts of text, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from canary.scan.decode import Encoding
from canary.scan.records import Layout

UTF8 = Encoding("utf-8")


@dataclass(frozen=True, slots=True)
class TextPart:
    """One text: a file or a member of a container, decoded while it is read; `layout` where the container tells it."""

    file: str
    member: str | None
    chunks: Iterable[str]
    encoding: Encoding = UTF8
    layout: Layout | None = None
