"""Elements of a piece of XML found without a parser, in time linear in its length whatever it holds."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import AnyStr, Generic

_ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Element(Generic[AnyStr]):
    """One element: where it begins and ends, its prefix, its attributes as written, and what it holds."""

    start: int
    end: int
    prefix: AnyStr
    given: AnyStr
    inner: AnyStr


@cache
def _start_tag(name: str) -> re.Pattern[str]:
    return re.compile(rf"<((?:\w+:)?){name}\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")


@cache
def _start_tag_bytes(name: str) -> re.Pattern[bytes]:
    return re.compile(_start_tag(name).pattern.encode())


def find_text(text: str, name: str) -> Iterator[Element[str]]:
    """Find the elements of a name, one behind the other; one that is not closed ends the search."""
    at = 0
    while found := _start_tag(name).search(text, at):
        close = f"</{found[1]}{name}>"
        stop = found.end() if found[3] else text.find(close, found.end())
        if stop < 0:
            return
        at = stop if found[3] else stop + len(close)
        yield Element(found.start(), at, found[1], found[2], text[found.end() : stop])


def find_bytes(data: bytes, name: str) -> Iterator[Element[bytes]]:
    """Find the elements of a name in bytes, as `find_text` does."""
    at = 0
    while found := _start_tag_bytes(name).search(data, at):
        close = b"</%b%b>" % (found[1], name.encode())
        stop = found.end() if found[3] else data.find(close, found.end())
        if stop < 0:
            return
        at = stop if found[3] else stop + len(close)
        yield Element(found.start(), at, found[1], found[2], data[found.end() : stop])


def tags(text: str, name: str) -> Iterator[dict[str, str]]:
    """Give the attributes of every start tag of a name."""
    for found in _start_tag(name).finditer(text):
        yield attributes(found[2])


def attributes(text: str) -> dict[str, str]:
    """Read the attributes of a start tag, prefixes of their names left out."""
    return {
        one[1].rpartition(":")[2]: html.unescape(one[2] if one[2] is not None else one[3])
        for one in _ATTRIBUTE.finditer(text)
    }


def plain_text(xml: str) -> str:
    """Join the texts of a string item, phonetic ones left out."""
    if "rPh" in xml:
        for phonetic in reversed(list(find_text(xml, "rPh"))):
            xml = xml[: phonetic.start] + xml[phonetic.end :]
    return unescape("".join(one.inner for one in find_text(xml, "t")))


def unescape(text: str) -> str:
    """Resolve entities, and Excel's _x000D_ for characters that XML does not take."""
    plain = html.unescape(text) if "&" in text else text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), plain) if "_x" in plain else plain
