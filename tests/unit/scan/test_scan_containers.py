"""Containers are opened within a budget; what cannot be read is told and the rest is still scanned."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from canary.scan.budget import Budget
from tests.scanlab import MAIL, OTHER_PHONE, WAYBILL, Lab

ROWS = f"运单号,邮箱\n{WAYBILL},{MAIL}\nYT0000000000001,a@b.cn\n".encode()
BOTH = {"c-first": {"email": "plain", "waybill_no": "plain"}}


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return packed.getvalue()


def tarred(data: bytes, mode: str = "w") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        info = tarfile.TarInfo("inner/rows.csv")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def workbook(data: bytes) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in data.decode().splitlines():
        sheet.append(line.split(","))
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def columns(data: bytes) -> pa.Table:
    rows = [line.split(",") for line in data.decode().splitlines()]
    return pa.table({name: [row[at] for row in rows[1:]] for at, name in enumerate(rows[0])})


def parquet(data: bytes) -> bytes:
    sink = io.BytesIO()
    pq.write_table(columns(data), sink)
    return sink.getvalue()


def arrow(data: bytes) -> bytes:
    sink = io.BytesIO()
    table = columns(data)
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def sqlite(data: bytes) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE TABLE "way bills" (no TEXT, mail TEXT)')
    rows = [line.split(",") for line in data.decode().splitlines()]
    connection.executemany('INSERT INTO "way bills" VALUES (?, ?)', rows)
    connection.commit()
    whole = connection.serialize()
    connection.close()
    return whole


def mail(data: bytes) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.org", "b@y.org", "名单"
    message.set_content("see attachment")
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename="名单.csv")
    return message.as_bytes()


def mailbox(data: bytes) -> bytes:
    return (
        b"From a@x.org Mon Jan  1 00:00:00 2024\n"
        + mail(data)
        + b"\nFrom c@x.org Mon Jan  1 00:00:00 2024\n"
        + mail(b"x")
    )


def page(data: bytes) -> bytes:
    rows = "".join(
        "<tr>" + "".join(f"<td><b>{cell}</b></td>" for cell in line.split(",")) + "</tr>"
        for line in data.decode().splitlines()
    )
    return f"<!DOCTYPE html><html><body><table>{rows}</table></body></html>".encode()


PACKERS: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    bz2.compress,
    lzma.compress,
    zstd,
    lambda data: zipped(rows_csv=data),
    tarred,
    lambda data: tarred(data, "w:gz"),
    workbook,
    parquet,
    arrow,
    sqlite,
    mail,
    mailbox,
    page,
    lambda data: zipped(a_zip=zipped(b_zip=zipped(rows_csv=data))),
    lambda data: zipped(a_gz=gzip.compress(workbook(data))),
    lambda data: mail(gzip.compress(data)),
    lambda data: gzip.compress(gzip.compress(data)),
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data.decode().encode("gb18030"),
    lambda data: data.decode().encode("utf-16"),
    lambda data: data.decode().encode("utf-16-le"),
    lambda data: data.decode().encode("utf-16-be"),
]


@pytest.mark.parametrize("pack", PACKERS)
def test_a_record_is_found_in_every_container_and_encoding(lab: Lab, pack: Callable[[bytes], bytes]) -> None:
    findings = lab.scan(pack(ROWS), "leak.bin")
    assert {hit.canary: dict(hit.roles) for hit in findings.hits} == BOTH
    assert findings.errors == ()


def test_the_member_is_named_by_its_path(lab: Lab) -> None:
    findings = lab.scan(zipped(a_zip=zipped(rows_csv=ROWS)), "leak.zip")
    (hit,) = findings.hits
    assert (hit.file, hit.member) == ("leak.zip", "a.zip/rows.csv")
    assert hit.offset == ROWS.index(WAYBILL.encode())


def test_numbers_stored_as_numbers_are_found_in_a_workbook(lab: Lab) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["phone", "名"])
    sheet.append([int(OTHER_PHONE), "A & <B>"])
    packed = io.BytesIO()
    book.save(packed)
    assert [hit.canary for hit in lab.scan(packed.getvalue()).hits] == ["c-second"]


def test_a_mail_body_in_quoted_printable_is_decoded(lab: Lab) -> None:
    body = (
        "From: a@x.org\nTo: b@y.org\nSubject: =?gb18030?b?w/u1pQ==?=\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=gb18030\nContent-Transfer-Encoding: quoted-printable\n\n"
        f"=B5=E7=BB=B0 {OTHER_PHONE[:7]}=\n{OTHER_PHONE[7:]}\n"
    )
    (hit,) = lab.scan(body).hits
    assert (hit.canary, hit.member) == ("c-second", "part 1")


def test_what_is_nested_too_deep_is_an_error(lab: Lab) -> None:
    data = ROWS
    for _ in range(4):
        data = zipped(a_zip=data)
    findings = lab.scan(data)
    assert findings.hits == ()
    assert [error.reason for error in findings.errors] == ["nested deeper than 3 containers"]
    for _ in range(8):
        data = gzip.compress(data)
    assert lab.scan(data).errors[0].reason == "compressed more than 6 times"


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: zipped(a_txt=data), zstd]
)
def test_a_bomb_is_stopped_and_the_rest_is_scanned(lab: Lab, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"0" * 4_000_000)
    packed = zipped(bomb_bin=bomb, rows_csv=ROWS)
    findings = lab.scan(packed, budget=Budget(free=1_000_000, ratio=20))
    assert {hit.canary for hit in findings.hits} == {"c-first"}
    assert len(findings.errors) == 1
    assert "expands to more than" in findings.errors[0].reason


def test_limits_of_total_members_and_memory_are_kept(lab: Lab) -> None:
    many = zipped(a_txt=b"1", b_txt=b"2", c_txt=b"3")
    assert [error.member for error in lab.scan(many, budget=Budget(members=1)).errors] == ["b.txt", "c.txt"]
    assert "in all" in lab.scan(many, budget=Budget(bytes=1)).errors[0].reason
    nested = zipped(a_zip=many)
    assert "must be read whole" in lab.scan(nested, budget=Budget(held=10)).errors[0].reason


def test_an_encrypted_member_is_an_error_and_the_rest_is_scanned(lab: Lab) -> None:
    packed = bytearray(zipped(secret_csv=b"x", rows_csv=ROWS))
    for place in (6, packed.index(b"PK\x01\x02") + 8):
        packed[place] |= 1
    findings = lab.scan(bytes(packed))
    assert [(error.member, error.reason) for error in findings.errors] == [("secret.csv", "encrypted")]
    assert {hit.canary for hit in findings.hits} == {"c-first"}


def test_a_broken_archive_is_an_error_and_what_was_readable_is_scanned(lab: Lab) -> None:
    packed = gzip.compress(ROWS * 2000, mtime=0)
    findings = lab.scan(packed[: len(packed) // 2])
    assert findings.errors
    assert findings.hits
    assert lab.scan(b"PK\x03\x04 not a zip").errors[0].reason.startswith("broken")
    assert lab.scan(b"7z\xbc\xaf\x27\x1c....").errors[0].reason.endswith("cannot be opened by this version")
    assert lab.scan(b"PAR1 nothing").errors
    assert lab.scan(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nothing").errors
    assert lab.scan(b"SQLite format 3\0 nothing").errors
    assert (
        lab.scan(
            zipped(**{"xl/workbook_xml": b"<x/>", "xl/worksheets/s_xml": b"<row><c t='s'><v>7</v></c></row>"})
        ).hits
        == ()
    )


def test_attributes_and_entities_of_pages_are_read(lab: Lab) -> None:
    link = f'<a href="tel:{OTHER_PHONE}">us</a>'
    text = f"<html><p>call {link} &#108;in.mq82&#64;mail.acme.cn<br/></p><!-- {WAYBILL} --></html>"
    assert lab.found(text).keys() == {"c-first", "c-second"}


def test_folders_are_walked_and_what_is_no_file_is_an_error(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "rows.csv").write_bytes(ROWS)
    (tmp_path / "away").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "link.csv").symlink_to(tmp_path / "a" / "rows.csv")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    findings = lab.scan_files(tmp_path, tmp_path / "missing")
    assert sorted(Path(hit.file).name for hit in findings.hits) == ["link.csv", "rows.csv"]
    assert findings.files == 2
    assert findings.bytes == 2 * len(ROWS)
    reasons = {Path(error.file).name: error.reason for error in findings.errors}
    assert reasons == {
        "away": "a linked folder is not followed",
        "gone": "no such file or directory",
        "pipe": "not a regular file",
        "missing": "no such file or directory",
    }


def test_an_unreadable_file_and_folder_are_errors(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.csv").write_bytes(ROWS)

    def refused(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        assert [error.reason for error in lab.scan_files(tmp_path / "rows.csv").errors] == [
            "permission denied"
        ]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refused)
        assert [error.reason for error in lab.scan_files(tmp_path).errors] == ["permission denied"]
