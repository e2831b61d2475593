"""Markup → text: what a reader sees, with rows as lines and cells between tabs, and the values of attributes."""

from __future__ import annotations

import re

_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(
    r"(?:href|src|title|alt|value|content|data-[\w-]+|placeholder|action)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')",
    re.I,
)
_LINES = frozenset(
    [
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
        "w:p",
        "text:p",
        "row",
        "a:p",
        "table:table-row",
        "si",
    ]
)
_CELLS = frozenset(
    ["td", "th", "w:tc", "table:table-cell", "c", "span", "a", "label", "button", "w:tab", "text:tab"]
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|div|p|tr|ul|span|a\s|br)\b", re.I)


def is_markup(head: bytes) -> bool:
    """Tell whether a part is XML or HTML."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:2048]
    return start.startswith(b"<?xml") or (start.startswith(b"<") and _HTML.search(head[:8192]) is not None)


def plain_text(text: str) -> str:
    """Give the text of a page; entities stay as they are."""
    text = text.replace("<!--", " ").replace("-->", " ")
    return re.sub(r"[ \t]*\n[ \t]*(?:\n[ \t]*)+", "\n", _TAG.sub(_replaced, text))


def _replaced(tag: re.Match[str]) -> str:
    closing, name, rest = tag[1], tag[2].lower(), tag[3]
    if name in ("at", "dot") and not rest:  # a spelling of "@" and "."
        return tag[0]
    values = [one or two for one, two in _ATTRIBUTE.findall(rest)] if "=" in rest else []
    kept = " " + " ".join(values) + " " if values and any(map(str.strip, values)) else ""
    if name in _LINES:
        return kept + ("\n" if closing or name in ("br", "hr", "br/") or rest.endswith("/") else "")
    if name in _CELLS:
        return kept + ("\t" if closing and name not in ("span", "a") else "")
    return kept
