"""The fast engine gives what the plain engine gives: the same hits, the same counts."""

from __future__ import annotations

import base64
import io
import random
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.model.evidence import Findings, Hit
from canary.scan.budget import Budget, Spent
from canary.scan.candidates import LONGEST_CODE, contacts
from canary.scan.engine import scan_stream
from canary.scan.fast import FastScan
from canary.scan.kernel import Sweeper, counts_of
from canary.scan.parts import Place
from canary.scan.pieces import pieces
from canary.scan.records import LINES_OF_TABLE, PROSE
from canary.scan.regions import apart
from canary.scan.search import Scan
from canary.scan.spellings import base64_texts, views
from canary.scan.sweepwork import BLOCKS, FORMS, LEAD, key_table
from canary.scan.tally import shape_of
from tests.scanlab import (
    ADDRESS,
    KEYS,
    MAIL,
    OTHER_ADDRESS,
    OTHER_PHONE,
    PHONE,
    WAYBILL,
    Lab,
    two_canaries,
    value,
)

BLOCK_SIZE = 1 << 12
LAB = two_canaries()
LAB.issue(value("address", "人民路五号A座三楼", 30.0), id="c-third")
BARE = Lab()  # nobody's address
BARE.issue(value("phone", PHONE, 26.0), value("email", MAIL, 40.0), id="c-first")
BARE.issue(value("waybill_no", WAYBILL, 30.0), value("phone", OTHER_PHONE, 26.0), id="c-second")
FIELDS = (("phone", PHONE), ("phone", OTHER_PHONE), ("email", MAIL), ("code", WAYBILL))
SPELT = [
    "１４０１２３４５６７８", "1\u200b40\u200b1234\u200b5678", "&#49;40&#49;2345678", "\\u0031401234\\u00355678",
    "%3140%3112345678", "一四〇一二三四五六七八", "lin.mq82 [at] mail.acme.cn", "lin.mq82 at mail dot acme dot cn",
    "MTQwMTIzNDU2Nzg=", "140，1234。5678", "YT71\u200b12345678901", "=31401234=35678", "140&nbsp;1234&nbsp;5678",
    "lin.mq82＠mail.acme.cn", "eXQ3MTEyMzQ1Njc4OTAx", "1 4 0 1 2 3 4 5 6 7 8", "1-4-0-1-2-3-4-5-6-7-8",
    "_lin.mq82@mail.acme.cn_", "<.lin.mq82@mail.acme.cn>",
]  # fmt: skip
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


def read(kind: type[Scan], text: str, lab: Lab = LAB) -> Findings:
    data = text.encode("utf-8", "surrogatepass")
    scan = kind(lab.index, lab, KEYS, block_size=BLOCK_SIZE)
    if isinstance(scan, FastScan):
        scan.slowly = 0
    scan_stream(io.BytesIO(data), Place("leak", packed=len(data)), scan, Spent(Budget()))
    return scan.findings()


def by_place(findings: Findings) -> list[Hit]:
    return sorted(findings.hits, key=lambda hit: (hit.offset, hit.canary))


def counts(findings: Findings) -> dict[tuple[str, ...], int]:
    """Leave out the addresses, of which the fast engine counts stretches that look like one."""
    shaped = findings.candidates.shaped
    return {shape: count for shape, count in shaped.items() if not any("address" in one for one in shape)}


def fewer(fast: Findings, plain: Findings) -> dict[tuple[str, ...], int]:
    """Give what the fast engine counts too few of: a bound is never below the truth."""
    bound = counts(fast)
    return {shape: count for shape, count in counts(plain).items() if bound.get(shape, 0) < count}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), table=st.booleans())
def test_both_engines_find_the_same_and_the_fast_one_counts_no_less(seed: int, table: bool) -> None:
    text = texts(seed, [*PIECES * 2, *ISSUED], 60)
    if table:
        rows = [f"{number},{line},x{number}@y.cn" for number, line in enumerate(text.split("\n"))]
        text = "n,remark,mail\n" + "\n".join(rows)
    fast, plain = read(FastScan, text), read(Scan, text)
    assert fast.hits == plain.hits
    assert fast.rows == plain.rows
    assert fewer(fast, plain) == {}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), table=st.booleans())
