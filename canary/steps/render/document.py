"""A report between content and format: titled sections of paragraphs, points and tables."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

# Cc control, Cf format (zero width, text direction), Co private, Cs surrogates, Zl and Zp line ends
UNSAFE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of cells, all text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report; what is empty is left out."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report; texts are clean, but not yet escaped for a format."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]


def clean(text: object) -> str:
    """Give text on one line without control, direction and zero-width characters: safe for a terminal."""
    kept = (" " if c in "\n\r\t\u2028\u2029" else c for c in str(text))
    return "".join(c for c in kept if unicodedata.category(c) not in UNSAFE).strip()


def utc_text(ms: int) -> str:
    """Write a time in UTC to the second."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def local_text(ms: int, zone: tzinfo) -> str:
    """Write a time in a zone with its offset."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).isoformat(" ", "seconds")
