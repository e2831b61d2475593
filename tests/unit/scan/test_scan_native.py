"""What compiled code is made of: every statement and expression means what the interpreter means by it."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canary import blocks, compiled, native
from canary.blocks import shuffle
from canary.lowering import Unit
from canary.native import apart, code_of, inner, loaded
from canary.operations import byte, get, population, put, trailing
from canary.scan import vectors
from canary.scan.signs import LETTERED, OTHER, WORD, classes
from canary.scan.sweepwork import ROW
from canary.scan.vectors import classify

U = np.uint64
SMALL = 3
SIGNS = (2, 3, 5)


@inner
def halves(n: int) -> tuple[int, bool]:
    half = n >> 1
    return (half, half * 2 == n)


@apart
def first_over(bound: int, step: int) -> int:
    n = 0
    while True:
        n += step
        if n > bound:
            break
        if n < 0:
            return -1
    return n


@inner
def bits_of(mask: Any) -> int:
    found: int = population(mask)
    if mask != U(0):
        found += 100 * trailing(mask)
    return found if found < 1000 else -found


@inner
def is_sign(n: int) -> bool:
    """A docstring is no code."""
    return (n in (2, 3, 5) and not n not in (3, 5, 7)) or n == 100


def sample(st: int, text: int, a: int) -> None:
    half, even = halves(a)
    put(st, 0, half)
    put(st, 1, even)
    put(st, 2, first_over(a, SMALL))
    put(st, 3, bits_of(U(a) << U(3) & ~U(8)))
    total = 0
    for j in range(5):
        if j == 1:
            continue
        for k in range(j, 4):
            total += k
            if total > 8:
                break
    put(st, 4, total)
    put(st, 5, byte(text, 1) ^ 32 | 1)
    put(st, 6, 2 < a <= 7 and is_sign(a))
    put(st, 7, min(a, 4) - max(a, 2, 3))
    put(st, 8, halves(9)[0])
    left = a
    while left > 4:
        left -= 2
    put(st, 9, -left)
    put(st, 10, get(st, 9) + int(bool(a)) + (a == 5))
    flag = False
    flag = flag or a > 3
    put(st, 11, (1 if flag else 2) + (1 if flag & even else 10))
    put(st, 12, np.int64(U(a) >> U(1)))
    if a == 5:
        return
    put(st, 13, 1)


def expected(a: int) -> list[int]:
    mask = a << 3 & ~8
    trail = (mask & -mask).bit_length() - 1 if mask else 0
    bits = mask.bit_count() + 100 * trail
    left = a
    while left > 4:
        left -= 2
    sign = (a in SIGNS and a in (3, 5, 7)) or a == 100
    total = 0
    for j in (0, 2, 3, 4):
        for k in range(j, 4):
            total += k
            if total > 8:
                break
    return [
        a >> 1, a % 2 == 0, (a // SMALL + 1) * SMALL, bits if bits < 1000 else -bits, total, ord("b") ^ 32 | 1,
        2 < a <= 7 and sign, min(a, 4) - max(a, 2, 3), 4, -left, -left + bool(a) + (a == 5),
        (1 if a > 3 else 2) + (1 if a > 3 and a % 2 == 0 else 10), a >> 1, a != 5,
    ]  # fmt: skip


def test_compiled_code_means_what_the_interpreter_means() -> None:
    engine, run = loaded(code_of(sample), "sample", 3)
    text = np.frombuffer(b"abc", np.uint8)
    for a in range(12):
        st = np.zeros(14, np.int64)
        run(st.ctypes.data, text.ctypes.data, a)
        assert st.tolist() == expected(a)
    assert engine is not None


def mixed(a: int) -> None:
    put(a, 0, np.int64(U(1) + a))


def raised(a: int) -> None:
    raise ValueError(a)


def named(a: int) -> None:
    put(a, 0, WORDS)


WORDS = "words"


@pytest.mark.parametrize(
    ("function", "why"), [(mixed, "do not mix"), (raised, "no Raise"), (named, "is no number")]
)
def test_what_compiled_code_has_not_is_told(function: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        Unit("x").lower(function, entry=True)


def test_operations_are_for_compiled_code_alone() -> None:
    with pytest.raises(TypeError, match="compiled code alone"):
        get(1, 2)


def test_code_is_kept_and_what_was_not_written_whole_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "cache_folder", lambda: str(tmp_path))
    text = np.frombuffer(b"abc", np.uint8)

    def run() -> list[int]:
        st = np.zeros(14, np.int64)
        native.Entry(__name__, "sample", 3, ["test_scan_native.py"])(st.ctypes.data, text.ctypes.data, 7)
        return st.tolist()

    assert run() == expected(7)
    (kept,) = tmp_path.iterdir()
    before = kept.read_bytes()
    monkeypatch.setattr(native, "code_of", lambda _: pytest.fail("compiled again"))
    assert run() == expected(7)
    monkeypatch.undo()
    monkeypatch.setattr(native, "cache_folder", lambda: str(tmp_path))
    kept.write_bytes(before[:-9])
    assert run() == expected(7)
    assert kept.read_bytes()[:32] == before[:32]
    kept.chmod(0o666)  # others might have written it
    kept.write_bytes(b"x" * len(before))
    assert run() == expected(7)
    assert kept.read_bytes()[:32] == before[:32]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    monkeypatch.setattr(native, "cache_folder", lambda: "")
    assert run() == expected(7)


def test_threads_that_call_at_once_load_the_code_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entry, loads, called = native.Entry("none", "none", 0, ()), [], threading.Barrier(4)

    def load() -> Any:
        loads.append(1)
        time.sleep(0.05)
        return lambda: None

    monkeypatch.setattr(entry, "_loaded", load)

    def call() -> None:
        called.wait()
        entry()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert loads == [1]


def test_a_cache_folder_that_others_may_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = Path(compiled.cache_folder())
    assert folder.is_relative_to(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o770)
    assert compiled.cache_folder() == ""
    folder.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert compiled.cache_folder() == ""


def test_every_character_has_the_class_that_regular_expressions_give_it() -> None:
    found = classes()
    every = "".join(map(chr, range(LETTERED, 0x110000)))
    assert not any(sign.isalnum() for sign in every)
    assert found[ord("é")] == WORD
    assert found[ord("，")] != OTHER
    assert found[0xE000] == found[0x50000] == OTHER


def sets(st: int, text: int) -> None:
    classify(text, st)


def test_both_ways_to_classify_bytes_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    every = np.arange(256, dtype=np.uint8)
    found = []
    for ways in (
        shuffle(),
        ("llvm.x86.avx2.pshuf.b", 32),
        ("llvm.x86.ssse3.pshuf.b.128", 16),
        ("", 0),
    ):
        if ways[1] and ways != shuffle() and not shuffle()[1]:
            continue  # another kind of processor
        for module in (blocks, vectors):
            monkeypatch.setattr(module, "shuffle", lambda ways=ways: ways)
        engine, run = loaded(code_of(sets), "sets", 2)
        masks = np.zeros((4, vectors.SETS * ROW), np.uint64)
        for part in range(4):
            run(masks[part].ctypes.data, every[64 * part :].ctypes.data)
        found.append(masks[:, ::ROW].tolist())
        assert engine is not None
        monkeypatch.undo()
    assert all(each == found[0] for each in found)
    shown = [chr(n) for n in range(256) if found[0][n // 64][vectors.ESCAPES] >> n % 64 & 1]
    assert "".join(shown) == "%&=\\"
    assert all(found[0][part][vectors.HIGH] == (2**64 - 1 if part > 1 else 0) for part in range(4))
