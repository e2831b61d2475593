"""Containers: compressed streams, archives, mails, workbooks, documents and markup, opened within a budget."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, cast

from canary.model.evidence import ScanError
from canary.scan import documents, mails, markup, tables, webs
from canary.scan.archives import BOOK, Open, archive_of, deeper, metered, of_zip, zip_member, zip_members
from canary.scan.budget import Refused, Spent, held, seekable
from canary.scan.compressed import compression_of, unpacked
from canary.scan.decode import SNIFFED, decode_bytes, decode_runs, decode_stream, detect_encoding, head_of
from canary.scan.parts import Place, TextPart, reason_of, texts
from canary.scan.records import LINES_OF_TABLE, PROSE, Layout, detect_layout

BINARY_BOOK: Final = "xl/workbook.bin"
FEW_LINES: Final = 20  # of a stretch that are too few to tell how it is divided

Found = Iterator[TextPart | ScanError]
Opener = Callable[[bytes, BinaryIO, Place, Spent], Found]


def walk(stream: BinaryIO, place: Place, spent: Spent) -> Found:
    """Give every text in a stream, opening containers to the depth of the budget; what fails is given, not raised.

    What looks like a container and is none is read as it stands.
    """
    head, opener, told = b"", None, False
    try:
        head = _fill(stream)
        opener = opener_of(head)
        for found in (opener or plain)(head, stream, place, spent):
            told = told or isinstance(found, TextPart)
            yield found
        if opener is _compressed and not told:
            yield from _as_it_stands(head, stream, place, spent)
    except Exception as error:  # whatever a hostile file makes a library raise
        yield place.error(reason_of(error))
        if opener is not None and not told and not isinstance(error, Refused):
            yield from _as_it_stands(head, stream, place, spent)


def _as_it_stands(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    """Read what could not be opened as text: whole where that can be had again, else its first bytes."""
    again = io.BytesIO(head)
    try:
        if stream.seekable():
            stream.seek(0)
            again = cast(io.BytesIO, stream)
            head = _fill(stream)
        else:
            again.seek(len(head))
        yield from plain(head, cast(BinaryIO, again), place, spent)
    except Exception as error:  # its reason was told by whoever failed first
        del error


def _fill(stream: BinaryIO) -> bytes:
    """Read the first bytes; a stream that breaks among them breaks again where it is read on."""
    head = b""
    while len(head) < SNIFFED:
        try:
            data = stream.read(SNIFFED - len(head))
        except Exception:
            if not head:
                raise
            break
        if not data:
            break
        head += data
    return head


def opener_of(head: bytes) -> Opener | None:
    """Choose what opens a part by its first bytes, whatever it is called; None for plain text and what is unknown."""
    for magic, opener in _MAGIC:
        if head.startswith(magic):
            return opener
    if compression_of(head) is not None:
        return _compressed
    archive = archive_of(head)
    if archive is not None:
        return _zip if archive is of_zip else _archive(archive)
    for told, opener in _TOLD:
        if told(head):
            return opener
    return None


def plain(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:  # noqa: ARG001 - an Opener
    """Give a text, one part for each stretch of one encoding."""
    first: Layout | None = None
    for number, (encoding, chunks) in enumerate(decode_runs(stream, head)):
        if number == 0 and encoding.name.startswith("utf-16"):
            yield from texts(place, chunks, encoding)
            continue
        chunk = next(chunks, "")
        start = head_of(chunk)
        layout = detect_layout(start) if len(start) > SNIFFED // 2 or number else None
        first = first or layout or detect_layout(start)
        if layout == PROSE and number and start.count("\n") < FEW_LINES:
            layout = first
        yield from texts(place, chain([chunk], chunks), encoding, layout, number)


def _compressed(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    unpack = compression_of(head)
    if unpack is not None:
        yield from walk(unpacked(unpack, head, stream, place, spent), place.unpacked(), spent)


def _archive(opened: Open) -> Opener:
    def read(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
        for found in opened(head, stream, place, spent):
            if isinstance(found, ScanError):
                yield found
            else:
                yield from walk(found[1], found[0], spent)

    return read


def _zip(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    with seekable(head, stream, spent.budget) as opened:
        book = _book_in(opened)
        if book is not None:
            deeper(place, spent)
        if book == BOOK:
            with zipfile.ZipFile(opened) as archive:
                yield from _workbook(archive, place, spent)
            return
        if book is not None:
            yield from _spreadsheet(opened, place, spent)
        yield from _archive(of_zip)(head, opened, place, spent)


def _book_in(stream: BinaryIO) -> str | None:
    """Give the member by which a zip is a workbook, None where it is none or broken."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return next((name for name in (BOOK, BINARY_BOOK) if name in archive.NameToInfo), None)
    except Exception:  # it is opened again, and told then
        return None


