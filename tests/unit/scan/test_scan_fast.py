"""The fast engine where a property test does not look: growth, overflow, long lines, and where it starts."""

from __future__ import annotations

import base64
import io
import random
from itertools import accumulate

import numpy as np
import pytest

from canary.model.evidence import Findings
from canary.scan.budget import Budget, Spent
from canary.scan.decode import CHUNK, WINDOW, _smaller, _windows
from canary.scan.engine import scan_stream
from canary.scan.fast import FastScan
from canary.scan.index import ArrayIndex
from canary.scan.kernel import Sweeper
from canary.scan.parts import Place
from canary.scan.pieces import pieces
from canary.scan.records import LINES_OF_TABLE
from canary.scan.search import Scan
from canary.scan.seen import Seen
from canary.scan.spots import AddressMarks
from canary.scan.sweepwork import LEAD, MOST_STARTS, PAD, PHONE, key_table
from tests.scanlab import ADDRESS, KEYS, MAIL, OTHER_PHONE, WAYBILL, Lab, value


def read(kind: type[Scan], lab: Lab, text: str) -> Findings:
    data = text.encode()
    scan = kind(lab.index, lab, KEYS)
    if isinstance(scan, FastScan):
        scan.slowly = 0
    scan_stream(io.BytesIO(data), Place("leak", packed=len(data)), scan, Spent(Budget()))
    return scan.findings()


def rows(count: int) -> list[str]:
    rng = random.Random(5)
    return [
        f"{n},139{rng.randrange(10**8):08d},u{n}@b.cn,YT{rng.randrange(10**13):013d}" for n in range(count)
    ]


def bare() -> Lab:
    """Issue a phone and a mail address, and no address: what is spelt otherwise is the kernel's then."""
    made = Lab()
    made.issue(value("phone", OTHER_PHONE, 26.0), value("email", MAIL, 40.0), id="c-bare")
    return made


LEFT_TO_PYTHON = {
    "a long name of HTML": f"{OTHER_PHONE}&CounterClockwiseContourIntegral;&#64;",
    "base64 of UTF-16": base64.b64encode(OTHER_PHONE.encode("utf-16-le")).decode(),
    "base64 of GB18030": base64.b64encode(f"电话{OTHER_PHONE}".encode("gb18030")).decode(),
    "percent signs of four bytes": f"%81%30%81%30{OTHER_PHONE.replace('1', '%31')}",
    "cells between two steps": f"x,{OTHER_PHONE[:3]},&#{ord(OTHER_PHONE[3])};{OTHER_PHONE[4:7]},{OTHER_PHONE[7:]}%41",
}


@pytest.mark.parametrize("spelt", LEFT_TO_PYTHON.values(), ids=LEFT_TO_PYTHON.keys())
def test_what_the_kernel_leaves_is_decoded_by_python(spelt: str) -> None:
    text = "n,what\n" + "1,nothing\n" * 40 + f"2,{spelt},x\n" + "3,nothing\n" * 40
    fast, plain = read(FastScan, bare(), text), read(Scan, bare(), text)
    assert [hit.canary for hit in fast.hits] == ["c-bare"]
    assert fast.hits == plain.hits


@pytest.mark.parametrize("way", ["unfold", "unpack"])
def test_where_the_kernel_has_no_room_python_decodes(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sweeper, way, lambda *_: None)
    for spelt in (OTHER_PHONE.replace("1", "１"), base64.b64encode(OTHER_PHONE.encode()).decode()):
        text = "n,what\n" + "1,nothing\n" * 40 + f"2,{spelt},x\n"
        assert [hit.canary for hit in read(FastScan, bare(), text).hits] == ["c-bare"]


def test_distinct_candidates_of_a_large_table_are_bounded(lab: Lab) -> None:
    lines = rows(9000)
    lines[8000] = f"8000,{OTHER_PHONE},{MAIL},{WAYBILL}"
    text = "n,phone,mail,no\n" + "\n".join(lines) + "\n" + "\n".join(lines[:50]) + "\n"
    fast, plain = read(FastScan, lab, text), read(Scan, lab, text)
    assert (fast.hits, fast.rows) == (plain.hits, plain.rows)
    for shape, count in plain.candidates.shaped.items():
        assert count <= fast.candidates.shaped[shape] <= 1.2 * count + 16


def test_one_long_line_of_prose_is_read(lab: Lab) -> None:
    text = "他说了很多话 " * 3000 + f"电话{OTHER_PHONE}住在{ADDRESS} " + "and then some more words " * 900
    fast, plain = read(FastScan, lab, text), read(Scan, lab, text)
    assert fast.hits == plain.hits
    assert fast.hits


def test_a_digest_is_found_among_other_digests(lab: Lab) -> None:
    import hashlib

    text = "".join(hashlib.md5(str(n).encode()).hexdigest() + "\n" for n in range(50))
    text += hashlib.md5(OTHER_PHONE.encode()).hexdigest() + "\n"
    assert [hit.roles for hit in read(FastScan, lab, text).hits] == [{"phone": "md5"}]


def test_what_the_kernel_has_no_room_for_is_left_to_the_plain_engine(lab: Lab) -> None:
    text = f"{OTHER_PHONE}\n" + "\n" * (MOST_STARTS + 1) + f"1,{MAIL}\n"
    fast, plain = read(FastScan, lab, text), read(Scan, lab, text)
    assert fast.hits == plain.hits
    assert fast.rows == plain.rows


