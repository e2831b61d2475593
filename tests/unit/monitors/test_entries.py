"""Entries of feeds: the bytes they came in, whatever a feed holds."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from canary.errors import OutsideError
from canary.monitors.parts.entries import read_entries


def rss(*items: str, encoding: str = "utf-8") -> bytes:
    head = f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel>'
    return f"{head}{''.join(items)}</channel></rss>".encode(encoding)


def test_raw_is_the_very_slice_of_the_feed() -> None:
    item = "<item><guid>1</guid>\n<title>张三 138</title><enclosure url='x'/></item>"
    [entry] = read_entries(rss(item), "application/rss+xml")
    assert entry.raw == item.encode()
    assert (entry.key, entry.media) == ("1", "application/xml")
    assert entry.detail["title"] == "张三 138"


def test_utf16_feeds_are_cut_as_utf8() -> None:
    item = "<item><guid>1</guid><title>张三</title></item>"
    body = (
        f'<?xml version="1.0" encoding="utf-16"?><rss version="2.0"><channel>{item}</channel></rss>'.encode(
            "utf-16"
        )
    )
    [entry] = read_entries(body, "application/xml")
    assert entry.raw.decode() == item


def test_a_cut_that_does_not_fit_is_rebuilt() -> None:
    hidden = "<![CDATA[</item><item>zhang@alias.example.com</item>]]>"
    trap = f"<item><guid>1</guid><description>{hidden}</description></item>"
    entries = read_entries(rss(trap), "")
    assert len(entries) == 1
    assert b"zhang@alias.example.com" in entries[0].raw
    assert entries[0].media == "application/json"
    assert read_entries(rss(trap), "") == entries


def test_entries_of_one_name_are_told_apart_by_content() -> None:
    first, second = (
        "<item><guid>x</guid><title>a</title></item>",
        "<item><guid>x</guid><title>b</title></item>",
    )
    both = read_entries(rss(first, second, first), "")
    assert len({entry.key for entry in both}) == len(both) == 2
    turned = read_entries(rss("<item><guid>x</guid><title>c</title></item>", second, first), "")
    assert {entry.key for entry in both} < {entry.key for entry in turned}


def test_entries_without_a_name_are_named_by_content() -> None:
    [entry] = read_entries(rss("<item><description>x</description></item>"), "")
    assert entry.key.startswith("#")


def test_scripts_are_kept_since_they_may_hold_what_is_looked_for() -> None:
    text = "&lt;script&gt;var a='zhang@alias.example.com'&lt;/script&gt;"
    [entry] = read_entries(rss(f"<item><guid>1</guid><description>{text}</description></item>"), "")
    assert b"zhang@alias.example.com" in entry.raw


def test_an_empty_feed_is_a_feed() -> None:
    assert read_entries(rss(), "") == []
    assert read_entries(b'\xef\xbb\xbf {"version": "https://jsonfeed.org/version/1", "items": [5]}', "") == []


def test_a_json_item_without_id() -> None:
    [entry] = read_entries(json.dumps({"items": [{"content_text": "x\ud800"}]}).encode(), "")
    assert entry.key.startswith("#")
    assert b"content_text" in entry.raw


HOSTILE = [
    b"<item>" * 15_000,
    b"<items " * 200_000,
    b"<item>" + b"<" * 2_000_000,
    b"<item>" + b"&" * 2_000_000,
    b"<item>" + b"<b>" * 700_000,
    b"<item>" + b"<b>" * 100_000 + b"</b>" * 100_000 + b"</item></channel></rss>",
    b"<item><title>" + b"<![CDATA[" * 200_000,
    b"<item " + b"a='b' " * 300_000,
    b"<item><title>" + b"a" * 3_000_000 + b"</title></item></channel></rss>",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_feeds_end_in_time(body: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(OutsideError):
        read_entries(b"<rss version='2.0'><channel>" + body, "")
    assert time.process_time() - began < 5


def test_entities_do_not_blow_up() -> None:
    levels = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
    feed = rss("<item><title>&e9;</title></item>").partition(b"?>")[2].decode()
    entries = read_entries(f"<!DOCTYPE x [<!ENTITY e0 'aaaaaaaaaa'>{levels}]>{feed}".encode(), "")
    assert sum(len(entry.raw) for entry in entries) < 1000


def test_a_torn_feed_still_gives_its_entries() -> None:
    torn = rss(
        "<item><guid>7</guid><title>a &nbsp; b & c</title>", "</item><item>zhang@alias.example.com</item>"
    )
    first, second = read_entries(torn, "")
    assert (first.key, first.detail) == ("7", {})
    assert second.key.startswith("#")
    assert second.raw == b"<item>zhang@alias.example.com</item>"


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "big5", "latin-1", "utf-8"])
def test_declared_encodings_are_read(encoding: str) -> None:
    name = "Zhang" if encoding == "latin-1" else "中文"
    [entry] = read_entries(rss(f"<item><guid>1</guid><title>{name}</title></item>", encoding=encoding), "")
    assert entry.detail["title"] == name
    assert entry.raw.decode(encoding) == f"<item><guid>1</guid><title>{name}</title></item>"


def test_the_server_may_name_the_encoding() -> None:
    body = (
        "<rss version='2.0'><channel><item><guid>1</guid><title>中文</title></item></channel></rss>".encode(
            "gbk"
        )
    )
    assert read_entries(body, "text/xml; charset=gbk")[0].detail["title"] == "中文"
    assert read_entries(body, "text/xml; charset=klingon")[0].key == "1"


def test_too_much_is_no_feed() -> None:
    for body in (b"<item></item>" * 20_001, b"{" + b" " * 10_000_001):
        with pytest.raises(OutsideError):
            read_entries(body, "")


def test_a_local_file_is_never_opened(tmp_path) -> None:  # type: ignore[no-untyped-def]
    secret = tmp_path / "feed.xml"
    secret.write_bytes(rss("<item><guid>secret</guid></item>"))
    with pytest.raises(OutsideError):
        read_entries(str(secret).encode(), "")
