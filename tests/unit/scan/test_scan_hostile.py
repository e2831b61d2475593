"""Hostile containers and texts end within the budget, and what can be read of them is."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sqlite3
import tempfile
import time
import zipfile
import zlib
from email.mime.multipart import MIMEMultipart
from pathlib import Path

import py7zr
import pyarrow as pa
import pytest
from reportlab.pdfgen import canvas

from canary.model.evidence import Findings
from canary.scan import documents, markup
from canary.scan.budget import Budget, Refused, seekable
from canary.scan.deadline import Deadline
from canary.scan.sevenz import members
from tests.packed import arrow, attached, columns, mbox, page, pdf, sent, sevenzip, sqlite, tarred, zipped
from tests.scanlab import ADDRESS, MAIL, NAME, OTHER_PHONE, WAYBILL, Lab

SMALL = Budget(free=200_000, ratio=20, held=1 << 20, spooled=1 << 21, seconds=0.3)


def reasons(findings: Findings) -> list[str]:
    return [error.reason for error in findings.errors]


def book(*pairs: tuple[str, bytes], **options: object) -> bytes:
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w", **options) as archive:
        for name, data in pairs:
            archive.writestr(data, name)
    return packed.getvalue()


def test_a_bomb_in_a_7z_is_stopped_and_hides_only_what_is_packed_with_it(lab: Lab) -> None:
    data = book(
        ("first.csv", WAYBILL.encode()), ("bomb", b"0" * 4_000_000), ("last.csv", OTHER_PHONE.encode())
    )
    findings = lab.scan(data, budget=SMALL)
    assert [hit.member for hit in findings.hits] == ["first.csv"]
    assert [(one.member, "expands to more than" in one.reason) for one in findings.errors] == [
        ("bomb", True),
        ("last.csv", True),
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"password": "x"}, "encrypted"),
        ({"filters": [{"id": py7zr.FILTER_PPMD}]}, "packed by a method that cannot be opened (030401)"),
    ],
)
def test_a_7z_that_cannot_be_opened_says_so(lab: Lab, options: dict[str, object], reason: str) -> None:
    findings = lab.scan(book(("a.csv", WAYBILL.encode()), **options))
    assert [(one.member, one.reason) for one in findings.errors] == [("a.csv", reason)]


@pytest.mark.parametrize(
    "filters",
    [
        [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA2, "preset": 1}],
        [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA, "preset": 1}],
        [{"id": py7zr.FILTER_DELTA}, {"id": py7zr.FILTER_LZMA2, "preset": 1}],
        [{"id": py7zr.FILTER_DEFLATE}],
        [{"id": py7zr.FILTER_COPY}],
        [{"id": py7zr.FILTER_ZSTD}],
    ],
)
def test_every_method_of_7z_gives_the_bytes_that_were_put_in(filters: list[dict[str, int]]) -> None:
    data = os.urandom(70_000) + WAYBILL.encode() * 1000
    packed = book(("a", data), ("empty", b""), ("名单", data[::-1]), filters=filters)
    found = [
        (name, part.read()) for name, _, part in members(io.BytesIO(packed), len(packed), lambda one, _: one)
    ]
    assert [each for each in found if each[1]] == [("a", data), ("名单", data[::-1])]


def test_a_7z_that_is_cut_off_is_an_error(lab: Lab) -> None:
    whole = sevenzip(WAYBILL.encode() * 100)
    for size in (8, 31, len(whole) // 2, len(whole) - 1):
        assert "7z" in reasons(lab.scan(whole[:size]))[0]


def stubborn() -> None:
    while True:
        with contextlib.suppress(Exception):  # as a library may do with every error
            time.sleep(0.001)


def test_a_library_that_does_not_end_is_ended() -> None:
    deadline = Deadline(0.1)
    began = time.monotonic()
    with pytest.raises(Refused, match=r"not read within 0\.1 seconds"):
        deadline.run(stubborn)
    assert time.monotonic() - began < 5
    with pytest.raises(Refused):
        deadline.run(lambda: pytest.fail("the time was up before"))
    assert Deadline(30).run(lambda: 7) == 7


def test_a_stop_that_comes_at_the_end_strays_nowhere() -> None:
    def just_so_long(seconds: float) -> int:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        return 1

    for number in range(200):
        with contextlib.suppress(Refused):
            assert Deadline(0.002).run(lambda: just_so_long(0.002)) == 1
        assert sum(range(number)) == number * (number - 1) // 2


def test_a_slow_page_and_a_locked_document_are_errors(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(_: object) -> str:
        while True:
            time.sleep(0.001)

    packed = io.BytesIO()
    locked = canvas.Canvas(packed, encrypt="secret")
    locked.drawString(20, 700, WAYBILL)
    locked.save()
    assert reasons(lab.scan(packed.getvalue())) == ["encrypted"]
    with monkeypatch.context() as patch:
        patch.setattr(documents, "_page", forever)
        assert reasons(lab.scan(pdf([(WAYBILL, MAIL)]), budget=SMALL)) == ["not read within 0.3 seconds"]
    assert {hit.member for hit in lab.scan(pdf([(WAYBILL, MAIL)])).hits} == {"page 1"}
    assert reasons(lab.scan(b"%PDF-1.4 nothing"))[0].startswith("broken")


def test_what_refers_to_one_text_again_and_again_is_stopped(lab: Lab) -> None:
    cell = b"<c t='s'><v>0</v></c>"
    rows = b"<row>" + cell * 10 + b"</row>"
    book = io.BytesIO()

    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", f"<sst><si><t>{'x' * 2_000}</t></si></sst>")
        archive.writestr("xl/worksheets/sheet1.xml", b"<sheetData>" + rows * 200)
    assert "expands to more than" in reasons(lab.scan(book.getvalue(), budget=SMALL))[0]
    table = pa.table({"no": pa.DictionaryArray.from_arrays(pa.array([0] * 9_000, pa.int32()), ["x" * 1000])})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    assert "expands to more than" in reasons(lab.scan(sink.getvalue(), budget=SMALL))[0]


def test_offsets_of_an_arrow_file_are_checked(lab: Lab) -> None:
    whole = bytearray(arrow([(WAYBILL, MAIL)] * 3))
    place = whole.index(WAYBILL.encode()) - 64  # where the offsets of the first column stand
    whole[place + 4 : place + 8] = b"\xff\xff\xff\x7f"
    assert reasons(lab.scan(bytes(whole)))
    assert lab.scan(arrow([(WAYBILL, MAIL)])).errors == ()
    assert columns([(WAYBILL, MAIL)]).num_rows == 1


def test_a_database_runs_nothing_of_its_own(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "leak.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE rows (no TEXT, number INTEGER, float REAL, page BLOB)")
    values = (WAYBILL, int(OTHER_PHONE), float(OTHER_PHONE), MAIL.encode("utf-16"))
    connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", values)
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    connection.execute("CREATE VIEW loud AS SELECT randomblob(100000000) AS x FROM rows")
    connection.commit()
    connection.close()
    findings = lab.scan_files(path)
    assert {hit.member for hit in findings.hits} == {"rows"}
    assert {role for hit in findings.hits for role in hit.roles} == {"waybill_no", "email", "phone"}
    assert findings.errors == ()
    assert [one.name for one in tmp_path.iterdir()] == ["leak.db"]


def test_a_tree_of_pages_that_goes_round_ends(lab: Lab) -> None:
    whole = bytearray(sqlite([(f"{WAYBILL[:-4]}{number:04}", "x" * 300) for number in range(400)]))
    size = int.from_bytes(whole[16:18], "big")
    inner = next(at for at in range(size, len(whole), size) if whole[at] == 5)  # an inner page of the table
    whole[inner + 8 : inner + 12] = (inner // size + 1).to_bytes(4, "big")
    began = time.thread_time()
    assert reasons(lab.scan(bytes(whole), budget=SMALL))
    assert time.thread_time() - began < 20  # the kernel may have to be compiled


@pytest.mark.parametrize(
    "text",
    [
        "<a",
        "<a <",
        '<a "',
        '"<a" ',
        "<a-a",
        "<a x='",
        "<!--",
        " \n",
        "\n",
        "<" * 5,
        "data-a",
        "<w:tc><w:p>",
        "]]>",
    ],
)
def test_hostile_pages_cost_no_more_than_their_length(text: str) -> None:
    began = time.thread_time()
    markup.plain_text("<html>" + text * (300_000 // len(text)))
    assert time.thread_time() - began < 2


def test_a_page_that_is_cut_anywhere_gives_the_same_text() -> None:
    whole = page([(WAYBILL, MAIL, "a<b")] * 3).decode() + "<br>x<a href='tel:1'>y</a><![CDATA[z]]><!-- w -->"
    for step in (1, 7, 100):
        pieces = [whole[at : at + step] for at in range(0, len(whole), step)]
        assert "".join(markup.plain_texts(pieces)).split() == markup.plain_text(whole).split()


def test_a_mailbox_is_read_message_by_message(lab: Lab) -> None:
    whole = mbox(WAYBILL.encode())
    (hit,) = lab.scan(whole + whole).hits[:1]
    assert hit.member == "message 2/名单.csv"
    assert len(lab.scan(whole + whole).hits) == 2
    long = mbox(os.urandom(2 << 20))
    assert "a message longer than" in reasons(lab.scan(long, budget=Budget(held=1 << 20)))[0]


def test_mails_in_mails_are_read_and_endless_ones_end(lab: Lab) -> None:
    inner = MIMEMultipart()
    inner["From"], inner["To"] = "a@x.org", MAIL
    inner.attach(MIMEMultipart())
    outer = MIMEMultipart()
    outer["From"], outer["To"] = "a@x.org", "b@x.org"
    from email.mime.message import MIMEMessage

    outer.attach(MIMEMessage(inner))
    assert {hit.canary for hit in lab.scan(outer.as_bytes()).hits} == {"c-first"}
    deep = "From: a@x.org\nTo: b@x.org\n"
    for number in range(500):
        deep += f"Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n"
    findings = lab.scan(deep + f"\n{WAYBILL}\n", budget=Budget(members=300))
    assert {hit.canary for hit in findings.hits} == {"c-first"}


def test_a_web_archive_that_lies_is_an_error_and_what_it_holds_is_read(lab: Lab) -> None:
    whole = sent("", bytes)(WAYBILL.encode())
    plain = gzip.decompress(whole)
    assert "cut off" in reasons(lab.scan(plain[:-10]))[0]
    assert [hit.member for hit in lab.scan(plain[:-4]).hits] == ["response 1", "response 2"]
    endless = b"WARC/1.0\r\nContent-Length: 99999999\r\nWARC-Type: resource\r\n\r\n" + WAYBILL.encode()
    assert lab.scan(endless).hits
    assert "cut off" in reasons(lab.scan(endless))[0]
    assert "damaged" in reasons(lab.scan(b"WARC/1.0\r\nContent-Length: many\r\n\r\n"))[0]
    assert "headers longer" in reasons(lab.scan(b"WARC/1.0\r\n" + b"a: b\r\n" * 400_000))[0]
    kept_plain = sent("gzip", bytes, chunked=False)(WAYBILL.encode())
    assert lab.scan(kept_plain).hits
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert lab.scan(chunks + f"joined before {WAYBILL}".encode()).hits
    assert "a chunk is cut off" in reasons(lab.scan(chunks + b"fff\r\n" + WAYBILL.encode()))[0]


def test_what_only_looks_like_a_container_is_read_as_it_stands(lab: Lab) -> None:
    for start in (
        b"BZh",
        b"PK\x03\x04",
        b"PAR1",
        b"ARROW1",
        b"x\x9c",
        b"7z\xbc\xaf\x27\x1c",
        b"%PDF-",
        b"SQLite format 3\0",
    ):
        findings = lab.scan(start + f" {WAYBILL} ".encode())
        assert findings.errors
        assert {hit.canary for hit in findings.hits} == {"c-first"}, start


def test_utf_16_among_other_bytes_is_read(lab: Lab) -> None:
    noise = bytes(range(256)) * 20
    data = noise + MAIL.encode("utf-16-le") + noise + OTHER_PHONE.encode("utf-16-be") + noise
    assert {hit.canary for hit in lab.scan(data).hits} == {"c-first", "c-second"}
    (hit, *_) = lab.scan(noise + MAIL.encode("utf-16-le") + noise).hits
    assert hit.offset == len(noise)


def test_a_file_in_several_encodings_is_read_stretch_by_stretch(lab: Lab) -> None:

    line = f"收件人 {NAME} 地址 {ADDRESS}\n\n\n\n\n"
    filler = "这是一封普通的信，没有什么特别的内容。\n" * 3000
    data = (filler + line).encode() + (filler + line).encode("gb18030") + (filler + line).encode()
    findings = lab.scan(data)
    hits = [hit for hit in findings.hits if "name_address" in hit.roles]
    assert len(hits) == 3
    places = [
        data.index(ADDRESS.encode()),
        data.index(ADDRESS.encode("gb18030")),
        data.rindex(ADDRESS.encode()),
    ]
    assert all(0 <= place - hit.offset < 30 for hit, place in zip(hits, places, strict=True))
    assert len({hit.record for hit in hits}) == 3
    mixed = b"".join(
        (f"第{number}行 {NAME}，{ADDRESS}\n\n\n\n\n").encode("gb18030" if number % 2 else "utf-8")
        for number in range(40)
    )
    assert sum("name_address" in hit.roles for hit in lab.scan(mixed).hits) == 40


def test_a_long_member_is_spooled_and_nothing_is_left(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    inner = zipped(os.urandom(3000) + WAYBILL.encode())
    findings = lab.scan(zipped(inner), budget=Budget(held=1000))
    assert {hit.canary for hit in findings.hits} == {"c-first"}

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with seekable(b"", Pipe(inner), Budget(held=1000)) as copy:
        copy.read(10)
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_formulas_and_prefixed_mails_in_cells_are_read(lab: Lab) -> None:
    import openpyxl

    whole = openpyxl.Workbook()
    sheet = whole.active
    assert sheet is not None
    sheet.append([f'=HYPERLINK("mailto:{MAIL}","write")', f'="{OTHER_PHONE}"'])
    packed = io.BytesIO()
    whole.save(packed)
    assert {hit.canary for hit in lab.scan(packed.getvalue()).hits} == {"c-first", "c-second"}
    assert lab.scan(attached(packed.getvalue())).hits


def test_a_zip_that_was_cut_off_is_read_as_far_as_it_goes(lab: Lab) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.csv", WAYBILL)
        archive.writestr("名单.csv", MAIL, zipfile.ZIP_STORED)
        archive.writestr("last.csv", os.urandom(3000) + OTHER_PHONE.encode())
    whole = packed.getvalue()
    findings = lab.scan(whole[: whole.index(b"last.csv") + 900])
    assert {(hit.canary, hit.member) for hit in findings.hits} == {
        ("c-first", "first.csv"),
        ("c-first", "名单.csv"),
    }
    told = {error.member: error.reason for error in findings.errors}
    assert told.keys() == {None, "last.csv"}
    assert told[None] == "broken: file is not a zip file"
    assert len(lab.scan(gzip.compress(whole[:-30])).hits) == 3


def test_members_of_every_archive_are_given_as_they_are() -> None:
    from canary.scan.budget import Spent
    from canary.scan.members import members as given
    from canary.scan.parts import Place

    data = WAYBILL.encode() * 50
    packs = (
        zipped,
        sevenzip,
        tarred,
        zlib.compress,
        lambda one: zipped(sevenzip(one)),
        lambda one: zipped(one)[:-9],
    )
    for pack in packs:
        whole = pack(data)
        found = [
            part.read()
            for _, part in given(io.BytesIO(whole), Place("x", packed=len(whole)), Spent(Budget()))
        ]
        assert found == [data]
    assert list(given(io.BytesIO(sevenzip(data)[:40]), Place("x"), Spent(Budget()))) == []


def test_han_among_other_bytes_is_read(lab: Lab) -> None:
    row = b"\x00\x01\x02\x03" * 9 + f"{NAME}\0\0{ADDRESS}\0{OTHER_PHONE}".encode() + b"\x04\x05" * 9
    noise = bytes(range(256)) * 20
    assert any("name_address" in hit.roles for hit in lab.scan(row * 3).hits)
    assert {hit.canary for hit in lab.scan(noise + OTHER_PHONE.encode() + noise).hits} == {"c-second"}


def test_many_small_bombs_are_one(lab: Lab) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.csv", WAYBILL)
        for number in range(40):
            archive.writestr(f"{number}.txt", b"0" * 100_000)
    whole = packed.getvalue()
    findings = lab.scan(whole, budget=Budget(file_free=1_000_000, file_ratio=10))
    assert [hit.member for hit in findings.hits] == ["first.csv"]
    assert {error.reason for error in findings.errors} == {"the whole file expands to more than it may"}
    assert 25 < len(findings.errors) < 35
    assert lab.scan(whole).errors == ()
