"""Containers are opened within a budget; what cannot be read is told and the rest is still scanned."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from canary.scan.budget import Budget
from tests.packed import Rows, arrow, attached, codec, document, parquet, sqlite, workbook, zipped
from tests.scanlab import MAIL, OTHER_PHONE, WAYBILL, Lab

ROWS = f"运单号,邮箱\n{WAYBILL},{MAIL}\nYT0000000000001,a@b.cn\n".encode()
BOTH = {"c-first": {"email": "plain", "waybill_no": "plain"}}


def many(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [sqlite, workbook, parquet, arrow, document], ids=lambda one: one.__name__)
def test_the_fields_of_a_row_are_found_together(lab: Lab, pack: Callable[[Rows], bytes]) -> None:
    rows = [tuple(line.split(",")) for line in ROWS.decode().splitlines()]
    for data in (pack(rows), zipped(gzip.compress(pack(rows)), "a.gz"), attached(gzip.compress(pack(rows)))):
        findings = lab.scan(data, "leak.bin")
        assert {hit.canary: dict(hit.roles) for hit in findings.hits} == BOTH
        assert findings.errors == ()


def test_the_member_is_named_by_its_path(lab: Lab) -> None:
    findings = lab.scan(many(a_zip=many(rows_csv=ROWS)), "leak.zip")
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
        data = many(a_zip=data)
    findings = lab.scan(data)
    assert findings.hits == ()
    assert [error.reason for error in findings.errors] == ["nested deeper than 3 containers"]
    for _ in range(8):
        data = gzip.compress(data)
    assert lab.scan(data).errors[0].reason == "compressed more than 6 times"


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: many(a_txt=data), codec("zstd")]
)
def test_a_bomb_is_stopped_and_the_rest_is_scanned(lab: Lab, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"0" * 4_000_000)
    packed = many(bomb_bin=bomb, rows_csv=ROWS)
    findings = lab.scan(packed, budget=Budget(free=1_000_000, ratio=20))
    assert {hit.canary for hit in findings.hits} == {"c-first"}
    assert len(findings.errors) == 1
    assert "expands to more than" in findings.errors[0].reason


def test_limits_of_total_members_and_memory_are_kept(lab: Lab) -> None:
    three = many(a_txt=b"1", b_txt=b"2", c_txt=b"3")
    assert [error.member for error in lab.scan(three, budget=Budget(members=1)).errors] == ["b.txt", "c.txt"]
    assert "in all" in lab.scan(three, budget=Budget(bytes=1)).errors[0].reason
    nested = many(a_zip=three)
    assert "must be read whole" in lab.scan(nested, budget=Budget(spooled=10)).errors[0].reason


def test_an_encrypted_member_is_an_error_and_the_rest_is_scanned(lab: Lab) -> None:
    packed = bytearray(many(secret_csv=b"x", rows_csv=ROWS))
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
    assert lab.scan(b"7z\xbc\xaf\x27\x1c....").errors[0].reason.startswith("broken")
    assert lab.scan(b"Rar!\x1a\x07\0...").errors[0].reason.endswith("cannot be opened by this version")
    assert lab.scan(b"PAR1 nothing").errors
    assert lab.scan(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nothing").errors
    assert lab.scan(b"SQLite format 3\0 nothing").errors
    assert (
        lab.scan(
            many(**{"xl/workbook_xml": b"<x/>", "xl/worksheets/s_xml": b"<row><c t='s'><v>7</v></c></row>"})
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
