"""Damaged containers and encodings of every kind: nothing is raised, nothing grows, nothing hangs."""

from __future__ import annotations

import io
import os
import random
import resource
import time
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canary.model.evidence import ScanError
from canary.scan.budget import Budget, Spent
from canary.scan.containers import walk
from canary.scan.parts import Place
from tests.packed import ENCODINGS, PACKS, TABLES, Rows

TIGHT = Budget(bytes=1 << 26, held=1 << 20, spooled=1 << 22, ratio=50, free=1 << 18, members=200, seconds=2.0)
SECONDS = 5.0  # of CPU for one small file
ROWS: Rows = [
    ("张伟", f"1{number}012345678", f"lin{number}@mail.acme.cn", "浙江省杭州市文一路9号")
    for number in range(6)
]
TOKENS = (
    b"",
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"\x1f\x8b\x08",
    b"7z\xbc\xaf\x27\x1c",
    b"<row>",
    b"</",
    b"<![CDATA[",
    b"=\n",
    b"\r\n\r\n",
    b"From x\n",
    b"Content-Length: 99999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"ffffffffff\r\n",
    b"\xff\xfe",
    b"\x81\x30\x81\x30",
    b"\xed\xa0\x80",
    b"\xd8\x00",
    b"%PDF-1.7\n",
    b"endstream",
    b" 0 obj<<",
    b">>",
    b"\\u-99999 ",
    b"{\\rtf1",
    b"\\'",
    b"SQLite format 3\0",
    b"9" * 40,
)


@cache
def samples() -> dict[str, bytes]:
    """Give a small good file of every kind."""
    text = "".join("\t".join(row) + "\n" for row in ROWS)
    found = {f"text, {name}": encode(text) for name, encode in ENCODINGS.items()}
    found |= {name: pack(text.encode()) for name, pack in PACKS.items()}
    return found | {name: make(ROWS) for name, make in TABLES.items()}


def damaged(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """Damage a file as transport, carelessness or malice do."""
    whole = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(whole) + 1)
        kind = rng.randrange(6)
        if kind == 0 and whole:
            whole[at % len(whole)] = rng.randrange(256)
        elif kind == 1:
            del whole[at : at + rng.choice((1, 7, 300, 10**9))]
        elif kind == 2:
            whole[at:at] = rng.choice(TOKENS)
        elif kind == 3:
            token = rng.choice(TOKENS)
            whole[at : at + len(token)] = token
        elif kind == 4:
            start = rng.randrange(len(other) + 1)
            whole[at : at + rng.randrange(200)] = other[start : start + rng.randrange(400)]
        else:
            whole[at:at] = whole[at : at + rng.randrange(500)] * rng.randrange(4)
    return bytes(whole[: 1 << 18])


def consume(data: bytes) -> None:
    """Read all of a file as a scan does, and check what it cost."""
    began = time.thread_time()
    size = 0
    spent = Spent(TIGHT)
    for part in walk(io.BytesIO(data), Place("leak", packed=len(data)), spent):
        if isinstance(part, ScanError):
            assert part.reason
        else:
            for chunk in map(str, part.chunks):
                size += len(chunk)
                part.encoding.size(chunk)
    assert size <= 64 * len(data) + TIGHT.bytes
    assert time.thread_time() - began < SECONDS


def fuzz(name: str, number: int) -> None:
    rng = random.Random(number)
    known = samples()
    consume(damaged(known[name], rng, known[rng.choice(list(known))]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(samples())), st.integers(0, 2**32))
def test_damaged_containers_are_read_as_far_as_they_go(name: str, number: int) -> None:
    fuzz(name, number)


@pytest.mark.soak
def test_a_million_damaged_containers() -> None:
    """CANARY_SOAK_INPUTS inputs (a million unless set), each told by its number; memory must not grow with them."""
    whole, names = int(os.environ.get("CANARY_SOAK_INPUTS", "1000000")), sorted(samples())
    began, first = time.monotonic(), 0
    for number in range(whole):
        name = names[number % len(names)]
        try:
            fuzz(name, number)
        except BaseException:
            print(f"failed: {name}, number {number}", flush=True)
            raise
        if (number + 1) % 10_000 == 0 or number + 1 == whole:
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            first = first or most
            print(f"{number + 1} inputs, {time.monotonic() - began:.0f} s, {most} MiB", flush=True)
            assert most < first + 200