def test_what_is_spelt_otherwise_is_found_where_the_plain_engine_finds_it(seed: int, table: bool) -> None:
    text = texts(seed, [*PIECES, *SPELT * 2], 40)
    if table:
        text = "n,remark\n" + "\n".join(f"{n},{line}" for n, line in enumerate(text.split("\n")))
    issued_shapes = {(shape_of(form, text_of),) for form, text_of in FIELDS}
    fast, plain = read(FastScan, text, BARE), read(Scan, text, BARE)
    assert fast.hits == plain.hits
    assert fast.rows == plain.rows
    assert issued_shapes.isdisjoint(fewer(fast, plain))  # where passages are cut the plain engine sees others


ODD_MARKS = frozenset("=#&·，。；")
EVERY = np.full(64, 2**64 - 1, np.uint64)  # a Bloom filter that turns nothing away


def keyed(text: str) -> set[tuple[str, int]]:
    """Give the candidates of the plain engine, keyed."""
    found = set()
    for each in contacts(text):
        if len(each.canonical) > LONGEST_CODE:
            continue  # no canary has one
        if each.form == "hash":
            key = int(np.uint64(int(each.canonical[:16], 16)).astype(np.int64))
        else:
            key = int(KEYS.scan_keys(each.form, [each.canonical])[0])
        found.add((each.form, key))
    return found


@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 2**32), text=st.text(alphabet="0123456789019 -+@.aAbZx,|_/()路\n:*·", max_size=60))
def test_the_kernel_keys_the_candidates_of_the_plain_engine(seed: int, text: str) -> None:
    text += texts(seed, PIECES[:37], 12)
    sweeper = Sweeper(key_table(KEYS), frozenset({"phone", "code", "email"}), EVERY)
    for piece in pieces([text], LINES_OF_TABLE):
        swept = sweeper.sweep(piece, LINES_OF_TABLE)
        assert swept is not None
        if len(swept.hard) or len(swept.odd) or len(swept.packed):  # read otherwise
            return
        found = {(FORMS[form], key) for key, _, _, form in swept.found.tolist()}
        assert found >= keyed(text)
        if ODD_MARKS.isdisjoint(
            text
        ):  # of others it takes some for phones that are none: the plain engine judges
            assert found == keyed(text)


NESTED = [
    "&#49;40&#49;2345678", "1\u200b4012345678%41", "%31401&#50;345678", "&amp;#49;4012345678", "=31401234=35678",
    "&#x31;３８,0013,8000%31", "138,&#48;013,8000%31", "%3138,0013,8000&#49;", '138",&#48;0123,800%30', "8000%31",
    "138，&#48;013,8000%31", "lin.mq82&#64;mail.acme.cn", "lin&#46;mq82 [at] mail.acme.cn%41", "a&#32;at\nb.com",
    "a&#32;@\n", "at\nb.com", "b.com", "\\,", "\\", "%5C", "=\n", "=3D31", "&#44;", "%2C", "&quot;", "一二三四五六七八",
    "１３８", "&#65297;", "\\u0031", "\u200b", "1", "13800138000", "+", "%2B", "&nbsp;", "&#13;", "艾特", "(", ")",
    "\u3010点】", "YT7112345678901", "t", "d", "\n", "\n", '"', ",", ",", ", ", " ",
]  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(parts=st.lists(st.sampled_from(NESTED), max_size=14), many=st.booleans())
def test_what_a_text_stands_for_is_keyed_as_the_views_of_the_plain_engine_are(
    parts: list[str], many: bool
) -> None:
    text = "".join(parts) * (30 if many else 1)
    sweeper = Sweeper(key_table(KEYS), frozenset({"phone", "code", "email"}), EVERY)
    if not text:
        return
    (piece,) = pieces([text], PROSE)
    plain, unfolded = sweeper.sweep(piece, PROSE), sweeper.unfold(piece, LEAD, piece.end)
    assert plain is not None
    if unfolded is None or any(map(len, (plain.hard, unfolded.hard, unfolded.left))):  # read otherwise
        return
    rows = np.concatenate([plain.found, unfolded.found])
    found = {(FORMS[form], key) for key, _, _, form in rows.tolist()}
    for view, _, transform in views(text):
        assert found >= keyed(view), (view, transform)
    assert ((unfolded.found[:, 1] >= LEAD) & (unfolded.found[:, 2] <= piece.end)).all()


