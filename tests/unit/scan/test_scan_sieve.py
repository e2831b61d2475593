"""Many small things at once: what is found in each is what a scan of it alone finds."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import zipfile

import pytest

from canary.errors import OutsideError
from canary.model.evidence import Findings
from canary.scan import sieve
from canary.scan.engine import scan_bytes
from tests.scanlab import ADDRESS, KEYS, MAIL, NAME, OTHER_PHONE, PHONE, WAYBILL, Lab


def zipped(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", text)
    return file.getvalue()


SPELT = (
    MAIL,
    PHONE,
    OTHER_PHONE,
    WAYBILL,
    ADDRESS,
    f"{NAME} {ADDRESS}",
    "1 4 0 1 2 3 4 5 6 7 8",
    "一四〇一二三四五六七八",
)
OTHERS = ("cheap loans", "13812345678", "a@b.example", "2024-01-02", "YT0000000000001", "浙江省杭州市余杭区")
WRAPPED = (
    str.encode,
    lambda text: text.encode("gb18030"),
    lambda text: text.encode("utf-16"),
    lambda text: gzip.compress(text.encode()),
    zipped,
    lambda text: f"Subject: x\r\nTo: y@z.example\r\n\r\n{text}\r\n".encode(),
    lambda text: f"<html><body><p>{text}</p></body></html>".encode(),
    lambda text: f"a,b,c\n1,2,{text}\n3,4,5\n".encode(),
    lambda text: hashlib.md5(text.encode()).hexdigest().encode(),
    lambda text: b"\xff\n" + text.encode("gb18030") + b"\n" * 9 + text.encode() + b"\n",
)


def drawn(count: int, seed: int = 3) -> list[tuple[str, bytes]]:
    rng = random.Random(seed)
    texts = [
        " ".join(rng.choices(SPELT * (n % 3 == 0) + OTHERS, k=rng.randrange(1, 5))) for n in range(count)
    ]
    return [(f"t{n}", rng.choice(WRAPPED)(text)) for n, text in enumerate(texts)]


def test_each_is_found_as_alone(lab: Lab) -> None:
    things = [
        *drawn(150),
        ("empty", b""),
        ("broken", gzip.compress(b"x" * 99)[:20]),
        ("long", b"y " * 200_000),
    ]
    things.append(("long one", (f"{MAIL} " + "words and words " * 20_000).encode()))
    lab.opened = 0
    found = sieve.scan_many(things, lab.index, lab, KEYS)
    hit = 0
    for (name, data), one in zip(things, found, strict=True):
        alone = scan_bytes(data, name, lab.index, lab, KEYS)
        assert isinstance(one, Findings)
        assert (one.hits, one.errors, one.rows, one.bytes) == (
            alone.hits,
            alone.errors,
            alone.rows,
            len(data),
        )
        if one.hits:
            hit += 1
            assert one.candidates == alone.candidates
    assert hit > 30


def test_a_text_that_grows_is_left_to_the_kernel(lab: Lab) -> None:
    grown = gzip.compress(f"{'words and ' * 50_000} {MAIL} ".encode())
    [one] = sieve.scan_many([("grown", grown)], lab.index, lab, KEYS)
    assert isinstance(one, Findings)
    assert [hit.canary for hit in one.hits] == ["c-first"]


def test_what_is_unpacked_is_held_in_groups(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sieve, "TOGETHER", 100_000)
    asked: list[int] = []
    real = sieve._known
    monkeypatch.setattr(sieve, "_known", lambda *given: asked.append(len(given[0])) or real(*given))
    things = [(f"t{n}", gzip.compress(f"{'words ' * 10_000}{MAIL}".encode())) for n in range(5)]
    assert all(len(one.hits) == 1 for one in sieve.scan_many(things, lab.index, lab, KEYS))  # type: ignore[union-attr]
    assert asked == [2, 2, 1]


def test_nothing_is_looked_up_for_nothing(lab: Lab) -> None:
    assert sieve.scan_many([], lab.index, lab, KEYS) == []
    empty = Lab()
    [one] = sieve.scan_many([("x", MAIL.encode())], empty.index, empty, KEYS)
    assert isinstance(one, Findings)
    assert one.hits == ()


def test_many_owners_are_opened_one_by_one(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sieve, "OPENED", 2)
    [one] = sieve.scan_many([("x", f"{PHONE} {MAIL}".encode())], lab.index, lab, KEYS)
    assert isinstance(one, Findings)
    assert {hit.canary for hit in one.hits} == {"c-first"}


def test_what_stumbles_does_not_keep_others_from_being_read(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sieve.scan_stream

    def stumble(stream: io.BytesIO, *rest: object) -> None:
        if stream.getvalue() == b"odd":
            raise RecursionError
        real(stream, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sieve, "scan_stream", stumble)
    odd, even = sieve.scan_many([("a", b"odd"), ("b", MAIL.encode())], lab.index, lab, KEYS)
    assert isinstance(odd, RecursionError)
    assert isinstance(even, Findings)
    assert len(even.hits) == 1


def test_a_look_that_stumbles_is_given(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(sieve._Gathered, "settled", stumble)
    [one] = sieve.scan_many([("b", MAIL.encode())], lab.index, lab, KEYS)
    assert isinstance(one, RecursionError)


def test_a_registry_that_fails_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OutsideError("the registry's database failed", "")

    monkeypatch.setattr(lab, "open_canaries", fail)
    with pytest.raises(OutsideError):
        sieve.scan_many([("b", MAIL.encode())], lab.index, lab, KEYS)