def _workbook(archive: zipfile.ZipFile, place: Place, spent: Spent) -> Found:
    def opened(name: str) -> BinaryIO:
        info = archive.getinfo(name)
        return metered(zip_member(archive, info), place.inside(name, info.compress_size), spent)

    for name, lines in tables.sheets(archive, opened):
        packed = sum(
            archive.getinfo(one).compress_size for one in (name, tables.SHARED) if one in archive.NameToInfo
        )
        yield from texts(place.inside(name, 0), spent.texts(lines, packed), layout=LINES_OF_TABLE)
    for found in zip_members(archive, place, spent, lambda name: not tables.is_of_sheet(name)):
        if isinstance(found, ScanError):
            yield found
        else:
            yield from walk(found[1], found[0], spent)


def _mailbox(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    deeper(place, spent)
    for name, data in mails.messages(head, stream, spent.budget.held):
        spent.member()
        yield from _message(data, place.inside(name, len(data)), spent)


def _mail(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    deeper(place, spent)
    yield from _message(held(head, stream, spent.budget.held), place, spent)


def _message(data: bytes, place: Place, spent: Spent) -> Found:
    """Give the parts of a message; one that cannot be taken apart as it stands."""
    try:
        for name, content, attached in mails.mail_parts(data):
            spent.member()
            inside = place.inside(name, len(content))
            if attached or markup.is_markup(content) or documents.is_rtf(content):
                yield from walk(io.BytesIO(content), inside, spent)
            else:
                yield from texts(inside, iter([decode_bytes(content)]))
    except Refused:
        raise
    except Exception as error:  # whatever a hostile message makes the parser raise
        yield place.error(reason_of(error))
        yield from texts(place, iter([decode_bytes(data)]))


def _warc(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    deeper(place, spent)
    for record in webs.records(head, stream):
        spent.member()
        inside = place.inside(record.name, place.packed)
        yield from texts(inside, iter([decode_bytes(record.headers) + "\n"]))
        yield from walk(record.body, inside, spent)


def _http(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    headers, body = webs.message(head, stream)
    yield from texts(place, iter([decode_bytes(headers) + "\n"]))
    yield from walk(metered(body, place, spent), place.unpacked(), spent)


def _markup(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:  # noqa: ARG001 - an Opener
    chunks = decode_stream(stream, head, detect_encoding(head))
    yield from texts(place, markup.plain_texts(chunks))


def _rtf(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    yield from texts(place, iter([documents.rtf(held(head, stream, spent.budget.held))]))


def _pdf(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    deeper(place, spent)
    with seekable(head, stream, spent.budget) as opened:
        for name, read in documents.pdf(opened, spent.budget.seconds):
            spent.member()
            yield from _page(read, place.inside(name, 0), place.packed, spent)


def _page(read: Callable[[], str], place: Place, packed: int, spent: Spent) -> Found:
    """Give the text of a page; a broken one must not hide the others."""
    try:
        text = read()
    except Refused:
        raise
    except Exception as error:
        yield place.error(reason_of(error))
        return
    if text.strip():
        yield from texts(place, spent.texts([text], packed))


def _parquet(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    with seekable(head, stream, spent.budget) as opened:
        yield from texts(place, spent.texts(tables.parquet(opened), place.packed), layout=LINES_OF_TABLE)


def _arrow(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    with seekable(head, stream, spent.budget) as opened:
        yield from texts(place, spent.texts(tables.arrow(opened), place.packed), layout=LINES_OF_TABLE)


def _ole(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    data = io.BytesIO(held(head, stream, spent.budget.held))
    if "EncryptedPackage".encode("utf-16-le") in data.getbuffer()[: 1 << 20].tobytes():
        raise Refused("encrypted")
    yield from _spreadsheet(data, place, spent)


def _spreadsheet(stream: BinaryIO, place: Place, spent: Spent) -> Found:
    if place.packed * spent.budget.ratio > spent.budget.spooled:
        raise Refused(f"a workbook that may become longer than {spent.budget.spooled} bytes")
    for name, lines in tables.spreadsheet(stream):
        yield from texts(place.inside(name, 0), spent.texts(lines, place.packed), layout=LINES_OF_TABLE)


def _sqlite(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    lies = place.member is None and not place.layers and stream.seekable() and Path(place.file).is_file()
    source = Path(place.file) if lies else held(head, stream, spent.budget.held)
    for name, lines in tables.sqlite(source):
        spent.member()
        yield from texts(place.inside(name, 0), spent.texts(lines, place.packed), layout=LINES_OF_TABLE)


def _unsupported(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:  # noqa: ARG001 - an Opener
    yield place.error("an archive of this kind (rar) cannot be opened by this version")


_MAGIC: Final[tuple[tuple[bytes, Opener], ...]] = (
    (b"PAR1", _parquet),
    (b"ARROW1", _arrow),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _ole),
    (b"SQLite format 3\0", _sqlite),
    (b"%PDF-", _pdf),
    (b"Rar!\x1a\x07", _unsupported),
)
_TOLD: Final[tuple[tuple[Callable[[bytes], bool], Opener], ...]] = (
    (webs.is_warc, _warc),
    (webs.is_http, _http),
    (documents.is_rtf, _rtf),
    (mails.is_mailbox, _mailbox),
    (mails.is_mail, _mail),
    (markup.is_markup, _markup),
)