PACKED = [
    "13800138000", "a@b.cn", "YT7112345678901", "张伟 138-0013-8000", "x" * 60, "&#49;3800138000",
    "１３８００１３８０００", "138", "0013", "8000", "\n", ",", "\x07", "\ufeff",
]  # fmt: skip


@st.composite
def packed(draw: st.DrawFn) -> str:
    """Write texts in base64, in one of some encodings, broken into lines or not, with other things between."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    text = ""
    for _ in range(rng.randrange(1, 6)):
        data = "".join(rng.choices(PACKED, k=rng.randrange(1, 7))).encode(
            rng.choice(["utf-8"] * 4 + ["gb18030", "utf-16-le"])
        )
        data = rng.choice([data, data, rng.randbytes(rng.randrange(100)), data + rng.randbytes(3)])
        for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
            data = rng.choice([base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])(data)
        word = data.decode().rstrip("\n=") if rng.random() < 0.4 else data.decode()
        width = rng.choice([76, 64, 30, 5000])
        text += rng.choice(["\n", "\r\n"]).join(textwrap.wrap(word, width)) + rng.choice(
            [",", "\n", "/", "-", " ", "=="]
        )
    return text


@settings(max_examples=300, deadline=None)
@given(text=packed())
def test_what_stands_in_base64_is_keyed_as_the_plain_engine_keys_it(text: str) -> None:
    sweeper = Sweeper(key_table(KEYS), frozenset({"phone", "code", "email"}), EVERY)
    (piece,) = pieces([text], PROSE)
    plain = sweeper.sweep(piece, PROSE)
    assert plain is not None
    unpacked = sweeper.unpack(piece, plain.packed)
    assert unpacked is not None
    if len(unpacked.hard) or len(unpacked.left):
        return
    found = {(FORMS[form], key) for key, _, _, form in unpacked.found.tolist()}
    for inner, _ in base64_texts(text):
        for view in (inner, *(view for view, _, _ in views(inner))):
            assert found >= keyed(view), view


def covered(rows: np.ndarray, others: np.ndarray, by: int) -> bool:
    """Tell whether some stretches are covered by others that are made a little wider."""
    wider = list(apart((first - by, last + by) for first, last in sorted(others.tolist())))
    return all(any(a <= first and last <= b for a, b in wider) for first, last in rows.tolist())


def joined(rows: np.ndarray, lines: int) -> list[tuple[int, int]]:
    """Join stretches as near as the kernel joins them, in whatever order it found them."""
    wider = ((first - lines, last - lines + 256) for first, last in sorted(rows.tolist()))
    return list(apart(wider))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), before=st.integers(64 * BLOCKS - 300, 64 * BLOCKS + 10), odd=st.booleans())
def test_where_masks_are_made_anew_nothing_is_missed_or_told_twice(seed: int, before: int, odd: bool) -> None:
    text = texts(seed, PIECES if odd else PIECES[:37], 30)
    sweeper = Sweeper(key_table(KEYS), frozenset({"phone", "code", "email"}), EVERY)
    told: list[object] = []
    odds: list[np.ndarray] = []
    for lines in (0, before):  # before the text: behind them its masks are not all made at one go
        (piece,) = pieces(["\n" * lines + text], LINES_OF_TABLE)
        found = sweeper.sweep(piece, LINES_OF_TABLE)
        assert found is not None
        keys = sorted(map(tuple, (found.found[:, :3] - (0, lines, lines)).tolist()))
        starts = (found.starts[found.starts > LEAD + lines] - lines).tolist()
        told.append((keys, starts, *(joined(each, lines) for each in (found.hard, found.packed))))
        odds.append(found.odd - lines)
    assert told[0] == told[1]
    assert covered(*odds, 64 + 256)  # what is odd is told to the end of a block
    assert covered(*odds[::-1], 64 + 256)


def swept(text: str) -> set[tuple[str, int]]:
    """Give the keys that the kernel looks up in a table."""
    sweeper = Sweeper(key_table(KEYS), frozenset({"phone", "code", "email"}), EVERY)
    rows = [sweeper.sweep(piece, LINES_OF_TABLE) for piece in pieces([text], LINES_OF_TABLE)]
    return {(FORMS[form], key) for each in rows if each for key, _, _, form in each.found.tolist()}


@pytest.mark.parametrize("text", ["1380.0000000，2024-01-05", "10.0.0.1，6222 0212", "138 0013 8000，12"])
def test_what_follows_a_phone_like_an_extension_hides_it_not(text: str) -> None:
    assert swept(text) >= keyed(text)


def test_a_wide_digit_or_a_sign_of_no_width_that_is_no_mark_ends_a_number_in_groups() -> None:
    for sign in "１\u2060":
        text = f"=31401234=35678{sign}=6222=0212"
        assert swept(text) >= keyed(text)


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None)
@given(seed=st.integers(0, 2**64))
def test_both_engines_find_the_same_for_long(seed: int) -> None:
    text = texts(seed, [*PIECES * 3, *ISSUED], 400)
    assert by_place(read(FastScan, text)) == by_place(read(Scan, text))


@pytest.mark.parametrize("kind", [Scan, FastScan])
def test_a_record_over_the_end_of_a_block_is_told_once_with_all_its_fields(kind: type[Scan]) -> None:
    """The next block sees it again: whole, where it begins late, or what is left of it, where it begins early."""
    filler = "说明文字。\n" * 700
    for before in range(0, 900, 7):
        text = filler[: BLOCK_SIZE - before] + f" {MAIL} 其他\n文字 {WAYBILL} 其他\n文字 {MAIL} " + filler
        found = read(kind, text).hits
        assert [sorted(hit.roles) for hit in found] == [["email", "waybill_no"]]


def base64_texts_of(text: str) -> list[str]:
    return [inner for inner, _ in base64_texts(text)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), table=st.booleans())
def test_where_shapes_are_known_nothing_is_missed_and_those_that_were_issued_are_counted(
    seed: int, table: bool
) -> None:
    spelt = [
        each for each in (*PIECES, *SPELT, *ISSUED) if not base64_texts_of(each)
    ]  # whose pairs no view shows
    text = texts(seed, spelt, 60)
    if table:
        text = "n,remark\n" + "\n".join(f"{n},{line}" for n, line in enumerate(text.split("\n")))
    plain = read(Scan, text, BARE)
    BARE.index.shapes = frozenset({"phone:mobile", "code:15", "email"})
    try:
        fast = read(FastScan, text, BARE)
    finally:
        BARE.index.shapes = None
    assert (fast.hits, fast.rows) == (plain.hits, plain.rows)
    issued = {(shape_of(form, canonical),) for form, canonical in FIELDS}
    assert issued.isdisjoint(fewer(fast, plain))
    pairs = {pair for pair in fewer(fast, plain) if len(pair) == 2 and {(each,) for each in pair} <= issued}
    assert pairs == set()


def test_what_no_canary_can_be_is_neither_looked_up_nor_counted() -> None:
    rows = "n,what,mail\n" + "".join(f"AB{n:05d},139{n:08d},a{n}@b.cn\n" for n in range(300))
    sweeper = Sweeper(key_table(KEYS), frozenset({"phone", "code", "email"}), EVERY, {"code:7", "email"})
    (piece,) = pieces([rows], LINES_OF_TABLE)
    found = sweeper.sweep(piece, LINES_OF_TABLE)
    assert found is not None
    assert sorted({FORMS[form] for form in found.found[:, 3].tolist()}) == ["code", "email"]
    assert {shape for shape in counts_of(sweeper) if len(shape) == 1} == {
        ("name",), ("code:7",), (shape_of("email", "a1@b.cn"),)
    }  # fmt: skip