def test_without_a_compiler_the_plain_engine_reads(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.scan.fast.has_cipher", lambda: False)
    text = f"a,b\n1,{OTHER_PHONE}\n"
    assert read(FastScan, lab, text).hits == read(Scan, lab, text).hits


def test_a_full_table_counts_each_candidate_as_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.scan.seen.SMALLEST", 16)
    monkeypatch.setattr("canary.scan.seen.LARGEST", 16)
    seen = Seen(bytes(8))
    canon = np.frombuffer(b"".join(b"%03d" % n for n in range(20)), np.uint8)
    many = np.array([(1, 0, 3, 3 * n, 3, 1) for n in range(20)], np.int32)
    slots, fresh = seen.note(many, canon)
    assert len(fresh) == 20
    assert (slots < 0).sum() == 8
    assert len(seen.note(many, canon)[1]) == 8
    assert int(seen.counts.sum()) == 28


def test_an_index_turns_away_what_was_not_issued(lab: Lab) -> None:
    keys = np.array([7, *(key for key, *_ in lab.rows()), -9], np.int64)
    assert lab.index.holds(keys).tolist() == list(range(1, len(keys) - 1))
    assert ArrayIndex.build([]).holds(keys).tolist() == []


@pytest.mark.parametrize(
    ("issued", "spelt"),
    [
        ("文一西路998-18-2-501", "浙江省杭州市西湖区文一西路 998 号海创园18幢"),
        ("人民路15a3", "人民路十五号A座三楼"),
        ("广东路8", "廣東路8號"),
        ("12 n main st springfield", "lives at 12 North Main Street, Springfield"),
        ("12b oak ave", "12B Oak Avenue"),
        ("路5", "长安路五号"),
    ],
)
def test_an_issued_address_is_spotted_however_it_is_spelt(issued: str, spelt: str) -> None:
    marks = AddressMarks([issued])
    found = marks.spot(spelt, cells=True)
    assert found is not None
    assert len(found.spots) >= 1


def test_other_addresses_are_turned_away() -> None:
    marks = AddressMarks(["文一西路998-18-2-501", "12 n main st springfield", "", "no number"])
    found = marks.spot("解放路12号3幢 and 14 North Main Street\n" * 20, cells=True)
    assert found is not None
    assert len(found.spots) == 0
    assert len(found.runs) == 20


def test_a_value_of_another_role_beside_addresses_is_found() -> None:
    lab = Lab()
    lab.issue(value("address", ADDRESS, 30.0), value("order_no", "SO-2024-001234", 30.0))
    text = "n,where,no\n" + "".join(f"{n},解放路{n}号2幢,SO-2024-{n:06d}\n" for n in range(1230, 1240))
    fast, plain = read(FastScan, lab, text), read(Scan, lab, text)
    assert fast.hits == plain.hits
    assert len(fast.hits) == 1


def test_pieces_are_cut_at_new_lines_and_followed_by_some() -> None:
    lines = [f"{number},{'x' * (number % 90)}\n" for number in range(3000)]
    chunks = ["".join(lines[at : at + 70]) for at in range(0, 3000, 70)]
    read = ""
    for piece in pieces(chunks, LINES_OF_TABLE, 9000):
        assert piece.buffer[piece.end : piece.end + PAD].tolist() == [10] * PAD
        read += piece.text(LEAD, piece.end)
        assert read.endswith("\n")
    assert read == "".join(lines)


def test_a_stream_is_cut_into_windows_at_new_lines_whatever_it_gives_at_once() -> None:
    class Drops(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7000))

    long = (b"x" * 3000 + b",") * (5 * CHUNK // 3001)
    text = b"a,1\n" * 9000 + b"b\n" * 700_000 + long + b"\nend"
    for stream in (Drops(text), io.BytesIO(text)):
        found = _windows(stream, stream.read(100), 0)  # type: ignore[arg-type]
        windows = [(place, bytes(window.data)) for place, window in found]
        assert b"".join(window for _, window in windows) == text
        assert [place for place, _ in windows] == [0, *accumulate(len(window) for _, window in windows[:-1])]
        assert windows[0][1].endswith(b"\n")
        assert max(len(window) for _, window in windows) < 2 * CHUNK + 7000
        few = [each for place, window in windows for each in _smaller(place, window)]
        assert b"".join(data for _, data in few) == text
        assert all(text[place:].startswith(data) for place, data in few)
        assert len(few[0][1]) <= WINDOW
    assert any(window.endswith(b",") for _, window in windows)


def test_the_kernel_gives_what_is_among_the_keys_of_the_index() -> None:
    rows = "n,phone\n" + "".join(f"{n},139{n:08d}\n" for n in range(400))
    every = np.sort(KEYS.scan_keys("phone", [f"139{n:08d}" for n in range(400)]))
    bloom = np.full(64, 2**64 - 1, np.uint64)
    (piece,) = pieces([rows], LINES_OF_TABLE)
    for known in ((every[::7], every[3::90]), (every[:0], every[:1]), (every[-1:],)):
        swept = Sweeper(key_table(KEYS), frozenset({"phone"}), bloom, None, known).sweep(
            piece, LINES_OF_TABLE
        )
        assert swept is not None
        phones = swept.found[swept.found[:, 3] == PHONE, 0]
        assert sorted(phones.tolist()) == sorted({*np.concatenate(known).tolist()})
