"""Feeds of every dialect, whole, torn and altered: two entries each, the first of which holds an alias."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from canary.errors import OutsideError
from canary.monitors.parts.entries import read_entries

FEEDS = sorted((Path(__file__).parent / "feeds").iterdir())
ALIAS = b"zhang.wei1@alias.example.com"


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_a_dialect(path: Path) -> None:
    first, second = read_entries(path.read_bytes(), "")
    assert (first.key, second.key) == ("https://x.example/1", "https://x.example/2")
    assert ALIAS in first.raw
    assert ALIAS not in second.raw
    assert "张三" in second.raw.decode()
    assert second.detail.get("title", "second 张三") == "second 张三"


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_a_feed_that_was_cut_off_gives_what_came_whole_or_says_so(path: Path) -> None:
    body = path.read_bytes()
    end = body.index(b"second")
    for cut in (end, len(body) - 8):
        torn = body[:cut]
        if path.suffix == ".json" or path.stem.endswith("prefixed"):
            with pytest.raises(OutsideError):
                read_entries(torn, "")
        else:
            assert ALIAS in read_entries(torn, "")[0].raw


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_a_feed_with_bytes_altered_is_read_or_refused(path: Path) -> None:
    chance = random.Random(path.name)
    for _ in range(60):
        body = bytearray(path.read_bytes())
        for _ in range(chance.randrange(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        try:
            entries = read_entries(bytes(body), chance.choice(["", "text/xml; charset=gbk"]))
        except OutsideError:
            continue
        assert len({one.key for one in entries}) == len(entries)
        assert all(one.raw for one in entries)
