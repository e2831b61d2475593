"""Random spellings are found, random bytes never raise, and cuts do not matter."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import quopri
import random
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.scan.decode import decode_bytes, detect_encoding
from canary.scan.parts import TextPart
from canary.scan.records import CSV, PROSE, SQL, blocks, detect_layout
from canary.scan.search import Scan
from tests.scanlab import KEYS, MAIL, OTHER_PHONE, WAYBILL, Lab, two_canaries

LAB = two_canaries()
Spell = Callable[[str, random.Random], str]


def separated(text: str, rng: random.Random) -> str:
    mark = rng.choice("- ./·_–)")
    cuts = sorted(rng.sample(range(2, len(text) - 2), 2))
    return mark.join((text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]))


def prefixed(text: str, rng: random.Random) -> str:
    return rng.choice(["+86", "0086", "86", "+86 ", "(+86)", "+86-", "86 ", "tel:+86", "sms:0086"]) + text


def wide(text: str, rng: random.Random) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if rng.random() < 0.7 else sign for sign in text)


def numerals(text: str, rng: random.Random) -> str:
    tables = ["〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "零一二三四五六七八九"]
    table = rng.choice(tables)
    return "".join(table[int(sign)] if rng.random() < 0.8 else sign for sign in text)


def zero_width(text: str, rng: random.Random) -> str:
    return "".join(
        sign + (rng.choice("\u200b\u200c\u200d\u2060\ufeff\u00ad") if rng.random() < 0.5 else "")
        for sign in text
    )


def entities(text: str, rng: random.Random) -> str:
    kinds = ("&#{0};", "&#x{0:x};", "&#X{0:X};", "&#0{0};")
    return "".join(
        rng.choice(kinds).format(ord(sign)) if rng.random() < 0.6 else html.escape(sign) for sign in text
    )


def escapes(text: str, rng: random.Random) -> str:
    return "".join(f"\\u{ord(sign):04x}" if rng.random() < 0.6 else json.dumps(sign)[1:-1] for sign in text)


def percent(text: str, rng: random.Random) -> str:
    return "".join(f"%{ord(sign):02X}" if rng.random() < 0.6 else urllib.parse.quote(sign) for sign in text)


def quoted(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text))
    return quopri.encodestring(text[:at].encode()).decode() + "=\n" + text[at:].replace("@", "=40")


def encoded(text: str, rng: random.Random) -> str:
    around = rng.choice([("", ""), ("phone: ", ""), ("电话", "，谢谢"), ('{"a": "', '"}')])
    data = (around[0] + text + around[1]).encode(rng.choice(["utf-8", "gb18030"]))
    for _ in range(rng.randint(1, 3)):
        data = rng.choice([base64.b64encode, base64.urlsafe_b64encode])(data)
        data = data if rng.random() < 0.7 else data.rstrip(b"=")
    return data.decode()


def digest(text: str, rng: random.Random) -> str:
    variant = (
        rng.choice([text, "+86" + text, "86" + text])
        if text.isdigit()
        else rng.choice([text, text.upper(), text.lower()])
    )
    found = hashlib.new(rng.choice(["md5", "sha1", "sha256"]), variant.encode()).hexdigest()
    return rng.choice([found, found.upper()])


def cased(text: str, rng: random.Random) -> str:
    return "".join(rng.choice([sign.upper(), sign.lower()]) for sign in text)


def at_dot(text: str, rng: random.Random) -> str:
    at = rng.choice(["[at]", "(at)", " at ", " [at] ", "{at}", "<at>", "(AT)", " @ ", "[@]", "_at_"])
    dot = rng.choice([".", "[dot]", "(dot)", " dot ", " [DOT] ", "[.]"])
    name, domain = text.split("@")
    return name + at + domain.replace(".", dot)


def glued(text: str, rng: random.Random) -> str:
    return (
        rng.choice(["\\n", "\\r\\n", "\\t", "%0A", "%B7", "：", "电话", "&nbsp;", ">", '"', "(", "\\_"])
        + text
        + rng.choice(["", "。", "\\n", "<", '"', "）", "&lt;"])
    )


PHONE_SPELLINGS = [
    separated,
    prefixed,
    wide,
    numerals,
    zero_width,
    entities,
    escapes,
    percent,
    quoted,
    encoded,
    digest,
    glued,
]
MAIL_SPELLINGS = [cased, at_dot, wide, zero_width, entities, escapes, percent, quoted, encoded, digest, glued]
CODE_SPELLINGS = [cased, wide, zero_width, entities, escapes, percent, quoted, encoded, digest, glued]
CLASSES = [
    *((spell, OTHER_PHONE, "phone") for spell in PHONE_SPELLINGS),
    *((spell, MAIL, "email") for spell in MAIL_SPELLINGS),
    *((spell, WAYBILL, "waybill_no") for spell in CODE_SPELLINGS),
]
FRAMES = [
    "{}",
    "收到 {} 请回复",
    "a,b\nx,{}\ny,z\n",
    '{{"k": "{}"}}\n{{"k": "1"}}\n',
    "<p>{}</p>",
    "x\n\n{}\ny",
    "INSERT INTO t VALUES ('{}','a'),('b','c');",
]


@pytest.mark.parametrize(
    ("spell", "text", "role"), CLASSES, ids=lambda one: getattr(one, "__name__", str(one))
)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), frame=st.sampled_from(FRAMES))
def test_every_spelling_is_found_wherever_it_stands(
    spell: Spell, text: str, role: str, seed: int, frame: str
) -> None:
    spelt = spell(text, random.Random(seed))
    hits = LAB.scan(frame.format(spelt)).hits
    assert any(role in hit.roles for hit in hits), (spelt, frame)


TWICE = [
    (wide, separated), (entities, wide), (escapes, wide), (percent, numerals), (encoded, separated),
    (zero_width, prefixed), (quoted, prefixed), (encoded, percent),
]  # fmt: skip


@pytest.mark.parametrize(("outer", "inner"), TWICE, ids=lambda one: one.__name__)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_two_spellings_at_once_are_found(outer: Spell, inner: Spell, seed: int) -> None:
    rng = random.Random(seed)
    text = inner(OTHER_PHONE, rng)
    if outer is percent:
        text = urllib.parse.quote(text)
    elif outer is wide:
        text = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)
    else:
        text = outer(text, rng)
    assert any("phone" in hit.roles for hit in LAB.scan(f"打 {text} 吧").hits), text


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(
        [
            b"",
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b"BZh9",
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd",
            b"From x\nTo: a\n",
            b"From: a\nTo: b\n\n",
            b"<html>",
            b"PAR1",
            b"\xff\xfe",
            b"SQLite format 3\0",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"[{",
            b"INSERT INTO ",
        ]
    ),
)
def test_random_bytes_never_raise_and_give_no_hit(data: bytes, start: bytes) -> None:
    assert LAB.scan(start + data).hits == ()


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789 -+@.aA%=\\u&#;一二三〇（）[at]dot\n,\"'|{}\u200b１", max_size=200))
def test_hostile_text_never_raises(text: str) -> None:
    LAB.scan(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(40, 4000), st.integers(1, 700))
def test_cuts_of_blocks_and_chunks_do_not_matter(seed: int, block: int, chunk: int) -> None:
    rng = random.Random(seed)
    rows = [
        f"{number},139{rng.randrange(10**8):08d},a{number}@b.cn,YT{rng.randrange(10**13):013d}"
        for number in range(60)
    ]
    for place in rng.sample(range(60), 4):
        rows[place] = f"{place},{OTHER_PHONE},x@y.cn,YT1"
    rows[rng.randrange(60)] += f",{MAIL},{WAYBILL}"
    text = "n,phone,mail,no\n" + "\n".join(rows) + "\n"
    whole = LAB.scan(text)
    scan = Scan(LAB.index, LAB, KEYS, block_size=block)
    scan.text(
        TextPart("leak", None, (text[at : at + chunk] for at in range(0, len(text), chunk)), layout=CSV)
    )
    cut = scan.findings()
    assert cut.hits == whole.hits
    assert cut.candidates == whole.candidates
    assert cut.rows == whole.rows


@settings(max_examples=100, deadline=None)
@given(
    st.text(alphabet="ab\n,\"');( 19。", max_size=400),
    st.sampled_from([CSV, PROSE, SQL]),
    st.integers(1, 90),
    st.integers(1, 60),
)
def test_blocks_hold_the_whole_text_once(text: str, layout: object, size: int, chunk: int) -> None:
    found = list(blocks([text[at : at + chunk] for at in range(0, len(text), chunk)], layout, size))  # type: ignore[arg-type]
    assert "".join(block.text[block.skip :] for block in found) == text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_decoding_never_fails_and_offsets_can_be_computed(data: bytes) -> None:
    encoding = detect_encoding(data)
    text = decode_bytes(data)
    assert isinstance(text, str)
    assert encoding.size("1") >= 1
    assert detect_layout(text) in (CSV, PROSE, SQL) or detect_layout(text).border is not None


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789", min_size=11, max_size=11), st.integers(0, 2**32))
def test_other_numbers_are_never_accused(number: str, seed: int) -> None:
    rng = random.Random(seed)
    if number in (OTHER_PHONE, "14012345678"):
        number = "13900000000"
    text = " ".join(spell(number, rng) for spell in (separated, wide, numerals, entities, escapes))
    assert Lab.found(LAB, text) == {}
