"""Containers: compressed streams, archives, mails, workbooks and markup, opened in memory and within a budget."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

from canary.model.evidence import ScanError
from canary.scan import mails, markup, tables
from canary.scan.budget import Metered, Refused, Rewound, Spent, held, seekable
from canary.scan.decode import SNIFFED, decode_bytes, decode_stream, detect_encoding
from canary.scan.parts import Place, TextPart, reason_of, texts
from canary.scan.records import LINES_OF_TABLE

LAYERS = 6  # compressions of compressions

Found = Iterator[TextPart | ScanError]
Opener = Callable[[bytes, BinaryIO, Place, Spent], Found]


def walk(stream: BinaryIO, place: Place, spent: Spent) -> Found:
    """Give every text in a stream, opening containers to the depth of the budget; what fails is given, not raised."""
    try:
        head = _fill(stream)
        opener = opener_of(head)
        if opener is None:
            encoding = detect_encoding(head)
            yield from texts(place, decode_stream(stream, head, encoding), encoding)
        else:
            yield from opener(head, stream, place, spent)
    except Exception as error:  # whatever a hostile file makes a library raise
        yield place.error(reason_of(error))


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
    """Choose what opens a part by its first bytes, None for plain text and whatever is unknown."""
    for magic, opener in _MAGIC:
        if head.startswith(magic):
            return opener
    if _is_tar(head):
        return _tar
    if mails.is_mailbox(head):
        return _mailbox
    if mails.is_mail(head):
        return _mail
    return _markup if markup.is_markup(head) else None


def _is_tar(head: bytes) -> bool:
    if len(head) < 512 or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _compressed(opened: Callable[[BinaryIO], Any]) -> Opener:
    def unpack(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
        if place.layers >= LAYERS:
            raise Refused(f"compressed more than {LAYERS} times")
        inner = opened(cast(BinaryIO, Rewound(head, stream)))
        yield from walk(cast(BinaryIO, Metered(inner, spent, place.packed)), place.unpacked(), spent)

    return unpack


def _zstd(stream: BinaryIO) -> BinaryIO:
    import pyarrow as pa

    opened: Any = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
    return cast(BinaryIO, opened)


def _deeper(place: Place, spent: Spent) -> None:
    if place.depth >= spent.budget.depth:
        raise Refused(f"nested deeper than {spent.budget.depth} containers")


def _zip(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    _deeper(place, spent)
    with zipfile.ZipFile(seekable(head, stream, spent.budget.held)) as archive:
        if "xl/workbook.xml" in archive.NameToInfo:
            yield from _workbook(archive, place, spent)
            return
        for info in archive.infolist():
            if not info.is_dir():
                yield from _zip_member(archive, info, place, spent)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, place: Place, spent: Spent) -> Found:
    inside = place.inside(info.filename, info.compress_size)
    try:
        spent.member()
        if info.flag_bits & 1:
            raise Refused("encrypted")
        with archive.open(info) as member:
            yield from walk(_metered(member, inside, spent), inside, spent)
    except Exception as error:  # one broken member must not hide the others
        yield inside.error(reason_of(error))


def _metered(stream: Any, place: Place, spent: Spent) -> BinaryIO:
    return cast(BinaryIO, Metered(cast(BinaryIO, stream), spent, place.packed))


def _workbook(archive: zipfile.ZipFile, place: Place, spent: Spent) -> Found:
    def opened(name: str) -> BinaryIO:
        info = archive.getinfo(name)
        return _metered(archive.open(info), place.inside(name, info.compress_size), spent)

    for name, lines in tables.sheets(archive, opened):
        yield from texts(place.inside(name, 0), lines, layout=LINES_OF_TABLE)
    for info in archive.infolist():
        if not info.filename.startswith(("xl/worksheets/", "xl/sharedStrings")) and not info.is_dir():
            yield from _zip_member(archive, info, place, spent)


def _tar(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    _deeper(place, spent)
    with tarfile.open(fileobj=cast(Any, Rewound(head, stream)), mode="r|", errorlevel=0) as archive:
        for info in archive:
            if info.isfile():
                inside = place.inside(info.name, info.size)
                try:
                    spent.member()
                    member = archive.extractfile(info)
                    if member is not None:
                        yield from walk(_metered(member, inside, spent), inside, spent)
                except Exception as error:  # one broken member must not hide the others
                    yield inside.error(reason_of(error))


def _mailbox(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    _deeper(place, spent)
    for name, data in mails.messages(held(head, stream, spent.budget.held)):
        spent.member()
        yield from _message(data, place.inside(name, len(data)), spent)


def _mail(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    _deeper(place, spent)
    yield from _message(held(head, stream, spent.budget.held), place, spent)


def _message(data: bytes, place: Place, spent: Spent) -> Found:
    for name, content, attached in mails.mail_parts(data):
        spent.member()
        inside = place.inside(name, len(content))
        if attached or markup.is_markup(content):
            yield from walk(io.BytesIO(content), inside, spent)
        else:
            yield from texts(inside, iter([decode_bytes(content)]))


def _markup(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    text = decode_bytes(held(head, stream, spent.budget.held))
    yield from texts(place, iter([markup.plain_text(text)]))


def _parquet(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    opened = seekable(head, stream, spent.budget.held)
    yield from texts(place, tables.parquet(opened), layout=LINES_OF_TABLE)


def _arrow(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    opened = seekable(head, stream, spent.budget.held)
    yield from texts(place, tables.arrow(opened), layout=LINES_OF_TABLE)


def _ole(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    data = io.BytesIO(held(head, stream, spent.budget.held))
    for name, lines in tables.spreadsheet(data):
        yield from texts(place.inside(name, 0), lines, layout=LINES_OF_TABLE)


def _sqlite(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:
    for name, lines in tables.sqlite(held(head, stream, spent.budget.held)):
        yield from texts(place.inside(name, 0), lines, layout=LINES_OF_TABLE)


def _unsupported(head: bytes, stream: BinaryIO, place: Place, spent: Spent) -> Found:  # noqa: ARG001 - an Opener
    yield place.error("an archive of this kind (7z, rar) cannot be opened by this version")


def _ungzip(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream))


_MAGIC: Final[tuple[tuple[bytes, Opener], ...]] = (
    (b"\x1f\x8b", _compressed(_ungzip)),
    (b"BZh", _compressed(bz2.BZ2File)),
    (b"\xfd7zXZ\0", _compressed(lzma.LZMAFile)),
    (b"\x28\xb5\x2f\xfd", _compressed(_zstd)),
    (b"PK\x03\x04", _zip),
    (b"PK\x05\x06", _zip),
    (b"PAR1", _parquet),
    (b"ARROW1", _arrow),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _ole),
    (b"SQLite format 3\0", _sqlite),
    (b"7z\xbc\xaf\x27\x1c", _unsupported),
    (b"Rar!", _unsupported),
)
