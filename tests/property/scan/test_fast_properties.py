"""The fast engine gives what the plain engine gives: the same hits, the same counts."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.model.evidence import Findings
from canary.scan.budget import Budget, Spent
from canary.scan.candidates import contacts
from canary.scan.engine import scan_stream
from canary.scan.fast import FORMS, FastScan, Sweeper
from canary.scan.parts import Place
from canary.scan.search import Scan
from tests.scanlab import ADDRESS, KEYS, MAIL, OTHER_ADDRESS, OTHER_PHONE, WAYBILL, two_canaries, value

LAB = two_canaries()
LAB.issue(value("address", "人民路五号A座三楼", 30.0), id="c-third")
ISSUED = [
    "12 North Main Street, Springfield",
    "人民路五号A座三楼",
    ADDRESS,
    OTHER_ADDRESS,
    MAIL,
    WAYBILL,
    OTHER_PHONE,
]
PIECES = [
    "2024-01-05 12:30:22", "13812345678", "(415) 555-2671", "138,1234,5678", "a.b-c_d@mail.example.co.uk", "1.50",
    "12345678.00", "YT1234567890123", "550e8400-e29b-41d4-a716-446655440000", "d41d8cd98f00b204e9800998ecf8427e",
    "10.0.0.1", "SO-2024-001235", "AB 1234567", "http://x.com/a1/b2", "张伟", "李 娜", "解放路九百九十八号2单元501室",
    "1380013800013800138", "abc13800138000x", "1 3 8 0 0 1 3 8 0 0 0", "2024/1/5", "2024-10-0512:30", "-x@y.com",
    "internationalization", "110101199003070015", "11010119900307001X", "6222 0212 3456 7890", "tel:+86-138-0013-8000",
    "一二三", "1,2,3", "x--y-1_z9.a", "123-456_789 01 2", "86 13800138000", "1380.0000000", "PO_2024-1234", "00861",
    "京A12345", "二〇二四年一二三四", "a at b.com", "aGVsbG8gMTM4MDAxMzgwMDA=", "%31%33", "&#49;", "１３８", "\u200b",
]  # fmt: skip
JOINTS = [",", ",", "\n", " ", "\t", "，", "。", "|", " \n", "----", ";", "·", "-", "/", ""]


def texts(seed: int, pieces: list[str], most: int) -> str:
    rng = random.Random(seed)
    return "".join(rng.choice(pieces) + rng.choice(JOINTS) for _ in range(rng.randrange(1, most)))


def read(kind: type[Scan], text: str) -> Findings:
    data = text.encode("utf-8", "surrogatepass")
    scan = kind(LAB.index, LAB, KEYS, block_size=1 << 12)
    if isinstance(scan, FastScan):
        scan.slowly = 0
    scan_stream(io.BytesIO(data), Place("leak", packed=len(data)), scan, Spent(Budget()))
    return scan.findings()


def counts(findings: Findings) -> dict[tuple[str, ...], int]:
    """Leave out the addresses, which the fast engine counts by their text: too many rather than too few."""
    shaped = findings.candidates.shaped
    return {shape: count for shape, count in shaped.items() if not any("address" in one for one in shape)}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), table=st.booleans())
def test_both_engines_find_and_count_the_same(seed: int, table: bool) -> None:
    text = texts(seed, [*PIECES * 2, *ISSUED], 60)
    if table:
        rows = [f"{number},{line},x{number}@y.cn" for number, line in enumerate(text.split("\n"))]
        text = "n,remark,mail\n" + "\n".join(rows)
    fast, plain = read(FastScan, text), read(Scan, text)
    assert fast.hits == plain.hits
    assert fast.rows == plain.rows
    assert counts(fast) == counts(plain)


@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 2**32), text=st.text(alphabet="0123456789019 -+@.aAbZx,|_/()路\n:*·", max_size=60))
def test_the_kernel_gives_the_candidates_of_the_plain_engine(seed: int, text: str) -> None:
    text += texts(seed, PIECES[:37], 12)
    swept = Sweeper(frozenset({"phone", "code", "email"})).sweep(text)
    assert swept is not None
    if len(swept.hard):  # the plain engine reads these
        return
    given_back = sorted(
        (FORMS[form], swept.canon[at : at + size].tobytes().decode(), start, end)
        for form, start, end, at, size, _ in swept.rows.tolist()
    )
    assert given_back == sorted(each[:4] for each in contacts(text))


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None)
@given(seed=st.integers(0, 2**64))
def test_both_engines_find_the_same_for_long(seed: int) -> None:
    text = texts(seed, [*PIECES * 3, *ISSUED], 400)
    assert read(FastScan, text).hits == read(Scan, text).hits
