"""Markup → text: what a reader sees, with rows as lines and cells between tabs, and the values of attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from canary.patterns import late

BREAK: Final = "\x1f"  # a new line inside a cell: none, after the "=" of quoted-printable, else a blank
LONGEST_TAG: Final = 1 << 16  # characters that are held back for the end of a tag

# No pattern may look further than the next "<" or retry what it took: a hostile page costs no more than its length.
_TAG = late(r"<(/?)([A-Za-z][\w:.-]*+)([^<>]*+)>|<!--|-->|<!\[CDATA\[|\]\]>")
_ATTRIBUTE = late(
    r"(?:href|src|title|alt|value|content|data-[\w-]{1,40}|placeholder|action|target|label)"
    r"[ \t\r\n]{0,8}=[ \t\r\n]{0,8}(?:\"([^\"]*)\"|'([^']*)')",
    re.I,
)
_BLANK = late(r"\n[ \t\r\n]*\n")
_LINES: Final = frozenset(
    {
        *(
            "tr",
            "p",
            "br",
            "div",
            "li",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "table",
            "ul",
            "ol",
            "dl",
            "dt",
            "dd",
        ),
        *(
            "hr",
            "section",
            "article",
            "title",
            "option",
            "pre",
            "blockquote",
            "form",
            "body",
            "head",
            "row",
            "si",
        ),
        *("w:p", "w:br", "w:tr", "a:p", "a:br", "a:tr", "text:p", "text:line-break", "table:table-row"),
    }
)
_ROWS: Final = frozenset(
    {"tr", "w:tr", "a:tr", "table:table-row", "row", "table", "li"}
)  # lines inside a cell too
_CELLS: Final = frozenset({"td", "th", "w:tc", "a:tc", "table:table-cell"})
_MARKS: Final = frozenset({"c", "label", "button", "w:tab", "text:tab"})  # end in a tab as well
_HTML = late(rb"<(?:!doctype\s+html|html|head|body|table|div|p|tr|ul|span|a\s|br)\b", re.I)
_XML: Final = tuple(
    mark + "<?xml".encode(name)
    for mark, name in ((b"", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
)


def is_markup(head: bytes) -> bool:
    """Tell whether a part is XML or HTML."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:2048]
    if start.startswith(_XML):
        return True
    plain = head[:8192].replace(b"\0", b"") if head[:2] in (b"\xff\xfe", b"\xfe\xff") else head[:8192]
    opens = plain.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")
    return opens and _HTML.search(plain) is not None


def plain_text(text: str) -> str:
    """Give the text of a page; entities stay as they are."""
    return "".join(plain_texts([text]))


def plain_texts(chunks: Iterable[str]) -> Iterator[str]:
    """Give the text of a page that is read chunk by chunk; a tag that a chunk cuts is held back."""
    page = _Page()
    held = ""
    for chunk in chunks:
        held += chunk
        cut = held.rfind("<")
        if cut < 0 or ">" in held[cut:] or len(held) - cut > LONGEST_TAG:
            cut = len(held)
        yield page.read(held[:cut])
        held = held[cut:]
    yield page.read(held)


class _Page:
    """What is known while a page is read: whether it is inside a cell of a table, where a new paragraph ends no row."""

    def __init__(self) -> None:
        self._cells = 0

    def read(self, text: str) -> str:
        plain = _TAG.sub(self._replaced, text)
        if BREAK in plain:
            plain = plain.replace("=" + BREAK, "").replace(BREAK, " ")
        return _BLANK.sub("\n", plain)

    def _replaced(self, tag: re.Match[str]) -> str:
        if tag[2] is None:
            return " "
        closing, name, rest = tag[1], tag[2].lower(), tag[3]
        if name in ("at", "dot") and not rest:  # a spelling of "@" and "."
            return tag[0]
        values = [one or two for one, two in _ATTRIBUTE.findall(rest)] if "=" in rest else []
        kept = " " + " ".join(values) + " " if values and any(map(str.strip, values)) else ""
        alone = rest.endswith("/")
        if name in _CELLS:
            self._cells = max(0, self._cells + (-1 if closing else 0 if alone else 1))
            return kept + ("\t" if closing or alone else "")
        if name in _LINES:
            return kept + (self._line(name) if closing or alone or name in ("br", "hr") else "")
        return kept + ("\t" if name in _MARKS and (closing or alone) else "")

    def _line(self, name: str) -> str:
        if name in _ROWS:
            self._cells = 0 if name in ("w:tr", "a:tr", "table:table-row") else self._cells
            return "\n"
        return BREAK if self._cells else "\n"
