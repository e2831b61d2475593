"""Containers and encodings as other programs write them: what a scan is to open, made without it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mailbox
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import docx
import openpyxl
import py7zr
import pyarrow as pa
import pyarrow.parquet as pq
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

Rows = list[tuple[str, ...]]
Pack = Callable[[bytes], bytes]

ENCODINGS: Final[dict[str, Callable[[str], bytes]]] = {
    "UTF-8": str.encode,
    "UTF-8 with BOM": lambda text: text.encode("utf-8-sig"),
    "GB18030": lambda text: text.encode("gb18030"),
    "UTF-16 with BOM": lambda text: text.encode("utf-16"),
    "UTF-16LE": lambda text: text.encode("utf-16-le"),
    "UTF-16BE": lambda text: text.encode("utf-16-be"),
}


def zipped(data: bytes, name: str = "rows.txt", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


def tarred(data: bytes, mode: str = "w") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("inner/rows.txt")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def sevenzip(data: bytes, **options: object) -> bytes:
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w", **options) as archive:
        archive.writestr(data, "名单/rows.txt")
    return packed.getvalue()


def codec(name: str) -> Pack:
    def pack(data: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, name) as stream:
            stream.write(data)
        return sink.getvalue().to_pybytes()

    return pack


def attached(data: bytes) -> bytes:
    whole = MIMEMultipart()
    whole["From"], whole["To"], whole["Subject"] = "a@x.org", "b@y.org", "名单"
    whole.attach(MIMEText("see attachment", "plain", "utf-8"))
    part = MIMEApplication(data)
    part.add_header("Content-Disposition", "attachment", filename="名单.csv")
    whole.attach(part)
    return whole.as_bytes()


def forwarded(data: bytes) -> bytes:
    inner = MIMEText(data.decode("utf-8", "surrogateescape"), "plain", "utf-8")
    inner["From"], inner["To"] = "a@x.org", "b@y.org"
    whole = MIMEMultipart()
    whole["From"], whole["To"] = "c@x.org", "d@y.org"
    whole.attach(MIMEMessage(inner))
    return whole.as_bytes()


def mbox(data: bytes) -> bytes:
    with TemporaryDirectory() as folder:
        box = mailbox.mbox(str(Path(folder) / "box"))
        for one in (attached(b"nothing"), attached(data), attached(b"nothing")):
            box.add(one)
        box.close()
        return (Path(folder) / "box").read_bytes()


def sent(coding: str, pack: Pack, *, chunked: bool = False) -> Pack:
    """Keep a page in a WARC file as a server sent it."""

    def keep(data: bytes) -> bytes:
        body = pack(data)
        headers = [("Content-Type", "text/plain")]
        headers += [("Content-Encoding", coding)] if coding else []
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
            pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        out = io.BytesIO()
        writer = WARCWriter(out, gzip=True)
        answer = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        for url in ("http://a.example/", "http://b.example/"):
            record = writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), length=len(body), http_headers=answer
            )
            writer.write_record(record)
        return out.getvalue()

    return keep


def bare_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


PACKS: Final[dict[str, Pack]] = {
    "as it is": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "zstd": codec("zstd"),
    "lz4": codec("lz4"),
    "zlib": zlib.compress,
    "zip": zipped,
    "zip, bzip2": lambda data: zipped(data, method=zipfile.ZIP_BZIP2),
    "zip, wrong extension": lambda data: zipped(data, "photo.jpg"),
    "tar": tarred,
    "tar.gz": lambda data: tarred(data, "w:gz"),
    "tar.xz": lambda data: tarred(data, "w:xz"),
    "7z": sevenzip,
    "7z, LZMA": lambda data: sevenzip(data, filters=[{"id": py7zr.FILTER_LZMA, "preset": 3}]),
    "7z, bzip2": lambda data: sevenzip(data, filters=[{"id": py7zr.FILTER_BZIP2}]),
    "mail, attached": attached,
    "mbox, attached": mbox,
    "WARC": sent("", bytes),
    "WARC, gzip body": sent("gzip", gzip.compress),
    "WARC, deflate body": sent("deflate", bare_deflate),
    "WARC, brotli body": sent("br", codec("brotli")),
    "WARC, gzip in chunks": sent("gzip", gzip.compress, chunked=True),
    "zip in zip in zip": lambda data: zipped(zipped(zipped(data), "b.zip"), "c.zip"),
    "gzip in 7z in tar": lambda data: tarred(sevenzip(gzip.compress(data))),
    "zip in mail": lambda data: attached(zipped(data)),
}


def workbook(rows: Rows) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def prefixed_workbook(rows: Rows) -> bytes:
    """Give a workbook as some programs write it: every element with the prefix of its name space."""
    source = zipfile.ZipFile(io.BytesIO(workbook(rows)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith(("xl/worksheets/sheet", "xl/sharedStrings")):
                data = data.replace(b"</", b"\0").replace(b"<", b"<x:").replace(b"\0", b"</x:")
                data = data.replace(b"<x:?", b"<?").replace(b"xmlns=", b"xmlns:x=")
            archive.writestr(name, data)
    return packed.getvalue()


def document(rows: Rows) -> bytes:
    whole = docx.Document()
    table = whole.add_table(rows=0, cols=len(rows[0]))
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    packed = io.BytesIO()
    whole.save(packed)
    return packed.getvalue()


def pdf(rows: Rows) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    packed = io.BytesIO()
    page = canvas.Canvas(packed)
    for number, row in enumerate(rows):
        page.setFont("STSong-Light", 6)
        page.drawString(20, 800 - number % 40 * 18, "  ".join(row))
        if number % 40 == 39:
            page.showPage()
    page.save()
    return packed.getvalue()


def sqlite(rows: Rows) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE TABLE "way bills" (no TEXT, mail TEXT)')
    connection.executemany('INSERT INTO "way bills" VALUES (?, ?)', [(row[0], row[-1]) for row in rows])
    connection.commit()
    whole = connection.serialize()
    connection.close()
    return whole


def columns(rows: Rows) -> pa.Table:
    return pa.table({"no": [row[0] for row in rows], "mail": [row[-1] for row in rows]})


def parquet(rows: Rows) -> bytes:
    sink = io.BytesIO()
    pq.write_table(columns(rows), sink)
    return sink.getvalue()


def arrow(rows: Rows) -> bytes:
    sink = io.BytesIO()
    table = columns(rows)
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def page(rows: Rows) -> bytes:
    cells = ("".join(f"<td><p>{cell.replace('<', '&lt;')}</p></td>" for cell in row) for row in rows)
    return f"<!DOCTYPE html><table>{''.join(f'<tr>{one}</tr>' for one in cells)}</table>".encode()


def mailed(charset: str, coding: str) -> Callable[[Rows], bytes]:
    """Give a mail with the rows as its text, in a character set and transfer encoding."""

    def pack(rows: Rows) -> bytes:
        from email.charset import BASE64, QP, Charset

        set_ = Charset(charset)
        set_.body_encoding = BASE64 if coding == "base64" else QP
        whole = MIMEText("\n\n".join("  ".join(row) for row in rows), "plain", set_)  # type: ignore[arg-type]
        whole["From"], whole["To"] = "a@x.org", "b@y.org"
        return whole.as_bytes()

    return pack


def rich(rows: Rows) -> bytes:
    def octets(text: str) -> str:
        return "".join(
            f"\\u{unit if unit < 32768 else unit - 65536}?" if unit > 126 else sign
            for sign in text.replace("\\", "\\\\")
            .replace("{", "\\{")
            .replace("}", "\\}")
            .replace("\n", "\\line ")
            for unit in memoryview(sign.encode("utf-16-le")).cast("H")
        )

    lines = "".join(f"{{\\f0 {octets('  '.join(row))}}}\\par\\par\n" for row in rows)
    return f"{{\\rtf1\\ansi\\ansicpg936{{\\fonttbl{{\\f0 SimSun;}}}}\n{lines}}}".encode()


TABLES: Final[dict[str, Callable[[Rows], bytes]]] = {
    "xlsx": workbook,
    "xlsx, prefixed names": prefixed_workbook,
    "docx": document,
    "PDF": pdf,
    "SQLite": sqlite,
    "Parquet": parquet,
    "Arrow": arrow,
    "HTML": page,
    "RTF": rich,
    "mail, quoted-printable": mailed("utf-8", "qp"),
    "mail, base64, GB18030": mailed("gb18030", "base64"),
    "xlsx in zip in gzip": lambda rows: gzip.compress(zipped(workbook(rows), "book.dat")),
    "SQLite in 7z": lambda rows: sevenzip(sqlite(rows)),
}
