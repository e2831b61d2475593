"""Documents → text: the pages of a PDF, and rich text (RTF)."""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from canary.patterns import late
from canary.scan.budget import Refused
from canary.scan.deadline import Deadline

MOST_PAGES: Final = 100_000


def pdf(stream: BinaryIO, seconds: float) -> Iterator[tuple[str, Callable[[], str]]]:
    """Give the pages of a PDF, its form fields, notes and links: (name, what reads it).

    Raises Refused where it is encrypted by a password or takes longer than so many seconds.
    """
    import pypdf

    logging.getLogger("pypdf").setLevel(
        logging.CRITICAL
    )  # it complains of hostile files by printing what is in them
    deadline = Deadline(seconds)
    reader, count = deadline.run(lambda: _opened(pypdf, stream))
    if count > MOST_PAGES:
        raise Refused(f"more than {MOST_PAGES} pages")
    yield "document", lambda: deadline.run(lambda: _about(reader))
    for number in range(count):
        yield (
            f"page {number + 1}",
            lambda number=number: deadline.run(  # type: ignore[misc]
                lambda: _page(reader.pages[number])
            ),
        )


def _opened(pypdf: Any, stream: BinaryIO) -> tuple[Any, int]:
    """Give the reader of a document and how many pages it has; raises Refused where it is locked."""
    reader = pypdf.PdfReader(stream, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused("encrypted")
    return reader, len(reader.pages)


def _about(reader: Any) -> str:
    """Give what is said about a document and typed into its forms."""
    told = [str(value) for value in (reader.metadata or {}).values()]
    fields = [
        f"{name}: {field.get('/V', '')}"
        for name, field in (reader.get_fields() or {}).items()
        if field.get("/V")
    ]
    return "\n".join([*told, *fields])


def _page(page: Any) -> str:
    """Give the text of a page line by line, then its notes and links."""
    parts = [page.extract_text()]
    for note in page.get("/Annots") or ():
        found = note.get_object()
        action = found.get("/A")
        link = action.get_object().get("/URI") if action is not None else None
        parts += [str(text) for text in (found.get("/Contents"), link) if text]
    return "\n".join(parts)


_WORD = late(
    r"\\'([0-9A-Fa-f]{2})|\\u(-?[0-9]{1,6}) ?|\\([a-z]{1,32})(-?[0-9]{1,10})? ?|\\([^a-z])|([{}])|[\r\n]+"
)
_BREAKS: Final = {
    "par": "\n",
    "line": "\n",
    "row": "\n",
    "sect": "\n",
    "page": "\n",
    "cell": "\t",
    "tab": "\t",
}
_CODEPAGES: Final = {"936": "gb18030", "950": "big5", "932": "cp932", "949": "cp949"}


def is_rtf(head: bytes) -> bool:
    """Tell whether a part is rich text."""
    return head.startswith(b"{\\rtf")


def rtf(data: bytes) -> str:
    """Give the text of rich text; fonts and styles stay in it, pictures as well: they do no harm."""
    text = data.decode("latin-1")
    page = re.search(r"\\ansicpg([0-9]{3,5})", text)
    name = _CODEPAGES.get(page[1], f"cp{page[1]}") if page else "gb18030"
    return _Rich(_known(name)).read(text)


def _known(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        return "gb18030"
    return name


class _Rich:
    """Gathers the text: bytes that are escaped one by one are joined before they are decoded."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._parts: list[str] = []
        self._octets = bytearray()
        self._skip = 0

    def read(self, text: str) -> str:
        end = 0
        for found in _WORD.finditer(text):
            self._plain(text[end : found.start()])
            end = found.end()
            self._take(found)
        self._plain(text[end:])
        self._flush()
        return "".join(self._parts)

    def _take(self, found: re.Match[str]) -> None:
        octet, unit, word, _, sign, _ = found.groups()
        if octet is not None:
            if self._skip:
                self._skip -= 1
            else:
                self._octets.append(int(octet, 16))
            return
        self._skip = 0
        if unit is not None:
            self._text(chr(int(unit) & 0xFFFF))
            self._skip = 1  # what stands for it where it is not understood
        elif word is not None:
            self._text(_BREAKS.get(word, ""))
        elif sign is not None:
            self._text({"~": " ", "_": "-", "-": "", "*": ""}.get(sign, sign))

    def _plain(self, text: str) -> None:
        if text and self._skip:
            text, self._skip = text[1:], 0
        if text:
            self._text(text)

    def _text(self, text: str) -> None:
        if text:
            self._flush()
            self._parts.append(text)

    def _flush(self) -> None:
        if self._octets:
            self._parts.append(self._octets.decode(self._encoding, "replace"))
            self._octets.clear()
